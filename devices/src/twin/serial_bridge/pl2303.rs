//! PL2303HX and, of the HXN family, PL2303GC: the first is deaf before its maker's
//! sequence, the second stalls it. The same line coding again drops what was coming.

use super::{Chip, done, end, give, raised, vendor_info};
use crate::transport::{DeviceInfo, Setup};
use crate::twin::ControlReply;

/// What wakes an HX: request type, register, value.
const WAKES: [(u8, u16, u16); 11] = [
    (0xC0, 0x8484, 0),
    (0x40, 0x0404, 0),
    (0xC0, 0x8484, 0),
    (0xC0, 0x8383, 0),
    (0xC0, 0x8484, 0),
    (0x40, 0x0404, 1),
    (0xC0, 0x8484, 0),
    (0xC0, 0x8383, 0),
    (0x40, 0, 1),
    (0x40, 1, 0),
    (0x40, 2, 0x44),
];
/// Flow-control bits of HXN when there is none.
const HXN_FLOW: u16 = 0x1C;
/// Flow-control bits of HX.
const HX_FLOW: u16 = 0xF0;

pub(super) struct Pl2303 {
    hxn: bool,
    /// Steps of [`WAKES`] that were seen in order.
    woken: usize,
    coding: [u8; 7],
    lines: u16,
    flow: u16,
    dropped: bool,
}

impl Pl2303 {
    pub(super) fn new(hxn: bool) -> Self {
        Self {
            hxn,
            woken: 0,
            coding: [0x80, 0x25, 0, 0, 0, 0, 8],
            lines: 0,
            flow: 0,
            dropped: false,
        }
    }

    fn vendor_hx(&mut self, setup: Setup, len: u16) -> ControlReply {
        if self.woken < WAKES.len() {
            let step = (setup.request_type, setup.value, setup.index);
            if WAKES.get(self.woken) == Some(&step) {
                self.woken = self.woken.saturating_add(1);
            } else if setup.value != 0x8080 {
                self.woken = 0;
            }
        } else if setup.request_type == 0x40 {
            match setup.value {
                0 => self.flow = setup.index & HX_FLOW,
                8 | 9 => self.dropped = true,
                _ => {}
            }
        }
        match (setup.request_type, setup.value) {
            (0xC0, 0x8080 | 0x8383 | 0x8484) => give(vec![0], len),
            (0x40, _) => done(),
            _ => ControlReply::Stall,
        }
    }

    fn vendor_hxn(&mut self, setup: Setup, len: u16) -> ControlReply {
        match (setup.request_type, setup.request, setup.value) {
            (0xC0, 0x81, 0x000A) => give(self.flow.to_le_bytes().to_vec(), len.min(1)),
            (0x40, 0x80, 0x000A) => {
                self.flow = setup.index;
                done()
            }
            (0x40, 0x80, 0x0007) => {
                self.dropped = true;
                done()
            }
            _ => ControlReply::Stall,
        }
    }

    fn class(&mut self, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        match (setup.request_type, setup.request) {
            (0x21, 0x20) => {
                let Ok(coding) = <[u8; 7]>::try_from(out) else {
                    return ControlReply::Stall;
                };
                self.dropped = coding == self.coding;
                self.coding = coding;
                done()
            }
            (0xA1, 0x21) => give(self.coding.to_vec(), len),
            (0x21, 0x22) => {
                self.lines = setup.value;
                done()
            }
            _ => ControlReply::Stall,
        }
    }
}

impl Chip for Pl2303 {
    fn info(&self) -> DeviceInfo {
        let ends = vec![end(0x81, 3, 10), end(0x02, 2, 64), end(0x83, 2, 64)];
        let (product, release) = if self.hxn {
            (0x23A3, 0x0605)
        } else {
            (0x2303, 0x0300)
        };
        vendor_info((0x067B, product, release), [0xFF, 0, 0], ends)
    }

    fn control(&mut self, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        match (setup.request_type, setup.request) {
            (0x40 | 0xC0, 0x01) if !self.hxn => self.vendor_hx(setup, len),
            (0x40 | 0xC0, _) if self.hxn => self.vendor_hxn(setup, len),
            _ => self.class(setup, out, len),
        }
    }

    fn line(&self) -> Option<u32> {
        let free = if self.hxn {
            self.flow & HXN_FLOW == HXN_FLOW
        } else {
            self.woken == WAKES.len() && self.flow == 0
        };
        let [b0, b1, b2, b3, stop, parity, bits] = self.coding;
        let right = free && (stop, parity, bits) == (0, 0, 8) && raised(self.lines);
        right.then_some(u32::from_le_bytes([b0, b1, b2, b3]))
    }

    fn dropped(&mut self) -> bool {
        std::mem::take(&mut self.dropped)
    }

    fn reset(&mut self) {
        *self = Self::new(self.hxn);
    }
}
