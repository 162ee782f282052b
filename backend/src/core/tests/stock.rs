//! Blanks and the people who move them (domain K8, K9, I1).

use super::bank::*;
use crate::core::command::{Actor, CommandBody};
use crate::core::custody;
use crate::core::record::stock::Place;
use crate::core::refusal::{Refusal, StockRefusal};
use crate::store::model::ModelStore;
use counterfoil_data::wire::forms::FormEvent;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

fn place(desk: &Desk<ModelStore>, offset: u32) -> Place {
    let found = custody::find(&*desk.read(), number(offset)).expect("reads");
    found.expect("in the books").1
}

fn slot(
    name: &str,
) -> (
    counterfoil_data::ids::KioskId,
    counterfoil_data::ids::SlotId,
) {
    (id("kiosk-1"), id(name))
}

#[test]
fn blanks_take_two_people_and_no_number_enters_twice_i1() {
    let mut desk = desk();
    let again = receive(range("3130002100010150", 100));
    let overlap = Err(Refusal::Stock(StockRefusal::Overlap));
    assert_eq!(desk.give(custodian(), again), overlap);
    let fresh = receive(range("3130002100030001", 100));
    let two = Err(Refusal::Stock(StockRefusal::TwoPeople));
    let other = Actor::Staff(id("custodian-b"));
    assert_eq!(desk.give(other, fresh.clone()), two);
    let officer = Actor::Staff(id("officer-1"));
    assert_eq!(desk.give(officer, fresh.clone()), two);
    assert_eq!(desk.give(kiosk(), fresh.clone()), Err(Refusal::NotYours));
    let mut miscounted = fresh.clone();
    if let CommandBody::ReceiveBlanks { count, .. } = &mut miscounted {
        *count = 99;
    }
    let (by_numbers, counted) = (100, 99);
    let refusal = StockRefusal::Count {
        by_numbers,
        counted,
    };
    let refused = Err(Refusal::Stock(refusal));
    assert_eq!(desk.give(custodian(), miscounted), refused);
    desk.must(custodian(), fresh);
    let wrong_slot = load("slot-2", range("3130002100030001", 100));
    let other_kind = Err(Refusal::Stock(StockRefusal::OtherKind));
    assert_eq!(desk.give(custodian(), wrong_slot), other_kind);
    let not_there = load("slot-1", range("3130002100030051", 100));
    let missing = Err(Refusal::Stock(StockRefusal::NotThere));
    assert_eq!(desk.give(custodian(), not_there), missing);
    desk.must(custodian(), load("slot-1", range("3130002100030001", 100)));
    desk.audit();
}

#[test]
fn nobody_opens_a_kiosk_while_it_dispenses() {
    let mut desk = desk();
    desk.linked(1, 2);
    let (kiosk, slot) = slot("slot-2");
    let second = id("custodian-b");
    let unload = CommandBody::UnloadCassette {
        second,
        kiosk,
        slot,
    };
    let busy = Err(Refusal::Stock(StockRefusal::KioskBusy));
    assert_eq!(desk.give(custodian(), unload), busy);
}

#[test]
fn a_slot_that_wrong_numbers_cut_into_many_pieces_can_still_be_unloaded_i9() {
    let mut desk = desk();
    let unlock = || {
        let (kiosk, slot) = slot("slot-1");
        let second = id("custodian-b");
        CommandBody::UnlockSlot {
            second,
            kiosk,
            slot,
        }
    };
    for n in 0..62 {
        let sale = desk.linked(u128::from(n) + 1, 1);
        let read = number(70 + 2 * n);
        let wrong = vec![
            (number(n), FormEvent::Feeding),
            (number(n), FormEvent::Mismatch { read }),
        ];
        desk.advise(sale, wrong).expect("accepted");
        desk.must(kiosk(), close(sale));
        desk.must(custodian(), unlock());
    }
    let (kiosk, slot) = slot("slot-1");
    let second = id("custodian-b");
    let unload = CommandBody::UnloadCassette {
        second,
        kiosk,
        slot,
    };
    desk.must(custodian(), unload);
    assert_eq!(place(&desk, 199), Place::InVault(id("branch-1")));
    assert_eq!(place(&desk, 62), Place::InVault(id("branch-1")));
    desk.audit();
}
