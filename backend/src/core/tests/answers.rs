//! Stored answers and request numbers: what a repeated key gets, what a refused
//! command uses up.
//!
//! The story: a command was refused because its number was stale (the kiosk had just
//! come back from a restart), the refusal was kept under its key, and the same key,
//! which for linked processing is fixed by the order, was answered with it for days.

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::custody::Act;
use counterfoil_data::wire::sale::{AbandonReason, PurchaseMode, SaleState};

use super::bank::*;
use crate::core::command::{Actor, Command, CommandBody, KEY_MAX, Outcome};
use crate::core::key::{self as rows, Table};
use crate::core::query;
use crate::core::refusal::{Missing, Refusal};
use crate::store::From;
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

fn keyed(desk: &mut Desk<ModelStore>, body: CommandBody, sequence: u64, name: &str) -> Command {
    let mut command = desk.command(kiosk(), body);
    command.sequence = Some(sequence);
    command.key = Some(key(name));
    command
}

fn answers_kept(desk: &Desk<ModelStore>) -> usize {
    let (low, high) = (rows::low(Table::Answer), rows::high(Table::Answer));
    let rows = desk.read().range(&low, &high, From::First, 4_096);
    rows.expect("reads").len()
}

fn last(desk: &Desk<ModelStore>) -> u64 {
    query::sequence(&*desk.read(), "kiosk:kiosk-1").expect("reads")
}

#[test]
fn a_key_refused_for_a_stale_number_or_a_wrong_state_is_still_good_afterwards() {
    let mut desk = desk();
    let sale = desk.opened(1);
    let close = close(sale);
    let early = keyed(&mut desk, close.clone(), 100, "close");
    let state = SaleState::Opened;
    let refused = desk.answer(early).result;
    assert_eq!(refused, Err(Refusal::OutOfOrder { state }));
    let cancel = CommandBody::Cancel { sale };
    let stale = keyed(&mut desk, cancel.clone(), 50, "cancel");
    let (given, last) = (50, 100);
    let refused = desk.answer(stale).result;
    assert_eq!(refused, Err(Refusal::StaleSequence { given, last }));
    let fresh = keyed(&mut desk, cancel.clone(), 200, "cancel");
    let done = desk.answer(fresh);
    assert!(!done.replayed);
    assert_eq!(done.result, Ok(Outcome::Sale(SaleState::Cancelled)));
    let again = keyed(&mut desk, cancel, 201, "cancel");
    assert!(desk.answer(again).replayed, "what was done is remembered");
    let late = keyed(&mut desk, close, 202, "close");
    let state = SaleState::Cancelled;
    let refused = desk.answer(late);
    assert!(!refused.replayed, "the refusal was of that moment");
    assert_eq!(refused.result, Err(Refusal::OutOfOrder { state }));
}

#[test]
fn keys_of_commands_that_did_nothing_leave_no_row() {
    let mut desk = desk();
    let before = answers_kept(&desk);
    for n in 0..10_u64 {
        let body = CommandBody::Cancel { sale: SaleId(99) };
        let command = keyed(&mut desk, body, n + 1, &format!("random-{n}"));
        let what = Missing::Sale;
        let refused = desk.answer(command).result;
        assert_eq!(refused, Err(Refusal::NotFound { what }));
    }
    assert_eq!(answers_kept(&desk), before);
}

#[test]
fn a_refused_command_uses_up_its_number_and_a_stored_answer_costs_a_new_one() {
    let mut desk = desk();
    let sale = desk.opened(1);
    let refused = keyed(&mut desk, link(sale), 10, "link");
    desk.answer(refused.clone()).result.expect_err("too early");
    assert_eq!(last(&desk), 10, "durable, also for a refusal");
    let (given, last_given) = (10, 10);
    let last = last_given;
    let again = desk.answer(refused).result;
    assert_eq!(again, Err(Refusal::StaleSequence { given, last }));
    let cancel = keyed(&mut desk, CommandBody::Cancel { sale }, 11, "cancel");
    desk.answer(cancel.clone()).result.expect("is done");
    let (given, last) = (11, 11);
    let replayed = desk.answer(cancel);
    assert!(
        !replayed.replayed,
        "the number comes before the stored answer"
    );
    assert_eq!(replayed.result, Err(Refusal::StaleSequence { given, last }));
}

#[test]
fn a_number_can_be_used_up_without_doing_anything() {
    let mut desk = desk();
    let mut note = desk.command(kiosk(), CommandBody::UseUpSequence);
    note.sequence = Some(77);
    assert_eq!(desk.answer(note).result, Ok(Outcome::Done));
    assert_eq!(last(&desk), 77);
    let stranger = Actor::Kiosk(id("kiosk-9"));
    let mut other = desk.command(stranger, CommandBody::UseUpSequence);
    other.sequence = Some(1);
    desk.answer(other).result.expect("each signer has its own");
}

#[test]
fn an_id_that_is_taken_opens_nothing_for_another_kiosk_or_another_mode() {
    let mut desk = desk();
    let sale = desk.opened(1);
    let open = |mode| CommandBody::OpenSale { sale, mode };
    let card = open(PurchaseMode::SettlementCard);
    let not_yours = Err(Refusal::NotYours);
    assert_eq!(desk.give(other_kiosk(), card.clone()), not_yours);
    let password = open(PurchaseMode::PaymentPassword);
    assert_eq!(desk.give(kiosk(), password), not_yours);
    assert_eq!(desk.must(kiosk(), card), Outcome::Sale(SaleState::Opened));
}

#[test]
fn a_key_is_1_to_64_visible_characters() {
    let mut desk = desk();
    let sale = desk.opened(1);
    let mut sequence = 0;
    let mut cancel = |desk: &mut Desk<ModelStore>, name: &str| {
        sequence += 1;
        let body = CommandBody::Cancel { sale };
        let command = keyed(desk, body, sequence, name);
        desk.answer(command).result
    };
    let long = "k".repeat(KEY_MAX + 1);
    for name in ["", "two words", "schlüssel", "line\n", &long] {
        let refused = cancel(&mut desk, name);
        assert_eq!(refused, Err(Refusal::KeyMissing), "{name:?}");
    }
    let longest = "k".repeat(KEY_MAX);
    let done = Outcome::Sale(SaleState::Cancelled);
    assert_eq!(cancel(&mut desk, &longest), Ok(done));
}

#[test]
fn a_proposal_sent_twice_under_one_key_is_one_proposal() {
    let mut desk = desk();
    let branch = id("branch-1");
    let range = range(FIRST_OTHER, 100);
    let act = Act::Announce { branch, range };
    let body = CommandBody::ProposeCustody { act };
    let mut propose = desk.command(custodian(), body);
    propose.key = Some(key("proposal"));
    let first = desk.answer(propose.clone());
    assert!(!first.replayed && first.result.is_ok());
    let again = desk.answer(propose.clone());
    assert!(again.replayed);
    assert_eq!(again.result, first.result);
    // Another's key of the same name is another key.
    propose.actor = Actor::Staff(id("custodian-b"));
    let other = desk.answer(propose);
    assert!(!other.replayed);
    assert_ne!(other.result, first.result);
}

#[test]
fn a_cancelled_or_abandoned_sale_answers_its_key_for_ever() {
    let mut desk = desk();
    let mut given = Vec::new();
    for name in ["cancel", "abandon"] {
        let body = if name == "cancel" {
            let sale = desk.opened(1);
            CommandBody::Cancel { sale }
        } else {
            abandon(desk.linked(2, 1), AbandonReason::PrinterFault)
        };
        let mut command = desk.command(kiosk(), body);
        command.key = Some(key(name));
        let answer = desk.answer(command.clone());
        given.push((command, answer.result.expect("is done")));
    }
    desk.later(30 * 24 * 3_600);
    for n in 10..20 {
        let sale = desk.opened(n);
        desk.must(kiosk(), CommandBody::Cancel { sale });
    }
    for (mut command, outcome) in given {
        let name = &command.key.as_ref().expect("a key").key;
        let row = rows::pair(Table::Answer, "kiosk:kiosk-1", name);
        let held = desk.read().read(&row).expect("reads");
        assert_eq!(held, None, "the stored answer is forgotten");
        command.at = desk.at;
        let again = desk.answer(command);
        assert!(again.replayed);
        assert_eq!(again.result, Ok(outcome));
    }
}
