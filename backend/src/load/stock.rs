//! Stock of the load: lots into the vaults, and cassettes filled from them.

use std::collections::BTreeMap;

use counterfoil_data::bill::{BillKind, BillNumber, BillRange, Serial};

use super::{LoadError, bank};
use crate::core::command::CommandBody;
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::decode;
use crate::core::record::stock::{BlankRow, Place, SlotRow, range_of};
use crate::store::{Read, StoreError, each_row};

/// Forms of one lot.
pub const LOT: u32 = 10_000;
/// Forms put into a cassette at once.
pub const FILL: u32 = 1_000;
/// A cassette with fewer forms is filled before the next sale.
const LOW: u32 = 60;

/// What lies in vaults, and the next number of the printing works.
#[derive(Default)]
pub struct Stock {
    next: BTreeMap<BillKind, u32>,
    vault: BTreeMap<(String, BillKind), BillRange>,
}

impl Stock {
    /// As the books have it.
    pub fn of(read: &dyn Read) -> Result<Self, LoadError> {
        let mut stock = Self::default();
        let (low, high) = (key::low(Table::Blank), key::high(Table::Blank));
        each_row(read, low, &high, |key, bytes| stock.saw(&key, &bytes))?;
        Ok(stock)
    }

    fn saw(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), LoadError> {
        let row: BlankRow = decode(bytes).map_err(StoreError::from)?;
        let range = key::blank_first(key).and_then(|first| range_of(first, row.last));
        let bent = LoadError::Unexpected("a blank row is bent");
        let Some(range) = range else { return Err(bent) };
        let kind = range.prefix().kind().map_err(|_| bent)?;
        self.next.insert(kind, row.last.saturating_add(1));
        if let Place::InVault(branch) = row.place {
            self.vault.insert((branch.to_string(), kind), range);
        }
        Ok(())
    }

    /// What two custodians do before a sale at this kiosk, so that it finds its forms.
    pub fn refill(
        &mut self,
        read: &dyn Read,
        kiosk: u64,
        kind: BillKind,
    ) -> Result<Vec<CommandBody>, LoadError> {
        let (id, slot) = (bank::kiosk(kiosk)?, bank::slot(kind)?);
        let row: Option<SlotRow> = get(read, &key::slot(&id, &slot))?;
        let row = row.ok_or(LoadError::Unexpected("a slot is missing"))?;
        if row.count() >= LOW {
            return Ok(Vec::new());
        }
        let number = bank::branch_of(kiosk);
        let branch = bank::branch(number)?;
        let second = bank::staff(number, "custodian-b")?;
        let mut bodies = Vec::new();
        let at = (branch.to_string(), kind);
        let held = match self.vault.remove(&at) {
            Some(held) => held,
            None => {
                let range = self.lot(kind)?;
                bodies.push(CommandBody::ReceiveBlanks {
                    second: second.clone(),
                    branch,
                    range,
                    count: range.count(),
                });
                range
            }
        };
        let part = held.take_first(FILL.min(held.count()));
        let (range, rest) = part.ok_or(LoadError::Unexpected("a lot is empty"))?;
        if let Some(rest) = rest {
            self.vault.insert(at, rest);
        }
        bodies.push(CommandBody::LoadCassette {
            second,
            kiosk: id,
            slot,
            range,
        });
        Ok(bodies)
    }

    /// The next lot of the printing works.
    fn lot(&mut self, kind: BillKind) -> Result<BillRange, LoadError> {
        let over = LoadError::Unexpected("a prefix has no more numbers");
        let next = self.next.entry(kind).or_insert(1);
        let Ok(serial) = Serial::from_value(*next) else {
            return Err(over);
        };
        *next = next.saturating_add(LOT);
        let prefix = bank::prefix(kind)?;
        BillRange::from_count(BillNumber { prefix, serial }, LOT).map_err(|_| over)
    }
}
