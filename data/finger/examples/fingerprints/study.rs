//! A measured collection of sets, cut into rows.
//!
//! Owns which pairs belong to a row and the numbering of fingers through all sets.

use crate::measure::{Comparison, Sample};
use crate::metrics::{Pair, Sorted};
use counterfoil_finger::verify;
use std::ops::Range;

/// One set, measured.
pub struct Measured {
    pub name: String,
    pub samples: Vec<Sample>,
    pub comparison: Comparison,
    /// Finger numbers as in the files, in order.
    fingers: Vec<u32>,
    /// Number of the first of them through all sets.
    first: u32,
}

impl Measured {
    /// `first` fingers were numbered before.
    pub fn new(name: String, samples: Vec<Sample>, comparison: Comparison, first: u32) -> Self {
        let mut fingers: Vec<u32> = samples.iter().map(|sample| sample.finger).collect();
        fingers.sort_unstable();
        fingers.dedup();
        Self {
            name,
            samples,
            comparison,
            fingers,
            first,
        }
    }

    /// All fingers of the set.
    pub fn all(&self) -> Range<u32> {
        self.first..self.first + self.fingers.len() as u32
    }

    /// The lower half of the numbers, parameters were chosen on them.
    pub fn tuning(&self) -> Range<u32> {
        let all = self.all();
        all.start..all.start + (all.end - all.start) / 2
    }

    /// The upper half, held out.
    pub fn reporting(&self) -> Range<u32> {
        self.tuning().end..self.all().end
    }

    fn finger(&self, sample: &Sample) -> u32 {
        let at = self.fingers.partition_point(|&f| f < sample.finger);
        self.first + at as u32
    }
}

/// A line of the report.
pub struct Row {
    pub name: String,
    pub sorted: Sorted,
    /// Fingers of each set in it.
    pub fingers: Vec<Range<u32>>,
    pub images: usize,
    pub failed: usize,
}

impl Row {
    /// The pairs of those sets whose both fingers are in `fingers` (one range a set) and whose
    /// prints are both kept (a mark for each print of each set; without marks all are).
    pub fn new(
        name: &str,
        sets: &[&Measured],
        fingers: Vec<Range<u32>>,
        kept: Option<&[Vec<bool>]>,
    ) -> Self {
        let (mut pairs, mut images, mut failed) = (Vec::new(), 0, 0);
        for (n, (set, range)) in sets.iter().zip(&fingers).enumerate() {
            let stays = |i: usize| kept.is_none_or(|kept| kept[n][i]);
            let finger = |(i, sample): (usize, &Sample)| {
                let finger = set.finger(sample);
                (range.contains(&finger) && stays(i)).then_some(finger)
            };
            let inside: Vec<Option<u32>> = set.samples.iter().enumerate().map(finger).collect();
            for (i, sample) in set.samples.iter().enumerate() {
                let Some(a) = inside[i] else { continue };
                images += 1;
                failed += usize::from(sample.template.is_err());
                for (&score, b) in set.comparison.scores[i].iter().zip(&inside[i + 1..]) {
                    pairs.extend(b.map(|b| Pair { score, a, b }));
                }
            }
        }
        Self {
            name: name.to_owned(),
            sorted: Sorted::new(pairs),
            fingers,
            images,
            failed,
        }
    }
}

/// Scores at which claims are looked at; a claim of s says one stranger in 10^s.
pub const CLAIMS: [f32; 9] = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0];

/// Lowest observed raw likeness that `verify` gives each of [`CLAIMS`]; infinite if none does.
///
/// The score grows with the raw likeness, so a few calls find the place.
pub fn claimed_thresholds(sets: &[Measured]) -> Vec<f32> {
    let mut pairs = Vec::new();
    for (n, set) in sets.iter().enumerate() {
        for (i, row) in set.comparison.scores.iter().enumerate() {
            let scored = row.iter().enumerate();
            pairs.extend(scored.map(|(k, &score)| (score, n, i, i + 1 + k)));
        }
    }
    pairs.sort_by(|p, q| p.0.total_cmp(&q.0));
    let claim = |&(_, n, i, j): &(f32, usize, usize, usize)| {
        let samples: &[Sample] = &sets[n].samples;
        match (&samples[i].template, &samples[j].template) {
            (Ok(probe), Ok(reference)) => verify(probe, std::slice::from_ref(reference)).value(),
            _ => 0.0,
        }
    };
    let at = |claimed: f32| {
        let reached = pairs.partition_point(|pair| claim(pair) < claimed);
        pairs.get(reached).map_or(f32::INFINITY, |pair| pair.0)
    };
    CLAIMS.into_iter().map(at).collect()
}

/// True for the prints that stay when the worst of all are dropped: lowest quality first, ties in
/// order of the files.
pub fn without_worst(sets: &[Measured], percent: u8) -> Vec<Vec<bool>> {
    let mut order: Vec<(u8, usize, usize)> = Vec::new();
    for (n, set) in sets.iter().enumerate() {
        let rated = set.samples.iter().enumerate();
        order.extend(rated.map(|(i, sample)| (sample.quality, n, i)));
    }
    order.sort_unstable();
    let dropped = order.len() * usize::from(percent) / 100;
    let all = sets.iter().map(|set| vec![true; set.samples.len()]);
    let mut kept: Vec<Vec<bool>> = all.collect();
    for &(_, n, i) in &order[..dropped] {
        kept[n][i] = false;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn set(first: u32, prints: &[(u32, u8)]) -> Measured {
        let sample = |&(finger, quality): &(u32, u8)| Sample {
            name: String::new(),
            finger,
            template: Err("none".to_owned()),
            unchanged: None,
            quality,
            extraction: Duration::ZERO,
        };
        let samples: Vec<Sample> = prints.iter().map(sample).collect();
        let n = samples.len();
        let scores = (0..n).map(|i| (i + 1..n).map(|j| (10 * i + j) as f32).collect());
        let comparison = Comparison {
            scores: scores.collect(),
            nanoseconds: Vec::new(),
        };
        Measured::new(String::new(), samples, comparison, first)
    }

    #[test]
    fn halves_are_by_finger_number_and_hold_no_pair_across_them() {
        let prints = [(108, 9), (101, 9), (101, 9), (103, 9), (110, 9)];
        let set = set(7, &prints);
        assert_eq!((set.tuning(), set.reporting()), (7..9, 9..11));
        let row = Row::new("low", &[&set], vec![set.tuning()], None);
        let pairs = row.sorted.pairs().iter();
        let pairs: Vec<(f32, u32, u32)> = pairs.map(|p| (p.score, p.a, p.b)).collect();
        // Prints 1, 2 and 3: finger 101 twice, 103 once.
        assert_eq!(pairs, [(12.0, 7, 7), (13.0, 7, 8), (23.0, 7, 8)]);
        assert_eq!((row.images, row.failed), (3, 3));
        let all = |kept| {
            Row::new("all", &[&set], vec![set.all()], kept)
                .sorted
                .counts()
        };
        assert_eq!(all(None), (1, 9));
        assert_eq!(all(Some(&[vec![true, true, false, true, true]])), (0, 6));
    }

    #[test]
    fn the_worst_of_all_sets_together_are_dropped() {
        let sets = [set(0, &[(1, 50), (2, 10)]), set(2, &[(1, 20), (2, 90)])];
        let kept = without_worst(&sets, 50);
        assert_eq!(kept, [vec![true, false], vec![false, true]]);
        assert!(without_worst(&sets, 10).concat().into_iter().all(|k| k));
    }
}
