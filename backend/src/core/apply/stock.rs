//! Blanks in people's hands into rows: vaults, boxes, slots, and what became of sold
//! forms afterwards.

use counterfoil_data::bill::BillRange;
use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::custody::Mark;
use counterfoil_data::wire::forms::FormState;

use super::{Moment, sales, sheet};
use crate::core::custody;
use crate::core::event::{BlanksHandled, Event, Handling};
use crate::core::key;
use crate::core::overlay::Overlay;
use crate::core::record::books::{Bar, Errand};
use crate::core::record::sale::{FormRow, SaleRow, mark_bit};
use crate::core::record::stock::{Place, SlotRow};
use crate::store::StoreError;

/// Applies what people did with vaults and slots.
pub fn changed(books: &mut Overlay<'_>, moment: Moment, event: &Event) -> Result<(), StoreError> {
    match event {
        Event::BlanksReceived { branch, range, .. } => {
            let vault = Place::InVault(branch.clone());
            match custody::find(books, range.first())? {
                Some(_) => custody::shift(books, moment.at, *range, &vault).map(drop),
                None => custody::receive(books, moment.at, *range, vault),
            }
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

/// Applies [`Event::BlanksHandled`].
pub fn handled(
    books: &mut Overlay<'_>,
    moment: Moment,
    handled: &BlanksHandled,
) -> Result<(), StoreError> {
    let range = handled.range;
    if handled.how == Handling::Announced {
        return custody::receive(books, moment.at, range, handled.to.clone());
    }
    let from = custody::shift(books, moment.at, range, &handled.to)?;
    if let Place::InCassette(kiosk, slot) = from {
        let key = key::slot(&kiosk, &slot);
        let mut row: SlotRow = books.need(&key, "no such slot")?;
        if !row.remove(range) {
            return Err(StoreError::Contradiction("a slot lacks what it holds"));
        }
        return books.put(key, &row);
    }
    let Some(sale) = handled.sale else {
        return Ok(());
    };
    match handled.how {
        Handling::Found => each_form(books, moment, sale, range, |form| {
            form.state = FormState::Retracted;
            form.missing = false;
        })
        .map(drop),
        Handling::Returned => {
            let row = each_form(books, moment, sale, range, |form| form.returned = true)?;
            for number in range.numbers() {
                sheet::cancel(books, sale, number)?;
            }
            bar(books, moment, &row, range, Bar::Returned)
        }
        _ => Ok(()),
    }
}

/// Changes the forms of a sale that are in a range.
fn each_form(
    books: &mut Overlay<'_>,
    moment: Moment,
    sale: SaleId,
    range: BillRange,
    edit: impl Fn(&mut FormRow),
) -> Result<SaleRow, StoreError> {
    sales::change(books, moment.at, sale, |row| {
        for form in row.forms.iter_mut().filter(|f| range.contains(f.number)) {
            if form.state != FormState::Released {
                edit(form);
            }
        }
    })
}

/// Clearing hears that issued numbers are not to be paid.
fn bar(
    books: &mut Overlay<'_>,
    moment: Moment,
    row: &SaleRow,
    range: BillRange,
    why: Bar,
) -> Result<(), StoreError> {
    let info = row.info.as_ref();
    let account = info.ok_or(StoreError::Contradiction("sold without an account"))?;
    let errand = Errand::TellBar {
        account: account.account.clone(),
        ranges: vec![range],
        why,
    };
    sales::tell(books, moment.at, row, Some(errand))
}

/// Applies [`Event::FormsMarked`].
pub fn marked(
    books: &mut Overlay<'_>,
    moment: Moment,
    sale: SaleId,
    range: BillRange,
    mark: Mark,
) -> Result<(), StoreError> {
    let bit = mark_bit(mark);
    let row = each_form(books, moment, sale, range, |form| form.marks |= bit)?;
    match mark {
        Mark::Stopped => bar(books, moment, &row, range, Bar::Stopped),
        Mark::ReportedLost => bar(books, moment, &row, range, Bar::ReportedLost),
        // Clearing itself said so.
        Mark::Paid => Ok(()),
    }
}
