//! The checks can fail.

use std::rc::Rc;

use counterfoil_data::demo;
use counterfoil_devices::system::TokioClock;
use counterfoil_tui::model::Language;
use jiff::Timestamp;

use super::*;
use crate::world::{Setup, Stand, StoreAt, World};

fn sheet(inked: &[&str]) -> Sheet {
    Sheet {
        number: "3130002100010001".parse().expect("a number"),
        inked: inked.iter().map(|text| (*text).to_owned()).collect(),
        partial: false,
        place: "taken".to_owned(),
    }
}

#[test]
fn a_form_inked_for_another_account_is_found() {
    let bank = demo::bank().expect("the demo bank");
    let [jixie, gongying, ..] = bank.units.as_slice() else {
        panic!("two units");
    };
    let info = InfoProven {
        account: gongying.account.number.clone(),
        unit: gongying.id.clone(),
        holder: None,
        card: None,
    };
    let (head, tail) = gongying.name.split_at(18);
    let judge = |inked: &[&str]| {
        let mut found = Findings::default();
        judge_text(&sheet(inked), &info, &bank, &mut found);
        found.wrong.len()
    };
    assert_eq!(judge(&["样例银行", &info.account, head, tail]), 0);
    assert_eq!(judge(&[&info.account, &jixie.name]), 2);
    assert_eq!(judge(&[&jixie.account.number, head, tail]), 2);
    assert_eq!(judge(&["样例银行"]), 1);
    assert_eq!(judge(&[]), 0);
}

#[test]
fn no_sale_and_two_sales_for_one_wish_are_found() {
    assert!(judge_wish(3, 0, 0).is_some());
    assert_eq!(judge_wish(3, 1, 1), None);
    assert_eq!(judge_wish(3, 2, 1), None);
    assert!(judge_wish(3, 2, 2).is_some());
}

#[test]
fn a_feed_that_the_books_do_not_have_is_found() {
    let folder = std::env::temp_dir().join(format!("counterfoil-feed-{}", std::process::id()));
    fs::create_dir_all(folder.join("paper")).expect("a folder");
    let books = folder.join("books.redb");
    let runtime = crate::idle::runtime(true).expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let enrolled = World::start(Setup {
            logins: false,
            clock: Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH)),
            seed: Some(1),
            store: StoreAt::File(books.clone()),
            loopback: false,
            language: Language::En,
            size: (80, 24),
            paper: None,
            stand: Stand::Demo,
        });
        drop(enrolled.await.expect("opens"));
    });
    let paper = folder.join("paper");
    assert_eq!(
        fed_before_durable(&books, &paper, 0).expect("reads"),
        [""; 0]
    );
    let line = r#"{"number":"3130002100010001","inked":[],"partial":false,"place":"transport"}"#;
    // The second line is still being written.
    fs::write(paper.join("sheets.jsonl"), format!("{line}\n{{\"num")).expect("writes");
    let found = fed_before_durable(&books, &paper, 0).expect("reads");
    assert_eq!(found.len(), 1, "{found:?}");
    let excused = fed_before_durable(&books, &paper, 1).expect("reads");
    assert_eq!(excused, [""; 0]);
    fs::remove_dir_all(folder).expect("removes");
}
