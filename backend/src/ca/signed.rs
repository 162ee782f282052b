//! Signatures over requests and lists: the three-part shape that certificates,
//! requests and lists of revoked certificates share (RFC 5280 §4.1.1, RFC 2986 §4.2).

use rustls::crypto::ring;
use x509_cert::der::asn1::{AnyRef, BitString};
use x509_cert::der::{Decode as _, Encode as _, Reader as _, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfo;

/// Whether `der` is signed by this key, with an algorithm TLS would take, too. The bytes
/// under the signature are taken as they stand, never written anew.
pub fn holds(der: &[u8], key: &SubjectPublicKeyInfo<x509_cert::der::Any, BitString>) -> bool {
    verify(der, key).unwrap_or(false)
}

fn verify(
    der: &[u8],
    key: &SubjectPublicKeyInfo<x509_cert::der::Any, BitString>,
) -> x509_cert::der::Result<bool> {
    let whole = AnyRef::from_der(der)?;
    let mut parts = SliceReader::new(whole.value())?;
    let body = parts.tlv_bytes()?;
    let algorithm = AnyRef::from_der(parts.tlv_bytes()?)?;
    let signature = BitString::from_der(parts.tlv_bytes()?)?;
    let key_algorithm = key.algorithm.to_der()?;
    let key_algorithm = AnyRef::from_der(&key_algorithm)?;
    let known = ring::default_provider().signature_verification_algorithms;
    let fits = known.all.iter().find(|one| {
        one.signature_alg_id().as_ref() == algorithm.value()
            && one.public_key_alg_id().as_ref() == key_algorithm.value()
    });
    let Some(fits) = fits else {
        return Ok(false);
    };
    let public = key.subject_public_key.raw_bytes();
    let verified = fits.verify_signature(public, body, signature.raw_bytes());
    Ok(verified.is_ok())
}
