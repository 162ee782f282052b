//! Linked processing into rows: L2-L6, L8 and L9 of one sale in one commit (S7). The
//! register's line (L5) follows from the sale's row, in `apply::register`.

use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::ConfirmState;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sale::SaleState;
use jiff::Timestamp;

use super::{Moment, sales};
use crate::core::custody;
use crate::core::event::Event;
use crate::core::key::{self, Table};
use crate::core::ledger;
use crate::core::overlay::Overlay;
use crate::core::record::bank::UnitRow;
use crate::core::record::books::{CounterRow, Errand, LedgerAccount, Memo};
use crate::core::record::sale::{FormRow, LinkedRow, OrderRow, SaleRow};
use crate::core::record::stock::{Place, SlotRow};
use crate::store::StoreError;

/// Books a fee (positive) or gives it back (negative), and tells the core bank.
pub fn fee(
    books: &mut Overlay<'_>,
    at: Timestamp,
    row: &SaleRow,
    amount: Fen,
    memo: Memo,
) -> Result<(), StoreError> {
    let account = row.info.as_ref().map(|i| i.account.clone());
    let account = account.ok_or(StoreError::Contradiction("a fee without an account"))?;
    let legs = vec![
        (
            LedgerAccount::Customer(account.clone()),
            amount.0.saturating_neg(),
        ),
        (LedgerAccount::FeeIncome, amount.0),
    ];
    let entry = ledger::post(books, at, Some(row.sale), memo, legs)?;
    if amount != Fen::ZERO {
        let errand = Errand::BookFee {
            entry,
            account,
            amount,
        };
        sales::tell(books, at, row, Some(errand))?;
    }
    Ok(())
}

/// L2, L6: the numbers leave the head of their slots and the off-balance account.
fn assign(
    books: &mut Overlay<'_>,
    at: Timestamp,
    row: &SaleRow,
    order: &OrderRow,
) -> Result<Vec<FormRow>, StoreError> {
    let mut forms = Vec::new();
    for (index, pick) in order.picks.iter().enumerate() {
        let key = key::slot(&row.kiosk, &pick.slot);
        let mut slot: SlotRow = books.need(&key, "no such slot")?;
        for range in &pick.ranges {
            if !slot.remove(*range) {
                return Err(StoreError::Contradiction("a slot lacks what it sold"));
            }
            custody::shift(books, at, *range, &Place::Assigned(row.sale))?;
            forms.extend(range.numbers().map(|number| FormRow {
                number,
                pick: u8::try_from(index).unwrap_or(u8::MAX),
                state: FormState::Assigned,
                heard: 0,
                stands_for: None,
                reversed: false,
                missing: false,
                returned: false,
                marks: 0,
            }));
        }
        books.put(key, &slot)?;
    }
    Ok(forms)
}

/// Applies [`Event::Linked`].
pub fn linked(books: &mut Overlay<'_>, moment: Moment, event: &Event) -> Result<(), StoreError> {
    let Event::Linked {
        sale,
        requisition,
        serial,
        date,
        fee: amount,
    } = event
    else {
        return Ok(());
    };
    let row: SaleRow = books.need(&key::sale(*sale), "no such sale")?;
    let Some(order) = &row.order else {
        return Err(StoreError::Contradiction("linked before its gates"));
    };
    let forms = assign(books, moment.at, &row, order)?;
    let counter = CounterRow { value: *serial };
    books.put(key::requisition(&row.branch, *date), &counter)?;
    let row = sales::change(books, moment.at, *sale, |row| {
        row.state = SaleState::Linked;
        row.deadline = None;
        row.forms = forms;
        row.linked = Some(LinkedRow {
            requisition: requisition.clone(),
            date: *date,
            fee: *amount,
            reversed: Fen::ZERO,
            supplements: 0,
            leaf: moment.leaf,
            abandoned: None,
        });
        if let Some(confirm) = &mut row.confirm {
            confirm.state = ConfirmState::Confirmed;
        }
    })?;
    fee(books, moment.at, &row, *amount, Memo::Fee)?;
    errands(books, moment.at, &row, requisition, *amount)
}

/// L8: the unit's contact is told, from a row of this commit (S18, S23). Clearing is
/// told which numbers were sold when that is known (`apply::register`).
fn errands(
    books: &mut Overlay<'_>,
    at: Timestamp,
    row: &SaleRow,
    requisition: &str,
    fee: Fen,
) -> Result<(), StoreError> {
    let (Some(info), Some(order)) = (&row.info, &row.order) else {
        return Ok(());
    };
    let unit: UnitRow = books.need(
        &key::text(Table::Unit, info.unit.as_str()),
        "an account without a unit",
    )?;
    let contact = Errand::TellContact {
        name: unit.contact_name,
        phone: unit.contact_phone,
        requisition: requisition.to_owned(),
        count: order.text.count,
        fee,
    };
    sales::tell(books, at, row, Some(contact))
}
