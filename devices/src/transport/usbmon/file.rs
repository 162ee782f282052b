//! Capture files: pcap and pcapng, of any byte order, with the link types of usbmon.
//!
//! Owns limits and lengths: nothing in a file is believed before it was measured. A file
//! that ends in the middle of a packet (the capturing program was killed) gives what is
//! whole and says so. Refuses other link types by name.

use super::{Event, LINK_MMAPPED, LINK_SHORT, Order};

/// Longest capture file in bytes.
pub const FILE_MAX: usize = 64 * 1024 * 1024;
/// Most packets in one.
pub const PACKETS_MAX: u32 = 1_000_000;
/// Longest packet in bytes.
const PACKET_MAX: usize = 1024 * 1024;
/// Interfaces described in one section at most.
const INTERFACES_MAX: usize = 64;

const PCAP: usize = 24;
const PCAP_PACKET: usize = 16;
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const SIMPLE: u32 = 3;
const ENHANCED: u32 = 6;
const OBSOLETE: u32 = 2;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capture {
    /// Its events, in order.
    pub events: Vec<Event>,
    /// It ends in the middle of a packet.
    pub is_cut: bool,
}

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// Neither pcap nor pcapng.
    #[error("it is no capture file: pcap or pcapng is read")]
    Unknown,
    /// Not recorded by usbmon.
    #[error(
        "its packets are of link type {0}, not usbmon's 189 or 220: record with `capture`, \
         or with dumpcap or tcpdump on usbmon of Linux"
    )]
    Link(u32),
    /// It contradicts itself.
    #[error("it is damaged at byte {at}: {what}")]
    Damaged {
        /// Where.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// More than is read.
    #[error("it has more {0} than are read")]
    TooMany(&'static str),
}

/// Reads a whole file.
pub fn read(bytes: &[u8]) -> Result<Capture, CaptureError> {
    if bytes.len() > FILE_MAX {
        return Err(CaptureError::TooMany("bytes"));
    }
    let magic = bytes.first_chunk().ok_or(CaptureError::Unknown)?;
    match u32::from_le_bytes(*magic) {
        // Microseconds or nanoseconds: the packets carry their own time.
        0xA1B2_C3D4 | 0xA1B2_3C4D => pcap(bytes, Order::Little),
        0xD4C3_B2A1 | 0x4D3C_B2A1 => pcap(bytes, Order::Big),
        SECTION => Blocks::default().read(bytes),
        _ => Err(CaptureError::Unknown),
    }
}

fn usbmon(link: u32) -> Result<u32, CaptureError> {
    match link {
        LINK_SHORT | LINK_MMAPPED => Ok(link),
        other => Err(CaptureError::Link(other)),
    }
}

fn pcap(bytes: &[u8], order: Order) -> Result<Capture, CaptureError> {
    let (head, mut rest) = bytes.split_at_checked(PCAP).ok_or(CaptureError::Unknown)?;
    // The upper bits tell of frame check sequences, which USB has none of.
    let link = order.u32(head, 20).unwrap_or_default() & 0x0fff_ffff;
    let link = usbmon(link)?;
    let mut capture = Capture::default();
    let mut frame = 0;
    while !rest.is_empty() {
        let at = bytes.len().saturating_sub(rest.len());
        let Some(length) = order.u32(rest, 8) else {
            capture.is_cut = true;
            break;
        };
        let length = bounded(length, at)?;
        let end = PCAP_PACKET.saturating_add(length);
        let Some((record, after)) = rest.split_at_checked(end) else {
            capture.is_cut = true;
            break;
        };
        let packet = record.get(PCAP_PACKET..).unwrap_or_default();
        capture.take(packet, link, order, &mut frame, at)?;
        rest = after;
    }
    Ok(capture)
}

fn bounded(length: u32, at: usize) -> Result<usize, CaptureError> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > PACKET_MAX {
        let what = "a packet is longer than any transfer";
        return Err(CaptureError::Damaged { at, what });
    }
    Ok(length)
}

impl Capture {
    fn take(
        &mut self,
        packet: &[u8],
        link: u32,
        order: Order,
        frame: &mut u32,
        at: usize,
    ) -> Result<(), CaptureError> {
        *frame = frame.saturating_add(1);
        if *frame > PACKETS_MAX {
            return Err(CaptureError::TooMany("packets"));
        }
        let what = "it is no event of usbmon";
        let event = Event::decode(packet, link, order, *frame);
        let event = event.ok_or(CaptureError::Damaged { at, what })?;
        self.events.push(event);
        Ok(())
    }
}

/// Where the reading of a pcapng file stands.
#[derive(Default)]
struct Blocks {
    capture: Capture,
    order: Option<Order>,
    /// Link type of each interface of the section.
    links: Vec<u32>,
    frame: u32,
}

impl Blocks {
    fn read(mut self, bytes: &[u8]) -> Result<Capture, CaptureError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let at = bytes.len().saturating_sub(rest.len());
            let Some(block) = self.next(rest, at)? else {
                self.capture.is_cut = true;
                break;
            };
            self.take(block, at)?;
            rest = rest.get(block.len()..).unwrap_or_default();
        }
        Ok(self.capture)
    }

    /// The whole block at the beginning; `None` where the file ends in it.
    fn next<'a>(&mut self, rest: &'a [u8], at: usize) -> Result<Option<&'a [u8]>, CaptureError> {
        let damaged = |what| CaptureError::Damaged { at, what };
        let kind = rest.first_chunk().map(|kind| u32::from_le_bytes(*kind));
        if kind == Some(SECTION) {
            self.order = match rest.get(8..).and_then(|magic| magic.first_chunk()) {
                None => return Ok(None),
                Some([0x4D, 0x3C, 0x2B, 0x1A]) => Some(Order::Little),
                Some([0x1A, 0x2B, 0x3C, 0x4D]) => Some(Order::Big),
                Some(_) => return Err(damaged("a section of no byte order")),
            };
            self.links.clear();
        }
        let Some(order) = self.order else {
            return Err(CaptureError::Unknown);
        };
        let Some(length) = order.u32(rest, 4) else {
            return Ok(None);
        };
        let length = bounded(length, at)?;
        if length < 12 || length % 4 != 0 {
            return Err(damaged("a block of an impossible length"));
        }
        let Some(block) = rest.get(..length) else {
            return Ok(None);
        };
        let again = order.u32(block, length.saturating_sub(4));
        if again.and_then(|l| usize::try_from(l).ok()) != Some(length) {
            return Err(damaged("the lengths of a block differ"));
        }
        Ok(Some(block))
    }

    fn take(&mut self, block: &[u8], at: usize) -> Result<(), CaptureError> {
        let Some(order) = self.order else {
            return Err(CaptureError::Unknown);
        };
        let damaged = |what| CaptureError::Damaged { at, what };
        let field = |offset| order.u32(block, offset);
        let (interface, length, begin) = match field(0) {
            Some(INTERFACE) => {
                if self.links.len() >= INTERFACES_MAX {
                    return Err(CaptureError::TooMany("interfaces"));
                }
                let link = order.u16(block, 8).map(u32::from);
                self.links.push(link.unwrap_or_default());
                return Ok(());
            }
            Some(ENHANCED) => (field(8), field(20), 28),
            // As long as its block says, padding included.
            Some(SIMPLE) => (Some(0), field(8), 12),
            Some(OBSOLETE) => (order.u16(block, 8).map(u32::from), field(20), 28),
            _ => return Ok(()),
        };
        let what = "a packet of no interface";
        let index = interface.and_then(|i| usize::try_from(i).ok());
        let link = index.and_then(|i| self.links.get(i));
        let link = usbmon(*link.ok_or(damaged(what))?)?;
        let length = length.and_then(|l| usize::try_from(l).ok()).unwrap_or(0);
        let room = block.len().saturating_sub(4);
        let length = match field(0) {
            Some(SIMPLE) => length.min(room.saturating_sub(begin)),
            _ => length,
        };
        let end = begin.saturating_add(length);
        let packet = block.get(begin..end).filter(|_| end <= room);
        let packet = packet.ok_or(damaged("a packet longer than its block"))?;
        self.capture.take(packet, link, order, &mut self.frame, at)
    }
}
