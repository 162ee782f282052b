//! A second finger over HTTP (S13), the touch accepted last, and templates made anew.

use counterfoil_data::leaf::LeafKind;
use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::{FingerPosition, LivePrint, SaleState, SaleView};
use counterfoil_finger::TEMPLATE_VERSION;
use counterfoil_finger::synth::{Contact, Finger};

use super::bed::{Bed, ZHANG, run};
use super::client::{Ask, Client, Heard, order, path};
use super::prints::{leaves, show, touch};
use crate::core::command::CommandBody;
use crate::core::key::{self, Table};
use crate::core::overlay;
use crate::core::record::bank::AgentRow;
use crate::keys::Keys;
use crate::keys::envelope::{template_name, unwrap, wrap};
use crate::store::Snapshots as _;

/// More than the demo bank sells for one finger.
const LARGE: u32 = 45;

async fn identified(bed: &Bed, kiosk: &Client, sale: u128) -> SaleView {
    let view = kiosk.open(sale).await;
    let heard = kiosk.info(bed, &view, "zhang-card", "zhang-pin").await;
    kiosk.present(bed, &heard.ok(), &ZHANG).await.ok()
}

/// Puts a finger of the demo bank on the glass.
async fn put(bed: &Bed, kiosk: &Client, view: &SaleView, finger: &str, touch: u64) -> Heard {
    let seed = bed.bank.finger(finger).expect("a finger").seed;
    let image = Finger::from_seed(seed).impression(&Contact::natural(seed + 500 + touch));
    let print = LivePrint {
        width: image.width(),
        height: image.height(),
        dpi: image.dpi(),
        pixels: Secret::new(image.pixels().to_vec()),
    };
    let key = kiosk.kiosk_view().await.sealing_key().expect("a key");
    let binding = Binding {
        sale: view.sale,
        challenge: view.challenge,
    };
    let sealed = Sealed::seal(&print, &key, binding, &*bed.entropy).expect("seals");
    let ask = Ask::octets(&path(view, "finger"), sealed.to_bytes().into());
    kiosk.ask(&ask).await
}

async fn again(kiosk: &Client, view: &SaleView) -> SaleView {
    kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok()
}

#[test]
fn s13_a_large_order_is_sold_to_two_fingers_and_the_answers_tell_no_score() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let mut view = identified(&bed, &kiosk, 1).await;
        let agent = view.agent.clone().expect("message 2");
        assert_eq!(agent.other_fingers, [FingerPosition::LeftIndex]);
        let problem = kiosk.post(&path(&view, "order"), &order(LARGE)).await;
        let problem = problem.problem(422);
        assert_eq!(problem.state, Some(SaleState::IdentityVerified));
        let rule = problem.rule.expect("a rule");
        assert_eq!(rule.rule, "second-finger");
        assert_eq!(rule.remedy, Remedy::OtherFinger);
        // A stranger's, then the finger that is known already.
        for (finger, left) in [("stranger", 2), ("zhang", 1)] {
            let heard = put(&bed, &kiosk, &view, finger, 0).await;
            let said = String::from_utf8_lossy(&heard.body).into_owned();
            assert!(!said.contains("score_milli") && !said.contains("counterfoil-finger"));
            let problem = heard.problem(422);
            assert_eq!(problem.kind, "/problems/not-verified");
            assert_eq!(problem.attempts_left, Some(left));
            view = again(&kiosk, &view).await;
        }
        let view: SaleView = put(&bed, &kiosk, &view, "zhang-left", 0).await.ok();
        assert_eq!(view.state, SaleState::IdentityVerified);
        let view: SaleView = kiosk.post(&path(&view, "order"), &order(LARGE)).await.ok();
        assert_eq!(view.state, SaleState::AwaitConfirm);
        let count = |kind| leaves(&bed).iter().filter(|l| l.kind == kind).count();
        assert_eq!(count(LeafKind::FingerAttempted), 3);
        assert_eq!(count(LeafKind::FingerFailed), 2);
        assert_eq!(count(LeafKind::FingerVerified), 1);
    });
}

#[test]
fn a_second_finger_of_any_other_shape_or_out_of_place_costs_no_attempt() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let opened = kiosk.open(1).await;
        put(&bed, &kiosk, &opened, "zhang-left", 0)
            .await
            .problem(409);
        let heard = kiosk.info(&bed, &opened, "zhang-card", "zhang-pin").await;
        let view: SaleView = kiosk.present(&bed, &heard.ok(), &ZHANG).await.ok();
        for body in ["", "x", "{}"] {
            let ask = Ask::octets(&path(&view, "finger"), body.into());
            kiosk.ask(&ask).await.problem(400);
        }
        let other = bed.kiosk("kiosk-2").await;
        put(&bed, &other, &view, "zhang-left", 0).await.problem(403);
        // Sealed under a challenge that was used up: counted, and nothing opens.
        let stale = SaleView {
            challenge: opened.challenge,
            ..view.clone()
        };
        let problem = put(&bed, &kiosk, &stale, "zhang-left", 0)
            .await
            .problem(422);
        assert_eq!(problem.attempts_left, Some(2));
    });
}

#[test]
fn the_picture_of_a_touch_that_was_accepted_opens_no_later_sale() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let picture = touch(&bed, 77);
        for (sale, accepted) in [(1, true), (2, false)] {
            let view = kiosk.open(sale).await;
            let heard = kiosk.info(&bed, &view, "zhang-card", "zhang-pin").await;
            let heard = show(&bed, &kiosk, &heard.ok(), &picture).await;
            assert_eq!(heard.status == 200, accepted, "sale {sale}");
            let empty = serde_json::json!({});
            let cancel = Ask::post(&path(&view, "cancel"), &empty);
            let key = format!("C{sale}");
            assert_eq!(kiosk.ask(&cancel.keyed(&key)).await.status, 200);
        }
    });
}

fn zhang(bed: &Bed) -> AgentRow {
    let read = bed.store.snapshot().expect("reads");
    let row = overlay::get(&*read, &key::text(Table::Agent, "agent-zhang"));
    row.expect("reads").expect("an agent")
}

/// The version of every template of Zhang's.
fn versions(bed: &Bed) -> Vec<u8> {
    let (row, keys) = (zhang(bed), Keys::demo());
    let templates = row.fingers.iter().flat_map(|f| &f.templates);
    let open = |sealed| unwrap(&keys, &template_name(&row.id), sealed).expect("opens");
    templates.map(|sealed| open(sealed).expose()[0]).collect()
}

#[test]
fn templates_of_an_older_engine_are_made_anew_from_the_images_at_the_next_touch() {
    run(async {
        let bed = Bed::open();
        let (row, keys) = (zhang(&bed), Keys::demo());
        let mut fingers = row.fingers;
        for sealed in fingers.iter_mut().flat_map(|f| &mut f.templates) {
            let name = template_name(&row.id);
            let mut plain = unwrap(&keys, &name, sealed)
                .expect("opens")
                .expose()
                .clone();
            plain[0] = TEMPLATE_VERSION - 1;
            *sealed = wrap(&keys, &name, &plain, &*bed.entropy).expect("wraps");
        }
        bed.system(CommandBody::RefreshTemplates {
            agent: row.id,
            enrolment: row.enrolment,
            engine: "an older one".to_owned(),
            fingers,
        })
        .await;
        assert_eq!(versions(&bed), [TEMPLATE_VERSION - 1; 6]);
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = identified(&bed, &kiosk, 1).await;
        assert_eq!(view.state, SaleState::IdentityVerified);
        assert_eq!(versions(&bed), [TEMPLATE_VERSION; 6], "kept, all of them");
    });
}
