//! Who must log in, and how long locks last: the `[access]` part of a terms file.
//!
//! Every key may be left out and then has the value written here. A ladder is the seconds
//! of the first lock, the second, and so on; the last step repeats, and only a success
//! begins it anew.

use serde::Deserialize;

/// Whether staff log in at terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StaffSessions {
    /// A terminal's key is enough; its officer is seated by enrolment.
    #[default]
    Off,
    /// Whoever acts must be logged in.
    Required,
}

/// What a bank decides about logging in and about locks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// Whether staff log in.
    pub staff_sessions: StaffSessions,
    /// Seconds without a key that end a session: 600.
    pub idle_s: u32,
    /// Seconds that a session may last: 28,800 (8 h).
    pub session_s: u32,
    /// Failed logins of one account that lock it: 5.
    pub staff_attempts: u32,
    /// Failed logins at one terminal that lock it, whoever makes them: 20.
    pub terminal_attempts: u32,
    /// Locks of an account of staff: 1 min, 5 min, 30 min, 1 h. Short at first, because
    /// whoever stands at a terminal can lock a colleague.
    pub staff_locks_s: Vec<u32>,
    /// Locks of a terminal of staff: 1 min, 5 min, 15 min.
    pub terminal_locks_s: Vec<u32>,
    /// Locks of a settlement card: 15 min, 1 h, 24 h.
    pub card_locks_s: Vec<u32>,
    /// Locks of a customer's account: the same; its number is no secret, so the first is
    /// short.
    pub account_locks_s: Vec<u32>,
    /// Locks of a kiosk after 30 failed attempts of anybody: 5 min, 15 min, 1 h.
    pub kiosk_locks_s: Vec<u32>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            staff_sessions: StaffSessions::Off,
            idle_s: 600,
            session_s: 28_800,
            staff_attempts: 5,
            terminal_attempts: 20,
            staff_locks_s: vec![60, 300, 1_800, 3_600],
            terminal_locks_s: vec![60, 300, 900],
            card_locks_s: vec![900, 3_600, 86_400],
            account_locks_s: vec![900, 3_600, 86_400],
            kiosk_locks_s: vec![300, 900, 3_600],
        }
    }
}
