//! Reading the books for an answer: one snapshot, faults instead of store errors.

use counterfoil_data::ids::{AgentId, SaleId};
use counterfoil_data::wire::confirm::ConfirmationView;
use counterfoil_data::wire::sale::SaleView;
use jiff::Timestamp;

use super::fault::Fault;
use super::{Service, fault};
use crate::core::query::{self, Images, SaleHead, Signer};
use crate::store::{Read, StoreError};

/// One snapshot.
pub struct Books(Box<dyn Read>);

impl Service {
    /// The books as of the last commit.
    pub(super) fn books(&self) -> Result<Books, Fault> {
        told(self.snapshots.snapshot()).map(Books)
    }
}

/// A store error becomes a fault; its cause is logged, never sent.
pub(super) fn told<T>(result: Result<T, StoreError>) -> Result<T, Fault> {
    result.map_err(|error| {
        tracing::error!(%error, "the books cannot be read");
        fault::Fault::internal()
    })
}

impl Books {
    /// The snapshot, for queries that need no translation.
    pub fn read(&self) -> &dyn Read {
        &*self.0
    }

    /// An enrolled signer by key id.
    pub fn signer(&self, key_id: &str) -> Result<Option<Signer>, Fault> {
        told(query::signer(self.read(), key_id))
    }

    /// The facts of a sale the signer may touch: a kiosk its own, a station those
    /// of its branch.
    pub fn sale_of(&self, signer: &Signer, sale: SaleId) -> Result<SaleHead, Fault> {
        let head = told(query::sale_head(self.read(), sale))?.ok_or_else(Fault::not_found)?;
        let theirs = match signer {
            Signer::Kiosk { id, .. } => head.kiosk == *id,
            Signer::Station { branch, .. } => head.branch == *branch,
            // Staff see of a sale what waits for two people, and by no other way.
            Signer::Staff { .. } => false,
        };
        if theirs {
            Ok(head)
        } else {
            Err(Fault::not_yours())
        }
    }

    /// A sale as its kiosk may see it.
    pub fn sale_view(&self, sale: SaleId, now: Timestamp) -> Result<SaleView, Fault> {
        told(query::sale_view(self.read(), sale, now))?.ok_or_else(Fault::not_found)
    }

    /// The stored images of an agent's prints, each in its envelope.
    pub fn prints(&self, agent: &AgentId) -> Result<Images, Fault> {
        told(query::prints(self.read(), agent))
    }

    /// A confirmation as its station may see it.
    pub fn confirmation(&self, sale: SaleId) -> Result<ConfirmationView, Fault> {
        told(query::confirmation(self.read(), sale))?.ok_or_else(Fault::not_found)
    }
}
