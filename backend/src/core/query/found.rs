//! What a start finds in the books: counted from indexes that are there anyway, and no
//! further than one page of each, so that large books open as fast as small ones.

use std::fmt;

use counterfoil_data::wire::sale::SaleState;

use crate::core::key::{self, Table, Waits};
use crate::core::log;
use crate::core::overlay::get;
use crate::core::record::bank::KioskRow;
use crate::core::record::decode;
use crate::core::record::sale::SaleRow;
use crate::store::{From, RANGE_MAX, Read, Row, StoreError};

/// A count that ends at [`RANGE_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// How many were counted.
    pub count: usize,
    /// There are more rows than were looked at.
    pub is_cut: bool,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.is_cut { "+" } else { "" };
        write!(f, "{}{more}", self.count)
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Leaves of the evidence log.
    pub leaves: u64,
    /// Sales that were opened and are not linked.
    pub open: Counted,
    /// Sales that are linked, or on their way through a printer.
    pub linked: Counted,
    /// Forms nobody knows about, that wait for two people.
    pub unknown: Counted,
    /// Errands that still have to leave the house.
    pub errands: Counted,
}

/// Counts it.
pub fn found(read: &dyn Read) -> Result<Found, StoreError> {
    let kiosks = page(read, Table::Kiosk)?;
    let is_cut = is_full(&kiosks);
    let (mut open, mut linked) = (0_usize, 0_usize);
    for (_, bytes) in &kiosks {
        let kiosk: KioskRow = decode(bytes)?;
        let Some(sale) = kiosk.open_sale else {
            continue;
        };
        let sale: Option<SaleRow> = get(read, &key::sale(sale))?;
        match sale.map(|sale| sale.state) {
            Some(SaleState::Linked | SaleState::Dispensing) => linked = linked.saturating_add(1),
            Some(_) => open = open.saturating_add(1),
            None => {}
        }
    }
    let waiting = page(read, Table::Waiting)?;
    let unknown = waiting.iter().filter(|(key, _)| is_unknown(key)).count();
    let errands = page(read, Table::Pending)?;
    let cut_at = |count, is_cut| Counted { count, is_cut };
    Ok(Found {
        leaves: log::size(read)?,
        open: cut_at(open, is_cut),
        linked: cut_at(linked, is_cut),
        unknown: cut_at(unknown, is_full(&waiting)),
        errands: cut_at(errands.len(), is_full(&errands)),
    })
}

fn page(read: &dyn Read, table: Table) -> Result<Vec<Row>, StoreError> {
    read.range(&key::low(table), &key::high(table), From::First, RANGE_MAX)
}

fn is_full(rows: &[Row]) -> bool {
    rows.len() >= RANGE_MAX
}

/// Behind the table and the branch, which ends with a zero byte, stands the sort.
fn is_unknown(key: &[u8]) -> bool {
    let [unknown, ..] = Waits::SORTS;
    let mut rest = key.iter().skip(1).skip_while(|byte| **byte != 0).skip(1);
    rest.next() == Some(&unknown)
}
