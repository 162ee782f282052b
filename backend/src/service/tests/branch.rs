//! A kiosk reaches only its own branch's stock, and its own sales.

use counterfoil_data::wire::sale::{KioskView, SaleState, SaleView};
use ed25519_dalek::SigningKey;

use super::bed::{Bed, Presented, ZHANG, run};
use super::client::{Ask, Client, order, path};
use crate::core::command::CommandBody;
use crate::core::record::bank::KioskRow;

const ELSEWHERE: Presented<'static> = Presented {
    kiosk: "kiosk-9",
    ..ZHANG
};

/// `kiosk-9` of another branch, with a slot that has the name of kiosk-1's.
async fn elsewhere(bed: &mut Bed) -> Client {
    let seed = [9; 32];
    let mut kiosk = bed.bank.kiosk("kiosk-1").expect("one").clone();
    kiosk.id = "kiosk-9".parse().expect("an id");
    kiosk.key_seed.0 = seed;
    bed.system(CommandBody::EnrolKiosk(KioskRow {
        id: kiosk.id.clone(),
        branch: "branch-2".parse().expect("an id"),
        branch_name: "二支行".to_owned(),
        key: SigningKey::from_bytes(&seed).verifying_key().to_bytes(),
        modes: kiosk.modes.clone(),
        slots: kiosk
            .slots
            .iter()
            .map(|s| (s.slot.clone(), s.kind))
            .collect(),
        open_sale: None,
    }))
    .await;
    bed.bank.kiosks.push(kiosk);
    bed.kiosk("kiosk-9").await
}

#[test]
fn a_kiosk_of_another_branch_sells_nothing_out_of_this_ones_cassettes() {
    run(async {
        let mut bed = Bed::open();
        let far = elsewhere(&mut bed).await;
        let here = bed.kiosk("kiosk-1").await;
        let before = here.kiosk_view().await;
        let view = far.open(9).await;
        let view: SaleView = far.info(&bed, &view, "zhang-card", "zhang-pin").await.ok();
        let view: SaleView = far.present(&bed, &view, &ELSEWHERE).await.ok();
        let refused = far
            .post(&path(&view, "order"), &order(1))
            .await
            .problem(422);
        let rule = refused.rule.expect("a rule says why");
        assert_eq!(rule.rule, "stock-short");
        // Nothing of it moved, and kiosk-1 gets what lay on top before.
        let after = here.kiosk_view().await;
        assert_eq!(after.slots, before.slots);
        let own: KioskView = far.kiosk_view().await;
        assert!(
            own.slots.iter().all(|slot| slot.count == 0),
            "{:?}",
            own.slots
        );
        let cancel = Ask::post(&path(&view, "cancel"), &serde_json::json!({})).keyed("c");
        let ended: SaleView = far.ask(&cancel).await.ok();
        assert_eq!(ended.state, SaleState::Cancelled);
        let ordered = here.ordered(&bed, 1, 1).await.order.expect("an order");
        assert_eq!(ordered.items, order(1).items);
    });
}

#[test]
fn a_kiosk_of_another_branch_neither_reads_nor_moves_this_ones_sales() {
    run(async {
        let mut bed = Bed::open();
        let far = elsewhere(&mut bed).await;
        let here = bed.kiosk("kiosk-1").await;
        let view = here.ordered(&bed, 1, 2).await;
        let sale = format!("/v1/sales/{}", view.sale);
        far.get(&sale).await.problem(403);
        let empty = serde_json::json!({});
        for verb in ["link", "cancel", "close"] {
            let ask = Ask::post(&path(&view, verb), &empty).keyed(verb);
            far.ask(&ask).await.problem(403);
        }
        far.post(&path(&view, "order"), &order(1))
            .await
            .problem(403);
        let key = far.kiosk_view().await.sealing_key().expect("a key");
        let info = bed.card_info(&view, &key, "zhang-card", "zhang-pin");
        far.post(&path(&view, "info"), &info).await.problem(403);
        // What stations and staff see is for no kiosk at all.
        for read in ["/v1/confirmations", "/v1/custody"] {
            far.get(read).await.problem(403);
        }
        let still: SaleView = here.get(&sale).await.ok();
        assert_eq!(still, view);
    });
}
