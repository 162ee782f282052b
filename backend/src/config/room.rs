//! `cache_mib` and `reserve_mib`: room in memory and on the disk.

use super::{ConfigError, within};

/// Largest database cache in MiB.
pub const CACHE_MAX_MIB: usize = 4_096;
/// Largest reserve in MiB.
pub const RESERVE_MAX_MIB: u64 = 4_096;

/// Where nothing is set.
pub(super) fn cache_mib() -> usize {
    64
}

/// Where nothing is set.
pub(super) fn reserve_mib() -> u64 {
    64
}

/// Both within their bounds.
pub(super) fn check(cache_mib: usize, reserve_mib: u64) -> Result<(), ConfigError> {
    within("cache_mib", cache_mib, 1, CACHE_MAX_MIB)?;
    within("reserve_mib", reserve_mib, 0, RESERVE_MAX_MIB)
}
