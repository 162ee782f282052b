//! Two people and blanks: what waits, a proposal, and another person's decision.

use std::rc::Rc;

use counterfoil_data::ids::{BranchId, StaffId};
use counterfoil_data::wire::custody::{Approve, Propose};

use super::super::Service;
use super::super::books::told;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::super::route::Operation;
use super::{Asked, Given};
use crate::core::command::{CommandBody, Outcome};
use crate::core::query::{self, Signer};

/// The member of staff who signed.
fn person(asked: &Asked) -> Result<(&StaffId, &BranchId), Fault> {
    match &asked.signer {
        Signer::Staff { id, branch, .. } => Ok((id, branch)),
        Signer::Kiosk { .. } | Signer::Station { .. } => Err(Fault::not_yours()),
    }
}

impl Service {
    /// What of the signer's branch waits for two people.
    pub(super) fn custody(&self, asked: &Asked) -> Result<Reply, Fault> {
        let (staff, branch) = person(asked)?;
        let books = self.books()?;
        let view = query::custody_view(books.read(), staff, branch, self.clock.now());
        Reply::json(&told(view)?)
    }

    /// One person proposes.
    pub(super) async fn propose(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let Propose { act } = asked.json()?;
        let given = self
            .give(&asked, CommandBody::ProposeCustody { act })
            .await?;
        self.proposed(&asked, &given)
    }

    /// Another person approves or refuses; each names the digest of what was looked at.
    pub(super) async fn second(
        self: &Rc<Self>,
        operation: Operation,
        asked: Asked,
    ) -> Result<Reply, Fault> {
        let number = asked.params.number(0);
        let proposal =
            number.ok_or_else(|| Fault::malformed("a proposal is named by its number"))?;
        let Approve { digest, count } = asked.json()?;
        let body = match operation {
            Operation::Approve => CommandBody::ApproveCustody {
                proposal,
                digest,
                count,
            },
            _ => CommandBody::RefuseCustody { proposal, digest },
        };
        let given = self.give(&asked, body).await?;
        self.proposed(&asked, &given)
    }

    /// The proposal as it stands now.
    fn proposed(&self, asked: &Asked, given: &Given) -> Result<Reply, Fault> {
        let (_, branch) = person(asked)?;
        let Outcome::Proposed { proposal } = given.outcome else {
            return Err(Fault::internal());
        };
        let books = self.books()?;
        let view = query::proposal(books.read(), branch, proposal, self.clock.now());
        let view = told(view)?.ok_or_else(Fault::not_found)?;
        Ok(Reply::json(&view)?.replayed(given.replayed))
    }
}
