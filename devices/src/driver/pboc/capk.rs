//! Certification authority public keys of card schemes.
//!
//! Keys are operator data with an expiry: they come from configuration and none
//! is built in. Refuses a key whose checksum, SHA-1 over RID, index, modulus and
//! exponent (EMV Book 2 §11.2.2), does not fit.

use counterfoil_data::wire::unhex;
use jiff::civil::Date;
use serde::Deserialize;
use sha1::{Digest as _, Sha1};

/// Keys a kiosk may hold.
pub const KEYS_MAX: usize = 64;
/// Longest modulus in bytes (1984 bits).
pub const MODULUS_MAX: usize = 248;
/// Shortest modulus accepted (1024 bits).
pub const MODULUS_MIN: usize = 128;

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capk {
    /// Registered application provider, 5 bytes (A000000333 UnionPay).
    pub rid: [u8; 5],
    /// Index, tag 8F of the card.
    pub index: u8,
    /// Big-endian modulus.
    pub modulus: Vec<u8>,
    /// Big-endian exponent: 3 or 65537.
    pub exponent: Vec<u8>,
    /// Last day of use.
    pub expires: Date,
    /// As published with the key.
    pub checksum: [u8; 20],
}

/// Why a key list is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapkError {
    /// The checksum does not fit.
    #[error("key {index:02x}: its checksum does not fit, take it from the scheme again")]
    Checksum {
        /// The key's index.
        index: u8,
    },
    /// Not a usable RSA key.
    #[error("key {index:02x}: modulus of {bits} bits or its exponent is out of bounds")]
    Form {
        /// The key's index.
        index: u8,
        /// Bits of the modulus as given.
        bits: usize,
    },
    /// The same key twice.
    #[error("key {index:02x} is listed twice")]
    Twice {
        /// The key's index.
        index: u8,
    },
    /// More than [`KEYS_MAX`].
    #[error("more than {KEYS_MAX} keys")]
    Many,
    /// The file is not a list of keys.
    #[error("the key file does not parse: {0}")]
    File(String),
}

/// A checked set of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capks(Vec<Capk>);

/// One key as a file has it: `[[capk]]`, numbers in hexadecimal, blanks ignored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rid: String,
    index: String,
    modulus: String,
    exponent: String,
    expires: Date,
    checksum: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    capk: Vec<Entry>,
}

impl TryFrom<Entry> for Capk {
    type Error = CapkError;

    fn try_from(entry: Entry) -> Result<Self, CapkError> {
        let bytes = |what: &str, text: &str| {
            let digits: String = text.split_whitespace().collect();
            unhex(&digits).ok_or_else(|| CapkError::File(format!("{what} is not hexadecimal")))
        };
        let length = |what: &str| CapkError::File(format!("{what} has another length"));
        let index = bytes("index", &entry.index)?;
        let rid = bytes("rid", &entry.rid)?;
        let checksum = bytes("checksum", &entry.checksum)?;
        let &[index] = index.as_slice() else {
            return Err(length("index"));
        };
        Ok(Self {
            rid: rid.try_into().map_err(|_| length("rid"))?,
            index,
            modulus: bytes("modulus", &entry.modulus)?,
            exponent: bytes("exponent", &entry.exponent)?,
            expires: entry.expires,
            checksum: checksum.try_into().map_err(|_| length("checksum"))?,
        })
    }
}

impl Capks {
    /// Reads and checks a key file (TOML, `[[capk]]` tables).
    pub fn from_toml(text: &str) -> Result<Self, CapkError> {
        let file: File =
            toml::from_str(text).map_err(|e| CapkError::File(e.message().to_owned()))?;
        let keys: Result<Vec<Capk>, _> = file.capk.into_iter().map(Capk::try_from).collect();
        Self::new(keys?)
    }

    /// Checks every key and takes them.
    pub fn new(keys: Vec<Capk>) -> Result<Self, CapkError> {
        if keys.len() > KEYS_MAX {
            return Err(CapkError::Many);
        }
        let mut held = Self::default();
        for key in keys {
            let index = key.index;
            let bytes = key.modulus.len();
            let exponent = matches!(key.exponent.as_slice(), [3] | [1, 0, 1]);
            let odd = key.modulus.last().is_some_and(|b| b & 1 == 1);
            if !(MODULUS_MIN..=MODULUS_MAX).contains(&bytes) || !exponent || !odd {
                return Err(CapkError::Form {
                    index,
                    bits: bytes.saturating_mul(8),
                });
            }
            if checksum(&key) != key.checksum {
                return Err(CapkError::Checksum { index });
            }
            if held.find(&key.rid, index).is_some() {
                return Err(CapkError::Twice { index });
            }
            held.0.push(key);
        }
        Ok(held)
    }

    /// The key of a scheme by index.
    pub fn find(&self, rid: &[u8], index: u8) -> Option<&Capk> {
        self.0.iter().find(|k| k.rid == rid && k.index == index)
    }
}

fn checksum(key: &Capk) -> [u8; 20] {
    let mut hash = Sha1::new();
    hash.update(key.rid);
    hash.update([key.index]);
    hash.update(&key.modulus);
    hash.update(&key.exponent);
    hash.finalize().into()
}
