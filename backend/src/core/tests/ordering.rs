//! What is an order at all, before any rule is asked (S6).

use counterfoil_data::bill::BillKind;
use counterfoil_data::wire::sale::{ORDER_ITEMS_MAX, OrderItem, SALE_FORMS_MAX, SaleState};

use super::bank::*;
use crate::core::command::{CommandBody, Outcome};
use crate::core::refusal::{Malformed, Refusal};
use crate::store::model::ModelStore;

fn cash(quantity: u32) -> OrderItem {
    OrderItem {
        kind: BillKind::CashCheque,
        quantity,
    }
}

#[test]
fn an_order_names_each_kind_once_and_at_least_one_form_of_it() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.identified(1);
    let items = Err(Refusal::Malformed(Malformed::Items));
    let quantity = Err(Refusal::Malformed(Malformed::Quantity));
    for (order, refused) in [
        (vec![], &items),
        (vec![transfer(1), transfer(1)], &items),
        (vec![cash(1), transfer(1), cash(1)], &items),
        (vec![cash(1); ORDER_ITEMS_MAX + 1], &items),
        (vec![transfer(0)], &quantity),
        (vec![transfer(1), cash(0)], &quantity),
        (vec![transfer(SALE_FORMS_MAX + 1)], &quantity),
        (vec![transfer(SALE_FORMS_MAX), cash(1)], &quantity),
        (vec![transfer(u32::MAX), cash(1)], &quantity),
    ] {
        let items = order.clone();
        let place = CommandBody::PlaceOrder { sale, items };
        assert_eq!(desk.give(kiosk(), place), *refused, "{order:?}");
    }
    // The most that is an order is for the rules to judge: stock is short.
    let items = vec![transfer(SALE_FORMS_MAX)];
    let place = CommandBody::PlaceOrder { sale, items };
    assert!(matches!(
        desk.give(kiosk(), place),
        Err(Refusal::Rule { .. })
    ));
    let items = vec![cash(2), transfer(3)];
    let place = CommandBody::PlaceOrder { sale, items };
    let state = SaleState::AwaitConfirm;
    assert_eq!(desk.must(kiosk(), place), Outcome::Sale(state));
}

#[test]
fn a_policy_asks_the_officer_above_its_count_and_not_at_it() {
    for (quantity, state) in [(3, SaleState::Confirmed), (4, SaleState::AwaitConfirm)] {
        let mut desk = Desk::open(ModelStore::new());
        let mut above = policy();
        above.version = 2;
        above.confirm = crate::core::record::bank::ConfirmPolicy::Above(3);
        let system = crate::core::command::Actor::System;
        desk.must(system, CommandBody::EnrolPolicy(above));
        let sale = desk.identified(1);
        let items = vec![transfer(quantity)];
        desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
        assert_eq!(desk.state(sale), state);
    }
}
