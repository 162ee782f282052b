//! A signing client, and what it hears.

use std::cell::{Cell, RefCell};

use bytes::Bytes;
use counterfoil_data::ids::SaleId;
use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use counterfoil_data::sign::{
    self, CONTENT_DIGEST_HEADER, RequestParts, SIGNATURE_HEADER, SIGNATURE_INPUT_HEADER,
    SignatureHeaders, SigningIdentity,
};
use counterfoil_data::wire::confirm::ConfirmationView;
use counterfoil_data::wire::problem::{Problem, ProblemKind};
use counterfoil_data::wire::sale::{KioskView, OpenSale, Order, OrderItem, PurchaseMode, SaleView};
use counterfoil_data::wire::{self, Digest};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{HeaderMap, Request};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::openapi;
use super::super::reply::REQUEST_ID_HEADER;
use super::super::route::{self, Found};
use super::bed::{Bed, Books, Presented, ZHANG};

/// A signing HTTP client on one connection.
pub struct Client {
    pub identity: SigningIdentity,
    pub sender: RefCell<SendRequest<Full<Bytes>>>,
    pub sequence: Cell<u64>,
    /// Whether it is of the wire version before.
    pub is_old: Cell<bool>,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
}

/// A response, whole.
pub struct Heard {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |v| v.to_str().expect("ASCII"))
    }

    /// The body of a 200.
    pub fn ok<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("the documented shape")
    }

    /// The problem of a refusal; checks what every problem must have.
    pub fn problem(&self, status: u16) -> Problem {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        let mut problem: Problem = serde_json::from_slice(&self.body).expect("a problem");
        assert_eq!(problem.status, status);
        let named = problem.instance.take();
        assert_eq!(named.as_deref(), Some(self.header(REQUEST_ID_HEADER)));
        problem
    }
}

/// A request before it is signed.
#[derive(Clone, Default)]
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub media_type: Option<&'static str>,
    pub body: Bytes,
    pub key: Option<String>,
    pub version: Option<&'static str>,
    pub last_event: Option<u64>,
    pub session: Option<String>,
}

impl Ask {
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            version: Some("2"),
            ..Self::default()
        }
    }

    pub fn post<T: Serialize>(path: &str, body: &T) -> Self {
        Self {
            method: "POST",
            body: serde_json::to_vec(body).expect("serialises").into(),
            media_type: Some("application/json"),
            ..Self::get(path)
        }
    }

    pub fn octets(path: &str, body: Bytes) -> Self {
        Self {
            method: "POST",
            body,
            media_type: Some("application/octet-stream"),
            ..Self::get(path)
        }
    }

    pub fn within(mut self, session: &str) -> Self {
        self.session = Some(session.into());
        self
    }

    pub fn keyed(mut self, key: &str) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl Client {
    pub async fn ask(&self, ask: &Ask) -> Heard {
        let request = self.signed(ask, self.clock.now());
        self.send(request).await
    }

    pub async fn get(&self, path: &str) -> Heard {
        self.ask(&Ask::get(path)).await
    }

    /// The status of a read, where the connection still gives one.
    pub async fn try_get(&self, path: &str) -> Option<u16> {
        let request = self.signed(&Ask::get(path), self.clock.now());
        let answer = self.sender.borrow_mut().send_request(request);
        let (head, body) = answer.await.ok()?.into_parts();
        body.collect().await.ok()?;
        Some(head.status.as_u16())
    }

    pub async fn post<T: Serialize>(&self, path: &str, body: &T) -> Heard {
        self.ask(&Ask::post(path, body)).await
    }

    /// Signs with the next sequence number and a fresh nonce.
    pub fn signed(&self, ask: &Ask, created: Timestamp) -> Request<Full<Bytes>> {
        let mut ask = ask.clone();
        if self.is_old.get() {
            ask.version = Some("1");
        }
        let sequence = self.sequence.get() + 1;
        self.sequence.set(sequence);
        let parts = RequestParts {
            method: ask.method,
            path_and_query: &ask.path,
            body_digest: Digest::of(&ask.body),
            sequence,
            idempotency_key: ask.key.as_deref(),
            session: ask.session.as_deref(),
        };
        let nonce = random(&*self.entropy);
        let headers = sign::sign(&parts, &self.identity, created, nonce);
        build(&ask, sequence, Some(&headers))
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Heard {
        let found = route::find(request.method().as_str(), request.uri().path());
        let answer = self.sender.borrow_mut().send_request(request);
        let (head, body) = answer.await.expect("an answer").into_parts();
        let heard = Heard {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await.expect("a whole body").to_bytes(),
        };
        promised(&found, &heard);
        heard
    }

    /// Starts an event stream; the connection belongs to it.
    pub async fn listen(&self, ask: &Ask) -> hyper::body::Incoming {
        let request = self.signed(ask, self.clock.now());
        let answer = self.sender.borrow_mut().send_request(request);
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        answer.into_body()
    }

    /// Who am I: the sealing key is in it.
    pub async fn kiosk_view(&self) -> KioskView {
        self.get("/v1/kiosk").await.ok()
    }

    /// Opens a sale by settlement card.
    pub async fn open(&self, sale: u128) -> SaleView {
        self.open_as(sale, PurchaseMode::SettlementCard).await
    }

    /// Opens a sale in any mode.
    pub async fn open_as(&self, sale: u128, mode: PurchaseMode) -> SaleView {
        let sale = SaleId(sale);
        self.post(
            "/v1/sales",
            &OpenSale {
                sale,
                mode,
                seen: None,
            },
        )
        .await
        .ok()
    }

    /// Up to message 1 with Zhang's card.
    pub async fn info<S: Books>(
        &self,
        bed: &Bed<S>,
        view: &SaleView,
        card: &str,
        pin: &str,
    ) -> Heard {
        let key = self.kiosk_view().await.sealing_key().expect("a key");
        let info = bed.card_info(view, &key, card, pin);
        self.post(&path(view, "info"), &info).await
    }

    /// The second gate.
    pub async fn present<S: Books>(
        &self,
        bed: &Bed<S>,
        view: &SaleView,
        who: &Presented<'_>,
    ) -> Heard {
        let key = self.kiosk_view().await.sealing_key().expect("a key");
        let body = bed.identity(view, &key, who);
        self.ask(&Ask::octets(&path(view, "identity"), body)).await
    }

    /// Up to an order of so many transfer cheques.
    pub async fn ordered(&self, bed: &Bed, sale: u128, quantity: u32) -> SaleView {
        let view = self.open(sale).await;
        let view: SaleView = self.info(bed, &view, "zhang-card", "zhang-pin").await.ok();
        let view: SaleView = self.present(bed, &view, &ZHANG).await.ok();
        self.post(&path(&view, "order"), &order(quantity))
            .await
            .ok()
    }

    /// Everything this station has to look at.
    pub async fn confirmations(&self) -> Vec<ConfirmationView> {
        self.get("/v1/confirmations").await.ok()
    }
}

/// Whatever a test asks, the answer is one that the OpenAPI document promises.
fn promised(found: &Found, heard: &Heard) {
    if heard.status == 200 {
        return;
    }
    let problem: Problem = serde_json::from_slice(&heard.body).expect("a problem");
    let promised = match found {
        Found::Route(route, _) => openapi::problems(route),
        Found::OtherMethod(_) => vec![ProblemKind::Method],
        Found::Nothing => vec![ProblemKind::NotFound],
    };
    let is_promised = promised.iter().any(|kind| kind.uri() == problem.kind);
    assert!(is_promised, "{found:?} answered {problem:?}");
}

/// So many transfer cheques.
pub fn order(quantity: u32) -> Order {
    Order {
        items: vec![OrderItem {
            kind: counterfoil_data::bill::BillKind::TransferCheque,
            quantity,
        }],
    }
}

/// `/v1/sales/{id}/verb`.
pub fn path(view: &SaleView, verb: &str) -> String {
    format!("/v1/sales/{}/{verb}", view.sale)
}

/// A request as it goes over the wire.
pub fn build(
    ask: &Ask,
    sequence: u64,
    signature: Option<&SignatureHeaders>,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(&ask.path)
        .header("host", "backend")
        .header(wire::SEQUENCE_HEADER, sequence);
    if let Some(version) = ask.version {
        request = request.header(wire::VERSION_HEADER, version);
    }
    if let Some(media_type) = ask.media_type {
        request = request.header("content-type", media_type);
    }
    if let Some(key) = &ask.key {
        request = request.header(wire::IDEMPOTENCY_HEADER, key);
    }
    if let Some(session) = &ask.session {
        request = request.header(wire::SESSION_HEADER, session);
    }
    if let Some(last) = ask.last_event {
        request = request.header("last-event-id", last);
    }
    if let Some(headers) = signature {
        request = request
            .header(CONTENT_DIGEST_HEADER, &headers.content_digest)
            .header(SIGNATURE_INPUT_HEADER, &headers.signature_input)
            .header(SIGNATURE_HEADER, &headers.signature);
    }
    request
        .body(Full::new(ask.body.clone()))
        .expect("a request")
}
