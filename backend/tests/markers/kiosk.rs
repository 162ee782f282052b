//! A kiosk, a station: signed, sealed, over a real socket.

use std::cell::Cell;

use bytes::Bytes;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, SealKey, Sealed, SecretText};
use counterfoil_data::seam::{Entropy, random};
use counterfoil_data::secret::Secret;
use counterfoil_data::sign::{self, RequestParts, SigningIdentity};
use counterfoil_data::wire::sale::{
    Authenticity, CardProof, DocumentFields, IdentityHead, KioskView, LivePrint, OpenSale,
    PurchaseMode, SaleView, VerificationInfo,
};
use counterfoil_data::wire::{self, Digest};
use counterfoil_finger::Image;
use ed25519_dalek::Signer as _;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;

/// Randomness of this machine.
pub struct Os;

impl Entropy for Os {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("randomness");
    }
}

/// Who signs, and where to.
pub struct Client {
    pub listen: String,
    pub id: String,
    pub seed: [u8; 32],
    pub sequence: Cell<u64>,
}

/// Body, media type and key of a request.
pub struct Sent<'a> {
    pub body: Bytes,
    pub media_type: &'a str,
    pub key: Option<&'a str>,
}

impl Client {
    pub fn new(listen: &str, id: &str, seed: [u8; 32]) -> Self {
        Self {
            listen: listen.to_owned(),
            id: id.to_owned(),
            seed,
            sequence: Cell::new(0),
        }
    }

    /// One signed request on a connection of its own.
    pub fn ask(&self, method: &str, path: &str, sent: &Sent<'_>) -> (u16, Bytes) {
        let sequence = self.sequence.get() + 1;
        self.sequence.set(sequence);
        let identity = SigningIdentity::new(&self.id.parse().expect("a signer"), &self.seed);
        let parts = RequestParts {
            method,
            path_and_query: path,
            body_digest: Digest::of(&sent.body),
            sequence,
            idempotency_key: sent.key,
            session: None,
        };
        let signed = sign::sign(&parts, &identity, jiff::Timestamp::now(), random(&Os));
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.listen)
            .header("content-type", sent.media_type)
            .header(wire::VERSION_HEADER, wire::VERSION)
            .header(wire::SEQUENCE_HEADER, sequence)
            .header(sign::CONTENT_DIGEST_HEADER, signed.content_digest)
            .header(sign::SIGNATURE_INPUT_HEADER, signed.signature_input)
            .header(sign::SIGNATURE_HEADER, signed.signature);
        if let Some(key) = sent.key {
            request = request.header(wire::IDEMPOTENCY_HEADER, key);
        }
        let request = request.body(Full::new(sent.body.clone())).expect("sound");
        said(&self.listen, request)
    }

    pub fn get(&self, path: &str) -> Bytes {
        let sent = Sent {
            body: Bytes::new(),
            media_type: "application/json",
            key: None,
        };
        let (status, body) = self.ask("GET", path, &sent);
        assert_eq!(status, 200, "{path}: {body:?}");
        body
    }

    /// Sends JSON; the status and the body.
    pub fn post<T: Serialize>(&self, path: &str, body: &T, key: Option<&str>) -> (u16, Bytes) {
        let sent = Sent {
            body: serde_json::to_vec(body).expect("serialises").into(),
            media_type: "application/json",
            key,
        };
        self.ask("POST", path, &sent)
    }

    /// The sealing key of now.
    pub fn sealing_key(&self) -> SealKey {
        let view: KioskView = serde_json::from_slice(&self.get("/v1/kiosk")).expect("a view");
        view.sealing_key().expect("a key")
    }

    pub fn open(&self, sale: u128, mode: PurchaseMode) -> SaleView {
        let open = OpenSale {
            sale: SaleId(sale),
            mode,
            seen: None,
        };
        done(self.post("/v1/sales", &open, None))
    }

    fn text(&self, view: &SaleView, text: &str) -> Sealed<SecretText> {
        let text = SecretText(Secret::new(text.to_owned()));
        Sealed::seal(&text, &self.sealing_key(), binding(view), &Os).expect("seals")
    }

    /// Card and PIN, or account and payment password, by `mode`.
    pub fn info(&self, view: &SaleView, number: &str, secret: &str) -> (u16, Bytes) {
        let (number, secret) = (self.text(view, number), self.text(view, secret));
        let info = match view.mode {
            PurchaseMode::SettlementCard => VerificationInfo::SettlementCard {
                card: number,
                oda: CardProof::Genuine,
                pin: secret,
            },
            PurchaseMode::PaymentPassword => VerificationInfo::PaymentPassword {
                account: number,
                password: secret,
            },
        };
        self.post(&path(view, "info"), &info, None)
    }

    /// Document and live finger.
    pub fn identity(
        &self,
        view: &SaleView,
        fields: &DocumentFields,
        image: &Image,
    ) -> (u16, Bytes) {
        let (key, binding) = (self.sealing_key(), binding(view));
        let mut authenticity = Authenticity {
            sam_id: "05.01-20260101-0000000001-0000000001".into(),
            status: Authenticity::GENUINE.to_vec(),
            frame: Digest::of(b"frame"),
            at: jiff::Timestamp::now(),
            signature: String::new(),
        };
        let signing = ed25519_dalek::SigningKey::from_bytes(&self.seed);
        let signature = signing.sign(&authenticity.statement(binding));
        authenticity.signature = wire::hex(&signature.to_bytes());
        let head = IdentityHead {
            document: Sealed::seal(fields, &key, binding, &Os).expect("seals"),
            authenticity,
        };
        let head = serde_json::to_vec(&head).expect("serialises");
        let print = LivePrint {
            width: image.width(),
            height: image.height(),
            dpi: image.dpi(),
            pixels: Secret::new(image.pixels().to_vec()),
        };
        let live = Sealed::seal(&print, &key, binding, &Os).expect("seals");
        let len = u32::try_from(head.len()).expect("short").to_be_bytes();
        let sent = Sent {
            body: [len.as_slice(), &head, &live.to_bytes()].concat().into(),
            media_type: "application/octet-stream",
            key: None,
        };
        self.ask("POST", &path(view, "identity"), &sent)
    }
}

/// The sale in an answer that is a 200.
pub fn done((status, body): (u16, Bytes)) -> SaleView {
    assert_eq!(status, 200, "{body:?}");
    serde_json::from_slice(&body).expect("a sale")
}

/// `/v1/sales/{id}/verb`.
pub fn path(view: &SaleView, verb: &str) -> String {
    format!("/v1/sales/{}/{verb}", view.sale)
}

fn binding(view: &SaleView) -> Binding {
    Binding {
        sale: view.sale,
        challenge: view.challenge,
    }
}

/// An unsigned page.
pub fn page(listen: &str, path: &str) -> Bytes {
    let request = Request::get(path).header("host", listen);
    let (status, body) = said(listen, request.body(Full::default()).expect("sound"));
    assert_eq!(status, 200);
    body
}

fn said(listen: &str, request: Request<Full<Bytes>>) -> (u16, Bytes) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(async {
        let stream = TcpStream::connect(listen).await.expect("connects");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("speaks");
        tokio::spawn(connection);
        let answer = sender.send_request(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (head.status.as_u16(), body)
    })
}
