//! Every way a request can fail, as problem details (RFC 9457).
//!
//! Owns the mapping to status, headers and the retry hint. Refuses personal data:
//! details are fixed texts or counts, never something a client sent. Called by
//! every stage of a request; a refusal of the core arrives here too.

use counterfoil_data::wire::problem::{Problem, ProblemKind, Retry, RuleRefusal};
use counterfoil_data::wire::sale::SaleState;

use crate::workers::Busy;

/// Seconds a busy client should wait where nothing better is known.
pub const RETRY_AFTER_S: u32 = 1;

impl From<Busy> for Fault {
    fn from(busy: Busy) -> Self {
        Self {
            retry_after_s: busy.retry_after_s,
            ..Self::busy()
        }
    }
}

/// A failed request, before it becomes a response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Fault {
    /// Which problem.
    pub kind: ProblemKind,
    /// What happened and what to do.
    pub detail: String,
    /// State of the sale, where the call was out of order.
    pub state: Option<SaleState>,
    /// The rule that refused.
    pub rule: Option<Box<RuleRefusal>>,
    /// A stable word for what stands in the way, for staff.
    pub reason: Option<String>,
    /// Attempts left at this gate.
    pub attempts_left: Option<u32>,
    /// Methods for `Allow`.
    pub allow: Vec<&'static str>,
    /// Seconds a busy client should wait.
    pub retry_after_s: u32,
}

impl Fault {
    /// A fault of `kind` with its explanation.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            state: None,
            rule: None,
            reason: None,
            attempts_left: None,
            allow: Vec::new(),
            retry_after_s: RETRY_AFTER_S,
        }
    }

    /// 400.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Malformed, detail)
    }

    /// 401.
    pub fn not_signed(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotSigned, detail)
    }

    /// 401; the terminal shows its login page.
    pub fn no_session() -> Self {
        Self::new(
            ProblemKind::NoSession,
            "nobody is logged in at this terminal: log in with POST /v1/session",
        )
    }

    /// 403.
    pub fn not_yours() -> Self {
        Self::new(
            ProblemKind::NotYours,
            "this signer has no business with this resource: use its own",
        )
    }

    /// 403: the connection's certificate and the request's signature name two.
    pub fn not_the_holder() -> Self {
        Self::new(
            ProblemKind::NotYours,
            "this connection's certificate is another signer's: connect with the own one",
        )
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(ProblemKind::NotFound, "nothing is known under this path")
    }

    /// 503 with `Retry-After`.
    pub fn busy() -> Self {
        Self::new(
            ProblemKind::Busy,
            "all workers are busy: repeat the same request",
        )
    }

    /// 503 with `Retry-After`: nothing new is sold where the disk is nearly full.
    pub fn storage_low() -> Self {
        Self::new(
            ProblemKind::StorageLow,
            "the disk is nearly full: no new sale is opened; open ones go on; call staff",
        )
    }

    /// 500; the cause is in the log under the request id.
    pub fn internal() -> Self {
        Self::new(
            ProblemKind::Internal,
            "the backend failed: repeat the same request or call staff",
        )
    }

    /// 409 naming the state.
    pub fn out_of_order(state: SaleState) -> Self {
        Self {
            state: Some(state),
            ..Self::new(
                ProblemKind::OutOfOrder,
                "not in this state: read the sale and go on from there",
            )
        }
    }

    /// The house has no time or no room to note that it turned this away.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ProblemKind::Busy | ProblemKind::StorageLow)
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.kind.facts().2
    }

    /// Whether and how to try again.
    pub fn retry(&self) -> Retry {
        match self.kind {
            ProblemKind::Busy | ProblemKind::StorageLow | ProblemKind::Internal => Retry::SameKey,
            ProblemKind::NotVerified | ProblemKind::Refused => Retry::Corrected,
            ProblemKind::RangeMoved | ProblemKind::StaleDigest => Retry::Corrected,
            ProblemKind::Malformed
            | ProblemKind::NotSigned
            | ProblemKind::NoSession
            | ProblemKind::NotYours
            | ProblemKind::NotFound
            | ProblemKind::Method
            | ProblemKind::OutOfOrder
            | ProblemKind::TooLarge
            | ProblemKind::MediaType
            | ProblemKind::KeyReused
            | ProblemKind::Locked
            | ProblemKind::Version => Retry::Never,
        }
    }

    /// The problem document.
    pub fn problem(&self, request_id: &str) -> Problem {
        let (_, title, status) = self.kind.facts();
        Problem {
            kind: self.kind.uri(),
            title: title.to_owned(),
            status,
            detail: self.detail.clone(),
            state: self.state,
            rule: self.rule.as_deref().cloned(),
            reason: self.reason.clone(),
            attempts_left: self.attempts_left,
            retry: self.retry(),
            instance: Some(request_id.to_owned()),
        }
    }
}
