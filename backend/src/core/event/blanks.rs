//! Blanks that people moved otherwise than into and out of slots.

use counterfoil_data::bill::BillRange;
use counterfoil_data::ids::SaleId;

use super::TwoPeople;
use crate::core::record::stock::Place;

/// What people did with blanks away from the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// Announced; not received yet.
    Announced,
    /// Handed over to another keeper.
    Dispatched,
    /// Accepted from another keeper.
    Accepted,
    /// Not where they should be.
    Missed,
    /// Found again.
    Found,
    /// Cut.
    Voided,
    /// Destroyed.
    Destroyed,
    /// Given back by the customer, and cut.
    Returned,
}

/// Blanks that people moved, all from one place to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlanksHandled {
    /// How.
    pub how: Handling,
    /// Which.
    pub range: BillRange,
    /// The sale they were for, if for one.
    pub sale: Option<SaleId>,
    /// Where they are now.
    pub to: Place,
    /// What was seen.
    pub seen: Option<String>,
    /// Who.
    pub by: TwoPeople,
}
