//! What the bank set, as it is kept: versions of the policy, fees by date.

use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::{FeeRow, Policy};
use crate::core::record::decode;
use crate::core::record::terms::PolicyVersionRow;
use crate::store::{From, RANGE_MAX, Read, StoreError};

/// The policy of a version, as a refusal names it.
pub fn policy(read: &dyn Read, version: u32) -> Result<Option<Policy>, StoreError> {
    let key = key::numbered(Table::PolicyVersion, version.into());
    let row: Option<PolicyVersionRow> = get(read, &key)?;
    Ok(row.map(|row| row.policy))
}

/// Every fee, by kind and date.
pub fn fees(read: &dyn Read) -> Result<Vec<FeeRow>, StoreError> {
    let (low, high) = (key::low(Table::Fee), key::high(Table::Fee));
    let rows = read.range(&low, &high, From::First, RANGE_MAX)?;
    rows.iter()
        .map(|(_, bytes)| Ok(decode::<FeeRow>(bytes)?))
        .collect()
}
