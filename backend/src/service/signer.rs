//! Who signed a request, and whether it was seen before.
//!
//! Owns the last sequence number per key, which makes a command good once, and a
//! memory of the nonces of reads, bounded by age and for each signer by count: a
//! signer that asks too much is busy alone. Refuses replays (S1). The durable
//! sequence is the core's; the door begins with it after a restart, and what never
//! becomes a command is used up there too ([`super::http`]).

use std::collections::{BTreeMap, HashSet, VecDeque};

use counterfoil_data::sign::{SKEW_S_MAX, SignerId};
use jiff::Timestamp;

use super::fault::Fault;

/// Nonces of reads remembered for one signer: 34 reads a second, for ever.
pub const NONCES_PER_SIGNER_MAX: usize = 4_096;
/// Nonces in all beyond which each signer has [`NONCES_SHARE`] only, about 10 MB.
pub const NONCES_MAX: usize = 131_072;
/// What every signer may have remembered, however many the others ask: a read
/// every two seconds.
pub const NONCES_SHARE: usize = 64;
/// Signers remembered; only enrolled ones get here.
const SIGNERS_MAX: usize = 65_536;

/// What was seen lately.
#[derive(Debug, Default)]
pub struct Seen {
    signers: BTreeMap<SignerId, Known>,
    /// Nonces in all.
    nonces: usize,
}

/// What was seen of one signer.
#[derive(Debug, Default)]
struct Known {
    sequence: u64,
    nonces: HashSet<[u8; 16]>,
    by_age: VecDeque<(Timestamp, [u8; 16])>,
}

impl Known {
    /// Drops nonces whose signatures are stale by now; how many.
    fn forget(&mut self, now: Timestamp) -> usize {
        // Accepted at most SKEW_S_MAX ahead of its own `created`, so twice that is safe.
        let keep_s = i64::from(SKEW_S_MAX).saturating_mul(2);
        let mut dropped: usize = 0;
        while let Some((at, nonce)) = self.by_age.front().copied() {
            if now.as_second().saturating_sub(at.as_second()) <= keep_s {
                break;
            }
            self.by_age.pop_front();
            self.nonces.remove(&nonce);
            dropped = dropped.saturating_add(1);
        }
        dropped
    }
}

impl Seen {
    /// Accepts a command whose sequence is above the last one seen here and above
    /// the `durable` one. (Its nonce needs no memory: its sequence is signed.)
    pub fn accept_command(
        &mut self,
        signer: &SignerId,
        given: u64,
        durable: u64,
    ) -> Result<(), Fault> {
        let known = self.known(signer)?;
        if given <= known.sequence.max(durable) {
            return Err(Fault::not_signed(
                "the sequence number must be above the last one: read GET /v1/kiosk",
            ));
        }
        known.sequence = given;
        Ok(())
    }

    /// Accepts a read whose nonce is new.
    pub fn accept_read(
        &mut self,
        signer: &SignerId,
        nonce: [u8; 16],
        now: Timestamp,
    ) -> Result<(), Fault> {
        let is_crowded = self.nonces >= NONCES_MAX;
        let known = self.known(signer)?;
        let dropped = known.forget(now);
        let most = if is_crowded {
            NONCES_SHARE
        } else {
            NONCES_PER_SIGNER_MAX
        };
        let is_new = !known.nonces.contains(&nonce);
        let has_room = known.nonces.len() < most;
        if is_new && has_room {
            known.nonces.insert(nonce);
            known.by_age.push_back((now, nonce));
        }
        let added = usize::from(is_new && has_room);
        self.nonces = self.nonces.saturating_sub(dropped).saturating_add(added);
        match (is_new, has_room) {
            (true, true) => Ok(()),
            (true, false) => Err(Fault::busy()),
            (false, _) => Err(Fault::not_signed(
                "this nonce was used before: sign every request anew",
            )),
        }
    }

    /// The last sequence number seen here; 0 before the first.
    pub fn sequence(&self, signer: &SignerId) -> u64 {
        self.signers.get(signer).map_or(0, |known| known.sequence)
    }

    fn known(&mut self, signer: &SignerId) -> Result<&mut Known, Fault> {
        if !self.signers.contains_key(signer) && self.signers.len() >= SIGNERS_MAX {
            return Err(Fault::busy());
        }
        Ok(self.signers.entry(signer.clone()).or_default())
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

    fn nonce(n: u32) -> [u8; 16] {
        let mut nonce = [0; 16];
        nonce[..4].copy_from_slice(&n.to_be_bytes());
        nonce
    }

    #[test]
    fn a_reads_nonce_is_good_once_and_a_commands_sequence_only_upwards() {
        let mut seen = Seen::default();
        let kiosk = signer("kiosk:kiosk-1");
        let station = signer("station:station-1");
        assert!(seen.accept_command(&kiosk, 5, 5).is_err(), "was durable");
        assert!(seen.accept_command(&kiosk, 6, 5).is_ok());
        assert!(seen.accept_command(&kiosk, 6, 5).is_err());
        assert!(seen.accept_command(&kiosk, 4, 0).is_err());
        assert!(seen.accept_read(&kiosk, [2; 16], at(1)).is_ok());
        assert!(seen.accept_read(&kiosk, [2; 16], at(2)).is_err());
        assert!(seen.accept_read(&station, [2; 16], at(2)).is_ok());
        assert!(seen.accept_command(&station, 5, 0).is_ok());
        assert_eq!((seen.sequence(&kiosk), seen.sequence(&station)), (6, 5));
    }

    #[test]
    fn old_nonces_are_forgotten_so_memory_stays_bounded() {
        let mut seen = Seen::default();
        let kiosk = signer("kiosk:kiosk-1");
        for n in 0..1_000_u32 {
            let now = at(i64::from(n));
            assert!(seen.accept_read(&kiosk, nonce(n), now).is_ok());
        }
        assert!(seen.nonces <= 122);
        let known = seen.signers.get(&kiosk).expect("known");
        assert_eq!(known.nonces.len(), known.by_age.len());
        assert_eq!(known.nonces.len(), seen.nonces);
    }

    #[test]
    fn a_signer_that_asks_without_end_is_busy_alone() {
        let mut seen = Seen::default();
        let kiosk = signer("kiosk:kiosk-1");
        let fits = u32::try_from(NONCES_PER_SIGNER_MAX).expect("small");
        for n in 0..fits {
            assert!(seen.accept_read(&kiosk, nonce(n), at(0)).is_ok());
        }
        assert!(seen.accept_read(&kiosk, nonce(fits), at(0)).is_err());
        let other = signer("kiosk:kiosk-2");
        assert!(seen.accept_read(&other, nonce(0), at(0)).is_ok());
        assert!(seen.accept_read(&kiosk, nonce(fits), at(121)).is_ok());
    }

    #[test]
    fn a_crowd_leaves_every_signer_its_share() {
        let mut seen = Seen {
            nonces: NONCES_MAX,
            ..Seen::default()
        };
        let kiosk = signer("kiosk:kiosk-1");
        let share = u32::try_from(NONCES_SHARE).expect("small");
        for n in 0..share {
            assert!(seen.accept_read(&kiosk, nonce(n), at(0)).is_ok());
        }
        assert!(seen.accept_read(&kiosk, nonce(share), at(0)).is_err());
    }
}
