//! The chain of the Visa TEST key 94, a public data set of other people's tools.

use counterfoil_data::wire::unhex;
use jiff::civil::date;

use super::*;
use crate::driver::pboc::capk::{CapkError, Capks};

/// Modulus of the test key.
const MODULUS: &str = concat!(
    "acd2b12302ee644f3f835abd1fc7a6f62cce48ffec622aa8ef062bef6fb8ba8bc68bbf6ab5870eed",
    "579bc3973e121303d34841a796d6dcbc41dbf9e52c4609795c0ccf7ee86fa1d5cb041071ed2c51d2",
    "202f63f1156c58a92d38bc60bdf424e1776e2bc9648078a03b36fb554375fc53d57c73f5160ea59f",
    "3afc5398ec7b67758d65c9bff7828b6b82d4be124a416ab7301914311ea462c19f771f31b3b57336",
    "000dff732d3b83de07052d730354d297bec72871dccf0e193f171aba27ee464c6a97690943d59bda",
    "bb2a27eb71ceebdafa1176046478fd62fec452d5ca393296530aa3f41927adfe434a2df2ae3054f8",
    "840657a26e0fc617",
);
/// Tag 90.
const ISSUER: &str = concat!(
    "665cd65c20deae638c7320ea011e5e2b33fc5070ff7d153d74fe9a01abff0b9587b3779c524577f8",
    "a57c19923b39cd3f5ccdd457d360dc2619cdbb94328777bb905e1cb79e280458f60c8c5593efd22d",
    "6385512b11b7f2eafe1184cf9066b9b47a0bf832045066359ae465473d31b9f830a6de7d88e969cb",
    "456033f8073bec512205920e3dea773d3e36e1f46c2e8bddc423fb675ca1710a3d0a06e9c7570919",
    "735190bd6ed65bd5ef92c0416bfe4094ea96a218013838ef337151a8be7222dcf0717399553c4dda",
    "16ebabb2dd386a07bdf313d970c1324caab885067691e3ee5e5d8b912799bd53c8e1830237e9ec0a",
    "9254d80b2bd3622c",
);
/// Tag 9F46.
const ICC: &str = concat!(
    "a6cdb529a1d8cb538e19a277764c633f3c2f468a6a7cc3b5ef3f5b9838b7900316a627927569f679",
    "eae367e10160d7a1e08d9f20399f8b6ffe77a564b108dd924458a89d966c980d1e52a0093ca1cfa4",
    "4cb3fccf102632a799486b409c34c1f6a3dcc3c1c0ee1c0f6e1ea7a33c1cdaea9852aaa4b954d429",
    "c9eedbf8803d6d159cab6b8dcab0694b5850d5f3c4014b45abcb5b8f69bfc647d94f9e0039439a2d",
    "5584dead27729c894615f62ae7ac8216",
);
/// Tag 9F4B, over 7FBC4049.
const SDAD: &str = concat!(
    "7207ef0cb50e15cca221cb77e81b7bce11730216436cc828f0a9d72a16bcf1a0b736768308cdd816",
    "872457ce835af450bd6378f17a45c0861db8d61208f1c394fd08f1719492f281970a424546a564fd",
    "825c83cee6f8f4987efc431a641248c6466296cbae8ed35ce0286a5810792b0e99e575bbdbea8f69",
    "79165097a3c6851a12022e5b7a6f0a8ac41e794e6af0cacf700bd7e045e103a62294f074e7e55a82",
    "fc9ee7e8b8711a5d524667361941c1c9",
);
/// Tag 9F48.
const REMAINDER: &str = "4dd8a50b21b9cbf62bfad4bb3f4cf6b5239f3fd23f8b93e96c84c9ce67dfd703\
                         59153855a8f735cafbe5";
const PAN: &str = "4761739001010119";
const TODAY: Date = date(2026, 11, 22);

fn hex(text: &str) -> Vec<u8> {
    unhex(text).unwrap()
}

fn capk() -> Capk {
    Capk {
        rid: [0xA0, 0, 0, 0, 3],
        index: 0x94,
        modulus: hex(MODULUS),
        exponent: vec![3],
        expires: date(2030, 12, 31),
        checksum: hex("c4a3c43ccf87327d136b804160e47d43b60e6e0f")
            .try_into()
            .unwrap(),
    }
}

fn issuer(block: &[u8], pan: &str, today: Date) -> Result<Key, OdaError> {
    let certificate = Certificate {
        block,
        remainder: &[],
        exponent: &[3],
    };
    issuer_key(&capk(), certificate, &hex(pan), today)
}

/// The card's key, taken out by hand: its certificate also covers records that
/// the public data set does not reproduce.
fn icc() -> Key {
    let issuer = issuer(&hex(ISSUER), PAN, TODAY).unwrap();
    let plain = issuer.apply(&hex(ICC), Block::Icc).unwrap();
    assert_eq!(plain[..12], hex("6a044761739001010119ffff"));
    let mut modulus = plain[21..21 + 176 - 42].to_vec();
    modulus.extend(hex(REMAINDER));
    Key {
        modulus,
        exponent: vec![3],
    }
}

#[test]
fn the_scheme_key_passes_its_published_checksum_and_an_altered_one_does_not() {
    assert!(Capks::new(vec![capk()]).is_ok());
    let mut altered = capk();
    altered.index = 0x95;
    let refused = Capks::new(vec![altered]);
    assert_eq!(refused, Err(CapkError::Checksum { index: 0x95 }));
    let twice = Capks::new(vec![capk(), capk()]);
    assert_eq!(twice, Err(CapkError::Twice { index: 0x94 }));
}

#[test]
fn the_issuer_certificate_recovers_and_gives_a_key_of_176_bytes() {
    assert_eq!(issuer(&hex(ISSUER), PAN, TODAY).unwrap().len(), 176);
}

#[test]
fn every_negative_of_the_issuer_certificate_is_named() {
    let mut altered = hex(ISSUER);
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(
        issuer(&altered, PAN, TODAY),
        Err(OdaError::Format(Block::Issuer))
    );
    let late = issuer(&hex(ISSUER), PAN, date(2032, 1, 1));
    assert_eq!(late, Err(OdaError::Expired(Block::Issuer)));
    assert!(issuer(&hex(ISSUER), PAN, date(2031, 12, 31)).is_ok());
    let other = issuer(&hex(ISSUER), "4761749001010119", TODAY);
    assert_eq!(other, Err(OdaError::Number(Block::Issuer)));
    let short = issuer(&hex(ISSUER)[1..], PAN, TODAY);
    assert_eq!(short, Err(OdaError::Length(Block::Issuer)));
    let exponent = Certificate {
        block: &hex(ISSUER),
        remainder: &[],
        exponent: &[1, 0, 1],
    };
    let exponent = issuer_key(&capk(), exponent, &hex(PAN), TODAY);
    assert_eq!(exponent, Err(OdaError::Hash(Block::Issuer)));
}

#[test]
fn the_card_certificate_recovers_but_its_hash_needs_the_cards_records() {
    let issuer = issuer(&hex(ISSUER), PAN, TODAY).unwrap();
    let certificate = Certificate {
        block: &hex(ICC),
        remainder: &hex(REMAINDER),
        exponent: &[3],
    };
    let without = icc_key(&issuer, certificate, &[], &hex(PAN), TODAY);
    assert_eq!(without, Err(OdaError::Hash(Block::Icc)));
    assert_eq!(icc().len(), 176);
}

#[test]
fn the_signature_fits_the_random_it_was_made_over_and_no_other() {
    let signed = hex(SDAD);
    assert_eq!(dynamic_data(&icc(), &signed, &hex("7fbc4049")), Ok(()));
    let other = dynamic_data(&icc(), &signed, &hex("7fbc4048"));
    assert_eq!(other, Err(OdaError::Hash(Block::Dynamic)));
    let mut altered = signed.clone();
    *altered.last_mut().unwrap() ^= 1;
    let altered = dynamic_data(&icc(), &altered, &hex("7fbc4049"));
    assert_eq!(altered, Err(OdaError::Format(Block::Dynamic)));
    // A signature of another kind does not pass for a dynamic one.
    assert_eq!(
        static_data(&icc(), &signed, &[]),
        Err(OdaError::Format(Block::Static))
    );
}
