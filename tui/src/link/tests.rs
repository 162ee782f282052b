//! The link against a scripted backend: an HTTP/1.1 server in memory.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test model of small numbers"
)]

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::Sealed;
use counterfoil_data::seam::{Clock, Entropy, Local, SharedClock};
use counterfoil_data::sign::{self, RequestParts, SignatureHeaders, SignerId, SigningIdentity};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::{OpenSale, PurchaseMode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::io::DuplexStream;

use super::sse::SseParser;
use super::{Ask, Dial, Link, LinkError, bank};
use crate::flow::effect::BankCall;
use crate::flow::event::{Answer, Change};

struct TokioClock(tokio::time::Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let base: Timestamp = "2026-11-23T01:00:00Z".parse().expect("a time");
        base + self.monotonic()
    }
    fn monotonic(&self) -> Duration {
        tokio::time::Instant::now() - self.0
    }
    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

struct Counting(Cell<u8>);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.set(self.0.get().wrapping_add(1));
        bytes.fill(self.0.get());
    }
}

/// What the server does with a request.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Answer(u16, &'static str),
    HangUp,
    Silence,
}

#[derive(Clone)]
struct Saw {
    line: String,
    key: Option<String>,
    sequence: u64,
    nonce: [u8; 16],
    last_event: Option<String>,
}

#[derive(Clone, Default)]
struct Backend {
    turns: Rc<RefCell<Vec<Turn>>>,
    saw: Rc<RefCell<Vec<Saw>>>,
    dials: Rc<Cell<u32>>,
}

impl Backend {
    fn new(turns: &[Turn]) -> Self {
        let backend = Self::default();
        backend
            .turns
            .borrow_mut()
            .extend(turns.iter().rev().copied());
        backend
    }

    fn link(&self) -> Link<Self> {
        let clock: SharedClock = Rc::new(TokioClock(tokio::time::Instant::now()));
        let entropy = Rc::new(Counting(Cell::new(0)));
        Link::new(self.clone(), clock, entropy, Rc::new(identity()), "backend")
    }

    async fn serve(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        self.saw.borrow_mut().push(saw(&head, &body));
        let turn = self.turns.borrow_mut().pop().unwrap_or(Turn::HangUp);
        match turn {
            Turn::Answer(status, body) => Ok(Response::builder()
                .status(status)
                .body(Full::new(Bytes::from_static(body.as_bytes())))
                .expect("a response")),
            Turn::HangUp => Err(io::Error::other("hung up")),
            Turn::Silence => std::future::pending().await,
        }
    }
}

/// Verifies the signature as the backend does, and keeps what it says.
fn saw(head: &hyper::http::request::Parts, body: &Bytes) -> Saw {
    let header = |name: &str| {
        let value = head.headers.get(name)?;
        Some(value.to_str().expect("text").to_owned())
    };
    let key = header("idempotency-key");
    let sequence = header("counterfoil-sequence").expect("a sequence");
    let sequence = sequence.parse().expect("a number");
    let parts = RequestParts {
        method: head.method.as_str(),
        path_and_query: head.uri.path_and_query().expect("a path").as_str(),
        body_digest: Digest::of(body),
        sequence,
        idempotency_key: key.as_deref(),
        session: None,
    };
    let headers = SignatureHeaders {
        content_digest: header("content-digest").expect("a digest"),
        signature_input: header("signature-input").expect("an input"),
        signature: header("signature").expect("a signature"),
    };
    let public = identity().key.verifying_key();
    let now = "2026-11-23T01:00:10Z".parse().expect("a time");
    let verified = sign::verify(&parts, &headers, |_| Some(public), now, 60).expect("verifies");
    Saw {
        line: format!("{} {}", parts.method, parts.path_and_query),
        key: key.clone(),
        sequence,
        nonce: verified.nonce,
        last_event: header("last-event-id"),
    }
}

fn identity() -> SigningIdentity {
    let id = SignerId::Kiosk("kiosk-1".parse().expect("an id"));
    SigningIdentity::new(&id, &[5; 32])
}

impl Dial for Backend {
    type Stream = DuplexStream;

    async fn dial(&self) -> io::Result<DuplexStream> {
        self.dials.set(self.dials.get() + 1);
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let backend = self.clone();
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| backend.clone().serve(request));
            let _ = hyper::server::conn::http1::Builder::new()
                .auto_date_header(false)
                .serve_connection(TokioIo::new(theirs), service)
                .await;
        });
        Ok(ours)
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

const PROBLEM: &str =
    r#"{"type":"/problems/range-moved","title":"t","status":409,"detail":"d","retry":"never"}"#;

#[test]
fn every_request_verifies_and_sequence_and_nonce_never_repeat() {
    let backend = Backend::new(&[Turn::Answer(200, "1"), Turn::Answer(200, "2")]);
    run(async {
        let link = backend.link();
        link.seen_sequence(1_900_000_000_000);
        let one: u32 = link.json(&Ask::read("/v1/kiosk")).await.expect("an answer");
        let two: u32 = link.json(&Ask::read("/v1/a?b=c")).await.expect("an answer");
        assert_eq!((one, two), (1, 2));
    });
    let saw = backend.saw.borrow();
    assert_eq!(saw[0].line, "GET /v1/kiosk");
    assert_eq!(saw[0].sequence, 1_900_000_000_001);
    assert!(saw[1].sequence > saw[0].sequence && saw[1].nonce != saw[0].nonce);
    assert_eq!(backend.dials.get(), 1, "the connection is kept");
}

#[test]
fn a_problem_document_becomes_a_refusal_and_a_lost_answer_is_offline() {
    let backend = Backend::new(&[Turn::Answer(409, PROBLEM), Turn::HangUp]);
    run(async {
        let link = backend.link();
        let call = BankCall::Link(SaleId(7), "link-7".to_owned());
        let answer = bank::answer(&link, &call).await;
        assert!(matches!(answer, Answer::Problem(p) if p.kind.ends_with("range-moved")));
        assert!(matches!(bank::answer(&link, &call).await, Answer::Offline));
    });
    let saw = backend.saw.borrow();
    // It may have arrived, so the link does not decide to send it again; the
    // flow does, with the same key.
    assert_eq!(saw.len(), 2);
    assert!(saw.iter().all(|s| s.key.as_deref() == Some("link-7")));
    assert_eq!(saw[0].line, format!("POST /v1/sales/{:032x}/link", 7));
}

/// The body is the sealed print and nothing else: what the backend opens.
#[test]
fn another_finger_goes_out_as_the_bytes_of_the_sealed_print_and_under_no_key() {
    let bytes: Vec<u8> = (0..=255).collect();
    let print = Sealed::from_bytes(&bytes).expect("the shape of a sealed value");
    let call = BankCall::SubmitFinger(SaleId(7), print);
    let ask = bank::ask(&call);
    assert_eq!((ask.body.as_ref(), ask.key.as_deref()), (&bytes[..], None));
    assert_eq!(ask.media_type, Some("application/octet-stream"));
    let backend = Backend::new(&[Turn::Answer(409, PROBLEM)]);
    run(async {
        let answer = bank::answer(&backend.link(), &call).await;
        assert!(matches!(answer, Answer::Problem(_)));
    });
    let saw = backend.saw.borrow();
    assert_eq!(saw[0].line, format!("POST /v1/sales/{:032x}/finger", 7));
    assert_eq!(saw[0].key, None);
}

#[test]
fn a_silent_backend_is_given_up_in_time_and_dialled_anew() {
    let backend = Backend::new(&[Turn::Silence, Turn::Answer(200, "3")]);
    run(async {
        let link = backend.link();
        let ask = Ask::post(
            "/v1/sales",
            &OpenSale {
                sale: SaleId(1),
                mode: PurchaseMode::SettlementCard,
                seen: None,
            },
        );
        let late = link.json::<u32>(&ask).await;
        assert!(matches!(late, Err(LinkError::Late(_))));
        assert_eq!(link.json::<u32>(&ask).await.expect("an answer"), 3);
    });
    assert_eq!(backend.dials.get(), 2);
}

#[test]
fn another_answer_than_json_of_this_version_is_garbled() {
    let backend = Backend::new(&[Turn::Answer(200, "<html>"), Turn::Answer(500, "oops")]);
    run(async {
        let link = backend.link();
        for status in [200, 500] {
            let answer = link.json::<u32>(&Ask::read("/v1/kiosk")).await;
            assert!(matches!(answer, Err(LinkError::Garbled { status: s }) if s == status));
        }
    });
}

#[test]
fn nobody_at_the_other_end_is_unreachable_and_proves_that_nothing_was_sent() {
    struct Nobody;
    impl Dial for Nobody {
        type Stream = DuplexStream;
        async fn dial(&self) -> io::Result<DuplexStream> {
            Err(io::ErrorKind::ConnectionRefused.into())
        }
    }
    run(async {
        let clock: SharedClock = Rc::new(TokioClock(tokio::time::Instant::now()));
        let entropy = Rc::new(Counting(Cell::new(0)));
        let link = Link::new(Nobody, clock, entropy, Rc::new(identity()), "backend");
        let answer = link.json::<u32>(&Ask::read("/v1/kiosk")).await;
        assert!(matches!(
            answer,
            Err(LinkError::Unreachable { sent: false })
        ));
    });
}

#[test]
fn notices_are_parsed_whatever_the_chunks_and_the_id_is_kept() {
    // The frames of the backend's own documentation: retry, comment, notice.
    let text = "retry: 1000\n\n: still here\n\nid: 41\nevent: notice\ndata: {\"a\":1}\n\n\
                data: x\ndata: y\r\n\r\nid: 42\n\n";
    for chunk in 1..text.len() {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for bytes in text.as_bytes().chunks(chunk) {
            events.extend(parser.feed(bytes));
        }
        let data: Vec<_> = events.iter().map(|e| (e.id, e.data.as_str())).collect();
        assert_eq!(data, [(Some(41), "{\"a\":1}"), (Some(41), "x\ny")]);
    }
}

#[test]
fn a_stream_that_could_not_resume_says_that_changes_were_missed() {
    run(async {
        let stream = "retry: 1000\nid: 7\n\nid: 9\nevent: reset\ndata: {}\n\n\
                      id: 10\nevent: later\ndata: 1\n\n";
        let backend = Backend::new(&[Turn::Answer(200, stream), Turn::Silence]);
        let (to, mut changes) = tokio::sync::mpsc::channel(1);
        let link = Rc::new(backend.link());
        let passing = Rc::clone(&link);
        tokio::task::spawn_local(async move { passing.pass_changes(to).await });
        let change = changes.recv().await;
        assert_eq!(change, Some(Change::Missed));
        assert!(Change::Missed.concerns(SaleId(1)));
        // The next stream goes on after the last id, also of an event not understood.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let asked = backend.saw.borrow().last().cloned().expect("asked again");
        assert_eq!(asked.last_event.as_deref(), Some("10"));
    });
}

#[test]
fn an_overlong_event_line_is_dropped_and_the_stream_goes_on() {
    let mut parser = SseParser::default();
    let long = vec![b'x'; super::sse::EVENT_MAX + 10];
    assert!(parser.feed(b"data: ").is_empty());
    assert!(parser.feed(&long).is_empty());
    let events = parser.feed(b"\n\ndata: ok\n\n");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].data, "ok");
}

/// Lines that each fit once made an event that did not: its tail was left out, and
/// what remained was taken for the whole.
#[test]
fn an_event_that_grows_too_long_is_dropped_whole_and_the_stream_goes_on() {
    let mut parser = SseParser::default();
    let line = format!("data: {}\n", "x".repeat(super::sse::EVENT_MAX / 2 + 1));
    assert!(parser.feed(line.repeat(2).as_bytes()).is_empty());
    assert!(parser.feed(b"data: tail\n\n").is_empty());
    let events = parser.feed(b"data: ok\n\n");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].data, "ok");
}

proptest::proptest! {
    #[test]
    fn any_bytes_from_an_event_stream_are_taken_without_panic(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2_000),
    ) {
        SseParser::default().feed(&bytes);
    }
}
