//! Ink: the gates before it, the page, and the proof that a sheet was there.
//!
//! Two fences say that the printer worked off two form feeds, which it also does
//! over no sheet at all. So the sensors are looked at before the ink and after
//! the eject, and any fault pushed between, even one that is over, spoils the
//! proof.

use std::time::Duration;

use counterfoil_data::form::{self, FormTemplate};
use counterfoil_data::ids::SlotId;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::hex;
use counterfoil_data::wire::sale::PrintJob;

use super::{FormPrinter, PrintFault, PrintOutcome, Sheet, page};
use crate::driver::completion::Grade;
use crate::driver::escpos::command::{self, FORM_FEED};
use crate::driver::escpos::link::LinkError;
use crate::transport::Transport;

impl<T: Transport> FormPrinter<T> {
    /// Inks the sheet and ejects it into the escrow.
    ///
    /// Refuses, without ink, a job that does not follow from `approved` (S22) or
    /// whose number is not the one read from this very sheet.
    pub async fn print(
        &mut self,
        job: &PrintJob,
        approved: &ConfirmText,
        within: Duration,
    ) -> PrintOutcome {
        let until = self.link.now().saturating_add(within);
        let page = match self.page_of(job, approved) {
            Ok(page) => page,
            Err(fault) => return PrintOutcome::Failed { fault, ink: false },
        };
        self.sheet = Sheet::Stranger;
        let outcome = self.ink(&page, until).await;
        if !matches!(outcome, PrintOutcome::Done { .. }) {
            // Leftovers of this page must not meet the next sheet.
            self.start_over().await;
        }
        outcome
    }

    /// The gates before ink, then the bytes of the page without its final FF.
    fn page_of(&self, job: &PrintJob, approved: &ConfirmText) -> Result<Vec<u8>, PrintFault> {
        form::follows(job, approved).map_err(|_| PrintFault::FieldSpecFailure)?;
        if self.sheet != Sheet::Read(job.number) {
            return Err(PrintFault::SequenceInvalid);
        }
        self.laid(job)
    }

    /// The page of a job, whatever lies in the printer.
    pub(in crate::driver) fn laid(&self, job: &PrintJob) -> Result<Vec<u8>, PrintFault> {
        let template = form::template(&job.template).map_err(|_| PrintFault::FormNotFound)?;
        page::page(&template, &job.fields, self.offset(&job.slot))
    }

    /// Inks the calibration page of `template`'s stock on a plain sheet into
    /// the escrow. Only on a sheet whose number could not be read: on
    /// numbered stock it would be a spoiled blank.
    pub async fn calibrate(
        &mut self,
        template: &FormTemplate,
        slot: &SlotId,
        within: Duration,
    ) -> PrintOutcome {
        let until = self.link.now().saturating_add(within);
        let page = match page::calibration(&template.stock, self.offset(slot)) {
            Ok(_) if self.sheet != Sheet::Plain => Err(PrintFault::SequenceInvalid),
            other => other,
        };
        let page = match page {
            Ok(page) => page,
            Err(fault) => return PrintOutcome::Failed { fault, ink: false },
        };
        self.sheet = Sheet::Stranger;
        let outcome = self.ink(&page, until).await;
        if !matches!(outcome, PrintOutcome::Done { .. }) {
            self.start_over().await;
        }
        outcome
    }

    async fn ink(&mut self, page: &[u8], until: Duration) -> PrintOutcome {
        let no_ink = |fault| PrintOutcome::Failed { fault, ink: false };
        if let Err(fault) = self.sheet_lies_still().await {
            return no_ink(fault);
        }
        // Page mode inks nothing before its FF, so a failure up to here is without ink.
        let ready = [
            &command::LEAVE_PAGE,
            &command::LOAD_TO_PRINT_START[..],
            page,
        ]
        .concat();
        if let Err(e) = self.link.send(&ready, until).await {
            return no_ink(e.fault());
        }
        if let Err(fault) = self.sheet_lies_still().await {
            return no_ink(fault);
        }
        let printed = match self.fenced(&[FORM_FEED], until).await {
            Ok(frame) => frame,
            Err(e @ LinkError::Blocked { accepted: 0, .. }) => return no_ink(e.fault()),
            Err(e) => return PrintOutcome::after_ink(&e),
        };
        let ejected = match self.fenced(&[FORM_FEED], until).await {
            Ok(frame) => frame,
            Err(e) => return PrintOutcome::after_ink(&e),
        };
        match self.sheet_went_to_escrow().await {
            Ok(()) => PrintOutcome::Done {
                grade: Grade::Identified,
                evidence: hex(&[printed, ejected].concat()),
            },
            Err(why) => PrintOutcome::Unknown { why },
        }
    }

    /// The sheet that was read is still there, and nobody was in the printer.
    async fn sheet_lies_still(&mut self) -> Result<(), PrintFault> {
        self.link.look().await.map_err(|e| e.fault())?;
        if !self.link.asb().sheet_in_path() {
            return Err(PrintFault::NoMediaPresent);
        }
        self.link.alarm().map_or(Ok(()), Err)
    }

    /// Fences say that commands were worked off, also over no sheet at all; that
    /// there was one, only the sensors say.
    async fn sheet_went_to_escrow(&mut self) -> Result<(), PrintFault> {
        self.link.look().await.map_err(|e| e.fault())?;
        if let Some(fault) = self.link.alarm() {
            return Err(fault);
        }
        if self.link.asb().sheet_in_path() {
            return Err(PrintFault::MediaRetained);
        }
        let presenter = self.presenter().await.map_err(|e| e.fault())?;
        match (presenter.jam, presenter.escrow) {
            (true, _) => Err(PrintFault::MediaJammed),
            (false, false) => Err(PrintFault::NoMediaPresent),
            (false, true) => Ok(()),
        }
    }
}
