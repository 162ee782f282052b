//! Enrolment, what the core bank reports of accounts and units, and errands delivered.

mod terms;

use super::{Draft, Stop, prints};
use crate::core::command::{Actor, CommandBody, GROUP_MAX, Outcome};
use crate::core::event::{Enrolled, Event};
use crate::core::key::{self, Table};
use crate::core::record::bank::{Duty, LOCKS_MAX, SLOTS_MAX, StaffRow, StationRow};
use crate::core::record::staff::{ATTEMPTS_MAX, AccessRow, SESSION_S_MAX};
use crate::core::refusal::{Malformed, Missing, Refusal};
use crate::store::{Key, Read as _};

/// Longest text of an enrolment in bytes.
const TEXT_MAX: usize = 256;
/// Largest template envelope in bytes.
pub const ENVELOPE_MAX: usize = 16 * 1024;

/// Decides enrolment and what else only the house itself commands.
pub fn decide(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    let body = draft.command.body.clone();
    let reported = matches!(
        body,
        CommandBody::SetAccountState { .. }
            | CommandBody::RenewLicence(_)
            | CommandBody::RecordBounces(_)
    );
    if reported && matches!(draft.command.actor, Actor::Kiosk(_) | Actor::Station(..)) {
        return Err(Refusal::NotYours.into());
    }
    if let CommandBody::SetAccountState { account, state } = body {
        known(
            draft,
            &key::text(Table::Account, &account),
            Missing::Account,
        )?;
        draft.emit(Event::AccountStateChanged { account, state })?;
        return Ok(Outcome::Done);
    }
    if !reported {
        draft.system()?;
    }
    if let CommandBody::MarkDelivered { sequences } = body {
        if sequences.len() > GROUP_MAX {
            return Err(Refusal::Malformed(Malformed::Limit).into());
        }
        draft.emit(Event::Delivered { sequences })?;
        return Ok(Outcome::Done);
    }
    let Some(enrolled) = enrolled(draft, body)? else {
        return Err(Refusal::NotYours.into());
    };
    check(draft, &enrolled)?;
    terms::check(draft, &enrolled)?;
    draft.emit(Event::Enrolled(Box::new(enrolled)))?;
    Ok(Outcome::Done)
}

fn enrolled(draft: &Draft<'_>, body: CommandBody) -> Result<Option<Enrolled>, Stop> {
    Ok(Some(match body {
        CommandBody::EnrolBank(row) => Enrolled::Bank(row),
        CommandBody::EnrolPolicy(row) => Enrolled::Policy(row),
        CommandBody::EnrolAccess(row) => Enrolled::Access(row),
        CommandBody::EnrolStaff(row) => Enrolled::Staff(row),
        CommandBody::EnrolKiosk(mut row) => {
            row.open_sale = None;
            Enrolled::Kiosk(row)
        }
        CommandBody::EnrolStation(row) => Enrolled::Station(row),
        CommandBody::EnrolUnit(row) => Enrolled::Unit(row),
        CommandBody::EnrolAccount {
            mut account,
            balance,
        } => {
            account.unused_before = account.unused;
            Enrolled::Account(account, balance)
        }
        CommandBody::EnrolAgent(mut row) => {
            row.enrolment = 0;
            Enrolled::Agent(row)
        }
        CommandBody::EnrolCard(row) => Enrolled::Card(row),
        CommandBody::EnrolFee(row) => Enrolled::Fee(row),
        CommandBody::EnrolCalendar(row) => Enrolled::Calendar(row),
        CommandBody::EnrolList { as_of, listed } => terms::list(draft, as_of, listed)?,
        CommandBody::RenewLicence(licence) => Enrolled::Licence(licence),
        CommandBody::RecordBounces(bounces) => Enrolled::Bounces(bounces),
        _ => return Ok(None),
    }))
}

fn known(draft: &Draft<'_>, key: &[u8], what: Missing) -> Result<(), Stop> {
    match draft.books.read(key)? {
        Some(_) => Ok(()),
        None => Err(Refusal::NotFound { what }.into()),
    }
}

/// Who sits at a station confirms for its branch.
fn seated(draft: &Draft<'_>, row: &StationRow) -> Result<(), Stop> {
    let officer = key::text(Table::Staff, row.officer.as_str());
    let officer: Option<StaffRow> = draft.books.get(&officer)?;
    let what = Missing::Staff;
    let officer = officer.ok_or(Refusal::NotFound { what })?;
    if officer.duty != Duty::Officer || officer.branch != row.branch {
        return Err(Refusal::Malformed(Malformed::Officer).into());
    }
    Ok(())
}

/// Two ids with one key would make two people of one.
pub(super) fn own_key(draft: &Draft<'_>, row: &StaffRow) -> Result<(), Stop> {
    let taken = row
        .key
        .map(|public| draft.books.read(&key::staff_key(&public)));
    if taken.transpose()?.flatten().is_some() {
        return Err(Refusal::Malformed(Malformed::KeyTaken).into());
    }
    Ok(())
}

/// Everything has a limit, and nobody waits for ever or not at all.
fn lawful_access(row: &AccessRow) -> bool {
    let attempts = [row.staff_attempts, row.terminal_attempts];
    let ladders = [
        &row.staff_locks_s,
        &row.terminal_locks_s,
        &row.card_locks_s,
        &row.account_locks_s,
        &row.kiosk_locks_s,
    ];
    attempts.iter().all(|n| (1..=ATTEMPTS_MAX).contains(n))
        && (1..=SESSION_S_MAX).contains(&row.idle_s)
        && (1..=SESSION_S_MAX).contains(&row.session_s)
        && ladders.iter().all(|steps| steps.len() <= LOCKS_MAX)
}

/// Enrolment is once; references must lead somewhere; limits hold (I9).
fn check(draft: &Draft<'_>, enrolled: &Enrolled) -> Result<(), Stop> {
    let (own, within): (Option<Key>, bool) = match enrolled {
        Enrolled::Bank(row) => (
            Some(key::single(Table::Bank)),
            row.name.len() <= TEXT_MAX && jiff::tz::TimeZone::get(&row.time_zone).is_ok(),
        ),
        Enrolled::Policy(row) => (
            None,
            row.info_attempts > 0
                && row.identity_attempts > 0
                && row.finger_locks_s.len() <= LOCKS_MAX,
        ),
        Enrolled::Access(row) => (None, lawful_access(row)),
        Enrolled::Staff(row) => {
            own_key(draft, row)?;
            let own = key::text(Table::Staff, row.id.as_str());
            (Some(own), row.name.len() <= TEXT_MAX)
        }
        Enrolled::Kiosk(row) => (
            Some(key::text(Table::Kiosk, row.id.as_str())),
            (1..=SLOTS_MAX).contains(&row.slots.len()) && row.branch_name.len() <= TEXT_MAX,
        ),
        Enrolled::Station(row) => {
            seated(draft, row)?;
            (Some(key::text(Table::Station, row.id.as_str())), true)
        }
        Enrolled::Unit(row) => (
            Some(key::text(Table::Unit, row.id.as_str())),
            [&row.name, &row.contact_name, &row.contact_phone]
                .iter()
                .all(|text| text.len() <= TEXT_MAX),
        ),
        Enrolled::Account(row, _) => {
            let unit = key::text(Table::Unit, row.unit.as_str());
            known(draft, &unit, Missing::Unit)?;
            let digits = row.number.bytes().all(|b| b.is_ascii_digit());
            (
                Some(key::text(Table::Account, &row.number)),
                digits && (16..=19).contains(&row.number.len()),
            )
        }
        Enrolled::Agent(row) => {
            let unit = key::text(Table::Unit, row.unit.as_str());
            known(draft, &unit, Missing::Unit)?;
            prints::lawful(&row.fingers)?;
            (Some(key::text(Table::Agent, row.id.as_str())), true)
        }
        Enrolled::Card(row) => {
            let account = key::text(Table::Account, &row.account);
            known(draft, &account, Missing::Account)?;
            (Some(key::hashed(Table::Card, row.lookup)), true)
        }
        Enrolled::Fee(row) => (None, row.each.0 >= 0),
        Enrolled::Calendar(_)
        | Enrolled::List(..)
        | Enrolled::Licence(_)
        | Enrolled::Bounces(_)
        | Enrolled::Prints(_)
        | Enrolled::Templates { .. }
        | Enrolled::Resealed(..) => (None, true),
    };
    if !within {
        return Err(Refusal::Malformed(Malformed::Limit).into());
    }
    match own {
        Some(own) if draft.books.read(&own)?.is_some() => {
            Err(Refusal::Malformed(Malformed::Enrolled).into())
        }
        _ => Ok(()),
    }
}
