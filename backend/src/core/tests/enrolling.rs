//! What enrolment refuses: limits, loose ends, the same thing twice (I9).

use counterfoil_data::money::Fen;
use counterfoil_data::wire::sale::FingerPosition;
use jiff::civil::date;

use super::bank::*;
use crate::core::command::{Actor, CommandBody, GROUP_MAX};
use crate::core::record::bank::{
    AccountState, BankRow, BounceRule, CardRow, Duty, EnrolledFinger, FINGERS_MAX, SLOTS_MAX,
    StationRow, TEMPLATES_MAX, UnitRow,
};
use crate::core::record::terms::{
    BOUNCES_MAX, Bounces, CALENDAR_DAYS_MAX, CalendarRow, Hours, LISTED_MAX, Licence, Listed,
    OwnDay, RULES_OFF_MAX,
};
use crate::core::refusal::{Malformed, Missing, Refusal};
use crate::store::model::ModelStore;

const TEXT_MAX: usize = 256;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

/// The first body of the small bank's enrolment that `edit` changes.
fn other(edit: impl Fn(&mut CommandBody) -> bool) -> CommandBody {
    let mut bodies = enrolment();
    let body = bodies
        .iter_mut()
        .find_map(|body| edit(body).then_some(body));
    body.expect("one of them").clone()
}

fn bank(edit: impl Fn(&mut BankRow)) -> CommandBody {
    other(|body| match body {
        CommandBody::EnrolBank(row) => {
            edit(row);
            true
        }
        _ => false,
    })
}

fn unit(edit: impl Fn(&mut UnitRow)) -> CommandBody {
    other(|body| match body {
        CommandBody::EnrolUnit(row) => {
            row.id = id("unit-2");
            edit(row);
            true
        }
        _ => false,
    })
}

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Each body is over its limit by one; nothing of it is in the books.
fn over(desk: &mut Desk<ModelStore>, bodies: Vec<CommandBody>) {
    for body in bodies {
        let refused = desk.give(Actor::System, body.clone());
        let limit = Err(Refusal::Malformed(Malformed::Limit));
        assert_eq!(refused, limit, "{body:?}");
    }
}

#[test]
fn names_are_as_long_as_they_may_be_and_no_longer() {
    let long = || text(TEXT_MAX + 1);
    let mut empty = Desk::empty(ModelStore::new());
    let zone = bank(|row| row.time_zone = "Asia/Nowhere".to_owned());
    over(&mut empty, vec![bank(|row| row.name = long()), zone]);
    empty.must(Actor::System, bank(|row| row.name = text(TEXT_MAX)));
    let mut desk = desk();
    let named = |name: String, bytes: usize| {
        let mut body = staff(&name, Duty::Teller);
        if let CommandBody::EnrolStaff(row) = &mut body {
            row.name = text(bytes);
        }
        body
    };
    let bodies = vec![
        named("teller-8".to_owned(), TEXT_MAX + 1),
        unit(|row| row.name = long()),
        unit(|row| row.contact_name = long()),
        unit(|row| row.contact_phone = long()),
    ];
    over(&mut desk, bodies);
    desk.must(Actor::System, named("teller-8".to_owned(), TEXT_MAX));
    desk.must(
        Actor::System,
        unit(|row| row.contact_phone = text(TEXT_MAX)),
    );
}

#[test]
fn a_kiosk_has_one_to_eight_slots() {
    let mut desk = desk();
    let machine = |slots: usize, branch: usize| {
        other(|body| match body {
            CommandBody::EnrolKiosk(row) => {
                row.id = id("kiosk-9");
                row.branch_name = text(branch);
                let kind = row.slots[0].1;
                let name = |n| (id(&format!("slot-{n}")), kind);
                row.slots = (1..=slots).map(name).collect();
                true
            }
            _ => false,
        })
    };
    let bodies = vec![
        machine(0, 1),
        machine(SLOTS_MAX + 1, 1),
        machine(1, TEXT_MAX + 1),
    ];
    over(&mut desk, bodies);
    desk.must(Actor::System, machine(SLOTS_MAX, TEXT_MAX));
}

#[test]
fn an_account_number_is_16_to_19_digits_of_a_unit_that_is_known() {
    let mut desk = desk();
    let of = |number: &str, unit: &str, bounced: usize| {
        let mut account = account(number, STRANGER);
        account.unit = id(unit);
        account.bounced = vec![date(2026, 1, 1); bounced];
        let balance = Fen(0);
        CommandBody::EnrolAccount { account, balance }
    };
    let bodies = vec![
        of("313000000000001", "unit-1", 0),
        of("31300000000000000011", "unit-1", 0),
        of("313000000000000000X", "unit-1", 0),
        of("3130000000000000002", "unit-1", BOUNCES_MAX + 1),
    ];
    over(&mut desk, bodies);
    let what = Missing::Unit;
    let nobodys = desk.give(Actor::System, of("3130000000000000002", "unit-7", 0));
    assert_eq!(nobodys, Err(Refusal::NotFound { what }));
    desk.must(Actor::System, of("3130000000000002", "unit-1", BOUNCES_MAX));
    desk.must(Actor::System, of("3130000000000000002", "unit-1", 0));
}

#[test]
fn an_agent_has_four_fingers_of_five_impressions_at_most_each_once_and_a_unit() {
    let mut desk = desk();
    let of = |unit: &str, fingers: &[FingerPosition], prints: usize, bytes: usize| {
        let mut row = agent();
        row.id = id("agent-2");
        row.unit = id(unit);
        let finger = |position: &FingerPosition| EnrolledFinger {
            position: *position,
            templates: vec![vec![0; bytes]; prints],
        };
        row.fingers = fingers.iter().map(finger).collect();
        CommandBody::EnrolAgent(row)
    };
    let (envelope, all) = (16 * 1024, FingerPosition::ALL);
    let one = &all[..1];
    for body in [
        of("unit-1", one, TEMPLATES_MAX + 1, 1),
        of("unit-1", one, 0, 1),
        of("unit-1", one, 1, envelope + 1),
        of("unit-1", &all[..FINGERS_MAX + 1], 1, 1),
        of("unit-1", &[all[1], all[1]], 1, 1),
    ] {
        let refused = desk.give(Actor::System, body);
        assert_eq!(refused, Err(Refusal::Malformed(Malformed::Fingers)));
    }
    let what = Missing::Unit;
    let nobodys = desk.give(Actor::System, of("unit-7", one, 1, 1));
    assert_eq!(nobodys, Err(Refusal::NotFound { what }));
    let most = of("unit-1", &all[..FINGERS_MAX], TEMPLATES_MAX, envelope);
    desk.must(Actor::System, most);
}

#[test]
fn a_card_and_what_the_core_bank_reports_are_of_an_account_or_a_unit_that_is_known() {
    let mut desk = desk();
    let nowhere = "3130000000000000009".to_owned();
    let card = CommandBody::EnrolCard(CardRow {
        lookup: STRANGER,
        account: nowhere.clone(),
        holder: id("agent-1"),
        expires: date(2045, 12, 31),
        pin: "$pin".to_owned(),
    });
    let state = AccountState::Frozen;
    let account = nowhere.clone();
    let frozen = CommandBody::SetAccountState { account, state };
    let bounced = |account: &str, dates: usize| {
        CommandBody::RecordBounces(Bounces {
            account: account.to_owned(),
            dates: vec![date(2026, 1, 1); dates],
        })
    };
    for body in [card, frozen, bounced(&nowhere, 0)] {
        let refused = desk.give(Actor::System, body);
        let what = Missing::Account;
        assert_eq!(refused, Err(Refusal::NotFound { what }));
    }
    let licence = CommandBody::RenewLicence(Licence {
        unit: id("unit-7"),
        valid_to: None,
    });
    let what = Missing::Unit;
    assert_eq!(
        desk.give(Actor::System, licence),
        Err(Refusal::NotFound { what })
    );
    over(&mut desk, vec![bounced(ACCOUNT_NUMBER, BOUNCES_MAX + 1)]);
    desk.must(Actor::System, bounced(ACCOUNT_NUMBER, BOUNCES_MAX));
}

#[test]
fn what_is_enrolled_once_is_not_enrolled_again() {
    let mut desk = desk();
    for body in enrolment() {
        let again = desk.give(Actor::System, body.clone());
        match body {
            // These have versions or dates of their own and may be said again.
            CommandBody::EnrolPolicy(_) | CommandBody::EnrolFee(_) => {
                again.expect("the same again");
            }
            other => {
                let refused = Err(Refusal::Malformed(Malformed::Enrolled));
                assert_eq!(again, refused, "{other:?}");
            }
        }
    }
}

#[test]
fn two_members_of_staff_never_share_a_key() {
    let mut desk = desk();
    let keyed = |name: &str, key: u8| {
        let mut body = staff(name, Duty::Custodian);
        if let CommandBody::EnrolStaff(row) = &mut body {
            row.key = Some([key; 32]);
        }
        body
    };
    desk.must(Actor::System, keyed("custodian-c", 5));
    let refused = desk.give(Actor::System, keyed("custodian-d", 5));
    assert_eq!(refused, Err(Refusal::Malformed(Malformed::KeyTaken)));
    desk.must(Actor::System, keyed("custodian-d", 6));
    desk.must(Actor::System, staff("custodian-e", Duty::Custodian));
    desk.must(Actor::System, staff("custodian-f", Duty::Custodian));
}

#[test]
fn a_station_s_officer_is_known() {
    let mut desk = desk();
    let body = CommandBody::EnrolStation(StationRow {
        id: id("station-5"),
        branch: id("branch-1"),
        key: [5; 32],
        officer: id("officer-9"),
    });
    let what = Missing::Staff;
    let refused = desk.give(Actor::System, body);
    assert_eq!(refused, Err(Refusal::NotFound { what }));
}

#[test]
fn a_policy_lets_everybody_try_once_and_looks_back_a_century_at_most() {
    let mut desk = desk();
    let next = |edit: &dyn Fn(&mut crate::core::record::bank::Policy)| {
        let mut row = policy();
        row.version = 2;
        edit(&mut row);
        CommandBody::EnrolPolicy(row)
    };
    let window = |days| {
        next(&move |row| {
            row.bounce = Some(BounceRule {
                max: 1,
                window_days: days,
            });
        })
    };
    let bodies = vec![
        next(&|row| row.info_attempts = 0),
        next(&|row| row.identity_attempts = 0),
        next(&|row| row.list_days_max = Some(36_526)),
        window(0),
        window(36_526),
    ];
    over(&mut desk, bodies);
    let off = |count| next(&move |row| row.rules_off = vec!["closed-day".to_owned(); count]);
    let refused = desk.give(Actor::System, off(RULES_OFF_MAX + 1));
    assert_eq!(refused, Err(Refusal::Malformed(Malformed::RuleOff)));
    desk.must(Actor::System, off(RULES_OFF_MAX));
    let longest = next(&|row| {
        row.version = 3;
        (row.info_attempts, row.identity_attempts) = (1, 1);
        row.list_days_max = Some(36_525);
        row.bounce = Some(BounceRule {
            max: 1,
            window_days: 36_525,
        });
    });
    desk.must(Actor::System, longest);
}

#[test]
fn a_fee_is_not_negative() {
    let fee = |each| {
        other(|body| match body {
            CommandBody::EnrolFee(row) => {
                row.from = date(2027, 1, 1);
                row.each = Fen(each);
                true
            }
            _ => false,
        })
    };
    let mut desk = desk();
    over(&mut desk, vec![fee(-1)]);
    desk.must(Actor::System, fee(0));
}

#[test]
fn calendars_lists_and_deliveries_are_of_a_size_that_one_commit_bears() {
    let mut desk = desk();
    let hours = Hours {
        opens: jiff::civil::time(9, 0, 0, 0),
        closes: jiff::civil::time(9, 0, 0, 0),
    };
    let calendar = |days: usize, name: usize| {
        let mut row = CalendarRow::always(hours);
        let first = date(2026, 1, 1);
        let day = |n: usize| OwnDay {
            date: first + jiff::Span::new().days(i64::try_from(n).expect("small")),
            name: text(name),
            hours: None,
        };
        row.days = (0..days).map(day).collect();
        CommandBody::EnrolCalendar(row)
    };
    let list = |count: usize| {
        let listed = vec![Listed::Account(STRANGER); count];
        let as_of = date(2026, 11, 22);
        CommandBody::EnrolList { as_of, listed }
    };
    let delivered = |count: usize| {
        let sequences = vec![u64::MAX; count];
        CommandBody::MarkDelivered { sequences }
    };
    let bodies = vec![
        calendar(CALENDAR_DAYS_MAX + 1, 1),
        calendar(1, 0),
        calendar(1, TEXT_MAX + 1),
        list(LISTED_MAX + 1),
        delivered(GROUP_MAX + 1),
    ];
    over(&mut desk, bodies);
    desk.must(Actor::System, calendar(CALENDAR_DAYS_MAX, TEXT_MAX));
    desk.must(Actor::System, list(LISTED_MAX));
    desk.must(Actor::System, delivered(GROUP_MAX));
}

#[test]
fn a_list_of_a_day_to_come_gives_way_and_today_s_does_not() {
    let mut desk = desk();
    let list = |as_of| {
        let listed = Vec::new();
        CommandBody::EnrolList { as_of, listed }
    };
    // The bank's day is the 22nd; a list of the 23rd is a slip until then.
    desk.must(Actor::System, list(date(2026, 11, 23)));
    desk.must(Actor::System, list(date(2026, 11, 22)));
    desk.must(Actor::System, list(date(2026, 11, 22)));
    let held = date(2026, 11, 22);
    let refused = desk.give(Actor::System, list(date(2026, 11, 21)));
    assert_eq!(
        refused,
        Err(Refusal::Malformed(Malformed::ListOlder { held }))
    );
}
