//! Error rates of a comparison, and how sure they are.
//!
//! Owns the definitions. FMR(t) is the share of impostor pairs that score t or more, FNMR(t) the
//! share of genuine pairs that score less, t runs over the observed scores and beyond them. EER is
//! where both meet, or the smaller mean of both at the two thresholds around their crossing. "FNMR
//! at x" is taken at the lowest threshold with FMR(t) <= x. Intervals: bootstrap over fingers,
//! because pairs that share a finger are not independent. Pure; the same pairs give the same
//! figures.

use std::ops::Range;

/// One compared pair. Fingers are numbered through all sets; the same number means genuine.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// Higher is more alike; 0 if either image gave no template.
    pub score: f32,
    /// Finger of the first print.
    pub a: u32,
    /// Finger of the second print.
    pub b: u32,
}

impl Pair {
    /// True if both prints are of one finger.
    pub const fn is_genuine(self) -> bool {
        self.a == self.b
    }
}

/// False match rates at which the false non-match rate is told.
pub const AT_FMR: [f64; 3] = [1e-2, 1e-3, 1e-4];

/// What a sample of pairs says. Rates are shares, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    pub eer: f64,
    /// At each of [`AT_FMR`].
    pub fnmr: [f64; 3],
    /// Thresholds of those; infinite if none of the observed scores is strict enough.
    pub threshold: [f32; 3],
}

/// A threshold with both rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub threshold: f32,
    pub fmr: f64,
    pub fnmr: f64,
}

/// Pairs in order of their score.
pub struct Sorted(Vec<Pair>);

impl Sorted {
    pub fn new(mut pairs: Vec<Pair>) -> Self {
        pairs.sort_by(|p, q| p.score.total_cmp(&q.score));
        Self(pairs)
    }

    pub fn pairs(&self) -> &[Pair] {
        &self.0
    }

    /// Genuine and impostor pairs.
    pub fn counts(&self) -> (usize, usize) {
        let genuine = self.0.iter().filter(|p| p.is_genuine()).count();
        (genuine, self.0.len() - genuine)
    }

    /// Both rates at every observed threshold and beyond; empty without pairs of both kinds.
    pub fn curve(&self) -> Vec<Point> {
        let mut points = Vec::new();
        sweep(&self.0, |_| 1, |point| points.push(point));
        points
    }

    /// `None` without pairs of both kinds.
    pub fn figures(&self) -> Option<Figures> {
        figures(&self.0, |_| 1)
    }

    /// Share of impostors that reach each threshold.
    pub fn fmr_at(&self, thresholds: &[f32]) -> Vec<f64> {
        fmr_at(&self.0, thresholds, |_| 1)
    }
}

fn total(pairs: &[Pair], genuine: bool, weight: &impl Fn(&Pair) -> u64) -> u64 {
    let kind = pairs.iter().filter(|p| p.is_genuine() == genuine);
    kind.map(weight).sum()
}

/// Visits every threshold from the lowest; pairs of weight 0 are not there.
fn sweep(pairs: &[Pair], weight: impl Fn(&Pair) -> u64, mut visit: impl FnMut(Point)) {
    let genuine = total(pairs, true, &weight);
    let impostors = total(pairs, false, &weight);
    if genuine == 0 || impostors == 0 {
        return;
    }
    let (mut below, mut from) = (0, impostors);
    for group in pairs.chunk_by(|p, q| p.score == q.score) {
        let own = total(group, true, &weight);
        let strange = total(group, false, &weight);
        if own + strange > 0 {
            visit(Point {
                threshold: group[0].score,
                fmr: from as f64 / impostors as f64,
                fnmr: below as f64 / genuine as f64,
            });
        }
        below += own;
        from -= strange;
    }
    visit(Point {
        threshold: f32::INFINITY,
        fmr: 0.0,
        fnmr: 1.0,
    });
}

fn figures(pairs: &[Pair], weight: impl Fn(&Pair) -> u64) -> Option<Figures> {
    let mean = |p: Point| f64::midpoint(p.fmr, p.fnmr);
    let (mut before, mut eer): (Option<Point>, Option<f64>) = (None, None);
    let mut at: [Option<Point>; 3] = [None; 3];
    sweep(pairs, weight, |point| {
        if eer.is_none() && point.fnmr >= point.fmr {
            let here = mean(point);
            let around = before.filter(|_| point.fnmr > point.fmr);
            eer = Some(around.map_or(here, |b| mean(b).min(here)));
        }
        before = Some(point);
        for (found, most) in at.iter_mut().zip(AT_FMR) {
            if found.is_none() && point.fmr <= most {
                *found = Some(point);
            }
        }
    });
    Some(Figures {
        eer: eer?,
        fnmr: [at[0]?.fnmr, at[1]?.fnmr, at[2]?.fnmr],
        threshold: [at[0]?.threshold, at[1]?.threshold, at[2]?.threshold],
    })
}

fn fmr_at(pairs: &[Pair], thresholds: &[f32], weight: impl Fn(&Pair) -> u64) -> Vec<f64> {
    let all = total(pairs, false, &weight);
    let share = |threshold: &f32| {
        let from = pairs.partition_point(|p| p.score < *threshold);
        total(&pairs[from..], false, &weight) as f64 / all as f64
    };
    if all == 0 {
        return Vec::new();
    }
    thresholds.iter().map(share).collect()
}

/// Lower and upper end of a 95 % interval.
pub type Interval = (f64, f64);

/// Draws fingers with replacement, each set for itself.
pub struct Bootstrap {
    /// Finger numbers of each set.
    sets: Vec<Range<u32>>,
    rounds: usize,
}

impl Bootstrap {
    pub const fn new(sets: Vec<Range<u32>>, rounds: usize) -> Self {
        Self { sets, rounds }
    }

    /// How often each finger was drawn, for each round; seeded, so the same on every run.
    fn draws(&self) -> impl Iterator<Item = Vec<u64>> {
        let fingers = self.sets.iter().map(|set| set.end).max().unwrap_or(0);
        let mut state = 0x0F1A_6E25_u64;
        (0..self.rounds).map(move |_| {
            let mut drawn = vec![0; fingers as usize];
            for set in &self.sets {
                let size = u64::from(set.end - set.start);
                for _ in 0..size {
                    let finger = u64::from(set.start) + split_mix(&mut state) % size;
                    drawn[finger as usize] += 1;
                }
            }
            drawn
        })
    }

    /// Intervals of EER and of FNMR at each of [`AT_FMR`]; `None` without pairs of both kinds.
    pub fn figures(&self, sorted: &Sorted) -> Option<[Interval; 4]> {
        let mut rounds: [Vec<f64>; 4] = Default::default();
        for drawn in self.draws() {
            if let Some(f) = figures(&sorted.0, |pair| times(pair, &drawn)) {
                let values = [f.eer, f.fnmr[0], f.fnmr[1], f.fnmr[2]];
                for (round, value) in rounds.iter_mut().zip(values) {
                    round.push(value);
                }
            }
        }
        let [a, b, c, d] = rounds.map(interval);
        Some([a?, b?, c?, d?])
    }

    /// Intervals of the false match rates at these thresholds.
    pub fn fmr_at(&self, sorted: &Sorted, thresholds: &[f32]) -> Vec<Option<Interval>> {
        let mut rounds = vec![Vec::new(); thresholds.len()];
        for drawn in self.draws() {
            let rates = fmr_at(&sorted.0, thresholds, |pair| times(pair, &drawn));
            for (round, rate) in rounds.iter_mut().zip(rates) {
                round.push(rate);
            }
        }
        rounds.into_iter().map(interval).collect()
    }
}

/// A pair counts as often as its fingers were drawn. Two draws of one finger are not strangers and
/// make no pair.
fn times(pair: &Pair, drawn: &[u64]) -> u64 {
    let first = drawn[pair.a as usize];
    if pair.is_genuine() {
        first
    } else {
        first * drawn[pair.b as usize]
    }
}

fn interval(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = |share: f64| values[(share * last as f64).round() as usize];
    Some((at(0.025), at(0.975)))
}

/// `SplitMix64`, as in the crate's own synthesis.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
