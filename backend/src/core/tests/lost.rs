//! A kiosk that never comes back (I6): its sale goes to staff, its unfed forms to stock.

use counterfoil_data::wire::forms::{FormEvent, FormState};
use counterfoil_data::wire::sale::SaleState;

use counterfoil_data::leaf::{Field, Leaf};

use super::bank::*;
use crate::core::apply::KIOSK_LOST_S;
use crate::core::command::{Actor, CommandBody, Resolution};
use crate::core::key::{self, Table};
use crate::core::log;
use crate::core::query;
use crate::core::refusal::{Refusal, StockRefusal};
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

/// Gives what is due at this desk's time.
fn tick(desk: &mut Desk<ModelStore>) {
    let due = query::due(&*desk.read(), desk.at, 8).expect("reads");
    for body in due {
        desk.must(Actor::System, body);
    }
}

#[test]
fn a_lost_kiosks_sale_is_suspended_and_two_people_settle_what_it_had_fed_i6() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    desk.later(KIOSK_LOST_S - 1);
    tick(&mut desk);
    assert_eq!(desk.state(sale), SaleState::Linked);
    // It was only slow: what it tells begins the time anew.
    let printed_one = vec![(number(0), FormEvent::Feeding), (number(0), printed())];
    desk.advise(sale, printed_one).expect("its turn");
    desk.later(KIOSK_LOST_S - 1);
    tick(&mut desk);
    assert_eq!(desk.state(sale), SaleState::Dispensing);
    assert_eq!(desk.view(sale).expires, None, "not the customer's deadline");
    let of_staff = |to| CommandBody::ResolveUnknown {
        second: id("custodian-b"),
        number: number(0),
        to,
        evidence: "lay in the outlet".to_owned(),
    };
    let running = desk.give(custodian(), of_staff(Resolution::Spoiled));
    assert_eq!(running, Err(Refusal::Stock(StockRefusal::NotUnknown)));
    desk.later(1);
    tick(&mut desk);
    assert_eq!(desk.state(sale), SaleState::Suspended);
    assert_eq!(query::next_due(&*desk.read()).expect("reads"), None);
    let released = FormState::Released;
    let states: Vec<_> = desk.view(sale).forms.iter().map(|f| f.state).collect();
    assert_eq!(states, [FormState::Printed, released, released]);
    // Nothing can be fed for it any more, and the kiosk may sell again.
    let feed = vec![(number(1), FormEvent::Feeding)];
    desk.advise(sale, feed).expect_err("was given back");
    desk.audit();
    desk.must(custodian(), of_staff(Resolution::Spoiled));
    let close = |second| CommandBody::CloseByStaff {
        second: id(second),
        sale,
    };
    let two = Err(Refusal::Stock(StockRefusal::TwoPeople));
    let nobody = Actor::Staff(id("custodian-z"));
    assert_eq!(desk.give(nobody, close("custodian-b")), two);
    for second in ["custodian-a", "officer-1", "custodian-z"] {
        assert_eq!(desk.give(custodian(), close(second)), two, "{second}");
    }
    let alone = super::bank::close(sale);
    assert_eq!(desk.give(custodian(), alone), Err(Refusal::NotYours));
    desk.must(custodian(), close("custodian-b"));
    let last = log::size(&*desk.read()).expect("reads") - 1;
    let leaf = desk.read().read(&key::numbered(Table::Leaf, last));
    let leaf = Leaf::decode(&leaf.expect("reads").expect("a leaf")).expect("decodes");
    let second = Field::Second("staff:custodian-b".to_owned());
    assert!(leaf.fields.contains(&second), "both are in evidence");
    let receipt = desk.view(sale).receipt.expect("closed");
    assert_eq!((receipt.fee.0, receipt.void), (0, vec![range(FIRST, 1)]));
    desk.audit();
    desk.linked(2, 2);
    desk.audit();
}

#[test]
fn a_linked_sale_of_which_nothing_was_fed_closes_without_a_fee_when_its_kiosk_is_lost() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    desk.later(KIOSK_LOST_S);
    tick(&mut desk);
    assert_eq!(desk.state(sale), SaleState::Closed);
    assert_eq!(desk.view(sale).receipt.expect("closed").fee.0, 0);
    let next = desk.linked(2, 1);
    let ranges = desk.view(next).linked.expect("linked").ranges;
    assert_eq!(ranges, [range(FIRST, 1)], "all are back at the head");
    desk.audit();
}
