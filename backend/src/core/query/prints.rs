//! Stored images of enrolled prints.

use std::collections::BTreeMap;

use counterfoil_data::ids::AgentId;
use counterfoil_data::wire::sale::FingerPosition;

use crate::core::key::{self, Table};
use crate::core::record::bank::{AgentRow, FINGERS_MAX, TEMPLATES_MAX};
use crate::core::record::decode;
use crate::core::record::prints::PrintRow;
use crate::store::{From, Read, StoreError};

/// Agents by id, those after one, at most so many.
pub fn agents(
    read: &dyn Read,
    after: Option<&AgentId>,
    limit: usize,
) -> Result<Vec<AgentRow>, StoreError> {
    let low = match after {
        // The least key beyond an agent's own.
        Some(after) => [key::text(Table::Agent, after.as_str()), vec![0]].concat(),
        None => key::low(Table::Agent),
    };
    let rows = read.range(&low, &key::high(Table::Agent), From::First, limit)?;
    rows.iter().map(|(_, bytes)| Ok(decode(bytes)?)).collect()
}

/// Images in their envelopes, by finger and impression (from 1).
pub type Images = BTreeMap<(FingerPosition, u8), Vec<u8>>;

/// Every stored image of an agent's prints.
pub fn prints(read: &dyn Read, agent: &AgentId) -> Result<Images, StoreError> {
    let (low, high) = key::prints(agent);
    let mut images = Images::new();
    for (key, bytes) in read.range(&low, &high, From::First, FINGERS_MAX * TEMPLATES_MAX)? {
        let Some(place) = key::print_of(&key) else {
            return Err(StoreError::Contradiction("a print of no finger"));
        };
        images.insert(place, decode::<PrintRow>(&bytes)?.image);
    }
    Ok(images)
}
