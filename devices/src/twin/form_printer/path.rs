//! The paper path: cassettes, sheets and where each sheet lies.
//!
//! Owns the physical truth a test asks for (I6: what really happened to paper).
//! A sheet is never forgotten; it only changes place.

use std::collections::VecDeque;
use std::path::PathBuf;

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::SlotId;

use super::record::{self, Language, SheetRecord};
use crate::paper::Ink;
use crate::twin::DeskError;

/// Slots at most: the feed command has one digit.
pub const SLOTS_MAX: usize = 8;
/// Blanks in a cassette at most.
pub const BLANKS_MAX: u32 = 500;
/// Blanks left that count as low.
const LOW: usize = 10;

/// Where a sheet lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Under the reader and the head.
    Transport,
    /// In the bundle.
    Escrow,
    /// In the customer's reach.
    Output,
    /// The customer has it.
    Taken,
    /// In the reject bin.
    Reject,
    /// In the retract bin.
    Retract,
}

/// One sheet that left its cassette.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// What is printed on it by the works.
    pub number: BillNumber,
    /// Whether the reader can read it.
    pub readable: bool,
    /// Page bytes that were inked, in order.
    pub pages: Vec<Vec<u8>>,
    /// A jam cut the last page short.
    pub partial: bool,
    /// Where it is.
    pub place: Place,
}

/// One cassette.
#[derive(Debug)]
pub struct Cassette {
    /// Its slot's name.
    pub slot: SlotId,
    /// Blanks, the next one in front.
    pub blanks: VecDeque<BillNumber>,
}

impl Cassette {
    /// Level as the mechanism reports it.
    pub fn level(&self) -> u8 {
        match self.blanks.len() {
            0 => 0x42,
            n if n <= LOW => 0x41,
            _ => 0x40,
        }
    }
}

/// Everything made of paper.
#[derive(Debug)]
pub struct PaperPath {
    /// Slot 1 first.
    pub cassettes: Vec<Cassette>,
    /// Every sheet that left a cassette, in feed order.
    pub sheets: Vec<Sheet>,
    /// Bundles in the retract bin.
    pub retracted_bundles: u32,
    /// Where previews and the list go.
    paper: Option<PathBuf>,
    language: Language,
    /// Previews or list lines that could not be written.
    pub write_errors: u64,
}

impl PaperPath {
    /// Cassettes filled with their ranges.
    pub fn new(
        slots: impl IntoIterator<Item = (SlotId, BillRange)>,
        paper: Option<PathBuf>,
        language: Language,
    ) -> Self {
        let cassette = |(slot, range): (SlotId, BillRange)| Cassette {
            slot,
            blanks: blanks(range),
        };
        Self {
            cassettes: slots.into_iter().take(SLOTS_MAX).map(cassette).collect(),
            sheets: Vec::new(),
            retracted_bundles: 0,
            paper,
            language,
            write_errors: 0,
        }
    }

    /// The cassette in slot `n`, counted from 1.
    pub fn cassette(&mut self, n: u8) -> Option<&mut Cassette> {
        let index = usize::from(n).checked_sub(1)?;
        self.cassettes.get_mut(index)
    }

    /// One blank leaves its cassette for the transport.
    pub fn feed(&mut self, number: BillNumber, readable: bool) {
        self.sheets.push(Sheet {
            number,
            readable,
            pages: Vec::new(),
            partial: false,
            place: Place::Transport,
        });
        self.note(self.sheets.len().saturating_sub(1));
    }

    /// Sheets at a place.
    pub fn at(&self, place: Place) -> impl Iterator<Item = &Sheet> {
        self.sheets.iter().filter(move |s| s.place == place)
    }

    /// How many lie at a place.
    pub fn count(&self, place: Place) -> u64 {
        self.at(place).fold(0, |n, _| n.saturating_add(1))
    }

    /// The sheet under the reader and the head: the one on top after a double feed.
    pub fn current(&mut self) -> Option<&mut Sheet> {
        self.sheets
            .iter_mut()
            .rev()
            .find(|s| s.place == Place::Transport)
    }

    /// Moves everything from one place to another; how many sheets.
    pub fn shift(&mut self, from: Place, to: Place) -> u64 {
        let mut moved = 0_u64;
        for index in 0..self.sheets.len() {
            let Some(sheet) = self.sheets.get_mut(index).filter(|s| s.place == from) else {
                continue;
            };
            sheet.place = to;
            moved = moved.saturating_add(1);
            self.note(index);
        }
        moved
    }

    /// A person with a ruler at the sheet that was inked last.
    pub fn measure(&self) -> Result<Ink, DeskError> {
        let inked = self.sheets.iter().rev().find(|s| !s.pages.is_empty());
        let refuse = |why: &str| DeskError(why.to_owned());
        let sheet = inked.ok_or_else(|| refuse("no sheet has ink on it"))?;
        let ink = (self.language.ink)(sheet.number, &sheet.pages.concat());
        let ink = ink.map_err(|e| refuse(&e.to_string()))?;
        ink.ok_or_else(|| refuse("there is no ink on the last sheet"))
    }

    /// Writes the list line of a sheet whose place changed.
    fn note(&mut self, index: usize) {
        let (Some(paper), Some(sheet)) = (&self.paper, self.sheets.get(index)) else {
            return;
        };
        if record::write(paper, sheet, self.language).is_err() {
            self.write_errors = self.write_errors.saturating_add(1);
        }
    }

    /// Every sheet, for tests.
    pub fn records(&self) -> Vec<SheetRecord> {
        let record = |sheet| SheetRecord::of(sheet, self.language);
        self.sheets.iter().map(record).collect()
    }
}

/// The blanks of a range, lowest in front.
pub fn blanks(range: BillRange) -> VecDeque<BillNumber> {
    let count = range.count().min(BLANKS_MAX);
    let kept = range.take_first(count).map_or(range, |(head, _)| head);
    kept.numbers().collect()
}
