//! CP2102 (AN571): nothing moves before its UART is enabled; a clear-to-send
//! handshake would wait for a line no module drives.

use super::{Chip, done, end, give, raised, vendor_info};
use crate::transport::{DeviceInfo, Setup};
use crate::twin::ControlReply;

/// Rates the part makes.
const RATES: std::ops::RangeInclusive<u32> = 300..=921_600;
/// What SET_BAUDDIV divides.
const CLOCK: u32 = 3_686_400;

pub(super) struct Cp210x {
    enabled: bool,
    baud: u32,
    format: u16,
    waits_for_cts: bool,
    lines: u16,
    dropped: bool,
}

impl Default for Cp210x {
    fn default() -> Self {
        Self {
            enabled: false,
            baud: 115_200,
            format: 0x0800,
            waits_for_cts: false,
            lines: 0,
            dropped: false,
        }
    }
}

impl Cp210x {
    fn rate(&mut self, baud: u32) -> ControlReply {
        if !RATES.contains(&baud) {
            return ControlReply::Stall;
        }
        self.baud = baud;
        done()
    }

    fn set(&mut self, request: u8, value: u16, out: &[u8]) -> ControlReply {
        match (request, out) {
            (0x00, []) if value <= 1 => self.enabled = value == 1,
            (0x03, []) => self.format = value,
            (0x07, []) => {
                let mask = value >> 8;
                self.lines = (self.lines & !mask) | (value & mask);
            }
            (0x12, []) => self.dropped = value & 0x000A != 0,
            (0x13, flow) if flow.len() == 16 => {
                self.waits_for_cts = flow.first().is_some_and(|b| b & 0x08 != 0);
            }
            (0x01, []) => return self.rate(CLOCK.checked_div(u32::from(value)).unwrap_or(0)),
            (0x1E, [b0, b1, b2, b3]) => {
                return self.rate(u32::from_le_bytes([*b0, *b1, *b2, *b3]));
            }
            _ => return ControlReply::Stall,
        }
        done()
    }
}

impl Chip for Cp210x {
    fn info(&self) -> DeviceInfo {
        let ends = vec![end(0x82, 2, 64), end(0x01, 2, 64)];
        vendor_info((0x10C4, 0xEA60, 0x0100), [0xFF, 0, 0], ends)
    }

    fn control(&mut self, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        match (setup.request_type, setup.request) {
            _ if setup.index != 0 => ControlReply::Stall,
            (0x41, request) => self.set(request, setup.value, out),
            (0xC1, 0x1D) => give(self.baud.to_le_bytes().to_vec(), len),
            (0xC1, 0x04) => give(self.format.to_le_bytes().to_vec(), len),
            (0xC1, 0x10) => give(vec![0; 19], len),
            _ => ControlReply::Stall,
        }
    }

    fn line(&self) -> Option<u32> {
        let right = self.enabled && self.format == 0x0800 && !self.waits_for_cts;
        (right && raised(self.lines)).then_some(self.baud)
    }

    fn dropped(&mut self) -> bool {
        std::mem::take(&mut self.dropped)
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}
