//! What of the paper is not settled, in numbers for whoever watches the house.

use counterfoil_data::ids::{BranchId, SaleId};
use jiff::Timestamp;

use crate::core::key::{self, Table, Waits};
use crate::core::overlay::get;
use crate::core::record::decode;
use crate::core::record::sale::SaleRow;
use crate::core::record::stock::{BlankState, LotRow};
use crate::store::{From, Read, StoreError};

/// Prefixes whose counters are summed; a prefix is a million forms or more.
pub const PREFIXES_MAX: usize = 256;
/// Rows that wait for two people of which the oldest is looked for.
pub const WAITING_MAX: usize = 64;

/// Forms and sales that are not settled; no names, no numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unresolved {
    /// Forms that belong to a sale and are neither sold nor settled otherwise.
    pub allocated: u64,
    /// Forms nobody knows about.
    pub unknown: u64,
    /// When the kiosk of the oldest sale that waits for two people was heard last.
    pub since: Option<Timestamp>,
}

/// By the counters of the prefixes and the index of what waits; bounded.
pub fn unresolved(read: &dyn Read) -> Result<Unresolved, StoreError> {
    let mut found = Unresolved::default();
    let (low, high) = (key::low(Table::Lot), key::high(Table::Lot));
    for (_, bytes) in read.range(&low, &high, From::First, PREFIXES_MAX)? {
        let lot: LotRow = decode(&bytes)?;
        for (state, count) in BlankState::ALL.iter().zip(lot.by_state) {
            let sum = match state {
                BlankState::Assigned
                | BlankState::Feeding
                | BlankState::Printed
                | BlankState::Presented => &mut found.allocated,
                BlankState::Unknown => &mut found.unknown,
                _ => continue,
            };
            *sum = sum.saturating_add(count);
        }
    }
    let (low, high) = (key::low(Table::Waiting), key::high(Table::Waiting));
    for (key, _) in read.range(&low, &high, From::First, WAITING_MAX)? {
        let Some(sale) = sale_of(read, &key)? else {
            continue;
        };
        let row: Option<SaleRow> = get(read, &key::sale(sale))?;
        let heard = row.map(|row| row.heard_at);
        found.since = found.since.into_iter().chain(heard).min();
    }
    Ok(found)
}

/// The sale of a row of what waits; a locked slot has none.
fn sale_of(read: &dyn Read, key: &[u8]) -> Result<Option<SaleId>, StoreError> {
    let branch = key
        .get(1..)
        .and_then(|rest| rest.split(|byte| *byte == 0).next());
    let branch = branch.and_then(|text| std::str::from_utf8(text).ok());
    let branch: Option<BranchId> = branch.and_then(|text| text.parse().ok());
    match branch.and_then(|branch| key::waits_of(key, &branch)) {
        Some(Waits::Sale(sale)) => Ok(Some(sale)),
        Some(Waits::Unknown(number)) => {
            let found = crate::core::custody::find(read, number)?;
            Ok(found.and_then(|(_, place)| place.sale()))
        }
        Some(Waits::Slot(..)) | None => Ok(None),
    }
}
