//! A keyboard, as anybody can buy one and plug it in: the boot keyboard of HID 1.11,
//! appendix B and E, with the descriptors and no keys.
//!
//! Stands for what a kiosk must not have. The desk plugs it in (`keyboard plug`) and pulls
//! it (`keyboard unplug`); no driver here speaks to it.

use std::time::Duration;

use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};

/// Descriptors of a boot keyboard.
#[derive(Debug, Default)]
pub struct KeyboardTwin;

impl Twin for KeyboardTwin {
    fn info(&self) -> DeviceInfo {
        DeviceInfo {
            path: "keyboard".into(),
            vendor: 0x1209,
            product: 0x0009,
            release: 0x0100,
            class: 0,
            manufacturer: "Counterfoil".into(),
            name: "keyboard twin".into(),
            serial: String::new(),
            interfaces: vec![InterfaceInfo {
                number: 0,
                alternate: 0,
                class: 0x03,
                subclass: 0x01,
                protocol: 0x01,
                endpoints: vec![EndpointInfo {
                    address: 0x81,
                    kind: 3,
                    max_packet: 8,
                    interval: 10,
                }],
                // HID descriptor: 1.11, no country, one report descriptor of 63 bytes.
                extra: vec![9, 0x21, 0x11, 0x01, 0, 1, 0x22, 63, 0],
            }],
        }
    }

    fn control(&mut self, _: Duration, _: Setup, _: &[u8], _: u16) -> ControlReply {
        ControlReply::Stall
    }

    fn out(&mut self, _: Duration, _: u8, _: &[u8]) -> OutReply {
        OutReply::Stall
    }

    fn poll_in(&mut self, _: Duration, _: u8, _: usize) -> InReply {
        InReply::Nak
    }

    fn wakes_at(&self) -> Option<Duration> {
        None
    }

    fn host_gone(&mut self, _: Duration) {}

    fn desk(&mut self, _: Duration, _: &str) -> Result<String, DeskError> {
        Err(DeskError("keyboard: plug, unplug or replug".into()))
    }

    fn look(&self) -> Vec<String> {
        vec!["a keyboard lies there".into()]
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}
