//! Linked processing and its replays (S7, S8, I3, I6).

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState};

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Outcome};
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::query;
use crate::core::record::books::{BalanceRow, Errand, LedgerAccount, OUTBOX_KEPT, Port};
use crate::core::refusal::Refusal;
use crate::store::From;
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

fn balance(desk: &Desk<ModelStore>, account: LedgerAccount) -> i64 {
    let key = key::text(Table::Balance, &account.name());
    let row: Option<BalanceRow> = get(&*desk.read(), &key).expect("reads");
    row.unwrap_or_default().amount
}

#[test]
fn one_commit_gives_numbers_fee_register_errands_and_print_jobs_s7_s8() {
    let mut desk = desk();
    let sale = desk.confirmed(1, 5);
    let outcome = desk.must(kiosk(), link(sale));
    let Outcome::Linked {
        requisition,
        ranges,
        fee,
    } = outcome
    else {
        panic!("linked");
    };
    assert_eq!(requisition, "branch-1-20261122-00001");
    assert_eq!(ranges, [range(FIRST, 5)]);
    assert_eq!(fee.0, 300);
    let linked = desk.view(sale).linked.expect("S8");
    assert_eq!(linked.jobs.len(), 5);
    assert_eq!(linked.digest, linked.approved.digest());
    let job = &linked.jobs[0];
    assert_eq!((job.number, job.slot.as_str()), (number(0), "slot-1"));
    assert_eq!(job.template, "transfer-cheque");
    assert_eq!(job.fields["account_name"], "样例机械有限公司");
    assert_eq!(job.fields["bank_number"], "313000000016");

    let customer = LedgerAccount::Customer(ACCOUNT_NUMBER.to_owned());
    assert_eq!(balance(&desk, customer), 1_000_000 - 300);
    assert_eq!(balance(&desk, LedgerAccount::FeeIncome), 300);
    let blanks = LedgerAccount::blanks(number(0).prefix);
    assert_eq!(balance(&desk, blanks), 195, "one unit each, off balance");
    let errands = |port| query::errands(&*desk.read(), port, 0, 10).expect("reads").0;
    let errands: Vec<_> = [Port::Accounts, Port::Contact, Port::Clearing]
        .into_iter()
        .flat_map(errands)
        .collect();
    let kinds: Vec<_> = errands
        .iter()
        .map(|e| match &e.errand {
            Errand::BookFee { amount, .. } => ("fee", amount.0),
            Errand::TellContact { count, .. } => ("contact", i64::from(*count)),
            Errand::TellIssue { ranges, .. } => ("issue", i64::from(ranges[0].count())),
            Errand::TellBar { ranges, .. } => ("bar", i64::from(ranges[0].count())),
        })
        .collect();
    // Nothing is sold yet: clearing hears of numbers when the sale is over.
    assert_eq!(kinds, [("fee", 300), ("contact", 5)]);
    desk.audit();
}

#[test]
fn the_same_key_gives_the_same_numbers_and_does_nothing_twice_i6() {
    let mut desk = desk();
    let sale = desk.confirmed(1, 5);
    let mut link = desk.command(kiosk(), link(sale));
    link.key = Some(key("link-1"));
    let first = desk.answer(link.clone());
    assert!(!first.replayed);
    // The answer was lost; later, with other numbers at the head, it is asked again.
    desk.hand_over(sale, 0..5);
    desk.later(3_600);
    link.at = desk.at;
    let again = desk.answer(link.clone());
    assert!(again.replayed);
    assert_eq!(again.result, first.result);
    link.key.as_mut().expect("a key").request = Digest::of(b"another request");
    assert_eq!(desk.answer(link.clone()).result, Err(Refusal::KeyReused));
    link.key = None;
    assert_eq!(desk.answer(link).result, Err(Refusal::KeyMissing));
    desk.audit();
}

#[test]
fn long_after_its_answer_was_forgotten_a_key_still_gives_the_same_numbers_i6() {
    let mut desk = desk();
    let sale = desk.confirmed(1, 5);
    let mut link = desk.command(kiosk(), link(sale));
    link.key = Some(key("link-1"));
    let first = desk.answer(link.clone());
    desk.hand_over(sale, 0..5);
    let mut done = desk.command(kiosk(), close(sale));
    done.key = Some(key("close-1"));
    let closed = desk.answer(done.clone());
    // A month later both answers are gone, and others have sold since.
    desk.later(30 * 24 * 3_600);
    let next = desk.linked(2, 3);
    desk.hand_over(next, 5..8);
    desk.must(kiosk(), close(next));
    for n in 0..4 {
        let other = desk.opened(10 + n);
        desk.must(kiosk(), CommandBody::Cancel { sale: other });
    }
    let answers = desk.read().range(
        &key::low(Table::Answer),
        &key::high(Table::Answer),
        crate::store::From::First,
        100,
    );
    let names = answers.expect("reads").into_iter().map(|(name, _)| name);
    let forgotten = |word: &str| {
        let name = key::pair(Table::Answer, "kiosk:kiosk-1", word);
        !names.clone().any(|held| held == name)
    };
    assert!(forgotten("link-1") && forgotten("close-1"));
    for (command, before) in [(&mut link, first), (&mut done, closed)] {
        command.at = desk.at;
        let again = desk.answer(command.clone());
        assert!(again.replayed);
        assert_eq!(again.result, before.result);
        command.key.as_mut().expect("a key").request = Digest::of(b"another request");
        let reused = desk.answer(command.clone());
        assert_eq!(reused.result, Err(Refusal::KeyReused));
    }
    desk.audit();
}

#[test]
fn a_fresh_key_on_a_linked_sale_sells_nothing_twice() {
    let mut desk = desk();
    let sale = desk.linked(1, 5);
    let state = SaleState::Linked;
    let again = desk.give(kiosk(), link(sale));
    assert_eq!(again, Err(Refusal::OutOfOrder { state }));
    assert_eq!(balance(&desk, LedgerAccount::FeeIncome), 300);
}

#[test]
fn numbers_that_moved_since_they_were_confirmed_are_shown_again() {
    let mut desk = desk();
    let sale = desk.confirmed(1, 5);
    let before = desk.digest(sale);
    let unload = CommandBody::UnloadCassette {
        second: id("custodian-b"),
        kiosk: id("kiosk-1"),
        slot: id("slot-1"),
    };
    desk.must(custodian(), unload);
    desk.must(custodian(), load("slot-1", range("3130002100010101", 100)));
    let mut link = desk.command(kiosk(), link(sale));
    link.key = Some(key("link-1"));
    let state = SaleState::AwaitConfirm;
    let moved = desk.answer(link.clone());
    assert_eq!(moved.result, Ok(Outcome::RangeMoved { state }));
    let digest = desk.seen(sale);
    assert_ne!(digest, before);
    let stale = CommandBody::Confirm {
        sale,
        digest: before,
    };
    let state = SaleState::AwaitConfirm;
    let changed = Err(Refusal::StaleDigest { state });
    assert_eq!(desk.give(officer(), stale), changed);
    desk.must(officer(), CommandBody::Confirm { sale, digest });
    // The key was not used up: nothing of value had moved.
    let linked = desk.answer(link);
    assert!(!linked.replayed && linked.result.is_ok());
    let linked = desk.view(sale).linked.expect("linked");
    assert_eq!(linked.ranges, [range("3130002100010101", 5)]);
    desk.audit();
}

#[test]
fn two_kinds_come_from_two_slots_and_zero_is_a_normal_fee_i3() {
    let mut desk = desk();
    let sale = desk.identified(1);
    let cash = counterfoil_data::wire::sale::OrderItem {
        kind: counterfoil_data::bill::BillKind::CashCheque,
        quantity: 2,
    };
    let items = vec![cash, transfer(1)];
    desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
    let digest = desk.seen(sale);
    desk.must(officer(), CommandBody::Confirm { sale, digest });
    desk.must(kiosk(), link(sale));
    let linked = desk.view(sale).linked.expect("linked");
    assert_eq!(linked.fee.0, 60);
    let slots: Vec<_> = linked.jobs.iter().map(|j| j.slot.as_str()).collect();
    assert_eq!(slots, ["slot-2", "slot-2", "slot-1"]);
    desk.audit();
}

#[test]
fn a_day_cap_counts_what_was_bought_before() {
    let mut desk = desk();
    for sale in [1, 2] {
        let sale = desk.linked(sale, 50);
        let reason = counterfoil_data::wire::sale::AbandonReason::Staff;
        if sale.0 == 1 {
            desk.hand_over(sale, 0..50);
            desk.must(kiosk(), close(sale));
        } else {
            desk.must(kiosk(), abandon(sale, reason));
        }
    }
    // 50 were handed over, 50 given back: 50 more are allowed, 51 never were.
    let sale = desk.linked(3, 50);
    desk.hand_over(sale, 50..100);
    desk.must(kiosk(), close(sale));
    let sale = desk.identified(4);
    let items = vec![transfer(1)];
    let Err(Refusal::Rule { rule, .. }) =
        desk.give(kiosk(), CommandBody::PlaceOrder { sale, items })
    else {
        panic!("a rule refuses");
    };
    assert_eq!(rule.rule, "day-cap");
    desk.audit();
}

#[test]
fn a_notice_kept_only_for_its_errand_goes_when_the_errand_is_delivered() {
    let mut desk = desk();
    desk.linked(1, 1);
    let errand = query::errands(&*desk.read(), Port::Contact, 0, 1).expect("reads");
    let sequence = errand.0[0].sequence;
    let rows = |desk: &Desk<ModelStore>| {
        let (low, high) = (key::low(Table::Outbox), key::high(Table::Outbox));
        let rows = desk.read().range(&low, &high, From::First, 4_096);
        let first = rows.expect("reads").first().cloned().expect("a row").0;
        key::number_of(&first).expect("a number")
    };
    // Newer notices than are kept; the sales of another kiosk, as many as fit a commit.
    let mut newest = 0;
    for group in 0.. {
        if newest > sequence + OUTBOX_KEPT {
            break;
        }
        let other = || Actor::Kiosk(id("kiosk-2"));
        let mut commands = Vec::new();
        for n in 0..30 {
            let sale = SaleId(1_000 + group * 30 + n);
            let mode = PurchaseMode::SettlementCard;
            commands.push(desk.command(other(), CommandBody::OpenSale { sale, mode }));
            let mut cancel = desk.command(other(), CommandBody::Cancel { sale });
            cancel.key = Some(key(&format!("cancel-{group}-{n}")));
            commands.push(cancel);
        }
        for answer in desk.writer.step(commands).expect("writes") {
            answer.result.expect("is done");
        }
        newest = query::newest_notice(&*desk.read()).expect("reads");
    }
    assert!(rows(&desk) <= sequence, "kept for its errand");
    let all: Vec<u64> = [Port::Accounts, Port::Contact, Port::Clearing]
        .into_iter()
        .flat_map(|port| query::errands(&*desk.read(), port, 0, 9).expect("reads").0)
        .map(|errand| errand.sequence)
        .collect();
    desk.must(Actor::System, CommandBody::MarkDelivered { sequences: all });
    assert!(rows(&desk) > newest - OUTBOX_KEPT - 3);
}
