//! Payment cards: TLV, numbers, dates, file locators, object lists, certificates, answers
//! to reset, APDUs and scheme key files. What is read keeps EMV's bounds and reads back;
//! nothing that was not signed authenticates.
#![no_main]

use std::sync::OnceLock;

use counterfoil_data::tlog::note::verifier_of_seed;
use counterfoil_devices::driver::ccid::apdu::{self, FollowUp, Response, Sw};
use counterfoil_devices::driver::ccid::atr::{ATR_MAX, Atr};
use counterfoil_devices::driver::ccid::descriptor::Functional;
use counterfoil_devices::driver::pboc::capk::{Capks, KEYS_MAX, REVOKED_MAX};
use counterfoil_devices::driver::pboc::oda::{self, Certificate, Combined, Key};
use counterfoil_devices::driver::pboc::{fields, tlv};
use counterfoil_devices::twin::card_reader::demo_capks;
use counterfoil_fuzz::Bytes;
use jiff::civil::date;

fn written(tag: u32, value: &[u8]) -> Vec<u8> {
    let tag: Vec<u8> = tag
        .to_be_bytes()
        .into_iter()
        .skip_while(|b| *b == 0)
        .collect();
    let length = match u16::try_from(value.len()).expect("short") {
        short @ 0..=0x7f => vec![u8::try_from(short).expect("short")],
        byte @ 0x80..=0xff => vec![0x81, u8::try_from(byte).expect("a byte")],
        long => [&[0x82][..], &long.to_be_bytes()].concat(),
    };
    [&tag[..], &length, value].concat()
}

fn objects(bytes: &[u8]) {
    let Ok(level) = tlv::level(bytes) else { return };
    assert!(level.len() <= tlv::OBJECTS_MAX);
    assert!(
        level
            .iter()
            .all(|object| object.value.len() <= tlv::VALUE_MAX)
    );
    let again: Vec<u8> = level.iter().flat_map(|o| written(o.tag, o.value)).collect();
    let reread = tlv::level(&again).expect("reads as itself");
    assert!(reread == level, "in the shortest form, too");
    for object in &level {
        assert!(tlv::find(&level, object.tag).is_some());
    }
    if let [object] = level.as_slice() {
        assert_eq!(tlv::only(&again, object.tag), Ok(object.value));
        let more = [again.as_slice(), &[0]].concat();
        assert!(
            tlv::only(&more, object.tag).is_err(),
            "nothing behind a template"
        );
        assert!(tlv::only(&again, object.tag ^ 1).is_err());
    }
}

fn digits(text: &str) -> bool {
    (13..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn numbers(field: &[u8]) {
    if let Some(pan) = fields::pan(field) {
        let text = pan.expose();
        assert!(digits(text) && counterfoil_data::check_digit::luhn(text));
        let padded = format!("{:f<width$}", text, width = field.len() * 2);
        assert_eq!(counterfoil_data::wire::hex(field), padded, "digits, then F");
    }
    if let Some(track) = fields::track2(field) {
        assert!(digits(track.pan.expose()) && track.service <= 999);
        assert!((1..=12).contains(&track.expiry.1) && track.expiry.0 <= 99);
        let hex = counterfoil_data::wire::hex(field);
        assert!(hex.starts_with(&format!("{}d", track.pan.expose())));
    }
    if let Some((year, month)) = fields::expiry(field) {
        assert!(year <= 99 && (1..=12).contains(&month) && field.len() == 3);
        assert!(!fields::in_date((year, month), date(2150, 1, 1)));
    }
    if let Some(groups) = fields::file_locator(field) {
        let count = |g: &fields::Group| usize::from(g.last - g.first) + 1;
        assert!(groups.iter().map(count).sum::<usize>() <= fields::RECORDS_MAX);
        let back = |g: &fields::Group| [g.sfi << 3, g.first, g.last, g.authenticated];
        assert_eq!(groups.iter().flat_map(back).collect::<Vec<_>>(), field);
    }
}

fn lists(list: &[u8]) {
    let entries = tlv::object_list(list);
    let terminal = fields::Terminal {
        random: [1, 2, 3, 4],
        today: date(2026, 11, 26),
    };
    let filled = terminal.fill(list);
    let Ok(entries) = entries else {
        assert!(filled.is_err());
        return;
    };
    let wanted: usize = entries.iter().map(|(_, length)| usize::from(*length)).sum();
    assert_eq!(filled.is_ok(), wanted <= 252);
    let Ok(filled) = filled else { return };
    assert_eq!(filled.len(), wanted, "as long as the card asked");
    let mut at = 0;
    for (tag, length) in entries {
        let value = &filled[at..at + usize::from(length)];
        at += usize::from(length);
        if tag == 0x9F37 && length >= 4 {
            assert_eq!(value[..4], [1, 2, 3, 4], "our random, whole");
        }
    }
}

fn certificates(from: &mut Bytes<'_>) {
    static CAPKS: OnceLock<Capks> = OnceLock::new();
    let capks = CAPKS.get_or_init(|| demo_capks().expect("parses"));
    let today = date(2026, 11, 26);
    let rid: [u8; 5] = [0xA0, 0, 0, 3, 0x33];
    let index = from.byte();
    let Some(capk) = capks.find(&rid, index).or_else(|| capks.find(&rid, 1)) else {
        return;
    };
    let exponent = [&[3][..], &[1, 0, 1], &[], from.some()][usize::from(from.byte() % 4)];
    let pan = from.some();
    let mut block: Vec<u8> = from
        .0
        .iter()
        .copied()
        .cycle()
        .take(capk.modulus.len())
        .collect();
    if let Some(first) = block.first_mut() {
        *first &= 0x7f;
    }
    let certificate = Certificate {
        block: &block,
        remainder: from.0,
        exponent,
    };
    let forged = oda::issuer_key(capk, certificate, pan, today, |_| false);
    assert!(forged.is_err(), "nobody signs by chance");
    let key = Key::from(capk);
    assert!(!key.is_empty() && key.len() == capk.modulus.len());
    assert!(oda::icc_key(&key, certificate, pan, pan, today).is_err());
    assert!(oda::static_data(&key, &block, pan).is_err());
    assert!(oda::dynamic_data(&key, &block, pan).is_err());
    let said = Combined {
        information: index,
        transaction: pan,
    };
    assert!(oda::combined_data(&key, &block, pan, said).is_err());
}

fn chips(bytes: &[u8]) {
    if let Ok(atr) = Atr::parse(bytes) {
        assert!(bytes.len() <= ATR_MAX && atr.bytes == bytes && atr.historical.len() <= 15);
        assert!(matches!(bytes[0], 0x3b | 0x3f));
        let longer = [bytes, &[0]].concat();
        assert!(Atr::parse(&longer).is_err(), "nothing behind it");
    }
    if let Some(response) = Response::parse(bytes) {
        let (sw1, sw2) = response.sw.bytes();
        assert_eq!([&response.data[..], &[sw1, sw2]].concat(), bytes);
        assert!(!format!("{response:?}").contains("data"));
    }
    if apdu::is_short(bytes) {
        assert!((4..=apdu::APDU_MAX).contains(&bytes.len()));
        let tpdu = apdu::t0_tpdu(bytes);
        assert!(tpdu.len() >= 5 && tpdu[..4] == bytes[..4]);
        assert!(tpdu.len() == 5 || tpdu.len() == 5 + usize::from(tpdu[4]));
    }
    if apdu::is_extended(bytes) {
        assert!((7..=apdu::EXTENDED_MAX).contains(&bytes.len()) && !apdu::is_short(bytes));
        if let Some(short) = apdu::shortened(bytes) {
            assert!(apdu::is_short(&short) && short[..4] == bytes[..4]);
        }
    } else {
        assert!(apdu::shortened(bytes).is_none());
    }
    let sw = bytes
        .last_chunk::<2>()
        .map_or(Sw::OK, |sw| Sw(u16::from_be_bytes(*sw)));
    match apdu::follow_up(bytes, sw) {
        Some(FollowUp::GetResponse(next)) => assert_eq!((next[1], sw.bytes().0), (0xC0, 0x61)),
        Some(FollowUp::Again(next)) => {
            assert_eq!(next.len(), bytes.len());
            assert_eq!(next[..next.len() - 1], bytes[..bytes.len() - 1]);
        }
        None => {}
    }
    if let Some(functional) = Functional::parse(bytes) {
        assert!(functional.max_message >= 271 && functional.max_message < 70_000);
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    match from.byte() % 6 {
        0 => objects(from.0),
        1 => numbers(from.0),
        2 => lists(from.0),
        3 => certificates(&mut from),
        4 => chips(from.0),
        _ => {
            let text = String::from_utf8_lossy(from.0);
            let signer = verifier_of_seed("schemes.example", &[7; 32]);
            let signer = signer.parse().expect("a line of ours");
            assert!(
                Capks::from_note(&text, &signer).is_err(),
                "nobody signs by chance"
            );
            match Capks::from_toml(&text) {
                Err(error) => assert!(!error.to_string().is_empty()),
                Ok(keys) => {
                    assert!(keys.counts().0 <= KEYS_MAX && keys.counts().1 <= REVOKED_MAX);
                    let last = keys.valid_until();
                    assert!(last.is_none_or(|last| keys.is_good(last)));
                    let all = (0..=255).filter(|i| keys.find(&[0xA0, 0, 0, 3, 0x33], *i).is_some());
                    assert!(all.count() <= KEYS_MAX);
                }
            }
        }
    }
});
