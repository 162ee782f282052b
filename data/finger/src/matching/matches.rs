//! Which minutiae coincide under an alignment, and how surprising that is.
//!
//! Owns the count of matches, its weight, and the turn and shift that fit them best. Called by
//! [`super`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "indices come from enumerating the two minutia lists, at most 100 each"
)]

use super::motion::{Motion, Point, turn};
use super::pairs::{order, ordered};
use crate::waves::{LANES, Lanes};
use std::f32::consts::PI;

/// Angle at which two aligned minutiae are the same, radians.
pub const NEAR_ANGLE: f32 = 0.5;
/// The best of many alignments coincides this much more often than a random one.
const CHANCES: f32 = 2.5;
/// Where no minutia is.
const FAR_PX: f32 = 1e6;

/// Two minutiae laid on each other: probe, reference, how well (0..=1).
pub type Match = (usize, usize, f32);

/// What coincides under one alignment.
#[derive(Clone, Copy, Default)]
pub struct Coincidence {
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
    /// Area where both fingers are, square pixels.
    pub area: f32,
}

impl Coincidence {
    /// One number; larger is more alike.
    ///
    /// How surprising so many coincidences are if minutiae fall at random (the logarithm of the
    /// Poisson tail, by Chernoff's bound), times what share of the minutiae coincide, how alike
    /// their surroundings are and how well the ridges run together.
    pub fn weight(&self, near_px: f32) -> f32 {
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

/// Least-squares turn and shift (Umeyama 1991 without scale).
pub fn fit(matches: &[Match], a: &[Point], b: &[Point]) -> Option<Motion> {
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

/// The places of up to eight minutiae.
pub fn places(points: &[Point]) -> (Lanes, Lanes) {
    let mut places = ([FAR_PX; LANES], [FAR_PX; LANES]);
    for ((x, y), p) in places.0.iter_mut().zip(&mut places.1).zip(points) {
        (*x, *y) = (p.x, p.y);
    }
    places
}

/// Minutiae that lie on each other, nearest first, each once, with weights.
pub fn coincide(
    moved: &[Point],
    (b, places): (&[Point], &[(Lanes, Lanes)]),
    near_px: f32,
    near_angle: f32,
) -> Vec<Match> {
    let mut near = Vec::with_capacity(moved.len().max(b.len()));
    let (per_square, per_angle) = (1.0 / (near_px * near_px), 1.0 / near_angle);
    for (i, p) in moved.iter().enumerate() {
        for (block, (xs, ys)) in places.iter().enumerate() {
            // Eight at a time, since few are near.
            let mut squares = [0.0; LANES];
            for lane in 0..LANES {
                let (dx, dy) = (p.x - xs[lane], p.y - ys[lane]);
                squares[lane] = (dx * dx + dy * dy) * per_square;
            }
            if !squares
                .iter()
                .fold(false, |any, square| any | (*square < 1.0))
            {
                continue;
            }
            for (lane, square) in squares.into_iter().enumerate().filter(|s| s.1 < 1.0) {
                let j = block * LANES + lane;
                let angle = turn(p.angle, b[j].angle).abs() * per_angle;
                if angle < 1.0 {
                    near.push(order(square + 0.5 * angle * angle, [i, j]));
                }
            }
        }
    }
    near.sort_unstable();
    let (mut used_a, mut used_b) = (vec![false; moved.len()], vec![false; b.len()]);
    let mut matches = Vec::with_capacity(near.len());
    for (cost, [i, j]) in near.into_iter().map(ordered) {
        if !used_a[i] && !used_b[j] {
            used_a[i] = true;
            used_b[j] = true;
            matches.push((i, j, 1.0 - 0.5 * cost.min(1.5)));
        }
    }
    matches
}
