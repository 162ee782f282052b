//! The gate before ink on numbered stock, for printers that cannot read a number, or
//! only where a reader is fitted.
//!
//! ```text
//!  Stranger ──fed──► Fed ──read, twice the same──► Read(number) ──may_ink──► Stranger
//!     ▲                └───────── anything else ──────────┘
//! ```
//!
//! Owns the order of acts on one sheet: feed, read, compare, only then ink, once. A
//! printer is refused at the feed unless the configuration says that an operator reads
//! the number, or a reader that it has. Sans-I/O; called by the slip printers' drivers.

use counterfoil_data::bill::BillNumber;
use counterfoil_data::form;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::PrintJob;
use serde::Deserialize;

use super::escpos::fault::PrintFault;
use super::form_printer::ReadError;

/// Who reads the number of a sheet in a printer that cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readback {
    /// Nobody: no numbered form is fed.
    #[default]
    None,
    /// An operator reads it from the sheet and types it twice.
    Operator,
    /// The magnetic reader (MICR) of a slip station that has one.
    Micr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sheet {
    Stranger,
    Fed,
    Read(BillNumber),
}

/// The gate of one printer.
#[derive(Debug)]
pub(super) struct Gate {
    readback: Readback,
    has_reader: bool,
    sheet: Sheet,
}

impl Gate {
    /// Of a printer that cannot read.
    pub fn new(readback: Readback) -> Self {
        Self::with_reader(readback, false)
    }

    /// Of a printer that may have a reader.
    pub fn with_reader(readback: Readback, has_reader: bool) -> Self {
        Self {
            readback,
            has_reader,
            sheet: Sheet::Stranger,
        }
    }

    /// Whether a numbered form may be fed at all.
    pub fn may_feed(&self) -> Result<(), PrintFault> {
        match self.readback {
            Readback::None => Err(PrintFault::NoReader),
            Readback::Micr if !self.has_reader => Err(PrintFault::NoReader),
            Readback::Operator | Readback::Micr => Ok(()),
        }
    }

    /// A sheet came in under this handle's eyes.
    pub fn fed(&mut self) {
        self.sheet = Sheet::Fed;
    }

    /// What lies in the printer is not known any more.
    pub fn lost(&mut self) {
        self.sheet = Sheet::Stranger;
    }

    /// The number that was read from the sheet in the printer.
    pub fn number(&self) -> Result<BillNumber, ReadError> {
        let fault = match self.sheet {
            Sheet::Read(number) => return Ok(number),
            Sheet::Fed => PrintFault::OperatorMustRead,
            Sheet::Stranger => PrintFault::SequenceInvalid,
        };
        Err(ReadError::Printer { fault })
    }

    /// What the operator typed, both times. The number has no check digit, so one
    /// reading alone is none.
    pub fn operator_reads(
        &mut self,
        first: BillNumber,
        again: BillNumber,
    ) -> Result<BillNumber, ReadError> {
        let no_reading = |fault| ReadError::Printer { fault };
        self.may_feed().map_err(no_reading)?;
        if self.readback != Readback::Operator {
            return Err(no_reading(PrintFault::Unsupported));
        }
        if self.sheet == Sheet::Stranger {
            return self.number();
        }
        self.sheet = Sheet::Fed;
        if first != again {
            // 40: both readings were good, but differ.
            return Err(ReadError::Unreadable { detail: 0x40 });
        }
        self.sheet = Sheet::Read(first);
        Ok(first)
    }

    /// Whether the printer's own reader is to read, and has not yet.
    pub fn awaits_reader(&self) -> bool {
        self.readback == Readback::Micr && self.sheet == Sheet::Fed
    }

    /// What the printer's own reader read from the sheet that was fed.
    pub fn printer_reads(&mut self, number: BillNumber) {
        if self.awaits_reader() {
            self.sheet = Sheet::Read(number);
        }
    }

    /// The gates before ink; whatever comes of it, this sheet is inked once at most.
    pub fn may_ink(&mut self, job: &PrintJob, approved: &ConfirmText) -> Result<(), PrintFault> {
        form::follows(job, approved).map_err(|_| PrintFault::FieldSpecFailure)?;
        if self.sheet != Sheet::Read(job.number) {
            return Err(PrintFault::SequenceInvalid);
        }
        self.sheet = Sheet::Stranger;
        Ok(())
    }

    /// A calibration is inked on a sheet that was fed and that nobody read a number
    /// from.
    pub fn may_calibrate(&mut self) -> Result<(), PrintFault> {
        if self.sheet != Sheet::Fed {
            return Err(PrintFault::SequenceInvalid);
        }
        self.sheet = Sheet::Stranger;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample::{self, approved};
    use super::*;

    /// 1 to 5 are of the confirmed order.
    fn number(serial: u8) -> BillNumber {
        format!("31301121000001{serial:02}")
            .parse()
            .expect("a number")
    }

    fn job(serial: u8) -> PrintJob {
        sample::job(&number(serial).to_string())
    }

    #[test]
    fn without_a_reader_or_an_operator_nothing_numbered_is_fed() {
        let mut gate = Gate::new(Readback::default());
        assert_eq!(gate.may_feed(), Err(PrintFault::NoReader));
        gate.fed();
        let fault = PrintFault::NoReader;
        let read = gate.operator_reads(number(1), number(1));
        assert_eq!(read, Err(ReadError::Printer { fault }));
        let inked = gate.may_ink(&job(1), &approved()).map(drop);
        assert_eq!(inked, Err(PrintFault::SequenceInvalid));
    }

    #[test]
    fn two_readings_that_differ_are_none() {
        let mut gate = Gate::new(Readback::Operator);
        gate.fed();
        gate.operator_reads(number(1), number(1)).expect("the same");
        let read = gate.operator_reads(number(1), number(2));
        assert_eq!(read, Err(ReadError::Unreadable { detail: 0x40 }));
        let inked = gate.may_ink(&job(1), &approved()).map(drop);
        assert_eq!(inked, Err(PrintFault::SequenceInvalid), "not the old one");
    }

    #[test]
    fn a_reader_that_is_not_fitted_reads_nothing_and_one_that_is_is_not_overruled() {
        let mut gate = Gate::new(Readback::Micr);
        assert_eq!(gate.may_feed(), Err(PrintFault::NoReader));
        gate.fed();
        let mut fitted = Gate::with_reader(Readback::Micr, true);
        fitted.printer_reads(number(1));
        let fault = PrintFault::SequenceInvalid;
        assert_eq!(fitted.number(), Err(ReadError::Printer { fault }));
        fitted.fed();
        let fault = PrintFault::Unsupported;
        let typed = fitted.operator_reads(number(1), number(1));
        assert_eq!(typed, Err(ReadError::Printer { fault }));
        fitted.printer_reads(number(1));
        assert_eq!(fitted.number(), Ok(number(1)));
        fitted.printer_reads(number(2));
        let other = fitted.may_ink(&job(2), &approved());
        assert_eq!(other, Err(PrintFault::SequenceInvalid));
        assert_eq!(fitted.may_ink(&job(1), &approved()), Ok(()));
    }

    #[derive(Debug, Clone)]
    enum Act {
        Fed,
        Lost,
        Reads(u8, u8),
        Ink(u8),
        Calibrate,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            Just(Act::Fed),
            Just(Act::Lost),
            (1_u8..4, 1_u8..4).prop_map(|(a, b)| Act::Reads(a, b)),
            (1_u8..4).prop_map(Act::Ink),
            Just(Act::Calibrate),
        ]
    }

    proptest! {
        #[test]
        fn ink_follows_a_feed_and_an_agreed_number_and_comes_once(
            acts in prop::collection::vec(act(), 0..40)
        ) {
            let mut gate = Gate::new(Readback::Operator);
            let (mut fed, mut read) = (false, None);
            for act in acts {
                match act {
                    Act::Fed => {
                        gate.fed();
                        (fed, read) = (true, None);
                    }
                    Act::Lost => {
                        gate.lost();
                        (fed, read) = (false, None);
                    }
                    Act::Reads(a, b) => {
                        let ok = gate.operator_reads(number(a), number(b)).is_ok();
                        prop_assert_eq!(ok, fed && a == b);
                        read = ok.then_some(a);
                    }
                    Act::Ink(n) => {
                        let ok = gate.may_ink(&job(n), &approved()).is_ok();
                        prop_assert_eq!(ok, fed && read == Some(n));
                        if ok {
                            (fed, read) = (false, None);
                        }
                    }
                    Act::Calibrate => {
                        let ok = gate.may_calibrate().is_ok();
                        prop_assert_eq!(ok, fed && read.is_none());
                        if ok {
                            fed = false;
                        }
                    }
                }
            }
        }
    }
}
