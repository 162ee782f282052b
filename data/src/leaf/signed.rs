//! A request's signature, kept so that it can be verified again by anybody, at any time.
//!
//! ```text
//! signed = key 32 | body 32 | signature 64 | path length u8 | path
//!        | client key length u8 (0: none) | client key | signature input
//! ```
//!
//! With the leaf's own sequence number this is all the signature covers (RFC 9421): the
//! method is always `POST`. The public key is the one enrolled when it was signed; whether
//! it was the signer's is told by comparing it with what the signer's keeper has.

use ed25519_dalek::VerifyingKey;
use jiff::Timestamp;

use super::{Field, Leaf};
use crate::sign::{self, RequestParts, SignError, SignatureHeaders};
use crate::wire::Digest;

/// A signature over a request, and what it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The signer's Ed25519 public key.
    pub key: [u8; 32],
    /// SHA-256 of the body.
    pub body: Digest,
    /// The signature.
    pub signature: [u8; 64],
    /// Path and query.
    pub path: String,
    /// The client's idempotency key.
    pub client_key: Option<String>,
    /// Value of `Signature-Input`.
    pub input: String,
}

impl Signed {
    pub(super) fn encode(&self) -> Vec<u8> {
        let client_key = self.client_key.as_deref().unwrap_or_default();
        let mut bytes = [&self.key[..], &self.body.0, &self.signature].concat();
        for text in [self.path.as_str(), client_key] {
            // The door takes no path and no key near 255 bytes; a cut one never verifies.
            let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
            bytes.push(length);
            bytes.extend(text.bytes().take(usize::from(length)));
        }
        bytes.extend_from_slice(self.input.as_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (key, rest) = bytes.split_first_chunk::<32>()?;
        let (body, rest) = rest.split_first_chunk::<32>()?;
        let (signature, rest) = rest.split_first_chunk::<64>()?;
        let (path, rest) = text(rest)?;
        let (client_key, rest) = text(rest)?;
        let input = std::str::from_utf8(rest).ok()?;
        (rest.len() <= sign::HEADER_MAX).then(|| Self {
            key: *key,
            body: Digest(*body),
            signature: *signature,
            path: path.to_owned(),
            client_key: (!client_key.is_empty()).then(|| client_key.to_owned()),
            input: input.to_owned(),
        })
    }

    /// Verifies it again, over `sequence`; the key id that it was signed under.
    pub fn verify(&self, sequence: u64) -> Result<String, SignError> {
        let parts = RequestParts {
            method: "POST",
            path_and_query: &self.path,
            body_digest: self.body,
            sequence,
            idempotency_key: self.client_key.as_deref(),
            session: None,
        };
        let headers = SignatureHeaders {
            content_digest: sign::content_digest(&self.body),
            signature_input: self.input.clone(),
            signature: sign::signature_header(&self.signature),
        };
        let lookup = |_: &str| VerifyingKey::from_bytes(&self.key).ok();
        // Its time was judged when it came; since then it only grew old.
        let verified = sign::verify(&parts, &headers, lookup, Timestamp::UNIX_EPOCH, u32::MAX)?;
        Ok(verified.key_id)
    }
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

impl Leaf {
    /// The signature it came of, verified again over its own sequence number and for its
    /// own actor; `None` for a leaf that keeps none. The error says what does not hold.
    pub fn signature(&self) -> Option<Result<&Signed, SignError>> {
        let signed = self.fields.iter().find_map(|field| match field {
            Field::Signed(signed) => Some(&**signed),
            _ => None,
        })?;
        let sequence = self.fields.iter().find_map(|field| match field {
            Field::Sequence(sequence) => Some(*sequence),
            _ => None,
        });
        let actor = self.fields.iter().find_map(|field| match field {
            Field::Actor(actor) => Some(actor.as_str()),
            _ => None,
        });
        let verified = signed.verify(sequence.unwrap_or_default());
        Some(verified.and_then(|key_id| {
            // A station's actor goes on with its officer.
            let rest = actor.and_then(|actor| actor.strip_prefix(&key_id));
            match rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                true => Ok(signed),
                false => Err(SignError::UnknownKey),
            }
        }))
    }
}
