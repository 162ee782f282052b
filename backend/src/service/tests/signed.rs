//! A kiosk's signatures over order, linking and advices are in the evidence (I8, S1):
//! whoever has an export verifies them again, with the kiosk's public key.

use std::io::BufReader;

use counterfoil_data::leaf::{Leaf, LeafKind};
use counterfoil_data::sign::SigningIdentity;
use counterfoil_data::wire::hex;
use counterfoil_data::wire::sale::SaleView;
use ed25519_dalek::SigningKey;

use super::bed::{Bed, ORIGIN, run};
use super::client::{Ask, path};
use super::whole::{decide, dispense};
use crate::core::key::{self, Table};
use crate::evidence::{export, verify};
use crate::keys::Keys;
use crate::store::{From, Snapshots as _};

/// Every leaf of the books.
fn leaves(bed: &Bed) -> Vec<Leaf> {
    let read = bed.store.snapshot().expect("reads");
    let (low, high) = (key::low(Table::Leaf), key::high(Table::Leaf));
    let rows = read.range(&low, &high, From::First, 1_000).expect("rows");
    let leaf = |(_, bytes): (_, Vec<u8>)| Leaf::decode(&bytes).expect("a leaf");
    rows.into_iter().map(leaf).collect()
}

#[test]
fn i8_what_a_kiosk_signed_of_order_linking_and_paper_is_verified_from_an_export() {
    run(async {
        let bed = Bed::open();
        let (kiosk, station) = (bed.kiosk("kiosk-1").await, bed.station().await);
        let view = kiosk.ordered(&bed, 1, 1).await;
        decide(&station, &view, "seen").await;
        decide(&station, &view, "confirm").await;
        let link = Ask::post(&path(&view, "link"), &serde_json::json!({})).keyed("L1");
        let view: SaleView = kiosk.ask(&link).await.ok();
        dispense(&kiosk, &view).await;

        let signed = leaves(&bed);
        let signed = signed
            .iter()
            .filter_map(|leaf| Some((leaf.kind, leaf.signature()?)));
        let kinds: Vec<LeafKind> = signed
            .map(|(kind, signature)| {
                signature.expect("holds");
                kind
            })
            .collect();
        // Once a request: of four advices in one call the first leaf has it.
        let expected = [LeafKind::Ordered, LeafKind::Linked, LeafKind::FormFeeding];
        assert_eq!(kinds, expected);

        let read = bed.store.snapshot().expect("reads");
        let mut text = Vec::new();
        let signer = Keys::demo().evidence.verifying_key();
        export(&*read, ORIGIN, &signer, &mut text).expect("exports");
        let report = verify(&mut BufReader::new(&text[..]), None).expect("is sound");
        assert_eq!(report.signatures.count, 3);
        let seed = bed.bank.kiosk("kiosk-1").expect("one").key_seed.0;
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let own = ("kiosk:kiosk-1".to_owned(), hex(&public));
        assert_eq!(
            report.signatures.keys.into_iter().collect::<Vec<_>>(),
            [own]
        );
    });
}

#[test]
fn a_request_that_was_not_accepted_leaves_no_signature_behind() {
    run(async {
        let bed = Bed::open();
        let mut kiosk = bed.kiosk("kiosk-1").await;
        let view = kiosk.ordered(&bed, 1, 1).await;
        let count = |bed: &Bed| {
            let all = leaves(bed);
            all.iter().filter(|leaf| leaf.signature().is_some()).count()
        };
        assert_eq!(count(&bed), 1);
        // Out of turn, and signed by nobody we know.
        let link = Ask::post(&path(&view, "link"), &serde_json::json!({})).keyed("L1");
        kiosk.ask(&link).await.problem(409);
        kiosk.identity = SigningIdentity::new(&"kiosk:kiosk-1".parse().expect("one"), &[9; 32]);
        kiosk.ask(&link).await.problem(401);
        assert_eq!(count(&bed), 1);
    });
}
