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
        let unfinished = self.path.with_extension("reserve-unfinished");
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
}
