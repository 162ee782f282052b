//! The forms desk: every outcome of paper as the driver says it, nothing repeated.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::wire::sale::PrintJob;
use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::form_printer::{
    Diverted, FeedError, Level, Occupancy, PrintFault, PrintOutcome, ReadError, Retraction, Taking,
};
use counterfoil_devices::driver::form_station::FormStation;
use counterfoil_devices::transport::Transport;

use super::{After, SLICE, Say, Tools, Worker};
use crate::flow::effect::{Act, Desk};
use crate::flow::event::{Answer, Paper, PrinterFacts};
use crate::model::InsertProblem;

const FEED_WITHIN: Duration = Duration::from_secs(10);
const READ_WITHIN: Duration = Duration::from_secs(10);
const PRINT_WITHIN: Duration = Duration::from_secs(30);
const MOVE_WITHIN: Duration = Duration::from_secs(15);

/// The form printer.
pub(super) struct FormsDesk<T: Transport> {
    printer: FormStation<T>,
    tools: Rc<Tools>,
}

fn paper(there: Occupancy, by_hand: bool) -> Paper {
    match there {
        Occupancy::Empty => Paper::Empty,
        Occupancy::Unknown if by_hand => Paper::Unsensed,
        Occupancy::Occupied | Occupancy::Unknown => Paper::Occupied,
    }
}

/// What a person at the printer can do about it, if anything.
fn insert_problem(fault: PrintFault) -> Option<InsertProblem> {
    Some(match fault {
        PrintFault::NoMediaPresent => InsertProblem::Nothing,
        PrintFault::MediaRetained => InsertProblem::Retained,
        PrintFault::CoverOpen
        | PrintFault::InkOut
        | PrintFault::MediaJammed
        | PrintFault::PaperJammed
        | PrintFault::HardwareError => InsertProblem::Trouble,
        _ => return None,
    })
}

impl<T: Transport> FormsDesk<T> {
    async fn status(&mut self) -> (Answer, Option<PrintFault>) {
        match self.printer.status().await {
            Ok(status) => {
                let empty = status.slots.iter().all(|s| s.level == Level::Out);
                let by_hand = self.printer.fed_by_hand();
                // One that feeds nothing is found before a number is said to be fed.
                let unread = self.printer.may_feed().is_err();
                let facts = PrinterFacts {
                    transport: paper(status.transport, by_hand),
                    escrow: paper(status.escrow, by_hand),
                    output: paper(status.output, by_hand),
                    fault: status.jam || status.fault.is_some() || empty || unread,
                    by_hand,
                };
                (Answer::Printer(facts), None)
            }
            Err(error) => {
                tracing::warn!(%error, "no status of the form printer");
                (Answer::Fault(error.remedy()), Some(error.fault()))
            }
        }
    }

    async fn act(&mut self, act: Act, say: &Say) -> Option<(Answer, Option<PrintFault>)> {
        Some(match act {
            Act::PrinterStatus => self.status().await,
            Act::Feed(job) => self.feed(&job, FEED_WITHIN).await,
            Act::AwaitInsert(job, within) => match self.feed(&job, within).await {
                (Answer::FeedFailed { moved: false, .. }, Some(fault))
                    if insert_problem(fault).is_some() =>
                {
                    let problem = insert_problem(fault).unwrap_or(InsertProblem::Trouble);
                    (Answer::NotInserted(problem), Some(fault))
                }
                other => other,
            },
            Act::OperatorReads { first, again } => read(self.printer.operator_reads(first, again)),
            Act::ReadNumber => read(self.printer.read_number(READ_WITHIN).await),
            Act::Print { job, approved } => {
                let print = self.printer.print(&job, &approved, PRINT_WITHIN);
                printed(print.await)
            }
            Act::Divert => match self.printer.divert(MOVE_WITHIN).await {
                Ok(Diverted::ToReject | Diverted::ToOperator) => (Answer::Diverted, None),
                Ok(Diverted::NothingThere) => (Answer::NothingToDivert, None),
                Err(fault) => lost(fault),
            },
            Act::Present => match self.printer.present(MOVE_WITHIN).await {
                Ok(()) => (Answer::Presented, None),
                Err(fault) => lost(fault),
            },
            Act::AwaitTaken(within) => return self.await_taken(within, say).await,
            Act::Retract => match self.printer.retract(MOVE_WITHIN).await {
                Ok(Retraction::ToBin) => (Answer::Retracted, None),
                Ok(Retraction::NothingThere) => (Answer::Taken, None),
                Err(fault) => lost(fault),
            },
            _ => return None,
        })
    }

    /// A blank fed for a job that this printer has no type or room for would be spoiled,
    /// and so would every one after it.
    async fn feed(&mut self, job: &PrintJob, within: Duration) -> (Answer, Option<PrintFault>) {
        let fed = match self.printer.can_print(job) {
            Ok(()) => self.printer.feed(&job.slot, within).await,
            Err(fault) => Err(FeedError::NothingFed { fault }),
        };
        let Err(error) = fed else {
            return (Answer::Fed, None);
        };
        let fault = error.fault();
        let answer = Answer::FeedFailed {
            moved: error.may_have_moved(),
            empty: fault == PrintFault::PaperOut,
            reason: fault.word().to_owned(),
        };
        (answer, Some(fault))
    }

    async fn await_taken(
        &mut self,
        within: Duration,
        say: &Say,
    ) -> Option<(Answer, Option<PrintFault>)> {
        let until = self.tools.clock.monotonic().saturating_add(within);
        loop {
            match self.printer.wait_taken(SLICE).await {
                Ok(Taking::Taken) => return Some((Answer::Taken, None)),
                Err(PrintFault::Unsupported) => return Some((Answer::NotSensed, None)),
                Err(fault) => return Some(lost(fault)),
                Ok(Taking::StillThere) if say.is_stale() => return None,
                Ok(Taking::StillThere) => {}
            }
            if self.tools.clock.monotonic() >= until {
                return Some((Answer::StillThere, None));
            }
        }
    }
}

fn read(read: Result<BillNumber, ReadError>) -> (Answer, Option<PrintFault>) {
    match read {
        Ok(number) => (Answer::NumberRead(number), None),
        Err(error @ ReadError::Unreadable { .. }) => {
            (Answer::NumberUnreadable(error.word().to_owned()), None)
        }
        Err(ReadError::Printer {
            fault: PrintFault::OperatorMustRead,
        }) => (Answer::OperatorMustRead, None),
        Err(ReadError::Printer { fault }) => lost(fault),
    }
}

fn lost(fault: PrintFault) -> (Answer, Option<PrintFault>) {
    tracing::warn!(%fault, "form printer");
    (Answer::Fault(fault.remedy()), Some(fault))
}

fn printed(outcome: PrintOutcome) -> (Answer, Option<PrintFault>) {
    match outcome {
        PrintOutcome::Done { evidence, .. } => (Answer::Printed(evidence), None),
        PrintOutcome::Failed { fault, ink } => {
            let reason = fault.word().to_owned();
            (Answer::PrintFailed { ink, reason }, Some(fault))
        }
        PrintOutcome::Unknown { why } => (Answer::PrintUnknown(why.word().to_owned()), Some(why)),
    }
}

impl<T: Transport> Worker<T> for FormsDesk<T> {
    const ROLE: Role = Role::FormPrinter;
    const DESK: Desk = Desk::Forms;

    async fn open(transport: T, tools: &Rc<Tools>) -> Result<Self, String> {
        let clock = tools.clock.clone();
        let printer = FormStation::open(transport, clock, &*tools.entropy, &tools.forms).await;
        Ok(Self {
            printer: printer.map_err(|error| error.to_string())?,
            tools: Rc::clone(tools),
        })
    }

    async fn perform(&mut self, act: Act, say: &Say) -> After {
        let Some((answer, fault)) = self.act(act, say).await else {
            return After::Fine;
        };
        say.answer(answer).await;
        match fault {
            Some(PrintFault::NoDevice | PrintFault::Offline | PrintFault::Timeout) => After::Fenced,
            _ => After::Fine,
        }
    }
}
