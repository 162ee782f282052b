//! Backups of a world's books, by the program's own routines: real files, in a folder
//! that dies with the world.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use counterfoil_backend::backup::{back_up, restore};
use counterfoil_backend::store::redb::RedbStore;
use counterfoil_data::seam::random;

use super::{CACHE_BYTES, House};

/// The folder, and how many files were made in it.
pub struct Kept {
    folder: PathBuf,
    files: u32,
    backup: PathBuf,
}

impl Kept {
    fn new() -> anyhow::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (id, nth) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(format!("counterfoil-books-{id}-{nth}"));
        std::fs::create_dir(&folder).context("no folder for a backup")?;
        Ok(Self {
            backup: folder.clone(),
            folder,
            files: 0,
        })
    }

    fn file(&mut self) -> PathBuf {
        self.files = self.files.saturating_add(1);
        self.folder.join(self.files.to_string())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // A folder that stays does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl House {
    /// Makes a backup of the books as of now; the service may run.
    pub fn back_up(&mut self) -> anyhow::Result<()> {
        let mut kept = match self.kept.take() {
            Some(kept) => kept,
            None => Kept::new()?,
        };
        kept.backup = kept.file();
        let (books, at) = (self.store.books()?, self.clock.now());
        back_up(&books, &kept.backup, &self.log_key(), at, &mut |_, _| {})?;
        self.kept = Some(kept);
        Ok(())
    }

    /// Puts the books back to the last backup; the service must not run.
    pub fn put_back(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.running.is_none(), "the backend runs");
        let mut kept = self.kept.take().context("there is no backup")?;
        let path = kept.file();
        let (at, salt) = (self.clock.now(), random(&*self.entropy));
        let (is, _) = restore(&kept.backup, &path, self.log_key(), at, salt)?;
        self.store = RedbStore::file(&path, CACHE_BYTES)?;
        self.told = is.size;
        self.kept = Some(kept);
        Ok(())
    }
}
