use std::collections::BTreeSet;

use counterfoil_data::bill::BillKind;
use counterfoil_data::locale::{Lang, Msg, rule_message, template};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::sale::OrderItem;
use jiff::civil::{date, time};

use super::*;
use crate::core::record::bank::{BounceRule, CardTrust};
use crate::core::record::terms::{CalendarRow, Day, Hours, OwnDay};
use crate::core::tests::bank;

fn agent() -> crate::core::record::bank::AgentRow {
    use crate::core::record::bank::KeyedHash;
    crate::core::record::bank::AgentRow {
        id: "agent-1".parse().expect("an id"),
        unit: "unit-1".parse().expect("an id"),
        name: "样例".to_owned(),
        name_masked: "样*".to_owned(),
        identity: KeyedHash([1; 32]),
        name_hash: KeyedHash([2; 32]),
        number_masked: String::new(),
        mandate_from: date(2026, 1, 1),
        mandate_to: date(2026, 12, 31),
        forms_per_sale_max: 25,
        forms_per_day_max: 50,
        fingers: Vec::new(),
        enrolment: 0,
    }
}

fn ordering(quantity: u32, bought_today: u32) -> Facts {
    Facts {
        date: date(2026, 11, 22),
        agent: Some(agent()),
        items: vec![OrderItem {
            kind: BillKind::TransferCheque,
            quantity,
        }],
        bought_today,
        ..Facts::default()
    }
}

fn rule(gate: Gate, facts: &Facts) -> Option<String> {
    judge(gate, facts, &bank::policy()).map(|r| r.rule)
}

#[test]
fn a_cap_is_broken_by_one_more_and_not_by_the_last_allowed_s6() {
    let stock = Some("stock-short".to_owned());
    assert_eq!(rule(Gate::Order, &ordering(25, 0)), stock);
    assert_eq!(rule(Gate::Order, &ordering(26, 0)), Some("sale-cap".into()));
    assert_eq!(rule(Gate::Order, &ordering(25, 25)), stock);
    assert_eq!(rule(Gate::Order, &ordering(25, 26)), Some("day-cap".into()));
}

#[test]
fn the_most_that_can_be_ordered_is_the_least_of_caps_and_the_fullest_slot_of_the_kind() {
    let slot = |name: &str, kind, first: &str, count| {
        let first = first.parse().expect("a number");
        let range = counterfoil_data::bill::BillRange::from_count(first, count).expect("a range");
        let row = crate::core::record::stock::SlotRow {
            kind,
            queue: vec![range],
            locked: false,
        };
        (name.parse().expect("an id"), row)
    };
    let mut facts = ordering(1, 0);
    let transfer = BillKind::TransferCheque;
    assert_eq!(facts.quantity_max(transfer), 0, "no slot");
    facts.slots = vec![
        slot("slot-1", transfer, "3130002100010001", 3),
        slot("slot-2", transfer, "3130002100010101", 7),
        slot("slot-3", BillKind::CashCheque, "3130001100050001", 90),
    ];
    assert_eq!(facts.quantity_max(transfer), 7);
    assert_eq!(
        facts.quantity_max(BillKind::CashCheque),
        25,
        "the sale's cap"
    );
    facts.bought_today = 44;
    assert_eq!(facts.quantity_max(transfer), 6, "what is left of the day");
    facts.bought_today = 60;
    assert_eq!(facts.quantity_max(transfer), 0);
    assert_eq!(facts.quantity_max(BillKind::BankDraft), 0);
}

#[test]
fn the_last_fen_may_be_spent_and_a_free_form_needs_none() {
    let mut facts = ordering(2, 0);
    facts.fees = vec![(BillKind::TransferCheque, Fen(60))];
    facts.balance = Some(Fen(120));
    assert_eq!(rule(Gate::Order, &facts), Some("stock-short".into()));
    facts.balance = Some(Fen(119));
    assert_eq!(rule(Gate::Order, &facts), Some("balance-short".into()));
    facts.fees = vec![(BillKind::TransferCheque, Fen::ZERO)];
    facts.balance = Some(Fen(-1));
    assert_eq!(rule(Gate::Order, &facts), Some("stock-short".into()));
}

#[test]
fn a_mandate_and_a_document_count_to_the_end_of_their_last_day() {
    let mut facts = ordering(1, 0);
    facts.document_valid_to = Some(facts.date);
    assert_eq!(rule(Gate::Identity, &facts), None);
    facts.document_valid_to = Some(date(2026, 11, 21));
    assert_eq!(
        rule(Gate::Identity, &facts),
        Some("document-expired".into())
    );
    facts.document_valid_to = None;
    for within in [date(2026, 1, 1), date(2026, 12, 31)] {
        facts.date = within;
        assert_eq!(rule(Gate::Info, &facts), None);
    }
    facts.date = date(2025, 12, 31);
    assert_eq!(rule(Gate::Info, &facts), Some("mandate-expired".into()));
    facts.date = date(2027, 1, 1);
    assert_eq!(rule(Gate::Info, &facts), Some("mandate-expired".into()));
}

#[test]
fn a_card_nobody_can_tell_from_a_copy_is_refused_unless_policy_takes_any() {
    let refused = Some("card-not-proven".to_owned());
    for (trust, any_card, expected) in [
        (CardTrust::Unproven, false, refused),
        (CardTrust::Unproven, true, None),
        (CardTrust::Host, false, None),
        (CardTrust::Dynamic, false, None),
    ] {
        let facts = Facts {
            card_trust: Some(trust),
            any_card,
            ..Facts::default()
        };
        assert_eq!(rule(Gate::Info, &facts), expected, "{trust:?}");
    }
}

const DAY: Hours = Hours {
    opens: time(9, 0, 0, 0),
    closes: time(17, 0, 0, 0),
};

#[test]
fn outside_opening_hours_nothing_is_sold() {
    let mut facts = Facts {
        day: Some(CalendarRow::always(DAY).on(date(2026, 11, 22))),
        ..Facts::default()
    };
    let closed = Some("closed-hours".to_owned());
    for (at, expected) in [
        (time(8, 59, 59, 999_999_999), closed.clone()),
        (time(9, 0, 0, 0), None),
        (time(17, 0, 0, 999_999_999), None),
        (time(17, 0, 1, 0), closed),
    ] {
        facts.time = at;
        assert_eq!(rule(Gate::Info, &facts), expected, "{at}");
    }
}

#[test]
fn a_date_of_its_own_beats_its_weekday_both_ways() {
    let mut calendar = CalendarRow::always(DAY);
    calendar.week[5] = None;
    calendar.week[6] = None;
    let own = |date, name: &str, hours| OwnDay {
        date,
        name: name.to_owned(),
        hours,
    };
    calendar.days = vec![
        own(date(2026, 2, 17), "春节", None),
        own(date(2026, 2, 28), "调休", Some(DAY)),
    ];
    let said = |day| {
        let facts = Facts {
            date: day,
            time: time(12, 0, 0, 0),
            day: Some(calendar.on(day)),
            ..Facts::default()
        };
        judge(Gate::Info, &facts, &bank::policy()).map(|r| (r.rule, r.staff))
    };
    let closed = |staff: &str| Some(("closed-day".to_owned(), staff.to_owned()));
    // A Tuesday, and the Saturday that is worked for it.
    assert_eq!(
        said(date(2026, 2, 17)),
        closed("2026-02-17 is closed: 春节")
    );
    assert_eq!(said(date(2026, 2, 28)), None);
    assert_eq!(said(date(2026, 2, 18)), None);
    assert_eq!(
        said(date(2026, 3, 1)),
        closed("2026-03-01 is closed: Sunday")
    );
}

#[test]
fn a_licence_counts_to_the_end_of_its_last_day_and_a_long_term_one_for_ever() {
    let unit = |valid_to| crate::core::record::bank::UnitRow {
        id: "unit-1".parse().expect("an id"),
        name: "样例".to_owned(),
        contact_name: "样例".to_owned(),
        contact_phone: String::new(),
        code: bank::UNIT_CODE.to_owned(),
        licence_valid_to: valid_to,
    };
    let today = date(2026, 11, 22);
    for (valid_to, expected) in [
        (None, None),
        (Some(today), None),
        (Some(date(2026, 11, 21)), Some("licence-expired".to_owned())),
    ] {
        let facts = Facts {
            date: today,
            unit: Some(unit(valid_to)),
            ..Facts::default()
        };
        assert_eq!(rule(Gate::Info, &facts), expected, "{valid_to:?}");
    }
}

#[test]
fn a_list_may_be_as_old_as_the_policy_says_and_not_a_day_older() {
    let stale = Some("blacklist-stale".to_owned());
    for (days_max, as_of, expected) in [
        (None, None, None),
        (Some(7), None, stale.clone()),
        (Some(7), Some(date(2026, 11, 15)), None),
        (Some(7), Some(date(2026, 11, 14)), stale.clone()),
        (Some(0), Some(date(2026, 11, 22)), None),
        (Some(7), Some(date(2026, 11, 23)), stale),
        (None, Some(date(1999, 1, 1)), None),
    ] {
        let facts = Facts {
            date: date(2026, 11, 22),
            list_days_max: days_max,
            list_as_of: as_of,
            ..Facts::default()
        };
        assert_eq!(rule(Gate::Info, &facts), expected, "{days_max:?} {as_of:?}");
    }
}

#[test]
fn returned_cheques_count_within_the_window_and_one_more_than_allowed_refuses() {
    let account = |dates: &[&str]| {
        let mut row = bank::account(bank::ACCOUNT_NUMBER, bank::ACCOUNT);
        row.bounced = dates.iter().map(|d| d.parse().expect("a date")).collect();
        row
    };
    let said = |dates: &[&str], max| {
        let facts = Facts {
            date: date(2026, 11, 22),
            account: Some(account(dates)),
            bounce: Some(BounceRule {
                window_days: 30,
                max,
            }),
            ..Facts::default()
        };
        rule(Gate::Info, &facts)
    };
    let refused = Some("bounced".to_owned());
    assert_eq!(said(&["2026-11-01", "2026-11-22"], 2), None);
    assert_eq!(said(&["2026-11-01", "2026-11-22"], 1), refused);
    // 30 days with today: 24 October is the first of them.
    assert_eq!(said(&["2026-10-23"], 0), None);
    assert_eq!(said(&["2026-10-24"], 0), refused);
    assert_eq!(said(&["2026-11-23"], 0), None, "not of a day to come");
}

#[test]
fn an_account_may_fill_its_cap_of_unused_forms_and_not_one_more() {
    let mut facts = ordering(10, 0);
    let mut account = bank::account(bank::ACCOUNT_NUMBER, bank::ACCOUNT);
    account.unused_max = 100;
    account.unused = 90;
    facts.account = Some(account.clone());
    assert_eq!(rule(Gate::Order, &facts), Some("stock-short".into()));
    account.unused = 91;
    facts.account = Some(account);
    assert_eq!(rule(Gate::Order, &facts), Some("unused-cap".into()));
}

#[test]
fn an_account_has_a_cap_of_its_own_for_a_day_whoever_buys() {
    let mut facts = ordering(10, 0);
    let mut account = bank::account(bank::ACCOUNT_NUMBER, bank::ACCOUNT);
    account.forms_per_day_max = Some(30);
    facts.account = Some(account);
    facts.account_today = 20;
    assert_eq!(rule(Gate::Order, &facts), Some("stock-short".into()));
    assert_eq!(facts.quantity_max(BillKind::TransferCheque), 0, "no stock");
    facts.account_today = 21;
    assert_eq!(rule(Gate::Order, &facts), Some("account-day-cap".into()));
}

#[test]
fn a_policy_switches_off_what_may_be_off_and_its_version_is_in_the_refusal() {
    let facts = Facts {
        day: Some(Day {
            name: "春节".to_owned(),
            hours: None,
        }),
        ..Facts::default()
    };
    let mut policy = bank::policy();
    policy.version = 7;
    let refusal = judge(Gate::Info, &facts, &policy).expect("closed");
    assert_eq!((refusal.rule.as_str(), refusal.version), ("closed-day", 7));
    policy.rules_off = vec!["closed-day".to_owned()];
    assert_eq!(judge(Gate::Info, &facts, &policy), None);
    assert!(may_be_off("closed-day") && may_be_off("blacklisted"));
    for id in [
        "stock-short",
        "account-not-normal",
        "locked",
        "no-such-rule",
    ] {
        assert!(!may_be_off(id), "{id}");
    }
}

#[test]
fn every_rule_and_every_gate_has_its_own_words_in_both_languages() {
    let gates = [
        LOCKED,
        NOT_AGENT_OF_UNIT,
        FINGER_MISMATCH,
        ENROL_AGAIN,
        CITIZEN_CHECK,
        CARD_UNKNOWN,
    ];
    let ids: BTreeSet<&str> = RULES.iter().map(|r| r.id).chain(gates).collect();
    let words: BTreeSet<Msg> = ids.iter().map(|id| rule_message(id)).collect();
    assert_eq!(words.len(), ids.len(), "two rules say the same");
    assert!(!words.contains(&Msg::RuleOther));
    for lang in Lang::ALL {
        let texts: BTreeSet<&str> = words.iter().map(|m| template(lang, *m)).collect();
        assert_eq!(texts.len(), ids.len(), "{lang:?}");
    }
    let once: BTreeSet<(&str, String)> = RULES
        .iter()
        .map(|r| (r.id, format!("{:?}", r.gate)))
        .collect();
    assert_eq!(once.len(), RULES.len(), "a rule is asked twice at one gate");
}

#[test]
fn a_gate_s_own_refusal_tells_staff_what_was_wrong_and_the_customer_what_to_do() {
    let told = |id| {
        let refusal = refusal(id, 7);
        assert_eq!((&*refusal.rule, refusal.version), (id, 7));
        (refusal.staff, refusal.remedy)
    };
    let staff = Remedy::CallStaff;
    let retry = Remedy::Retry;
    for (id, text, remedy) in [
        (LOCKED, "too many attempts", staff),
        (
            NOT_AGENT_OF_UNIT,
            "not an agent of this unit, or not the card's holder",
            staff,
        ),
        (
            CITIZEN_CHECK,
            "the citizen check did not agree: look at the document",
            staff,
        ),
        (
            ENROL_AGAIN,
            "the enrolled prints are of another engine version: enrol the agent again",
            staff,
        ),
        (FINGER_MISMATCH, "score below the threshold", retry),
        (
            CARD_UNKNOWN,
            "card, account, PIN or password does not agree",
            retry,
        ),
    ] {
        assert_eq!(told(id), (text.to_owned(), remedy));
    }
}

#[test]
fn what_is_not_known_breaks_no_rule() {
    assert_eq!(rule(Gate::Info, &Facts::default()), None);
    assert_eq!(rule(Gate::Identity, &Facts::default()), None);
}
