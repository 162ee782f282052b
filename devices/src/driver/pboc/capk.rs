//! Certification authority public keys of card schemes.
//!
//! Keys are operator data with an expiry: they come from configuration and none
//! is built in. A kiosk takes them as a signed note (C2SP signed-note) with a last
//! day of its own, so that neither a key nor the absence of a revocation can be slipped
//! in, and an old list stops proving anything. Refuses a key whose checksum, SHA-1 over
//! RID, index, modulus and exponent (EMV Book 2 §11.2.2), does not fit.

use counterfoil_data::tlog::TlogError;
use counterfoil_data::tlog::note::NoteVerifier;
use counterfoil_data::wire::unhex;
use jiff::civil::Date;
use serde::Deserialize;
use sha1::{Digest as _, Sha1};

/// Keys a kiosk may hold.
pub const KEYS_MAX: usize = 64;
/// Revoked issuer certificates in a list.
pub const REVOKED_MAX: usize = 1024;
/// Longest signed list in bytes.
pub const NOTE_MAX: usize = 256 * 1024;
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
    /// More than [`REVOKED_MAX`].
    #[error("more than {REVOKED_MAX} revoked certificates")]
    Revoked,
    /// Not signed by the configured key, or changed since.
    #[error("the key list is not as its signer left it ({0}): take it from the bank again")]
    Signature(TlogError),
    /// A signed list must say how long it is good.
    #[error("the key list says no valid_until: it would be good for ever")]
    NoEnd,
    /// The file is not a list of keys.
    #[error("the key file does not parse: {0}")]
    File(String),
}

/// An issuer certificate that is good no more (EMV Book 2 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Revoked {
    rid: [u8; 5],
    index: u8,
    serial: [u8; 3],
}

/// A checked set of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capks {
    keys: Vec<Capk>,
    revoked: Vec<Revoked>,
    valid_until: Option<Date>,
}

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

/// One revoked certificate, `[[revoked]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedEntry {
    rid: String,
    index: String,
    serial: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    valid_until: Option<Date>,
    capk: Vec<Entry>,
    #[serde(default)]
    revoked: Vec<RevokedEntry>,
}

fn bytes(what: &str, text: &str) -> Result<Vec<u8>, CapkError> {
    let digits: String = text.split_whitespace().collect();
    unhex(&digits).ok_or_else(|| CapkError::File(format!("{what} is not hexadecimal")))
}

/// Exactly so many bytes.
fn exact<const N: usize>(what: &str, text: &str) -> Result<[u8; N], CapkError> {
    let length = |_| CapkError::File(format!("{what} has another length"));
    bytes(what, text)?.try_into().map_err(length)
}

impl TryFrom<Entry> for Capk {
    type Error = CapkError;

    fn try_from(entry: Entry) -> Result<Self, CapkError> {
        let [index] = exact("index", &entry.index)?;
        Ok(Self {
            rid: exact("rid", &entry.rid)?,
            index,
            modulus: bytes("modulus", &entry.modulus)?,
            exponent: bytes("exponent", &entry.exponent)?,
            expires: entry.expires,
            checksum: exact("checksum", &entry.checksum)?,
        })
    }
}

impl TryFrom<RevokedEntry> for Revoked {
    type Error = CapkError;

    fn try_from(entry: RevokedEntry) -> Result<Self, CapkError> {
        let [index] = exact("index", &entry.index)?;
        Ok(Self {
            rid: exact("rid", &entry.rid)?,
            index,
            serial: exact("serial", &entry.serial)?,
        })
    }
}

impl Capks {
    /// Reads and checks a list that is signed by `signer` and says how long it is
    /// good. That it is past its day is no error: then it proves nothing.
    pub fn from_note(note: &str, signer: &NoteVerifier) -> Result<Self, CapkError> {
        let text = signer.open(note, NOTE_MAX);
        let capks = Self::from_toml(text.map_err(CapkError::Signature)?)?;
        match capks.valid_until {
            Some(_) => Ok(capks),
            None => Err(CapkError::NoEnd),
        }
    }

    /// Reads and checks a list (TOML, `[[capk]]` and `[[revoked]]` tables), whoever
    /// wrote it: for demonstrations, and for what is about to be signed.
    pub fn from_toml(text: &str) -> Result<Self, CapkError> {
        let file: File =
            toml::from_str(text).map_err(|e| CapkError::File(e.message().to_owned()))?;
        if file.revoked.len() > REVOKED_MAX {
            return Err(CapkError::Revoked);
        }
        let keys: Result<Vec<Capk>, _> = file.capk.into_iter().map(Capk::try_from).collect();
        let revoked = file.revoked.into_iter().map(Revoked::try_from);
        Ok(Self {
            revoked: revoked.collect::<Result<_, _>>()?,
            valid_until: file.valid_until,
            ..Self::new(keys?)?
        })
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
            held.keys.push(key);
        }
        Ok(held)
    }

    /// The key of a scheme by index, good or not.
    pub fn find(&self, rid: &[u8], index: u8) -> Option<&Capk> {
        self.keys.iter().find(|k| k.rid == rid && k.index == index)
    }

    /// The key of a scheme by index, where both it and the list are good on `today`.
    pub fn usable(&self, rid: &[u8], index: u8, today: Date) -> Option<&Capk> {
        let key = self.find(rid, index).filter(|k| k.expires >= today)?;
        self.is_good(today).then_some(key)
    }

    /// Whether the list itself is still good on `today`.
    pub fn is_good(&self, today: Date) -> bool {
        self.valid_until.is_none_or(|last| last >= today)
    }

    /// Last day of the list; `None` where it says none.
    pub fn valid_until(&self) -> Option<Date> {
        self.valid_until
    }

    /// Keys in the list, and revoked certificates.
    pub fn counts(&self) -> (usize, usize) {
        (self.keys.len(), self.revoked.len())
    }

    /// Whether an issuer certificate under a key was revoked.
    pub fn is_revoked(&self, rid: &[u8], index: u8, serial: [u8; 3]) -> bool {
        let mut all = self.revoked.iter();
        all.any(|r| r.rid == rid && r.index == index && r.serial == serial)
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Made by another program (Ed25519 and SHA-256 of a Python library).
    const NOTE: &str = include_str!("capk/signed.note");
    const SIGNER: &str = "schemes.example+0749affa+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    const RID: [u8; 5] = [0xA0, 0, 0, 3, 0x33];

    fn signer() -> NoteVerifier {
        SIGNER.parse().unwrap()
    }

    #[test]
    fn a_list_signed_by_another_program_is_taken_until_its_last_day() {
        let capks = Capks::from_note(NOTE, &signer()).unwrap();
        assert_eq!(capks.counts(), (1, 1));
        assert_eq!(capks.valid_until(), Some(date(2027, 1, 31)));
        assert!(capks.usable(&RID, 0xE9, date(2027, 1, 31)).is_some());
        // The key itself would be good for years.
        assert!(capks.usable(&RID, 0xE9, date(2027, 2, 1)).is_none());
        assert!(capks.find(&RID, 0xE9).is_some());
        assert!(capks.is_revoked(&RID, 0xE9, [0, 0xBE, 0xEF]));
        assert!(!capks.is_revoked(&RID, 0xE8, [0, 0xBE, 0xEF]));
        assert!(!capks.is_revoked(&RID, 0xE9, [0, 0, 1]));
    }

    #[test]
    fn a_list_changed_unsigned_or_signed_by_another_is_refused() {
        let longer = NOTE.replace("2027-01-31", "2037-01-31");
        let forged = Capks::from_note(&longer, &signer());
        assert_eq!(forged, Err(CapkError::Signature(TlogError::Forged)));
        let unrevoked = NOTE.replace("00beef", "00bee0");
        assert!(Capks::from_note(&unrevoked, &signer()).is_err());
        let text = NOTE.split("\n\u{2014}").next().unwrap();
        assert!(Capks::from_note(text, &signer()).is_err());
        let other = counterfoil_data::tlog::note::verifier_of_seed("schemes.example", &[9; 32]);
        let other = Capks::from_note(NOTE, &other.parse().unwrap());
        assert_eq!(other, Err(CapkError::Signature(TlogError::Unsigned)));
    }

    #[test]
    fn a_signed_list_without_an_end_is_refused() {
        let demo = include_str!("../../../demo/capks.toml");
        let seed: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let note = counterfoil_data::tlog::note::sign_by_seed(demo, "schemes.example", &seed);
        assert_eq!(Capks::from_note(&note, &signer()), Err(CapkError::NoEnd));
        assert!(Capks::from_toml(demo).unwrap().is_good(date(2100, 1, 1)));
    }

    #[test]
    fn a_signer_line_that_is_out_of_form_is_none() {
        assert!(SIGNER.parse::<NoteVerifier>().is_ok());
        for bad in [
            SIGNER.replace("schemes", "scheme"),
            SIGNER.replacen('+', "", 1),
            SIGNER.to_uppercase(),
            SIGNER[..SIGNER.len() - 4].to_owned(),
        ] {
            assert!(bad.parse::<NoteVerifier>().is_err(), "{bad}");
        }
    }
}
