//! What a bank sets and sets again, in the books' words: from `counterfoil_data::terms`
//! to commands. Refuses nothing; the core does. Called by enrolment and by `app`'s
//! `policy`.

use counterfoil_data::demo;
use counterfoil_data::terms::{Access, Calendar, DayHours, List, ListEntry, StaffSessions, Terms};

use crate::core::command::CommandBody;
use crate::core::record::bank::{
    AccountState, BounceRule, CardPolicy, ConfirmPolicy, FeeRow, KeyedHash, Policy,
};
use crate::core::record::staff::AccessRow;
use crate::core::record::terms::{Bounces, CalendarRow, Hours, Licence, Listed, OwnDay};
use crate::keys::{Indexed, Keys};

/// Failed attempts at one kiosk before it is locked.
const KIOSK_ATTEMPTS: u32 = 30;

/// Every command of a file, in order, each with the line it comes from.
pub fn commands(terms: &Terms, usual: Hours, keys: &Keys) -> Vec<(usize, CommandBody)> {
    let mut bodies = Vec::new();
    let policy_part = terms.policy.iter();
    bodies.extend(policy_part.map(|p| (p.line, CommandBody::EnrolPolicy(policy(&p.part)))));
    let access_part = terms.access.iter();
    bodies.extend(access_part.map(|a| (a.line, CommandBody::EnrolAccess(access(&a.part)))));
    bodies.extend(terms.fees.iter().map(|f| (f.line, fee(&f.part))));
    let calendars = terms.calendar.iter();
    bodies.extend(calendars.map(|c| {
        let row = calendar(&c.part, usual);
        (c.line, CommandBody::EnrolCalendar(row))
    }));
    bodies.extend(terms.list.iter().map(|l| (l.line, list(&l.part, keys))));
    bodies.extend(terms.licences.iter().map(|l| {
        let licence = Licence {
            unit: l.part.unit.clone(),
            valid_to: l.part.valid_to,
        };
        (l.line, CommandBody::RenewLicence(licence))
    }));
    for news in &terms.accounts {
        let account = &news.part.number;
        bodies.extend(news.part.state.map(|state| {
            let body = CommandBody::SetAccountState {
                account: account.clone(),
                state: account_state(state),
            };
            (news.line, body)
        }));
        bodies.extend(news.part.bounced.clone().map(|dates| {
            let account = account.clone();
            let body = CommandBody::RecordBounces(Bounces { account, dates });
            (news.line, body)
        }));
    }
    bodies
}

/// A fee, in the books' words.
pub fn fee(fee: &demo::Fee) -> CommandBody {
    CommandBody::EnrolFee(FeeRow {
        kind: fee.kind,
        from: fee.from,
        each: fee.each,
    })
}

/// A policy, in the books' words.
pub fn policy(policy: &demo::Policy) -> Policy {
    Policy {
        version: policy.version,
        confirm: match policy.confirm {
            demo::ConfirmPolicy::Always => ConfirmPolicy::Always,
            demo::ConfirmPolicy::Never => ConfirmPolicy::Never,
        },
        confirm_within_s: policy.confirm_within_s,
        info_attempts: policy.info_attempts,
        identity_attempts: policy.identity_attempts,
        kiosk_attempts: KIOSK_ATTEMPTS,
        lock_s: policy.lock_for_s,
        finger_locks_s: policy.finger_locks_s.clone(),
        match_threshold_milli: policy.finger_threshold_milli,
        second_finger_above: policy.second_finger_above,
        two_finger_threshold_milli: policy.two_finger_threshold_milli,
        sale_within_s: policy.sale_within_s,
        quantity_usual: policy.quantity_usual,
        cards: match policy.cards {
            demo::CardPolicy::Proven => CardPolicy::Proven,
            demo::CardPolicy::Any => CardPolicy::Any,
        },
        rules_off: policy.rules_off.clone(),
        list_days_max: policy.list_days_max,
        bounce: policy.bounce.map(|rule| BounceRule {
            window_days: rule.window_days,
            max: rule.max,
        }),
    }
}

/// Who must log in, and locks, in the books' words.
pub fn access(access: &Access) -> AccessRow {
    AccessRow {
        sessions: access.staff_sessions == StaffSessions::Required,
        idle_s: access.idle_s,
        session_s: access.session_s,
        staff_attempts: access.staff_attempts,
        terminal_attempts: access.terminal_attempts,
        staff_locks_s: access.staff_locks_s.clone(),
        terminal_locks_s: access.terminal_locks_s.clone(),
        card_locks_s: access.card_locks_s.clone(),
        account_locks_s: access.account_locks_s.clone(),
        kiosk_locks_s: access.kiosk_locks_s.clone(),
    }
}

/// An account's state, in the books' words.
pub fn account_state(state: demo::AccountState) -> AccountState {
    match state {
        demo::AccountState::Normal => AccountState::Normal,
        demo::AccountState::Frozen => AccountState::Frozen,
        demo::AccountState::Dormant => AccountState::Dormant,
        demo::AccountState::Closing => AccountState::Closing,
    }
}

/// A calendar; a weekday that says nothing has the usual hours.
pub fn calendar(calendar: &Calendar, usual: Hours) -> CalendarRow {
    let hours = |hours: DayHours| match hours {
        DayHours::Closed => None,
        DayHours::Open(opens, closes) => Some(Hours { opens, closes }),
    };
    CalendarRow {
        week: calendar
            .week
            .days()
            .map(|day| day.map_or(Some(usual), hours)),
        days: calendar
            .days
            .iter()
            .map(|day| OwnDay {
                date: day.date,
                name: day.name.clone(),
                hours: hours(day.hours),
            })
            .collect(),
    }
}

/// The regulator's list, its people and accounts as keyed hashes.
pub fn list(list: &List, keys: &Keys) -> CommandBody {
    let hash = |kind, text: &str| KeyedHash(keys.index(kind, text).0);
    let listed = list.entries.iter().map(|entry| match entry {
        ListEntry::Unit(code) => Listed::Unit(code.to_ascii_uppercase()),
        ListEntry::Person(number) => Listed::Person(hash(Indexed::Citizen, number)),
        ListEntry::Account(number) => Listed::Account(hash(Indexed::Account, number)),
    });
    CommandBody::EnrolList {
        as_of: list.as_of,
        listed: listed.collect(),
    }
}
