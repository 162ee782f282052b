//! Apply: turns events into changed rows, mechanically. Decides nothing; what
//! contradicts the books here is a defect and stops the process.

mod enrol;
mod finger;
mod forms;
mod linked;
mod proposals;
mod register;
mod sales;
mod sheet;
mod staff;
mod stock;
mod witness;

pub use sales::{KIOSK_LOST_S, later};

use jiff::Timestamp;

use super::event::Event;
use super::key::{self, Table};
use super::overlay::Overlay;
use super::record::bank::AccountRow;
use super::waiting;
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
    change(books, moment, event)?;
    waiting::after(books, event)
}

fn change(books: &mut Overlay<'_>, moment: Moment, event: &Event) -> Result<(), StoreError> {
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
        | Event::SlotUnlocked { .. } => stock::changed(books, moment, event),
        Event::BlanksHandled(handled) => stock::handled(books, moment, handled),
        Event::BlanksCounted { .. } => Ok(()),
        Event::FormsMarked {
            sale, range, mark, ..
        } => stock::marked(books, moment, *sale, *range, *mark),
        Event::Staff(event) => staff::changed(books, event),
        Event::Witnessed(event) => witness::changed(books, moment, event),
        Event::Delivered { sequences } => {
            for sequence in sequences {
                books.remove(key::numbered(Table::Pending, *sequence));
                sales::forget_delivered(books, *sequence)?;
            }
            Ok(())
        }
        Event::Linked { .. } => linked::linked(books, moment, event),
        Event::SheetChanged(change) => sheet::changed(books, change.sale, &change.to),
        Event::FormChanged(change) => forms::changed(books, moment, change),
        Event::StrayFrozen { sale, number } => forms::stray(books, moment, *sale, *number),
        Event::FormSupplied {
            sale,
            number,
            stands_for,
        } => forms::supplied(books, moment, *sale, *number, *stands_for),
        Event::UnknownResolved { .. } => forms::resolved(books, moment, event),
        Event::CustodyProposed(_)
        | Event::CustodyApproved { .. }
        | Event::CustodyRefused { .. } => proposals::changed(books, moment, event),
        _ => sales::changed(books, moment, event),
    }
}
