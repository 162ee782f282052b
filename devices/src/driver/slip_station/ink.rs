//! Ink, line by line: each line is asked for before the next is sent, so that at most
//! one is on its way when anything happens to the sheet.

use std::time::Duration;

use counterfoil_data::form::{self, FormTemplate, Offset};
use counterfoil_data::ids::SlotId;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::hex;
use counterfoil_data::wire::sale::PrintJob;

use super::feed::{Held, Wanted};
use super::{Front, Grade, SlipStation, page};
use crate::driver::escpos::command;
use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::link::LinkError;
use crate::driver::escpos::reply::{Asb, Reply};
use crate::driver::form_printer::PrintOutcome;
use crate::transport::Transport;

/// Lines of one form, first to last.
type Lines = Vec<Vec<u8>>;

impl<T: Transport> SlipStation<T> {
    /// Inks the form and ejects it to the mouth.
    ///
    /// Refuses, without ink, a job that does not follow from `approved` (S22) or
    /// whose number is not the one read from this very form.
    pub async fn print(
        &mut self,
        job: &PrintJob,
        approved: &ConfirmText,
        within: Duration,
    ) -> PrintOutcome {
        let lines = self.gate.may_ink(job, approved);
        let lines = lines.and_then(|()| self.laid(job));
        self.ink(lines, within).await
    }

    /// The lines of a job, whatever lies in the printer.
    pub(in crate::driver) fn laid(&self, job: &PrintJob) -> Result<Lines, PrintFault> {
        let template = form::template(&job.template).map_err(|_| PrintFault::FormNotFound)?;
        page::lines(&template, &job.fields, self.offset(&job.slot))
    }

    /// Inks the calibration page of `template`'s stock on the plain sheet in the
    /// printer; refused once a number was read from it.
    pub async fn calibrate(
        &mut self,
        template: &FormTemplate,
        slot: &SlotId,
        within: Duration,
    ) -> PrintOutcome {
        let offset = self.offset(slot);
        let lines = self.gate.may_calibrate();
        let lines = lines.and_then(|()| page::calibration(&template.stock, offset));
        self.ink(lines, within).await
    }

    fn offset(&self, slot: &SlotId) -> Offset {
        self.settings.offsets.get(slot).copied().unwrap_or_default()
    }

    async fn ink(&mut self, lines: Result<Lines, PrintFault>, within: Duration) -> PrintOutcome {
        let until = self.link.now().saturating_add(within);
        let no_ink = |fault| PrintOutcome::Failed { fault, ink: false };
        let lines = match lines {
            Ok(lines) => lines,
            Err(fault) => return no_ink(fault),
        };
        let outcome = match self.comes_to_print_start(until).await {
            Ok(loaded) => self.strike(&lines, loaded, until).await,
            Err(fault) => no_ink(fault),
        };
        if !matches!(outcome, PrintOutcome::Done { .. }) {
            // What is left of this form must not meet the next.
            self.start_over().await;
        }
        outcome
    }

    /// The sheet that was read is still there, nobody was in the printer, and the next
    /// line would be printed on it; what was pushed.
    async fn comes_to_print_start(&mut self, until: Duration) -> Result<Asb, PrintFault> {
        self.link.look().await.map_err(|e| e.fault())?;
        if let Some(fault) = self.link.alarm() {
            return Err(fault);
        }
        if self.link.sheet_was_gone() {
            return Err(PrintFault::NoMediaPresent);
        }
        if self.held == Held::Read {
            let sent = self.link.send(&command::LOAD_TO_PRINT_START, until).await;
            sent.map_err(|e| e.fault())?;
            self.held = Held::Slip;
        }
        let loaded = self.comes_to(Wanted::Loaded, until).await;
        let loaded = loaded.map_err(|e| match e {
            LinkError::Silent => PrintFault::NoMediaPresent,
            e => e.fault(),
        })?;
        if self.link.sheet_was_gone() {
            return Err(PrintFault::NoMediaPresent);
        }
        self.link.forget();
        Ok(loaded)
    }

    async fn strike(&mut self, lines: &Lines, loaded: Asb, until: Duration) -> PrintOutcome {
        let mut said = loaded.0.to_vec();
        for (nth, line) in lines.iter().enumerate() {
            match self.line(line, until).await {
                Ok(answer) => said.push(answer),
                Err(LinkError::Blocked { accepted: 0, fault }) if nth == 0 => {
                    return PrintOutcome::Failed {
                        fault: fault.unwrap_or(PrintFault::Timeout),
                        ink: false,
                    };
                }
                Err(e) => return PrintOutcome::after_ink(&e),
            }
        }
        let out = match self.link.send(&[command::FORM_FEED], until).await {
            Ok(()) => self.comes_to(Wanted::Out, until).await,
            Err(e) => Err(e),
        };
        match out {
            Ok(asb) => {
                let at_the_mouth = self.settings.model.covered(asb).exit;
                self.front = if at_the_mouth {
                    Front::Shown
                } else {
                    Front::Gone
                };
                self.held = Held::Unknown;
                said.extend(asb.0);
                let grade = Grade::Ordered;
                let evidence = format!("{}: {}", grade.word(), hex(&said));
                PrintOutcome::Done { grade, evidence }
            }
            Err(LinkError::Silent) => PrintOutcome::Unknown {
                why: PrintFault::MediaRetained,
            },
            Err(e) => PrintOutcome::after_ink(&e),
        }
    }

    /// One line, and the answer to the question behind it. A sheet that ends, or is
    /// pulled out, ends the printing: what follows would go to the roll.
    async fn line(&mut self, line: &[u8], until: Duration) -> Result<u8, LinkError> {
        let model = self.settings.model;
        self.link.look().await?;
        if let Some(fault) = self.link.alarm() {
            return Err(LinkError::Fault(fault));
        }
        self.link.unhear(|reply| matches!(reply, Reply::Status(_)));
        let bytes = [line, model.question()].concat();
        self.link.send(&bytes, until).await?;
        let mut lies = true;
        let answer = self.link.answer(until, |reply| match reply {
            Reply::Asb(asb) => {
                lies &= model.is_loaded(*asb);
                None
            }
            Reply::Status(answer) => Some(*answer),
            _ => None,
        });
        let answer = answer.await?;
        if !lies || !model.is_loaded(self.link.asb()) {
            return Err(LinkError::Fault(PrintFault::NoMediaPresent));
        }
        Ok(answer)
    }
}
