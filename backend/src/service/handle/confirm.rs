//! The confirm station's conversation (S17 to S22).

use std::rc::Rc;

use counterfoil_data::wire::confirm::{Decision, NOTE_MAX};

use super::super::Service;
use super::super::books::told;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::super::route::Operation;
use super::Asked;
use crate::core::command::CommandBody;
use crate::core::query::{self, Signer};

impl Service {
    /// Everything this station's officer has to look at.
    pub(super) fn confirmations(&self, asked: &Asked) -> Result<Reply, Fault> {
        let Signer::Station { branch, .. } = &asked.signer else {
            return Err(Fault::not_yours());
        };
        let books = self.books()?;
        let shown = query::confirmations(books.read(), branch, self.clock.now());
        Reply::json(&told(shown)?)
    }

    /// Seen, confirm, deny or ask; each names the digest of what was looked at.
    pub(super) async fn decide(
        self: &Rc<Self>,
        operation: Operation,
        asked: Asked,
    ) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        self.books()?.sale_of(&asked.signer, sale)?;
        let Decision { digest, note } = asked.json()?;
        // Also where nobody keeps it: what is longer than the manual says is a mistake.
        if note.as_ref().is_some_and(|n| n.chars().count() > NOTE_MAX) {
            return Err(Fault::malformed("a note is at most 200 characters"));
        }
        let body = if operation == Operation::Seen {
            CommandBody::MarkSeen { sale, digest }
        } else {
            let digest = digest.ok_or_else(|| {
                Fault::malformed("a decision names the digest of the text that was looked at")
            })?;
            match operation {
                Operation::Confirm => CommandBody::Confirm { sale, digest },
                Operation::Deny => CommandBody::Deny { sale, digest, note },
                _ => CommandBody::Ask {
                    sale,
                    digest,
                    question: note.unwrap_or_default(),
                },
            }
        };
        let given = self.give(&asked, body).await?;
        let view = self.books()?.confirmation(sale)?;
        Ok(Reply::json(&view)?.replayed(given.replayed))
    }
}
