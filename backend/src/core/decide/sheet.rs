//! The payment-password sheet (L7): made with the numbers, given out once, ended with
//! its sale. Every command but `TakeSheet` only adds to what its own decision did.

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::SealKey;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sale::SaleState;
use counterfoil_data::wire::sheet::{SheetOutcome, SheetReason};

use super::{Draft, Stop};
use crate::core::command::{Outcome, PasswordLine};
use crate::core::event::{Event, SheetChange, SheetChanged};
use crate::core::key;
use crate::core::record::sale::SaleRow;
use crate::core::record::sheet::{PASSWORD_ENVELOPE_MAX, SheetRow, SheetStage};
use crate::core::refusal::{Malformed, Missing, Refusal};
use crate::core::sheet;

/// Makes the passwords of numbers a sale was just given; nothing where the account is
/// not under the arrangement or the kind needs none. They were drawn for exactly these
/// numbers; where others moved in between, nothing is done and the caller repeats.
pub fn make(
    draft: &mut Draft<'_>,
    sale: SaleId,
    numbers: &[BillNumber],
    drawn: &[PasswordLine],
) -> Result<(), Stop> {
    let row = draft.sale(sale)?;
    let Some(account) = sheet::account(&draft.books, &row)? else {
        return Ok(());
    };
    let mut lines = Vec::new();
    for number in numbers.iter().filter(|n| sheet::needs(&account, **n)) {
        let line = drawn.iter().find(|line| line.number == *number);
        let line = line.ok_or(Refusal::Undrawn)?;
        if line.envelope.is_empty() || line.envelope.len() > PASSWORD_ENVELOPE_MAX {
            return Err(Refusal::Malformed(Malformed::Limit).into());
        }
        lines.push(line.clone());
    }
    if !lines.is_empty() {
        change(draft, sale, SheetChange::Made(lines))?;
    }
    Ok(())
}

/// The kiosk asks for the sheet under a key of its own: once, when nothing of the sale is
/// on its way and something was sold. The same key may ask again.
pub fn take(draft: &mut Draft<'_>, sale: SaleId, key: SealKey) -> Result<Outcome, Stop> {
    let row = draft.own_sale(sale)?;
    let state = row.state;
    if !matches!(state, SaleState::Linked | SaleState::Dispensing) {
        return Err(Refusal::OutOfOrder { state }.into());
    }
    let what = Missing::Sheet;
    let held = held(draft, sale)?.ok_or(Refusal::NotFound { what })?;
    match held.stage {
        SheetStage::Taken { key: first } if first == key.0 => return Ok(Outcome::Done),
        SheetStage::Made => {}
        _ => return Err(Refusal::SheetGiven { state }.into()),
    }
    let moving = |s: FormState| {
        matches!(
            s,
            FormState::Feeding | FormState::Printed | FormState::Presented
        )
    };
    let open = row.forms.iter().filter(|f| moving(f.state)).count();
    let open = u32::try_from(open).unwrap_or(u32::MAX);
    if open > 0 {
        return Err(Refusal::FormsOpen { open, state }.into());
    }
    let forms = handed(draft, &row)?;
    if forms == 0 {
        return Err(Refusal::NotFound { what }.into());
    }
    let key = key.0;
    change(draft, sale, SheetChange::Taken { key, forms })?;
    Ok(Outcome::Done)
}

/// Whether the sheet has left the house: then no form may be fed any more.
pub fn is_given(draft: &Draft<'_>, sale: SaleId) -> Result<bool, Stop> {
    Ok(held(draft, sale)?.is_some_and(|held| held.stage != SheetStage::Made))
}

/// Ends a sale's sheet before the sale itself ends. What nobody says was printed is
/// cancelled, and so is what was printed for nobody.
pub fn settle(
    draft: &mut Draft<'_>,
    sale: SaleId,
    outcome: Option<SheetOutcome>,
) -> Result<(), Stop> {
    let row = draft.sale(sale)?;
    let Some(held) = held(draft, sale)? else {
        return Ok(());
    };
    let forms = handed(draft, &row)?;
    let reason = match (held.stage, outcome) {
        (SheetStage::Printed | SheetStage::Cancelled(_), _) => return Ok(()),
        (SheetStage::Taken { .. }, Some(SheetOutcome::Printed)) if forms > 0 => None,
        (SheetStage::Made, Some(SheetOutcome::Printed)) => {
            // Printed what was never given: the kiosk's account cannot be true.
            return Err(Refusal::OutOfOrder { state: row.state }.into());
        }
        (SheetStage::Made, _) if forms == 0 => Some(SheetReason::NothingSold),
        (SheetStage::Made, _) | (_, Some(SheetOutcome::NotPrinted)) => {
            Some(SheetReason::NotPrinted)
        }
        (SheetStage::Taken { .. }, _) => Some(SheetReason::Unknown),
    };
    let to = match reason {
        None => SheetChange::Printed { forms },
        Some(reason) => SheetChange::Cancelled {
            forms: held.live,
            reason,
        },
    };
    change(draft, sale, to)
}

fn change(draft: &mut Draft<'_>, sale: SaleId, to: SheetChange) -> Result<(), Stop> {
    draft.emit(Event::SheetChanged(SheetChanged { sale, to }))?;
    Ok(())
}

fn held(draft: &Draft<'_>, sale: SaleId) -> Result<Option<SheetRow>, Stop> {
    Ok(draft.books.get(&key::sheet(sale))?)
}

/// Forms in the customer's hand whose password holds.
fn handed(draft: &Draft<'_>, row: &SaleRow) -> Result<u32, Stop> {
    let held = sheet::passwords(&draft.books, row)?;
    let handed = row.forms.iter().filter(|form| {
        sheet::holds(SheetStage::Printed, form) && held.iter().any(|p| p.number == form.number)
    });
    Ok(u32::try_from(handed.count()).unwrap_or(u32::MAX))
}
