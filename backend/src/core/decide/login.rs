//! Logging in at a terminal of staff: counted, durably, before anything is compared.
//!
//! Whoever is unknown, locked, disabled, of another branch or of no use at this terminal
//! is treated like a wrong password, to the last answer. Only a signed terminal gets here,
//! so nobody outside can lock anybody; who stands at a terminal can, for a step of the
//! ladder, and the terminal's own ladder bounds how many.

use counterfoil_data::ids::StaffId;
use counterfoil_data::sign::SignerId;
use counterfoil_data::wire::session::SessionId;

use super::attempts::{Counter, staff_key, terminal_key};
use super::staff::happened;
use super::{Draft, Stop, info, stock};
use crate::core::command::{Actor, LoginCheck, LoginOutcome, LoginVerdict, Outcome};
use crate::core::event::{EndReason, StaffEvent};
use crate::core::key::{self, Table};
use crate::core::record::bank::{Duty, StaffRow, StationRow};
use crate::core::record::staff::{AccessRow, SessionRow, StaffAccountRow, TerminalRow};
use crate::core::refusal::{Missing, Refusal};

/// The terminal that gives the command.
fn terminal(draft: &Draft<'_>) -> Result<(SignerId, String), Stop> {
    match &draft.command.actor {
        Actor::Terminal(signer) => Ok((signer.clone(), signer.to_string())),
        _ => Err(Refusal::NotYours.into()),
    }
}

fn row(draft: &Draft<'_>, name: &str) -> Result<TerminalRow, Stop> {
    let row = draft.books.get(&key::text(Table::Terminal, name))?;
    Ok(row.unwrap_or_default())
}

/// Whether they are logged in at this terminal now, as far as the books know.
pub fn is_live(draft: &Draft<'_>, name: &str, staff: &StaffId) -> Result<bool, Stop> {
    let session = row(draft, name)?.session;
    Ok(session.is_some_and(|held| held.staff == *staff && draft.command.at < held.ends))
}

/// The account, and its owner's name, if it is one that logs in at this terminal.
fn candidate(
    draft: &Draft<'_>,
    signer: &SignerId,
    staff: &StaffId,
) -> Result<Option<(StaffAccountRow, String)>, Stop> {
    let person: Option<StaffRow> = draft.books.get(&key::text(Table::Staff, staff.as_str()))?;
    let account = draft.account(staff)?;
    let (Some(person), Some(account)) = (person, account) else {
        return Ok(None);
    };
    let belongs = match signer {
        SignerId::Station(id) => {
            let station = key::text(Table::Station, id.as_str());
            let station: Option<StationRow> = draft.books.get(&station)?;
            let what = Missing::Station;
            let station = station.ok_or(Refusal::NotFound { what })?;
            station.branch == person.branch && account.roles.contains(&Duty::Officer)
        }
        SignerId::Staff(id) => id == staff,
        SignerId::Kiosk(_) => return Err(Refusal::NotYours.into()),
    };
    Ok(belongs.then_some((account, person.name)))
}

/// Counts an attempt and gives what the worker needs.
pub fn count(draft: &mut Draft<'_>, staff: &StaffId) -> Result<Outcome, Stop> {
    let (signer, name) = terminal(draft)?;
    let (access, policy) = (draft.access()?, draft.policy()?);
    if !access.sessions {
        return Err(Refusal::SessionsOff.into());
    }
    let Some(by_terminal) = Counter::of_terminal(&name, &policy, &access).count(draft)? else {
        return Err(Refusal::TerminalLocked.into());
    };
    let mut counted = vec![by_terminal];
    let found = candidate(draft, &signer, staff)?;
    let found = match found {
        Some(found) => {
            let by_staff = Counter::of_staff(staff, &policy, &access).count(draft)?;
            let is_free = by_staff.is_some() && found.0.is_open(draft.command.at);
            counted.extend(by_staff);
            is_free.then_some(found)
        }
        None => None,
    };
    let attempt = row(draft, &name)?.attempts.saturating_add(1);
    draft.emit(happened(StaffEvent::Attempted {
        terminal: name,
        staff: found.as_ref().map(|(account, _)| account.id.clone()),
        counted,
    }))?;
    let (verifier, history, name) = match found {
        Some((account, name)) => (Some(account.password), account.history, name),
        None => (None, Vec::new(), String::new()),
    };
    Ok(Outcome::Login(Box::new(LoginOutcome::Check(LoginCheck {
        attempt,
        verifier,
        history,
        name,
    }))))
}

fn told(outcome: LoginOutcome) -> Result<Outcome, Stop> {
    Ok(Outcome::Login(Box::new(outcome)))
}

/// The comparison is done.
pub fn settle(draft: &mut Draft<'_>, attempt: u64, verdict: LoginVerdict) -> Result<Outcome, Stop> {
    let (_, name) = terminal(draft)?;
    let held = row(draft, &name)?;
    let counted = held.pending.filter(|_| held.attempts == attempt);
    let Some(counted) = counted else {
        return Err(Refusal::NoLogin.into());
    };
    let account = match &counted {
        Some(staff) => draft.account(staff)?,
        None => None,
    };
    // Meanwhile two people may have closed it.
    let account = account
        .filter(|account| verdict != LoginVerdict::Wrong && account.is_open(draft.command.at));
    let Some(account) = account else {
        return failed(draft, name, counted);
    };
    let staff = account.id.clone();
    let cleared = vec![staff_key(&staff), terminal_key(&name)];
    match verdict {
        LoginVerdict::Renewed(password) => {
            let staff = staff.clone();
            draft.emit(happened(StaffEvent::PasswordChanged { staff, password }))?;
        }
        LoginVerdict::Right if account.first_until.is_none() => {}
        _ => {
            draft.emit(happened(StaffEvent::Failed {
                terminal: name,
                must_change: true,
                cleared,
            }))?;
            return told(LoginOutcome::MustChange);
        }
    }
    end_of(draft, &staff, EndReason::Replaced)?;
    end_at(draft, &name, EndReason::Replaced)?;
    let access = draft.access()?;
    let bytes = draft.derived(b"session");
    let session = SessionRow {
        id: SessionId(bytes.first_chunk().copied().unwrap_or_default()),
        staff,
        began: draft.command.at,
        ends: info::later(draft.command.at, access.session_s),
    };
    draft.emit(happened(StaffEvent::LoggedIn {
        terminal: name,
        session: session.clone(),
        cleared,
    }))?;
    told(LoginOutcome::In(session))
}

/// A lock that the attempt set ends the session that its owner has.
fn failed(
    draft: &mut Draft<'_>,
    terminal: String,
    counted: Option<StaffId>,
) -> Result<Outcome, Stop> {
    draft.emit(happened(StaffEvent::Failed {
        terminal,
        must_change: false,
        cleared: Vec::new(),
    }))?;
    if let Some(staff) = counted {
        let (access, policy) = (draft.access()?, draft.policy()?);
        if Counter::of_staff(&staff, &policy, &access).left(draft)? == 0 {
            end_of(draft, &staff, EndReason::Locked)?;
        }
    }
    told(LoginOutcome::Failed)
}

/// Ends the session that a member of staff has anywhere.
pub fn end_of(draft: &mut Draft<'_>, staff: &StaffId, why: EndReason) -> Result<(), Stop> {
    let at = draft.account(staff)?.and_then(|account| account.terminal);
    match at {
        Some(name) => end_at(draft, &name, why),
        None => Ok(()),
    }
}

/// Ends the session at a terminal.
fn end_at(draft: &mut Draft<'_>, name: &str, why: EndReason) -> Result<(), Stop> {
    let Some(session) = row(draft, name)?.session else {
        return Ok(());
    };
    draft.emit(happened(StaffEvent::Ended {
        terminal: name.to_owned(),
        session: session.id,
        staff: session.staff,
        why,
    }))?;
    Ok(())
}

/// Ends the terminal's own session; one that is over already is no mistake.
pub fn end(draft: &mut Draft<'_>, session: SessionId, why: EndReason) -> Result<Outcome, Stop> {
    let (_, name) = terminal(draft)?;
    let held = row(draft, &name)?.session;
    if held.is_some_and(|held| held.id == session) {
        end_at(draft, &name, why)?;
    }
    Ok(Outcome::Done)
}

impl Draft<'_> {
    /// What the bank decided about logging in and locks.
    pub(super) fn access(&self) -> Result<AccessRow, Stop> {
        let row = self.books.get(&key::single(Table::Access))?;
        Ok(row.unwrap_or_default())
    }

    /// A station's officer: whoever is logged in there, or who is seated there where
    /// nobody logs in.
    pub(super) fn may_decide(&self, station: &StationRow, officer: &StaffId) -> Result<bool, Stop> {
        if !self.access()?.sessions {
            return Ok(station.officer == *officer);
        }
        self.logged_in()?;
        Ok(stock::roles(self, officer, &station.branch)?.contains(&Duty::Officer))
    }
}
