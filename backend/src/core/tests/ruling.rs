//! Rules at the gates: what each refuses, and what can be bought (S4, S6).

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState};

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Outcome, Subject};
use crate::core::record::bank::{AccountState, KeyedHash};
use crate::core::refusal::{Malformed, Refusal};
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
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
    let linked = desk.must(kiosk(), CommandBody::Link { sale });
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
    let Err(Refusal::Rule(rule)) = desk.give(kiosk(), place(51)) else {
        panic!("a rule refuses");
    };
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
    let Err(Refusal::Rule(rule)) = desk.give(kiosk(), place(2)) else {
        panic!("a rule refuses");
    };
    assert_eq!(rule.rule, "balance-short");
    desk.must(kiosk(), place(1));
}
