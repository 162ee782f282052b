//! The custody terminal's calls, over the same link.

use counterfoil_data::wire::custody::{Approve, CustodyView, ProposalView, Propose};

use super::{Ask, Dial, Link, LinkError};

impl<D: Dial> Link<D> {
    /// `GET /v1/custody`.
    pub async fn custody(&self) -> Result<CustodyView, LinkError> {
        self.json(&Ask::read("/v1/custody")).await
    }

    /// `POST /v1/custody`.
    pub async fn propose(&self, propose: &Propose, key: &str) -> Result<ProposalView, LinkError> {
        self.json(&Ask::post("/v1/custody", propose).keyed(key))
            .await
    }

    /// `POST /v1/custody/{proposal}/approve`.
    pub async fn approve(
        &self,
        proposal: u64,
        approve: &Approve,
    ) -> Result<ProposalView, LinkError> {
        let path = format!("/v1/custody/{proposal}/approve");
        self.json(&Ask::post(path, approve)).await
    }

    /// `POST /v1/custody/{proposal}/refuse`.
    pub async fn refuse(&self, proposal: u64, refuse: &Approve) -> Result<ProposalView, LinkError> {
        let path = format!("/v1/custody/{proposal}/refuse");
        self.json(&Ask::post(path, refuse)).await
    }
}
