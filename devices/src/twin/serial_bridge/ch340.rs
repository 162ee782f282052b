//! CH340 (version 31h): a pair of rate registers, a line-control register, and modem
//! lines written inverted. Without bit 7 of the prescaler it sends full packets only.

use super::{Chip, done, end, give, raised, vendor_info};
use crate::transport::{DeviceInfo, Setup};
use crate::twin::ControlReply;

const VERSION: u8 = 0x31;
const CLOCK_HZ: u32 = 48_000_000;
/// Receiver and transmitter on, 8N1.
const FORMAT: u16 = 0x00C3;

#[derive(Default)]
pub(super) struct Ch340 {
    begun: bool,
    prescaler: u8,
    divisor: u8,
    format: u16,
    lines: u16,
}

impl Ch340 {
    fn write(&mut self, registers: u16, value: u16) -> ControlReply {
        match registers {
            0x1312 => [self.prescaler, self.divisor] = value.to_le_bytes(),
            0x2518 => self.format = value,
            _ => return ControlReply::Stall,
        }
        done()
    }
}

impl Chip for Ch340 {
    fn info(&self) -> DeviceInfo {
        let ends = vec![end(0x82, 2, 32), end(0x02, 2, 32), end(0x81, 3, 8)];
        vendor_info((0x1A86, 0x7523, 0x0264), [0xFF, 1, 2], ends)
    }

    fn control(&mut self, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        if !out.is_empty() {
            return ControlReply::Stall;
        }
        match (setup.request_type, setup.request, setup.value) {
            (0xC0, 0x5F, _) => give(vec![VERSION, 0], len),
            (0x40, 0xA1, _) => {
                self.begun = true;
                done()
            }
            (0x40, 0x9A, registers) => self.write(registers, setup.index),
            (0xC0, 0x95, 0x0005) => give(vec![0x9F, 0xFF], len),
            // Clear to send, inverted like all of them.
            (0xC0, 0x95, 0x0706) => give(vec![0xFE, 0xFF], len),
            (0x40, 0xA4, lines) => {
                // DTR is 20h, RTS is 40h.
                self.lines = (!lines >> 5) & 3;
                done()
            }
            _ => ControlReply::Stall,
        }
    }

    fn line(&self) -> Option<u32> {
        if !self.begun || self.format != FORMAT || !raised(self.lines) {
            return None;
        }
        let (steps, fact) = (self.prescaler & 3, (self.prescaler >> 2) & 1);
        // Eighths for each step of the prescaler, and half for its own bit.
        let faster = steps.saturating_mul(3).saturating_add(fact);
        let clock = CLOCK_HZ >> 12_u8.saturating_sub(faster);
        let divisor = 256_u32.saturating_sub(u32::from(self.divisor));
        clock.checked_div(divisor).filter(|baud| *baud > 0)
    }

    fn room(&self) -> usize {
        32
    }

    fn only_full(&self) -> bool {
        self.prescaler & 0x80 == 0
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}
