use proptest::prelude::*;

use super::*;
use crate::wire::{hex, unhex};

fn at(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).expect("in range")
}

fn number(text: &str) -> BillNumber {
    text.parse().expect("a number")
}

fn linked() -> Leaf {
    let range = BillRange::from_count(number("3130002100010001"), 25).expect("fits");
    let hash = Digest(std::array::from_fn(|i| u8::try_from(i).expect("small")));
    // Given out of order; the encoding orders.
    Leaf::new(LeafKind::Linked, at(1_795_000_000_123))
        .with(Field::Fee(Fen(1500)))
        .with(Field::Sale(SaleId(0xab)))
        .with(Field::Actor("kiosk:kiosk-1".into()))
        .with(Field::Range(range))
        .with(Field::Hashed(Personal::AccountNumber, hash))
        .with(Field::BusinessDate(Date::constant(2026, 11, 22)))
}

/// Written by hand from the layout in the module's doc, field by field.
const LINKED: &[&str] = &[
    "01",               // version
    "0030",             // kind 48
    "000001a1ee565e7b", // 1795000000123 ms
    "01000d",
    "6b696f736b3a6b696f736b2d31", // actor "kiosk:kiosk-1"
    "020010",
    "000000000000000000000000000000ab", // sale
    "07000c",
    "01dd99b5",
    "00002711",
    "00002729", // 31300021, 10001 to 10025
    "0b0008",
    "00000000000005dc", // 1500 fen
    "160004",
    "07ea0b16", // 2026-11-22
    "180021",
    "04", // account number
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
];

#[test]
fn the_golden_bytes_are_written_and_read() {
    let bytes = linked().encode().expect("small");
    assert_eq!(hex(&bytes), LINKED.concat());
    let read = Leaf::decode(&unhex(&LINKED.concat()).expect("hex")).expect("a leaf");
    assert_eq!((read.kind, read.at), (LeafKind::Linked, linked().at));
    assert_eq!(
        read.fields.first(),
        Some(&Field::Actor("kiosk:kiosk-1".into()))
    );
    assert_eq!(read.sale(), Some(SaleId(0xab)));
}

/// Written by hand from the layout in the module's doc.
const AHEAD: &[&str] = &[
    "01",               // version
    "0071",             // kind 113
    "000001a1ee565e7b", // 1795000000123 ms
    "01000d",
    "6b696f736b3a6b696f736b2d31", // actor "kiosk:kiosk-1"
    "040007",
    "6b696f736b2d31", // kiosk "kiosk-1"
    "1e0008",
    "00000000000001f4", // 500 leaves
    "1f0020",
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
];

#[test]
fn the_golden_bytes_of_a_kiosk_ahead_of_the_books_are_written_and_read() {
    let root = Digest(std::array::from_fn(|i| u8::try_from(i).expect("small")));
    let leaf = Leaf::new(LeafKind::KioskAhead, at(1_795_000_000_123))
        .with(Field::Actor("kiosk:kiosk-1".into()))
        .with(Field::Kiosk("kiosk-1".into()))
        .with(Field::TreeSize(500))
        .with(Field::TreeRoot(root));
    assert_eq!(hex(&leaf.encode().expect("small")), AHEAD.concat());
    let read = Leaf::decode(&unhex(&AHEAD.concat()).expect("hex"));
    assert_eq!(read, Ok(leaf));
}

/// Written by hand from the layout in the module's doc.
const LOGGED_IN: &[&str] = &[
    "01",               // version
    "0084",             // kind 132
    "000001a1ee565e7b", // 1795000000123 ms
    "010011",
    "73746174696f6e3a73746174696f6e2d31", // actor "station:station-1"
    "06000f",
    "73746166663a6f6666696365722d32", // subject "staff:officer-2"
    "110020",
    "3030303130323033303430353036303730383039306130623063306430653066", // the session
    "1a0008",
    "0000000000000029", // request number 41
];

#[test]
fn the_golden_bytes_of_a_login_are_written_and_read() {
    let leaf = Leaf::new(LeafKind::LoggedIn, at(1_795_000_000_123))
        .with(Field::Actor("station:station-1".into()))
        .with(Field::Subject("staff:officer-2".into()))
        .with(Field::Evidence("000102030405060708090a0b0c0d0e0f".into()))
        .with(Field::Sequence(41));
    assert_eq!(hex(&leaf.encode().expect("small")), LOGGED_IN.concat());
    let read = Leaf::decode(&unhex(&LOGGED_IN.concat()).expect("hex"));
    assert_eq!(read, Ok(leaf));
}

/// Every kind's code and word, once written, stays.
#[test]
fn codes_and_words_are_the_committed_ones_and_unique() {
    let mut codes = std::collections::BTreeSet::new();
    let mut words = std::collections::BTreeSet::new();
    for kind in LeafKind::ALL {
        assert_eq!(LeafKind::from_code(kind.code()), Ok(*kind));
        assert!(codes.insert(kind.code()) && words.insert(kind.word()));
    }
    let table: String = LeafKind::ALL
        .iter()
        .map(|k| format!("{}={};", k.code(), k.word()))
        .collect();
    assert!(table.starts_with("1=bank-opened;2=enrolled;3=blanks-received;"));
    assert!(table.contains("48=linked;49=form-feeding;50=form-printed;"));
    assert!(table.ends_with(
        "112=books-restored;113=kiosk-ahead;114=kiosk-released;115=kiosk-reconciled;\
         116=clock-accepted;128=staff-created;129=staff-reset;130=staff-changed;\
         131=login-attempted;132=logged-in;133=login-failed;134=password-changed;\
         135=session-ended;"
    ));
    assert_eq!(LeafKind::from_code(0), Err(LeafError::Kind(0)));
}

#[test]
fn the_timeline_of_a_number_is_the_leaves_that_concern_it() {
    let leaf = linked();
    assert!(leaf.concerns(number("3130002100010001")));
    assert!(leaf.concerns(number("3130002100010025")));
    assert!(!leaf.concerns(number("3130002100010026")));
    let mismatch = Leaf::new(LeafKind::FormMismatch, at(0))
        .with(Field::Number(number("3130002100010001")))
        .with(Field::Read(number("3130002100010002")));
    assert!(mismatch.concerns(number("3130002100010002")));
}

/// The hash comes from Python's hashlib over label, code, salt and value.
#[test]
fn a_personal_hash_depends_on_salt_datum_and_value() {
    let hash = |salt: u8, what, value| personal(&[salt; 32], what, value);
    let base = hash(7, Personal::CitizenNumber, "100000198501010013");
    assert_eq!(
        base.to_string(),
        "4a40c0b016bdd12f7a03980e5ce0689ae7de7d6b0d77d502a81ed8a9d305a02d"
    );
    assert_ne!(base, hash(8, Personal::CitizenNumber, "100000198501010013"));
    assert_ne!(base, hash(7, Personal::AccountNumber, "100000198501010013"));
    assert_ne!(base, hash(7, Personal::CitizenNumber, "100000199002020027"));
}

#[test]
fn a_datum_is_proven_with_its_salt_and_with_no_other() {
    let salt = [7; 32];
    let digest = Digest::of(b"a confirmed text").to_string();
    let hash = personal(&salt, Personal::Approved, &digest);
    let leaf = linked().with(Field::Hashed(Personal::Approved, hash));
    assert!(leaf.holds(&salt, Personal::Approved, &digest));
    assert!(!leaf.holds(&[8; 32], Personal::Approved, &digest));
    assert!(!leaf.holds(&salt, Personal::Words, &digest));
}

#[test]
fn every_malformation_has_its_own_name() {
    let decode = |text: &str| Leaf::decode(&unhex(text).expect("hex"));
    let head = "0100300000000000000000";
    assert!(decode(head).is_ok());
    assert_eq!(decode(""), Err(LeafError::Short));
    assert_eq!(decode("02"), Err(LeafError::Version(2)));
    assert_eq!(decode("01ffff"), Err(LeafError::Kind(0xffff)));
    assert_eq!(decode(&head[..20]), Err(LeafError::Short));
    let with = |field: &str| decode(&format!("{head}{field}"));
    assert_eq!(with("63000101"), Err(LeafError::Tag(0x63)));
    assert_eq!(with("120001"), Err(LeafError::Short));
    assert_eq!(with("12000102"), Err(LeafError::Field(18)));
    assert_eq!(with("010001ff"), Err(LeafError::Field(1)));
    assert_eq!(with("0a000400000001010001610a"), Err(LeafError::Order(1)));
    assert_eq!(with("160004ffff0d01"), Err(LeafError::Field(22)));
}

#[test]
fn a_leaf_over_the_limit_is_refused_and_a_long_text_is_cut() {
    let text = "长".repeat(400);
    let leaf = Leaf::new(LeafKind::Asked, at(0)).with(Field::Reason(text.clone()));
    let back = Leaf::decode(&leaf.encode().expect("fits")).expect("a leaf");
    let Some(Field::Reason(cut)) = back.fields.first() else {
        panic!("a reason");
    };
    assert_eq!(cut.len(), TEXT_MAX / 3 * 3);
    let many = (0..9).fold(leaf, |leaf, _| leaf.with(Field::Reason(text.clone())));
    assert_eq!(many.encode(), Err(LeafError::Large));
}

fn any_field() -> impl Strategy<Value = Field> {
    let number = (0..999_u32, 1..9_u32, 0..100_000_000_u32).prop_map(|(bank, kind, serial)| {
        format!("{bank:03}000{kind}1{serial:08}")
            .parse::<BillNumber>()
            .expect("a number")
    });
    let digest = any::<[u8; 32]>().prop_map(Digest);
    prop_oneof![
        ".{0,40}".prop_map(Field::Actor),
        any::<u128>().prop_map(|n| Field::Sale(SaleId(n))),
        ".{0,40}".prop_map(Field::Evidence),
        (
            any::<[u8; 32]>(),
            "/[a-z0-9/]{0,60}",
            proptest::option::of("[a-z]{1,20}"),
            ".{0,60}"
        )
            .prop_map(|(key, path, client_key, input)| {
                Field::Signed(Box::new(Signed {
                    key,
                    body: Digest(key),
                    signature: [key[0]; 64],
                    path,
                    client_key,
                    input,
                }))
            }),
        number
            .clone()
            .prop_map(|n| Field::Range(BillRange::single(n))),
        number.prop_map(Field::Read),
        any::<u32>().prop_map(Field::Count),
        any::<i64>().prop_map(|n| Field::Fee(Fen(n))),
        any::<bool>().prop_map(Field::Ink),
        any::<u64>().prop_map(Field::Sequence),
        any::<u64>().prop_map(Field::TreeSize),
        digest.clone().prop_map(Field::TreeRoot),
        (digest, 0..Personal::ALL.len()).prop_map(|(d, n)| Field::Hashed(Personal::ALL[n], d)),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_written_again_the_same(
        kind in 0..LeafKind::ALL.len(),
        millisecond in 0..4_000_000_000_000_i64,
        fields in proptest::collection::vec(any_field(), 0..12),
    ) {
        let leaf = Leaf { kind: LeafKind::ALL[kind], at: at(millisecond), fields };
        let bytes = leaf.encode().expect("small");
        let read = Leaf::decode(&bytes).expect("a leaf");
        prop_assert_eq!(read.encode().expect("small"), bytes);
        prop_assert_eq!(read.fields.len(), leaf.fields.len());
    }

    #[test]
    fn whatever_decodes_is_the_one_encoding(mut bytes in proptest::collection::vec(any::<u8>(), 0..80), tag in 0..33_u8) {
        bytes.splice(0..0, [1, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, tag, 0]);
        if let Ok(leaf) = Leaf::decode(&bytes) {
            prop_assert_eq!(leaf.encode().expect("fits"), bytes);
        }
    }
}

fn signed_order() -> Leaf {
    use crate::sign::{RequestParts, SigningIdentity, sign, signature_bytes};
    let identity = SigningIdentity::new(&"kiosk:kiosk-1".parse().expect("a signer"), &[5; 32]);
    let parts = RequestParts {
        method: "POST",
        path_and_query: "/v1/sales/1/order",
        body_digest: Digest::of(b"{}"),
        sequence: 7,
        idempotency_key: Some("K"),
        session: None,
    };
    let headers = sign(&parts, &identity, at(1_795_000_000_000), [6; 16]);
    Leaf::new(LeafKind::Ordered, at(1_795_000_000_123))
        .with(Field::Actor("kiosk:kiosk-1".into()))
        .with(Field::Sequence(7))
        .with(Field::Signed(Box::new(Signed {
            key: identity.key.verifying_key().to_bytes(),
            body: parts.body_digest,
            signature: signature_bytes(&headers.signature).expect("its own form"),
            path: parts.path_and_query.into(),
            client_key: Some("K".into()),
            input: headers.signature_input,
        })))
}

#[test]
fn a_kept_signature_is_verified_again_and_whatever_is_changed_of_it_is_told() {
    let leaf = signed_order();
    let back = Leaf::decode(&leaf.encode().expect("fits")).expect("a leaf");
    assert!(matches!(back.signature(), Some(Ok(_))));
    assert!(Leaf::new(LeafKind::Ordered, at(0)).signature().is_none());
    let bent = |change: &dyn Fn(&mut Signed)| {
        let mut leaf = signed_order();
        for field in &mut leaf.fields {
            if let Field::Signed(signed) = field {
                change(signed);
            }
        }
        assert!(matches!(leaf.signature(), Some(Err(_))), "{leaf:?}");
    };
    bent(&|s| s.key = [9; 32]);
    bent(&|s| s.body = Digest::of(b"[]"));
    bent(&|s| s.signature[0] ^= 1);
    bent(&|s| s.path.push('r'));
    bent(&|s| s.client_key = None);
    bent(&|s| s.input = s.input.replace("created=1", "created=2"));
    let other = |change: &dyn Fn(&mut Field)| {
        let mut leaf = signed_order();
        leaf.fields.iter_mut().for_each(change);
        assert!(matches!(leaf.signature(), Some(Err(_))), "{leaf:?}");
    };
    other(&|f| {
        if let Field::Sequence(n) = f {
            *n = 8;
        }
    });
    other(&|f| {
        if let Field::Actor(who) = f {
            *who = "kiosk:kiosk-11".into();
        }
    });
}

/// Written by hand from the layout in `signed.rs`.
#[test]
fn the_golden_bytes_of_a_signature_are_written_and_read() {
    let signed = Signed {
        key: [0x11; 32],
        body: Digest([0x22; 32]),
        signature: [0x33; 64],
        path: "/v1".into(),
        client_key: Some("K".into()),
        input: "sig=()".into(),
    };
    let leaf = Leaf::new(LeafKind::Ordered, at(0)).with(Field::Signed(Box::new(signed)));
    let golden = [
        "01",               // version
        "0019",             // kind 25
        "0000000000000000", // 1970
        "20008c",           // tag 32, 140 bytes
        &"11".repeat(32),   // public key
        &"22".repeat(32),   // digest of the body
        &"33".repeat(64),   // signature
        "032f7631",         // "/v1"
        "014b",             // "K"
        "7369673d2829",     // "sig=()"
    ]
    .concat();
    assert_eq!(hex(&leaf.encode().expect("fits")), golden);
    assert_eq!(Leaf::decode(&unhex(&golden).expect("hex")), Ok(leaf));
    let cut = golden.replace("20008c", "200080");
    let cut = &cut[..cut.len() - 24];
    assert_eq!(
        Leaf::decode(&unhex(cut).expect("hex")),
        Err(LeafError::Field(32))
    );
}
