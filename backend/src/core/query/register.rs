//! The register of a day (领用登记簿, 签收): who received which numbers, when, confirmed by
//! whom, and where the evidence is.

use counterfoil_data::leaf::Leaf;
use counterfoil_data::mask;
use counterfoil_data::wire::sale::SaleState;
use counterfoil_data::wire::sheet::SheetView;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::AgentRow;
use crate::core::record::books::RegisterRow;
use crate::core::record::decode;
use crate::core::record::sale::SaleRow;
use crate::store::{Read, StoreError, each_row};

/// A leaf and its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Index in the evidence log.
    pub leaf: u64,
    /// When.
    pub at: Timestamp,
}

/// One line, as it may be printed: accounts and people masked (I7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Requisition number (领用单号).
    pub requisition: String,
    /// Account, masked.
    pub account: String,
    /// Buyer, masked.
    pub agent: String,
    /// Where the sale stands.
    pub state: SaleState,
    /// Numbers, fee, officer.
    pub row: RegisterRow,
    /// The payment-password sheet, where the account is under that arrangement (L7).
    pub sheet: Option<SheetView>,
    /// Linked processing.
    pub linked: Proof,
    /// The customer has everything and the receipt is made out; it stands for the
    /// signature in the register.
    pub closed: Option<Proof>,
}

/// Account and requisition, out of a register key.
fn parts(key: &[u8]) -> Option<(String, String)> {
    let mut parts = key.get(1..)?.split(|byte| *byte == 0);
    let mut text = || String::from_utf8(parts.next()?.to_vec()).ok();
    Some((text()?, text()?))
}

fn proof(read: &dyn Read, leaf: u64) -> Result<Proof, StoreError> {
    let gap = StoreError::Contradiction("a register line without its evidence");
    let Some(bytes) = read.read(&key::numbered(Table::Leaf, leaf))? else {
        return Err(gap);
    };
    let at = Leaf::decode(&bytes).map_err(|_| gap)?.at;
    Ok(Proof { leaf, at })
}

fn entry(
    read: &dyn Read,
    account: &str,
    requisition: String,
    row: RegisterRow,
) -> Result<Entry, StoreError> {
    let gap = StoreError::Contradiction("a register line without its sale");
    let sale: Option<SaleRow> = get(read, &key::sale(row.sale))?;
    let sale = sale.ok_or(gap)?;
    let agent: Option<AgentRow> = get(read, &key::text(Table::Agent, row.agent.as_str()))?;
    Ok(Entry {
        requisition,
        account: mask::account(account),
        agent: agent.map(|agent| agent.name_masked).unwrap_or_default(),
        state: sale.state,
        sheet: super::sale::sheet(read, row.sale)?,
        linked: proof(read, row.leaf)?,
        closed: match sale.closing_leaf {
            Some(leaf) => Some(proof(read, leaf)?),
            None => None,
        },
        row,
    })
}

/// Every line of a business date, in requisition order. Reads the whole register in
/// pages, so it is for offline use; memory grows with the day alone.
pub fn of_day(read: &dyn Read, day: Date) -> Result<Vec<Entry>, StoreError> {
    let (low, high) = (key::low(Table::Register), key::high(Table::Register));
    let mut entries = Vec::new();
    each_row(read, low, &high, |key, bytes| {
        let row: RegisterRow = decode(&bytes)?;
        if row.date == day {
            let bent = StoreError::Contradiction("a register key is bent");
            let (account, requisition) = parts(&key).ok_or(bent)?;
            entries.push(entry(read, &account, requisition, row)?);
        }
        Ok::<_, StoreError>(())
    })?;
    entries.sort_by(|a, b| a.requisition.cmp(&b.requisition));
    Ok(entries)
}
