//! What the engine obeys, in order, and what a fault holds back.

use super::{Act, DIVERT, Duration, EJECT, Engine, FEED, LOAD, PRESENT, PRINT, READ};
use crate::paper::command::{self, Command, Step};
use crate::twin::form_printer::IDENTITY;
use crate::twin::form_printer::path::Place;

/// ESC L, with which the bytes of a page begin.
const PAGE_MODE: [u8; 2] = [0x1B, 0x4C];

impl Engine {
    pub(super) fn feeder_reply(&mut self, result: u8) {
        self.pipes.reply_block(&[0x37, 0x54], &[result]);
    }

    fn start(&mut self, act: Act, takes: Duration) {
        self.busy = Some((self.at.saturating_add(takes), act));
    }

    /// Executes one command from the front; `false` if there is none it may do now.
    pub(super) fn obey(&mut self) -> bool {
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
        let elsewhere = matches!(command, C::Feeder(0x30, _) | C::Presenter(2 | 3, _));
        (self.jammed && (moves || reports))
            || (self.cover_open && (moves || reports || elsewhere))
            || (self.ribbon_out && inking)
    }

    /// Page mode: everything is collected until FF prints it.
    fn in_page(&mut self, command: Command, raw: Vec<u8>) {
        let Some(page) = &mut self.page else { return };
        match command {
            Command::Initialise | Command::StandardMode => self.page = None,
            Command::Cancel => *page = PAGE_MODE.to_vec(),
            Command::Nothing => {}
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
                } else {
                    self.jam();
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
            C::PageMode => self.page = Some(PAGE_MODE.to_vec()),
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
            // A sheet that is not there does not arrive: mechanical error.
            C::LoadToPrintStart | C::FormFeed => self.jam(),
            C::Presenter(2 | 3, _) if self.presenter_jammed => {}
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
}
