//! How long a pool's turns are waited for and take; from that, when to come again.

use std::cell::Cell;
use std::time::Duration;

use crate::service::meter::Histogram;

/// Longest time a busy client is told to wait, in seconds.
pub const RETRY_MAX_S: u32 = 10;
/// A turn's length before any was measured.
const FIRST_GUESS: Duration = Duration::from_millis(50);
/// A new turn counts for one part of so many.
const SMOOTHING: u32 = 8;

/// Measured by the service's own clock.
#[derive(Debug)]
pub struct Pace {
    turn: Cell<Duration>,
    /// Time from a place to its turn.
    pub waits: Histogram,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            turn: Cell::new(FIRST_GUESS),
            waits: Histogram::of_times(),
        }
    }
}

impl Pace {
    /// A turn was waited for.
    pub fn waited(&self, wait: Duration) {
        self.waits.time(wait);
    }

    /// A turn took so long, its attempt's commit included.
    pub fn took(&self, took: Duration) {
        let rest = SMOOTHING.saturating_sub(1);
        let sum = self.turn.get().saturating_mul(rest).saturating_add(took);
        self.turn.set(sum.checked_div(SMOOTHING).unwrap_or(took));
    }

    /// When so many waiting places will have had their turns, `turns` at a time.
    pub fn retry_after_s(&self, waiting: usize, turns: usize) -> u32 {
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        let turns = u32::try_from(turns).unwrap_or(u32::MAX).max(1);
        let all = self.turn.get().saturating_mul(waiting.div_ceil(turns));
        let whole = u32::try_from(all.as_secs()).unwrap_or(u32::MAX);
        whole.saturating_add(1).min(RETRY_MAX_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_told_to_come_when_the_line_has_been_served() {
        let pace = Pace::default();
        assert_eq!(pace.retry_after_s(0, 2), 1);
        assert_eq!(pace.retry_after_s(32, 2), 1, "16 turns of 50 ms");
        for _ in 0..100 {
            pace.took(Duration::from_millis(200));
        }
        assert_eq!(pace.retry_after_s(32, 2), 4, "16 turns of 200 ms");
        assert_eq!(pace.retry_after_s(32, 4), 2);
        for _ in 0..100 {
            pace.took(Duration::from_secs(60));
        }
        assert_eq!(pace.retry_after_s(32, 2), RETRY_MAX_S);
    }
}
