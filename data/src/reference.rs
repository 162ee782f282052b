//! Reference tables with dates: bank codes, regions and printing works of bill numbers
//! (`data/reference/*.toml`), and what staff are warned of when they take blanks in.
//!
//! A number's shape is strict and checked by [`BillNumber`](crate::bill::BillNumber); its meaning is only ever a
//! warning, because tables change and forms are already printed. There is no check
//! digit, so a mistyped serial is found by counting, never here. Called where staff
//! receive blanks.

use std::sync::OnceLock;

use jiff::civil::Date;
use serde::Deserialize;

use crate::bill::{BillPrefix, BillRange};

const BANKS_TOML: &str = include_str!("../reference/banks.toml");
const REGIONS_TOML: &str = include_str!("../reference/regions.toml");
const WORKS_TOML: &str = include_str!("../reference/works.toml");

/// What a code means, from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    code: String,
    name: String,
    from: Date,
    /// Last day; without it until a later row of the same code.
    to: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rows: Vec<Row>,
}

/// The three tables, parsed once.
struct Tables {
    banks: Vec<Row>,
    regions: Vec<Row>,
    works: Vec<Row>,
}

fn parse(text: &str) -> Vec<Row> {
    // A file that does not parse cannot be built: a test reads all three.
    toml::from_str::<Table>(text).map_or_else(|_| Vec::new(), |table| table.rows)
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| Tables {
        banks: parse(BANKS_TOML),
        regions: parse(REGIONS_TOML),
        works: parse(WORKS_TOML),
    })
}

/// The latest row of a code that holds on a day.
fn name(rows: &'static [Row], code: &str, on: Date) -> Option<&'static str> {
    let holds =
        |row: &&Row| row.code == code && row.from <= on && row.to.is_none_or(|last| on <= last);
    let row = rows.iter().filter(holds).max_by_key(|row| row.from)?;
    Some(row.name.as_str())
}

/// The bank or class of banks of a bank code, digits 1 to 3.
pub fn bank(code: u16, on: Date) -> Option<&'static str> {
    name(&tables().banks, &format!("{code:03}"), on)
}

/// The region of digits 5 and 6; 0 is nationwide.
pub fn region(code: u8, on: Date) -> Option<&'static str> {
    name(&tables().regions, &format!("{code:02}"), on)
}

/// The printing works of digit 8.
pub fn works(code: u8, on: Date) -> Option<&'static str> {
    name(&tables().works, &code.to_string(), on)
}

/// Something about a bill number that staff should look at; never a refusal. Its
/// display begins with a stable id: `BN-W` and the place of the digit it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BillWarning {
    /// Digits 1 to 3 name no bank that is known.
    #[error(
        "BN-W01 bank code {0:03} is not in the table of that day: compare with the delivery note"
    )]
    UnknownBank(u16),
    /// Digits 1 to 3 are not those of the bank's own number: a known forgery tell.
    #[error(
        "BN-W03 bank code {found:03} is not this bank's {own:03}: make sure these forms are ours"
    )]
    OtherBank {
        /// On the form.
        found: u16,
        /// Of the bank's number.
        own: u16,
    },
    /// Digit 4 is not 0.
    #[error("BN-W04 reserved digit is {0}, not 0: compare with the delivery note")]
    Reserved(u8),
    /// Digits 5 and 6 name no region that is known.
    #[error("BN-W05 region {0:02} is not in the table of that day: compare with the delivery note")]
    UnknownRegion(u8),
    /// Digit 8 names no printing works that is known.
    #[error(
        "BN-W08 printing works {0} is not in the table of that day: compare with the delivery note"
    )]
    UnknownWorks(u8),
}

/// What to look at in the numbers of a prefix, for a bank with this 12-digit number
/// (行号), by the tables of a day; in the order of the digits.
pub fn warnings(prefix: BillPrefix, bank_number: &str, on: Date) -> Vec<BillWarning> {
    let found = prefix.bank_code();
    let own = bank_number.get(..3).and_then(|code| code.parse().ok());
    [
        bank(found, on)
            .is_none()
            .then_some(BillWarning::UnknownBank(found)),
        own.filter(|own| *own != found)
            .map(|own| BillWarning::OtherBank { found, own }),
        (prefix.reserved() != 0).then_some(BillWarning::Reserved(prefix.reserved())),
        region(prefix.region(), on)
            .is_none()
            .then_some(BillWarning::UnknownRegion(prefix.region())),
        works(prefix.works(), on)
            .is_none()
            .then_some(BillWarning::UnknownWorks(prefix.works())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The same for a range that is taken in.
pub fn range_warnings(range: BillRange, bank_number: &str, on: Date) -> Vec<BillWarning> {
    warnings(range.prefix(), bank_number, on)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2026, 11, 22);
    const DEMO: &str = "313000000016";

    fn about(prefix: &str) -> Vec<String> {
        let prefix = prefix.parse().expect("a prefix");
        let ids = warnings(prefix, DEMO, TODAY);
        let id = |warning: &BillWarning| warning.to_string().chars().take(6).collect();
        ids.iter().map(id).collect()
    }

    #[test]
    fn each_file_parses_has_every_code_of_its_width_and_no_two_rows_of_one_day() {
        for (text, width, least) in [
            (BANKS_TOML, 3, 30),
            (REGIONS_TOML, 2, 32),
            (WORKS_TOML, 1, 7),
        ] {
            let table: Table = toml::from_str(text).expect("parses");
            assert!(table.rows.len() >= least, "{width}");
            let mut keys: Vec<_> = table.rows.iter().map(|r| (&r.code, r.from)).collect();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), table.rows.len(), "a code twice on one day");
            for row in &table.rows {
                assert_eq!(row.code.len(), width, "{}", row.code);
                assert!(row.code.bytes().all(|b| b.is_ascii_digit()));
                assert!(!row.name.is_empty() && row.to.is_none_or(|to| to >= row.from));
            }
        }
    }

    #[test]
    fn a_code_means_what_it_meant_on_the_day() {
        assert_eq!(bank(307, date(2011, 2, 28)), None, "before the edition");
        assert_eq!(bank(307, date(2011, 3, 1)), Some("深圳发展银行"));
        assert_eq!(bank(307, date(2012, 8, 1)), Some("深圳发展银行"));
        assert_eq!(bank(307, date(2012, 8, 2)), Some("平安银行"));
        assert_eq!(bank(102, TODAY), Some("中国工商银行"));
        assert_eq!(bank(1, TODAY), Some("中国人民银行"));
        assert_eq!(region(0, TODAY), Some("全国"));
        assert_eq!(region(11, TODAY), Some("北京"));
        assert_eq!(works(1, TODAY), Some("上海证券印制有限公司"));
    }

    #[test]
    fn the_last_day_of_a_row_is_its_last() {
        let row = |from, to| Row {
            code: "1".to_owned(),
            name: "样例".to_owned(),
            from,
            to,
        };
        let rows: &'static [Row] =
            Box::leak(Box::new([row(date(2020, 1, 1), Some(date(2020, 12, 31)))]));
        assert!(name(rows, "1", date(2020, 12, 31)).is_some());
        assert!(name(rows, "1", date(2021, 1, 1)).is_none());
    }

    #[test]
    fn a_number_of_this_bank_warns_of_nothing() {
        assert_eq!(about("31300021"), [""; 0]);
        assert_eq!(about("31301116"), [""; 0]);
    }

    #[test]
    fn each_digit_that_nobody_knows_is_one_warning_with_its_place() {
        assert_eq!(about("31310021"), ["BN-W04"]);
        assert_eq!(about("31309921"), ["BN-W05"]);
        // The works digit of a real cheque of 2019.
        assert_eq!(about("50103528"), ["BN-W03", "BN-W08"]);
        assert_eq!(about("40200021"), ["BN-W03"], "a forgery tell");
        assert_eq!(about("99990029"), ["BN-W01", "BN-W03", "BN-W04", "BN-W08"]);
        let prefix = "31300029".parse().expect("a prefix");
        let said = warnings(prefix, DEMO, TODAY);
        assert_eq!(said, [BillWarning::UnknownWorks(9)]);
        let none = warnings(prefix, DEMO, date(2011, 2, 28)).len();
        assert_eq!(none, 3, "no table held then");
    }

    proptest! {
        /// A warning never rejects: whatever parses, parses with and without one.
        #[test]
        fn every_prefix_gets_at_most_one_warning_a_place(value in 0..=99_999_999_u32) {
            let Ok(prefix) = BillPrefix::from_value(value) else { return Ok(()) };
            let said = warnings(prefix, DEMO, TODAY);
            prop_assert!(said.len() <= 5);
            let reserved = said.iter().any(|w| matches!(w, BillWarning::Reserved(_)));
            prop_assert_eq!(reserved, prefix.reserved() != 0);
            let other = said.iter().any(|w| matches!(w, BillWarning::OtherBank { .. }));
            prop_assert_eq!(other, prefix.bank_code() != 313);
        }
    }
}
