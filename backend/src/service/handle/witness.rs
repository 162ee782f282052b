//! What a kiosk has seen of the evidence log, compared with the books.

use counterfoil_data::wire::sale::{TreeSeen, Witness};

use super::super::Service;
use super::super::books::told;
use super::super::fault::Fault;
use super::Asked;
use crate::core::command::CommandBody;
use crate::core::query::Signer;
use crate::core::witness::look;

impl Service {
    /// Makes durable what a kiosk's word changes: that it has nothing restored books
    /// lack, or that it has, which is an alarm. The core refuses its sales from then on.
    pub(super) async fn hear_tree(
        &self,
        asked: &Asked,
        seen: Option<TreeSeen>,
    ) -> Result<(), Fault> {
        let (Signer::Kiosk { id, .. }, Some(seen)) = (&asked.signer, seen) else {
            return Ok(());
        };
        let look = told(look(self.books()?.read(), id, Some(seen)))?;
        if !look.is_news {
            return Ok(());
        }
        let body = CommandBody::ReportTree(seen);
        self.make(self.fresh(asked.actor(), body)).await?;
        if look.witness == Witness::Behind {
            self.meter.books_behind.one();
            let seen = seen.size;
            tracing::error!(
                kiosk = %id,
                seen,
                "ALARM: this kiosk saw evidence that is not in the books: they were put back. \
                 It sells nothing until two people reconcile it"
            );
        } else {
            tracing::info!(kiosk = %id, "the kiosk saw nothing that the books lack: it sells");
        }
        Ok(())
    }
}
