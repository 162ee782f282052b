//! Replays over a restart (S1).
//!
//! The story: the door's memory of request numbers is gone after a restart, and a
//! command that was refused had left nothing durable; within the minute its signature
//! is good for, it could be sent again, and a repeated key was answered before its
//! number was looked at.

use counterfoil_data::wire::sale::{SaleState, SaleView};

use super::bed::{Bed, run};
use super::client::{Ask, path};

#[test]
fn nothing_signed_before_a_restart_is_taken_after_it() {
    run(async {
        let mut bed = Bed::open();
        let mut kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let empty = serde_json::json!({});
        let done = Ask::post(&path(&view, "cancel"), &empty).keyed("done");
        for (ask, status) in [
            // Refused by the core, by the handler, for its shape; and done.
            (Ask::post(&path(&view, "link"), &empty).keyed("early"), 409),
            (Ask::octets(&path(&view, "identity"), "".into()), 409),
            (Ask::post(&path(&view, "order"), &empty), 400),
            (
                Ask {
                    media_type: None,
                    body: "x".into(),
                    ..done.clone()
                },
                400,
            ),
            (done, 200),
        ] {
            let request = kiosk.signed(&ask, bed.clock.now());
            assert_eq!(kiosk.send(request.clone()).await.status, status);
            bed = bed.restarted();
            let last = kiosk.sequence.get();
            kiosk = bed.kiosk("kiosk-1").await;
            kiosk.sequence.set(last);
            let again = kiosk.send(request).await;
            let detail = again.problem(401).detail;
            assert!(detail.contains("sequence"), "{detail}");
        }
    });
}

#[test]
fn a_kiosk_with_an_old_number_after_a_restart_can_still_use_its_key() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        kiosk.sequence.set(99);
        let view = kiosk.open(1).await;
        let bed = bed.restarted();
        let kiosk = bed.kiosk("kiosk-1").await;
        let cancel = Ask::post(&path(&view, "cancel"), &serde_json::json!({})).keyed("C1");
        kiosk.sequence.set(49);
        kiosk.ask(&cancel).await.problem(401);
        kiosk
            .sequence
            .set(kiosk.kiosk_view().await.sequence.max(199));
        let cancelled: SaleView = kiosk.ask(&cancel).await.ok();
        assert_eq!(cancelled.state, SaleState::Cancelled);
    });
}

#[test]
fn the_kiosks_own_view_names_the_number_that_counts() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        kiosk.sequence.set(100);
        let asked = kiosk.post("/v1/sales", &serde_json::json!({})).await;
        asked.problem(400);
        assert_eq!(kiosk.kiosk_view().await.sequence, 101);
        let after = bed.restarted().kiosk("kiosk-1").await;
        assert_eq!(after.kiosk_view().await.sequence, 101, "durable");
    });
}
