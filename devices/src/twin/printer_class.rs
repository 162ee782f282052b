//! What every printer twin shares: the USB printer class and the reply pipe.
//!
//! Written from the USB printer class 1.1 and the Epson manuals' real-time
//! rules: DLE EOT and DLE ENQ are obeyed as their bytes arrive, wherever they
//! stand, everything else waits its turn in the receive buffer. Refuses more than
//! the buffer holds, by NAK. Called by the printer twins.

use std::collections::VecDeque;

use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};

/// Receive buffer of a twin, in bytes: the smallest a current printer has.
pub const RECEIVE_MAX: usize = 4096;
/// Replies kept while no host reads; the oldest are lost beyond it.
const REPLY_MAX: usize = 4096;
/// Bulk OUT.
pub const OUT: u8 = 0x01;
/// Bulk IN.
pub const IN: u8 = 0x82;

/// Who the device says it is.
#[derive(Debug, Clone, Copy)]
pub struct Identity {
    /// Name on the desk, and bus path.
    pub path: &'static str,
    /// idVendor and idProduct.
    pub ids: (u16, u16),
    /// Manufacturer.
    pub maker: &'static str,
    /// Product.
    pub model: &'static str,
    /// Serial number.
    pub serial: &'static str,
    /// CMD of the device id.
    pub command_set: &'static str,
}

impl Identity {
    /// Descriptors: one printer interface with a one-way and a two-way alternate.
    pub fn info(&self) -> DeviceInfo {
        let bulk = |address| EndpointInfo {
            address,
            kind: 2,
            max_packet: 64,
            interval: 0,
        };
        let alternate = |alternate, protocol, endpoints| InterfaceInfo {
            number: 0,
            alternate,
            class: 7,
            subclass: 1,
            protocol,
            endpoints,
            extra: Vec::new(),
        };
        DeviceInfo {
            path: self.path.to_owned(),
            vendor: self.ids.0,
            product: self.ids.1,
            release: 0x0100,
            class: 0,
            manufacturer: self.maker.to_owned(),
            name: self.model.to_owned(),
            serial: self.serial.to_owned(),
            interfaces: vec![
                alternate(0, 1, vec![bulk(OUT)]),
                alternate(1, 2, vec![bulk(OUT), bulk(IN)]),
            ],
        }
    }

    /// The IEEE 1284 device id with its big-endian length.
    pub fn device_id(&self) -> Vec<u8> {
        let text = format!(
            "MFG:{};CMD:{};MDL:{};CLS:PRINTER;SN:{};",
            self.maker, self.command_set, self.model, self.serial
        );
        let length = u16::try_from(text.len().saturating_add(2)).unwrap_or(u16::MAX);
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }
}

/// A class request, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassRequest {
    /// GET_DEVICE_ID.
    DeviceId,
    /// GET_PORT_STATUS.
    PortStatus,
    /// SOFT_RESET.
    SoftReset,
}

/// The class request of a SETUP packet, `None` to be stalled.
pub fn class_request(setup: Setup) -> Option<ClassRequest> {
    match (setup.request_type, setup.request) {
        (0xA1, 0) => Some(ClassRequest::DeviceId),
        (0xA1, 1) => Some(ClassRequest::PortStatus),
        (0x21 | 0x23, 2) => Some(ClassRequest::SoftReset),
        _ => None,
    }
}

/// A command obeyed on arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealTime {
    /// DLE EOT n.
    Status(u8),
    /// DLE EOT BS n: the magnetic reader's.
    Reader(u8),
    /// DLE ENQ n.
    Enquiry(u8),
}

/// Receive buffer and reply pipe.
#[derive(Debug, Default)]
pub struct Pipes {
    /// Bytes waiting their turn.
    pub received: Vec<u8>,
    held: Vec<u8>,
    replies: VecDeque<u8>,
}

impl Pipes {
    /// Takes in what fits; answers how many, and the real-time commands among them.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Vec<RealTime>) {
        let room = RECEIVE_MAX.saturating_sub(self.received.len());
        let mut urgent = Vec::new();
        let accepted = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        for byte in accepted {
            match (self.held.as_slice(), *byte) {
                ([], 0x10) => self.held.push(0x10),
                // Any 10 may begin one, also the one behind a 10 that did not.
                ([0x10], 0x10) => self.received.push(0x10),
                ([0x10], next @ (0x04 | 0x05)) => self.held.push(next),
                ([0x10, 0x04], 0x08) => self.held.push(0x08),
                ([0x10, 0x04, _], n) => {
                    urgent.push(RealTime::Reader(n));
                    self.held.clear();
                }
                ([0x10, 0x04], n) => {
                    urgent.push(RealTime::Status(n));
                    self.held.clear();
                }
                ([0x10, _], n) => {
                    urgent.push(RealTime::Enquiry(n));
                    self.held.clear();
                }
                (_, byte) => {
                    self.received.append(&mut self.held);
                    self.received.push(byte);
                }
            }
        }
        (accepted.len(), urgent)
    }

    /// Takes `count` bytes off the front of the receive buffer.
    pub fn consume(&mut self, count: usize) -> Vec<u8> {
        let count = count.min(self.received.len());
        self.received.drain(..count).collect()
    }

    /// Puts a command back in front: it was begun and is to be begun again.
    pub fn put_back(&mut self, bytes: &[u8]) {
        self.received.splice(..0, bytes.iter().copied());
    }

    /// Queues a reply.
    pub fn reply(&mut self, bytes: &[u8]) {
        self.replies.extend(bytes);
        let surplus = self.replies.len().saturating_sub(REPLY_MAX);
        self.replies.drain(..surplus);
    }

    /// Queues `header … 00`.
    pub fn reply_block(&mut self, header: &[u8], body: &[u8]) {
        self.reply(&[header, body, &[0]].concat());
    }

    /// One IN transfer, `None` if there is nothing to say.
    pub fn transfer(&mut self, max: usize) -> Option<Vec<u8>> {
        let count = max.min(self.replies.len());
        (count > 0).then(|| self.replies.drain(..count).collect())
    }

    /// SOFT_RESET: all buffers empty.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The host is gone: replies in flight are lost, received bytes are not.
    pub fn host_gone(&mut self) {
        self.replies.clear();
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_time_question_behind_another_dle_is_obeyed() {
        let mut pipes = Pipes::default();
        let (taken, urgent) = pipes.take(&[0x10, 0x10, 0x04, 0x01, 0x41]);
        assert_eq!((taken, urgent), (5, vec![RealTime::Status(1)]));
        assert_eq!(pipes.received, [0x10, 0x41]);
    }

    #[test]
    fn a_question_to_the_reader_has_one_byte_more() {
        let mut pipes = Pipes::default();
        let (_, urgent) = pipes.take(&[0x10, 0x04, 0x08, 0x01, 0x10, 0x04, 0x05]);
        assert_eq!(urgent, [RealTime::Reader(1), RealTime::Status(5)]);
        assert!(pipes.received.is_empty());
    }

    #[test]
    fn a_dle_that_begins_nothing_waits_its_turn() {
        let mut pipes = Pipes::default();
        let (_, urgent) = pipes.take(&[0x10, 0x10, 0x10, 0x41]);
        assert_eq!(urgent, []);
        assert_eq!(pipes.received, [0x10, 0x10, 0x10, 0x41]);
    }
}
