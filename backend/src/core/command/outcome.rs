//! What commands come to, and the answers the writer gives.

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::AgentId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::sale::SaleState;
use serde::{Deserialize, Serialize};

use super::LoginOutcome;
use crate::core::record::bank::EnrolledFinger;
use crate::core::refusal::Refusal;

/// What a command came to. The sale itself is read with `core::query`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done; nothing to tell.
    Done,
    /// The sale is now in this state (also when a rule ended it: `Refused`).
    Sale(SaleState),
    /// Attempt counted; verify now, then send `SettleInfo`.
    InfoCheck(InfoCheck),
    /// Attempt counted; compare now, then send `SettleIdentity`.
    IdentityCheck(IdentityCheck),
    /// A gate's check is settled.
    Settled {
        /// Message 1 or message 2 is given.
        verified: bool,
        /// State after it.
        state: SaleState,
        /// Attempts left at this gate.
        attempts_left: u32,
    },
    /// Linked processing is committed (S8).
    Linked {
        /// Requisition number (领用单号).
        requisition: String,
        /// Numbers assigned.
        ranges: Vec<BillRange>,
        /// Fee taken.
        fee: Fen,
    },
    /// The numbers confirmed are no longer at the head: shown again, `409 range-moved`.
    RangeMoved {
        /// State after it.
        state: SaleState,
    },
    /// Counted blind (盘点); the books say the same, or not.
    Counted {
        /// Whether they agree.
        agrees: bool,
    },
    /// Every advice is durable.
    Forms {
        /// How many.
        accepted: u32,
        /// Numbers given in place of those that failed in this call.
        supplements: Vec<BillNumber>,
    },
    /// An act of two people is proposed or decided.
    Proposed {
        /// The proposal's number.
        proposal: u64,
    },
    /// Somebody logs in.
    Login(Box<LoginOutcome>),
}

/// What the verifier worker needs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfoCheck {
    /// To name in `SettleInfo`.
    pub attempt: u32,
    /// PHC string to verify against; `None` for an unknown card or account:
    /// hash anyway against a dummy, so that time tells nothing.
    pub verifier: Option<String>,
}

/// What the matcher worker needs (S13).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityCheck {
    /// To name in `SettleIdentity`.
    pub attempt: u32,
    /// Whose fingers these are (associated data of their envelopes).
    pub agent: AgentId,
    /// Enrolled fingers to compare with.
    pub fingers: Vec<EnrolledFinger>,
    /// Which enrolment they are of.
    pub enrolment: u32,
    /// The touch accepted last, its template in its envelope.
    pub touch: Option<Vec<u8>>,
}

impl std::fmt::Debug for InfoCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InfoCheck(attempt {})", self.attempt)
    }
}

impl std::fmt::Debug for IdentityCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdentityCheck(attempt {})", self.attempt)
    }
}

/// What the writer answers: durable when it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Rebuilt for a repeated key; nothing was done this time.
    pub replayed: bool,
    /// What it came to.
    pub result: Result<Outcome, Refusal>,
}
