//! How sales end: cancelled, expired, broken off, closed.

use counterfoil_data::ids::{SaleId, StaffId};
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sale::{AbandonReason, SaleState};
use counterfoil_data::wire::sheet::SheetOutcome;

use super::{Draft, Stop, sheet, stock};
use crate::core::command::Outcome;
use crate::core::event::{Event, FormChanged};
use crate::core::matrix::Act;
use crate::core::record::sale::SaleRow;
use crate::core::refusal::Refusal;

use super::forms::owed;

fn is_linked(state: SaleState) -> bool {
    matches!(state, SaleState::Linked | SaleState::Dispensing)
}

fn is_before_linked(state: SaleState) -> bool {
    !state.is_over() && !is_linked(state)
}

fn out_of_order(row: &SaleRow) -> Stop {
    Refusal::OutOfOrder { state: row.state }.into()
}

/// Forms whose outcome is still to come.
fn open_forms(row: &SaleRow) -> u32 {
    let open = row.forms.iter().filter(|f| !f.state.is_settled()).count();
    u32::try_from(open).unwrap_or(u32::MAX)
}

/// The customer gives up before linking.
pub fn cancel(draft: &mut Draft<'_>, sale: SaleId) -> Result<Outcome, Stop> {
    let row = draft.own_sale(sale)?;
    if row.state == SaleState::Cancelled {
        return Ok(Outcome::Sale(row.state));
    }
    if !is_before_linked(row.state) {
        return Err(out_of_order(&row));
    }
    draft.emit(Event::SaleCancelled { sale })?;
    Ok(Outcome::Sale(SaleState::Cancelled))
}

/// The customer stayed silent before linking; a confirmation has its own timer.
pub fn expire(draft: &mut Draft<'_>, sale: SaleId) -> Result<Outcome, Stop> {
    draft.system()?;
    let row = draft.sale(sale)?;
    let due = row.deadline.is_some_and(|d| d <= draft.command.at);
    if !due || !is_before_linked(row.state) || row.state == SaleState::AwaitConfirm {
        return Err(out_of_order(&row));
    }
    draft.emit(Event::SaleExpired { sale })?;
    Ok(Outcome::Sale(SaleState::Expired))
}

/// A linked sale is broken off by its kiosk.
pub fn abandon(
    draft: &mut Draft<'_>,
    sale: SaleId,
    reason: AbandonReason,
    sheet: Option<SheetOutcome>,
) -> Result<Outcome, Stop> {
    let row = draft.own_sale(sale)?;
    if !is_linked(row.state) {
        return Err(out_of_order(&row));
    }
    break_off(draft, &row, reason, sheet)
}

/// The kiosk of a linked sale was silent until the deadline: it is lost. It cannot
/// have fed what we did not let it feed (I5), so that goes back to stock.
pub fn suspend_lost(draft: &mut Draft<'_>, sale: SaleId) -> Result<Outcome, Stop> {
    draft.system()?;
    let row = draft.sale(sale)?;
    let due = row.deadline.is_some_and(|d| d <= draft.command.at);
    if !due || !is_linked(row.state) {
        return Err(out_of_order(&row));
    }
    break_off(draft, &row, AbandonReason::KioskLost, None)
}

/// What was never fed goes back to the head with its fee; what was fed keeps its
/// state until its outcome is known (I6).
fn break_off(
    draft: &mut Draft<'_>,
    row: &SaleRow,
    reason: AbandonReason,
    outcome: Option<SheetOutcome>,
) -> Result<Outcome, Stop> {
    let sale = row.sale;
    // Last number first, so that the lowest ends up at the head.
    for form in row.forms.iter().rev() {
        if form.state != FormState::Assigned {
            continue;
        }
        let picks = row.order.as_ref().map(|o| o.picks.as_slice());
        let pick = picks.and_then(|p| p.get(usize::from(form.pick)));
        draft.emit(Event::FormChanged(FormChanged {
            sale,
            number: form.number,
            to: FormState::Released,
            heard: 0,
            read: None,
            ink: None,
            words: String::new(),
            reversed: pick.and_then(|p| owed(p.fee_each)),
        }))?;
    }
    sheet::settle(draft, sale, outcome)?;
    if open_forms(&draft.sale(sale)?) > 0 {
        draft.emit(Event::SaleSuspended { sale, reason })?;
        return Ok(Outcome::Sale(SaleState::Suspended));
    }
    let abandoned = Some(reason);
    draft.emit(Event::SaleClosed { sale, abandoned })?;
    Ok(Outcome::Sale(SaleState::Closed))
}

/// All forms are settled: the receipt.
pub fn close(
    draft: &mut Draft<'_>,
    sale: SaleId,
    sheet: Option<SheetOutcome>,
) -> Result<Outcome, Stop> {
    let row = draft.own_sale(sale)?;
    finish(draft, &row, sheet)
}

/// What its kiosk left behind is settled: two people who may resolve forms close it.
pub fn close_by_staff(
    draft: &mut Draft<'_>,
    second: StaffId,
    sale: SaleId,
) -> Result<Outcome, Stop> {
    let row = draft.sale(sale)?;
    stock::two_people(draft, second, &row.branch, Act::CloseSale)?;
    finish(draft, &row, None)
}

fn finish(
    draft: &mut Draft<'_>,
    row: &SaleRow,
    outcome: Option<SheetOutcome>,
) -> Result<Outcome, Stop> {
    if !is_linked(row.state) && row.state != SaleState::Suspended {
        return Err(out_of_order(row));
    }
    let open = open_forms(row);
    if open > 0 {
        let state = row.state;
        return Err(Refusal::FormsOpen { open, state }.into());
    }
    let abandoned = row.linked.as_ref().and_then(|l| l.abandoned);
    let sale = row.sale;
    sheet::settle(draft, sale, outcome)?;
    draft.emit(Event::SaleClosed { sale, abandoned })?;
    Ok(Outcome::Sale(SaleState::Closed))
}
