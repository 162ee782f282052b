//! What an event is about: its sale, what somebody said.

use counterfoil_data::ids::SaleId;

use super::{Enrolled, Event, Witnessed};

impl Event {
    /// The sale it is about, if any.
    pub fn sale(&self) -> Option<SaleId> {
        match self {
            Self::Enrolled(_)
            | Self::AccountStateChanged { .. }
            | Self::BlanksReceived { .. }
            | Self::BlanksCounted { .. }
            | Self::CassetteLoaded { .. }
            | Self::CassetteUnloaded { .. }
            | Self::SlotLocked { .. }
            | Self::SlotUnlocked { .. }
            | Self::CustodyProposed(_)
            | Self::CustodyApproved { .. }
            | Self::CustodyRefused { .. }
            | Self::Witnessed(_)
            | Self::Staff(_)
            | Self::Delivered { .. } => None,
            Self::SaleOpened(row) => Some(row.sale),
            Self::BlanksHandled(handled) => handled.sale,
            Self::FormChanged(change) => Some(change.sale),
            Self::SheetChanged(change) => Some(change.sale),
            Self::SecondFinger(second) => Some(second.sale),
            Self::UnknownResolved { sale, .. } => *sale,
            Self::InfoAttempted { sale, .. }
            | Self::InfoVerified { sale, .. }
            | Self::InfoFailed { sale, .. }
            | Self::IdentityAttempted { sale, .. }
            | Self::IdentityVerified { sale, .. }
            | Self::IdentityFailed { sale, .. }
            | Self::SaleRefused { sale, .. }
            | Self::Ordered { sale, .. }
            | Self::ConfirmationShown { sale, .. }
            | Self::ConfirmationSeen { sale, .. }
            | Self::Confirmed { sale, .. }
            | Self::Denied { sale, .. }
            | Self::Asked { sale, .. }
            | Self::ConfirmationTimedOut { sale, .. }
            | Self::Linked { sale, .. }
            | Self::StrayFrozen { sale, .. }
            | Self::FormSupplied { sale, .. }
            | Self::SaleCancelled { sale }
            | Self::SaleExpired { sale }
            | Self::SaleSuspended { sale, .. }
            | Self::SaleClosed { sale, .. }
            | Self::FormsMarked { sale, .. } => Some(*sale),
        }
    }

    /// What a person said about it, in their own words: kept beside the leaf, which
    /// has them under its salt only.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Denied { note, .. } => note.as_deref(),
            Self::Asked { question, .. } => Some(question),
            Self::UnknownResolved { evidence, .. } => Some(evidence),
            Self::BlanksHandled(handled) => handled.seen.as_deref(),
            Self::Enrolled(enrolled) => match &**enrolled {
                Enrolled::Prints(prints) => prints.reason.as_deref(),
                _ => None,
            },
            Self::Witnessed(witnessed) => match &**witnessed {
                Witnessed::Reconciled { reason, .. } | Witnessed::ClockAccepted { reason, .. } => {
                    Some(reason)
                }
                _ => None,
            },
            _ => None,
        }
    }
}
