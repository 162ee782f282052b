//! The officer's decisions (S17-S22, S23 fourth reading): each names the digest
//! of the text that was looked at; silence until the deadline is a denial.

use counterfoil_data::ids::{SaleId, StaffId};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::SaleState;

use super::{Draft, Stop, said};
use crate::core::command::Outcome;
use crate::core::event::Event;
use crate::core::record::sale::SaleRow;
use crate::core::refusal::Refusal;

/// The digest of the order, if it is the one looked at.
fn looked_at(row: &SaleRow, digest: Digest) -> Result<(), Stop> {
    match &row.order {
        Some(order) if order.digest == digest => Ok(()),
        _ => Err(Refusal::StaleDigest { state: row.state }.into()),
    }
}

/// The same officer's same decision about the same text: its answer was lost.
fn is_repeated(row: &SaleRow, state: SaleState, officer: &StaffId, digest: Digest) -> bool {
    let decided = row.confirm.as_ref().and_then(|c| c.decided_by.as_ref());
    row.state == state && decided == Some(officer) && looked_at(row, digest).is_ok()
}

/// S20: viewing is an audited act; repeating it by the same officer adds nothing.
pub fn seen(draft: &mut Draft<'_>, sale: SaleId, digest: Option<Digest>) -> Result<Outcome, Stop> {
    let (row, officer) = draft.shown_sale(sale)?;
    if row.state.is_over() {
        return Err(Refusal::OutOfOrder { state: row.state }.into());
    }
    let waits = row.state == SaleState::AwaitConfirm;
    let row = if waits {
        draft.in_state(row, SaleState::AwaitConfirm)?
    } else {
        row
    };
    match digest {
        // Whatever is named becomes evidence: it must be of the text of this sale.
        Some(digest) => looked_at(&row, digest)?,
        None if waits => {
            return Err(Refusal::StaleDigest { state: row.state }.into());
        }
        None => {}
    }
    if is_opened_by(&row, &officer) {
        return Ok(Outcome::Sale(row.state));
    }
    draft.emit(Event::ConfirmationSeen {
        sale,
        officer,
        digest,
    })?;
    Ok(Outcome::Sale(row.state))
}

/// This officer opened what is shown now (S20).
fn is_opened_by(row: &SaleRow, officer: &StaffId) -> bool {
    let confirm = row.confirm.as_ref();
    confirm.is_some_and(|c| c.seen_by.contains(officer))
}

/// Nobody decides about a text they did not open: `Shown → Seen → …`.
fn opened(row: &SaleRow, officer: &StaffId) -> Result<(), Stop> {
    if is_opened_by(row, officer) {
        return Ok(());
    }
    Err(Refusal::NotSeen { state: row.state }.into())
}

/// Confirms exactly this text.
pub fn confirm(draft: &mut Draft<'_>, sale: SaleId, digest: Digest) -> Result<Outcome, Stop> {
    let (row, officer) = draft.shown_sale(sale)?;
    if is_repeated(&row, SaleState::Confirmed, &officer, digest) {
        return Ok(Outcome::Sale(row.state));
    }
    let row = draft.in_state(row, SaleState::AwaitConfirm)?;
    looked_at(&row, digest)?;
    opened(&row, &officer)?;
    draft.emit(Event::Confirmed {
        sale,
        officer: Some(officer),
        digest,
    })?;
    Ok(Outcome::Sale(SaleState::Confirmed))
}

/// Denies; the sale ends.
pub fn deny(
    draft: &mut Draft<'_>,
    sale: SaleId,
    digest: Digest,
    why: Option<&str>,
) -> Result<Outcome, Stop> {
    let (row, officer) = draft.shown_sale(sale)?;
    let why = why.filter(|text| !text.trim().is_empty());
    why.map_or(Ok(()), said)?;
    if is_repeated(&row, SaleState::Denied, &officer, digest) {
        return Ok(Outcome::Sale(row.state));
    }
    let row = draft.in_state(row, SaleState::AwaitConfirm)?;
    looked_at(&row, digest)?;
    opened(&row, &officer)?;
    draft.emit(Event::Denied {
        sale,
        officer,
        digest,
        note: why.map(str::to_owned),
    })?;
    Ok(Outcome::Sale(SaleState::Denied))
}

/// Asks again; the order opens for the customer.
pub fn ask(
    draft: &mut Draft<'_>,
    sale: SaleId,
    digest: Digest,
    question: &str,
) -> Result<Outcome, Stop> {
    let (row, officer) = draft.shown_sale(sale)?;
    said(question)?;
    let row = draft.in_state(row, SaleState::AwaitConfirm)?;
    looked_at(&row, digest)?;
    opened(&row, &officer)?;
    draft.emit(Event::Asked {
        sale,
        officer,
        digest,
        question: question.to_owned(),
    })?;
    Ok(Outcome::Sale(SaleState::Ordered))
}

/// Silence until the deadline.
pub fn time_out(draft: &mut Draft<'_>, sale: SaleId) -> Result<Outcome, Stop> {
    draft.system()?;
    let row = draft.sale(sale)?;
    let due = row.deadline.is_some_and(|d| d <= draft.command.at);
    let due = due && row.state == SaleState::AwaitConfirm;
    let Some(order) = row.order.filter(|_| due) else {
        return Err(Refusal::OutOfOrder { state: row.state }.into());
    };
    let digest = order.digest;
    draft.emit(Event::ConfirmationTimedOut { sale, digest })?;
    Ok(Outcome::Sale(SaleState::Denied))
}
