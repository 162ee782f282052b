//! The backend's keys: one 32-byte master, everything else derived from it.
//!
//! Owns the sealing pair, the evidence signing key, the index key (keyed hashes
//! of card, account and citizen numbers), the PIN pepper, and the ring of keys that
//! encrypt data at rest: the first from the master too, others given beside it.
//! Refuses key files that others may read. Nothing here can be printed (I7). Called by the workers, the demo bank and `app`.

pub mod envelope;
pub mod passwords;
pub mod reseal;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use counterfoil_data::citizen;
use counterfoil_data::sealed::{OpenKey, SealKey};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::{self, Digest};
use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use hkdf::hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroize as _;

/// Bytes of the master key.
pub const MASTER_LEN: usize = 32;
/// Longest key file read: 32 raw bytes, or 64 hex digits and a newline.
const KEY_FILE_MAX: u64 = 80;
/// Id of the key for data at rest that the master gives.
pub const FIRST_DATA_KEY: u8 = 1;
/// The fixed master of the demonstration bank. Public, so worth nothing.
const DEMO_MASTER: [u8; MASTER_LEN] = *b"counterfoil demo bank master 001";

/// Why keys could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be opened or read.
    #[error("key file cannot be read: check its path and owner")]
    Read(#[source] std::io::Error),
    /// Group or others may read it.
    #[error("key file has mode {mode:03o}: others may read it, set it to 600 or 400")]
    Mode {
        /// The permission bits found.
        mode: u32,
    },
    /// Neither 32 bytes nor 64 hex digits.
    #[error("key file holds {found} bytes: write 32 random bytes or 64 hex digits")]
    Length {
        /// Bytes found.
        found: usize,
    },
}

/// What a keyed hash is of; two kinds never share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexed {
    /// A card number (PAN).
    Card,
    /// An account number.
    Account,
    /// A citizen number (公民身份号码).
    Citizen,
    /// A person's name.
    Name,
    /// A form's number and its payment password (支付密码), for checking it alone.
    Password,
}

impl Indexed {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Card => b"card\0",
            Self::Account => b"account\0",
            Self::Citizen => b"citizen\0",
            Self::Name => b"name\0",
            Self::Password => b"password\0",
        }
    }
}

/// All keys of one backend. `Send + Sync`: workers share it by `Arc`.
pub struct Keys {
    /// Opens what kiosks sealed; used inside workers only.
    pub open: OpenKey,
    /// The public half, given to kiosks in `GET /v1/kiosk`.
    pub seal: SealKey,
    /// Signs checkpoints of the evidence log.
    pub evidence: SigningKey,
    index: Secret<[u8; 32]>,
    /// Keys of data at rest by id; the highest is the one written with.
    ring: BTreeMap<u8, Secret<[u8; 32]>>,
    pepper: Secret<[u8; 32]>,
}

impl Keys {
    /// Derives every key from the master by HKDF-SHA-256 (RFC 5869).
    pub fn derive(master: &[u8; MASTER_LEN]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(b"counterfoil/v1/master"), master);
        let material = |label: &[u8]| {
            let mut bytes = [0; 32];
            // 32 bytes are always within HKDF-SHA-256's 255 blocks.
            let _ = hkdf.expand(label, &mut bytes);
            bytes
        };
        let mut sealing = material(b"sealing");
        let (open, seal) = OpenKey::derive(&sealing);
        sealing.zeroize();
        Self {
            open,
            seal,
            evidence: SigningKey::from_bytes(&material(b"evidence")),
            index: Secret::new(material(b"index")),
            ring: BTreeMap::from([(FIRST_DATA_KEY, Secret::new(material(b"templates")))]),
            pepper: Secret::new(material(b"pepper")),
        }
    }

    /// The demonstration bank's keys: fixed and public.
    pub fn demo() -> Self {
        Self::derive(&DEMO_MASTER)
    }

    /// Loads the master from a file or systemd credential only its owner may read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Ok(Self::derive(read(path)?.expose()))
    }

    /// Keyed hash (HMAC-SHA-256) under which a number is found without being stored.
    /// A citizen number is the same person's with a small x as with a capital one.
    pub fn index(&self, kind: Indexed, text: &str) -> Digest {
        let canonical = match kind {
            Indexed::Citizen => citizen::canonical(text).ok().map(Secret::new),
            Indexed::Card | Indexed::Account | Indexed::Name | Indexed::Password => None,
        };
        let text = canonical.as_ref().map_or(text, |number| number.expose());
        Digest(mac(&self.index, &[kind.label(), text.as_bytes()]))
    }

    /// The PIN under the pepper, which is what argon2 hashes: a stolen database
    /// alone cannot be searched, whatever the argon2 parameters.
    pub fn peppered(&self, pin: &str) -> Secret<[u8; 32]> {
        Secret::new(mac(&self.pepper, &[pin.as_bytes()]))
    }

    /// Adds a key for data at rest; from now on the one with the highest id encrypts.
    pub fn with_data_key(mut self, id: u8, key: Secret<[u8; MASTER_LEN]>) -> Self {
        self.ring.insert(id, key);
        self
    }

    /// The same with a key out of a file or systemd credential.
    ///
    /// # Errors
    /// As [`Keys::load`].
    pub fn with_data_key_file(self, id: u8, path: &Path) -> Result<Self, KeyError> {
        Ok(self.with_data_key(id, read(path)?))
    }

    /// Id of the key that data at rest is encrypted with.
    pub fn data_key_id(&self) -> u8 {
        let last = self.ring.last_key_value();
        last.map_or(FIRST_DATA_KEY, |(id, _)| *id)
    }

    pub(crate) fn data_key(&self, id: u8) -> Option<&[u8; 32]> {
        self.ring.get(&id).map(Secret::expose)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(***)")
    }
}

fn mac(key: &Secret<[u8; 32]>, parts: &[&[u8]]) -> [u8; 32] {
    // RFC 2104: a key shorter than the block is padded with zeros.
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key.expose()) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A key of 32 bytes out of a file that only its owner may read.
fn read(path: &Path) -> Result<Secret<[u8; MASTER_LEN]>, KeyError> {
    let file = std::fs::File::open(path).map_err(KeyError::Read)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file
            .metadata()
            .map_err(KeyError::Read)?
            .permissions()
            .mode()
            & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Mode { mode });
        }
    }
    let mut found = Vec::with_capacity(usize::try_from(KEY_FILE_MAX).unwrap_or(0));
    file.take(KEY_FILE_MAX)
        .read_to_end(&mut found)
        .map_err(KeyError::Read)?;
    let bytes = Secret::new(found);
    let master = master(bytes.expose()).ok_or(KeyError::Length {
        found: bytes.expose().len(),
    })?;
    Ok(master)
}

/// 32 raw bytes, or 64 hex digits with surrounding white space.
fn master(bytes: &[u8]) -> Option<Secret<[u8; MASTER_LEN]>> {
    if let Ok(raw) = <[u8; MASTER_LEN]>::try_from(bytes) {
        return Some(Secret::new(raw));
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let raw = Secret::new(wire::unhex(text)?);
    <[u8; MASTER_LEN]>::try_from(raw.expose().as_slice())
        .ok()
        .map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_master_gives_the_same_keys_and_another_gives_none_of_them() {
        let (a, b) = (Keys::derive(&[7; 32]), Keys::derive(&[7; 32]));
        assert_eq!(a.seal, b.seal);
        assert_eq!(a.index(Indexed::Card, "1"), b.index(Indexed::Card, "1"));
        let other = Keys::derive(&[8; 32]);
        assert_ne!(a.seal, other.seal);
        assert_ne!(a.index(Indexed::Card, "1"), other.index(Indexed::Card, "1"));
        assert_ne!(a.peppered("1").expose(), other.peppered("1").expose());
    }

    #[test]
    fn a_card_and_an_account_of_the_same_digits_have_different_indexes() {
        let keys = Keys::demo();
        let digits = "6217000000000000";
        assert_ne!(
            keys.index(Indexed::Card, digits),
            keys.index(Indexed::Account, digits)
        );
    }

    #[test]
    fn the_index_key_is_hkdf_and_hmac_as_rfc_5869_and_rfc_2104_say() {
        // Computed with Python's hmac module: prk = HMAC(salt, master),
        // okm = HMAC(prk, b"index\x01"), index = HMAC(okm, b"card\x00" + b"1").
        let keys = Keys::derive(&[7; 32]);
        assert_eq!(
            keys.index(Indexed::Card, "1").to_string(),
            "30ef0b01e71a045b0e342c036dca2d2ae6c60836a9db47e14535d12b4e5867e6"
        );
    }

    #[test]
    fn a_citizen_number_with_a_small_x_is_the_same_persons() {
        let keys = Keys::demo();
        let index = |text| keys.index(Indexed::Citizen, text);
        assert_eq!(index("11010519491231002x"), index("11010519491231002X"));
        assert_ne!(index("11010519491231002X"), index("340524198001010013"));
        let name = |text| keys.index(Indexed::Name, text);
        assert_ne!(name("11010519491231002x"), name("11010519491231002X"));
    }

    #[test]
    fn debug_says_nothing() {
        assert_eq!(format!("{:?}", Keys::demo()), "Keys(***)");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("counterfoil-key-{}", std::process::id()));
        std::fs::write(&path, wire::hex(&[5; 32])).expect("writes");
        let set = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("chmod");
        };
        set(0o644);
        assert!(matches!(
            Keys::load(&path),
            Err(KeyError::Mode { mode: 0o644 })
        ));
        set(0o600);
        let keys = Keys::load(&path).expect("loads");
        assert_eq!(keys.seal, Keys::derive(&[5; 32]).seal);
        std::fs::write(&path, "short").expect("writes");
        assert!(matches!(
            Keys::load(&path),
            Err(KeyError::Length { found: 5 })
        ));
        std::fs::remove_file(&path).expect("removes");
    }
}
