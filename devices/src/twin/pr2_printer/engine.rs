//! The print engine: obeys commands in order, one mechanical act at a time.

use std::time::Duration;

use crate::paper::pr2::{self, Command, Step};
use crate::twin::DeskError;
use crate::twin::printer_class::{Pipes, RECEIVE_MAX};
use crate::twin::slip::{self, Body};

/// One text across the sheet.
pub const STRIKE: Duration = Duration::from_millis(250);
/// The document from the entry to its first line.
const TAKE_IN: Duration = Duration::from_millis(400);
/// The document out at the front.
pub const EJECT: Duration = Duration::from_millis(600);

/// A mechanical act in progress.
#[derive(Debug)]
enum Act {
    TakeIn,
    Strike(Vec<u8>),
    Eject,
}

/// The engine.
#[derive(Debug)]
pub(super) struct Engine {
    pub body: Body,
    pub pipes: Pipes,
    pub answers_at_once: bool,
    at: Duration,
    busy: Option<(Duration, Act)>,
    /// The document was taken in from the entry.
    inside: bool,
}

impl Engine {
    pub fn new(body: Body) -> Self {
        Self {
            body,
            pipes: Pipes::default(),
            answers_at_once: false,
            at: Duration::ZERO,
            busy: None,
            inside: false,
        }
    }

    pub fn wakes_at(&self) -> Option<Duration> {
        self.busy.as_ref().map(|(at, _)| *at)
    }

    /// Takes in what fits.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        let room = RECEIVE_MAX.saturating_sub(self.pipes.received.len());
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        if self.answers_at_once {
            for question in taken.windows(3) {
                match question {
                    [0x1B, b'j', _] => self.say_status(),
                    [0x1B, b' ', b'B'] => self.say_position(),
                    _ => {}
                }
            }
        }
        self.pipes.received.extend(taken);
        taken.len()
    }

    /// SOFT_RESET: buffers, never paper.
    pub fn soft_reset(&mut self) {
        self.pipes.reset();
    }

    pub fn desk(&mut self, line: &str) -> Result<String, DeskError> {
        let said = slip::act(&mut self.body, line);
        if !self.body.sheet() {
            self.inside = false;
        }
        // What moves stands still; the text it was at is struck in part.
        if (self.body.jammed || self.body.cover_open)
            && let Some((_, Act::Strike(bytes))) = self.busy.take()
        {
            self.body.strike(&bytes, true);
            self.body.jam();
        }
        if self.body.jammed {
            self.pipes.received.clear();
        }
        said
    }

    /// Does everything that is due by `now`.
    pub fn advance(&mut self, now: Duration) {
        loop {
            match self.busy.take() {
                Some((due, act)) if due > now => {
                    self.busy = Some((due, act));
                    return;
                }
                Some((due, act)) => {
                    self.at = due;
                    self.finish(act);
                }
                None if !self.obey() => {
                    self.at = now;
                    return;
                }
                None => {}
            }
        }
    }

    fn finish(&mut self, act: Act) {
        match act {
            Act::TakeIn => self.inside = true,
            Act::Strike(bytes) => self.body.strike(&bytes, true),
            Act::Eject => {
                self.body.eject();
                self.inside = self.body.sheet();
                if self.body.jammed {
                    // Only the questions behind it are left.
                    let questions = [0x1B, b'j', 0x1B, b' ', b'B'];
                    let asked = self.pipes.received.ends_with(&questions);
                    self.pipes.received.clear();
                    if asked {
                        self.pipes.received.extend(questions);
                    }
                }
            }
        }
    }

    /// Executes one command from the front; `false` if there is none it may do now.
    fn obey(&mut self) -> bool {
        let (command, taken) = match pr2::next(&self.pipes.received) {
            Step::Command(command, taken) => (command, taken),
            Step::NeedMore => return false,
            Step::Unknown(count) => {
                let unknown = &mut self.body.counts.unknown_commands;
                *unknown = unknown.saturating_add(1);
                return !self.pipes.consume(count).is_empty();
            }
        };
        let moves = matches!(
            command,
            Command::Text(_) | Command::Eject | Command::ToLine(_)
        );
        if moves && self.body.stopped() {
            return false;
        }
        let raw = self.pipes.consume(taken);
        match command {
            Command::AskStatus if !self.answers_at_once => self.say_status(),
            Command::AskPosition if !self.answers_at_once => self.say_position(),
            Command::ToLine(_) if self.body.sheet() && !self.inside => {
                self.start(Act::TakeIn, TAKE_IN);
            }
            Command::Text(_) => self.start(Act::Strike(raw), STRIKE),
            Command::Eject if self.body.sheet() => self.start(Act::Eject, EJECT),
            Command::AskStatus
            | Command::AskPosition
            | Command::Eject
            | Command::Reset
            | Command::ResetError => {}
            // A placement belongs to the sheet it was made for.
            _ => self.body.strike(&raw, true),
        }
        true
    }

    fn start(&mut self, act: Act, takes: Duration) {
        self.busy = Some((self.at.saturating_add(takes), act));
    }

    /// `ESC r x`.
    fn say_status(&mut self) {
        let body = &self.body;
        let x = match (body.jammed, body.cover_open, body.ribbon_out) {
            (true, _, _) => b'2',
            (false, true, _) => b'4',
            (false, false, true) => b'8',
            (false, false, false) => b'0',
        };
        self.pipes.reply(&[0x1B, b'r', x]);
    }

    /// `ESC B 5 m ESC Z`.
    fn say_position(&mut self) {
        let m = match (self.body.sheet(), self.inside) {
            (false, _) => b'0',
            (true, false) => b'1',
            (true, true) => b'2',
        };
        self.pipes.reply(&[0x1B, b'B', b'5', m, 0x1B, b'Z']);
    }
}
