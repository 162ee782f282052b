//! Backup and restore of the books, below the program that is typed at.
//!
//! A backup has its name only when it is whole and durable, and is no books: the service
//! refuses it. A restore verifies all that a backup says of itself and everything in its
//! books, and is an incident: kiosks may have done what the backup does not know, so
//! restored books sell at no kiosk before it has said what it saw ([`crate::core::witness`]).

use std::path::Path;

use counterfoil_data::tlog::note::{NoteKey, open_checkpoint};
use counterfoil_data::wire::sale::{Checkpoint, TreeSeen};
use jiff::Timestamp;

use crate::core::audit::{AuditFailure, AuditReport, audit};
use crate::core::command::{Actor, Command, CommandBody};
use crate::core::record::backup::ManifestRow;
use crate::core::refusal::Refusal;
use crate::core::{log, query};
use crate::store::redb::copy::Sum;
use crate::store::redb::part::Part;
use crate::store::redb::{RedbSnapshot, RedbStore};
use crate::store::{Read, SCHEMA_VERSION, Snapshots as _, StoreError};
use crate::writer::{Fatal, LogKey, Writer};

/// Page cache of a file that is read or written once, in bytes.
pub const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The restored books cannot be written.
    #[error(transparent)]
    Writer(#[from] Fatal),
    /// Nothing is in them.
    #[error("these books are empty: there is nothing to back up")]
    Empty,
    /// The checkpoint is not signed by this bank.
    #[error("the evidence is signed by another key: name this bank's configuration")]
    Key,
    /// The log is not the one that was signed.
    #[error("the evidence log is not the one that was signed: run audit")]
    Evidence,
    /// The backup is of another schema.
    #[error("the backup is of schema {found}: restore it with the matching release")]
    Schema {
        /// Which.
        found: u32,
    },
    /// The backup is of other books.
    #[error("the backup is of the books of {origin}")]
    Origin {
        /// Whose.
        origin: String,
    },
    /// Rows were changed, added or removed.
    #[error("the rows of the backup are not those that were backed up")]
    Rows,
    /// Manifest and books are not of each other.
    #[error("the evidence of the backup is not what its manifest says")]
    Manifest,
    /// The books contradict themselves.
    #[error(transparent)]
    Audit(#[from] AuditFailure),
    /// The core refused; a defect of this program.
    #[error("the restore cannot be recorded: {0}")]
    Refused(Refusal),
}

impl BackupError {
    /// Whether it is the content that is not sound.
    pub fn is_unsound(&self) -> bool {
        matches!(
            self,
            Self::Evidence | Self::Rows | Self::Manifest | Self::Audit(_)
        )
    }
}

/// What a backup came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What it says of itself.
    pub manifest: ManifestRow,
    /// Bytes of its rows.
    pub bytes: u64,
    /// Bytes of the file.
    pub length: u64,
}

/// Writes a backup of `books` to a file that is not there; `told` hears of rows and bytes
/// now and then. Whoever writes the books may go on.
pub fn back_up(
    books: &RedbSnapshot,
    out: &Path,
    key: &LogKey,
    at: Timestamp,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Made, BackupError> {
    let part = Part::begin(out)?;
    let checkpoint = signed(books, key)?;
    let (copy, sum) = RedbStore::filled(part.path(), books, CACHE_BYTES, told)?;
    let Sum {
        rows,
        bytes,
        digest,
    } = sum;
    let manifest = ManifestRow {
        schema: SCHEMA_VERSION,
        origin: key.origin.clone(),
        at,
        size: checkpoint.size,
        root: checkpoint.root,
        note: checkpoint.note,
        rows,
        digest,
    };
    copy.seal(Some(&manifest))?;
    drop(copy);
    let length = part.finish()?;
    Ok(Made {
        manifest,
        bytes,
        length,
    })
}

/// Restores books from a backup, which stays as it is, to a file that is not there.
pub fn restore(
    from: &Path,
    to: &Path,
    key: LogKey,
    at: Timestamp,
    salt: [u8; 32],
) -> Result<(ManifestRow, AuditReport), BackupError> {
    let part = Part::begin(to)?;
    part.copy_of(from)?;
    let store = RedbStore::checked(part.path(), CACHE_BYTES)?;
    let manifest = store.manifest()?;
    let report = verified(&store, &manifest, &key)?;
    store.seal(None)?;
    let mut writer = Writer::open(store, key)?;
    let tree = TreeSeen {
        size: manifest.size,
        root: manifest.root,
    };
    let body = CommandBody::RecordRestore {
        backup_at: manifest.at,
        tree,
    };
    let answers = writer.step(vec![Command {
        at,
        salt,
        actor: Actor::System,
        sequence: None,
        key: None,
        signed: None,
        body,
    }])?;
    for answer in answers {
        answer.result.map_err(BackupError::Refused)?;
    }
    drop(writer);
    part.finish()?;
    Ok((manifest, report))
}

/// The signed head of the log, if it is this bank's and leads to what is there.
fn signed(books: &dyn Read, key: &LogKey) -> Result<Checkpoint, BackupError> {
    let checkpoint = query::checkpoint(books)?.ok_or(BackupError::Empty)?;
    let signer = key.key.verifying_key();
    let name = NoteKey {
        name: &key.origin,
        key: &signer,
    };
    let noted = open_checkpoint(&checkpoint.note, name).map_err(|_| BackupError::Key)?;
    if noted != (checkpoint.size, checkpoint.root) || !log::is_signed(books)? {
        return Err(BackupError::Evidence);
    }
    Ok(checkpoint)
}

/// Everything a backup says of itself is so, and its books are sound.
fn verified(
    store: &RedbStore,
    manifest: &ManifestRow,
    key: &LogKey,
) -> Result<AuditReport, BackupError> {
    if manifest.schema != SCHEMA_VERSION {
        let found = manifest.schema;
        return Err(BackupError::Schema { found });
    }
    if manifest.origin != key.origin {
        let origin = manifest.origin.clone();
        return Err(BackupError::Origin { origin });
    }
    let sum = store.sum()?;
    if (sum.rows, sum.digest) != (manifest.rows, manifest.digest) {
        return Err(BackupError::Rows);
    }
    let books = store.snapshot()?;
    let head = signed(&*books, key)?;
    let noted = (&head.note, head.size, head.root);
    if noted != (&manifest.note, manifest.size, manifest.root) {
        return Err(BackupError::Manifest);
    }
    Ok(audit(&*books)?)
}
