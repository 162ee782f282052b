//! How alike two templates are, as a raw number (see [`crate::score`] for what it means).
//!
//! Owns the comparison: likeness of surroundings gives candidate pairs, pairs that agree with each
//! other are kept (relaxation), the best of them align one finger with the other, and minutiae that
//! then coincide are counted against those that should have. Called by [`crate::verify`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "pair indices come from enumerating the two minutia lists, at most 100 each"
)]

use crate::cylinder::likeness;
use crate::template::{CELL_PX, CELL_STEPS, Minutia, NO_RIDGES, Template};
use std::f32::consts::{FRAC_PI_2, PI, TAU};
use zeroize::{Zeroize, Zeroizing};

/// Candidate pairs that take part in the relaxation.
const CANDIDATES_MAX: usize = 60;
/// Rounds of relaxation.
const ROUNDS: usize = 4;
/// Alignments tried.
const SEEDS: usize = 8;
/// Distance at which two aligned minutiae are the same, pixels.
const NEAR_PX: f32 = 15.0;
/// Angle at which two aligned minutiae are the same, radians.
const NEAR_ANGLE: f32 = 0.5;
/// The best of many alignments coincides this much more often than a random one.
const CHANCES: f32 = 2.5;

/// A minutia of the probe that may be a minutia of the reference.
#[derive(Clone, Copy)]
struct Pair {
    probe: usize,
    reference: usize,
    likeness: f32,
    support: f32,
}

/// Minutia in real numbers; lists of them are wiped like the template they come from.
#[derive(Clone, Copy, Zeroize)]
struct Point {
    x: f32,
    y: f32,
    angle: f32,
}

impl From<&Minutia> for Point {
    fn from(m: &Minutia) -> Self {
        Self {
            x: f32::from(m.x),
            y: f32::from(m.y),
            angle: f32::from(m.angle) * TAU / 256.0,
        }
    }
}

/// Difference of two angles, -pi..=pi.
fn turn(a: f32, b: f32) -> f32 {
    let d = a - b;
    if d > PI {
        d - TAU
    } else if d < -PI {
        d + TAU
    } else {
        d
    }
}

/// Turn by an angle, then shift: probe onto reference.
#[derive(Clone, Copy)]
struct Motion {
    sin: f32,
    cos: f32,
    angle: f32,
    dx: f32,
    dy: f32,
}

impl Motion {
    fn new(angle: f32, from: (f32, f32), to: (f32, f32)) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self {
            sin,
            cos,
            angle,
            dx: to.0 - (from.0 * cos - from.1 * sin),
            dy: to.1 - (from.0 * sin + from.1 * cos),
        }
    }

    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (
            x * self.cos - y * self.sin + self.dx,
            x * self.sin + y * self.cos + self.dy,
        )
    }

    fn back(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x - self.dx, y - self.dy);
        (x * self.cos + y * self.sin, -x * self.sin + y * self.cos)
    }

    fn apply(&self, p: &Point) -> Point {
        let (x, y) = self.place(p.x, p.y);
        let angle = (p.angle + self.angle).rem_euclid(TAU);
        Point { x, y, angle }
    }
}

/// What the comparison found for its best alignment.
#[derive(Clone, Copy, Default)]
pub struct Evidence {
    /// Pairs that coincide, each weighted 0..=1 by how well.
    pub matched: f32,
    /// Probe minutiae that lie on the reference finger.
    pub probe_there: f32,
    /// Reference minutiae that lie on the probe finger.
    pub reference_there: f32,
    /// Mean likeness of the surroundings of the matched pairs.
    pub likeness: f32,
    /// Agreement of the ridge directions where both fingers are, 0..=1.
    pub directions: f32,
    /// Cells where both fingers are.
    pub overlap: f32,
}

impl Evidence {
    /// One number; larger is more alike.
    ///
    /// How surprising so many coincidences are if minutiae fall at random (the logarithm of the
    /// Poisson tail, by Chernoff's bound), times what share of the minutiae coincide, how alike
    /// their surroundings are and how well the ridges run together.
    pub fn raw(&self) -> f32 {
        let area = (self.overlap * f32::from(CELL_PX) * f32::from(CELL_PX)).max(1.0);
        let window = PI * NEAR_PX * NEAR_PX * (NEAR_ANGLE / PI);
        let chance = CHANCES * self.probe_there * self.reference_there * window / area;
        if chance <= 0.0 || self.matched <= chance {
            return 0.0;
        }
        let surprise = self.matched * (self.matched / chance).ln() - (self.matched - chance);
        let there = ((self.probe_there + 3.0) * (self.reference_there + 3.0)).sqrt();
        let share = self.matched / there;
        let directions = ((self.directions - 0.55) / 0.35).clamp(0.05, 1.0);
        surprise * share * (0.4 + self.likeness) * directions
    }
}

/// Compares two templates.
pub fn compare(probe: &Template, reference: &Template) -> Evidence {
    let points = |t: &Template| Zeroizing::new(t.minutiae().iter().map(Point::from).collect());
    let (a, b): (Zeroizing<Vec<Point>>, Zeroizing<Vec<Point>>) = (points(probe), points(reference));
    let table = likenesses(probe, reference);
    let mut pairs = candidates(&table, a.len(), b.len());
    relax(&mut pairs, &a, &b);
    pairs.sort_by(|p, q| q.support.total_cmp(&p.support));
    let mut best = Evidence::default();
    for seed in pairs.iter().take(SEEDS) {
        let evidence = align(seed, &pairs, &a, &b, &table, (probe, reference));
        if evidence.raw() > best.raw() {
            best = evidence;
        }
    }
    best
}

fn likenesses(probe: &Template, reference: &Template) -> Vec<f32> {
    let mut table = Vec::with_capacity(probe.cylinders().len() * reference.cylinders().len());
    for (ca, ma) in probe.cylinders().iter().zip(probe.minutiae()) {
        for (cb, mb) in reference.cylinders().iter().zip(reference.minutiae()) {
            table.push(likeness(ca, cb, ma.angle, mb.angle));
        }
    }
    table
}

/// The most alike pairs; each minutia at most twice, so that one odd minutia cannot fill the list.
fn candidates(table: &[f32], na: usize, nb: usize) -> Vec<Pair> {
    let mut all: Vec<(f32, usize)> = table
        .iter()
        .enumerate()
        .filter(|(_, l)| **l > 0.2)
        .map(|(i, &l)| (l, i))
        .collect();
    all.sort_by(|p, q| q.0.total_cmp(&p.0).then(p.1.cmp(&q.1)));
    let (mut used_a, mut used_b) = (vec![0_u8; na], vec![0_u8; nb]);
    let wanted = na.min(nb).clamp(20, CANDIDATES_MAX);
    let mut pairs = Vec::with_capacity(wanted);
    for (likeness, i) in all {
        let (probe, reference) = (i / nb, i % nb);
        if used_a[probe] >= 2 || used_b[reference] >= 2 {
            continue;
        }
        used_a[probe] += 1;
        used_b[reference] += 1;
        pairs.push(Pair {
            probe,
            reference,
            likeness,
            support: likeness,
        });
        if pairs.len() == wanted {
            break;
        }
    }
    pairs
}

/// Each pair gains from the others that keep the same distances and angles to it.
fn relax(pairs: &mut [Pair], a: &[Point], b: &[Point]) {
    let n = pairs.len();
    let mut agree = vec![0.0_f32; n * n];
    for i in 0..n {
        for j in i + 1..n {
            let value = agreement(&pairs[i], &pairs[j], a, b);
            agree[i * n + j] = value;
            agree[j * n + i] = value;
        }
    }
    for _ in 0..ROUNDS {
        let before: Vec<f32> = pairs.iter().map(|p| p.support).collect();
        for (i, pair) in pairs.iter_mut().enumerate() {
            let row = &agree[i * n..(i + 1) * n];
            let help: f32 = row.iter().zip(&before).map(|(g, s)| g * s).sum();
            pair.support = 0.5 * pair.support + 0.5 * help / n.saturating_sub(1).max(1) as f32;
        }
    }
}

fn agreement(p: &Pair, q: &Pair, a: &[Point], b: &[Point]) -> f32 {
    if p.probe == q.probe || p.reference == q.reference {
        return 0.0;
    }
    let (pa, qa, pb, qb) = (&a[p.probe], &a[q.probe], &b[p.reference], &b[q.reference]);
    let (ax, ay) = (qa.x - pa.x, qa.y - pa.y);
    let (bx, by) = (qb.x - pb.x, qb.y - pb.y);
    let (la, lb) = (ax.hypot(ay), bx.hypot(by));
    let stretch = (la - lb).abs();
    if stretch > 14.0 {
        return 0.0;
    }
    let relative = turn(turn(pa.angle, qa.angle), turn(pb.angle, qb.angle)).abs();
    if relative > 0.6 {
        return 0.0;
    }
    let bearing = turn(turn(pa.angle, ay.atan2(ax)), turn(pb.angle, by.atan2(bx))).abs();
    let soft = |v: f32, middle: f32, steep: f32| 1.0 / (1.0 + (steep * (v - middle)).exp());
    soft(stretch, 5.0 + 0.02 * la, 1.0)
        * soft(relative, PI / 10.0, 20.0)
        * soft(bearing, PI / 10.0, 20.0)
}

fn align(
    seed: &Pair,
    pairs: &[Pair],
    a: &[Point],
    b: &[Point],
    table: &[f32],
    templates: (&Template, &Template),
) -> Evidence {
    let (pa, pb) = (&a[seed.probe], &b[seed.reference]);
    let mut motion = Motion::new(turn(pb.angle, pa.angle), (pa.x, pa.y), (pb.x, pb.y));
    // First fit: the relaxed pairs that agree with the seed.
    let friends: Vec<(usize, usize, f32)> = pairs
        .iter()
        .map(|p| (p.probe, p.reference, p.likeness * agreement(seed, p, a, b)))
        .filter(|f| f.2 > 0.05)
        .chain([(seed.probe, seed.reference, 1.0)])
        .collect();
    if friends.len() >= 3 {
        motion = fit(&friends, a, b).unwrap_or(motion);
    }
    let mut matches = coincide(&motion, a, b, 1.3);
    if matches.len() >= 4 {
        motion = fit(&matches, a, b).unwrap_or(motion);
        matches = coincide(&motion, a, b, 1.0);
    }
    weigh(&motion, &matches, (a, b), table, templates)
}

/// Least-squares turn and shift (Umeyama 1991 without scale).
fn fit(matches: &[(usize, usize, f32)], a: &[Point], b: &[Point]) -> Option<Motion> {
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

/// Minutiae that lie on each other after the motion, nearest first, each once, with weights.
fn coincide(motion: &Motion, a: &[Point], b: &[Point], slack: f32) -> Vec<(usize, usize, f32)> {
    let mut near = Vec::new();
    for (i, p) in a.iter().enumerate() {
        let p = motion.apply(p);
        for (j, q) in b.iter().enumerate() {
            let distance = (p.x - q.x).hypot(p.y - q.y) / (NEAR_PX * slack);
            let angle = turn(p.angle, q.angle.rem_euclid(TAU)).abs() / (NEAR_ANGLE * slack);
            if distance < 1.0 && angle < 1.0 {
                near.push((distance * distance + 0.5 * angle * angle, i, j));
            }
        }
    }
    near.sort_by(|p, q| p.0.total_cmp(&q.0).then((p.1, p.2).cmp(&(q.1, q.2))));
    let (mut used_a, mut used_b) = (vec![false; a.len()], vec![false; b.len()]);
    let mut matches = Vec::new();
    for (cost, i, j) in near {
        if !used_a[i] && !used_b[j] {
            used_a[i] = true;
            used_b[j] = true;
            matches.push((i, j, 1.0 - 0.5 * cost.min(1.5)));
        }
    }
    matches
}

fn weigh(
    motion: &Motion,
    matches: &[(usize, usize, f32)],
    (a, b): (&[Point], &[Point]),
    table: &[f32],
    (probe, reference): (&Template, &Template),
) -> Evidence {
    let matched: f32 = matches.iter().map(|m| m.2).sum();
    let alike: f32 = matches
        .iter()
        .map(|&(i, j, _)| table[i * b.len() + j])
        .sum();
    let there = |points: &[Point], onto: &dyn Fn(&Point) -> (f32, f32), on: &Template| {
        points
            .iter()
            .filter(|p| {
                let (x, y) = onto(p);
                on.map().direction(x, y).is_some()
            })
            .count() as f32
    };
    let probe_there = there(a, &|p| motion.place(p.x, p.y), reference);
    let reference_there = there(b, &|p| motion.back(p.x, p.y), probe);
    let (directions, overlap) = compare_directions(motion, probe, reference);
    Evidence {
        matched,
        probe_there: probe_there.max(matches.len() as f32),
        reference_there: reference_there.max(matches.len() as f32),
        likeness: alike / (matches.len() as f32).max(1.0),
        directions,
        overlap,
    }
}

/// Mean agreement of ridge directions over the cells both fingers share.
fn compare_directions(motion: &Motion, probe: &Template, reference: &Template) -> (f32, f32) {
    let map = probe.map();
    let cell = f32::from(CELL_PX);
    let steps = f32::from(CELL_STEPS);
    let (mut agree, mut shared) = (0.0_f32, 0.0_f32);
    for (i, &direction) in map.cells.iter().enumerate() {
        if direction == NO_RIDGES {
            continue;
        }
        let x = ((i % map.cols) as f32 + 0.5) * cell;
        let y = ((i / map.cols) as f32 + 0.5) * cell;
        let (x, y) = motion.place(x, y);
        let Some(other) = reference.map().direction(x, y) else {
            continue;
        };
        let gap = f32::from(direction) * PI / steps + motion.angle - f32::from(other) * PI / steps;
        let gap = (gap + FRAC_PI_2).rem_euclid(PI) - FRAC_PI_2;
        agree += 1.0 - (gap.abs() / FRAC_PI_2).min(1.0);
        shared += 1.0;
    }
    (agree / shared.max(1.0), shared)
}
