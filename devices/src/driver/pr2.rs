//! Printers in Olivetti PR2 emulation (Olivetti PR2 and PR2E, Epson PLQ-20 and 20M,
//! Compuprint, Tally, Nantian) as form printers that a person feeds by hand.
//!
//! It answers: `ESC j` with a status and `ESC SP B` with where the document is. No
//! public manual has the codes, so they are configuration, learnt at commissioning
//! with `counterfoil-devices probe`, and a code that is not in it stops the work
//! ([`PrintFault::UnknownAnswer`]): it is never taken for good.
//!
//! `Done` is [`Grade::Ordered`] when the question queued behind the eject was
//! answered with "no document" and "ready", [`Grade::Status`] when only a later
//! question was. It reads no number: an operator must ([`Readback`]). Order of acts
//! and refusals are those of [`super::escp2`]; `ESC l` (reset of an error) is never
//! sent, because what was queued would go on.

mod codes;
pub mod page;
pub mod reply;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::{self, FormTemplate, Offset};
use counterfoil_data::ids::SlotId;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::hex;
use counterfoil_data::wire::sale::PrintJob;

pub use self::codes::{Codes, Position, State};
pub use self::page::Steps;
use self::reply::{Reply, ReplyParser};
use super::completion::Grade;
use super::escpos::fault::PrintFault;
use super::escpos::link::LinkError;
use super::form_printer::{
    Diverted, FeedError, FormPrinterStatus, Occupancy, PrintOutcome, ReadError,
};
use super::numbered::{Gate, Readback};
use super::slip_pipe::SlipPipe;
use crate::transport::{DeviceInfo, Transport};

/// ESC j.
const ASK_STATUS: [u8; 2] = [0x1B, b'j'];
/// ESC SP B.
const ASK_POSITION: [u8; 3] = [0x1B, b' ', b'B'];
/// ESC L 001: to the first line, taking the document in.
const TAKE_IN: [u8; 5] = *b"\x1bL001";
/// ESC O.
const EJECT: [u8; 2] = [0x1B, b'O'];
/// Time for a question that moves no paper.
const ASK: Duration = Duration::from_secs(3);
/// Old replies are waited for so long before a question.
const DRAIN: Duration = Duration::from_millis(50);
/// Between two questions.
const POLL: Duration = Duration::from_millis(300);

/// What the configuration says of this printer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pr2Settings {
    /// Who reads the number.
    pub number: Readback,
    /// What its answers mean.
    pub codes: Codes,
    /// Vertical steps of its setup.
    pub steps: Steps,
    /// By slot, from calibration.
    pub offsets: BTreeMap<SlotId, Offset>,
}

/// Whether this is such a printer; real ones are told by configuration.
pub fn matches(info: &DeviceInfo) -> bool {
    (info.vendor, info.product) == (0x1209, 0x0004)
}

/// An open printer.
pub struct Pr2Printer<T> {
    pipe: SlipPipe<T>,
    parser: ReplyParser,
    settings: Pr2Settings,
    gate: Gate,
}

impl<T: Transport> Pr2Printer<T> {
    /// Claims the printer and asks for its status. Moves no paper.
    ///
    /// # Errors
    /// [`LinkError::NoInterface`] for one without an answering pipe,
    /// [`LinkError::Silent`] for one that does not answer.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        settings: Pr2Settings,
    ) -> Result<Self, LinkError> {
        let pipe = SlipPipe::open(transport, clock).await?;
        if !pipe.answers() {
            return Err(LinkError::NoInterface);
        }
        let mut printer = Self {
            pipe,
            parser: ReplyParser::default(),
            gate: Gate::new(settings.number),
            settings,
        };
        printer.raw_answers().await?;
        Ok(printer)
    }

    /// Maker and model, as the printer says.
    pub fn model(&self) -> String {
        let id = self.pipe.id();
        format!("{} {}", id.maker, id.model).trim().to_owned()
    }

    /// The codes of status, stand and position as they come, for commissioning.
    pub async fn raw_answers(&mut self) -> Result<(char, char, char), LinkError> {
        let until = self.pipe.now().saturating_add(ASK);
        let (status, (stand, position)) = self.ask_behind(&[], until).await?;
        Ok((status.into(), stand.into(), position.into()))
    }

    /// What its sensors say now.
    pub async fn status(&mut self) -> Result<FormPrinterStatus, LinkError> {
        let until = self.pipe.now().saturating_add(ASK);
        let (status, (_, position)) = self.ask_behind(&[], until).await?;
        let fault = match self.state(status) {
            Ok(state) => state.fault(),
            Err(fault) => Some(fault),
        };
        let transport = match self.position(position) {
            Ok(Position::Absent) => Occupancy::Empty,
            Ok(Position::Entry | Position::Inside) => Occupancy::Occupied,
            Err(_) => Occupancy::Unknown,
        };
        Ok(FormPrinterStatus::by_hand(transport, fault))
    }

    /// Waits until a person puts a blank in, within the time, and takes it in. The
    /// caller has made `feeding` durable (I5).
    pub async fn feed(&mut self, within: Duration) -> Result<(), FeedError> {
        let nothing = |fault| FeedError::NothingFed { fault };
        let until = self.pipe.now().saturating_add(within);
        self.gate.may_feed().map_err(nothing)?;
        self.gate.lost();
        if self.whole().await.map_err(nothing)? != Position::Absent {
            return Err(nothing(PrintFault::MediaRetained));
        }
        // From here on a hand may have put one in before anything else went wrong.
        let moved = |fault| FeedError::MayHaveMoved { fault };
        let mut told = false;
        loop {
            match self.whole().await.map_err(moved)? {
                Position::Inside => break,
                Position::Entry if !told => {
                    told = true;
                    let sent = self.pipe.send(&TAKE_IN, until).await;
                    sent.map_err(|e| moved(e.fault()))?;
                }
                Position::Entry | Position::Absent => {}
            }
            if self.pipe.now() >= until {
                let fault = PrintFault::NoMediaPresent;
                return Err(if told { moved(fault) } else { nothing(fault) });
            }
            self.pipe.rest(POLL).await;
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

    /// Inks the form and ejects it to the front, behind the gates of
    /// [`super::escp2::Escp2Printer::print`].
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
        page::page(&template, &job.fields, offset, self.settings.steps)
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
        let page = self
            .gate
            .may_calibrate()
            .and_then(|()| page::calibration(&template.stock, offset, self.settings.steps));
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
        match self.whole().await {
            Ok(Position::Inside) => {}
            Ok(_) => return no_ink(PrintFault::NoMediaPresent),
            Err(fault) => return no_ink(fault),
        }
        page.extend(EJECT);
        let outcome = match self.ask_behind(&page, until).await {
            Ok(answers) => self.went_out(answers, until).await,
            Err(LinkError::Blocked { accepted: 0, fault }) => {
                no_ink(fault.unwrap_or(PrintFault::Timeout))
            }
            Err(e) => PrintOutcome::after_ink(&e),
        };
        if !matches!(outcome, PrintOutcome::Done { .. }) {
            // What is left of this page must not meet the next form.
            self.pipe.reset().await;
            self.parser.reset();
        }
        outcome
    }

    /// The answers to the questions behind the eject; asked again while the form is
    /// still on its way.
    async fn went_out(&mut self, first: (u8, (u8, u8)), until: Duration) -> PrintOutcome {
        let (mut answers, mut grade) = (first, Grade::Ordered);
        loop {
            let (status, (stand, position)) = answers;
            match (
                self.state(status).map(State::fault),
                self.position(position),
            ) {
                (Err(why), _) | (_, Err(why)) => return PrintOutcome::Unknown { why },
                (Ok(Some(fault)), _) => return PrintOutcome::Failed { fault, ink: true },
                (Ok(None), Ok(Position::Absent)) => {
                    let said = [0x1B, b'r', status, 0x1B, b'B', stand, position];
                    let evidence = format!("{}: {}", grade.word(), hex(&said));
                    return PrintOutcome::Done { grade, evidence };
                }
                (Ok(None), Ok(_)) => {}
            }
            if self.pipe.now() >= until {
                return PrintOutcome::Unknown {
                    why: PrintFault::MediaRetained,
                };
            }
            self.pipe.rest(POLL).await;
            grade = Grade::Status;
            answers = match self.ask_behind(&[], until).await {
                Ok(answers) => answers,
                Err(e) => return PrintOutcome::after_ink(&e),
            };
        }
    }

    /// Ejects whatever lies in the printer to the front, without ink.
    pub async fn divert(&mut self, within: Duration) -> Result<Diverted, PrintFault> {
        let until = self.pipe.now().saturating_add(within);
        self.gate.lost();
        if self.whole().await? == Position::Absent {
            return Ok(Diverted::NothingThere);
        }
        let sent = self.pipe.send(&EJECT, until).await;
        sent.map_err(|e| e.fault())?;
        while self.whole().await? != Position::Absent {
            if self.pipe.now() >= until {
                return Err(PrintFault::MediaRetained);
            }
            self.pipe.rest(POLL).await;
        }
        Ok(Diverted::ToOperator)
    }

    /// Where the document is, if nothing is wrong.
    async fn whole(&mut self) -> Result<Position, PrintFault> {
        let until = self.pipe.now().saturating_add(ASK);
        let asked = self.ask_behind(&[], until).await;
        let (status, (_, position)) = asked.map_err(|e| e.fault())?;
        match self.state(status)?.fault() {
            Some(fault) => Err(fault),
            None => self.position(position),
        }
    }

    fn state(&self, code: u8) -> Result<State, PrintFault> {
        let known = self.settings.codes.status.get(&char::from(code));
        known.copied().ok_or(PrintFault::UnknownAnswer)
    }

    fn position(&self, code: u8) -> Result<Position, PrintFault> {
        let known = self.settings.codes.position.get(&char::from(code));
        known.copied().ok_or(PrintFault::UnknownAnswer)
    }

    /// Sends `bytes` and both questions behind them; both answers, each to its own
    /// question. Replies carry no id: what came before the question is dropped, and
    /// one that is late makes the handle unusable.
    async fn ask_behind(
        &mut self,
        bytes: &[u8],
        until: Duration,
    ) -> Result<(u8, (u8, u8)), LinkError> {
        let drained = self.pipe.now().saturating_add(DRAIN);
        while !self.pipe.receive(drained).await?.is_empty() && self.pipe.now() < drained {}
        self.parser.reset();
        let all = [bytes, &ASK_STATUS, &ASK_POSITION].concat();
        self.pipe.send(&all, until).await?;
        let (mut status, mut position) = (None, None);
        loop {
            let came = self.pipe.receive(until).await?;
            let mut replies = Vec::new();
            self.parser.feed(&came, &mut replies);
            for reply in replies {
                match reply {
                    Reply::Status(x) => status = Some(x),
                    Reply::Position(stand, m) => position = Some((stand, m)),
                    Reply::Unclassified(_) => {}
                }
            }
            if let (Some(status), Some(position)) = (status, position) {
                return Ok((status, position));
            }
            if self.pipe.now() >= until {
                // Its answer may still come, and would be taken for the next one's.
                self.pipe.fence();
                return Err(LinkError::Silent);
            }
        }
    }
}
