//! What a refusal did not find.

use serde::{Deserialize, Serialize};

/// What was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Missing {
    /// The bank is not enrolled.
    Bank,
    /// Sale.
    Sale,
    /// Kiosk.
    Kiosk,
    /// Station.
    Station,
    /// Slot.
    Slot,
    /// Member of staff.
    Staff,
    /// Unit.
    Unit,
    /// Account.
    Account,
    /// Form.
    Form,
    /// Proposal.
    Proposal,
    /// Payment-password sheet.
    Sheet,
    /// Agent.
    Agent,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bank => "bank",
            Self::Sale => "sale",
            Self::Kiosk => "kiosk",
            Self::Station => "station",
            Self::Slot => "slot",
            Self::Staff => "member of staff",
            Self::Unit => "unit",
            Self::Account => "account",
            Self::Form => "form",
            Self::Proposal => "proposal",
            Self::Sheet => "password sheet",
            Self::Agent => "agent",
        })
    }
}
