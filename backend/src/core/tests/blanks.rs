//! Blanks in people's hands through all their states (domain K5, K8, K9, K11, K12; I1-I3).

use counterfoil_data::bill::{BillKind, BillRange};
use counterfoil_data::leaf::{Leaf, LeafKind};
use counterfoil_data::wire::custody::{Act, Holder, Mark};
use counterfoil_data::wire::forms::FormEvent;

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Outcome, Resolution};
use crate::core::custody;
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::query;
use crate::core::record::bank::AccountRow;
use crate::core::record::books::{Bar, Errand, Port, RegisterRow};
use crate::core::record::sale::SaleRow;
use crate::core::record::stock::{BlankState, Keeper, LotRow, Place};
use crate::core::refusal::{Refusal, StockRefusal};
use crate::core::register;
use crate::store::model::ModelStore;

const LOT: &str = "3130002100030001";

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

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

fn by(
    desk: &mut Desk<ModelStore>,
    first: &str,
    second: &str,
    act: Act,
) -> Result<Outcome, Refusal> {
    let second = id(second);
    let body = CommandBody::Custody { second, act };
    desk.give(Actor::Staff(id(first)), body)
}

fn custodians(desk: &mut Desk<ModelStore>, act: Act) -> Result<Outcome, Refusal> {
    by(desk, "custodian-a", "custodian-b", act)
}

fn place(desk: &Desk<ModelStore>, range: BillRange) -> Place {
    let found = custody::find(&*desk.read(), range.first()).expect("reads");
    found.expect("in the books").1
}

fn refused(refusal: StockRefusal) -> Result<Outcome, Refusal> {
    Err(Refusal::Stock(refusal))
}

fn received(range: BillRange, count: u32) -> Act {
    let branch = id("branch-1");
    Act::Receive {
        branch,
        range,
        count,
    }
}

fn lot(desk: &Desk<ModelStore>) -> (u64, u64) {
    let key = key::lot(range(LOT, 1).prefix());
    let row: LotRow = get(&*desk.read(), &key).expect("reads").expect("a lot");
    let at = BlankState::ALL
        .iter()
        .position(|s| *s == BlankState::Expected);
    (row.received, row.by_state[at.expect("a state")])
}

#[test]
fn announced_blanks_are_expected_and_count_as_received_only_when_they_come_i1() {
    let mut desk = desk();
    let (before, _) = lot(&desk);
    let whole = range(LOT, 100);
    let branch = || id("branch-1");
    let announce = Act::Announce {
        branch: branch(),
        range: whole,
    };
    assert_eq!(custodians(&mut desk, announce.clone()), Ok(Outcome::Done));
    assert_eq!(place(&desk, whole), Place::Expected(branch()));
    assert_eq!(lot(&desk), (before, 100));
    assert_eq!(
        custodians(&mut desk, announce),
        refused(StockRefusal::Overlap)
    );
    // Forty of them came; forty-one do not fit what was announced as one.
    let some = range(LOT, 40);
    assert_eq!(custodians(&mut desk, received(some, 40)), Ok(Outcome::Done));
    assert_eq!(place(&desk, some), Place::InVault(branch()));
    assert_eq!(lot(&desk), (before + 40, 60));
    let over = range("3130002100030040", 61);
    let beyond = range("3130002100030041", 61);
    for (range, count) in [(over, 61), (beyond, 61), (some, 40)] {
        let again = custodians(&mut desk, received(range, count));
        assert_eq!(again, refused(StockRefusal::Overlap), "{range}");
    }
    desk.audit();
}

#[test]
fn blanks_change_hands_only_when_the_addressee_has_checked_them_k9() {
    let mut desk = desk();
    let some = range(LOT, 50);
    custodians(&mut desk, received(some, 50)).expect("received");
    let dispatch = |count| Act::Dispatch {
        from: vault(),
        to: teller_box(),
        range: some,
        count,
    };
    let (by_numbers, counted) = (50, 49);
    let miscounted = StockRefusal::Count {
        by_numbers,
        counted,
    };
    assert_eq!(custodians(&mut desk, dispatch(49)), refused(miscounted));
    custodians(&mut desk, dispatch(50)).expect("handed over");
    let (from, to) = (Keeper::from(vault()), Keeper::from(teller_box()));
    let to = Place::InTransit { from, to };
    assert_eq!(place(&desk, some), to);
    desk.audit();
    let accept = |to| Act::Accept {
        to,
        range: some,
        count: 50,
    };
    // Not by others, and not by one side alone.
    let other = custodians(&mut desk, accept(vault()));
    assert_eq!(other, refused(StockRefusal::NotThere));
    let without = custodians(&mut desk, accept(teller_box()));
    assert_eq!(without, refused(StockRefusal::BoxPeople));
    by(&mut desk, "teller-1", "custodian-b", accept(teller_box())).expect("accepted");
    let in_box = Place::InTellerBox(id("branch-1"), id("teller-1"));
    assert_eq!(place(&desk, some), in_box);
    let keeper = Keeper::from(teller_box());
    let kept = custody::kept(&*desk.read(), &keeper, BillKind::TransferCheque);
    assert_eq!(kept.expect("reads"), 50);
    // From a box nothing is loaded: it goes back through the vault.
    let load = load("slot-1", some);
    assert_eq!(
        desk.give(custodian(), load),
        refused(StockRefusal::NotThere)
    );
    desk.audit();
}

#[test]
fn a_count_says_whether_the_books_agree_and_never_what_they_say() {
    let mut desk = desk();
    custodians(&mut desk, received(range(LOT, 50), 50)).expect("received");
    let keeper = Keeper::from(vault());
    let kind = BillKind::TransferCheque;
    let kept = custody::kept(&*desk.read(), &keeper, kind).expect("reads");
    let kept = u32::try_from(kept).expect("small");
    let count = |counted| Act::Count {
        at: vault(),
        kind,
        counted,
    };
    for (counted, agrees) in [(kept, true), (kept - 1, false), (kept + 1, false)] {
        let outcome = custodians(&mut desk, count(counted));
        assert_eq!(outcome, Ok(Outcome::Counted { agrees }));
    }
    let teller = by(&mut desk, "custodian-a", "teller-1", count(kept));
    assert_eq!(teller, refused(StockRefusal::TwoPeople));
    desk.audit();
}

#[test]
fn missing_blanks_leave_the_hand_and_come_back_to_the_vault() {
    let mut desk = desk();
    let some = range(LOT, 3);
    let (branch, seen) = (|| id("branch-1"), || "柜内没有".to_owned());
    custodians(&mut desk, received(some, 3)).expect("received");
    let range = some;
    let silent = Act::Miss {
        range,
        seen: " ".to_owned(),
    };
    assert!(custodians(&mut desk, silent).is_err(), "says what was seen");
    let miss = Act::Miss {
        range,
        seen: seen(),
    };
    custodians(&mut desk, miss.clone()).expect("missed");
    assert_eq!(place(&desk, some), Place::Missing(None));
    desk.audit();
    assert_eq!(
        custodians(&mut desk, miss),
        refused(StockRefusal::NotOnHand)
    );
    let find = Act::Find {
        branch: branch(),
        range,
        seen: seen(),
    };
    custodians(&mut desk, find.clone()).expect("found");
    assert_eq!(place(&desk, some), Place::InVault(branch()));
    assert_eq!(
        custodians(&mut desk, find),
        refused(StockRefusal::NotMissing)
    );
    desk.audit();
}

#[test]
fn a_blank_that_is_missed_in_a_slot_is_not_fed_from_it() {
    let mut desk = desk();
    let range = BillRange::single(number(1));
    let seen = "少一张".to_owned();
    custodians(&mut desk, Act::Miss { range, seen }).expect("missed");
    desk.audit();
    let sale = desk.linked(1, 2);
    let numbers: Vec<_> = desk.view(sale).forms.iter().map(|f| f.number).collect();
    assert_eq!(numbers, [number(0), number(2)]);
    desk.audit();
}

/// A sale of three: the first spoiled and replaced, the others taken.
fn sold(desk: &mut Desk<ModelStore>) -> counterfoil_data::ids::SaleId {
    let sale = desk.linked(1, 3);
    let spoil = vec![(number(0), FormEvent::Feeding), (number(0), failed())];
    desk.advise(sale, spoil).expect("accepted");
    desk.hand_over(sale, 1..4);
    desk.must(kiosk(), close(sale));
    sale
}

#[test]
fn a_spoiled_form_is_cut_and_then_destroyed_with_a_supervisor_k11() {
    let mut desk = desk();
    sold(&mut desk);
    let range = BillRange::single(number(0));
    let (void, destroy) = (Act::Void { range }, Act::Destroy { range });
    let whole = by(&mut desk, "supervisor-1", "custodian-a", destroy.clone());
    assert_eq!(whole, refused(StockRefusal::NotVoided));
    custodians(&mut desk, void.clone()).expect("cut");
    assert_eq!(place(&desk, range), Place::Voided);
    assert_eq!(
        custodians(&mut desk, void),
        refused(StockRefusal::NotSpoiled)
    );
    let alone = custodians(&mut desk, destroy.clone());
    assert_eq!(alone, refused(StockRefusal::Supervisor));
    by(&mut desk, "custodian-a", "supervisor-1", destroy).expect("destroyed");
    assert_eq!(place(&desk, range), Place::Destroyed);
    let range = BillRange::single(number(1));
    let sold = custodians(&mut desk, Act::Void { range });
    assert_eq!(sold, refused(StockRefusal::NotSpoiled));
    desk.audit();
}

fn unused(desk: &Desk<ModelStore>) -> u32 {
    let key = key::text(Table::Account, ACCOUNT_NUMBER);
    let row: Option<AccountRow> = get(&*desk.read(), &key).expect("reads");
    row.expect("an account").unused
}

fn bars(desk: &Desk<ModelStore>) -> Vec<(Bar, u32)> {
    let errands = query::errands(&*desk.read(), Port::Clearing, 0, 64);
    let (errands, _) = errands.expect("reads");
    let bar = |errand| match errand {
        Errand::TellBar { ranges, why, .. } => Some((why, ranges.iter().map(|r| r.count()).sum())),
        _ => None,
    };
    errands.into_iter().filter_map(|e| bar(e.errand)).collect()
}

#[test]
fn forms_given_back_are_void_no_longer_the_accounts_and_clearing_hears_k12() {
    let mut desk = desk();
    let sale = sold(&mut desk);
    let before = unused(&desk);
    let back = range("3130002100010002", 2);
    let seen = "客户交回".to_owned();
    let give = Act::Return { range: back, seen };
    by(&mut desk, "teller-1", "supervisor-1", give.clone()).expect("taken back");
    assert_eq!(place(&desk, back), Place::Voided);
    assert_eq!(unused(&desk), before - 2);
    assert_eq!(bars(&desk), [(Bar::Returned, 2)]);
    let row: SaleRow = get(&*desk.read(), &key::sale(sale))
        .expect("reads")
        .expect("a sale");
    let (key, _) = register::line(&row).expect("linked");
    let line: RegisterRow = get(&*desk.read(), &key).expect("reads").expect("a line");
    assert_eq!(
        (line.sold, line.returned),
        (vec![range("3130002100010004", 1)], vec![back])
    );
    let again = by(&mut desk, "teller-1", "supervisor-1", give);
    assert_eq!(again, refused(StockRefusal::NotSold));
    desk.audit();
}

#[test]
fn a_stopped_form_is_not_paid_and_a_paid_one_neither_stopped_nor_given_back() {
    let mut desk = desk();
    sold(&mut desk);
    let before = unused(&desk);
    let note = |n, mark| Act::Mark {
        range: BillRange::single(number(n)),
        mark,
    };
    by(&mut desk, "teller-1", "custodian-a", note(1, Mark::Stopped)).expect("noted");
    let paid = by(&mut desk, "teller-1", "custodian-a", note(1, Mark::Paid));
    assert_eq!(paid, refused(StockRefusal::Barred));
    assert_eq!(unused(&desk), before);
    by(&mut desk, "teller-1", "custodian-a", note(2, Mark::Paid)).expect("noted");
    assert_eq!(unused(&desk), before - 1, "a paid form is no longer unused");
    let stopped = by(&mut desk, "teller-1", "custodian-a", note(2, Mark::Stopped));
    assert_eq!(stopped, refused(StockRefusal::Paid));
    let twice = by(&mut desk, "teller-1", "custodian-a", note(2, Mark::Paid));
    assert_eq!(twice, refused(StockRefusal::Marked));
    let (range, seen) = (BillRange::single(number(2)), "交回".to_owned());
    let back = by(
        &mut desk,
        "teller-1",
        "custodian-a",
        Act::Return { range, seen },
    );
    assert_eq!(back, refused(StockRefusal::Paid));
    assert_eq!(bars(&desk), [(Bar::Stopped, 1)]);
    desk.audit();
}

#[test]
fn a_form_lost_in_a_sale_and_found_is_void_and_never_stock_again_i2() {
    let mut desk = desk();
    let sale = desk.linked(1, 1);
    let lost = vec![(number(0), FormEvent::Feeding), (number(0), no_outcome())];
    desk.advise(sale, lost).expect("accepted");
    desk.must(kiosk(), close(sale));
    let missing = CommandBody::ResolveUnknown {
        second: id("custodian-b"),
        number: number(0),
        to: Resolution::Missing,
        evidence: "not in the printer".to_owned(),
    };
    desk.must(custodian(), missing);
    let range = BillRange::single(number(0));
    let find = Act::Find {
        branch: id("branch-1"),
        range,
        seen: "在机器下面".to_owned(),
    };
    custodians(&mut desk, find).expect("found");
    assert_eq!(place(&desk, range), Place::Retracted(sale));
    desk.audit();
    custodians(&mut desk, Act::Void { range }).expect("cut");
    desk.audit();
}

#[test]
fn every_act_is_evidence_under_its_numbers_i8() {
    let mut desk = desk();
    let some = range(LOT, 5);
    let branch = id("branch-1");
    custodians(
        &mut desk,
        Act::Announce {
            branch,
            range: some,
        },
    )
    .expect("announced");
    custodians(&mut desk, received(some, 5)).expect("received");
    let (range, seen) = (some, "没有".to_owned());
    custodians(&mut desk, Act::Miss { range, seen }).expect("missed");
    let read = desk.read();
    let told = crate::evidence::timeline(&*read, some.first()).expect("reads");
    let kinds: Vec<_> = told
        .iter()
        .map(|(_, leaf): &(u64, Leaf)| leaf.kind)
        .collect();
    let expected = [
        LeafKind::BlanksAnnounced,
        LeafKind::BlanksReceived,
        LeafKind::BlanksMissing,
    ];
    assert_eq!(kinds, expected);
    let (last, _) = told.last().expect("some");
    let words = crate::evidence::words(&*read, *last).expect("reads");
    assert_eq!(words.as_deref(), Some("没有"));
}
