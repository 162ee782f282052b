//! The gates in order (I4), attempts and locks, scopes.

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::Challenge;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState};

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Outcome, Subject};
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::query;
use crate::core::record::bank::{CardTrust, KeyedHash};
use crate::core::record::books::AttemptRow;
use crate::core::refusal::{Malformed, Missing, Refusal};
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

/// Every command of a sale, as a client would send it out of order.
fn commands(desk: &Desk<ModelStore>, sale: SaleId) -> Vec<(&'static str, Actor, CommandBody)> {
    let challenge = desk.view(sale).challenge;
    let digest = Digest::of(b"none");
    let subject = Subject::Card(CARD);
    let info = CommandBody::CountInfoAttempt {
        sale,
        challenge,
        subject,
        trust: Some(CardTrust::Dynamic),
    };
    let items = vec![transfer(1)];
    vec![
        ("info", kiosk(), info),
        ("identity", kiosk(), desk.identity_of(sale, PERSON)),
        ("order", kiosk(), CommandBody::PlaceOrder { sale, items }),
        ("confirm", officer(), CommandBody::Confirm { sale, digest }),
        ("link", kiosk(), link(sale)),
        ("close", kiosk(), close(sale)),
    ]
}

/// What is accepted where; everything else names the state.
fn refused(desk: &mut Desk<ModelStore>, sale: SaleId, allowed: &[&str]) {
    let state = desk.state(sale);
    for (name, actor, body) in commands(desk, sale) {
        if allowed.contains(&name) {
            continue;
        }
        let refusal = desk.give(actor, body).expect_err(name);
        let named = Refusal::OutOfOrder { state };
        let hidden = name == "confirm" && refusal == Refusal::NotYours;
        assert!(
            refusal == named || hidden,
            "{name} in {state:?}: {refusal:?}"
        );
        assert_eq!(desk.state(sale), state);
    }
}

#[test]
fn each_gate_opens_only_after_the_one_before_s5_s15_i4() {
    let mut desk = desk();
    let sale = desk.opened(1);
    refused(&mut desk, sale, &["info"]);
    desk.try_info(sale, Subject::Card(CARD), true);
    refused(&mut desk, sale, &["identity"]);
    desk.try_identity(sale, THRESHOLD);
    refused(&mut desk, sale, &["order"]);
    let items = vec![transfer(5)];
    desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
    refused(&mut desk, sale, &["confirm"]);
    let digest = desk.seen(sale);
    desk.must(officer(), CommandBody::Confirm { sale, digest });
    refused(&mut desk, sale, &["link"]);
    desk.must(kiosk(), link(sale));
    refused(&mut desk, sale, &["close"]);
    desk.audit();
}

#[test]
fn a_name_that_the_form_has_no_room_for_is_refused_before_anything_is_paid() {
    let mut bodies = enrolment();
    for body in &mut bodies {
        if let CommandBody::EnrolUnit(unit) = body {
            unit.name = "样".repeat(60);
        }
    }
    let mut desk = Desk::stocked(ModelStore::new(), bodies);
    let sale = desk.identified(1);
    let items = vec![transfer(1)];
    let order = CommandBody::PlaceOrder { sale, items };
    let refusal = desk.give(kiosk(), order).expect_err("no room");
    let Refusal::Rule { rule, .. } = refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!(rule.rule, "kind-not-allowed");
    assert!(rule.staff.contains("account_name"), "{}", rule.staff);
    assert_eq!(desk.state(sale), SaleState::IdentityVerified);
    desk.audit();
}

#[test]
fn an_unknown_card_and_a_wrong_pin_give_the_same_answer() {
    let mut desk = desk();
    let known = desk.opened(1);
    let wrong = desk.try_info(known, Subject::Card(CARD), false);
    let view = desk.view(known);
    desk.must(kiosk(), CommandBody::Cancel { sale: known });
    let unknown = desk.opened(2);
    // Whatever the dummy check says, an unknown card is never verified.
    let nobody = desk.try_info(unknown, Subject::Card(STRANGER), true);
    assert_eq!(wrong, nobody);
    assert_eq!(view.refusal, desk.view(unknown).refusal);
    assert_eq!(view.attempts_left, Some(2));
}

#[test]
fn attempts_are_counted_before_they_are_checked_and_the_last_one_locks_the_card() {
    let mut desk = desk();
    let sale = desk.opened(1);
    for _ in 0..3 {
        let challenge = desk.view(sale).challenge;
        let subject = Subject::Card(CARD);
        let body = CommandBody::CountInfoAttempt {
            sale,
            challenge,
            subject,
            trust: Some(CardTrust::Dynamic),
        };
        // Nobody settles: the power went out each time.
        assert!(matches!(desk.must(kiosk(), body), Outcome::InfoCheck(_)));
    }
    assert_eq!(
        desk.try_info(sale, Subject::Card(CARD), true),
        Outcome::Sale(SaleState::Refused)
    );
    assert_eq!(desk.view(sale).refusal.expect("a rule").rule, "locked");
    let next = desk.opened(2);
    let locked = desk.try_info(next, Subject::Card(CARD), true);
    assert_eq!(locked, Outcome::Sale(SaleState::Refused));
    // The lock ends by itself, and a success starts the count anew.
    desk.later(86_400);
    let third = desk.opened(3);
    assert!(matches!(
        desk.try_info(third, Subject::Card(CARD), true),
        Outcome::Settled { verified: true, .. }
    ));
    desk.audit();
}

#[test]
fn three_wrong_pins_end_the_sale_with_the_rule_locked() {
    let mut desk = desk();
    let sale = desk.opened(1);
    for left in [2, 1] {
        let Outcome::Settled { attempts_left, .. } =
            desk.try_info(sale, Subject::Card(CARD), false)
        else {
            panic!("settled");
        };
        assert_eq!(attempts_left, left);
    }
    desk.try_info(sale, Subject::Card(CARD), false);
    assert_eq!(desk.state(sale), SaleState::Refused);
    assert_eq!(desk.view(sale).refusal.expect("a rule").rule, "locked");
}

#[test]
fn a_refusal_that_ends_the_sale_still_counts_against_the_kiosk() {
    let mut desk = desk();
    let failed = |desk: &Desk<ModelStore>| {
        let key = key::text(Table::Attempt, "kiosk/kiosk-1");
        let row: Option<AttemptRow> = get(&*desk.read(), &key).expect("reads");
        row.unwrap_or_default().failed
    };
    // A card that is locked is tried again.
    for n in 1..=5 {
        let sale = desk.opened(n);
        desk.try_info(sale, Subject::Card(STRANGER), false);
        assert_eq!(u128::from(failed(&desk)), n);
        if desk.state(sale) == SaleState::Opened {
            desk.must(kiosk(), CommandBody::Cancel { sale });
        }
    }
    // Somebody who is no agent shows a document.
    let sale = desk.opened(6);
    desk.try_info(sale, Subject::Card(CARD), true);
    assert_eq!(failed(&desk), 0, "a success begins anew");
    let body = desk.identity_of(sale, STRANGER);
    assert_eq!(desk.must(kiosk(), body), Outcome::Sale(SaleState::Refused));
    assert_eq!(failed(&desk), 1);
}

#[test]
fn a_kiosk_that_guesses_cards_is_locked() {
    let mut desk = desk();
    for guess in 0..30_u8 {
        let sale = desk.opened(100 + u128::from(guess));
        let card = Subject::Card(KeyedHash([100 + guess; 32]));
        assert!(matches!(
            desk.try_info(sale, card, true),
            Outcome::Settled { .. }
        ));
        desk.must(kiosk(), CommandBody::Cancel { sale });
    }
    let sale = desk.opened(200);
    let honest = desk.try_info(sale, Subject::Card(CARD), true);
    assert_eq!(honest, Outcome::Sale(SaleState::Refused));
}

#[test]
fn a_challenge_seals_one_attempt_only_s12() {
    let mut desk = desk();
    let sale = desk.opened(1);
    let challenge = desk.view(sale).challenge;
    desk.try_info(sale, Subject::Card(CARD), false);
    assert_ne!(desk.view(sale).challenge, challenge);
    let replayed = CommandBody::CountInfoAttempt {
        sale,
        challenge,
        subject: Subject::Card(CARD),
        trust: Some(CardTrust::Dynamic),
    };
    assert_eq!(
        desk.give(kiosk(), replayed),
        Err(Refusal::StaleChallenge {
            state: SaleState::Opened
        })
    );
}

#[test]
fn a_settlement_without_its_counted_attempt_is_refused() {
    let mut desk = desk();
    let sale = desk.opened(1);
    let settle = |attempt| CommandBody::SettleInfo {
        sale,
        attempt,
        verified: true,
    };
    let state = SaleState::Opened;
    let none = Err(Refusal::NoSuchAttempt { attempt: 1, state });
    assert_eq!(desk.give(Actor::System, settle(1)), none);
    desk.try_info(sale, Subject::Card(CARD), false);
    assert_eq!(desk.give(Actor::System, settle(1)), none);
}

#[test]
fn an_assertion_of_authenticity_is_good_for_five_minutes_s16() {
    for (later, good) in [(300, true), (301, false), (-300, true), (-301, false)] {
        let mut desk = desk();
        desk.later(600);
        let sale = desk.opened(1);
        desk.try_info(sale, Subject::Card(CARD), true);
        let body = desk.identity_of(sale, PERSON);
        desk.later(later);
        let answer = desk.give(kiosk(), body);
        let state = SaleState::InfoVerified;
        let stale = Err(Refusal::NotAuthentic { state });
        assert_eq!(answer != stale, good, "after {later} s: {answer:?}");
        assert_eq!(answer.is_ok(), good);
    }
}

#[test]
fn without_the_kiosks_signed_assertion_no_print_is_compared_s16() {
    let mut desk = desk();
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    let state = SaleState::InfoVerified;
    for bend in 0..4 {
        let mut body = desk.identity_of(sale, PERSON);
        if let CommandBody::CountIdentityAttempt { authenticity, .. } = &mut body {
            match bend {
                0 => authenticity.signature.replace_range(0..2, "00"),
                1 => authenticity.status = vec![0x9f, 0x80, 0x90],
                2 => authenticity.frame = Digest::of(b"another"),
                _ => authenticity.at -= jiff::SignedDuration::from_secs(301),
            }
        }
        assert_eq!(
            desk.give(kiosk(), body),
            Err(Refusal::NotAuthentic { state }),
            "bend {bend}"
        );
    }
    // An assertion made for another challenge does not serve, either.
    let mut body = desk.identity_of(sale, PERSON);
    let other = desk.authenticity(sale, Challenge([0; 16]));
    if let CommandBody::CountIdentityAttempt { authenticity, .. } = &mut body {
        *authenticity = other;
    }
    assert_eq!(
        desk.give(kiosk(), body),
        Err(Refusal::NotAuthentic { state })
    );
    // Nor does one that this kiosk signed about a document found not genuine.
    let mut body = desk.identity_of(sale, PERSON);
    let forged = desk.assertion(sale, desk.view(sale).challenge, vec![0x9f, 0x90, 0x91]);
    if let CommandBody::CountIdentityAttempt { authenticity, .. } = &mut body {
        *authenticity = forged;
    }
    assert_eq!(
        desk.give(kiosk(), body),
        Err(Refusal::NotAuthentic { state })
    );
    assert_eq!(desk.view(sale).attempts_left, Some(3));
}

#[test]
fn a_person_who_is_no_agent_of_this_unit_is_refused_s13() {
    // Another number, or the agent's number under another name.
    for (person, named) in [(STRANGER, NAME), (PERSON, STRANGER)] {
        let mut desk = desk();
        let sale = desk.opened(1);
        desk.try_info(sale, Subject::Card(CARD), true);
        let mut body = desk.identity_of(sale, person);
        if let CommandBody::CountIdentityAttempt { name, .. } = &mut body {
            *name = named;
        }
        assert_eq!(desk.must(kiosk(), body), Outcome::Sale(SaleState::Refused));
        let rule = desk.view(sale).refusal.expect("a rule").rule;
        assert_eq!(rule, "not-agent-of-unit");
    }
}

#[test]
fn the_last_attempt_of_the_policy_may_still_succeed_s14() {
    let mut desk = desk();
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    for left in [2, 1] {
        desk.try_identity(sale, THRESHOLD - 1);
        assert_eq!(desk.view(sale).attempts_left, Some(left));
    }
    desk.try_identity(sale, THRESHOLD);
    assert_eq!(desk.state(sale), SaleState::IdentityVerified);
}

#[test]
fn the_threshold_itself_verifies_and_one_less_does_not_s14() {
    let mut desk = desk();
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    assert_eq!(
        desk.try_identity(sale, THRESHOLD - 1),
        Outcome::Settled {
            verified: false,
            state: SaleState::InfoVerified,
            attempts_left: 2,
        }
    );
    assert!(matches!(
        desk.try_identity(sale, THRESHOLD),
        Outcome::Settled { verified: true, .. }
    ));
    assert_eq!(
        desk.view(sale).agent.expect("message 2").name_masked,
        "张**"
    );
}

#[test]
fn another_kiosk_and_an_unenrolled_one_touch_nothing_s1() {
    let mut desk = desk();
    let sale = desk.confirmed(1, 5);
    let link = link(sale);
    assert_eq!(
        desk.give(other_kiosk(), link.clone()),
        Err(Refusal::NotYours)
    );
    assert_eq!(desk.give(officer(), link), Err(Refusal::NotYours));
    let stranger = Actor::Kiosk(id("kiosk-9"));
    let mode = PurchaseMode::SettlementCard;
    let open = CommandBody::OpenSale {
        sale: SaleId(7),
        mode,
    };
    let what = Missing::Kiosk;
    assert_eq!(desk.give(stranger, open), Err(Refusal::NotFound { what }));
}

#[test]
fn a_request_number_that_does_not_grow_is_refused() {
    let mut desk = desk();
    let mode = PurchaseMode::SettlementCard;
    let sale = SaleId(1);
    let mut command = desk.command(kiosk(), CommandBody::OpenSale { sale, mode });
    command.sequence = Some(10);
    desk.answer(command.clone()).result.expect("is done");
    let (given, last) = (10, 10);
    let again = desk.answer(command).result;
    assert_eq!(again, Err(Refusal::StaleSequence { given, last }));
    assert_eq!(
        query::sequence(&*desk.read(), "kiosk:kiosk-1").expect("reads"),
        10
    );
}

#[test]
fn payment_password_mode_proves_the_account_and_any_agent_of_the_unit_may_buy() {
    let mut desk = desk();
    let mode = PurchaseMode::PaymentPassword;
    let sale = SaleId(1);
    desk.must(kiosk(), CommandBody::OpenSale { sale, mode });
    let challenge = desk.view(sale).challenge;
    let card = CommandBody::CountInfoAttempt {
        sale,
        challenge,
        subject: Subject::Card(CARD),
        trust: Some(CardTrust::Dynamic),
    };
    let wrong_mode = Err(Refusal::Malformed(Malformed::Mode));
    assert_eq!(desk.give(kiosk(), card), wrong_mode);
    desk.try_info(sale, Subject::Account(ACCOUNT), true);
    desk.try_identity(sale, THRESHOLD);
    assert_eq!(desk.state(sale), SaleState::IdentityVerified);
}
