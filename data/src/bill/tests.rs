use proptest::prelude::*;

use super::*;

fn number(text: &str) -> BillNumber {
    text.parse().expect("a number of the tables")
}

#[test]
fn the_published_example_is_a_transfer_cheque_of_icbc_region_11() {
    let n = number("1020112112345678");
    assert_eq!(n.prefix.bank_code(), 102);
    assert_eq!(
        (n.prefix.reserved(), n.prefix.region(), n.prefix.works()),
        (0, 11, 1)
    );
    assert_eq!(n.prefix.kind(), Ok(BillKind::TransferCheque));
    assert_eq!(n.rows(), "10201121 12345678");
}

#[test]
fn a_draft_is_no_cheque_and_the_published_refusal_is_refused() {
    let kind = number("3080444100000001").prefix.kind();
    assert_eq!(kind, Ok(BillKind::BankDraft));
    assert!(!BillKind::BankDraft.takes_password());
    // Published as a draft by its digit 8, which is the printing works: it has no kind.
    let published = "3080440400000001".parse::<BillNumber>();
    assert_eq!(published, Err(BillError::Kind(0)));
}

#[test]
fn a_works_digit_outside_the_table_is_accepted() {
    assert_eq!(number("5010352828193930").prefix.works(), 8);
}

#[test]
fn an_unassigned_kind_and_a_wrong_shape_are_refused() {
    assert_eq!(
        "1020110112345678".parse::<BillNumber>(),
        Err(BillError::Kind(0))
    );
    assert!("102011211234567".parse::<BillNumber>().is_err());
    assert!("10201121１２345678".parse::<BillNumber>().is_err());
}

#[test]
fn a_range_never_wraps_past_the_last_serial() {
    assert_eq!(
        BillRange::from_count(number("1020112199999999"), 2),
        Err(BillError::Overflow)
    );
    assert_eq!(number("1020112199999999").next(), Err(BillError::Overflow));
}

#[test]
fn taking_from_the_front_and_merging_back_gives_the_same_range() {
    let range = BillRange::from_count(number("1020112100000100"), 100).expect("fits");
    let (head, rest) = range.take_first(25).expect("enough");
    assert_eq!((head.count(), rest.map(BillRange::count)), (25, Some(75)));
    assert_eq!(head.merge(rest.expect("75 left")), Some(range));
    assert_eq!(range.take_first(101), None);
    assert_eq!(range.take_first(100), Some((range, None)));
}

fn any_range() -> impl Strategy<Value = BillRange> {
    (0..60_u32, 1..30_u32).prop_map(|(serial, count)| {
        let first = BillNumber {
            prefix: "31300021".parse().expect("a prefix"),
            serial: Serial::from_value(serial).expect("small"),
        };
        BillRange::from_count(first, count).expect("fits")
    })
}

proptest! {
    /// The heart of conservation (I1): cutting a range up loses and adds nothing.
    #[test]
    fn a_hole_and_what_remains_are_the_range_and_never_overlap(whole in any_range(), hole in any_range()) {
        let inside = whole.contains(hole.first()) && whole.contains(hole.last());
        let cut = whole.without(hole);
        prop_assert_eq!(cut.is_some(), inside);
        let Some((before, after)) = cut else { return Ok(()) };
        let parts: Vec<BillRange> = before.into_iter().chain([hole]).chain(after).collect();
        let numbers: Vec<BillNumber> = parts.iter().flat_map(|r| r.numbers()).collect();
        prop_assert_eq!(numbers, whole.numbers().collect::<Vec<_>>());
        let merged = parts.iter().skip(1).try_fold(parts[0], |all, part| part.merge(all));
        prop_assert_eq!(merged, Some(whole));
    }

    #[test]
    fn ranges_overlap_exactly_where_they_share_a_number(one in any_range(), two in any_range()) {
        let shared = one.numbers().any(|n| two.contains(n));
        prop_assert_eq!(one.overlaps(two), shared);
        prop_assert_eq!(two.overlaps(one), shared);
        if let Some(merged) = one.merge(two) {
            prop_assert!(!shared);
            prop_assert_eq!(merged.count(), one.count() + two.count());
        }
    }

    #[test]
    fn a_range_travels_as_json_and_a_crossed_prefix_does_not(range in any_range()) {
        let json = serde_json::to_string(&range).expect("writes");
        prop_assert_eq!(serde_json::from_str::<BillRange>(&json).expect("reads"), range);
        let crossed = json.replacen("31300021", "31300022", 1);
        prop_assert!(serde_json::from_str::<BillRange>(&crossed).is_err());
    }

    #[test]
    fn no_text_makes_the_number_reader_fall_over(text in ".{0,20}") {
        if let Ok(number) = text.parse::<BillNumber>() {
            prop_assert_eq!(number.to_string(), text);
        }
    }

    #[test]
    fn taking_from_the_front_splits_and_nothing_is_lost(whole in any_range(), count in 0..40_u32) {
        let taken = whole.take_first(count);
        prop_assert_eq!(taken.is_some(), (1..=whole.count()).contains(&count));
        let Some((head, rest)) = taken else { return Ok(()) };
        prop_assert_eq!(head.count(), count);
        prop_assert_eq!(rest.map_or(0, BillRange::count), whole.count() - count);
        let merged = rest.map_or(Some(head), |rest| rest.merge(head));
        prop_assert_eq!(merged, Some(whole), "in either order");
    }

    /// A range never crosses a prefix, however close two lots lie.
    #[test]
    fn ranges_of_two_prefixes_never_meet(one in any_range(), prefix in 0..=99_999_999_u32) {
        let Ok(prefix) = BillPrefix::from_value(prefix) else { return Ok(()) };
        prop_assume!(prefix != one.prefix());
        let (first, last) = (one.first().serial, one.last().serial);
        let other = BillRange::new(prefix, first, last).expect("forwards");
        prop_assert!(!one.overlaps(other));
        prop_assert_eq!(one.merge(other), None);
        prop_assert_eq!(one.without(other), None);
        prop_assert!(!one.contains(other.first()));
        let next = last.forward(1).expect("small");
        let after = BillRange::new(prefix, next, Serial::MAX).expect("forwards");
        prop_assert_eq!(one.merge(after), None);
    }

    #[test]
    fn a_number_is_read_back_from_its_text(
        prefix in 0..=99_999_999_u32, serial in 0..=99_999_999_u32,
    ) {
        let Ok(prefix) = BillPrefix::from_value(prefix) else { return Ok(()) };
        let serial = Serial::from_value(serial).expect("8 digits");
        let number = BillNumber { prefix, serial };
        prop_assert_eq!(number.to_string().parse(), Ok(number));
        prop_assert_eq!(number.to_string().len(), 16);
    }
}
