//! Twin of a USB CCID card reader with a settlement card (单位结算卡) on the desk.
//!
//! Speaks CCID rev 1.1 at the transfer level: bulk messages, slot changes on the
//! interrupt pipe, time extensions while the chip signs, `FE` when the card is
//! pulled, `E0` to whoever talks into a command, aborts by both halves. T=0, TPDU
//! exchange by default. Written from the specification. Desk:
//!
//! ```text
//!  insert CARD [plain|static|copied]     remove     mute
//!  remove during record N         remove during apdu N
//! ```

mod card;
mod demo_keys;
mod issue;
mod messages;

use std::collections::VecDeque;
use std::time::Duration;

use counterfoil_data::demo::DemoBank;

pub use card::{CardSpec, Chip};

use card::Card;

use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::driver::pboc::{CapkError, Capks};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};

/// Interrupt IN.
const NOTIFY: u8 = 0x81;
/// Bulk IN.
const ANSWERS: u8 = 0x82;
/// Bulk OUT.
const COMMANDS: u8 = 0x03;
/// dwMaxCCIDMessageLength.
const MESSAGE_MAX: u32 = 271;
/// A message that never ends is dropped here.
const BUFFER_MAX: usize = 1024;

/// The scheme keys the demo cards verify with (`demo/capks.toml`).
pub fn demo_capks() -> Result<Capks, CapkError> {
    Capks::from_toml(include_str!("../../demo/capks.toml"))
}

/// Who splits APDUs into T=0: the host or the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The host (dwFeatures 10000h).
    Tpdu,
    /// The reader (20000h).
    ShortApdu,
}

/// The card that is in.
struct Inserted {
    name: String,
    chip: Chip,
    card: Card,
    mute: bool,
    powered: bool,
}

/// A fault waiting to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pull {
    Record(u64),
    Apdu(u64),
}

/// An answer on its way.
struct Answer {
    at: Duration,
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Counts {
    inserted: u64,
    power_ons: u64,
    apdus: u64,
    records: u64,
    signatures: u64,
    pulled: u64,
}

/// The reader.
pub struct CardReaderTwin {
    level: Level,
    cards: Vec<CardSpec>,
    slot: Option<Inserted>,
    changed: bool,
    pull: Option<Pull>,
    /// Since power on, for [`Pull`].
    session: (u64, u64),
    incoming: Vec<u8>,
    answers: VecDeque<Answer>,
    /// bSeq of the newest command.
    last_seq: Option<u8>,
    /// bSeq of an abort whose bulk half is still to come.
    aborting: Option<u8>,
    seen: Duration,
    counts: Counts,
}

impl CardReaderTwin {
    /// A reader with these cards beside it.
    pub fn new(cards: Vec<CardSpec>) -> Self {
        Self {
            level: Level::Tpdu,
            cards,
            slot: None,
            changed: false,
            pull: None,
            session: (0, 0),
            incoming: Vec::new(),
            answers: VecDeque::new(),
            last_seq: None,
            aborting: None,
            seen: Duration::ZERO,
            counts: Counts::default(),
        }
    }

    /// The cards of the demo bank.
    pub fn demo(bank: &DemoBank) -> Self {
        Self::new(bank.cards.iter().map(CardSpec::from).collect())
    }

    /// The same reader with another exchange level.
    #[must_use]
    pub fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    fn insert(&mut self, name: &str, chip: Chip) -> Result<String, DeskError> {
        if self.slot.is_some() {
            return Err(DeskError(
                "there is a card in the reader: remove it first".into(),
            ));
        }
        let Some(spec) = self.cards.iter().find(|c| c.name == name) else {
            let names: Vec<&str> = self.cards.iter().map(|c| c.name.as_str()).collect();
            return Err(DeskError(format!(
                "no such card; there are {}",
                names.join(", ")
            )));
        };
        let card = Card::personalise(spec, chip);
        let name = spec.name.clone();
        let said = format!("{name} inserted");
        self.slot = Some(Inserted {
            name,
            chip,
            card,
            mute: false,
            powered: false,
        });
        self.changed = true;
        self.counts.inserted = self.counts.inserted.saturating_add(1);
        Ok(said)
    }

    fn remove(&mut self, now: Duration) -> Result<String, DeskError> {
        let Some(gone) = self.slot.take() else {
            return Err(DeskError("there is no card in the reader".into()));
        };
        self.changed = true;
        self.pull = None;
        if gone.powered {
            self.counts.pulled = self.counts.pulled.saturating_add(1);
        }
        self.fail_waiting(now);
        Ok(format!("{} removed", gone.name))
    }

    fn arm(&mut self, what: &str, number: &str) -> Result<String, DeskError> {
        let number: u64 = number
            .parse()
            .ok()
            .filter(|n| (1..=99).contains(n))
            .ok_or_else(|| DeskError("a number from 1 to 99 was expected".into()))?;
        self.pull = Some(match what {
            "record" => Pull::Record(number),
            _ => Pull::Apdu(number),
        });
        Ok(format!("the card will be pulled during {what} {number}"))
    }
}

/// The functional descriptor by the offsets of CCID §5.1.
fn functional(level: Level) -> Vec<u8> {
    let features: u32 = match level {
        Level::Tpdu => 0x0001_00BA,
        Level::ShortApdu => 0x0002_00BA,
    };
    let mut d = vec![0x36, 0x21, 0x10, 0x01, 0x00, 0x07];
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
    d.extend([0xFF, 0xFF, 0, 0, 0, 1]);
    d
}

impl Twin for CardReaderTwin {
    fn info(&self) -> DeviceInfo {
        let end = |address, kind, max_packet, interval| EndpointInfo {
            address,
            kind,
            max_packet,
            interval,
        };
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
                endpoints: vec![
                    end(NOTIFY, 3, 8, 24),
                    end(ANSWERS, 2, 64, 0),
                    end(COMMANDS, 2, 64, 0),
                ],
                extra: functional(self.level),
            }],
        }
    }

    fn control(&mut self, _: Duration, setup: Setup, _: &[u8], _: u16) -> ControlReply {
        match (setup.request_type, setup.request) {
            // ABORT: the bulk half follows.
            (0x21, 0x01) => {
                let [slot, seq] = setup.value.to_le_bytes();
                if slot != 0 {
                    return ControlReply::Stall;
                }
                self.aborting = Some(seq);
                ControlReply::Data(Vec::new())
            }
            // Clock frequencies and data rates are not listed.
            _ => ControlReply::Stall,
        }
    }

    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        self.seen = now;
        if endpoint != COMMANDS {
            return OutReply::Stall;
        }
        self.incoming.extend_from_slice(bytes);
        while let Some(message) = self.take_message() {
            self.serve(now, &message);
        }
        if self.incoming.len() > BUFFER_MAX {
            self.incoming.clear();
        }
        OutReply::Took(bytes.len())
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        self.seen = now;
        if endpoint == NOTIFY {
            if !std::mem::take(&mut self.changed) {
                return InReply::Nak;
            }
            let present = u8::from(self.slot.is_some());
            return InReply::Data(vec![0x50, 2 | present]);
        }
        if endpoint != ANSWERS {
            return InReply::Stall;
        }
        let Some(front) = self.answers.front_mut() else {
            return InReply::Nak;
        };
        if front.at > now {
            return InReply::Nak;
        }
        let rest = front.bytes.split_off(max.min(front.bytes.len()));
        let bytes = std::mem::replace(&mut front.bytes, rest);
        if front.bytes.is_empty() {
            self.answers.pop_front();
        }
        InReply::Data(bytes)
    }

    fn wakes_at(&self) -> Option<Duration> {
        let next = self.answers.front().map(|a| a.at);
        next.filter(|at| *at > self.seen)
    }

    fn host_gone(&mut self, _: Duration) {
        self.incoming.clear();
        self.answers.clear();
        self.last_seq = None;
        self.aborting = None;
        if let Some(inserted) = &mut self.slot {
            inserted.powered = false;
        }
    }

    fn desk(&mut self, now: Duration, line: &str) -> Result<String, DeskError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["insert", name] => self.insert(name, Chip::Genuine),
            ["insert", name, "plain"] => self.insert(name, Chip::Plain),
            ["insert", name, "static"] => self.insert(name, Chip::Static),
            ["insert", name, "copied"] => self.insert(name, Chip::Copied),
            ["remove"] => self.remove(now),
            ["remove", "during", what @ ("record" | "apdu"), number] => self.arm(what, number),
            ["mute"] => match &mut self.slot {
                Some(inserted) => {
                    inserted.mute = true;
                    Ok(format!(
                        "{} will not answer until it is removed",
                        inserted.name
                    ))
                }
                None => Err(DeskError("there is no card in the reader".into())),
            },
            _ => Err(DeskError(
                "insert CARD [plain|static|copied], remove, mute, remove during record|apdu N"
                    .into(),
            )),
        }
    }

    fn look(&self) -> Vec<String> {
        let slot = match &self.slot {
            None => "slot: empty".to_owned(),
            Some(card) => {
                let power = if card.powered {
                    "powered"
                } else {
                    "not powered"
                };
                format!("slot: {} ({:?}), {power}", card.name, card.chip)
            }
        };
        let names: Vec<&str> = self.cards.iter().map(|c| c.name.as_str()).collect();
        vec![slot, format!("cards: {}", names.join(", "))]
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("inserted", self.counts.inserted),
            ("power-ons", self.counts.power_ons),
            ("apdus", self.counts.apdus),
            ("records", self.counts.records),
            ("signatures", self.counts.signatures),
            ("pulled", self.counts.pulled),
        ]
    }
}

#[cfg(test)]
mod tests;
