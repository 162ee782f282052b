//! Personal data in leaves: only ever a salted hash.

use sha2::Digest as _;

use crate::wire::Digest;

/// Which personal datum a hash stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Personal {
    /// Name of a person.
    Name,
    /// Citizen number.
    CitizenNumber,
    /// Card number.
    CardNumber,
    /// Account number.
    AccountNumber,
    /// Telephone.
    Phone,
    /// Contents of an ID document, by the digest of the frame read.
    Document,
    /// The confirmed text, which names account and agent, by its digest.
    Approved,
    /// A person's own words: a reason, a question, what was seen.
    Words,
}

impl Personal {
    /// All, in order of code.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::CitizenNumber,
        Self::CardNumber,
        Self::AccountNumber,
        Self::Phone,
        Self::Document,
        Self::Approved,
        Self::Words,
    ];

    /// Its number in the encoding.
    pub fn code(self) -> u8 {
        match self {
            Self::Name => 1,
            Self::CitizenNumber => 2,
            Self::CardNumber => 3,
            Self::AccountNumber => 4,
            Self::Phone => 5,
            Self::Document => 6,
            Self::Approved => 7,
            Self::Words => 8,
        }
    }
}

/// The salted hash of a personal datum: SHA-256 over a label, the datum's code,
/// the salt and the value. Without the salt it tells nothing about a number of
/// few digits; the salt is stored apart and can be forgotten.
pub fn personal(salt: &[u8; 32], what: Personal, value: &str) -> Digest {
    let hasher = sha2::Sha256::new()
        .chain_update(b"counterfoil/v1/personal\0")
        .chain_update([what.code()])
        .chain_update(salt)
        .chain_update(value.as_bytes());
    Digest(hasher.finalize().into())
}
