//! The evidence log for people outside: export, offline verification, the
//! timeline of one number, tiles (I8).
//!
//! An export is text: a head line, the signed checkpoint, then one line a leaf.
//!
//! ```text
//! counterfoil-evidence 1
//! key <name+hash+base64>
//! note <base64 of the signed checkpoint>
//! leaf <index> <hash, hex> <bytes, base64>
//! node <level> <index> <hash, hex>      (after the leaf that completed it)
//! ```
//!
//! Every hash stands beside what it covers, so a changed, removed or reordered
//! record is named by its index. Called by the admin tools and the service.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use counterfoil_data::bill::BillNumber;
use counterfoil_data::leaf::{Field, Leaf, Signed};
use counterfoil_data::sign::SignError;
use counterfoil_data::tlog::note::{NoteKey, open_checkpoint, verifier_line};
use counterfoil_data::tlog::{Frontier, leaf_hash};
use counterfoil_data::wire::{Digest, hex, unhex};
use ed25519_dalek::VerifyingKey;

use crate::core::key::{self, Table};
use crate::core::{log, number, query};
use crate::store::{From, RANGE_MAX, Read, StoreError, each_row};

/// First line of an export.
const HEAD: &str = "counterfoil-evidence 1";
/// Longest line read, in bytes: a leaf of 4 KiB in base64, and its hash.
const LINE_MAX: u64 = 8 * 1024;
/// Hashes in one tile (C2SP tlog-tiles).
pub const TILE_HASHES: u64 = 256;
/// Tree levels one tile level stands for.
const TILE_HEIGHT: u8 = 8;
/// Steps of one timeline at most.
pub const TIMELINE_MAX: usize = 1_024;

/// Why an export could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The books cannot be read.
    #[error("the books cannot be read")]
    Store(#[from] StoreError),
    /// The file cannot be written.
    #[error("the export cannot be written")]
    Io(#[from] io::Error),
    /// Nothing is recorded yet.
    #[error("the evidence log is empty: there is nothing to export")]
    Empty,
}

/// Why an export does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFailure {
    /// The file cannot be read.
    #[error("the export cannot be read")]
    Io(#[from] io::Error),
    /// Not an export, or of another version.
    #[error("line {line} is not of an evidence export")]
    Shape {
        /// Line, from 1.
        line: u64,
    },
    /// A record was changed, removed, added or moved.
    #[error("record {index} is not the one that was recorded")]
    Record {
        /// Its index.
        index: u64,
    },
    /// One of these records was changed together with its hash.
    #[error("one of the records {first} to {last} is not the one that was recorded")]
    Records {
        /// First of them.
        first: u64,
        /// Last of them.
        last: u64,
    },
    /// Records are missing at the end, or the whole was rewritten.
    #[error("{size} records do not lead to the signed checkpoint over {signed}")]
    Checkpoint {
        /// Records found.
        size: u64,
        /// Records signed for.
        signed: u64,
    },
    /// A kiosk's signature that does not hold.
    #[error("record {index} keeps a signature of its signer that does not hold: {fault}")]
    Signed {
        /// Its index.
        index: u64,
        /// What is wrong.
        fault: SignError,
    },
    /// The checkpoint is not signed by the key expected.
    #[error("the checkpoint is not signed by the expected key")]
    Signature,
}

/// What a sound export holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Records.
    pub size: u64,
    /// Root over them.
    pub root: Digest,
    /// The key that signed, to compare with the one the bank published.
    pub key: String,
    /// Signatures of kiosks that were verified again.
    pub signatures: Signatures,
}

/// Kiosks' signatures in a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signatures {
    /// How many hold; one that does not ends the verification.
    pub count: u64,
    /// By whom and with which public key in hex, to compare with the kiosk's own.
    pub keys: BTreeSet<(String, String)>,
}

impl Signatures {
    fn note(&mut self, leaf: &Leaf, signed: &Signed) {
        self.count = self.count.saturating_add(1);
        let who = leaf.fields.iter().find_map(|field| match field {
            Field::Actor(who) => Some(who.clone()),
            _ => None,
        });
        self.keys
            .insert((who.unwrap_or_default(), hex(&signed.key)));
    }
}

/// Writes the whole log.
pub fn export(
    read: &dyn Read,
    origin: &str,
    signer: &VerifyingKey,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    let checkpoint = query::checkpoint(read)?.ok_or(ExportError::Empty)?;
    let key = NoteKey {
        name: origin,
        key: signer,
    };
    writeln!(out, "{HEAD}\nkey {}", verifier_line(key))?;
    writeln!(out, "note {}", BASE64.encode(&checkpoint.note))?;
    let mut frontier = Frontier::default();
    let (low, high) = (key::low(Table::Leaf), key::high(Table::Leaf));
    each_row(read, low, &high, |_, bytes| {
        let mut lines = Vec::new();
        let hash = leaf_hash(&bytes);
        let index = frontier
            .append(hash, |level, at, hash| {
                if level > 0 {
                    lines.push(format!("node {level} {at} {hash}"));
                }
            })
            .map_err(log::broken)?;
        writeln!(out, "leaf {index} {hash} {}", BASE64.encode(&bytes))?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        Ok::<_, ExportError>(())
    })?;
    Ok(frontier.size())
}

/// A reading of an export.
struct Reader<'a> {
    input: &'a mut dyn BufRead,
    line: u64,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<String>, VerifyFailure> {
        self.line = self.line.saturating_add(1);
        let mut text = Vec::new();
        let mut limited = io::Read::take(&mut *self.input, LINE_MAX);
        limited.read_until(b'\n', &mut text)?;
        if text.is_empty() {
            return Ok(None);
        }
        if text.pop() != Some(b'\n') {
            return Err(self.shape());
        }
        let text = String::from_utf8(text).map_err(|_| self.shape())?;
        Ok(Some(text))
    }

    fn shape(&self) -> VerifyFailure {
        VerifyFailure::Shape { line: self.line }
    }

    fn field(&mut self, name: &str) -> Result<String, VerifyFailure> {
        let text = self.next()?.ok_or_else(|| self.shape())?;
        let value = text.strip_prefix(name).and_then(|t| t.strip_prefix(' '));
        value.map(str::to_owned).ok_or_else(|| self.shape())
    }
}

/// Verifies an export offline. `trusted` is the published key line; without it the
/// export's own is used and reported, which proves order but not authorship.
pub fn verify(
    input: &mut dyn BufRead,
    trusted: Option<&str>,
) -> Result<VerifyReport, VerifyFailure> {
    let mut reader = Reader { input, line: 0 };
    if reader.next()?.as_deref() != Some(HEAD) {
        return Err(reader.shape());
    }
    let key_line = reader.field("key")?;
    if trusted.is_some_and(|t| t.trim() != key_line) {
        return Err(VerifyFailure::Signature);
    }
    let (name, key) = parse_key(&key_line).ok_or_else(|| reader.shape())?;
    let note = BASE64.decode(reader.field("note")?).ok();
    let note = note.and_then(|n| String::from_utf8(n).ok());
    let note = note.ok_or_else(|| reader.shape())?;
    let note_key = NoteKey {
        name: &name,
        key: &key,
    };
    let (signed, root) = open_checkpoint(&note, note_key).map_err(|_| VerifyFailure::Signature)?;
    let mut signatures = Signatures::default();
    let frontier = records(&mut reader, &mut signatures)?;
    let size = frontier.size();
    if (size, frontier.root()) != (signed, root) {
        return Err(VerifyFailure::Checkpoint { size, signed });
    }
    Ok(VerifyReport {
        size,
        root,
        key: key_line,
        signatures,
    })
}

/// Name and key out of `name+hash+base64`.
fn parse_key(line: &str) -> Option<(String, VerifyingKey)> {
    let (name, rest) = line.split_once('+')?;
    let (_, key) = rest.split_once('+')?;
    let bytes = BASE64.decode(key).ok()?;
    let (_, key) = bytes.split_first()?;
    let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
    let right = verifier_line(NoteKey { name, key: &key }) == line;
    right.then(|| (name.to_owned(), key))
}

fn records(
    reader: &mut Reader<'_>,
    signatures: &mut Signatures,
) -> Result<Frontier, VerifyFailure> {
    let mut frontier = Frontier::default();
    // Nodes that the last leaf completed, still to be met.
    let mut open: Vec<(u8, u64, Digest)> = Vec::new();
    while let Some(line) = reader.next()? {
        let index = frontier.size();
        let parts: Vec<&str> = line.split(' ').collect();
        match parts.as_slice() {
            ["leaf", at, hash, bytes] if open.is_empty() => {
                leaf(&mut frontier, &mut open, signatures, [at, hash, bytes])?;
            }
            ["node", level, at, hash] if !open.is_empty() => {
                node(open.remove(0), index, [level, at, hash])?;
            }
            // Something between this record and the last was added or removed.
            _ => return Err(VerifyFailure::Record { index }),
        }
    }
    if open.is_empty() {
        Ok(frontier)
    } else {
        let index = frontier.size();
        Err(VerifyFailure::Record { index })
    }
}

fn digest(text: &str) -> Option<Digest> {
    Some(Digest(unhex(text)?.try_into().ok()?))
}

fn leaf(
    frontier: &mut Frontier,
    open: &mut Vec<(u8, u64, Digest)>,
    signatures: &mut Signatures,
    [at, hash, bytes]: [&str; 3],
) -> Result<(), VerifyFailure> {
    let index = frontier.size();
    let wrong = || VerifyFailure::Record { index };
    let bytes = BASE64.decode(bytes).map_err(|_| wrong())?;
    let recorded = digest(hash).filter(|d| hex(&d.0) == hash);
    let same = *at == index.to_string() && recorded == Some(leaf_hash(&bytes));
    if !same {
        return Err(wrong());
    }
    let leaf = Leaf::decode(&bytes).map_err(|_| wrong())?;
    if let Some(signed) = leaf.signature() {
        let signed = signed.map_err(|fault| VerifyFailure::Signed { index, fault })?;
        signatures.note(&leaf, signed);
    }
    let mut completed = |level, at, hash| {
        if level > 0 {
            open.push((level, at, hash));
        }
    };
    frontier
        .append(leaf_hash(&bytes), &mut completed)
        .map_err(|_| wrong())?;
    Ok(())
}

fn node(
    (level, at, hash): (u8, u64, Digest),
    size: u64,
    found: [&str; 3],
) -> Result<(), VerifyFailure> {
    let right = [level.to_string(), at.to_string(), hash.to_string()];
    if found.iter().zip(&right).all(|(a, b)| a == b) {
        return Ok(());
    }
    let span = 1_u64.checked_shl(level.into()).unwrap_or(u64::MAX);
    let last = size.saturating_sub(1);
    Err(VerifyFailure::Records {
        first: size.saturating_sub(span),
        last,
    })
}

/// One tile: up to 256 hashes of tree level `8 * level`, from `256 * index` on.
pub fn tile(read: &dyn Read, level: u8, index: u64) -> Result<Vec<Digest>, StoreError> {
    let (Some(level), Some(first)) = (
        level.checked_mul(TILE_HEIGHT),
        index.checked_mul(TILE_HASHES),
    ) else {
        return Ok(Vec::new());
    };
    if level == 0 {
        return log::leaf_hashes(read, first, TILE_HASHES);
    }
    let low = key::tree_hash(level, first);
    let high = key::tree_hash(level, first.saturating_add(TILE_HASHES));
    let limit = usize::try_from(TILE_HASHES).unwrap_or(RANGE_MAX);
    let rows = read.range(&low, &high, From::First, limit)?;
    let hashes = rows
        .into_iter()
        .map(|(_, hash)| hash.try_into().map(Digest));
    let hashes: Result<Vec<_>, _> = hashes.collect();
    hashes.map_err(|_| StoreError::Contradiction("a tree hash is bent"))
}

/// Everything recorded about one number, oldest first, with leaf indexes: how it
/// came, every sale it was given to or read in, and what became of it. Of more than
/// [`TIMELINE_MAX`] leaves the newest.
pub fn timeline(read: &dyn Read, number: BillNumber) -> Result<Vec<(u64, Leaf)>, StoreError> {
    let mut found = Vec::new();
    for index in number::leaves(read, number, TIMELINE_MAX)? {
        let Some(bytes) = read.read(&key::numbered(Table::Leaf, index))? else {
            return Err(StoreError::Contradiction("an indexed leaf is missing"));
        };
        let leaf = Leaf::decode(&bytes);
        let leaf = leaf.map_err(|_| StoreError::Contradiction("a leaf is malformed"))?;
        found.push((index, leaf));
    }
    Ok(found)
}

/// What a person said at a leaf, in their own words; `None` where nobody said anything,
/// or it was erased.
pub fn words(read: &dyn Read, leaf: u64) -> Result<Option<String>, StoreError> {
    let bytes = read.read(&key::numbered(Table::Words, leaf))?;
    let text = bytes.map(String::from_utf8).transpose();
    text.map_err(|_| StoreError::Contradiction("somebody's words are bent"))
}

/// The salt of a leaf's personal fields; with it and the datum at hand,
/// [`Leaf::holds`] proves what was recorded.
pub fn salt(read: &dyn Read, leaf: u64) -> Result<Option<[u8; 32]>, StoreError> {
    let bytes = read.read(&key::numbered(Table::LeafSalt, leaf))?;
    let salt = bytes.map(<[u8; 32]>::try_from).transpose();
    salt.map_err(|_| StoreError::Contradiction("a salt is bent"))
}

#[cfg(test)]
mod tests;
