//! The officer's side (S17-S22), and silence on both sides.

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::confirm::ConfirmState;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState};

use super::bank::*;
use crate::core::command::{Actor, CommandBody, NOTE_MAX, Outcome, Subject};
use crate::core::query;
use crate::core::record::bank::{CardTrust, Duty, StationRow};
use crate::core::refusal::{Malformed, Refusal};
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

#[test]
fn stations_see_the_buyer_from_message_2_on_with_the_contact_of_record_s17_s18_s19() {
    let mut desk = desk();
    let shown = |desk: &Desk<ModelStore>| {
        query::confirmations(&*desk.read(), &id("branch-1"), desk.at).expect("reads")
    };
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    assert_eq!(shown(&desk), []);
    let early = CommandBody::MarkSeen { sale, digest: None };
    assert_eq!(desk.give(officer(), early.clone()), Err(Refusal::NotYours));
    desk.try_identity(sale, THRESHOLD);
    let [view] = &shown(&desk)[..] else {
        panic!("one confirmation");
    };
    assert_eq!(view.state, ConfirmState::Identity);
    assert_eq!(view.identity.number_masked, "100000**********13");
    assert_eq!(view.contact.phone, "010-00000001");
    assert_eq!(view.purchase, None);
    desk.must(officer(), early);
    let items = vec![transfer(2)];
    desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
    let purchase = shown(&desk)[0].purchase.clone().expect("S21");
    assert_eq!((purchase.text.count, purchase.text.fee.0), (2, 120));
    // Once there is an order, who opens it says which text they saw.
    let blind = CommandBody::MarkSeen { sale, digest: None };
    let state = SaleState::AwaitConfirm;
    let stale = Err(Refusal::StaleDigest { state });
    assert_eq!(desk.give(officer(), blind), stale);
    assert_eq!(shown(&desk)[0].state, ConfirmState::Shown);
    let digest = Some(purchase.digest);
    desk.must(officer(), CommandBody::MarkSeen { sale, digest });
    assert_eq!(shown(&desk)[0].state, ConfirmState::Seen);
    let one = query::confirmation(&*desk.read(), sale).expect("reads");
    assert_eq!(one.as_ref(), shown(&desk).first());
    let none = query::confirmation(&*desk.read(), SaleId(99)).expect("reads");
    assert_eq!(none, None);
    assert!(desk.view(sale).order.expect("ordered").seen, "S20");
    let elsewhere = query::confirmations(&*desk.read(), &id("branch-10"), desk.at).expect("reads");
    assert_eq!(elsewhere, []);
}

#[test]
fn a_decision_about_another_text_is_refused_and_a_denial_ends_the_sale() {
    let mut desk = desk();
    let sale = desk.ordered(1, 5);
    let shown = desk.seen(sale);
    let stale = Digest::of(b"another text");
    let body = CommandBody::Confirm {
        sale,
        digest: stale,
    };
    assert_eq!(
        desk.give(officer(), body),
        Err(Refusal::StaleDigest {
            state: SaleState::AwaitConfirm
        })
    );
    let digest = shown;
    let note = Some("not expected".to_owned());
    let deny = CommandBody::Deny { sale, digest, note };
    assert_eq!(
        desk.must(officer(), deny.clone()),
        Outcome::Sale(SaleState::Denied)
    );
    assert_eq!(desk.must(officer(), deny), Outcome::Sale(SaleState::Denied));
    let link = link(sale);
    let state = SaleState::Denied;
    assert_eq!(desk.give(kiosk(), link), Err(Refusal::OutOfOrder { state }));
}

#[test]
fn nobody_decides_about_a_text_they_did_not_open_s20() {
    let mut desk = desk();
    let sale = desk.ordered(1, 5);
    let digest = desk.digest(sale);
    let confirm = CommandBody::Confirm { sale, digest };
    let (note, question) = (None, "几张".to_owned());
    let blind = [
        confirm.clone(),
        CommandBody::Deny { sale, digest, note },
        CommandBody::Ask {
            sale,
            digest,
            question,
        },
    ];
    for body in blind {
        assert_eq!(
            desk.give(officer(), body),
            Err(Refusal::NotSeen {
                state: SaleState::AwaitConfirm
            })
        );
    }
    desk.seen(sale);
    // A colleague who opens it too takes nothing away; repeats leave no trace.
    desk.must(Actor::System, staff("officer-3", Duty::Officer));
    let station = StationRow {
        id: id("station-3"),
        branch: id("branch-1"),
        key: [3; 32],
        officer: id("officer-3"),
    };
    desk.must(Actor::System, CommandBody::EnrolStation(station));
    let colleague = Actor::Station(id("station-3"), id("officer-3"));
    assert_eq!(
        desk.give(colleague.clone(), confirm.clone()),
        Err(Refusal::NotSeen {
            state: SaleState::AwaitConfirm
        })
    );
    let opened = Some(digest);
    let seen = CommandBody::MarkSeen {
        sale,
        digest: opened,
    };
    desk.must(colleague, seen);
    let size = crate::core::log::size(&*desk.read()).expect("reads");
    desk.seen(sale);
    assert_eq!(crate::core::log::size(&*desk.read()).expect("reads"), size);
    desk.must(officer(), confirm);
    desk.audit();
}

#[test]
fn asked_again_the_order_opens_and_silence_is_a_denial() {
    let mut desk = desk();
    let sale = desk.ordered(1, 5);
    let digest = desk.seen(sale);
    let question = "只要五张吗".to_owned();
    let ask = CommandBody::Ask {
        sale,
        digest,
        question: question.clone(),
    };
    desk.must(officer(), ask);
    let order = desk.view(sale).order.expect("ordered");
    assert_eq!(order.question, Some(question));
    let items = vec![transfer(4)];
    desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
    assert_eq!(desk.state(sale), SaleState::AwaitConfirm);
    let due = |desk: &Desk<ModelStore>| query::due(&*desk.read(), desk.at, 10).expect("reads");
    desk.later(179);
    assert!(due(&desk).is_empty());
    desk.later(1);
    let commands = due(&desk);
    assert!(matches!(
        commands[..],
        [CommandBody::TimeOutConfirmation { .. }]
    ));
    for body in commands {
        desk.must(Actor::System, body);
    }
    assert_eq!(desk.state(sale), SaleState::Denied);
    assert_eq!(query::next_due(&*desk.read()).expect("reads"), None);
    desk.audit();
}

#[test]
fn a_silent_customer_expires_and_the_kiosk_is_free_again() {
    let mut desk = desk();
    let sale = desk.opened(1);
    let mode = PurchaseMode::SettlementCard;
    let second = CommandBody::OpenSale {
        sale: SaleId(2),
        mode,
    };
    let state = SaleState::Opened;
    let busy = Err(Refusal::SaleInProgress { state });
    assert_eq!(desk.give(kiosk(), second.clone()), busy);
    desk.later(900);
    for body in query::due(&*desk.read(), desk.at, 10).expect("reads") {
        desk.must(Actor::System, body);
    }
    assert_eq!(desk.state(sale), SaleState::Expired);
    desk.must(kiosk(), second.clone());
    // Repeating it opens nothing twice.
    assert_eq!(desk.must(kiosk(), second), Outcome::Sale(SaleState::Opened));
    desk.audit();
}

#[test]
fn a_question_and_what_was_seen_must_be_said_and_a_reason_may_stay_unsaid() {
    let mut desk = desk();
    let sale = desk.ordered(1, 5);
    let digest = desk.seen(sale);
    let ask = CommandBody::Ask {
        sale,
        digest,
        question: "  ".to_owned(),
    };
    let unsaid = Err(Refusal::Malformed(Malformed::Unsaid));
    assert_eq!(desk.give(officer(), ask), unsaid);
    let note = Some(String::new());
    desk.must(officer(), CommandBody::Deny { sale, digest, note });
    let last = crate::core::log::size(&*desk.read()).expect("reads") - 1;
    let words = crate::evidence::words(&*desk.read(), last).expect("reads");
    assert_eq!(words, None);
    let resolve = CommandBody::ResolveUnknown {
        second: id("custodian-b"),
        number: number(0),
        to: crate::core::command::Resolution::Missing,
        evidence: String::new(),
    };
    let custodian = Actor::Staff(id("custodian-a"));
    assert_eq!(desk.give(custodian, resolve), unsaid);
}

#[test]
fn a_question_may_be_exactly_as_long_as_a_note() {
    let mut desk = desk();
    let sale = desk.ordered(1, 5);
    let digest = desk.seen(sale);
    let ask = |characters| CommandBody::Ask {
        sale,
        digest,
        question: "几".repeat(characters),
    };
    let long = Err(Refusal::Malformed(Malformed::Note));
    assert_eq!(desk.give(officer(), ask(NOTE_MAX + 1)), long);
    desk.must(officer(), ask(NOTE_MAX));
}

#[test]
fn what_comes_after_the_deadline_is_too_late_even_if_no_timer_ran() {
    // The house was down when the timers were due, and is up again before they ran.
    let mut desk = desk();
    let sale = desk.ordered(1, 5);
    let digest = desk.seen(sale);
    desk.later(180);
    let (note, question) = (None, "几张".to_owned());
    let late = [
        CommandBody::Confirm { sale, digest },
        CommandBody::Deny { sale, digest, note },
        CommandBody::Ask {
            sale,
            digest,
            question,
        },
    ];
    let state = SaleState::AwaitConfirm;
    for body in late {
        let refused = desk.give(officer(), body);
        assert_eq!(refused, Err(Refusal::TooLate { state }));
    }
    desk.must(Actor::System, CommandBody::TimeOutConfirmation { sale });
    assert_eq!(desk.state(sale), SaleState::Denied);

    let sale = desk.confirmed(2, 5);
    desk.later(900);
    let state = SaleState::Confirmed;
    let link = desk.give(kiosk(), link(sale));
    assert_eq!(link, Err(Refusal::TooLate { state }));
    desk.must(Actor::System, CommandBody::Expire { sale });

    let sale = desk.opened(3);
    desk.later(900);
    let state = SaleState::Opened;
    let info = desk.info_of(sale, Subject::Card(CARD), Some(CardTrust::Dynamic));
    let refused = desk.give(kiosk(), info);
    assert_eq!(refused, Err(Refusal::TooLate { state }));
    desk.must(kiosk(), CommandBody::Cancel { sale });

    let sale = desk.identified(4);
    desk.later(900);
    let items = vec![transfer(1)];
    let order = desk.give(kiosk(), CommandBody::PlaceOrder { sale, items });
    let state = SaleState::IdentityVerified;
    assert_eq!(order, Err(Refusal::TooLate { state }));
    desk.audit();
}

#[test]
fn what_an_officer_is_said_to_have_seen_is_this_sales_text_or_nothing() {
    let mut desk = desk();
    let sale = desk.identified(1);
    let digest = Some(Digest::of(b"anything"));
    let bogus = CommandBody::MarkSeen { sale, digest };
    let state = SaleState::IdentityVerified;
    let refused = Err(Refusal::StaleDigest { state });
    assert_eq!(desk.give(officer(), bogus.clone()), refused);
    let items = vec![transfer(1)];
    desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
    let digest = desk.seen(sale);
    desk.must(officer(), CommandBody::Confirm { sale, digest });
    let state = SaleState::Confirmed;
    let refused = Err(Refusal::StaleDigest { state });
    assert_eq!(desk.give(officer(), bogus), refused);
}

#[test]
fn the_result_of_a_sale_that_is_over_leaves_the_stations_after_ten_minutes() {
    let mut desk = desk();
    let shown = |desk: &Desk<ModelStore>| {
        let shown = query::confirmations(&*desk.read(), &id("branch-1"), desk.at);
        shown.expect("reads").len()
    };
    let sale = desk.linked(1, 1);
    desk.later(query::RESULT_SHOWN_S * 2);
    assert_eq!(shown(&desk), 1, "it is not over, however long it takes");
    desk.hand_over(sale, 0..1);
    desk.must(kiosk(), close(sale));
    desk.later(query::RESULT_SHOWN_S - 1);
    assert_eq!(shown(&desk), 1);
    desk.later(1);
    assert_eq!(shown(&desk), 0, "name, number and telephone are gone");
}

#[test]
fn only_a_confirming_officer_of_the_branch_can_sit_at_a_station() {
    let mut desk = desk();
    let of = |officer: &str, branch: &str| {
        CommandBody::EnrolStation(StationRow {
            id: id("station-4"),
            branch: id(branch),
            key: [4; 32],
            officer: id(officer),
        })
    };
    let unfit = Err(Refusal::Malformed(Malformed::Officer));
    for (officer, branch) in [
        ("custodian-a", "branch-1"),
        ("supervisor-1", "branch-1"),
        ("officer-1", "branch-2"),
    ] {
        assert_eq!(desk.give(Actor::System, of(officer, branch)), unfit);
    }
    desk.must(Actor::System, of("officer-1", "branch-1"));
}
