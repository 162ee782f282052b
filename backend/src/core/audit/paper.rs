//! Paper: ranges, counters, slots and sold forms (I1, I2).

use std::collections::BTreeMap;

use counterfoil_data::bill::{BillPrefix, BillRange};

use super::{AuditFailure, AuditReport, each, each_bytes};
use crate::core::custody;
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::books::{BalanceRow, CounterRow, LedgerAccount, RegisterRow};
use crate::core::record::decode;
use crate::core::record::sale::SaleRow;
use crate::core::record::stock::{BlankRow, BlankState, LotRow, Place, SlotRow, range_of};
use crate::core::register;
use crate::store::{Key, Read, StoreError};

type Counts = BTreeMap<BillPrefix, BTreeMap<BlankState, u64>>;

/// Checks custody.
pub fn check(read: &dyn Read, report: &mut AuditReport) -> Result<(), AuditFailure> {
    let mut counts = Counts::new();
    let mut kept: BTreeMap<Key, u64> = BTreeMap::new();
    let mut before: Option<(BillRange, Place)> = None;
    each(read, |key, row: BlankRow| {
        let range = key::blank_first(&key).and_then(|first| range_of(first, row.last));
        let range = range.ok_or(StoreError::Contradiction("a blank row is bent"))?;
        if let Some((earlier, place)) = &before {
            touching(*earlier, place, range, &row.place)?;
        }
        sold_once(read, range, &row.place)?;
        let of_prefix = counts.entry(range.prefix()).or_default();
        let count = of_prefix.entry(row.place.state()).or_default();
        *count = count.saturating_add(range.count().into());
        report.forms = report.forms.saturating_add(range.count().into());
        report.blank_rows = report.blank_rows.saturating_add(1);
        if row.place.state() == BlankState::Unknown {
            report.unknown = report.unknown.saturating_add(range.count().into());
        }
        if let (Some(keeper), Ok(kind)) = (custody::keeper(&row.place), range.prefix().kind()) {
            let count = kept.entry(key::kept(&keeper, kind)).or_default();
            *count = count.saturating_add(range.count().into());
        }
        before = Some((range, row.place));
        Ok(())
    })?;
    keepers(read, kept)?;
    lots(read, &counts)?;
    slots(read, &counts)
}

/// What a count (盘点) is compared with is what the rows make.
fn keepers(read: &dyn Read, mut kept: BTreeMap<Key, u64>) -> Result<(), AuditFailure> {
    let differs = |counted, by_rows| AuditFailure::Kept { counted, by_rows };
    each_bytes(read, Table::Kept, |key, bytes| {
        let row: CounterRow = decode(&bytes).map_err(StoreError::from)?;
        let by_rows = kept.remove(&key).unwrap_or(0);
        if row.value == by_rows {
            Ok(())
        } else {
            Err(differs(row.value, by_rows))
        }
    })?;
    match kept.values().next() {
        Some(by_rows) => Err(differs(0, *by_rows)),
        None => Ok(()),
    }
}

fn touching(
    earlier: BillRange,
    place: &Place,
    range: BillRange,
    other: &Place,
) -> Result<(), AuditFailure> {
    let number = range.first();
    if earlier.overlaps(range) {
        return Err(AuditFailure::Overlap { number });
    }
    if place == other && earlier.merge(range).is_some() {
        return Err(AuditFailure::Unmerged { number });
    }
    Ok(())
}

/// I2: what is sold belongs to the account that its sale proved, by its register.
fn sold_once(read: &dyn Read, range: BillRange, place: &Place) -> Result<(), AuditFailure> {
    let Place::Sold { account, sale } = place else {
        return Ok(());
    };
    let row: Option<SaleRow> = get(read, &key::sale(*sale))?;
    let proven = row.as_ref().and_then(|r| r.info.as_ref());
    let whose = proven.is_some_and(|info| info.account == *account);
    let line = row.as_ref().and_then(register::line);
    let line = match line {
        Some((key, _)) => get::<RegisterRow>(read, &key)?,
        None => None,
    };
    let is_in = |r: &BillRange| r.contains(range.first()) && r.contains(range.last());
    if !whose || !line.is_some_and(|line| line.sold.iter().any(is_in)) {
        return Err(AuditFailure::Form {
            sale: *sale,
            number: range.first(),
        });
    }
    Ok(())
}

/// I1 and the off-balance half of I3, prefix by prefix.
fn lots(read: &dyn Read, counts: &Counts) -> Result<(), AuditFailure> {
    let mut seen = 0_usize;
    each(read, |key, lot: LotRow| {
        seen = seen.saturating_add(1);
        let bytes = key.last_chunk::<4>().copied().unwrap_or_default();
        let prefix = u32::from_be_bytes(bytes);
        let wrong = || AuditFailure::Conservation { prefix };
        let known = BillPrefix::from_value(prefix).map_err(|_| wrong())?;
        let of_prefix = counts.get(&known).ok_or_else(wrong)?;
        let mut sum = 0_u64;
        let mut on_hand = 0_u64;
        // A row written before a state was added has no counter for it.
        let kept = lot.by_state.iter().copied().chain(std::iter::repeat(0));
        for (state, counted) in BlankState::ALL.iter().zip(kept) {
            if of_prefix.get(state).copied().unwrap_or(0) != counted {
                return Err(wrong());
            }
            if *state != BlankState::Expected {
                sum = sum.saturating_add(counted);
            }
            if state.is_on_hand() {
                on_hand = on_hand.saturating_add(counted);
            }
        }
        if sum != lot.received {
            return Err(wrong());
        }
        let account = LedgerAccount::Blanks(prefix).name();
        let balance: Option<BalanceRow> = get(read, &key::text(Table::Balance, &account))?;
        let held = balance.unwrap_or_default().amount;
        if u64::try_from(held) != Ok(on_hand) {
            return Err(AuditFailure::OffBalance { prefix });
        }
        Ok(())
    })?;
    match counts.keys().nth(seen) {
        Some(extra) => Err(AuditFailure::Conservation {
            prefix: extra.value(),
        }),
        None => Ok(()),
    }
}

/// Queues hold exactly what lies in cassettes.
fn slots(read: &dyn Read, counts: &Counts) -> Result<(), AuditFailure> {
    let mut queued = 0_u64;
    each(read, |key, row: SlotRow| {
        for range in &row.queue {
            let number = range.first();
            let wrong = AuditFailure::Slot { number };
            let Some((whole, place)) = custody::find(read, number)? else {
                return Err(wrong);
            };
            let here = matches!(&place, Place::InCassette(kiosk, slot)
                if key::slot(kiosk, slot) == key);
            if !here || !whole.contains(range.last()) {
                return Err(wrong);
            }
            queued = queued.saturating_add(range.count().into());
        }
        Ok(())
    })?;
    let in_cassette = |states: &BTreeMap<BlankState, u64>| {
        states.get(&BlankState::InCassette).copied().unwrap_or(0)
    };
    let blanks = counts.values().map(in_cassette).sum();
    if blanks == queued {
        Ok(())
    } else {
        Err(AuditFailure::Cassettes { blanks, queued })
    }
}
