//! Paper: what was fed, what was not, and what nobody knows (I1, I2, I5, I6).

use counterfoil_data::wire::forms::{FormEvent, FormState};
use counterfoil_data::wire::sale::{AbandonReason, SaleState};

use super::bank::*;
use crate::core::command::{CommandBody, Outcome, Resolution};
use crate::core::custody;
use crate::core::record::stock::Place;
use crate::core::refusal::{Refusal, StockRefusal};
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

fn place(desk: &Desk<ModelStore>, offset: u32) -> Place {
    let found = custody::find(&*desk.read(), number(offset)).expect("reads");
    found.expect("in the books").1
}

fn states(desk: &Desk<ModelStore>, sale: counterfoil_data::ids::SaleId) -> Vec<FormState> {
    desk.view(sale).forms.iter().map(|f| f.state).collect()
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
fn a_sale_runs_to_its_receipt_and_the_forms_belong_to_the_account_s9_s23() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    desk.hand_over(sale, 0..3);
    desk.must(kiosk(), close(sale));
    let receipt = desk.view(sale).receipt.expect("closed");
    assert_eq!(receipt.sold, [range(FIRST, 3)]);
    assert_eq!(receipt.fee.0, 180);
    assert_eq!(receipt.account_masked, "***************0001");
    let sold = Place::Sold {
        account: ACCOUNT_NUMBER.to_owned(),
        sale,
    };
    assert_eq!(place(&desk, 0), sold);
    let proof = receipt.proof;
    counterfoil_data::tlog::verify_inclusion(&counterfoil_data::tlog::Inclusion {
        index: proof.leaf,
        size: proof.size,
        leaf: proof.leaf_hash,
        root: proof.root,
        path: &proof.path,
    })
    .expect("the receipt is in the log");
    desk.audit();
}

#[test]
fn forms_are_fed_in_number_order_and_one_at_a_time_i5() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    let feed = |n| vec![(number(n), FormEvent::Feeding)];
    let expected = number(0);
    let turn = |state| Err(Refusal::FormOrder { expected, state });
    assert_eq!(desk.advise(sale, feed(1)), turn(SaleState::Linked));
    desk.advise(sale, feed(0)).expect("its turn");
    assert_eq!(desk.advise(sale, feed(1)), turn(SaleState::Dispensing));
    // `printed n` and `feeding n+1` travel together.
    let both = vec![(number(0), printed()), (number(1), FormEvent::Feeding)];
    desk.advise(sale, both).expect("in order");
    assert_eq!(
        states(&desk, sale),
        [FormState::Printed, FormState::Feeding, FormState::Assigned]
    );
    desk.audit();
}

#[test]
fn a_repeated_advice_changes_nothing_and_a_contradictory_one_names_the_state() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    let first = vec![(number(0), FormEvent::Feeding), (number(0), printed())];
    desk.advise(sale, first.clone()).expect("in order");
    let size = crate::core::log::size(&*desk.read()).expect("reads");
    desk.advise(sale, first).expect("repeated");
    assert_eq!(crate::core::log::size(&*desk.read()).expect("reads"), size);
    let contradiction = Err(Refusal::FormContradiction {
        number: number(0),
        form: FormState::Printed,
        state: SaleState::Dispensing,
    });
    assert_eq!(
        desk.advise(sale, vec![(number(0), failed())]),
        contradiction
    );
}

#[test]
fn a_call_with_one_bad_advice_is_dropped_as_a_whole() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    let bad = vec![
        (number(0), FormEvent::Feeding),
        (number(0), FormEvent::Taken),
    ];
    desk.advise(sale, bad).expect_err("contradicts");
    assert_eq!(states(&desk, sale), [FormState::Assigned; 2]);
    assert_eq!(desk.state(sale), SaleState::Linked);
}

#[test]
fn a_spoiled_form_is_replaced_by_the_next_number_without_a_second_fee() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    let spoil = vec![(number(0), FormEvent::Feeding), (number(0), failed())];
    let outcome = desk.advise(sale, spoil.clone()).expect("accepted");
    let given = Outcome::Forms {
        accepted: 2,
        supplements: vec![number(2)],
    };
    assert_eq!(outcome, given);
    // Repeated because the answer was lost: the same supplement, not one more.
    assert_eq!(desk.advise(sale, spoil).expect("accepted"), given);
    let jobs = desk.view(sale).linked.expect("linked").jobs;
    assert_eq!(jobs[2].number, number(2));
    assert_eq!(jobs[2].supplement_of, Some(number(0)));
    desk.hand_over(sale, 1..3);
    desk.must(kiosk(), close(sale));
    let receipt = desk.view(sale).receipt.expect("closed");
    assert_eq!(receipt.fee.0, 120);
    assert_eq!(receipt.void, [range(FIRST, 1)]);
    assert_eq!(place(&desk, 0), Place::Spoiled(sale));
    desk.audit();
}

#[test]
fn a_printer_that_eats_forms_gets_five_more_and_then_the_fee_goes_back() {
    let mut desk = desk();
    let sale = desk.linked(1, 1);
    for n in 0..6 {
        let spoil = vec![(number(n), FormEvent::Feeding), (number(n), failed())];
        desk.advise(sale, spoil).expect("accepted");
    }
    desk.must(kiosk(), close(sale));
    let receipt = desk.view(sale).receipt.expect("closed");
    assert_eq!(receipt.void, [range(FIRST, 6)]);
    assert_eq!(receipt.fee.0, 0);
    desk.audit();
}

#[test]
fn a_wrong_number_freezes_both_and_locks_the_slot_s9_i6() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    let wrong = vec![
        (number(0), FormEvent::Feeding),
        (number(0), FormEvent::Mismatch { read: number(7) }),
    ];
    desk.advise(sale, wrong).expect("accepted");
    let frozen = Place::Unknown(Some(sale));
    assert_eq!((place(&desk, 0), place(&desk, 7)), (frozen.clone(), frozen));
    let feed = vec![(number(1), FormEvent::Feeding)];
    let (number, state) = (number(1), SaleState::Dispensing);
    let locked = Err(Refusal::SlotLocked { number, state });
    assert_eq!(desk.advise(sale, feed), locked);
    let reason = AbandonReason::WrongNumber;
    let closed = desk.must(kiosk(), abandon(sale, reason));
    assert_eq!(closed, Outcome::Sale(SaleState::Closed));
    let receipt = desk.view(sale).receipt.expect("closed");
    assert_eq!(receipt.unknown, [range(FIRST, 1)]);
    assert_eq!(
        receipt.fee.0, 60,
        "one form is unknown, two were given back"
    );
    desk.audit();
    // Nothing of that slot is offered until two people looked.
    let next = desk.identified(2);
    let kinds: Vec<_> = desk.view(next).unit.expect("message 1").offers;
    assert_eq!(kinds.len(), 1);
    let (kiosk, slot) = slot("slot-1");
    let second = id("custodian-b");
    let unlock = CommandBody::UnlockSlot {
        second,
        kiosk,
        slot,
    };
    desk.must(custodian(), unlock);
    assert_eq!(desk.view(next).unit.expect("message 1").offers.len(), 2);
    desk.audit();
}

#[test]
fn a_wrong_number_of_the_same_sale_is_frozen_with_the_first() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    let wrong = vec![
        (number(0), FormEvent::Feeding),
        (number(0), FormEvent::Mismatch { read: number(1) }),
    ];
    desk.advise(sale, wrong).expect("accepted");
    let unknown = FormState::Unknown;
    assert_eq!(states(&desk, sale), [unknown, unknown, FormState::Assigned]);
    desk.audit();
}

#[test]
fn what_was_never_fed_goes_back_to_the_head_with_its_fee() {
    let mut desk = desk();
    let sale = desk.linked(1, 5);
    desk.hand_over(sale, 0..2);
    let reason = AbandonReason::CustomerLeft;
    desk.must(kiosk(), abandon(sale, reason));
    let receipt = desk.view(sale).receipt.expect("closed");
    assert_eq!(receipt.sold, [range(FIRST, 2)]);
    assert_eq!(receipt.fee.0, 120);
    desk.audit();
    // The next customer gets them first, in order.
    let next = desk.linked(2, 4);
    let ranges = desk.view(next).linked.expect("linked").ranges;
    assert_eq!(ranges, [range("3130002100010003", 4)]);
    desk.audit();
}

#[test]
fn a_form_in_the_feed_when_the_sale_is_broken_off_keeps_the_sale_for_staff_i6() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    desk.advise(sale, vec![(number(0), FormEvent::Feeding)])
        .expect("its turn");
    let reason = AbandonReason::PrinterFault;
    let suspended = desk.must(kiosk(), abandon(sale, reason));
    assert_eq!(suspended, Outcome::Sale(SaleState::Suspended));
    desk.audit();
    // The kiosk comes back and delivers what its journal knew.
    desk.advise(sale, vec![(number(0), no_outcome())])
        .expect("accepted late");
    desk.must(kiosk(), close(sale));
    assert_eq!(
        states(&desk, sale),
        [FormState::Unknown, FormState::Released, FormState::Released]
    );
    desk.audit();
}

#[test]
fn an_unknown_number_is_frozen_until_two_people_resolve_it_i6() {
    let mut desk = desk();
    let sale = desk.linked(1, 1);
    let events = [
        FormEvent::Feeding,
        printed(),
        FormEvent::Presented,
        no_outcome(),
    ];
    let advices = events.into_iter().map(|e| (number(0), e)).collect();
    desk.advise(sale, advices).expect("accepted");
    let form = FormState::Unknown;
    assert_eq!(
        desk.advise(sale, vec![(number(0), FormEvent::Taken)]),
        Err(Refusal::FormContradiction {
            number: number(0),
            form,
            state: SaleState::Dispensing,
        })
    );
    desk.must(kiosk(), close(sale));
    let resolve = |second: &str, to| CommandBody::ResolveUnknown {
        second: id(second),
        number: number(0),
        to,
        evidence: "found in the retract bin".to_owned(),
    };
    let alone = desk.give(custodian(), resolve("custodian-a", Resolution::Retracted));
    assert_eq!(alone, Err(Refusal::Stock(StockRefusal::TwoPeople)));
    let officer = desk.give(custodian(), resolve("officer-1", Resolution::Sold));
    assert_eq!(officer, Err(Refusal::Stock(StockRefusal::TwoPeople)));
    desk.must(custodian(), resolve("supervisor-1", Resolution::Retracted));
    assert_eq!(place(&desk, 0), Place::Retracted(sale));
    assert_eq!(desk.view(sale).receipt.expect("closed").fee.0, 0);
    let again = desk.give(custodian(), resolve("supervisor-1", Resolution::Sold));
    assert_eq!(again, Err(Refusal::Stock(StockRefusal::NotUnknown)));
    desk.audit();
}

#[test]
fn a_form_that_turns_out_to_be_sold_keeps_its_fee_and_a_spoiled_one_does_not() {
    for (to, fee) in [(Resolution::Sold, 60), (Resolution::Spoiled, 0)] {
        let mut desk = desk();
        let sale = desk.linked(1, 1);
        let lost = vec![(number(0), FormEvent::Feeding), (number(0), no_outcome())];
        desk.advise(sale, lost).expect("accepted");
        desk.must(kiosk(), close(sale));
        let resolve = CommandBody::ResolveUnknown {
            second: id("custodian-b"),
            number: number(0),
            to,
            evidence: "seen on the camera".to_owned(),
        };
        desk.must(custodian(), resolve);
        assert_eq!(desk.view(sale).receipt.expect("closed").fee.0, fee);
        desk.audit();
    }
}

#[test]
fn a_retracted_form_gives_its_fee_back_and_never_returns_to_stock() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    desk.hand_over(sale, 0..1);
    let events = [
        FormEvent::Feeding,
        printed(),
        FormEvent::Presented,
        FormEvent::Retracted,
    ];
    let advices = events.into_iter().map(|e| (number(1), e)).collect();
    desk.advise(sale, advices).expect("accepted");
    desk.must(kiosk(), close(sale));
    let receipt = desk.view(sale).receipt.expect("closed");
    assert_eq!(
        (receipt.fee.0, receipt.void),
        (60, vec![range("3130002100010002", 1)])
    );
    let next = desk.linked(2, 1);
    let ranges = desk.view(next).linked.expect("linked").ranges;
    assert_eq!(ranges, [range("3130002100010003", 1)]);
    desk.audit();
}

#[test]
fn a_sale_with_open_forms_is_not_closed() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    desk.hand_over(sale, 0..1);
    let (open, state) = (1, SaleState::Dispensing);
    let close = close(sale);
    let refused = Err(Refusal::FormsOpen { open, state });
    assert_eq!(desk.give(kiosk(), close), refused);
}
