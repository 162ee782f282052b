//! Numbers, money, dates and bill numbers as people read them, by language.
//!
//! Never inside translations: a message takes what this module made. On screen
//! money carries 元 or CNY; the sign U+FFE5 is for paper only, because its width
//! differs from U+00A5 and people confuse the two.

use jiff::civil::Date;

use crate::bill::BillRange;
use crate::locale::Lang;
use crate::money::Fen;

/// Yuan with two decimals and thousands: `1,409.50`.
pub fn yuan(amount: Fen) -> String {
    let plain = amount.to_string();
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.as_str()),
    };
    let (whole, fen) = digits.split_once('.').unwrap_or((digits, "00"));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(place);
        if place > 0 && left.is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{fen}")
}

/// Money on screen: `0.60 元`, `CNY 0.60`.
pub fn money(lang: Lang, amount: Fen) -> String {
    match lang {
        Lang::ZhHans => format!("{} 元", yuan(amount)),
        Lang::En => format!("CNY {}", yuan(amount)),
    }
}

/// A date: `2026年11月22日`, `2026-11-22`.
pub fn date(lang: Lang, day: Date) -> String {
    match lang {
        Lang::ZhHans => format!("{}年{}月{}日", day.year(), day.month(), day.day()),
        Lang::En => day.to_string(),
    }
}

/// Seconds as minutes and seconds: `2:05`.
pub fn minutes(seconds: u32) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A range as people read it: `31300021 00010001-00010025`; one number alone
/// without its end.
pub fn range(range: BillRange) -> String {
    if range.count() == 1 {
        range.first().rows()
    } else {
        range.to_string()
    }
}

/// Digits in groups of four from the left, as on a card: `3130 0000 0001`.
pub fn groups(text: &str) -> String {
    let mut out = String::new();
    for (place, c) in text.chars().enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_thousands_two_decimals_and_letters() {
        assert_eq!(yuan(Fen(140_950)), "1,409.50");
        assert_eq!(yuan(Fen(10_700_053)), "107,000.53");
        assert_eq!(yuan(Fen(-5)), "-0.05");
        assert_eq!(yuan(Fen(100)), "1.00");
        assert_eq!(money(Lang::ZhHans, Fen(60)), "0.60 元");
        assert_eq!(money(Lang::En, Fen(12_345_678_900)), "CNY 123,456,789.00");
    }

    #[test]
    fn ranges_dates_and_times_read_as_written() {
        let first = "3130002100010001".parse().expect("a number");
        let book = BillRange::from_count(first, 25).expect("fits");
        assert_eq!(range(book), "31300021 00010001-00010025");
        assert_eq!(range(BillRange::single(first)), "31300021 00010001");
        let day = Date::constant(2026, 3, 9);
        assert_eq!(date(Lang::ZhHans, day), "2026年3月9日");
        assert_eq!(date(Lang::En, day), "2026-03-09");
        assert_eq!(minutes(125), "2:05");
        assert_eq!(groups("313000000016"), "3130 0000 0016");
    }
}
