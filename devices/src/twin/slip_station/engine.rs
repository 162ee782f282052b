//! The print engine: obeys commands in order, one mechanical act at a time, and waits
//! for hands.

use std::time::Duration;

use super::Sensors;
use crate::twin::DeskError;
use crate::twin::form_printer::path::Place;
use crate::twin::printer_class::{Pipes, RealTime};
use crate::twin::slip::{self, Body};

/// One line across the sheet.
pub const STRIKE: Duration = Duration::from_millis(250);
/// One feed.
pub(super) const FEED: Duration = Duration::from_millis(20);
/// From the entry to the print start, or from the reader there.
pub const LOAD: Duration = Duration::from_millis(400);
/// One reading of the number.
pub const READ: Duration = Duration::from_millis(400);
/// The sheet out to the mouth.
pub const EJECT: Duration = Duration::from_millis(600);

/// A mechanical act in progress, with the bytes that asked for it.
#[derive(Debug)]
pub(super) enum Act {
    Load,
    Read,
    Strike(Vec<u8>),
    Feed(Vec<u8>),
    /// The line that was begun is printed on the way.
    Eject,
    /// A line on the roll.
    Roll,
}

/// What paper is for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Roll,
    Slip,
    Reader,
}

/// Where the sheet lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Nowhere,
    Entry,
    Inside,
    Mouth,
}

/// The engine.
#[derive(Debug)]
pub(super) struct Engine {
    pub body: Body,
    pub pipes: Pipes,
    pub sensors: Sensors,
    pub has_reader: bool,
    pub resets: bool,
    pub at: At,
    pub function: Function,
    /// A mechanical error; what is stuck may be out already.
    pub error: bool,
    pub busy: Option<(Duration, Act)>,
    pub status_back: bool,
    pub pushed: [u8; 4],
    /// Settings since ESC @.
    pub modes: Vec<u8>,
    /// What the next ink on this sheet comes with: settings, and feeds before it.
    pub before: Vec<u8>,
    /// The line that was begun.
    pub line: Vec<u8>,
    /// FS ( f: a detail byte; a sheet that cannot be read stays in.
    pub detail: bool,
    pub keeps: bool,
    pub last_reading: Vec<u8>,
    /// Minutes and tenths of seconds of ESC f.
    pub patience: (u8, u8),
    /// The waiting for a sheet ends here; `None` within is never.
    wait: Option<Option<Duration>>,
    /// When a sheet at the entry is taken in.
    grips: Option<Duration>,
    pub now: Duration,
    pub lines: u64,
    pub reads: u64,
    pub rolled: u64,
    pub retried: u64,
}

impl Engine {
    pub fn new(body: Body) -> Self {
        Self {
            body,
            pipes: Pipes::default(),
            sensors: Sensors::default(),
            has_reader: true,
            resets: true,
            at: At::Nowhere,
            function: Function::Roll,
            error: false,
            busy: None,
            status_back: false,
            pushed: [0; 4],
            modes: Vec::new(),
            before: Vec::new(),
            line: Vec::new(),
            detail: false,
            keeps: false,
            last_reading: Vec::new(),
            patience: (0, 5),
            wait: None,
            grips: None,
            now: Duration::ZERO,
            lines: 0,
            reads: 0,
            rolled: 0,
            retried: 0,
        }
    }

    pub fn wakes_at(&self) -> Option<Duration> {
        let busy = self.busy.as_ref().map(|(at, _)| *at);
        let all = [busy, self.grips, self.wait.flatten()];
        all.into_iter().flatten().min()
    }

    /// Whether it waits for a sheet.
    pub fn waits(&self) -> bool {
        self.wait.is_some()
    }

    /// Waits for a sheet from now on; one that lies at the entry is taken in.
    pub fn begin_waiting(&mut self, function: Function) {
        self.function = function;
        if self.at == At::Inside {
            return;
        }
        let (minutes, _) = self.patience;
        let patience = Duration::from_secs(u64::from(minutes).saturating_mul(60));
        let ends = (minutes > 0).then(|| self.now.saturating_add(patience));
        self.wait = Some(ends);
        self.grip();
    }

    /// A sheet at the entry of a station that waits is taken in when the hand lets go.
    fn grip(&mut self) {
        let (_, tenths) = self.patience;
        let lets_go = Duration::from_millis(u64::from(tenths).saturating_mul(100));
        let may = self.waits() && self.at == At::Entry && !self.is_off_line();
        self.grips = may.then(|| self.now.saturating_add(lets_go));
    }

    fn end_waiting(&mut self) {
        self.wait = None;
        self.grips = None;
    }

    /// Nobody came in time, or the host does not want one any more.
    fn gave_up(&mut self, detail: u8) {
        let by_reader = self.function == Function::Reader;
        self.end_waiting();
        self.function = Function::Roll;
        if by_reader {
            self.say_reading(0x60, detail, "");
        }
    }

    /// Takes bytes in; real-time commands are obeyed at once.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        let (taken, urgent) = self.pipes.take(bytes);
        for command in urgent {
            match command {
                RealTime::Status(n) => {
                    let byte = self.real_time(n);
                    self.pipes.reply(&[byte]);
                }
                RealTime::Reader(1) if self.has_reader => {
                    let byte = self.reader_status();
                    self.pipes.reply(&[byte]);
                }
                RealTime::Reader(_) => {}
                RealTime::Enquiry(1) => self.retried = self.retried.saturating_add(1),
                RealTime::Enquiry(2) => {
                    self.forget();
                    self.error &= self.body.jammed;
                }
                RealTime::Enquiry(3) if self.waits() => {
                    self.forget();
                    self.gave_up(0x42);
                }
                RealTime::Enquiry(_) => {}
            }
            self.push_status();
        }
        taken
    }

    /// What was received and not worked off.
    fn forget(&mut self) {
        self.pipes.received.clear();
        self.line.clear();
    }

    /// SOFT_RESET: buffers and pushed status, never paper, and no waiting.
    pub fn soft_reset(&mut self) {
        self.pipes.reset();
        self.line.clear();
        self.status_back = false;
    }

    /// Does everything that is due by `now`.
    pub fn advance(&mut self, now: Duration) {
        loop {
            self.push_status();
            let due = self.wakes_at().filter(|due| *due <= now);
            match due {
                Some(due) => {
                    self.now = due;
                    self.come_due();
                }
                None if self.busy.is_none() && !self.waits() && self.obey() => {}
                None => {
                    self.now = now;
                    break;
                }
            }
        }
        self.push_status();
    }

    fn come_due(&mut self) {
        if let Some((_, act)) = self.busy.take_if(|(due, _)| *due <= self.now) {
            self.finish(act);
        } else if self.grips.is_some_and(|due| due <= self.now) {
            self.end_waiting();
            self.start(Act::Load, LOAD);
        } else {
            self.gave_up(0x43);
        }
    }

    pub fn start(&mut self, act: Act, takes: Duration) {
        self.busy = Some((self.now.saturating_add(takes), act));
    }

    fn finish(&mut self, act: Act) {
        match act {
            Act::Load => {
                if self.at != At::Inside {
                    self.before = self.modes.clone();
                }
                self.at = At::Inside;
                if self.function == Function::Reader {
                    self.start(Act::Read, READ);
                }
            }
            Act::Read => self.read(),
            Act::Strike(bytes) => self.strike(&bytes),
            // A feed belongs to the ink behind it: alone it leaves none.
            Act::Feed(bytes) => self.before.extend(bytes),
            Act::Eject => {
                self.body.eject();
                self.error |= self.body.jammed;
                if !self.body.jammed {
                    self.at = At::Mouth;
                }
            }
            Act::Roll => self.rolled = self.rolled.saturating_add(1),
        }
    }

    /// A line is struck on the sheet; without a ribbon it leaves no ink.
    fn strike(&mut self, bytes: &[u8]) {
        self.lines = self.lines.saturating_add(1);
        if !self.body.ribbon_out {
            let mut all = std::mem::take(&mut self.before);
            all.extend(bytes);
            self.body.strike(&all, true);
        }
    }

    /// FS a 0: `5F status [detail 1F] digits 00`.
    fn read(&mut self) {
        self.reads = self.reads.saturating_add(1);
        let seen = self.body.path.current().map(|s| (s.readable, s.number));
        match seen {
            Some((true, number)) => self.say_reading(0x40, 0x40, &number.to_string()),
            Some((false, _)) if self.keeps => self.say_reading(0x60, 0x46, ""),
            Some((false, _)) => {
                self.say_reading(0x70, 0x46, "");
                self.start(Act::Eject, EJECT);
            }
            None => self.say_reading(0x60, 0x45, ""),
        }
    }

    pub fn say_reading(&mut self, status: u8, detail: u8, digits: &str) {
        let mut body = match self.detail {
            true => vec![status | 0x08, detail, 0x1F],
            false => vec![status],
        };
        body.extend_from_slice(digits.as_bytes());
        self.last_reading = [&[0x5F], body.as_slice(), &[0]].concat();
        self.pipes.reply(&self.last_reading.clone());
    }

    pub fn desk(&mut self, line: &str) -> Result<String, DeskError> {
        if line == "insert" && self.at == At::Mouth {
            let why = "a sheet lies at the mouth: take it first";
            return Err(DeskError(why.to_owned()));
        }
        let said = slip::act(&mut self.body, line)?;
        if line == "insert" {
            self.at = At::Entry;
            self.grip();
        }
        let stopped = self.body.jammed || self.body.cover_open;
        if stopped {
            self.stand_still();
        }
        self.see_what_is_gone();
        self.error |= self.body.jammed;
        if line == "cover close" {
            self.grip();
        }
        Ok(said)
    }

    /// What moves stands still; the line it was at is struck in part.
    fn stand_still(&mut self) {
        self.grips = None;
        match self.busy.take() {
            Some((_, Act::Strike(bytes))) => {
                self.strike(&bytes);
                self.body.jam();
            }
            Some((_, Act::Load | Act::Eject | Act::Read)) if self.body.sheet() => self.body.jam(),
            _ => {}
        }
    }

    /// A hand took the sheet away, wherever it was.
    fn see_what_is_gone(&mut self) {
        let inside = self.body.sheet();
        let at_mouth = self.body.path.count(Place::Output) > 0;
        let at = match self.at {
            At::Entry | At::Inside if !inside => At::Nowhere,
            At::Mouth if !at_mouth => At::Nowhere,
            at => at,
        };
        if at == self.at {
            return;
        }
        self.at = at;
        self.grips = None;
        match self.busy.take() {
            Some((_, Act::Strike(bytes))) => self.strike_what_was_pulled(&bytes),
            Some((_, Act::Read)) => self.say_reading(0x60, 0x45, ""),
            Some((due, Act::Roll)) => self.busy = Some((due, Act::Roll)),
            _ => {}
        }
        self.line.clear();
        if !self.waits() {
            self.function = Function::Roll;
        }
    }

    /// The head was at a line when the sheet was pulled out.
    fn strike_what_was_pulled(&mut self, bytes: &[u8]) {
        let Some(sheet) = self.body.path.sheets.last_mut() else {
            return;
        };
        if self.body.ribbon_out {
            return;
        }
        let inked = &mut self.body.counts.inked;
        *inked = inked.saturating_add(u64::from(sheet.pages.is_empty()));
        sheet
            .pages
            .push([&std::mem::take(&mut self.before), bytes].concat());
        sheet.partial = true;
    }
}
