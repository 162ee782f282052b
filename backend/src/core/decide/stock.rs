//! Custody by people (domain K8, K9, K14): always two, always numbers and counts.

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::{BranchId, KioskId, SlotId, StaffId};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::custody::{Act, Resolved};
use counterfoil_data::wire::sale::SaleState;

use super::{Draft, Stop, blanks, closing, said};
use crate::core::command::{Actor, CommandBody, Outcome, Resolution};
use crate::core::custody;
use crate::core::event::{Event, TwoPeople};
use crate::core::key::{self, Table};
use crate::core::matrix::Act as Together;
use crate::core::record::bank::{Duty, KioskRow, StaffRow};
use crate::core::record::sale::SaleRow;
use crate::core::record::stock::{Place, SLOT_PIECES_MAX, SlotRow};
use crate::core::refusal::{Missing, Refusal, StockRefusal};

use super::forms::owed;

/// Ranges in one record of unloading, so that it fits one evidence leaf: numbers found
/// in the wrong place may have cut a slot into more pieces than were ever loaded.
const UNLOAD_RANGES_MAX: usize = 32;

/// Decides what people do with blanks.
pub fn decide(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    match draft.command.body.clone() {
        CommandBody::ReceiveBlanks {
            second,
            branch,
            range,
            count,
        } => receive(draft, second, branch, range, count),
        CommandBody::LoadCassette {
            second,
            kiosk,
            slot,
            range,
        } => load(draft, second, &kiosk, slot, range),
        CommandBody::UnloadCassette {
            second,
            kiosk,
            slot,
        } => unload(draft, second, &kiosk, slot),
        CommandBody::UnlockSlot {
            second,
            kiosk,
            slot,
        } => unlock(draft, second, &kiosk, slot),
        CommandBody::ResolveUnknown {
            second,
            number,
            to,
            evidence,
        } => resolve(draft, second, number, to, evidence),
        _ => Err(Refusal::NotYours.into()),
    }
}

/// Decides an act of the person who gives the command and a second one.
pub fn act(draft: &mut Draft<'_>, second: StaffId, act: Act) -> Result<Outcome, Stop> {
    match act {
        Act::Receive {
            branch,
            range,
            count,
        } => receive(draft, second, branch, range, count),
        Act::Load { kiosk, slot, range } => load(draft, second, &kiosk, slot, range),
        Act::Unload { kiosk, slot } => unload(draft, second, &kiosk, slot),
        Act::Unlock { kiosk, slot } => unlock(draft, second, &kiosk, slot),
        Act::Resolve { number, to, seen } => {
            let to = match to {
                Resolved::Sold => Resolution::Sold,
                Resolved::Spoiled => Resolution::Spoiled,
                Resolved::Retracted => Resolution::Retracted,
                Resolved::Missing => Resolution::Missing,
            };
            resolve(draft, second, number, to, seen)
        }
        Act::Close { sale } => closing::close_by_staff(draft, second, sale),
        other => blanks::act(draft, second, other),
    }
}

/// What a member of staff of this branch is for; nothing for anybody else.
pub(super) fn roles(draft: &Draft<'_>, id: &StaffId, branch: &BranchId) -> Result<Vec<Duty>, Stop> {
    let row: Option<StaffRow> = draft.books.get(&key::text(Table::Staff, id.as_str()))?;
    let Some(row) = row.filter(|r| r.branch == *branch) else {
        return Ok(Vec::new());
    };
    Ok(match draft.account(id)? {
        Some(account) if account.disabled => Vec::new(),
        Some(account) => account.roles,
        None => vec![row.duty],
    })
}

/// Two different people of the branch whom the matrix lets do this together.
pub(super) fn two_people(
    draft: &Draft<'_>,
    second: StaffId,
    branch: &BranchId,
    act: Together,
) -> Result<TwoPeople, Stop> {
    let Actor::Staff(first) = draft.command.actor.clone() else {
        return Err(Refusal::NotYours.into());
    };
    let row = act.row();
    let one = roles(draft, &first, branch)?;
    if draft.rehearsal && row.takes(&one) {
        return Ok([first, second]);
    }
    let other = roles(draft, &second, branch)?;
    if first == second || !row.takes(&one) || !row.takes(&other) {
        return Err(Refusal::Stock(StockRefusal::TwoPeople).into());
    }
    if !row.allows(&one, &other) {
        return Err(Refusal::Stock(match act {
            Together::Box => StockRefusal::BoxPeople,
            Together::Destroy => StockRefusal::Supervisor,
            _ => StockRefusal::TwoPeople,
        })
        .into());
    }
    Ok([first, second])
}

pub(super) fn kiosk(draft: &Draft<'_>, id: &KioskId) -> Result<KioskRow, Stop> {
    let row = draft.books.get(&key::text(Table::Kiosk, id.as_str()))?;
    let what = Missing::Kiosk;
    Ok(row.ok_or(Refusal::NotFound { what })?)
}

fn slot(draft: &Draft<'_>, kiosk: &KioskId, slot: &SlotId) -> Result<SlotRow, Stop> {
    let row = draft.books.get(&key::slot(kiosk, slot))?;
    let what = Missing::Slot;
    Ok(row.ok_or(Refusal::NotFound { what })?)
}

/// Nobody opens a kiosk while forms are on their way through it.
pub(super) fn idle(draft: &Draft<'_>, kiosk: &KioskRow) -> Result<(), Stop> {
    let Some(open) = kiosk.open_sale else {
        return Ok(());
    };
    match draft.sale(open)?.state {
        SaleState::Linked | SaleState::Dispensing => {
            Err(Refusal::Stock(StockRefusal::KioskBusy).into())
        }
        _ => Ok(()),
    }
}

fn receive(
    draft: &mut Draft<'_>,
    second: StaffId,
    branch: BranchId,
    range: BillRange,
    counted: u32,
) -> Result<Outcome, Stop> {
    let by = two_people(draft, second, &branch, Together::Receive)?;
    blanks::counted(range, counted)?;
    // What was announced for this vault, all of it or a part; or what nobody announced.
    let announced = custody::find(&draft.books, range.first())?.is_some_and(|(whole, place)| {
        place == Place::Expected(branch.clone()) && whole.contains(range.last())
    });
    if !announced && custody::is_known(&draft.books, range)? {
        return Err(Refusal::Stock(StockRefusal::Overlap).into());
    }
    draft.emit(Event::BlanksReceived { branch, range, by })?;
    Ok(Outcome::Done)
}

fn load(
    draft: &mut Draft<'_>,
    second: StaffId,
    id: &KioskId,
    slot_id: SlotId,
    range: BillRange,
) -> Result<Outcome, Stop> {
    let kiosk = kiosk(draft, id)?;
    let by = two_people(draft, second, &kiosk.branch, Together::Load)?;
    let row = slot(draft, id, &slot_id)?;
    idle(draft, &kiosk)?;
    if range.prefix().kind() != Ok(row.kind) {
        return Err(Refusal::Stock(StockRefusal::OtherKind).into());
    }
    let vault = Place::InVault(kiosk.branch);
    let there = custody::find(&draft.books, range.first())?
        .is_some_and(|(whole, place)| place == vault && whole.contains(range.last()));
    if !there {
        return Err(Refusal::Stock(StockRefusal::NotThere).into());
    }
    if row.queue.len() >= SLOT_PIECES_MAX {
        return Err(Refusal::Stock(StockRefusal::TooManyPieces).into());
    }
    draft.emit(Event::CassetteLoaded {
        kiosk: id.clone(),
        slot: slot_id,
        range,
        by,
    })?;
    Ok(Outcome::Done)
}

fn unload(
    draft: &mut Draft<'_>,
    second: StaffId,
    id: &KioskId,
    slot_id: SlotId,
) -> Result<Outcome, Stop> {
    let kiosk = kiosk(draft, id)?;
    let by = two_people(draft, second, &kiosk.branch, Together::Unload)?;
    let row = slot(draft, id, &slot_id)?;
    idle(draft, &kiosk)?;
    // An empty slot is unloaded, too: that unlocks it.
    let (queue, empty) = (row.queue.as_slice(), [].as_slice());
    let all = queue.is_empty().then_some(empty);
    for ranges in all.into_iter().chain(queue.chunks(UNLOAD_RANGES_MAX)) {
        draft.emit(Event::CassetteUnloaded {
            kiosk: id.clone(),
            slot: slot_id.clone(),
            branch: kiosk.branch.clone(),
            ranges: ranges.to_vec(),
            by: by.clone(),
        })?;
    }
    Ok(Outcome::Done)
}

fn unlock(
    draft: &mut Draft<'_>,
    second: StaffId,
    id: &KioskId,
    slot_id: SlotId,
) -> Result<Outcome, Stop> {
    let kiosk = kiosk(draft, id)?;
    let by = two_people(draft, second, &kiosk.branch, Together::Unlock)?;
    if !slot(draft, id, &slot_id)?.locked {
        return Err(Refusal::Stock(StockRefusal::NotLocked).into());
    }
    draft.emit(Event::SlotUnlocked {
        kiosk: id.clone(),
        slot: slot_id,
        by,
    })?;
    Ok(Outcome::Done)
}

/// The fee a form still carries, if the form is the sale's own.
fn carried(row: &SaleRow, number: BillNumber) -> Option<Fen> {
    let form = row.forms.iter().rev().find(|f| f.number == number)?;
    let pick = row.order.as_ref()?.picks.get(usize::from(form.pick))?;
    (!form.reversed).then(|| owed(pick.fee_each)).flatten()
}

/// The sale whose form nobody knows about: it is `Unknown`, or its sale was suspended
/// and the kiosk that fed it never told the outcome.
fn unresolved(draft: &Draft<'_>, number: BillNumber) -> Result<SaleRow, Stop> {
    let what = Missing::Form;
    let found = custody::find(&draft.books, number)?;
    let (_, place) = found.ok_or(Refusal::NotFound { what })?;
    let what = Missing::Sale;
    let row = |sale| draft.sale(sale);
    match place {
        Place::Unknown(sale) => row(sale.ok_or(Refusal::NotFound { what })?),
        Place::Feeding(sale) | Place::Printed(sale) | Place::Presented(sale) => {
            let row = row(sale)?;
            let left_behind = row.state == SaleState::Suspended;
            let refusal = Refusal::Stock(StockRefusal::NotUnknown);
            if left_behind {
                Ok(row)
            } else {
                Err(refusal.into())
            }
        }
        _ => Err(Refusal::Stock(StockRefusal::NotUnknown).into()),
    }
}

/// I6: only two people with evidence end an unknown.
fn resolve(
    draft: &mut Draft<'_>,
    second: StaffId,
    number: BillNumber,
    to: Resolution,
    evidence: String,
) -> Result<Outcome, Stop> {
    said(&evidence)?;
    let row = unresolved(draft, number)?;
    let sale = Some(row.sale);
    let by = two_people(draft, second, &row.branch, Together::Resolve)?;
    let account = row.info.as_ref().map(|i| i.account.clone());
    // Read in another's place, never given to this sale: nobody confirmed or paid it.
    let is_stray = !row.forms.iter().any(|f| f.number == number);
    if is_stray && to == Resolution::Sold {
        return Err(Refusal::Stock(StockRefusal::NeverGiven).into());
    }
    let reversed = match to {
        Resolution::Sold => None,
        _ => carried(&row, number),
    };
    draft.emit(Event::UnknownResolved {
        number,
        sale,
        account: account.filter(|_| to == Resolution::Sold),
        to,
        evidence,
        reversed,
        by,
    })?;
    Ok(Outcome::Done)
}
