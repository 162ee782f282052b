//! What happens with a second finger (S13).

use counterfoil_data::ids::{AgentId, SaleId};
use counterfoil_data::wire::problem::RuleRefusal;
use counterfoil_data::wire::sale::FingerPosition;

use crate::core::record::books::AttemptRow;
use crate::store::Key;

/// Something about the second finger of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFinger {
    /// Which sale.
    pub sale: SaleId,
    /// What.
    pub to: FingerChange,
}

/// What happened with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FingerChange {
    /// An attempt was counted.
    Attempted {
        /// Its number.
        attempt: u32,
        /// Whose other fingers are compared.
        agent: AgentId,
        /// The next challenge.
        challenge: [u8; 16],
        /// Counters after it.
        counted: Vec<(Key, AttemptRow)>,
    },
    /// Both fingers agree.
    Verified {
        /// Who.
        agent: AgentId,
        /// The second one.
        finger: FingerPosition,
        /// Its score in thousandths.
        score_milli: u32,
        /// Of both together.
        both_milli: u32,
        /// The matcher.
        engine: String,
        /// The template of the touch in its envelope.
        touch: Option<Vec<u8>>,
        /// Counters that start anew.
        cleared: Vec<Key>,
    },
    /// It did not agree, or both together are not enough.
    Failed {
        /// Its score in thousandths.
        score_milli: u32,
        /// The matcher.
        engine: String,
        /// What the customer is told.
        refusal: RuleRefusal,
    },
}
