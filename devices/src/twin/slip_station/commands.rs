//! What the engine obeys, in order, and what a fault holds back.

use super::IDENTITY;
use super::engine::{Act, At, EJECT, Engine, FEED, Function, LOAD, READ, STRIKE};
use crate::paper::command::{self, Command, Step};

impl Engine {
    /// Executes one command from the front; `false` if there is none it may do now.
    pub(super) fn obey(&mut self) -> bool {
        let (command, taken) = match command::next(&self.pipes.received) {
            Step::Command(command, taken) => (command, taken),
            Step::NeedMore => return false,
            Step::Unknown(count) => {
                self.unknown();
                return !self.pipes.consume(count).is_empty();
            }
        };
        if self.is_off_line() && must_wait(&command) {
            return false;
        }
        let raw = self.pipes.consume(taken);
        self.execute(command, raw);
        true
    }

    fn unknown(&mut self) {
        let unknown = &mut self.body.counts.unknown_commands;
        *unknown = unknown.saturating_add(1);
    }

    fn execute(&mut self, command: Command, raw: Vec<u8>) {
        use Command as C;
        match command {
            C::Text(_) | C::AbsoluteX(_) => self.line.extend(raw),
            C::LineFeed | C::FeedDots(_) | C::FeedLines(_) => self.print(raw),
            C::FormFeed => self.eject(),
            C::Initialise => {
                self.function = Function::Roll;
                (self.detail, self.keeps) = (false, false);
                self.line.clear();
                self.modes.clear();
            }
            C::StatusBack(n) => {
                self.status_back = n != 0;
                self.pushed = self.status();
                let status = self.pushed;
                self.pipes.reply(&status);
            }
            C::SlipWait(minutes, tenths) => self.patience = (minutes, tenths),
            C::SelectPaper(n) if n & 0x04 != 0 => self.begin_waiting(Function::Slip),
            C::SelectPaper(_) => self.function = Function::Roll,
            C::TransmitStatus(_) | C::TransmitPaper => self.pipes.reply(&[0]),
            C::Identify(0x42) => self.pipes.reply_block(&[0x5F], IDENTITY.maker.as_bytes()),
            C::Identify(0x43) => self.pipes.reply_block(&[0x5F], IDENTITY.model.as_bytes()),
            C::Identify(0x44) => self.pipes.reply_block(&[0x5F], IDENTITY.serial.as_bytes()),
            C::ReadOptions(_)
            | C::ReadNumber(_)
            | C::LoadToPrintStart
            | C::EjectSheet
            | C::Retransmit
                if self.has_reader =>
            {
                self.read_by(command);
            }
            // In order, but of another printer.
            C::ReadOptions(_)
            | C::ReadNumber(_)
            | C::LoadToPrintStart
            | C::EjectSheet
            | C::Retransmit
            | C::Fence(_)
            | C::Feeder(..)
            | C::Presenter(..) => self.unknown(),
            C::Nothing | C::Cancel | C::StandardMode | C::SelectDevice(_) | C::Sensors(_) => {}
            // A setting is of every sheet that is printed with it.
            _ => {
                self.before.extend(&raw);
                self.modes.extend(raw);
            }
        }
    }

    /// The magnetic reader's commands.
    fn read_by(&mut self, command: Command) {
        use Command as C;
        let holds = self.function == Function::Reader && self.at == At::Inside;
        match command {
            C::ReadOptions(pairs) => {
                self.detail = pairs.contains(&(1, 1));
                self.keeps = pairs.contains(&(2, 1));
            }
            C::ReadNumber(_) if self.at == At::Inside => {
                self.function = Function::Reader;
                self.start(Act::Read, READ);
            }
            C::ReadNumber(_) => self.begin_waiting(Function::Reader),
            C::LoadToPrintStart if holds => {
                self.function = Function::Slip;
                self.start(Act::Load, LOAD);
            }
            C::EjectSheet if holds => self.start(Act::Eject, EJECT),
            C::Retransmit => self.pipes.reply(&self.last_reading.clone()),
            _ => {}
        }
    }

    /// The line that was begun, and a feed; on the roll where that is selected.
    fn print(&mut self, raw: Vec<u8>) {
        let mut line = std::mem::take(&mut self.line);
        let blank = line.is_empty();
        line.extend(raw);
        match (self.function, self.at) {
            (Function::Slip, At::Inside) if blank => self.start(Act::Feed(line), FEED),
            (Function::Slip, At::Inside) => self.start(Act::Strike(line), STRIKE),
            _ if blank => {}
            _ => self.start(Act::Roll, STRIKE),
        }
    }

    /// FF: what is left of a line, then the sheet out.
    fn eject(&mut self) {
        if self.function != Function::Slip || self.at != At::Inside {
            return;
        }
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.start(Act::Strike(line), STRIKE);
            self.pipes.put_back(&[0x0C]);
            return;
        }
        self.before.clear();
        self.start(Act::Eject, EJECT);
    }
}

/// What an off-line station holds back.
fn must_wait(command: &Command) -> bool {
    use Command as C;
    !matches!(
        command,
        C::Initialise
            | C::StatusBack(_)
            | C::Identify(_)
            | C::SelectDevice(_)
            | C::StandardMode
            | C::Cancel
            | C::Nothing
    )
}
