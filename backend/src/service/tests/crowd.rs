//! A crowd at the door: who sends nothing, takes nothing or comes too often keeps
//! nobody else out (I9).
//!
//! The story: 512 unsigned heads without bodies took every place among the requests;
//! pipelined requests whose answers nobody read held their connections for ever; a
//! thousand silent connections of one address filled the table.

use std::time::Duration;

use hyper::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::super::{Limits, REQUESTS_PER_SIGNER_MAX};
use super::bed::{Bed, run};
use super::client::{Ask, Client, build};

fn limits() -> Limits {
    Limits {
        date_header: false,
        ..Limits::default()
    }
}

/// The head alone of a request that promises a body.
pub fn head<B>(request: &Request<B>) -> Vec<u8> {
    let mut raw = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri()).into_bytes();
    for (name, value) in request.headers() {
        raw.extend_from_slice(format!("{name}: ").as_bytes());
        raw.extend_from_slice(value.as_bytes());
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(b"content-length: 100\r\n\r\n");
    raw
}

/// Sends `heads` on connections of their own and lets the service look at them.
async fn send(bed: &Bed, heads: Vec<Vec<u8>>) -> Vec<DuplexStream> {
    let mut held = Vec::new();
    for head in heads {
        let mut stream = bed.dial();
        stream.write_all(&head).await.expect("writes");
        held.push(stream);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    held
}

fn signed_head(kiosk: &Client, bed: &Bed) -> Vec<u8> {
    let ask = Ask::post("/v1/sales", &serde_json::json!({}));
    head(&kiosk.signed(&ask, bed.clock.now()))
}

#[test]
fn heads_without_a_signature_take_no_place_from_anybody() {
    run(async {
        let bed = Bed::limited(Limits {
            requests_max: 2,
            ..limits()
        });
        let ask = Ask::post("/v1/sales", &serde_json::json!({}));
        let unsigned = head(&build(&ask, 1, None));
        let mut held = send(&bed, vec![unsigned; 8]).await;
        assert_eq!(
            bed.kiosk("kiosk-1").await.get("/v1/kiosk").await.status,
            200
        );
        // They were answered without a look at their bodies.
        let mut start = [0; 12];
        held[0].read_exact(&mut start).await.expect("answered");
        assert_eq!(&start, b"HTTP/1.1 401");
    });
}

#[test]
fn a_signer_that_sends_heads_and_no_bodies_keeps_only_itself_waiting() {
    run(async {
        let bed = Bed::limited(Limits {
            requests_max: REQUESTS_PER_SIGNER_MAX + 2,
            ..limits()
        });
        let (one, two) = (bed.kiosk("kiosk-1").await, bed.kiosk("kiosk-2").await);
        let heads = (0..=REQUESTS_PER_SIGNER_MAX).map(|_| signed_head(&one, &bed));
        let _held = send(&bed, heads.collect()).await;
        two.open(2).await;
        one.get("/v1/kiosk").await.problem(503);
        // Their time for a body passes.
        tokio::time::sleep(Duration::from_secs(20)).await;
        let one = bed.kiosk("kiosk-1").await;
        assert_eq!(one.get("/v1/kiosk").await.status, 200);
    });
}

#[test]
fn a_body_of_another_digest_than_was_signed_is_401() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let ask = Ask::post("/v1/sales", &serde_json::json!({}));
        let mut request = kiosk.signed(&ask, bed.clock.now());
        *request.body_mut() = http_body_util::Full::new("{ }".into());
        let problem = kiosk.send(request).await.problem(401);
        assert!(problem.detail.contains("digest"), "{}", problem.detail);
    });
}

#[test]
fn a_client_that_takes_nothing_of_its_answers_is_cut() {
    run(async {
        let bed = Bed::open();
        let mut stream = bed.dial();
        let ask = b"GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(&ask.repeat(16)).await.expect("writes");
        tokio::time::sleep(Duration::from_secs(29)).await;
        assert_eq!(bed.service.connections(), 1, "not before its time");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(bed.service.connections(), 0);
    });
}

#[test]
fn one_address_cannot_fill_the_table() {
    run(async {
        let bed = Bed::limited(Limits {
            connections_max: 8,
            connections_per_address_max: 4,
            ..limits()
        });
        let silent: Vec<_> = (0..6).map(|_| bed.dial_from("192.0.2.1")).collect();
        let mut other = bed.dial_from("192.0.2.2");
        other
            .write_all(b"GET /v1/nothing HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .expect("writes");
        let mut start = [0; 12];
        other.read_exact(&mut start).await.expect("answered");
        assert_eq!(&start, b"HTTP/1.1 404");
        assert_eq!(bed.service.connections(), 5);
        assert_eq!(bed.service.meter.turned_away.value(), 2);
        drop(silent);
    });
}

#[test]
fn event_streams_leave_connections_to_requests() {
    run(async {
        let bed = Bed::limited(Limits {
            connections_max: 4,
            ..limits()
        });
        let listen = Ask::get("/v1/events");
        let mut streams = Vec::new();
        for id in ["kiosk-1", "kiosk-1", "kiosk-2"] {
            let kiosk = bed.kiosk(id).await;
            streams.push((kiosk.listen(&listen).await, kiosk));
        }
        let kiosk = bed.kiosk("kiosk-2").await;
        let asked = kiosk.ask(&listen);
        let refused = tokio::time::timeout(Duration::from_secs(5), asked).await;
        refused.expect("no stream is given").problem(503);
        assert_eq!(kiosk.get("/v1/kiosk").await.status, 200);
    });
}
