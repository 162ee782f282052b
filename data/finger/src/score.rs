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

/// Raw likeness against score: the share of 101,025 synthetic strangers that reach it, rounded to
/// the strict side (README, "Calibration"). The last two rows rest on three pairs and one pair.
const CALIBRATION: [(f32, f32); 10] = [
    (0.31, 0.5),
    (0.60, 1.0),
    (0.82, 1.5),
    (1.01, 2.0),
    (1.19, 2.5),
    (1.34, 3.0),
    (1.48, 3.5),
    (1.62, 4.0),
    (1.77, 4.5),
    (1.90, 5.0),
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

    pub(crate) fn from_raw(raw: f32) -> Self {
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
        .map(|reference| Score::from_raw(compare(probe, reference).raw).0)
        .fold(0.0, f32::max);
    Score((best - chances.log10()).max(0.0))
}

/// The score of two different fingers of one person together, from the scores of each.
///
/// Two fingers of a stranger are independent chances, each of which reaches s with
/// probability 10^-s at most. Their sum t is then reached with 10^-t (1 + t ln 10) at most, whose
/// -log10 this is: two fingers of score 3 are worth 4.8, and one of score 5 with one of nothing
/// 3.9. Values below zero count as none. Above [`SCORE_MAX`] the result rests on that independence
/// and on no sample.
#[must_use]
pub fn both(first: f32, second: f32) -> f32 {
    let sum = first.max(0.0) + second.max(0.0);
    (sum - sum.mul_add(std::f32::consts::LN_10, 1.0).log10()).max(0.0)
}

/// The uncalibrated likeness of two templates, for measuring only.
#[must_use]
pub fn raw_likeness(probe: &Template, reference: &Template) -> f32 {
    compare(probe, reference).raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_likeness_never_scores_lower_and_the_table_ends_at_the_highest_score() {
        let scores: Vec<f32> = (0_u8..=255)
            .map(|i| Score::from_raw(f32::from(i) / 64.0).value())
            .collect();
        assert!(scores.is_sorted());
        assert_eq!(Score::from_raw(0.0), Score::ZERO);
        assert_eq!(Score::from_raw(1.9), Score(SCORE_MAX));
        assert!(Score::from_raw(1.62).reaches(4.0) && !Score::from_raw(1.61).reaches(4.0));
    }

    #[test]
    fn two_fingers_of_strangers_reach_what_both_says_as_often_as_it_says() {
        // Scores of strangers as they are defined: 10^-s reach s. Drawn by a lattice, so that
        // the shares are those of the distribution and of no generator; fine enough for its
        // coarse end, where one of both is its highest score.
        const DRAWN: u32 = 8_000;
        let at = |i: u32| -((f64::from(i) + 0.5) / f64::from(DRAWN)).log10() as f32;
        let drawn: Vec<f32> = (0..DRAWN).map(at).collect();
        for claimed in [0.5_f32, 1.0, 2.0, 3.0] {
            // The highest come first.
            let with = |a: &f32| drawn.partition_point(|b| both(*a, *b) >= claimed);
            let reached: usize = drawn.iter().map(with).sum();
            let share = -(reached as f64 / f64::from(DRAWN).powi(2)).log10() as f32;
            assert!((share - claimed).abs() < 0.01, "{claimed}: {share}");
        }
        assert!((both(3.0, 3.0) - 4.83).abs() < 0.01);
        assert!((both(5.0, 0.0) - 3.90).abs() < 0.01);
        assert!(both(0.0, 0.0) == 0.0 && both(-1.0, 4.0) == both(0.0, 4.0));
    }
}
