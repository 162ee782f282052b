//! What becomes known of books that were put back, or whose clock was.

use counterfoil_data::ids::KioskId;
use counterfoil_data::wire::sale::TreeSeen;
use jiff::Timestamp;

use super::TwoPeople;
use crate::core::record::witness::RestoredRow;

/// What became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witnessed {
    /// The books were restored.
    Restored(RestoredRow),
    /// A kiosk saw a log that is not in the books.
    Ahead {
        /// Which.
        kiosk: KioskId,
        /// What it saw.
        seen: TreeSeen,
    },
    /// A kiosk saw nothing that restored books lack.
    Released {
        /// Which.
        kiosk: KioskId,
        /// What it saw.
        seen: TreeSeen,
    },
    /// Two people settled what a kiosk did that the books lack.
    Reconciled {
        /// Which.
        kiosk: KioskId,
        /// What it saw, where it said so.
        seen: Option<TreeSeen>,
        /// Who.
        by: TwoPeople,
        /// What they found and did.
        reason: String,
    },
    /// Two people said that the clock is right, though behind the newest record.
    ClockAccepted {
        /// Of when that was.
        newest: Timestamp,
        /// Who.
        by: TwoPeople,
        /// How they know.
        reason: String,
    },
}
