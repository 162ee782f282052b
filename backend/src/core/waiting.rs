//! What waits for two people, branch by branch: an index beside the rows it is about,
//! so that a screen of staff never searches the books.
//!
//! Owns the index and the counter that tells the terminals of a branch to look again.
//! Both change only here, in the commit of what they follow; the audit compares the
//! index with the rows (`core::audit`). Called by [`super::custody`] and `apply`.

use counterfoil_data::bill::BillRange;
use counterfoil_data::ids::{BranchId, KioskId, SlotId};
use counterfoil_data::wire::sale::SaleState;

use super::event::Event;
use super::key::{self, Table, Waits};
use super::ledger;
use super::overlay::Overlay;
use super::record::bank::KioskRow;
use super::record::sale::SaleRow;
use super::record::stock::{Place, SlotRow};
use crate::store::{Read as _, StoreError};

/// Name of the counter that grows whenever something of a branch's custody changed.
pub fn counter(branch: &BranchId) -> String {
    format!("custody/{branch}")
}

/// Has the terminals of a branch look again.
pub fn tell(books: &mut Overlay<'_>, branch: &BranchId) -> Result<(), StoreError> {
    ledger::next(books, &counter(branch)).map(drop)
}

fn set(
    books: &mut Overlay<'_>,
    branch: &BranchId,
    what: &Waits,
    waits: bool,
) -> Result<(), StoreError> {
    let key = key::waiting(branch, what);
    if books.read(&key)?.is_some() == waits {
        return Ok(());
    }
    if waits {
        books.put_bytes(key, Vec::new());
    } else {
        books.remove(key);
    }
    tell(books, branch)
}

/// Blanks went from one place to another: unknown ones wait, settled ones do not.
pub fn shifted(
    books: &mut Overlay<'_>,
    range: BillRange,
    from: &Place,
    to: &Place,
) -> Result<(), StoreError> {
    for (place, waits) in [(from, false), (to, true)] {
        let Place::Unknown(Some(sale)) = place else {
            continue;
        };
        let row: SaleRow = books.need(&key::sale(*sale), "unknown forms of no sale")?;
        for number in range.numbers() {
            set(books, &row.branch, &Waits::Unknown(number), waits)?;
        }
    }
    Ok(())
}

/// A sale's row changed: a suspended one waits, and whatever changes in it is news.
pub fn sale(books: &mut Overlay<'_>, was: SaleState, row: &SaleRow) -> Result<(), StoreError> {
    let (before, now) = (
        was == SaleState::Suspended,
        row.state == SaleState::Suspended,
    );
    match (before, now) {
        (false, false) => Ok(()),
        (true, true) => tell(books, &row.branch),
        _ => set(books, &row.branch, &Waits::Sale(row.sale), now),
    }
}

/// An event was applied: a slot that it locked waits, one that it unlocked does not.
pub fn after(books: &mut Overlay<'_>, event: &Event) -> Result<(), StoreError> {
    match event {
        Event::SlotLocked { kiosk, slot }
        | Event::SlotUnlocked { kiosk, slot, .. }
        | Event::CassetteUnloaded { kiosk, slot, .. } => lock(books, kiosk, slot),
        _ => Ok(()),
    }
}

fn lock(books: &mut Overlay<'_>, id: &KioskId, slot: &SlotId) -> Result<(), StoreError> {
    let kiosk = key::text(Table::Kiosk, id.as_str());
    let kiosk: KioskRow = books.need(&kiosk, "a slot of no kiosk")?;
    let row: SlotRow = books.need(&key::slot(id, slot), "no such slot")?;
    let what = Waits::Slot(id.clone(), slot.clone());
    set(books, &kiosk.branch, &what, row.locked)
}
