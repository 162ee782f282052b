//! What a station screen says, before it is drawn. Variant names of
//! [`StationBody`] are public: `.play` scripts name them.

use counterfoil_data::wire::confirm::{ConfirmState, ConfirmationView};
use serde::Serialize;

use crate::login::LoginPage;
use crate::model::Language;

/// One station screen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StationScreen {
    /// Language of the station.
    pub language: Language,
    /// Name of the officer on duty.
    pub officer: String,
    /// The link to the bank is down.
    pub offline: bool,
    /// Somebody is logged in, who can log out.
    pub logged_in: bool,
    /// The screen itself.
    pub body: StationBody,
}

/// The screens of a station.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum StationBody {
    /// Asking the backend what waits.
    Starting,
    /// Nobody is logged in; nothing of any case is shown.
    Login(LoginPage),
    /// Every case of this branch, those that wait first.
    Queue {
        /// One row a case.
        cases: Vec<ConfirmationView>,
        /// Index of the focused row.
        focus: usize,
    },
    /// One case.
    Case {
        /// All of it.
        case: Box<ConfirmationView>,
        /// Seconds until silence becomes a denial.
        seconds_left: Option<i64>,
        /// What the backend answered to the last key.
        notice: Option<StationNotice>,
    },
    /// Choosing why to deny, or what to ask.
    Reason {
        /// All of the case.
        case: Box<ConfirmationView>,
        /// Denying or asking.
        purpose: Purpose,
        /// Index of the focused reason.
        focus: usize,
    },
}

impl StationBody {
    /// Every public name.
    pub const NAMES: [&'static str; 5] = ["Starting", "Login", "Queue", "Case", "Reason"];

    /// The public name of the screen.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Login(_) => "Login",
            Self::Queue { .. } => "Queue",
            Self::Case { .. } => "Case",
            Self::Reason { .. } => "Reason",
        }
    }
}

/// What a reason is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Purpose {
    /// Deny the sale.
    Deny,
    /// Ask again.
    Ask,
}

/// Reasons and questions travel as stable words; screens say them in words.
pub const DENY_REASONS: [&str; 4] = [
    "contact-did-not-confirm",
    "identity-in-doubt",
    "order-not-plausible",
    "other",
];
/// See [`DENY_REASONS`].
pub const QUESTIONS: [&str; 3] = ["fewer-forms", "another-kind", "wait-for-contact"];

impl Purpose {
    /// The words to choose from.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Deny => &DENY_REASONS,
            Self::Ask => &QUESTIONS,
        }
    }
}

/// What the backend answered to a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum StationNotice {
    /// The order changed while the officer looked; look again.
    Changed,
    /// Somebody or the clock decided first.
    TooLate,
    /// The bank could not be reached; nothing was decided.
    NotSent,
}

/// Whether the officer must still decide.
pub fn awaits_decision(state: ConfirmState) -> bool {
    matches!(state, ConfirmState::Shown | ConfirmState::Seen)
}
