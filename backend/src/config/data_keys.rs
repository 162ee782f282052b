//! Keys out of their files: the master, and those of data at rest beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use super::{Config, ConfigError, within};
use crate::keys::{FIRST_DATA_KEY, Keys};

/// Most keys of data at rest beside the first.
pub const DATA_KEYS_MAX: usize = 16;

/// `[[data_keys]]`: a key that encrypts templates, images and passwords at rest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataKeyConfig {
    /// 2 to 255, each once; the highest encrypts, the others only open.
    pub id: u8,
    /// 32 bytes or 64 hex digits, mode 600 or 400.
    pub file: PathBuf,
}

impl Config {
    /// The master key and those of data at rest, out of their files.
    pub fn keys(&self) -> anyhow::Result<Keys> {
        let named = |path: &Path| path.display().to_string();
        let mut keys = Keys::load(&self.key_file).with_context(|| named(&self.key_file))?;
        for key in &self.data_keys {
            let loaded = keys.with_data_key_file(key.id, &key.file);
            keys = loaded.with_context(|| named(&key.file))?;
        }
        Ok(keys)
    }

    pub(super) fn check_data_keys(&self) -> Result<(), ConfigError> {
        let most = DATA_KEYS_MAX;
        within("data_keys (how many)", self.data_keys.len(), 0, most)?;
        let least = FIRST_DATA_KEY.saturating_add(1);
        let mut ids = BTreeSet::new();
        for key in &self.data_keys {
            within("data_keys.id", key.id, least, u8::MAX)?;
            if !ids.insert(key.id) {
                return Err(ConfigError::Twice { id: key.id });
            }
        }
        Ok(())
    }
}
