//! Golden rows: the bytes of one row of every table, as a release wrote them.
//!
//! `backend/tests/golden/rows.txt` has one line a row: table, value in hex, fields as
//! JSON (`-` where a row is bare bytes with its meaning in its key). A row that is read
//! differently or written differently is a new version of its shape, never an edited
//! line. The lines marked in `backend/tests/golden/postcard.py` were not encoded by this
//! program but by that one, from the format's description.

use counterfoil_data::wire::unhex;

use proptest::prelude::*;

use crate::core::key::Table;
use crate::core::record::rows::reread;
use crate::core::record::{ROW_VERSION, RecordError};

const GOLDEN: &str = include_str!("../../../tests/golden/rows.txt");

/// Table, bytes and fields of each line.
fn golden() -> Vec<(Table, Vec<u8>, &'static str)> {
    let line = |line: &'static str| {
        let mut words = line.splitn(3, ' ');
        let (name, hex) = (words.next().expect("a table"), words.next().expect("hex"));
        let named = |table: &Table| format!("{table:?}") == name;
        let table = Table::ALL.into_iter().find(named);
        let table = table.unwrap_or_else(|| panic!("no table is called {name}"));
        let bytes = unhex(hex.trim_start_matches('-')).expect("hex");
        (table, bytes, words.next().expect("fields"))
    };
    GOLDEN.lines().map(line).collect()
}

#[test]
fn every_table_has_a_golden_row() {
    let golden = golden();
    for table in Table::ALL {
        assert!(
            golden.iter().any(|(of, ..)| *of == table),
            "{table:?} has no golden row: add one to backend/tests/golden/rows.txt"
        );
    }
}

#[test]
fn golden_rows_mean_what_they_meant_and_are_written_as_they_were() {
    for (table, bytes, fields) in golden() {
        let Some(row) = reread(table, &bytes) else {
            assert_eq!(fields, "-", "{table:?} has no record");
            continue;
        };
        let row = row.unwrap_or_else(|error| panic!("{table:?}: {error}"));
        assert_eq!(row.fields, fields, "{table:?} is read as something else");
        assert_eq!(row.bytes, bytes, "{table:?} is written in another way");
    }
}

#[test]
fn a_row_cut_anywhere_or_of_another_version_is_refused() {
    for (table, mut bytes, _) in golden() {
        if reread(table, &bytes).is_none() {
            continue;
        }
        for cut in 0..bytes.len() {
            let row = reread(table, &bytes[..cut]).expect("a record");
            assert!(row.is_err(), "{table:?} cut at {cut}");
        }
        bytes.push(0);
        let longer = reread(table, &bytes).expect("a record");
        assert!(longer.is_err(), "{table:?} with a byte more");
        bytes[0] = ROW_VERSION + 1;
        let newer = reread(table, &bytes).expect("a record").err();
        assert!(
            matches!(newer, Some(RecordError::Version { version: 2, .. })),
            "{table:?}: {newer:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// What is read of a bent row is written as a row that reads the same.
    #[test]
    fn a_bent_row_is_refused_or_means_one_thing(
        which in any::<prop::sample::Index>(),
        bends in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut golden = golden();
        let (table, mut bytes, _) = golden.swap_remove(which.index(golden.len()));
        prop_assume!(bytes.len() > 1 && reread(table, &bytes).is_some());
        for (at, to) in bends {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Some(Ok(row)) = reread(table, &bytes) {
            let again = reread(table, &row.bytes).expect("a record");
            let again = again.unwrap_or_else(|error| panic!("{table:?}: {error}"));
            prop_assert_eq!(again.fields, row.fields);
            prop_assert_eq!(again.bytes, row.bytes);
        }
    }
}
