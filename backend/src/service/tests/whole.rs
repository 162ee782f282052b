//! A whole sale over HTTP: every gate in order (S1 to S22), paper, receipt.

use counterfoil_data::wire::confirm::{ConfirmState, ConfirmationView, Decision};
use counterfoil_data::wire::forms::{FormAdvice, FormAdvices, FormEvent, FormState, FormsAnswer};
use counterfoil_data::wire::sale::{SaleState, SaleView};
use counterfoil_data::wire::{Digest, REPLAYED_HEADER};

use super::bed::{Bed, ZHANG, run};
use super::client::{Ask, Client, Heard, order, path};

/// The officer's decision on what is shown now.
pub async fn decide(station: &Client, sale: &SaleView, verb: &str) -> Heard {
    let shown = station.confirmations().await;
    let shown = shown.iter().find(|c| c.sale == sale.sale).expect("shown");
    let decision = Decision {
        digest: shown.purchase.as_ref().map(|p| p.digest),
        note: None,
    };
    let path = format!("/v1/confirmations/{}/{verb}", sale.sale);
    station.post(&path, &decision).await
}

/// Feeds, prints, presents and hands over every form, in order.
pub async fn dispense(kiosk: &Client, view: &SaleView) -> FormsAnswer {
    let mut advices = Vec::new();
    let numbers: Vec<_> = view.forms.iter().map(|f| f.number).collect();
    for number in &numbers {
        advices.push((*number, FormEvent::Feeding));
        let evidence = "00".to_owned();
        advices.push((*number, FormEvent::Printed { evidence }));
    }
    advices.extend(numbers.iter().map(|n| (*n, FormEvent::Presented)));
    advices.extend(numbers.iter().map(|n| (*n, FormEvent::Taken)));
    let advices = advices
        .into_iter()
        .map(|(number, event)| FormAdvice { number, event })
        .collect();
    kiosk
        .post(&path(view, "forms"), &FormAdvices { advices })
        .await
        .ok()
}

#[test]
fn s1_to_s22_a_sale_passes_every_gate_in_order_and_ends_in_a_receipt() {
    run(async {
        let bed = Bed::open();
        let (kiosk, station) = (bed.kiosk("kiosk-1").await, bed.station().await);
        // S2 to S4: message 1.
        let view = kiosk.open(1).await;
        assert_eq!(view.state, SaleState::Opened);
        let view: SaleView = kiosk
            .info(&bed, &view, "zhang-card", "zhang-pin")
            .await
            .ok();
        assert_eq!(view.state, SaleState::InfoVerified);
        let unit = view.unit.as_ref().expect("message 1 names the unit");
        assert_eq!(unit.name, "样例机械有限公司");
        assert!(!unit.account_masked.contains("313000000000"));
        // S10 to S16: message 2.
        let view: SaleView = kiosk.present(&bed, &view, &ZHANG).await.ok();
        assert_eq!(view.state, SaleState::IdentityVerified);
        // S18, S19: the station sees who, and whom to ask.
        let shown = station.confirmations().await;
        assert_eq!(shown[0].contact.name, "陈样例");
        assert_eq!(shown[0].state, ConfirmState::Identity);
        // S5, S6, S21: the order.
        let view: SaleView = kiosk.post(&path(&view, "order"), &order(2)).await.ok();
        assert_eq!(view.state, SaleState::AwaitConfirm);
        // S20, S22: seen and confirmed.
        let seen: ConfirmationView = decide(&station, &view, "seen").await.ok();
        assert_eq!(seen.state, ConfirmState::Seen);
        let confirmed: ConfirmationView = decide(&station, &view, "confirm").await.ok();
        assert_eq!(confirmed.state, ConfirmState::Confirmed);
        // S7, S8: linked processing, and again with the same key (I6).
        let link = Ask::post(&path(&view, "link"), &()).keyed("link-1");
        let link = Ask {
            body: "{}".into(),
            ..link
        };
        let first = kiosk.ask(&link).await;
        let linked: SaleView = first.ok();
        assert_eq!(first.header(REPLAYED_HEADER), "");
        let again = kiosk.ask(&link).await;
        assert_eq!(again.header(REPLAYED_HEADER), "true");
        let replayed: SaleView = again.ok();
        assert_eq!(replayed.linked, linked.linked);
        assert_eq!(linked.forms.len(), 2);
        assert_eq!(
            bed.service.meter.linked.value(),
            1,
            "the repeat links nothing"
        );
        // S9: paper.
        let paper = dispense(&kiosk, &linked).await;
        assert!(paper.forms.iter().all(|f| f.state == FormState::Sold));
        let close = Ask::post(&path(&view, "close"), &serde_json::json!({})).keyed("close-1");
        let closed: SaleView = kiosk.ask(&close).await.ok();
        assert_eq!(closed.state, SaleState::Closed);
        let receipt = closed.receipt.expect("a receipt");
        assert_eq!(receipt.fee, linked.linked.expect("linked").fee);
        assert!(receipt.proof.size > receipt.proof.leaf);
        assert_eq!(kiosk.kiosk_view().await.open_sale, None);
    });
}

#[test]
fn errands_leave_the_house_once_linked_processing_is_committed() {
    run(async {
        let bed = Bed::open();
        let (kiosk, station) = (bed.kiosk("kiosk-1").await, bed.station().await);
        let view = kiosk.ordered(&bed, 1, 2).await;
        decide(&station, &view, "confirm").await.problem(409);
        for verb in ["seen", "confirm"] {
            decide(&station, &view, verb).await.ok::<ConfirmationView>();
        }
        let link = Ask::post(&path(&view, "link"), &serde_json::json!({})).keyed("l");
        let linked: SaleView = kiosk.ask(&link).await.ok();
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        assert_eq!(bed.outside.contacts_told(), 1);
        assert_eq!(bed.outside.issues(), [], "nothing is sold yet");
        let result = linked.linked.clone().expect("linked");
        assert_eq!(bed.outside.fees_booked(), result.fee);
        dispense(&kiosk, &linked).await;
        let close = Ask::post(&path(&view, "close"), &serde_json::json!({})).keyed("c");
        kiosk.ask(&close).await.ok::<SaleView>();
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        let issues = bed.outside.issues();
        let sold = issues.iter().map(|issue| issue.ranges.clone());
        assert_eq!(sold.collect::<Vec<_>>(), [result.ranges]);
    });
}

#[test]
fn a_key_used_with_another_request_is_refused() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let first = kiosk.open(1).await;
        let cancel = Ask::post(&path(&first, "cancel"), &serde_json::json!({})).keyed("same");
        let cancelled: SaleView = kiosk.ask(&cancel).await.ok();
        assert_eq!(cancelled.state, SaleState::Cancelled);
        let second = kiosk.open(2).await;
        let other = Ask::post(&path(&second, "cancel"), &serde_json::json!({})).keyed("same");
        assert!(
            kiosk
                .ask(&other)
                .await
                .problem(422)
                .kind
                .ends_with("/key-reused")
        );
        let none = Ask::post(&path(&second, "cancel"), &serde_json::json!({}));
        assert!(
            kiosk
                .ask(&none)
                .await
                .problem(400)
                .detail
                .contains("idempotency-key")
        );
    });
}

#[test]
fn a_decision_about_another_text_is_stale() {
    run(async {
        let bed = Bed::open();
        let (kiosk, station) = (bed.kiosk("kiosk-1").await, bed.station().await);
        let view = kiosk.ordered(&bed, 1, 2).await;
        let path = format!("/v1/confirmations/{}/confirm", view.sale);
        let decision = Decision {
            digest: Some(Digest::of(b"another text")),
            note: None,
        };
        let stale = station.post(&path, &decision).await.problem(409);
        assert!(stale.kind.ends_with("/stale-digest"));
        let blind = Decision {
            digest: None,
            note: None,
        };
        station.post(&path, &blind).await.problem(400);
    });
}

#[test]
fn an_officers_silence_is_a_denial() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.ordered(&bed, 1, 2).await;
        tokio::time::sleep(std::time::Duration::from_secs(200)).await;
        // The silent connection was closed meanwhile.
        let kiosk = bed.kiosk("kiosk-1").await;
        let view: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        assert_eq!(view.state, SaleState::Denied);
    });
}
