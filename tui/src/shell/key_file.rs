//! A signing key in a file: 64 hex digits that only its owner may read (I7).

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use counterfoil_data::secret::Secret;
use counterfoil_data::wire::unhex;

/// Longest key file in bytes: the digits and an end of line.
const FILE_MAX: u64 = 66;

/// Why a key cannot be used; never shows what the file holds.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("the key file cannot be read")]
    Read(#[from] std::io::Error),
    /// Others may read it.
    #[error("the key file has mode {mode:o}: make it 600 or 400")]
    Mode {
        /// As it is.
        mode: u32,
    },
    /// Not 64 hex digits.
    #[error("the key file must hold 64 hex digits and nothing else")]
    Shape,
}

/// Reads the 32 bytes of a key.
pub fn read(path: &Path) -> Result<Secret<[u8; 32]>, KeyFileError> {
    let file = File::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Mode { mode });
        }
    }
    // One allocation, so that no copy is left behind by growing.
    let mut text = String::with_capacity(usize::try_from(FILE_MAX).unwrap_or(0).saturating_add(1));
    file.take(FILE_MAX.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(|_| KeyFileError::Shape)?;
    let text = Secret::new(text);
    let bytes = unhex(text.expose().trim_end()).and_then(|b| b.try_into().ok());
    bytes.map(Secret::new).ok_or(KeyFileError::Shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::OpenOptionsExt as _;

    fn file(name: &str, mode: u32, text: &str) -> std::path::PathBuf {
        use std::io::Write as _;
        let name = format!("counterfoil-key-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode);
        file = file.truncate(false);
        let mut file = file.open(&path).expect("a file");
        file.write_all(text.as_bytes()).expect("writes");
        path
    }

    #[test]
    fn a_key_is_read_only_from_a_file_of_its_owner_alone() {
        let digits = "0f".repeat(32);
        let path = file("good", 0o600, &format!("{digits}\n"));
        assert_eq!(read(&path).expect("reads").expose(), &[15; 32]);
        let path = file("open", 0o640, &digits);
        assert!(matches!(
            read(&path),
            Err(KeyFileError::Mode { mode: 0o640 })
        ));
    }

    #[test]
    fn a_file_of_another_shape_is_refused_without_showing_it() {
        for text in ["", "0f", &"0g".repeat(32), &"0f".repeat(33)] {
            let error = read(&file("bad", 0o400, text))
                .map(drop)
                .expect_err("refused");
            assert!(matches!(error, KeyFileError::Shape), "{text}");
        }
    }
}
