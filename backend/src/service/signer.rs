//! Who signed a request, and whether it was seen before.
//!
//! Owns the last sequence number per key, which makes a command good once, and a
//! memory of the nonces of reads (bounded by count and by age). Refuses replays, skewed clocks and unknown keys (S1). The
//! durable sequence lives in the core; this memory only spares it the obvious.

use std::collections::{BTreeMap, HashSet, VecDeque};

use counterfoil_data::sign::{SKEW_S_MAX, SignerId};
use jiff::Timestamp;

use super::fault::Fault;

/// Nonces of reads remembered: a thousand reads a second, about 10 MB at worst.
pub const NONCES_MAX: usize = 131_072;
/// Keys whose sequence is remembered.
const KEYS_MAX: usize = 65_536;

/// What was seen lately.
#[derive(Debug, Default)]
pub struct Seen {
    nonces: HashSet<(Signer16, [u8; 16])>,
    by_age: VecDeque<(Timestamp, Signer16, [u8; 16])>,
    sequences: BTreeMap<SignerId, u64>,
}

/// A short stand-in for a signer inside nonce memory: hash of its key id.
type Signer16 = u64;

fn stand_in(signer: &SignerId) -> Signer16 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = std::hash::DefaultHasher::new();
    signer.hash(&mut hasher);
    hasher.finish()
}

impl Seen {
    /// Accepts a command whose sequence is above the last one, or a read whose
    /// nonce is new. (A command's nonce needs no memory: its sequence is signed.)
    pub fn accept(
        &mut self,
        signer: &SignerId,
        nonce: [u8; 16],
        sequence: Option<u64>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        match sequence {
            Some(given) => self.accept_command(signer, given),
            None => self.accept_read(signer, nonce, now),
        }
    }

    fn accept_command(&mut self, signer: &SignerId, given: u64) -> Result<(), Fault> {
        let last = self.sequences.get(signer).copied();
        if last.is_some_and(|last| given <= last) {
            return Err(Fault::not_signed(
                "the sequence number must be above the last one: read GET /v1/kiosk",
            ));
        }
        if last.is_none() && self.sequences.len() >= KEYS_MAX {
            return Err(Fault::busy());
        }
        self.sequences.insert(signer.clone(), given);
        Ok(())
    }

    fn accept_read(
        &mut self,
        signer: &SignerId,
        nonce: [u8; 16],
        now: Timestamp,
    ) -> Result<(), Fault> {
        self.forget(now);
        if self.nonces.len() >= NONCES_MAX {
            return Err(Fault::busy());
        }
        let key = (stand_in(signer), nonce);
        if !self.nonces.insert(key) {
            return Err(Fault::not_signed(
                "this nonce was used before: sign every request anew",
            ));
        }
        self.by_age.push_back((now, key.0, nonce));
        Ok(())
    }

    /// Drops nonces whose signatures are stale by now.
    fn forget(&mut self, now: Timestamp) {
        // Accepted at most SKEW_S_MAX ahead of its own `created`, so twice that is safe.
        let keep_s = i64::from(SKEW_S_MAX).saturating_mul(2);
        while let Some((at, signer, nonce)) = self.by_age.front().copied() {
            if now.as_second().saturating_sub(at.as_second()) <= keep_s {
                return;
            }
            self.by_age.pop_front();
            self.nonces.remove(&(signer, nonce));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(key_id: &str) -> SignerId {
        key_id.parse().expect("a signer")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn a_reads_nonce_is_good_once_and_a_commands_sequence_only_upwards() {
        let mut seen = Seen::default();
        let kiosk = signer("kiosk:kiosk-1");
        let station = signer("station:station-1");
        assert!(seen.accept(&kiosk, [1; 16], Some(5), at(0)).is_ok());
        assert!(seen.accept(&kiosk, [1; 16], Some(5), at(1)).is_err());
        assert!(seen.accept(&kiosk, [2; 16], Some(4), at(1)).is_err());
        assert!(seen.accept(&kiosk, [2; 16], None, at(1)).is_ok());
        assert!(seen.accept(&kiosk, [2; 16], None, at(2)).is_err());
        assert!(seen.accept(&station, [2; 16], None, at(2)).is_ok());
        assert!(seen.accept(&station, [1; 16], Some(5), at(1)).is_ok());
        assert!(seen.accept(&kiosk, [3; 16], Some(6), at(1)).is_ok());
    }

    #[test]
    fn old_nonces_are_forgotten_so_memory_stays_bounded() {
        let mut seen = Seen::default();
        let kiosk = signer("kiosk:kiosk-1");
        for n in 0..1_000_u32 {
            let mut nonce = [0; 16];
            nonce[..4].copy_from_slice(&n.to_be_bytes());
            let now = at(i64::from(n));
            assert!(seen.accept(&kiosk, nonce, None, now).is_ok());
        }
        assert!(seen.nonces.len() <= 122);
        assert_eq!(seen.nonces.len(), seen.by_age.len());
    }
}
