//! The overlay: what a group has changed so far, read through to the snapshot.
//!
//! Owns typed reading and writing of rows. A command works on an overlay of its
//! own; when it is refused, the overlay is dropped and no trace is left.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

use super::record::{Record, decode, encode};
use crate::store::{Changes, From, Key, RANGE_MAX, Read, Row, StoreError};

/// Reads one row as `R`.
pub fn get<R: Record>(read: &dyn Read, key: &[u8]) -> Result<Option<R>, StoreError> {
    match read.read(key)? {
        Some(bytes) => Ok(Some(decode(&bytes)?)),
        None => Ok(None),
    }
}

/// A snapshot with changes on top of it.
pub struct Overlay<'a> {
    base: &'a dyn Read,
    changes: Changes,
}

impl<'a> Overlay<'a> {
    /// Nothing changed yet.
    pub fn new(base: &'a dyn Read) -> Self {
        Self {
            base,
            changes: BTreeMap::new(),
        }
    }

    /// Everything changed.
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    /// Everything changed so far.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Takes in what a command changed.
    pub fn absorb(&mut self, changes: Changes) {
        self.changes.extend(changes);
    }

    /// Writes a row.
    pub fn put<R: Record>(&mut self, key: Key, row: &R) -> Result<(), StoreError> {
        self.put_bytes(key, encode(row)?);
        Ok(())
    }

    /// Writes bytes that are no [`Record`]: leaves, hashes, index entries.
    pub fn put_bytes(&mut self, key: Key, bytes: Vec<u8>) {
        self.changes.insert(key, Some(bytes));
    }

    /// Removes a row.
    pub fn remove(&mut self, key: Key) {
        self.changes.insert(key, None);
    }

    /// Reads one row as `R`.
    pub fn get<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        get(self, key)
    }

    /// Reads one row as `R` that must be there.
    pub fn need<R: Record>(&self, key: &[u8], what: &'static str) -> Result<R, StoreError> {
        self.get(key)?.ok_or(StoreError::Contradiction(what))
    }
}

impl Read for Overlay<'_> {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.changes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.base.read(key),
        }
    }

    fn range(
        &self,
        low: &[u8],
        high: &[u8],
        end: From,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if low >= high {
            return Ok(Vec::new());
        }
        let limit = limit.min(RANGE_MAX);
        let between = (Bound::Included(low), Bound::Excluded(high));
        let ours = self.changes.range::<[u8], _>(between);
        let mut ours: Box<dyn Iterator<Item = _>> = match end {
            From::First => Box::new(ours),
            From::Last => Box::new(ours.rev()),
        };
        let in_order = |a: &[u8], b: &[u8]| match end {
            From::First => a.cmp(b),
            From::Last => b.cmp(a),
        };
        let mut below = Below::new(self.base, low, high, end, limit);
        let mut next = ours.next();
        let mut found = Vec::new();
        while found.len() < limit {
            let order = match (next, below.peek()?) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((key, _)), Some(other)) => in_order(key, other),
            };
            if order == Ordering::Greater {
                found.extend(below.next());
                continue;
            }
            if order == Ordering::Equal {
                below.next();
            }
            if let Some((key, Some(value))) = next {
                found.push((key.clone(), value.clone()));
            }
            next = ours.next();
        }
        Ok(found)
    }
}

/// The rows below an overlay, read in pages that grow: a removed row in between costs
/// the pages up to the next one that is left, and nothing that lies beyond.
struct Below<'a> {
    read: &'a dyn Read,
    low: Vec<u8>,
    high: Vec<u8>,
    end: From,
    size: usize,
    page: std::vec::IntoIter<Row>,
    is_more: bool,
}

impl<'a> Below<'a> {
    fn new(read: &'a dyn Read, low: &[u8], high: &[u8], end: From, limit: usize) -> Self {
        Self {
            read,
            low: low.to_vec(),
            high: high.to_vec(),
            end,
            size: limit.saturating_add(1).min(RANGE_MAX),
            page: Vec::new().into_iter(),
            is_more: true,
        }
    }

    /// The key of the next row.
    fn peek(&mut self) -> Result<Option<&[u8]>, StoreError> {
        if self.page.as_slice().is_empty() && self.is_more {
            self.turn()?;
        }
        Ok(self.page.as_slice().first().map(|(key, _)| key.as_slice()))
    }

    fn turn(&mut self) -> Result<(), StoreError> {
        let rows = self
            .read
            .range(&self.low, &self.high, self.end, self.size)?;
        self.is_more = rows.len() >= self.size;
        if let Some((last, _)) = rows.last() {
            match self.end {
                From::First => {
                    self.low.clone_from(last);
                    self.low.push(0);
                }
                From::Last => self.high.clone_from(last),
            }
        }
        self.size = self.size.saturating_mul(2).min(RANGE_MAX);
        self.page = rows.into_iter();
        Ok(())
    }

    /// The row whose key was peeked.
    fn next(&mut self) -> Option<Row> {
        self.page.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Snapshots as _;
    use crate::store::Store as _;
    use crate::store::model::ModelStore;

    #[test]
    fn a_range_shows_changes_and_hides_removals_from_both_ends() {
        let mut store = ModelStore::new();
        let epoch = store.seize().expect("seizes");
        let rows = (1..=5_u8).map(|n| (vec![n], Some(vec![n]))).collect();
        store.flush(epoch, &rows).expect("flushes");
        let base = store.snapshot().expect("reads");
        let mut overlay = Overlay::new(&*base);
        overlay.remove(vec![1]);
        overlay.remove(vec![5]);
        overlay.put_bytes(vec![3], vec![33]);
        overlay.put_bytes(vec![3, 0], vec![30]);
        let keys = |end, limit| -> Vec<Key> {
            let rows = overlay.range(&[0], &[9], end, limit).expect("reads");
            rows.into_iter().map(|(k, _)| k).collect()
        };
        assert_eq!(
            keys(From::First, 9),
            [vec![2], vec![3], vec![3, 0], vec![4]]
        );
        assert_eq!(keys(From::Last, 2), [vec![4], vec![3, 0]]);
        assert_eq!(overlay.read(&[3]).expect("reads"), Some(vec![33]));
    }

    proptest::proptest! {
        /// Rows removed in runs longer than a page, rows of both, and both ends.
        #[test]
        fn a_range_is_what_base_and_changes_make_together(
            base in proptest::collection::btree_set(0..60_u8, 0..40),
            changed in proptest::collection::btree_map(0..60_u8, proptest::option::of(0..9_u8), 0..60),
            ends in (0..60_u8, 0..60_u8),
            from_last in proptest::bool::ANY,
            limit in 1..8_usize,
        ) {
            let mut store = ModelStore::new();
            let epoch = store.seize().expect("seizes");
            let rows = base.iter().map(|n| (vec![*n], Some(vec![*n]))).collect();
            store.flush(epoch, &rows).expect("flushes");
            let below = store.snapshot().expect("reads");
            let mut overlay = Overlay::new(&*below);
            let mut whole: BTreeMap<Key, Vec<u8>> = base.iter().map(|n| (vec![*n], vec![*n])).collect();
            for (key, value) in changed {
                match value {
                    Some(value) => {
                        overlay.put_bytes(vec![key], vec![value]);
                        whole.insert(vec![key], vec![value]);
                    }
                    None => {
                        overlay.remove(vec![key]);
                        whole.remove(&vec![key]);
                    }
                }
            }
            let (low, high) = (vec![ends.0], vec![ends.1]);
            let mut expected: Vec<Row> = whole
                .into_iter()
                .filter(|(key, _)| *key >= low && *key < high)
                .collect();
            let end = if from_last { From::Last } else { From::First };
            if from_last {
                expected.reverse();
            }
            expected.truncate(limit);
            let found = overlay.range(&low, &high, end, limit).expect("reads");
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
