//! Names in X.509 certificates (RFC 5280), and requests for them (RFC 2986).
//!
//! Owns how a certificate names a signer: one URI in its alternative names,
//! `counterfoil:kiosk:kiosk-1`, which is the key id of its signatures with a scheme
//! before it. Makes the key a certificate is asked for, and the request; the key
//! never leaves the machine that made it. Refuses to judge whether a certificate is
//! genuine: that is TLS's. Called by kiosk and stations, who ask, and by the backend,
//! who issues and looks at what a peer showed.

use std::str::FromStr as _;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::builder::Builder as _;
use x509_cert::der::{Decode as _, EncodePem as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::request::RequestBuilder;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Time;

use crate::secret::Secret;
use crate::sign::SignerId;
use crate::wire::hex;

/// What stands before a key id in a certificate's URI.
pub const URI_SCHEME: &str = "counterfoil:";
/// Longest key or request file in bytes.
pub const FILE_MAX: u64 = 16 * 1024;

/// Why a certificate, key or request cannot be read or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not DER of a certificate.
    #[error("not a certificate of X.509 version 3")]
    Certificate,
    /// More than one name of ours.
    #[error("the certificate names several signers: ask for one of one signer")]
    Several,
    /// A name of ours that is no signer.
    #[error("the certificate names no signer after counterfoil:")]
    Name,
    /// Not PKCS #8 of Ed25519.
    #[error("not an ed25519 key in PKCS #8 PEM")]
    Key,
    /// A name that cannot stand in a request.
    #[error("this name cannot stand in a certificate")]
    Subject,
    /// A date outside 1970 to 9999.
    #[error("the certificate has a date out of range")]
    Date,
}

/// What a certificate says of its holder and of how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The one signer it names; `None` for a server's or a stranger's.
    pub signer: Option<SignerId>,
    /// Its serial number in hex, as lists of revoked certificates name it.
    pub serial: String,
    /// Good from.
    pub not_before: Timestamp,
    /// Good until.
    pub not_after: Timestamp,
}

/// The URI that names a signer in a certificate.
pub fn uri(signer: &SignerId) -> String {
    format!("{URI_SCHEME}{signer}")
}

/// A serial number as hex, without leading zeros.
pub fn serial_hex(serial: &SerialNumber) -> String {
    let digits = hex(serial.as_bytes());
    digits.trim_start_matches('0').to_owned()
}

/// A moment out of a certificate.
pub fn moment(time: &Time) -> Result<Timestamp, CertificateError> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs());
    let seconds = seconds.map_err(|_| CertificateError::Date)?;
    Timestamp::from_second(seconds).map_err(|_| CertificateError::Date)
}

/// Reads a certificate's DER; judges nothing.
pub fn facts(der: &[u8]) -> Result<Facts, CertificateError> {
    let certificate = Certificate::from_der(der).map_err(|_| CertificateError::Certificate)?;
    let body = certificate.tbs_certificate();
    let names = body.get_extension::<SubjectAltName>();
    let names = names.map_err(|_| CertificateError::Certificate)?;
    let names = names.map_or_else(Vec::new, |(_, names)| names.0);
    let ours = names.iter().filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => uri.as_str().strip_prefix(URI_SCHEME),
        _ => None,
    });
    let ours: Vec<&str> = ours.collect();
    let signer = match ours.as_slice() {
        [] => None,
        [one] => Some(one.parse().map_err(|_| CertificateError::Name)?),
        _ => return Err(CertificateError::Several),
    };
    let validity = body.validity();
    Ok(Facts {
        signer,
        serial: serial_hex(body.serial_number()),
        not_before: moment(&validity.not_before)?,
        not_after: moment(&validity.not_after)?,
    })
}

/// 32 random bytes as an Ed25519 key in PKCS #8 PEM (RFC 8410 §7). Written without the
/// public half, which older readers refuse.
pub fn key_pem(seed: &[u8; 32]) -> Result<Secret<String>, CertificateError> {
    let pair = KeypairBytes {
        secret_key: *seed,
        public_key: None,
    };
    let pem = pair.to_pkcs8_pem(LineEnding::LF);
    let pem = pem.map_err(|_| CertificateError::Key)?;
    Ok(Secret::new(pem.as_str().to_owned()))
}

/// The key in a PEM that [`key_pem`] wrote.
pub fn key(pem: &str) -> Result<SigningKey, CertificateError> {
    SigningKey::from_pkcs8_pem(pem).map_err(|_| CertificateError::Key)
}

/// A request for a certificate of this key, in PEM. `holder` is a key id or a server's
/// name; it stands in the subject, so that the one who issues sees a mistake.
pub fn request(key: &SigningKey, holder: &str) -> Result<String, CertificateError> {
    let subject = common_name(holder)?;
    let subject_fault = |_| CertificateError::Subject;
    let builder = RequestBuilder::new(subject).map_err(|_| CertificateError::Subject)?;
    let built = builder.build::<_, ed25519_dalek::Signature>(key);
    let request = built.map_err(|_| CertificateError::Key)?;
    request.to_pem(LineEnding::LF).map_err(subject_fault)
}

/// The name `CN=…` of letters, digits, spaces and `.:-` that begins with none of the last.
pub fn common_name(text: &str) -> Result<Name, CertificateError> {
    let sound = |c: char| c.is_ascii_alphanumeric() || " .:-_".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    // 64: the upper bound of a common name (RFC 5280, appendix A.1).
    if !begins || text.len() > 64 || text.ends_with(' ') || !text.chars().all(sound) {
        return Err(CertificateError::Subject);
    }
    Name::from_str(&format!("CN={text}")).map_err(|_| CertificateError::Subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8410 §10.3, first example.
    const RFC_8410: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";

    #[test]
    fn a_key_is_written_as_rfc_8410_shows_it_and_read_back() {
        let key = key(RFC_8410).expect("a key");
        let written = key_pem(&key.to_bytes()).expect("PEM");
        assert_eq!(written.expose(), RFC_8410);
        assert_eq!(super::key("nonsense").map(drop), Err(CertificateError::Key));
    }

    #[test]
    fn a_subject_is_plain_text_and_never_a_second_attribute() {
        for good in ["kiosk:kiosk-1", "Counterfoil private CA", "192.0.2.7"] {
            assert!(common_name(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in [
            "",
            " x",
            "x ",
            "a,O=b",
            "a+O=b",
            "a=b",
            "a\\b",
            "é",
            long.as_str(),
        ] {
            assert_eq!(
                common_name(bad).map(drop),
                Err(CertificateError::Subject),
                "{bad}"
            );
        }
    }
}
