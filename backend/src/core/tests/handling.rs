//! Which blanks an act may be about, and whom it takes (K8, K9; I9).

use counterfoil_data::bill::BillRange;
use counterfoil_data::wire::custody::{Act, Holder};

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Outcome};
use crate::core::custody;
use crate::core::record::stock::Place;
use crate::core::refusal::{Missing, Refusal, StockRefusal};
use crate::store::model::ModelStore;

const LOT: &str = "3130002100030001";

fn vault() -> Holder {
    let branch = id("branch-1");
    Holder::Vault { branch }
}

fn teller_box() -> Holder {
    Holder::TellerBox {
        branch: id("branch-1"),
        teller: id("teller-1"),
    }
}

fn custodians(desk: &mut Desk<ModelStore>, act: Act) -> Result<Outcome, Refusal> {
    let second = id("custodian-b");
    desk.give(custodian(), CommandBody::Custody { second, act })
}

/// A bank with so many blanks of another lot in its vault.
fn desk(count: u32) -> Desk<ModelStore> {
    let mut desk = Desk::open(ModelStore::new());
    desk.must(custodian(), receive(range(LOT, count)));
    desk
}

fn place(desk: &Desk<ModelStore>, range: BillRange) -> Option<Place> {
    let found = custody::find(&*desk.read(), range.first()).expect("reads");
    found.map(|(_, place)| place)
}

fn refused(refusal: StockRefusal) -> Result<Outcome, Refusal> {
    Err(Refusal::Stock(refusal))
}

fn dispatch(range: BillRange) -> Act {
    Act::Dispatch {
        from: vault(),
        to: teller_box(),
        range,
        count: range.count(),
    }
}

fn miss(range: BillRange) -> Act {
    let seen = "柜内没有".to_owned();
    Act::Miss { range, seen }
}

#[test]
fn an_act_is_about_numbers_that_lie_together_all_of_them() {
    let mut desk = desk(50);
    // Fifty lie there, the ten after them were never seen.
    let over = custodians(&mut desk, dispatch(range(LOT, 60)));
    assert_eq!(over, refused(StockRefusal::NotThere));
    let beyond = range("3130002100030051", 10);
    let what = Missing::Form;
    let unknown = custodians(&mut desk, dispatch(beyond));
    assert_eq!(unknown, Err(Refusal::NotFound { what }));
    // Twenty went to a box: the thirty left and they are not one act any more.
    custodians(&mut desk, dispatch(range(LOT, 20))).expect("handed over");
    let apart = custodians(&mut desk, miss(range(LOT, 50)));
    assert_eq!(apart, refused(StockRefusal::NotThere));
    desk.audit();
}

#[test]
fn blanks_that_are_lost_on_their_way_are_missed_by_the_branch_that_waits_for_them() {
    let mut desk = desk(50);
    let whole = range(LOT, 50);
    custodians(&mut desk, dispatch(whole)).expect("handed over");
    custodians(&mut desk, miss(whole)).expect("missed");
    assert_eq!(place(&desk, whole), Some(Place::Missing(None)));
    desk.audit();
}

#[test]
fn one_act_finds_takes_back_or_cuts_a_thousand_forms_at_most() {
    let mut desk = desk(1_001);
    let whole = range(LOT, 1_001);
    custodians(&mut desk, miss(whole)).expect("missed");
    let find = |range| Act::Find {
        branch: id("branch-1"),
        range,
        seen: "在另一柜".to_owned(),
    };
    let too_many = || refused(StockRefusal::TooMany);
    assert_eq!(custodians(&mut desk, find(whole)), too_many());
    let seen = "未用".to_owned();
    let range = whole;
    let back = Act::Return { range, seen };
    assert_eq!(custodians(&mut desk, back), too_many());
    assert_eq!(custodians(&mut desk, Act::Void { range }), too_many());
    let most = super::bank::range(LOT, 1_000);
    custodians(&mut desk, find(most)).expect("found");
    let vault = Place::InVault(id("branch-1"));
    assert_eq!(place(&desk, most), Some(vault));
    desk.audit();
}

#[test]
fn a_custodian_proposes_what_is_about_a_box_and_only_its_teller_makes_it_two() {
    let mut desk = desk(50);
    let whole = range(LOT, 50);
    custodians(&mut desk, dispatch(whole)).expect("handed over");
    let act = Act::Accept {
        to: teller_box(),
        range: whole,
        count: 50,
    };
    let digest = act.digest();
    let body = CommandBody::ProposeCustody { act: act.clone() };
    let outcome = desk.must(custodian(), body);
    let Outcome::Proposed { proposal } = outcome else {
        panic!("proposed: {outcome:?}");
    };
    let count = Some(50);
    let approve = CommandBody::ApproveCustody {
        proposal,
        digest,
        count,
    };
    let other = desk.give(Actor::Staff(id("custodian-b")), approve.clone());
    assert_eq!(other, refused(StockRefusal::BoxPeople));
    desk.must(Actor::Staff(id("teller-1")), approve);
    let in_box = Place::InTellerBox(id("branch-1"), id("teller-1"));
    assert_eq!(place(&desk, whole), Some(in_box));
    // A supervisor keeps no box and cannot even propose it.
    let back = Act::Dispatch {
        from: teller_box(),
        to: vault(),
        range: whole,
        count: 50,
    };
    let body = CommandBody::ProposeCustody { act: back };
    let supervisor = desk.give(Actor::Staff(id("supervisor-1")), body);
    assert_eq!(supervisor, refused(StockRefusal::TwoPeople));
    desk.audit();
}

#[test]
fn a_teller_proposes_and_approves_for_the_own_box_and_for_what_customers_bring_only() {
    let mut desk = desk(50);
    let teller = || Actor::Staff(id("teller-1"));
    let kind = counterfoil_data::bill::BillKind::TransferCheque;
    let count = |at| Act::Count {
        at,
        kind,
        counted: 0,
    };
    let propose = |desk: &mut Desk<ModelStore>, act: &Act| {
        let act = act.clone();
        desk.give(teller(), CommandBody::ProposeCustody { act })
    };
    assert!(propose(&mut desk, &count(teller_box())).is_ok());
    let other = Holder::TellerBox {
        branch: id("branch-1"),
        teller: id("teller-2"),
    };
    let whole = range(LOT, 50);
    for act in [count(vault()), count(other), dispatch(whole), miss(whole)] {
        let refused = propose(&mut desk, &act);
        assert_eq!(refused, Err(Refusal::NotYours), "{act:?}");
    }
    // What was sold comes back over the teller's desk.
    let sale = desk.linked(1, 1);
    desk.hand_over(sale, 0..1);
    desk.must(kiosk(), close(sale));
    let (range, seen) = (range(FIRST, 1), "未用".to_owned());
    let back = Act::Return { range, seen };
    let Ok(Outcome::Proposed { proposal }) = propose(&mut desk, &back) else {
        panic!("a teller may propose it");
    };
    let approve = |proposal, act: &Act| CommandBody::ApproveCustody {
        proposal,
        digest: act.digest(),
        count: act.count(),
    };
    desk.must(custodian(), approve(proposal, &back));
    assert_eq!(place(&desk, range), Some(Place::Voided));
    // And of another's proposals a teller decides none that is not about that either.
    let act = miss(whole);
    let outcome = desk.must(
        custodian(),
        CommandBody::ProposeCustody { act: act.clone() },
    );
    let Outcome::Proposed { proposal } = outcome else {
        panic!("proposed: {outcome:?}");
    };
    let digest = act.digest();
    let not_yours = Err(Refusal::NotYours);
    assert_eq!(desk.give(teller(), approve(proposal, &act)), not_yours);
    let refuse = CommandBody::RefuseCustody { proposal, digest };
    assert_eq!(desk.give(teller(), refuse), not_yours);
    desk.audit();
}
