//! The print engine: obeys commands in order, moves paper over time.
//!
//! One mechanical act at a time; commands behind it wait in the receive buffer,
//! so an answer to a queued question proves that everything before it is done.

mod hands;
mod sensors;

use std::path::PathBuf;
use std::time::Duration;

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::SlotId;

use super::IDENTITY;
use super::path::{PaperPath, Place};
use crate::paper::command::{self, Command, Step};
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
    pub ribbon_out: bool,
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
            path: PaperPath::new(slots, paper),
            mishaps: Mishaps::default(),
            counts: Counts::default(),
            jammed: false,
            ribbon_out: false,
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
                RealTime::Enquiry(_) => {}
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

    fn feeder_reply(&mut self, result: u8) {
        self.pipes.reply_block(&[0x37, 0x54], &[result]);
    }

    fn start(&mut self, act: Act, takes: Duration) {
        self.busy = Some((self.at.saturating_add(takes), act));
    }

    /// Executes one command from the front; `false` if there is none it may do now.
    fn obey(&mut self) -> bool {
        let (command, taken) = match command::next(&self.pipes.received) {
            Step::Command(command, taken) => (command, taken),
            Step::NeedMore => return false,
            Step::Unknown(count) => {
                self.counts.unknown_commands = self.counts.unknown_commands.saturating_add(1);
                return !self.pipes.consume(count).is_empty();
            }
        };
        if self.must_wait(&command) {
            return false;
        }
        let raw = self.pipes.consume(taken);
        if self.page.is_some() {
            self.in_page(command, raw);
        } else {
            self.execute(command);
        }
        true
    }

    /// Whether a fault holds this command back until it is cleared.
    fn must_wait(&self, command: &Command) -> bool {
        use Command as C;
        let inking = self.page.is_some() && *command == C::FormFeed;
        let moves = matches!(
            command,
            C::ReadNumber(_) | C::LoadToPrintStart | C::FormFeed | C::EjectSheet
        );
        let reports = matches!(command, C::Fence(_) | C::TransmitStatus(_));
        (self.jammed && (moves || reports)) || (self.ribbon_out && inking)
    }

    /// Page mode: everything is collected until FF prints it.
    fn in_page(&mut self, command: Command, raw: Vec<u8>) {
        let Some(page) = &mut self.page else { return };
        match command {
            Command::Initialise | Command::StandardMode => self.page = None,
            Command::Cancel => page.clear(),
            Command::Fence(_) | Command::Identify(_) | Command::StatusBack(_) => {
                self.execute(command);
            }
            Command::FormFeed => {
                page.extend(raw);
                let page = std::mem::take(page);
                self.page = None;
                if self.path.count(Place::Transport) > 0 {
                    self.counts.prints = self.counts.prints.saturating_add(1);
                    self.start(Act::Print(page), PRINT);
                }
            }
            _ => page.extend(raw),
        }
    }

    fn execute(&mut self, command: Command) {
        use Command as C;
        let sheet = self.path.count(Place::Transport) > 0;
        match command {
            C::Initialise => self.detail = false,
            C::StatusBack(n) => {
                self.status_back = n != 0;
                self.pushed = self.status();
                let status = self.pushed;
                self.pipes.reply(&status);
            }
            C::SelectPaper(n) => self.slip_selected = sheet || n & 0x04 != 0,
            C::PageMode => self.page = Some(vec![0x1B, 0x4C]),
            C::ReadOptions(pairs) => self.detail = pairs.contains(&(1, 1)),
            C::Feeder(0x30, slot) => self.begin_feed(slot, sheet),
            C::Feeder(..) => {
                let body = self.mechanism_report();
                self.pipes.reply_block(&[0x37, 0x53], &body);
            }
            C::ReadNumber(_) => self.start(Act::Read, READ),
            C::Retransmit => self.pipes.reply(&self.last_reading.clone()),
            C::LoadToPrintStart if sheet => self.start(Act::Load, LOAD),
            C::FormFeed if sheet => self.start(Act::Eject, EJECT),
            C::EjectSheet if sheet => self.start(Act::Divert, DIVERT),
            C::Presenter(3, _) => self.start(Act::Present, PRESENT),
            C::Presenter(2, _) => self.start(Act::Retract, PRESENT),
            C::Presenter(6, _) => self.pipes.reply(&[self.presenter_status()]),
            C::Fence(id) => self.pipes.reply_block(&[0x37, 0x22], &id),
            C::TransmitStatus(_) => {
                let byte = if self.ribbon_out { 0x0C } else { 0 };
                self.pipes.reply(&[byte]);
            }
            C::Identify(0x42) => self.pipes.reply_block(&[0x5F], IDENTITY.maker.as_bytes()),
            C::Identify(0x43) => self.pipes.reply_block(&[0x5F], IDENTITY.model.as_bytes()),
            C::Identify(0x44) => self.pipes.reply_block(&[0x5F], IDENTITY.serial.as_bytes()),
            _ => {}
        }
    }

    /// Refusals that move no paper are answered at once.
    fn begin_feed(&mut self, slot: u8, sheet: bool) {
        let refusal = match self.path.cassette(slot) {
            None => Some(0x45),
            Some(_) if self.jammed => Some(0x43),
            Some(_) if sheet => Some(0x44),
            Some(_) if self.ribbon_out => Some(0x46),
            Some(cassette) if cassette.blanks.is_empty() => Some(0x41),
            Some(_) => None,
        };
        match refusal {
            Some(result) => self.feeder_reply(result),
            None => self.start(Act::Feed(slot), FEED),
        }
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
