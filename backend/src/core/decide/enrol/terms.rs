//! What the bank sets and may set again: policy, fees, calendar, the regulator's list,
//! licences and returned cheques. Each new version says something newer, never
//! something else about a time that has begun.

use counterfoil_data::unit_code::UnitCode;
use jiff::civil::Date;

use super::{Draft, Stop, TEXT_MAX, known};
use crate::core::decide::business_date;
use crate::core::event::Enrolled;
use crate::core::key::{self, Table};
use crate::core::record::bank::{FeeRow, Policy};
use crate::core::record::terms::{
    BOUNCES_MAX, CALENDAR_DAYS_MAX, CalendarRow, Hours, LISTED_MAX, ListRow, Listed, RULES_OFF_MAX,
};
use crate::core::refusal::{Malformed, Missing, Refusal};
use crate::core::rules;

/// Most days a rule may look back: a century.
const DAYS_MAX: u32 = 36_525;

/// The list with its number; not older than the list in force, unless that one's date
/// is still to come, which was a slip.
pub fn list(draft: &Draft<'_>, as_of: Date, listed: Vec<Listed>) -> Result<Enrolled, Stop> {
    let held: Option<ListRow> = draft.books.get(&key::single(Table::List))?;
    let today = business_date(draft)?;
    let newer = |held: &Date| *held > as_of && *held <= today;
    if let Some(held) = held.as_ref().map(|l| l.as_of).filter(newer) {
        return Err(Refusal::Malformed(Malformed::ListOlder { held }).into());
    }
    let row = ListRow {
        as_of,
        number: held.map_or(0, |list| list.number).saturating_add(1),
        count: u32::try_from(listed.len()).unwrap_or(u32::MAX),
    };
    Ok(Enrolled::List(row, listed))
}

/// What each of them must keep.
pub fn check(draft: &Draft<'_>, enrolled: &Enrolled) -> Result<(), Stop> {
    match enrolled {
        Enrolled::Policy(row) => policy(draft, row),
        Enrolled::Fee(row) => fee(draft, row),
        Enrolled::Unit(row) => code(&row.code),
        Enrolled::Account(row, _) => limit(row.bounced.len() <= BOUNCES_MAX),
        Enrolled::Calendar(row) => calendar(row),
        Enrolled::List(_, listed) => {
            limit(listed.len() <= LISTED_MAX)?;
            listed.iter().try_for_each(|who| match who {
                Listed::Unit(text) => code(text),
                Listed::Person(_) | Listed::Account(_) => Ok(()),
            })
        }
        Enrolled::Licence(licence) => {
            let unit = key::text(Table::Unit, licence.unit.as_str());
            known(draft, &unit, Missing::Unit)
        }
        Enrolled::Bounces(bounces) => {
            limit(bounces.dates.len() <= BOUNCES_MAX)?;
            let account = key::text(Table::Account, &bounces.account);
            known(draft, &account, Missing::Account)
        }
        _ => Ok(()),
    }
}

fn limit(within: bool) -> Result<(), Stop> {
    within
        .then_some(())
        .ok_or_else(|| Refusal::Malformed(Malformed::Limit).into())
}

/// In capitals, as it is looked up.
fn code(text: &str) -> Result<(), Stop> {
    let sound = UnitCode::parse(text).is_ok_and(|code| code.as_str() == text);
    sound
        .then_some(())
        .ok_or_else(|| Refusal::Malformed(Malformed::UnitCode).into())
}

/// A refusal names the version: one version never says two things.
fn policy(draft: &Draft<'_>, row: &Policy) -> Result<(), Stop> {
    let held: Option<Policy> = draft.books.get(&key::single(Table::Policy))?;
    if let Some(held) = held.filter(|held| held.version >= row.version && held != row) {
        let held = held.version;
        return Err(Refusal::Malformed(Malformed::PolicyVersion { held }).into());
    }
    if row.rules_off.len() > RULES_OFF_MAX || !row.rules_off.iter().all(|id| rules::may_be_off(id))
    {
        return Err(Refusal::Malformed(Malformed::RuleOff).into());
    }
    let window = row.bounce.map_or(1, |rule| rule.window_days);
    let age = row.list_days_max.unwrap_or(0);
    limit((1..=DAYS_MAX).contains(&window) && age <= DAYS_MAX)
}

/// A fee that has begun stays what it is; before the first one everything is open.
fn fee(draft: &Draft<'_>, row: &FeeRow) -> Result<(), Stop> {
    let held: Option<FeeRow> = draft.books.get(&key::fee(row.kind, row.from))?;
    let from = row.from;
    let other = held.is_some_and(|held| held.each != row.each);
    if other && from <= business_date(draft)? {
        return Err(Refusal::Malformed(Malformed::FeeInForce { from }).into());
    }
    Ok(())
}

fn calendar(row: &CalendarRow) -> Result<(), Stop> {
    let named = |text: &String| !text.is_empty() && text.len() <= TEXT_MAX;
    limit(row.days.len() <= CALENDAR_DAYS_MAX && row.days.iter().all(|day| named(&day.name)))?;
    let mut dates: Vec<Date> = row.days.iter().map(|day| day.date).collect();
    dates.sort_unstable();
    dates.dedup();
    let own = row.days.iter().filter_map(|day| day.hours);
    let all: Vec<Hours> = row.week.iter().flatten().copied().chain(own).collect();
    if dates.len() != row.days.len() || all.iter().any(|hours| hours.opens > hours.closes) {
        return Err(Refusal::Malformed(Malformed::Calendar).into());
    }
    Ok(())
}
