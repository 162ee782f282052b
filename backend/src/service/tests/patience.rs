//! Everything that waits has an end: heads, bodies, answers, turns, readers (I9).

use std::time::Duration;

use counterfoil_data::wire::sale::{SaleState, SaleView};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::Limits;
use super::bed::{Bed, logged, run};
use super::client::{Ask, path};
use crate::workers::{Kind, WAIT_MAX};

const SECOND: Duration = Duration::from_secs(1);

/// Seconds until a stream that gets `beginning` and then a byte a second is closed.
async fn trickled(bed: &Bed, beginning: &[u8]) -> u64 {
    let (mut reader, mut writer) = tokio::io::split(bed.dial());
    let began = bed.clock.monotonic();
    writer.write_all(beginning).await.expect("writes");
    let trickle = async {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(SECOND).await;
        }
    };
    let mut heard = Vec::new();
    tokio::select! {
        _ = reader.read_to_end(&mut heard) => {}
        () = trickle => {}
    }
    (bed.clock.monotonic() - began).as_secs()
}

#[test]
fn a_head_or_a_body_that_comes_byte_by_byte_has_no_longer_than_one_that_does_not_come() {
    run(async {
        let bed = Bed::open();
        let head = b"GET /v1/kiosk HTTP/1.1\r\nhost: b\r\nx: ";
        assert_eq!(trickled(&bed, head).await, 15);
        assert_eq!(trickled(&bed, b"").await, 15, "from the first byte on");
        let kiosk = bed.kiosk("kiosk-1").await;
        let ask = Ask::post("/v1/sales", &serde_json::json!({}));
        let signed = super::crowd::head(&kiosk.signed(&ask, bed.clock.now()));
        // A second is for what is left of it, after it was refused.
        assert!((15..=17).contains(&trickled(&bed, &signed).await));
    });
}

#[test]
fn an_idle_connection_ends_and_one_that_asks_goes_on() {
    run(async {
        let bed = Bed::open();
        let idle = bed.dial();
        let kiosk = bed.kiosk("kiosk-1").await;
        for _ in 0..4 {
            assert_eq!(kiosk.get("/v1/kiosk").await.status, 200);
            tokio::time::sleep(10 * SECOND).await;
        }
        assert_eq!(bed.service.connections(), 1);
        drop(idle);
    });
}

#[test]
fn a_client_that_takes_a_byte_now_and_then_is_cut_like_one_that_takes_nothing() {
    run(async {
        let bed = Bed::open();
        let mut stream = bed.dial();
        let ask = b"GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(&ask.repeat(8)).await.expect("writes");
        let mut taken = 0;
        for _ in 0..60 {
            tokio::time::sleep(SECOND).await;
            taken += stream
                .read(&mut [0])
                .await
                .expect("what was sent before the end");
        }
        assert_eq!(taken, 60);
        assert_eq!(bed.service.connections(), 0);
        // One that is slow and takes enough is served.
        let mut stream = bed.dial();
        let last = b"GET /openapi.json HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        stream.write_all(last).await.expect("writes");
        let mut heard = Vec::new();
        let mut some = [0; 2_048];
        loop {
            tokio::time::sleep(SECOND).await;
            match stream.read(&mut some).await.expect("reads") {
                0 => break,
                read => heard.extend_from_slice(&some[..read]),
            }
        }
        assert!(heard.ends_with(b"}"), "whole, after {} bytes", heard.len());
    });
}

#[test]
fn a_request_that_the_house_cannot_finish_is_answered_busy_in_its_time() {
    run(async {
        let bed = Bed::open().stuck();
        let kiosk = bed.kiosk("kiosk-1").await;
        let began = bed.clock.monotonic();
        let open = serde_json::json!({ "sale": "0".repeat(31) + "1", "mode": "settlement-card" });
        kiosk.post("/v1/sales", &open).await.problem(503);
        assert_eq!(
            bed.clock.monotonic() - began,
            Limits::default().request_timeout
        );
    });
}

/// Holds every turn of the PIN pool.
async fn hold(bed: &Bed) -> Vec<crate::workers::Place> {
    let mut held = Vec::new();
    while bed.service.workers.pool(Kind::Pin).turns() < 2 {
        let join = bed.service.workers.join(Kind::Pin, None, &bed.clock);
        let mut place = join.expect("a place");
        place.turn(None).await.expect("a turn");
        held.push(place);
    }
    held
}

#[test]
fn a_pin_that_gets_no_turn_in_time_is_busy_costs_no_attempt_and_says_when_to_come_again() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let held = hold(&bed).await;
        let began = bed.clock.monotonic();
        let busy = kiosk.info(&bed, &view, "zhang-card", "zhang-pin").await;
        busy.problem(503);
        assert_eq!(busy.header("retry-after"), "1");
        assert_eq!(bed.clock.monotonic() - began, WAIT_MAX);
        let same: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        assert_eq!(same.attempts_left, Some(3), "nothing was compared");
        assert_eq!(
            same.challenge, view.challenge,
            "the same seals are still good"
        );
        drop(held);
        let done: SaleView = kiosk
            .info(&bed, &view, "zhang-card", "zhang-pin")
            .await
            .ok();
        assert_eq!(done.state, SaleState::InfoVerified);
    });
}

#[test]
fn what_is_locked_is_refused_without_a_turn() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let mut view = kiosk.open(1).await;
        for status in [422, 422, 423] {
            let heard = kiosk.info(&bed, &view, "zhang-card", "wrong-pin").await;
            heard.problem(status);
            view = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        }
        let view = kiosk.open(2).await;
        let _held = hold(&bed).await;
        let began = bed.clock.monotonic();
        let heard = kiosk.info(&bed, &view, "zhang-card", "zhang-pin").await;
        heard.problem(423);
        assert!(bed.clock.monotonic() - began < SECOND);
    });
}

#[test]
fn the_metrics_page_tells_groups_turns_rules_and_what_is_not_settled() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        kiosk
            .info(&bed, &view, "zhang-card", "wrong-pin")
            .await
            .problem(422);
        kiosk
            .post(&path(&view, "order"), &super::client::order(1))
            .await
            .problem(409);
        let page = bed.service.metrics();
        for line in [
            "counterfoil_refused_total{rule=\"card-unknown\"} 1",
            "counterfoil_problems_total{type=\"not-verified\"} 1",
            "counterfoil_problems_total{type=\"out-of-order\"} 1",
            "counterfoil_pin_wait_seconds_count 1",
            "counterfoil_pin_waiting 0",
            "counterfoil_forms_allocated 0",
            "counterfoil_forms_unknown 0",
            "counterfoil_unresolved_oldest_s 0",
            "counterfoil_group_commands_bucket{le=\"1\"} 4",
        ] {
            assert!(page.lines().any(|l| l == line), "{line}\n{page}");
        }
        let leaves = page
            .lines()
            .find_map(|l| l.strip_prefix("counterfoil_checkpoint_leaves "));
        assert!(
            leaves.is_some_and(|n| n.parse::<u64>().is_ok_and(|n| n > 0)),
            "{page}"
        );
        for personal in ["kiosk-1", "zhang", "6217", "3130"] {
            assert!(!page.contains(personal), "{personal} in {page}");
        }
    });
}

#[test]
fn i7_a_callers_trace_is_in_the_log_with_the_request_and_a_bent_one_is_not() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let (good, bent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "6217000000000000004");
        let mut ids = Vec::new();
        for trace in [
            format!("00-{good}-00f067aa0ba902b7-01"),
            format!("00-{bent}-1-01"),
        ] {
            let ask = Ask::get("/v1/kiosk");
            let mut request = kiosk.signed(&ask, bed.clock.now());
            let value = trace.parse().expect("a value");
            request.headers_mut().insert("traceparent", value);
            let heard = kiosk.send(request).await;
            assert_eq!(heard.status, 200);
            ids.push(heard.header("counterfoil-request-id").to_owned());
        }
        let log = String::from_utf8_lossy(&logged()).into_owned();
        let answered = |id: &str| {
            let mut lines = log.lines().filter(|l| l.contains("answered"));
            lines.find(|l| l.contains(id)).expect("a line").to_owned()
        };
        assert!(answered(&ids[0]).contains(good));
        assert!(!log.contains(bent), "what a client wrote is not repeated");
        // Whatever is written on the way names the request, too.
        let inside = log.lines().filter(|l| l.contains(&ids[1])).count();
        assert!(inside >= 1, "{inside}");
    });
}
