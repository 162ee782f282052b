//! What is an order at all, before any rule is asked (S6).

use counterfoil_data::bill::BillKind;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::sale::{ORDER_ITEMS_MAX, OrderItem, SALE_FORMS_MAX, SaleState};

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Outcome};

use crate::core::record::bank::FeeRow;
use crate::core::record::stock::SLOT_PIECES_MAX;
use crate::core::refusal::{Malformed, Refusal, StockRefusal};
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
    // So it does with every kind there is, each once: this account may not have them all.
    let one = |kind| OrderItem { kind, quantity: 1 };
    let items = BillKind::ALL.map(one).to_vec();
    assert_eq!(items.len(), ORDER_ITEMS_MAX);
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

/// A kiosk whose slots hold transfer, cash and sorter cheques in sixteen pieces each.
fn in_pieces() -> Desk<ModelStore> {
    let sorter = BillKind::SorterCheque;
    let mut bodies = enrolment();
    for body in &mut bodies {
        match body {
            CommandBody::EnrolKiosk(row) => row.slots.push((id("slot-3"), sorter)),
            CommandBody::EnrolAccount { account, .. } => account.kinds.push(sorter),
            _ => {}
        }
    }
    bodies.push(CommandBody::EnrolFee(FeeRow {
        kind: sorter,
        from: jiff::civil::date(2021, 9, 30),
        each: Fen(60),
    }));
    let mut desk = Desk::empty(ModelStore::new());
    for body in bodies {
        desk.must(Actor::System, body);
    }
    for (slot, lot, count) in [
        ("slot-1", "31300021000", 2),
        ("slot-2", "31300011000", 1),
        ("slot-3", "31300031000", 1),
    ] {
        for piece in 0..SLOT_PIECES_MAX {
            let range = range(&format!("{lot}{piece:04}1"), count);
            desk.must(custodian(), receive(range));
            desk.must(custodian(), load(slot, range));
        }
    }
    desk
}

#[test]
fn an_order_takes_thirty_two_separate_ranges_and_no_more() {
    let mut desk = in_pieces();
    let one_more = range("3130002100900001", 1);
    desk.must(custodian(), receive(one_more));
    let over = desk.give(custodian(), load("slot-1", one_more));
    let pieces = Refusal::Stock(StockRefusal::TooManyPieces);
    assert_eq!(over, Err(pieces));
    let sale = desk.identified(1);
    let sorter = OrderItem {
        kind: BillKind::SorterCheque,
        quantity: 1,
    };
    let items = vec![transfer(32), cash(16), sorter];
    let refused = desk.give(kiosk(), CommandBody::PlaceOrder { sale, items });
    let Err(Refusal::Rule { rule, .. }) = refused else {
        panic!("refused: {refused:?}");
    };
    let told = "33 separate ranges in one order: reload the slots";
    assert_eq!((&*rule.rule, &*rule.staff), ("stock-short", told));
    let items = vec![transfer(32), cash(16)];
    desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
    let text = desk.view(sale).order.expect("ordered").text;
    assert_eq!((text.ranges.len(), text.count), (32, 48));
    let digest = desk.seen(sale);
    desk.must(officer(), CommandBody::Confirm { sale, digest });
    desk.must(kiosk(), link(sale));
    desk.audit();
}
