//! Enrolled prints at the second gate: copies, and engines that cannot read them (S13, S14).

use counterfoil_data::leaf::{Field, Leaf, LeafKind};
use counterfoil_data::wire::sale::{FingerPosition, PurchaseMode, SaleState, SaleView};
use counterfoil_finger::synth::{Contact, Finger};
use counterfoil_finger::{Image, TEMPLATE_VERSION};

use super::bed::{Bed, ZHANG, logged, run};
use super::client::{Ask, Client, Heard, path};
use crate::core::command::CommandBody;
use crate::core::key::{self, Table};
use crate::core::record::bank::AgentRow;
use crate::core::record::books::AttemptRow;
use crate::core::{log, overlay};
use crate::keys::Keys;
use crate::keys::envelope::{template_name, unwrap, wrap};
use crate::store::Snapshots as _;
use crate::workers::print::{FingerImages, NotEnrolled, engine, enrol};

/// The touch of Zhang's that the demo bank enrolled first, and one it never saw.
const ENROLLED: u64 = 0;
const NEW: u64 = 41;

pub fn touch(bed: &Bed, n: u64) -> Image {
    let seed = bed.bank.finger("zhang").expect("a finger").seed;
    Finger::from_seed(seed).impression(&Contact::natural(seed + n))
}

/// The same picture a little brighter, as another file of it would be.
fn dressed(image: &Image) -> Image {
    let brighter = image.pixels().iter().map(|p| p.saturating_add(9)).collect();
    Image::new(image.width(), image.height(), image.dpi(), brighter).expect("an image")
}

pub async fn show(bed: &Bed, kiosk: &Client, view: &SaleView, image: &Image) -> Heard {
    let key = kiosk.kiosk_view().await.sealing_key().expect("a key");
    let body = bed.identity_with(view, &key, &ZHANG, image);
    kiosk.ask(&Ask::octets(&path(view, "identity"), body)).await
}

/// All evidence.
pub fn leaves(bed: &Bed) -> Vec<Leaf> {
    let read = bed.store.snapshot().expect("reads");
    let size = log::size(&*read).expect("reads");
    let leaf = |index| {
        let bytes = read.read(&key::numbered(Table::Leaf, index));
        Leaf::decode(&bytes.expect("reads").expect("a leaf")).expect("a leaf")
    };
    (0..size).map(leaf).collect()
}

/// Score and engine of each comparison that did not verify, as evidence has them.
fn failures(bed: &Bed) -> Vec<(u32, String)> {
    let leaves = leaves(bed);
    let failed = leaves
        .iter()
        .filter(|leaf| leaf.kind == LeafKind::IdentityFailed);
    let facts = failed.map(|leaf| {
        let score = leaf.fields.iter().find_map(|f| match f {
            Field::ScoreMilli(milli) => Some(*milli),
            _ => None,
        });
        let engine = leaf.fields.iter().find_map(|f| match f {
            Field::Engine(name) => Some(name.clone()),
            _ => None,
        });
        (score.expect("a score"), engine.expect("an engine"))
    });
    facts.collect()
}

#[test]
fn s14_a_copy_of_an_enrolled_touch_is_a_mismatch_to_the_kiosk_and_a_replay_in_evidence() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let mut view: SaleView = kiosk
            .info(&bed, &view, "zhang-card", "zhang-pin")
            .await
            .ok();
        let copy = touch(&bed, ENROLLED);
        for (image, left) in [(dressed(&copy), 2), (copy, 1)] {
            let heard = show(&bed, &kiosk, &view, &image).await;
            let said = String::from_utf8_lossy(&heard.body).into_owned();
            for kept in ["replay", "score_milli", "counterfoil-finger"] {
                assert!(!said.contains(kept), "{said}");
            }
            let problem = heard.problem(422);
            assert_eq!(problem.attempts_left, Some(left));
            assert_eq!(problem.rule.expect("a rule").rule, "finger-mismatch");
            view = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        }
        let replay = (0, format!("replay/{}", engine()));
        assert_eq!(failures(&bed), [replay.clone(), replay]);
        let log = String::from_utf8_lossy(&logged()).into_owned();
        assert!(log.contains("a live print is a copy of an earlier touch"));
        let fresh = touch(&bed, NEW);
        let view: SaleView = show(&bed, &kiosk, &view, &fresh).await.ok();
        assert_eq!(view.state, SaleState::IdentityVerified);
    });
}

/// Zhang once more, with templates that another engine wrote; found before the other.
fn aged(bed: &Bed) -> AgentRow {
    let read = bed.store.snapshot().expect("reads");
    let id = &bed.bank.document("zhang").expect("a document").number;
    let zhang = bed.bank.agents.iter().find(|a| &a.citizen_number == id);
    let zhang = &zhang.expect("an agent").id;
    let row = overlay::get(&*read, &key::text(Table::Agent, zhang.as_str())).expect("reads");
    let mut row: AgentRow = row.expect("enrolled");
    row.id = "agent-aged".parse().expect("an id");
    let keys = Keys::demo();
    for sealed in row.fingers.iter_mut().flat_map(|f| &mut f.templates) {
        let plain = unwrap(&keys, &template_name(zhang), sealed).expect("opens");
        let mut plain: Vec<u8> = plain.expose().clone();
        plain[0] = TEMPLATE_VERSION - 1;
        *sealed = wrap(&keys, &template_name(&row.id), &plain, &*bed.entropy).expect("wraps");
    }
    row
}

#[test]
fn prints_of_another_engine_send_to_the_counter_and_cost_nobody_an_attempt() {
    run(async {
        let bed = Bed::open();
        bed.system(CommandBody::EnrolAgent(aged(&bed))).await;
        let kiosk = bed.kiosk("kiosk-1").await;
        // More often than attempts are allowed; neither agent nor kiosk is locked by it.
        for sale in 1..=12 {
            let view = kiosk.open_as(sale, PurchaseMode::PaymentPassword).await;
            let key = kiosk.kiosk_view().await.sealing_key().expect("a key");
            let info = bed.account_info(&view, &key, "jixie-account", "jixie-password");
            let view: SaleView = kiosk.post(&path(&view, "info"), &info).await.ok();
            let problem = kiosk.present(&bed, &view, &ZHANG).await.problem(422);
            assert_eq!(problem.kind, "/problems/refused", "sale {sale}");
            assert_eq!(problem.state, Some(SaleState::Refused));
            let rule = problem.rule.expect("a rule");
            assert_eq!(rule.rule, "enrol-again");
            assert!(rule.staff.contains("enrol the agent again"));
        }
        let expected = (0, format!("enrol-again/{}", engine()));
        assert!(failures(&bed).iter().all(|f| *f == expected));
        assert_eq!(failures(&bed).len(), 12);
        let read = bed.store.snapshot().expect("reads");
        for counted in ["agent/agent-aged", "kiosk/kiosk-1"] {
            let row = overlay::get(&*read, &key::text(Table::Attempt, counted));
            let row: Option<AttemptRow> = row.expect("reads");
            assert_eq!(row, Some(AttemptRow::default()), "{counted}");
        }
    });
}

#[test]
fn an_enrolment_is_refused_with_the_impression_to_capture_again_and_nothing_is_stored() {
    run(async {
        let bed = Bed::open();
        let agent = "agent-new".parse().expect("an id");
        let stranger = Finger::from_seed(8).impression(&Contact::natural(3));
        let finger = FingerImages {
            position: FingerPosition::RightIndex,
            images: [touch(&bed, 0), stranger, touch(&bed, 2)],
        };
        let stored = enrol(&Keys::demo(), &agent, &[finger], &*bed.entropy);
        let refused: NotEnrolled = stored.expect_err("refused");
        assert!(refused.to_string().starts_with("impression 2 is not of"));
        let read = bed.store.snapshot().expect("reads");
        let row = read.read(&key::text(Table::Agent, "agent-new"));
        assert_eq!(row.expect("reads"), None);
    });
}
