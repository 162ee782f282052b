//! A whole backend on one thread: any store, inline workers, virtual time.

mod seams;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::sealed::{Binding, SealKey, Sealed, SecretText};
use counterfoil_data::seam::{SharedClock, SharedEntropy};
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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

use super::super::writer_handle::WriterHandle;
use super::super::{Limits, Parts, Service};
use super::client::Client;
use crate::core::command::{Command, CommandBody, GROUP_MAX};
use crate::demo::{Means, commands};
use crate::keys::Keys;
use crate::ports::{Embedded, Ports};
use crate::store::model::ModelStore;
use crate::store::{Changes, Store};
use crate::workers::Workers;
use crate::workers::pin::Argon2Params;
use crate::writer::{Fatal, LogKey, Writer};
pub use seams::{START, Seeded, VirtualClock, logged, quietly, run};

/// Origin of the evidence log.
pub const ORIGIN: &str = "test.example/counterfoil";

/// The demo bank's commands, made once: prints take their time.
pub fn enrolment(bank: &DemoBank) -> &'static [Command] {
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

/// The demo bank, parsed once.
fn bank() -> DemoBank {
    static BANK: OnceLock<DemoBank> = OnceLock::new();
    BANK.get_or_init(|| demo::bank().expect("the demo bank"))
        .clone()
}

/// A store that a house can be built over.
pub trait Books: Store + Clone + 'static {}

impl<S: Store + Clone + 'static> Books for S {}

/// The house under test.
pub struct Bed<S: Books = ModelStore> {
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub service: Rc<Service>,
    pub outside: Rc<Embedded>,
    pub bank: DemoBank,
    pub store: S,
    gate: Rc<Semaphore>,
    touches: Cell<u64>,
}

/// What a house is built of besides its store.
pub struct House {
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub limits: Limits,
    pub keys: Keys,
}

impl House {
    /// A house at a moment; its secrets are drawn from `seed`.
    pub fn at(from: Timestamp, seed: u64, limits: Limits) -> Self {
        Self {
            clock: Rc::new(VirtualClock::from(from)),
            entropy: Rc::new(Seeded::new(seed)),
            limits,
            keys: Keys::demo(),
        }
    }
}

pub fn writer<S: Books>(store: &S) -> Result<Writer<S>, Fatal> {
    let log = LogKey {
        origin: ORIGIN.to_owned(),
        key: Keys::demo().evidence,
    };
    Writer::open(store.clone(), log)
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
        let mut writer = writer(&store).expect("a writer");
        for group in enrolment(&bank()).chunks(GROUP_MAX) {
            for answer in writer.step(group.to_vec()).expect("writes") {
                answer.result.expect("enrols");
            }
        }
        let house = House::at(START.parse().expect("a time"), 7, limits);
        Self::over(store, writer, house, ports)
    }
}

impl<S: Books> Bed<S> {
    /// Another process over the same books: what was only in memory is gone.
    pub fn restarted(&self) -> Self {
        self.restarted_with(Keys::demo())
    }

    /// The same with other keys.
    pub fn restarted_with(&self, keys: Keys) -> Self {
        self.service.close();
        let house = House {
            clock: Rc::clone(&self.clock),
            entropy: Rc::new(Seeded::new(7)),
            limits: self.service.limits,
            keys,
        };
        let writer = writer(&self.store).expect("a writer");
        Self::over(self.store.clone(), writer, house, |ports| ports)
    }

    /// A house over these books as they are.
    pub fn over(
        store: S,
        writer: Writer<S>,
        house: House,
        ports: impl FnOnce(Ports) -> Ports,
    ) -> Self {
        let House {
            clock,
            entropy,
            limits,
            keys,
        } = house;
        let (keys, params) = (Arc::new(keys), Argon2Params::testbed());
        let (handle, queue) = WriterHandle::new();
        let gate = Rc::new(Semaphore::new(1));
        let stuck = Rc::clone(&gate);
        tokio::task::spawn_local(async move {
            // Not closed: whoever takes the permit has the writer stand still.
            let _go = stuck.acquire().await.expect("open");
            if let Err(error) = queue.run_local(writer).await {
                // As in production: nobody is answered any more.
                tracing::error!(%error, "the writer stopped");
            }
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
            bank: bank(),
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

    pub async fn staff(&self, id: &str) -> Client {
        let person = self.bank.person(id).expect("staff");
        let seed = person.key_seed.as_ref().expect("a key").0;
        self.client(&format!("staff:{id}"), &seed).await
    }

    async fn client(&self, key_id: &str, seed: &[u8; 32]) -> Client {
        self.client_on(self.dial(), key_id, seed).await
    }

    /// A client of the demo bank's over a stream of the test's own.
    pub async fn client_over<I>(&self, io: I, key_id: &str) -> Client
    where
        I: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let seed = match key_id.split_once(':') {
            Some(("kiosk", id)) => self.bank.kiosk(id).map(|k| k.key_seed.0),
            Some(("station", id)) => self.bank.station(id).map(|s| s.key_seed.0),
            Some((_, id)) => self
                .bank
                .person(id)
                .and_then(|p| Some(p.key_seed.as_ref()?.0)),
            None => None,
        };
        self.client_on(io, key_id, &seed.unwrap_or([9; 32])).await
    }

    async fn client_on<I>(&self, io: I, key_id: &str, seed: &[u8; 32]) -> Client
    where
        I: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(io)).await.expect("connects");
        tokio::task::spawn_local(connection);
        Client {
            identity: SigningIdentity::new(&key_id.parse().expect("a signer"), seed),
            sender: RefCell::new(sender),
            sequence: Cell::new(0),
            is_old: Cell::new(false),
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
