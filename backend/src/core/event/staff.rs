//! What happens to accounts of staff and at their terminals.

use counterfoil_data::ids::StaffId;
use counterfoil_data::wire::session::SessionId;
use jiff::Timestamp;

use super::TwoPeople;
use crate::core::record::bank::Duty;
use crate::core::record::books::AttemptRow;
use crate::core::record::staff::{SessionRow, StaffAccountRow};
use crate::store::Key;

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Its owner left.
    LoggedOut,
    /// Nobody touched the terminal.
    Idle,
    /// Its time was over.
    Expired,
    /// The backend started anew and does not know how long nobody touched it.
    Restarted,
    /// Somebody logged in at the same terminal, or its owner at another one.
    Replaced,
    /// The account was locked after failed attempts.
    Locked,
    /// Two people changed the account.
    Changed,
}

impl EndReason {
    /// Its stable word, in evidence.
    pub fn word(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged-out",
            Self::Idle => "idle",
            Self::Expired => "expired",
            Self::Restarted => "restarted",
            Self::Replaced => "replaced",
            Self::Locked => "locked",
            Self::Changed => "changed",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaffEvent {
    /// Two people gave somebody an account.
    Created {
        /// The account.
        account: StaffAccountRow,
        /// Who.
        by: TwoPeople,
    },
    /// Two people gave an account a new first password.
    Reset {
        /// Whose.
        staff: StaffId,
        /// Its PHC string.
        password: String,
        /// Good until then.
        until: Timestamp,
        /// Who.
        by: TwoPeople,
        /// Counters that begin anew.
        cleared: Vec<Key>,
    },
    /// Two people gave an account other roles, disabled or enabled it.
    Changed {
        /// Whose.
        staff: StaffId,
        /// Its roles from now on.
        roles: Vec<Duty>,
        /// Whether it is disabled from now on.
        disabled: bool,
        /// Who.
        by: TwoPeople,
    },
    /// An attempt to log in was counted.
    Attempted {
        /// Where.
        terminal: String,
        /// With whose account, if with any that may log in here now.
        staff: Option<StaffId>,
        /// Counters after it.
        counted: Vec<(Key, AttemptRow)>,
    },
    /// Nobody logged in.
    Failed {
        /// Where.
        terminal: String,
        /// The password was right, but it was a first one.
        must_change: bool,
        /// Counters that begin anew.
        cleared: Vec<Key>,
    },
    /// Somebody gave themselves a new password.
    PasswordChanged {
        /// Who.
        staff: StaffId,
        /// Its PHC string.
        password: String,
    },
    /// Somebody logged in.
    LoggedIn {
        /// Where.
        terminal: String,
        /// Who, and until when.
        session: SessionRow,
        /// Counters that begin anew.
        cleared: Vec<Key>,
    },
    /// A session ended.
    Ended {
        /// Where.
        terminal: String,
        /// Which.
        session: SessionId,
        /// Whose.
        staff: StaffId,
        /// Why.
        why: EndReason,
    },
}
