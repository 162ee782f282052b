//! The physical side that slip printers fed by hand share: a pile of blanks beside
//! it, one sheet in it, what it ejected at the front.
//!
//! ```text
//!  pile ──insert──► in the printer ──eject──► front ──take──► taken
//!                        │ pull                 │ empty
//!                        ▼                      ▼
//!                      taken                  reject (kept by staff)
//! ```
//!
//! Owns the desk's vocabulary, the mishaps and the sheets. Refuses a second sheet in
//! the printer. Called by the twins of ESC/P2 and PR2 printers and of slip stations.

mod desk;

use std::path::PathBuf;

use counterfoil_data::bill::{BillNumber, BillRange};

use super::form_printer::path::{PaperPath, Place};
use super::form_printer::record::Language;

pub use self::desk::{act, look};

/// What the desk prepared for the next sheet.
#[derive(Debug, Default)]
pub struct Mishaps {
    /// Another number lies on top of the pile.
    pub stranger: Option<BillNumber>,
    /// The next two blanks are swapped.
    pub swap: bool,
    /// Its number cannot be read by a reader.
    pub unreadable: bool,
    /// Sheets that still go well before one jams at its eject.
    pub jam_after: Option<u64>,
}

/// Counters, by name.
#[derive(Debug, Default)]
pub struct Counts {
    /// Sheets that came in.
    pub inserted: u64,
    /// Sheets with ink.
    pub inked: u64,
    /// Sheets ejected to the front.
    pub ejected: u64,
    /// Sheets taken from there, or pulled out.
    pub taken: u64,
    /// Jams.
    pub jams: u64,
    /// Commands the printer does not know.
    pub unknown_commands: u64,
}

/// Everything a hand can touch.
#[derive(Debug)]
pub struct Body {
    /// One pile, and every sheet that left it.
    pub path: PaperPath,
    /// What will go wrong.
    pub mishaps: Mishaps,
    /// What happened.
    pub counts: Counts,
    /// A sheet is stuck.
    pub jammed: bool,
    /// The cover is open.
    pub cover_open: bool,
    /// The ribbon is used up.
    pub ribbon_out: bool,
}

impl Body {
    /// A printer with this pile beside it.
    pub fn new(pile: BillRange, paper: Option<PathBuf>, language: Language) -> Self {
        let slot = "slot-1".parse().ok();
        let pile = slot.map(|slot| (slot, pile));
        Self {
            path: PaperPath::new(pile, paper, language),
            mishaps: Mishaps::default(),
            counts: Counts::default(),
            jammed: false,
            cover_open: false,
            ribbon_out: false,
        }
    }

    /// Whether a sheet lies in the printer.
    pub fn sheet(&self) -> bool {
        self.path.count(Place::Transport) > 0
    }

    /// Whether it stands still until somebody helps.
    pub fn stopped(&self) -> bool {
        self.jammed || self.cover_open || self.ribbon_out
    }

    /// Bytes are struck on the sheet in the printer; over no sheet, on the platen.
    pub fn strike(&mut self, bytes: &[u8], inks: bool) {
        let Some(sheet) = self.path.current() else {
            return;
        };
        let was_blank = sheet.pages.is_empty();
        match sheet.pages.last_mut() {
            Some(page) => page.extend(bytes),
            None if inks => sheet.pages.push(bytes.to_vec()),
            None => return,
        }
        self.counts.inked = self.counts.inked.saturating_add(u64::from(was_blank));
    }

    /// The sheet goes out at the front, or jams on its way.
    pub fn eject(&mut self) {
        let jams = self.mishaps.jam_after == Some(0);
        self.mishaps.jam_after = match self.mishaps.jam_after {
            Some(0) | None => None,
            Some(n) => Some(n.saturating_sub(1)),
        };
        if jams && self.sheet() {
            self.jam();
            return;
        }
        let moved = self.path.shift(Place::Transport, Place::Output);
        self.counts.ejected = self.counts.ejected.saturating_add(moved);
    }

    /// What lies in the printer is stuck, with what ink it has.
    pub fn jam(&mut self) {
        if let Some(sheet) = self.path.current() {
            sheet.partial = !sheet.pages.is_empty();
        }
        self.jammed = true;
        self.counts.jams = self.counts.jams.saturating_add(1);
    }

    /// A hand puts the next blank in.
    pub fn insert(&mut self) -> Option<BillNumber> {
        let stranger = self.mishaps.stranger.take();
        let swap = std::mem::take(&mut self.mishaps.swap);
        let readable = !std::mem::take(&mut self.mishaps.unreadable);
        let pile = self.path.cassette(1)?;
        if swap && pile.blanks.len() >= 2 {
            pile.blanks.swap(0, 1);
        }
        let number = stranger.or_else(|| pile.blanks.pop_front())?;
        self.path.feed(number, readable);
        self.counts.inserted = self.counts.inserted.saturating_add(1);
        Some(number)
    }

    /// By name, for tests.
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        let c = &self.counts;
        vec![
            ("inserted", c.inserted),
            ("inked", c.inked),
            ("ejected", c.ejected),
            ("taken", c.taken),
            ("jams", c.jams),
            ("unknown-commands", c.unknown_commands),
            ("write-errors", self.path.write_errors),
        ]
    }
}
