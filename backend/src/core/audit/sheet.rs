//! Payment-password sheets (L7): every linked sale that needs one has one, and a password
//! holds exactly where its form does.

use super::{AuditFailure, each};
use crate::core::key;
use crate::core::overlay::get;
use crate::core::record::sale::SaleRow;
use crate::core::record::sheet::{PasswordRow, SheetRow, SheetStage};
use crate::core::sheet;
use crate::store::Read;

/// Checks every sale's sheet, and that no password is left over.
pub fn check(read: &dyn Read) -> Result<(), AuditFailure> {
    let (mut sheets, mut passwords) = (0_u64, 0_u64);
    each(read, |_, row: SaleRow| {
        if let Some(held) = of_sale(read, &row)? {
            sheets = sheets.saturating_add(1);
            passwords = passwords.saturating_add(held.live.into());
        }
        Ok(())
    })?;
    each(read, |_, row: SheetRow| {
        let gone = AuditFailure::Sheet { sale: row.sale };
        sheets = sheets.checked_sub(1).ok_or(gone)?;
        Ok(())
    })?;
    each(read, |key, row: PasswordRow| {
        let stray = || AuditFailure::Password { number: row.number };
        passwords = passwords.checked_sub(1).ok_or_else(stray)?;
        if key == key::password(row.number) {
            Ok(())
        } else {
            Err(stray())
        }
    })
}

/// The sheet of a sale, checked; `None` where it needs none.
fn of_sale(read: &dyn Read, row: &SaleRow) -> Result<Option<SheetRow>, AuditFailure> {
    let sale = row.sale;
    let wrong = || AuditFailure::Sheet { sale };
    let account = sheet::account(read, row)?;
    let needs = |number| account.as_ref().is_some_and(|a| sheet::needs(a, number));
    let needed = row.linked.is_some() && row.forms.iter().any(|form| needs(form.number));
    let held: Option<SheetRow> = get(read, &key::sheet(sale))?;
    let held = match (needed, held) {
        (false, None) => return Ok(None),
        (true, Some(held)) => held,
        _ => return Err(wrong()),
    };
    let settled = matches!(held.stage, SheetStage::Printed | SheetStage::Cancelled(_));
    if held.sale != sale || settled != row.state.is_over() {
        return Err(wrong());
    }
    let mut live = 0_u32;
    for form in row.forms.iter().filter(|form| needs(form.number)) {
        let number = form.number;
        let password: Option<PasswordRow> = get(read, &key::password(number))?;
        let password = password.filter(|password| password.sale == sale);
        if password.is_some() != sheet::holds(held.stage, form) {
            return Err(AuditFailure::Password { number });
        }
        if let Some(password) = password {
            live = live.saturating_add(1);
            // Readable until it is printed, and then never again.
            if password.envelope.is_empty() != (held.stage == SheetStage::Printed) {
                return Err(AuditFailure::Password { number });
            }
        }
    }
    if live == held.live && live <= held.made {
        Ok(Some(held))
    } else {
        Err(wrong())
    }
}
