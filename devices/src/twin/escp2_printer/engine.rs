//! The print engine: obeys commands in order, one mechanical act at a time.

use std::time::Duration;

use crate::paper::escp2::command::{self, Command, Step};
use crate::twin::DeskError;
use crate::twin::slip::{self, Body};

/// One line of strikes across the sheet.
pub const STRIKE: Duration = Duration::from_millis(250);
/// One feed.
const FEED: Duration = Duration::from_millis(20);
/// The sheet out at the front.
pub const EJECT: Duration = Duration::from_millis(600);
/// Receive buffer: what an LQ has with its graphics buffer.
const RECEIVE_MAX: usize = 8 * 1024;
/// The most a command may be long: an image of 22 inches at 360 dots.
const COMMAND_MAX: usize = 24 * 1024;

/// A mechanical act in progress, with the bytes that asked for it.
#[derive(Debug)]
enum Act {
    Strike(Vec<u8>),
    Feed(Vec<u8>),
    Eject,
}

/// The engine.
#[derive(Debug)]
pub(super) struct Engine {
    pub body: Body,
    pub constant_port: bool,
    pub waits_for_command: bool,
    pub receive_max: usize,
    pub resets: bool,
    received: Vec<u8>,
    at: Duration,
    busy: Option<(Duration, Act)>,
    /// A sheet lies at the entry and was not taken in.
    at_entry: bool,
}

impl Engine {
    pub fn new(body: Body) -> Self {
        Self {
            body,
            constant_port: false,
            waits_for_command: false,
            receive_max: RECEIVE_MAX,
            resets: true,
            received: Vec::new(),
            at: Duration::ZERO,
            busy: None,
            at_entry: false,
        }
    }

    pub fn wakes_at(&self) -> Option<Duration> {
        self.busy.as_ref().map(|(at, _)| *at)
    }

    /// GET_PORT_STATUS.
    pub fn port_status(&self) -> u8 {
        match (self.body.sheet(), self.body.stopped()) {
            _ if self.constant_port => 0x18,
            (true, false) => 0x18,
            (true, true) => 0x10,
            (false, false) => 0x38,
            (false, true) => 0x20,
        }
    }

    /// Takes in what fits behind the longest command that is under way.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        let room = self.receive_max.saturating_sub(self.received.len());
        let waits = matches!(command::next(&self.received), Step::NeedMore);
        let room = if waits && self.busy.is_none() && !self.body.stopped() {
            COMMAND_MAX.saturating_sub(self.received.len())
        } else {
            room
        };
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.received.extend(taken);
        taken.len()
    }

    /// SOFT_RESET: buffers, never paper.
    pub fn soft_reset(&mut self) {
        self.received.clear();
    }

    pub fn desk(&mut self, line: &str) -> Result<String, DeskError> {
        if line == "insert" && self.waits_for_command {
            self.at_entry = true;
            return Ok("a sheet lies at the entry".to_owned());
        }
        let said = slip::act(&mut self.body, line);
        if self.body.jammed || self.body.cover_open {
            self.stop();
        }
        said
    }

    /// What moves stands still; the line it was at is struck in part.
    fn stop(&mut self) {
        if let Some((_, Act::Strike(bytes))) = self.busy.take() {
            self.body.strike(&bytes, true);
            self.body.jam();
        }
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
                None if self.body.stopped() || !self.obey() => {
                    self.at = now;
                    return;
                }
                None => {}
            }
        }
    }

    fn finish(&mut self, act: Act) {
        match act {
            Act::Strike(bytes) => self.body.strike(&bytes, true),
            Act::Feed(bytes) => self.body.strike(&bytes, true),
            Act::Eject => self.body.eject(),
        }
    }

    /// Executes one command from the front; `false` if there is none.
    fn obey(&mut self) -> bool {
        let (command, taken) = match command::next(&self.received) {
            Step::Command(command, taken) => (Some(command), taken),
            Step::NeedMore => return false,
            Step::Unknown(count) => {
                let unknown = &mut self.body.counts.unknown_commands;
                *unknown = unknown.saturating_add(1);
                (None, count)
            }
        };
        let taken = taken.min(self.received.len());
        let raw: Vec<u8> = self.received.drain(..taken).collect();
        let (act, takes) = match command {
            Some(Command::Text(_) | Command::Image(..)) => (Act::Strike(raw), STRIKE),
            Some(Command::Feed(_) | Command::LineFeed) => (Act::Feed(raw), FEED),
            Some(Command::FormFeed | Command::Sheet(b'R')) if self.body.sheet() => {
                (Act::Eject, EJECT)
            }
            Some(Command::Sheet(b'I')) if self.at_entry => {
                self.at_entry = false;
                self.body.insert();
                return true;
            }
            None | Some(Command::FormFeed) => return true,
            // A setting belongs to the sheet it was made for.
            Some(_) => {
                self.body.strike(&raw, true);
                return true;
            }
        };
        self.busy = Some((self.at.saturating_add(takes), act));
        true
    }
}
