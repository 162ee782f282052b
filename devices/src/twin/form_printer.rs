//! Twin of the form printer: a blank feeder, a number reader, an ESC/POS slip
//! station, an escrow with a presenter, a reject and a retract bin.
//!
//! ```text
//!  cassettes 1..8 ──feed──► transport (reader, print head) ──FF──► escrow ──GS e 3──► output ──hand──► taken
//!                               │ FS a 2                                                │ GS e 2
//!                               ▼                                                       ▼
//!                            reject bin                                             retract bin
//! ```
//!
//! Standard, from public manuals: USB printer class; ESC @, GS a, DLE EOT, page
//! mode, `GS ( H`, FF (print and eject), ESC c 0 4, FS a 0/1/2, FS ( f and their
//! replies (Epson slip and MICR family, TM-H5000II specification); GS e 2/3/6 and
//! its status byte (Custom KPM-210/216).
//!
//! Our choice, because no public manual has a blank feeder:
//! - `1C 28 53 02 00 30 n` (FS ( S fn 48) feeds one blank from slot n and answers
//!   `37 54 r 00`: 40 fed, 41 slot empty, 43 jammed (paper moved), 44 transport
//!   not clear, 45 no such slot, 46 no ribbon; only 40 and 43 move paper.
//! - `1C 28 53 02 00 31 30` (fn 49) answers `37 53` ribbon (40 ok, 42 out), four
//!   digits of bundles in the retract bin, then for each slot its digit and level
//!   (40 ok, 41 low, 42 empty), `00`.
//! - FF sends the sheet into the escrow, FS a 2 into the reject bin.
//! - The roll-end bits of pushed status stand for the ribbon.
//! - FS ( S fn 49 and GS e 6 are answered although a jam is reported.
//! - FS a 1 and FF without a sheet are a mechanical error, as a sheet that does not
//!   arrive is; nothing behind them is answered until it is cleared.
//! - The presenter has a jam of its own, which only GS e 6 shows: neither sensor
//!   sees the bundle then. It works behind a jammed transport.
//! - With the cover open nothing moves; what was queued goes on when it is closed.
//!
//! The mechanics go on when the host is gone, as they do when a kiosk's computer
//! loses power: what was received is worked off, paper stays where it is.

mod desk;
mod engine;
pub(in crate::twin) mod path;
pub(in crate::twin) mod record;

use std::path::PathBuf;
use std::time::Duration;

use counterfoil_data::bill::BillRange;
use counterfoil_data::ids::SlotId;

pub use self::engine::{DIVERT, EJECT, FEED, LOAD, PRESENT, PRINT, READ};
pub use self::path::Place;
pub use self::record::SheetRecord;

use self::engine::Engine;
use super::printer_class::{self, ClassRequest, Identity};
use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::transport::{DeviceInfo, Setup};

/// Name on the desk.
pub const NAME: &str = "form-printer";

/// Identity on the bus: a test id of pid.codes, since no product has this shape.
pub const IDENTITY: Identity = Identity {
    path: NAME,
    ids: (0x1209, 0x0002),
    maker: "SAMPLE",
    model: "FORM-PRINTER",
    serial: "FP0001",
    command_set: "ESC/POS",
};

/// The twin.
pub struct FormPrinterTwin(Engine);

impl FormPrinterTwin {
    /// A printer with these cassettes, slot 1 first; previews and the list of
    /// sheets go to `paper` if given.
    pub fn new(
        slots: impl IntoIterator<Item = (SlotId, BillRange)>,
        paper: Option<PathBuf>,
    ) -> Self {
        Self(Engine::new(slots, paper))
    }

    /// A variant that stalls SOFT_RESET, as some printers do.
    pub fn without_reset(mut self) -> Self {
        self.0.resets = false;
        self
    }

    /// Every sheet that ever left a cassette, in feed order.
    pub fn sheets(&self) -> Vec<SheetRecord> {
        self.0.path.records()
    }

    /// The page bytes on every sheet, in feed order.
    pub fn pages(&self) -> Vec<Vec<u8>> {
        let sheets = &self.0.path.sheets;
        sheets.iter().map(|s| s.pages.concat()).collect()
    }
}

impl Twin for FormPrinterTwin {
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
        let said = desk::act(&mut self.0, line);
        self.0.advance(now);
        self.0.push_status();
        said
    }

    fn look(&self) -> Vec<String> {
        desk::look(&self.0)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.0.counters()
    }
}

#[cfg(test)]
mod tests;
