//! Envelopes: where the books keep what is encrypted at rest, and how one is put in
//! another's place when its key is rotated.
//!
//! Knows places and bytes; keys are [`crate::keys`]'. What changed since it was read is
//! left alone: a print enrolled meanwhile is under the newest key already.

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::AgentId;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::FingerPosition;

use super::key::{self, Table};
use super::overlay::{Overlay, get};
use super::record::bank::AgentRow;
use super::record::books::CounterRow;
use super::record::decode;
use super::record::prints::{PrintRow, TouchRow};
use super::record::sheet::PasswordRow;
use crate::store::{From, Key, Read, StoreError};

/// Envelopes in one command at most, of a quarter of a megabyte each.
pub const RESEALED_MAX: usize = 16;

/// The key of data at rest that a whole pass over the books ended under; `None` before
/// the first rotation.
pub fn data_key(read: &dyn Read) -> Result<Option<u8>, StoreError> {
    let row: Option<CounterRow> = get(read, &data_key_row())?;
    Ok(row.and_then(|row| u8::try_from(row.value).ok()))
}

/// Notes that a whole pass ended under this key.
pub fn passed(books: &mut Overlay<'_>, key: u8) -> Result<(), StoreError> {
    let row = CounterRow { value: key.into() };
    books.put(data_key_row(), &row)
}

fn data_key_row() -> Key {
    key::text(Table::Counter, "data-key")
}

/// The place of one envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedAt {
    /// A template of an agent's finger; impressions count from 0.
    Template(AgentId, FingerPosition, usize),
    /// The image of an enrolled impression, from 1.
    Image(AgentId, FingerPosition, u8),
    /// The touch accepted last.
    Touch(AgentId),
    /// A form's payment password (支付密码), until its sheet is printed.
    Password(BillNumber),
}

/// An envelope as read.
pub struct Held {
    /// Where.
    pub at: SealedAt,
    /// Its bytes.
    pub envelope: Vec<u8>,
}

/// An envelope to be put in another's place.
#[derive(Clone, PartialEq, Eq)]
pub struct Resealed {
    /// Where.
    pub at: SealedAt,
    /// Digest of the envelope it was made from; another one is left alone.
    pub old: Digest,
    /// The same content under another key.
    pub envelope: Vec<u8>,
}

impl std::fmt::Debug for Resealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resealed({:?})", self.at)
    }
}

/// Tables with envelopes, in key order.
const TABLES: [Table; 4] = [Table::Agent, Table::Print, Table::Touch, Table::Password];

/// Envelopes of the next rows after a key (empty at first), at most so many rows, and the
/// last key looked at; `None` at the end.
pub fn page(
    read: &dyn Read,
    after: &[u8],
    rows: usize,
) -> Result<Option<(Key, Vec<Held>)>, StoreError> {
    for table in TABLES {
        let (mut low, high) = (key::low(table), key::high(table));
        if after >= low.as_slice() {
            // The least key beyond the one seen.
            low = [after, &[0]].concat();
        }
        let found = read.range(&low, &high, From::First, rows)?;
        let Some((last, _)) = found.last() else {
            continue;
        };
        let last = last.clone();
        let mut held = Vec::new();
        for (key, bytes) in &found {
            envelopes(table, key, bytes, &mut held)?;
        }
        return Ok(Some((last, held)));
    }
    Ok(None)
}

fn envelopes(
    table: Table,
    key: &[u8],
    bytes: &[u8],
    held: &mut Vec<Held>,
) -> Result<(), StoreError> {
    let mut give = |at, envelope| held.push(Held { at, envelope });
    match table {
        Table::Agent => {
            let row: AgentRow = decode(bytes)?;
            for finger in row.fingers {
                for (number, template) in finger.templates.into_iter().enumerate() {
                    let at = SealedAt::Template(row.id.clone(), finger.position, number);
                    give(at, template);
                }
            }
        }
        Table::Print => {
            let (finger, number) = key::print_of(key).ok_or(NAMELESS)?;
            let row: PrintRow = decode(bytes)?;
            give(SealedAt::Image(agent_of(key)?, finger, number), row.image);
        }
        Table::Touch => {
            let row: TouchRow = decode(bytes)?;
            give(SealedAt::Touch(agent_of(key)?), row.template);
        }
        _ => {
            let row: PasswordRow = decode(bytes)?;
            // Printed: nothing is kept but the keyed hash.
            if !row.envelope.is_empty() {
                give(SealedAt::Password(row.number), row.envelope);
            }
        }
    }
    Ok(())
}

const NAMELESS: StoreError = StoreError::Contradiction("an envelope of nobody");

/// The agent that a key of [`key::print`] or [`key::text`] begins with.
fn agent_of(key: &[u8]) -> Result<AgentId, StoreError> {
    let mut parts = key.get(1..).unwrap_or_default().split(|byte| *byte == 0);
    let name = parts
        .next()
        .and_then(|name| std::str::from_utf8(name).ok())
        .and_then(|name| name.parse().ok());
    name.ok_or(NAMELESS)
}

fn template(row: &mut AgentRow, finger: FingerPosition, number: usize) -> Option<&mut Vec<u8>> {
    let mut fingers = row.fingers.iter_mut();
    let finger = fingers.find(|held| held.position == finger)?;
    finger.templates.get_mut(number)
}

impl SealedAt {
    /// The envelope there now, if there is one.
    pub fn held(&self, read: &dyn Read) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(match self {
            Self::Template(agent, finger, number) => {
                let row = get::<AgentRow>(read, &key::text(Table::Agent, agent.as_str()))?;
                row.and_then(|mut row| template(&mut row, *finger, *number).map(std::mem::take))
            }
            Self::Image(agent, finger, number) => {
                let row = get::<PrintRow>(read, &key::print(agent, *finger, *number))?;
                row.map(|row| row.image)
            }
            Self::Touch(agent) => {
                let row = get::<TouchRow>(read, &key::text(Table::Touch, agent.as_str()))?;
                row.map(|row| row.template)
            }
            Self::Password(number) => {
                let row = get::<PasswordRow>(read, &key::password(*number))?;
                row.map(|row| row.envelope)
            }
        })
    }

    /// Puts an envelope there.
    pub fn put(&self, books: &mut Overlay<'_>, envelope: Vec<u8>) -> Result<(), StoreError> {
        match self {
            Self::Template(agent, finger, number) => {
                let key = key::text(Table::Agent, agent.as_str());
                let mut row: AgentRow = books.need(&key, "a template of no agent")?;
                *template(&mut row, *finger, *number).ok_or(NAMELESS)? = envelope;
                books.put(key, &row)
            }
            Self::Image(agent, finger, number) => {
                let row = PrintRow { image: envelope };
                books.put(key::print(agent, *finger, *number), &row)
            }
            Self::Touch(agent) => {
                let row = TouchRow { template: envelope };
                books.put(key::text(Table::Touch, agent.as_str()), &row)
            }
            Self::Password(number) => {
                let key = key::password(*number);
                let mut row: PasswordRow = books.need(&key, "a password of no form")?;
                row.envelope = envelope;
                books.put(key, &row)
            }
        }
    }
}
