//! A proposal: what one of two people wants done with blanks, and what came of it.

use counterfoil_data::ids::{BranchId, StaffId};
use counterfoil_data::wire::custody::{Act, ProposalState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::core::key::Table;
use crate::store::StoreError;

/// Open proposals of one branch at most.
pub const PROPOSALS_OPEN_MAX: usize = 16;
/// Seconds in which another person must approve. It holds by the clock alone: no timer
/// has to run, and nothing is written when it is over.
pub const PROPOSAL_WITHIN_S: i64 = 1_800;
/// Proposals that are over are kept this long for the screens; evidence keeps them all.
pub const PROPOSAL_KEPT_S: i64 = 4 * 24 * 3600;

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalRow {
    /// Its number, over all branches.
    pub number: u64,
    /// Whose blanks.
    pub branch: BranchId,
    /// Who proposed.
    pub by: StaffId,
    /// When.
    pub at: Timestamp,
    /// Nobody can approve it from then on.
    pub expires: Timestamp,
    /// The act as JSON, the form its digest is made of.
    act: String,
    /// Open, done or refused; expiry is told by the clock.
    state: ProposalState,
    /// Who approved or refused it.
    pub decided_by: Option<StaffId>,
}

impl ProposalRow {
    /// A new one.
    pub fn open(number: u64, branch: BranchId, by: StaffId, at: Timestamp, act: &Act) -> Self {
        Self {
            number,
            branch,
            by,
            at,
            expires: crate::core::apply::later(at, PROPOSAL_WITHIN_S),
            act: serde_json::to_string(act).unwrap_or_default(),
            state: ProposalState::Open,
            decided_by: None,
        }
    }

    /// What is proposed.
    pub fn act(&self) -> Result<Act, StoreError> {
        let bent = StoreError::Contradiction("a proposal of no known act");
        serde_json::from_str(&self.act).map_err(|_| bent)
    }

    /// Where it stands at `now`.
    pub fn state(&self, now: Timestamp) -> ProposalState {
        match self.state {
            ProposalState::Open if self.expires <= now => ProposalState::Expired,
            state => state,
        }
    }

    /// Somebody approved (`done`) or refused it.
    pub fn decide(&mut self, by: StaffId, done: bool) {
        self.decided_by = Some(by);
        self.state = if done {
            ProposalState::Done
        } else {
            ProposalState::Refused
        };
    }
}

impl Record for ProposalRow {
    const TABLE: Table = Table::Proposal;
}
