//! The register and the positive-issue feed (L5, L12), kept in step with a sale.

use counterfoil_data::bill::BillRange;
use jiff::Timestamp;

use super::sales;
use crate::core::key::{self, Table};
use crate::core::overlay::Overlay;
use crate::core::record::bank::AccountRow;
use crate::core::record::books::{CounterRow, Errand, RegisterRow};
use crate::core::record::sale::SaleRow;
use crate::core::register;
use crate::store::{Key, StoreError};

/// What the books say of a sale beside its row, before a change.
pub struct Before {
    line: Option<(Key, RegisterRow)>,
    unused: u64,
    bought: u64,
    over: bool,
}

impl Before {
    /// Of this row.
    pub fn of(row: &SaleRow) -> Self {
        Self {
            line: register::line(row),
            unused: register::unused(row),
            bought: register::bought(row),
            over: row.state.is_over(),
        }
    }
}

/// Brings line, counters and feed in step with the changed row.
pub fn follow(
    books: &mut Overlay<'_>,
    at: Timestamp,
    before: &Before,
    row: &SaleRow,
) -> Result<(), StoreError> {
    let Some((key, line)) = register::line(row) else {
        return Ok(());
    };
    count(books, row, &line, before)?;
    issue(books, at, before, row, &line)?;
    let same = before.line.as_ref().is_some_and(|(_, held)| *held == line);
    if !same {
        books.put(key, &line)?;
    }
    Ok(())
}

/// The account's unused forms, and what it and its agent bought that day.
fn count(
    books: &mut Overlay<'_>,
    row: &SaleRow,
    line: &RegisterRow,
    before: &Before,
) -> Result<(), StoreError> {
    let signed = |count| i64::try_from(count).unwrap_or(i64::MAX);
    let change = |after, before| signed(after).saturating_sub(signed(before));
    let unused = change(register::unused(row), before.unused);
    let bought = change(register::bought(row), before.bought);
    if let Some(info) = row.info.as_ref().filter(|_| unused != 0) {
        let key = key::text(Table::Account, &info.account);
        let mut account: AccountRow = books.need(&key, "a sale without an account")?;
        let held = u64::from(account.unused).saturating_add_signed(unused);
        account.unused = u32::try_from(held).unwrap_or(u32::MAX);
        books.put(key, &account)?;
    }
    if bought == 0 {
        return Ok(());
    }
    let mut days = vec![key::agent_day(&line.agent, line.date)];
    days.extend(
        row.info
            .as_ref()
            .map(|i| key::account_day(&i.account, line.date)),
    );
    for key in days {
        let day: CounterRow = books.get(&key)?.unwrap_or_default();
        let value = day.value.saturating_add_signed(bought);
        books.put(key, &CounterRow { value })?;
    }
    Ok(())
}

/// Clearing learns each number sold once: all of them when the sale is over, and
/// one that turns out to be sold later at once.
fn issue(
    books: &mut Overlay<'_>,
    at: Timestamp,
    before: &Before,
    row: &SaleRow,
    line: &RegisterRow,
) -> Result<(), StoreError> {
    if !row.state.is_over() {
        return Ok(());
    }
    let told: &[BillRange] = match &before.line {
        Some((_, held)) if before.over => &held.sold,
        _ => &[],
    };
    let ranges = if told.is_empty() {
        line.sold.clone()
    } else {
        let is_new = |n| !told.iter().any(|range| range.contains(n));
        register::ranges(row, |form| {
            register::fate(form) == Some(register::Fate::Sold) && is_new(form.number)
        })
    };
    let Some(info) = row.info.as_ref().filter(|_| !ranges.is_empty()) else {
        return Ok(());
    };
    let account = info.account.clone();
    sales::tell(books, at, row, Some(Errand::TellIssue { account, ranges }))
}
