use super::*;
use jiff::civil::{date, time};

#[test]
fn every_part_is_read_with_its_line() {
    let text = "[[fees]]\nkind = \"cash-cheque\"\nfrom = \"2026-07-01\"\neach = 0\n\n\
                [calendar]\nweek = { sunday = \"closed\" }\n[[calendar.days]]\n\
                date = \"2026-02-28\"\nname = \"调休\"\nhours = \"09:00-16:30\"\n\n\
                [list]\nas_of = \"2026-01-10\"\nentries = [\n  \
                { unit = \"91350100M000100Y43\" },\n  { person = \"11010519491231002X\" },\n]\n\
                [[accounts]]\nnumber = \"3130000000000000001\"\nbounced = [\"2026-01-09\"]\n";
    let terms = Terms::parse(text).expect("reads");
    assert_eq!(terms.fees[0].line, 1);
    let calendar = terms.calendar.expect("a calendar").part;
    assert_eq!(calendar.week.days()[6], Some(DayHours::Closed));
    assert_eq!(calendar.week.days()[0], None);
    let open = DayHours::Open(time(9, 0, 0, 0), time(16, 30, 0, 0));
    assert_eq!(calendar.days[0].hours, open);
    let list = terms.list.expect("a list");
    assert_eq!((list.line, list.part.as_of), (13, date(2026, 1, 10)));
    assert_eq!(list.part.entries.len(), 2);
    assert_eq!(
        terms.accounts[0].part.bounced.as_deref(),
        Some(&[date(2026, 1, 9)][..])
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_without_the_person() {
    for (text, line, told) in [
        ("", 1, "sets nothing"),
        ("# x\n[calender]\n", 2, "calender"),
        ("[calendar]\nweek = { sunday = \"9-5\" }\n", 2, "hours are"),
        (
            "[calendar]\nweek = { sunday = \"17:00-09:00\" }\n",
            2,
            "opening first",
        ),
        (
            "\n[list]\nas_of = \"2026-01-10\"\nentries = [{ person = \"110105194912310021\" }]\n",
            2,
            "entry 1",
        ),
        (
            "[[accounts]]\nnumber = \"3130000000000000001\"\n",
            1,
            "says nothing",
        ),
        (
            "[[fees]]\nkind = \"cash-cheque\"\nfrom = \"soon\"\neach = 0\n",
            3,
            "year",
        ),
        (
            "[list]\nas_of = \"2026-01-10\"\nentries = [\"110105194912310021\"]\n",
            3,
            "unknown variant",
        ),
    ] {
        let error = Terms::parse(text).expect_err(text);
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(!error.to_string().contains("110105194912310021"), "{error}");
    }
}

#[test]
fn a_listed_person_is_never_shown_by_debug_i7() {
    let entry = ListEntry::Person("11010519491231002X".to_owned());
    assert_eq!(format!("{entry:?}"), "person");
}
