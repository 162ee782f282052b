//! Rotation of the keys of data at rest, while the service sells (I7).

use std::rc::Rc;

use counterfoil_data::secret::Secret;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::{SaleState, SaleView};

use super::bed::{Bed, logged, run};
use super::prints::{show, touch};
use crate::core::command::CommandBody;
use crate::core::sealed::{self, Held, SealedAt};
use crate::keys::Keys;
use crate::keys::envelope::{key_id, wrap};
use crate::store::Snapshots as _;

/// A touch of Zhang's that nobody saw before.
const NEW: u64 = 41;

/// The demo's ring with one more key.
pub fn ring(id: u8) -> Keys {
    Keys::demo().with_data_key(id, Secret::new([id; 32]))
}

/// Every envelope in the books.
fn held(bed: &Bed) -> Vec<Held> {
    let read = bed.store.snapshot().expect("reads");
    let (mut after, mut all) = (Vec::new(), Vec::new());
    while let Some((last, page)) = sealed::page(&*read, &after, 3).expect("reads") {
        assert!(last > after, "goes on");
        after = last;
        all.extend(page);
    }
    all
}

/// Envelopes under each key, by id.
pub fn under(bed: &Bed) -> Vec<(u8, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for held in held(bed) {
        *counts
            .entry(key_id(&held.envelope).expect("a key"))
            .or_default() += 1;
    }
    counts.into_iter().collect()
}

#[test]
fn i7_a_new_key_takes_over_everything_at_rest_while_customers_are_served() {
    run(async {
        let bed = Bed::open();
        let all = held(&bed).len();
        assert_eq!(under(&bed), [(1, all)], "ten agents, templates and images");
        assert!(all >= 60);
        let bed = bed.restarted_with(ring(2));
        let rotation = tokio::task::spawn_local(Rc::clone(&bed.service).reseal());
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.open(1).await;
        let view: SaleView = kiosk
            .info(&bed, &view, "zhang-card", "zhang-pin")
            .await
            .ok();
        let view: SaleView = show(&bed, &kiosk, &view, &touch(&bed, NEW)).await.ok();
        assert_eq!(view.state, SaleState::IdentityVerified);
        rotation.await.expect("ends by itself");
        // One more: the touch that was just accepted.
        assert_eq!(under(&bed), [(2, all + 1)]);
        assert_eq!(bed.service.meter.resealed.value(), all as u64);
        let read = bed.store.snapshot().expect("reads");
        assert_eq!(sealed::data_key(&*read).expect("reads"), Some(2));
        drop(read);
        // The old key is no longer asked for, and again there is nothing to do.
        let bed = bed.restarted_with(ring(2));
        Rc::clone(&bed.service).reseal().await;
        assert_eq!(bed.service.meter.resealed.value(), 0);
        let kiosk = bed.kiosk("kiosk-2").await;
        let view = kiosk.open(2).await;
        assert_eq!(view.state, SaleState::Opened);
    });
}

#[test]
fn i7_what_no_configured_key_opens_stays_as_it_is_and_is_told() {
    run(async {
        let bed = Bed::open().restarted_with(ring(9));
        Rc::clone(&bed.service).reseal().await;
        let all = held(&bed).len();
        assert_eq!(under(&bed), [(9, all)]);
        // Key 9 was taken away too early.
        let bed = bed.restarted_with(ring(10));
        Rc::clone(&bed.service).reseal().await;
        assert_eq!(under(&bed), [(9, all)]);
        let log = String::from_utf8_lossy(&logged()).into_owned();
        assert!(log.contains("stays under key 9"), "told by place and key");
        assert!(log.contains("load it or restore the record"));
        let bed = bed.restarted_with(ring(9).with_data_key(10, Secret::new([10; 32])));
        Rc::clone(&bed.service).reseal().await;
        assert_eq!(under(&bed), [(10, all)]);
    });
}

#[test]
fn an_envelope_that_changed_since_it_was_read_is_left_alone() {
    run(async {
        let bed = Bed::open();
        let image = held(&bed)
            .into_iter()
            .find(|held| matches!(held.at, SealedAt::Image(..)));
        let Held { at, envelope } = image.expect("an image");
        let new = wrap(&ring(2), "any", b"other ridges", &*bed.entropy).expect("wraps");
        let reseal = |old: Digest| CommandBody::Reseal {
            key: 2,
            envelopes: vec![sealed::Resealed {
                at: at.clone(),
                old,
                envelope: new.clone(),
            }],
        };
        bed.system(reseal(Digest::of(b"what was there before")))
            .await;
        assert!(under(&bed).iter().all(|(id, _)| *id == 1));
        bed.system(reseal(Digest::of(&envelope))).await;
        assert!(under(&bed).contains(&(2, 1)));
    });
}
