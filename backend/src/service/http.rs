//! HTTP/1.1 over any byte stream: connection, checks in order, answer.
//!
//! Order of checks: framing, route, version, media type, declared size, signature (it covers
//! the digest of the body, so the body is not needed yet), certificate, audience, idempotency
//! key, nonce and sequence, a place among the requests, body and its digest,
//! handler. Nobody without an enrolled key gets a place or has a body looked at. Every
//! path ends in a response with a request id. Logs name the route pattern, status
//! and time; never a path parameter, header or body.

mod checks;
mod framing;
mod trace;

use std::cell::Cell;
use std::convert::Infallible;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::sign::{self, RequestParts, SKEW_S_MAX, SignError, SignerId};
use counterfoil_data::wire::problem::ProblemKind;
use counterfoil_data::wire::{self, Digest};
use ed25519_dalek::VerifyingKey;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tracing::Instrument as _;

use super::Service;
use super::books::told;
use super::fault::Fault;
use super::handle::Asked;
use super::paced::Paced;
use super::reply::{self, Reply, ReplyBody};
use super::route::{self, BodyRule, Found, Method, Operation, Params, Route};
use super::shares::{Share, neighbourhood};
use super::tls::{Door, Guest};
use crate::core::command::{Command, CommandBody};
use crate::core::query;
pub use checks::LAST_EVENT_HEADER;
use checks::{
    check_content, check_media_type, check_size, check_version, client_key, is_meant, kept, key_of,
    last_event, session_of, signature_of, text, too_large, tree_seen, version,
};

/// Bytes hyper may buffer per connection: head and pipelined requests.
const BUFFER_MAX: usize = 16 * 1024;
/// How long the rest of a refused request's body is waited for.
const DRAIN_MAX: Duration = Duration::from_secs(1);
/// Headers in one request.
const HEADERS_MAX: usize = 64;

impl Service {
    /// Serves one connection until the client leaves, falls silent, takes nothing of
    /// what it is sent, or the service closes. Connections above the limit, in all or
    /// of one address, are closed at once.
    pub async fn serve_peer<I>(self: &Rc<Self>, io: I, address: IpAddr)
    where
        I: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let place = self.connections.take(Some(neighbourhood(address)));
        self.serve(io, place, None).await;
    }

    /// The same for a stream without an address (in memory): only the whole is bounded.
    pub async fn serve_stream<I>(self: &Rc<Self>, io: I)
    where
        I: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let place = self.connections.take(None);
        self.serve(io, place, None).await;
    }

    /// The same behind TLS: a connection has its place before it shakes hands, and
    /// whoever shows no good certificate loses it.
    pub async fn serve_tls<I>(self: &Rc<Self>, io: I, address: IpAddr, door: &Rc<Door>)
    where
        I: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let place = self.connections.take(Some(neighbourhood(address)));
        if place.is_none() {
            self.meter.turned_away.one();
            return;
        }
        let mut closing = self.closing.listen_for_first();
        let admitted = tokio::select! {
            biased;
            admitted = door.admit(io, &self.clock) => admitted,
            () = closing.rung() => return,
        };
        match admitted {
            Ok((stream, guest)) => self.serve(stream, place, Some(guest)).await,
            Err(refused) => {
                self.meter.tls_refused.one();
                door.tell(refused, self.clock.monotonic());
            }
        }
    }

    async fn serve<I>(self: &Rc<Self>, io: I, place: Option<Share<IpAddr>>, guest: Option<Guest>)
    where
        I: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let Some(_place) = place else {
            // Counted, not told line by line: a crowd must not fill the log, too.
            self.meter.turned_away.one();
            return;
        };
        let io = Paced::new(io, self.clock.clone(), self.limits.write_timeout);
        let holder = guest.as_ref().map(|guest| guest.signer.clone());
        let service = service_fn(|request| {
            let (service, holder) = (Rc::clone(self), holder.clone());
            async move { Ok::<_, Infallible>(service.answer(request, holder.as_ref()).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_read_timeout)
            .max_buf_size(BUFFER_MAX)
            .max_headers(HEADERS_MAX)
            .half_close(false)
            .auto_date_header(self.limits.date_header)
            .serve_connection(TokioIo::new(io), service);
        let mut connection = std::pin::pin!(connection);
        let mut closing = self.closing.listen_for_first();
        let ended = tokio::select! {
            biased;
            () = unwelcome(guest, &self.clock) => {
                // At once: what was begun is done, but nobody hears of it here.
                self.meter.tls_ended.one();
                tracing::info!("tls: a connection ended, its certificate is no longer good");
                return;
            }
            ended = connection.as_mut() => ended,
            () = closing.rung() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(timeout = error.is_timeout(), "connection ended early");
        }
    }

    async fn answer(
        self: &Rc<Self>,
        request: Request<Incoming>,
        holder: Option<&SignerId>,
    ) -> Response<ReplyBody> {
        let id = self.request_id();
        let started = self.clock.monotonic();
        let found = route::find(request.method().as_str(), request.uri().path());
        let pattern = match &found {
            Found::Route(route, _) => route.path,
            Found::OtherMethod(_) | Found::Nothing => "-",
        };
        let (head, mut body) = request.into_parts();
        let version = version(&head.headers).unwrap_or(wire::VERSION);
        // Every line that is written on the way says which request it is of.
        let span = tracing::info_span!("request", id, trace = tracing::field::Empty);
        if let Some(trace) = trace::of(&head.headers) {
            span.record("trace", trace.id);
            tracing::debug!(parent: &span, caller = trace.parent, "traced");
        }
        let framed = framing::check(&head);
        let is_framed = framed.is_ok();
        let passed = async {
            framed?;
            self.pass(&head, &mut body, found, holder).await
        };
        let mut response = match passed.instrument(span.clone()).await {
            Ok(reply) => reply.respond(&id, version),
            Err(fault) => {
                self.meter.problem(&fault);
                if fault.kind == ProblemKind::Internal {
                    tracing::error!(parent: &span, pattern, "request failed inside");
                }
                reply::refuse(&fault, &id, version)
            }
        };
        if !is_framed || !self.drained(&mut body).await {
            // What was not read cannot be told from the next request, so hyper ends this
            // connection. Said beforehand, nobody sends a request into its end.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        let status = response.status().as_u16();
        self.meter.answer(status);
        let took = self.clock.monotonic().saturating_sub(started);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(parent: &span, request = id, pattern, status, ms, "answered");
        response
    }

    async fn pass(
        self: &Rc<Self>,
        head: &Parts,
        body: &mut Incoming,
        found: Found,
        holder: Option<&SignerId>,
    ) -> Result<Reply, Fault> {
        let (route, params) = match found {
            Found::Route(route, params) => (route, params),
            Found::Nothing => return Err(Fault::not_found()),
            Found::OtherMethod(allow) => {
                let fault = Fault::new(ProblemKind::Method, "use a method named in Allow");
                return Err(Fault { allow, ..fault });
            }
        };
        if route.operation == Operation::OpenApi {
            return Ok(Reply::whole("application/json", self.openapi.clone()));
        }
        check_version(&head.headers)?;
        check_media_type(&head.headers, route.body)?;
        check_size(&head.headers, route.body)?;
        let path = head.uri.path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let target = (route, params, path);
        let (mut asked, claimed) = self.identify(target, &head.headers, holder)?;
        let (actor, sequence, id) = (asked.actor(), asked.sequence, asked.signer_id.to_string());
        let result = match self.admit(route, &mut asked).await {
            Ok(()) => self.proven(route, asked, claimed, body).await,
            Err(fault) => Err(fault),
        };
        let is_final = |fault: &Fault| !fault.is_passing();
        if let (Some(given), true) = (sequence, result.as_ref().is_err_and(is_final)) {
            let held = told(query::sequence(self.books()?.read(), &id))?;
            if held < given {
                // Else it could be sent again after a restart.
                let used = self.fresh(actor, CommandBody::UseUpSequence);
                self.make(Command { sequence, ..used }).await?;
            }
        }
        result
    }

    /// A request of a proven signer: a place, its body, its handler.
    async fn proven(
        self: &Rc<Self>,
        route: &Route,
        mut asked: Asked,
        claimed: Digest,
        body: &mut Incoming,
    ) -> Result<Reply, Fault> {
        let place = self.requests.take(Some(asked.signer_id.clone()));
        let place = place.ok_or_else(Fault::busy)?;
        asked.body = self.read_body(body, route.body).await?;
        if Digest::of(&asked.body) != claimed {
            return Err(Fault::not_signed(SignError::Digest.to_string()));
        }
        check_content(&asked.body, route.body)?;
        self.finish(route.operation, asked, place).await
    }

    /// Runs a handler to its end even if the client hangs up: an attempt that was
    /// counted must also be settled. A handler that is lost is an internal fault; one that
    /// takes too long is not waited for.
    async fn finish(
        self: &Rc<Self>,
        operation: Operation,
        asked: Asked,
        place: Share<SignerId>,
    ) -> Result<Reply, Fault> {
        let service = Rc::clone(self);
        let handler = async move {
            let reply = service.handle(operation, asked).await;
            drop(place);
            reply
        };
        let handler = tokio::task::spawn_local(handler.in_current_span());
        tokio::select! {
            biased;
            ended = handler => ended.unwrap_or_else(|_| Err(Fault::internal())),
            // It goes on by itself; what it does is found by the same key, or in the sale.
            () = self.clock.sleep(self.limits.request_timeout) => Err(Fault::busy()),
        }
    }

    async fn read_body(&self, body: &mut Incoming, rule: BodyRule) -> Result<Bytes, Fault> {
        let limit = rule.limit();
        let collected = tokio::select! {
            collected = Limited::new(body, limit).collect() => collected,
            () = self.clock.sleep(self.limits.body_read_timeout) => {
                return Err(Fault::malformed("the body did not arrive in time"));
            }
        };
        match collected {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
            Err(_) => Err(Fault::malformed("the body broke off")),
        }
    }

    /// Throws away what a refused request still sends, where that is little and comes
    /// soon; whether this connection can go on.
    async fn drained(&self, body: &mut Incoming) -> bool {
        let most = u64::try_from(route::JSON_BODY_MAX).unwrap_or(0);
        if body.is_end_stream() || body.size_hint().lower() > most {
            return body.is_end_stream();
        }
        tokio::select! {
            read = Limited::new(body, route::JSON_BODY_MAX).collect() => read.is_ok(),
            () = self.clock.sleep(DRAIN_MAX) => false,
        }
    }

    /// Who asks, proven (S1), and never asked before; and the digest its body must have.
    fn identify(
        &self,
        (route, params, path): (&Route, Params, &str),
        headers: &HeaderMap,
        holder: Option<&SignerId>,
    ) -> Result<(Asked, Digest), Fault> {
        let sequence = text(headers, wire::SEQUENCE_HEADER)
            .and_then(route::whole)
            .ok_or_else(|| Fault::not_signed("counterfoil-sequence is missing or no number"))?;
        let idempotency_key = text(headers, wire::IDEMPOTENCY_HEADER);
        let session = text(headers, wire::SESSION_HEADER);
        let signature = signature_of(headers)?;
        let claimed = sign::claimed_digest(&signature.content_digest)
            .map_err(|error| Fault::not_signed(error.to_string()))?;
        let parts = RequestParts {
            method: route.method.as_str(),
            path_and_query: path,
            body_digest: claimed,
            sequence,
            idempotency_key,
            session,
        };
        let now = self.clock.now();
        let books = self.books()?;
        // Books that cannot be read know nobody; that is no fault of the signer's.
        let unread = Cell::new(None);
        let lookup = |key_id: &str| {
            let signer = books
                .signer(key_id)
                .map_err(|fault| unread.set(Some(fault)));
            VerifyingKey::from_bytes(key_of(&signer.ok().flatten()?)).ok()
        };
        let verified = sign::verify(&parts, &signature, lookup, now, SKEW_S_MAX);
        if let Some(fault) = unread.take() {
            return Err(fault);
        }
        let verified = verified.map_err(|error| Fault::not_signed(error.to_string()))?;
        let unknown = || Fault::not_signed("the key id is not enrolled");
        let signer_id = verified.key_id.parse().map_err(|_| unknown())?;
        if holder.is_some_and(|holder| *holder != signer_id) {
            return Err(Fault::not_the_holder());
        }
        let signer = books.signer(&verified.key_id)?.ok_or_else(unknown)?;
        if !is_meant(route.audience, &signer) {
            return Err(Fault::not_yours());
        }
        let key = client_key(route, idempotency_key, path, claimed)?;
        let command = (route.method == Method::Post).then_some(sequence);
        let mut seen = self.seen.borrow_mut();
        match command {
            Some(given) => {
                let durable = told(query::sequence(books.read(), &verified.key_id))?;
                seen.accept_command(&signer_id, given, durable)?;
            }
            None => seen.accept_read(&signer_id, verified.nonce, now)?,
        }
        let signed = kept(route.operation, &parts, &signature, &signer);
        let asked = Asked {
            signed,
            signer,
            signer_id,
            params,
            body: Bytes::new(),
            sequence: command,
            key,
            session: session_of(session)?,
            last_event: last_event(headers)?,
            seen: tree_seen(route, path)?,
        };
        Ok((asked, claimed))
    }
}

/// Until a guest must go; never for a stream without a certificate.
async fn unwelcome(guest: Option<Guest>, clock: &SharedClock) {
    match guest {
        Some(mut guest) => guest.until_unwelcome(clock).await,
        None => std::future::pending().await,
    }
}
