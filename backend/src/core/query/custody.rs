//! What staff of a branch see of its custody (`GET /v1/custody`): proposals, and what
//! waits for two people. Bounded; read from the index of [`crate::core::waiting`].

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::{BranchId, KioskId, SaleId, SlotId, StaffId};
use counterfoil_data::wire::custody::{
    Act, CustodyView, LockedView, ProposalState, ProposalView, SuspendedView, UnknownView,
};
use counterfoil_data::wire::forms::FormState;
use jiff::Timestamp;

use super::sequence;
use crate::core::key::{self, Table, Waits};
use crate::core::overlay::get;
use crate::core::record::bank::StaffRow;
use crate::core::record::books::CounterRow;
use crate::core::record::decode;
use crate::core::record::proposal::{PROPOSALS_OPEN_MAX, ProposalRow};
use crate::core::record::sale::SaleRow;
use crate::core::record::stock::SlotRow;
use crate::core::waiting;
use crate::store::{From, Read, StoreError};

/// Things of one sort shown to staff at most; the rest follows as these are settled.
pub const WAITING_SHOWN_MAX: usize = 64;
/// Proposals that are over and still shown.
const OVER_SHOWN_MAX: usize = 8;
/// Newest proposals looked at; older ones are over: an open one is half an hour old at
/// most, and so many are not decided in that time.
const LOOKED_AT_MAX: usize = 512;

/// Open proposals of a branch and the latest that are over, both newest first.
pub fn proposals(
    read: &dyn Read,
    branch: &BranchId,
    now: Timestamp,
) -> Result<(Vec<ProposalRow>, Vec<ProposalRow>), StoreError> {
    let (low, high) = (key::proposals(branch), key::proposals_end(branch));
    let (mut open, mut over) = (Vec::new(), Vec::new());
    for (_, bytes) in read.range(&low, &high, From::Last, LOOKED_AT_MAX)? {
        let row: ProposalRow = decode(&bytes)?;
        match row.state(now) {
            ProposalState::Open if open.len() < PROPOSALS_OPEN_MAX => open.push(row),
            ProposalState::Open => break,
            _ if over.len() < OVER_SHOWN_MAX => over.push(row),
            _ if row.expires <= now => break,
            _ => {}
        }
    }
    Ok((open, over))
}

/// One proposal; `None` where this branch has none of this number.
pub fn proposal(
    read: &dyn Read,
    branch: &BranchId,
    number: u64,
    now: Timestamp,
) -> Result<Option<ProposalView>, StoreError> {
    let row: Option<ProposalRow> = get(read, &key::proposal(branch, number))?;
    row.map(|row| view(read, row, now)).transpose()
}

fn name(read: &dyn Read, id: &StaffId) -> Result<String, StoreError> {
    let row: Option<StaffRow> = get(read, &key::text(Table::Staff, id.as_str()))?;
    Ok(row.map_or_else(|| id.to_string(), |row| row.name))
}

fn view(read: &dyn Read, row: ProposalRow, now: Timestamp) -> Result<ProposalView, StoreError> {
    let (act, state) = (row.act()?, row.state(now));
    let digest = act.digest();
    let decided_by = row.decided_by.as_ref();
    Ok(ProposalView {
        proposal: row.number,
        by_name: name(read, &row.by)?,
        by: row.by,
        at: row.at,
        expires: row.expires,
        requisition: about(read, &act)?,
        digest,
        state,
        decided_by: decided_by.map(|id| name(read, id)).transpose()?,
        act: match state {
            ProposalState::Done => act,
            _ => act.blind(),
        },
    })
}

/// Requisition number of the sale an act is about, for people to compare.
fn about(read: &dyn Read, act: &Act) -> Result<Option<String>, StoreError> {
    let sale = match act {
        Act::Close { sale } => Some(*sale),
        Act::Resolve { number, .. } => {
            let found = crate::core::custody::find(read, *number)?;
            found.and_then(|(_, place)| place.sale())
        }
        _ => None,
    };
    let Some(sale) = sale else { return Ok(None) };
    let row: Option<SaleRow> = get(read, &key::sale(sale))?;
    Ok(row.and_then(|row| Some(row.linked?.requisition)))
}

/// Everything a member of staff of this branch has to look at.
pub fn custody_view(
    read: &dyn Read,
    staff: &StaffId,
    branch: &BranchId,
    now: Timestamp,
) -> Result<CustodyView, StoreError> {
    let (open, over) = proposals(read, branch, now)?;
    let rows = open.into_iter().chain(over);
    let mut shown = CustodyView {
        staff: staff.clone(),
        name: name(read, staff)?,
        sequence: sequence(read, &format!("staff:{staff}"))?,
        proposals: rows
            .map(|row| view(read, row, now))
            .collect::<Result<_, _>>()?,
        unknown: Vec::new(),
        locked: Vec::new(),
        suspended: Vec::new(),
    };
    for sort in Waits::SORTS {
        let (low, high) = key::waiting_sort(branch, sort);
        for (key, _) in read.range(&low, &high, From::First, WAITING_SHOWN_MAX)? {
            match key::waits_of(&key, branch) {
                Some(Waits::Unknown(number)) => unknown(read, number, &mut shown)?,
                Some(Waits::Slot(kiosk, slot)) => locked(read, kiosk, slot, &mut shown)?,
                Some(Waits::Sale(sale)) => suspended(read, sale, &mut shown)?,
                None => return Err(StoreError::Contradiction("nobody knows what waits")),
            }
        }
    }
    Ok(shown)
}

fn requisition(row: &SaleRow) -> String {
    let linked = row.linked.as_ref();
    linked.map_or_else(String::new, |linked| linked.requisition.clone())
}

fn unknown_of(row: &SaleRow, number: BillNumber) -> UnknownView {
    UnknownView {
        number,
        sale: row.sale,
        requisition: requisition(row),
        kiosk: row.kiosk.clone(),
        given: row.forms.iter().any(|f| f.number == number),
    }
}

fn unknown(read: &dyn Read, number: BillNumber, to: &mut CustodyView) -> Result<(), StoreError> {
    let found = crate::core::custody::find(read, number)?;
    let sale = found.and_then(|(_, place)| place.sale());
    let row: Option<SaleRow> = match sale {
        Some(sale) => get(read, &key::sale(sale))?,
        None => None,
    };
    to.unknown.extend(row.map(|row| unknown_of(&row, number)));
    Ok(())
}

fn locked(
    read: &dyn Read,
    kiosk: KioskId,
    slot: SlotId,
    to: &mut CustodyView,
) -> Result<(), StoreError> {
    let row: Option<SlotRow> = get(read, &key::slot(&kiosk, &slot))?;
    to.locked.extend(row.map(|row| LockedView {
        kiosk,
        slot,
        kind: row.kind,
        head: row.queue.first().map(|range| range.first()),
    }));
    Ok(())
}

/// A suspended sale, and its forms whose outcome its kiosk never told.
fn suspended(read: &dyn Read, sale: SaleId, to: &mut CustodyView) -> Result<(), StoreError> {
    let Some(row) = get::<SaleRow>(read, &key::sale(sale))? else {
        return Ok(());
    };
    let open = row.forms.iter().filter(|f| !f.state.is_settled());
    let fed = open.clone().filter(|f| f.state != FormState::Assigned);
    let room = WAITING_SHOWN_MAX.saturating_sub(to.unknown.len());
    let left: Vec<UnknownView> = fed.take(room).map(|f| unknown_of(&row, f.number)).collect();
    to.unknown.extend(left);
    to.suspended.push(SuspendedView {
        sale,
        state: row.state,
        requisition: requisition(&row),
        kiosk: row.kiosk.clone(),
        open: u32::try_from(open.count()).unwrap_or(u32::MAX),
    });
    Ok(())
}

/// The number that grows with every change a branch's staff must look at.
pub fn custody_changes(read: &dyn Read, branch: &BranchId) -> Result<u64, StoreError> {
    let key = key::text(Table::Counter, &waiting::counter(branch));
    let row: Option<CounterRow> = get(read, &key)?;
    Ok(row.unwrap_or_default().value)
}
