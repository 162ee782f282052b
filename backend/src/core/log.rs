//! The evidence log in the books (I8): leaves, tree hashes, size.
//!
//! Each event's leaf is appended in the commit of the event itself. Hashes of complete
//! subtrees are kept from [`STORED_FROM`] on; those below are few leaves away.

use counterfoil_data::leaf::Leaf;
use counterfoil_data::tlog::{Frontier, TlogError, leaf_hash};
use counterfoil_data::wire::Digest;

use super::key::{self, Table};
use super::overlay::{Overlay, get};
use super::record::books::{CheckpointRow, LogHeadRow};
use crate::store::{From as End, Read, StoreError};

const BROKEN: StoreError = StoreError::Contradiction("the evidence log is broken");

/// The lowest level whose hashes are kept. The levels below would be 15 of 16 rows of
/// the table, and an inclusion proof needs at most 15 leaves for all of them.
pub const STORED_FROM: u8 = 4;

fn head(read: &dyn Read) -> Result<LogHeadRow, StoreError> {
    Ok(get(read, &key::single(Table::LogHead))?.unwrap_or_default())
}

/// Leaves so far.
pub fn size(read: &dyn Read) -> Result<u64, StoreError> {
    Ok(head(read)?.size)
}

/// A complete subtree's hash; the source of proofs.
pub fn node(read: &dyn Read, level: u8, index: u64) -> Option<Digest> {
    if level < STORED_FROM {
        return hashed(read, level, index).ok()?;
    }
    let bytes = read.read(&key::tree_hash(level, index)).ok()??;
    Some(Digest(bytes.try_into().ok()?))
}

/// A small subtree's hash from its leaves; `None` before it is complete.
fn hashed(read: &dyn Read, level: u8, index: u64) -> Result<Option<Digest>, StoreError> {
    let span = 1_u64 << level;
    let first = index.saturating_mul(span);
    let leaves = leaf_hashes(read, first, span)?;
    if u64::try_from(leaves.len()).ok() != Some(span) {
        return Ok(None);
    }
    let mut subtree = Frontier::default();
    for leaf in leaves {
        subtree.append(leaf, |_, _, _| {}).map_err(broken)?;
    }
    Ok(Some(subtree.root()))
}

/// Hashes of up to `limit` leaves from `first` on.
pub fn leaf_hashes(read: &dyn Read, first: u64, limit: u64) -> Result<Vec<Digest>, StoreError> {
    let low = key::numbered(Table::Leaf, first);
    let high = key::numbered(Table::Leaf, first.saturating_add(limit));
    let rows = read.range(&low, &high, End::First, usize::try_from(limit).unwrap_or(0))?;
    Ok(rows.iter().map(|(_, bytes)| leaf_hash(bytes)).collect())
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
    let head = head(books)?;
    let mut frontier = Frontier::of(head.size, head.peaks).map_err(broken)?;
    let mut nodes = Vec::new();
    let index = frontier
        .append(leaf_hash(&bytes), |level, index, hash| {
            if level >= STORED_FROM {
                nodes.push((level, index, hash));
            }
        })
        .map_err(broken)?;
    for (level, index, hash) in nodes {
        books.put_bytes(key::tree_hash(level, index), hash.0.to_vec());
    }
    books.put_bytes(key::numbered(Table::Leaf, index), bytes);
    if let Some(salt) = salt {
        books.put_bytes(key::numbered(Table::LeafSalt, index), salt.to_vec());
    }
    let head = LogHeadRow {
        size: frontier.size(),
        peaks: frontier.peaks().to_vec(),
    };
    books.put(key::single(Table::LogHead), &head)?;
    Ok(index)
}

/// The right edge of everything appended.
pub fn frontier(read: &dyn Read) -> Result<Frontier, StoreError> {
    let head = head(read)?;
    Frontier::of(head.size, head.peaks).map_err(broken)
}

/// Root over everything appended.
pub fn root(read: &dyn Read) -> Result<Digest, StoreError> {
    Ok(frontier(read)?.root())
}

/// Whether the log is the one that was signed last: its size and its root, and the hashes
/// and leaves at its right edge lead to that root.
pub fn is_signed(read: &dyn Read) -> Result<bool, StoreError> {
    let signed: Option<CheckpointRow> = get(read, &key::single(Table::Checkpoint))?;
    let head = frontier(read)?;
    let source = |level, index| node(read, level, index);
    let same = Frontier::load(head.size(), source).is_ok_and(|stored| stored == head);
    Ok(match signed {
        None => same && head.size() == 0,
        Some(row) => same && row.size == head.size() && row.root == head.root(),
    })
}
