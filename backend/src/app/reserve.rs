//! The reserve beside the database, and the room on its disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::service::space::{Look, Room};

const MIB: u64 = 1024 * 1024;

/// `<database>.reserve`: so many bytes that nobody reads.
pub struct Reserve {
    path: PathBuf,
    size: u64,
}

impl Reserve {
    /// The reserve of a database.
    pub fn beside(database: &Path, mib: u64) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push(".reserve");
        Self {
            path: PathBuf::from(name),
            size: mib.saturating_mul(MIB),
        }
    }

    /// Its bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Removes what another life left here that is no whole reserve of this size: one that
    /// was being made when the process was killed, or that was configured otherwise. It
    /// would take the room that selling waits for, and nobody would ever give it up.
    pub fn clear(&self) {
        if let Err(error) = self.cleared() {
            tracing::error!(%error, "what was left of a reserve cannot be removed");
        }
    }

    fn cleared(&self) -> io::Result<()> {
        removed(&self.unfinished())?;
        match std::fs::metadata(&self.path) {
            Ok(file) if self.size == 0 || file.len() != self.size => removed(&self.path),
            _ => Ok(()),
        }
    }

    fn unfinished(&self) -> PathBuf {
        self.path.with_extension("reserve-unfinished")
    }

    fn folder(&self) -> &Path {
        let parent = self.path.parent();
        let named = parent.filter(|parent| !parent.as_os_str().is_empty());
        named.unwrap_or(Path::new("."))
    }

    /// Made under another name first: a reserve is whole, or is not there.
    fn make_as(&self, unfinished: &Path) -> io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(unfinished)?;
        allocate(&file, self.size)?;
        file.sync_all()?;
        std::fs::rename(unfinished, &self.path)
    }
}

impl Room for Reserve {
    fn look(&self) -> io::Result<Look> {
        let held = std::fs::metadata(&self.path);
        Ok(Look {
            free: free(self.folder())?,
            has_reserve: held.is_ok_and(|file| file.is_file()),
        })
    }

    fn make(&self) -> io::Result<()> {
        let unfinished = self.unfinished();
        let made = self.make_as(&unfinished);
        if made.is_err() {
            // What is there of it takes room and serves nobody.
            let _ = std::fs::remove_file(&unfinished);
        }
        made
    }

    fn release(&self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

/// Removes a file, if it is there.
fn removed(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(target_os = "linux")]
fn free(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(target_os = "linux")]
fn allocate(file: &std::fs::File, size: u64) -> io::Result<()> {
    let flags = rustix::fs::FallocateFlags::empty();
    match rustix::fs::fallocate(file, flags, 0, size) {
        Err(rustix::io::Errno::OPNOTSUPP) => written(file, size),
        other => Ok(other?),
    }
}

#[cfg(not(target_os = "linux"))]
fn free(_folder: &Path) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn allocate(file: &std::fs::File, size: u64) -> io::Result<()> {
    written(file, size)
}

/// For file systems that cannot set room aside: zeros take it.
fn written(file: &std::fs::File, size: u64) -> io::Result<()> {
    let mut out = io::BufWriter::new(file);
    io::copy(&mut io::Read::take(io::repeat(0), size), &mut out)?;
    io::Write::flush(&mut out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_whole_beside_its_database_and_goes_again() {
        let folder = std::env::temp_dir().join(format!("counterfoil-room-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let reserve = Reserve::beside(&folder.join("books.redb"), 2);
        assert!(!reserve.look().expect("looks").has_reserve);
        reserve.make().expect("makes");
        let file = std::fs::metadata(folder.join("books.redb.reserve")).expect("is there");
        assert_eq!(file.len(), 2 * MIB);
        assert!(reserve.look().expect("looks").has_reserve);
        reserve.release().expect("releases");
        assert!(!reserve.look().expect("looks").has_reserve);
        std::fs::remove_dir_all(&folder).expect("removes");
    }
    #[test]
    fn half_a_reserve_and_one_of_another_size_are_cleared_and_a_whole_one_stays() {
        let name = format!("counterfoil-left-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let books = folder.join("books.redb");
        let left = |name: &str| folder.join(name).exists();
        let (small, large) = (Reserve::beside(&books, 1), Reserve::beside(&books, 2));
        small.clear();
        // As a kill between making and naming leaves it.
        std::fs::write(folder.join("books.redb.reserve-unfinished"), [0; 10]).expect("writes");
        small.make().expect("makes");
        std::fs::write(folder.join("books.redb.reserve-unfinished"), [0; 10]).expect("writes");
        small.clear();
        assert!(left("books.redb.reserve") && !left("books.redb.reserve-unfinished"));
        large.clear();
        assert!(
            !left("books.redb.reserve"),
            "half of what is configured now"
        );
        large.make().expect("makes");
        large.clear();
        assert!(left("books.redb.reserve"));
        Reserve::beside(&books, 0).clear();
        assert!(!left("books.redb.reserve"), "none is wanted any more");
        std::fs::remove_dir_all(&folder).expect("removes");
    }
}
