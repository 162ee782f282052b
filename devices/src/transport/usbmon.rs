//! What Linux records of a USB bus: usbmon events, one a packet of a capture file.
//!
//! Owns the two headers that capture files carry (link types 189 and 220: libpcap,
//! `LINKTYPE_USB_LINUX` and `LINKTYPE_USB_LINUX_MMAPPED`; Linux, `usbmon.txt`) and the
//! events in them. [`mod@file`] reads pcap and pcapng, [`writer`] writes pcap. Refuses a
//! header that contradicts itself; isochronous transfers, which no device here has, keep
//! their header and lose their data. Called by [`super::tap`] and [`super::replay`].

pub mod file;
pub mod writer;

use std::time::Duration;

use super::UsbError;

/// Header of 48 bytes, as `tcpdump` of old kernels wrote it.
pub const LINK_SHORT: u32 = 189;
/// Header of 64 bytes, as dumpcap, Wireshark, `tcpdump` and this house write it.
pub const LINK_MMAPPED: u32 = 220;
/// Bytes of the header of [`LINK_SHORT`].
pub const SHORT_LEN: usize = 48;
/// Bytes of the header of [`LINK_MMAPPED`].
pub const MMAPPED_LEN: usize = 64;

/// Statuses of a completion, as errno.
const ENOENT: i32 = -2;
const ENODEV: i32 = -19;
const EPIPE: i32 = -32;
const EPROTO: i32 = -71;
const EOVERFLOW: i32 = -75;
const ECONNRESET: i32 = -104;
const ESHUTDOWN: i32 = -108;
const ETIMEDOUT: i32 = -110;
/// Of a submission: under way.
pub(super) const EINPROGRESS: i32 = -115;

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A transfer was handed to the controller.
    Submit,
    /// It is over.
    Complete,
    /// It was not taken.
    Refused,
}

/// Type of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipe {
    /// Isochronous.
    Isochronous,
    /// Interrupt.
    Interrupt,
    /// Control.
    Control,
    /// Bulk.
    Bulk,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Number of the packet in its file, from 1, as Wireshark counts.
    pub frame: u32,
    /// The same in the submission and the completion of one transfer.
    pub id: u64,
    /// What it tells.
    pub kind: Kind,
    /// Type of the transfer.
    pub pipe: Pipe,
    /// Endpoint address, direction bit included.
    pub endpoint: u8,
    /// Number of the device on its bus.
    pub device: u8,
    /// Number of the bus.
    pub bus: u16,
    /// The SETUP packet of a submitted control transfer.
    pub setup: Option<[u8; 8]>,
    /// When, since 1970.
    pub at: Duration,
    /// Errno as a negative number; 0 is success.
    pub status: i32,
    /// Bytes asked for or moved; the file may hold fewer of them.
    pub length: u32,
    /// What of it is in the file.
    pub data: Vec<u8>,
}

/// Order of the bytes in numbers: that of the machine which captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(field),
            Self::Big => u16::from_be_bytes(field),
        })
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(field),
            Self::Big => u32::from_be_bytes(field),
        })
    }

    fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u64::from_le_bytes(field),
            Self::Big => u64::from_be_bytes(field),
        })
    }

    fn i32(self, bytes: &[u8], at: usize) -> Option<i32> {
        self.u32(bytes, at).map(u32::cast_signed)
    }
}

impl Event {
    /// Whether the direction bit says device to host.
    pub fn is_in(&self) -> bool {
        self.endpoint & 0x80 != 0
    }

    /// Whether the file holds fewer bytes than moved.
    pub fn is_cut(&self) -> bool {
        let carries = match self.kind {
            Kind::Submit => !self.is_in(),
            Kind::Complete => self.is_in(),
            Kind::Refused => false,
        };
        let held = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        carries && held < self.length
    }

    /// One packet with the header of a link type; `None` where it is none.
    pub(super) fn decode(packet: &[u8], link: u32, order: Order, frame: u32) -> Option<Self> {
        let head = match link {
            LINK_SHORT => SHORT_LEN,
            _ => MMAPPED_LEN,
        };
        let data = packet.get(head..)?;
        let kind = match packet.get(8)? {
            b'S' => Kind::Submit,
            b'C' => Kind::Complete,
            b'E' => Kind::Refused,
            _ => return None,
        };
        let pipe = match packet.get(9)? {
            0 => Pipe::Isochronous,
            1 => Pipe::Interrupt,
            2 => Pipe::Control,
            3 => Pipe::Bulk,
            _ => return None,
        };
        let setup: [u8; 8] = *packet.get(40..)?.first_chunk()?;
        let has_setup = kind == Kind::Submit && pipe == Pipe::Control && *packet.get(14)? == 0;
        let seconds = order.u64(packet, 16)?;
        let micros = u64::from(order.u32(packet, 24)?);
        let held = usize::try_from(order.u32(packet, 36)?).ok()?;
        let at = Duration::from_secs(seconds).checked_add(Duration::from_micros(micros))?;
        let data = match pipe {
            // Behind a table of packets, in a shape of its own.
            Pipe::Isochronous => &[],
            _ => data.get(..held).unwrap_or(data),
        };
        Some(Self {
            frame,
            id: order.u64(packet, 0)?,
            kind,
            pipe,
            endpoint: *packet.get(10)?,
            device: *packet.get(11)?,
            bus: order.u16(packet, 12)?,
            setup: has_setup.then_some(setup),
            at,
            status: order.i32(packet, 28)?,
            length: order.u32(packet, 32)?,
            data: data.to_vec(),
        })
    }

    /// The packet with the header of [`LINK_MMAPPED`], numbers in little-endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Submit => b'S',
            Kind::Complete => b'C',
            Kind::Refused => b'E',
        };
        let pipe = match self.pipe {
            Pipe::Isochronous => 0,
            Pipe::Interrupt => 1,
            Pipe::Control => 2,
            Pipe::Bulk => 3,
        };
        let setup_flag = if self.setup.is_some() { 0 } else { b'-' };
        let data_flag = match (self.data.is_empty(), self.is_in()) {
            (false, _) => 0,
            (true, true) => b'<',
            (true, false) => b'>',
        };
        let held = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        let mut bytes = self.id.to_le_bytes().to_vec();
        bytes.extend_from_slice(&[kind, pipe, self.endpoint, self.device]);
        bytes.extend_from_slice(&self.bus.to_le_bytes());
        bytes.extend_from_slice(&[setup_flag, data_flag]);
        bytes.extend_from_slice(&self.at.as_secs().to_le_bytes());
        bytes.extend_from_slice(&self.at.subsec_micros().to_le_bytes());
        bytes.extend_from_slice(&self.status.to_le_bytes());
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend_from_slice(&held.to_le_bytes());
        bytes.extend_from_slice(&self.setup.unwrap_or_default());
        // Interval, start frame, flags and descriptors: of no use to bulk and control.
        bytes.extend_from_slice(&[0; 16]);
        bytes.extend_from_slice(&self.data);
        bytes
    }
}

/// What a completion's status means in the seam's words.
pub(super) fn judged(status: i32) -> Result<(), UsbError> {
    match status {
        0 => Ok(()),
        ENOENT | ECONNRESET | ETIMEDOUT => Err(UsbError::Timeout),
        EPIPE => Err(UsbError::Stall),
        EOVERFLOW => Err(UsbError::Overflow),
        ENODEV | ESHUTDOWN => Err(UsbError::NoDevice),
        other => Err(UsbError::Other(format!("status {other} in the recording"))),
    }
}

/// The status Linux would record for what happened.
pub(super) fn status_of(error: &UsbError) -> i32 {
    match error {
        UsbError::Timeout => ENOENT,
        UsbError::Stall => EPIPE,
        UsbError::NoDevice => ENODEV,
        UsbError::Overflow => EOVERFLOW,
        _ => EPROTO,
    }
}

#[cfg(test)]
mod tests;
