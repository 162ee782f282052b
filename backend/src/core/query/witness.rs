//! How the books and the kiosks stand to each other after books were put back.

use counterfoil_data::ids::KioskId;
use counterfoil_data::wire::sale::Witness;

use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::KioskRow;
use crate::core::record::books::CounterRow;
use crate::core::record::decode;
use crate::core::record::witness::{AHEAD_COUNTER, Standing};
use crate::core::witness;
use crate::store::{Read, StoreError, each_row};

/// How often these books were put back from a backup, and how many kiosks saw a log that
/// is not in them.
pub fn restored(read: &dyn Read) -> Result<(usize, usize), StoreError> {
    let ahead: Option<CounterRow> = get(read, &key::text(Table::Counter, AHEAD_COUNTER))?;
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let ahead = ahead.unwrap_or_default().value;
    Ok((number(witness::restore(read)?), number(ahead)))
}

/// A kiosk, how it stands, and how many leaves it saw that the books lack.
pub type Stands = (KioskId, Witness, Option<u64>);

/// Every kiosk.
pub fn standings(read: &dyn Read) -> Result<Vec<Stands>, StoreError> {
    let mut all = Vec::new();
    let (low, high) = (key::low(Table::Kiosk), key::high(Table::Kiosk));
    each_row(read, low, &high, |_, bytes| {
        let kiosk: KioskRow = decode(&bytes)?;
        let row = witness::standing(read, &kiosk.id)?;
        let saw = match row.map(|row| row.standing) {
            Some(Standing::Ahead(seen)) => Some(seen.size),
            _ => None,
        };
        let look = witness::look(read, &kiosk.id, None)?;
        all.push((kiosk.id, look.witness, saw));
        Ok::<_, StoreError>(())
    })?;
    Ok(all)
}
