//! A fleet of two releases: a kiosk of wire version 1 at this backend.
//!
//! `data/wire-1/` says what such a kiosk sends and which words it can read.

use counterfoil_data::wire::confirm::ConfirmationView;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::{SaleState, SaleView};
use serde_json::{Value, json};

use super::bed::{Bed, ZHANG, run};
use super::client::{Ask, Client, Heard, order, path};
use super::whole::{decide, dispense};

const WORDS: &str = include_str!("../../../../data/wire-1/words.json");

/// Members of closed lists, everywhere in an answer.
fn check(words: &Value, at: &Value) {
    match at {
        Value::Object(members) => {
            for (name, value) in members {
                if let (Some(known), Value::String(word)) = (words[name].as_array(), value) {
                    assert!(
                        known.iter().any(|k| k == word),
                        "a kiosk of version 1 cannot read {name} {word}"
                    );
                }
                check(words, value);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check(words, item)),
        _ => {}
    }
}

/// What a kiosk of version 1 hears, checked by what it can read.
async fn heard(kiosk: &Client, ask: Ask) -> Heard {
    let heard = kiosk.ask(&ask).await;
    assert_eq!(heard.header("counterfoil-version"), "1", "its own version");
    let words: Value = serde_json::from_str(WORDS).expect("JSON");
    let answer: Value = serde_json::from_slice(&heard.body).expect("JSON");
    check(&words, &answer);
    heard
}

async fn old_kiosk(bed: &Bed) -> Client {
    let kiosk = bed.kiosk("kiosk-1").await;
    kiosk.is_old.set(true);
    kiosk
}

/// Opens a sale as version 1 does: it has not heard of `seen`.
async fn opened(kiosk: &Client) -> SaleView {
    let sale = format!("{:032x}", 1);
    let open = json!({ "sale": sale, "mode": "settlement-card" });
    heard(kiosk, Ask::post("/v1/sales", &open)).await.ok()
}

#[test]
fn a_kiosk_of_version_1_sells_from_card_to_receipt() {
    run(async {
        let bed = Bed::open();
        let kiosk = old_kiosk(&bed).await;
        let station = bed.station().await;
        let view = opened(&kiosk).await;
        let key = kiosk.kiosk_view().await.sealing_key().expect("a key");
        let info = bed.card_info(&view, &key, "zhang-card", "zhang-pin");
        let view: SaleView = heard(&kiosk, Ask::post(&path(&view, "info"), &info))
            .await
            .ok();
        let identity = bed.identity(&view, &key, &ZHANG);
        let identity = Ask::octets(&path(&view, "identity"), identity);
        let view: SaleView = heard(&kiosk, identity).await.ok();
        let ask = Ask::post(&path(&view, "order"), &order(2));
        let view: SaleView = heard(&kiosk, ask).await.ok();
        for verb in ["seen", "confirm"] {
            decide(&station, &view, verb).await.ok::<ConfirmationView>();
        }
        let link = Ask::post(&path(&view, "link"), &json!({})).keyed("link");
        let linked: SaleView = heard(&kiosk, link).await.ok();
        dispense(&kiosk, &linked).await;
        let close = Ask::post(&path(&view, "close"), &json!({})).keyed("close");
        let closed: SaleView = heard(&kiosk, close).await.ok();
        assert_eq!(closed.state, SaleState::Closed);
        assert_eq!(closed.receipt.expect("a receipt").ordered, 2);
        heard(&kiosk, Ask::get("/v1/kiosk")).await;
    });
}

#[test]
fn a_kiosk_of_version_1_is_told_to_call_staff_where_version_2_asks_for_another_finger() {
    for (is_old, remedy) in [(true, Remedy::CallStaff), (false, Remedy::OtherFinger)] {
        run(async move {
            let bed = Bed::open();
            let kiosk = bed.kiosk("kiosk-1").await;
            kiosk.is_old.set(is_old);
            let view = opened_at(&kiosk, is_old).await;
            let view: SaleView = kiosk
                .info(&bed, &view, "zhang-card", "zhang-pin")
                .await
                .ok();
            let view: SaleView = kiosk.present(&bed, &view, &ZHANG).await.ok();
            let ask = Ask::post(&path(&view, "order"), &order(41));
            let refused = if is_old {
                heard(&kiosk, ask).await
            } else {
                kiosk.ask(&ask).await
            };
            let rule = refused.problem(422).rule.expect("a rule");
            assert_eq!((rule.rule.as_str(), rule.remedy), ("second-finger", remedy));
            // It goes on with fewer forms.
            let fewer = Ask::post(&path(&view, "order"), &order(2));
            let view: SaleView = kiosk.ask(&fewer).await.ok();
            assert_eq!(view.state, SaleState::AwaitConfirm);
        });
    }
}

async fn opened_at(kiosk: &Client, is_old: bool) -> SaleView {
    if is_old {
        opened(kiosk).await
    } else {
        kiosk.open(1).await
    }
}
