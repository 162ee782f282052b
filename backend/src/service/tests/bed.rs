//! A whole backend on one thread: store in memory, inline workers, virtual time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::sealed::{Binding, SealKey, Sealed, SecretText};
use counterfoil_data::seam::{Clock, Entropy, Local, SharedClock, SharedEntropy};
use counterfoil_data::secret::Secret;
use counterfoil_data::sign::SigningIdentity;
use counterfoil_data::wire::sale::{
    Authenticity, CardProof, DocumentFields, IdentityHead, LivePrint, SaleView, VerificationInfo,
};
use counterfoil_data::wire::{self, Digest};
use counterfoil_finger::Image;
use counterfoil_finger::synth::{Contact, Finger};
use ed25519_dalek::Signer as _;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use tokio::sync::Semaphore;

use super::super::writer_handle::WriterHandle;
use super::super::{Limits, Parts, Service};
use super::client::Client;
use crate::core::command::{Command, CommandBody, GROUP_MAX};
use crate::demo::{Means, commands};
use crate::keys::Keys;
use crate::ports::{Embedded, Ports};
use crate::store::model::ModelStore;
use crate::store::{Changes, Store as _};
use crate::workers::Workers;
use crate::workers::pin::Argon2Params;
use crate::writer::{LogKey, Writer};

/// When every test begins: a Monday morning in Shanghai.
const START: &str = "2026-11-23T02:00:00Z";

thread_local! {
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Everything logged on this thread since its first test, at every level.
pub fn logged() -> Vec<u8> {
    LOGGED.with_borrow(Clone::clone)
}

struct ThreadLog;

impl std::io::Write for ThreadLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One subscriber for the process, so that no test races another's callsites.
fn capture() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(|| ThreadLog)
            .init();
    });
}

/// Runs a test on one thread with paused time.
pub fn run<F: Future<Output = ()>>(test: F) {
    capture();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("runtime");
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

struct VirtualClock(tokio::time::Instant);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = START.parse().expect("a timestamp");
        start + self.0.elapsed()
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

struct Seeded(RefCell<ChaCha20Rng>);

impl Seeded {
    fn new(seed: u64) -> Self {
        Self(RefCell::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.borrow_mut().fill_bytes(bytes);
    }
}

/// The demo bank's commands, made once: prints take their time.
fn enrolment(bank: &DemoBank) -> &'static [Command] {
    static COMMANDS: OnceLock<Vec<Command>> = OnceLock::new();
    COMMANDS.get_or_init(|| {
        let means = Means {
            keys: &Keys::demo(),
            params: Argon2Params::testbed(),
            entropy: &Seeded::new(1),
            at: START.parse().expect("a timestamp"),
        };
        commands(bank, &means).expect("the demo bank")
    })
}

/// The house under test.
pub struct Bed {
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub service: Rc<Service>,
    pub outside: Rc<Embedded>,
    pub bank: DemoBank,
    pub store: ModelStore,
    gate: Rc<Semaphore>,
    touches: Cell<u64>,
}

fn writer(store: &ModelStore) -> Writer<ModelStore> {
    let log = LogKey {
        origin: "test.example/counterfoil".to_owned(),
        key: Keys::demo().evidence,
    };
    Writer::open(store.clone(), log).expect("a writer")
}

impl Bed {
    pub fn open() -> Self {
        Self::limited(Limits {
            date_header: false,
            ..Limits::default()
        })
    }

    pub fn limited(limits: Limits) -> Self {
        Self::with(limits, &Changes::new(), |ports| ports)
    }

    /// With these rows in the books beforehand, and with ports of the test's own.
    pub fn with(limits: Limits, rows: &Changes, ports: impl FnOnce(Ports) -> Ports) -> Self {
        let mut store = ModelStore::new();
        let epoch = store.seize().expect("seizes");
        store.flush(epoch, rows).expect("flushes");
        let bank = demo::bank().expect("the demo bank");
        let mut writer = writer(&store);
        for group in enrolment(&bank).chunks(GROUP_MAX) {
            for answer in writer.step(group.to_vec()).expect("writes") {
                answer.result.expect("enrols");
            }
        }
        let clock: SharedClock = Rc::new(VirtualClock(tokio::time::Instant::now()));
        Self::over(store, writer, clock, limits, ports)
    }

    /// Another process over the same books: what was only in memory is gone.
    pub fn restarted(&self) -> Self {
        self.service.close();
        let (store, clock) = (self.store.clone(), Rc::clone(&self.clock));
        let limits = self.service.limits;
        let writer = writer(&store);
        Self::over(store, writer, clock, limits, |ports| ports)
    }

    fn over(
        store: ModelStore,
        writer: Writer<ModelStore>,
        clock: SharedClock,
        limits: Limits,
        ports: impl FnOnce(Ports) -> Ports,
    ) -> Self {
        let entropy: SharedEntropy = Rc::new(Seeded::new(7));
        let (keys, params) = (Arc::new(Keys::demo()), Argon2Params::testbed());
        let (handle, queue) = WriterHandle::new();
        let gate = Rc::new(Semaphore::new(1));
        let stuck = Rc::clone(&gate);
        tokio::task::spawn_local(async move {
            // Not closed: whoever takes the permit has the writer stand still.
            let _go = stuck.acquire().await.expect("open");
            queue.run_local(writer).await.expect("writes");
        });
        let (embedded, outside) = Ports::embedded();
        let service = Service::open(Parts {
            clock: Rc::clone(&clock),
            entropy: Rc::clone(&entropy),
            writer: handle,
            snapshots: Box::new(store.clone()),
            workers: Workers::inline(Arc::clone(&keys), params),
            keys,
            ports: ports(embedded),
            limits,
        });
        tokio::task::spawn_local(Rc::clone(&service).tick());
        tokio::task::spawn_local(Rc::clone(&service).relay());
        Self {
            clock,
            entropy,
            service,
            outside,
            bank: demo::bank().expect("the demo bank"),
            store,
            gate,
            touches: Cell::new(0),
        }
    }

    /// Has the writer of this new service stand still, alive and without a step.
    pub fn stuck(self) -> Self {
        self.gate.forget_permits(1);
        self
    }

    /// A command of the house itself.
    pub async fn system(&self, body: CommandBody) {
        self.service.system(body).await.expect("is done");
    }

    /// A stream into the service from an address.
    pub fn dial_from(&self, address: &str) -> tokio::io::DuplexStream {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let service = Rc::clone(&self.service);
        let address = address.parse().expect("an address");
        tokio::task::spawn_local(async move { service.serve_peer(theirs, address).await });
        ours
    }

    /// A stream into the service.
    pub fn dial(&self) -> tokio::io::DuplexStream {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let service = Rc::clone(&self.service);
        tokio::task::spawn_local(async move { service.serve_stream(theirs).await });
        ours
    }

    pub async fn kiosk(&self, id: &str) -> Client {
        let seed = self.bank.kiosk(id).expect("a kiosk").key_seed.0;
        self.client(&format!("kiosk:{id}"), &seed).await
    }

    pub async fn station(&self) -> Client {
        let seed = self.bank.station("station-1").expect("one").key_seed.0;
        self.client("station:station-1", &seed).await
    }

    async fn client(&self, key_id: &str, seed: &[u8; 32]) -> Client {
        let (sender, connection) = handshake(TokioIo::new(self.dial()))
            .await
            .expect("connects");
        tokio::task::spawn_local(connection);
        Client {
            identity: SigningIdentity::new(&key_id.parse().expect("a signer"), seed),
            sender: RefCell::new(sender),
            sequence: Cell::new(0),
            clock: Rc::clone(&self.clock),
            entropy: Rc::clone(&self.entropy),
        }
    }

    fn sealed(&self, view: &SaleView, key: &SealKey, text: &str) -> Sealed<SecretText> {
        let text = SecretText(Secret::new(text.to_owned()));
        Sealed::seal(&text, key, binding(view), &*self.entropy).expect("seals")
    }

    fn secret(&self, view: &SaleView, key: &SealKey, name: &str) -> Sealed<SecretText> {
        let secret = self.bank.secret(name).expect("a secret");
        self.sealed(view, key, secret.expose())
    }

    /// Sealed card and PIN, by their names in the demo bank.
    pub fn card_info(
        &self,
        view: &SaleView,
        key: &SealKey,
        card: &str,
        pin: &str,
    ) -> VerificationInfo {
        let pan = &self.bank.card(card).expect("a card").pan;
        VerificationInfo::SettlementCard {
            card: self.sealed(view, key, pan),
            oda: CardProof::Genuine,
            pin: self.secret(view, key, pin),
        }
    }

    /// Sealed account number and payment password, by their names (PM2).
    pub fn account_info(
        &self,
        view: &SaleView,
        key: &SealKey,
        account: &str,
        password: &str,
    ) -> VerificationInfo {
        VerificationInfo::PaymentPassword {
            account: self.secret(view, key, account),
            password: self.secret(view, key, password),
        }
    }

    /// An identity body: document and finger by their names in the demo bank.
    pub fn identity(&self, view: &SaleView, key: &SealKey, who: &Presented<'_>) -> Bytes {
        let seed = self.bank.finger(who.finger).expect("a finger").seed;
        // No touch is like another: the same one again would be a copy.
        let touch = self.touches.replace(self.touches.get() + 1);
        let image = Finger::from_seed(seed).impression(&Contact::natural(seed + 41 + touch));
        self.identity_with(view, key, who, &image)
    }

    /// An identity body with this picture for a live print.
    pub fn identity_with(
        &self,
        view: &SaleView,
        key: &SealKey,
        who: &Presented<'_>,
        image: &Image,
    ) -> Bytes {
        let document = self.bank.document(who.document).expect("a document");
        let fields = DocumentFields {
            name: Secret::new(document.holder.clone()),
            number: Secret::new(document.number.clone()),
            valid_to: document.valid_to,
        };
        let print = LivePrint {
            width: image.width(),
            height: image.height(),
            dpi: image.dpi(),
            pixels: Secret::new(image.pixels().to_vec()),
        };
        let binding = binding(view);
        let mut authenticity = Authenticity {
            sam_id: "05.01-20260101-0000000001-0000000001".into(),
            status: who.status.to_vec(),
            frame: Digest::of(b"frame"),
            at: self.clock.now(),
            signature: String::new(),
        };
        let kiosk = self.bank.kiosk(who.kiosk).expect("a kiosk");
        let signing = ed25519_dalek::SigningKey::from_bytes(&kiosk.key_seed.0);
        let signature = signing.sign(&authenticity.statement(binding));
        authenticity.signature = wire::hex(&signature.to_bytes());
        let head = IdentityHead {
            document: Sealed::seal(&fields, key, binding, &*self.entropy).expect("seals"),
            authenticity,
        };
        let head = serde_json::to_vec(&head).expect("serialises");
        let live = Sealed::seal(&print, key, binding, &*self.entropy).expect("seals");
        let len = u32::try_from(head.len()).expect("short").to_be_bytes();
        [len.as_slice(), &head, &live.to_bytes()].concat().into()
    }
}

/// What is presented at the second gate.
pub struct Presented<'a> {
    pub kiosk: &'a str,
    pub document: &'a str,
    pub finger: &'a str,
    pub status: &'a [u8],
}

/// Zhang with the right finger and a genuine document.
pub const ZHANG: Presented<'static> = Presented {
    kiosk: "kiosk-1",
    document: "zhang",
    finger: "zhang",
    status: &[0x9F, 0x90, 0x90],
};

fn binding(view: &SaleView) -> Binding {
    Binding {
        sale: view.sale,
        challenge: view.challenge,
    }
}
