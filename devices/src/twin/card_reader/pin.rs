//! The reader's own PIN pad: Secure by the offsets of CCID §6.1.11.
//!
//! The desk never takes or shows digits: it types the card's own PIN, or another.

use std::time::Duration;

use counterfoil_data::secret::Secret;
use zeroize::Zeroizing;

use super::apdu::command;
use super::messages::{Head, MUTE, OVERHEAD};
use super::model::Pad;
use super::t1::Said;
use super::{CardReaderTwin, Level, card};
use crate::twin::DeskError;

/// Until the reader gives up where the host names no time.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// bError: cancelled at the pad; nothing typed in time.
const CANCELLED: u8 = 0xEF;
const TIMED_OUT: u8 = 0xF0;
/// bError: offset of bPINOperation; a block that does not hold together.
const BAD_OPERATION: u8 = 10;
const BAD_BLOCK: u8 = 1;

/// An entry that waits for keys.
pub(super) struct Entry {
    seq: u8,
    until: Duration,
    /// bmFormatString, bmPINBlockString, bmPINLengthFormat.
    format: [u8; 3],
    /// Where the PINs go, from the first data byte: one, or the old and the new one.
    offsets: Vec<u8>,
    /// Fewest and most digits.
    sizes: (u8, u8),
    /// bTeoPrologue: NAD, PCB and LEN, where the host speaks T=1.
    prologue: [u8; 3],
    /// The card's command with blanks.
    template: Vec<u8>,
}

#[derive(Default)]
pub(super) struct PinCounts {
    pub(super) entries: u64,
    pub(super) verified: u64,
    pub(super) refused: u64,
    pub(super) cancelled: u64,
    pub(super) timeouts: u64,
}

fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

/// Reads a block; `None` where it does not hold together.
fn parse(now: Duration, seq: u8, data: &[u8]) -> Option<Entry> {
    let modify = *data.first()? == 1;
    let at = |offset: usize| data.get(offset).copied();
    let after: usize = if modify { 7 } else { 5 };
    let offsets = match modify {
        true => vec![at(5)?, at(6)?],
        false => vec![0],
    };
    let sizes = (at(after.saturating_add(1))?, at(after)?);
    // A verification has one index; a modification one, two or three.
    let start = match (modify, at(11)?) {
        (false, _) => 15,
        (true, 0) => 18,
        (true, 3) => 20,
        (true, _) => 19,
    };
    let seconds = match at(1)? {
        0 => DEFAULT_TIMEOUT,
        some => Duration::from_secs(some.into()),
    };
    Some(Entry {
        seq,
        until: now.saturating_add(seconds),
        format: [at(2)?, at(3)?, at(4)?],
        offsets,
        sizes,
        prologue: *data.get(..start)?.last_chunk()?,
        template: data.get(start..)?.to_vec(),
    })
}

impl Entry {
    /// Puts digits into the command; `None` where they have no room.
    fn put(&self, bytes: &mut [u8], offset: u8, digits: &[u8]) -> Option<()> {
        let [string, block, length] = self.format;
        let data = bytes.get_mut(5_usize.saturating_add(offset.into())..)?;
        let position = usize::from((string >> 3) & 15);
        if block >> 4 == 4 && length == 4 {
            let first = data.first_mut()?;
            *first = (*first & 0xF0) | u8::try_from(digits.len()).ok()?;
        }
        let room = data
            .get_mut(position..)?
            .get_mut(..usize::from(block & 15))?;
        match string & 3 {
            2 => {
                let room = room.get_mut(..digits.len())?;
                room.iter_mut()
                    .zip(digits)
                    .for_each(|(to, digit)| *to = digit | 0x30);
            }
            1 => {
                let room = room.get_mut(..digits.len().div_ceil(2))?;
                for (to, pair) in room.iter_mut().zip(digits.chunks(2)) {
                    let low = pair.get(1).copied().unwrap_or(15);
                    *to = (pair.first()? << 4) | low;
                }
            }
            _ => return None,
        }
        Some(())
    }
}

impl CardReaderTwin {
    /// Secure: what the pad is asked to ask.
    pub(super) fn secure(&mut self, now: Duration, ok: &Head, data: &[u8]) {
        let soon = now.saturating_add(OVERHEAD);
        if matches!(self.model.pad, Pad::None | Pad::Claimed) {
            self.answer(soon, &ok.failed(0), &[]);
            return;
        }
        if self.icc() != 0 {
            self.answer(soon, &ok.failed(MUTE), &[]);
            return;
        }
        if !matches!(data.first(), Some(0 | 1)) {
            self.answer(soon, &ok.failed(BAD_OPERATION), &[]);
            return;
        }
        match parse(now, ok.seq, data) {
            Some(entry) => {
                count(&mut self.pins.entries);
                self.entry = Some(entry);
            }
            None => self.answer(soon, &ok.failed(BAD_BLOCK), &[]),
        }
    }

    /// When the entry ends by itself.
    pub(super) fn entry_until(&self) -> Option<Duration> {
        self.entry.as_ref().map(|entry| entry.until)
    }

    /// Ends an entry whose time is up.
    pub(super) fn expire(&mut self, now: Duration) {
        if let Some(entry) = self.entry.take_if(|entry| entry.until <= now) {
            count(&mut self.pins.timeouts);
            let head = Head::good(0x80, entry.seq).failed(TIMED_OUT);
            self.answer(now, &head, &[]);
        }
    }

    /// The card went while the pad was waiting.
    pub(super) fn entry_lost(&mut self, now: Duration) {
        if let Some(entry) = self.entry.take() {
            let head = Head::good(0x80, entry.seq).failed(MUTE);
            self.answer(now, &head, &[]);
        }
    }

    /// Keys at the pad, to the end of the entry.
    pub(super) fn type_pin(&mut self, now: Duration, what: &str) -> Result<String, DeskError> {
        self.expire(now);
        let Some(entry) = self.entry.take() else {
            return Err(DeskError("the reader asks for no PIN".into()));
        };
        let right = match &self.slot {
            Some(inserted) => Secret::new(inserted.card.pin().to_vec()),
            None => return Err(DeskError("there is no card in the reader".into())),
        };
        let right = right.expose().as_slice();
        // Nobody's PIN: one digit off.
        let wrong: Vec<u8> = right.iter().map(|d| (d ^ 1).min(9)).collect();
        let short = right.get(..2).unwrap_or_default();
        let (first, new, again): (&[u8], &[u8], &[u8]) = match what {
            "right" => (right, &wrong, &wrong),
            "wrong" => (&wrong, right, right),
            "short" => (short, right, right),
            "mismatch" => (right, &wrong, right),
            "cancel" => {
                count(&mut self.pins.cancelled);
                let head = Head::good(0x80, entry.seq).failed(CANCELLED);
                self.answer(now, &head, &[]);
                return Ok("cancelled at the pad".into());
            }
            _ => {
                self.entry = Some(entry);
                let words = "pin right|wrong|short|mismatch|cancel";
                return Err(DeskError(words.into()));
            }
        };
        let fits = |pin: &[u8]| {
            let (min, max) = (usize::from(entry.sizes.0), usize::from(entry.sizes.1));
            (min..=max).contains(&pin.len())
        };
        let modify = entry.offsets.len() > 1;
        let head = Head::good(0x80, entry.seq);
        let answer = if !fits(first) || (modify && !fits(new)) {
            vec![0x64, 0x03]
        } else if modify && new != again {
            vec![0x64, 0x02]
        } else {
            self.give_pins(&entry, &[first, new])
        };
        self.answer(now.saturating_add(OVERHEAD), &head, &answer);
        Ok("typed and OK pressed".into())
    }

    fn give_pins(&mut self, entry: &Entry, pins: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Zeroizing::new(entry.template.clone());
        for (offset, pin) in entry.offsets.iter().zip(pins) {
            if entry.put(&mut bytes, *offset, pin).is_none() {
                return card::Done::wrong_length().bytes;
            }
        }
        let Some(inserted) = &mut self.slot else {
            return vec![0x64, 0x01];
        };
        let blocks = self.model.level == Level::Tpdu && inserted.build.t1.is_some();
        let told = match blocks {
            false => Some(bytes.to_vec()),
            true => {
                let block = inserted.blocks.sealed(entry.prologue, &bytes);
                match inserted.blocks.hear(&block) {
                    Said::Command(bytes) => Some(bytes),
                    // The card does not take it: asks for it again, or says nothing.
                    Said::Block(block) => return block.unwrap_or_default(),
                }
            }
        };
        let mut answer = match told.as_deref().and_then(command) {
            Some(command) => inserted.card.apdu(&command).bytes,
            None => card::Done::wrong_length().bytes,
        };
        match answer.as_slice() {
            [0x90, 0x00] => count(&mut self.pins.verified),
            _ => count(&mut self.pins.refused),
        }
        if blocks {
            answer = match inserted.blocks.answer(answer) {
                Said::Block(block) => block.unwrap_or_default(),
                Said::Command(bytes) => bytes,
            };
        }
        if self.model.pad == Pad::Leaks {
            answer = [bytes.as_slice(), &answer].concat();
        }
        answer
    }
}
