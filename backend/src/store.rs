//! Stores: where the books are kept.
//!
//! A store reads snapshots and flushes one group of changes in one durable
//! commit, fenced by an epoch. It knows keys and bytes, no meaning. [`model`] is
//! the specification, [`redb`] the product; both give the same answers to the
//! same traces. Any error here is fatal: the writer stops and the process ends.

pub mod model;
pub mod redb;

use std::collections::BTreeMap;

/// Version of the whole schema; a row of its own in every store.
pub const SCHEMA_VERSION: u32 = 2;

/// Rows one range read gives at most.
pub const RANGE_MAX: usize = 4_096;

/// A full key: table byte, then the row's key.
pub type Key = Vec<u8>;

/// What one group changes: `None` removes.
pub type Changes = BTreeMap<Key, Option<Vec<u8>>>;

/// Key and value of one row.
pub type Row = (Key, Vec<u8>);

/// The store failed; nothing of the group can be relied on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Input or output failed.
    #[error("the store failed: stop, look at the disk, start again")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another writer took over.
    #[error("epoch {found} is in force, this writer has {held}: another writer took over")]
    Fenced {
        /// Epoch in the store.
        found: u64,
        /// Epoch this writer holds.
        held: u64,
    },
    /// The file is of another schema.
    #[error("schema version {found} is not {SCHEMA_VERSION}: run the matching release")]
    Schema {
        /// Version found.
        found: u32,
    },
    /// The file is a backup.
    #[error("this file is a backup: restore it to another file, which has kiosks reconciled")]
    IsBackup,
    /// The file is no backup, or not a whole one.
    #[error("this file is no backup of these books")]
    NotBackup,
    /// A file of this name is there already.
    #[error("{} is there already: name another file, or look what it is", .0.display())]
    Exists(std::path::PathBuf),
    /// A page of the file is not what was written.
    #[error("a page of the file is damaged: restore a backup to another file")]
    Damaged,
    /// A row is damaged.
    #[error("the books are damaged")]
    Record(#[from] crate::core::record::RecordError),
    /// The books contradict themselves; a defect of this program.
    #[error("the books contradict themselves: {0}")]
    Contradiction(&'static str),
}

/// Which end of a range to read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// Lowest key first.
    First,
    /// Highest key first.
    Last,
}

/// A consistent reading of the books.
pub trait Read {
    /// One row.
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// Rows with `low <= key < high`, at most `limit` (and [`RANGE_MAX`]).
    fn range(
        &self,
        low: &[u8],
        high: &[u8],
        end: From,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;
}

/// Gives snapshots; cheap to clone, shared with whoever reads.
pub trait Snapshots {
    /// The books as of the last flush.
    fn snapshot(&self) -> Result<Box<dyn Read>, StoreError>;
}

/// A store with one writer.
pub trait Store: Snapshots {
    /// Takes the writer's seat: raises the epoch by one, durably, and gives it.
    fn seize(&mut self) -> Result<u64, StoreError>;
    /// Writes all of `changes` in one durable commit, if `epoch` is in force.
    fn flush(&mut self, epoch: u64, changes: &Changes) -> Result<(), StoreError>;
}

/// Visits every row from `low` to before `high`, lowest key first, in pages of
/// [`RANGE_MAX`]; the first error ends it.
pub fn each_row<E: std::convert::From<StoreError>>(
    read: &dyn Read,
    mut low: Key,
    high: &[u8],
    mut visit: impl FnMut(Key, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let rows = read.range(&low, high, From::First, RANGE_MAX)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        low.clone_from(last);
        low.push(0);
        for (key, bytes) in rows {
            visit(key, bytes)?;
        }
    }
}
