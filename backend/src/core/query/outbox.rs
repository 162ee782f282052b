//! Reading the outbox: notices for screens, errands for the relay.

use counterfoil_data::ids::{BranchId, KioskId, SaleId};

use crate::core::key::{self, Table};
use crate::core::ledger::OUTBOX_COUNTER;
use crate::core::overlay::get;
use crate::core::record::books::{CounterRow, Errand, OUTBOX_KEPT, OutboxRow, Port};
use crate::core::record::decode;
use crate::store::{From, Read, StoreError};

/// Rows looked at for one answer, whoever they are for.
const LOOKED_AT_MAX: usize = 512;

/// An errand that still has to leave the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingErrand {
    /// Its outbox number, for `MarkDelivered`.
    pub sequence: u64,
    /// About which sale.
    pub sale: SaleId,
    /// What.
    pub errand: Errand,
}

/// Whose events are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// This kiosk's own sales.
    Kiosk(KioskId),
    /// Sales of this branch whose buyer is identified (S19).
    Station(BranchId),
}

impl Audience {
    fn may_see(&self, row: &OutboxRow) -> bool {
        match self {
            Self::Kiosk(kiosk) => row.kiosk == *kiosk,
            Self::Station(branch) => row.branch.as_ref() == Some(branch),
        }
    }
}

/// Outbox rows after `after` that this audience may see, oldest first, and the
/// number up to which was looked (resume there).
pub fn notices(
    read: &dyn Read,
    audience: &Audience,
    after: u64,
    limit: usize,
) -> Result<(Vec<(u64, OutboxRow)>, u64), StoreError> {
    let low = key::numbered(Table::Outbox, after.saturating_add(1));
    let rows = read.range(&low, &key::high(Table::Outbox), From::First, LOOKED_AT_MAX)?;
    let mut looked = after;
    let mut found = Vec::new();
    for (number, bytes) in rows {
        if found.len() >= limit {
            break;
        }
        let Some(number) = key::number_of(&number) else {
            continue;
        };
        let row: OutboxRow = decode(&bytes)?;
        looked = number;
        if audience.may_see(&row) {
            found.push((number, row));
        }
    }
    Ok((found, looked))
}

/// Number of the newest outbox row; 0 before the first.
pub fn newest_notice(read: &dyn Read) -> Result<u64, StoreError> {
    let row: Option<CounterRow> = get(read, &key::text(Table::Counter, OUTBOX_COUNTER))?;
    Ok(row.unwrap_or_default().value)
}

/// Whether every notice after `after` is still kept, `newest` being the newest.
pub fn is_resumable(after: u64, newest: u64) -> bool {
    after <= newest && newest.saturating_sub(after) <= OUTBOX_KEPT
}

/// A port's errands after `after` that still have to leave the house, oldest first,
/// and the outbox number up to which there are no others of it (go on there once
/// these are delivered).
pub fn errands(
    read: &dyn Read,
    port: Port,
    after: u64,
    limit: usize,
) -> Result<(Vec<PendingErrand>, u64), StoreError> {
    let low = key::numbered(Table::Pending, after.saturating_add(1));
    let high = key::high(Table::Pending);
    let mut looked = after;
    let mut found = Vec::new();
    for (pending, _) in read.range(&low, &high, From::First, LOOKED_AT_MAX)? {
        if found.len() >= limit {
            break;
        }
        let Some(sequence) = key::number_of(&pending) else {
            continue;
        };
        looked = sequence;
        let row: Option<OutboxRow> = get(read, &key::numbered(Table::Outbox, sequence))?;
        let Some(row) = row else { continue };
        found.extend(
            row.errand
                .filter(|e| e.port() == port)
                .map(|errand| PendingErrand {
                    sequence,
                    sale: row.sale,
                    errand,
                }),
        );
    }
    Ok((found, looked))
}
