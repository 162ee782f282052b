//! Clocks and entropy of the testbed: virtual time and seeded randomness, or the
//! real ones when a person plays.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::{Clock, Entropy, Local, SharedClock, SharedEntropy};
use jiff::Timestamp;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tokio::time::Instant;

/// Tokio's clock from a given wall-clock start. Under a paused runtime this is
/// virtual time; under a running one it is real time.
pub struct TokioClock {
    start: Instant,
    wall: Timestamp,
}

impl TokioClock {
    /// Starts now, calling it `wall`. Needs a runtime context.
    pub fn starting(wall: Timestamp) -> SharedClock {
        #[expect(
            clippy::disallowed_methods,
            reason = "tokio's Instant is what a paused runtime controls; this type is the clock seam"
        )]
        let start = Instant::now();
        Rc::new(Self { start, wall })
    }

    /// The real wall clock.
    pub fn real() -> SharedClock {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the clock seam of a person's session"
        )]
        let now = std::time::SystemTime::now();
        Self::starting(Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let since = jiff::SignedDuration::try_from(self.start.elapsed()).unwrap_or_default();
        self.wall.checked_add(since).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// Reproducible bytes: one seed, one history.
pub struct SeededEntropy(RefCell<ChaCha20Rng>);

impl SeededEntropy {
    /// From a seed and a stream name, so that parts do not disturb each other.
    pub fn stream(seed: u64, name: &str) -> SharedEntropy {
        let digest = counterfoil_data::wire::Digest::of(format!("{seed}/{name}").as_bytes());
        Rc::new(Self(RefCell::new(ChaCha20Rng::from_seed(digest.0))))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.borrow_mut().fill_bytes(bytes);
    }
}

/// The operating system's generator.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(
            clippy::expect_used,
            reason = "without the system generator no key is safe: stopping is right"
        )]
        getrandom::fill(bytes).expect("the operating system's random generator answers");
    }
}
