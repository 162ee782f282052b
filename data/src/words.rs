//! Amounts and dates in Chinese capitals (大写), 支付结算办法 annex 1.
//!
//! A sales kiosk never writes amount or issue date on a cheque; these are for
//! promissory notes and drafts, and for vouchers of the fee. Owns the one canonical
//! form of each; refuses amounts the grid of a form has no column for.

use jiff::civil::Date;

use crate::money::Fen;

/// First amount that is too large, in fen: a million million yuan.
const FEN_LIMIT: i64 = 100_000_000_000_000;

const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
const PLACES: [&str; 4] = ["仟", "佰", "拾", ""];
const GROUPS: [&str; 3] = ["亿", "万", ""];

fn digit(value: i64) -> &'static str {
    let index = usize::try_from(value.rem_euclid(10)).unwrap_or(0);
    DIGITS.get(index).copied().unwrap_or_default()
}

/// `人民币壹仟肆佰零玖元伍角`; `None` below zero and from 10^12 yuan on.
///
/// 整 follows where it ends at 元, not at 角. Where the last digit of 元 is zero
/// and 角 is not, 零 follows 元 (the annex allows both; this is its first form).
pub fn amount(amount: Fen) -> Option<String> {
    if !(0..FEN_LIMIT).contains(&amount.0) {
        return None;
    }
    let (yuan, jiao, fen) = (amount.0 / 100, amount.0 / 10 % 10, amount.0 % 10);
    let mut out = String::from("人民币");
    if yuan > 0 {
        out.push_str(&whole(yuan));
        out.push('元');
    } else if jiao == 0 && fen == 0 {
        out.push_str("零元");
    }
    if jiao == 0 && fen == 0 {
        out.push('整');
        return Some(out);
    }
    if yuan > 0 && (jiao == 0 || yuan % 10 == 0) {
        out.push('零');
    }
    if jiao > 0 {
        out.extend([digit(jiao), "角"]);
    }
    if fen > 0 {
        out.extend([digit(fen), "分"]);
    }
    Some(out)
}

/// A whole number from 1 to 10^12 - 1.
fn whole(number: i64) -> String {
    let mut out = String::new();
    let mut zero = false;
    let groups = [
        number / 100_000_000,
        number / 10_000 % 10_000,
        number % 10_000,
    ];
    for (group, unit) in groups.into_iter().zip(GROUPS) {
        let digits = [group / 1000, group / 100 % 10, group / 10 % 10, group % 10];
        for (value, place) in digits.into_iter().zip(PLACES) {
            if value == 0 {
                zero = !out.is_empty();
                continue;
            }
            if zero {
                out.push('零');
            }
            zero = false;
            out.extend([digit(value), place]);
        }
        if group > 0 {
            out.push_str(unit);
            zero = false;
        }
    }
    out
}

/// `贰零贰陆年零壹月壹拾伍日`.
///
/// 零 stands before the months 1, 2 and 10 and the days 1 to 10, 20 and 30, so
/// that nothing can be written in front of them.
pub fn date(day: Date) -> String {
    let year = i64::from(day.year());
    let year: String = [year / 1000, year / 100, year / 10, year]
        .into_iter()
        .map(digit)
        .collect();
    let (month, day) = (i64::from(day.month()), i64::from(day.day()));
    let guard = |needed: bool| if needed { "零" } else { "" };
    let month_guard = guard(matches!(month, 1 | 2 | 10));
    let day_guard = guard(matches!(day, 1..=10 | 20 | 30));
    format!(
        "{year}年{month_guard}{}月{day_guard}{}日",
        ordinal(month),
        ordinal(day)
    )
}

/// A number from 1 to 39.
fn ordinal(number: i64) -> String {
    let mut out = String::new();
    if number >= 10 {
        out.extend([digit(number / 10), "拾"]);
    }
    if number % 10 > 0 {
        out.push_str(digit(number));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(fen: i64) -> String {
        amount(Fen(fen)).expect("in range")
    }

    #[test]
    fn the_annex_examples_come_out_as_printed() {
        assert_eq!(words(140_950), "人民币壹仟肆佰零玖元伍角");
        assert_eq!(words(600_714), "人民币陆仟零柒元壹角肆分");
        assert_eq!(words(168_032), "人民币壹仟陆佰捌拾元零叁角贰分");
        assert_eq!(words(10_700_053), "人民币壹拾万柒仟元零伍角叁分");
        assert_eq!(words(1_640_902), "人民币壹万陆仟肆佰零玖元零贰分");
        assert_eq!(words(32_504), "人民币叁佰贰拾伍元零肆分");
    }

    #[test]
    fn whole_amounts_end_in_zheng_and_zeros_are_said_once() {
        assert_eq!(words(1_000), "人民币壹拾元整");
        assert_eq!(words(50), "人民币伍角");
        assert_eq!(words(5), "人民币伍分");
        assert_eq!(words(0), "人民币零元整");
        assert_eq!(words(10_000_000_000), "人民币壹亿元整");
        assert_eq!(words(10_001_000_000), "人民币壹亿零壹万元整");
        assert_eq!(words(1_000_000_000_000), "人民币壹佰亿元整");
        assert_eq!(words(2_000_001), "人民币贰万元零壹分");
        assert_eq!(words(10_000_500_000), "人民币壹亿零伍仟元整");
        assert_eq!(words(100_000_000_500), "人民币壹拾亿零伍元整");
        assert_eq!(words(1_000_100), "人民币壹万零壹元整");
    }

    #[test]
    fn amounts_the_form_has_no_column_for_are_refused() {
        assert_eq!(amount(Fen(-1)), None);
        assert_eq!(amount(Fen(FEN_LIMIT)), None);
        assert!(amount(Fen(FEN_LIMIT - 1)).is_some());
    }

    fn value(character: char) -> Option<i64> {
        let at = DIGITS.iter().position(|d| d.starts_with(character))?;
        i64::try_from(at).ok()
    }

    /// Reads what [`amount`] writes, by the meaning of each character alone.
    fn read(text: &str) -> i64 {
        let (mut fen, mut group, mut digit) = (0, 0, 0);
        for c in text.trim_start_matches("人民币").chars() {
            match c {
                '仟' | '佰' | '拾' => {
                    let place = if c == '仟' {
                        1_000
                    } else if c == '佰' {
                        100
                    } else {
                        10
                    };
                    group += digit * place;
                    digit = 0;
                }
                '亿' | '万' | '元' => {
                    let unit = if c == '亿' {
                        10_000_000_000
                    } else if c == '万' {
                        1_000_000
                    } else {
                        100
                    };
                    fen += (group + digit) * unit;
                    (group, digit) = (0, 0);
                }
                '角' | '分' => {
                    fen += digit * if c == '角' { 10 } else { 1 };
                    digit = 0;
                }
                '整' => {}
                other => digit = value(other).expect("a digit"),
            }
        }
        fen
    }

    proptest! {
        #[test]
        fn an_amount_is_read_back_from_its_words(fen in 0..FEN_LIMIT) {
            prop_assert_eq!(read(&words(fen)), fen);
        }

        #[test]
        fn round_amounts_with_many_zeros_are_read_back_too(
            n in 0..1_000_i64, zeros in 0..11_u32, rest in 0..200_i64,
        ) {
            let fen = n * 10_i64.pow(zeros) + rest;
            prop_assert_eq!(read(&words(fen)), fen);
            prop_assert!(!words(fen).contains("零零"), "a zero is said once");
        }

        #[test]
        fn a_date_is_read_back_from_its_words(days in 0..73_000_i32) {
            let day = Date::constant(1900, 1, 1) + jiff::Span::new().days(days);
            let text = date(day);
            let (year, rest) = text.split_once('年').expect("a year");
            let (month, rest) = rest.split_once('月').expect("a month");
            let year = year.chars().fold(0, |y, c| y * 10 + value(c).expect("a digit"));
            let small = |text: &str| {
                let text = text.trim_start_matches('零');
                let (tens, ones) = text.split_once('拾').unwrap_or(("", text));
                let digit = |t: &str| t.chars().next().and_then(value).unwrap_or(0);
                digit(tens) * 10 + digit(ones)
            };
            let read = (year, small(month), small(rest.trim_end_matches('日')));
            let year = i64::from(day.year());
            let (month, day) = (i64::from(day.month()), i64::from(day.day()));
            prop_assert_eq!(read, (year, month, day));
        }
    }

    #[test]
    fn dates_of_the_annex_come_out_as_printed() {
        let words = |month, day| date(Date::constant(2026, month, day));
        assert_eq!(words(1, 15), "贰零贰陆年零壹月壹拾伍日");
        assert_eq!(words(10, 20), "贰零贰陆年零壹拾月零贰拾日");
        assert_eq!(words(2, 12), "贰零贰陆年零贰月壹拾贰日");
        assert_eq!(words(11, 30), "贰零贰陆年壹拾壹月零叁拾日");
        assert_eq!(words(12, 31), "贰零贰陆年壹拾贰月叁拾壹日");
        assert_eq!(words(3, 9), "贰零贰陆年叁月零玖日");
    }
}
