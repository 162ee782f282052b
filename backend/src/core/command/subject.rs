//! What is tried at the first gate.

use serde::{Deserialize, Serialize};

use crate::core::record::bank::KeyedHash;

/// What proves the right to buy, as keyed hashes (S2, S3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// PM1: keyed hash of the card number.
    Card(KeyedHash),
    /// PM2: keyed hash of the account number.
    Account(KeyedHash),
}

impl Subject {
    /// The hash, whichever it is of.
    pub fn hash(self) -> KeyedHash {
        match self {
            Self::Card(hash) | Self::Account(hash) => hash,
        }
    }
}
