//! Twin of a printer in Olivetti PR2 emulation that a person feeds by hand.
//!
//! Written from the PR2 chapters of the Compuprint MDP40B, Tally T5023 and Olivetti
//! PR45 manuals: ESC j and its `ESC r x`, ESC SP B and its `ESC B id m ESC Z`,
//! `ESC L n` that takes the document in, `ESC / m n`, `ESC | A n`, ESC O.
//!
//! Our choice, because no public manual has them:
//! - x: `0` ready, `2` jammed, `4` cover open, `8` no ribbon; m: `0` no document, `1`
//!   at the entry, `2` in the printer; the stand is `5`.
//! - A document that is put in lies at the entry until it is taken in.
//! - Commands are worked off in order, the questions too, so an answer means that
//!   everything before it is done. A jam empties the buffer; with the cover open or
//!   no ribbon, text and eject wait, and all behind them.

mod engine;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use counterfoil_data::bill::BillRange;

pub use self::engine::{EJECT, STRIKE};

use self::engine::Engine;
use super::form_printer::SheetRecord;
use super::form_printer::record::Language;
use super::printer_class::{self, ClassRequest, Identity};
use super::slip::{self, Body};
use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::paper::pr2;
use crate::transport::{DeviceInfo, Setup};

/// Name on the desk.
pub const NAME: &str = "passbook-printer";

/// Identity on the bus: a test id of pid.codes.
pub const IDENTITY: Identity = Identity {
    path: NAME,
    ids: (0x1209, 0x0004),
    maker: "SAMPLE",
    model: "PR2-24",
    serial: "PR0001",
    command_set: "PR2",
};

const LANGUAGE: Language = Language {
    texts: pr2::texts,
    draw: pr2::form_preview,
    ink: pr2::form_ink,
};

/// The twin.
pub struct Pr2PrinterTwin(Engine);

impl Pr2PrinterTwin {
    /// A printer with this pile of blanks beside it; previews and the list of sheets
    /// go to `paper` if given.
    pub fn new(pile: BillRange, paper: Option<PathBuf>) -> Self {
        Self(Engine::new(Body::new(pile, paper, LANGUAGE)))
    }

    /// A variant that answers questions as they arrive, before what was sent earlier
    /// is done.
    pub fn answering_at_once(mut self) -> Self {
        self.0.answers_at_once = true;
        self
    }

    /// Every sheet that was ever put in, in that order.
    pub fn sheets(&self) -> Vec<SheetRecord> {
        self.0.body.path.records()
    }

    /// The bytes struck on every sheet, in feed order.
    pub fn pages(&self) -> Vec<Vec<u8>> {
        let sheets = &self.0.body.path.sheets;
        sheets.iter().map(|s| s.pages.concat()).collect()
    }
}

impl Twin for Pr2PrinterTwin {
    fn info(&self) -> DeviceInfo {
        IDENTITY.info()
    }

    fn control(&mut self, now: Duration, setup: Setup, _out: &[u8], len: u16) -> ControlReply {
        self.0.advance(now);
        let bytes = match printer_class::class_request(setup) {
            Some(ClassRequest::DeviceId) => IDENTITY.device_id(),
            Some(ClassRequest::PortStatus) => vec![0x18],
            Some(ClassRequest::SoftReset) => {
                self.0.soft_reset();
                Vec::new()
            }
            None => return ControlReply::Stall,
        };
        ControlReply::Data(bytes.into_iter().take(usize::from(len)).collect())
    }

    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        if endpoint != printer_class::OUT {
            return OutReply::Stall;
        }
        self.0.advance(now);
        let taken = self.0.receive(bytes);
        self.0.advance(now);
        if taken == 0 && !bytes.is_empty() {
            OutReply::Nak
        } else {
            OutReply::Took(taken)
        }
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        if endpoint != printer_class::IN {
            return InReply::Stall;
        }
        self.0.advance(now);
        self.0
            .pipes
            .transfer(max)
            .map_or(InReply::Nak, InReply::Data)
    }

    fn wakes_at(&self) -> Option<Duration> {
        self.0.wakes_at()
    }

    fn host_gone(&mut self, now: Duration) {
        self.0.advance(now);
        self.0.pipes.host_gone();
    }

    fn desk(&mut self, now: Duration, line: &str) -> Result<String, DeskError> {
        self.0.advance(now);
        let said = self.0.desk(line);
        self.0.advance(now);
        said
    }

    fn look(&self) -> Vec<String> {
        slip::look(&self.0.body)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.0.body.counters()
    }
}
