//! Accounts of staff: given, reset, changed and disabled by two people of the branch, of
//! whom neither is the account's owner.

use counterfoil_data::ids::StaffId;

use super::attempts::staff_key;
use super::{Draft, Stop, info, login, stock};
use crate::core::command::{Actor, CommandBody, Outcome, StaffCommand};
use crate::core::event::{EndReason, Enrolled, Event, StaffEvent, TwoPeople};
use crate::core::key::{self, Table};
use crate::core::matrix::{self, Act};
use crate::core::record::bank::{Duty, StaffRow};
use crate::core::record::staff::{FIRST_PASSWORD_S, StaffAccountRow};
use crate::core::refusal::{Malformed, Missing, Refusal};

/// Longest name of a person, and longest PHC string, in bytes.
const TEXT_MAX: usize = 256;

/// Decides about accounts and sessions.
pub fn decide(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    let CommandBody::Staff(command) = draft.command.body.clone() else {
        return Err(Refusal::NotYours.into());
    };
    match command {
        StaffCommand::Create {
            second,
            staff,
            name,
            roles,
            key,
            password,
        } => {
            let by = people(draft, second, &staff)?;
            create(draft, by, staff, name, roles, key, password)
        }
        StaffCommand::Reset {
            second,
            staff,
            password,
        } => {
            let by = people(draft, second, &staff)?;
            reset(draft, by, staff, password)
        }
        StaffCommand::Change {
            second,
            staff,
            roles,
            disabled,
        } => {
            let by = people(draft, second, &staff)?;
            change(draft, by, staff, roles, disabled)
        }
        StaffCommand::CountLogin { staff } => login::count(draft, &staff),
        StaffCommand::SettleLogin { attempt, verdict } => login::settle(draft, attempt, verdict),
        StaffCommand::End { session, why } => login::end(draft, session, why),
    }
}

/// Nobody has a hand in their own account.
fn people(draft: &Draft<'_>, second: StaffId, staff: &StaffId) -> Result<TwoPeople, Stop> {
    let branch = draft.home()?;
    let by = stock::two_people(draft, second, &branch, Act::Staff);
    let by = by.map_err(|_| Stop::from(Refusal::Malformed(Malformed::StaffPeople)))?;
    if by.contains(staff) {
        return Err(Refusal::Malformed(Malformed::StaffPeople).into());
    }
    Ok(by)
}

fn lawful(roles: &[Duty], password: &str) -> Result<(), Stop> {
    if !matrix::compatible(roles) {
        return Err(Refusal::Malformed(Malformed::Roles).into());
    }
    if password.len() > TEXT_MAX {
        return Err(Refusal::Malformed(Malformed::Limit).into());
    }
    Ok(())
}

fn create(
    draft: &mut Draft<'_>,
    by: TwoPeople,
    staff: StaffId,
    name: Option<String>,
    roles: Vec<Duty>,
    key: Option<[u8; 32]>,
    password: String,
) -> Result<Outcome, Stop> {
    lawful(&roles, &password)?;
    if draft.account(&staff)?.is_some() {
        return Err(Refusal::Malformed(Malformed::Enrolled).into());
    }
    let branch = draft.home()?;
    let held: Option<StaffRow> = draft.books.get(&key::text(Table::Staff, staff.as_str()))?;
    match (held, name, roles.first()) {
        (Some(row), None, _) if row.branch == branch && key.is_none() => {}
        (None, Some(name), Some(duty)) if !name.is_empty() && name.len() <= TEXT_MAX => {
            let row = StaffRow {
                id: staff.clone(),
                name,
                branch,
                duty: *duty,
                key,
            };
            super::enrol::own_key(draft, &row)?;
            draft.emit(Event::Enrolled(Box::new(Enrolled::Staff(row))))?;
        }
        _ => return Err(Refusal::Malformed(Malformed::StaffNamed).into()),
    }
    let account = StaffAccountRow {
        id: staff,
        roles,
        password,
        history: Vec::new(),
        first_until: Some(info::later(draft.command.at, FIRST_PASSWORD_S)),
        disabled: false,
        terminal: None,
    };
    draft.emit(happened(StaffEvent::Created { account, by }))?;
    Ok(Outcome::Done)
}

pub(super) fn happened(event: StaffEvent) -> Event {
    Event::Staff(Box::new(event))
}

/// The account of somebody of the two people's branch.
fn held(draft: &Draft<'_>, staff: &StaffId) -> Result<StaffAccountRow, Stop> {
    let row: Option<StaffRow> = draft.books.get(&key::text(Table::Staff, staff.as_str()))?;
    let branch = draft.home()?;
    let account = draft.account(staff)?;
    let here = row.is_some_and(|row| row.branch == branch);
    let what = Missing::Staff;
    Ok(account.filter(|_| here).ok_or(Refusal::NotFound { what })?)
}

fn reset(
    draft: &mut Draft<'_>,
    by: TwoPeople,
    staff: StaffId,
    password: String,
) -> Result<Outcome, Stop> {
    let account = held(draft, &staff)?;
    lawful(&account.roles, &password)?;
    let until = info::later(draft.command.at, FIRST_PASSWORD_S);
    let cleared = vec![staff_key(&staff)];
    draft.emit(happened(StaffEvent::Reset {
        staff: staff.clone(),
        password,
        until,
        by,
        cleared,
    }))?;
    login::end_of(draft, &staff, EndReason::Changed)?;
    Ok(Outcome::Done)
}

fn change(
    draft: &mut Draft<'_>,
    by: TwoPeople,
    staff: StaffId,
    roles: Option<Vec<Duty>>,
    disabled: Option<bool>,
) -> Result<Outcome, Stop> {
    let account = held(draft, &staff)?;
    let roles = roles.unwrap_or(account.roles);
    lawful(&roles, "")?;
    draft.emit(happened(StaffEvent::Changed {
        staff: staff.clone(),
        roles,
        disabled: disabled.unwrap_or(account.disabled),
        by,
    }))?;
    login::end_of(draft, &staff, EndReason::Changed)?;
    Ok(Outcome::Done)
}

impl Draft<'_> {
    /// The account of a member of staff, if they have one.
    pub(super) fn account(&self, staff: &StaffId) -> Result<Option<StaffAccountRow>, Stop> {
        let key = key::text(Table::StaffAccount, staff.as_str());
        Ok(self.books.get(&key)?)
    }

    /// Whoever acts by a terminal of staff is logged in there, where the bank asks for it.
    /// What two people do with the service stopped has no terminal.
    pub(super) fn logged_in(&self) -> Result<(), Stop> {
        let access = self.access()?;
        let (name, staff) = match &self.command.actor {
            Actor::Station(id, officer) => (format!("station:{id}"), officer),
            Actor::Staff(id) if self.command.sequence.is_some() => (format!("staff:{id}"), id),
            _ => return Ok(()),
        };
        if !access.sessions || login::is_live(self, &name, staff)? {
            return Ok(());
        }
        Err(Refusal::NoSession.into())
    }
}
