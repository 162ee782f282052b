//! What happened to paper (I5, I6): advices in order, idempotent by (sale, number,
//! event). A fed form never returns to stock; nothing is guessed.

use counterfoil_data::bill::{BillKind, BillNumber};
use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::forms::{ADVICES_MAX, FormAdvice, FormEvent, FormState};

use super::{Draft, Stop, sheet};
use crate::core::command::{Outcome, PasswordLine};
use crate::core::custody;
use crate::core::event::{Event, FormChanged};
use crate::core::key;
use crate::core::record::sale::{FormRow, HEARD_TAKEN, Pick, SUPPLEMENTS_MAX, SaleRow};
use crate::core::record::stock::{Place, SlotRow};
use crate::core::refusal::{Malformed, Refusal};
use crate::store::StoreError;

/// Longest words of a device kept, in bytes.
const WORDS_MAX: usize = 256;

/// The bit of an event in `FormRow::heard`.
fn bit(event: &FormEvent) -> u8 {
    match event {
        FormEvent::Feeding => 1,
        FormEvent::Printed { .. } => 2,
        FormEvent::Failed { .. } => 4,
        FormEvent::Mismatch { .. } => 8,
        FormEvent::Presented => 16,
        FormEvent::Taken => HEARD_TAKEN,
        FormEvent::Retracted => 64,
        FormEvent::NoOutcome { .. } => 128,
    }
}

/// The state an event leads to, if it may happen in this one.
///
/// ```text
/// Assigned → Feeding → Printed → Presented → Sold
///               |         |          +→ Retracted
///               +→ Spoiled|          |
///               +→ Unknown ←---------+
/// ```
fn next(state: FormState, event: &FormEvent) -> Option<FormState> {
    use FormState::{Assigned, Feeding, Presented, Printed};
    match (state, event) {
        (Assigned, FormEvent::Feeding) => Some(Feeding),
        (Feeding, FormEvent::Printed { .. }) => Some(Printed),
        (Feeding, FormEvent::Failed { .. }) => Some(FormState::Spoiled),
        (Printed, FormEvent::Presented) => Some(Presented),
        (Presented, FormEvent::Taken) => Some(FormState::Sold),
        (Presented, FormEvent::Retracted) => Some(FormState::Retracted),
        (Feeding, FormEvent::Mismatch { .. })
        | (Feeding | Printed | Presented, FormEvent::NoOutcome { .. }) => Some(FormState::Unknown),
        _ => None,
    }
}

/// Takes in what the kiosk knows; all of it, or the call fails as a whole.
pub fn advise(
    draft: &mut Draft<'_>,
    sale: SaleId,
    advices: &[FormAdvice],
    drawn: &[PasswordLine],
) -> Result<Outcome, Stop> {
    if advices.is_empty() || advices.len() > ADVICES_MAX {
        return Err(Refusal::Malformed(Malformed::Advices).into());
    }
    let row = draft.own_sale(sale)?;
    if row.linked.is_none() {
        return Err(Refusal::OutOfOrder { state: row.state }.into());
    }
    let mut accepted = 0_u32;
    for advice in advices {
        advise_one(draft, sale, advice, drawn)?;
        accepted = accepted.saturating_add(1);
    }
    let row = draft.sale(sale)?;
    let failed = |number: BillNumber| {
        let is_failure = |a: &FormAdvice| matches!(a.event, FormEvent::Failed { .. });
        advices.iter().any(|a| a.number == number && is_failure(a))
    };
    let supplements = row
        .forms
        .iter()
        .filter(|f| f.stands_for.is_some_and(failed))
        .map(|f| f.number)
        .collect();
    Ok(Outcome::Forms {
        accepted,
        supplements,
    })
}

fn advise_one(
    draft: &mut Draft<'_>,
    sale: SaleId,
    advice: &FormAdvice,
    drawn: &[PasswordLine],
) -> Result<(), Stop> {
    let row = draft.sale(sale)?;
    let number = advice.number;
    let form = row.forms.iter().rev().find(|f| f.number == number).cloned();
    let form = form.ok_or(Refusal::NotFound {
        what: crate::core::refusal::Missing::Form,
    })?;
    let heard = bit(&advice.event);
    if form.heard & heard != 0 {
        return Ok(());
    }
    let contradiction = Refusal::FormContradiction {
        number,
        form: form.state,
        state: row.state,
    };
    let to = next(form.state, &advice.event).ok_or_else(|| contradiction.clone())?;
    let pick = pick(&row, &form)?;
    let mut change = FormChanged {
        sale,
        number,
        to,
        heard,
        read: None,
        ink: None,
        words: String::new(),
        reversed: None,
    };
    match &advice.event {
        FormEvent::Feeding => in_turn(draft, &row, number)?,
        FormEvent::Printed { evidence } => change.words = words(evidence),
        FormEvent::NoOutcome { reason } => change.words = words(reason),
        FormEvent::Failed { ink, reason } => {
            change.ink = Some(*ink);
            change.words = words(reason);
            return failed(draft, &row, &pick, change, drawn);
        }
        FormEvent::Mismatch { read } => {
            if *read == number {
                return Err(contradiction.into());
            }
            change.read = Some(*read);
            return mismatched(draft, &row, &pick, change);
        }
        FormEvent::Retracted => change.reversed = owed(pick.fee_each),
        FormEvent::Presented | FormEvent::Taken => {}
    }
    draft.emit(Event::FormChanged(change))?;
    Ok(())
}

/// A device's words, cut and without anything but printable ASCII.
fn words(text: &str) -> String {
    let lawful = |c: &char| c.is_ascii_graphic() || *c == ' ';
    text.chars().filter(lawful).take(WORDS_MAX).collect()
}

fn pick(row: &SaleRow, form: &FormRow) -> Result<Pick, Stop> {
    let order = row.order.as_ref();
    let pick = order.and_then(|o| o.picks.get(usize::from(form.pick)));
    let gap = StoreError::Contradiction("a form without its slot");
    Ok(pick.cloned().ok_or(gap)?)
}

/// A fee to give back, if it is one.
pub fn owed(fee: Fen) -> Option<Fen> {
    (fee != Fen::ZERO).then_some(fee)
}

fn slot(draft: &Draft<'_>, row: &SaleRow, pick: &Pick) -> Result<SlotRow, Stop> {
    let key = key::slot(&row.kiosk, &pick.slot);
    Ok(draft.books.need(&key, "no such slot")?)
}

/// I5, domain K7: strictly in number order, one at a time, from an unlocked slot.
fn in_turn(draft: &Draft<'_>, row: &SaleRow, number: BillNumber) -> Result<(), Stop> {
    let state = row.state;
    // A form that came after its sheet would have no password on it.
    if sheet::is_given(draft, row.sale)? {
        return Err(Refusal::SheetGiven { state }.into());
    }
    if let Some(open) = row.forms.iter().find(|f| f.state == FormState::Feeding) {
        let expected = open.number;
        return Err(Refusal::FormOrder { expected, state }.into());
    }
    for form in row.forms.iter().filter(|f| f.state == FormState::Assigned) {
        let locked = slot(draft, row, &pick(row, form)?)?.locked;
        if form.number == number {
            let refusal = Refusal::SlotLocked { number, state };
            return if locked { Err(refusal.into()) } else { Ok(()) };
        }
        if !locked {
            let expected = form.number;
            return Err(Refusal::FormOrder { expected, state }.into());
        }
    }
    Ok(())
}

/// Spoiled: the next head number stands in, no second fee; or the fee goes back.
fn failed(
    draft: &mut Draft<'_>,
    row: &SaleRow,
    pick: &Pick,
    mut change: FormChanged,
    drawn: &[PasswordLine],
) -> Result<(), Stop> {
    let slot = slot(draft, row, pick)?;
    let given = row.linked.as_ref().map_or(0, |l| l.supplements);
    let head = slot.head(1).and_then(|head| head.first().copied());
    let allowed = !slot.locked && given < SUPPLEMENTS_MAX && !row.state.is_over();
    let supplement = head.filter(|_| allowed).map(|head| head.first());
    if supplement.is_none() {
        change.reversed = owed(pick.fee_each);
    }
    let (sale, stands_for) = (change.sale, change.number);
    draft.emit(Event::FormChanged(change))?;
    if let Some(number) = supplement {
        draft.emit(Event::FormSupplied {
            sale,
            number,
            stands_for,
        })?;
        sheet::make(draft, sale, &[number], drawn)?;
    }
    Ok(())
}

/// Another number was read: both are frozen, the slot is locked (S9, I6).
fn mismatched(
    draft: &mut Draft<'_>,
    row: &SaleRow,
    pick: &Pick,
    change: FormChanged,
) -> Result<(), Stop> {
    let (sale, read) = (change.sale, change.read);
    draft.emit(Event::FormChanged(change))?;
    if !slot(draft, row, pick)?.locked {
        draft.emit(Event::SlotLocked {
            kiosk: row.kiosk.clone(),
            slot: pick.slot.clone(),
        })?;
    }
    match read {
        Some(read) => freeze(draft, sale, read),
        None => Ok(()),
    }
}

/// The number read lies in a printer, whatever the books say: if it is ours and was
/// never fed, nobody may feed it or take it for stock again (I2). What was fed, sold
/// or spoiled before stays as it is: the leaf names it, staff look at the paper.
fn freeze(draft: &mut Draft<'_>, sale: SaleId, number: BillNumber) -> Result<(), Stop> {
    let owner = match custody::find(&draft.books, number)?.map(|(_, place)| place) {
        // Another's as well: that sale must know it has lost the form.
        Some(Place::Assigned(of) | Place::Missing(Some(of))) => Some(draft.sale(of)?),
        Some(Place::Expected(_) | Place::Missing(None)) => None,
        Some(place) if place.state().is_on_hand() => None,
        _ => return Ok(()),
    };
    let is_its = |row: &SaleRow| row.forms.iter().any(|f| f.number == number);
    let Some(owner) = owner.filter(is_its) else {
        draft.emit(Event::StrayFrozen { sale, number })?;
        return Ok(());
    };
    draft.emit(Event::FormChanged(FormChanged {
        sale: owner.sale,
        number,
        to: FormState::Unknown,
        heard: 0,
        read: None,
        ink: None,
        words: "read in place of another".to_owned(),
        reversed: None,
    }))?;
    Ok(())
}

/// Template id of a kind in `data/forms/`.
pub fn template(kind: BillKind) -> &'static str {
    match kind {
        BillKind::CashCheque => "cash-cheque",
        BillKind::TransferCheque => "transfer-cheque",
        BillKind::SorterCheque => "sorter-cheque",
        BillKind::BankDraft => "bank-draft",
        BillKind::BankAcceptance => "bank-acceptance",
        BillKind::CommercialAcceptance => "commercial-acceptance",
        BillKind::PromissoryNote => "promissory-note",
        BillKind::PromissoryNoteSorter => "promissory-note-sorter",
    }
}
