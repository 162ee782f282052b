//! Inclusion and consistency proofs (RFC 6962 §2.1, verification RFC 9162 §2.1).
//!
//! Recursion halves the tree, so it is at most 48 deep and a proof at most 49
//! hashes long.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "sizes are at most 2^48 and indices lie below them, checked on entry; every split is positive and below its size"
)]

use super::{SIZE_MAX, TlogError, empty_root, node_hash};
use crate::wire::Digest;

/// Hashes in a proof at most.
const PROOF_MAX: usize = 64;

/// What an inclusion proof claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inclusion<'a> {
    /// Index of the leaf.
    pub index: u64,
    /// Its hash.
    pub leaf: Digest,
    /// Leaves in the log.
    pub size: u64,
    /// Root of the log.
    pub root: Digest,
    /// Audit path, bottom up.
    pub path: &'a [Digest],
}

/// What a consistency proof claims: the old log is the beginning of the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consistency<'a> {
    /// Leaves of the older log.
    pub old_size: u64,
    /// Its root.
    pub old_root: Digest,
    /// Leaves of the newer log.
    pub new_size: u64,
    /// Its root.
    pub new_root: Digest,
    /// The proof.
    pub path: &'a [Digest],
}

/// Largest power of two below `n`; `n` is at least 2.
fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros().min(63))
}

/// Root of the `n` leaves from `start` on, where `start` is a multiple of the
/// power of two that covers `n`.
fn range<S: Fn(u8, u64) -> Option<Digest>>(
    start: u64,
    n: u64,
    source: &S,
) -> Result<Digest, TlogError> {
    if n.is_power_of_two() {
        let level = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
        let index = start >> level;
        return source(level, index).ok_or(TlogError::Missing { level, index });
    }
    let k = split(n);
    Ok(node_hash(
        &range(start, k, source)?,
        &range(start + k, n - k, source)?,
    ))
}

/// The root of the first `size` leaves of a stored log.
pub fn root_of(size: u64, source: impl Fn(u8, u64) -> Option<Digest>) -> Result<Digest, TlogError> {
    match size {
        0 => Ok(empty_root()),
        1..=SIZE_MAX => range(0, size, &source),
        _ => Err(TlogError::Outside { index: size, size }),
    }
}

/// The audit path of leaf `index` in the first `size` leaves, bottom up.
pub fn inclusion(
    index: u64,
    size: u64,
    source: impl Fn(u8, u64) -> Option<Digest>,
) -> Result<Vec<Digest>, TlogError> {
    if index >= size || size > SIZE_MAX {
        return Err(TlogError::Outside { index, size });
    }
    let (mut start, mut n) = (0, size);
    let mut path = Vec::new();
    while n > 1 {
        let k = split(n);
        if index - start < k {
            path.push(range(start + k, n - k, &source)?);
            n = k;
        } else {
            path.push(range(start, k, &source)?);
            start += k;
            n -= k;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the first `old` leaves are the beginning of the first `new`.
/// Empty for equal sizes and for an empty old log.
pub fn consistency(
    old: u64,
    new: u64,
    source: impl Fn(u8, u64) -> Option<Digest>,
) -> Result<Vec<Digest>, TlogError> {
    if old > new || new > SIZE_MAX {
        return Err(TlogError::Outside {
            index: old,
            size: new,
        });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut start, mut n, mut whole) = (0, new, true);
    let mut path = Vec::new();
    while old - start != n {
        let k = split(n);
        if old - start <= k {
            path.push(range(start + k, n - k, &source)?);
            n = k;
        } else {
            path.push(range(start, k, &source)?);
            start += k;
            n -= k;
            whole = false;
        }
    }
    if !whole {
        path.push(range(start, n, &source)?);
    }
    path.reverse();
    Ok(path)
}

/// RFC 9162 §2.1.3.2.
pub fn verify_inclusion(claim: &Inclusion<'_>) -> Result<(), TlogError> {
    let (index, size) = (claim.index, claim.size);
    if index >= size || size > SIZE_MAX || claim.path.len() > PROOF_MAX {
        return Err(TlogError::Outside { index, size });
    }
    let (mut fr, mut sn) = (index, size - 1);
    let mut hash = claim.leaf;
    for sibling in claim.path {
        if sn == 0 {
            return Err(TlogError::Broken);
        }
        if fr & 1 == 1 || fr == sn {
            hash = node_hash(sibling, &hash);
            while fr & 1 == 0 && fr != 0 {
                fr >>= 1;
                sn >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        fr >>= 1;
        sn >>= 1;
    }
    let holds = sn == 0 && hash == claim.root;
    holds.then_some(()).ok_or(TlogError::Broken)
}

/// RFC 9162 §2.1.4.2. An empty old log is consistent with everything.
pub fn verify_consistency(claim: &Consistency<'_>) -> Result<(), TlogError> {
    let (old, new) = (claim.old_size, claim.new_size);
    if old > new || new > SIZE_MAX || claim.path.len() > PROOF_MAX {
        return Err(TlogError::Outside {
            index: old,
            size: new,
        });
    }
    if old == 0 || old == new {
        let roots = if old == 0 {
            claim.old_root == empty_root()
        } else {
            claim.old_root == claim.new_root
        };
        let holds = claim.path.is_empty() && roots;
        return holds.then_some(()).ok_or(TlogError::Broken);
    }
    let mut path = claim.path.iter();
    let first = if old.is_power_of_two() {
        claim.old_root
    } else {
        *path.next().ok_or(TlogError::Broken)?
    };
    let (mut fr, mut sr) = (first, first);
    let shift = (old - 1).trailing_ones();
    let (mut fnode, mut snode) = ((old - 1) >> shift, (new - 1) >> shift);
    for hash in path {
        if snode == 0 {
            return Err(TlogError::Broken);
        }
        if fnode & 1 == 1 || fnode == snode {
            fr = node_hash(hash, &fr);
            sr = node_hash(hash, &sr);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            sr = node_hash(&sr, hash);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    let holds = fr == claim.old_root && sr == claim.new_root && snode == 0;
    holds.then_some(()).ok_or(TlogError::Broken)
}
