//! A clock that runs faster than the computer's, so that mechanics which take a
//! minute can be tried in seconds by other processes.

use std::time::Duration;

use counterfoil_data::seam::{Clock, Local, SharedClock};
use jiff::{SignedDuration, Timestamp};

use crate::twin::branch::file::SPEED_MAX;

/// `speed` seconds pass here while one passes outside.
pub(super) struct FastClock {
    outside: SharedClock,
    wall_at_start: Timestamp,
    speed: u32,
}

impl FastClock {
    /// On top of a clock that has just started; `speed` from 1 to [`SPEED_MAX`].
    pub fn on(outside: SharedClock, speed: u32) -> Self {
        Self {
            wall_at_start: outside.now(),
            outside,
            speed: speed.clamp(1, SPEED_MAX),
        }
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        SignedDuration::try_from(self.monotonic())
            .ok()
            .and_then(|passed| self.wall_at_start.checked_add(passed).ok())
            .unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.outside.monotonic().saturating_mul(self.speed)
    }

    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        let wait = wait.checked_div(self.speed).unwrap_or(wait);
        self.outside.sleep(wait)
    }
}
