//! `Sealed<T>`: a secret encrypted to the backend where it is born.
//!
//! RFC 9180 HPKE, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20-Poly1305. `info` names the type, `aad` binds the ciphertext to one
//! sale and to the challenge the backend issued for this attempt, so a captured
//! secret cannot be replayed. Opened only in the argon2 or matcher worker.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::SaleId;
use crate::seam::{CoreRng, Entropy};
use crate::secret::Secret;
use crate::wire::sale::LivePrint;

type Suite = X25519HkdfSha256;

/// Bytes of an encapsulated key.
pub const ENC_LEN: usize = 32;
/// Bytes of the authentication tag at the end of a ciphertext.
const TAG_LEN: usize = 16;
/// Longest ciphertext accepted: a finger image of 512 x 512, its header, and the tag.
pub const CIPHERTEXT_MAX: usize = 256 * 1024 + LivePrint::HEAD_LEN + TAG_LEN;

/// Why sealing or opening failed. Says nothing about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not a key of this suite.
    #[error("not an X25519 key: check the key file or ask the backend for its current key")]
    Key,
    /// Not in the shape of a sealed value, or longer than [`CIPHERTEXT_MAX`].
    #[error("not a sealed value")]
    Shape,
    /// Wrong key, wrong sale, stale challenge or altered bytes.
    #[error("sealed for another sale, challenge or key, or altered")]
    Open,
    /// Opened, but the content is not of the expected type.
    #[error("sealed content is malformed")]
    Content,
}

/// A secret that can travel sealed.
pub trait Sealable: Sized {
    /// Names the type in `info`; two types never share one.
    const LABEL: &'static str;
    /// The plaintext bytes.
    fn to_plain(&self) -> Secret<Vec<u8>>;
    /// The value back out of plaintext.
    fn from_plain(plain: &[u8]) -> Option<Self>;
}

/// A short text secret: PIN digits, payment password, card number.
pub struct SecretText(pub Secret<String>);

impl Sealable for SecretText {
    const LABEL: &'static str = "text";

    fn to_plain(&self) -> Secret<Vec<u8>> {
        Secret::new(self.0.expose().as_bytes().to_vec())
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(plain).ok()?;
        Some(Self(Secret::new(text.to_owned())))
    }
}

/// What a sealed value is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The sale.
    pub sale: SaleId,
    /// The challenge the backend issued for this attempt.
    pub challenge: Challenge,
}

impl Binding {
    /// Of a print that is captured for an enrolment: of no sale, and no sale has it.
    pub const ENROLMENT: Self = Self {
        sale: SaleId(0),
        challenge: Challenge(*b"enrolment prints"),
    };

    /// Of a password that is typed at a terminal of staff: of no sale, and of one challenge.
    pub fn login(challenge: Challenge) -> Self {
        Self {
            sale: SaleId(0),
            challenge,
        }
    }

    fn aad(self) -> [u8; 32] {
        let mut aad = [0; 32];
        let (sale, challenge) = aad.split_at_mut(16);
        sale.copy_from_slice(&self.sale.0.to_be_bytes());
        challenge.copy_from_slice(&self.challenge.0);
        aad
    }
}

/// 128 random bits the backend gives out for one attempt (hex on the wire).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Challenge(pub [u8; 16]);

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "challenge:{}", crate::wire::hex(&self.0))
    }
}

impl Serialize for Challenge {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&crate::wire::hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Challenge {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        crate::wire::unhex_lower(&text)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a challenge is 32 lower-case hex digits"))
    }
}

/// The backend's public sealing key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealKey(pub [u8; 32]);

/// The backend's private sealing key.
pub struct OpenKey(Secret<[u8; 32]>);

impl OpenKey {
    /// Derives the pair from 32 bytes of key material (RFC 9180 `DeriveKeyPair`).
    pub fn derive(material: &[u8; 32]) -> (Self, SealKey) {
        let (private, public) = Suite::derive_keypair(material);
        let mut private_bytes = [0; 32];
        let mut public_bytes = [0; 32];
        private_bytes.copy_from_slice(&private.to_bytes());
        public_bytes.copy_from_slice(&public.to_bytes());
        (Self(Secret::new(private_bytes)), SealKey(public_bytes))
    }
}

/// A `T` sealed to the backend's key. Bytes: 32 of encapsulated key, then ciphertext.
pub struct Sealed<T> {
    enc: [u8; ENC_LEN],
    ciphertext: Vec<u8>,
    of: PhantomData<fn() -> T>,
}

impl<T: Sealable> Sealed<T> {
    /// Seals `value`.
    pub fn seal(
        value: &T,
        key: &SealKey,
        binding: Binding,
        entropy: &dyn Entropy,
    ) -> Result<Self, SealError> {
        let public =
            <Suite as hpke::Kem>::PublicKey::from_bytes(&key.0).map_err(|_| SealError::Key)?;
        let info = info::<T>();
        let (enc, mut context) =
            hpke::setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, Suite>(
                &OpModeS::Base,
                &public,
                &info,
                &mut CoreRng(entropy),
            )
            .map_err(|_| SealError::Key)?;
        let plain = value.to_plain();
        let ciphertext = context
            .seal(plain.expose(), &binding.aad())
            .map_err(|_| SealError::Key)?;
        let mut enc_bytes = [0; ENC_LEN];
        enc_bytes.copy_from_slice(&enc.to_bytes());
        Ok(Self {
            enc: enc_bytes,
            ciphertext,
            of: PhantomData,
        })
    }

    /// Opens it; the binding must be the one it was sealed under.
    pub fn open(&self, key: &OpenKey, binding: Binding) -> Result<T, SealError> {
        let private = <Suite as hpke::Kem>::PrivateKey::from_bytes(key.0.expose())
            .map_err(|_| SealError::Key)?;
        let enc = <Suite as hpke::Kem>::EncappedKey::from_bytes(&self.enc)
            .map_err(|_| SealError::Shape)?;
        let mut context = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, Suite>(
            &OpModeR::Base,
            &private,
            &enc,
            &info::<T>(),
        )
        .map_err(|_| SealError::Open)?;
        let plain = context
            .open(&self.ciphertext, &binding.aad())
            .map_err(|_| SealError::Open)?;
        let plain = Secret::new(plain);
        T::from_plain(plain.expose()).ok_or(SealError::Content)
    }
}

impl<T> Sealed<T> {
    /// As bytes: encapsulated key, then ciphertext.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.enc.as_slice(), &self.ciphertext].concat()
    }

    /// From [`Sealed::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        let (enc, ciphertext) = bytes
            .split_first_chunk::<ENC_LEN>()
            .ok_or(SealError::Shape)?;
        if ciphertext.is_empty() || ciphertext.len() > CIPHERTEXT_MAX {
            return Err(SealError::Shape);
        }
        Ok(Self {
            enc: *enc,
            ciphertext: ciphertext.to_vec(),
            of: PhantomData,
        })
    }
}

fn info<T: Sealable>() -> Vec<u8> {
    [b"counterfoil/v1/sealed/".as_slice(), T::LABEL.as_bytes()].concat()
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self {
            enc: self.enc,
            ciphertext: self.ciphertext.clone(),
            of: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(***)")
    }
}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&BASE64.encode(self.to_bytes()))
    }
}

impl<'de, T> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let bytes = BASE64
            .decode(text.as_bytes())
            .map_err(|_| serde::de::Error::custom("not base64url"))?;
        Self::from_bytes(&bytes).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
mod schema {
    use super::Challenge;
    use utoipa::openapi::{RefOr, schema::Schema};

    /// The text of a [`super::Sealed`]: base64url without padding of 33 bytes or more.
    /// Bits of the last letter that carry nothing are zero.
    pub struct SealedText;

    impl utoipa::PartialSchema for SealedText {
        fn schema() -> RefOr<Schema> {
            const PATTERN: &str = "^(?:[A-Za-z0-9_-]{4}){11,}(?:[A-Za-z0-9_-][AQgw]\
                |[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$";
            crate::ids::text_schema(PATTERN).into()
        }
    }
    impl utoipa::ToSchema for SealedText {}

    impl utoipa::PartialSchema for Challenge {
        fn schema() -> RefOr<Schema> {
            crate::ids::text_schema("^[0-9a-f]{32}$").into()
        }
    }
    impl utoipa::ToSchema for Challenge {}
}

#[cfg(feature = "openapi")]
pub use schema::SealedText;

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (i, b) in bytes.iter_mut().enumerate() {
                *b = u8::try_from(i % 251).unwrap_or(0);
            }
        }
    }

    fn binding() -> Binding {
        Binding {
            sale: SaleId(7),
            challenge: Challenge([3; 16]),
        }
    }

    #[test]
    fn the_largest_finger_image_fits_and_one_row_more_does_not() {
        let (open, seal) = OpenKey::derive(&[9; 32]);
        let image = |height: u16| LivePrint {
            width: 512,
            height,
            dpi: 500,
            pixels: Secret::new(vec![7; 512 * usize::from(height)]),
        };
        let sent = |print: &LivePrint| {
            let sealed = Sealed::seal(print, &seal, binding(), &Counting).expect("seals");
            Sealed::<LivePrint>::from_bytes(&sealed.to_bytes())
        };
        let arrived = sent(&image(512)).expect("512 x 512 fits");
        let print = arrived.open(&open, binding()).expect("opens");
        assert_eq!((print.width, print.height), (512, 512));
        assert_eq!(sent(&image(513)).err(), Some(SealError::Shape));
    }

    #[test]
    fn a_sealed_text_opens_only_under_its_own_sale_challenge_and_key() {
        let (open, seal) = OpenKey::derive(&[9; 32]);
        let pin = SecretText(Secret::new("481516".into()));
        let sealed = Sealed::seal(&pin, &seal, binding(), &Counting).expect("seals");
        assert_eq!(
            sealed.open(&open, binding()).expect("opens").0.expose(),
            "481516"
        );

        let other_sale = Binding {
            sale: SaleId(8),
            ..binding()
        };
        assert_eq!(sealed.open(&open, other_sale).err(), Some(SealError::Open));
        let stale = Binding {
            challenge: Challenge([4; 16]),
            ..binding()
        };
        assert_eq!(sealed.open(&open, stale).err(), Some(SealError::Open));
        let (other_key, _) = OpenKey::derive(&[10; 32]);
        assert_eq!(
            sealed.open(&other_key, binding()).err(),
            Some(SealError::Open)
        );
    }

    #[test]
    fn one_flipped_bit_is_noticed_and_the_wire_form_round_trips() {
        let (open, seal) = OpenKey::derive(&[9; 32]);
        let pin = SecretText(Secret::new("481516".into()));
        let sealed = Sealed::seal(&pin, &seal, binding(), &Counting).expect("seals");
        let json = serde_json::to_string(&sealed).expect("serialises");
        assert!(!json.contains("481516"));
        let back: Sealed<SecretText> = serde_json::from_str(&json).expect("parses");
        assert!(back.open(&open, binding()).is_ok());
        let mut bytes = sealed.to_bytes();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let bent = Sealed::<SecretText>::from_bytes(&bytes).expect("right shape");
        assert_eq!(bent.open(&open, binding()).err(), Some(SealError::Open));
    }
}
