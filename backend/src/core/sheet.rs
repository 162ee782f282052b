//! The payment-password sheet (支付密码单, L7): which forms have a password, and how long.
//!
//! Owns the one rule that `decide`, `apply`, queries and the audit share. A password
//! holds while its form is on its way to the customer, and after that only where the
//! customer took the form and the sheet that names it.

use counterfoil_data::bill::BillNumber;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sheet::{SheetState, SheetView};

use super::key::{self, Table};
use super::overlay::get;
use super::record::bank::AccountRow;
use super::record::sale::{FormRow, HEARD_TAKEN, SaleRow};
use super::record::sheet::{PasswordRow, SheetRow, SheetStage};
use crate::store::{Read, StoreError};

/// Whether a number needs a password on this account.
pub fn needs(account: &AccountRow, number: BillNumber) -> bool {
    account.sheet && number.prefix.kind().is_ok_and(|kind| kind.takes_password())
}

/// The account of a sale, once its first gate is passed.
pub fn account(read: &dyn Read, row: &SaleRow) -> Result<Option<AccountRow>, StoreError> {
    match &row.info {
        Some(info) => get(read, &key::text(Table::Account, &info.account)),
        None => Ok(None),
    }
}

/// Whether the password of a form that needed one holds. What two people resolved as
/// sold was unknown once: its password was cancelled then, and stays so.
pub fn holds(stage: SheetStage, form: &FormRow) -> bool {
    let handed = form.state == FormState::Sold && form.heard & HEARD_TAKEN != 0 && !form.returned;
    match stage {
        SheetStage::Cancelled(_) => false,
        SheetStage::Printed => handed,
        SheetStage::Made | SheetStage::Taken { .. } => handed || is_coming(form.state),
    }
}

/// Whether a form may still reach the customer.
fn is_coming(state: FormState) -> bool {
    use FormState::{Assigned, Feeding, Presented, Printed};
    matches!(state, Assigned | Feeding | Printed | Presented)
}

/// Whether a form's end is one that cancels its password.
pub fn cancels(state: FormState) -> bool {
    use FormState::{Released, Retracted, Spoiled, Unknown};
    matches!(state, Spoiled | Retracted | Unknown | Released)
}

/// The passwords of a sale that hold, in order of its forms.
pub fn passwords(read: &dyn Read, row: &SaleRow) -> Result<Vec<PasswordRow>, StoreError> {
    let mut held = Vec::new();
    for form in &row.forms {
        let password: Option<PasswordRow> = get(read, &key::password(form.number))?;
        held.extend(password.filter(|password| password.sale == row.sale));
    }
    Ok(held)
}

/// As the wire says it.
pub fn view(row: &SheetRow) -> SheetView {
    let (state, reason) = match row.stage {
        SheetStage::Made => (SheetState::Made, None),
        SheetStage::Taken { .. } => (SheetState::Taken, None),
        SheetStage::Printed => (SheetState::Printed, None),
        SheetStage::Cancelled(reason) => (SheetState::Cancelled, Some(reason)),
    };
    SheetView {
        state,
        reason,
        forms: row.live,
    }
}
