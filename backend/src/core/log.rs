//! The evidence log in the books (I8): leaves, tree hashes, size.
//!
//! Each event's leaf is appended in the commit of the event itself. Complete
//! subtree hashes are kept, so that roots and proofs need no leaf.

use counterfoil_data::leaf::Leaf;
use counterfoil_data::tlog::{Frontier, TlogError, leaf_hash};
use counterfoil_data::wire::Digest;

use super::key::{self, Table};
use super::overlay::{Overlay, get};
use super::record::books::{CheckpointRow, CounterRow};
use crate::store::{Read, StoreError};

const BROKEN: StoreError = StoreError::Contradiction("the evidence log is broken");

/// Leaves so far.
pub fn size(read: &dyn Read) -> Result<u64, StoreError> {
    let head: Option<CounterRow> = get(read, &key::single(Table::LogHead))?;
    Ok(head.unwrap_or_default().value)
}

/// A complete subtree's hash; the source of roots and proofs.
pub fn node(read: &dyn Read, level: u8, index: u64) -> Option<Digest> {
    let bytes = read.read(&key::tree_hash(level, index)).ok()??;
    Some(Digest(bytes.try_into().ok()?))
}

/// A log error as the store error it is.
pub fn broken(_: TlogError) -> StoreError {
    BROKEN
}

/// Appends a leaf with the salt of its personal fields, and gives its index.
pub fn append(
    books: &mut Overlay<'_>,
    leaf: &Leaf,
    salt: Option<&[u8; 32]>,
) -> Result<u64, StoreError> {
    let bytes = leaf
        .encode()
        .map_err(|_| StoreError::Contradiction("a leaf is over its limits"))?;
    let size = size(books)?;
    let source = |level, index| node(books, level, index);
    let mut frontier = Frontier::load(size, source).map_err(broken)?;
    let mut nodes = Vec::new();
    let index = frontier
        .append(leaf_hash(&bytes), |level, index, hash| {
            nodes.push((level, index, hash));
        })
        .map_err(broken)?;
    for (level, index, hash) in nodes {
        books.put_bytes(key::tree_hash(level, index), hash.0.to_vec());
    }
    books.put_bytes(key::numbered(Table::Leaf, index), bytes);
    if let Some(salt) = salt {
        books.put_bytes(key::numbered(Table::LeafSalt, index), salt.to_vec());
    }
    let value = frontier.size();
    books.put(key::single(Table::LogHead), &CounterRow { value })?;
    Ok(index)
}

/// Root over everything appended.
pub fn root(read: &dyn Read) -> Result<Digest, StoreError> {
    let source = |level, index| node(read, level, index);
    let frontier = Frontier::load(size(read)?, source).map_err(broken)?;
    Ok(frontier.root())
}

/// Whether the log is the one that was signed last: its size and its root.
pub fn is_signed(read: &dyn Read) -> Result<bool, StoreError> {
    let signed: Option<CheckpointRow> = get(read, &key::single(Table::Checkpoint))?;
    let size = size(read)?;
    match signed {
        None => Ok(size == 0),
        Some(row) => Ok(row.size == size && row.root == root(read)?),
    }
}
