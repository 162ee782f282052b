//! Restored books, and what each kiosk's own memory of the evidence log says of them.

use counterfoil_data::ids::KioskId;
use counterfoil_data::wire::sale::TreeSeen;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::core::key::Table;

/// Name of the counter of kiosks that stand at [`Standing::Ahead`].
pub const AHEAD_COUNTER: &str = "kiosks-ahead";

/// The restore that these books come from; books that never were restored have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredRow {
    /// The how-many-eth, from 1.
    pub number: u64,
    /// When they were restored.
    pub at: Timestamp,
    /// When the backup was made.
    pub backup_at: Timestamp,
    /// The log they were put back to.
    pub tree: TreeSeen,
}

/// How a kiosk stands to the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It had seen nothing that they lack.
    Released(TreeSeen),
    /// It has seen this log, which is not in them. It sells nothing.
    Ahead(TreeSeen),
    /// Two people settled what the log it had seen says; `None` where it said nothing.
    Reconciled(Option<TreeSeen>),
}

/// A kiosk's standing. Kiosks of books that never were put back have no row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessRow {
    /// Which.
    pub kiosk: KioskId,
    /// Under which restore; 0 where there was none.
    pub restored: u64,
    /// How it stands.
    pub standing: Standing,
    /// Since when.
    pub at: Timestamp,
}

impl Record for RestoredRow {
    const TABLE: Table = Table::Restored;
}

impl Record for WitnessRow {
    const TABLE: Table = Table::Witness;
}
