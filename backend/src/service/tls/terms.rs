//! The terms of a door: made of bytes, checked as a whole, then never changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use counterfoil_data::certificate::{self, CertificateError, moment};
use counterfoil_data::secret::Secret;
use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};
use x509_cert::Certificate;
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode as _;

use crate::ca::signed;

/// Sessions that can be resumed: one of every kiosk of a large bank, each about 1 KiB.
pub const SESSIONS_MAX: usize = 4_096;
/// What is spoken inside.
const ALPN: &[u8] = b"http/1.1";

/// Everything a door is made of, as PEM.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// Own certificate, and those between it and its authority.
    pub certificate: &'a [u8],
    /// Its private key.
    pub key: &'a Secret<Vec<u8>>,
    /// Authorities whose clients may come in.
    pub client_ca: &'a [u8],
    /// Their lists of revoked certificates; one of each is needed.
    pub client_crl: &'a [u8],
}

/// Until when terms are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// End of the own certificate.
    pub certificate: Timestamp,
    /// Next update of the first list that is due.
    pub crl: Timestamp,
}

/// Why files cannot be the terms of a door.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No such thing in it.
    #[error("{0} has no PEM section of its kind, or a broken one")]
    Pem(&'static str),
    /// A certificate that cannot be read.
    #[error("{what}: {source}")]
    Certificate {
        /// Which file.
        what: &'static str,
        /// Why.
        source: CertificateError,
    },
    /// Over already, or not yet begun.
    #[error("{what} is good only from {from} to {until}: bring a new one")]
    Past {
        /// Which file.
        what: &'static str,
        /// Good from.
        from: Timestamp,
        /// Good until.
        until: Timestamp,
    },
    /// A list without a next update.
    #[error("a list of revoked certificates has no next update")]
    Endless,
    /// A list that no authority of the file signed.
    #[error("a list of revoked certificates is of none of the client authorities")]
    Foreign,
    /// An authority of the file without a list.
    #[error("a client authority has no list of revoked certificates: bring one of each")]
    Missing,
    /// TLS does not take them: key and certificate that do not fit, mostly.
    #[error("key and certificate cannot be used together")]
    Unfit(#[source] rustls::Error),
    /// No verifier can be made of authorities and lists.
    #[error("the client authorities cannot be used")]
    Authorities(#[source] rustls::server::VerifierBuilderError),
}

/// The clock seam as TLS asks for it: set before each handshake, by the one thread.
#[derive(Debug, Default)]
pub struct Wall(AtomicU64);

impl Wall {
    /// It is `now`.
    pub fn set(&self, now: Timestamp) {
        self.0.store(unix(now).as_secs(), Ordering::Relaxed);
    }
}

impl TimeProvider for Wall {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.load(Ordering::Relaxed);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

fn unix(at: Timestamp) -> UnixTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// Terms in force.
pub struct Terms {
    /// For new connections.
    pub config: Arc<ServerConfig>,
    verifier: Arc<dyn ClientCertVerifier>,
    /// How long they are good.
    pub until: Until,
}

impl Terms {
    /// Checks everything a later failure could be foreseen by.
    pub fn new(
        material: &Material<'_>,
        now: Timestamp,
        wall: &Arc<Wall>,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates(material.certificate, "certificate_file")?;
        let own = chain.first().ok_or(TlsError::Pem("certificate_file"))?;
        let ends = good_now(own, "certificate_file", now)?;
        let key = PrivateKeyDer::from_pem_slice(material.key.expose());
        let key = key.map_err(|_| TlsError::Pem("key_file"))?;
        let authorities = certificates(material.client_ca, "client_ca_file")?;
        let lists = CertificateRevocationListDer::pem_slice_iter(material.client_crl);
        let lists: Result<Vec<_>, _> = lists.collect();
        let lists = lists.map_err(|_| TlsError::Pem("client_crl_file"))?;
        let due = check_lists(&authorities, &lists, now)?;
        let verifier = verifier(authorities, lists, &provider)?;
        let clock = Arc::<Wall>::clone(wall);
        let builder = ServerConfig::builder_with_details(provider, clock);
        let builder = builder.with_protocol_versions(&[&TLS13]);
        let builder = builder.map_err(TlsError::Unfit)?;
        let builder = builder.with_client_cert_verifier(Arc::clone(&verifier));
        let config = builder.with_single_cert(chain, key);
        let mut config = config.map_err(TlsError::Unfit)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        // Kept here and not in tickets: with these terms its sessions are forgotten.
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
        config.send_tls13_tickets = 1;
        config.max_early_data_size = 0;
        Ok(Self {
            config: Arc::new(config),
            verifier,
            until: Until {
                certificate: ends,
                crl: due,
            },
        })
    }

    /// Whether a client with this chain may come in, or stay.
    pub fn welcomes(&self, chain: &[CertificateDer<'static>], now: Timestamp) -> bool {
        chain.split_first().is_some_and(|(own, between)| {
            let judged = self.verifier.verify_client_cert(own, between, unix(now));
            judged.is_ok()
        })
    }
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|_| TlsError::Pem(what))?;
    match all.is_empty() {
        true => Err(TlsError::Pem(what)),
        false => Ok(all),
    }
}

/// The end of a certificate that is good now.
fn good_now(der: &[u8], what: &'static str, now: Timestamp) -> Result<Timestamp, TlsError> {
    let facts = certificate::facts(der);
    let facts = facts.map_err(|source| TlsError::Certificate { what, source })?;
    let (from, until) = (facts.not_before, facts.not_after);
    match (from..=until).contains(&now) {
        true => Ok(until),
        false => Err(TlsError::Past { what, from, until }),
    }
}

/// Every list is one of these authorities' and not past its next update, and every
/// authority has one; the first next update.
fn check_lists(
    authorities: &[CertificateDer<'static>],
    lists: &[CertificateRevocationListDer<'static>],
    now: Timestamp,
) -> Result<Timestamp, TlsError> {
    let what = "client_ca_file";
    let mut without = Vec::new();
    for der in authorities {
        good_now(der, what, now)?;
        let source = CertificateError::Certificate;
        let parsed = Certificate::from_der(der);
        without.push(parsed.map_err(|_| TlsError::Certificate { what, source })?);
    }
    let known = without.clone();
    let mut due: Option<Timestamp> = None;
    for der in lists {
        let list = CertificateList::<x509_cert::certificate::Rfc5280>::from_der(der);
        let list = list.map_err(|_| TlsError::Pem("client_crl_file"))?;
        let body = list.tbs_cert_list;
        let of = |one: &Certificate| {
            let one = one.tbs_certificate();
            *one.subject() == body.issuer && signed::holds(der, one.subject_public_key_info())
        };
        if !known.iter().any(of) {
            return Err(TlsError::Foreign);
        }
        without.retain(|one| !of(one));
        let source = |source| TlsError::Certificate {
            what: "client_crl_file",
            source,
        };
        let from = moment(&body.this_update).map_err(source)?;
        let until = body.next_update.as_ref().ok_or(TlsError::Endless)?;
        let until = moment(until).map_err(source)?;
        if !(from..until).contains(&now) {
            let what = "client_crl_file";
            return Err(TlsError::Past { what, from, until });
        }
        due = Some(due.map_or(until, |due| due.min(until)));
    }
    match (due, without.is_empty()) {
        (Some(due), true) => Ok(due),
        _ => Err(TlsError::Missing),
    }
}

fn verifier(
    authorities: Vec<CertificateDer<'static>>,
    lists: Vec<CertificateRevocationListDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(TlsError::Unfit)?;
    }
    let provider = Arc::clone(provider);
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = builder.with_crls(lists).enforce_revocation_expiration();
    builder.build().map_err(TlsError::Authorities)
}
