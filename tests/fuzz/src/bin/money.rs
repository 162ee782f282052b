//! Amounts and dates in words (大写) and in digits: read back by the meaning of each
//! character alone, they are what they were; arithmetic is exact or nothing.
#![no_main]

use counterfoil_data::locale::Lang;
use counterfoil_data::money::Fen;
use counterfoil_data::{fmt, words};
use counterfoil_fuzz::{Bytes, json_eq};
use jiff::civil::Date;

const DIGITS: &str = "零壹贰叁肆伍陆柒捌玖";

fn digit(c: char) -> i128 {
    let at = DIGITS.chars().position(|d| d == c).expect("a digit");
    i128::try_from(at).expect("below ten")
}

/// The amount in fen that the words say.
fn said(text: &str) -> i128 {
    let (mut fen, mut group, mut value) = (0, 0, 0);
    let text = text
        .strip_prefix("人民币")
        .expect("begins with the currency");
    for c in text.chars() {
        let unit = match c {
            '仟' => 1_000,
            '佰' => 100,
            '拾' => 10,
            '亿' => 10_000_000_000,
            '万' => 1_000_000,
            '元' => 100,
            '角' => 10,
            '分' => 1,
            '整' => continue,
            c => {
                value = digit(c);
                continue;
            }
        };
        match c {
            '仟' | '佰' | '拾' => group += value * unit,
            '角' | '分' => fen += value * unit,
            _ => {
                fen += (group + value) * unit;
                group = 0;
            }
        }
        value = 0;
    }
    fen
}

fn amount(fen: i64) {
    let wide = i128::from(fen);
    let spoken = words::amount(Fen(fen));
    assert_eq!(spoken.is_some(), (0..100_000_000_000_000).contains(&wide));
    if let Some(text) = spoken {
        assert_eq!(said(&text), wide, "{text}");
        assert!(!text.contains("零零") && !text.ends_with('零'), "{text}");
    }
    let plain: String = fmt::yuan(Fen(fen))
        .chars()
        .filter(|c| !matches!(c, ',' | '.'))
        .collect();
    assert_eq!(plain.parse(), Ok(wide));
    assert!(fmt::money(Lang::En, Fen(fen)).is_ascii());
    let text = serde_json::to_string(&Fen(fen)).expect("writes");
    assert_eq!(json_eq(&text), Some(Fen(fen)));
}

fn date(day: Date) {
    let text = words::date(day);
    let (year, rest) = text.split_once('年').expect("a year");
    let (month, rest) = rest.split_once('月').expect("a month");
    let last = rest.strip_suffix('日').expect("a day");
    let small = |text: &str| {
        let text = text.trim_start_matches('零');
        let (tens, ones) = text.split_once('拾').unwrap_or(("", text));
        let one = |t: &str| t.chars().next().map_or(0, digit);
        one(tens) * 10 + one(ones)
    };
    let year = year.chars().fold(0, |year, c| year * 10 + digit(c));
    let (month, last) = (small(month), small(last));
    let read = (year, month, last);
    assert_eq!(
        read,
        (day.year().into(), day.month().into(), day.day().into()),
        "{text}"
    );
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    let (a, b) = (
        i64::from_le_bytes(from.array()),
        i64::from_le_bytes(from.array()),
    );
    amount(a);
    amount(a.rem_euclid(100_000_000_000_000));
    let fits = |wide: i128| i64::try_from(wide).ok().map(Fen);
    let (x, y) = (i128::from(a), i128::from(b));
    assert_eq!(Fen(a).checked_add(Fen(b)), fits(x + y));
    assert_eq!(Fen(a).checked_sub(Fen(b)), fits(x - y));
    assert_eq!(Fen(a).checked_neg(), fits(-x));
    let n = u32::from_le_bytes(from.array());
    assert_eq!(Fen(a).checked_mul(n), fits(x * i128::from(n)));
    let [y0, y1, month, day] = from.array();
    let year = i16::from_le_bytes([y0, y1]).rem_euclid(10_000);
    let new = |m: u8, d: u8| Date::new(year, i8::try_from(m).ok()?, i8::try_from(d).ok()?).ok();
    if let Some(day) = new(month % 13, day % 32) {
        date(day);
    }
    if let Some(text) = counterfoil_fuzz::text(data) {
        json_eq::<Fen>(text);
    }
});
