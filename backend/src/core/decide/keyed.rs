//! Commands that move money or custody by a client key: what was done is answered
//! again, from memory or from the sale, and never done twice.

use super::{again, decide, settle, signer_name};
use crate::core::command::{ClientKey, Command, CommandBody, KEY_MAX, Outcome};
use crate::core::key::{self, Table};
use crate::core::overlay::Overlay;
use crate::core::record::books::{ANSWER_KEPT_S, AnswerRow};
use crate::core::refusal::Refusal;
use crate::store::{From as End, Key, Read as _, StoreError};

/// Old answers forgotten with each new one.
const FORGET_AT_ONCE: usize = 4;

/// Whether a command moves money or custody by a client key.
pub fn is_keyed(body: &CommandBody) -> bool {
    matches!(
        body,
        CommandBody::Link { .. }
            | CommandBody::Close { .. }
            | CommandBody::Cancel { .. }
            | CommandBody::Abandon { .. }
            | CommandBody::ProposeCustody { .. }
    )
}

/// The stored answer of a repeated key, or a decision; whether it was stored.
pub fn answer(
    books: &mut Overlay<'_>,
    command: &Command,
) -> Result<(bool, Result<Outcome, Refusal>), StoreError> {
    let lawful = |k: &&ClientKey| {
        let len = k.key.len();
        (1..=KEY_MAX).contains(&len) && k.key.bytes().all(|b| b.is_ascii_graphic())
    };
    let Some(client) = command.key.as_ref().filter(lawful) else {
        return Ok((false, Err(Refusal::KeyMissing)));
    };
    let name = key::pair(Table::Answer, &signer_name(&command.actor), &client.key);
    if let Some(stored) = books.get::<AnswerRow>(&name)? {
        if stored.request != client.request {
            return Ok((false, Err(Refusal::KeyReused)));
        }
        return Ok((true, stored.result));
    }
    if let Some(again) = again::answer(&*books, command, client)? {
        return Ok((again.replayed, again.result));
    }
    let (result, changes) = settle(decide(&*books, command))?;
    let done = !changes.is_empty() && is_kept(&result);
    books.absorb(changes);
    if done {
        remember(books, command, client, name, &result)?;
    }
    Ok((false, result))
}

/// Only what was done is answered again from memory. A refusal was of its moment (a
/// stale number, a state, a form still open, empty stock): the key stays good. So it
/// does where numbers moved: the order shown next may come back to the same numbers.
fn is_kept(result: &Result<Outcome, Refusal>) -> bool {
    !matches!(result, Ok(Outcome::RangeMoved { .. }) | Err(_))
}

fn remember(
    books: &mut Overlay<'_>,
    command: &Command,
    client: &ClientKey,
    name: Key,
    result: &Result<Outcome, Refusal>,
) -> Result<(), StoreError> {
    books.put_bytes(key::answer_age(command.at, &name), Vec::new());
    let row = AnswerRow {
        request: client.request,
        at: command.at,
        result: result.clone(),
    };
    books.put(name, &row)?;
    let kept = jiff::SignedDuration::from_secs(ANSWER_KEPT_S);
    let Ok(before) = command.at.checked_sub(kept) else {
        return Ok(());
    };
    let (low, high) = (key::low(Table::AnswerAge), key::answer_age_before(before));
    for (age, _) in books.range(&low, &high, End::First, FORGET_AT_ONCE)? {
        if let Some(name) = age.get(9..) {
            books.remove(name.to_vec());
        }
        books.remove(age);
    }
    Ok(())
}
