//! The strict reader of `Signature-Input` and `Signature`: the subset of
//! structured fields (RFC 8941) that one signature of ours needs.

use base64::Engine as _;
use jiff::Timestamp;

use super::{ALGORITHM, BASE64, HEADER_MAX, LABEL, SignError, TAG};

/// Components accepted at most; there are six.
const COMPONENTS_MAX: usize = 8;

const INPUT: SignError = SignError::Malformed("signature-input");
const SIGNATURE: SignError = SignError::Malformed("signature");

/// A read `Signature-Input`.
pub(super) struct Input<'a> {
    /// Covered component names, in the signer's order.
    pub components: Vec<&'a str>,
    /// Everything after the label, as it goes into the base.
    pub params: &'a str,
    pub created: Timestamp,
    pub nonce: [u8; 16],
    pub key_id: &'a str,
}

/// Reads `sig=("a" "b");created=1;nonce="…";keyid="…";alg="ed25519";tag="…"`;
/// parameters in any order, each exactly once, none else.
pub(super) fn input(text: &str) -> Result<Input<'_>, SignError> {
    if text.len() > HEADER_MAX || !text.is_ascii() {
        return Err(INPUT);
    }
    let params = text.strip_prefix(LABEL).ok_or(INPUT)?;
    let (list, rest) = params
        .strip_prefix('(')
        .and_then(|inner| inner.split_once(')'))
        .ok_or(INPUT)?;
    let components = names(list)?;
    let (mut created, mut nonce, mut key_id, mut alg, mut tag) = (None, None, None, None, None);
    let mut items = rest.split(';');
    if items.next() != Some("") {
        return Err(INPUT);
    }
    for item in items {
        let (name, value) = item.split_once('=').ok_or(INPUT)?;
        let slot = match name {
            "created" => &mut created,
            "nonce" => &mut nonce,
            "keyid" => &mut key_id,
            "alg" => &mut alg,
            "tag" => &mut tag,
            _ => return Err(INPUT),
        };
        let value = if name == "created" {
            value
        } else {
            quoted(value)?
        };
        if slot.replace(value).is_some() {
            return Err(INPUT);
        }
    }
    if alg != Some(ALGORITHM) || tag != Some(TAG) {
        return Err(INPUT);
    }
    Ok(Input {
        components,
        params,
        created: created.and_then(seconds).ok_or(INPUT)?,
        nonce: nonce
            .and_then(crate::wire::unhex)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(INPUT)?,
        key_id: key_id.ok_or(INPUT)?,
    })
}

fn names(list: &str) -> Result<Vec<&str>, SignError> {
    let mut components = Vec::new();
    for name in list.split(' ') {
        let name = quoted(name)?;
        if components.len() >= COMPONENTS_MAX || components.contains(&name) {
            return Err(INPUT);
        }
        components.push(name);
    }
    Ok(components)
}

/// The text between quotes; escapes are not needed and not accepted.
fn quoted(text: &str) -> Result<&str, SignError> {
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
    inner.filter(|t| t.bytes().all(plain)).ok_or(INPUT)
}

fn seconds(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Timestamp::from_second(text.parse().ok()?).ok()
}

/// Reads `sig=:BASE64:`.
pub(super) fn signature(text: &str) -> Result<[u8; 64], SignError> {
    let inner = text
        .strip_prefix(LABEL)
        .and_then(|t| t.strip_prefix(':'))
        .and_then(|t| t.strip_suffix(':'))
        .filter(|t| t.len() <= HEADER_MAX)
        .ok_or(SIGNATURE)?;
    let bytes = BASE64.decode(inner).map_err(|_| SIGNATURE)?;
    bytes.try_into().map_err(|_| SIGNATURE)
}
