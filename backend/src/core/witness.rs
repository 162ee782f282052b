//! Witnesses: kiosks remember the largest evidence log they saw, so books that were put
//! back to an earlier day are found out before anything is sold from them twice.
//!
//! Owns the comparison. After a restore a kiosk sells when it has shown that it saw
//! nothing the books lack. One that saw more sells nothing, in restored books and in any
//! others, until two people have settled what it did meanwhile (`decide::witness`).

use counterfoil_data::ids::KioskId;
use counterfoil_data::tlog::root_of;
use counterfoil_data::wire::sale::{TreeSeen, Witness};

use super::key::{self, Table};
use super::log;
use super::overlay::get;
use super::record::witness::{RestoredRow, Standing, WitnessRow};
use crate::store::{Read, StoreError};

/// What a kiosk's word comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How the books take it.
    pub witness: Witness,
    /// The books do not know it yet: `ReportTree` makes it durable.
    pub is_news: bool,
}

/// Which restore the books come from; 0 for none.
pub fn restore(read: &dyn Read) -> Result<u64, StoreError> {
    let row: Option<RestoredRow> = get(read, &key::single(Table::Restored))?;
    Ok(row.map_or(0, |row| row.number))
}

/// How a kiosk stands; `None` where nothing was ever noted.
pub fn standing(read: &dyn Read, kiosk: &KioskId) -> Result<Option<WitnessRow>, StoreError> {
    get(read, &key::text(Table::Witness, kiosk.as_str()))
}

/// Whether a log seen is the beginning of the books' own.
fn agrees(read: &dyn Read, seen: TreeSeen) -> Result<bool, StoreError> {
    if seen.size > log::size(read)? {
        return Ok(false);
    }
    let source = |level, index| log::node(read, level, index);
    Ok(root_of(seen.size, source).map_err(log::broken)? == seen.root)
}

/// What the books make of a kiosk that has seen this log, or says nothing.
pub fn look(read: &dyn Read, kiosk: &KioskId, seen: Option<TreeSeen>) -> Result<Look, StoreError> {
    let restored = restore(read)?;
    let row = standing(read, kiosk)?;
    let known = |witness| {
        Ok(Look {
            witness,
            is_news: false,
        })
    };
    let standing = row.as_ref().map(|row| row.standing);
    if let Some(Standing::Ahead(_)) = standing {
        return known(Witness::Behind);
    }
    // What was noted before a restore says nothing about what came of it.
    let is_cleared = row.map_or(0, |row| row.restored) >= restored;
    let settled = match standing {
        Some(Standing::Reconciled(settled)) if is_cleared => Some(settled),
        _ => None,
    };
    let Some(seen) = seen else {
        return known(match settled {
            Some(_) => Witness::Settled,
            None if is_cleared => Witness::Agrees,
            None => Witness::Unreported,
        });
    };
    if settled == Some(Some(seen)) {
        return known(Witness::Settled);
    }
    let agrees = agrees(read, seen)?;
    Ok(Look {
        witness: if agrees {
            Witness::Agrees
        } else {
            Witness::Behind
        },
        is_news: !agrees || !is_cleared,
    })
}
