//! Books that were put back, and kiosks that remember more (I8).

use counterfoil_data::ids::SaleId;
use counterfoil_data::leaf::LeafKind;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState, TreeSeen, Witness};

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Outcome};
use crate::core::log;
use crate::core::refusal::{Malformed, Refusal, StockRefusal};
use crate::core::witness::look;
use crate::store::model::ModelStore;

type Books = Desk<ModelStore>;

fn desk() -> Books {
    Desk::open(ModelStore::default())
}

/// The log as it is now.
fn tree(desk: &Books) -> TreeSeen {
    let read = desk.read();
    TreeSeen {
        size: log::size(&*read).expect("reads"),
        root: log::root(&*read).expect("reads"),
    }
}

/// A log that never was.
fn strange(size: u64) -> TreeSeen {
    let root = Digest::of(b"another log");
    TreeSeen { size, root }
}

fn restored(desk: &mut Books) {
    let (backup_at, tree) = (desk.at, tree(desk));
    desk.must(
        Actor::System,
        CommandBody::RecordRestore { backup_at, tree },
    );
}

fn open(desk: &mut Books, actor: Actor, sale: u128) -> Result<Outcome, Refusal> {
    let (sale, mode) = (SaleId(sale), PurchaseMode::SettlementCard);
    desk.give(actor, CommandBody::OpenSale { sale, mode })
}

fn reconcile(desk: &mut Books, second: &str, reason: &str) -> Result<Outcome, Refusal> {
    let body = CommandBody::ReconcileKiosk {
        second: id(second),
        kiosk: id("kiosk-1"),
        reason: reason.to_owned(),
    };
    desk.give(custodian(), body)
}

fn last(desk: &Books) -> LeafKind {
    desk.leaf(tree(desk).size - 1).kind
}

#[test]
fn books_that_never_were_put_back_ask_no_kiosk_and_note_nothing_of_one_that_agrees() {
    let mut desk = desk();
    let before = tree(&desk);
    desk.must(kiosk(), CommandBody::ReportTree(before));
    desk.must(
        kiosk(),
        CommandBody::ReportTree(TreeSeen {
            size: 0,
            ..strange(0)
        }),
    );
    let is_empty = TreeSeen {
        size: 0,
        root: counterfoil_data::tlog::empty_root(),
    };
    let again = look(&*desk.read(), &id("kiosk-2"), Some(is_empty)).expect("reads");
    assert_eq!((again.witness, again.is_news), (Witness::Agrees, false));
    assert!(open(&mut desk, other_kiosk(), 1).is_ok());
}

#[test]
fn every_earlier_log_agrees_and_no_other_of_any_size() {
    let mut desk = desk();
    let mut seen = vec![tree(&desk)];
    for sale in 1..20 {
        desk.opened(sale);
        let sale = SaleId(sale);
        desk.must(kiosk(), CommandBody::Cancel { sale });
        seen.push(tree(&desk));
    }
    let read = desk.read();
    let takes = |seen| {
        look(&*read, &id("kiosk-1"), Some(seen))
            .expect("reads")
            .witness
    };
    for seen in &seen {
        assert_eq!(takes(*seen), Witness::Agrees, "{}", seen.size);
        assert_eq!(takes(strange(seen.size)), Witness::Behind, "{}", seen.size);
        let other = TreeSeen {
            size: seen.size - 1,
            ..*seen
        };
        assert_eq!(takes(other), Witness::Behind, "{}", seen.size);
    }
    let all = tree(&desk);
    let beyond = TreeSeen {
        size: all.size + 1,
        ..all
    };
    assert_eq!(takes(beyond), Witness::Behind);
}

#[test]
fn restored_books_sell_at_a_kiosk_when_it_showed_that_it_saw_nothing_later() {
    let mut desk = desk();
    let early = tree(&desk);
    restored(&mut desk);
    assert_eq!(last(&desk), LeafKind::BooksRestored);
    assert_eq!(open(&mut desk, kiosk(), 1), Err(Refusal::Unreported));
    desk.must(kiosk(), CommandBody::ReportTree(early));
    assert_eq!(last(&desk), LeafKind::KioskReleased);
    assert!(open(&mut desk, kiosk(), 1).is_ok());
    assert_eq!(open(&mut desk, other_kiosk(), 2), Err(Refusal::Unreported));
    // Said again it is no news; restored again, it has to be said again.
    let size = tree(&desk).size;
    desk.must(kiosk(), CommandBody::ReportTree(early));
    assert_eq!(tree(&desk).size, size);
    let sale = SaleId(1);
    desk.must(kiosk(), CommandBody::Cancel { sale });
    restored(&mut desk);
    assert_eq!(open(&mut desk, kiosk(), 3), Err(Refusal::Unreported));
    desk.audit();
}

#[test]
fn a_kiosk_that_saw_more_sells_nothing_until_two_people_reconciled_it() {
    let mut desk = desk();
    let late = strange(tree(&desk).size + 50);
    // Before it is known, a sale is under way; it is not linked afterwards.
    let sale = desk.confirmed(1, 5);
    desk.must(kiosk(), CommandBody::ReportTree(late));
    assert_eq!(last(&desk), LeafKind::KioskAhead);
    let refused = desk.give(kiosk(), link(sale));
    assert!(
        matches!(refused, Err(Refusal::BooksBehind { .. })),
        "{refused:?}"
    );
    let state = SaleState::Confirmed;
    let refused = reconcile(&mut desk, "custodian-b", "counted");
    assert_eq!(refused, Err(Refusal::SaleInProgress { state }));
    desk.must(kiosk(), CommandBody::Cancel { sale });
    // Whatever it says from then on, and whenever.
    let now = tree(&desk);
    desk.must(kiosk(), CommandBody::ReportTree(now));
    desk.later(30 * 24 * 3_600);
    assert!(open(&mut desk, kiosk(), 2).is_err());
    assert!(
        open(&mut desk, other_kiosk(), 3).is_ok(),
        "the other one sells"
    );

    let two = Err(Refusal::Stock(StockRefusal::TwoPeople));
    assert_eq!(reconcile(&mut desk, "custodian-a", "counted"), two);
    assert_eq!(reconcile(&mut desk, "officer-1", "counted"), two);
    let unsaid = Err(Refusal::Malformed(Malformed::Unsaid));
    assert_eq!(reconcile(&mut desk, "custodian-b", " "), unsaid);
    assert_eq!(
        reconcile(&mut desk, "custodian-b", "counted"),
        Ok(Outcome::Done)
    );
    assert_eq!(last(&desk), LeafKind::KioskReconciled);
    let nothing = Err(Refusal::Stock(StockRefusal::NothingToReconcile));
    assert_eq!(reconcile(&mut desk, "custodian-b", "counted"), nothing);
    // It still says what it saw, and sells; a log later still is another matter.
    let look = look(&*desk.read(), &id("kiosk-1"), Some(late)).expect("reads");
    assert_eq!((look.witness, look.is_news), (Witness::Settled, false));
    assert!(open(&mut desk, kiosk(), 4).is_ok());
    let sale = SaleId(4);
    desk.must(kiosk(), CommandBody::Cancel { sale });
    desk.must(kiosk(), CommandBody::ReportTree(strange(late.size + 1)));
    assert!(open(&mut desk, kiosk(), 5).is_err());
    desk.audit();
}

#[test]
fn outcomes_are_heard_from_a_kiosk_that_saw_more() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    desk.must(kiosk(), CommandBody::ReportTree(strange(9_999)));
    desk.hand_over(sale, 0..2);
    assert!(desk.give(kiosk(), close(sale)).is_ok());
    desk.audit();
}

#[test]
fn only_the_house_says_that_it_was_restored_and_only_a_kiosk_what_it_saw() {
    let mut desk = desk();
    let (backup_at, tree) = (desk.at, tree(&desk));
    let body = CommandBody::RecordRestore { backup_at, tree };
    assert_eq!(desk.give(custodian(), body), Err(Refusal::NotYours));
    for actor in [Actor::System, custodian(), officer()] {
        let refused = desk.give(actor, CommandBody::ReportTree(strange(9_999)));
        assert_eq!(refused, Err(Refusal::NotYours));
    }
    assert!(open(&mut desk, kiosk(), 1).is_ok());
}
