//! Wire messages of `/v1` (JSON), shared by backend, kiosk, station and tests.
//!
//! One file per conversation: [`sale`] (kiosk), [`confirm`] (station), [`custody`]
//! (two people and blanks), [`session`] (who is logged in), [`forms`] (what happened to
//! paper), [`sheet`] (payment passwords), [`problem`] (RFC 9457). Every message is versioned
//! by the header [`VERSION_HEADER`]. Secrets are [`crate::sealed::Sealed`].

pub mod confirm;
pub mod custody;
pub mod forms;
pub mod problem;
pub mod sale;
pub mod session;
pub mod sheet;

/// Header naming the wire version a client speaks.
pub const VERSION_HEADER: &str = "counterfoil-version";
/// The current wire version.
///
/// 2 added to 1: the remedy `other-finger` and `POST …/finger`, `seen` of an opened sale
/// and `?seen=` of a kiosk's view, and fields of answers that a client of 1 passes over.
pub const VERSION: u32 = 2;
/// The version before, which a backend serves, too, so that kiosks follow it one by one.
pub const VERSION_BEFORE: u32 = 1;
/// Header with the client's key for commands that move money or custody.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// Header that is `true` on an answer rebuilt for a repeated key.
pub const REPLAYED_HEADER: &str = "idempotent-replayed";
/// Header with the signer's strictly increasing request number.
pub const SEQUENCE_HEADER: &str = "counterfoil-sequence";
/// Header naming the session of whoever is logged in at the signer's terminal; signed.
pub const SESSION_HEADER: &str = "counterfoil-session";

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(
        String::with_capacity(bytes.len().saturating_mul(2)),
        |mut text, b| {
            let _ = write!(text, "{b:02x}");
            text
        },
    )
}

/// Bytes out of lower- or upper-case hex; `None` for anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    // Every byte: the number parser below would take a sign for half a byte (`+7`).
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// Bytes out of hex as [`hex`] writes it, lower case only, so that one value has one
/// text on the wire.
pub fn unhex_lower<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = unhex(text)?.try_into().ok()?;
    text.bytes()
        .all(|b| !b.is_ascii_uppercase())
        .then_some(bytes)
}

/// A SHA-256 digest, lower-case hex on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "digest:{}", hex(&self.0))
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Digits where people read, the bytes in a store.
impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.collect_str(self)
        } else {
            self.0.serialize(s)
        }
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            return <[u8; 32]>::deserialize(d).map(Self);
        }
        let text = String::deserialize(d)?;
        unhex_lower(&text)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a digest is 64 lower-case hex digits"))
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Digest {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        crate::ids::text_schema("^[0-9a-f]{64}$").into()
    }
}
#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Digest {}

#[cfg(test)]
mod before;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_digits_only_and_reads_back() {
        assert_eq!(unhex("00ffA5"), Some(vec![0, 0xff, 0xa5]));
        assert_eq!(hex(&[0, 0xff, 0xa5]), "00ffa5");
        // A digest of `+1+1…` once read as one of `0101…`: two texts for one value.
        for text in ["+1", "-1", "0x", " 1", "1", "é", "０0"] {
            assert_eq!(unhex(text), None, "{text}");
        }
        let signed = format!("\"{}\"", "+1".repeat(32));
        assert!(serde_json::from_str::<Digest>(&signed).is_err());
    }

    /// Two texts for one digest would be two bodies under one idempotency key.
    #[test]
    fn a_digest_has_one_text_only() {
        let lower = format!("\"{}\"", "af".repeat(32));
        let digest: Digest = serde_json::from_str(&lower).expect("a digest");
        assert_eq!(serde_json::to_string(&digest).expect("text"), lower);
        assert!(serde_json::from_str::<Digest>(&lower.to_uppercase()).is_err());
    }
}
