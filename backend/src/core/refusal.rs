//! Refusals: why a command was not done. A refusal leaves no trace in the books
//! but the request number it used up.
//!
//! Each variant holds facts, never personal data, and maps to one problem kind
//! and one remedy; the service only translates.

mod malformed;
mod missing;
mod stock;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::problem::{ProblemKind, Remedy, RuleRefusal};
use counterfoil_data::wire::sale::SaleState;
use serde::{Deserialize, Serialize};

pub use malformed::Malformed;
pub use missing::Missing;
pub use stock::{ProposalRefusal, StockRefusal};

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refusal {
    /// Not accepted in this state (I4).
    #[error("not accepted while the sale is {state:?}: read the sale and go on from its state")]
    OutOfOrder {
        /// Where the sale stands.
        state: SaleState,
    },
    /// The time for this step is over; a timer is about to end the sale.
    #[error("the time for this is over ({state:?}): read the sale again")]
    TooLate {
        /// Where the sale stands.
        state: SaleState,
    },
    /// The kiosk has another sale in progress.
    #[error("this kiosk has a sale in progress ({state:?}): finish or cancel it first")]
    SaleInProgress {
        /// Where that sale stands.
        state: SaleState,
    },
    /// Known signer, not its business.
    #[error("not this signer's business")]
    NotYours,
    /// No such thing.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for.
        what: Missing,
    },
    /// The actor's request number did not grow.
    #[error("request number {given} is not above {last}: replayed or out of order")]
    StaleSequence {
        /// The number given.
        given: u64,
        /// The largest number seen.
        last: u64,
    },
    /// The key was used with another request.
    #[error("this key was used with another request: make a new key")]
    KeyReused,
    /// A keyed command came without a key, or the key is malformed.
    #[error("an idempotency key of 1 to 64 bytes is required")]
    KeyMissing,
    /// The challenge is not the current one.
    #[error("sealed under a challenge that was used up: read the sale and seal again")]
    StaleChallenge {
        /// Where the sale stands.
        state: SaleState,
    },
    /// The digest is not of the text shown now.
    #[error("what was looked at has changed: read it again")]
    StaleDigest {
        /// Where the sale stands.
        state: SaleState,
    },
    /// The document's authenticity was not asserted by the kiosk (S16).
    #[error("the authenticity assertion is not this kiosk's: check the document again")]
    NotAuthentic {
        /// Where the sale stands.
        state: SaleState,
    },
    /// The settlement names no counted attempt.
    #[error("no counted attempt {attempt} awaits settlement")]
    NoSuchAttempt {
        /// The number given.
        attempt: u32,
        /// Where the sale stands.
        state: SaleState,
    },
    /// A rule refused; the sale stays where it is.
    #[error("rule {} refused", rule.rule)]
    Rule {
        /// Which, and what to do.
        rule: RuleRefusal,
        /// Where the sale stands.
        state: SaleState,
    },
    /// An advice contradicts what is known of the form.
    #[error("form {number} is {form:?}: the advice contradicts it, deliver outcomes in order")]
    FormContradiction {
        /// Which form.
        number: BillNumber,
        /// What is known of it.
        form: FormState,
        /// Where the sale stands.
        state: SaleState,
    },
    /// A form was to be fed out of turn (I5).
    #[error("feed form {expected} first and report its outcome")]
    FormOrder {
        /// The form whose turn it is.
        expected: BillNumber,
        /// Where the sale stands.
        state: SaleState,
    },
    /// A form was to be fed from a slot that is locked after a mismatch.
    #[error("the slot of form {number} is locked after a wrong number: staff must look")]
    SlotLocked {
        /// The form.
        number: BillNumber,
        /// Where the sale stands.
        state: SaleState,
    },
    /// Some forms have no outcome yet.
    #[error("{open} forms have no outcome yet: report them first")]
    FormsOpen {
        /// How many.
        open: u32,
        /// Where the sale stands.
        state: SaleState,
    },
    /// The payment-password sheet was given out under another key, or is settled (L7).
    #[error("the password sheet was given out before: it is never given twice")]
    SheetGiven {
        /// Where the sale stands.
        state: SaleState,
    },
    /// Numbers moved while passwords were drawn for them; nothing was done (L7).
    #[error("numbers moved while passwords were drawn for them: repeat the same request")]
    Undrawn,
    /// The command's content breaks a limit or a rule of form.
    #[error("malformed: {0}")]
    Malformed(Malformed),
    /// The stock does not allow it.
    #[error("stock: {0}")]
    Stock(StockRefusal),
    /// This officer has not opened the text shown now (S20).
    #[error("open what is shown now before deciding about it")]
    NotSeen {
        /// Where the sale stands.
        state: SaleState,
    },
    /// A proposal of two people does not allow it.
    #[error("{0}")]
    Proposal(ProposalRefusal),
    /// The kiosk has seen a log that is not in these books.
    #[error(
        "this kiosk saw {seen} records of evidence that are not those of these books, which \
         have {size}: they were put back; count its forms, then reconcile it"
    )]
    BooksBehind {
        /// Leaves the kiosk saw.
        seen: u64,
        /// Leaves of the books.
        size: u64,
    },
    /// The books were restored, and the kiosk did not say what it saw.
    #[error(
        "the books were restored and this kiosk does not say what evidence it saw: update it, \
         or count its forms and reconcile it"
    )]
    Unreported,
    /// Nobody is logged in at this terminal, or somebody else.
    #[error("nobody is logged in at this terminal: log in first")]
    NoSession,
    /// This house knows its staff by the keys of terminals alone.
    #[error("nobody logs in at this house: its policy asks for terminals' keys alone")]
    SessionsOff,
    /// Too many failed logins at this terminal.
    #[error("too many failed logins at this terminal: wait, or use another one")]
    TerminalLocked,
    /// No attempt to log in waits for its result.
    #[error("this attempt to log in is over: begin another")]
    NoLogin,
    /// The house's clock is behind its own records.
    #[error(
        "the house's clock is {by_s} s behind its newest record: set it right, or let two \
         people accept it"
    )]
    ClockBehind {
        /// By how much, in seconds.
        by_s: i64,
    },
}

impl Refusal {
    /// The problem type it is on the wire.
    pub fn problem(&self) -> ProblemKind {
        match self {
            Self::OutOfOrder { .. }
            | Self::SaleInProgress { .. }
            | Self::FormContradiction { .. }
            | Self::FormOrder { .. }
            | Self::SlotLocked { .. }
            | Self::FormsOpen { .. }
            | Self::TooLate { .. }
            | Self::SheetGiven { .. }
            | Self::StaleChallenge { .. }
            | Self::NoSuchAttempt { .. } => ProblemKind::OutOfOrder,
            Self::Undrawn => ProblemKind::Busy,
            Self::NoSession => ProblemKind::NoSession,
            Self::TerminalLocked => ProblemKind::Locked,
            Self::NoLogin => ProblemKind::NotVerified,
            Self::Proposal(refusal) => refusal.problem(),
            Self::NotYours => ProblemKind::NotYours,
            Self::NotFound { .. } => ProblemKind::NotFound,
            Self::StaleSequence { .. } => ProblemKind::NotSigned,
            Self::KeyReused => ProblemKind::KeyReused,
            Self::KeyMissing | Self::Malformed(_) => ProblemKind::Malformed,
            Self::StaleDigest { .. } | Self::NotSeen { .. } => ProblemKind::StaleDigest,
            Self::NotAuthentic { .. } => ProblemKind::NotVerified,
            Self::Rule { .. }
            | Self::Stock(_)
            | Self::BooksBehind { .. }
            | Self::ClockBehind { .. }
            | Self::SessionsOff
            | Self::Unreported => ProblemKind::Refused,
        }
    }

    /// The sale's state; every refusal about a sale that the signer may see has it.
    pub fn state(&self) -> Option<SaleState> {
        match self {
            Self::OutOfOrder { state }
            | Self::TooLate { state }
            | Self::SaleInProgress { state }
            | Self::StaleChallenge { state }
            | Self::StaleDigest { state }
            | Self::NotSeen { state }
            | Self::NotAuthentic { state }
            | Self::NoSuchAttempt { state, .. }
            | Self::Rule { state, .. }
            | Self::FormContradiction { state, .. }
            | Self::FormOrder { state, .. }
            | Self::SlotLocked { state, .. }
            | Self::FormsOpen { state, .. }
            | Self::SheetGiven { state } => Some(*state),
            Self::NotYours
            | Self::NotFound { .. }
            | Self::StaleSequence { .. }
            | Self::KeyReused
            | Self::KeyMissing
            | Self::Undrawn
            | Self::Malformed(_)
            | Self::Proposal(_)
            | Self::BooksBehind { .. }
            | Self::ClockBehind { .. }
            | Self::NoSession
            | Self::SessionsOff
            | Self::TerminalLocked
            | Self::NoLogin
            | Self::Unreported
            | Self::Stock(_) => None,
        }
    }

    /// A stable word for what stands in the way of two people: the variant's name in
    /// small letters. Screens of staff say it in their own language.
    pub fn word(&self) -> Option<String> {
        match self {
            Self::Stock(refusal) => Some(kebab(&format!("{refusal:?}"))),
            Self::Proposal(refusal) => Some(kebab(&format!("{refusal:?}"))),
            Self::FormsOpen { .. } => Some("forms-open".to_owned()),
            Self::BooksBehind { .. } => Some("books-behind".to_owned()),
            Self::Unreported => Some("unreported".to_owned()),
            Self::SessionsOff => Some("sessions-off".to_owned()),
            Self::ClockBehind { .. } => Some("clock-behind".to_owned()),
            _ => None,
        }
    }

    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Rule { rule, .. } => rule.remedy,
            Self::Malformed(Malformed::Items | Malformed::Quantity) => Remedy::ChangeOrder,
            Self::OutOfOrder { .. }
            | Self::SaleInProgress { .. }
            | Self::TooLate { .. }
            | Self::StaleChallenge { .. }
            | Self::NoSuchAttempt { .. }
            | Self::NotFound { .. }
            | Self::NoSession
            | Self::NoLogin
            | Self::Malformed(_) => Remedy::Restart,
            Self::Proposal(_)
            | Self::StaleDigest { .. }
            | Self::NotSeen { .. }
            | Self::StaleSequence { .. }
            | Self::KeyReused
            | Self::KeyMissing
            | Self::FormOrder { .. }
            | Self::Undrawn
            | Self::FormsOpen { .. } => Remedy::Retry,
            Self::NotYours
            | Self::NotAuthentic { .. }
            | Self::FormContradiction { .. }
            | Self::SlotLocked { .. }
            | Self::SheetGiven { .. }
            | Self::BooksBehind { .. }
            | Self::ClockBehind { .. }
            | Self::SessionsOff
            | Self::TerminalLocked
            | Self::Unreported
            | Self::Stock(_) => Remedy::CallStaff,
        }
    }
}

/// `TwoPeople` or `Count { … }` as `two-people` or `count`.
fn kebab(variant: &str) -> String {
    let name = variant.split(' ').next().unwrap_or_default();
    let mut word = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}
