//! Twin of a USB CCID card reader with a settlement card (单位结算卡) on the desk.
//!
//! Speaks CCID rev 1.1 at the transfer level: bulk messages, slot changes on the
//! interrupt pipe, time extensions while the chip signs, `FE` when the card is
//! pulled, `E0` to whoever talks into a command, aborts by both halves. T=0, TPDU
//! exchange by default; [`Model`] says what else a reader may be. Written from the
//! specification. Desk:
//!
//! ```text
//!  insert CARD [plain|static|copied|combined|combined-copied|combined-altered|
//!              combined-declining] [no-directory] [t1|t1-crc] [fast|stubborn]
//!              [only-5v|only-3v|only-1.8v]
//!  remove     mute     remove during record N     remove during apdu N
//!  extend N   stale N   wrong-slot N   busy N   parity N        (the next N exchanges)
//!  t1 damage N   t1 lose N   t1 ask N   t1 wtx N   t1 abort N   (the next N blocks)
//!  pin right     pin wrong   pin short  pin mismatch   pin cancel   (at its own pad)
//! ```

mod apdu;
mod card;
mod card_pin;
mod demo_keys;
mod desk;
mod exchange;
mod issue;
mod loose;
mod messages;
mod model;
mod pin;
mod t1;

use std::collections::VecDeque;
use std::time::Duration;

use counterfoil_data::demo::DemoBank;

pub use card::{CardSpec, Chip};
pub use loose::LooseCard;
pub use model::{Level, Model, Pad};

use card::Card;
use desk::Faults;
use pin::{Entry, PinCounts};
use t1::BlockCard;

use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::driver::pboc::{CapkError, Capks};
use crate::transport::{DeviceInfo, Setup};

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

/// The card that is in.
struct Inserted {
    name: String,
    chip: Chip,
    card: Card,
    build: Build,
    blocks: BlockCard,
    mute: bool,
    powered: bool,
    /// FiDi the card is at: TA1 after a PPS, else the default.
    rate: u8,
    /// Nothing was exchanged since the reset: a PPS is still possible.
    fresh: bool,
}

/// How a chip is made, besides what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Build {
    /// Has a directory; else two names of its application, the second of use.
    directory: bool,
    /// T=1 instead of T=0, with LRC or CRC.
    t1: Option<bool>,
    /// Offers Fi 512, Di 16 (TA1 95h).
    fast: bool,
    /// Offers it and answers no PPS.
    stubborn: bool,
    /// bVoltageSupport bits it works at.
    volts: u8,
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
    extensions: u64,
    stale: u64,
    wrong_slots: u64,
    busy: u64,
    parity: u64,
    aborts: u64,
    selections: u64,
    parameters: u64,
    parts: u64,
}

/// The reader.
pub struct CardReaderTwin {
    model: Model,
    cards: Vec<CardSpec>,
    slot: Option<Inserted>,
    changed: bool,
    pull: Option<Pull>,
    faults: Faults,
    entry: Option<Entry>,
    pins: PinCounts,
    /// FiDi the reader was told.
    rate: u8,
    /// A command that comes in parts, and an answer that goes in parts.
    chain: (Vec<u8>, Vec<u8>),
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
            model: Model::default(),
            cards,
            slot: None,
            changed: false,
            pull: None,
            faults: Faults::default(),
            entry: None,
            pins: PinCounts::default(),
            rate: 0x11,
            chain: (Vec::new(), Vec::new()),
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
        self.model.level = level;
        self
    }

    /// Another reader altogether.
    #[must_use]
    pub fn with_model(mut self, model: Model) -> Self {
        self.model = model;
        self
    }

    fn insert(&mut self, name: &str, chip: Chip, build: Build) -> Result<String, DeskError> {
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
        let card = Card::personalise(spec, chip, build.directory);
        let name = spec.name.clone();
        let said = format!("{name} inserted");
        self.slot = Some(Inserted {
            name,
            chip,
            card,
            build,
            blocks: BlockCard::new(build.t1 == Some(true)),
            mute: false,
            powered: false,
            rate: 0x11,
            fresh: false,
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
        self.entry_lost(now);
        self.fail_waiting(now);
        Ok(format!("{} removed", gone.name))
    }
}

impl Twin for CardReaderTwin {
    fn info(&self) -> DeviceInfo {
        self.model.info()
    }

    fn control(&mut self, _: Duration, setup: Setup, _: &[u8], _: u16) -> ControlReply {
        match (setup.request_type, setup.request) {
            // ABORT: the bulk half follows.
            (0x21, 0x01) => {
                let [slot, seq] = setup.value.to_le_bytes();
                if slot >= self.model.slots {
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
        self.expire(now);
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
        self.expire(now);
        if endpoint == NOTIFY && self.model.interrupt {
            if !std::mem::take(&mut self.changed) {
                return InReply::Nak;
            }
            let present = u8::from(self.slot.is_some());
            let bytes = usize::from(self.model.slots).div_ceil(4);
            let mut notice = vec![0; bytes.saturating_add(1)];
            notice
                .iter_mut()
                .zip([0x50, 2 | present])
                .for_each(|(to, from)| *to = from);
            return InReply::Data(notice);
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
        let next = next.into_iter().chain(self.entry_until()).min();
        next.filter(|at| *at > self.seen)
    }

    fn host_gone(&mut self, _: Duration) {
        self.incoming.clear();
        self.answers.clear();
        self.last_seq = None;
        self.aborting = None;
        self.entry = None;
        if let Some(inserted) = &mut self.slot {
            inserted.powered = false;
        }
    }

    fn desk(&mut self, now: Duration, line: &str) -> Result<String, DeskError> {
        self.act(now, line)
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
        let blocks = self.block_counts();
        vec![
            ("inserted", self.counts.inserted),
            ("power-ons", self.counts.power_ons),
            ("apdus", self.counts.apdus),
            ("records", self.counts.records),
            ("signatures", self.counts.signatures),
            ("pulled", self.counts.pulled),
            ("extensions", self.counts.extensions),
            ("stale-answers", self.counts.stale),
            ("wrong-slots", self.counts.wrong_slots),
            ("busy", self.counts.busy),
            ("parity", self.counts.parity),
            ("aborts", self.counts.aborts),
            ("selections", self.counts.selections),
            ("parameters", self.counts.parameters),
            ("parts", self.counts.parts),
            ("blocks", blocks.blocks),
            ("blocks-damaged", blocks.damaged),
            ("blocks-lost", blocks.lost),
            ("blocks-asked", blocks.asked),
            ("wtx", blocks.extensions),
            ("chains-given-up", blocks.aborted),
            ("resyncs", blocks.resyncs),
            ("pin-entries", self.pins.entries),
            ("pin-verified", self.pins.verified),
            ("pin-refused", self.pins.refused),
            ("pin-cancelled", self.pins.cancelled),
            ("pin-timeouts", self.pins.timeouts),
        ]
    }
}

#[cfg(test)]
mod tests;
