//! What kind of reader the twin is: its functional descriptor by CCID §5.1.

use super::{ANSWERS, COMMANDS, MESSAGE_MAX, NOTIFY};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo};

/// Who splits APDUs into the card's protocol: the host or the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The host (dwFeatures 10000h).
    Tpdu,
    /// The reader (20000h).
    ShortApdu,
    /// The reader, with extended APDUs in parts (40000h).
    ExtendedApdu,
}

/// The reader's own PIN pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pad {
    /// None, and none claimed.
    None,
    /// Claimed and not there.
    Claimed,
    /// There.
    Works,
    /// There, and it tells the host what was typed.
    Leaks,
}

/// A reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// Exchange level.
    pub level: Level,
    /// Voltage, parameters, clock, rate and PPS by itself (dwFeatures BAh); else the
    /// host must do all of it (30h).
    pub automatic: bool,
    /// bVoltageSupport.
    pub voltages: u8,
    /// Tells slot changes; else the host must ask.
    pub interrupt: bool,
    /// Slots; the cards of the desk go into the first.
    pub slots: u8,
    /// Its PIN pad.
    pub pad: Pad,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            level: Level::Tpdu,
            automatic: true,
            voltages: 7,
            interrupt: true,
            slots: 1,
            pad: Pad::None,
        }
    }
}

impl Model {
    /// Its descriptors.
    pub(super) fn info(&self) -> DeviceInfo {
        let end = |address, kind, max_packet, interval| EndpointInfo {
            address,
            kind,
            max_packet,
            interval,
        };
        let mut endpoints = vec![end(ANSWERS, 2, 64, 0), end(COMMANDS, 2, 64, 0)];
        if self.interrupt {
            endpoints.insert(0, end(NOTIFY, 3, 8, 24));
        }
        DeviceInfo {
            path: "card-reader".into(),
            vendor: 0x08E6,
            product: 0x4433,
            release: 0x0100,
            class: 0,
            manufacturer: "Counterfoil".into(),
            name: "CCID card reader twin".into(),
            serial: "CR-0001".into(),
            interfaces: vec![InterfaceInfo {
                number: 0,
                alternate: 0,
                class: 0x0B,
                subclass: 0,
                protocol: 0,
                endpoints,
                extra: functional(self),
            }],
        }
    }
}

/// The functional descriptor.
fn functional(model: &Model) -> Vec<u8> {
    let level: u32 = match model.level {
        Level::Tpdu => 0x0001_0000,
        Level::ShortApdu => 0x0002_0000,
        Level::ExtendedApdu => 0x0004_0000,
    };
    let features = level | if model.automatic { 0xBA } else { 0x30 };
    let mut d = vec![0x36, 0x21, 0x10, 0x01];
    d.extend([model.slots.saturating_sub(1), model.voltages]);
    d.extend(3_u32.to_le_bytes());
    d.extend(4000_u32.to_le_bytes());
    d.extend(12_000_u32.to_le_bytes());
    d.push(0);
    d.extend(9600_u32.to_le_bytes());
    d.extend(307_200_u32.to_le_bytes());
    d.push(0);
    d.extend(252_u32.to_le_bytes());
    d.extend([0; 8]);
    d.extend(features.to_le_bytes());
    d.extend(MESSAGE_MAX.to_le_bytes());
    let pin = if model.pad == Pad::None { 0 } else { 3 };
    d.extend([0xFF, 0xFF, 0, 0, pin, 1]);
    d
}
