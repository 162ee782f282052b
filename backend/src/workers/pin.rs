//! argon2id over peppered PINs and payment passwords.
//!
//! Owns the parameters, the stored form and the pooled memory. A PIN of six
//! digits is protected by the pepper (a key outside the database) and by counted
//! attempts, not by the cost; the cost bounds what one guess is worth
//! (OWASP: m = 19 MiB, t = 2, p = 1). Called inside workers and by enrolment.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use counterfoil_data::seam::{Entropy, random};
use counterfoil_data::secret::Secret;
use subtle::ConstantTimeEq as _;

use crate::keys::Keys;

/// Digits of a PIN.
pub const PIN_DIGITS: usize = 6;
/// Longest PIN or payment password, in bytes.
pub const PIN_MAX: usize = 32;
/// Floor in production: OWASP's first argon2id recommendation.
pub const PRODUCTION_FLOOR_KIB: u32 = 19 * 1024;
/// Most memory a configuration may ask for, in KiB per worker.
pub const MEMORY_MAX_KIB: u32 = 256 * 1024;
/// Most passes a configuration may ask for.
pub const PASSES_MAX: u32 = 16;

const SALT_LEN: usize = 16;
const HASH_LEN: usize = 32;

/// Cost of one hash (one of the six seams).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Params {
    /// Memory in KiB.
    pub m_kib: u32,
    /// Passes.
    pub t: u32,
    /// Lanes.
    pub p: u32,
}

impl Argon2Params {
    /// What a bank runs: 19 MiB, two passes, one lane.
    pub fn production() -> Self {
        Self {
            m_kib: PRODUCTION_FLOOR_KIB,
            t: 2,
            p: 1,
        }
    }

    /// What the testbed runs: 8 KiB, one pass.
    pub fn testbed() -> Self {
        Self {
            m_kib: 8,
            t: 1,
            p: 1,
        }
    }

    fn argon2(self) -> Option<Argon2<'static>> {
        if self.m_kib > MEMORY_MAX_KIB || self.t > PASSES_MAX {
            return None;
        }
        let params = Params::new(self.m_kib, self.t, self.p, Some(HASH_LEN)).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// A stored PIN: parameters, salt and hash; never the PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct PinHash {
    params: Argon2Params,
    salt: [u8; SALT_LEN],
    hash: [u8; HASH_LEN],
}

impl PinHash {
    /// As stored: a PHC string, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    pub fn to_phc(&self) -> String {
        let Argon2Params { m_kib, t, p } = self.params;
        let (salt, hash) = (BASE64.encode(self.salt), BASE64.encode(self.hash));
        format!("$argon2id$v=19$m={m_kib},t={t},p={p}${salt}${hash}")
    }

    /// Back from [`PinHash::to_phc`]; only the one form that it writes.
    pub fn from_phc(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$")?;
        let mut parts = rest.split('$');
        let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut costs = costs.split(',');
        let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let params = Argon2Params {
            m_kib: cost("m=")?,
            t: cost("t=")?,
            p: cost("p=")?,
        };
        if parts.next().is_some() || costs.next().is_some() {
            return None;
        }
        Some(Self {
            params,
            salt: BASE64.decode(salt).ok()?.try_into().ok()?,
            hash: BASE64.decode(hash).ok()?.try_into().ok()?,
        })
    }
}

impl std::fmt::Debug for PinHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinHash(***)")
    }
}

/// argon2 with memory that is allocated once and used for every hash.
pub struct PinBench {
    params: Argon2Params,
    memory: Vec<Block>,
    /// Hashes made so far.
    pub hashes: u64,
}

impl PinBench {
    /// A bench for hashes of `params`.
    pub fn new(params: Argon2Params) -> Self {
        Self {
            params,
            memory: Vec::new(),
            hashes: 0,
        }
    }

    /// Hashes a new PIN with fresh salt, for enrolment; `None` if the parameters
    /// are out of bounds.
    pub fn hash(&mut self, keys: &Keys, pin: &str, entropy: &dyn Entropy) -> Option<PinHash> {
        let (params, salt) = (self.params, random(entropy));
        let hash = self.run(params, &keys.peppered(pin), &salt)?;
        Some(PinHash { params, salt, hash })
    }

    /// Whether `pin` is the stored one. Without a stored one (an unknown card) the
    /// same work is done and the answer is no, so time tells nothing.
    pub fn verify(&mut self, keys: &Keys, pin: &str, stored: Option<&PinHash>) -> bool {
        let dummy = PinHash {
            params: self.params,
            salt: [0; SALT_LEN],
            hash: [0; HASH_LEN],
        };
        let against = stored.unwrap_or(&dummy);
        let peppered = keys.peppered(pin);
        let Some(hash) = self.run(against.params, &peppered, &against.salt) else {
            return false;
        };
        let same = bool::from(hash.ct_eq(&against.hash));
        same && stored.is_some()
    }

    fn run(
        &mut self,
        params: Argon2Params,
        peppered: &Secret<[u8; 32]>,
        salt: &[u8; SALT_LEN],
    ) -> Option<[u8; HASH_LEN]> {
        self.hashes = self.hashes.saturating_add(1);
        let argon2 = params.argon2()?;
        let blocks = argon2.params().block_count();
        if self.memory.len() < blocks {
            self.memory.resize(blocks, Block::new());
        }
        let memory = self.memory.get_mut(..blocks)?;
        let mut hash = [0; HASH_LEN];
        argon2
            .hash_password_into_with_memory(peppered.expose(), salt, &mut hash, memory)
            .ok()?;
        Some(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(9);
        }
    }

    #[test]
    fn production_parameters_are_at_least_the_published_floor() {
        let Argon2Params { m_kib, t, p } = Argon2Params::production();
        assert!(m_kib >= 19_456 && t >= 2 && p >= 1);
        assert!(Argon2Params::production().argon2().is_some());
    }

    #[test]
    fn a_pin_verifies_against_its_own_hash_and_pepper_only() {
        let (keys, mut bench) = (Keys::demo(), PinBench::new(Argon2Params::testbed()));
        let stored = bench.hash(&keys, "481516", &Fixed).expect("hashes");
        let stored = PinHash::from_phc(&stored.to_phc()).expect("reads back");
        assert!(bench.verify(&keys, "481516", Some(&stored)));
        assert!(!bench.verify(&keys, "481517", Some(&stored)));
        assert!(!bench.verify(&Keys::derive(&[1; 32]), "481516", Some(&stored)));
    }

    #[test]
    fn an_unknown_card_costs_a_hash_and_never_verifies() {
        let (keys, mut bench) = (Keys::demo(), PinBench::new(Argon2Params::testbed()));
        assert!(bench.memory.is_empty());
        assert!(!bench.verify(&keys, "481516", None));
        assert!(!bench.memory.is_empty(), "the dummy hash used its memory");
    }

    #[test]
    fn stored_parameters_out_of_bounds_are_refused_not_allocated() {
        let (keys, mut bench) = (Keys::demo(), PinBench::new(Argon2Params::testbed()));
        let mut stored = bench.hash(&keys, "481516", &Fixed).expect("hashes");
        stored.params.m_kib = u32::MAX;
        assert!(!bench.verify(&keys, "481516", Some(&stored)));
        assert!(bench.memory.len() < 1_000);
    }

    #[test]
    fn the_stored_form_is_a_phc_string_and_no_other_shape_is_read() {
        let (keys, mut bench) = (Keys::demo(), PinBench::new(Argon2Params::testbed()));
        let phc = bench.hash(&keys, "1", &Fixed).expect("hashes").to_phc();
        assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$CQkJCQkJCQkJCQkJCQkJCQ$"));
        for bent in [
            phc.replace("$v=19", ""),
            phc.replace("argon2id", "argon2i"),
            phc.replace("m=8,", ""),
            format!("{phc}$"),
            phc.replace("p=1", "p=1,keyid=x"),
            String::new(),
        ] {
            assert!(PinHash::from_phc(&bent).is_none(), "{bent}");
        }
    }
}
