//! What a settled gate answers: message 1, message 2, or why not (S4, S14).

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::problem::ProblemKind;
use counterfoil_data::wire::sale::SaleState;

use super::super::Service;
use super::super::fault::Fault;
use super::super::reply::Reply;
use crate::core::command::Outcome;

/// Id of the rule that ends a sale after too many attempts.
const LOCKED_RULE: &str = "locked";

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
        if verified && view.state != SaleState::Refused {
            return Reply::json(&view);
        }
        self.meter.not_verified.one();
        let fault = match view.refusal {
            Some(rule) if rule.rule == LOCKED_RULE => Fault {
                rule: Some(rule),
                ..Fault::new(
                    ProblemKind::Locked,
                    "locked after too many attempts: staff can help",
                )
            },
            Some(rule) => Fault {
                rule: Some(rule),
                ..Fault::new(ProblemKind::Refused, "a rule refused and ended the sale")
            },
            None => Fault::new(
                ProblemKind::NotVerified,
                "not verified: seal anew under the sale's new challenge",
            ),
        };
        Err(Fault {
            state: Some(view.state),
            attempts_left: left.or(view.attempts_left),
            ..fault
        })
    }
}
