//! CH9102 as a CDC-ACM function (CDC PSTN 1.2): holds back what a full last packet
//! leaves unfinished.

use super::{Chip, bare, done, end, give};
use crate::transport::{DeviceInfo, InterfaceInfo, Setup};
use crate::twin::ControlReply;

/// Line rate until the host sets one.
const DEFAULT: u32 = 9_600;
/// Lowest line rate that is taken, to keep pace arithmetic sane.
const LOWEST: u32 = 300;
/// Bytes held back at most for a packet that ends them.
const UNFINISHED_MAX: usize = 4096;
const PACKET: usize = 64;
/// CDC header, call management, abstract control and union descriptors.
const CDC: [u8; 19] = [
    5, 0x24, 0, 0x10, 1, 5, 0x24, 1, 0, 1, 4, 0x24, 2, 2, 5, 0x24, 6, 0, 1,
];

pub(super) struct CdcAcm {
    baud: u32,
    ready: bool,
    /// Whole packets whose transfer has not ended yet.
    unfinished: Vec<u8>,
}

impl Default for CdcAcm {
    fn default() -> Self {
        Self {
            baud: DEFAULT,
            ready: false,
            unfinished: Vec::new(),
        }
    }
}

impl Chip for CdcAcm {
    fn info(&self) -> DeviceInfo {
        let control = InterfaceInfo {
            number: 0,
            alternate: 0,
            class: 0x02,
            subclass: 0x02,
            protocol: 1,
            endpoints: vec![end(0x83, 3, 16)],
            extra: CDC.to_vec(),
        };
        let data = InterfaceInfo {
            number: 1,
            alternate: 0,
            class: 0x0A,
            subclass: 0,
            protocol: 0,
            endpoints: vec![end(0x02, 2, 64), end(0x82, 2, 64)],
            extra: Vec::new(),
        };
        DeviceInfo {
            class: 0x02,
            ..bare(0x1A86, 0x55D4, 0x0445, vec![control, data])
        }
    }

    fn control(&mut self, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        match (setup.request_type, setup.request, out) {
            (0x21, 0x20, [b0, b1, b2, b3, 0, 0, 8]) => {
                let baud = u32::from_le_bytes([*b0, *b1, *b2, *b3]);
                self.baud = baud.max(LOWEST);
                done()
            }
            (0xA1, 0x21, _) => {
                let mut coding = self.baud.to_le_bytes().to_vec();
                coding.extend([0, 0, 8]);
                give(coding, len)
            }
            (0x21, 0x22, _) => {
                self.ready = setup.value & 1 != 0;
                done()
            }
            _ => ControlReply::Stall,
        }
    }

    fn line(&self) -> Option<u32> {
        self.ready.then_some(self.baud)
    }

    fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.unfinished.extend_from_slice(bytes);
        let unfinished = !bytes.is_empty() && bytes.len().is_multiple_of(PACKET);
        if unfinished && self.unfinished.len() < UNFINISHED_MAX {
            return Vec::new();
        }
        std::mem::take(&mut self.unfinished)
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}
