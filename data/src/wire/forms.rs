//! What happened to paper: form states and the kiosk's advices about them.

use serde::{Deserialize, Serialize};

use super::sale::PrintJob;
use crate::bill::BillNumber;

/// Advices in one call at most.
pub const ADVICES_MAX: usize = 64;

/// A form's life inside a sale (`ARCHITECTURE.md`, blank).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FormState {
    /// Sold on paper, still in the cassette; never fed.
    Assigned,
    /// The feed is durable; paper may have moved.
    Feeding,
    /// Ink is on it and the number was right.
    Printed,
    /// In the customer's reach.
    Presented,
    /// Taken: sold for good.
    Sold,
    /// Fed and useless; awaits the corner cut.
    Spoiled,
    /// Not taken; in the retract bin.
    Retracted,
    /// Nobody knows; frozen until two staff resolve it.
    Unknown,
    /// Proven never fed; back at the head of the cassette.
    Released,
}

impl FormState {
    /// Whether the kiosk has nothing more to do with it.
    pub fn is_settled(self) -> bool {
        !matches!(
            self,
            Self::Assigned | Self::Feeding | Self::Printed | Self::Presented
        )
    }
}

/// `POST /v1/sales/{id}/forms`: in order, several in one call (I5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FormAdvices {
    /// Oldest first; 1 to [`ADVICES_MAX`].
    pub advices: Vec<FormAdvice>,
}

/// One thing that happened, or is about to (`feeding`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FormAdvice {
    /// The form this is about.
    pub number: BillNumber,
    /// What happened. Idempotent by (sale, number, event).
    pub event: FormEvent,
}

/// What happened to a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case", tag = "is", deny_unknown_fields)]
pub enum FormEvent {
    /// About to be fed: the backend must have this before the feed (I5).
    Feeding,
    /// Number compared and equal, ink done, the printer said so.
    Printed {
        /// The printer's own words: completion fence, hex.
        evidence: String,
    },
    /// Fed, and of no use.
    Failed {
        /// Whether ink may be on it.
        ink: bool,
        /// XFS4IoT's word for the fault, for example `mediaJammed`.
        reason: String,
    },
    /// Another number was read; no ink.
    Mismatch {
        /// The number that was read.
        read: BillNumber,
    },
    /// In the customer's reach.
    Presented,
    /// The customer took it.
    Taken,
    /// It was not taken and went to the retract bin.
    Retracted,
    /// After a restart nothing can be known.
    NoOutcome {
        /// What is missing.
        reason: String,
    },
}

/// Answer to [`FormAdvices`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FormsAnswer {
    /// Every advice that is now durable (all, or the call failed as a whole).
    pub accepted: u32,
    /// Jobs for forms the customer gets in place of spoiled ones, no second fee.
    pub supplements: Vec<PrintJob>,
    /// Every form of the sale and its state after this call.
    pub forms: Vec<super::sale::FormView>,
}
