//! A second enrolled finger for large orders (S13): when it is asked for, what proves it,
//! and whose attempts it costs.

use counterfoil_data::leaf::{Field, LeafKind};
use counterfoil_data::sealed::Challenge;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::FingerPosition::{self, LeftIndex, RightIndex};
use counterfoil_data::wire::sale::SaleState;

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Found, Outcome, Subject};
use crate::core::log;
use crate::core::record::bank::Policy;
use crate::core::refusal::Refusal;
use crate::core::rules::{FINGER_MISMATCH, LOCKED, ONE_FINGER, SECOND_FINGER};
use crate::store::model::ModelStore;
use counterfoil_data::ids::SaleId;

type Books = Desk<ModelStore>;

/// Forms that one finger is enough for.
const ENOUGH: u32 = 10;

fn two_finger_policy() -> Policy {
    Policy {
        second_finger_above: Some(ENOUGH),
        ..policy()
    }
}

fn desk_of(fingers: &[FingerPosition]) -> Books {
    let mut bodies = enrolment();
    for body in &mut bodies {
        match body {
            CommandBody::EnrolPolicy(held) => *held = two_finger_policy(),
            CommandBody::EnrolAgent(row) => {
                row.fingers = fingers.iter().map(|position| finger(*position)).collect();
            }
            _ => {}
        }
    }
    Desk::stocked(ModelStore::new(), bodies)
}

fn desk() -> Books {
    desk_of(&[RightIndex, LeftIndex])
}

fn order(desk: &mut Books, sale: SaleId, quantity: u32) -> Result<Outcome, Refusal> {
    let items = vec![transfer(quantity)];
    let here = desk.here.clone();
    desk.give(here, CommandBody::PlaceOrder { sale, items })
}

fn count_of(desk: &Books, sale: SaleId) -> CommandBody {
    let challenge = desk.view(sale).challenge;
    CommandBody::CountFingerAttempt { sale, challenge }
}

/// A second finger with this score; the sale's state if a rule ended it.
fn try_finger(desk: &mut Books, sale: SaleId, finger: FingerPosition, milli: u32) -> Outcome {
    let body = count_of(desk, sale);
    let counted = desk.must(desk.here.clone(), body);
    let Outcome::IdentityCheck(check) = counted else {
        return counted;
    };
    let found = Found {
        finger: Some(finger),
        ..Found::scored(milli, "test 1")
    };
    let attempt = check.attempt;
    let body = CommandBody::SettleIdentity {
        sale,
        attempt,
        found,
    };
    desk.must(Actor::System, body)
}

fn is_verified(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Settled { verified: true, .. })
}

fn rule_of(refused: Result<Outcome, Refusal>) -> (String, Remedy, SaleState) {
    match refused {
        Err(Refusal::Rule { rule, state }) => (rule.rule, rule.remedy, state),
        other => panic!("a rule refuses: {other:?}"),
    }
}

#[test]
fn an_order_of_more_forms_than_one_finger_is_enough_for_waits_for_a_second_one() {
    let mut desk = desk();
    let sale = desk.identified(1);
    let state = SaleState::IdentityVerified;
    let refused = order(&mut desk, sale, ENOUGH + 1);
    assert_eq!(
        rule_of(refused),
        (SECOND_FINGER.to_owned(), Remedy::OtherFinger, state)
    );
    let agent = desk.view(sale).agent.expect("message 2");
    assert_eq!(agent.other_fingers, [LeftIndex]);
    assert!(is_verified(&try_finger(&mut desk, sale, LeftIndex, 4_000)));
    assert_eq!(desk.state(sale), state);
    order(&mut desk, sale, ENOUGH + 1).expect("is placed");
    // Linked processing asks every rule again (L1), and this one is kept.
    let digest = desk.seen(sale);
    desk.must(officer(), CommandBody::Confirm { sale, digest });
    desk.must(kiosk(), link(sale));
    assert_eq!(desk.state(sale), SaleState::Linked);
    desk.audit();
}

#[test]
fn what_one_finger_is_enough_for_needs_no_second_one_and_a_policy_may_need_none_ever() {
    let mut desk = desk();
    let sale = desk.identified(1);
    order(&mut desk, sale, ENOUGH).expect("is placed");
    let mut easy = Desk::open(ModelStore::new());
    let sale = easy.identified(1);
    order(&mut easy, sale, 50).expect("is placed");
}

#[test]
fn kinds_of_one_order_count_together() {
    let mut desk = desk();
    let sale = desk.identified(1);
    let cash = counterfoil_data::wire::sale::OrderItem {
        kind: counterfoil_data::bill::BillKind::CashCheque,
        quantity: 1,
    };
    let items = vec![transfer(ENOUGH), cash];
    let refused = desk.give(kiosk(), CommandBody::PlaceOrder { sale, items });
    assert_eq!(rule_of(refused).0, SECOND_FINGER);
}

#[test]
fn both_fingers_together_must_be_worth_the_policy_and_the_second_one_something_by_itself() {
    // -log10 of 10^-t (1 + t ln 10): t = 6.2 is 5.02, t = 6.1 is 4.92.
    for (first, second, proven) in [
        (4_000, 2_200, true),
        (4_000, 2_100, false),
        (4_100, 2_100, true),
        (60_000, 2_000, true),
        (60_000, 1_999, false),
        (60_000, 0, false),
    ] {
        let mut desk = desk();
        let sale = desk.opened(1);
        desk.try_info(sale, Subject::Card(CARD), true);
        desk.try_identity(sale, first);
        let outcome = try_finger(&mut desk, sale, LeftIndex, second);
        assert_eq!(is_verified(&outcome), proven, "{first} and {second}");
        let placed = order(&mut desk, sale, ENOUGH + 1).is_ok();
        assert_eq!(placed, proven, "{first} and {second}");
    }
}

#[test]
fn the_finger_that_matched_first_is_never_the_second_one() {
    let mut desk = desk();
    let sale = desk.identified(1);
    let body = count_of(&desk, sale);
    let Outcome::IdentityCheck(check) = desk.must(kiosk(), body) else {
        panic!("counted");
    };
    let compared: Vec<_> = check.fingers.iter().map(|f| f.position).collect();
    assert_eq!(compared, [LeftIndex], "only others are compared");
    desk.must(kiosk(), CommandBody::Cancel { sale });
    let sale = desk.identified(2);
    assert!(!is_verified(&try_finger(
        &mut desk, sale, RightIndex, 9_000
    )));
}

#[test]
fn an_agent_with_one_finger_is_offered_what_it_is_enough_for_and_told_why() {
    let mut desk = desk_of(&[RightIndex]);
    let sale = desk.identified(1);
    let unit = desk.view(sale).unit.expect("message 1");
    assert!(unit.offers.iter().all(|o| o.quantity_max == ENOUGH));
    assert!(
        desk.view(sale)
            .agent
            .expect("message 2")
            .other_fingers
            .is_empty()
    );
    let (rule, remedy, state) = rule_of(order(&mut desk, sale, ENOUGH + 1));
    assert_eq!((rule.as_str(), remedy), (ONE_FINGER, Remedy::ChangeOrder));
    assert_eq!(state, SaleState::IdentityVerified);
    let body = count_of(&desk, sale);
    let refused = desk.give(kiosk(), body);
    assert_eq!(rule_of(refused).0, ONE_FINGER, "and no attempt is counted");
    order(&mut desk, sale, ENOUGH).expect("is placed");
}

#[test]
fn wrong_second_fingers_are_counted_like_first_ones_and_the_third_locks_the_agent() {
    let mut desk = desk();
    let sale = desk.identified(1);
    for left in [2, 1] {
        let challenge = desk.view(sale).challenge;
        let outcome = try_finger(&mut desk, sale, LeftIndex, 0);
        assert_eq!(
            outcome,
            Outcome::Settled {
                verified: false,
                state: SaleState::IdentityVerified,
                attempts_left: left,
            }
        );
        let view = desk.view(sale);
        assert_ne!(view.challenge, challenge, "one seal is one attempt");
        assert_eq!(view.attempts_left, Some(left));
        assert_eq!(view.refusal.expect("a rule").rule, FINGER_MISMATCH);
    }
    let last = try_finger(&mut desk, sale, LeftIndex, 0);
    assert_eq!(last, Outcome::Sale(SaleState::Refused));
    assert_eq!(desk.view(sale).refusal.expect("a rule").rule, LOCKED);
    // Locked at every kiosk, with the first finger too.
    desk.turn();
    let sale = desk.opened(2);
    desk.try_info(sale, Subject::Card(CARD), true);
    desk.try_identity(sale, 9_000);
    assert_eq!(desk.view(sale).refusal.expect("a rule").rule, LOCKED);
    desk.audit();
}

#[test]
fn a_right_second_finger_clears_the_wrong_ones_before_it() {
    let mut desk = desk();
    let sale = desk.identified(1);
    for _ in 0..2 {
        try_finger(&mut desk, sale, LeftIndex, 0);
    }
    assert!(is_verified(&try_finger(&mut desk, sale, LeftIndex, 4_000)));
    assert_eq!(desk.view(sale).refusal, None);
    desk.must(kiosk(), CommandBody::Cancel { sale });
    let sale = desk.identified(2);
    let outcome = try_finger(&mut desk, sale, LeftIndex, 0);
    assert!(matches!(
        outcome,
        Outcome::Settled {
            attempts_left: 2,
            ..
        }
    ));
}

#[test]
fn a_second_finger_belongs_to_its_kiosk_its_challenge_and_its_place_in_the_sale() {
    let mut desk = desk();
    let sale = desk.opened(1);
    let stale = Challenge([0; 16]);
    let of = |challenge| CommandBody::CountFingerAttempt { sale, challenge };
    let early = desk.give(kiosk(), of(stale));
    let state = SaleState::Opened;
    assert_eq!(
        early,
        Err(Refusal::OutOfOrder { state }),
        "no one finger yet"
    );
    desk.try_info(sale, Subject::Card(CARD), true);
    desk.try_identity(sale, THRESHOLD);
    let challenge = desk.view(sale).challenge;
    let stolen = desk.give(other_kiosk(), of(challenge));
    assert_eq!(stolen, Err(Refusal::NotYours));
    let state = SaleState::IdentityVerified;
    let replayed = desk.give(kiosk(), of(stale));
    assert_eq!(replayed, Err(Refusal::StaleChallenge { state }));
    assert!(is_verified(&try_finger(&mut desk, sale, LeftIndex, 4_000)));
    let challenge = desk.view(sale).challenge;
    let twice = desk.give(kiosk(), of(challenge));
    assert_eq!(twice, Err(Refusal::OutOfOrder { state }), "it is proven");
    order(&mut desk, sale, ENOUGH + 1).expect("is placed");
    let late = desk.give(kiosk(), of(challenge));
    let state = SaleState::AwaitConfirm;
    assert_eq!(late, Err(Refusal::OutOfOrder { state }));
}

#[test]
fn an_order_the_officer_asked_about_may_grow_with_a_second_finger() {
    let mut desk = desk();
    let sale = desk.ordered(1, 2);
    let digest = desk.seen(sale);
    let question = "why so few".to_owned();
    let ask = CommandBody::Ask {
        sale,
        digest,
        question,
    };
    desk.must(officer(), ask);
    let state = SaleState::Ordered;
    let refused = order(&mut desk, sale, ENOUGH + 1);
    assert_eq!(
        rule_of(refused),
        (SECOND_FINGER.to_owned(), Remedy::OtherFinger, state)
    );
    assert!(is_verified(&try_finger(&mut desk, sale, LeftIndex, 4_000)));
    order(&mut desk, sale, ENOUGH + 1).expect("is placed");
}

#[test]
fn evidence_says_which_fingers_with_which_scores_and_the_score_of_both() {
    let mut desk = desk();
    let sale = desk.identified(1);
    try_finger(&mut desk, sale, LeftIndex, 1_000);
    try_finger(&mut desk, sale, LeftIndex, 3_000);
    let size = log::size(&*desk.read()).expect("reads");
    let leaves: Vec<_> = (0..size).map(|index| desk.leaf(index)).collect();
    let of = |kind| leaves.iter().filter(move |leaf| leaf.kind == kind);
    let has = |kind, field: Field| {
        let found = of(kind).any(|leaf| leaf.fields.contains(&field));
        assert!(found, "{kind:?} without {field:?}");
    };
    has(
        LeafKind::IdentityVerified,
        Field::Evidence("right-index".to_owned()),
    );
    assert_eq!(of(LeafKind::FingerAttempted).count(), 2);
    has(LeafKind::FingerFailed, Field::ScoreMilli(1_000));
    has(
        LeafKind::FingerFailed,
        Field::Rule(FINGER_MISMATCH.to_owned()),
    );
    has(LeafKind::FingerVerified, Field::ScoreMilli(3_000));
    // 7 - log10(1 + 7 ln 10) = 5.767.
    has(LeafKind::FingerVerified, Field::ScoreMilli(5_766));
    has(
        LeafKind::FingerVerified,
        Field::Evidence("left-index".to_owned()),
    );
    has(LeafKind::FingerVerified, Field::Engine("test 1".to_owned()));
}
