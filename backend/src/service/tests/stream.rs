//! Event streams: notices in order, resume by id, heartbeat, end.

use std::time::Duration;

use counterfoil_data::wire::confirm::Notice;
use counterfoil_data::wire::sale::{SaleState, SaleView};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::bed::{Bed, run};
use super::client::Ask;
use crate::core::query;
use crate::core::record::books::OUTBOX_KEPT;
use crate::store::Snapshots as _;

/// Next frame as text.
async fn next(body: &mut Incoming) -> String {
    let frame = body.frame().await.expect("a frame").expect("a good frame");
    let data = frame.into_data().expect("data");
    String::from_utf8(data.to_vec()).expect("UTF-8")
}

/// Next notice and its id; comments and the greeting are passed over.
async fn notice(body: &mut Incoming) -> (u64, Notice) {
    loop {
        let text = next(body).await;
        let Some(rest) = text.strip_prefix("id: ") else {
            continue;
        };
        let (id, rest) = rest.split_once('\n').expect("an id line");
        let data = rest.split_once("data: ").expect("a data line").1.trim();
        let notice = serde_json::from_str(data).expect("a notice");
        return (id.parse().expect("a number"), notice);
    }
}

#[test]
fn s19_s21_a_station_hears_of_identity_and_order_and_resumes_where_it_stopped() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let mut live = bed.station().await.listen(&Ask::get("/v1/events")).await;
        let view: SaleView = kiosk.ordered(&bed, 1, 2).await;
        let (first, who) = notice(&mut live).await;
        assert_eq!(
            (who.sale, who.state),
            (view.sale, SaleState::IdentityVerified)
        );
        let mut states = vec![who.state];
        let mut ids = vec![first];
        while states.last() != Some(&SaleState::AwaitConfirm) {
            let (id, what) = notice(&mut live).await;
            assert!(id > *ids.last().expect("one"));
            ids.push(id);
            states.push(what.state);
        }
        drop(live);
        let resume = Ask {
            last_event: Some(first),
            ..Ask::get("/v1/events")
        };
        let mut resumed = bed.station().await.listen(&resume).await;
        for id in &ids[1..] {
            assert_eq!(
                notice(&mut resumed).await.0,
                *id,
                "nothing missed, nothing twice"
            );
        }
    });
}

#[test]
fn a_quiet_stream_breathes_every_fifteen_seconds_and_ends_with_the_service() {
    run(async {
        let bed = Bed::open();
        let mut live = bed
            .kiosk("kiosk-1")
            .await
            .listen(&Ask::get("/v1/events"))
            .await;
        assert_eq!(next(&mut live).await, "retry: 1000\nid: 0\n\n");
        let before = bed.clock.monotonic();
        assert!(next(&mut live).await.starts_with(':'));
        assert_eq!(bed.clock.monotonic() - before, Duration::from_secs(15));
        bed.service.close();
        assert!(live.frame().await.is_none());
    });
}

#[test]
fn a_kiosk_hears_only_of_its_own_sales() {
    run(async {
        let bed = Bed::open();
        let other = bed.kiosk("kiosk-2").await;
        let mut live = bed
            .kiosk("kiosk-1")
            .await
            .listen(&Ask::get("/v1/events"))
            .await;
        other.open(2).await;
        bed.kiosk("kiosk-1").await.open(1).await;
        assert_eq!(notice(&mut live).await.1.sale.0, 1);
    });
}

#[test]
fn a_client_that_cannot_resume_is_told_to_read_everything_anew() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        kiosk.open(1).await;
        let newest = query::newest_notice(&*bed.store.snapshot().expect("reads"));
        let newest = newest.expect("reads");
        // The books were restored from a backup: this number is not of them.
        let lost = Ask {
            last_event: Some(newest + 1_000),
            ..Ask::get("/v1/events")
        };
        let mut resumed = bed.kiosk("kiosk-1").await.listen(&lost).await;
        next(&mut resumed).await;
        let reset = format!("id: {newest}\nevent: reset\ndata: {{}}\n\n");
        assert_eq!(next(&mut resumed).await, reset);
        let cancel = Ask::post(
            "/v1/sales/00000000000000000000000000000001/cancel",
            &serde_json::json!({}),
        );
        kiosk.ask(&cancel.keyed("c")).await.ok::<SaleView>();
        assert_eq!(notice(&mut resumed).await.0, newest + 1, "and goes on");
    });
}

#[test]
fn only_what_is_still_kept_can_be_resumed() {
    let newest = OUTBOX_KEPT + 10;
    assert!(query::is_resumable(10, newest), "11 is the oldest kept");
    assert!(!query::is_resumable(9, newest));
    assert!(query::is_resumable(newest, newest));
    assert!(!query::is_resumable(newest + 1, newest));
}
