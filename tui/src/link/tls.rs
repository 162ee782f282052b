//! The way to the backend: TCP, with TLS 1.3 over it or, on loopback, without.
//!
//! Owns the client's certificate while connections are made. The files are read anew for
//! every connection, so a renewed certificate is used from the next one on; files that
//! cannot be used leave the old ones in use, and are told once. Refuses every other
//! version of TLS, and a backend without a certificate of the bank's authority. Opens no
//! files: whoever makes it says how they are read. Called by [`super::Link`].

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use counterfoil_data::certificate::{self, CertificateError};
use counterfoil_data::seam::SharedClock;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::Digest;
use jiff::Timestamp;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Dial, TcpDial};

/// What is spoken inside.
const ALPN: &[u8] = b"http/1.1";
/// Sessions kept to be resumed; two connections are open at most.
const SESSIONS_MAX: usize = 4;

/// What a client needs, as PEM.
pub struct Bundle {
    /// Authorities the backend's certificate may be of.
    pub ca: Vec<u8>,
    /// The client's certificate, and those between it and its authority.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub key: Secret<Vec<u8>>,
}

impl Bundle {
    fn digest(&self) -> Digest {
        let parts = [&self.ca, &self.certificate, self.key.expose()];
        let each: Vec<u8> = parts.into_iter().flat_map(|p| Digest::of(p).0).collect();
        Digest::of(&each)
    }
}

/// How the files are read; called before each connection.
pub type Read = Box<dyn Fn() -> io::Result<Bundle>>;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("a TLS file cannot be read: {0}")]
    Read(#[source] io::Error),
    /// No such thing in it.
    #[error("{0} has no PEM section of its kind, or a broken one")]
    Pem(&'static str),
    /// The own certificate cannot be read.
    #[error("the own certificate: {0}")]
    Certificate(#[source] CertificateError),
    /// It is over.
    #[error("the own certificate ended at {0}: ask for a new one with --certificate-request")]
    Ended(Timestamp),
    /// The backend's name is neither a DNS name nor an address.
    #[error("server_name is neither a DNS name nor an IP address")]
    Name,
    /// TLS does not take them: key and certificate that do not fit, mostly.
    #[error("the TLS files cannot be used together: {0}")]
    Unfit(#[source] rustls::Error),
}

/// A byte stream of either kind.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// Dials the backend.
pub struct NetDial {
    tcp: TcpDial,
    tls: Option<TlsDial>,
}

impl NetDial {
    /// Without TLS; whoever calls it knows that `address` is loopback.
    pub fn plain(address: &str) -> Self {
        let address = address.to_owned();
        Self {
            tcp: TcpDial { address },
            tls: None,
        }
    }

    /// With TLS, to a backend whose certificate names `server_name`.
    pub fn tls(
        address: &str,
        server_name: &str,
        read: Read,
        clock: SharedClock,
    ) -> Result<Self, TlsError> {
        let name = ServerName::try_from(server_name.to_owned()).map_err(|_| TlsError::Name)?;
        let tls = TlsDial {
            name,
            read,
            clock,
            wall: Arc::default(),
            used: RefCell::default(),
            told: Rc::default(),
        };
        Ok(Self {
            tls: Some(tls),
            ..Self::plain(address)
        })
    }

    /// Whether a connection could be begun now.
    pub fn check(&self) -> Result<(), TlsError> {
        self.tls
            .as_ref()
            .map_or(Ok(()), |tls| tls.fresh().map(drop))
    }
}

impl Dial for NetDial {
    type Stream = Box<dyn Stream>;

    async fn dial(&self) -> io::Result<Self::Stream> {
        let Some(tls) = &self.tls else {
            return Ok(Box::new(self.tcp.dial().await?));
        };
        let connector = tls.connector().map_err(io::Error::other)?;
        let tcp = self.tcp.dial().await?;
        let shaken = connector.connect(tls.name.clone(), tcp).await;
        match shaken {
            Ok(inner) => Ok(Box::new(Told {
                inner,
                told: Rc::clone(&tls.told),
            })),
            Err(error) => {
                tls.told
                    .tell(&format!("the backend is not trusted, or refuses: {error}"));
                Err(error)
            }
        }
    }
}

struct TlsDial {
    name: ServerName<'static>,
    read: Read,
    clock: SharedClock,
    wall: Arc<Wall>,
    /// What was good last, and of which files.
    used: RefCell<Option<Used>>,
    told: Rc<Complaint>,
}

#[derive(Clone)]
struct Used {
    of: Digest,
    config: Arc<ClientConfig>,
    ends: Timestamp,
}

impl TlsDial {
    /// With the files as they are now, or, where they cannot be used, as they last were.
    fn connector(&self) -> Result<TlsConnector, TlsError> {
        let used = match self.fresh() {
            Ok(used) => {
                self.used.replace(Some(used.clone()));
                used
            }
            Err(error) => {
                self.told.tell(&error.to_string());
                let used = self.used.borrow().clone();
                let now = self.clock.now();
                used.filter(|used| used.ends > now).ok_or(error)?
            }
        };
        Ok(TlsConnector::from(used.config))
    }

    fn fresh(&self) -> Result<Used, TlsError> {
        let now = self.clock.now();
        self.wall.set(now);
        let bundle = (self.read)().map_err(TlsError::Read)?;
        let of = bundle.digest();
        let same = self.used.borrow().clone().filter(|used| used.of == of);
        let used = match same {
            Some(used) => used,
            None => self.make(&bundle, of)?,
        };
        match used.ends > now {
            true => Ok(used),
            false => Err(TlsError::Ended(used.ends)),
        }
    }

    fn make(&self, bundle: &Bundle, of: Digest) -> Result<Used, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(&bundle.ca, "ca_file")? {
            roots.add(authority).map_err(TlsError::Unfit)?;
        }
        let chain = certificates(&bundle.certificate, "certificate_file")?;
        let own = chain.first().ok_or(TlsError::Pem("certificate_file"))?;
        let ends = certificate::facts(own)
            .map_err(TlsError::Certificate)?
            .not_after;
        let key = PrivateKeyDer::from_pem_slice(bundle.key.expose());
        let key = key.map_err(|_| TlsError::Pem("key_file"))?;
        let clock = Arc::<Wall>::clone(&self.wall);
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_details(provider, clock);
        let builder = builder.with_protocol_versions(&[&TLS13]);
        let builder = builder.map_err(TlsError::Unfit)?;
        let builder = builder.with_root_certificates(roots);
        let config = builder.with_client_auth_cert(chain, key);
        let mut config = config.map_err(TlsError::Unfit)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
        let config = Arc::new(config);
        Ok(Used { of, config, ends })
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

/// The clock seam as TLS asks for it: set before each handshake, by the one thread.
#[derive(Debug, Default)]
struct Wall(AtomicU64);

impl Wall {
    fn set(&self, now: Timestamp) {
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl TimeProvider for Wall {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.load(Ordering::Relaxed);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// What was told last: the same trouble at every try is one line in the log.
#[derive(Default)]
struct Complaint(RefCell<Option<String>>);

impl Complaint {
    fn tell(&self, text: &str) {
        let mut last = self.0.borrow_mut();
        if last.as_deref() != Some(text) {
            tracing::error!(reason = text, "tls: no connection to the backend");
        }
        *last = Some(text.to_owned());
    }

    fn settle(&self) {
        self.0.replace(None);
    }
}

/// A stream that tells when the backend refuses the certificate: in TLS 1.3 that comes
/// after the client's handshake, as an alert in place of the first answer.
struct Told {
    inner: TlsStream<tokio::net::TcpStream>,
    told: Rc<Complaint>,
}

impl AsyncRead for Told {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        match &polled {
            Poll::Ready(Ok(())) if buf.filled().len() > before => self.told.settle(),
            Poll::Ready(Err(error)) => {
                let cause = error
                    .get_ref()
                    .and_then(|e| e.downcast_ref::<rustls::Error>());
                if let Some(rustls::Error::AlertReceived(alert)) = cause {
                    let text = format!("the backend refuses this certificate: {alert:?}");
                    self.told.tell(&text);
                }
            }
            _ => {}
        }
        polled
    }
}

impl AsyncWrite for Told {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
