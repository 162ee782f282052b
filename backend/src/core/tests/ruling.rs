//! Rules at the gates: what each refuses, and what can be bought (S4, S6).

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState};

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Found, Outcome, Subject};
use crate::core::record::bank::{AccountState, CardPolicy, CardTrust, KeyedHash};
use crate::core::refusal::{Malformed, Refusal};
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

/// Ten minutes before midnight at a bank that never closes; the card ends today.
fn night_desk() -> Desk<ModelStore> {
    let mut bodies = enrolment();
    for body in &mut bodies {
        match body {
            CommandBody::EnrolBank(bank) => {
                bank.opens = jiff::civil::Time::MIN;
                bank.closes = jiff::civil::Time::MAX;
            }
            CommandBody::EnrolCard(card) => card.expires = jiff::civil::date(2026, 11, 22),
            _ => {}
        }
    }
    let mut desk = Desk::stocked(ModelStore::new(), bodies);
    desk.at = id("2026-11-22T15:50:00Z");
    desk
}

/// A confirmed sale whose buyer showed a document valid to this day.
fn confirmed_with(desk: &mut Desk<ModelStore>, valid_to: jiff::civil::Date) -> SaleId {
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    let mut body = desk.identity_of(sale, PERSON);
    if let CommandBody::CountIdentityAttempt { valid_to: last, .. } = &mut body {
        *last = Some(valid_to);
    }
    desk.must(kiosk(), body);
    let body = CommandBody::SettleIdentity {
        sale,
        attempt: 1,
        found: Found::scored(THRESHOLD, "test 1"),
    };
    desk.must(Actor::System, body);
    let items = vec![transfer(1)];
    desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
    let digest = desk.seen(sale);
    desk.must(officer(), CommandBody::Confirm { sale, digest });
    sale
}

#[test]
fn a_card_that_ended_at_midnight_is_refused_at_linking_l1() {
    let mut desk = night_desk();
    let sale = confirmed_with(&mut desk, jiff::civil::date(2040, 1, 1));
    desk.later(660);
    let linked = desk.must(kiosk(), link(sale));
    assert_eq!(linked, Outcome::Sale(SaleState::Refused));
    let rule = desk.view(sale).refusal.expect("a rule");
    assert_eq!(rule.rule, "card-unknown");
    assert_eq!(rule.staff, "card expired on 2026-11-22");
    desk.audit();
}

#[test]
fn a_document_that_ended_at_midnight_is_refused_at_linking_l1() {
    let mut desk = desk();
    let sale = confirmed_with(&mut desk, jiff::civil::date(2026, 11, 22));
    desk.must(kiosk(), link(sale));
    let mut desk = night_desk();
    let sale = confirmed_with(&mut desk, jiff::civil::date(2026, 11, 22));
    // The card alone would be refused first: this one counts for a day more.
    let at = crate::core::key::sale(sale);
    let read = desk.read();
    let mut books = crate::core::overlay::Overlay::new(&*read);
    let mut row: crate::core::record::sale::SaleRow = books.need(&at, "a sale").expect("reads");
    let info = row.info.as_mut().expect("message 1");
    info.card.as_mut().expect("a card").expires = jiff::civil::date(2026, 11, 23);
    books.put(at, &row).expect("writes");
    desk.later(660);
    let link = desk.command(kiosk(), link(sale));
    let decision = crate::core::decide::decide(&books, &link).expect("decides");
    assert_eq!(decision.outcome, Outcome::Sale(SaleState::Refused));
    let crate::core::event::Event::SaleRefused { refusal, .. } = &decision.events[0] else {
        panic!("a rule refuses");
    };
    assert_eq!(refusal.rule, "document-expired");
}

#[test]
fn a_card_that_could_be_a_copy_is_refused_before_its_pin_is_compared() {
    let mut desk = desk();
    let sale = desk.opened(1);
    for trust in [Some(CardTrust::Unproven), None] {
        let sale = if trust.is_some() {
            sale
        } else {
            desk.opened(2)
        };
        let count = desk.info_of(sale, Subject::Card(CARD), trust);
        assert_eq!(desk.must(kiosk(), count), Outcome::Sale(SaleState::Refused));
        let rule = desk.view(sale).refusal.expect("a rule").rule;
        assert_eq!(rule, "card-not-proven");
    }
    // The evidence says how little was known; the real card is not locked by it.
    let leaf = |kind| {
        let index = (0..crate::core::log::size(&*desk.read()).expect("reads")).rev();
        let mut leaves = index.map(|index| desk.leaf(index));
        leaves.find(|leaf| leaf.kind == kind).expect("a leaf")
    };
    let attempted = leaf(counterfoil_data::leaf::LeafKind::InfoAttempted);
    let unproven = counterfoil_data::leaf::Field::CardProof("unproven".to_owned());
    assert!(attempted.fields.contains(&unproven));
    let sale = desk.opened(3);
    let host = desk.info_of(sale, Subject::Card(CARD), Some(CardTrust::Host));
    let Outcome::InfoCheck(check) = desk.must(kiosk(), host) else {
        panic!("the host's word is good");
    };
    assert_eq!(check.attempt, 1);
    desk.audit();
}

#[test]
fn a_bank_may_take_any_card() {
    let mut desk = desk();
    let mut any = policy();
    any.version = 2;
    any.cards = CardPolicy::Any;
    desk.must(Actor::System, CommandBody::EnrolPolicy(any));
    let sale = desk.opened(1);
    let count = desk.info_of(sale, Subject::Card(CARD), Some(CardTrust::Unproven));
    let Outcome::InfoCheck(check) = desk.must(kiosk(), count) else {
        panic!("every card passes");
    };
    let settle = CommandBody::SettleInfo {
        sale,
        attempt: check.attempt,
        verified: true,
    };
    desk.must(Actor::System, settle);
    assert_eq!(desk.state(sale), SaleState::InfoVerified);
    // A bank that changes its mind between the two asks the same card again (L1).
    desk.must(kiosk(), CommandBody::Cancel { sale });
    let sale = desk.opened(2);
    let count = desk.info_of(sale, Subject::Card(CARD), Some(CardTrust::Unproven));
    let Outcome::InfoCheck(check) = desk.must(kiosk(), count) else {
        panic!("every card passes");
    };
    let mut proven = policy();
    proven.version = 3;
    desk.must(Actor::System, CommandBody::EnrolPolicy(proven));
    let settle = CommandBody::SettleInfo {
        sale,
        attempt: check.attempt,
        verified: true,
    };
    desk.must(Actor::System, settle);
    assert_eq!(desk.state(sale), SaleState::Refused);
    let rule = desk.view(sale).refusal.expect("a rule").rule;
    assert_eq!(rule, "card-not-proven");
}

#[test]
fn message_1_names_the_unit_and_what_can_be_bought_s4() {
    let mut desk = desk();
    let sale = desk.opened(1);
    assert_eq!(
        desk.try_info(sale, Subject::Card(CARD), true),
        Outcome::Settled {
            verified: true,
            state: SaleState::InfoVerified,
            attempts_left: 2,
        }
    );
    let unit = desk.view(sale).unit.expect("message 1");
    assert_eq!(unit.name, "样例机械有限公司");
    assert_eq!(unit.account_masked, "***************0001");
    let offers: Vec<_> = unit
        .offers
        .iter()
        .map(|o| (o.fee_each.0, o.quantity_max))
        .collect();
    assert_eq!(offers, [(60, 50), (0, 50)]);
}

#[test]
fn an_expired_document_ends_the_sale_by_its_rule() {
    let mut desk = desk();
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    let mut body = desk.identity_of(sale, PERSON);
    if let CommandBody::CountIdentityAttempt { valid_to, .. } = &mut body {
        *valid_to = Some(jiff::civil::date(2020, 1, 1));
    }
    assert_eq!(desk.must(kiosk(), body), Outcome::Sale(SaleState::Refused));
    let rule = desk.view(sale).refusal.expect("a rule").rule;
    assert_eq!(rule, "document-expired");
}

#[test]
fn a_frozen_account_is_refused_at_message_1_and_again_at_linking_l1() {
    let mut desk = desk();
    let frozen = |state| CommandBody::SetAccountState {
        account: ACCOUNT_NUMBER.to_owned(),
        state,
    };
    let sale = desk.confirmed(1, 5);
    desk.must(Actor::System, frozen(AccountState::Frozen));
    let linked = desk.must(kiosk(), link(sale));
    assert_eq!(linked, Outcome::Sale(SaleState::Refused));
    let next = desk.opened(2);
    desk.try_info(next, Subject::Card(CARD), true);
    let rule = desk.view(next).refusal.expect("a rule").rule;
    assert_eq!(rule, "account-not-normal");
    desk.audit();
}

#[test]
fn outside_opening_hours_message_1_is_not_given() {
    let mut desk = desk();
    desk.later(6 * 3600);
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    let rule = desk.view(sale).refusal.expect("a rule").rule;
    assert_eq!(rule, "closed-hours");
}

#[test]
fn an_order_over_a_cap_is_refused_and_can_be_changed_s6() {
    let mut desk = desk();
    let sale = desk.identified(1);
    let place = |quantity| CommandBody::PlaceOrder {
        sale,
        items: vec![transfer(quantity)],
    };
    let Err(Refusal::Rule { rule, state }) = desk.give(kiosk(), place(51)) else {
        panic!("a rule refuses");
    };
    assert_eq!(state, SaleState::IdentityVerified);
    assert_eq!(rule.rule, "sale-cap");
    let malformed = Err(Refusal::Malformed(Malformed::Quantity));
    assert_eq!(desk.give(kiosk(), place(0)), malformed);
    assert_eq!(desk.give(kiosk(), place(201)), malformed);
    assert_eq!(desk.state(sale), SaleState::IdentityVerified);
    desk.must(kiosk(), place(50));
    assert_eq!(desk.state(sale), SaleState::AwaitConfirm);
}

#[test]
fn a_fee_over_the_balance_is_refused_and_a_fee_it_covers_is_not() {
    let mut desk = desk();
    let poor = |number: &str, balance| {
        let account = account(number, KeyedHash([7; 32]));
        let balance = counterfoil_data::money::Fen(balance);
        CommandBody::EnrolAccount { account, balance }
    };
    desk.must(Actor::System, poor("3130000000000000002", 119));
    let mode = PurchaseMode::PaymentPassword;
    let sale = SaleId(1);
    desk.must(kiosk(), CommandBody::OpenSale { sale, mode });
    desk.try_info(sale, Subject::Account(KeyedHash([7; 32])), true);
    desk.try_identity(sale, THRESHOLD);
    let place = |quantity| CommandBody::PlaceOrder {
        sale,
        items: vec![transfer(quantity)],
    };
    let Err(Refusal::Rule { rule, .. }) = desk.give(kiosk(), place(2)) else {
        panic!("a rule refuses");
    };
    assert_eq!(rule.rule, "balance-short");
    desk.must(kiosk(), place(1));
}
