//! A bank's authority, a door made of what it issued, and clients with certificates.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use counterfoil_data::certificate;
use counterfoil_data::seam::random;
use counterfoil_data::secret::Secret;
use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio::io::DuplexStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::super::tls::{Door, Material, TlsError};
use super::super::bed::Bed;
use super::super::client::Client;
use crate::ca::{Authority, CRL_DAYS, Holder};

const HOST: &str = "backend.example";
const DAY: Duration = Duration::from_secs(86_400);

/// A certificate and its key, or none.
#[derive(Clone)]
pub struct Card {
    pub what: String,
    pem: String,
    key: String,
    serial: String,
    /// What it dials with; sessions are resumed only under the same configuration.
    dialling: Rc<OnceCell<Arc<ClientConfig>>>,
}

impl Card {
    pub fn none() -> Self {
        Self {
            what: "no certificate".to_owned(),
            pem: String::new(),
            key: String::new(),
            serial: String::new(),
            dialling: Rc::default(),
        }
    }

    /// One of the fixtures, by name.
    pub fn of_openssl(name: &str) -> Self {
        let pem = match name {
            "none" => include_str!("openssl/none.pem"),
            "one" => include_str!("openssl/one.pem"),
            "two" => include_str!("openssl/two.pem"),
            _ => panic!("no fixture {name}"),
        };
        Self {
            what: name.to_owned(),
            pem: pem.to_owned(),
            key: include_str!("openssl/client-key.pem").to_owned(),
            ..Self::none()
        }
    }
}

/// What a door is made of.
#[derive(Clone)]
pub struct Files {
    pub certificate: String,
    pub key: String,
    pub client_ca: String,
    pub client_crl: String,
}

/// A bank behind TLS.
pub struct Hall<'a> {
    bed: &'a Bed,
    authority: Authority,
    files: RefCell<Files>,
    serial: Cell<u8>,
    revoked: RefCell<Vec<String>>,
    pub door: Rc<Door>,
}

#[derive(Debug)]
struct Fixed(u64);

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}

fn authority(bed: &Bed, name: &str) -> Authority {
    let seed = random(&*bed.entropy);
    Authority::create(name, &seed, random(&*bed.entropy), 10, bed.clock.now()).expect("made")
}

fn list(authority: &Authority, revoked: &[String], at: Timestamp) -> String {
    authority.crl(None, revoked, |_| true, at).expect("a list")
}

impl<'a> Hall<'a> {
    pub fn open(bed: &'a Bed) -> Self {
        let authority = authority(bed, "Bank CA");
        let now = bed.clock.now();
        let files = Files {
            certificate: String::new(),
            key: String::new(),
            client_ca: authority.certificate_pem().expect("PEM"),
            client_crl: list(&authority, &[], now),
        };
        let serial = Cell::new(0);
        let server = Holder::Server(HOST.to_owned());
        let own = issue(bed, &authority, &serial, &server, 30, now);
        let files = Files {
            certificate: own.pem,
            key: own.key,
            ..files
        };
        let door = door_of(&files, |material| Door::open(material, now)).expect("a door");
        Self {
            bed,
            authority,
            files: RefCell::new(files),
            serial,
            revoked: RefCell::default(),
            door: Rc::new(door),
        }
    }

    pub fn files(&self) -> Files {
        self.files.borrow().clone()
    }

    /// Puts files in force; good ones are kept.
    pub fn put(&self, files: &Files) -> Result<(), TlsError> {
        let now = self.bed.clock.now();
        door_of(files, |material| self.door.replace(material, now))?;
        self.files.replace(files.clone());
        Ok(())
    }

    fn issue(&self, holder: &Holder, days: u32, at: Timestamp) -> Card {
        issue(self.bed, &self.authority, &self.serial, holder, days, at)
    }

    pub fn card(&self, signer: &str) -> Card {
        self.card_days(signer, 90)
    }

    pub fn card_days(&self, signer: &str, days: u32) -> Card {
        let holder = Holder::Signer(signer.parse().expect("a signer"));
        self.issue(&holder, days, self.bed.clock.now())
    }

    /// Kiosk 1's, with so much left of its 30 days.
    pub fn card_ending_in(&self, left: Duration) -> Card {
        let holder = Holder::Signer("kiosk:kiosk-1".parse().expect("a signer"));
        self.issue(&holder, 30, self.bed.clock.now() + left - DAY * 30)
    }

    pub fn server_card(&self) -> Card {
        self.issue(&Holder::Server(HOST.to_owned()), 30, self.bed.clock.now())
    }

    /// Lets the fixtures' authority in, beside our own.
    pub fn trust_openssl(&self) {
        let mut files = self.files();
        files.client_ca += include_str!("openssl/ca.pem");
        files.client_crl += include_str!("openssl/crl.pem");
        self.put(&files).expect("good files");
    }

    pub fn renew_server(&self) {
        let own = self.server_card();
        let files = Files {
            certificate: own.pem,
            key: own.key,
            ..self.files()
        };
        self.put(&files).expect("good files");
    }

    pub fn put_server_of_yesterday(&self) -> Result<(), TlsError> {
        let at = self.bed.clock.now() - DAY * 2;
        let own = self.issue(&Holder::Server(HOST.to_owned()), 1, at);
        self.put(&Files {
            certificate: own.pem,
            key: own.key,
            ..self.files()
        })
    }

    /// One more authority beside the others, as when the bank changes it.
    pub fn add_authority(&self) {
        let name = format!("Bank CA {}", self.serial.get());
        let next = authority(self.bed, &name);
        let mut files = self.files();
        files.client_ca += &next.certificate_pem().expect("PEM");
        files.client_crl += &list(&next, &[], self.bed.clock.now());
        self.put(&files).expect("good files");
    }

    pub fn revoke(&self, card: &Card) -> Result<(), TlsError> {
        self.revoked.borrow_mut().push(card.serial.clone());
        self.list_ending_in(DAY * CRL_DAYS)
    }

    /// The authority's list, with so much left of its time.
    pub fn list_ending_in(&self, left: Duration) -> Result<(), TlsError> {
        let at = self.bed.clock.now() + left - DAY * CRL_DAYS;
        let client_crl = list(&self.authority, &self.revoked.borrow(), at);
        self.put(&Files {
            client_crl,
            ..self.files()
        })
    }

    /// A stream to the door.
    pub fn dial(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (service, door) = (Rc::clone(&self.bed.service), Rc::clone(&self.door));
        let address = "192.0.2.7".parse().expect("an address");
        tokio::task::spawn_local(async move { service.serve_tls(theirs, address, &door).await });
        ours
    }

    async fn shake(&self, card: &Card) -> Option<TlsStream<DuplexStream>> {
        let config = card.dialling.get_or_init(|| self.dialling(card));
        let connector = TlsConnector::from(Arc::clone(config));
        let name = ServerName::try_from(HOST).expect("a name");
        connector.connect(name, self.dial()).await.ok()
    }

    fn dialling(&self, card: &Card) -> Arc<ClientConfig> {
        let now = u64::try_from(self.bed.clock.now().as_second()).expect("after 1970");
        let mut roots = RootCertStore::empty();
        let trusted = self.authority.certificate_pem().expect("PEM");
        let trusted = CertificateDer::from_pem_slice(trusted.as_bytes()).expect("DER");
        roots.add(trusted).expect("a root");
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_details(provider, Arc::new(Fixed(now)));
        let builder = builder.with_protocol_versions(&[&rustls::version::TLS13]);
        let builder = builder.expect("1.3").with_root_certificates(roots);
        let mut config = match card.pem.is_empty() {
            true => builder.with_no_client_auth(),
            false => {
                let chain = CertificateDer::pem_slice_iter(card.pem.as_bytes());
                let chain: Result<Vec<_>, _> = chain.collect();
                let key = PrivateKeyDer::from_pem_slice(card.key.as_bytes()).expect("a key");
                let chain = chain.expect("a chain");
                builder.with_client_auth_cert(chain, key).expect("fits")
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// A signing client that connects with `card`.
    pub async fn client(&self, card: &Card, signer: &str) -> Client {
        let stream = self.shake(card).await.expect("shakes hands");
        self.bed.client_over(stream, signer).await
    }

    /// The status of one request on a connection of its own; `None`: no answer came.
    pub async fn status(&self, card: &Card, signer: &str) -> Option<u16> {
        let stream = self.shake(card).await?;
        let client = self.bed.client_over(stream, signer).await;
        client.try_get("/v1/evidence/checkpoint").await
    }

    /// The same with this card's sessions: the second time they are resumed.
    pub async fn resumable(&self, card: &Card) -> Option<(u16, HandshakeKind)> {
        let mut last = None;
        for _ in 0..2 {
            let stream = self.shake(card).await?;
            let kind = stream.get_ref().1.handshake_kind().expect("is known");
            let client = self.bed.client_over(stream, "kiosk:kiosk-1").await;
            last = Some((client.try_get("/v1/kiosk").await?, kind));
        }
        last
    }
}

fn door_of<T>(files: &Files, take: impl FnOnce(&Material<'_>) -> T) -> T {
    take(&Material {
        certificate: files.certificate.as_bytes(),
        key: &Secret::new(files.key.clone().into_bytes()),
        client_ca: files.client_ca.as_bytes(),
        client_crl: files.client_crl.as_bytes(),
    })
}

fn issue(
    bed: &Bed,
    authority: &Authority,
    serials: &Cell<u8>,
    holder: &Holder,
    days: u32,
    at: Timestamp,
) -> Card {
    serials.set(serials.get() + 1);
    let seed = random::<32>(&*bed.entropy);
    let key = certificate::key_pem(&seed).expect("PEM").expose().clone();
    let signing = certificate::key(&key).expect("a key");
    let request = certificate::request(&signing, &holder.to_string()).expect("a request");
    let serial = [serials.get(); 16];
    let issued = authority
        .issue(&request, holder, days, at, serial)
        .expect("issues");
    Card {
        what: format!("{holder}, {days} days"),
        pem: issued.pem,
        key,
        serial: issued.serial,
        dialling: Rc::default(),
    }
}
