//! Books copied row by row: the backup of a running house, and the way back.
//!
//! Owns the reader beside a writing process, the digest over all rows, and the manifest
//! row that makes a file a backup. Memory is bounded by the page cache and one commit of
//! [`COMMIT_BYTES`]. Refuses books of another schema and the backup of a backup.

use std::path::Path;
use std::sync::Arc;

use counterfoil_data::wire::Digest;
use redb::{DatabaseError, ReadOnlyDatabase, ReadableDatabase, ReadableTable, StorageError};
use sha2::Digest as _;

use super::{BOOKS, RedbSnapshot, RedbStore, builder, create, io, lawful, number};
use crate::core::key::{Table, text};
use crate::core::record::backup::ManifestRow;
use crate::core::record::{decode, encode};
use crate::store::{Key, Read as _, Snapshots, StoreError};

/// Bytes of rows in one commit of a copy.
pub const COMMIT_BYTES: u64 = 16 * 1024 * 1024;

/// Where a backup says what it is.
pub fn manifest_key() -> Key {
    text(Table::Meta, "backup")
}

/// Books that another process may be writing; this one cannot.
pub struct RedbReader(ReadOnlyDatabase);

impl RedbReader {
    /// Opens existing books. Those that a killed process left are first made sound, as
    /// the next start of the service would.
    pub fn open(path: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        let open = || builder(cache_bytes).open_read_only(path);
        let database = match open() {
            Err(DatabaseError::RepairAborted) => {
                drop(RedbStore::file(path, cache_bytes)?);
                open()
            }
            other => other,
        };
        let reader = Self(database.map_err(io)?);
        let books = reader.books()?;
        let schema = books.read(&text(Table::Meta, "schema"))?;
        lawful(schema.map_or(0, |bytes| number(&bytes)))?;
        match books.read(&manifest_key())? {
            None => Ok(reader),
            Some(_) => Err(StoreError::IsBackup),
        }
    }

    /// The books as of the last commit; they stay so while the writer goes on.
    pub fn books(&self) -> Result<RedbSnapshot, StoreError> {
        RedbSnapshot::of(&self.0.begin_read().map_err(io)?)
    }
}

impl Snapshots for RedbReader {
    fn snapshot(&self) -> Result<Box<dyn crate::store::Read>, StoreError> {
        Ok(Box::new(self.books()?))
    }
}

/// Rows, their bytes, and a digest over all of them in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// SHA-256 over each row: length of the key (u32, big-endian), key, length of the
    /// value, value.
    pub digest: Digest,
}

#[derive(Default)]
struct Summing {
    rows: u64,
    bytes: u64,
    hasher: sha2::Sha256,
}

impl Summing {
    fn row(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            let len = u32::try_from(part.len()).unwrap_or(u32::MAX);
            self.hasher.update(len.to_be_bytes());
            self.hasher.update(part);
            self.bytes = self.bytes.saturating_add(len.into());
        }
        self.rows = self.rows.saturating_add(1);
    }

    fn sum(self) -> Sum {
        Sum {
            rows: self.rows,
            bytes: self.bytes,
            digest: Digest(self.hasher.finalize().into()),
        }
    }
}

impl RedbStore {
    /// Makes a new file of all rows of `books`, in commits of [`COMMIT_BYTES`], and says
    /// rows and bytes after each.
    pub fn filled(
        path: &Path,
        books: &RedbSnapshot,
        cache_bytes: usize,
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<(Self, Sum), StoreError> {
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(path);
        let backend = redb::backends::FileBackend::new(file.map_err(io)?).map_err(io)?;
        let store = Self(Arc::new(create(backend, cache_bytes).map_err(io)?));
        let mut sum = Summing::default();
        let mut rows = books.0.iter().map_err(io)?.peekable();
        while rows.peek().is_some() {
            let write = store.begin()?;
            {
                let mut table = write.open_table(BOOKS).map_err(io)?;
                let until = sum.bytes.saturating_add(COMMIT_BYTES);
                while sum.bytes < until
                    && let Some(row) = rows.next()
                {
                    let (key, value) = row.map_err(io)?;
                    sum.row(key.value(), value.value());
                    table.insert(key.value(), value.value()).map_err(io)?;
                }
            }
            write.commit().map_err(io)?;
            told(sum.rows, sum.bytes);
        }
        Ok((store, sum.sum()))
    }

    /// Opens a file after checking every page of it.
    pub fn checked(path: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        let mut builder = builder(cache_bytes);
        let database = builder.set_check_integrity_on_open(true).open(path);
        let database = database.map_err(|error| match error {
            DatabaseError::Storage(StorageError::Corrupted(_)) => StoreError::Damaged,
            other => io(other),
        });
        Ok(Self(Arc::new(database?)))
    }

    /// The digest over all rows but the manifest.
    pub fn sum(&self) -> Result<Sum, StoreError> {
        let read = self.0.begin_read().map_err(io)?;
        let mut sum = Summing::default();
        let manifest = manifest_key();
        for row in RedbSnapshot::of(&read)?.0.iter().map_err(io)? {
            let (key, value) = row.map_err(io)?;
            if key.value() != manifest {
                sum.row(key.value(), value.value());
            }
        }
        Ok(sum.sum())
    }

    /// What a backup says of itself.
    pub fn manifest(&self) -> Result<ManifestRow, StoreError> {
        let read = self.0.begin_read().map_err(io)?;
        let books = RedbSnapshot::of(&read).map_err(|_| StoreError::NotBackup)?;
        let row = books.read(&manifest_key())?.ok_or(StoreError::NotBackup)?;
        Ok(decode(&row)?)
    }

    /// Makes a copy a backup, or (without a manifest) books again.
    pub fn seal(&self, manifest: Option<&ManifestRow>) -> Result<(), StoreError> {
        let row = manifest.map(encode).transpose()?;
        let write = self.begin()?;
        {
            let mut table = write.open_table(BOOKS).map_err(io)?;
            let key = manifest_key();
            match &row {
                Some(row) => table.insert(key.as_slice(), row.as_slice()),
                None => table.remove(key.as_slice()),
            }
            .map_err(io)?;
        }
        write.commit().map_err(io)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;
    use crate::store::{Changes, Store as _};

    const CACHE: usize = 4 * 1024 * 1024;

    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> Self {
            let name = format!("counterfoil-copy-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    /// A row of this number in a table.
    fn row(n: u32) -> Changes {
        let key = [&[Table::Counter as u8], &n.to_be_bytes()[..]].concat();
        BTreeMap::from([(key, Some(vec![7; 1_000]))])
    }

    #[test]
    fn a_copy_is_of_one_moment_though_the_writer_goes_on_and_no_second_writer_comes_in() {
        let (db, out) = (File::new("db"), File::new("out"));
        let mut store = RedbStore::file(&db.0, CACHE).expect("opens");
        let epoch = store.seize().expect("seizes");
        store.flush(epoch, &row(1)).expect("writes");
        let sum = store.sum().expect("reads");
        let reader = RedbReader::open(&db.0, CACHE).expect("reads beside it");
        let books = reader.books().expect("a snapshot");
        for n in 2..200 {
            store.flush(epoch, &row(n)).expect("goes on");
        }
        assert!(RedbStore::file(&db.0, CACHE).is_err(), "a second writer");
        std::fs::write(&out.0, b"").expect("a file");
        let copied = RedbStore::filled(&out.0, &books, CACHE, &mut |_, _| {});
        let (copy, copied) = copied.expect("copies");
        assert_eq!((copied, copy.sum().expect("reads")), (sum, sum));
        assert_ne!(store.sum().expect("reads"), sum, "the writer went on");
    }

    #[test]
    fn a_sealed_copy_is_no_books_and_its_sum_is_without_the_seal() {
        let (db, out) = (File::new("books"), File::new("sealed"));
        let mut store = RedbStore::file(&db.0, CACHE).expect("opens");
        let epoch = store.seize().expect("seizes");
        store.flush(epoch, &row(1)).expect("writes");
        std::fs::write(&out.0, b"").expect("a file");
        let books = store.books().expect("a snapshot");
        let (copy, sum) = RedbStore::filled(&out.0, &books, CACHE, &mut |_, _| {}).expect("copies");
        assert!(matches!(copy.manifest(), Err(StoreError::NotBackup)));
        let manifest = ManifestRow {
            schema: 2,
            origin: "counterfoil-test".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            size: 3,
            root: Digest([4; 32]),
            note: "note".to_owned(),
            rows: sum.rows,
            digest: sum.digest,
        };
        copy.seal(Some(&manifest)).expect("seals");
        assert_eq!(copy.sum().expect("reads"), sum);
        drop(copy);
        let opened = RedbStore::file(&out.0, CACHE);
        assert!(matches!(opened, Err(StoreError::IsBackup)));
        let read = RedbReader::open(&out.0, CACHE);
        assert!(matches!(read, Err(StoreError::IsBackup)));
        let again = RedbStore::checked(&out.0, CACHE).expect("opens");
        assert_eq!(again.manifest().expect("reads"), manifest);
        again.seal(None).expect("is books again");
        drop(again);
        assert!(RedbStore::file(&out.0, CACHE).is_ok());
    }
}
