//! The print engine: obeys commands in order, moves paper over time.
//!
//! One mechanical act at a time; commands behind it wait in the receive buffer,
//! so an answer to a queued question proves that everything before it is done.

mod commands;
mod hands;
mod sensors;

use std::path::PathBuf;
use std::time::Duration;

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::SlotId;

use super::path::{PaperPath, Place};
use super::record::ESC_POS;
use crate::twin::printer_class::{Pipes, RealTime};

/// A blank from cassette to reader.
pub const FEED: Duration = Duration::from_millis(300);
/// One reading of the number.
pub const READ: Duration = Duration::from_millis(400);
/// From the reader to the print start.
pub const LOAD: Duration = Duration::from_millis(100);
/// Ink.
pub const PRINT: Duration = Duration::from_millis(900);
/// Into the escrow.
pub const EJECT: Duration = Duration::from_millis(300);
/// Into the reject bin.
pub const DIVERT: Duration = Duration::from_millis(300);
/// The bundle to the customer, or back into the retract bin.
pub const PRESENT: Duration = Duration::from_millis(500);

/// A mechanical act in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Feed(u8),
    Read,
    Load,
    Print(Vec<u8>),
    Eject,
    Divert,
    Present,
    Retract,
}

/// What the desk prepared for the next feed.
#[derive(Debug, Default)]
pub(super) struct Mishaps {
    pub swap: bool,
    pub double: bool,
    pub unreadable: bool,
    pub stranger: Option<BillNumber>,
    /// Feeds that still go well before one jams.
    pub jam_after: Option<u64>,
    /// The next presenter act jams.
    pub jam_presenter: bool,
}

/// Counters, by name.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub feeds: u64,
    pub reads: u64,
    pub prints: u64,
    pub inked: u64,
    pub presented: u64,
    pub taken: u64,
    pub retracted: u64,
    pub diverted: u64,
    pub jams: u64,
    pub unknown_commands: u64,
}

/// The engine.
#[derive(Debug)]
pub(super) struct Engine {
    pub pipes: Pipes,
    pub path: PaperPath,
    pub mishaps: Mishaps,
    pub counts: Counts,
    pub jammed: bool,
    /// A bundle is stuck between the presenter's sensors.
    pub presenter_jammed: bool,
    pub cover_open: bool,
    pub ribbon_out: bool,
    /// A variant that refuses SOFT_RESET, as many clones do.
    pub resets: bool,
    at: Duration,
    busy: Option<(Duration, Act)>,
    page: Option<Vec<u8>>,
    slip_selected: bool,
    status_back: bool,
    detail: bool,
    pushed: [u8; 4],
    last_reading: Vec<u8>,
}

impl Engine {
    pub fn new(
        slots: impl IntoIterator<Item = (SlotId, BillRange)>,
        paper: Option<PathBuf>,
    ) -> Self {
        Self {
            pipes: Pipes::default(),
            path: PaperPath::new(slots, paper, ESC_POS),
            mishaps: Mishaps::default(),
            counts: Counts::default(),
            jammed: false,
            presenter_jammed: false,
            cover_open: false,
            ribbon_out: false,
            resets: true,
            at: Duration::ZERO,
            busy: None,
            page: None,
            slip_selected: false,
            status_back: false,
            detail: false,
            pushed: [0; 4],
            last_reading: Vec::new(),
        }
    }

    pub fn wakes_at(&self) -> Option<Duration> {
        self.busy.as_ref().map(|(at, _)| *at)
    }

    /// Does everything that is due by `now`.
    pub fn advance(&mut self, now: Duration) {
        loop {
            match self.busy.take() {
                Some((due, act)) if due > now => {
                    self.busy = Some((due, act));
                    break;
                }
                Some((due, act)) => {
                    self.at = due;
                    self.finish(act);
                }
                None => {
                    if !self.obey() {
                        self.at = now;
                        break;
                    }
                }
            }
            self.push_status();
        }
        self.push_status();
    }

    /// Takes bytes in; real-time commands are answered at once.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        let (taken, urgent) = self.pipes.take(bytes);
        for command in urgent {
            match command {
                RealTime::Status(n) => {
                    let byte = self.real_time(n);
                    self.pipes.reply(&[byte]);
                }
                // 2: clear the buffers and recover; 1 and 3 would move a form.
                RealTime::Enquiry(2) => {
                    self.pipes.received.clear();
                    self.page = None;
                }
                RealTime::Enquiry(_) | RealTime::Reader(_) => {}
            }
        }
        taken
    }

    /// SOFT_RESET: buffers and modes, never paper.
    pub fn soft_reset(&mut self) {
        self.pipes.reset();
        self.page = None;
        self.status_back = false;
        self.detail = false;
    }

    fn finish(&mut self, act: Act) {
        match act {
            Act::Feed(slot) => self.fed(slot),
            Act::Read => self.read(),
            Act::Load => {}
            Act::Print(page) => self.ink(page, false),
            Act::Eject => {
                self.path.shift(Place::Transport, Place::Escrow);
                self.slip_selected = false;
            }
            Act::Divert => {
                let moved = self.path.shift(Place::Transport, Place::Reject);
                self.counts.diverted = self.counts.diverted.saturating_add(moved);
                self.slip_selected = false;
            }
            Act::Present | Act::Retract if self.mishaps.jam_presenter => {
                self.mishaps.jam_presenter = false;
                self.presenter_jammed = true;
                self.counts.jams = self.counts.jams.saturating_add(1);
            }
            Act::Present => {
                let moved = self.path.shift(Place::Escrow, Place::Output);
                self.counts.presented = self.counts.presented.saturating_add(moved);
            }
            Act::Retract => {
                let moved = self.path.shift(Place::Output, Place::Retract);
                self.counts.retracted = self.counts.retracted.saturating_add(moved);
                let bundles = self.path.retracted_bundles;
                self.path.retracted_bundles = bundles.saturating_add(u32::from(moved > 0));
            }
        }
    }

    /// A blank arrived, or did not.
    fn fed(&mut self, slot: u8) {
        let mishaps = &mut self.mishaps;
        let stranger = mishaps.stranger.take();
        let swap = std::mem::take(&mut mishaps.swap);
        let count = 1_u8.saturating_add(u8::from(std::mem::take(&mut mishaps.double)));
        let readable = !std::mem::take(&mut mishaps.unreadable);
        let jam = mishaps.jam_after == Some(0);
        mishaps.jam_after = match mishaps.jam_after {
            Some(0) | None => None,
            Some(n) => Some(n.saturating_sub(1)),
        };
        for _ in 0..count {
            let Some(cassette) = self.path.cassette(slot) else {
                break;
            };
            if swap && cassette.blanks.len() >= 2 {
                cassette.blanks.swap(0, 1);
            }
            if let Some(number) = stranger.or_else(|| cassette.blanks.pop_front()) {
                self.counts.feeds = self.counts.feeds.saturating_add(1);
                self.path.feed(number, readable);
            }
        }
        self.slip_selected = true;
        if jam {
            self.jam();
        }
        self.feeder_reply(if jam { 0x43 } else { 0x40 });
    }

    /// FS a 0: `5F status [detail 1F] digits 00`.
    fn read(&mut self) {
        self.counts.reads = self.counts.reads.saturating_add(1);
        let detail = self.detail;
        let seen = self.path.current().map(|s| (s.readable, s.number));
        let (status, code, digits) = match seen {
            Some((true, number)) => (0x40, 0x40, number.to_string()),
            Some((false, _)) => (0x60, 0x46, String::new()),
            None => (0x60, 0x41, String::new()),
        };
        let mut body = if detail {
            vec![status | 0x08, code, 0x1F]
        } else {
            vec![status]
        };
        body.extend_from_slice(digits.as_bytes());
        self.last_reading = [&[0x5F], body.as_slice(), &[0]].concat();
        self.pipes.reply(&self.last_reading.clone());
    }

    fn ink(&mut self, page: Vec<u8>, partial: bool) {
        if let Some(sheet) = self.path.current() {
            let first = sheet.pages.is_empty();
            sheet.pages.push(page);
            sheet.partial |= partial;
            self.counts.inked = self.counts.inked.saturating_add(u64::from(first));
        }
    }

    fn jam(&mut self) {
        self.jammed = true;
        self.counts.jams = self.counts.jams.saturating_add(1);
    }
}
