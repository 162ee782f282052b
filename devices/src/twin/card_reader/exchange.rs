//! What the reader does with the card: reset, parameters, TPDUs, APDUs, blocks.

use std::time::Duration;

use super::apdu::command;
use super::card::{self, Done};
use super::desk::once;
use super::messages::{BAD_LENGTH, BAD_LEVEL, BAD_POWER, EXTENSION, Head, MUTE, OVERHEAD, PARITY};
use super::t1::{BlockCounts, Said};
use super::{CardReaderTwin, Inserted, Level, MESSAGE_MAX, Pull};

/// Cold reset until the answer to reset has come.
const POWER_ON: Duration = Duration::from_millis(120);
/// One character at 9600 baud: 12 bit times of 104 µs.
const CHARACTER: Duration = Duration::from_micros(1250);
/// A chip slower than this gets a time extension message.
const PATIENT: Duration = Duration::from_millis(100);
/// A mute card is given up on after so long.
const MUTE_AFTER: Duration = Duration::from_millis(600);
/// Rate after a reset: Fi 372, Di 1.
const DEFAULT_RATE: u8 = 0x11;
/// The rate a fast card offers.
const FAST: u8 = 0x95;
/// Data bytes of one message.
const ROOM: usize = MESSAGE_MAX as usize - 10;
/// Longest command in parts.
const CHAIN_MAX: usize = 65_544;

/// The answer to reset of an inserted card.
fn atr(card: &Inserted) -> Vec<u8> {
    let mut atr = match (card.build.t1, card.build.fast) {
        (None, false) => return card::ATR.to_vec(),
        (None, true) => return vec![0x3B, 0x10, FAST],
        (Some(_), false) => vec![0x3B, 0x80, 0x81],
        (Some(_), true) => vec![0x3B, 0x90, FAST, 0x81],
    };
    // IFSC 254, BWI 4, CWI 5; TC3 says CRC.
    match card.build.t1 {
        Some(true) => atr.extend([0x71, 0xFE, 0x45, 0x01]),
        _ => atr.extend([0x31, 0xFE, 0x45]),
    }
    atr.push(atr.iter().skip(1).fold(0, |sum, b| sum ^ b));
    atr
}

impl CardReaderTwin {
    pub(super) fn block_counts(&self) -> BlockCounts {
        let card = self.slot.as_ref();
        card.map(|card| card.blocks.counts).unwrap_or_default()
    }

    pub(super) fn power_on(&mut self, now: Duration, select: u8, ok: &Head) {
        self.session = (0, 0);
        self.rate = DEFAULT_RATE;
        self.chain = (Vec::new(), Vec::new());
        let soon = now.saturating_add(OVERHEAD);
        if select == 0 && !self.model.automatic {
            self.answer(soon, &ok.failed(BAD_POWER), &[]);
            return;
        }
        let given = match select {
            0 => self.model.voltages,
            1 => 1,
            2 => 2,
            _ => 4,
        } & self.model.voltages;
        match &mut self.slot {
            None => self.answer(soon, &ok.failed(MUTE), &[]),
            Some(card) if card.mute || card.build.volts & given == 0 => {
                card.powered = false;
                let at = now.saturating_add(MUTE_AFTER);
                self.answer(at, &ok.failed(MUTE), &[]);
            }
            Some(card) => {
                card.powered = true;
                card.card.reset();
                card.blocks.reset();
                (card.rate, card.fresh) = (DEFAULT_RATE, true);
                let atr = atr(card);
                if self.model.automatic && card.build.fast && !card.build.stubborn {
                    // The reader agrees the rate by itself.
                    (card.rate, self.rate) = (FAST, FAST);
                }
                self.counts.power_ons = self.counts.power_ons.saturating_add(1);
                self.answer(now.saturating_add(POWER_ON), ok, &atr);
            }
        }
    }

    /// SetParameters: 5 bytes for T=0, 7 for T=1, the rate first.
    pub(super) fn set_parameters(&mut self, now: Duration, ok: &Head, protocol: u8, data: &[u8]) {
        let wanted = if protocol == 1 { 7 } else { 5 };
        let soon = now.saturating_add(OVERHEAD);
        let head = Head {
            last: protocol,
            ..*ok
        };
        match *data {
            [rate, ..] if data.len() == wanted && protocol < 2 => {
                self.rate = rate;
                self.counts.parameters = self.counts.parameters.saturating_add(1);
                self.answer(soon, &head, data);
            }
            _ => self.answer(soon, &head.failed(BAD_LENGTH), &[]),
        }
    }

    /// Counts an APDU and says whether the card is pulled during it.
    fn pulled_by(&mut self, instruction: u8) -> bool {
        let (apdus, records) = &mut self.session;
        // GET RESPONSE is the tail of the command before it.
        if instruction != 0xC0 {
            *apdus = apdus.saturating_add(1);
            self.counts.apdus = self.counts.apdus.saturating_add(1);
        }
        match instruction {
            0xB2 => {
                *records = records.saturating_add(1);
                self.counts.records = self.counts.records.saturating_add(1);
            }
            0x88 | 0xAE => self.counts.signatures = self.counts.signatures.saturating_add(1),
            _ => {}
        }
        match self.pull {
            Some(Pull::Record(n)) => instruction == 0xB2 && *records == n,
            Some(Pull::Apdu(n)) => *apdus == n,
            None => false,
        }
    }

    /// XfrBlock: whole, or a part of a chain (6.1.4: 1 begins, 3 continues, 2 ends,
    /// 10h asks for the next part of the answer).
    pub(super) fn moved(&mut self, now: Duration, seq: u8, level: u16, data: &[u8]) {
        let head = Head::good(0x80, seq);
        let soon = now.saturating_add(OVERHEAD);
        if self.icc() != 0 {
            self.answer(soon, &head.failed(MUTE), &[]);
            return;
        }
        let extended = self.model.level == Level::ExtendedApdu;
        match level {
            0 => self.exchange(now, seq, data),
            1 | 3 if extended => {
                if level == 1 {
                    self.chain.0.clear();
                }
                self.chain.0.extend_from_slice(data);
                self.chain.0.truncate(CHAIN_MAX);
                self.counts.parts = self.counts.parts.saturating_add(1);
                let go_on = Head { last: 0x10, ..head };
                self.answer(soon, &go_on, &[]);
            }
            2 if extended => {
                self.counts.parts = self.counts.parts.saturating_add(1);
                let mut whole = std::mem::take(&mut self.chain.0);
                whole.extend_from_slice(data);
                self.exchange(now, seq, &whole);
            }
            0x10 if extended && !self.chain.1.is_empty() => {
                self.counts.parts = self.counts.parts.saturating_add(1);
                let rest = self.chain.1.split_off(ROOM.min(self.chain.1.len()));
                let part = std::mem::replace(&mut self.chain.1, rest);
                let last = if self.chain.1.is_empty() { 2 } else { 3 };
                self.answer(soon, &Head { last, ..head }, &part);
            }
            _ => self.answer(soon, &head.failed(BAD_LEVEL), &[]),
        }
    }

    fn exchange(&mut self, now: Duration, seq: u8, data: &[u8]) {
        let head = Head::good(0x80, seq);
        let soon = now.saturating_add(OVERHEAD);
        if once(&mut self.faults.parity) {
            self.counts.parity = self.counts.parity.saturating_add(1);
            self.answer(soon, &head.failed(PARITY), &[]);
            return;
        }
        let tpdu = self.model.level == Level::Tpdu;
        if tpdu && self.selects(now, seq, data) {
            return;
        }
        let heard = self.slot.as_mut().is_some_and(|card| {
            card.fresh = false;
            card.rate == self.rate
        });
        if !heard {
            // At another rate than the card's, nothing is understood.
            self.answer(now.saturating_add(MUTE_AFTER), &head.failed(MUTE), &[]);
            return;
        }
        let t1 = self.slot.as_ref().is_some_and(|c| c.build.t1.is_some());
        match (tpdu, t1) {
            (true, true) => self.block(now, seq, data),
            (true, false) => self.tpdu(now, seq, data),
            (false, _) => self.apdu(now, seq, data),
        }
    }

    /// A PPS, which is possible once, first of all; whether it was one.
    fn selects(&mut self, now: Duration, seq: u8, data: &[u8]) -> bool {
        let head = Head::good(0x80, seq);
        let soon = now.saturating_add(OVERHEAD);
        let Some(card) = self.slot.as_mut().filter(|card| card.fresh) else {
            return false;
        };
        let [0xFF, pps0, ..] = *data else {
            return false;
        };
        let number = u8::from(card.build.t1.is_some());
        let sound = data.iter().fold(0, |sum, b| sum ^ b) == 0 && pps0 & 15 == number;
        let rate = match *data {
            [_, _, _] if pps0 & 0xF0 == 0 => Some(DEFAULT_RATE),
            [_, _, rate, _] if pps0 & 0xF0 == 0x10 => Some(rate),
            _ => None,
        };
        let offered = rate.filter(|r| *r == DEFAULT_RATE || (card.build.fast && *r == FAST));
        match offered.filter(|_| sound && !card.build.stubborn) {
            Some(rate) => {
                (card.rate, card.fresh) = (rate, false);
                self.counts.selections = self.counts.selections.saturating_add(1);
                self.answer(soon, &head, data);
            }
            None => {
                card.powered = false;
                self.answer(now.saturating_add(MUTE_AFTER), &head.failed(MUTE), &[]);
            }
        }
        true
    }

    /// T=0 by the host: five bytes, then nothing or exactly P3 more.
    fn tpdu(&mut self, now: Duration, seq: u8, data: &[u8]) {
        let soon = now.saturating_add(OVERHEAD);
        let fits = data.split_first_chunk::<5>().filter(|(header, rest)| {
            let [.., p3] = **header;
            rest.is_empty() || rest.len() == usize::from(p3)
        });
        let Some((header, rest)) = fits else {
            self.answer(soon, &Head::good(0x80, seq).failed(BAD_LENGTH), &[]);
            return;
        };
        let [_, ins, ..] = *header;
        if self.pulled(now, seq, ins) {
            return;
        }
        let Some(card) = &mut self.slot else {
            return;
        };
        let done = card.card.tpdu(*header, rest);
        let moved = rest.len().saturating_add(5);
        self.give(now, seq, moved, &done);
    }

    /// The reader speaks the card's protocol.
    fn apdu(&mut self, now: Duration, seq: u8, data: &[u8]) {
        let soon = now.saturating_add(OVERHEAD);
        let extended = self.model.level == Level::ExtendedApdu;
        let parsed = command(data).filter(|c| extended || !c.extended);
        let Some(command) = parsed else {
            self.answer(soon, &Head::good(0x80, seq).failed(BAD_LENGTH), &[]);
            return;
        };
        let [_, ins, ..] = command.header;
        if self.pulled(now, seq, ins) {
            return;
        }
        let Some(card) = &mut self.slot else {
            return;
        };
        let done = card.card.apdu(&command);
        self.give(now, seq, data.len(), &done);
    }

    /// T=1 by the host: one block each way.
    fn block(&mut self, now: Duration, seq: u8, data: &[u8]) {
        let Some(card) = &mut self.slot else {
            return;
        };
        let mut takes = Duration::ZERO;
        let mut said = card.blocks.hear(data);
        if let Said::Command(bytes) = &said {
            let command = command(bytes);
            let instruction = command.as_ref().map(|c| c.header);
            if let Some([_, ins, ..]) = instruction
                && self.pulled(now, seq, ins)
            {
                return;
            }
            let Some(card) = &mut self.slot else {
                return;
            };
            let done = match &command {
                Some(command) => card.card.apdu(command),
                None => Done::wrong_length(),
            };
            takes = done.takes;
            said = card.blocks.answer(done.bytes);
        }
        match said {
            Said::Block(Some(bytes)) => {
                self.give(now, seq, data.len(), &Done { bytes, takes });
            }
            _ => {
                let at = now.saturating_add(MUTE_AFTER);
                self.answer(at, &Head::good(0x80, seq).failed(MUTE), &[]);
            }
        }
    }

    /// Whether the card was pulled by this command; says so to the host.
    fn pulled(&mut self, now: Duration, seq: u8, instruction: u8) -> bool {
        let pulled = self.pulled_by(instruction);
        if pulled {
            let _ = self.remove(now);
            let head = Head::good(0x80, seq).failed(MUTE);
            self.answer(now.saturating_add(OVERHEAD), &head, &[]);
        }
        pulled
    }

    /// What the card said, when it is ready, with what the desk wants before it.
    fn give(&mut self, now: Duration, seq: u8, moved: usize, done: &Done) {
        let head = Head::good(0x80, seq);
        if once(&mut self.faults.stale) {
            self.counts.stale = self.counts.stale.saturating_add(1);
            let older = Head::good(0x80, seq.wrapping_sub(1));
            self.answer(now, &older, &[0x6F, 0x00]);
        }
        let mut at = now.saturating_add(OVERHEAD);
        while once(&mut self.faults.extensions) {
            self.counts.extensions = self.counts.extensions.saturating_add(1);
            at = at.saturating_add(PATIENT);
            self.answer(at, &extension(head), &[]);
        }
        let characters = moved.saturating_add(done.bytes.len());
        let characters = u32::try_from(characters).unwrap_or(u32::MAX);
        let takes = CHARACTER
            .saturating_mul(characters)
            .saturating_add(done.takes);
        if done.takes > PATIENT {
            let soon = at.saturating_add(PATIENT);
            self.answer(soon, &extension(head), &[]);
        }
        let mut head = head;
        if once(&mut self.faults.wrong_slot) {
            self.counts.wrong_slots = self.counts.wrong_slots.saturating_add(1);
            head.slot = 1;
        }
        let mut bytes = done.bytes.clone();
        if self.model.level == Level::ExtendedApdu && bytes.len() > ROOM {
            self.chain.1 = bytes.split_off(ROOM);
            head.last = 1;
            self.counts.parts = self.counts.parts.saturating_add(1);
        }
        self.answer(at.saturating_add(takes), &head, &bytes);
    }
}

/// The command is still being worked at: once the waiting time more.
fn extension(head: Head) -> Head {
    Head {
        flags: EXTENSION,
        error: 1,
        ..head
    }
}
