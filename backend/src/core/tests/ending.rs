//! How sales end, and from which states they do not (I4).

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::forms::FormEvent;
use counterfoil_data::wire::sale::{AbandonReason, SaleState};

use super::bank::*;
use crate::core::apply::KIOSK_LOST_S;
use crate::core::command::{Actor, CommandBody, Outcome};
use crate::core::refusal::Refusal;
use crate::store::model::ModelStore;

/// A bank with one sale in this state, its first.
fn at(state: SaleState) -> (Desk<ModelStore>, SaleId) {
    let mut desk = Desk::open(ModelStore::new());
    let sale = match state {
        SaleState::Opened => desk.opened(1),
        SaleState::IdentityVerified => desk.identified(1),
        SaleState::AwaitConfirm => desk.ordered(1, 2),
        SaleState::Confirmed => desk.confirmed(1, 2),
        SaleState::Linked => desk.linked(1, 2),
        SaleState::Dispensing => {
            let sale = desk.linked(1, 2);
            desk.advise(sale, vec![(number(0), FormEvent::Feeding)])
                .expect("may feed");
            sale
        }
        SaleState::Suspended => {
            let (mut desk, sale) = at(SaleState::Dispensing);
            desk.must(kiosk(), abandon(sale, AbandonReason::PrinterFault));
            return (desk, sale);
        }
        SaleState::Closed => {
            let sale = desk.linked(1, 2);
            desk.hand_over(sale, 0..2);
            desk.must(kiosk(), close(sale));
            sale
        }
        SaleState::Cancelled => {
            let sale = desk.opened(1);
            desk.must(kiosk(), CommandBody::Cancel { sale });
            sale
        }
        other => panic!("no way to {other:?} here"),
    };
    assert_eq!(desk.state(sale), state);
    (desk, sale)
}

const BEFORE: [SaleState; 4] = [
    SaleState::Opened,
    SaleState::IdentityVerified,
    SaleState::AwaitConfirm,
    SaleState::Confirmed,
];
const LINKED: [SaleState; 2] = [SaleState::Linked, SaleState::Dispensing];

/// The command ends the sale with `end` in the states of `may`, and is out of order in
/// all the others.
fn ends(
    may: &[SaleState],
    end: SaleState,
    wait: i64,
    actor: &Actor,
    body: fn(SaleId) -> CommandBody,
) {
    let over = [
        SaleState::Suspended,
        SaleState::Closed,
        SaleState::Cancelled,
    ];
    for state in BEFORE.into_iter().chain(LINKED).chain(over) {
        let (mut desk, sale) = at(state);
        desk.later(wait);
        let answer = desk.give(actor.clone(), body(sale));
        if may.contains(&state) {
            assert_eq!(answer, Ok(Outcome::Sale(end)), "from {state:?}");
            assert_eq!(desk.state(sale), end);
        } else {
            assert_eq!(answer, Err(Refusal::OutOfOrder { state }), "from {state:?}");
            assert_eq!(desk.state(sale), state);
        }
        desk.audit();
    }
}

#[test]
fn a_sale_is_cancelled_before_linking_and_never_after() {
    // Whoever says it again is told that it is.
    let mut may = BEFORE.to_vec();
    may.push(SaleState::Cancelled);
    let cancel = |sale| CommandBody::Cancel { sale };
    ends(&may, SaleState::Cancelled, 0, &kiosk(), cancel);
}

#[test]
fn a_silent_customer_s_sale_expires_before_linking_but_not_while_the_officer_has_it() {
    let may = [
        SaleState::Opened,
        SaleState::IdentityVerified,
        SaleState::Confirmed,
    ];
    let expire = |sale| CommandBody::Expire { sale };
    ends(&may, SaleState::Expired, 900, &Actor::System, expire);
    // Not a second early, and by nobody's hand.
    for state in may {
        let (mut desk, sale) = at(state);
        let early = Err(Refusal::OutOfOrder { state });
        assert_eq!(desk.give(Actor::System, expire(sale)), early);
        desk.later(900);
        assert_eq!(desk.give(kiosk(), expire(sale)), Err(Refusal::NotYours));
    }
}

#[test]
fn only_a_confirmation_that_waits_is_timed_out_and_only_when_it_is_due() {
    let time_out = |sale| CommandBody::TimeOutConfirmation { sale };
    let may = [SaleState::AwaitConfirm];
    ends(&may, SaleState::Denied, 180, &Actor::System, time_out);
    let (mut desk, sale) = at(SaleState::AwaitConfirm);
    let state = SaleState::AwaitConfirm;
    desk.later(179);
    let early = Err(Refusal::OutOfOrder { state });
    assert_eq!(desk.give(Actor::System, time_out(sale)), early);
    desk.later(1);
    let refused = desk.give(officer(), time_out(sale));
    assert_eq!(refused, Err(Refusal::NotYours));
}

#[test]
fn a_kiosk_is_lost_after_an_hour_of_silence_in_a_linked_sale_and_in_no_other() {
    for state in LINKED {
        let (mut desk, sale) = at(state);
        let lost = CommandBody::SuspendLost { sale };
        desk.later(KIOSK_LOST_S - 1);
        let early = Err(Refusal::OutOfOrder { state });
        assert_eq!(desk.give(Actor::System, lost.clone()), early);
        desk.later(1);
        assert_eq!(desk.give(kiosk(), lost.clone()), Err(Refusal::NotYours));
        // What was never fed is released; what was fed waits for people.
        let end = if state == SaleState::Linked {
            SaleState::Closed
        } else {
            SaleState::Suspended
        };
        assert_eq!(desk.must(Actor::System, lost), Outcome::Sale(end));
        desk.audit();
    }
    for state in BEFORE {
        let (mut desk, sale) = at(state);
        desk.later(2 * KIOSK_LOST_S);
        let answer = desk.give(Actor::System, CommandBody::SuspendLost { sale });
        assert_eq!(answer, Err(Refusal::OutOfOrder { state }));
    }
}

#[test]
fn a_linked_sale_is_broken_off_by_its_own_kiosk_and_no_other_sale_is() {
    let off = |sale| abandon(sale, AbandonReason::PrinterFault);
    for state in BEFORE.into_iter().chain([SaleState::Cancelled]) {
        let (mut desk, sale) = at(state);
        let answer = desk.give(kiosk(), off(sale));
        assert_eq!(answer, Err(Refusal::OutOfOrder { state }), "from {state:?}");
    }
    for state in LINKED {
        let (mut desk, sale) = at(state);
        assert_eq!(desk.give(other_kiosk(), off(sale)), Err(Refusal::NotYours));
        desk.must(kiosk(), off(sale));
        desk.audit();
    }
}

#[test]
fn a_sale_closes_only_when_it_is_linked_and_every_form_is_settled() {
    for state in BEFORE.into_iter().chain([SaleState::Cancelled]) {
        let (mut desk, sale) = at(state);
        let answer = desk.give(kiosk(), close(sale));
        assert_eq!(answer, Err(Refusal::OutOfOrder { state }), "from {state:?}");
    }
    for (state, open) in [
        (SaleState::Linked, 2),
        (SaleState::Dispensing, 2),
        (SaleState::Suspended, 1),
    ] {
        let (mut desk, sale) = at(state);
        let answer = desk.give(kiosk(), close(sale));
        assert_eq!(answer, Err(Refusal::FormsOpen { open, state }));
    }
}
