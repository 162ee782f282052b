//! Reading the books for an answer: one snapshot, faults instead of store errors.

use counterfoil_data::ids::{AgentId, SaleId};
use counterfoil_data::wire::confirm::ConfirmationView;
use counterfoil_data::wire::problem::ProblemKind;
use counterfoil_data::wire::sale::SaleView;
use jiff::Timestamp;

use super::bell::Bell;
use super::fault::Fault;
use super::{Service, fault};
use crate::core::query::{self, Images, SaleHead, Signer};
use crate::store::{From, Read, Row, StoreError};

/// One snapshot.
pub struct Books(Watched);

/// A snapshot whose first error is heard of. It is fatal here as it is for the writer:
/// redb refuses whatever comes after it, and a house that knows no signer any more would
/// live on as one that answers nobody.
struct Watched {
    read: Box<dyn Read>,
    broken: Bell,
}

impl Watched {
    fn heard<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.broken.ring();
        }
        result
    }
}

impl Read for Watched {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.heard(self.read.read(key))
    }

    fn range(
        &self,
        low: &[u8],
        high: &[u8],
        end: From,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.heard(self.read.range(low, high, end, limit))
    }
}

impl Service {
    /// The books as of the last commit; busy once they failed, for the process is about
    /// to end, and what redb still has in memory is not what it can still read.
    pub(super) fn books(&self) -> Result<Books, Fault> {
        if self.broken.has_rung() || !self.writer.is_alive() {
            let detail = "the books cannot be used: repeat the same request";
            return Err(Fault::new(ProblemKind::Busy, detail));
        }
        let broken = self.broken.clone();
        let read = self.snapshots.snapshot().inspect_err(|_| broken.ring());
        told(read).map(|read| Books(Watched { read, broken }))
    }

    /// Until the books cannot be read: then the process must end.
    pub async fn broken(&self) {
        self.broken.listen_for_first().rung().await;
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
        &self.0
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
