//! What waits for two people: the index, compared with the rows it is made of (I6).

use std::collections::BTreeSet;

use super::{AuditFailure, each, each_bytes};
use crate::core::key::{self, Table, Waits};
use crate::core::overlay::get;
use crate::core::record::bank::KioskRow;
use crate::core::record::sale::SaleRow;
use crate::core::record::stock::{BlankRow, Place, SlotRow, range_of};
use crate::store::{Key, Read, StoreError};
use counterfoil_data::wire::sale::SaleState;

/// Checks that everything that waits is found by staff, and nothing else.
pub fn check(read: &dyn Read) -> Result<(), AuditFailure> {
    let mut waits: BTreeSet<Key> = BTreeSet::new();
    each(read, |at, row: BlankRow| {
        let Place::Unknown(Some(sale)) = row.place else {
            return Ok(());
        };
        let range = key::blank_first(&at).and_then(|first| range_of(first, row.last));
        let range = range.ok_or(StoreError::Contradiction("a blank row is bent"))?;
        let lost = StoreError::Contradiction("unknown forms of no sale");
        let row: SaleRow = get(read, &key::sale(sale))?.ok_or(lost)?;
        let unknown = range.numbers().map(Waits::Unknown);
        waits.extend(unknown.map(|what| key::waiting(&row.branch, &what)));
        Ok(())
    })?;
    each(read, |_, row: KioskRow| {
        for (slot, _) in &row.slots {
            let held: Option<SlotRow> = get(read, &key::slot(&row.id, slot))?;
            if held.is_some_and(|held| held.locked) {
                let what = Waits::Slot(row.id.clone(), slot.clone());
                waits.insert(key::waiting(&row.branch, &what));
            }
        }
        Ok(())
    })?;
    each(read, |_, row: SaleRow| {
        if row.state == SaleState::Suspended {
            waits.insert(key::waiting(&row.branch, &Waits::Sale(row.sale)));
        }
        Ok(())
    })?;
    each_bytes(read, Table::Waiting, |at, _| {
        if waits.remove(&at) {
            return Ok(());
        }
        Err(AuditFailure::Waiting)
    })?;
    waits.is_empty().then_some(()).ok_or(AuditFailure::Waiting)
}
