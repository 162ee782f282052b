//! The evidence log's tree (I8): RFC 6962 / RFC 9162 Merkle hashes, frontier,
//! proofs, and checkpoints as signed notes.
//!
//! Owns hashing and proofs over leaf bytes; what a leaf says is
//! [`crate::leaf`]'s. Keeps nothing: a store gives complete nodes back as
//! `source(level, index)`, where level 0 is leaf hashes and node `index` of
//! level `n` covers leaves `index << n .. (index + 1) << n`. Called by the
//! backend's log, the offline verifier and the kiosk as a witness.

use sha2::Digest as _;

use crate::wire::Digest;

pub mod note;
mod proof;

pub use proof::{
    Consistency, Inclusion, consistency, inclusion, root_of, verify_consistency, verify_inclusion,
};

/// Leaves in a log at most.
pub const SIZE_MAX: u64 = 1 << 48;

/// What is wrong with a log, a proof or a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlogError {
    /// An index or size outside the tree or past [`SIZE_MAX`].
    #[error("index {index} is outside a log of {size} leaves")]
    Outside {
        /// The index or the older size.
        index: u64,
        /// The size.
        size: u64,
    },
    /// The store lacks a complete node.
    #[error("the store lacks node {index} of level {level}: rebuild it from the leaves")]
    Missing {
        /// Level, 0 = leaf hashes.
        level: u8,
        /// Index in the level.
        index: u64,
    },
    /// The proof does not lead to the root.
    #[error("the proof does not lead to the root: the log was changed")]
    Broken,
    /// Not a signed note, or not a checkpoint.
    #[error("malformed checkpoint note")]
    Note,
    /// No signature by the key asked for.
    #[error("the note carries no signature of this key")]
    Unsigned,
    /// There is a signature of this key, and it is wrong.
    #[error("the note's signature is wrong")]
    Forged,
}

/// Hash of a leaf: SHA-256 of `00` and its bytes.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    let hasher = sha2::Sha256::new().chain_update([0]).chain_update(leaf);
    Digest(hasher.finalize().into())
}

/// Hash of an inner node: SHA-256 of `01` and both children.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hasher = sha2::Sha256::new()
        .chain_update([1])
        .chain_update(left.0)
        .chain_update(right.0);
    Digest(hasher.finalize().into())
}

/// Root of the empty log: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// The right edge of a log: one hash for each bit of its size, so that a leaf
/// is appended in O(log n) without reading the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees, largest first.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The frontier of a stored log of `size` leaves.
    pub fn load(size: u64, source: impl Fn(u8, u64) -> Option<Digest>) -> Result<Self, TlogError> {
        if size > SIZE_MAX {
            return Err(TlogError::Outside { index: size, size });
        }
        let mut peaks = Vec::new();
        for level in (0..64_u8).rev().filter(|l| size >> l & 1 == 1) {
            // The complete subtree of this level lies just before the lower bits.
            let index = (size >> level) ^ 1;
            let missing = TlogError::Missing { level, index };
            peaks.push(source(level, index).ok_or(missing)?);
        }
        Ok(Self { size, peaks })
    }

    /// A frontier from its own parts, as kept: one peak for each bit of the size.
    pub fn of(size: u64, peaks: Vec<Digest>) -> Result<Self, TlogError> {
        if size > SIZE_MAX {
            return Err(TlogError::Outside { index: size, size });
        }
        if u32::try_from(peaks.len()).ok() != Some(size.count_ones()) {
            return Err(TlogError::Broken);
        }
        Ok(Self { size, peaks })
    }

    /// Roots of the complete subtrees, largest first.
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the hash of a leaf and hands every node that became complete to
    /// `store(level, index, hash)`, the leaf hash itself first. Returns the
    /// leaf's index.
    pub fn append(
        &mut self,
        leaf: Digest,
        mut store: impl FnMut(u8, u64, Digest),
    ) -> Result<u64, TlogError> {
        let index = self.size;
        if index >= SIZE_MAX {
            return Err(TlogError::Outside { index, size: index });
        }
        let mut hash = leaf;
        store(0, index, hash);
        for level in 0..u8::try_from(index.trailing_ones()).unwrap_or(u8::MAX) {
            let left = self.peaks.pop().ok_or(TlogError::Broken)?;
            hash = node_hash(&left, &hash);
            let above = level.saturating_add(1);
            store(above, index >> above, hash);
        }
        self.peaks.push(hash);
        self.size = index.saturating_add(1);
        Ok(index)
    }

    /// The root over everything appended.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return empty_root();
        };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests;
