//! Problem details (RFC 9457) and rule refusals.

use serde::{Deserialize, Serialize};

use super::sale::SaleState;

/// Media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Stable identifier: `/problems/` and a word of [`ProblemKind`].
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(value_type = ProblemType))]
    pub kind: String,
    /// Short and fixed for the type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do; no personal data.
    pub detail: String,
    /// The sale's state, where the refusal is about a sale.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<SaleState>,
    /// The rule, where one refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<RuleRefusal>,
    /// A stable word for what stands in the way, where staff are told in their own
    /// language; `detail` says the same in English.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Attempts left at this gate, where they are counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempts_left: Option<u32>,
    /// Whether and how to try again.
    pub retry: Retry,
    /// The request, as the backend's log names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<String>,
}

/// Whether and how to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// Never with this request.
    Never,
    /// The same request with the same key, later.
    SameKey,
    /// After the person corrected something.
    Corrected,
}

/// The stable problem types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// 400: not the shape the schema asks for.
    Malformed,
    /// 401: signature missing, wrong, stale or replayed.
    NotSigned,
    /// 401: this needs somebody logged in at the terminal, and nobody is any more.
    NoSession,
    /// 403: known signer, not its business.
    NotYours,
    /// 404: no such thing.
    NotFound,
    /// 405: another method.
    Method,
    /// 409: out of order; names the state.
    OutOfOrder,
    /// 409: the shown numbers are no longer at the cassette's head.
    RangeMoved,
    /// 409: the digest named is not the one shown now.
    StaleDigest,
    /// 413: body over the route's limit.
    TooLarge,
    /// 415: other media type.
    MediaType,
    /// 422: this key was used with another body.
    KeyReused,
    /// 422: verification failed; attempts are counted.
    NotVerified,
    /// 422: a rule refused.
    Refused,
    /// 423: locked after too many attempts.
    Locked,
    /// 426: wire version not served.
    Version,
    /// 503: busy; retry after.
    Busy,
    /// 503: the disk is nearly full: no new sale; what is under way goes on.
    StorageLow,
    /// 500: our fault, nothing was done.
    Internal,
}

impl ProblemKind {
    /// Every one, in the order of their statuses.
    pub const ALL: [Self; 19] = [
        Self::Malformed,
        Self::NotSigned,
        Self::NoSession,
        Self::NotYours,
        Self::NotFound,
        Self::Method,
        Self::OutOfOrder,
        Self::RangeMoved,
        Self::StaleDigest,
        Self::TooLarge,
        Self::MediaType,
        Self::KeyReused,
        Self::NotVerified,
        Self::Refused,
        Self::Locked,
        Self::Version,
        Self::Busy,
        Self::StorageLow,
        Self::Internal,
    ];

    /// The identifier on the wire.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.facts().0)
    }

    /// The word in the type, the title and the status.
    pub fn facts(self) -> (&'static str, &'static str, u16) {
        match self {
            Self::Malformed => ("malformed", "The request is malformed", 400),
            Self::NotSigned => ("not-signed", "The signature is missing or wrong", 401),
            Self::NoSession => ("no-session", "Nobody is logged in here", 401),
            Self::NotYours => ("not-yours", "Not this signer's business", 403),
            Self::NotFound => ("not-found", "No such resource", 404),
            Self::Method => ("method", "Method not allowed here", 405),
            Self::OutOfOrder => ("out-of-order", "Not in this state", 409),
            Self::RangeMoved => ("range-moved", "The numbers shown have moved", 409),
            Self::StaleDigest => ("stale-digest", "What was shown has changed", 409),
            Self::TooLarge => ("too-large", "The body is too large", 413),
            Self::MediaType => ("media-type", "Unsupported media type", 415),
            Self::KeyReused => ("key-reused", "This key was used with another request", 422),
            Self::NotVerified => ("not-verified", "Verification failed", 422),
            Self::Refused => ("refused", "A rule refused", 422),
            Self::Locked => ("locked", "Locked after too many attempts", 423),
            Self::Version => ("version", "Wire version not served", 426),
            Self::Busy => ("busy", "Busy", 503),
            Self::StorageLow => ("storage-low", "No new sales: storage is low", 503),
            Self::Internal => ("internal", "Internal error", 500),
        }
    }
}

/// The [`ProblemKind::uri`]s as a schema.
#[cfg(feature = "openapi")]
pub struct ProblemType;

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for ProblemType {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(ProblemKind::ALL.map(ProblemKind::uri)))
            .build()
            .into()
    }
}
#[cfg(feature = "openapi")]
impl utoipa::ToSchema for ProblemType {}

/// Why a rule refused (§2.6 of the bank's rules): id and version for staff,
/// a message key for the customer, a remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleRefusal {
    /// Stable id, for example `mandate-in-date`.
    pub rule: String,
    /// Version of the rule set that decided.
    pub version: u32,
    /// Exact text for staff.
    pub staff: String,
    /// What the customer can do.
    pub remedy: Remedy,
}

/// What a person can do about a refusal or a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// Try the step again.
    Retry,
    /// Change the order.
    ChangeOrder,
    /// Begin anew.
    Restart,
    /// Staff must help.
    CallStaff,
    /// The kiosk stops selling.
    OutOfService,
    /// Put another enrolled finger on the sensor (`POST …/finger`), then order again.
    OtherFinger,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_of_problem_is_listed_once_under_a_word_of_its_own() {
        // `facts` names every kind, so what is missing here is missing at the end.
        for (place, kind) in ProblemKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "{kind:?}");
        }
        assert_eq!(ProblemKind::ALL.last(), Some(&ProblemKind::Internal));
        let words: BTreeSet<_> = ProblemKind::ALL.map(ProblemKind::uri).into();
        assert_eq!(words.len(), ProblemKind::ALL.len());
    }
}
