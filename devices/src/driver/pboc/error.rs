//! Why a settlement card was not read, and what to do about it.

use counterfoil_data::wire::problem::Remedy;

use super::oda::OdaError;
use super::tlv::TlvError;
use crate::driver::ccid::CcidError;

/// A fault of one card read. Never holds a card number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// Reader or contact.
    #[error("{0}")]
    Reader(CcidError),
    /// Pulled out while it was read.
    #[error("the card was pulled out while it was read")]
    Removed,
    /// The card is blocked by its issuer (6A81).
    #[error("the card is blocked: its issuer must unblock it")]
    Blocked,
    /// A chip without a settlement application (单位结算卡).
    #[error("not a settlement card: none of its applications is known here")]
    NotSettlementCard,
    /// A command failed.
    #[error("the card refused {command} with {sw:04x}")]
    Refused {
        /// What was asked.
        command: &'static str,
        /// The status word.
        sw: u16,
    },
    /// What came is not what cards may answer.
    #[error("the card's {what} is malformed: {source}")]
    Malformed {
        /// Which answer.
        what: &'static str,
        /// Why.
        source: TlvError,
    },
    /// A field is missing, out of form, or two fields disagree.
    #[error("the card's {0} is missing, out of form or contradicted by another field")]
    Field(&'static str),
    /// Past its last month.
    #[error("the card has expired")]
    Expired,
    /// Offline data authentication failed: altered data or a copied chip.
    #[error("the card is not authentic: {0}")]
    NotAuthentic(OdaError),
    /// The time for the whole read was up.
    #[error("the card was not read in time")]
    Late,
}

impl From<CcidError> for CardError {
    fn from(error: CcidError) -> Self {
        match error {
            CcidError::Absent => Self::Removed,
            other => Self::Reader(other),
        }
    }
}

impl CardError {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Reader(error) => error.remedy(),
            Self::Removed | Self::Late => Remedy::Retry,
            Self::Malformed { .. } | Self::Field(_) | Self::Refused { .. } => Remedy::Retry,
            Self::NotSettlementCard => Remedy::Retry,
            Self::Blocked | Self::Expired | Self::NotAuthentic(_) => Remedy::CallStaff,
        }
    }
}
