//! The reader side of a CCID message: what each command does and when its answer
//! is ready (CCID §6).

use std::time::Duration;

use super::card::{ATR, Done};
use super::{Answer, CardReaderTwin, Level, Pull};

/// Header.
const HEADER: usize = 10;
/// Cold reset until the answer to reset has come.
const POWER_ON: Duration = Duration::from_millis(120);
/// One character at 9600 baud: 12 bit times of 104 µs.
const CHARACTER: Duration = Duration::from_micros(1250);
/// What the reader itself takes for a command.
const OVERHEAD: Duration = Duration::from_millis(4);
/// A chip slower than this gets a time extension message.
const PATIENT: Duration = Duration::from_millis(100);
/// A mute card is given up on after so long.
const MUTE_AFTER: Duration = Duration::from_millis(600);

/// Command failed.
const FAILED: u8 = 0x40;
/// Command wants more time.
const EXTENSION: u8 = 0x80;
/// bError: card absent or mute.
const MUTE: u8 = 0xFE;
/// bError: dwLength does not fit.
const BAD_LENGTH: u8 = 1;
/// bError: bSlot.
const BAD_SLOT: u8 = 5;
/// bError: bSeq, the same as before or not the abort's.
const BAD_SEQ: u8 = 6;
/// bError: wLevelParameter.
const BAD_LEVEL: u8 = 8;
/// bError: the slot is still at the command before.
const SLOT_BUSY: u8 = 0xE0;
/// bError: an abort is under way.
const ABORTED: u8 = 0xFF;

/// What an answer says besides its data.
struct Head {
    kind: u8,
    seq: u8,
    flags: u8,
    error: u8,
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

    fn icc(&self) -> u8 {
        match &self.slot {
            None => 2,
            Some(card) if card.powered => 0,
            Some(_) => 1,
        }
    }

    fn answer(&mut self, at: Duration, head: &Head, data: &[u8]) {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let mut bytes = vec![head.kind];
        bytes.extend(length.to_le_bytes());
        bytes.extend([0, head.seq, head.flags | self.icc(), head.error, 0]);
        bytes.extend_from_slice(data);
        let before = self.answers.iter().take_while(|a| a.at <= at).count();
        self.answers.insert(before, Answer { at, bytes });
    }

    /// Why a command is not even looked at, if so.
    fn refusal(&mut self, now: Duration, command: u8, slot: u8, seq: u8) -> Option<u8> {
        let repeated = self.last_seq.replace(seq) == Some(seq);
        let busy = self.answers.iter().any(|answer| answer.at > now);
        match (command, self.aborting) {
            _ if slot != 0 => Some(BAD_SLOT),
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
            self.answer(
                now,
                &Head {
                    kind,
                    seq,
                    flags: FAILED,
                    error: MUTE,
                },
                &[],
            );
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
            slot,
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
        let ok = Head {
            kind,
            seq,
            flags: 0,
            error: 0,
        };
        let failed = |error| Head {
            kind,
            seq,
            flags: FAILED,
            error,
        };
        let soon = now.saturating_add(OVERHEAD);
        if let Some(error) = self.refusal(now, command, slot, seq) {
            self.answer(soon, &failed(error), &[]);
            return;
        }
        match command {
            0x65 => self.answer(soon, &ok, &[]),
            0x72 => {
                self.abort(now);
                self.answer(soon, &ok, &[]);
            }
            0x63 => {
                if let Some(card) = &mut self.slot {
                    card.powered = false;
                }
                self.answer(soon, &ok, &[]);
            }
            0x62 if select > 3 => self.answer(soon, &failed(7), &[]),
            0x62 => self.power_on(now, &ok, &failed(MUTE)),
            // Whole commands only: a level of chaining is offset 8.
            0x6F if [level_low, level_high] != [0, 0] => {
                self.answer(soon, &failed(BAD_LEVEL), &[]);
            }
            0x6F => self.exchange(now, seq, data),
            0x61 | 0x6C | 0x6D if self.icc() != 0 => self.answer(soon, &failed(MUTE), &[]),
            0x61 => self.answer(soon, &ok, data),
            0x6C | 0x6D => self.answer(soon, &ok, &[0x11, 0, 0, 10, 0]),
            _ => self.answer(soon, &failed(0), &[]),
        }
    }

    fn power_on(&mut self, now: Duration, ok: &Head, mute: &Head) {
        self.session = (0, 0);
        match &mut self.slot {
            None => self.answer(now.saturating_add(OVERHEAD), mute, &[]),
            Some(card) if card.mute => {
                card.powered = false;
                self.answer(now.saturating_add(MUTE_AFTER), mute, &[]);
            }
            Some(card) => {
                card.powered = true;
                card.card.reset();
                self.counts.power_ons = self.counts.power_ons.saturating_add(1);
                self.answer(now.saturating_add(POWER_ON), ok, &ATR);
            }
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
            0x88 => self.counts.signatures = self.counts.signatures.saturating_add(1),
            _ => {}
        }
        match self.pull {
            Some(Pull::Record(n)) => instruction == 0xB2 && *records == n,
            Some(Pull::Apdu(n)) => *apdus == n,
            None => false,
        }
    }

    fn exchange(&mut self, now: Duration, seq: u8, data: &[u8]) {
        let failed = |error| Head {
            kind: 0x80,
            seq,
            flags: FAILED,
            error,
        };
        let soon = now.saturating_add(OVERHEAD);
        if self.icc() != 0 {
            self.answer(soon, &failed(MUTE), &[]);
            return;
        }
        let Some((header, rest)) = data.split_first_chunk::<5>() else {
            // Case 1 needs its P3 at this level; the reader of APDUs adds it.
            match (self.level, data) {
                (Level::ShortApdu, &[cla, ins, p1, p2]) => {
                    self.transact(now, seq, [cla, ins, p1, p2, 0], &[], false);
                }
                _ => self.answer(soon, &failed(BAD_LENGTH), &[]),
            }
            return;
        };
        let [.., p3] = *header;
        let carried = rest.len();
        let lc = usize::from(p3);
        let fits = match self.level {
            Level::Tpdu => carried == 0 || carried == lc,
            Level::ShortApdu => carried == 0 || carried == lc || carried == lc.saturating_add(1),
        };
        if !fits {
            self.answer(soon, &failed(BAD_LENGTH), &[]);
            return;
        }
        let expects = carried != lc;
        self.transact(
            now,
            seq,
            *header,
            rest.get(..lc.min(carried)).unwrap_or_default(),
            expects,
        );
    }

    fn transact(&mut self, now: Duration, seq: u8, header: [u8; 5], data: &[u8], expects: bool) {
        let [cla, ins, ..] = header;
        if self.pulled_by(ins) {
            let _ = self.remove(now);
            let head = Head {
                kind: 0x80,
                seq,
                flags: FAILED,
                error: MUTE,
            };
            self.answer(now.saturating_add(OVERHEAD), &head, &[]);
            return;
        }
        let Some(inserted) = &mut self.slot else {
            return;
        };
        let mut done = inserted.card.tpdu(header, data);
        let mut characters = data
            .len()
            .saturating_add(done.bytes.len())
            .saturating_add(5);
        if self.level == Level::ShortApdu && expects {
            // The reader's own T=0: it asks again until the answer is whole.
            while let Some(next) = follow(cla, header, &done) {
                let more = inserted.card.tpdu(next, &[]);
                done.bytes.truncate(done.bytes.len().saturating_sub(2));
                done.bytes.extend(more.bytes);
                characters = characters
                    .saturating_add(done.bytes.len())
                    .saturating_add(5);
            }
        }
        let characters = u32::try_from(characters).unwrap_or(u32::MAX);
        let takes = CHARACTER
            .saturating_mul(characters)
            .saturating_add(done.takes);
        if done.takes > PATIENT {
            let head = Head {
                kind: 0x80,
                seq,
                flags: EXTENSION,
                error: 1,
            };
            self.answer(now.saturating_add(PATIENT), &head, &[]);
        }
        let at = now.saturating_add(OVERHEAD).saturating_add(takes);
        self.answer(
            at,
            &Head {
                kind: 0x80,
                seq,
                flags: 0,
                error: 0,
            },
            &done.bytes,
        );
    }
}

/// The next TPDU a reader sends by itself.
fn follow(cla: u8, header: [u8; 5], done: &Done) -> Option<[u8; 5]> {
    let [_, ins, p1, p2, _] = header;
    match *done.bytes.last_chunk::<2>()? {
        [0x61, left] => Some([0, 0xC0, 0, 0, left]),
        [0x6C, exact] => Some([cla, ins, p1, p2, exact]),
        _ => None,
    }
}
