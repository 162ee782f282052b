//! Conformance kits: what a driver here relies on, asked of one device, hardware or
//! twin, check by check, and written down on a pass sheet.
//!
//! Owns the kits (one file or folder a role), how a check is run, bounded and cleaned
//! up after, whose hands do the physical acts, and the sheet. Refuses to call a check
//! passed that was skipped. Decides nothing about a sale; numbered stock is spoiled
//! only by checks that say so. Called by `counterfoil-devices certify` and by tests.
//!
//! - [`mod@bench`]: the device under test, its bus and clock, what was learnt of it.
//! - [`hands`]: a twin's desk, or a person who is told in words.
//! - [`run`]: one check after the other.
//! - [`sheet`]: the pass sheet.
//! - [`usb`]: what every device must do on USB.
//! - [`wire`]: a printer's pipes without its driver.
//! - [`finger`]: the kits of finger sensors.
//! - [`form_printer`]: the kit of the form printer with cassettes.
//! - [`card_reader`]: the kit of chip-card readers.
//! - [`id_reader`]: the kit of ID-card readers.
//! - [`pin_pad`]: the kit of PIN pads.
//! - [`receipt_printer`]: the kit of receipt printers.
//! - [`slip_printer`]: the kits of form printers fed by hand.

pub mod bench;
pub mod card_reader;
pub mod finger;
pub mod form_printer;
pub mod hands;
pub mod id_reader;
pub mod pin_pad;
pub mod receipt_printer;
pub mod run;
pub mod sheet;
pub mod slip_printer;
#[cfg(test)]
mod tests;
pub mod usb;
pub mod wire;

use std::fmt::Debug;

use counterfoil_data::seam::Local;

use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::link::LinkError;
use crate::driver::form_printer::{FeedError, ReadError};
use crate::transport::{Bus, UsbError};

use self::bench::Bench;

/// What a check needs besides the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// Nothing: no paper moves, nobody does anything.
    Nothing,
    /// Paper, a form or a document that moves by itself.
    Paper,
    /// Somebody's hands.
    Act,
}

impl Needs {
    /// In words, for the list.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Paper => "paper",
            Self::Act => "hands",
        }
    }
}

/// Why a check is not passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// What was seen in place of what should be.
    Failed(String),
    /// Why it was not done.
    Skipped(String),
}

/// A note for the sheet, often empty, or why not.
pub type Verdict = Result<String, Stop>;

/// One check of a kit whose subject is `S`.
pub struct Check<S> {
    /// As in `FP-17`; never given to another check.
    pub id: &'static str,
    /// What it proves, in one sentence.
    pub proves: &'static str,
    /// Standard or manual, where one says so.
    pub source: &'static str,
    /// What to do when it fails.
    pub remedy: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// Blank forms it spoils at most.
    pub blanks: u32,
    /// Drives the device.
    pub run: for<'a> fn(&'a S) -> Local<'a, Verdict>,
}

impl<S> Check<S> {
    /// A check that moves nothing.
    pub const fn new(
        id: &'static str,
        proves: &'static str,
        source: &'static str,
        remedy: &'static str,
        run: for<'a> fn(&'a S) -> Local<'a, Verdict>,
    ) -> Self {
        Self {
            id,
            proves,
            source,
            remedy,
            needs: Needs::Nothing,
            blanks: 0,
            run,
        }
    }

    /// It moves paper and spoils so many blanks at most.
    #[must_use]
    pub fn spoils(mut self, blanks: u32) -> Self {
        self.needs = self.needs.max(Needs::Paper);
        self.blanks = blanks;
        self
    }

    /// Somebody has to do something.
    #[must_use]
    pub fn by_hand(mut self) -> Self {
        self.needs = Needs::Act;
        self
    }
}

/// What a kit is run on.
pub trait Subject {
    /// Where the device is.
    type Bus: Bus;
    /// The device under test.
    fn bench(&self) -> &Bench<Self::Bus>;
    /// After a check that was not passed: brings the device back to rest, or says why
    /// nothing after it makes sense.
    fn settle(&self) -> Local<'_, Result<(), String>>;
}

impl Stop {
    /// What was seen.
    pub fn seen(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }
}

/// Fails unless `seen` is `wanted`.
pub(crate) fn expect<T: PartialEq + Debug>(what: &str, seen: T, wanted: T) -> Result<(), Stop> {
    if seen == wanted {
        return Ok(());
    }
    Err(Stop::Failed(format!("{what}: {seen:?}, not {wanted:?}")))
}

/// Fails with `what` unless it holds.
pub(crate) fn ensure(holds: bool, what: impl Into<String>) -> Result<(), Stop> {
    holds.then_some(()).ok_or_else(|| Stop::Failed(what.into()))
}

impl From<UsbError> for Stop {
    fn from(error: UsbError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<LinkError> for Stop {
    fn from(error: LinkError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<PrintFault> for Stop {
    fn from(fault: PrintFault) -> Self {
        Self::Failed(fault.to_string())
    }
}

impl From<FeedError> for Stop {
    fn from(error: FeedError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Failed(error.to_string())
    }
}
