//! The product store: redb 4.5 (pinned), one ordered table.
//!
//! Money is written with two-phase commit and quick repair: reopening after a
//! crash walks no file, and the recovery defects of 2026 (#1290, #1385) never
//! touched two-phase commits. The price, measured, is 0-20 % inside groups.
//!
//! A file is opened for one writing process; others may read it meanwhile
//! ([`copy::RedbReader`], for a backup), and a second writer is refused.

pub mod copy;
pub mod part;

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyTable, ReadTransaction,
    ReadableDatabase, ReadableTable, StorageBackend, StorageError, TableDefinition,
    WriteTransaction,
};

use super::{Changes, From, RANGE_MAX, Read, Row, SCHEMA_VERSION, Snapshots, Store, StoreError};
use crate::core::key::{Table, text};

/// Page cache unless configured otherwise, in bytes.
pub const CACHE_BYTES_DEFAULT: usize = 32 * 1024 * 1024;
/// A redb file begins with its header, in a page of its own.
const HEADER_BYTES: usize = 4_096;
/// First bytes of every redb file whose creation was finished.
const MAGIC: [u8; 9] = [b'r', b'e', b'd', b'b', 0x1A, 0x0A, 0xA9, 0x0D, 0x0A];
/// No file is larger before its creation is finished.
const UNBORN_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Page cache of a look at one row, in bytes.
const LOOK_BYTES: usize = 1024 * 1024;

const BOOKS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("books");

/// Books in a redb file, or in memory for the testbed; clones share them.
#[derive(Clone)]
pub struct RedbStore(Arc<Database>);

fn io<E: std::error::Error + Send + Sync + 'static>(error: E) -> StoreError {
    StoreError::Io(Box::new(error))
}

impl RedbStore {
    /// Opens or creates the file at `path`; a new one is its owner's alone (I7).
    pub fn file(path: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        look(path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let open = || FileBackend::new(options.open(path).map_err(io)?).map_err(io);
        Self::disk(open, cache_bytes)
    }

    /// Opens books in memory; they die with the last clone.
    pub fn memory() -> Result<Self, StoreError> {
        // Memory has no locks, and nobody else who could read it.
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES_DEFAULT)
            .create_with_backend(InMemoryBackend::new());
        Self::ready(database.map_err(io)?)
    }

    /// Opens or creates books on a disk that `open` opens; power-cut tests bring their
    /// own. What a power cut left of a creation is created again: redb writes its magic
    /// last and then refuses a file that has none.
    pub fn disk<B: StorageBackend>(
        open: impl Fn() -> Result<B, StoreError>,
        cache_bytes: usize,
    ) -> Result<Self, StoreError> {
        let database = match create(open()?, cache_bytes) {
            Err(DatabaseError::Storage(StorageError::Io(error)))
                if error.kind() == ErrorKind::InvalidData && is_unborn(&open()?)? =>
            {
                let unborn = open()?;
                unborn.set_len(0).map_err(io)?;
                unborn.sync_data().map_err(io)?;
                drop(unborn);
                create(open()?, cache_bytes)
            }
            other => other,
        };
        Self::ready(database.map_err(io)?)
    }

    /// Creates the table and the schema row, or checks them.
    fn ready(database: Database) -> Result<Self, StoreError> {
        let store = Self(Arc::new(database));
        let write = store.begin()?;
        {
            let mut table = write.open_table(BOOKS).map_err(io)?;
            let key = text(Table::Meta, "schema");
            let found = table
                .get(key.as_slice())
                .map_err(io)?
                .map(|row| number(row.value()));
            match found {
                None => {
                    let version = u64::from(SCHEMA_VERSION).to_be_bytes();
                    table
                        .insert(key.as_slice(), version.as_slice())
                        .map_err(io)?;
                }
                Some(found) => lawful(found)?,
            }
            if table
                .get(copy::manifest_key().as_slice())
                .map_err(io)?
                .is_some()
            {
                return Err(StoreError::IsBackup);
            }
        }
        write.commit().map_err(io)?;
        Ok(store)
    }

    /// Closes the books and says what dropping them would not: whether that worked.
    /// Every other clone must be gone.
    pub fn close(self) -> Result<(), StoreError> {
        let database = Arc::into_inner(self.0);
        let database = database.ok_or(StoreError::Contradiction("the books are still in use"))?;
        database.close().map_err(io)
    }

    fn begin(&self) -> Result<WriteTransaction, StoreError> {
        let mut write = self.0.begin_write().map_err(io)?;
        write.set_two_phase_commit(true);
        write.set_quick_repair(true);
        Ok(write)
    }
}

fn create(backend: impl StorageBackend, cache_bytes: usize) -> Result<Database, DatabaseError> {
    builder(cache_bytes).create_with_backend(backend)
}

/// One process writes, others may read.
fn builder(cache_bytes: usize) -> Builder {
    let mut builder = Database::builder();
    builder
        .set_cache_size(cache_bytes)
        .set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// Refuses books of another schema before anything is written to their file: opening
/// them to write would. What cannot be read so, the opening itself judges: no file yet,
/// books that a killed process left, books that are open.
fn look(path: &Path) -> Result<(), StoreError> {
    let Ok(database) = builder(LOOK_BYTES).open_read_only(path) else {
        return Ok(());
    };
    let Ok(books) = RedbSnapshot::of(&database.begin_read().map_err(io)?) else {
        return Ok(());
    };
    match books.read(&text(Table::Meta, "schema"))? {
        Some(schema) => lawful(number(&schema)),
        None => Ok(()),
    }
}

/// Refuses books of another schema.
fn lawful(schema: u64) -> Result<(), StoreError> {
    if schema == u64::from(SCHEMA_VERSION) {
        return Ok(());
    }
    let found = u32::try_from(schema).unwrap_or(u32::MAX);
    Err(StoreError::Schema { found })
}

/// Whether a disk holds nothing but the beginning of a creation: of the magic at most
/// some bytes, each in its place, and not one byte behind the header. Books whose header
/// was destroyed have pages behind it; somebody's other file begins with something else.
fn is_unborn(disk: &impl StorageBackend) -> Result<bool, StoreError> {
    let len = disk.len().map_err(io)?;
    if len == 0 || len > UNBORN_BYTES_MAX {
        return Ok(false);
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    disk.read(0, &mut bytes).map_err(io)?;
    let behind = bytes.get(HEADER_BYTES..).unwrap_or_default();
    let begun = |(byte, magic): (&u8, &u8)| *byte == 0 || byte == magic;
    Ok(!bytes.starts_with(&MAGIC)
        && bytes.iter().zip(&MAGIC).all(begun)
        && behind.iter().all(|byte| *byte == 0))
}

/// A big-endian number; 0 for anything else.
fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map(u64::from_be_bytes).unwrap_or(0)
}

/// The books as of one commit, whoever writes meanwhile.
pub struct RedbSnapshot(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl RedbSnapshot {
    fn of(read: &ReadTransaction) -> Result<Self, StoreError> {
        Ok(Self(read.open_table(BOOKS).map_err(io)?))
    }
}

impl Read for RedbSnapshot {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.0.get(key).map_err(io)?;
        Ok(row.map(|row| row.value().to_vec()))
    }

    fn range(
        &self,
        low: &[u8],
        high: &[u8],
        end: From,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if low >= high {
            return Ok(Vec::new());
        }
        let mut rows = self.0.range::<&[u8]>(low..high).map_err(io)?;
        let mut found = Vec::new();
        while found.len() < limit.min(RANGE_MAX) {
            let row = match end {
                From::First => rows.next(),
                From::Last => rows.next_back(),
            };
            let Some(row) = row else { break };
            let (key, value) = row.map_err(io)?;
            found.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(found)
    }
}

impl RedbStore {
    /// The books as of the last commit.
    pub fn books(&self) -> Result<RedbSnapshot, StoreError> {
        RedbSnapshot::of(&self.0.begin_read().map_err(io)?)
    }
}

impl Snapshots for RedbStore {
    fn snapshot(&self) -> Result<Box<dyn Read>, StoreError> {
        Ok(Box::new(self.books()?))
    }
}

impl Store for RedbStore {
    fn seize(&mut self) -> Result<u64, StoreError> {
        let write = self.begin()?;
        let key = text(Table::Meta, "epoch");
        let epoch = {
            let mut table = write.open_table(BOOKS).map_err(io)?;
            let held = table
                .get(key.as_slice())
                .map_err(io)?
                .map(|row| number(row.value()));
            let epoch = held.unwrap_or(0).saturating_add(1);
            table
                .insert(key.as_slice(), epoch.to_be_bytes().as_slice())
                .map_err(io)?;
            epoch
        };
        write.commit().map_err(io)?;
        Ok(epoch)
    }

    fn flush(&mut self, epoch: u64, changes: &Changes) -> Result<(), StoreError> {
        let write = self.begin()?;
        {
            let mut table = write.open_table(BOOKS).map_err(io)?;
            let key = text(Table::Meta, "epoch");
            let found = table
                .get(key.as_slice())
                .map_err(io)?
                .map_or(0, |row| number(row.value()));
            if found != epoch {
                return Err(StoreError::Fenced { found, held: epoch });
            }
            for (key, value) in changes {
                match value {
                    Some(value) => table.insert(key.as_slice(), value.as_slice()),
                    None => table.remove(key.as_slice()),
                }
                .map_err(io)?;
            }
        }
        write.commit().map_err(io)
    }
}

#[cfg(test)]
mod bent;
#[cfg(test)]
pub(crate) mod disk;

#[cfg(test)]
impl RedbStore {
    /// Closes the books and gives unused room back, for a file that is kept.
    pub fn compacted(self) -> Result<(), StoreError> {
        let database = Arc::into_inner(self.0);
        let mut database = database.expect("the books are still in use");
        database.compact().map_err(io)?;
        database.close().map_err(io)
    }

    /// A savepoint as of now, to be held over commits.
    pub fn savepoint(&self) -> redb::Savepoint {
        let write = self.begin().expect("begins");
        let savepoint = write.ephemeral_savepoint().expect("a savepoint");
        write.abort().expect("aborts");
        savepoint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(name: &str, bytes: &[u8]) -> (bool, Vec<u8>) {
        let name = format!("counterfoil-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).expect("writes");
        let opens = RedbStore::file(&path, CACHE_BYTES_DEFAULT).is_ok();
        let after = std::fs::read(&path).expect("reads");
        std::fs::remove_file(&path).expect("removes");
        (opens, after)
    }

    #[test]
    fn somebody_s_other_file_is_refused_and_stays_as_it_was() {
        let mut late = vec![0; 8_192];
        late[6_000] = 1;
        let others = [
            b"dear bank, ".repeat(40),
            b"redb is a fine store".to_vec(),
            b"x".to_vec(),
            [b"SQLite format 3\0".as_slice(), &[0; 2_000]].concat(),
            late,
        ];
        for bytes in others {
            let (opens, after) = opened("other", &bytes);
            assert!(!opens && after == bytes, "{:?}", bytes.first_chunk::<9>());
        }
    }

    #[test]
    fn what_a_power_cut_left_of_a_creation_is_created_again() {
        for left in [
            vec![0; 4_096],
            vec![0; 1 << 20],
            [&MAGIC[..4], &[0; 5_000]].concat(),
        ] {
            assert!(opened("unborn", &left).0, "{} bytes", left.len());
        }
    }
}
