//! The register and the positive-issue feed (L5, L10-L12): which numbers an account
//! really got, whatever it was assigned (I2).

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::forms::FormEvent;
use counterfoil_data::wire::sale::{AbandonReason, SaleState};

use super::bank::*;
use crate::core::audit::{AuditFailure, audit};
use crate::core::command::{CommandBody, Resolution};
use crate::core::key::{self, Table};
use crate::core::overlay::{Overlay, get};
use crate::core::query;
use crate::core::record::bank::AccountRow;
use crate::core::record::books::{Errand, Port, RegisterRow};
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

fn line(desk: &Desk<ModelStore>, sale: SaleId) -> RegisterRow {
    let linked = desk.view(sale).linked.expect("linked");
    let key = key::pair(Table::Register, ACCOUNT_NUMBER, &linked.requisition);
    get(&*desk.read(), &key).expect("reads").expect("a line")
}

/// What clearing was told, in order.
fn issued(desk: &Desk<ModelStore>) -> Vec<(SaleId, Vec<BillRange>)> {
    let errands = query::errands(&*desk.read(), Port::Clearing, 0, 100);
    let (errands, _) = errands.expect("reads");
    let issue = |e: query::PendingErrand| match e.errand {
        Errand::TellIssue { ranges, .. } => Some((e.sale, ranges)),
        _ => None,
    };
    errands.into_iter().filter_map(issue).collect()
}

fn from(offset: u32, count: u32) -> BillRange {
    BillRange::from_count(number(offset), count).expect("a range")
}

fn unused(desk: &Desk<ModelStore>) -> u32 {
    let key = key::text(Table::Account, ACCOUNT_NUMBER);
    let row: Option<AccountRow> = get(&*desk.read(), &key).expect("reads");
    row.expect("an account").unused
}

fn abandon(desk: &mut Desk<ModelStore>, sale: SaleId) {
    let reason = AbandonReason::PrinterFault;
    desk.must(kiosk(), super::bank::abandon(sale, reason));
}

fn resolve(desk: &mut Desk<ModelStore>, number: BillNumber, to: Resolution) {
    let body = CommandBody::ResolveUnknown {
        second: id("custodian-b"),
        number,
        to,
        evidence: "looked at".to_owned(),
    };
    desk.must(custodian(), body);
}

#[test]
fn numbers_given_back_leave_the_register_and_the_next_buyer_alone_has_them_i2() {
    let mut desk = desk();
    let first = desk.linked(1, 25);
    assert_eq!(line(&desk, first).open, [from(0, 25)]);
    assert_eq!(issued(&desk), []);
    desk.hand_over(first, 0..5);
    abandon(&mut desk, first);
    let of_first = line(&desk, first);
    assert_eq!((of_first.open, of_first.sold), (vec![], vec![from(0, 5)]));
    assert_eq!(of_first.fee.0, 300, "what is left of it");
    assert_eq!(unused(&desk), 15);
    let second = desk.linked(2, 20);
    desk.hand_over(second, 5..25);
    desk.must(kiosk(), close(second));
    assert_eq!(line(&desk, second).sold, [from(5, 20)]);
    assert_eq!(
        issued(&desk),
        [(first, vec![from(0, 5)]), (second, vec![from(5, 20)])]
    );
    desk.audit();
}

#[test]
fn a_supplement_is_registered_and_the_form_it_stands_for_is_void() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    let spoil = vec![(number(0), FormEvent::Feeding), (number(0), failed())];
    desk.advise(sale, spoil).expect("accepted");
    desk.hand_over(sale, 1..3);
    desk.must(kiosk(), close(sale));
    let line = line(&desk, sale);
    assert_eq!((line.sold, line.void), (vec![from(1, 2)], vec![from(0, 1)]));
    assert_eq!(issued(&desk), [(sale, vec![from(1, 2)])]);
    assert_eq!(unused(&desk), 12);
    desk.audit();
}

#[test]
fn a_form_taken_or_resolved_after_the_sale_was_over_is_told_once_and_at_once() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    desk.hand_over(sale, 0..1);
    let lost = [FormEvent::Feeding, printed(), FormEvent::Presented];
    let lost = lost.into_iter().map(|e| (number(1), e)).collect();
    desk.advise(sale, lost).expect("accepted");
    desk.advise(sale, vec![(number(2), FormEvent::Feeding)])
        .expect("accepted");
    abandon(&mut desk, sale);
    assert_eq!(desk.state(sale), SaleState::Suspended);
    assert_eq!(issued(&desk), [(sale, vec![from(0, 1)])]);
    let late = vec![(number(1), FormEvent::Taken), (number(2), no_outcome())];
    desk.advise(sale, late).expect("accepted late");
    desk.must(kiosk(), close(sale));
    assert_eq!(line(&desk, sale).open, [from(2, 1)], "nobody knows");
    resolve(&mut desk, number(2), Resolution::Sold);
    let told: Vec<_> = (0..3).map(|n| (sale, vec![from(n, 1)])).collect();
    assert_eq!(issued(&desk), told);
    assert_eq!(line(&desk, sale).sold, [from(0, 3)]);
    desk.audit();
}

#[test]
fn a_form_nobody_finds_is_void_and_no_longer_counts_as_unused() {
    let mut desk = desk();
    let sale = desk.linked(1, 1);
    let lost = vec![(number(0), FormEvent::Feeding), (number(0), no_outcome())];
    desk.advise(sale, lost).expect("accepted");
    desk.must(kiosk(), close(sale));
    assert_eq!(unused(&desk), 11, "it may be theirs");
    resolve(&mut desk, number(0), Resolution::Missing);
    assert_eq!(line(&desk, sale).void, [from(0, 1)]);
    assert_eq!((unused(&desk), issued(&desk)), (10, vec![]));
    desk.audit();
}

#[test]
fn the_audit_names_a_bent_line_count_or_day_and_a_leaf_that_is_not_filed() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    desk.hand_over(sale, 0..2);
    desk.must(kiosk(), close(sale));
    let base = desk.read();
    let requisition = desk.view(sale).linked.expect("linked").requisition;
    let at = key::pair(Table::Register, ACCOUNT_NUMBER, &requisition);
    let mut books = Overlay::new(&*base);
    let mut bent = line(&desk, sale);
    bent.sold = vec![from(0, 3)];
    books.put(at, &bent).expect("writes");
    let failure = audit(&books).expect_err("is noticed");
    assert!(matches!(failure, AuditFailure::Index { .. }), "{failure}");

    let at = key::text(Table::Account, ACCOUNT_NUMBER);
    let mut books = Overlay::new(&*base);
    let mut bent: AccountRow = get(&*base, &at).expect("reads").expect("an account");
    bent.unused += 1;
    books.put(at, &bent).expect("writes");
    let failure = audit(&books).expect_err("is noticed");
    assert!(matches!(failure, AuditFailure::Counter { .. }), "{failure}");

    let day = jiff::civil::date(2026, 11, 22);
    let agent = key::agent_day(&id("agent-1"), day);
    for counter in [agent, key::account_day(ACCOUNT_NUMBER, day)] {
        let mut books = Overlay::new(&*base);
        books.remove(counter);
        let failure = audit(&books).expect_err("is noticed");
        assert!(matches!(failure, AuditFailure::Counter { .. }), "{failure}");
    }

    let mut books = Overlay::new(&*base);
    let form = number(0);
    let serial = form.serial.value();
    let steps = crate::evidence::timeline(&*base, form).expect("reads");
    let index = steps.last().expect("a history").0;
    books.remove(key::number_leaf(form.prefix, 0, serial, index));
    let failure = audit(&books).expect_err("is noticed");
    assert!(matches!(failure, AuditFailure::Unfiled { .. }), "{failure}");
}

#[test]
fn the_register_of_a_day_says_who_received_which_numbers_with_evidence() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    desk.hand_over(sale, 0..2);
    desk.advise(sale, vec![(number(2), FormEvent::Feeding)])
        .expect("is accepted");
    let open = query::register::of_day(&*desk.read(), jiff::civil::date(2026, 11, 22));
    let open = open.expect("reads");
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].row.sold.clone(), open[0].closed),
        (vec![from(0, 2)], None)
    );
    let rest = [printed(), FormEvent::Presented, FormEvent::Taken];
    let rest = rest.into_iter().map(|event| (number(2), event)).collect();
    desk.advise(sale, rest).expect("is accepted");
    desk.must(kiosk(), close(sale));
    let day = query::register::of_day(&*desk.read(), jiff::civil::date(2026, 11, 22));
    let [entry] = &day.expect("reads")[..] else {
        panic!("one purchase");
    };
    assert_eq!(entry.requisition, "branch-1-20261122-00001");
    assert_eq!(entry.account, "***************0001");
    assert_eq!(entry.agent, "张**");
    assert_eq!(entry.row.sold, [from(0, 3)]);
    assert_eq!(entry.row.officer, Some(id("officer-1")));
    let kind = |leaf| desk.leaf(leaf).kind;
    use counterfoil_data::leaf::LeafKind;
    assert_eq!(kind(entry.linked.leaf), LeafKind::Linked);
    let closed = entry.closed.expect("closed");
    assert_eq!(
        (kind(closed.leaf), closed.at),
        (LeafKind::SaleClosed, desk.at)
    );
    let other = query::register::of_day(&*desk.read(), jiff::civil::date(2026, 11, 23));
    assert_eq!(other.expect("reads"), []);
}
