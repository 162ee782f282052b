//! 24-pin printers of the ESC/P2 family (Epson LQ and PLQ, OKI, Jolimark; LQ-1600K
//! emulation) as form printers that a person feeds by hand.
//!
//! What this family cannot do, and so is not claimed: it reads no number, so an
//! operator must ([`Readback`]); it has no status enquiry and no answer to anything,
//! only the port status of the USB printer class; it cannot forget what it was sent,
//! and its first text is ink. `Done` is [`Grade::Status`] at best (the form was seen
//! to leave the printer, with no fault reported) and [`Grade::Accepted`] where
//! nothing senses the form. That there is ink on the form, only a person sees.
//!
//! Owns the order feed, read, compare, ink on one sheet; nothing is ever tried again
//! by itself. No escrow, presenter or bin: what is ejected lies at the front, in
//! somebody's reach. Called by [`super::form_station`].

pub mod command;
pub mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::{self, FormTemplate, Offset};
use counterfoil_data::ids::SlotId;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::PrintJob;
use serde::Deserialize;

pub use self::page::TextMode;
use super::completion::Grade;
use super::escpos::fault::PrintFault;
use super::escpos::link::LinkError;
use super::form_printer::{
    Diverted, FeedError, FormPrinterStatus, Occupancy, PrintOutcome, ReadError,
};
use super::numbered::Gate;
pub use super::numbered::Readback;
use super::slip_pipe::{SlipPipe, fault_of};
use crate::transport::{DeviceInfo, Transport};

/// Between two looks at the port.
const POLL: Duration = Duration::from_millis(300);
/// Looks in a row that must say the same of a form.
const AGREE: u32 = 2;

/// Who or what tells whether a form lies in the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// Bit 5 of the port status: seen to change at commissioning.
    #[default]
    Port,
    /// Nothing: the port says the same for ever, as on many clones. The operator who
    /// reads the number has seen the form go in.
    Operator,
}

/// How a form comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Insertion {
    /// The printer takes it in when it is put there.
    #[default]
    ByItself,
    /// It waits for ESC EM I.
    OnCommand,
}

/// What the configuration says of this printer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Escp2Settings {
    /// Who reads the number.
    pub number: Readback,
    /// What tells of a form.
    pub presence: Presence,
    /// How it comes in.
    pub insertion: Insertion,
    /// How hanzi are printed.
    pub text: TextMode,
    /// By slot, from calibration.
    pub offsets: BTreeMap<SlotId, Offset>,
}

/// Whether this is such a printer; real ones are told by configuration.
pub fn matches(info: &DeviceInfo) -> bool {
    (info.vendor, info.product) == (0x1209, 0x0003)
}

/// An open printer.
pub struct Escp2Printer<T> {
    pipe: SlipPipe<T>,
    settings: Escp2Settings,
    gate: Gate,
}

impl<T: Transport> Escp2Printer<T> {
    /// Claims the printer, asks who it is and empties its buffers. Sends it nothing:
    /// whatever lies in it stays as it is.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        settings: Escp2Settings,
    ) -> Result<Self, LinkError> {
        Ok(Self {
            pipe: SlipPipe::open(transport, clock).await?,
            gate: Gate::new(settings.number),
            settings,
        })
    }

    /// Maker and model, as the printer says.
    pub fn model(&self) -> String {
        let id = self.pipe.id();
        format!("{} {}", id.maker, id.model).trim().to_owned()
    }

    /// What the port says now.
    pub async fn status(&mut self) -> Result<FormPrinterStatus, LinkError> {
        let port = self.pipe.port_status().await?;
        let fault = port.and_then(fault_of);
        let transport = match (self.settings.presence, port) {
            (Presence::Port, Some(port)) => Occupancy::of(!port.paper_empty()),
            _ => Occupancy::Unknown,
        };
        Ok(FormPrinterStatus::by_hand(transport, fault))
    }

    /// Waits until a person puts a blank in, within the time. The caller has made
    /// `feeding` durable (I5).
    pub async fn feed(&mut self, within: Duration) -> Result<(), FeedError> {
        let nothing = |fault| FeedError::NothingFed { fault };
        let until = self.pipe.now().saturating_add(within);
        self.gate.may_feed().map_err(nothing)?;
        self.gate.lost();
        if !self.pipe.was_emptied() {
            // It answers no question behind what is left, so nothing else tells.
            return Err(nothing(PrintFault::NotEmptied));
        }
        if let Some(fault) = self.fault().await.map_err(|e| nothing(e.fault()))? {
            return Err(nothing(fault));
        }
        if self.present().await.map_err(|e| nothing(e.fault()))? == Some(true) {
            return Err(nothing(PrintFault::MediaRetained));
        }
        if self.settings.insertion == Insertion::OnCommand {
            let sent = self.pipe.send(&command::INSERT_SHEET, until).await;
            sent.map_err(|e| match e {
                LinkError::Blocked { accepted: 0, fault } => {
                    nothing(fault.unwrap_or(PrintFault::Timeout))
                }
                e => FeedError::MayHaveMoved { fault: e.fault() },
            })?;
        }
        if self.settings.presence == Presence::Port {
            // A hand may have put it in before the printer or its cable failed.
            let moved = |e: LinkError| FeedError::MayHaveMoved { fault: e.fault() };
            if !self.comes_to(true, until).await.map_err(moved)? {
                return Err(nothing(PrintFault::NoMediaPresent));
            }
        }
        self.gate.fed();
        Ok(())
    }

    /// The number the operator has read from the form in the printer.
    pub fn read_number(&mut self) -> Result<BillNumber, ReadError> {
        self.gate.number()
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

    /// Inks the form and ejects it to the front.
    ///
    /// Refuses, without ink, a job that does not follow from `approved` (S22) or
    /// whose number is not the one read from this very form.
    pub async fn print(
        &mut self,
        job: &PrintJob,
        approved: &ConfirmText,
        within: Duration,
    ) -> PrintOutcome {
        let page = self.gate.may_ink(job, approved);
        let page = page.and_then(|()| self.laid(job));
        self.ink(page, within).await
    }

    /// The page of a job, whatever lies in the printer.
    pub(in crate::driver) fn laid(&self, job: &PrintJob) -> Result<Vec<u8>, PrintFault> {
        let template = form::template(&job.template).map_err(|_| PrintFault::FormNotFound)?;
        let offset = self.offset(&job.slot);
        page::page(&template, &job.fields, offset, self.settings.text)
    }

    /// Inks the calibration page of `template`'s stock on the sheet in the printer,
    /// which must be plain paper: only the operator knows, so it is refused once a
    /// number was read from it.
    pub async fn calibrate(
        &mut self,
        template: &FormTemplate,
        slot: &SlotId,
        within: Duration,
    ) -> PrintOutcome {
        let offset = self.offset(slot);
        let page = self
            .gate
            .may_calibrate()
            .and_then(|()| page::calibration(&template.stock, offset, self.settings.text));
        self.ink(page, within).await
    }

    fn offset(&self, slot: &SlotId) -> Offset {
        self.settings.offsets.get(slot).copied().unwrap_or_default()
    }

    async fn ink(&mut self, page: Result<Vec<u8>, PrintFault>, within: Duration) -> PrintOutcome {
        let until = self.pipe.now().saturating_add(within);
        let no_ink = |fault| PrintOutcome::Failed { fault, ink: false };
        let mut page = match page {
            Ok(page) => page,
            Err(fault) => return no_ink(fault),
        };
        match self.lies_still().await {
            Ok(None) => {}
            Ok(Some(fault)) => return no_ink(fault),
            Err(e) => return no_ink(e.fault()),
        }
        page.push(command::FORM_FEED);
        if let Err(error) = self.pipe.send(&page, until).await {
            // What is left of this page must not meet the next form.
            self.pipe.reset().await;
            return match error {
                LinkError::Blocked { accepted: 0, fault } => {
                    no_ink(fault.unwrap_or(PrintFault::Timeout))
                }
                e => PrintOutcome::after_ink(&e),
            };
        }
        self.went_out(until).await
    }

    /// After the last byte was taken: what the sensors say, or that there are none.
    async fn went_out(&mut self, until: Duration) -> PrintOutcome {
        if self.settings.presence == Presence::Operator {
            return match self.fault().await {
                Ok(None) => PrintOutcome::Done {
                    grade: Grade::Accepted,
                    evidence: "accepted".to_owned(),
                },
                Ok(Some(fault)) => PrintOutcome::Failed { fault, ink: true },
                Err(e) => PrintOutcome::Unknown { why: e.fault() },
            };
        }
        match self.comes_to(false, until).await {
            Ok(true) => PrintOutcome::Done {
                grade: Grade::Status,
                evidence: "status: form seen, then gone".to_owned(),
            },
            Ok(false) => {
                self.pipe.reset().await;
                PrintOutcome::Unknown {
                    why: PrintFault::MediaRetained,
                }
            }
            Err(LinkError::Fault(fault)) => {
                self.pipe.reset().await;
                PrintOutcome::Failed { fault, ink: true }
            }
            Err(e) => PrintOutcome::Unknown { why: e.fault() },
        }
    }

    /// Ejects whatever lies in the printer to the front, without ink.
    pub async fn divert(&mut self, within: Duration) -> Result<Diverted, PrintFault> {
        let until = self.pipe.now().saturating_add(within);
        self.gate.lost();
        if self.present().await.map_err(|e| e.fault())? == Some(false) {
            return Ok(Diverted::NothingThere);
        }
        if let Some(fault) = self.fault().await.map_err(|e| e.fault())? {
            return Err(fault);
        }
        let sent = self.pipe.send(&command::EJECT_SHEET, until).await;
        sent.map_err(|e| e.fault())?;
        if self.settings.presence == Presence::Port {
            let gone = self.comes_to(false, until).await.map_err(|e| e.fault())?;
            gone.then_some(()).ok_or(PrintFault::MediaRetained)?;
        }
        Ok(Diverted::ToOperator)
    }

    async fn fault(&mut self) -> Result<Option<PrintFault>, LinkError> {
        Ok(self.pipe.port_status().await?.and_then(fault_of))
    }

    /// Whether a form lies in the printer; `None` where nothing tells.
    async fn present(&mut self) -> Result<Option<bool>, LinkError> {
        let port = self.pipe.port_status().await?;
        let sensed = self.settings.presence == Presence::Port;
        Ok(port.filter(|_| sensed).map(|port| !port.paper_empty()))
    }

    /// The form is still there, and nothing is wrong.
    async fn lies_still(&mut self) -> Result<Option<PrintFault>, LinkError> {
        let fault = self.fault().await?;
        if fault.is_none() && self.present().await? == Some(false) {
            return Ok(Some(PrintFault::NoMediaPresent));
        }
        Ok(fault)
    }

    /// Whether the sensor came to say `there`, twice running, before `until`.
    ///
    /// # Errors
    /// [`LinkError::Fault`] as soon as one is reported.
    async fn comes_to(&mut self, there: bool, until: Duration) -> Result<bool, LinkError> {
        let mut agree = 0_u32;
        loop {
            if let Some(fault) = self.fault().await? {
                return Err(LinkError::Fault(fault));
            }
            let same = self.present().await? == Some(there);
            agree = if same { agree.saturating_add(1) } else { 0 };
            if agree >= AGREE {
                return Ok(true);
            }
            if self.pipe.now() >= until {
                return Ok(false);
            }
            self.pipe.rest(POLL).await;
        }
    }
}
