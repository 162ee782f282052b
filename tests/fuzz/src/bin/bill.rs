//! Bill numbers, prefixes and ranges: one text a number, and ranges that split and merge
//! without gaining or losing a form (I1).
#![no_main]

use counterfoil_data::bill::{BillNumber, BillPrefix, BillRange, RANGE_COUNT_MAX, Serial};
use counterfoil_fuzz::{Bytes, json_eq};

fn a_text(text: &str) {
    let digits = |n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    let kind = |at: usize| matches!(text.as_bytes().get(at), Some(b'1'..=b'8'));
    let number = text.parse::<BillNumber>();
    assert_eq!(
        number.is_ok(),
        digits(16) && kind(6),
        "shape and kind, nothing else"
    );
    if let Ok(number) = number {
        assert_eq!(number.to_string(), text, "one text a number");
        assert_eq!(number.rows().replace(' ', ""), text);
        assert_eq!(json_eq(&format!("\"{text}\"")), Some(number));
        let next = number.next();
        assert_eq!(next.is_err(), text.ends_with("99999999"));
        if let Ok(next) = next {
            assert!(next > number && next.prefix == number.prefix);
        }
    }
    let prefix = text.parse::<BillPrefix>();
    assert_eq!(prefix.is_ok(), digits(8) && kind(6));
    if let Ok(prefix) = prefix {
        assert_eq!(prefix.to_string(), text);
        let parts = format!(
            "{:03}{}{:02}{}{}",
            prefix.bank_code(),
            prefix.reserved(),
            prefix.region(),
            prefix.kind().expect("checked").digit(),
            prefix.works()
        );
        assert_eq!(parts, text, "every digit is in one part");
    }
    json_eq::<BillRange>(text);
}

fn a_range(from: &mut Bytes<'_>) -> Option<BillRange> {
    let prefix = BillPrefix::from_value(313_000_20 + u32::from(from.byte() % 4)).ok()?;
    // Close together and near both ends, or anywhere.
    let near = |b: u64| u32::try_from(b).unwrap_or(0);
    let (first, count) = match from.byte() % 4 {
        0 => (near(from.below(32)), near(from.below(32))),
        1 => (99_999_999 - near(from.below(32)), near(from.below(40))),
        _ => (
            near(from.below(u64::from(u32::MAX))),
            near(from.below(u64::from(u32::MAX))),
        ),
    };
    let first = BillNumber {
        prefix,
        serial: Serial::from_value(first).ok()?,
    };
    let range = BillRange::from_count(first, count);
    let fits = count > 0 && u64::from(first.serial.value()) + u64::from(count) <= 100_000_000;
    assert_eq!(range.is_ok(), fits);
    let range = range.ok()?;
    assert_eq!((range.count(), range.first()), (count, first));
    assert!(range.count() <= RANGE_COUNT_MAX);
    Some(range)
}

fn one(range: BillRange, count: u32) {
    let text = serde_json::to_string(&range).expect("writes");
    assert_eq!(json_eq(&text), Some(range));
    match range.take_first(count) {
        None => assert!(count == 0 || count > range.count()),
        Some((head, rest)) => {
            assert_eq!(head.count(), count);
            assert_eq!(head.first(), range.first());
            let left = rest.map_or(0, BillRange::count);
            assert_eq!(
                u64::from(head.count()) + u64::from(left),
                u64::from(range.count())
            );
            match rest {
                None => assert_eq!(head, range),
                Some(rest) => {
                    assert!(!head.overlaps(rest) && rest.last() == range.last());
                    assert_eq!(head.merge(rest), Some(range));
                    assert_eq!(rest.merge(head), Some(range));
                }
            }
        }
    }
}

fn two(a: BillRange, b: BillRange) {
    assert_eq!(a.overlaps(b), b.overlaps(a));
    let inside = a.contains(b.first()) && a.contains(b.last());
    let shares = a.contains(b.first()) || b.contains(a.first());
    assert_eq!(
        a.overlaps(b),
        shares,
        "an overlap holds one of the beginnings"
    );
    if let Some(whole) = a.merge(b) {
        assert!(!a.overlaps(b));
        assert_eq!(
            u64::from(whole.count()),
            u64::from(a.count()) + u64::from(b.count())
        );
        assert_eq!(whole, b.merge(a).expect("either order"));
    }
    let cut = a.without(b);
    assert_eq!(cut.is_some(), inside);
    if let Some((before, after)) = cut {
        let count = |part: Option<BillRange>| u64::from(part.map_or(0, BillRange::count));
        assert_eq!(
            count(before) + u64::from(b.count()) + count(after),
            u64::from(a.count())
        );
        for part in [before, after].into_iter().flatten() {
            assert!(!part.overlaps(b) && a.contains(part.first()) && a.contains(part.last()));
        }
    }
    if a.count() <= 64 {
        assert_eq!(
            a.numbers().count(),
            usize::try_from(a.count()).expect("small")
        );
        assert!(a.numbers().all(|n| a.contains(n)));
        assert_eq!(a.overlaps(b), a.numbers().any(|n| b.contains(n)));
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(text) = counterfoil_fuzz::text(data) {
        a_text(text);
    }
    let mut from = Bytes(data);
    if let (Some(a), Some(b)) = (a_range(&mut from), a_range(&mut from)) {
        one(a, u32::from_le_bytes(from.array()));
        one(a, u32::from(from.byte()));
        two(a, b);
    }
});
