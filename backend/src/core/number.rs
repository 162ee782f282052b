//! Which leaves speak of a number: the index under the timeline of one number.
//!
//! A leaf about a range is filed under the largest aligned blocks of `2^level` numbers
//! that make it up: a single number is one row, a million are at most 40. A number lies
//! in one block of each level, so its leaves are found without reading anybody else's,
//! however many there are.

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::leaf::Leaf;

use super::key;
use super::overlay::Overlay;
use crate::store::{From, Read, StoreError};

/// Levels of blocks: a prefix has 10^8 numbers, less than 2^27.
const LEVELS: u8 = 27;

/// The aligned blocks that make up a range.
fn blocks(range: BillRange) -> Vec<(u8, u32)> {
    let mut first = range.first().serial.value();
    let end = range.last().serial.value().saturating_add(1);
    let mut blocks = Vec::new();
    while first < end {
        let aligned = first.trailing_zeros();
        let fitting = end.saturating_sub(first).ilog2();
        let level = u8::try_from(aligned.min(fitting)).unwrap_or(0).min(LEVELS);
        let size = 1_u32.checked_shl(level.into()).unwrap_or(1);
        blocks.push((level, first.checked_shr(level.into()).unwrap_or(0)));
        first = first.saturating_add(size);
    }
    blocks
}

/// Files a leaf under every number it speaks of.
pub fn file(books: &mut Overlay<'_>, leaf: &Leaf, index: u64) {
    for range in leaf.numbers() {
        for (level, block) in blocks(range) {
            let key = key::number_leaf(range.prefix(), level, block, index);
            books.put_bytes(key, Vec::new());
        }
    }
}

/// Whether a leaf is filed under every number it speaks of; for the audit.
pub fn is_filed(read: &dyn Read, leaf: &Leaf, index: u64) -> Result<bool, StoreError> {
    for range in leaf.numbers() {
        for (level, block) in blocks(range) {
            let key = key::number_leaf(range.prefix(), level, block, index);
            if read.read(&key)?.is_none() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The newest leaves about a number, at most `limit`, oldest first.
pub fn leaves(read: &dyn Read, number: BillNumber, limit: usize) -> Result<Vec<u64>, StoreError> {
    let mut found = Vec::new();
    for level in 0..LEVELS {
        let block = number.serial.value().checked_shr(level.into()).unwrap_or(0);
        let low = key::number_leaf(number.prefix, level, block, 0);
        let mut high = key::number_leaf(number.prefix, level, block, u64::MAX);
        high.push(0);
        let rows = read.range(&low, &high, From::Last, limit)?;
        found.extend(rows.iter().filter_map(|(key, _)| key::leaf_of(key)));
    }
    found.sort_unstable();
    found.dedup();
    let old = found.len().saturating_sub(limit);
    found.drain(..old);
    Ok(found)
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "tests count in small numbers"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(first: u32, count: u32) -> BillRange {
        let first: BillNumber = format!("31300021{first:08}").parse().expect("a number");
        BillRange::from_count(first, count).expect("a range")
    }

    #[test]
    fn one_number_is_one_block_and_all_numbers_are_a_handful() {
        assert_eq!(blocks(range(12_345, 1)), [(0, 12_345)]);
        assert_eq!(blocks(range(0, 8)), [(3, 0)]);
        assert_eq!(blocks(range(5, 8)), [(0, 5), (1, 3), (2, 2), (0, 12)]);
        let whole = blocks(range(0, 100_000_000));
        assert!(whole.len() < 27 && whole.iter().all(|(level, _)| *level < LEVELS));
    }

    proptest! {
        #[test]
        fn blocks_cover_a_range_exactly(first in 0..99_000_000_u32, count in 1..1_000_000_u32) {
            let mut next = u64::from(first);
            let blocks = blocks(range(first, count));
            prop_assert!(blocks.len() <= 40);
            for (level, block) in blocks {
                prop_assert_eq!(u64::from(block) << level, next);
                next += 1_u64 << level;
            }
            prop_assert_eq!(next, u64::from(first) + u64::from(count));
        }
    }
}
