//! What a backup says of itself, in a row of its own; books have none.

use counterfoil_data::wire::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::core::key::Table;

/// The manifest of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRow {
    /// Schema of its rows.
    pub schema: u32,
    /// Origin of the evidence log: which bank's books these are.
    pub origin: String,
    /// When it was begun.
    pub at: Timestamp,
    /// Leaves of the evidence log.
    pub size: u64,
    /// Root over them.
    pub root: Digest,
    /// The signed checkpoint over both.
    pub note: String,
    /// Rows, without this one.
    pub rows: u64,
    /// Digest over them (`store::redb::copy`).
    pub digest: Digest,
}

impl Record for ManifestRow {
    const TABLE: Table = Table::Meta;
}
