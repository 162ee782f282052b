//! Forms of a linked sale into rows: custody, the fee given back, the counters.

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sale::SaleState;

use super::{Moment, linked, sales, sheet};
use crate::core::command::Resolution;
use crate::core::custody;
use crate::core::event::{Event, FormChanged};
use crate::core::key;
use crate::core::overlay::Overlay;
use crate::core::record::books::Memo;
use crate::core::record::sale::{FormRow, Pick, SaleRow};
use crate::core::record::stock::{Place, SlotRow};
use crate::core::sheet::cancels;
use crate::store::StoreError;

fn pick(row: &SaleRow, form: &FormRow) -> Result<Pick, StoreError> {
    let order = row.order.as_ref();
    let pick = order.and_then(|o| o.picks.get(usize::from(form.pick)));
    pick.cloned()
        .ok_or(StoreError::Contradiction("a form without its slot"))
}

fn form(row: &SaleRow, number: BillNumber) -> Result<&FormRow, StoreError> {
    let form = row.forms.iter().rev().find(|f| f.number == number);
    form.ok_or(StoreError::Contradiction("a sale without this form"))
}

/// Where a form of this sale is when it is in this state.
fn place(row: &SaleRow, to: FormState, slot: &Pick) -> Result<Place, StoreError> {
    let sale = row.sale;
    Ok(match to {
        FormState::Assigned => Place::Assigned(sale),
        FormState::Feeding => Place::Feeding(sale),
        FormState::Printed => Place::Printed(sale),
        FormState::Presented => Place::Presented(sale),
        FormState::Sold => sold(row)?,
        FormState::Spoiled => Place::Spoiled(sale),
        FormState::Retracted => Place::Retracted(sale),
        FormState::Unknown => Place::Unknown(Some(sale)),
        FormState::Released => Place::InCassette(row.kiosk.clone(), slot.slot.clone()),
    })
}

/// I2: sold to the account the first gate proved, for good.
fn sold(row: &SaleRow) -> Result<Place, StoreError> {
    let account = row.info.as_ref().map(|i| i.account.clone());
    Ok(Place::Sold {
        account: account.ok_or(StoreError::Contradiction("sold without an account"))?,
        sale: row.sale,
    })
}

/// Gives a fee back in the commit that ends a form.
fn reverse(
    books: &mut Overlay<'_>,
    moment: Moment,
    row: &SaleRow,
    amount: Option<Fen>,
) -> Result<(), StoreError> {
    let Some(amount) = amount else { return Ok(()) };
    let back = Fen(amount.0.saturating_neg());
    linked::fee(books, moment.at, row, back, Memo::FeeReversal)
}

fn reversed_to(row: &mut SaleRow, number: BillNumber, amount: Option<Fen>) {
    let Some(amount) = amount else { return };
    if let Some(linked) = &mut row.linked {
        linked.reversed = Fen(linked.reversed.0.saturating_add(amount.0));
    }
    if let Some(form) = row.forms.iter_mut().rev().find(|f| f.number == number) {
        form.reversed = true;
    }
}

/// Applies [`Event::FormChanged`].
pub fn changed(
    books: &mut Overlay<'_>,
    moment: Moment,
    change: &FormChanged,
) -> Result<(), StoreError> {
    let row: SaleRow = books.need(&key::sale(change.sale), "no such sale")?;
    let pick = pick(&row, form(&row, change.number)?)?;
    let range = BillRange::single(change.number);
    custody::shift(books, moment.at, range, &place(&row, change.to, &pick)?)?;
    if change.to == FormState::Released {
        let key = key::slot(&row.kiosk, &pick.slot);
        let mut slot: SlotRow = books.need(&key, "no such slot")?;
        slot.put_back(range);
        books.put(key, &slot)?;
    }
    let row = sales::change(books, moment.at, change.sale, |row| {
        if let Some(form) = row
            .forms
            .iter_mut()
            .rev()
            .find(|f| f.number == change.number)
        {
            form.state = change.to;
            form.heard |= change.heard;
            form.missing = false;
        }
        if change.to == FormState::Feeding {
            row.state = SaleState::Dispensing;
        }
        reversed_to(row, change.number, change.reversed);
    })?;
    if cancels(change.to) {
        sheet::cancel(books, change.sale, change.number)?;
    }
    reverse(books, moment, &row, change.reversed)
}

/// Applies [`Event::StrayFrozen`]: a number in another's place is frozen where it is.
pub fn stray(
    books: &mut Overlay<'_>,
    moment: Moment,
    sale: SaleId,
    number: BillNumber,
) -> Result<(), StoreError> {
    let range = BillRange::single(number);
    let from = custody::shift(books, moment.at, range, &Place::Unknown(Some(sale)))?;
    if let Place::InCassette(kiosk, slot) = from {
        let key = key::slot(&kiosk, &slot);
        let mut row: SlotRow = books.need(&key, "no such slot")?;
        if !row.remove(range) {
            return Err(StoreError::Contradiction("a slot lacks what it holds"));
        }
        books.put(key, &row)?;
    }
    Ok(())
}

/// Applies [`Event::FormSupplied`]: the next head number, no second fee.
pub fn supplied(
    books: &mut Overlay<'_>,
    moment: Moment,
    sale: SaleId,
    number: BillNumber,
    stands_for: BillNumber,
) -> Result<(), StoreError> {
    let row: SaleRow = books.need(&key::sale(sale), "no such sale")?;
    let index = form(&row, stands_for)?.pick;
    let pick = pick(&row, form(&row, stands_for)?)?;
    let range = BillRange::single(number);
    let key = key::slot(&row.kiosk, &pick.slot);
    let mut slot: SlotRow = books.need(&key, "no such slot")?;
    if !slot.remove(range) {
        return Err(StoreError::Contradiction("a slot lacks its head"));
    }
    books.put(key, &slot)?;
    custody::shift(books, moment.at, range, &Place::Assigned(sale))?;
    sales::change(books, moment.at, sale, |row| {
        row.forms.push(FormRow {
            number,
            pick: index,
            state: FormState::Assigned,
            heard: 0,
            stands_for: Some(stands_for),
            reversed: false,
            missing: false,
            returned: false,
            marks: 0,
        });
        if let Some(linked) = &mut row.linked {
            linked.supplements = linked.supplements.saturating_add(1);
        }
    })?;
    Ok(())
}

/// Applies [`Event::UnknownResolved`].
pub fn resolved(books: &mut Overlay<'_>, moment: Moment, event: &Event) -> Result<(), StoreError> {
    let Event::UnknownResolved {
        number,
        sale,
        account,
        to,
        reversed,
        ..
    } = event
    else {
        return Ok(());
    };
    let of = sale.unwrap_or(SaleId(0));
    let place = match (to, account) {
        (Resolution::Sold, Some(account)) => Place::Sold {
            account: account.clone(),
            sale: of,
        },
        (Resolution::Sold, None) => {
            return Err(StoreError::Contradiction("sold without an account"));
        }
        (Resolution::Spoiled, _) => Place::Spoiled(of),
        (Resolution::Retracted, _) => Place::Retracted(of),
        (Resolution::Missing, _) => Place::Missing(*sale),
    };
    custody::shift(books, moment.at, BillRange::single(*number), &place)?;
    let Some(sale) = sale else { return Ok(()) };
    let is_ours = |row: &SaleRow| row.forms.iter().any(|f| f.number == *number);
    let before: SaleRow = books.need(&key::sale(*sale), "no such sale")?;
    if !is_ours(&before) {
        return Ok(());
    }
    let row = sales::change(books, moment.at, *sale, |row| {
        if let Some(form) = row.forms.iter_mut().rev().find(|f| f.number == *number) {
            form.state = match to {
                Resolution::Sold => FormState::Sold,
                Resolution::Spoiled => FormState::Spoiled,
                Resolution::Retracted => FormState::Retracted,
                Resolution::Missing => FormState::Unknown,
            };
            form.missing = *to == Resolution::Missing;
        }
        reversed_to(row, *number, *reversed);
    })?;
    // Whatever it turned out to be: nobody saw it handed over with its sheet.
    sheet::cancel(books, *sale, *number)?;
    reverse(books, moment, &row, *reversed)
}
