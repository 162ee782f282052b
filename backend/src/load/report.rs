//! What a database holds, table by table, and whether custody kept its word.

use counterfoil_data::leaf::{Leaf, LeafKind};
use counterfoil_data::wire::forms::FormState;

use super::LoadError;
use crate::core::key::{self, Table};
use crate::core::record::decode;
use crate::core::record::sale::SaleRow;
use crate::store::{Read, StoreError, each_row};

/// Rows and bytes of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableCount {
    /// Which.
    pub table: Table,
    /// Rows.
    pub rows: u64,
    /// Keys and values, in bytes.
    pub bytes: u64,
}

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Each table that has rows, in key order.
    pub tables: Vec<TableCount>,
    /// Forms of all sales, supplements and released ones included.
    pub forms: u64,
    /// Forms that did not simply become sold: spoiled, retracted, unknown or missing.
    pub exceptions: u64,
    /// Lots received, and cassettes filled from them.
    pub lots: u64,
}

impl Counts {
    /// Rows of a table.
    pub fn rows(&self, table: Table) -> u64 {
        let found = self.tables.iter().find(|count| count.table == table);
        found.map_or(0, |count| count.rows)
    }

    /// Custody rows there may be: an exception has a row of its own and may cut its
    /// sale's row in two.
    pub fn custody_rows_max(&self) -> u64 {
        self.lots
            .saturating_add(self.rows(Table::Sale))
            .saturating_add(self.exceptions.saturating_mul(2))
    }
}

/// Whether a leaf tells of a lot, or of a cassette filled from one.
fn is_of_stock(bytes: &[u8]) -> bool {
    let kind = Leaf::decode(bytes).map(|leaf| leaf.kind);
    matches!(
        kind,
        Ok(LeafKind::BlanksReceived | LeafKind::CassetteLoaded)
    )
}

/// Rows of a table.
pub fn rows(read: &dyn Read, table: Table) -> Result<u64, LoadError> {
    Ok(count(read, table, |_| Ok(()))?.rows)
}

/// Counts everything.
pub fn counts(read: &dyn Read) -> Result<Counts, LoadError> {
    let mut counts = Counts::default();
    for table in Table::ALL {
        let (mut forms, mut exceptions, mut lots) = (0_u64, 0_u64, 0_u64);
        let counted = count(read, table, |bytes| {
            match table {
                Table::Sale => {
                    let row: SaleRow = decode(bytes)?;
                    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
                    forms = forms.saturating_add(number(row.forms.len()));
                    let simple = [FormState::Sold, FormState::Released];
                    let odd = row.forms.iter().filter(|f| !simple.contains(&f.state));
                    exceptions = exceptions.saturating_add(number(odd.count()));
                }
                Table::Leaf if is_of_stock(bytes) => lots = lots.saturating_add(1),
                _ => {}
            }
            Ok(())
        })?;
        counts.forms = counts.forms.saturating_add(forms);
        counts.exceptions = counts.exceptions.saturating_add(exceptions);
        counts.lots = counts.lots.saturating_add(lots);
        if counted.rows > 0 {
            counts.tables.push(counted);
        }
    }
    Ok(counts)
}

fn count(
    read: &dyn Read,
    table: Table,
    mut visit: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<TableCount, StoreError> {
    let mut counted = TableCount {
        table,
        rows: 0,
        bytes: 0,
    };
    each_row(read, key::low(table), &key::high(table), |key, bytes| {
        let size = key.len().saturating_add(bytes.len());
        let size = u64::try_from(size).unwrap_or(0);
        counted.rows = counted.rows.saturating_add(1);
        counted.bytes = counted.bytes.saturating_add(size);
        visit(&bytes)
    })?;
    Ok(counted)
}
