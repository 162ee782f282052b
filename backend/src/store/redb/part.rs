//! A file in the making: it has its name only when it is whole and durable.
//!
//! Owns the name with `.part` behind it until then. Refuses to overwrite anything. A
//! failure removes what was made; SIGKILL or a power cut leaves it under that name, which
//! nobody takes for the file itself. Called by backup and restore.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::io;
use crate::store::StoreError;

/// A file without its name.
#[derive(Debug)]
pub struct Part {
    name: PathBuf,
    path: PathBuf,
    is_whole: bool,
}

impl Part {
    /// Begins an empty file that its owner alone may read (I7).
    pub fn begin(path: &Path) -> Result<Self, StoreError> {
        vacant(path)?;
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&part) {
            Ok(_) => Ok(Self {
                name: path.to_owned(),
                path: part,
                is_whole: false,
            }),
            // Another one is at work, or was broken off.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(StoreError::Exists(part)),
            Err(error) => Err(io(error)),
        }
    }

    /// Where it is until it has its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it a copy of another file, byte by byte.
    pub fn copy_of(&self, from: &Path) -> Result<(), StoreError> {
        let mut source = File::open(from).map_err(io)?;
        let part = OpenOptions::new().write(true).open(&self.path);
        std::io::copy(&mut source, &mut part.map_err(io)?).map_err(io)?;
        Ok(())
    }

    /// Gives it its name, durably; its length in bytes. Nobody may have it open.
    pub fn finish(mut self) -> Result<u64, StoreError> {
        let file = File::open(&self.path).map_err(io)?;
        file.sync_all().map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        vacant(&self.name)?;
        std::fs::rename(&self.path, &self.name).map_err(io)?;
        self.is_whole = true;
        let folder = self.name.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(io)?;
        folder.sync_all().map_err(io)?;
        Ok(bytes)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_whole && std::fs::remove_file(&self.path).is_err() {
            tracing::warn!(part = %self.path.display(), "could not be removed: remove it");
        }
    }
}

fn vacant(path: &Path) -> Result<(), StoreError> {
    match path.symlink_metadata() {
        Ok(_) => Err(StoreError::Exists(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name in the temporary folder, and what stands under it with and without `.part`.
    fn place(name: &str) -> (PathBuf, impl Fn() -> [bool; 2]) {
        let name = format!("counterfoil-part-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(&name);
        let part = std::env::temp_dir().join(name + ".part");
        let stands = {
            let path = path.clone();
            move || [path.exists(), part.exists()]
        };
        (path, stands)
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_what_fails_leaves_nothing() {
        let (path, stands) = place("whole");
        let part = Part::begin(&path).expect("begins");
        assert_eq!(stands(), [false, true]);
        let other = Part::begin(&path);
        assert!(matches!(other, Err(StoreError::Exists(_))), "one at a time");
        drop(part);
        assert_eq!(stands(), [false, false]);
        let part = Part::begin(&path).expect("begins");
        std::fs::write(part.path(), b"all of it").expect("writes");
        assert_eq!(part.finish().expect("finishes"), 9);
        assert_eq!(stands(), [true, false]);
        std::fs::remove_file(&path).expect("removes");
    }

    #[test]
    fn nothing_is_overwritten_not_even_what_came_meanwhile() {
        let (path, stands) = place("there");
        std::fs::write(&path, b"somebody's").expect("writes");
        let refused = Part::begin(&path);
        assert!(matches!(refused, Err(StoreError::Exists(at)) if at == path));
        std::fs::remove_file(&path).expect("removes");
        let part = Part::begin(&path).expect("begins");
        std::fs::write(&path, b"somebody's").expect("writes");
        assert!(matches!(part.finish(), Err(StoreError::Exists(_))));
        assert_eq!(std::fs::read(&path).expect("reads"), b"somebody's");
        assert_eq!(stands(), [true, false]);
        std::fs::remove_file(&path).expect("removes");
    }
}
