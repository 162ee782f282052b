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
    issuer_key(&capk(), certificate, &hex(pan), today, |_| false)
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
    let exponent = issuer_key(&capk(), exponent, &hex(PAN), TODAY, |_| false);
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
    let mut altered = hex(ICC);
    *altered.last_mut().unwrap() ^= 1;
    for block in [&altered[..], &hex(ICC)[1..], &hex(SDAD)] {
        let certificate = Certificate {
            block,
            ..certificate
        };
        let refused = icc_key(&issuer, certificate, &[], &hex(PAN), TODAY);
        let length = block.len() != 176;
        let wanted = if length {
            OdaError::Length
        } else {
            OdaError::Format
        };
        assert_eq!(refused, Err(wanted(Block::Icc)));
    }
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

/// The chain of the Mastercard TEST key F1, another public data set: a signature over
/// 8B55633B with a cryptogram inside.
mod combined {
    use super::*;

    const SCHEME: &str = concat!(
        "a0dcf4bde19c3546b4b6f0414d174dde294aabbb828c5a834d73aae27c99b0b053a90278007239b6",
        "459ff0bbcd7b4b9c6c50ac02ce91368da1bd21aaeadbc65347337d89b68f5c99a09d05be02dd1f8c",
        "5ba20e2f13fb2a27c41d3f85cad5cf6668e75851ec66edbf98851fd4e42c44c1d59f5984703b27d5",
        "b9f21b8fa0d93279fbbf69e090642909c9ea27f898959541aa6757f5f624104f6e1d3a9532f2a6e5",
        "1515aead1b43b3d7835088a2fafa7be7",
    );
    const ISSUER: &str = concat!(
        "3312205b0efa6715ba18134bb2168a9ca250d268853506d925dd72b2a2e0cf107518de182f0089b2",
        "55b7d70a189d90859e741e7d79bb5d36339b16d9b1508ddbc35e2a3008b923e14417a42e86d3ad0a",
        "1ad6dbb394e7bc0ba812f3d4971412de4997c8b34ba93f3ce0f5ae27e0a052db57cd7595c467e831",
        "041ac2dbec91e2ec8d27d4eabaa31322b769415b550b8b18e3b05b32cae7813ab21d8f3b2bff3741",
        "c6ad967ae694800f5b24a20ef78013e4",
    );
    const ICC: &str = concat!(
        "1ba49b6a034309aa5212d5d39ea0861983e295dfd0052fb0543e3743e4df5d0cd44fc3fabbc16372",
        "7c2e3f64acd670e4b8f1d5c5a6f9c42d6a02ad24f1d9220661d78489fc89d3d2f017ae0ee080d43f",
        "620b863c25470ae8c2632fda6421d424c29e21653cc56bbba65f851ebaf1f8c7",
    );
    const SDAD: &str = concat!(
        "7b9f22b297ccead536b87c449eee744c6971aa0ebdd6b611c88e30fff0a671cc6d6ac45a5555311e",
        "30c466863817ea0aa3d13b54bea6849976592dfc73ded0bb958d506df7180faa7a1fd0540859c0e5",
        "39035bab64ce8891353ddd3008a0b446",
    );
    const PAN: &str = "5413330089020011";

    fn scheme() -> Capk {
        let checksum = hex("d8e68da167ab5a85d8c3d55ecb9b0517a1a5b4bb");
        Capk {
            rid: [0xA0, 0, 0, 0, 4],
            index: 0xF1,
            modulus: hex(SCHEME),
            exponent: vec![3],
            expires: date(2030, 12, 31),
            checksum: checksum.try_into().unwrap(),
        }
    }

    fn chip() -> Key {
        let certificate = Certificate {
            block: &hex(ISSUER),
            remainder: &[],
            exponent: &[3],
        };
        let issuer = issuer_key(&scheme(), certificate, &hex(PAN), TODAY, |_| false).unwrap();
        assert_eq!(issuer.len(), 112);
        let plain = issuer.apply(&hex(ICC), Block::Icc).unwrap();
        assert_eq!(plain[..12], hex("6a045413330089020011ffff"));
        let mut modulus = plain[21..21 + 112 - 42].to_vec();
        modulus.extend(hex("0000000000000006600000000000000000000000000000000055"));
        Key {
            modulus,
            exponent: vec![3],
        }
    }

    #[test]
    fn the_scheme_key_and_a_revoked_certificate_are_as_published() {
        assert!(Capks::new(vec![scheme()]).is_ok());
        let certificate = Certificate {
            block: &hex(ISSUER),
            remainder: &[],
            exponent: &[3],
        };
        let revoked = |serial| serial == [0, 0, 1];
        let refused = issuer_key(&scheme(), certificate, &hex(PAN), TODAY, revoked);
        assert_eq!(refused, Err(OdaError::Revoked));
    }

    #[test]
    fn the_signature_gives_the_published_number_cryptogram_and_hash() {
        let own = own_data(&chip(), &hex(SDAD), &hex("8b55633b")).unwrap();
        let published = "08537eb5e03cc433c80055b6408dbc985131\
                         a04620c52455ea8f2370647af36748a2ca4aa9f6";
        assert_eq!(own, hex(published));
        let other = own_data(&chip(), &hex(SDAD), &hex("8b55633c"));
        assert_eq!(other, Err(OdaError::Hash(Block::Dynamic)));
        let mut bent = hex(SDAD);
        *bent.last_mut().unwrap() = 0x47;
        let bent = own_data(&chip(), &bent, &hex("8b55633b"));
        assert_eq!(bent, Err(OdaError::Format(Block::Dynamic)));
        // What was said in that transaction is not published: anything else is refused.
        let said = Combined {
            information: 0,
            transaction: b"something else",
        };
        let refused = combined_data(&chip(), &hex(SDAD), &hex("8b55633b"), said);
        assert_eq!(refused, Err(OdaError::Cryptogram));
    }
}

/// Made by another program (RSA of a Python library): both keys with exponent 65537,
/// and an issuer key longer than the certificate has room for.
#[test]
fn exponent_65537_and_a_key_with_a_remainder_are_recovered() {
    let modulus = concat!(
        "e5ae615aa12c96659a721d93d6402a44f13f43824af8ef5f775c16fe9405415a2eff383cf970957c",
        "8a55dec0dae438865feb667d42024fbac679b710678650700f55799506553d49504df5253227ae5e",
        "d26e32ca7769bc4fbdc160a5c5c040435d5ea48f51407eb138b4740dc1164c528f42e7986627e535",
        "ee5e174efdeaf247",
    );
    let block = concat!(
        "d030169e03618f6e4b201f8d47301cccf3504a002f6dbf0a8a56fd490e9882b655ce09acdf447a03",
        "d0c7ce06bac1a87ab498cc0cf1713fc47377f1584a9761c25cde4659ba3e060944be97283c3db9fb",
        "50da4172dc58b8c053ef6219788eba306496c1bee0dbb8bda3e77fa3aef57d6796c8dd885f3031fd",
        "669019cc4a894079",
    );
    let remainder = "8eb073ad5f79bde841c4a5aae29f2d34fa1e1a27f808eca7c0ec66ba3913d5f75eb59d91";
    let checksum = hex("29456e73012ad06496c951ff315fae345effa6d7");
    let capk = Capk {
        rid: [0xA0, 0, 0, 0, 3],
        index: 0x95,
        modulus: hex(modulus),
        exponent: vec![1, 0, 1],
        expires: date(2030, 12, 31),
        checksum: checksum.try_into().unwrap(),
    };
    assert!(Capks::new(vec![capk.clone()]).is_ok());
    let with = |remainder: &[u8], exponent: &[u8]| {
        let certificate = Certificate {
            block: &hex(block),
            remainder,
            exponent,
        };
        issuer_key(&capk, certificate, &hex(PAN), TODAY, |_| false)
    };
    let key = with(&hex(remainder), &[1, 0, 1]).unwrap();
    assert_eq!((key.len(), key.exponent.as_slice()), (128, &[1, 0, 1][..]));
    assert_eq!(with(&[], &[1, 0, 1]), Err(OdaError::Hash(Block::Issuer)));
    assert_eq!(
        with(&hex(remainder), &[3]),
        Err(OdaError::Hash(Block::Issuer))
    );
}
