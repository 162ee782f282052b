//! What the form printer's acts come to. Every doubt has a value of its own.

use counterfoil_data::ids::SlotId;
use counterfoil_data::wire::problem::Remedy;

use crate::driver::completion::Grade;
use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::link::LinkError;

/// Whether something lies at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupancy {
    /// Nothing there.
    Empty,
    /// Something there.
    Occupied,
    /// The printer has no sensor that tells.
    Unknown,
}

impl Occupancy {
    /// From a sensor.
    pub fn of(covered: bool) -> Self {
        if covered { Self::Occupied } else { Self::Empty }
    }
}

/// Level of a cassette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Enough blanks.
    Full,
    /// Few blanks.
    Low,
    /// None.
    Out,
    /// It is fed by hand.
    ByHand,
}

/// One feed slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotStatus {
    /// `slot-1` and so on.
    pub slot: SlotId,
    /// What its sensors say; the count is the books' business.
    pub level: Level,
}

/// What lies where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormPrinterStatus {
    /// Slots that have a cassette.
    pub slots: Vec<SlotStatus>,
    /// Bundles in the retract bin since it was emptied.
    pub retracted_bundles: u32,
    /// A sheet under the reader or the head.
    pub transport: Occupancy,
    /// The printed bundle.
    pub escrow: Occupancy,
    /// In the customer's reach.
    pub output: Occupancy,
    /// A form is jammed.
    pub jam: bool,
    /// The fault reported now, if any.
    pub fault: Option<PrintFault>,
}

impl FormPrinterStatus {
    /// Of a printer that a person feeds and empties: there is no cassette, escrow,
    /// output or bin that anything could lie in.
    pub fn by_hand(transport: Occupancy, fault: Option<PrintFault>) -> Self {
        let slot = "slot-1".parse().ok();
        let slots = slot.map(|slot| SlotStatus {
            slot,
            level: Level::ByHand,
        });
        Self {
            slots: slots.into_iter().collect(),
            retracted_bundles: 0,
            transport,
            escrow: Occupancy::Empty,
            output: Occupancy::Empty,
            jam: false,
            fault,
        }
    }
}

/// A feed that failed; whether paper moved decides what the books say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Certainly no blank left its cassette.
    #[error("nothing was fed: {fault}")]
    NothingFed {
        /// Why.
        fault: PrintFault,
    },
    /// A blank may have moved; its number counts as fed.
    #[error("a blank may have moved: {fault}")]
    MayHaveMoved {
        /// Why.
        fault: PrintFault,
    },
}

impl FeedError {
    /// Why, either way.
    pub fn fault(self) -> PrintFault {
        match self {
            Self::NothingFed { fault } | Self::MayHaveMoved { fault } => fault,
        }
    }

    /// Whether the blank counts as fed.
    pub fn may_have_moved(self) -> bool {
        matches!(self, Self::MayHaveMoved { .. })
    }

    /// What a person can do.
    pub fn remedy(self) -> Remedy {
        self.fault().remedy()
    }
}

/// A number that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No two readings agreed; the last detail byte of the reader.
    #[error("the number cannot be read (detail {detail:02x}): divert the sheet")]
    Unreadable {
        /// Detail byte (TM-H5000II specification): 45 no waveform, 46 unknown
        /// character, 40 readings were good but differed.
        detail: u8,
    },
    /// The printer could not read at all.
    #[error("no reading: {fault}")]
    Printer {
        /// Why.
        fault: PrintFault,
    },
}

impl ReadError {
    pub(super) fn of(error: &LinkError) -> Self {
        Self::Printer {
            fault: error.fault(),
        }
    }

    /// XFS4IoT's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "fieldNotRead",
            Self::Printer { fault } => fault.word(),
        }
    }

    /// What a person can do.
    pub fn remedy(self) -> Remedy {
        match self {
            Self::Unreadable { .. } => Remedy::CallStaff,
            Self::Printer { fault } => fault.remedy(),
        }
    }
}

/// What printing one form came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrintOutcome {
    /// Inked and out of the printer's mechanism, as sure as the grade says.
    Done {
        /// How sure.
        grade: Grade,
        /// What the printer said for it: hex of two completion frames, after the ink
        /// and after the eject, or the words a weaker printer has.
        evidence: String,
    },
    /// It failed; the sheet lies in the transport. Divert it.
    Failed {
        /// Why.
        fault: PrintFault,
        /// Whether ink may be on it.
        ink: bool,
    },
    /// The printer went silent or away after it may have begun.
    Unknown {
        /// What is missing.
        why: PrintFault,
    },
}

impl PrintOutcome {
    /// After the FF was accepted, only a reported fault is knowledge.
    pub(in crate::driver) fn after_ink(error: &LinkError) -> Self {
        match error {
            LinkError::Fault(fault)
            | LinkError::Blocked {
                fault: Some(fault), ..
            } => Self::Failed {
                fault: *fault,
                ink: true,
            },
            e => Self::Unknown { why: e.fault() },
        }
    }
}

/// Where a diverted sheet went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diverted {
    /// Into the reject bin.
    ToReject,
    /// Out at the front: a person must take it and keep it with the spoiled ones.
    ToOperator,
    /// The transport was clear already.
    NothingThere,
}

/// Whether the customer took the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// The output is clear.
    Taken,
    /// Not within the time given.
    StillThere,
}

/// Where a retracted bundle went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retraction {
    /// Into the retract bin: its count rose.
    ToBin,
    /// There was nothing left to draw back: it was taken.
    NothingThere,
}
