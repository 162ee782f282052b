//! What the linked processing of one sale reads and writes, as the product decided it, so
//! that a peer can do the same to the same rows.

use std::cell::RefCell;

use counterfoil_backend::core::decide::answer;
use counterfoil_backend::store::{Changes, From as End, Key, Read, Row, StoreError};
use jiff::Timestamp;

use super::sales;

/// One sale's rows. What it takes away (a timer, frames of the stations) is left out: a
/// repetition has nothing to take away.
#[derive(Clone)]
pub struct Recorded {
    /// Keys that were read, each once.
    pub reads: Vec<Key>,
    /// What is written to a row that was there.
    pub updates: Vec<Put>,
    /// New rows.
    pub inserts: Vec<Put>,
}

pub type Put = (Key, Vec<u8>);

/// Remembers which keys were read.
struct Watched<'a> {
    read: &'a dyn Read,
    keys: RefCell<Vec<Key>>,
}

impl Read for Watched<'_> {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.keys.borrow_mut().push(key.to_vec());
        self.read.read(key)
    }

    fn range(
        &self,
        low: &[u8],
        high: &[u8],
        end: End,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self.read.range(low, high, end, limit)?;
        let keys = rows.iter().map(|(key, _)| key.clone());
        self.keys.borrow_mut().extend(keys);
        Ok(rows)
    }
}

/// Decides the linked processing of a confirmed sale over the books as they are, and
/// changes nothing.
pub fn of(read: &dyn Read, number: u64, at: Timestamp) -> anyhow::Result<Recorded> {
    let watched = Watched {
        read,
        keys: RefCell::default(),
    };
    let command = sales::link(number, at, number)?;
    let (answer, changes) = answer(&watched, &command)?;
    match &answer.result {
        Ok(outcome) => sales::is_linked(outcome)?,
        Err(refusal) => anyhow::bail!("refused: {refusal:?}"),
    }
    let mut reads = watched.keys.into_inner();
    reads.sort();
    reads.dedup();
    split(read, reads, changes)
}

fn split(read: &dyn Read, reads: Vec<Key>, changes: Changes) -> anyhow::Result<Recorded> {
    let (mut updates, mut inserts) = (Vec::new(), Vec::new());
    for (key, value) in changes {
        let held = read.read(&key)?.is_some();
        match (value, held) {
            (Some(value), true) => updates.push((key, value)),
            (Some(value), false) => inserts.push((key, value)),
            (None, _) => {}
        }
    }
    Ok(Recorded {
        reads,
        updates,
        inserts,
    })
}

impl Recorded {
    /// The same with new rows of its own: their keys end with a number nobody else has.
    pub fn again(&self, own: u64) -> Changes {
        let mut changes = Changes::new();
        for (key, value) in &self.updates {
            changes.insert(key.clone(), Some(value.clone()));
        }
        for (key, value) in &self.inserts {
            let key = tagged(key, own);
            changes.insert(key, Some(value.clone()));
        }
        changes
    }

    /// Rows and bytes, keys and values.
    pub fn size(&self) -> (usize, usize) {
        let all = || self.updates.iter().chain(&self.inserts);
        (all().count(), all().map(|(k, v)| k.len() + v.len()).sum())
    }
}

/// A key that ends with a number of its own.
pub fn tagged(key: &[u8], own: u64) -> Key {
    [key, &own.to_be_bytes()].concat()
}
