//! Who says it: HTTP message signatures (RFC 9421), Ed25519, with content digest
//! (RFC 9530). Every request under `/v1` carries one.
//!
//! Owns the covered components, the signature base and the strict parser of
//! what arrives. Covered: `@method`, `@path`, `@query` (where there is one),
//! `content-digest` (also of an empty body), `counterfoil-sequence`, and
//! `idempotency-key` and `counterfoil-session` (where there is one). Refuses every other component,
//! parameter, algorithm and tag. It remembers nothing: replay (nonce, sequence)
//! is the backend's to notice. Called by the kiosk's and station's link
//! ([`sign`]) and by the backend's door ([`verify`]).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use jiff::Timestamp;

use crate::ids::{KioskId, StaffId, StationId};
use crate::wire::{Digest, IDEMPOTENCY_HEADER, SEQUENCE_HEADER, SESSION_HEADER, hex};

mod parse;

/// Header with the digest of the body.
pub const CONTENT_DIGEST_HEADER: &str = "content-digest";
/// Header with covered components and parameters.
pub const SIGNATURE_INPUT_HEADER: &str = "signature-input";
/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "signature";
/// Largest difference of clocks accepted, in seconds.
pub const SKEW_S_MAX: u32 = 60;
/// Longest signature header accepted, in bytes.
pub const HEADER_MAX: usize = 1024;

const TAG: &str = "counterfoil-v1";
const ALGORITHM: &str = "ed25519";
/// The one label we write and read.
const LABEL: &str = "sig=";

/// Who may sign, as a key id: `kiosk:kiosk-1`, `station:station-1`, `staff:custodian-a`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignerId {
    /// A kiosk.
    Kiosk(KioskId),
    /// A confirm station.
    Station(StationId),
    /// A member of staff, with a key of their own.
    Staff(StaffId),
}

impl fmt::Display for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kiosk(id) => write!(f, "kiosk:{id}"),
            Self::Station(id) => write!(f, "station:{id}"),
            Self::Staff(id) => write!(f, "staff:{id}"),
        }
    }
}

impl FromStr for SignerId {
    type Err = crate::ids::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("kiosk", id)) => Ok(Self::Kiosk(id.parse()?)),
            Some(("station", id)) => Ok(Self::Station(id.parse()?)),
            Some(("staff", id)) => Ok(Self::Staff(id.parse()?)),
            _ => Err(crate::ids::IdError {
                kind: "signer",
                rule: "kiosk:, station: or staff: and an id",
            }),
        }
    }
}

/// A key and its name. The key is wiped on drop and never shown.
pub struct SigningIdentity {
    /// Key id, as [`SignerId`] writes it.
    pub key_id: String,
    /// The private key.
    pub key: SigningKey,
}

impl SigningIdentity {
    /// The identity of `signer` from 32 bytes of key material.
    pub fn new(signer: &SignerId, seed: &[u8; 32]) -> Self {
        Self {
            key_id: signer.to_string(),
            key: SigningKey::from_bytes(seed),
        }
    }
}

impl fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningIdentity({}, ***)", self.key_id)
    }
}

/// What of a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestParts<'a> {
    /// `POST`, upper case.
    pub method: &'a str,
    /// Path and query as they stand in the request line.
    pub path_and_query: &'a str,
    /// SHA-256 of the body that was sent or received, empty bodies too.
    pub body_digest: Digest,
    /// Value of [`SEQUENCE_HEADER`].
    pub sequence: u64,
    /// Value of [`IDEMPOTENCY_HEADER`], where there is one.
    pub idempotency_key: Option<&'a str>,
    /// Value of [`SESSION_HEADER`], where there is one.
    pub session: Option<&'a str>,
}

/// The three headers a signature takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureHeaders {
    /// Value of [`CONTENT_DIGEST_HEADER`].
    pub content_digest: String,
    /// Value of [`SIGNATURE_INPUT_HEADER`].
    pub signature_input: String,
    /// Value of [`SIGNATURE_HEADER`].
    pub signature: String,
}

/// Who signed, and what makes this request this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Key id, one that `lookup` knew.
    pub key_id: String,
    /// The signer's 128 random bits.
    pub nonce: [u8; 16],
    /// When it was signed, by the signer's clock.
    pub created: Timestamp,
}

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// A header is not of the one shape accepted.
    #[error("{0} is malformed: sign with the covered components and parameters of the manual")]
    Malformed(&'static str),
    /// Other components are covered than must be.
    #[error("the signature covers other components than it must")]
    Components,
    /// The content digest is not that of the body.
    #[error("the content digest is not that of the body")]
    Digest,
    /// Signed too long ago or in the future.
    #[error("signed {off_s} s away from our clock: set the signer's clock")]
    Skew {
        /// Our clock minus the signer's.
        off_s: i64,
    },
    /// Nobody enrolled this key id.
    #[error("the key id is not enrolled")]
    UnknownKey,
    /// The signature itself is wrong.
    #[error("the signature is wrong")]
    Wrong,
}

/// The signature base of RFC 9421 §2.5 over any components.
///
/// `components` are pairs of name and value; `params` is the text after
/// `"@signature-params": `. `None` where a value could break out of its line: one with
/// a control character, or one that is not ASCII, which a header field carries only as
/// bytes that two sides may read differently (RFC 9110 §5.5).
pub fn signature_base(components: &[(&str, &str)], params: &str) -> Option<String> {
    let mut base = String::new();
    let parts = components.iter().copied();
    for (name, value) in parts.chain([("@signature-params", params)]) {
        if value.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return None;
        }
        let line = if base.is_empty() { "" } else { "\n" };
        base.push_str(&format!("{line}\"{name}\": {value}"));
    }
    Some(base)
}

/// RFC 9530 `Content-Digest` of a body with this SHA-256.
pub fn content_digest(body: &Digest) -> String {
    format!("sha-256=:{}:", BASE64.encode(body.0))
}

/// The digest a `Content-Digest` header claims, before there is a body to compare
/// it with; only the one form [`content_digest`] writes.
pub fn claimed_digest(header: &str) -> Result<Digest, SignError> {
    let malformed = SignError::Malformed(CONTENT_DIGEST_HEADER);
    let inner = header.strip_prefix("sha-256=:");
    let inner = inner.and_then(|rest| rest.strip_suffix(':'));
    let bytes = BASE64.decode(inner.ok_or(malformed)?);
    let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(Digest).ok_or(malformed)
}

/// The components to cover, in the order we write them.
fn components(parts: &RequestParts<'_>) -> Vec<(&'static str, String)> {
    let (path, query) = match parts.path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(format!("?{query}"))),
        None => (parts.path_and_query, None),
    };
    let mut all = vec![
        ("@method", parts.method.to_owned()),
        ("@path", path.to_owned()),
    ];
    all.extend(query.map(|q| ("@query", q)));
    all.push((CONTENT_DIGEST_HEADER, content_digest(&parts.body_digest)));
    all.push((SEQUENCE_HEADER, parts.sequence.to_string()));
    all.extend(
        parts
            .idempotency_key
            .map(|key| (IDEMPOTENCY_HEADER, key.to_owned())),
    );
    let session = parts.session;
    all.extend(session.map(|id| (SESSION_HEADER, id.to_owned())));
    all
}

/// Signs a request. A part with a control character or one outside ASCII gives a
/// signature that never verifies; the link makes none.
pub fn sign(
    parts: &RequestParts<'_>,
    identity: &SigningIdentity,
    created: Timestamp,
    nonce: [u8; 16],
) -> SignatureHeaders {
    let covered = components(parts);
    let names: Vec<String> = covered
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let params = format!(
        "({});created={};nonce=\"{}\";keyid=\"{}\";alg=\"{ALGORITHM}\";tag=\"{TAG}\"",
        names.join(" "),
        created.as_second(),
        hex(&nonce),
        identity.key_id,
    );
    let pairs: Vec<(&str, &str)> = covered.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let base = signature_base(&pairs, &params).unwrap_or_default();
    let signature = identity.key.sign(base.as_bytes());
    SignatureHeaders {
        content_digest: content_digest(&parts.body_digest),
        signature_input: format!("{LABEL}{params}"),
        signature: signature_header(&signature.to_bytes()),
    }
}

/// Value of [`SIGNATURE_HEADER`] for these bytes.
pub fn signature_header(signature: &[u8; 64]) -> String {
    format!("{LABEL}:{}:", BASE64.encode(signature))
}

/// The bytes in a [`SIGNATURE_HEADER`]; only the form [`signature_header`] writes.
pub fn signature_bytes(header: &str) -> Result<[u8; 64], SignError> {
    parse::signature(header)
}

/// Verifies a request against what really arrived: `parts` is made from the
/// request line, the headers and the body's own digest. Whoever verifies before the
/// body is there takes [`claimed_digest`] and must compare it with the body's own
/// afterwards. `lookup` maps a key id to its enrolled key.
pub fn verify(
    parts: &RequestParts<'_>,
    headers: &SignatureHeaders,
    lookup: impl Fn(&str) -> Option<VerifyingKey>,
    now: Timestamp,
    skew_s_max: u32,
) -> Result<Verified, SignError> {
    let input = parse::input(&headers.signature_input)?;
    let signature = parse::signature(&headers.signature)?;
    if headers.content_digest != content_digest(&parts.body_digest) {
        return Err(SignError::Digest);
    }
    let covered = components(parts);
    let mut required: Vec<&str> = covered.iter().map(|(name, _)| *name).collect();
    let mut claimed = input.components.clone();
    required.sort_unstable();
    claimed.sort_unstable();
    if required != claimed {
        return Err(SignError::Components);
    }
    let off_s = now.as_second().saturating_sub(input.created.as_second());
    if off_s.unsigned_abs() > u64::from(skew_s_max) {
        return Err(SignError::Skew { off_s });
    }
    let key = lookup(input.key_id).ok_or(SignError::UnknownKey)?;
    let value = |name: &&str| covered.iter().find(|(n, _)| n == name);
    let pairs: Vec<(&str, &str)> = input
        .components
        .iter()
        .filter_map(|name| value(name).map(|(n, v)| (*n, v.as_str())))
        .collect();
    let base = signature_base(&pairs, input.params).ok_or(SignError::Components)?;
    key.verify_strict(base.as_bytes(), &Signature::from_bytes(&signature))
        .map_err(|_| SignError::Wrong)?;
    Ok(Verified {
        key_id: input.key_id.to_owned(),
        nonce: input.nonce,
        created: input.created,
    })
}

#[cfg(test)]
mod tests;
