//! The door: signatures, replays, limits, media types (S1, I9).

use std::time::Duration;

use counterfoil_data::sign::SigningIdentity;
use jiff::SignedDuration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::route::JSON_BODY_MAX;
use super::super::{Limits, WRITER_LATE};
use super::bed::{Bed, run};
use super::client::{Ask, build};

#[test]
fn s1_an_unsigned_or_wrongly_signed_request_is_401_with_a_challenge() {
    run(async {
        let bed = Bed::open();
        let mut kiosk = bed.kiosk("kiosk-1").await;
        let ask = Ask::get("/v1/kiosk");
        let unsigned = kiosk.send(build(&ask, 1, None)).await;
        unsigned.problem(401);
        assert!(
            unsigned
                .header("www-authenticate")
                .contains("counterfoil-v1")
        );
        // A good signature over another path.
        let mut moved = kiosk.signed(&ask, bed.clock.now());
        *moved.uri_mut() = "/v1/evidence/checkpoint".parse().expect("a path");
        kiosk.send(moved).await.problem(401);
        // A key nobody enrolled, under an enrolled name and under its own.
        for name in ["kiosk:kiosk-1", "kiosk:kiosk-9", "station:kiosk-1"] {
            kiosk.identity = SigningIdentity::new(&name.parse().expect("a signer"), &[9; 32]);
            kiosk.ask(&ask).await.problem(401);
        }
    });
}

#[test]
fn a_replayed_skewed_or_out_of_sequence_request_is_401() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let ask = Ask::get("/v1/kiosk");
        let request = kiosk.signed(&ask, bed.clock.now());
        assert_eq!(kiosk.send(request.clone()).await.status, 200);
        assert!(
            kiosk
                .send(request)
                .await
                .problem(401)
                .detail
                .contains("nonce")
        );
        for off_s in [-61, 61] {
            let created = bed.clock.now() + SignedDuration::from_secs(off_s);
            let skewed = kiosk.signed(&ask, created);
            assert!(
                kiosk
                    .send(skewed)
                    .await
                    .problem(401)
                    .detail
                    .contains("clock")
            );
        }
        kiosk.open(1).await;
        let last = kiosk.sequence.get();
        kiosk.sequence.set(last - 1);
        let cancel = Ask::post("/v1/sales/00000000000000000000000000000001/cancel", &());
        let again = Ask {
            body: "{}".into(),
            ..cancel.keyed("c")
        };
        assert!(
            kiosk
                .ask(&again)
                .await
                .problem(401)
                .detail
                .contains("sequence")
        );
    });
}

#[test]
fn limits_media_types_methods_and_versions_have_their_own_problems() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let good = Ask::post("/v1/sales", &serde_json::json!({}));
        kiosk.ask(&good).await.problem(400);
        let huge = Ask {
            body: vec![b' '; JSON_BODY_MAX + 1].into(),
            ..good.clone()
        };
        bed.kiosk("kiosk-1").await.ask(&huge).await.problem(413);
        let typed = Ask {
            media_type: Some("text/plain"),
            ..good.clone()
        };
        kiosk.ask(&typed).await.problem(415);
        let versioned = Ask {
            version: Some("7"),
            ..good.clone()
        };
        let heard = kiosk.ask(&versioned).await;
        let said = heard.problem(426).detail;
        assert_eq!(
            said,
            "send counterfoil-version: 2, or 1 of the release before"
        );
        assert_eq!(heard.header("counterfoil-version"), "2");
        assert_eq!(heard.header("upgrade"), "counterfoil/2, counterfoil/1");
        let method = Ask {
            method: "PUT",
            ..good
        };
        let heard = kiosk.ask(&method).await;
        heard.problem(405);
        assert_eq!(heard.header("allow"), "POST");
        kiosk.get("/v1/nothing").await.problem(404);
        kiosk.get("/v1/evidence/tile/9/0").await.problem(400);
        let open: serde_json::Value = kiosk
            .send(build(&Ask::get("/openapi.json"), 0, None))
            .await
            .ok();
        assert_eq!(open["openapi"], "3.1.0");
    });
}

#[test]
fn a_silent_or_endless_head_ends_the_connection() {
    run(async {
        let bed = Bed::open();
        let mut stream = bed.dial();
        stream
            .write_all(b"GET /v1/kiosk HTTP/1.1\r\nx: ")
            .await
            .expect("writes");
        let mut heard = Vec::new();
        // Paused time jumps to the deadline; the server closes by itself.
        stream.read_to_end(&mut heard).await.expect("closed");
        let mut stream = bed.dial();
        stream
            .write_all(b"GET / HTTP/1.1\r\nx: ")
            .await
            .expect("writes");
        let flood = vec![b'a'; 32 * 1024];
        let _ = stream.write_all(&flood).await;
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.expect("closed");
        assert!(
            heard.starts_with(b"HTTP/1.1 431"),
            "{}",
            String::from_utf8_lossy(&heard)
        );
    });
}

#[test]
fn connections_and_requests_above_their_limits_are_turned_away() {
    run(async {
        let bed = Bed::limited(Limits {
            connections_max: 1,
            date_header: false,
            ..Limits::default()
        });
        let kiosk = bed.kiosk("kiosk-1").await;
        assert_eq!(kiosk.get("/v1/kiosk").await.status, 200);
        let mut second = bed.dial();
        let mut heard = Vec::new();
        second.read_to_end(&mut heard).await.expect("closed");
        assert!(heard.is_empty());
        let bed = Bed::limited(Limits {
            requests_max: 0,
            date_header: false,
            ..Limits::default()
        });
        let busy = bed.kiosk("kiosk-1").await.get("/v1/kiosk").await;
        busy.problem(503);
        assert_eq!(busy.header("retry-after"), "1");
    });
}

/// A page of the admin stream, head and all.
async fn page(bed: &Bed, path: &str) -> String {
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    let service = bed.service.clone();
    tokio::task::spawn_local(async move { service.serve_admin_stream(theirs).await });
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    ours.write_all(request.as_bytes()).await.expect("writes");
    let mut heard = String::new();
    ours.read_to_string(&mut heard).await.expect("reads");
    heard
}

#[test]
fn health_and_metrics_answer_on_their_own_stream() {
    run(async {
        let bed = Bed::open();
        bed.kiosk("kiosk-1").await.get("/v1/kiosk").await;
        for (path, expected) in [
            ("/livez", "live"),
            ("/readyz", "ready"),
            ("/metrics", "answers_total{class=\"2xx\"} 1"),
        ] {
            let heard = page(&bed, path).await;
            assert!(
                heard.starts_with("HTTP/1.1 200") && heard.contains(expected),
                "{heard}"
            );
        }
    });
}

#[test]
fn a_writer_that_is_stuck_is_not_ready_though_it_is_alive() {
    run(async {
        let bed = Bed::open().stuck();
        let kiosk = bed.kiosk("kiosk-1").await;
        tokio::task::spawn_local(async move { kiosk.open(1).await });
        tokio::time::sleep(WRITER_LATE).await;
        let heard = page(&bed, "/readyz").await;
        assert!(heard.starts_with("HTTP/1.1 200"), "not yet: {heard}");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let heard = page(&bed, "/readyz").await;
        assert!(heard.starts_with("HTTP/1.1 503"), "{heard}");
        let heard = page(&bed, "/livez").await;
        assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    });
}

/// What comes back for a head whose body comes after `late`, whole or not.
async fn refused(bed: &Bed, length: usize, late: Duration) -> String {
    let mut stream = bed.dial();
    let head = format!(
        "POST /v1/sales HTTP/1.1\r\nhost: b\r\ncounterfoil-version: 1\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    tokio::time::sleep(late).await;
    // The other end may have left by now.
    let _ = stream.write_all(&vec![b' '; length]).await;
    let mut heard = vec![0; 4096];
    let read = stream.read(&mut heard).await.expect("reads");
    String::from_utf8_lossy(&heard[..read]).into_owned()
}

/// The interface tester's second request met the end of its connection: the refusal had
/// come before the body, and nothing had said that the connection would end.
#[test]
fn a_refusal_ends_the_connection_only_where_a_body_is_left_and_says_so() {
    run(async {
        let bed = Bed::open();
        let soon = refused(&bed, 2, Duration::from_millis(10)).await;
        assert!(soon.starts_with("HTTP/1.1 401 "), "{soon}");
        assert!(!soon.contains("connection: close"), "{soon}");
        for (length, late_ms) in [(2, 5_000), (JSON_BODY_MAX + 1, 10)] {
            let heard = refused(&bed, length, Duration::from_millis(late_ms)).await;
            assert!(heard.contains("connection: close"), "{length}: {heard}");
        }
    });
}
