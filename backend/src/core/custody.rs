//! Custody (I1, I2): moving blanks between places, as ranges that split and merge.
//!
//! Owns the blank table, the conservation counters and the off-balance account:
//! they change only here, together. Refuses to move what is not in one place.

use counterfoil_data::bill::{BillKind, BillNumber, BillRange, Serial};
use jiff::Timestamp;

use super::key;
use super::ledger;
use super::overlay::{Overlay, get};
use super::record::books::{CounterRow, LedgerAccount, Memo};
use super::record::decode;
use super::record::stock::{BlankRow, BlankState, Keeper, LotRow, Place, range_of};
use super::waiting;
use crate::store::{From, Read, StoreError};

const NOT_IN_ONE_PLACE: StoreError =
    StoreError::Contradiction("blanks to be moved are not in one place");

/// The row that holds `number`: its range and place.
pub fn find(read: &dyn Read, number: BillNumber) -> Result<Option<(BillRange, Place)>, StoreError> {
    let low = key::blank_low(number.prefix);
    let mut high = key::blank(number);
    high.push(0);
    let rows = read.range(&low, &high, From::Last, 1)?;
    let Some((found, bytes)) = rows.into_iter().next() else {
        return Ok(None);
    };
    let row: BlankRow = decode(&bytes)?;
    let first = key::blank_first(&found).ok_or(StoreError::Contradiction("a blank key is bent"))?;
    let range =
        range_of(first, row.last).ok_or(StoreError::Contradiction("a blank row is bent"))?;
    Ok(range.contains(number).then_some((range, row.place)))
}

/// Whether any number of `range` is in the books.
pub fn is_known(read: &dyn Read, range: BillRange) -> Result<bool, StoreError> {
    if find(read, range.first())?.is_some() {
        return Ok(true);
    }
    let low = key::blank(range.first());
    let mut high = key::blank(range.last());
    high.push(0);
    Ok(!read.range(&low, &high, From::First, 1)?.is_empty())
}

/// Takes new blanks into the books (Announced, or Received without announcement).
pub fn receive(
    books: &mut Overlay<'_>,
    at: Timestamp,
    range: BillRange,
    place: Place,
) -> Result<(), StoreError> {
    let key = key::lot(range.prefix());
    let mut lot: LotRow = books.get(&key)?.unwrap_or_default();
    let count = u64::from(range.count());
    if place.state() != BlankState::Expected {
        lot.received = lot.received.saturating_add(count);
    }
    count_into(&mut lot, place.state(), count)?;
    books.put(key, &lot)?;
    put(books, range, &place)?;
    keep(books, range, None, Some(&place))?;
    if place.state().is_on_hand() {
        off_balance(books, at, range, i64::from(range.count()))?;
    }
    Ok(())
}

/// Moves `range`, which must be in one place, and gives the place it was in.
pub fn shift(
    books: &mut Overlay<'_>,
    at: Timestamp,
    range: BillRange,
    to: &Place,
) -> Result<Place, StoreError> {
    let (whole, from) = find(books, range.first())?.ok_or(NOT_IN_ONE_PLACE)?;
    let (before, after) = whole.without(range).ok_or(NOT_IN_ONE_PLACE)?;
    let mut lot: LotRow = books.need(&key::lot(range.prefix()), "blanks without a lot")?;
    let count = u64::from(range.count());
    if from.state() == BlankState::Expected {
        lot.received = lot.received.saturating_add(count);
    }
    count_out(&mut lot, from.state(), count)?;
    count_into(&mut lot, to.state(), count)?;
    books.put(key::lot(range.prefix()), &lot)?;
    books.remove(key::blank(whole.first()));
    for rest in [before, after].into_iter().flatten() {
        let last = rest.last().serial.value();
        let place = from.clone();
        books.put(key::blank(rest.first()), &BlankRow { last, place })?;
    }
    put(books, range, to)?;
    keep(books, range, Some(&from), Some(to))?;
    waiting::shifted(books, range, &from, to)?;
    let (was, is) = (from.state().is_on_hand(), to.state().is_on_hand());
    let count = i64::from(range.count());
    match (was, is) {
        (true, false) => off_balance(books, at, range, count.saturating_neg())?,
        (false, true) => off_balance(books, at, range, count)?,
        _ => {}
    }
    Ok(from)
}

/// How many forms of a kind a keeper keeps, by the maintained counter.
pub fn kept(read: &dyn Read, keeper: &Keeper, kind: BillKind) -> Result<u64, StoreError> {
    let row: Option<CounterRow> = get(read, &key::kept(keeper, kind))?;
    Ok(row.unwrap_or_default().value)
}

/// Who keeps what is there, if it is somebody's.
pub fn keeper(place: &Place) -> Option<Keeper> {
    match place {
        Place::InVault(branch) => Some(Keeper::Vault(branch.clone())),
        Place::InTellerBox(branch, teller) => {
            Some(Keeper::TellerBox(branch.clone(), teller.clone()))
        }
        _ => None,
    }
}

/// The counters that a count (盘点) is compared with.
fn keep(
    books: &mut Overlay<'_>,
    range: BillRange,
    from: Option<&Place>,
    to: Option<&Place>,
) -> Result<(), StoreError> {
    let Ok(kind) = range.prefix().kind() else {
        return Ok(());
    };
    let count = i64::from(range.count());
    let sides = [(from, count.saturating_neg()), (to, count)];
    for (place, change) in sides {
        let Some(keeper) = place.and_then(keeper) else {
            continue;
        };
        let value = kept(books, &keeper, kind)?.checked_add_signed(change);
        let value = value.ok_or(StoreError::Contradiction(
            "a keeper would hold less than none",
        ))?;
        books.put(key::kept(&keeper, kind), &CounterRow { value })?;
    }
    Ok(())
}

/// Writes a range, one row with its neighbours in the same place.
fn put(books: &mut Overlay<'_>, range: BillRange, place: &Place) -> Result<(), StoreError> {
    let mut whole = range;
    for number in [previous(range.first()), range.last().next().ok()] {
        let Some(number) = number else { continue };
        if let Some((next, other)) = find(books, number)?
            && other == *place
        {
            books.remove(key::blank(next.first()));
            whole = whole.merge(next).ok_or(NOT_IN_ONE_PLACE)?;
        }
    }
    let last = whole.last().serial.value();
    let place = place.clone();
    books.put(key::blank(whole.first()), &BlankRow { last, place })
}

/// The number right before this one in the same prefix.
fn previous(number: BillNumber) -> Option<BillNumber> {
    let serial = number.serial.value().checked_sub(1)?;
    let serial = Serial::from_value(serial).ok()?;
    Some(BillNumber {
        prefix: number.prefix,
        serial,
    })
}

/// I3: the off-balance account of a prefix follows the blanks on hand, one unit each.
fn off_balance(
    books: &mut Overlay<'_>,
    at: Timestamp,
    range: BillRange,
    change: i64,
) -> Result<(), StoreError> {
    let prefix = range.prefix().value();
    let legs = vec![
        (LedgerAccount::Blanks(prefix), change),
        (LedgerAccount::BlanksContra(prefix), change.saturating_neg()),
    ];
    ledger::post(books, at, None, Memo::Blanks, legs)?;
    Ok(())
}

fn slot_of(lot: &mut LotRow, state: BlankState) -> Result<&mut u64, StoreError> {
    // A row written before a state was added has no counter for it yet. States are only
    // ever added at the end, so the others keep their places.
    if lot.by_state.len() < BlankState::ALL.len() {
        lot.by_state.resize(BlankState::ALL.len(), 0);
    }
    let at = BlankState::ALL.iter().position(|s| *s == state);
    at.and_then(|at| lot.by_state.get_mut(at))
        .ok_or(StoreError::Contradiction("a lot row lacks a state"))
}

fn count_into(lot: &mut LotRow, state: BlankState, count: u64) -> Result<(), StoreError> {
    let counter = slot_of(lot, state)?;
    *counter = counter.saturating_add(count);
    Ok(())
}

fn count_out(lot: &mut LotRow, state: BlankState, count: u64) -> Result<(), StoreError> {
    let counter = slot_of(lot, state)?;
    *counter = counter.checked_sub(count).ok_or(StoreError::Contradiction(
        "a lot counter would fall below zero",
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Snapshots as _;
    use crate::store::model::ModelStore;
    use counterfoil_data::ids::SaleId;

    fn range(first: &str, count: u32) -> BillRange {
        BillRange::from_count(first.parse().expect("a number"), count).expect("a range")
    }

    fn vault() -> Place {
        Place::InVault("branch-1".parse().expect("an id"))
    }

    fn rows(books: &Overlay<'_>) -> usize {
        let (low, high) = (key::low(key::Table::Blank), key::high(key::Table::Blank));
        books
            .range(&low, &high, From::First, 100)
            .expect("reads")
            .len()
    }

    #[test]
    fn a_range_splits_where_it_is_cut_and_merges_when_it_comes_back() {
        let base = ModelStore::new().snapshot().expect("reads");
        let mut books = Overlay::new(&*base);
        let at = Timestamp::UNIX_EPOCH;
        let lot = range("3130002100010001", 1_000_000);
        receive(&mut books, at, lot, vault()).expect("receives");
        assert_eq!(rows(&books), 1, "a vault of a million forms is one row");

        let middle = range("3130002100010501", 25);
        let sold = Place::Assigned(SaleId(7));
        assert_eq!(
            shift(&mut books, at, middle, &sold).expect("moves"),
            vault()
        );
        assert_eq!(rows(&books), 3);
        assert_eq!(
            find(&books, middle.last()).expect("reads"),
            Some((middle, sold))
        );
        shift(&mut books, at, middle, &vault()).expect("moves back");
        assert_eq!(rows(&books), 1);
        assert_eq!(
            find(&books, middle.first()).expect("reads"),
            Some((lot, vault()))
        );
    }

    #[test]
    fn a_lot_written_before_a_state_was_added_still_counts_i1() {
        let base = ModelStore::new().snapshot().expect("reads");
        let mut books = Overlay::new(&*base);
        let at = Timestamp::UNIX_EPOCH;
        let blanks = range("3130002100010001", 10);
        receive(&mut books, at, blanks, vault()).expect("receives");
        let key = key::lot(blanks.prefix());
        let mut old: LotRow = books.need(&key, "a lot").expect("reads");
        old.by_state.truncate(5);
        books.put(key.clone(), &old).expect("writes");
        let one = range("3130002100010001", 1);
        shift(&mut books, at, one, &Place::Missing(None)).expect("moves");
        let lot: LotRow = books.need(&key, "a lot").expect("reads");
        assert_eq!(lot.by_state.len(), BlankState::ALL.len());
        assert_eq!(lot.by_state.iter().sum::<u64>(), lot.received);
    }

    #[test]
    fn what_is_not_in_one_place_is_not_moved_i1() {
        let base = ModelStore::new().snapshot().expect("reads");
        let mut books = Overlay::new(&*base);
        let at = Timestamp::UNIX_EPOCH;
        receive(&mut books, at, range("3130002100010001", 10), vault()).expect("receives");
        let over = range("3130002100010008", 5);
        assert!(shift(&mut books, at, over, &Place::Missing(None)).is_err());
        assert!(is_known(&books, over).expect("reads"));
        assert!(!is_known(&books, range("3130002100010011", 5)).expect("reads"));
    }
}
