//! The real clock and the real generator (two of the six seams).

use std::time::Duration;

use counterfoil_data::seam::{Clock, Entropy, Local};
use jiff::Timestamp;
use tokio::time::Instant;

/// Wall and monotonic time of this machine.
pub struct SystemClock(Instant);

impl SystemClock {
    /// Starts counting; needs no runtime.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// The operating system's generator.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            tracing::error!("the operating system gives no randomness: stopping");
            // Without randomness every challenge, nonce and salt would be worthless.
            std::process::abort();
        }
    }
}
