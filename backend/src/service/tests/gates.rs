//! The gates: nothing out of order, attempts counted, secrets nowhere (I4, I7).

use counterfoil_data::wire::confirm::ConfirmationView;
use counterfoil_data::wire::sale::{
    DocumentFields, PurchaseMode, SaleState, SaleView, VerificationInfo,
};
use tokio::io::AsyncWriteExt as _;

use super::super::Limits;
use super::bed::{Bed, Presented, ZHANG, logged, run};
use super::client::{Ask, Heard, order, path};
use super::whole::decide;
use crate::core::command::CommandBody;
use crate::core::log;
use crate::core::record::bank::AccountState;
use crate::ports::{CitizenCheck, CitizenCheckResult, Ports};
use crate::store::{Changes, Snapshots as _};

#[test]
fn calls_out_of_order_are_409_and_name_the_state() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let empty = serde_json::json!({});
        let early = [
            kiosk.present(&bed, &view, &ZHANG).await,
            kiosk.post(&path(&view, "order"), &order(1)).await,
            kiosk
                .ask(&Ask::post(&path(&view, "link"), &empty).keyed("a"))
                .await,
            kiosk
                .ask(&Ask::post(&path(&view, "close"), &empty).keyed("b"))
                .await,
        ];
        for heard in early {
            let problem = heard.problem(409);
            assert_eq!(problem.kind, "/problems/out-of-order");
            assert_eq!(problem.state, Some(SaleState::Opened));
        }
        let view: SaleView = kiosk
            .info(&bed, &view, "zhang-card", "zhang-pin")
            .await
            .ok();
        let twice = kiosk.info(&bed, &view, "zhang-card", "zhang-pin").await;
        assert_eq!(twice.problem(409).state, Some(SaleState::InfoVerified));
    });
}

#[test]
fn a_wrong_pin_and_an_unknown_card_look_the_same_and_count() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let mut answers = Vec::new();
        for (sale, card, pin) in [
            (1, "zhang-card", "wrong-pin"),
            (2, "unknown-card", "wrong-pin"),
        ] {
            let view = kiosk.open(sale).await;
            let problem = kiosk.info(&bed, &view, card, pin).await.problem(422);
            assert_eq!(problem.attempts_left, Some(2));
            answers.push(problem);
            let cancel = Ask::post(&path(&view, "cancel"), &serde_json::json!({}));
            kiosk.ask(&cancel.keyed(card)).await.ok::<SaleView>();
        }
        assert_eq!(answers[0], answers[1]);
    });
}

#[test]
fn the_third_wrong_pin_locks_and_the_right_one_does_not_help_any_more() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let mut view = kiosk.open(1).await;
        for _ in 0..2 {
            kiosk
                .info(&bed, &view, "zhang-card", "wrong-pin")
                .await
                .problem(422);
            view = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        }
        let locked = kiosk
            .info(&bed, &view, "zhang-card", "wrong-pin")
            .await
            .problem(423);
        assert_eq!(locked.state, Some(SaleState::Refused));
        let view = kiosk.open(2).await;
        kiosk
            .info(&bed, &view, "zhang-card", "zhang-pin")
            .await
            .problem(423);
    });
}

#[test]
fn pm2_the_account_number_and_its_payment_password_open_the_first_gate_too() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open_as(1, PurchaseMode::PaymentPassword).await;
        let key = kiosk.kiosk_view().await.sealing_key().expect("a key");
        let card = bed.card_info(&view, &key, "zhang-card", "zhang-pin");
        let info = path(&view, "info");
        assert!(
            kiosk
                .post(&info, &card)
                .await
                .problem(400)
                .detail
                .contains("mode")
        );
        let wrong = bed.account_info(&view, &key, "jixie-account", "wrong-password");
        kiosk.post(&info, &wrong).await.problem(422);
        let view: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        let right = bed.account_info(&view, &key, "jixie-account", "jixie-password");
        let view: SaleView = kiosk.post(&info, &right).await.ok();
        assert_eq!(view.state, SaleState::InfoVerified);
    });
}

#[test]
fn a_wrong_payment_password_and_an_unknown_account_look_the_same_and_count() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let key = kiosk.kiosk_view().await.sealing_key().expect("a key");
        let mut answers = Vec::new();
        for (sale, account, password) in [
            (1, "jixie-account", "wrong-password"),
            (2, "unknown-account", "jixie-password"),
        ] {
            let mut view = kiosk.open_as(sale, PurchaseMode::PaymentPassword).await;
            let mut told = Vec::new();
            for status in [422, 422, 423] {
                let info = bed.account_info(&view, &key, account, password);
                let heard = kiosk.post(&path(&view, "info"), &info).await;
                told.push(heard.problem(status));
                view = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
            }
            let left: Vec<_> = told.iter().map(|p| p.attempts_left).collect();
            assert_eq!(left, [Some(2), Some(1), None]);
            let rules = told.iter().filter_map(|p| p.rule.as_ref());
            let rules: Vec<&str> = rules.map(|r| r.rule.as_str()).collect();
            assert_eq!(rules, ["password-unknown", "password-unknown", "locked"]);
            answers.push(told);
        }
        assert_eq!(answers[0], answers[1]);
    });
}

#[test]
fn a_counted_attempt_is_settled_even_if_the_kiosk_hangs_up_at_once() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let key = kiosk.kiosk_view().await.sealing_key().expect("a key");
        let info = bed.card_info(&view, &key, "zhang-card", "zhang-pin");
        let ask = Ask::post(&path(&view, "info"), &info);
        let request = kiosk.signed(&ask, bed.clock.now());
        let mut raw = format!("POST {} HTTP/1.1\r\n", ask.path).into_bytes();
        for (name, value) in request.headers() {
            raw.extend_from_slice(format!("{name}: ").as_bytes());
            raw.extend_from_slice(value.as_bytes());
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(format!("content-length: {}\r\n\r\n", ask.body.len()).as_bytes());
        raw.extend_from_slice(&ask.body);
        let (mut stream, theirs) = tokio::io::duplex(64 * 1024);
        let service = bed.service.clone();
        let served = tokio::task::spawn_local(async move { service.serve_stream(theirs).await });
        let service = bed.service.clone();
        let before = service.meter.commands.value();
        // A task of its own, so that it runs between the handler and the writer.
        let hang_up = tokio::task::spawn_local(async move {
            while service.meter.commands.value() == before {
                tokio::task::yield_now().await;
            }
            served.abort();
        });
        stream.write_all(&raw).await.expect("writes");
        hang_up.await.expect("hung up");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let view: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        assert_eq!(view.state, SaleState::InfoVerified);
    });
}

#[test]
fn s12_a_captured_seal_cannot_be_used_again_and_costs_no_attempt() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let key = kiosk.kiosk_view().await.sealing_key().expect("a key");
        let captured = bed.card_info(&view, &key, "zhang-card", "wrong-pin");
        let info = path(&view, "info");
        assert_eq!(
            kiosk
                .post(&info, &captured)
                .await
                .problem(422)
                .attempts_left,
            Some(2)
        );
        kiosk.post(&info, &captured).await.problem(400);
        let view: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        // A fresh card with the captured PIN is no better.
        let mut mixed = bed.card_info(&view, &key, "zhang-card", "wrong-pin");
        if let (
            VerificationInfo::SettlementCard { pin: fresh, .. },
            VerificationInfo::SettlementCard { pin: stale, .. },
        ) = (&mut mixed, captured)
        {
            *fresh = stale;
        }
        kiosk.post(&info, &mixed).await.problem(400);
        let view: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        assert_eq!(view.attempts_left, Some(2));
    });
}

#[test]
fn s16_a_document_not_proven_genuine_by_this_kiosk_never_reaches_the_matcher() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let view: SaleView = kiosk
            .info(&bed, &view, "zhang-card", "zhang-pin")
            .await
            .ok();
        let forged = Presented {
            status: &[0x9F, 0x32, 0x90],
            ..ZHANG
        };
        let other_kiosk = Presented {
            kiosk: "kiosk-2",
            ..ZHANG
        };
        for who in [forged, other_kiosk] {
            let problem = kiosk.present(&bed, &view, &who).await.problem(422);
            assert_eq!(problem.kind, "/problems/not-verified");
            let view: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
            assert_eq!(view.attempts_left, Some(3), "no attempt was counted");
        }
    });
}

#[test]
fn s13_another_persons_finger_does_not_match_and_another_units_agent_is_refused() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let view: SaleView = kiosk
            .info(&bed, &view, "zhang-card", "zhang-pin")
            .await
            .ok();
        let stranger = Presented {
            finger: "li",
            ..ZHANG
        };
        let problem = kiosk.present(&bed, &view, &stranger).await.problem(422);
        assert_eq!(problem.attempts_left, Some(2));
        let view: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        let li = Presented {
            document: "li",
            finger: "li",
            ..ZHANG
        };
        let problem = kiosk.present(&bed, &view, &li).await.problem(422);
        assert_eq!(problem.rule.expect("a rule").rule, "not-agent-of-unit");
        assert_eq!(problem.state, Some(SaleState::Refused));
    });
}

#[test]
fn a_kiosk_sees_only_its_own_sales_and_a_station_no_kiosk_route() {
    run(async {
        let bed = Bed::open();
        let (one, two) = (bed.kiosk("kiosk-1").await, bed.kiosk("kiosk-2").await);
        let station = bed.station().await;
        let view = one.open(1).await;
        let read = format!("/v1/sales/{}", view.sale);
        two.get(&read).await.problem(403);
        two.post(&path(&view, "order"), &order(1))
            .await
            .problem(403);
        station.get(&read).await.problem(403);
        one.get("/v1/confirmations").await.problem(403);
        one.get("/v1/sales/000000000000000000000000000000ff")
            .await
            .problem(404);
    });
}

#[test]
fn i7_no_secret_is_in_any_answer_or_log_line() {
    let answers = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let heard = answers.clone();
    run(async move {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let keep = |answer: Heard| {
            heard.borrow_mut().extend_from_slice(&answer.body);
            answer
        };
        let view = kiosk.open(1).await;
        keep(kiosk.info(&bed, &view, "zhang-card", "wrong-pin").await);
        let view: SaleView = keep(kiosk.get(&format!("/v1/sales/{}", view.sale)).await).ok();
        let view: SaleView = keep(kiosk.info(&bed, &view, "zhang-card", "zhang-pin").await).ok();
        let view: SaleView = keep(kiosk.present(&bed, &view, &ZHANG).await).ok();
        keep(kiosk.post(&path(&view, "order"), &order(2)).await);
        keep(kiosk.get("/v1/kiosk").await);
        keep(bed.station().await.get("/v1/confirmations").await);
        // Malformed bodies must not be quoted back either.
        let quoted = serde_json::json!({ "mode": "settlement-card", "pin": "246810" });
        keep(kiosk.post(&path(&view, "order"), &quoted).await);
    });
    let logged = logged();
    assert!(logged.len() > 1_000, "captured {}", logged.len());
    let secrets = [
        "246810",
        "000000\"",
        "6217000000000000004",
        "100000198501010013",
    ];
    for (place, bytes) in [("log", logged), ("answers", answers.borrow().clone())] {
        let text = String::from_utf8_lossy(&bytes);
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {place}");
        }
    }
}

#[test]
fn l1_a_rule_that_refuses_at_linked_processing_is_422_with_the_rule_and_links_nothing() {
    run(async {
        let bed = Bed::open();
        let (kiosk, station) = (bed.kiosk("kiosk-1").await, bed.station().await);
        let view = kiosk.ordered(&bed, 1, 2).await;
        for verb in ["seen", "confirm"] {
            decide(&station, &view, verb).await.ok::<ConfirmationView>();
        }
        let account = bed.bank.units[0].account.number.clone();
        let state = AccountState::Frozen;
        bed.system(CommandBody::SetAccountState { account, state })
            .await;
        let link = Ask::post(&path(&view, "link"), &serde_json::json!({})).keyed("link");
        for _ in 0..2 {
            let problem = kiosk.ask(&link).await.problem(422);
            assert_eq!(problem.kind, "/problems/refused");
            assert_eq!(problem.state, Some(SaleState::Refused));
            assert_eq!(problem.rule.expect("a rule").rule, "account-not-normal");
        }
        assert_eq!(bed.service.meter.linked.value(), 0);
    });
}

/// A citizen register that knows every number under another name.
struct OtherNames;

impl CitizenCheck for OtherNames {
    fn check(&self, _: &DocumentFields) -> CitizenCheckResult {
        CitizenCheckResult::NameDiffers
    }
}

#[test]
fn a_register_that_disagrees_is_a_counted_attempt_and_the_last_one_locks() {
    run(async {
        let citizens = std::sync::Arc::new(OtherNames);
        let ports = |ports| Ports { citizens, ..ports };
        let bed = Bed::with(Limits::default(), &Changes::new(), ports);
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let mut view: SaleView = kiosk
            .info(&bed, &view, "zhang-card", "zhang-pin")
            .await
            .ok();
        let leaves = || log::size(&*bed.store.snapshot().expect("reads")).expect("reads");
        for left in [2, 1] {
            let before = leaves();
            let problem = kiosk.present(&bed, &view, &ZHANG).await.problem(422);
            assert_eq!(problem.attempts_left, Some(left));
            assert_eq!(problem.rule.expect("a rule").rule, "citizen-check");
            assert_eq!(leaves(), before + 2, "attempted and failed, in evidence");
            view = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        }
        let problem = kiosk.present(&bed, &view, &ZHANG).await.problem(423);
        assert_eq!(problem.state, Some(SaleState::Refused));
    });
}
