//! The sale's row through its gates, its timer, and who is told.

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::confirm::ConfirmState;
use counterfoil_data::wire::sale::SaleState;
use jiff::{SignedDuration, Timestamp};

use super::Moment;
use super::{finger, register};
use crate::core::event::Event;
use crate::core::key::{self, Table};
use crate::core::ledger;
use crate::core::overlay::Overlay;
use crate::core::record::bank::{KioskRow, Policy};
use crate::core::record::books::{CounterRow, Errand, OUTBOX_KEPT, OutboxRow};
use crate::core::record::sale::{ConfirmRow, IdentityProven, Pending, SEEN_BY_MAX, SaleRow};
use crate::core::waiting;
use crate::store::{Read as _, StoreError};

/// Least time left to a sale after a confirmation, in seconds.
const AFTER_CONFIRM_S: i64 = 120;
/// Silence of a kiosk in a linked sale, in seconds, after which it counts as lost.
/// Each advice begins it anew; a reboot or a repaired cable must fit in.
pub const KIOSK_LOST_S: i64 = 3_600;

/// Changes a sale's row; keeps its timer, the kiosk's open sale, its line in the
/// register, the counters and the notices right.
pub fn change(
    books: &mut Overlay<'_>,
    at: Timestamp,
    sale: SaleId,
    edit: impl FnOnce(&mut SaleRow),
) -> Result<SaleRow, StoreError> {
    let mut row: SaleRow = books.need(&key::sale(sale), "no such sale")?;
    let was = (
        row.state,
        row.confirm.as_ref().map(|c| c.state),
        row.deadline,
    );
    let before = register::Before::of(&row);
    edit(&mut row);
    row.heard_at = at;
    if matches!(row.state, SaleState::Linked | SaleState::Dispensing) {
        row.deadline = Some(lost_at(row.deadline, at));
    }
    if row.state.is_over() {
        row.deadline = None;
        row.pending = None;
        withdraw(&mut row);
    }
    if was.2 != row.deadline {
        if let Some(old) = was.2 {
            books.remove(key::timer(old, sale));
        }
        if let Some(new) = row.deadline {
            books.put_bytes(key::timer(new, sale), Vec::new());
        }
    }
    if row.state.is_over() && !was.0.is_over() {
        leave_kiosk(books, &row)?;
    }
    books.put(key::sale(sale), &row)?;
    if (was.0, was.1) != (row.state, row.confirm.as_ref().map(|c| c.state)) {
        tell(books, at, &row, None)?;
    }
    register::follow(books, at, &before, &row)?;
    waiting::sale(books, was.0, &row)?;
    Ok(row)
}

/// When a kiosk heard of now counts as lost. The timer is moved at most once in half
/// its time, so that an advice rarely costs a row of its own.
fn lost_at(held: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let soon = later(now, KIOSK_LOST_S / 2);
    match held {
        Some(held) if held > soon => held,
        _ => later(now, KIOSK_LOST_S),
    }
}

/// A time so many seconds later, in whole milliseconds like its timer's key.
pub fn later(from: Timestamp, seconds: i64) -> Timestamp {
    let whole = Timestamp::from_millisecond(from.as_millisecond()).unwrap_or(from);
    whole
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

/// A confirmation nobody decided ends with its sale.
fn withdraw(row: &mut SaleRow) {
    if let Some(confirm) = &mut row.confirm
        && !matches!(
            confirm.state,
            ConfirmState::Confirmed | ConfirmState::Denied | ConfirmState::TimedOut
        )
    {
        confirm.state = ConfirmState::Withdrawn;
    }
}

/// The kiosk is free. What its stations show stays there until its next buyer (S23).
fn leave_kiosk(books: &mut Overlay<'_>, row: &SaleRow) -> Result<(), StoreError> {
    let key = key::text(Table::Kiosk, row.kiosk.as_str());
    let mut kiosk: KioskRow = books.need(&key, "a sale without a kiosk")?;
    if kiosk.open_sale == Some(row.sale) {
        kiosk.open_sale = None;
        books.put(key, &kiosk)?;
    }
    Ok(())
}

/// Adds an outbox row; stations see it once the buyer is identified (S19).
pub fn tell(
    books: &mut Overlay<'_>,
    at: Timestamp,
    row: &SaleRow,
    errand: Option<Errand>,
) -> Result<(), StoreError> {
    let sequence = ledger::next(books, ledger::OUTBOX_COUNTER)?;
    if errand.is_some() {
        books.put_bytes(key::numbered(Table::Pending, sequence), Vec::new());
    }
    let outbox = OutboxRow {
        at,
        sale: row.sale,
        state: row.state,
        kiosk: row.kiosk.clone(),
        branch: row.identity.as_ref().map(|_| row.branch.clone()),
        errand,
    };
    books.put(key::numbered(Table::Outbox, sequence), &outbox)?;
    forget(books, sequence)
}

/// Forgets a notice that only its errand had kept.
pub fn forget_delivered(books: &mut Overlay<'_>, sequence: u64) -> Result<(), StoreError> {
    let counter = key::text(Table::Counter, ledger::OUTBOX_COUNTER);
    let newest: CounterRow = books.get(&counter)?.unwrap_or_default();
    if newest.value.saturating_sub(sequence) >= OUTBOX_KEPT {
        books.remove(key::numbered(Table::Outbox, sequence));
    }
    Ok(())
}

/// Forgets the notice that is now too old to resume from, if nothing waits on it.
fn forget(books: &mut Overlay<'_>, newest: u64) -> Result<(), StoreError> {
    let Some(old) = newest.checked_sub(OUTBOX_KEPT) else {
        return Ok(());
    };
    if books.read(&key::numbered(Table::Pending, old))?.is_none() {
        books.remove(key::numbered(Table::Outbox, old));
    }
    Ok(())
}

fn opened(books: &mut Overlay<'_>, moment: Moment, row: &SaleRow) -> Result<(), StoreError> {
    let key = key::text(Table::Kiosk, row.kiosk.as_str());
    let mut kiosk: KioskRow = books.need(&key, "a sale without a kiosk")?;
    kiosk.open_sale = Some(row.sale);
    books.put(key, &kiosk)?;
    books.remove(key::confirming(&row.branch, &row.kiosk));
    books.put(key::sale(row.sale), row)?;
    if let Some(deadline) = row.deadline {
        books.put_bytes(key::timer(deadline, row.sale), Vec::new());
    }
    tell(books, moment.at, row, None)
}

/// Applies the events of a sale's gates.
pub fn changed(books: &mut Overlay<'_>, moment: Moment, event: &Event) -> Result<(), StoreError> {
    if let Event::SaleOpened(row) = event {
        return opened(books, moment, row);
    }
    let Some(sale) = event.sale() else {
        return Ok(());
    };
    match event {
        Event::InfoAttempted { counted, .. }
        | Event::IdentityAttempted { counted, .. }
        | Event::SaleRefused { counted, .. } => {
            for (key, row) in counted {
                books.put(key.clone(), row)?;
            }
        }
        Event::InfoVerified { cleared, .. } | Event::IdentityVerified { cleared, .. } => {
            for key in cleared {
                books.remove(key.clone());
            }
        }
        Event::SecondFinger(second) => finger::counters(books, &second.to)?,
        _ => {}
    }
    let policy: Policy = books.need(&key::single(Table::Policy), "no policy")?;
    let row = change(books, moment.at, sale, |row| {
        if matches!(
            event,
            Event::Ordered { .. }
                | Event::ConfirmationShown { .. }
                | Event::ConfirmationSeen { .. }
                | Event::Confirmed { .. }
                | Event::Denied { .. }
                | Event::Asked { .. }
                | Event::ConfirmationTimedOut { .. }
        ) {
            confirming(row, moment, &policy, event);
        } else {
            gate(row, moment, event);
        }
    })?;
    if let Event::IdentityVerified { agent, touch, .. } = event {
        finger::accepted(books, agent, touch.as_ref())?;
        // S19: from now on this branch's stations see who is buying.
        let key = key::confirming(&row.branch, &row.kiosk);
        books.put_bytes(key, row.sale.0.to_be_bytes().to_vec());
    }
    Ok(())
}

fn gate(row: &mut SaleRow, moment: Moment, event: &Event) {
    match event {
        Event::InfoAttempted {
            attempt,
            subject,
            proof,
            challenge,
            ..
        } => {
            row.info_attempts = *attempt;
            row.challenge = *challenge;
            row.pending = Some(Pending::Info {
                attempt: *attempt,
                subject: *subject,
                proof: proof.clone(),
            });
        }
        Event::InfoVerified { proof, .. } => {
            row.pending = None;
            row.refusal = None;
            row.info = Some(proof.clone());
            row.state = SaleState::InfoVerified;
        }
        Event::InfoFailed { refusal, .. } | Event::IdentityFailed { refusal, .. } => {
            row.pending = None;
            row.refusal = Some(refusal.clone());
        }
        Event::IdentityAttempted {
            attempt,
            agent,
            document,
            challenge,
            ..
        } => {
            row.identity_attempts = *attempt;
            row.challenge = *challenge;
            row.pending = Some(Pending::Identity {
                attempt: *attempt,
                agent: agent.clone(),
                document: document.clone(),
            });
        }
        Event::SecondFinger(second) => finger::gate(row, moment, &second.to),
        Event::IdentityVerified {
            agent,
            document,
            score_milli,
            finger,
            ..
        } => {
            row.pending = None;
            row.refusal = None;
            row.identity = Some(IdentityProven {
                agent: agent.clone(),
                at: moment.at,
                score_milli: *score_milli,
                finger: *finger,
                document: document.clone(),
            });
            row.confirm = Some(ConfirmRow {
                state: ConfirmState::Identity,
                seen_by: Vec::new(),
                seen_at: None,
                decided_by: None,
                question: None,
            });
            row.state = SaleState::IdentityVerified;
        }
        _ => ended(row, moment, event),
    }
}

fn ended(row: &mut SaleRow, moment: Moment, event: &Event) {
    match event {
        Event::SaleRefused { refusal, .. } => {
            row.refusal = Some(refusal.clone());
            row.state = SaleState::Refused;
        }
        Event::SaleCancelled { .. } => row.state = SaleState::Cancelled,
        Event::SaleExpired { .. } => row.state = SaleState::Expired,
        Event::SaleSuspended { reason, .. } => {
            row.state = SaleState::Suspended;
            if let Some(linked) = &mut row.linked {
                linked.abandoned = Some(*reason);
            }
        }
        Event::SaleClosed { abandoned, .. } => {
            row.state = SaleState::Closed;
            row.closing_leaf = Some(moment.leaf);
            if let (Some(linked), Some(reason)) = (&mut row.linked, abandoned) {
                linked.abandoned = Some(*reason);
            }
        }
        _ => {}
    }
}

fn confirming(row: &mut SaleRow, moment: Moment, policy: &Policy, event: &Event) {
    let Some(confirm) = &mut row.confirm else {
        return;
    };
    let born_until = later(row.opened_at, i64::from(policy.sale_within_s));
    match event {
        Event::Ordered { order, .. } => {
            row.order = Some((**order).clone());
            row.refusal = None;
            row.state = SaleState::Ordered;
            confirm.question = None;
        }
        Event::ConfirmationShown { deadline, .. } => {
            row.state = SaleState::AwaitConfirm;
            row.deadline = Some(*deadline);
            confirm.state = ConfirmState::Shown;
            confirm.seen_by.clear();
        }
        Event::ConfirmationSeen { officer, .. } => {
            if confirm.seen_by.len() >= SEEN_BY_MAX {
                confirm.seen_by.remove(0);
            }
            confirm.seen_by.push(officer.clone());
            confirm.seen_at = Some(moment.at);
            if confirm.state == ConfirmState::Shown {
                confirm.state = ConfirmState::Seen;
            }
        }
        Event::Confirmed { officer, .. } => {
            row.state = SaleState::Confirmed;
            row.deadline = Some(born_until.max(later(moment.at, AFTER_CONFIRM_S)));
            confirm.state = ConfirmState::Confirmed;
            confirm.decided_by = officer.clone();
        }
        Event::Denied { officer, .. } => {
            row.state = SaleState::Denied;
            confirm.state = ConfirmState::Denied;
            confirm.decided_by = Some(officer.clone());
        }
        Event::Asked {
            officer, question, ..
        } => {
            row.state = SaleState::Ordered;
            row.deadline = Some(born_until.max(later(moment.at, AFTER_CONFIRM_S)));
            confirm.state = ConfirmState::Asked;
            confirm.decided_by = Some(officer.clone());
            confirm.question = Some(question.clone());
        }
        Event::ConfirmationTimedOut { .. } => {
            row.state = SaleState::Denied;
            confirm.state = ConfirmState::TimedOut;
        }
        _ => {}
    }
}
