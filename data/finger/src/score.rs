//! What a raw likeness means: the false match rate at which it would be accepted.
//!
//! Owns the calibration table and its limits. Called by everybody who decides on a finger.

use crate::matching::compare;
use crate::template::Template;

/// -log10 of the false match rate of a whole comparison: 4.0 means that one stranger in 10,000
/// reaches this score or more.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Score(f32);

/// Highest score that the calibration sample supports (1 in 100,000).
pub const SCORE_MAX: f32 = 5.0;
/// Enrolled impressions that take part in one comparison; further ones are not looked at.
pub const ENROLLED_MAX: usize = 8;

/// Raw likeness against score, measured on synthetic strangers (README, "Calibration").
const CALIBRATION: [(f32, f32); 10] = [
    (1.61, 0.5),
    (3.27, 1.0),
    (4.37, 1.5),
    (5.24, 2.0),
    (6.08, 2.5),
    (7.04, 3.0),
    (7.88, 3.5),
    (8.70, 4.0),
    (9.50, 4.5),
    (10.3, 5.0),
];

impl Score {
    /// No likeness at all.
    pub const ZERO: Self = Self(0.0);

    /// 0.0..=[`SCORE_MAX`].
    #[must_use]
    pub const fn value(self) -> f32 {
        self.0
    }

    /// True if a stranger reaches this with probability 10^-`threshold` at most.
    #[must_use]
    pub fn reaches(self, threshold: f32) -> bool {
        self.0 >= threshold
    }

    fn from_raw(raw: f32) -> Self {
        let mut below = (0.0, 0.0);
        for above in CALIBRATION {
            if raw < above.0 {
                let share = (raw - below.0) / (above.0 - below.0);
                return Self(below.1 + share * (above.1 - below.1));
            }
            below = above;
        }
        Self(SCORE_MAX)
    }
}

/// Compares a live print with the enrolled impressions of one finger (S14).
///
/// The best impression counts. Trying several gives a stranger several chances, so log10 of their
/// number is taken off: the score stays an honest false match rate of the whole call. No enrolled
/// impression gives [`Score::ZERO`].
#[must_use]
pub fn verify(probe: &Template, enrolled: &[Template]) -> Score {
    let chances = enrolled.len().clamp(1, ENROLLED_MAX) as f32;
    let best = enrolled
        .iter()
        .take(ENROLLED_MAX)
        .map(|reference| Score::from_raw(compare(probe, reference).raw()).0)
        .fold(0.0, f32::max);
    Score((best - chances.log10()).max(0.0))
}

/// The uncalibrated likeness of two templates, for measuring only.
#[must_use]
pub fn raw_likeness(probe: &Template, reference: &Template) -> f32 {
    compare(probe, reference).raw()
}
