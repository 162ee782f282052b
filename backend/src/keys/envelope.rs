//! Encryption at rest: templates and images of prints, and payment passwords, are stored
//! only inside these envelopes (I7).
//!
//! Bytes = version 1, key id, 24 bytes of nonce, XChaCha20-Poly1305 ciphertext.
//! The data key is HKDF(key of that id, record name), so one record's key opens no
//! other; the additional data is the head and the record name, so an envelope
//! moved to another record does not open. Called by the matcher worker and enrolment.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use counterfoil_data::ids::AgentId;
use counterfoil_data::seam::{Entropy, random};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::FingerPosition;
use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};

use super::Keys;

/// Version of the envelope's layout.
const VERSION: u8 = 1;
const HEAD_LEN: usize = 2;
const NONCE_LEN: usize = 24;
/// Longest plaintext: a print of 256 KiB and its measures.
pub const PLAIN_MAX: usize = 256 * 1024 + 64;

/// Why an envelope did not open or close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not in the shape of an envelope, or too long.
    #[error("not an envelope of version 1")]
    Shape,
    /// Written under a key that is not loaded.
    #[error("envelope needs key {id}: load it or restore the record")]
    Key {
        /// Key id in the envelope.
        id: u8,
    },
    /// Altered, or moved from another record.
    #[error("envelope does not open: it was altered or moved from another record")]
    Open,
}

/// Id of the key that an envelope says it is under.
pub fn key_id(bytes: &[u8]) -> Option<u8> {
    bytes.get(1).copied()
}

/// Record name of an agent's finger templates.
pub fn template_name(agent: &AgentId) -> String {
    format!("template/{agent}")
}

/// Record name of an enrolled impression, from 1.
pub fn print_name(agent: &AgentId, finger: FingerPosition, number: u8) -> String {
    format!("print/{agent}/{}/{number}", finger.word())
}

/// Randomness drawn beforehand, for a job on another thread: SHA-256 over a seed and a
/// counter, which never repeats within its one job.
pub struct Drawn {
    seed: [u8; 32],
    used: std::cell::Cell<u64>,
}

impl Drawn {
    /// From 32 fresh random bytes, which nobody else uses.
    pub fn from(entropy: &dyn Entropy) -> Self {
        Self {
            seed: random(entropy),
            used: std::cell::Cell::new(0),
        }
    }
}

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.used.get();
            self.used.set(count.wrapping_add(1));
            let block = Sha256::new()
                .chain_update(self.seed)
                .chain_update(count.to_be_bytes())
                .finalize();
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
    }
}

/// Encrypts `plain` for the record `name`, for example [`template_name`].
pub fn wrap(
    keys: &Keys,
    name: &str,
    plain: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, EnvelopeError> {
    if plain.len() > PLAIN_MAX {
        return Err(EnvelopeError::Shape);
    }
    let nonce = random::<NONCE_LEN>(entropy);
    let id = keys.data_key_id();
    let key = keys.data_key(id).ok_or(EnvelopeError::Key { id })?;
    let head = [VERSION, id];
    let aad = [head.as_slice(), name.as_bytes()].concat();
    let ciphertext = cipher(key, name)
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: plain,
                aad: &aad,
            },
        )
        .map_err(|_| EnvelopeError::Shape)?;
    Ok([head.as_slice(), &nonce, &ciphertext].concat())
}

/// Decrypts what [`wrap`] made for the same record.
pub fn unwrap(keys: &Keys, name: &str, bytes: &[u8]) -> Result<Secret<Vec<u8>>, EnvelopeError> {
    let (head, rest) = bytes
        .split_first_chunk::<HEAD_LEN>()
        .ok_or(EnvelopeError::Shape)?;
    let (nonce, ciphertext) = rest
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(EnvelopeError::Shape)?;
    let [version, id] = *head;
    if version != VERSION || ciphertext.len() > PLAIN_MAX.saturating_add(16) {
        return Err(EnvelopeError::Shape);
    }
    let key = keys.data_key(id).ok_or(EnvelopeError::Key { id })?;
    let aad = [head.as_slice(), name.as_bytes()].concat();
    cipher(key, name)
        .decrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: ciphertext,
                aad: &aad,
            },
        )
        .map(Secret::new)
        .map_err(|_| EnvelopeError::Open)
}

fn cipher(key: &[u8; 32], name: &str) -> XChaCha20Poly1305 {
    let hkdf = Hkdf::<Sha256>::new(Some(b"counterfoil/v1/envelope"), key);
    let mut key = [0; 32];
    // 32 bytes are always within HKDF-SHA-256's 255 blocks.
    let _ = hkdf.expand(name.as_bytes(), &mut key);
    let key = Secret::new(key);
    XChaCha20Poly1305::new(key.expose().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(3);
        }
    }

    #[test]
    fn an_envelope_opens_only_for_its_own_record_and_key() {
        let keys = Keys::demo();
        let bytes = wrap(&keys, "template/a", b"ridges", &Fixed).expect("wraps");
        assert!(!bytes.windows(6).any(|w| w == b"ridges"));
        let plain = unwrap(&keys, "template/a", &bytes).expect("opens");
        assert_eq!(plain.expose(), b"ridges");
        let moved = unwrap(&keys, "template/b", &bytes);
        assert_eq!(moved.err(), Some(EnvelopeError::Open));
        let other = unwrap(&Keys::derive(&[1; 32]), "template/a", &bytes);
        assert_eq!(other.err(), Some(EnvelopeError::Open));
    }

    #[test]
    fn the_newest_key_encrypts_and_every_key_of_the_ring_opens() {
        let ring = |id, byte| Keys::demo().with_data_key(id, Secret::new([byte; 32]));
        let (first, second) = (Keys::demo(), ring(2, 9));
        let old = wrap(&first, "template/a", b"ridges", &Fixed).expect("wraps");
        let new = wrap(&second, "template/a", b"ridges", &Fixed).expect("wraps");
        assert_eq!((key_id(&old), key_id(&new)), (Some(1), Some(2)));
        for bytes in [&old, &new] {
            let plain = unwrap(&second, "template/a", bytes).expect("opens");
            assert_eq!(plain.expose(), b"ridges");
        }
        let missing = unwrap(&first, "template/a", &new).err();
        assert_eq!(missing, Some(EnvelopeError::Key { id: 2 }));
        // The id is sealed: under the right key, too, another id does not open.
        let mut renamed = new.clone();
        renamed[1] = 3;
        let both = ring(2, 9).with_data_key(3, Secret::new([9; 32]));
        let opened = unwrap(&both, "template/a", &renamed).err();
        assert_eq!(opened, Some(EnvelopeError::Open));
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let keys = Keys::demo();
        let good = wrap(&keys, "template/a", b"ridges", &Fixed).expect("wraps");
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 1;
            assert!(unwrap(&keys, "template/a", &bad).is_err(), "byte {i}");
        }
        for cut in 0..good.len() {
            assert!(unwrap(&keys, "template/a", &good[..cut]).is_err());
        }
    }
}
