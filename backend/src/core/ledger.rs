//! The ledger (I3): double entry in fen, and the off-balance account of blanks in
//! forms. Legs of one transaction sum to zero; balances change only here.

use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use jiff::Timestamp;

use super::key::{self, Table};
use super::overlay::{Overlay, get};
use super::record::books::{BalanceRow, CounterRow, EntryRow, LedgerAccount, Memo};
use crate::store::{Read, StoreError};

/// Counter of ledger transactions.
pub const ENTRY_COUNTER: &str = "entry";
/// Counter of outbox rows.
pub const OUTBOX_COUNTER: &str = "outbox";

/// Raises a counter by one and gives its new value, 1 the first time.
pub fn next(books: &mut Overlay<'_>, counter: &str) -> Result<u64, StoreError> {
    let key = key::text(Table::Counter, counter);
    let held: CounterRow = books.get(&key)?.unwrap_or_default();
    let value = held.value.saturating_add(1);
    books.put(key, &CounterRow { value })?;
    Ok(value)
}

/// What a customer's account holds.
pub fn balance(read: &dyn Read, account: &str) -> Result<Fen, StoreError> {
    let name = LedgerAccount::Customer(account.to_owned()).name();
    let row: Option<BalanceRow> = get(read, &key::text(Table::Balance, &name))?;
    Ok(Fen(row.unwrap_or_default().amount))
}

/// Makes one ledger transaction and gives its number.
pub fn post(
    books: &mut Overlay<'_>,
    at: Timestamp,
    sale: Option<SaleId>,
    memo: Memo,
    legs: Vec<(LedgerAccount, i64)>,
) -> Result<u64, StoreError> {
    let overflow = StoreError::Contradiction("a ledger amount is out of range");
    let mut sum = 0_i64;
    for (account, amount) in &legs {
        sum = match sum.checked_add(*amount) {
            Some(sum) => sum,
            None => return Err(overflow),
        };
        let key = key::text(Table::Balance, &account.name());
        let held: BalanceRow = books.get(&key)?.unwrap_or_default();
        let Some(amount) = held.amount.checked_add(*amount) else {
            return Err(overflow);
        };
        books.put(key, &BalanceRow { amount })?;
    }
    if sum != 0 {
        return Err(StoreError::Contradiction("ledger legs do not sum to zero"));
    }
    let number = next(books, ENTRY_COUNTER)?;
    let entry = EntryRow {
        at,
        sale,
        memo,
        legs,
    };
    books.put(key::numbered(Table::Entry, number), &entry)?;
    Ok(number)
}
