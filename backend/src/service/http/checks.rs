//! Checks of a request's head and, once it is proven, of its body's form, and what is kept
//! of a proof. Cheap ones: none looks into the books. Called by the HTTP layer in its order.

use bytes::Bytes;
use counterfoil_data::leaf::Signed;
use counterfoil_data::sign::{
    self, CONTENT_DIGEST_HEADER, RequestParts, SIGNATURE_HEADER, SIGNATURE_INPUT_HEADER,
    SignatureHeaders,
};
use counterfoil_data::wire::problem::ProblemKind;
use counterfoil_data::wire::sale::TreeSeen;
use counterfoil_data::wire::session::SessionId;
use counterfoil_data::wire::{self, Digest};
use hyper::header::{self, HeaderMap};

use super::super::fault::Fault;
use super::super::route::{self, Audience, BodyRule, Operation, Route};
use super::super::versions;
use crate::core::command::{ClientKey, KEY_MAX};
use crate::core::query::Signer;

/// Header with the last event a client heard.
pub const LAST_EVENT_HEADER: &str = "last-event-id";

/// The three headers of a signature, each within its limit.
pub(super) fn signature_of(headers: &HeaderMap) -> Result<SignatureHeaders, Fault> {
    let header = |name: &str| {
        text(headers, name)
            .filter(|value| value.len() <= sign::HEADER_MAX)
            .map(str::to_owned)
            .ok_or_else(|| Fault::not_signed(format!("{name} is missing or malformed")))
    };
    Ok(SignatureHeaders {
        content_digest: header(CONTENT_DIGEST_HEADER)?,
        signature_input: header(SIGNATURE_INPUT_HEADER)?,
        signature: header(SIGNATURE_HEADER)?,
    })
}

/// One header as text; `None` when missing, repeated or not ASCII.
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Where an event stream resumes. A malformed one is said: beginning with what is
/// newest instead would lose events silently.
pub fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Fault> {
    if !headers.contains_key(LAST_EVENT_HEADER) {
        return Ok(None);
    }
    let id = text(headers, LAST_EVENT_HEADER).and_then(route::whole);
    let malformed = || Fault::malformed("last-event-id is the id of an event: a whole number");
    id.map(Some).ok_or_else(malformed)
}

/// The session a terminal names. A malformed one is said: it was meant to be one.
pub fn session_of(given: Option<&str>) -> Result<Option<SessionId>, Fault> {
    let parsed = given.map(str::parse).transpose();
    parsed.map_err(|_| Fault::malformed("counterfoil-session is 32 lower-case hex digits"))
}

/// The log a kiosk says it has seen, where a route's query is read at all.
pub fn tree_seen(route: &Route, path: &str) -> Result<Option<TreeSeen>, Fault> {
    let query = path.split_once('?').map(|(_, query)| query);
    let Some(query) = query.filter(|_| route.operation == Operation::ReadKiosk) else {
        return Ok(None);
    };
    let seen = query
        .strip_prefix("seen=")
        .and_then(|text| text.parse().ok());
    let malformed = || Fault::malformed("the query is seen=SIZE-ROOT, of a checkpoint seen");
    seen.map(Some).ok_or_else(malformed)
}

/// The version a request is in, if it is one that is served.
pub fn version(headers: &HeaderMap) -> Option<u32> {
    let given = text(headers, wire::VERSION_HEADER).and_then(route::whole)?;
    versions::SERVED
        .into_iter()
        .find(|v| u64::from(*v) == given)
}

pub fn check_version(headers: &HeaderMap) -> Result<(), Fault> {
    if version(headers).is_some() {
        return Ok(());
    }
    let [before, now] = versions::SERVED;
    let detail = format!("send counterfoil-version: {now}, or {before} of the release before");
    Err(Fault::new(ProblemKind::Version, detail))
}

pub fn check_media_type(headers: &HeaderMap, rule: BodyRule) -> Result<(), Fault> {
    let Some(wanted) = rule.media_type() else {
        return Ok(());
    };
    let given = text(headers, header::CONTENT_TYPE.as_str());
    let essence = given.map(|g| g.split(';').next().unwrap_or("").trim());
    match essence {
        Some(essence) if essence.eq_ignore_ascii_case(wanted) => Ok(()),
        // `{}` may be left out, and then there is nothing to name a type of.
        None if matches!(rule, BodyRule::Nothing | BodyRule::Maybe(_)) => Ok(()),
        _ => {
            let detail = format!("send content-type: {wanted}");
            Err(Fault::new(ProblemKind::MediaType, detail))
        }
    }
}

pub fn too_large(limit: usize) -> Fault {
    let detail = format!("the body is over this route's {limit} bytes");
    Fault::new(ProblemKind::TooLarge, detail)
}

/// What is declared too large is not read at all.
pub fn check_size(headers: &HeaderMap, rule: BodyRule) -> Result<(), Fault> {
    let limit = rule.limit();
    let declared = text(headers, header::CONTENT_LENGTH.as_str());
    if declared.is_some_and(|n| n.parse().map_or(true, |n: usize| n > limit)) {
        return Err(too_large(limit));
    }
    Ok(())
}

pub fn check_content(body: &Bytes, rule: BodyRule) -> Result<(), Fault> {
    if rule != BodyRule::Nothing || body.is_empty() {
        return Ok(());
    }
    let parsed: Result<wire::sale::Nothing, _> = serde_json::from_slice(body);
    parsed
        .map(|_| ())
        .map_err(|_| Fault::malformed("send {} or nothing"))
}

pub fn client_key(
    route: &Route,
    key: Option<&str>,
    path: &str,
    body: Digest,
) -> Result<Option<ClientKey>, Fault> {
    if !route.keyed {
        return Ok(None);
    }
    let lawful =
        |k: &&str| (1..=KEY_MAX).contains(&k.len()) && k.bytes().all(|b| b.is_ascii_graphic());
    let key = key.filter(lawful).ok_or_else(|| {
        Fault::malformed("send an idempotency-key of 1 to 64 visible ASCII characters")
    })?;
    let method = route.method.as_str();
    Ok(Some(ClientKey {
        key: key.to_owned(),
        request: Digest::of(format!("{method}\n{path}\n{body}").as_bytes()),
    }))
}

/// Whether a route is for such a signer.
pub(super) fn is_meant(audience: Audience, signer: &Signer) -> bool {
    match audience {
        Audience::Public | Audience::Signed => true,
        Audience::Kiosk => matches!(signer, Signer::Kiosk { .. }),
        Audience::Station => matches!(signer, Signer::Station { .. }),
        Audience::Staff => matches!(signer, Signer::Staff { .. }),
        Audience::Terminal => matches!(signer, Signer::Station { .. } | Signer::Staff { .. }),
    }
}

/// What is kept of a signature over an order, its linking and what became of its forms.
pub(super) fn kept(
    operation: Operation,
    parts: &RequestParts<'_>,
    headers: &SignatureHeaders,
    signer: &Signer,
) -> Option<Box<Signed>> {
    if !matches!(
        operation,
        Operation::Order | Operation::Link | Operation::Forms
    ) {
        return None;
    }
    Some(Box::new(Signed {
        key: *key_of(signer),
        body: parts.body_digest,
        signature: sign::signature_bytes(&headers.signature).ok()?,
        path: parts.path_and_query.to_owned(),
        client_key: parts.idempotency_key.map(str::to_owned),
        input: headers.signature_input.clone(),
    }))
}

/// The key a signer is enrolled with.
pub(super) fn key_of(signer: &Signer) -> &[u8; 32] {
    match signer {
        Signer::Kiosk { key, .. } | Signer::Station { key, .. } | Signer::Staff { key, .. } => key,
    }
}
