//! The payment-password sheet into rows (L7): passwords come with their numbers and go
//! with their forms.

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;

use crate::core::event::SheetChange;
use crate::core::key;
use crate::core::overlay::Overlay;
use crate::core::record::sale::SaleRow;
use crate::core::record::sheet::{PasswordRow, SheetRow, SheetStage};
use crate::core::sheet;
use crate::store::StoreError;

/// Applies the events of a sheet.
pub fn changed(
    books: &mut Overlay<'_>,
    sale: SaleId,
    change: &SheetChange,
) -> Result<(), StoreError> {
    match change {
        SheetChange::Made(lines) => {
            let at = key::sheet(sale);
            let held: Option<SheetRow> = books.get(&at)?;
            let mut row = held.unwrap_or(SheetRow {
                sale,
                stage: SheetStage::Made,
                made: 0,
                live: 0,
            });
            for line in lines {
                let password = PasswordRow {
                    number: line.number,
                    sale,
                    check: line.check,
                    envelope: line.envelope.clone(),
                };
                books.put(key::password(line.number), &password)?;
                row.made = row.made.saturating_add(1);
                row.live = row.live.saturating_add(1);
            }
            books.put(at, &row)
        }
        SheetChange::Taken { key, .. } => {
            let stage = SheetStage::Taken { key: *key };
            staged(books, sale, stage, |_, _| Ok(()))
        }
        SheetChange::Printed { .. } => staged(books, sale, SheetStage::Printed, printed),
        SheetChange::Cancelled { reason, .. } => {
            staged(books, sale, SheetStage::Cancelled(*reason), cancelled)
        }
    }
}

/// Moves a sheet on, and does to each of its passwords what follows.
fn staged(
    books: &mut Overlay<'_>,
    sale: SaleId,
    stage: SheetStage,
    each: fn(&mut Overlay<'_>, PasswordRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let at = key::sheet(sale);
    let mut row: SheetRow = books.need(&at, "no such sheet")?;
    row.stage = stage;
    let of: SaleRow = books.need(&key::sale(sale), "a sheet without a sale")?;
    for password in sheet::passwords(books, &of)? {
        each(books, password)?;
    }
    if let SheetStage::Cancelled(_) = stage {
        row.live = 0;
    }
    books.put(at, &row)
}

/// What was printed is only checked from now on, never read again.
fn printed(books: &mut Overlay<'_>, mut password: PasswordRow) -> Result<(), StoreError> {
    password.envelope = Vec::new();
    books.put(key::password(password.number), &password)
}

fn cancelled(books: &mut Overlay<'_>, password: PasswordRow) -> Result<(), StoreError> {
    books.remove(key::password(password.number));
    Ok(())
}

/// A form of this sale came to nothing, or came back: its password is cancelled, if it
/// has one.
pub fn cancel(books: &mut Overlay<'_>, sale: SaleId, number: BillNumber) -> Result<(), StoreError> {
    let at = key::password(number);
    let held: Option<PasswordRow> = books.get(&at)?;
    if held.is_none_or(|password| password.sale != sale) {
        return Ok(());
    }
    books.remove(at);
    let at = key::sheet(sale);
    let mut row: SheetRow = books.need(&at, "a password without a sheet")?;
    row.live = row.live.saturating_sub(1);
    books.put(at, &row)
}
