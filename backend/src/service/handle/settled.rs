//! What a settled gate answers: message 1, message 2, or why not (S4, S14).

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::problem::ProblemKind;
use counterfoil_data::wire::sale::{SaleState, SaleView};

use super::super::Service;
use super::super::fault::Fault;
use super::super::reply::Reply;
use crate::core::command::Outcome;
use crate::core::rules::LOCKED;

impl Service {
    /// The view after a verified gate; otherwise 422 with attempts left, 422 with
    /// the rule that ended the sale, or 423 when it was the lock.
    pub(super) fn settled_reply(&self, sale: SaleId, outcome: &Outcome) -> Result<Reply, Fault> {
        let view = self.books()?.sale_view(sale, self.clock.now())?;
        let (verified, left) = match outcome {
            Outcome::Settled {
                verified,
                attempts_left,
                ..
            } => (*verified, Some(*attempts_left)),
            _ => (false, None),
        };
        let ended = view.state == SaleState::Refused;
        if verified && !ended {
            return Reply::json(&view);
        }
        self.meter.not_verified.one();
        Err(Fault {
            attempts_left: left.or(view.attempts_left),
            ..refusal(view)
        })
    }

    /// A sale that a rule ended on the way: 422 with the rule.
    pub(super) fn refused_reply(&self, sale: SaleId) -> Result<Reply, Fault> {
        let view = self.books()?.sale_view(sale, self.clock.now())?;
        Err(refusal(view))
    }
}

/// Why a sale is where it is.
fn refusal(view: SaleView) -> Fault {
    let ended = view.state == SaleState::Refused;
    let locked = view.refusal.as_ref().is_some_and(|r| r.rule == LOCKED);
    let (kind, detail) = match (ended, locked) {
        (true, true) => (
            ProblemKind::Locked,
            "locked after too many attempts: staff can help",
        ),
        (true, false) => (ProblemKind::Refused, "a rule refused and ended the sale"),
        (false, _) => (
            ProblemKind::NotVerified,
            "not verified: seal anew under the sale's new challenge",
        ),
    };
    Fault {
        state: Some(view.state),
        rule: view.refusal.map(Box::new),
        ..Fault::new(kind, detail)
    }
}
