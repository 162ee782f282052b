//! A private certificate authority for banks that have none.
//!
//! Owns what goes into a certificate of this house and into its list of revoked ones.
//! Issues only from a request, so no private key but its own passes through here.
//! Refuses lives over [`DAYS_MAX`] days, requests whose signature is not their key's,
//! and requests that name somebody else. Pure: bytes in, PEM out; moments and serial
//! numbers are given. Called by `app`, which keeps the files, and by tests. A bank with
//! an authority of its own issues from the same requests, with the same URI.

mod profile;
pub mod signed;
#[cfg(test)]
mod tests;

use std::time::Duration;

use counterfoil_data::certificate::{self, CertificateError, common_name, moment, serial_hex};
use counterfoil_data::sign::SignerId;
use ed25519_dalek::{Signature, SigningKey};
use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::builder::{Builder as _, CertificateBuilder, CrlBuilder};
use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Decode as _, DecodePem as _, Encode as _, EncodePem as _};
use x509_cert::ext::pkix::CrlNumber;
use x509_cert::request::CertReq;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{ObjectIdentifier, SubjectPublicKeyInfo};
use x509_cert::time::{Time, Validity};

use profile::{Entries, names};

/// Longest life of a certificate in days.
pub const DAYS_MAX: u32 = 90;
/// Life of a certificate when nothing is said, in days.
pub const DAYS_USUAL: u32 = 30;
/// Longest life of the authority itself in years.
pub const YEARS_MAX: u32 = 20;
/// How long a list of revoked certificates is good. Each certificate issued renews it.
pub const CRL_DAYS: u32 = 90;
/// Revoked certificates in one list; expired ones are left out of the next.
pub const REVOKED_MAX: usize = 65_536;
/// Bytes of a serial number: 126 random bits.
pub const SERIAL_LEN: usize = 16;

/// Certificates are good a little before they are issued: clocks differ.
const BEFORE: Duration = Duration::from_secs(300);
const DAY_S: u64 = 24 * 60 * 60;

/// Why the authority does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A name, key or certificate that cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Not a PEM request.
    #[error("not a certificate request in PEM (PKCS #10)")]
    Request,
    /// Signed by another key than the one it asks for.
    #[error("the request is not signed by its own key: make it anew")]
    RequestSignature,
    /// It was made for somebody else.
    #[error("the request was made by {found}: it is not {asked}'s")]
    Holder {
        /// Whom the request names.
        found: String,
        /// Who should get the certificate.
        asked: String,
    },
    /// The key is not the certificate's.
    #[error("the authority's key and certificate do not belong together")]
    Mismatch,
    /// Not a list of this authority.
    #[error("the list of revoked certificates is not one of this authority")]
    Crl,
    /// A life that is too long, or none.
    #[error("{days} days is outside 1 to {DAYS_MAX}")]
    Days {
        /// What was asked.
        days: u32,
    },
    /// It would outlive the authority.
    #[error("the authority itself ends at {0}: make a new one")]
    Outlives(Timestamp),
    /// Over [`REVOKED_MAX`].
    #[error("more than {REVOKED_MAX} certificates are revoked: make a new authority")]
    Full,
    /// A server's name that is neither a DNS name nor an address.
    #[error("the server's name must be a DNS name or an IP address")]
    ServerName,
    /// DER could not be written.
    #[error("the certificate cannot be written")]
    Write(#[source] x509_cert::builder::Error),
}

impl From<x509_cert::builder::Error> for CaError {
    fn from(error: x509_cert::builder::Error) -> Self {
        Self::Write(error)
    }
}

impl From<x509_cert::der::Error> for CaError {
    fn from(error: x509_cert::der::Error) -> Self {
        Self::Write(error.into())
    }
}

/// Whom a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A kiosk, a station or a member of staff: a client.
    Signer(SignerId),
    /// The backend, by the name or address it is dialled by.
    Server(String),
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signer(signer) => signer.fmt(f),
            Self::Server(name) => f.write_str(name),
        }
    }
}

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The certificate.
    pub pem: String,
    /// Its serial number in hex.
    pub serial: String,
    /// Good until.
    pub not_after: Timestamp,
}

/// The authority: its key and its own certificate.
pub struct Authority {
    key: SigningKey,
    certificate: Certificate,
}

impl Authority {
    /// A new one, good for `years`; the key is `seed`.
    pub fn create(
        name: &str,
        seed: &[u8; 32],
        serial: [u8; SERIAL_LEN],
        years: u32,
        now: Timestamp,
    ) -> Result<Self, CaError> {
        let key = SigningKey::from_bytes(seed);
        let life = u64::from(years.clamp(1, YEARS_MAX)).saturating_mul(365 * DAY_S);
        let profile = Entries {
            subject: common_name(name)?,
            issuer: None,
            names: None,
        };
        let public = SubjectPublicKeyInfo::from_key(&key.verifying_key());
        let public = public.map_err(|_| CertificateError::Key)?;
        let validity = validity(now, life)?;
        let builder = CertificateBuilder::new(profile, number(serial)?, validity, public)?;
        let certificate = builder.build::<_, Signature>(&key)?;
        Ok(Self { key, certificate })
    }

    /// The one in these two files.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, CaError> {
        let key = certificate::key(key)?;
        let certificate = Certificate::from_pem(certificate);
        let certificate = certificate.map_err(|_| CertificateError::Certificate)?;
        let public = SubjectPublicKeyInfo::from_key(&key.verifying_key());
        let public = public.map_err(|_| CertificateError::Key)?;
        match *certificate.tbs_certificate().subject_public_key_info() == public {
            true => Ok(Self { key, certificate }),
            false => Err(CaError::Mismatch),
        }
    }

    /// Its own certificate, which whoever trusts it is given.
    pub fn certificate_pem(&self) -> Result<String, CaError> {
        Ok(self.certificate.to_pem(LineEnding::LF)?)
    }

    /// Issues from a request. `serial` is random; the names are `holder`'s, whatever
    /// else the request asks for.
    pub fn issue(
        &self,
        request: &str,
        holder: &Holder,
        days: u32,
        now: Timestamp,
        serial: [u8; SERIAL_LEN],
    ) -> Result<Issued, CaError> {
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(CaError::Days { days });
        }
        let request = CertReq::from_pem(request).map_err(|_| CaError::Request)?;
        let der = request.to_der()?;
        if !signed::holds(&der, &request.info.public_key) {
            return Err(CaError::RequestSignature);
        }
        let subject = common_name(&holder.to_string())?;
        is_for(&request, holder)?;
        let validity = validity(now, u64::from(days).saturating_mul(DAY_S))?;
        let own = self.certificate.tbs_certificate();
        let not_after = moment(&validity.not_after)?;
        let end = moment(&own.validity().not_after)?;
        if not_after > end {
            return Err(CaError::Outlives(end));
        }
        let profile = Entries {
            subject,
            issuer: Some(own.subject().clone()),
            names: Some(names(holder)?),
        };
        let number = number(serial)?;
        let serial = serial_hex(&number);
        let public = request.info.public_key;
        let builder = CertificateBuilder::new(profile, number, validity, public)?;
        let certificate = builder.build::<_, Signature>(&self.key)?;
        Ok(Issued {
            pem: certificate.to_pem(LineEnding::LF)?,
            serial,
            not_after,
        })
    }

    /// The next list of revoked certificates: what `before` has, and these serial
    /// numbers (hex). `keep` says which serials of `before` may still be shown.
    pub fn crl(
        &self,
        before: Option<&str>,
        revoke: &[String],
        keep: impl Fn(&str) -> bool,
        now: Timestamp,
    ) -> Result<String, CaError> {
        let (mut revoked, last) = match before {
            Some(pem) => self.read_crl(pem)?,
            None => (Vec::new(), 0),
        };
        revoked.retain(|entry| keep(&serial_hex(&entry.serial_number)));
        for serial in revoke {
            let known = |entry: &RevokedCert| serial_hex(&entry.serial_number) == *serial;
            if revoked.iter().any(known) {
                continue;
            }
            let padded = format!("{serial:0>width$}", width = SERIAL_LEN.saturating_mul(2));
            let bytes = counterfoil_data::wire::unhex(&padded).ok_or(CaError::Crl)?;
            revoked.push(RevokedCert {
                serial_number: SerialNumber::new(&bytes)?,
                revocation_date: time(now)?,
                crl_entry_extensions: None,
            });
        }
        if revoked.len() > REVOKED_MAX {
            return Err(CaError::Full);
        }
        let number = CrlNumber::try_from(last.saturating_add(1))?;
        let life = u64::from(CRL_DAYS).saturating_mul(DAY_S);
        let next = validity(now, life)?.not_after;
        let start = validity(now, 0)?.not_before;
        let builder = CrlBuilder::new_with_this_update(&self.certificate, number, start)?;
        let mut builder = builder.with_next_update(Some(next));
        if !revoked.is_empty() {
            // An empty list must be left out (RFC 5280 §5.1.2.6).
            builder = builder.with_certificates(revoked.into_iter());
        }
        let list = builder.build::<_, Signature>(&self.key)?;
        Ok(list.to_pem(LineEnding::LF)?)
    }

    fn read_crl(&self, pem: &str) -> Result<(Vec<RevokedCert>, u64), CaError> {
        let list =
            CertificateList::from_pem(pem).map_err(|_: x509_cert::der::Error| CaError::Crl)?;
        let own = self.certificate.tbs_certificate().subject_public_key_info();
        if !signed::holds(&list.to_der()?, own) {
            return Err(CaError::Crl);
        }
        let extensions = list.tbs_cert_list.crl_extensions.unwrap_or_default();
        let number = extensions.iter().find(|e| e.extn_id == CRL_NUMBER);
        let number = number.map(|e| CrlNumber::from_der(e.extn_value.as_bytes()));
        let number = number.transpose()?.map_or(0, |number| {
            let bytes = number.0.as_bytes().iter();
            bytes.fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte))
        });
        let revoked = list.tbs_cert_list.revoked_certificates.unwrap_or_default();
        Ok((revoked, number))
    }
}

/// `id-ce-cRLNumber` (RFC 5280 §5.2.3).
const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");

/// A positive number of [`SERIAL_LEN`] bytes, whatever the dice say.
fn number(mut serial: [u8; SERIAL_LEN]) -> Result<SerialNumber, CaError> {
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7F) | 0x40;
    }
    Ok(SerialNumber::new(&serial)?)
}

fn time(at: Timestamp) -> Result<Time, CaError> {
    let seconds = u64::try_from(at.as_second()).map_err(|_| CertificateError::Date)?;
    let at = x509_cert::der::DateTime::from_unix_duration(Duration::from_secs(seconds))?;
    // Two digits of the year until 2049, four from then on (RFC 5280 §4.1.2.5).
    Ok(Time::from(at))
}

fn validity(now: Timestamp, life_s: u64) -> Result<Validity, CaError> {
    let late = |_| CertificateError::Date;
    let not_after = now.checked_add(Duration::from_secs(life_s)).map_err(late)?;
    let not_before = now.checked_sub(BEFORE).map_err(late)?;
    Ok(Validity::new(time(not_before)?, time(not_after)?))
}

/// A request made by our programs names its maker; another one need not.
fn is_for(request: &CertReq, holder: &Holder) -> Result<(), CaError> {
    let subject = request.info.subject.to_string();
    let found = subject.strip_prefix("CN=").unwrap_or_default();
    let asked = holder.to_string();
    match found.parse::<SignerId>().is_ok() && found != asked {
        true => Err(CaError::Holder {
            found: found.to_owned(),
            asked,
        }),
        false => Ok(()),
    }
}
