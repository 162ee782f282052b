//! The real clock and the operating system's randomness, as seams.
//!
//! Owns the only places below a `main` where time and entropy come from outside.
//! [`TokioClock`] also serves tests: on a paused runtime its time is virtual.

use std::time::Duration;

use counterfoil_data::seam::{Clock, Entropy, Local};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Wall time = a start plus the runtime's own time; virtual where that is paused.
pub struct TokioClock {
    wall_at_start: Timestamp,
    start: Instant,
}

impl TokioClock {
    /// A clock that shows the computer's wall time now. Needs a tokio runtime.
    pub fn system() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// A clock that shows `wall` now, for tests and plays.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self {
            wall_at_start: wall,
            start: Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        SignedDuration::try_from(self.monotonic())
            .ok()
            .and_then(|passed| self.wall_at_start.checked_add(passed).ok())
            .unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// The operating system's generator.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// Ends the process where the system has no randomness: nothing here may go
    /// on with guessable keys.
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            tracing::error!("the operating system gives no randomness; stopping");
            std::process::abort();
        }
    }
}
