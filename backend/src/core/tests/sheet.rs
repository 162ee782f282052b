//! The payment-password sheet (支付密码单, L7): made with the numbers, given once, and
//! cancelled wherever its form or its paper is not in the customer's hand.

use counterfoil_data::ids::SaleId;
use counterfoil_data::leaf::{Field, LeafKind};
use counterfoil_data::sealed::SealKey;
use counterfoil_data::wire::forms::FormEvent;
use counterfoil_data::wire::sale::{AbandonReason, SaleState};
use counterfoil_data::wire::sheet::{SheetOutcome, SheetReason, SheetState, SheetView};

use super::bank::*;
use crate::core::audit::{AuditFailure, audit};
use crate::core::command::{CommandBody, Outcome, Resolution};
use crate::core::key::{self, Table};
use crate::core::overlay::{Overlay, get};
use crate::core::record::sheet::{PASSWORD_ENVELOPE_MAX, PasswordRow, SheetRow, SheetStage};
use crate::core::refusal::{Malformed, Missing, Refusal};
use crate::core::{log, query};
use crate::store::From;
use crate::store::model::ModelStore;

const KEY: SealKey = SealKey([5; 32]);

fn desk() -> Desk<ModelStore> {
    Desk::with_sheet(ModelStore::new())
}

fn take(sale: SaleId) -> CommandBody {
    CommandBody::TakeSheet { sale, key: KEY }
}

fn closed(sale: SaleId, said: SheetOutcome) -> CommandBody {
    let sheet = Some(said);
    CommandBody::Close { sale, sheet }
}

fn sheet(desk: &Desk<ModelStore>, sale: SaleId) -> SheetView {
    desk.view(sale).sheet.expect("a sheet")
}

/// The forms whose password holds, as offsets from the first number.
fn live(desk: &Desk<ModelStore>) -> Vec<u32> {
    let (low, high) = (key::low(Table::Password), key::high(Table::Password));
    let rows = desk.read().range(&low, &high, From::First, 1_000);
    let row = |bytes: &Vec<u8>| -> PasswordRow { crate::core::record::decode(bytes).expect("row") };
    let first = number(0).serial.value();
    let rows = rows.expect("reads");
    let rows = rows.iter().map(|(_, bytes)| row(bytes));
    rows.map(|r| r.number.serial.value() - first).collect()
}

fn kinds(desk: &Desk<ModelStore>) -> Vec<LeafKind> {
    let size = log::size(&*desk.read()).expect("reads");
    let leaves = (0..size).map(|index| desk.leaf(index));
    let about = |k: &LeafKind| k.word().starts_with("sheet-");
    leaves.map(|leaf| leaf.kind).filter(about).collect()
}

#[test]
fn linking_makes_one_password_a_form_in_its_own_commit() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    assert_eq!(live(&desk), [0, 1, 2]);
    let view = sheet(&desk, sale);
    assert_eq!((view.state, view.forms), (SheetState::Made, 3));
    let last = log::size(&*desk.read()).expect("reads") - 1;
    let leaf = desk.leaf(last);
    assert_eq!(leaf.kind, LeafKind::SheetMade);
    assert!(leaf.fields.contains(&Field::Count(3)));
    assert!(leaf.concerns(number(2)) && !leaf.concerns(number(3)));
    desk.audit();
}

#[test]
fn an_account_without_the_arrangement_has_no_sheet_and_cannot_ask_for_one() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.linked(1, 1);
    assert_eq!(desk.view(sale).sheet, None);
    desk.hand_over(sale, 0..1);
    let what = Missing::Sheet;
    let refused = desk.give(kiosk(), take(sale));
    assert_eq!(refused, Err(Refusal::NotFound { what }));
    desk.must(kiosk(), close(sale));
    assert_eq!(desk.view(sale).receipt.expect("a receipt").sheet, None);
    assert!(kinds(&desk).is_empty());
}

#[test]
fn numbers_nobody_drew_a_password_for_are_not_sold_on_a_sheet_account() {
    let mut desk = desk();
    let sale = desk.confirmed(1, 2);
    let state = SaleState::Confirmed;
    let undrawn = desk.give(kiosk(), link(sale));
    assert_eq!(undrawn, Err(Refusal::Undrawn));
    assert_eq!(desk.state(sale), state, "nothing was done");
    let passwords = desk.drawn(sale, 0);
    desk.must(kiosk(), CommandBody::Link { sale, passwords });
}

#[test]
fn a_password_that_was_drawn_empty_or_too_long_is_not_kept() {
    let mut desk = desk();
    let sale = desk.confirmed(1, 2);
    let most = PASSWORD_ENVELOPE_MAX;
    let of = |desk: &Desk<ModelStore>, bytes: usize| {
        let mut passwords = desk.drawn(sale, 0);
        passwords[1].envelope = vec![9; bytes];
        CommandBody::Link { sale, passwords }
    };
    for bytes in [0, most + 1] {
        let link = of(&desk, bytes);
        let refused = desk.give(kiosk(), link);
        assert_eq!(refused, Err(Refusal::Malformed(Malformed::Limit)));
        assert_eq!(desk.state(sale), SaleState::Confirmed, "nothing was done");
    }
    let link = of(&desk, most);
    desk.must(kiosk(), link);
}

#[test]
fn a_sheet_is_given_once_when_nothing_is_on_its_way_and_no_form_follows_it() {
    let mut desk = desk();
    let sale = desk.linked(1, 3);
    let what = Missing::Sheet;
    let none_sold = desk.give(kiosk(), take(sale));
    assert_eq!(none_sold, Err(Refusal::NotFound { what }));
    desk.advise(sale, vec![(number(0), FormEvent::Feeding)])
        .expect("is fed");
    let state = SaleState::Dispensing;
    let open = 1;
    let refused = desk.give(kiosk(), take(sale));
    assert_eq!(refused, Err(Refusal::FormsOpen { open, state }));
    let rest = [printed(), FormEvent::Presented, FormEvent::Taken];
    let rest = rest.into_iter().map(|event| (number(0), event));
    desk.advise(sale, rest.collect()).expect("is taken");
    assert_eq!(
        desk.give(other_kiosk(), take(sale)),
        Err(Refusal::NotYours),
        "another kiosk"
    );
    assert_eq!(desk.must(kiosk(), take(sale)), Outcome::Done);
    let before = log::size(&*desk.read()).expect("reads");
    assert_eq!(desk.must(kiosk(), take(sale)), Outcome::Done, "a repeat");
    assert_eq!(log::size(&*desk.read()).expect("reads"), before);
    let key = SealKey([6; 32]);
    let given = Err(Refusal::SheetGiven { state });
    let other = desk.give(kiosk(), CommandBody::TakeSheet { sale, key });
    assert_eq!(other, given, "another key");
    let fed = desk.advise(sale, vec![(number(1), FormEvent::Feeding)]);
    assert_eq!(fed, given, "a form that would not be on it");
    let sold = query::passwords_of_sold(&*desk.read(), sale).expect("reads");
    assert_eq!(sold.len(), 1);
    assert_eq!(sold[0].number, number(0));
    desk.audit();
}

#[test]
fn a_printed_sheet_holds_for_what_was_sold_and_is_readable_no_more() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    let spoil = vec![(number(0), FormEvent::Feeding), (number(0), failed())];
    desk.advise(sale, spoil).expect("is spoiled");
    assert_eq!(live(&desk), [1, 2], "the spoiled form's is cancelled");
    desk.hand_over(sale, 1..3);
    desk.must(kiosk(), take(sale));
    desk.must(kiosk(), closed(sale, SheetOutcome::Printed));
    assert_eq!(live(&desk), [1, 2]);
    let receipt = desk.view(sale).receipt.expect("a receipt");
    let view = receipt.sheet.expect("a sheet");
    assert_eq!((view.state, view.forms), (SheetState::Printed, 2));
    let row: Option<PasswordRow> = get(&*desk.read(), &key::password(number(1))).expect("reads");
    let row = row.expect("a password");
    assert!(row.envelope.is_empty(), "only checked from now on");
    assert_ne!(row.check.0, [0; 32]);
    use LeafKind::{SheetMade, SheetPrinted, SheetTaken};
    assert_eq!(
        kinds(&desk),
        [SheetMade, SheetMade, SheetTaken, SheetPrinted]
    );
    desk.audit();
}

#[test]
fn what_was_not_printed_or_nobody_knows_is_cancelled_with_its_reason() {
    use SheetOutcome::{NotPrinted, Printed, Unknown};
    for (taken, said, expected) in [
        (false, None, SheetReason::NotPrinted),
        (false, Some(NotPrinted), SheetReason::NotPrinted),
        (true, Some(NotPrinted), SheetReason::NotPrinted),
        (true, Some(Unknown), SheetReason::Unknown),
        (true, None, SheetReason::Unknown),
    ] {
        let mut desk = desk();
        let sale = desk.linked(1, 2);
        desk.hand_over(sale, 0..2);
        if taken {
            desk.must(kiosk(), take(sale));
        } else {
            let lie = desk.give(kiosk(), closed(sale, Printed));
            let state = SaleState::Dispensing;
            assert_eq!(lie, Err(Refusal::OutOfOrder { state }), "never given");
        }
        let sheet = said;
        desk.must(kiosk(), CommandBody::Close { sale, sheet });
        assert!(live(&desk).is_empty());
        let view = desk.view(sale).receipt.expect("a receipt").sheet;
        let view = view.expect("a sheet");
        assert_eq!(view.state, SheetState::Cancelled);
        assert_eq!((view.reason, view.forms), (Some(expected), 0));
        let last = log::size(&*desk.read()).expect("reads") - 2;
        let reason = Field::Reason(expected.word().to_owned());
        assert!(desk.leaf(last).fields.contains(&reason));
        desk.audit();
    }
}

#[test]
fn a_lost_kiosk_and_a_broken_off_sale_take_their_sheet_with_them() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    let reason = AbandonReason::PrinterFault;
    desk.must(kiosk(), abandon(sale, reason));
    let view = desk.view(sale).sheet.expect("a sheet");
    assert_eq!(view.reason, Some(SheetReason::NothingSold));
    let sale = desk.linked(2, 2);
    assert_eq!(live(&desk), [0, 1], "the same numbers, drawn anew");
    desk.hand_over(sale, 0..1);
    desk.must(kiosk(), take(sale));
    desk.must(kiosk(), {
        let sheet = Some(SheetOutcome::Printed);
        CommandBody::Abandon {
            sale,
            reason,
            sheet,
        }
    });
    assert_eq!(live(&desk), [0], "the released form's is cancelled");
    let sale = desk.linked(3, 1);
    desk.advise(sale, vec![(number(1), FormEvent::Feeding)])
        .expect("is fed");
    desk.must(kiosk(), abandon(sale, reason));
    assert_eq!(desk.state(sale), SaleState::Suspended);
    assert_eq!(live(&desk), [0]);
    desk.audit();
}

#[test]
fn what_two_people_settle_later_has_no_password_and_what_comes_back_loses_it() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    let lost = vec![(number(0), FormEvent::Feeding), (number(0), no_outcome())];
    desk.advise(sale, lost).expect("is unknown");
    desk.hand_over(sale, 1..2);
    desk.must(kiosk(), take(sale));
    desk.must(kiosk(), closed(sale, SheetOutcome::Printed));
    assert_eq!(live(&desk), [1]);
    let resolve = CommandBody::ResolveUnknown {
        second: id("custodian-b"),
        number: number(0),
        to: Resolution::Sold,
        evidence: "the customer has it".to_owned(),
    };
    desk.must(custodian(), resolve);
    assert_eq!(live(&desk), [1]);
    let act = counterfoil_data::wire::custody::Act::Return {
        range: range(FIRST, 2),
        seen: "unused".to_owned(),
    };
    let second = id("custodian-b");
    desk.must(custodian(), CommandBody::Custody { second, act });
    assert!(live(&desk).is_empty());
    assert_eq!(sheet(&desk, sale).forms, 0);
    desk.audit();
}

#[test]
fn a_sheet_whose_forms_all_came_back_was_printed_for_nobody() {
    let mut desk = desk();
    let sale = desk.linked(1, 1);
    desk.hand_over(sale, 0..1);
    desk.must(kiosk(), take(sale));
    let act = counterfoil_data::wire::custody::Act::Return {
        range: range(FIRST, 1),
        seen: "unused".to_owned(),
    };
    let second = id("custodian-b");
    desk.must(custodian(), CommandBody::Custody { second, act });
    desk.must(kiosk(), closed(sale, SheetOutcome::Printed));
    let view = sheet(&desk, sale);
    assert_eq!(view.state, SheetState::Cancelled);
    assert_eq!((view.reason, view.forms), (Some(SheetReason::Unknown), 0));
    desk.audit();
}

/// Changes the books behind the core's back.
fn bent(desk: &Desk<ModelStore>, bend: impl FnOnce(&mut Overlay<'_>)) -> Result<(), AuditFailure> {
    let read = desk.read();
    let mut books = Overlay::new(&*read);
    bend(&mut books);
    audit(&books).map(drop)
}

#[test]
fn the_audit_names_a_sheet_or_a_password_that_is_not_as_the_sale_says() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    desk.hand_over(sale, 0..2);
    desk.must(kiosk(), take(sale));
    desk.must(kiosk(), closed(sale, SheetOutcome::Printed));
    let is_sheet = |r| matches!(r, Err(AuditFailure::Sheet { sale: of }) if of == sale);
    let is_password = |r, n| matches!(r, Err(AuditFailure::Password { number }) if number == n);
    let none = bent(&desk, |books| books.remove(key::sheet(sale)));
    assert!(is_sheet(none), "no sheet");
    let missing = bent(&desk, |books| books.remove(key::password(number(0))));
    assert!(is_password(missing, number(0)), "no password");
    let row: Option<PasswordRow> = get(&*desk.read(), &key::password(number(0))).expect("reads");
    let row = row.expect("a password");
    let readable = bent(&desk, |books| {
        let mut row = row.clone();
        row.envelope = vec![1];
        books.put(key::password(row.number), &row).expect("puts");
    });
    assert!(is_password(readable, number(0)), "still readable");
    let stray = bent(&desk, |books| {
        let mut row = row.clone();
        row.number = number(7);
        books.put(key::password(row.number), &row).expect("puts");
    });
    assert!(is_password(stray, number(7)), "of no sale");
    let held: Option<SheetRow> = get(&*desk.read(), &key::sheet(sale)).expect("reads");
    let held = held.expect("a sheet");
    let unsettled = bent(&desk, |books| {
        let stage = SheetStage::Made;
        let row = SheetRow {
            stage,
            ..held.clone()
        };
        books.put(key::sheet(sale), &row).expect("puts");
    });
    assert!(is_sheet(unsettled), "the sale is over, its sheet is not");
    let second = bent(&desk, |books| {
        let sale = SaleId(77);
        let row = SheetRow {
            sale,
            ..held.clone()
        };
        books.put(key::sheet(sale), &row).expect("puts");
    });
    assert!(
        matches!(second, Err(AuditFailure::Sheet { .. })),
        "of no sale"
    );
    desk.audit();
}
