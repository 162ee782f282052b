//! The link to the backend: signed HTTP/1.1 over any byte stream (S1).
//!
//! Owns the connection, the signature and the sequence of one signer (kiosk or
//! station). A failure before a response is tried once more on a fresh
//! connection with the same idempotency key; after that the caller decides when
//! to try again. Refuses to know what a message means. Called by the loop
//! ([`crate::kiosk`]) and by the station. Needs a `LocalSet`: the connection is
//! driven by a local task.

pub mod bank;
pub mod session;
pub mod sse;
pub mod staff;
pub mod station;
#[cfg(test)]
mod tests;
pub mod tls;

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use counterfoil_data::sign::{
    CONTENT_DIGEST_HEADER, RequestParts, SIGNATURE_HEADER, SIGNATURE_INPUT_HEADER, SigningIdentity,
    sign,
};
use counterfoil_data::wire::problem::{Problem, Remedy};
use counterfoil_data::wire::session::SessionId;
use counterfoil_data::wire::{
    self, Digest, IDEMPOTENCY_HEADER, SEQUENCE_HEADER, SESSION_HEADER, VERSION, VERSION_HEADER,
};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;

/// Largest answer taken: a sale of 200 forms is about 120 KiB.
pub const ANSWER_MAX: usize = 1024 * 1024;
/// Longest wait for one answer, connecting included.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Tries of one call: the second only on a fresh connection.
const TRIES: u32 = 2;

/// How the backend is reached.
#[expect(
    async_fn_in_trait,
    reason = "used generically on one thread; futures need not be Send"
)]
pub trait Dial {
    /// A byte stream: TCP, TLS over it, or in memory.
    type Stream: AsyncRead + AsyncWrite + Unpin + 'static;
    /// A new connection.
    async fn dial(&self) -> io::Result<Self::Stream>;
}

/// Dials TCP.
#[derive(Debug, Clone)]
pub struct TcpDial {
    /// `host:port`.
    pub address: String,
}

impl Dial for TcpDial {
    type Stream = tokio::net::TcpStream;

    async fn dial(&self) -> io::Result<Self::Stream> {
        let stream = tokio::net::TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No answer.
    #[error("the backend cannot be reached: check the network, the request will be repeated")]
    Unreachable {
        /// The request may have arrived; `false` proves that it did not.
        sent: bool,
    },
    /// No answer in time; whether the request arrived is not known.
    #[error("the backend did not answer within {} s: the request will be repeated", .0.as_secs())]
    Late(Duration),
    /// The backend said no.
    #[error("the backend refused: {} ({})", .0.title, .0.status)]
    Refused(Box<Problem>),
    /// Neither an answer of this version nor a problem document.
    #[error(
        "the answer is not of wire version {VERSION} (status {status}): update kiosk or backend"
    )]
    Garbled {
        /// HTTP status.
        status: u16,
    },
}

impl LinkError {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable { .. } | Self::Late(_) => Remedy::Retry,
            Self::Refused(problem) => problem
                .rule
                .as_ref()
                .map_or(Remedy::CallStaff, |r| r.remedy),
            Self::Garbled { .. } => Remedy::OutOfService,
        }
    }
}

/// One request, before it is signed.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Method.
    pub method: Method,
    /// Path, query included.
    pub path: String,
    /// Body; empty for none.
    pub body: Bytes,
    /// Its media type, if there is a body.
    pub media_type: Option<&'static str>,
    /// The client's key.
    pub key: Option<String>,
}

impl Ask {
    /// `GET`.
    pub fn read(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: Bytes::new(),
            media_type: None,
            key: None,
        }
    }

    /// `POST` of JSON.
    pub fn post(path: impl Into<String>, body: &impl serde::Serialize) -> Self {
        // Wire types serialise without fail: no maps with other keys than text.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self {
            method: Method::POST,
            path: path.into(),
            body: body.into(),
            media_type: Some("application/json"),
            key: None,
        }
    }

    /// Under a client's key.
    pub fn keyed(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

type Sender = SendRequest<Full<Bytes>>;

/// One signer's link.
pub struct Link<D: Dial> {
    dial: D,
    clock: SharedClock,
    entropy: SharedEntropy,
    identity: Rc<SigningIdentity>,
    authority: String,
    sequence: Cell<u64>,
    /// Whoever is logged in at this terminal of staff.
    session: Cell<Option<SessionId>>,
    kept: Mutex<Option<Sender>>,
}

impl<D: Dial> Link<D> {
    /// A link that has not dialled yet. `authority` is the `Host` header.
    pub fn new(
        dial: D,
        clock: SharedClock,
        entropy: SharedEntropy,
        identity: Rc<SigningIdentity>,
        authority: &str,
    ) -> Self {
        Self {
            dial,
            clock,
            entropy,
            identity,
            authority: authority.to_owned(),
            sequence: Cell::new(0),
            session: Cell::new(None),
            kept: Mutex::new(None),
        }
    }

    /// The clock the link waits by.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// The backend saw this sequence number from us; ours go on above it.
    pub fn seen_sequence(&self, sequence: u64) {
        self.sequence.set(self.sequence.get().max(sequence));
    }

    /// Strictly increasing, also over a restart: never below the wall clock.
    fn next_sequence(&self) -> u64 {
        let now_ms = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let next = self.sequence.get().saturating_add(1).max(now_ms);
        self.sequence.set(next);
        next
    }

    /// Asks and parses the JSON answer.
    pub async fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, LinkError> {
        let mut kept = self.kept.lock().await;
        let mut tries: u32 = 0;
        loop {
            tries = tries.saturating_add(1);
            let fresh = kept.is_none();
            let answered = tokio::select! {
                biased;
                answered = self.exchange(&mut kept, ask) => answered,
                () = self.clock.sleep(ANSWER_WITHIN) => Err(LinkError::Late(ANSWER_WITHIN)),
            };
            match answered {
                // A kept connection may have been closed meanwhile: once more.
                Err(LinkError::Unreachable { sent: false }) if !fresh && tries < TRIES => {}
                Err(error) => return Err(error),
                Ok((status, body)) => return parse(status, &body),
            }
        }
    }

    async fn exchange(
        &self,
        kept: &mut Option<Sender>,
        ask: &Ask,
    ) -> Result<(u16, Bytes), LinkError> {
        // Taken out: a call that is dropped half-way leaves no half-used connection.
        let sender = match kept.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let (sender, response) = self.send(sender, ask, None).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_MAX);
        let body = body
            .collect()
            .await
            .map_err(|_| LinkError::Unreachable { sent: true })?;
        *kept = Some(sender);
        Ok((status, body.to_bytes()))
    }

    async fn connect(&self) -> Result<Sender, LinkError> {
        let unreachable = LinkError::Unreachable { sent: false };
        let Ok(stream) = self.dial.dial().await else {
            return Err(unreachable);
        };
        let Ok((sender, connection)) = handshake(TokioIo::new(stream)).await else {
            return Err(unreachable);
        };
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
        Ok(sender)
    }

    async fn send(
        &self,
        mut sender: Sender,
        ask: &Ask,
        last_event: Option<u64>,
    ) -> Result<(Sender, Response<Incoming>), LinkError> {
        let request = self.signed(ask, last_event)?;
        let not_sent = |_| LinkError::Unreachable { sent: false };
        sender.ready().await.map_err(not_sent)?;
        let response = sender.send_request(request).await.map_err(|error| {
            // Cancelled: hyper had not begun to write it.
            let sent = !error.is_canceled();
            LinkError::Unreachable { sent }
        })?;
        Ok((sender, response))
    }

    /// Every try is signed anew: nonce and sequence never repeat, the key does.
    fn signed(
        &self,
        ask: &Ask,
        last_event: Option<u64>,
    ) -> Result<Request<Full<Bytes>>, LinkError> {
        let sequence = self.next_sequence();
        let session = self.session.get().map(|id| id.to_string());
        let parts = RequestParts {
            method: ask.method.as_str(),
            path_and_query: &ask.path,
            body_digest: Digest::of(&ask.body),
            sequence,
            idempotency_key: ask.key.as_deref(),
            session: session.as_deref(),
        };
        let nonce = random(&*self.entropy);
        let headers = sign(&parts, &self.identity, self.clock.now(), nonce);
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(&ask.path)
            .header(HOST, &self.authority)
            .header(VERSION_HEADER, VERSION)
            .header(SEQUENCE_HEADER, sequence)
            .header(CONTENT_DIGEST_HEADER, headers.content_digest)
            .header(SIGNATURE_INPUT_HEADER, headers.signature_input)
            .header(SIGNATURE_HEADER, headers.signature)
            .header(ACCEPT, "application/json, text/event-stream");
        if let Some(media_type) = ask.media_type {
            request = request.header(CONTENT_TYPE, media_type);
        }
        if let Some(key) = &ask.key {
            request = request.header(IDEMPOTENCY_HEADER, key);
        }
        if let Some(session) = session {
            request = request.header(SESSION_HEADER, session);
        }
        if let Some(last) = last_event {
            request = request.header("last-event-id", last);
        }
        request
            .body(Full::new(ask.body.clone()))
            .map_err(|_| LinkError::Garbled { status: 0 })
    }
}

fn parse<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, LinkError> {
    let garbled = LinkError::Garbled { status };
    if (200..300).contains(&status) {
        return serde_json::from_slice(body).map_err(|_| garbled);
    }
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Err(LinkError::Refused(Box::new(problem))),
        // A proxy's own page: the backend itself was not reached.
        Err(_) if matches!(status, 502..=504) => Err(LinkError::Unreachable { sent: true }),
        Err(_) => Err(garbled),
    }
}

/// `/v1` and the sale's path.
pub(crate) fn sale_path(sale: counterfoil_data::ids::SaleId, verb: &str) -> String {
    format!("/v1/sales/{sale}{verb}")
}

/// Asserts at compile time that the wire version is the one written for here.
const _: () = assert!(wire::VERSION == 2, "the link speaks wire version 2");
