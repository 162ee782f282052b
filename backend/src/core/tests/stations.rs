//! What stations and kiosks are told, and what stays on a station when a sale is over.

use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::ConfirmState;
use counterfoil_data::wire::forms::FormEvent;
use counterfoil_data::wire::sale::{AbandonReason, SaleState};

use super::bank::*;
use crate::core::apply::KIOSK_LOST_S;
use crate::core::command::CommandBody;
use crate::core::query::{self, Audience};
use crate::core::record::bank::ConfirmPolicy;
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

/// A bank whose orders no officer has to confirm.
fn unconfirmed() -> Desk<ModelStore> {
    let mut bodies = enrolment();
    for body in &mut bodies {
        if let CommandBody::EnrolPolicy(policy) = body {
            policy.confirm = ConfirmPolicy::Never;
        }
    }
    Desk::stocked(ModelStore::new(), bodies)
}

/// States that notices to this audience named, errands left out.
fn told(desk: &Desk<ModelStore>, audience: &Audience) -> Vec<SaleState> {
    let (rows, _) = query::notices(&*desk.read(), audience, 0, 256).expect("reads");
    let rows = rows.into_iter().map(|(_, row)| row);
    rows.filter(|r| r.errand.is_none())
        .map(|r| r.state)
        .collect()
}

fn shown(desk: &Desk<ModelStore>) -> Vec<(SaleId, ConfirmState, SaleState)> {
    let shown = query::confirmations(&*desk.read(), &id("branch-1"), desk.at);
    let shown = shown.expect("reads").into_iter();
    shown.map(|v| (v.sale, v.state, v.sale_state)).collect()
}

#[test]
fn every_step_of_a_sale_is_told_once_and_to_stations_from_the_identity_on_s19() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    desk.hand_over(sale, 0..2);
    desk.must(kiosk(), close(sale));
    use SaleState::{
        AwaitConfirm, Closed, Confirmed, Dispensing, IdentityVerified, InfoVerified, Linked,
        Opened, Ordered,
    };
    // Waiting is told twice: the order, and that the officer has seen it (S20).
    let at_station = [
        IdentityVerified,
        Ordered,
        AwaitConfirm,
        AwaitConfirm,
        Confirmed,
        Linked,
        Dispensing,
        Closed,
    ];
    let station = Audience::Station(id("branch-1"));
    assert_eq!(told(&desk, &station), at_station);
    let mut at_kiosk = vec![Opened, InfoVerified];
    at_kiosk.extend(at_station);
    assert_eq!(told(&desk, &Audience::Kiosk(id("kiosk-1"))), at_kiosk);
}

#[test]
fn a_sale_of_which_nothing_was_fed_is_never_told_as_being_printed() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    desk.must(kiosk(), abandon(sale, AbandonReason::PrinterFault));
    let told = told(&desk, &Audience::Station(id("branch-1")));
    assert_eq!(
        &told[told.len() - 2..],
        [SaleState::Linked, SaleState::Closed]
    );
}

#[test]
fn the_timer_of_a_linked_sale_moves_only_when_half_its_time_has_passed() {
    let mut desk = desk();
    let due = |desk: &Desk<ModelStore>| {
        let due = query::next_due(&*desk.read()).expect("reads");
        due.expect("a timer").as_second() - desk.at.as_second()
    };
    let sale = desk.linked(1, 3);
    assert_eq!(due(&desk), KIOSK_LOST_S);
    desk.later(KIOSK_LOST_S / 2 - 1);
    desk.advise(sale, vec![(number(0), FormEvent::Feeding)])
        .expect("its turn");
    assert_eq!(due(&desk), KIOSK_LOST_S / 2 + 1, "it stays");
    desk.later(1);
    desk.advise(sale, vec![(number(0), printed())])
        .expect("printed");
    assert_eq!(due(&desk), KIOSK_LOST_S, "it begins anew");
}

#[test]
fn a_confirmation_nobody_decided_ends_with_its_sale_and_a_decided_one_stays_decided() {
    let mut desk = desk();
    let sale = desk.ordered(1, 1);
    desk.must(kiosk(), CommandBody::Cancel { sale });
    let withdrawn = (sale, ConfirmState::Withdrawn, SaleState::Cancelled);
    assert_eq!(shown(&desk), [withdrawn], "the officer sees how it ended");
    let sale = desk.confirmed(2, 1);
    desk.must(kiosk(), CommandBody::Cancel { sale });
    let decided = (sale, ConfirmState::Confirmed, SaleState::Cancelled);
    assert_eq!(shown(&desk), [decided]);
    desk.later(query::ENDED_SHOWN_S - 1);
    assert_eq!(shown(&desk), [decided]);
    desk.later(1);
    assert_eq!(shown(&desk), [], "and no longer than a minute");
}

#[test]
fn a_buyer_who_leaves_before_ordering_is_withdrawn_and_the_next_one_clears_the_station() {
    let mut desk = desk();
    let sale = desk.identified(1);
    let identity = (sale, ConfirmState::Identity, SaleState::IdentityVerified);
    assert_eq!(shown(&desk), [identity]);
    desk.must(kiosk(), CommandBody::Cancel { sale });
    let withdrawn = (sale, ConfirmState::Withdrawn, SaleState::Cancelled);
    assert_eq!(shown(&desk), [withdrawn]);
    desk.opened(2);
    assert_eq!(shown(&desk), [], "name and telephone are gone at once");
}

#[test]
fn the_result_stays_on_the_stations_also_where_nobody_had_to_confirm_s23() {
    let mut desk = unconfirmed();
    let sale = desk.identified(1);
    let items = vec![transfer(1)];
    desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
    assert_eq!(desk.state(sale), SaleState::Confirmed);
    desk.must(kiosk(), link(sale));
    desk.hand_over(sale, 0..1);
    desk.must(kiosk(), close(sale));
    let result = (sale, ConfirmState::Confirmed, SaleState::Closed);
    assert_eq!(shown(&desk), [result]);
    desk.audit();
}

#[test]
fn staff_of_a_branch_are_told_to_look_again_and_nobody_else_is() {
    let mut desk = desk();
    let news = |desk: &Desk<ModelStore>, branch: &str| {
        query::custody_changes(&*desk.read(), &id(branch)).expect("reads")
    };
    let sale = desk.linked(1, 2);
    desk.hand_over(sale, 0..1);
    let shown = [FormEvent::Feeding, printed(), FormEvent::Presented];
    let shown = shown.into_iter().map(|event| (number(1), event));
    desk.advise(sale, shown.collect()).expect("is presented");
    let before = news(&desk, "branch-1");
    desk.must(kiosk(), abandon(sale, AbandonReason::PrinterFault));
    assert_eq!(desk.state(sale), SaleState::Suspended);
    let suspended = news(&desk, "branch-1");
    assert!(suspended > before, "it waits for two people");
    // The kiosk delivers late what its journal knew: what waits has changed.
    desk.advise(sale, vec![(number(1), FormEvent::Taken)])
        .expect("accepted late");
    assert!(news(&desk, "branch-1") > suspended);
    assert_eq!(news(&desk, "branch-2"), 0);
}

#[test]
fn the_result_names_what_became_of_every_number_and_the_fee_that_is_left_s23() {
    let mut desk = desk();
    let result = |desk: &Desk<ModelStore>| {
        let view = query::confirmation(&*desk.read(), SaleId(1)).expect("reads");
        view.expect("identified").result
    };
    desk.confirmed(1, 4);
    assert_eq!(result(&desk), None, "nothing is linked yet");
    let sale = SaleId(1);
    desk.must(kiosk(), link(sale));
    let linked = result(&desk).expect("linked");
    assert_eq!(
        (linked.ranges, linked.fee),
        (vec![range(FIRST, 4)], Fen(240))
    );
    assert_eq!((linked.sold, linked.released), (vec![], vec![]));
    desk.hand_over(sale, 0..1);
    let lost = vec![(number(1), FormEvent::Feeding), (number(1), no_outcome())];
    desk.advise(sale, lost).expect("is unknown");
    let spoil = vec![(number(2), FormEvent::Feeding), (number(2), failed())];
    desk.advise(sale, spoil).expect("is spoiled");
    desk.must(kiosk(), abandon(sale, AbandonReason::PrinterFault));
    let over = result(&desk).expect("linked");
    let one = |first: &str| vec![range(first, 1)];
    assert_eq!(over.sold, one(FIRST));
    assert_eq!(over.unknown, one("3130002100010002"));
    assert_eq!(over.void, one("3130002100010003"));
    // The fourth and the one that was to stand in for the third.
    assert_eq!(over.released, [range("3130002100010004", 2)]);
    assert_eq!(over.fee, Fen(120));
}
