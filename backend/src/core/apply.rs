//! Apply: turns events into changed rows, mechanically. Decides nothing; what
//! contradicts the books here is a defect and stops the process.

mod enrol;
mod forms;
mod linked;
mod register;
mod sales;

pub use sales::{KIOSK_LOST_S, later};

use jiff::Timestamp;

use super::custody;
use super::event::Event;
use super::key::{self, Table};
use super::overlay::Overlay;
use super::record::bank::AccountRow;
use super::record::stock::{Place, SlotRow};
use crate::store::StoreError;

/// Where and when an event belongs.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// Index its evidence leaf will have.
    pub leaf: u64,
}

/// Applies one event.
pub fn apply(books: &mut Overlay<'_>, moment: Moment, event: &Event) -> Result<(), StoreError> {
    match event {
        Event::Enrolled(enrolled) => enrol::enrolled(books, moment, enrolled),
        Event::AccountStateChanged { account, state } => {
            let key = key::text(Table::Account, account);
            let mut row: AccountRow = books.need(&key, "no such account")?;
            row.state = *state;
            books.put(key, &row)
        }
        Event::BlanksReceived { .. }
        | Event::CassetteLoaded { .. }
        | Event::CassetteUnloaded { .. }
        | Event::SlotLocked { .. }
        | Event::SlotUnlocked { .. } => stock(books, moment, event),
        Event::Delivered { sequences } => {
            for sequence in sequences {
                books.remove(key::numbered(Table::Pending, *sequence));
                sales::forget_delivered(books, *sequence)?;
            }
            Ok(())
        }
        Event::Linked { .. } => linked::linked(books, moment, event),
        Event::FormChanged(change) => forms::changed(books, moment, change),
        Event::StrayFrozen { sale, number } => forms::stray(books, moment, *sale, *number),
        Event::FormSupplied {
            sale,
            number,
            stands_for,
        } => forms::supplied(books, moment, *sale, *number, *stands_for),
        Event::UnknownResolved { .. } => forms::resolved(books, moment, event),
        _ => sales::changed(books, moment, event),
    }
}

fn stock(books: &mut Overlay<'_>, moment: Moment, event: &Event) -> Result<(), StoreError> {
    match event {
        Event::BlanksReceived { branch, range, .. } => {
            custody::receive(books, moment.at, *range, Place::InVault(branch.clone()))
        }
        Event::CassetteLoaded {
            kiosk, slot, range, ..
        } => {
            let place = Place::InCassette(kiosk.clone(), slot.clone());
            custody::shift(books, moment.at, *range, &place)?;
            let key = key::slot(kiosk, slot);
            let mut row: SlotRow = books.need(&key, "no such slot")?;
            row.append(*range);
            books.put(key, &row)
        }
        Event::CassetteUnloaded {
            kiosk,
            slot,
            branch,
            ranges,
            ..
        } => {
            for range in ranges {
                let place = Place::InVault(branch.clone());
                custody::shift(books, moment.at, *range, &place)?;
            }
            let key = key::slot(kiosk, slot);
            let mut row: SlotRow = books.need(&key, "no such slot")?;
            row.queue.retain(|held| !ranges.contains(held));
            row.locked = false;
            books.put(key, &row)
        }
        Event::SlotLocked { kiosk, slot } | Event::SlotUnlocked { kiosk, slot, .. } => {
            let key = key::slot(kiosk, slot);
            let mut row: SlotRow = books.need(&key, "no such slot")?;
            row.locked = matches!(event, Event::SlotLocked { .. });
            books.put(key, &row)
        }
        _ => Ok(()),
    }
}
