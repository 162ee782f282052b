//! The receipt printer: 80 mm ESC/POS with a cutter.
//!
//! Owns layout in columns, the proof that a receipt was printed, and the honest
//! words for when it is not known. Refuses to start on a fault, and never prints
//! a receipt twice by itself: the caller reprints, marked, with the same number.
//! A cutter that sticks after a good print is not a failed print: the customer
//! can tear. Called by the kiosk's device host (S23: the receipt closes the sale).

mod layout;
mod near_end;
mod presenter;

use std::time::Duration;

use counterfoil_data::seam::{Entropy, SharedClock, random};
use counterfoil_data::wire::hex;
use zeroize::Zeroizing;

pub use self::layout::{Align, COLUMNS, ReceiptDocument, ReceiptLine, SecretRow, Symbols};
use self::near_end::NearEnd;
pub use super::completion::Grade;
use super::escpos::command;
pub use super::escpos::fault::PrintFault;
pub use super::escpos::link::LinkError;
use super::escpos::link::{Link, Model};
use super::escpos::reply::{Asb, Reply};
use super::printer_class;
use crate::transport::{DeviceInfo, Transport};

/// Time for the hello.
pub const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// Longest fence in bytes.
const FENCE_MAX: usize = 32;
/// How long a fence is waited for when it is probed with nothing to print.
const PROBE: Duration = Duration::from_millis(500);
/// How long a printer without a fence may take to work off its buffer: 4 KiB of text
/// are 90 lines at 30 ms.
const SETTLE: Duration = Duration::from_secs(3);
/// Time to empty the buffers after a failure.
const FLUSH: Duration = Duration::from_secs(3);

/// What the link must know: the longest parameters are a line of double height
/// as a picture, 72 bytes x 48 rows.
const MODEL: Model = Model {
    fault_of,
    parameters_max: 72 * 48 + 8,
    may_be_blind: true,
    waits: &[],
};

/// How much of a failed receipt may be on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    /// Certainly none.
    Nothing,
    /// Some of it.
    Partial,
}

/// What printing a receipt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrintOutcome {
    /// It is on paper.
    Done {
        /// How sure.
        grade: Grade,
        /// Hex of the printer's own words, empty with [`Grade::Accepted`].
        evidence: String,
        /// Whether the cut is proven too; if not, the customer tears it.
        cut: bool,
    },
    /// It is not, or not whole.
    Failed {
        /// How much may be on paper.
        printed: Printed,
        /// Why.
        fault: PrintFault,
    },
    /// The printer went silent or away.
    Unknown {
        /// What is missing.
        why: PrintFault,
    },
}

/// What the sensors say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptPrinterStatus {
    /// The fault that stops printing, if any.
    pub fault: Option<PrintFault>,
    /// The roll is near its end: tell staff, go on selling.
    pub near_end: bool,
}

/// Whether this is a receipt printer: of the printer class or known by its ids, and
/// not a form printer.
pub fn matches(info: &DeviceInfo) -> bool {
    let forms = [
        super::form_printer::matches,
        super::escp2::matches,
        super::pr2::matches,
    ];
    printer_class::is_printer(info) && !forms.iter().any(|matches| matches(info))
}

/// What a pushed status means on this model.
fn fault_of(asb: Asb) -> Option<PrintFault> {
    if asb.cover_open() {
        Some(PrintFault::CoverOpen)
    } else if asb.end() {
        Some(PrintFault::PaperOut)
    } else if asb.cutter() {
        Some(PrintFault::CutterFail)
    } else if asb.mechanical() {
        Some(PrintFault::PaperJammed)
    } else if asb.unrecoverable() {
        Some(PrintFault::HardwareError)
    } else if asb.offline() {
        Some(PrintFault::Offline)
    } else {
        None
    }
}

/// An open receipt printer.
pub struct ReceiptPrinter<T> {
    link: Link<T>,
    grade: Grade,
    fences: u32,
    near_end: NearEnd,
}

impl<T: Transport> ReceiptPrinter<T> {
    /// Claims the printer, turns pushed status on, and probes which fence it has.
    /// Fence ids start at random: one that an earlier handle left queued must not
    /// prove a receipt of this one.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        entropy: &dyn Entropy,
    ) -> Result<Self, LinkError> {
        let link = Link::open(transport, clock, MODEL, OPEN_WITHIN).await?;
        let mut printer = Self {
            link,
            grade: Grade::Identified,
            fences: u32::from_le_bytes(random(entropy)),
            near_end: NearEnd::default(),
        };
        printer.probe().await?;
        Ok(printer)
    }

    /// The strongest fence that answers now. With a fault none does; the
    /// strongest is assumed and its silence is [`PrintOutcome::Unknown`].
    async fn probe(&mut self) -> Result<(), LinkError> {
        if !self.link.answers() {
            self.grade = Grade::Accepted;
            return Ok(());
        }
        for grade in [Grade::Identified, Grade::Ordered] {
            self.grade = grade;
            let until = self.link.now().saturating_add(PROBE);
            match self.behind(&[], until).await {
                Ok(_) => return Ok(()),
                Err(LinkError::Silent) => {}
                Err(LinkError::Fault(_) | LinkError::Blocked { .. }) => {
                    self.grade = Grade::Identified;
                    return Ok(());
                }
                Err(e) => return Err(e),
            }
        }
        self.grade = Grade::Accepted;
        Ok(())
    }

    /// What the sensors say now; the roll's end only if they said so for a while.
    pub async fn status(&mut self) -> Result<ReceiptPrinterStatus, LinkError> {
        self.link.look().await?;
        let near = self.link.asb().near_end();
        Ok(ReceiptPrinterStatus {
            fault: self.link.fault(),
            near_end: self.near_end.at(self.link.now(), near),
        })
    }

    /// Prints and cuts, at most `within`.
    pub async fn print(&mut self, document: &ReceiptDocument, within: Duration) -> PrintOutcome {
        let until = self.link.now().saturating_add(within);
        let nothing = |fault| PrintOutcome::Failed {
            printed: Printed::Nothing,
            fault,
        };
        let symbols = if self.link.quirks().no_qr {
            Symbols::Pictures
        } else {
            Symbols::Native
        };
        let body = match document.encode_with(symbols) {
            // Wiped after the print: it may be a sheet of passwords.
            Ok(body) => Zeroizing::new(body),
            Err(fault) => return nothing(fault),
        };
        let ready = if self.link.quirks().reset_between {
            self.link.flush(until).await
        } else {
            self.link.look().await
        };
        if let Err(e) = ready {
            return nothing(e.fault());
        }
        if let Some(fault) = self.link.fault() {
            return nothing(fault);
        }
        let evidence = match self.behind(&body, until).await {
            Ok(evidence) => evidence,
            Err(e) => {
                let soon = self.link.now().saturating_add(FLUSH);
                let _ = self.link.flush(soon).await;
                return outcome_of(&e);
            }
        };
        let cut = self.behind(&command::CUT_PARTIAL, until).await;
        match self.proven(until).await {
            Ok(grade) => PrintOutcome::Done {
                grade,
                evidence: hex(&evidence),
                cut: cut.is_ok() && grade >= Grade::Ordered,
            },
            Err(e) => outcome_of(&e),
        }
    }

    /// How sure it is now. Without a fence, pushed status that stays clean while the
    /// printer works off its buffer is something; a clean port is nothing.
    async fn proven(&mut self, until: Duration) -> Result<Grade, LinkError> {
        if self.grade >= Grade::Ordered {
            return Ok(self.grade);
        }
        let settled = self.link.now().saturating_add(SETTLE).min(until);
        match self.link.wait(settled, |link| link.alarm()).await {
            Ok(fault) => return Err(LinkError::Fault(fault)),
            Err(LinkError::Silent) => {}
            Err(e) => return Err(e),
        }
        self.link.look().await?;
        match self.link.fault() {
            Some(fault) => Err(LinkError::Fault(fault)),
            None if self.link.is_blind() => Ok(Grade::Accepted),
            None => Ok(Grade::Status),
        }
    }

    /// Sends `bytes` and a fence behind them; the fence's answer.
    async fn behind(&mut self, bytes: &[u8], until: Duration) -> Result<Vec<u8>, LinkError> {
        // GS r has no id: what was said before is no answer to it.
        self.link.look().await?;
        self.link.forget();
        self.fences = self.fences.wrapping_add(1);
        let id = command::fence_id(b'R', self.fences);
        let mut all = Zeroizing::new(Vec::with_capacity(bytes.len().saturating_add(FENCE_MAX)));
        all.extend_from_slice(bytes);
        match self.grade {
            Grade::Identified => all.extend(command::fence(id)),
            Grade::Ordered => all.extend(command::TRANSMIT_PAPER_STATUS),
            Grade::Accepted | Grade::Status => {}
        }
        self.link.send(&all, until).await?;
        match self.grade {
            Grade::Identified => {
                let came =
                    |r: &Reply| matches!(r, Reply::Tagged(0x22, got) if *got == id).then_some(());
                self.link.answer(until, came).await?;
                Ok([&[0x37, 0x22], id.as_slice(), &[0]].concat())
            }
            Grade::Ordered => {
                let came = |r: &Reply| match r {
                    Reply::Status(b) => Some(vec![*b]),
                    _ => None,
                };
                self.link.answer(until, came).await
            }
            Grade::Accepted | Grade::Status => Ok(Vec::new()),
        }
    }
}

/// What an error after the first byte was sent means for the paper.
fn outcome_of(error: &LinkError) -> PrintOutcome {
    match error {
        LinkError::Blocked {
            accepted: 0,
            fault: Some(fault),
        } => PrintOutcome::Failed {
            printed: Printed::Nothing,
            fault: *fault,
        },
        LinkError::Fault(fault)
        | LinkError::Blocked {
            fault: Some(fault), ..
        } => PrintOutcome::Failed {
            printed: Printed::Partial,
            fault: *fault,
        },
        e => PrintOutcome::Unknown { why: e.fault() },
    }
}

#[cfg(test)]
mod tests;
