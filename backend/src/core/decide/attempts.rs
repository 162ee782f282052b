//! Failed attempts: counted before anything is compared, at the backend, across kiosks.
//!
//! The last attempt allowed locks beforehand; success unlocks. Locks of every scope grow
//! along a ladder of its own, which only a success, a new enrolment of prints or a new
//! first password begins anew. Only what is signed by an enrolled machine gets here.

use counterfoil_data::ids::{AgentId, KioskId, StaffId};
use counterfoil_data::wire::hex;
use counterfoil_data::wire::sale::PurchaseMode;

use super::{Draft, Stop, info};
use crate::core::key::{self, Table};
use crate::core::record::bank::{KeyedHash, LockScope, Policy};
use crate::core::record::books::AttemptRow;
use crate::core::record::sale::SaleRow;
use crate::core::record::staff::AccessRow;
use crate::store::Key;

/// Key of the failed attempts of a card or account.
pub fn subject_key(subject: KeyedHash) -> Key {
    key::text(Table::Attempt, &format!("subject/{}", hex(&subject.0)))
}

/// Key of the failed attempts at one kiosk.
pub fn kiosk_key(kiosk: &KioskId) -> Key {
    key::text(Table::Attempt, &format!("kiosk/{kiosk}"))
}

/// Key of the failed attempts of an agent, with whichever finger.
pub fn agent_key(agent: &AgentId) -> Key {
    key::text(Table::Attempt, &format!("agent/{agent}"))
}

/// Key of the failed logins of a member of staff.
pub fn staff_key(staff: &StaffId) -> Key {
    key::text(Table::Attempt, &format!("staff/{staff}"))
}

/// Key of the failed logins at a terminal.
pub fn terminal_key(terminal: &str) -> Key {
    key::text(Table::Attempt, &format!("terminal/{terminal}"))
}

/// A counter: whose, how many attempts it allows, how long it locks.
pub struct Counter<'a> {
    key: Key,
    max: u32,
    locks_s: &'a [u32],
}

impl<'a> Counter<'a> {
    /// Of a card or account.
    pub fn of_subject(
        subject: KeyedHash,
        mode: PurchaseMode,
        policy: &'a Policy,
        access: &'a AccessRow,
    ) -> Self {
        let scope = match mode {
            PurchaseMode::SettlementCard => LockScope::Card,
            PurchaseMode::PaymentPassword => LockScope::Account,
        };
        Self {
            key: subject_key(subject),
            max: policy.info_attempts,
            locks_s: access.locks_s(scope, policy),
        }
    }

    /// Of a kiosk.
    pub fn of_kiosk(row: &SaleRow, policy: &'a Policy, access: &'a AccessRow) -> Self {
        Self {
            key: kiosk_key(&row.kiosk),
            max: policy.kiosk_attempts,
            locks_s: access.locks_s(LockScope::Kiosk, policy),
        }
    }

    /// Of an agent.
    pub fn of_agent(agent: &AgentId, policy: &'a Policy, access: &'a AccessRow) -> Self {
        Self {
            key: agent_key(agent),
            max: policy.identity_attempts,
            locks_s: access.locks_s(LockScope::Agent, policy),
        }
    }

    /// Of a member of staff, logging in.
    pub fn of_staff(staff: &StaffId, policy: &'a Policy, access: &'a AccessRow) -> Self {
        Self {
            key: staff_key(staff),
            max: access.staff_attempts,
            locks_s: access.locks_s(LockScope::Staff, policy),
        }
    }

    /// Of a terminal, whoever logs in.
    pub fn of_terminal(terminal: &str, policy: &'a Policy, access: &'a AccessRow) -> Self {
        Self {
            key: terminal_key(terminal),
            max: access.terminal_attempts,
            locks_s: access.locks_s(LockScope::Terminal, policy),
        }
    }

    fn held(&self, draft: &Draft<'_>) -> Result<AttemptRow, Stop> {
        Ok(draft.books.get(&self.key)?.unwrap_or_default())
    }

    /// Counts one more attempt; `None` while locked.
    pub fn count(self, draft: &Draft<'_>) -> Result<Option<(Key, AttemptRow)>, Stop> {
        let at = draft.command.at;
        let held = self.held(draft)?;
        let failed = match held.locked_until {
            Some(until) if until > at => return Ok(None),
            Some(_) => 1,
            None => held.failed.saturating_add(1),
        };
        let mut row = AttemptRow {
            failed,
            locked_until: None,
            locks: held.locks,
        };
        if failed >= self.max {
            row.locked_until = Some(info::later(at, self.step(held.locks)));
            row.locks = held.locks.saturating_add(1);
        }
        Ok(Some((self.key, row)))
    }

    /// Seconds of the lock that follows so many; the last step repeats.
    fn step(&self, locks: u32) -> u32 {
        let at = usize::try_from(locks).unwrap_or(usize::MAX);
        let step = self.locks_s.get(at).or(self.locks_s.last());
        step.copied().unwrap_or(u32::MAX)
    }

    /// One attempt fewer than counted: nothing was compared in it. A lock that it set ends.
    pub fn give_back(self, draft: &Draft<'_>) -> Result<(Key, AttemptRow), Stop> {
        let mut row = self.held(draft)?;
        row.failed = row.failed.saturating_sub(1);
        if row.locked_until.is_some() && row.failed < self.max {
            row.locked_until = None;
            row.locks = row.locks.saturating_sub(1);
        }
        Ok((self.key, row))
    }

    /// Attempts left before the lock, beside the sale's own: another sale may have used
    /// some.
    pub fn left(&self, draft: &Draft<'_>) -> Result<u32, Stop> {
        let held = self.held(draft)?;
        let until = held.locked_until;
        let locked = until.is_some_and(|until| until > draft.command.at);
        Ok(if locked {
            0
        } else {
            self.max.saturating_sub(held.failed)
        })
    }
}
