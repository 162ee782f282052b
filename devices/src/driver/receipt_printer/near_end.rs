//! The near-end sensor, told apart from a roll that wobbles in front of it.

use std::time::Duration;

/// How long it must say the same before it is believed.
const HOLD: Duration = Duration::from_secs(2);

/// The level that is told (the first one at once), and since when the sensor says
/// the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NearEnd {
    told: Option<bool>,
    other_since: Option<Duration>,
}

impl NearEnd {
    /// The level at `now`, when the sensor says `near`.
    pub fn at(&mut self, now: Duration, near: bool) -> bool {
        let told = *self.told.get_or_insert(near);
        if near == told {
            self.other_since = None;
            return told;
        }
        let since = *self.other_since.get_or_insert(now);
        if now.saturating_sub(since) < HOLD {
            return told;
        }
        (self.told, self.other_since) = (Some(near), None);
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_at_the_first_look_is_told_at_once() {
        assert!(NearEnd::default().at(Duration::ZERO, true));
    }

    #[test]
    fn a_roll_that_wobbles_is_told_once_and_only_when_it_stays() {
        let mut level = NearEnd::default();
        let ms = Duration::from_millis;
        for (at, near, told) in [
            (0, false, false),
            (10, true, false),
            (500, false, false),
            (1_000, true, false),
            (2_900, true, false),
            (3_000, true, true),
            (3_500, false, true),
            (4_000, true, true),
            (5_000, false, true),
            (7_000, false, false),
        ] {
            assert_eq!(level.at(ms(at), near), told, "at {at}");
        }
    }
}
