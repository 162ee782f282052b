//! ESC/POS slip stations that a hand feeds (Epson TM-H5000II, TM-U375 and their
//! relatives) as form printers: one cut sheet beside, or without, a receipt roll.
//!
//! ```text
//!            ESC c 0 4 / FS a 0           sheet comes            FF              taken
//!  roll selected ──► waiting for the slip ──► loaded: read, ink ──► at the mouth ──► roll
//!        ▲               │ DLE ENQ 3, ESC f              │ pulled out                 ▲
//!        └───────────────┴───────────────────────────────┴───────────────────────────┘
//! ```
//!
//! Everything that is sent behind ESC c 0 4 queues behind the wait, and goes to the
//! roll when that ends without a slip. So no line is sent before pushed status says
//! "selected and printable" and DLE EOT 5 says the same, and lines go one at a time,
//! each with a question behind it and a look at the sensors. What a bit of the sensors
//! means is the model's ([`SlipModel`]). Never DLE ENQ 1, which ejects a numbered sheet
//! and loads it again; ESC @ only where no sheet lies in it.
//!
//! `Done` is [`Grade::Ordered`]: every line's question was answered, and the sheet was
//! seen in the printer and then out of it. No sensor knows of the ribbon: that there is
//! ink on the sheet, only a person sees. The number is read by the magnetic reader
//! where one is fitted and configured, else by an operator ([`Readback`]). Acts and
//! refusals are those of [`super::escp2`]. Called by [`super::form_station`].
//!
//! Sources: TM-H5000II specification (slip, MICR), TM-U375 manual (example of print
//! control for cut sheets), TM-U295 and TM-U950 manuals (sensors).

mod feed;
mod ink;
mod model;
pub mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::Offset;
use counterfoil_data::ids::SlotId;
use counterfoil_data::seam::SharedClock;

use self::feed::{Held, Wanted};
pub use self::model::SlipModel;
use super::completion::Grade;
use super::escpos::command;
use super::escpos::fault::PrintFault;
use super::escpos::link::{Link, LinkError, Model};
use super::escpos::reply::Asb;
use super::form_printer::{
    Diverted, FormPrinterStatus, OPEN_WITHIN, Occupancy, ReadError, Taking, reading,
};
use super::numbered::{Gate, Readback};
use crate::transport::{DeviceInfo, Transport};

/// Time for what moves no paper.
const ASK: Duration = Duration::from_secs(3);
/// How long what the sensors say must not be contradicted.
const SETTLED: Duration = Duration::from_millis(300);

/// What the configuration says of this printer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlipSettings {
    /// Who reads the number.
    pub number: Readback,
    /// Whose bits its sensors have.
    pub model: SlipModel,
    /// By slot, from calibration.
    pub offsets: BTreeMap<SlotId, Offset>,
}

/// Whether this is such a printer; real ones are told by configuration.
pub fn matches(info: &DeviceInfo) -> bool {
    (info.vendor, info.product) == (0x1209, 0x0005)
}

/// What a pushed status means. Selected and not printable, a station may call itself
/// off-line: it waits for a hand then.
fn fault_of(asb: Asb) -> Option<PrintFault> {
    let [_, _, _, slip] = asb.0;
    let at_work = slip & 0x03 == 0x02;
    if asb.cover_open() {
        Some(PrintFault::CoverOpen)
    } else if asb.mechanical() {
        Some(PrintFault::MediaJammed)
    } else if asb.cutter() {
        Some(PrintFault::CutterFail)
    } else if asb.unrecoverable() {
        Some(PrintFault::HardwareError)
    } else if asb.offline() && !at_work {
        // Without a roll it stops, unless the slip is what it prints on.
        let fault = if asb.end() {
            PrintFault::PaperOut
        } else {
            PrintFault::Offline
        };
        Some(fault)
    } else {
        None
    }
}

/// What the link must know.
const MODEL: Model = Model {
    fault_of,
    parameters_max: command::FORM_PARAMETERS_MAX,
    may_be_blind: false,
    waits: &[&command::SLIP_STATUS],
};

/// The same of one whose reader may wait for a sheet, too.
const WITH_READER: Model = Model {
    waits: &[&command::SLIP_STATUS, &command::READER_STATUS],
    ..MODEL
};

/// What this handle knows of a sheet it ejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Front {
    /// Of none.
    Nothing,
    /// Without ink, or with what a failed print left on it.
    Diverted,
    /// Printed, and seen at the mouth.
    Shown,
    /// It was seen in the printer, and then gone.
    Gone,
}

/// An open slip station.
pub struct SlipStation<T> {
    link: Link<T>,
    settings: SlipSettings,
    gate: Gate,
    held: Held,
    front: Front,
}

impl<T: Transport> SlipStation<T> {
    /// Claims the printer, empties its buffers, ends a waiting for a slip that an
    /// earlier handle began, turns pushed status on. Moves no paper.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        settings: SlipSettings,
    ) -> Result<Self, LinkError> {
        let reads = settings.model.reads_numbers();
        let by_reader = reads && settings.number == Readback::Micr;
        let model = if by_reader { WITH_READER } else { MODEL };
        Ok(Self {
            link: Link::open(transport, clock, model, OPEN_WITHIN).await?,
            gate: Gate::with_reader(settings.number, reads),
            settings,
            held: Held::Unknown,
            front: Front::Nothing,
        })
    }

    /// Maker and model, as the printer says.
    pub fn model(&self) -> String {
        let id = self.link.id();
        format!("{} {}", id.maker, id.model).trim().to_owned()
    }

    /// What its sensors say now.
    pub async fn status(&mut self) -> Result<FormPrinterStatus, LinkError> {
        self.link.look().await?;
        let asb = self.link.asb();
        let cover = self.settings.model.covered(asb);
        let transport = Occupancy::of(cover.entry);
        let mut status = FormPrinterStatus::by_hand(transport, fault_of(asb));
        status.output = Occupancy::of(cover.exit && !cover.entry);
        status.jam = asb.mechanical();
        Ok(status)
    }

    /// The bits of its slip sensors as they come, for commissioning: bytes 3 and 4 of
    /// pushed status and the answer to DLE EOT 5.
    pub async fn raw_sensors(&mut self) -> Result<(u8, u8, u8), LinkError> {
        let until = self.link.now().saturating_add(ASK);
        let now = self.link.slip_status(until).await?;
        let [_, _, third, fourth] = self.link.asb().0;
        Ok((third, fourth, now.0))
    }

    /// The number of the sheet in the printer: two readings of the magnetic reader
    /// that agree, or what the operator has typed.
    pub async fn read_number(&mut self, within: Duration) -> Result<BillNumber, ReadError> {
        if !self.gate.awaits_reader() {
            return self.gate.number();
        }
        let until = self.link.now().saturating_add(within);
        let asked = self.held == Held::Asked;
        self.held = Held::Read;
        let read = reading::agreed_number(&mut self.link, asked, until).await;
        match read {
            // Another sheet may lie there now.
            Ok(_) if self.link.sheet_was_gone() => {
                self.gate.lost();
                return Err(ReadError::Printer {
                    fault: PrintFault::NoMediaPresent,
                });
            }
            Ok(number) => self.gate.printer_reads(number),
            Err(ReadError::Unreadable { .. }) => {}
            Err(ReadError::Printer { .. }) => {
                self.gate.lost();
                self.start_over().await;
            }
        }
        read
    }

    /// Whether a form may be fed: not where nobody reads its number.
    pub(super) fn may_feed(&self) -> Result<(), PrintFault> {
        self.gate.may_feed()
    }

    /// What the operator typed, twice, for the form in the printer.
    pub fn operator_reads(
        &mut self,
        first: BillNumber,
        again: BillNumber,
    ) -> Result<BillNumber, ReadError> {
        self.gate.operator_reads(first, again)
    }

    /// Ejects whatever lies in the printer to the front, without ink.
    pub async fn divert(&mut self, within: Duration) -> Result<Diverted, PrintFault> {
        let until = self.link.now().saturating_add(within);
        self.gate.lost();
        self.front = Front::Nothing;
        self.link.look().await.map_err(|e| e.fault())?;
        self.recover(until).await.map_err(|e| e.fault())?;
        if self.path_is_clear(until).await.map_err(|e| e.fault())? {
            self.held = Held::Unknown;
            return Ok(Diverted::NothingThere);
        }
        if let Some(fault) = self.link.fault() {
            return Err(fault);
        }
        let out = self.push_out(until).await;
        self.held = Held::Unknown;
        match out {
            Ok(()) => self.front = Front::Diverted,
            Err(_) => self.start_over().await,
        }
        out.map(|()| Diverted::ToOperator)
    }

    async fn push_out(&mut self, until: Duration) -> Result<(), PrintFault> {
        self.link.forget();
        if self.reader_holds(until).await.map_err(|e| e.fault())? {
            let sent = self.link.send(&command::EJECT_TO_REJECT, until).await;
            sent.map_err(|e| e.fault())?;
        } else if !self.settings.model.is_out(self.link.asb()) {
            if !self.settings.model.is_loaded(self.link.asb()) {
                let sent = self.link.send(&command::SELECT_SLIP, until).await;
                sent.map_err(|e| e.fault())?;
                let loaded = self.comes_to(Wanted::Loaded, until).await;
                loaded.map_err(|e| e.fault())?;
            }
            let sent = self.link.send(&[command::FORM_FEED], until).await;
            sent.map_err(|e| e.fault())?;
        }
        let out = self.comes_to(Wanted::Out, until).await;
        out.map(drop).map_err(|e| match e {
            LinkError::Silent => PrintFault::MediaRetained,
            e => e.fault(),
        })
    }

    /// The printed form lies at the mouth by itself: there is nothing to move.
    pub fn present(&self) -> Result<(), PrintFault> {
        match self.front {
            Front::Nothing | Front::Diverted => Err(PrintFault::NoMediaPresent),
            Front::Shown | Front::Gone => Ok(()),
        }
    }

    /// Whether the form that was ejected, printed or not, was taken from the mouth: both
    /// ways of asking say that no sheet is left.
    pub async fn wait_taken(&mut self, within: Duration) -> Result<Taking, PrintFault> {
        let until = self.link.now().saturating_add(within);
        if self.front == Front::Nothing {
            return Err(PrintFault::NoMediaPresent);
        }
        while self.front != Front::Gone {
            let clear = self.link.wait(until, |link| {
                let (asb, fault) = (link.asb(), link.fault());
                let clear = (!asb.sheet_in_path()).then_some(Ok(()));
                clear.or(fault.map(Err))
            });
            match clear.await {
                Err(LinkError::Silent) => return Ok(Taking::StillThere),
                other => other.map_err(|e| e.fault())??,
            }
            let asked = self.link.now().saturating_add(ASK);
            if self.path_is_clear(asked).await.map_err(|e| e.fault())? {
                self.front = Front::Gone;
            } else if self.link.now() >= until {
                return Ok(Taking::StillThere);
            } else {
                self.link.rest(SETTLED).await;
            }
        }
        self.front = Front::Nothing;
        Ok(Taking::Taken)
    }
}
