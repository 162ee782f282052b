//! A file of books that was bent: what reads other rows out of it than were written does
//! not pass the check that `audit` makes first.
//!
//! redb compares no checksums when it opens a file, and panics at some pages that cannot
//! be; a release build then ends as a whole, before it wrote anything.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets in a file of half a megabyte"
)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::disk::{Chance, Disk};
use super::*;
use crate::store::each_row;

const GOLDEN: &[u8] = include_bytes!("../../../tests/golden/books-2.redb");
/// Bent files in the suite.
const BENT: usize = 300;

/// Every row, or the error that reading ended in.
fn read(disk: &Disk) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
    let store = RedbStore::disk(|| Ok(disk.clone()), 1 << 20)?;
    let snapshot = store.snapshot()?;
    let mut all = BTreeMap::new();
    each_row(&*snapshot, Vec::new(), &[u8::MAX], |key, row| {
        all.insert(key, row);
        Ok::<_, StoreError>(())
    })?;
    Ok(all)
}

/// Every page against its checksum, as [`RedbStore::checked`] opens a file.
fn check(disk: &Disk) -> Result<(), StoreError> {
    let mut builder = builder(1 << 20);
    let checking = builder.set_check_integrity_on_open(true);
    let checked = checking.create_with_backend(disk.clone());
    checked.map(drop).map_err(io)
}

/// One change: a bit, a page of zeros, a page in another's place, or an end.
fn bent(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = GOLDEN.to_vec();
    let pages = bytes.len() / HEADER_BYTES;
    let at = chance.below(bytes.len());
    let page = at / HEADER_BYTES * HEADER_BYTES;
    match chance.below(6) {
        0 => bytes[page..(page + HEADER_BYTES).min(GOLDEN.len())].fill(0),
        1 => {
            let from = chance.below(pages) * HEADER_BYTES;
            bytes.copy_within(
                from..from + HEADER_BYTES,
                page.min(GOLDEN.len() - HEADER_BYTES),
            );
        }
        2 => bytes.truncate(at),
        3 => bytes[at % HEADER_BYTES] ^= 1 << chance.below(8),
        _ => bytes[at] ^= 1 << chance.below(8),
    }
    bytes
}

#[test]
fn no_bent_books_that_read_as_others_pass_the_check_of_every_page() {
    let whole = read(&Disk::holding(GOLDEN.to_vec())).expect("sound");
    let (mut refused, mut same, mut ended, mut passed) = (0, 0, 0, Vec::new());
    for seed in 0..BENT {
        let bytes = bent(&mut Chance(seed as u64));
        let checked = || {
            let disk = Disk::holding(bytes);
            check(&disk)?;
            read(&disk)
        };
        match catch_unwind(AssertUnwindSafe(checked)) {
            Ok(Err(_)) => refused += 1,
            Ok(Ok(rows)) if rows == whole => same += 1,
            Ok(Ok(_)) => passed.push(seed),
            Err(_) => ended += 1,
        }
    }
    println!("{refused} refused, {same} the same, {ended} ended in a panic");
    assert_eq!(passed, Vec::<usize>::new(), "read as others");
    assert!(refused > BENT / 4 && same > BENT / 8, "both happen");
    check(&Disk::holding(GOLDEN.to_vec())).expect("sound books pass");
}
