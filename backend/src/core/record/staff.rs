//! Records of who may log in at terminals of staff, who is logged in, and how failed
//! attempts of every scope are answered.

use counterfoil_data::ids::StaffId;
use counterfoil_data::wire::session::SessionId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use super::bank::{Duty, LockScope, Policy};
use crate::core::key::Table;

/// Earlier passwords that nobody may take again.
pub const HISTORY_MAX: usize = 5;
/// Seconds that a first password is good for: three days.
pub const FIRST_PASSWORD_S: u32 = 72 * 3600;
/// Longest idle time and longest session that may be set, in seconds: a day.
pub const SESSION_S_MAX: u32 = 24 * 3600;
/// Most attempts that may be allowed before a lock.
pub const ATTEMPTS_MAX: u32 = 100;

/// What the bank decided about logging in and about locks. One row; books without it are
/// as [`AccessRow::default`] says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRow {
    /// Whether staff must log in at terminals; else a terminal's key is enough.
    pub sessions: bool,
    /// Seconds without a key that end a session.
    pub idle_s: u32,
    /// Seconds that a session may last.
    pub session_s: u32,
    /// Failed logins of one account that lock it.
    pub staff_attempts: u32,
    /// Failed logins at one terminal that lock it, whoever makes them.
    pub terminal_attempts: u32,
    /// Seconds that an account's locks last, from the first to the last, which repeats.
    pub staff_locks_s: Vec<u32>,
    /// The same of a terminal.
    pub terminal_locks_s: Vec<u32>,
    /// The same of a settlement card; without any, the policy's `lock_s`.
    pub card_locks_s: Vec<u32>,
    /// The same of a customer's account.
    pub account_locks_s: Vec<u32>,
    /// The same of a kiosk.
    pub kiosk_locks_s: Vec<u32>,
}

impl Default for AccessRow {
    fn default() -> Self {
        Self {
            sessions: false,
            idle_s: 600,
            session_s: 8 * 3600,
            staff_attempts: 5,
            terminal_attempts: 20,
            staff_locks_s: vec![60, 300, 1_800, 3_600],
            terminal_locks_s: vec![60, 300, 900],
            card_locks_s: Vec::new(),
            account_locks_s: Vec::new(),
            kiosk_locks_s: Vec::new(),
        }
    }
}

impl AccessRow {
    /// `sessions-required` or `sessions-off`.
    pub fn word(&self) -> &'static str {
        if self.sessions {
            "sessions-required"
        } else {
            "sessions-off"
        }
    }

    /// Seconds that the locks of a scope last, from the first to the last.
    pub fn locks_s<'a>(&'a self, scope: LockScope, policy: &'a Policy) -> &'a [u32] {
        let own = match scope {
            LockScope::Agent => &policy.finger_locks_s,
            LockScope::Card => &self.card_locks_s,
            LockScope::Account => &self.account_locks_s,
            LockScope::Kiosk => &self.kiosk_locks_s,
            LockScope::Staff => &self.staff_locks_s,
            LockScope::Terminal => &self.terminal_locks_s,
        };
        if own.is_empty() {
            std::slice::from_ref(&policy.lock_s)
        } else {
            own
        }
    }
}

/// An account of a member of staff. Locks are in the table of attempts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffAccountRow {
    /// Whose.
    pub id: StaffId,
    /// What they may do, in place of the duty they were enrolled with.
    pub roles: Vec<Duty>,
    /// argon2 PHC string of the password.
    pub password: String,
    /// Those before it, newest last.
    pub history: Vec<String>,
    /// The password is a first one: good until then, and only to give another.
    pub first_until: Option<Timestamp>,
    /// Nobody logs in with it.
    pub disabled: bool,
    /// Where they are logged in.
    pub terminal: Option<String>,
}

impl StaffAccountRow {
    /// Whether anybody may log in with it now; locks apart.
    pub fn is_open(&self, now: Timestamp) -> bool {
        !self.disabled && self.first_until.is_none_or(|until| now < until)
    }

    /// Gives it another password.
    pub fn renew(&mut self, password: String, first_until: Option<Timestamp>) {
        let old = std::mem::replace(&mut self.password, password);
        self.history.push(old);
        let over = self.history.len().saturating_sub(HISTORY_MAX);
        self.history.drain(..over);
        self.first_until = first_until;
    }
}

impl std::fmt::Debug for StaffAccountRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StaffAccountRow({}, {:?})", self.id, self.roles)
    }
}

/// A terminal of staff: its last attempt, and who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TerminalRow {
    /// Attempts so far.
    pub attempts: u64,
    /// The attempt that is counted and not settled: with whose account, if with any.
    pub pending: Option<Option<StaffId>>,
    /// Who is logged in.
    pub session: Option<SessionRow>,
}

/// Somebody logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Its name.
    pub id: SessionId,
    /// Who.
    pub staff: StaffId,
    /// Since.
    pub began: Timestamp,
    /// It is over then.
    pub ends: Timestamp,
}

macro_rules! records {
    ($($row:ty => $table:ident),+ $(,)?) => {
        $(impl Record for $row {
            const TABLE: Table = Table::$table;
        })+
    };
}

records! {
    AccessRow => Access,
    StaffAccountRow => StaffAccount,
    TerminalRow => Terminal,
}
