//! What the bank sets and sets again, and each rule of it at its gate and at linking (L1).

use counterfoil_data::bill::BillKind;
use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState};
use jiff::civil::{Date, date};

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Outcome, Subject};
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::{BounceRule, FeeRow, KeyedHash, Policy};
use crate::core::record::terms::{
    Bounces, CalendarRow, Hours, Licence, Listed, OwnDay, PolicyVersionRow,
};
use crate::core::refusal::{Malformed, Refusal};
use crate::store::model::ModelStore;

const TODAY: Date = date(2026, 11, 22);

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

/// A policy of the next version.
fn next(change: impl FnOnce(&mut Policy)) -> CommandBody {
    let mut row = policy();
    row.version = 2;
    change(&mut row);
    CommandBody::EnrolPolicy(row)
}

fn list(as_of: Date, listed: &[Listed]) -> CommandBody {
    let listed = listed.to_vec();
    CommandBody::EnrolList { as_of, listed }
}

fn unit() -> Listed {
    Listed::Unit(UNIT_CODE.to_owned())
}

fn fee(from: Date, each: i64) -> CommandBody {
    CommandBody::EnrolFee(FeeRow {
        kind: BillKind::TransferCheque,
        from,
        each: Fen(each),
    })
}

/// The bank closes today.
fn holiday() -> CommandBody {
    let (opens, closes) = (jiff::civil::Time::MIN, jiff::civil::Time::MAX);
    let mut calendar = CalendarRow::always(Hours { opens, closes });
    calendar.days.push(OwnDay {
        date: TODAY,
        name: "春节".to_owned(),
        hours: None,
    });
    CommandBody::EnrolCalendar(calendar)
}

fn licence(valid_to: Option<Date>) -> CommandBody {
    let unit = id("unit-1");
    CommandBody::RenewLicence(Licence { unit, valid_to })
}

fn bounces(dates: &[Date]) -> CommandBody {
    CommandBody::RecordBounces(Bounces {
        account: ACCOUNT_NUMBER.to_owned(),
        dates: dates.to_vec(),
    })
}

fn bounce_rule() -> CommandBody {
    next(|row| {
        row.bounce = Some(BounceRule {
            window_days: 365,
            max: 0,
        });
    })
}

/// What the bank sets, and the rule that refuses by it.
fn cases() -> Vec<(&'static str, Vec<CommandBody>)> {
    vec![
        ("closed-day", vec![holiday()]),
        ("licence-expired", vec![licence(Some(date(2026, 11, 21)))]),
        (
            "blacklist-stale",
            vec![next(|row| row.list_days_max = Some(7))],
        ),
        ("blacklisted", vec![list(TODAY, &[unit()])]),
        (
            "blacklisted",
            vec![list(TODAY, &[Listed::Account(ACCOUNT)])],
        ),
        ("blacklisted", vec![list(TODAY, &[Listed::Person(PERSON)])]),
        ("bounced", vec![bounce_rule(), bounces(&[TODAY])]),
    ]
}

#[test]
fn each_rule_refuses_at_message_1_with_the_policys_version_and_takes_nothing() {
    for (rule, set) in cases() {
        let mut desk = desk();
        for body in set {
            desk.must(Actor::System, body);
        }
        let sale = desk.opened(1);
        desk.try_info(sale, Subject::Card(CARD), true);
        assert_eq!(desk.state(sale), SaleState::Refused, "{rule}");
        let refusal = desk.view(sale).refusal.expect("a rule");
        let policy: Option<Policy> =
            get(&*desk.read(), &key::single(Table::Policy)).expect("reads");
        let version = policy.expect("a policy").version;
        assert_eq!((refusal.rule.as_str(), refusal.version), (rule, version));
        desk.audit();
    }
}

#[test]
fn each_rule_is_asked_again_at_linking_with_fresh_data_l1() {
    for (rule, set) in cases() {
        let mut desk = desk();
        let sale = desk.confirmed(1, 5);
        for body in set {
            desk.must(Actor::System, body);
        }
        let linked = desk.must(kiosk(), link(sale));
        assert_eq!(linked, Outcome::Sale(SaleState::Refused), "{rule}");
        assert_eq!(desk.view(sale).refusal.expect("a rule").rule, rule);
        desk.audit();
    }
}

#[test]
fn a_listed_person_who_is_no_card_holder_is_refused_when_identified() {
    let mut desk = desk();
    desk.must(Actor::System, list(TODAY, &[Listed::Person(PERSON)]));
    let (sale, mode) = (SaleId(1), PurchaseMode::PaymentPassword);
    desk.must(kiosk(), CommandBody::OpenSale { sale, mode });
    desk.try_info(sale, Subject::Account(ACCOUNT), true);
    assert_eq!(desk.state(sale), SaleState::InfoVerified);
    let body = desk.identity_of(sale, PERSON);
    assert_eq!(desk.must(kiosk(), body), Outcome::Sale(SaleState::Refused));
    let refusal = desk.view(sale).refusal.expect("a rule");
    assert_eq!(refusal.rule, "blacklisted");
    assert_eq!(
        refusal.staff,
        "the agent is on the regulator's list of 2026-11-22"
    );
}

#[test]
fn a_new_list_replaces_the_old_one_whole_and_an_older_one_is_refused() {
    let mut desk = desk();
    let yesterday = date(2026, 11, 21);
    desk.must(Actor::System, list(yesterday, &[unit()]));
    let free = [Listed::Account(KeyedHash([8; 32]))];
    desk.must(Actor::System, list(TODAY, &free));
    desk.identified(1);
    let older = desk.give(Actor::System, list(yesterday, &[unit()]));
    let held = TODAY;
    assert_eq!(
        older,
        Err(Refusal::Malformed(Malformed::ListOlder { held }))
    );
    // A list of a wrong year is no reason to be stuck with it.
    desk.must(Actor::System, list(date(2062, 1, 1), &[]));
    desk.must(Actor::System, list(TODAY, &[unit()]));
    let sale = desk.state(SaleId(1));
    assert_eq!(sale, SaleState::IdentityVerified);
    let wrong = Listed::Unit("91350100M000100Y44".to_owned());
    let refused = desk.give(Actor::System, list(TODAY, &[wrong]));
    assert_eq!(refused, Err(Refusal::Malformed(Malformed::UnitCode)));
}

#[test]
fn one_version_of_the_policy_never_says_two_things_and_every_version_is_kept() {
    let mut desk = desk();
    let mut other = policy();
    other.quantity_usual = 5;
    let held = 1;
    assert_eq!(
        desk.give(Actor::System, CommandBody::EnrolPolicy(other)),
        Err(Refusal::Malformed(Malformed::PolicyVersion { held }))
    );
    desk.must(Actor::System, CommandBody::EnrolPolicy(policy()));
    desk.later(60);
    desk.must(Actor::System, next(|row| row.quantity_usual = 5));
    let version = |number| {
        let key = key::numbered(Table::PolicyVersion, number);
        let row: Option<PolicyVersionRow> = get(&*desk.read(), &key).expect("reads");
        row.expect("a version")
    };
    assert_eq!(version(1).policy, policy());
    assert_eq!(version(2).policy.quantity_usual, 5);
    assert_eq!(version(2).from, desk.at);
    for off in ["stock-short", "no-such-rule"] {
        let body = next(|row| {
            row.version = 3;
            row.rules_off = vec![off.to_owned()];
        });
        let refused = desk.give(Actor::System, body);
        assert_eq!(
            refused,
            Err(Refusal::Malformed(Malformed::RuleOff)),
            "{off}"
        );
    }
}

#[test]
fn a_rule_that_is_off_is_not_asked() {
    let mut desk = desk();
    desk.must(Actor::System, holiday());
    desk.must(
        Actor::System,
        next(|row| row.rules_off = vec!["closed-day".to_owned()]),
    );
    desk.identified(1);
}

#[test]
fn a_calendar_that_contradicts_itself_is_refused() {
    let mut desk = desk();
    let CommandBody::EnrolCalendar(good) = holiday() else {
        panic!("a calendar");
    };
    let mut twice = good.clone();
    twice.days.push(good.days[0].clone());
    let mut backwards = good;
    backwards.days[0].hours = Some(Hours {
        opens: jiff::civil::time(17, 0, 0, 0),
        closes: jiff::civil::time(9, 0, 0, 0),
    });
    for calendar in [twice, backwards] {
        let refused = desk.give(Actor::System, CommandBody::EnrolCalendar(calendar));
        assert_eq!(refused, Err(Refusal::Malformed(Malformed::Calendar)));
    }
}

#[test]
fn a_fee_that_has_begun_is_not_changed_and_one_to_come_is() {
    let mut desk = desk();
    let begun = date(2021, 9, 30);
    let from = begun;
    assert_eq!(
        desk.give(Actor::System, fee(begun, 0)),
        Err(Refusal::Malformed(Malformed::FeeInForce { from }))
    );
    desk.must(Actor::System, fee(begun, 60));
    let tomorrow = date(2026, 11, 23);
    desk.must(Actor::System, fee(tomorrow, 50));
    desk.must(Actor::System, fee(tomorrow, 40));
    let sale = desk.ordered(1, 2);
    let order = desk.view(sale).order.expect("ordered");
    assert_eq!(order.text.fee, Fen(120), "tomorrow's fee is not today's");
}

/// Noon at a bank that never closes, eleven minutes before midnight in the evening.
fn late() -> Desk<ModelStore> {
    let mut desk = desk();
    let (opens, closes) = (jiff::civil::Time::MIN, jiff::civil::Time::MAX);
    let always = CalendarRow::always(Hours { opens, closes });
    desk.must(Actor::System, CommandBody::EnrolCalendar(always));
    desk.at = id("2026-11-22T15:58:00Z");
    desk
}

#[test]
fn a_fee_that_changes_at_midnight_inside_a_sale_is_shown_and_confirmed_again() {
    let mut desk = late();
    desk.must(Actor::System, fee(date(2026, 11, 23), 50));
    let sale = desk.confirmed(1, 2);
    assert_eq!(desk.view(sale).order.expect("ordered").text.fee, Fen(120));
    let before = desk.digest(sale);
    desk.later(180);
    let moved = desk.must(kiosk(), link(sale));
    let state = SaleState::AwaitConfirm;
    assert_eq!(moved, Outcome::RangeMoved { state });
    let order = desk.view(sale).order.expect("ordered");
    assert_eq!(order.text.fee, Fen(100));
    assert_ne!(desk.digest(sale), before);
    // What was confirmed is not what is shown: the officer looks again.
    let stale = CommandBody::Confirm {
        sale,
        digest: before,
    };
    assert!(desk.give(officer(), stale).is_err());
    let digest = desk.seen(sale);
    desk.must(officer(), CommandBody::Confirm { sale, digest });
    let linked = desk.must(kiosk(), link(sale));
    let Outcome::Linked { fee, .. } = linked else {
        panic!("linked");
    };
    assert_eq!(fee, Fen(100));
    desk.audit();
}

#[test]
fn a_sale_over_midnight_is_of_the_day_on_which_it_is_linked() {
    let mut desk = late();
    let before = desk.linked(1, 50);
    desk.hand_over(before, 0..50);
    desk.must(kiosk(), close(before));
    let sale = desk.confirmed(2, 50);
    desk.later(180);
    let linked = desk.must(kiosk(), link(sale));
    let Outcome::Linked { requisition, .. } = linked else {
        panic!("linked: {linked:?}");
    };
    // The day's numbering and both day counters begin anew.
    assert_eq!(requisition, "branch-1-20261123-00001");
    let count = |key: crate::store::Key| {
        let row = get::<crate::core::record::books::CounterRow>(&*desk.read(), &key);
        row.expect("reads").map(|row| row.value)
    };
    for day in [date(2026, 11, 22), date(2026, 11, 23)] {
        assert_eq!(count(key::agent_day(&id("agent-1"), day)), Some(50));
        assert_eq!(count(key::account_day(ACCOUNT_NUMBER, day)), Some(50));
    }
    desk.audit();
}

#[test]
fn two_kiosks_cannot_sell_past_a_day_cap_that_each_saw_free_l1() {
    let mut bodies = enrolment();
    for body in &mut bodies {
        match body {
            CommandBody::EnrolAccount { account, .. } => account.forms_per_day_max = Some(60),
            CommandBody::EnrolAgent(agent) => agent.forms_per_day_max = 1_000,
            _ => {}
        }
    }
    let mut desk = Desk::stocked(ModelStore::new(), bodies);
    desk.fill_other();
    let first = desk.confirmed(1, 40);
    desk.turn();
    let second = desk.confirmed(2, 40);
    desk.must(other_kiosk(), link(second));
    desk.turn();
    let linked = desk.must(kiosk(), link(first));
    assert_eq!(linked, Outcome::Sale(SaleState::Refused));
    assert_eq!(
        desk.view(first).refusal.expect("a rule").rule,
        "account-day-cap"
    );
    // What is left is on offer: 20, where 40 are in stock and the agent may have more.
    let third = desk.identified(3);
    let unit = desk.view(third).unit.expect("message 1");
    assert_eq!(unit.offers[0].quantity_max, 20);
    desk.audit();
}

#[test]
fn a_kiosk_or_a_station_reports_nothing_for_the_core_bank() {
    let mut desk = desk();
    for actor in [kiosk(), officer()] {
        for body in [licence(None), bounces(&[]), list(TODAY, &[])] {
            let refused = desk.give(actor.clone(), body);
            assert_eq!(refused, Err(Refusal::NotYours));
        }
    }
    desk.must(custodian(), licence(None));
    desk.must(custodian(), bounces(&[TODAY]));
}
