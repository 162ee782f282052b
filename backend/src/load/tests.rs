use std::sync::LazyLock;

use counterfoil_data::tlog::note::NoteKey;
use ed25519_dalek::SigningKey;

use super::*;
use crate::core::audit::audit;
use crate::core::query;
use crate::core::record::bank::BankRow;
use crate::evidence;
use crate::store::redb::RedbStore;
use crate::store::{Snapshots as _, StoreError, each_row};
use crate::writer::LogKey;

const SEED: u64 = 7;
/// Filled once for all that only read it.
static TWO_HUNDRED: LazyLock<Writer<RedbStore>> = LazyLock::new(|| filled(&[200]));

fn writer(store: RedbStore) -> Writer<RedbStore> {
    let log = LogKey {
        origin: "counterfoil-test".to_owned(),
        key: SigningKey::from_bytes(&[8; 32]),
    };
    Writer::open(store, log).expect("opens")
}

fn filled(fills: &[u64]) -> Writer<RedbStore> {
    let mut writer = writer(RedbStore::memory().expect("opens"));
    for sales in fills {
        fill(&mut writer, SEED, *sales, &mut |_| {}).expect("fills");
    }
    writer
}

#[test]
fn two_hundred_sales_take_no_more_custody_rows_than_lots_sales_and_exceptions() {
    let read = TWO_HUNDRED.store().snapshot().expect("reads");
    let report = audit(&*read).expect("the books are in order");
    let counts = counts(&*read).expect("counts");
    assert_eq!((report.sales, report.linked), (200, 200));
    assert_eq!(counts.rows(Table::Sale), 200);
    assert!(counts.forms >= 5_000, "{}", counts.forms);
    assert!(counts.exceptions > 0, "the mix has some of 200 go wrong");
    assert_eq!(counts.rows(Table::Blank), report.blank_rows);
    assert!(
        report.blank_rows <= counts.custody_rows_max(),
        "{} rows, at most {}",
        report.blank_rows,
        counts.custody_rows_max()
    );
    assert_eq!(counts.rows(Table::Pending), 0, "nothing waits to leave");
    assert_eq!(
        query::next_due(&*read).expect("reads"),
        None,
        "no sale is open"
    );
}

#[test]
fn the_evidence_of_a_load_verifies_offline_i8() {
    let read = TWO_HUNDRED.store().snapshot().expect("reads");
    let key = SigningKey::from_bytes(&[8; 32]).verifying_key();
    let mut file = Vec::new();
    let size = evidence::export(&*read, "counterfoil-test", &key, &mut file).expect("exports");
    let line = counterfoil_data::tlog::note::verifier_line(NoteKey {
        name: "counterfoil-test",
        key: &key,
    });
    let report = evidence::verify(&mut file.as_slice(), Some(&line)).expect("verifies");
    assert_eq!(report.size, size);
}

#[test]
fn a_database_grown_in_parts_is_the_one_grown_at_once() {
    let (parts, whole) = (filled(&[100, 200]), &*TWO_HUNDRED);
    let of = |writer: &Writer<RedbStore>| {
        let read = writer.store().snapshot().expect("reads");
        let checkpoint = query::checkpoint(&*read).expect("reads").expect("a log");
        (checkpoint.size, checkpoint.root)
    };
    assert_eq!(of(&parts), of(whole));
}

#[test]
fn books_of_anything_else_are_left_alone() {
    let mut other = writer(RedbStore::memory().expect("opens"));
    let mut salts = Salts::new(SEED, 0);
    let mut bodies = bank::enrolment(SEED).expect("lawful");
    bodies.truncate(1);
    if let Some(CommandBody::EnrolBank(BankRow { name, .. })) = bodies.first_mut() {
        *name = "样例银行".to_owned();
    }
    let at = moment(0).expect("a time");
    let body = bodies.remove(0);
    let command = salts.command(at, Actor::System, body);
    other.enrol(&[command]).expect("writes").expect("enrols");
    let before = other.store().snapshot().expect("reads");
    let refused = fill(&mut other, SEED, 1, &mut |_| {});
    assert!(matches!(refused, Err(LoadError::Foreign)), "{refused:?}");
    assert_eq!(
        rows_of(&*before),
        rows_of(&*other.store().snapshot().expect("reads"))
    );
}

#[test]
fn another_seed_is_refused_by_name() {
    let mut writer = filled(&[1]);
    let refused = fill(&mut writer, SEED + 1, 2, &mut |_| {});
    assert!(
        matches!(refused, Err(LoadError::Seed { found: SEED })),
        "{refused:?}"
    );
}

fn rows_of(read: &dyn Read) -> u64 {
    let counts = counts(read).expect("counts");
    counts.tables.iter().map(|count| count.rows).sum()
}

#[test]
fn every_row_of_the_database_is_counted_in_some_table() {
    let writer = filled(&[1]);
    let read = writer.store().snapshot().expect("reads");
    let mut rows = 0_u64;
    let counted = each_row(&*read, Vec::new(), &[u8::MAX], |_, _| {
        rows += 1;
        Ok::<_, StoreError>(())
    });
    counted.expect("reads");
    assert_eq!(rows_of(&*read), rows);
}
