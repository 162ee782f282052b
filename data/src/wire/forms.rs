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
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 64))]
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
#[serde(
    rename_all = "kebab-case",
    tag = "is",
    deny_unknown_fields,
    from = "FormEventText"
)]
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

/// What [`FormEvent`] is read from: serde refuses unknown fields beside a tag only in
/// variants with braces.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", deny_unknown_fields)]
enum FormEventText {
    Feeding {},
    Printed { evidence: String },
    Failed { ink: bool, reason: String },
    Mismatch { read: BillNumber },
    Presented {},
    Taken {},
    Retracted {},
    NoOutcome { reason: String },
}

impl From<FormEventText> for FormEvent {
    fn from(text: FormEventText) -> Self {
        match text {
            FormEventText::Feeding {} => Self::Feeding,
            FormEventText::Printed { evidence } => Self::Printed { evidence },
            FormEventText::Failed { ink, reason } => Self::Failed { ink, reason },
            FormEventText::Mismatch { read } => Self::Mismatch { read },
            FormEventText::Presented {} => Self::Presented,
            FormEventText::Taken {} => Self::Taken,
            FormEventText::Retracted {} => Self::Retracted,
            FormEventText::NoOutcome { reason } => Self::NoOutcome { reason },
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by the interface tester: `feeding` with a reason was taken for `feeding`.
    #[test]
    fn an_event_has_no_fields_but_its_own() {
        let read = |text: &str| serde_json::from_str::<FormEvent>(text);
        assert_eq!(read(r#"{"is":"feeding"}"#).ok(), Some(FormEvent::Feeding));
        for text in [
            r#"{"is":"feeding","reason":"jam"}"#,
            r#"{"is":"taken","evidence":"00"}"#,
            r#"{"is":"printed","evidence":"00","ink":true}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let reason = || "mediaJammed".to_owned();
        for event in [
            FormEvent::Feeding,
            FormEvent::Printed { evidence: reason() },
            FormEvent::Failed {
                ink: true,
                reason: reason(),
            },
            FormEvent::Mismatch {
                read: "3130002100010001".parse().expect("a number"),
            },
            FormEvent::Presented,
            FormEvent::Taken,
            FormEvent::Retracted,
            FormEvent::NoOutcome { reason: reason() },
        ] {
            let text = serde_json::to_string(&event).expect("serialises");
            assert_eq!(serde_json::from_str::<FormEvent>(&text).ok(), Some(event));
        }
    }
}
