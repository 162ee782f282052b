//! A keyed command repeated after its stored answer was forgotten (I6): answered again
//! from the sale's own row, with the same numbers; never done twice.

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::SaleState;
use sha2::Digest as _;

use super::{Draft, signer_name};
use crate::core::command::{Answer, ClientKey, Command, CommandBody, Outcome};
use crate::core::key;
use crate::core::overlay::get;
use crate::core::record::sale::{KeyedAct, KeyedRow, SaleRow};
use crate::core::refusal::Refusal;
use crate::store::{Read, StoreError};

/// The act and the sale of a keyed command.
fn act(body: &CommandBody) -> Option<(KeyedAct, SaleId)> {
    match body {
        CommandBody::Link { sale, .. } => Some((KeyedAct::Link, *sale)),
        CommandBody::Close { sale, .. } => Some((KeyedAct::Close, *sale)),
        CommandBody::Cancel { sale } => Some((KeyedAct::Cancel, *sale)),
        CommandBody::Abandon { sale, .. } => Some((KeyedAct::Abandon, *sale)),
        _ => None,
    }
}

/// Digest of signer and key; the key itself need not be kept.
fn digest(command: &Command, client: &ClientKey) -> Digest {
    let hasher = sha2::Sha256::new()
        .chain_update(signer_name(&command.actor))
        .chain_update([0])
        .chain_update(&client.key);
    Digest(hasher.finalize().into())
}

/// Remembers in the sale what a keyed command did.
pub fn keep(draft: &mut Draft<'_>, outcome: &Outcome) -> Result<(), StoreError> {
    let (Some((act, sale)), Some(client)) = (act(&draft.command.body), &draft.command.key) else {
        return Ok(());
    };
    if let Outcome::RangeMoved { .. } = outcome {
        return Ok(());
    }
    let at = key::sale(sale);
    let mut row: SaleRow = draft.books.need(&at, "a keyed command about no sale")?;
    if row.keyed.iter().any(|kept| kept.act == act) {
        return Ok(());
    }
    row.keyed.push(KeyedRow {
        act,
        key: digest(draft.command, client),
        request: client.request,
        state: row.state,
    });
    draft.books.put(at, &row)
}

/// The answer to a command whose key did it before; `None` for a new one.
pub fn answer(
    read: &dyn Read,
    command: &Command,
    client: &ClientKey,
) -> Result<Option<Answer>, StoreError> {
    let Some((act, sale)) = act(&command.body) else {
        return Ok(None);
    };
    let row: Option<SaleRow> = get(read, &key::sale(sale))?;
    let Some(row) = row else { return Ok(None) };
    let asked = digest(command, client);
    let done = |kept: &&KeyedRow| kept.act == act && kept.key == asked;
    let Some(kept) = row.keyed.iter().find(done) else {
        return Ok(None);
    };
    if kept.request != client.request {
        let (replayed, result) = (false, Err(Refusal::KeyReused));
        return Ok(Some(Answer { replayed, result }));
    }
    let (replayed, result) = (true, Ok(outcome(&row, kept)?));
    Ok(Some(Answer { replayed, result }))
}

/// What the command came to, out of the row.
fn outcome(row: &SaleRow, kept: &KeyedRow) -> Result<Outcome, StoreError> {
    if (kept.act, kept.state) != (KeyedAct::Link, SaleState::Linked) {
        return Ok(Outcome::Sale(kept.state));
    }
    let (Some(linked), Some(order)) = (&row.linked, &row.order) else {
        return Err(StoreError::Contradiction("linked by a key and not linked"));
    };
    Ok(Outcome::Linked {
        requisition: linked.requisition.clone(),
        ranges: order.text.ranges.clone(),
        fee: linked.fee,
    })
}
