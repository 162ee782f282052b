//! Seeded randomness of the testbed: one seed, one history.

use std::cell::RefCell;
use std::rc::Rc;

use counterfoil_data::seam::{Entropy, SharedEntropy};
use counterfoil_data::wire::Digest;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Reproducible bytes.
pub struct SeededEntropy(RefCell<ChaCha20Rng>);

impl SeededEntropy {
    /// From a seed and a stream name, so that parts do not disturb each other.
    pub fn stream(seed: u64, name: &str) -> SharedEntropy {
        let digest = Digest::of(format!("{seed}/{name}").as_bytes());
        Rc::new(Self(RefCell::new(ChaCha20Rng::from_seed(digest.0))))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.borrow_mut().fill_bytes(bytes);
    }
}
