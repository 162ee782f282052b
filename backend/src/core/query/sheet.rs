//! What the service needs to know to draw passwords and to give a sheet out (L7).

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;

use crate::core::key;
use crate::core::overlay::get;
use crate::core::record::sale::SaleRow;
use crate::core::record::sheet::{PasswordRow, SheetStage};
use crate::core::record::stock::SlotRow;
use crate::core::sheet;
use crate::store::{Read, StoreError};

/// The numbers that a command may give to a sale and that need a password: those shown,
/// before linking; after it the next `failed` of each slot, which may stand in for forms
/// that failed. None where the account is not under the arrangement.
pub fn numbers_to_draw(
    read: &dyn Read,
    sale: SaleId,
    failed: usize,
) -> Result<Vec<BillNumber>, StoreError> {
    let row: Option<SaleRow> = get(read, &key::sale(sale))?;
    let Some(row) = row else {
        return Ok(Vec::new());
    };
    let (Some(account), Some(order)) = (sheet::account(read, &row)?, &row.order) else {
        return Ok(Vec::new());
    };
    let mut numbers: Vec<BillNumber> = Vec::new();
    for pick in &order.picks {
        if row.linked.is_none() {
            numbers.extend(pick.ranges.iter().flat_map(|range| range.numbers()));
            continue;
        }
        let slot: Option<SlotRow> = get(read, &key::slot(&row.kiosk, &pick.slot))?;
        let queue = slot.map(|slot| slot.queue).unwrap_or_default();
        let next = queue.iter().flat_map(|range| range.numbers());
        numbers.extend(next.take(failed));
    }
    numbers.retain(|number| sheet::needs(&account, *number));
    Ok(numbers)
}

/// The passwords a sheet that was just given out consists of: of the forms that the
/// customer took.
pub fn passwords_of_sold(read: &dyn Read, sale: SaleId) -> Result<Vec<PasswordRow>, StoreError> {
    let row: Option<SaleRow> = get(read, &key::sale(sale))?;
    let Some(row) = row else {
        return Ok(Vec::new());
    };
    let mut held = sheet::passwords(read, &row)?;
    held.retain(|password| {
        let mut forms = row.forms.iter().filter(|f| f.number == password.number);
        forms.any(|form| sheet::holds(SheetStage::Printed, form))
    });
    Ok(held)
}
