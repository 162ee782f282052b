//! The clock of a running service: wall time that does not jump.
//!
//! Owns the comparison of wall time with monotonic time. A step of a time service up to
//! [`STEP_MAX`] is followed, forwards at once and backwards by standing still. A larger
//! jump is not believed while the service runs: its time goes on as the monotonic clock
//! does, so that no deadline, lock or business date moves with it, until the wall comes
//! back to it. A new start takes the wall as it is, and holds it against the newest
//! record ([`crate::core::clock`]).

use std::cell::RefCell;
use std::time::Duration;

use counterfoil_data::seam::{Clock, Local, SharedClock};
use jiff::{SignedDuration, Timestamp};

/// Largest step of the wall clock that is followed.
pub const STEP_MAX: SignedDuration = SignedDuration::from_secs(60);

/// A clock that does not jump.
pub struct SteadyClock {
    wall: SharedClock,
    state: RefCell<State>,
}

struct State {
    /// A moment of both clocks that agreed.
    wall: Timestamp,
    monotonic: Duration,
    /// The last time told; none is earlier.
    told: Timestamp,
    /// The wall jumped and did not come back.
    jumped: bool,
}

impl SteadyClock {
    /// Takes the wall as it is.
    pub fn over(wall: SharedClock) -> Self {
        let (now, monotonic) = (wall.now(), wall.monotonic());
        Self {
            wall,
            state: RefCell::new(State {
                wall: now,
                monotonic,
                told: now,
                jumped: false,
            }),
        }
    }

    /// Whether the wall is away from the time that is told.
    pub fn has_jumped(&self) -> bool {
        self.now();
        self.state.borrow().jumped
    }
}

impl State {
    fn tell(&mut self, wall: Timestamp, monotonic: Duration) -> Timestamp {
        let passed = monotonic.saturating_sub(self.monotonic);
        let expected = self.wall.checked_add(passed).unwrap_or(wall);
        let jumped = wall.duration_since(expected).abs() > STEP_MAX;
        if jumped && !self.jumped {
            tracing::error!(
                %wall,
                %expected,
                "the clock of this machine jumped and is not followed: set it right, or \
                 start the service anew if it is right now"
            );
        }
        self.jumped = jumped;
        if !jumped {
            (self.wall, self.monotonic) = (wall, monotonic);
        }
        let now = if jumped { expected } else { wall };
        self.told = self.told.max(now);
        self.told
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let (wall, monotonic) = (self.wall.now(), self.wall.monotonic());
        self.state.borrow_mut().tell(wall, monotonic)
    }

    fn monotonic(&self) -> Duration {
        self.wall.monotonic()
    }

    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        self.wall.sleep(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    /// A state that began at second 10,000 of the wall.
    fn state() -> State {
        State {
            wall: at(10_000),
            monotonic: Duration::ZERO,
            told: at(10_000),
            jumped: false,
        }
    }

    fn tell(state: &mut State, wall: i64, monotonic: u64) -> i64 {
        let told = state.tell(at(wall), Duration::from_secs(monotonic));
        told.as_second()
    }

    #[test]
    fn a_step_of_a_minute_is_followed_and_never_backwards() {
        let mut state = state();
        assert_eq!(tell(&mut state, 10_070, 10), 10_070, "a minute forwards");
        assert_eq!(
            tell(&mut state, 10_030, 20),
            10_070,
            "50 s back: stands still"
        );
        assert_eq!(tell(&mut state, 10_069, 59), 10_070);
        assert_eq!(tell(&mut state, 10_090, 80), 10_090);
        assert!(!state.jumped);
    }

    #[test]
    fn an_hour_back_and_a_year_forward_change_nothing_until_the_wall_is_back() {
        const YEAR: i64 = 366 * 24 * 3_600;
        let mut state = state();
        for (off, passed) in [(-3_600, 100), (YEAR, 200), (-3_600, 300), (YEAR, 400)] {
            let right = 10_000 + i64::try_from(passed).expect("small");
            assert_eq!(tell(&mut state, right + off, passed), right);
            assert!(state.jumped);
        }
        assert_eq!(tell(&mut state, 10_500, 500), 10_500);
        assert!(!state.jumped);
    }
}
