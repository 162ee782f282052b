//! Twin of an ESC/POS slip station that a person feeds by hand: a TM-H5000II with a
//! roll, a slip and a magnetic reader, or a relative with other sensors.
//!
//! ```text
//!  pile ──insert──► at the entry ──ESC c 0 4, FS a 0──► loaded ──FF, FS a 2──► at the mouth ──take──► taken
//!                        │ pull                            │ pull                    │ empty
//!                        ▼                                 ▼                         ▼
//!                      taken                             taken                reject (kept by staff)
//! ```
//!
//! Written from the TM-H5000II specification (slip states in bytes 3 and 4 of automatic
//! status, DLE EOT 5, DLE EOT BS 1, ESC f, FS a, FS ( f, FS b, DLE ENQ), the TM-U375
//! manual's example of print control for cut sheets, and the sensor bits of TM-U295,
//! TM-U375 and TM-U950.
//!
//! - Behind ESC c 0 4 and FS a 0 everything waits until a sheet is in, ESC f's minutes
//!   are over, or DLE ENQ 3 comes, which also forgets what was received.
//! - Text that is printed while the roll is selected goes to the roll, and is counted.
//! - A mechanical error stays one after the jam was cleared, until DLE ENQ 2.
//! - DLE ENQ 1 would eject the slip and load it again: it is counted, nothing more.
//! - No sensor knows of the ribbon: without one, lines are printed and leave no ink.
//!
//! Our choice, because no manual we know says it: ESC @ selects the roll and leaves a
//! sheet where it lies; while the reader holds a sheet, the roll is the paper to print
//! on; a sheet that is pulled out leaves the roll selected, as one that is taken does;
//! ESC @, GS a and GS I are obeyed although it is off-line, and it does not call itself
//! off-line while it waits; SOFT_RESET ends no waiting.

mod commands;
mod engine;
mod sensors;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use counterfoil_data::bill::BillRange;

pub use self::engine::{EJECT, LOAD, READ, STRIKE};
pub use self::sensors::Sensors;

use self::engine::Engine;
use super::form_printer::SheetRecord;
use super::form_printer::record::ESC_POS;
use super::printer_class::{self, ClassRequest, Identity};
use super::slip::{self, Body};
use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::transport::{DeviceInfo, Setup};

/// Name on the desk.
pub const NAME: &str = "slip-station";

/// Identity on the bus: a test id of pid.codes.
pub const IDENTITY: Identity = Identity {
    path: NAME,
    ids: (0x1209, 0x0005),
    maker: "SAMPLE",
    model: "SLIP-STATION",
    serial: "SS0001",
    command_set: "ESC/POS",
};

/// The twin.
pub struct SlipStationTwin(Engine);

impl SlipStationTwin {
    /// A station with this pile of blanks beside it; previews and the list of sheets
    /// go to `paper` if given.
    pub fn new(pile: BillRange, paper: Option<PathBuf>) -> Self {
        Self(Engine::new(Body::new(pile, paper, ESC_POS)))
    }

    /// A relative whose sensors have other bits.
    pub fn with_sensors(mut self, sensors: Sensors) -> Self {
        self.0.sensors = sensors;
        self
    }

    /// A variant without the magnetic reader: it knows none of its commands.
    pub fn without_reader(mut self) -> Self {
        self.0.has_reader = false;
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

    /// The bytes printed on every sheet, in the same order.
    pub fn pages(&self) -> Vec<Vec<u8>> {
        let sheets = &self.0.body.path.sheets;
        sheets.iter().map(|s| s.pages.concat()).collect()
    }
}

impl Twin for SlipStationTwin {
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
        let said = self.0.desk(line);
        self.0.advance(now);
        said
    }

    fn look(&self) -> Vec<String> {
        slip::look(&self.0.body)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.0.counters()
    }
}
