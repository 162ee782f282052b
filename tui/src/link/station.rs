//! The confirm station's calls (S17-S22), over the same link.

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::confirm::{ConfirmationView, Decision};

use super::{Ask, Dial, Link, LinkError};

/// What an officer does with a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Looked at it (S20).
    Seen,
    /// Confirms.
    Confirm,
    /// Denies.
    Deny,
    /// Asks again.
    Ask,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Confirm => "confirm",
            Self::Deny => "deny",
            Self::Ask => "ask",
        }
    }
}

impl<D: Dial> Link<D> {
    /// `GET /v1/confirmations`.
    pub async fn confirmations(&self) -> Result<Vec<ConfirmationView>, LinkError> {
        self.json(&Ask::read("/v1/confirmations")).await
    }

    /// `POST /v1/confirmations/{sale}/{verb}`.
    pub async fn decide(
        &self,
        sale: SaleId,
        verb: Verb,
        decision: &Decision,
    ) -> Result<ConfirmationView, LinkError> {
        let path = format!("/v1/confirmations/{sale}/{}", verb.word());
        self.json(&Ask::post(path, decision)).await
    }
}
