//! What caps are judged by: forms an account holds unused, forms an agent and an account
//! bought on a day. Kept as counters, recomputed here from every sale.

use std::collections::BTreeMap;

use super::{AuditFailure, each, each_bytes};
use crate::core::key::{self, Table};
use crate::core::record::bank::AccountRow;
use crate::core::record::books::CounterRow;
use crate::core::record::decode;
use crate::core::record::sale::SaleRow;
use crate::core::register;
use crate::store::{Key, Read, StoreError};

/// By the sales.
#[derive(Default)]
pub struct Held {
    unused: BTreeMap<String, u64>,
    days: BTreeMap<Key, u64>,
}

impl Held {
    /// Counts one sale.
    pub fn add(&mut self, row: &SaleRow) {
        let (Some((_, line)), Some(info)) = (register::line(row), &row.info) else {
            return;
        };
        let unused = self.unused.entry(info.account.clone()).or_default();
        *unused = unused.saturating_add(register::unused(row));
        for day in [
            key::agent_day(&line.agent, line.date),
            key::account_day(&info.account, line.date),
        ] {
            let bought = self.days.entry(day).or_default();
            *bought = bought.saturating_add(register::bought(row));
        }
    }

    /// Compares with the counters.
    pub fn check(mut self, read: &dyn Read) -> Result<(), AuditFailure> {
        let unused = &mut self.unused;
        each(read, |_, row: AccountRow| {
            let sold = unused.remove(&row.number).unwrap_or(0);
            let by_sales = sold.saturating_add(row.unused_before.into());
            let what = "an account's unused forms";
            same(what, u64::from(row.unused), by_sales)
        })?;
        let days = &mut self.days;
        let what = "an agent's or account's forms of a day";
        for table in [Table::AgentDay, Table::AccountDay] {
            each_bytes(read, table, |key, bytes| {
                let row: CounterRow = decode(&bytes).map_err(StoreError::from)?;
                same(what, row.value, days.remove(&key).unwrap_or(0))
            })?;
        }
        match self.days.values().find(|count| **count > 0) {
            Some(count) => same(what, 0, *count),
            None => Ok(()),
        }
    }
}

fn same(what: &'static str, counted: u64, by_sales: u64) -> Result<(), AuditFailure> {
    if counted == by_sales {
        return Ok(());
    }
    Err(AuditFailure::Counter {
        what,
        counted,
        by_sales,
    })
}
