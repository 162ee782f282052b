//! What a card proves, and with which keys: the driver against the twin.

use counterfoil_data::tlog::note::{sign_by_seed, verifier_of_seed};

use super::*;
use crate::driver::pboc::Capks;

/// Reads the card in the slot with these keys.
async fn read_with(
    reader: &mut Reader<TwinTransport>,
    capks: &Capks,
    today: Date,
) -> Result<SettlementCard, CardError> {
    let entropy = Counting(RefCell::new(0));
    read_settlement_card(reader, capks, &entropy, today, WITHIN).await
}

/// The demo keys as a bank would sign them.
fn signed(head: &str, tail: &str) -> Capks {
    let demo = include_str!("../../../../demo/capks.toml");
    let text = format!("{head}\n{demo}\n{tail}\n");
    let (name, seed) = ("schemes.example", [3; 32]);
    let note = sign_by_seed(&text, name, &seed);
    let signer = verifier_of_seed(name, &seed).parse().unwrap();
    Capks::from_note(&note, &signer).unwrap()
}

#[test]
fn a_card_that_signs_only_with_its_cryptogram_proves_itself_and_a_copy_does_not() {
    for card in ["combined", "combined t1"] {
        run(async {
            let (bus, _, mut reader) = opened(twin()).await;
            bus.desk(&format!("card-reader insert good {card}"))
                .unwrap();
            let card = read(&mut reader).await.unwrap();
            assert_eq!(card.proof, CardProof::Genuine);
            assert_eq!(bus.counter(NAME, "signatures"), 1);
            bus.desk("card-reader remove").unwrap();
            bus.desk("card-reader insert good combined-copied").unwrap();
            let copied = read(&mut reader).await.unwrap_err();
            let hash = OdaError::Hash(Block::Dynamic);
            assert_eq!(copied, CardError::NotAuthentic(hash));
        });
    }
}

#[test]
fn a_cryptogram_that_was_changed_is_found_out_and_a_card_that_declines_proves_nothing() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good combined-altered")
            .unwrap();
        let altered = read(&mut reader).await.unwrap_err();
        assert_eq!(altered, CardError::NotAuthentic(OdaError::Cryptogram));
        assert_eq!(altered.remedy(), Remedy::CallStaff);
        bus.desk("card-reader remove").unwrap();
        bus.desk("card-reader insert good combined-declining")
            .unwrap();
        let declined = read(&mut reader).await.unwrap();
        assert_eq!(declined.proof, CardProof::HostMustConfirm);
    });
}

#[test]
fn a_card_without_a_directory_is_found_by_the_second_of_its_names() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good no-directory").unwrap();
        let card = read(&mut reader).await.unwrap();
        assert_eq!(card.proof, CardProof::Genuine);
    });
}

#[test]
fn past_the_last_day_of_the_list_no_card_proves_anything() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good").unwrap();
        let capks = signed("valid_until = \"2026-11-22\"", "");
        let last = read_with(&mut reader, &capks, TODAY).await.unwrap();
        assert_eq!(last.proof, CardProof::Genuine);
        let after = TODAY.tomorrow().unwrap();
        let after = read_with(&mut reader, &capks, after).await.unwrap();
        assert_eq!(after.proof, CardProof::HostMustConfirm);
    });
}

#[test]
fn a_revoked_issuer_is_not_authentic() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        let until = "valid_until = \"2030-01-01\"";
        let of = |serial: &str| {
            let index = "e9";
            format!("[[revoked]]\nrid = \"a000000333\"\nindex = \"{index}\"\nserial = \"{serial}\"")
        };
        for card in ["good", "good static", "good combined"] {
            bus.desk(&format!("card-reader insert {card}")).unwrap();
            let capks = signed(until, &of("000001"));
            let refused = read_with(&mut reader, &capks, TODAY).await.unwrap_err();
            assert_eq!(
                refused,
                CardError::NotAuthentic(OdaError::Revoked),
                "{card}"
            );
            assert_eq!(refused.remedy(), Remedy::CallStaff);
            let capks = signed(until, &of("000002"));
            assert!(
                read_with(&mut reader, &capks, TODAY).await.is_ok(),
                "{card}"
            );
            bus.desk("card-reader remove").unwrap();
        }
    });
}
