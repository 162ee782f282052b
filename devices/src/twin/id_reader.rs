//! Twin of an ID-card reader with a security module (SDT/SAM_V).
//!
//! Written from the module's published protocol, both USB layouts. Desk:
//! `present NAME` lays a document on the plate, `remove` takes it away,
//! `fail N` makes the next N reads answer 41 (moved), `noise` puts junk before
//! the next answer, `checksum` spoils the next answer's checksum, `confuse` makes
//! the next answer 24 (unrecognised error), `mute` and `talk` stop and restart all
//! answers, `sam fault` and `sam ok` break and mend the module. A forged document fails mutual authentication: select answers 32.
//!
//! ```text
//! empty ──present──► laid ──find 9F──► found ──select 90──► selected ──read──► spent
//!   ▲                                     └──select 32 (forged)──────────────────┤
//!   └────────────────────────────── remove ◄────────────────────────────────────┘
//! ```
//! A spent card answers find no more until it was lifted. Requests are answered one
//! after the other, fetched or not: a host that gives one up finds its answer later.

mod commands;
mod desk;
mod document;

use std::collections::VecDeque;
use std::time::Duration;

use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};

pub use self::document::{SampleDocument, TextBlock};

/// Documents in the drawer at most.
pub const DOCUMENTS_MAX: usize = 64;
const PACKET: usize = 64;
/// Preamble and length.
const HEAD_LEN: usize = 7;
/// Answers that wait to be fetched at most.
const ANSWERS_MAX: usize = 8;
/// Longest request kept before it is thrown away as noise.
const REQUEST_MAX: usize = 512;
const START: [u8; 5] = [0xaa, 0xaa, 0xaa, 0x96, 0x69];
const QUICK: Duration = Duration::from_millis(20);

/// How it shows itself on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsbLayout {
    /// Head and body of each frame on pipes of their own (02/06, 81/85).
    Split,
    /// Whole frames on one pair.
    Single,
    /// Four endpoints as if split, but it answers only whole frames on the first
    /// pair: descriptors alone cannot be trusted.
    SingleBehindFour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CardState {
    Laid,
    Found,
    Selected,
    /// Read, refused or moved: silent to find until lifted.
    Spent {
        /// Still answers what needs no new find.
        read: bool,
    },
}

/// One answer on its way out.
struct Outgoing {
    bytes: Vec<u8>,
    /// Bytes before the frame's body: preamble, length and any junk.
    head: usize,
    sent: usize,
    at: Duration,
    zero_packet: bool,
}

/// The reader.
pub struct IdReaderTwin {
    layout: UsbLayout,
    documents: Vec<SampleDocument>,
    plate: Option<(usize, CardState)>,
    request: Vec<u8>,
    answers: VecDeque<Outgoing>,
    reads_finger: bool,
    failing_reads: u32,
    noise: bool,
    spoil: bool,
    confused: bool,
    mute: bool,
    sam_broken: bool,
    finds: u64,
    selects: u64,
    reads: u64,
    forgeries: u64,
    hosts_gone: u64,
    /// Where in its round of times 30 03 is.
    looks: u8,
}

impl IdReaderTwin {
    /// A reader with an empty plate and a drawer of documents.
    pub fn new(layout: UsbLayout, mut documents: Vec<SampleDocument>) -> Self {
        documents.truncate(DOCUMENTS_MAX);
        Self {
            layout,
            documents,
            plate: None,
            request: Vec::new(),
            answers: VecDeque::new(),
            reads_finger: true,
            failing_reads: 0,
            noise: false,
            spoil: false,
            confused: false,
            mute: false,
            sam_broken: false,
            finds: 0,
            selects: 0,
            reads: 0,
            forgeries: 0,
            hosts_gone: 0,
            looks: 0,
        }
    }

    /// An older reader that knows no 30 10.
    pub fn without_finger_read(mut self) -> Self {
        self.reads_finger = false;
        self
    }

    fn accept(&mut self, now: Duration) {
        while let Some(at) = find(&self.request, &START) {
            self.request.drain(..at);
            let Some(&[_, _, _, _, _, high, low]) = self.request.first_chunk::<7>() else {
                return;
            };
            let whole = usize::from(u16::from_be_bytes([high, low])).saturating_add(7);
            if whole > REQUEST_MAX {
                self.request.clear();
                return;
            }
            if self.request.len() < whole {
                return;
            }
            let frame: Vec<u8> = self.request.drain(..whole).collect();
            self.obey(now, &frame);
        }
        if self.request.len() > REQUEST_MAX {
            self.request.clear();
        }
    }

    fn obey(&mut self, now: Duration, frame: &[u8]) {
        let counted = frame.get(5..).unwrap_or_default();
        let right = counted.iter().fold(0, |sum, byte| sum ^ byte) == 0;
        let body = frame
            .get(7..frame.len().saturating_sub(1))
            .unwrap_or_default();
        let (status, data, takes) = if !right {
            (0x10, Vec::new(), QUICK)
        } else if self.sam_broken {
            (0x60, Vec::new(), QUICK)
        } else if std::mem::take(&mut self.confused) {
            (0x24, Vec::new(), QUICK)
        } else {
            self.carry_out(body)
        };
        if self.mute {
            return;
        }
        let mut answer = answer_frame(status, &data);
        if let (true, Some(check)) = (std::mem::take(&mut self.spoil), answer.last_mut()) {
            *check ^= 0xff;
        }
        let mut head = 7;
        if std::mem::take(&mut self.noise) {
            answer.splice(0..0, [0x00, 0x96, 0xaa]);
            head = 10;
        }
        // One after the other: an answer nobody fetched stays before the next one.
        let begins = self.answers.back().map_or(now, |before| before.at.max(now));
        if self.answers.len() < ANSWERS_MAX {
            self.answers.push_back(Outgoing {
                bytes: answer,
                head,
                sent: 0,
                at: begins.saturating_add(takes),
                zero_packet: false,
            });
        }
    }

    fn give(answer: &mut Outgoing, until: usize, max: usize) -> InReply {
        let end = until.min(answer.sent.saturating_add(max));
        let piece = answer
            .bytes
            .get(answer.sent..end)
            .unwrap_or_default()
            .to_vec();
        answer.sent = end;
        // A message that fills its last packet is ended by an empty one.
        answer.zero_packet = end == until && piece.len() == max && piece.len() % PACKET == 0;
        InReply::Data(piece)
    }
}

/// A whole answer frame: SW1 and SW2 are zero, as the card's own status is.
fn answer_frame(status: u8, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len().saturating_add(4)).unwrap_or(u16::MAX);
    let mut frame = [&START[..], &len.to_be_bytes(), &[0, 0, status], data].concat();
    let check = frame.iter().skip(5).fold(0, |sum, byte| sum ^ byte);
    frame.push(check);
    frame
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

impl Twin for IdReaderTwin {
    fn info(&self) -> DeviceInfo {
        let end = |address| EndpointInfo {
            address,
            kind: 2,
            max_packet: 64,
            interval: 0,
        };
        let endpoints = match self.layout {
            UsbLayout::Single => vec![end(0x81), end(0x02)],
            _ => vec![end(0x02), end(0x06), end(0x81), end(0x85)],
        };
        DeviceInfo {
            path: "id-reader".into(),
            vendor: 0x0400,
            product: 0xc35a,
            release: 0x0100,
            class: 0,
            manufacturer: "Counterfoil twins".into(),
            name: "ID card reader".into(),
            serial: String::new(),
            interfaces: vec![InterfaceInfo {
                number: 0,
                alternate: 0,
                class: 0xff,
                subclass: 0,
                protocol: 0,
                endpoints,
                extra: Vec::new(),
            }],
        }
    }

    fn control(&mut self, _: Duration, _: Setup, _: &[u8], _: u16) -> ControlReply {
        ControlReply::Stall
    }

    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        match (self.layout, endpoint) {
            (UsbLayout::Split, 0x02) => {
                // Heads only, and each begins a request of its own.
                self.request.clear();
                if bytes.len() == HEAD_LEN && bytes.starts_with(&START) {
                    self.request.extend_from_slice(bytes);
                }
                OutReply::Took(bytes.len())
            }
            (UsbLayout::Split, 0x06) => {
                // A body without its head is nothing.
                if self.request.len() >= HEAD_LEN {
                    self.request.extend_from_slice(bytes);
                    self.accept(now);
                }
                OutReply::Took(bytes.len())
            }
            (_, 0x02) => {
                self.request.extend_from_slice(bytes);
                self.accept(now);
                OutReply::Took(bytes.len())
            }
            (_, 0x06) => OutReply::Took(bytes.len()),
            _ => OutReply::Stall,
        }
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        let layout = self.layout;
        let Some(answer) = self.answers.front_mut().filter(|a| a.at <= now) else {
            return InReply::Nak;
        };
        let whole = answer.bytes.len();
        let reply = match (layout, endpoint) {
            _ if answer.zero_packet => {
                answer.zero_packet = false;
                InReply::Data(Vec::new())
            }
            (UsbLayout::Split, 0x81) if answer.sent < answer.head => {
                Self::give(answer, answer.head, max)
            }
            (UsbLayout::Split, 0x85) if answer.sent >= answer.head => {
                Self::give(answer, whole, max)
            }
            (UsbLayout::Single | UsbLayout::SingleBehindFour, 0x81) => {
                Self::give(answer, whole, max)
            }
            (_, 0x81 | 0x85) => InReply::Nak,
            _ => InReply::Stall,
        };
        if answer.sent >= whole && !answer.zero_packet {
            self.answers.pop_front();
        }
        reply
    }

    fn wakes_at(&self) -> Option<Duration> {
        self.answers.front().map(|answer| answer.at)
    }

    fn host_gone(&mut self, _: Duration) {
        self.request.clear();
        self.answers.clear();
        self.hosts_gone = self.hosts_gone.saturating_add(1);
    }

    fn desk(&mut self, _: Duration, line: &str) -> Result<String, DeskError> {
        self.act(line)
    }

    fn look(&self) -> Vec<String> {
        self.lies()
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("finds", self.finds),
            ("selects", self.selects),
            ("reads", self.reads),
            ("forgeries", self.forgeries),
            ("hosts-gone", self.hosts_gone),
        ]
    }
}

#[cfg(test)]
pub(crate) mod tests;
