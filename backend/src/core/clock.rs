//! The house's clock, held against its own records.
//!
//! Evidence never goes back in time. A clock a little behind the newest record is taken
//! for it: a step of a time service. One further behind was wrong then or is wrong now,
//! and nobody knows which: nothing is sold, what happens is recorded under the newest
//! time, and two people may say that the clock is right (`decide::clock`). The one leaf
//! that says so is the one that goes back.

use counterfoil_data::leaf::Leaf;
use jiff::Timestamp;

use super::command::CommandBody;
use super::key::{self, Table};
use super::log;
use crate::store::{Read, StoreError};

/// Seconds that the clock may be behind the newest record and still sell.
pub const BEHIND_S_MAX: i64 = 60;

/// When the newest leaf was recorded; `None` before the first.
pub fn newest(read: &dyn Read) -> Result<Option<Timestamp>, StoreError> {
    let Some(last) = log::size(read)?.checked_sub(1) else {
        return Ok(None);
    };
    let bytes = read.read(&key::numbered(Table::Leaf, last))?;
    let bytes = bytes.ok_or(StoreError::Contradiction("the newest leaf is missing"))?;
    let leaf = Leaf::decode(&bytes);
    let leaf = leaf.map_err(|_| StoreError::Contradiction("a leaf is malformed"))?;
    Ok(Some(leaf.at))
}

/// Seconds from `at` to the newest record, if that is later.
pub fn behind_s(newest: Option<Timestamp>, at: Timestamp) -> i64 {
    let behind = newest.map_or(0, |newest| newest.duration_since(at).as_secs());
    behind.max(0)
}

/// Whether a command begins or makes a sale.
pub fn sells(body: &CommandBody) -> bool {
    matches!(
        body,
        CommandBody::OpenSale { .. } | CommandBody::PlaceOrder { .. } | CommandBody::Link { .. }
    )
}
