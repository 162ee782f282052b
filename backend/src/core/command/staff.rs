//! Commands about accounts of staff, and logging in.

use counterfoil_data::ids::StaffId;
use counterfoil_data::wire::session::SessionId;

use crate::core::event::EndReason;
use crate::core::record::bank::Duty;
use crate::core::record::staff::SessionRow;
use serde::{Deserialize, Serialize};

/// What is wanted.
#[derive(Clone)]
pub enum StaffCommand {
    /// Two people give somebody an account, and enrol them where they are not yet.
    Create {
        /// The second person; the first is the actor.
        second: StaffId,
        /// Whose.
        staff: StaffId,
        /// Their name; only for somebody who is not enrolled.
        name: Option<String>,
        /// What they may do.
        roles: Vec<Duty>,
        /// Public key of their own terminal; only for somebody who is not enrolled.
        key: Option<[u8; 32]>,
        /// PHC string of the first password.
        password: String,
    },
    /// Two people give an account a new first password.
    Reset {
        /// The second person; the first is the actor.
        second: StaffId,
        /// Whose.
        staff: StaffId,
        /// PHC string of the first password.
        password: String,
    },
    /// Two people give an account other roles, disable or enable it.
    Change {
        /// The second person; the first is the actor.
        second: StaffId,
        /// Whose.
        staff: StaffId,
        /// Roles from now on; `None`: as before.
        roles: Option<Vec<Duty>>,
        /// Whether it is disabled from now on; `None`: as before.
        disabled: Option<bool>,
    },
    /// Counts an attempt to log in, before anything is compared.
    CountLogin {
        /// Who it is said to be.
        staff: StaffId,
    },
    /// The result of the comparison that was counted.
    SettleLogin {
        /// The number that [`LoginCheck`] gave.
        attempt: u64,
        /// What came of it.
        verdict: LoginVerdict,
    },
    /// Ends the session of the terminal that gives the command.
    End {
        /// Which.
        session: SessionId,
        /// Why.
        why: EndReason,
    },
}

/// Never shows a hash (I7).
impl std::fmt::Debug for StaffCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Create { .. } => "Create(…)",
            Self::Reset { .. } => "Reset(…)",
            Self::Change { .. } => "Change(…)",
            Self::CountLogin { .. } => "CountLogin(…)",
            Self::SettleLogin { .. } => "SettleLogin(…)",
            Self::End { .. } => "End(…)",
        })
    }
}

/// What comparing came to.
#[derive(Clone, PartialEq, Eq)]
pub enum LoginVerdict {
    /// Not the account's password, or nobody's account.
    Wrong,
    /// The account's password.
    Right,
    /// The account's password, and the PHC string of another one from now on.
    Renewed(String),
    /// The account's password, but the new one cannot be taken.
    Unfit,
}

/// What the argon2 worker needs of a counted attempt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginCheck {
    /// To name in [`StaffCommand::SettleLogin`].
    pub attempt: u64,
    /// PHC string to verify against; `None` where nobody may log in: hash anyway against
    /// a dummy, so that time tells nothing.
    pub verifier: Option<String>,
    /// Passwords that a new one must not be, the verifier's apart.
    pub history: Vec<String>,
    /// Name of the account's owner, which a password must not be either.
    pub name: String,
}

impl std::fmt::Debug for LoginCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LoginCheck(attempt {})", self.attempt)
    }
}

/// How an attempt to log in was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginOutcome {
    /// Compare now.
    Check(LoginCheck),
    /// Nobody is logged in; why is not said.
    Failed,
    /// The password is right, and another must come with it.
    MustChange,
    /// Somebody is logged in.
    In(SessionRow),
}
