//! The timeline of one number, out of evidence (`GET /v1/evidence/number/…`):
//! which leaves speak of it, when, and what kind each is. No personal data.

use counterfoil_data::bill::BillNumber;
use serde::Serialize;

/// Everything that happened to one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NumberTimeline {
    /// The number.
    pub number: BillNumber,
    /// Oldest first.
    pub steps: Vec<NumberStep>,
}

/// One thing that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NumberStep {
    /// Index of the leaf in the evidence log.
    pub leaf: u64,
    /// When, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// What, as the leaf's kind names it.
    pub what: String,
}
