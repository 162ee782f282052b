//! The result of a comparison: of which attempt, and by which engine (S13, S14).

use counterfoil_data::leaf::{Field, LeafKind};
use counterfoil_data::wire::sale::SaleState;

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Found, Outcome, Subject};
use crate::core::key::{self, Table};
use crate::core::log;
use crate::core::overlay;
use crate::core::record::books::AttemptRow;
use crate::core::refusal::Refusal;
use crate::core::rules::ENROL_AGAIN;
use crate::store::model::ModelStore;

#[test]
fn a_result_belongs_to_the_attempt_that_was_counted_and_to_no_other() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    let settle = |attempt| CommandBody::SettleIdentity {
        sale,
        attempt,
        found: Found::scored(THRESHOLD, "test 1"),
    };
    let state = SaleState::InfoVerified;
    let none = |attempt| Err(Refusal::NoSuchAttempt { attempt, state });
    assert_eq!(desk.give(Actor::System, settle(1)), none(1), "none counted");
    let body = desk.identity_of(sale, PERSON);
    let Outcome::IdentityCheck(check) = desk.must(kiosk(), body) else {
        panic!("counted");
    };
    assert_eq!(check.attempt, 1);
    assert_eq!(desk.give(Actor::System, settle(2)), none(2));
    assert_eq!(desk.state(sale), state);
    desk.must(Actor::System, settle(1));
    assert_eq!(desk.state(sale), SaleState::IdentityVerified);
}

#[test]
fn an_engine_s_name_is_kept_if_it_is_short_ascii() {
    for (engine, kept) in [
        ("counterfoil-finger 1.0", "counterfoil-finger 1.0"),
        ("发动机", "unnamed"),
        (&"x".repeat(65), "unnamed"),
        (&"x".repeat(64), &*"x".repeat(64)),
    ] {
        let mut desk = Desk::open(ModelStore::new());
        let sale = desk.opened(1);
        desk.try_info(sale, Subject::Card(CARD), true);
        let body = desk.identity_of(sale, PERSON);
        desk.must(kiosk(), body);
        let settle = CommandBody::SettleIdentity {
            sale,
            attempt: 1,
            found: Found::scored(THRESHOLD, engine),
        };
        desk.must(Actor::System, settle);
        let size = log::size(&*desk.read()).expect("reads");
        let mut leaves = (0..size).map(|index| desk.leaf(index));
        let leaf = leaves.find(|leaf| leaf.kind == LeafKind::IdentityVerified);
        let named = Field::Engine(kept.to_owned());
        assert!(leaf.expect("a leaf").fields.contains(&named), "{engine}");
    }
}

#[test]
fn an_attempt_in_which_nothing_was_compared_is_given_back_and_the_others_stay_counted() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    desk.try_identity(sale, 0);
    desk.try_identity(sale, 0);
    let failed = |desk: &Desk<ModelStore>, of: &str| {
        let row = overlay::get(&*desk.read(), &key::text(Table::Attempt, of));
        let row: Option<AttemptRow> = row.expect("reads");
        row.map(|row| (row.failed, row.locked_until, row.locks))
    };
    let body = desk.identity_of(sale, PERSON);
    let Outcome::IdentityCheck(check) = desk.must(kiosk(), body) else {
        panic!("counted");
    };
    let agent = format!("agent/{}", check.agent);
    let counted = failed(&desk, &agent).expect("counted");
    assert!(counted.0 == 3 && counted.1.is_some(), "locked beforehand");
    assert_eq!(counted.2, 1, "the first step");
    let settle = CommandBody::SettleIdentity {
        sale,
        attempt: check.attempt,
        found: Found::scored(THRESHOLD, "enrol-again/test 1"),
    };
    desk.must(Actor::System, settle);
    assert_eq!(desk.state(sale), SaleState::Refused);
    assert_eq!(desk.view(sale).refusal.expect("a rule").rule, ENROL_AGAIN);
    assert_eq!(failed(&desk, &agent), Some((2, None, 0)));
    assert_eq!(failed(&desk, "kiosk/kiosk-1"), Some((2, None, 0)));
}
