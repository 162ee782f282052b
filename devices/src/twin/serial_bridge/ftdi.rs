//! FT232R (AN232B-05 and the programmer's guide): 62 bytes of the line in a packet
//! behind two status bytes, and an idle packet of just those every latency period.

use std::time::Duration;

use super::{Chip, done, end, raised, vendor_info};
use crate::transport::{DeviceInfo, Setup};
use crate::twin::ControlReply;

/// Latency until the host sets it.
const LATENCY_DEFAULT_MS: u16 = 16;
/// Eighths that each code of the three top bits means.
const EIGHTHS: [u32; 8] = [0, 4, 2, 1, 3, 5, 6, 7];
/// Clear to send; the low bit is always set.
const MODEM_STATUS: u8 = 0x11;
/// Transmitter empty.
const LINE_STATUS: u8 = 0x60;
const FRAMING_ERROR: u8 = 0x08;

pub(super) struct Ftdi {
    latency_ms: u16,
    baud: Option<u32>,
    format: u16,
    handshake: u16,
    lines: u16,
    dropped: bool,
}

impl Default for Ftdi {
    fn default() -> Self {
        Self {
            latency_ms: LATENCY_DEFAULT_MS,
            baud: None,
            format: 0,
            handshake: 0,
            lines: 0,
            dropped: false,
        }
    }
}

/// The real rate of a divisor.
fn rate(value: u16, index: u16) -> Option<u32> {
    let whole = u32::from(value & 0x3FFF);
    let code = usize::from((value >> 14) | ((index & 1) << 2));
    let eighths = whole.saturating_mul(8).saturating_add(*EIGHTHS.get(code)?);
    match (whole, code) {
        (0, 0) => Some(3_000_000),
        (1, 0) => Some(2_000_000),
        _ => 24_000_000_u32.checked_div(eighths),
    }
}

impl Chip for Ftdi {
    fn info(&self) -> DeviceInfo {
        let ends = vec![end(0x81, 2, 64), end(0x02, 2, 64)];
        vendor_info((0x0403, 0x6001, 0x0600), [0xFF, 0xFF, 0xFF], ends)
    }

    fn control(&mut self, setup: Setup, out: &[u8], _: u16) -> ControlReply {
        if setup.request_type != 0x40 || !out.is_empty() {
            return ControlReply::Stall;
        }
        match (setup.request, setup.value) {
            (0, 0) => {
                *self = Self {
                    latency_ms: self.latency_ms,
                    dropped: true,
                    ..Self::default()
                };
            }
            (0, 1) => self.dropped = true,
            (0, 2) => {}
            (1, lines) => {
                let mask = lines >> 8;
                self.lines = (self.lines & !mask) | (lines & mask);
            }
            (2, _) => self.handshake = setup.index >> 8,
            (3, value) => self.baud = rate(value, setup.index),
            (4, format) => self.format = format,
            (9, latency @ 1..=255) => self.latency_ms = latency,
            _ => return ControlReply::Stall,
        }
        done()
    }

    fn line(&self) -> Option<u32> {
        let right = self.format == 0x0008 && self.handshake == 0 && raised(self.lines);
        self.baud.filter(|_| right)
    }

    fn room(&self) -> usize {
        62
    }

    fn latency(&self) -> Option<Duration> {
        Some(Duration::from_millis(u64::from(self.latency_ms)))
    }

    fn wrap(&self, bytes: &[u8], broken: bool) -> Vec<u8> {
        let error = if broken { FRAMING_ERROR } else { 0 };
        [&[MODEM_STATUS, LINE_STATUS | error], bytes].concat()
    }

    fn dropped(&mut self) -> bool {
        std::mem::take(&mut self.dropped)
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}
