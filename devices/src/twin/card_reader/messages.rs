//! The reader side of a CCID message: what each command does and when its answer
//! is ready (CCID §6).

use std::time::Duration;

use super::desk::once;
use super::{Answer, CardReaderTwin};

/// Header.
const HEADER: usize = 10;
/// What the reader itself takes for a command.
pub(super) const OVERHEAD: Duration = Duration::from_millis(4);

/// Command failed.
pub(super) const FAILED: u8 = 0x40;
/// Command wants more time.
pub(super) const EXTENSION: u8 = 0x80;
/// bError: card absent or mute.
pub(super) const MUTE: u8 = 0xFE;
/// bError: parity.
pub(super) const PARITY: u8 = 0xFD;
/// bError: dwLength does not fit.
pub(super) const BAD_LENGTH: u8 = 1;
/// bError: bPowerSelect.
pub(super) const BAD_POWER: u8 = 7;
/// bError: bSlot.
const BAD_SLOT: u8 = 5;
/// bError: bSeq, the same as before or not the abort's.
const BAD_SEQ: u8 = 6;
/// bError: wLevelParameter.
pub(super) const BAD_LEVEL: u8 = 8;
/// bError: the slot is still at the command before.
const SLOT_BUSY: u8 = 0xE0;
/// bError: an abort is under way.
const ABORTED: u8 = 0xFF;

/// What an answer says besides its data.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) kind: u8,
    pub(super) slot: u8,
    pub(super) seq: u8,
    pub(super) flags: u8,
    pub(super) error: u8,
    /// Last byte of the header: bChainParameter of a data block.
    pub(super) last: u8,
}

impl Head {
    /// A good answer of a kind, to the first slot.
    pub(super) fn good(kind: u8, seq: u8) -> Self {
        Self {
            kind,
            slot: 0,
            seq,
            flags: 0,
            error: 0,
            last: 0,
        }
    }

    /// The same, failed.
    pub(super) fn failed(self, error: u8) -> Self {
        let flags = FAILED;
        Self {
            flags,
            error,
            ..self
        }
    }
}

impl CardReaderTwin {
    /// One whole message off the front of what came in.
    pub(super) fn take_message(&mut self) -> Option<Vec<u8>> {
        let (_, l) = self.incoming.split_first()?;
        let length = u32::from_le_bytes(*l.first_chunk::<4>()?);
        let length = usize::try_from(length).ok()?.checked_add(HEADER)?;
        if self.incoming.len() < length {
            return None;
        }
        let rest = self.incoming.split_off(length);
        Some(std::mem::replace(&mut self.incoming, rest))
    }

    pub(super) fn icc(&self) -> u8 {
        match &self.slot {
            None => 2,
            Some(card) if card.powered => 0,
            Some(_) => 1,
        }
    }

    pub(super) fn answer(&mut self, at: Duration, head: &Head, data: &[u8]) {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let mut bytes = vec![head.kind];
        bytes.extend(length.to_le_bytes());
        let icc = if head.slot == 0 { self.icc() } else { 2 };
        bytes.extend([head.slot, head.seq, head.flags | icc, head.error, head.last]);
        bytes.extend_from_slice(data);
        let before = self.answers.iter().take_while(|a| a.at <= at).count();
        self.answers.insert(before, Answer { at, bytes });
    }

    /// Why a command is not even looked at, if so.
    fn refusal(&mut self, now: Duration, command: u8, slot: u8, seq: u8) -> Option<u8> {
        let repeated = self.last_seq.replace(seq) == Some(seq);
        let waits = self.entry.is_some();
        let busy = waits || self.answers.iter().any(|answer| answer.at > now);
        match (command, self.aborting) {
            _ if slot >= self.model.slots => Some(BAD_SLOT),
            (0x72, Some(aborted)) if aborted == seq => None,
            (0x72, _) => Some(BAD_SEQ),
            (_, Some(_)) => Some(ABORTED),
            _ if repeated => Some(BAD_SEQ),
            // The slot's status may be asked at any time.
            (0x65, _) => None,
            _ if busy => Some(SLOT_BUSY),
            _ => None,
        }
    }

    /// The bulk half of an abort: what the slot was doing is given up.
    fn abort(&mut self, now: Duration) {
        self.aborting = None;
        self.counts.aborts = self.counts.aborts.saturating_add(1);
        self.entry = None;
        self.answers.retain(|answer| answer.at <= now);
    }

    /// Answers that were on their way when the card went: card absent instead.
    pub(super) fn fail_waiting(&mut self, now: Duration) {
        let mut kept = std::mem::take(&mut self.answers);
        let dead: Vec<Answer> = {
            let split = kept.iter().position(|a| a.at > now).unwrap_or(kept.len());
            kept.split_off(split).into()
        };
        self.answers = kept;
        let last = dead
            .last()
            .map(|a| (a.bytes.first().copied(), a.bytes.get(6).copied()));
        if let Some((Some(kind), Some(seq))) = last {
            self.answer(now, &Head::good(kind, seq).failed(MUTE), &[]);
        }
    }

    /// One command.
    pub(super) fn serve(&mut self, now: Duration, message: &[u8]) {
        let Some((head, data)) = message.split_first_chunk::<HEADER>() else {
            return;
        };
        let [
            command,
            _,
            _,
            _,
            _,
            named,
            seq,
            select,
            level_low,
            level_high,
        ] = *head;
        let kind = match command {
            0x62 | 0x6F | 0x69 => 0x80,
            0x61 | 0x6C | 0x6D => 0x82,
            0x6B => 0x83,
            0x73 => 0x84,
            _ => 0x81,
        };
        let slot = if named < self.model.slots { named } else { 0 };
        let ok = Head {
            slot,
            ..Head::good(kind, seq)
        };
        let failed = |error| ok.failed(error);
        let soon = now.saturating_add(OVERHEAD);
        if let Some(error) = self.refusal(now, command, named, seq) {
            self.answer(soon, &failed(error), &[]);
            return;
        }
        match command {
            // Nothing ever lies in the other slots.
            0x62 | 0x6F | 0x61 | 0x6C | 0x6D | 0x69 if slot != 0 => {
                self.answer(soon, &failed(MUTE), &[]);
            }
            0x65 => self.answer(soon, &ok, &[]),
            0x72 => {
                self.abort(now);
                self.answer(soon, &ok, &[]);
            }
            0x63 if slot != 0 => self.answer(soon, &ok, &[]),
            0x63 => {
                if let Some(card) = &mut self.slot {
                    card.powered = false;
                }
                self.answer(soon, &ok, &[]);
            }
            0x62 if select > 3 => self.answer(soon, &failed(BAD_POWER), &[]),
            0x62 => self.power_on(now, select, &ok),
            0x6F if once(&mut self.faults.busy) => {
                self.counts.busy = self.counts.busy.saturating_add(1);
                self.answer(soon, &failed(SLOT_BUSY), &[]);
            }
            0x6F => {
                let level = u16::from_le_bytes([level_low, level_high]);
                self.moved(now, seq, level, data);
            }
            0x61 | 0x6C | 0x6D if self.icc() != 0 => self.answer(soon, &failed(MUTE), &[]),
            0x69 => self.secure(now, &ok, data),
            0x61 => self.set_parameters(now, &ok, select, data),
            0x6C | 0x6D => self.answer(soon, &ok, &[0x11, 0, 0, 10, 0]),
            _ => self.answer(soon, &failed(0), &[]),
        }
    }
}
