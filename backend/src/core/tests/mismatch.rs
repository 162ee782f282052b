//! A number read in another's place (S9, contract §5): it lies in a printer, so it is
//! never stock again, whatever the books had it for (I2).

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::custody::Act;
use counterfoil_data::wire::forms::{FormEvent, FormState};
use counterfoil_data::wire::sale::AbandonReason;

use super::bank::*;
use crate::core::command::{CommandBody, Resolution};
use crate::core::custody;
use crate::core::record::stock::Place;
use crate::core::refusal::{Refusal, StockRefusal};
use crate::store::model::ModelStore;

/// A sale at each kiosk, linked: three forms here, three there.
fn two_sales() -> (Desk<ModelStore>, SaleId, SaleId) {
    let mut desk = Desk::open(ModelStore::new());
    desk.fill_other();
    let here = desk.linked(1, 3);
    desk.turn();
    let there = desk.linked(2, 3);
    desk.turn();
    (desk, here, there)
}

fn misread(desk: &mut Desk<ModelStore>, sale: SaleId, form: BillNumber, read: BillNumber) {
    let wrong = vec![
        (form, FormEvent::Feeding),
        (form, FormEvent::Mismatch { read }),
    ];
    desk.advise(sale, wrong).expect("accepted");
}

fn place(desk: &Desk<ModelStore>, number: BillNumber) -> Place {
    let found = custody::find(&*desk.read(), number).expect("reads");
    found.expect("in the books").1
}

fn states(desk: &Desk<ModelStore>, sale: SaleId) -> Vec<FormState> {
    desk.view(sale).forms.iter().map(|f| f.state).collect()
}

fn resolve(number: BillNumber, to: Resolution) -> CommandBody {
    CommandBody::ResolveUnknown {
        second: id("custodian-b"),
        number,
        to,
        evidence: "looked at".to_owned(),
    }
}

#[test]
fn a_form_of_another_sale_read_here_is_frozen_there_and_never_given_back_i2() {
    let (mut desk, here, there) = two_sales();
    misread(&mut desk, here, number(0), number(201));
    assert_eq!(place(&desk, number(201)), Place::Unknown(Some(there)));
    let assigned = FormState::Assigned;
    assert_eq!(
        states(&desk, there),
        [assigned, FormState::Unknown, assigned]
    );
    desk.audit();
    let sale = there;
    let reason = AbandonReason::Staff;
    desk.must(other_kiosk(), abandon(sale, reason));
    assert_eq!(place(&desk, number(201)), Place::Unknown(Some(there)));
    let receipt = desk.view(there).receipt.expect("closed");
    assert_eq!(receipt.unknown, [range("3130002100010202", 1)]);
    desk.audit();
    // Both sales' evidence speaks of it.
    let steps = crate::evidence::timeline(&*desk.read(), number(201)).expect("reads");
    let about = |sale| steps.iter().any(|(_, leaf)| leaf.sale() == Some(sale));
    assert!(about(here) && about(there));
    desk.must(custodian(), resolve(number(201), Resolution::Spoiled));
    desk.audit();
}

#[test]
fn a_missing_form_that_is_read_again_is_unknown_again() {
    let (mut desk, here, there) = two_sales();
    let lost = vec![
        (number(200), FormEvent::Feeding),
        (number(200), no_outcome()),
    ];
    desk.turn();
    desk.advise(there, lost).expect("accepted");
    desk.turn();
    desk.must(custodian(), resolve(number(200), Resolution::Missing));
    assert_eq!(place(&desk, number(200)), Place::Missing(Some(there)));
    desk.audit();
    misread(&mut desk, here, number(0), number(200));
    assert_eq!(place(&desk, number(200)), Place::Unknown(Some(there)));
    desk.audit();
    desk.must(custodian(), resolve(number(200), Resolution::Sold));
    assert_eq!(states(&desk, there)[0], FormState::Sold);
    desk.audit();
}

#[test]
fn what_was_fed_before_stays_where_it_is_when_its_number_is_read_again() {
    let (mut desk, here, there) = two_sales();
    desk.turn();
    desk.hand_over(there, 200..201);
    desk.turn();
    let sold = place(&desk, number(200));
    misread(&mut desk, here, number(0), number(200));
    assert_eq!(place(&desk, number(200)), sold);
    desk.audit();
}

#[test]
fn a_stray_number_is_never_resolved_as_sold() {
    let (mut desk, here, there) = two_sales();
    misread(&mut desk, here, number(0), number(150));
    let refused = desk.give(custodian(), resolve(number(150), Resolution::Sold));
    assert_eq!(refused, Err(Refusal::Stock(StockRefusal::NeverGiven)));
    desk.must(custodian(), resolve(number(150), Resolution::Missing));
    assert_eq!(place(&desk, number(150)), Place::Missing(Some(here)));
    desk.audit();
    // It comes up again elsewhere: it was never a form of the sale that read it first.
    desk.turn();
    misread(&mut desk, there, number(200), number(150));
    assert_eq!(place(&desk, number(150)), Place::Unknown(Some(there)));
    desk.audit();
}

#[test]
fn a_number_that_should_not_be_in_any_kiosk_is_frozen_where_it_comes_up() {
    let (mut desk, here, there) = two_sales();
    let both = |act| CommandBody::Custody {
        second: id("custodian-b"),
        act,
    };
    // One is only announced, one is missing from the vault.
    let announced = range("3130002100019001", 10);
    let announce = Act::Announce {
        branch: id("branch-1"),
        range: announced,
    };
    desk.must(custodian(), both(announce));
    let vault = range("3130002100019101", 10);
    desk.must(custodian(), receive(vault));
    let miss = Act::Miss {
        range: vault,
        seen: "the box is empty".to_owned(),
    };
    desk.must(custodian(), both(miss));
    assert_eq!(place(&desk, vault.first()), Place::Missing(None));
    misread(&mut desk, here, number(0), announced.first());
    assert_eq!(place(&desk, announced.first()), Place::Unknown(Some(here)));
    desk.audit();
    desk.turn();
    misread(&mut desk, there, number(200), vault.first());
    assert_eq!(place(&desk, vault.first()), Place::Unknown(Some(there)));
    assert_eq!(place(&desk, vault.last()), Place::Missing(None));
    desk.audit();
}
