//! Checkpoints: the head of a log as a signed note (C2SP tlog-checkpoint over
//! C2SP signed-note, Ed25519).
//!
//! A checkpoint is three lines: origin, size, root in base64. A note is text, an
//! empty line, and signature lines `— name base64(key hash, signature)`. Other
//! people's signature lines (witnesses) are skipped, not refused.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::Digest as _;

use super::TlogError;
use crate::wire::Digest;
use crate::wire::sale::Checkpoint;

/// Longest note read, in bytes.
pub const NOTE_MAX: usize = 8 * 1024;
/// Algorithm byte of Ed25519 in a note key.
const ED25519: u8 = 1;

/// A note key's name and private half.
pub struct NoteSigner<'a> {
    /// Key name: the log's origin; no space, no plus.
    pub name: &'a str,
    /// The key.
    pub key: &'a SigningKey,
}

/// A note key's name and public half.
#[derive(Clone, Copy)]
pub struct NoteKey<'a> {
    /// Key name.
    pub name: &'a str,
    /// The key.
    pub key: &'a VerifyingKey,
}

/// A note key as configuration has it: one line, [`verifier_line`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    key: VerifyingKey,
}

impl FromStr for NoteVerifier {
    type Err = TlogError;

    fn from_str(line: &str) -> Result<Self, TlogError> {
        let (name, rest) = line.split_once('+').ok_or(TlogError::Note)?;
        let (_, key) = rest.split_once('+').ok_or(TlogError::Note)?;
        let bytes = BASE64.decode(key).map_err(|_| TlogError::Note)?;
        let bytes = bytes.split_first().map(|(_, key)| key);
        let bytes = bytes.and_then(|key| key.try_into().ok());
        let key = VerifyingKey::from_bytes(bytes.ok_or(TlogError::Note)?);
        let key = key.map_err(|_| TlogError::Note)?;
        // Hash, algorithm and spelling are right where the line comes out again.
        let right = verifier_line(NoteKey { name, key: &key }) == line;
        let name = name.to_owned();
        right.then_some(Self { name, key }).ok_or(TlogError::Note)
    }
}

impl NoteVerifier {
    /// The text of a note that carries a right signature of this key, at most so many
    /// bytes with its signatures.
    pub fn open<'a>(&self, note: &'a str, bytes_max: usize) -> Result<&'a str, TlogError> {
        let (name, key) = (self.name.as_str(), &self.key);
        open_within(note, NoteKey { name, key }, bytes_max)
    }
}

/// Signs `text`, which must end in a line feed, with the key of a seed.
pub fn sign_by_seed(text: &str, name: &str, seed: &[u8; 32]) -> String {
    let key = &SigningKey::from_bytes(seed);
    sign_note(text, &NoteSigner { name, key })
}

/// The line of [`NoteVerifier`] for the key of a seed.
pub fn verifier_of_seed(name: &str, seed: &[u8; 32]) -> String {
    let key = SigningKey::from_bytes(seed).verifying_key();
    verifier_line(NoteKey { name, key: &key })
}

/// First four bytes of SHA-256 over name, line feed, algorithm, public key.
fn key_hash(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let hasher = sha2::Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes());
    let hash: [u8; 32] = hasher.finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}

/// The public key as one line, `name+hash+base64`, for auditors.
pub fn verifier_line(key: NoteKey<'_>) -> String {
    let hash = u32::from_be_bytes(key_hash(key.name, key.key));
    let bytes = [&[ED25519], key.key.as_bytes().as_slice()].concat();
    format!("{}+{hash:08x}+{}", key.name, BASE64.encode(bytes))
}

/// Signs `text`, which must end in a line feed.
pub fn sign_note(text: &str, signer: &NoteSigner<'_>) -> String {
    let hash = key_hash(signer.name, &signer.key.verifying_key());
    let signature = signer.key.sign(text.as_bytes()).to_bytes();
    let bytes = [hash.as_slice(), &signature].concat();
    format!(
        "{text}\n\u{2014} {} {}\n",
        signer.name,
        BASE64.encode(bytes)
    )
}

/// The text of a note that carries a right signature of `key`.
pub fn open_note<'a>(note: &'a str, key: NoteKey<'_>) -> Result<&'a str, TlogError> {
    open_within(note, key, NOTE_MAX)
}

fn open_within<'a>(
    note: &'a str,
    key: NoteKey<'_>,
    bytes_max: usize,
) -> Result<&'a str, TlogError> {
    if note.len() > bytes_max || note.chars().any(|c| c.is_control() && c != '\n') {
        return Err(TlogError::Note);
    }
    let gap = note.rfind("\n\n").ok_or(TlogError::Note)?;
    let (text, rest) = note
        .split_at_checked(gap.saturating_add(1))
        .ok_or(TlogError::Note)?;
    let lines = rest.strip_prefix('\n').and_then(|r| r.strip_suffix('\n'));
    let ours = key_hash(key.name, key.key);
    let mut found = false;
    for line in lines.ok_or(TlogError::Note)?.split('\n') {
        let (name, bytes) = line
            .strip_prefix("\u{2014} ")
            .and_then(|l| l.split_once(' '))
            .ok_or(TlogError::Note)?;
        let bytes = BASE64.decode(bytes).map_err(|_| TlogError::Note)?;
        let (hash, signature) = bytes.split_first_chunk::<4>().ok_or(TlogError::Note)?;
        if name != key.name || *hash != ours {
            continue;
        }
        let signature = Signature::from_slice(signature).map_err(|_| TlogError::Note)?;
        key.key
            .verify_strict(text.as_bytes(), &signature)
            .map_err(|_| TlogError::Forged)?;
        found = true;
    }
    found.then_some(text).ok_or(TlogError::Unsigned)
}

/// A signed checkpoint; the signer's name is the log's origin.
pub fn checkpoint(size: u64, root: Digest, signer: &NoteSigner<'_>) -> Checkpoint {
    let text = format!("{}\n{size}\n{}\n", signer.name, BASE64.encode(root.0));
    Checkpoint {
        size,
        root,
        note: sign_note(&text, signer),
    }
}

/// Size and root out of a checkpoint note with a right signature of `key`, whose
/// name must be the origin. Extension lines after the root are allowed.
pub fn open_checkpoint(note: &str, key: NoteKey<'_>) -> Result<(u64, Digest), TlogError> {
    let mut lines = open_note(note, key)?.split('\n');
    let (origin, size, root) = (lines.next(), lines.next(), lines.next());
    if origin != Some(key.name) {
        return Err(TlogError::Note);
    }
    let size = size.filter(|s| *s == "0" || !s.starts_with(['0', '+']));
    let size = size.and_then(|s| s.parse().ok()).ok_or(TlogError::Note)?;
    let root = root.and_then(|r| BASE64.decode(r).ok());
    let root = root
        .and_then(|r| r.try_into().ok())
        .ok_or(TlogError::Note)?;
    Ok((size, Digest(root)))
}

/// Whether `checkpoint`'s own size and root are those of its signed note.
pub fn verify_checkpoint(checkpoint: &Checkpoint, key: NoteKey<'_>) -> Result<(), TlogError> {
    let signed = open_checkpoint(&checkpoint.note, key)?;
    let holds = signed == (checkpoint.size, checkpoint.root);
    holds.then_some(()).ok_or(TlogError::Forged)
}
