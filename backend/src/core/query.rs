//! Queries: wire views out of a snapshot of the books. Pure, bounded.
//!
//! Called by the service for every answer, by the event stream and by timers.

mod confirmation;
mod custody;
mod found;
mod kiosk;
mod locks;
mod outbox;
mod prints;
pub mod register;
mod sale;
mod sheet;
mod staff;
pub mod terms;
mod unresolved;
mod witness;

use counterfoil_data::ids::{BranchId, KioskId, SaleId, StaffId, StationId};
use counterfoil_data::sealed::Challenge;
use counterfoil_data::wire::forms::FormsAnswer;
use counterfoil_data::wire::sale::{Checkpoint, PurchaseMode, SaleState};
use jiff::Timestamp;

pub use confirmation::{ENDED_SHOWN_S, RESULT_SHOWN_S, confirmation, confirmations};
pub use custody::{WAITING_SHOWN_MAX, custody_changes, custody_view, proposal, proposals};
pub use found::{Counted, Found, found};
pub use kiosk::kiosk_view;
pub use locks::is_locked;
pub use outbox::{Audience, PendingErrand, errands, is_resumable, newest_notice, notices};
pub use prints::{Images, agents, prints};
pub use sale::{receipt, sale_view};
pub use sheet::{numbers_to_draw, passwords_of_sold};
pub use staff::{access, session_at, session_shown, staff_name};
pub use unresolved::{Unresolved, unresolved};
pub use witness::{restored, standings};

use super::command::CommandBody;
use super::key::{self, Table};
use super::overlay::get;
use super::record::bank::{KioskRow, StaffRow, StationRow};
use super::record::books::{CheckpointRow, CounterRow};
use super::record::sale::SaleRow;
use crate::store::{From, Read, StoreError};

/// Who signs requests, by key id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// `kiosk:<id>`
    Kiosk {
        /// Which.
        id: KioskId,
        /// Where.
        branch: BranchId,
        /// Ed25519 public key.
        key: [u8; 32],
    },
    /// `station:<id>`
    Station {
        /// Which.
        id: StationId,
        /// Whose sales it sees.
        branch: BranchId,
        /// Who sits there.
        officer: StaffId,
        /// Ed25519 public key.
        key: [u8; 32],
    },
    /// `staff:<id>`
    Staff {
        /// Who.
        id: StaffId,
        /// Where.
        branch: BranchId,
        /// Ed25519 public key.
        key: [u8; 32],
    },
}

/// The facts the service needs before it makes a command of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleHead {
    /// Whose.
    pub kiosk: KioskId,
    /// In which branch.
    pub branch: BranchId,
    /// Where it stands.
    pub state: SaleState,
    /// The mode it was opened with.
    pub mode: PurchaseMode,
    /// To open the next sealed value with.
    pub challenge: Challenge,
}

/// The bank is enrolled.
pub fn is_enrolled(read: &dyn Read) -> Result<bool, StoreError> {
    Ok(read.read(&key::single(Table::Bank))?.is_some())
}

/// Key, identity and scope of a signer named `kiosk:…`, `station:…` (S1, S17) or
/// `staff:…`; staff without a key of their own sign nothing.
pub fn signer(read: &dyn Read, key_id: &str) -> Result<Option<Signer>, StoreError> {
    if let Some(id) = key_id.strip_prefix("kiosk:") {
        let row: Option<KioskRow> = get(read, &key::text(Table::Kiosk, id))?;
        return Ok(row.map(|row| Signer::Kiosk {
            id: row.id,
            branch: row.branch,
            key: row.key,
        }));
    }
    if let Some(id) = key_id.strip_prefix("staff:") {
        let row: Option<StaffRow> = get(read, &key::text(Table::Staff, id))?;
        return Ok(row.and_then(|row| {
            Some(Signer::Staff {
                key: row.key?,
                id: row.id,
                branch: row.branch,
            })
        }));
    }
    let Some(id) = key_id.strip_prefix("station:") else {
        return Ok(None);
    };
    let row: Option<StationRow> = get(read, &key::text(Table::Station, id))?;
    Ok(row.map(|row| Signer::Station {
        id: row.id,
        branch: row.branch,
        officer: row.officer,
        key: row.key,
    }))
}

/// Largest request number seen from a signer; 0 before the first.
pub fn sequence(read: &dyn Read, key_id: &str) -> Result<u64, StoreError> {
    let row: Option<CounterRow> = get(read, &key::text(Table::Sequence, key_id))?;
    Ok(row.unwrap_or_default().value)
}

/// What the service must know of a sale before it makes a command.
pub fn sale_head(read: &dyn Read, sale: SaleId) -> Result<Option<SaleHead>, StoreError> {
    let row: Option<SaleRow> = get(read, &key::sale(sale))?;
    Ok(row.map(|row| SaleHead {
        kiosk: row.kiosk,
        branch: row.branch,
        state: row.state,
        mode: row.mode,
        challenge: Challenge(row.challenge),
    }))
}

/// Answer to form advices: the outcome, with the sale's forms as they are now.
pub fn forms_answer(
    read: &dyn Read,
    sale: SaleId,
    accepted: u32,
    supplements: &[counterfoil_data::bill::BillNumber],
) -> Result<Option<FormsAnswer>, StoreError> {
    let row: Option<SaleRow> = get(read, &key::sale(sale))?;
    let Some(row) = row else { return Ok(None) };
    let mut jobs = sale::jobs(&row);
    jobs.retain(|job| supplements.contains(&job.number));
    Ok(Some(FormsAnswer {
        accepted,
        supplements: jobs,
        forms: sale::forms(&row),
    }))
}

/// Timer commands that are due (`Expire`, `TimeOutConfirmation`, `SuspendLost`),
/// oldest first.
pub fn due(read: &dyn Read, now: Timestamp, limit: usize) -> Result<Vec<CommandBody>, StoreError> {
    let (low, high) = (key::low(Table::Timer), key::timer_due(now));
    let mut commands = Vec::new();
    for (timer, _) in read.range(&low, &high, From::First, limit)? {
        let Some((_, sale)) = key::timer_of(&timer) else {
            continue;
        };
        let row: Option<SaleRow> = get(read, &key::sale(sale))?;
        commands.push(match row.map(|r| r.state) {
            Some(SaleState::AwaitConfirm) => CommandBody::TimeOutConfirmation { sale },
            Some(SaleState::Linked | SaleState::Dispensing) => CommandBody::SuspendLost { sale },
            _ => CommandBody::Expire { sale },
        });
    }
    Ok(commands)
}

/// When the next timer is due.
pub fn next_due(read: &dyn Read) -> Result<Option<Timestamp>, StoreError> {
    let (low, high) = (key::low(Table::Timer), key::high(Table::Timer));
    let rows = read.range(&low, &high, From::First, 1)?;
    let first = rows.first().and_then(|(timer, _)| key::timer_of(timer));
    Ok(first.map(|(at, _)| at))
}

/// The signed head of the evidence log; `None` before the first leaf.
pub fn checkpoint(read: &dyn Read) -> Result<Option<Checkpoint>, StoreError> {
    let row: Option<CheckpointRow> = get(read, &key::single(Table::Checkpoint))?;
    Ok(row.map(|row| Checkpoint {
        size: row.size,
        root: row.root,
        note: row.note,
    }))
}
