//! How alike two templates are, as a raw number (see [`crate::score`] for what it means).
//!
//! Owns the comparison: pairs of minutiae that may be the same propose alignments; each is rated by
//! the minutiae that then coincide; around the best pairs of the best alignments the ridges are
//! brought into step ([`crate::lock`]), and the one that comes into step best is judged by both:
//! coinciding minutiae and the phases of the ridges. Called by [`crate::verify`].

#![expect(
    clippy::indexing_slicing,
    reason = "pair indices come from enumerating the two minutia lists, at most 100 each"
)]

mod motion;
mod pairs;

use crate::gabor::TILE_PX;
use crate::lock::{Agreement, Fit, Tone, Turned};
use crate::template::Template;
use crate::waves::{Waves, middle};
pub use motion::Motion;
use motion::{Point, turn};
use pairs::{Pair, Table, agreement, pairs};
use std::f32::consts::{FRAC_PI_2, PI, TAU};
use zeroize::Zeroizing;

/// Alignments proposed by the minutiae.
const SEEDS: usize = 8;
/// Unlike ones among them whose ridges are compared.
const ALIGNMENTS: usize = 4;
/// Pairs of each around which the ridges are brought into step.
const ANCHORS: usize = 6;
/// The most promising of those, followed over the whole print.
const FITS: usize = 2;
/// Distance at which two aligned minutiae are the same, pixels.
const NEAR_PX: f32 = 15.0;
/// The same once the stretch of the skin is known.
const NEAR_FITTED_PX: f32 = 10.0;
/// Angle at which two aligned minutiae are the same, radians.
const NEAR_ANGLE: f32 = 0.5;
/// Slack of the first look.
const SLACK: f32 = 1.3;
/// The best of many alignments coincides this much more often than a random one.
const CHANCES: f32 = 2.5;
/// Surroundings this well in step need no second look.
const IN_STEP: f32 = 0.35;
/// Phases of strangers agree this much by chance and fitting.
const PHASE_CHANCE: f32 = 0.1;
/// Weight of the phases against the minutiae.
const PHASE_WEIGHT: f32 = 0.15;

/// Two minutiae laid on each other: probe, reference, how well (0..=1).
type Match = (usize, usize, f32);

/// What coincides under one alignment.
#[derive(Clone, Copy, Default)]
struct Coincidence {
    /// Pairs that coincide, each weighted 0..=1 by how well.
    matched: f32,
    /// Probe minutiae that lie on the reference finger.
    probe_there: f32,
    /// Reference minutiae that lie on the probe finger.
    reference_there: f32,
    /// Mean likeness of the surroundings of the matched pairs.
    likeness: f32,
    /// Agreement of the ridge directions where both fingers are, 0..=1.
    directions: f32,
    /// Area where both fingers are, square pixels.
    area: f32,
}

impl Coincidence {
    /// One number; larger is more alike.
    ///
    /// How surprising so many coincidences are if minutiae fall at random (the logarithm of the
    /// Poisson tail, by Chernoff's bound), times what share of the minutiae coincide, how alike
    /// their surroundings are and how well the ridges run together.
    fn weight(&self, near_px: f32) -> f32 {
        let window = PI * near_px * near_px * (NEAR_ANGLE / PI);
        let there = self.probe_there * self.reference_there;
        let chance = CHANCES * there * window / self.area.max(1.0);
        if chance <= 0.0 || self.matched <= chance {
            return 0.0;
        }
        let surprise = self.matched * (self.matched / chance).ln() - (self.matched - chance);
        let there = ((self.probe_there + 3.0) * (self.reference_there + 3.0)).sqrt();
        let directions = ((self.directions - 0.55) / 0.35).clamp(0.05, 1.0);
        surprise * self.matched / there * (0.4 + self.likeness) * directions
    }
}

/// An alignment and what coincides under it.
struct Alignment {
    motion: Motion,
    matches: Vec<Match>,
    found: Coincidence,
    weight: f32,
}

/// The ridges around one pair of minutiae, brought into step.
struct Local<'a> {
    promise: f32,
    /// -1..=1.
    in_step: f32,
    fit: Fit<'a>,
    alignment: &'a Alignment,
}

/// Everything a comparison looks at.
struct Case<'a> {
    probe: &'a Template,
    reference: &'a Template,
    a: Zeroizing<Vec<Point>>,
    b: Zeroizing<Vec<Point>>,
    table: Table,
}

/// What a comparison found.
#[derive(Clone, Copy, Default)]
pub struct Likeness {
    /// How alike: 0 not at all, strangers below about 1.8, no upper limit.
    pub raw: f32,
    /// Share of the minutiae of the richer print that coincide with one of the other, 0..=1.
    pub coincide: f32,
    /// How far those are from each other under a turn and a shift alone, median, pixels.
    pub apart_px: f32,
    /// Area that both prints show, square pixels.
    pub area: f32,
}

/// Compares two templates.
pub fn compare(probe: &Template, reference: &Template) -> Likeness {
    let points = |t: &Template| Zeroizing::new(t.minutiae().iter().map(Point::from).collect());
    let case = Case {
        probe,
        reference,
        a: points(probe),
        b: points(reference),
        table: Table::new(probe, reference),
    };
    case.alignments()
        .and_then(|alignments| case.fitted(&alignments))
        .unwrap_or_default()
}

impl Case<'_> {
    /// The alignments that minutiae propose, best first, each unlike the ones before.
    fn alignments(&self) -> Option<Vec<Alignment>> {
        let pairs = pairs(&self.table, &self.a, &self.b);
        let mut found: Vec<Alignment> = pairs
            .iter()
            .take(SEEDS)
            .map(|seed| self.align(seed, &pairs))
            .collect();
        found.sort_by(|p, q| q.weight.total_cmp(&p.weight));
        let n = self.a.len().max(1) as f32;
        let centre = self
            .a
            .iter()
            .fold((0.0, 0.0), |c, p| (c.0 + p.x / n, c.1 + p.y / n));
        let mut unlike: Vec<Alignment> = Vec::with_capacity(ALIGNMENTS);
        for alignment in found {
            let known = unlike
                .iter()
                .any(|u| u.motion.like(&alignment.motion, centre));
            if !known && unlike.len() < ALIGNMENTS {
                unlike.push(alignment);
            }
        }
        (!unlike.is_empty()).then_some(unlike)
    }

    fn align(&self, seed: &Pair, pairs: &[Pair]) -> Alignment {
        let (a, b) = (&self.a, &self.b);
        let (pa, pb) = (&a[seed.probe], &b[seed.reference]);
        let mut motion = Motion::new(turn(pb.angle, pa.angle), (pa.x, pa.y), (pb.x, pb.y));
        // First fit: the supported pairs that agree with the seed.
        let friends: Vec<Match> = pairs
            .iter()
            .map(|p| {
                let weight = p.likeness * agreement(seed, p, a, b);
                (p.probe, p.reference, weight)
            })
            .filter(|f| f.2 > 0.05)
            .chain([(seed.probe, seed.reference, 1.0)])
            .collect();
        if friends.len() >= 3 {
            motion = fit(&friends, a, b).unwrap_or(motion);
        }
        let (near, angle) = (NEAR_PX * SLACK, NEAR_ANGLE * SLACK);
        let mut matches = coincide(&motion.all(a), b, near, angle);
        if matches.len() >= 4 {
            motion = fit(&matches, a, b).unwrap_or(motion);
            matches = coincide(&motion.all(a), b, NEAR_PX, NEAR_ANGLE);
        }
        let found = self.weigh(&motion, &matches);
        Alignment {
            weight: found.weight(NEAR_PX),
            motion,
            matches,
            found,
        }
    }

    fn weigh(&self, motion: &Motion, matches: &[Match]) -> Coincidence {
        let (probe, reference) = (self.probe.waves(), self.reference.waves());
        let there = |points: &[Point], onto: &dyn Fn(&Point) -> (f32, f32), on: &Waves| {
            let lies = |p: &&Point| {
                let (x, y) = onto(p);
                on.covers(x, y)
            };
            points.iter().filter(lies).count().max(matches.len()) as f32
        };
        let (directions, area) = compare_directions(motion, probe, reference);
        Coincidence {
            matched: matches.iter().map(|m| m.2).sum(),
            probe_there: there(&self.a, &|p| motion.place(p.x, p.y), reference),
            reference_there: there(&self.b, &|p| motion.back(p.x, p.y), probe),
            likeness: self.likeness(matches),
            directions,
            area,
        }
    }

    fn likeness(&self, matches: &[Match]) -> f32 {
        let alike: f32 = matches.iter().map(|m| self.table.at(m.0, m.1)).sum();
        alike / (matches.len() as f32).max(1.0)
    }

    /// The likeness after the ridges have been brought into step.
    fn fitted(&self, alignments: &[Alignment]) -> Option<Likeness> {
        let mut local = self.locals(alignments, Tone::Same);
        if local.iter().all(|l| l.in_step < IN_STEP) {
            // Another kind of sensor may show ridges light.
            local.extend(self.locals(alignments.get(..1)?, Tone::Opposite));
        }
        local.sort_by(|p, q| q.promise.total_cmp(&p.promise));
        let (_, mut fit, alignment) = local
            .into_iter()
            .take(FITS)
            .map(
                |Local {
                     mut fit, alignment, ..
                 }| {
                    let phases = phase_weight(&fit.widen());
                    (alignment.weight.ln_1p() + phases, fit, alignment)
                },
            )
            .max_by(|p, q| p.0.total_cmp(&q.0))?;
        let agreement = fit.follow();
        let angle = fit.angle();
        let moved: Zeroizing<Vec<Point>> = Zeroizing::new(
            self.a
                .iter()
                .map(|p| {
                    let (x, y) = fit.place(p.x, p.y);
                    let angle = (p.angle + angle).rem_euclid(TAU);
                    Point { x, y, angle }
                })
                .collect(),
        );
        let matches = coincide(&moved, &self.b, NEAR_FITTED_PX, NEAR_ANGLE);
        let matched: f32 = matches.iter().map(|m| m.2).sum();
        let found = Coincidence {
            matched,
            probe_there: alignment.found.probe_there.max(matched),
            reference_there: alignment.found.reference_there.max(matched),
            likeness: self.likeness(&matches),
            directions: 0.5 + 0.5 * agreement.directions,
            area: alignment.found.area,
        };
        let minutiae = 0.5 * (alignment.weight.ln_1p() + found.weight(NEAR_FITTED_PX).ln_1p());
        Some(Likeness {
            raw: minutiae + phase_weight(&agreement),
            area: alignment.found.area,
            ..self.spread(alignment)
        })
    }

    /// How far the skin moved between the two prints.
    fn spread(&self, alignment: &Alignment) -> Likeness {
        let n = alignment.matches.len() as f32;
        let richer = self.a.len().max(self.b.len()).max(1) as f32;
        let mut apart: Vec<f32> = alignment
            .matches
            .iter()
            .map(|&(i, j, _)| {
                let (x, y) = alignment.motion.place(self.a[i].x, self.a[i].y);
                (x - self.b[j].x).hypot(y - self.b[j].y)
            })
            .collect();
        apart.sort_by(f32::total_cmp);
        Likeness {
            coincide: n / richer,
            apart_px: apart.get(apart.len() / 2).copied().unwrap_or(f32::MAX),
            ..Likeness::default()
        }
    }

    /// The ridges brought into step around the best pairs of every alignment.
    fn locals<'b>(&'b self, alignments: &'b [Alignment], tone: Tone) -> Vec<Local<'b>> {
        let (probe, reference) = (self.probe.waves(), self.reference.waves());
        let mut local = Vec::with_capacity(ALIGNMENTS * ANCHORS);
        for alignment in alignments {
            let turned = Turned::new(probe, alignment.motion, tone);
            for &(i, j, _) in self.anchors(alignment).iter().take(ANCHORS) {
                let (from, to) = ((self.a[i].x, self.a[i].y), (self.b[j].x, self.b[j].y));
                let (fit, in_step) = Fit::around(probe, reference, &turned, from, to);
                local.push(Local {
                    promise: alignment.weight.ln_1p() + 2.0 * in_step,
                    in_step,
                    fit,
                    alignment,
                });
            }
        }
        local
    }

    /// The matches that are most likely true.
    fn anchors(&self, alignment: &Alignment) -> Vec<Match> {
        let mut anchors: Vec<Match> = alignment
            .matches
            .iter()
            .map(|&(i, j, weight)| (i, j, weight * (0.3 + self.table.at(i, j))))
            .collect();
        anchors.sort_by(|p, q| q.2.total_cmp(&p.2).then((p.0, p.1).cmp(&(q.0, q.1))));
        anchors
    }
}

/// What phases are worth: the agreement beyond chance, more over a larger area, less where not
/// even the directions agree.
fn phase_weight(agreement: &Agreement) -> f32 {
    let beyond = (agreement.phases - PHASE_CHANCE).max(0.0);
    let directions = agreement.directions.max(0.0);
    PHASE_WEIGHT * beyond * directions * directions * agreement.shared.sqrt()
}

/// Least-squares turn and shift (Umeyama 1991 without scale).
fn fit(matches: &[Match], a: &[Point], b: &[Point]) -> Option<Motion> {
    let total: f32 = matches.iter().map(|m| m.2).sum();
    if total <= 0.0 {
        return None;
    }
    let (mut ax, mut ay, mut bx, mut by) = (0.0, 0.0, 0.0, 0.0);
    for &(i, j, w) in matches {
        ax += w * a[i].x;
        ay += w * a[i].y;
        bx += w * b[j].x;
        by += w * b[j].y;
    }
    let (ca, cb) = ((ax / total, ay / total), (bx / total, by / total));
    let (mut dot, mut cross) = (0.0, 0.0);
    for &(i, j, w) in matches {
        let (ux, uy) = (a[i].x - ca.0, a[i].y - ca.1);
        let (vx, vy) = (b[j].x - cb.0, b[j].y - cb.1);
        dot += w * (ux * vx + uy * vy);
        cross += w * (ux * vy - uy * vx);
    }
    (dot != 0.0 || cross != 0.0).then(|| Motion::new(cross.atan2(dot), ca, cb))
}

/// Minutiae that lie on each other, nearest first, each once, with weights.
fn coincide(moved: &[Point], b: &[Point], near_px: f32, near_angle: f32) -> Vec<Match> {
    let mut near = Vec::with_capacity(moved.len().max(b.len()));
    let (per_square, per_angle) = (1.0 / (near_px * near_px), 1.0 / near_angle);
    for (i, p) in moved.iter().enumerate() {
        for (j, q) in b.iter().enumerate() {
            let (dx, dy) = (p.x - q.x, p.y - q.y);
            let square = (dx * dx + dy * dy) * per_square;
            if square >= 1.0 {
                continue;
            }
            let angle = turn(p.angle, q.angle).abs() * per_angle;
            if angle < 1.0 {
                near.push((square + 0.5 * angle * angle, i, j));
            }
        }
    }
    near.sort_by(|p, q| p.0.total_cmp(&q.0).then((p.1, p.2).cmp(&(q.1, q.2))));
    let (mut used_a, mut used_b) = (vec![false; moved.len()], vec![false; b.len()]);
    let mut matches = Vec::with_capacity(near.len());
    for (cost, i, j) in near {
        if !used_a[i] && !used_b[j] {
            used_a[i] = true;
            used_b[j] = true;
            matches.push((i, j, 1.0 - 0.5 * cost.min(1.5)));
        }
    }
    matches
}

/// Mean agreement of ridge directions where both fingers are (0..=1), and that area in square
/// pixels; every second row and column.
fn compare_directions(motion: &Motion, probe: &Waves, reference: &Waves) -> (f32, f32) {
    let (mut agree, mut shared) = (0.0_f32, 0.0_f32);
    for row in (0..probe.rows()).step_by(2) {
        for col in (0..probe.cols()).step_by(2) {
            let here = probe.ridge(col, row);
            if here.clear <= 0.0 {
                continue;
            }
            let (x, y) = motion.place(middle(col) as f32, middle(row) as f32);
            let Some((there, ..)) = reference.at(x, y) else {
                continue;
            };
            let gap = here.angle + motion.angle - there.angle;
            let gap = (gap + FRAC_PI_2).rem_euclid(PI) - FRAC_PI_2;
            agree += 1.0 - (gap.abs() / FRAC_PI_2).min(1.0);
            shared += 1.0;
        }
    }
    let cell = 4.0 * (TILE_PX * TILE_PX) as f32;
    (agree / shared.max(1.0), shared * cell)
}
