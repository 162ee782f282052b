//! Twin of a 24-pin ESC/P2 printer that a person feeds by hand.
//!
//! Written from the command lists of the LQ family and the USB printer class. It
//! answers nothing on any pipe: there is the device id and the port status, 38
//! without a form, 18 with one, 10 with one and a fault (a jam, an open cover, no
//! ribbon). One strike line, feed or eject is one mechanical act; what is received
//! waits its turn, and nothing is forgotten but by SOFT_RESET. A form feed with no
//! sheet, and ink over none, do nothing to paper.

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
use crate::paper::escp2;
use crate::transport::{DeviceInfo, Setup};

/// Name on the desk.
pub const NAME: &str = "slip-printer";

/// Identity on the bus: a test id of pid.codes.
pub const IDENTITY: Identity = Identity {
    path: NAME,
    ids: (0x1209, 0x0003),
    maker: "SAMPLE",
    model: "LQ-24",
    serial: "LQ0001",
    command_set: "ESCP2",
};

const LANGUAGE: Language = Language {
    texts: escp2::texts,
    draw: escp2::form_preview,
    ink: escp2::form_ink,
};

/// The twin.
pub struct Escp2PrinterTwin(Engine);

impl Escp2PrinterTwin {
    /// A printer with this pile of blanks beside it; previews and the list of sheets
    /// go to `paper` if given.
    pub fn new(pile: BillRange, paper: Option<PathBuf>) -> Self {
        Self(Engine::new(Body::new(pile, paper, LANGUAGE)))
    }

    /// A clone whose port status is 18 for ever.
    pub fn with_constant_port(mut self) -> Self {
        self.0.constant_port = true;
        self
    }

    /// A variant with a smaller receive buffer: it takes no more while it prints.
    pub fn with_buffer(mut self, bytes: usize) -> Self {
        self.0.receive_max = bytes;
        self
    }

    /// A variant that takes a sheet in only on ESC EM I.
    pub fn inserting_on_command(mut self) -> Self {
        self.0.waits_for_command = true;
        self
    }

    /// A variant that refuses SOFT_RESET, as some printers do.
    pub fn without_reset(mut self) -> Self {
        self.0.resets = false;
        self
    }

    /// Every sheet that was ever put in, in that order.
    pub fn sheets(&self) -> Vec<SheetRecord> {
        self.0.body.path.records()
    }

    /// The bytes struck on every sheet, in the same order.
    pub fn pages(&self) -> Vec<Vec<u8>> {
        let sheets = &self.0.body.path.sheets;
        sheets.iter().map(|s| s.pages.concat()).collect()
    }
}

impl Twin for Escp2PrinterTwin {
    fn info(&self) -> DeviceInfo {
        IDENTITY.info()
    }

    fn control(&mut self, now: Duration, setup: Setup, _out: &[u8], len: u16) -> ControlReply {
        self.0.advance(now);
        let bytes = match printer_class::class_request(setup) {
            Some(ClassRequest::DeviceId) => IDENTITY.device_id(),
            Some(ClassRequest::PortStatus) => vec![self.0.port_status()],
            Some(ClassRequest::SoftReset) if self.0.resets => {
                self.0.soft_reset();
                Vec::new()
            }
            Some(ClassRequest::SoftReset) | None => return ControlReply::Stall,
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

    fn poll_in(&mut self, now: Duration, endpoint: u8, _max: usize) -> InReply {
        self.0.advance(now);
        if endpoint == printer_class::IN {
            InReply::Nak
        } else {
            InReply::Stall
        }
    }

    fn wakes_at(&self) -> Option<Duration> {
        self.0.wakes_at()
    }

    fn host_gone(&mut self, now: Duration) {
        self.0.advance(now);
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
