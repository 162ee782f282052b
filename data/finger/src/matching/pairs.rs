//! Which minutia of a probe may be which of a reference, before anything is laid on anything.
//!
//! Owns the candidate pairs: likeness of surroundings proposes them, pairs that keep distances and
//! angles to each other support each other (relaxation). Called by [`super::compare`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "pair indices come from enumerating the two minutia lists, at most 100 each"
)]

use super::motion::{Point, turn};
use crate::cylinder::likeness;
use crate::template::Template;
use std::f32::consts::PI;

/// Candidate pairs that take part in the relaxation.
const CANDIDATES_MAX: usize = 60;
/// Pairs tried however few minutiae there are.
const CANDIDATES_MIN: usize = 20;
/// Pairs one minutia may be in.
const EACH_MAX: u8 = 2;
/// Likeness below which a pair is not worth trying.
const LIKENESS_MIN: f32 = 0.2;
/// Rounds of relaxation.
const ROUNDS: usize = 4;
/// Most that a distance may change under the skin's stretch, pixels.
const STRETCH_MAX_PX: f32 = 14.0;
/// Most that an angle between two minutiae may change, radians.
const RELATIVE_MAX: f32 = 0.6;

/// A minutia of the probe that may be a minutia of the reference.
#[derive(Clone, Copy)]
pub struct Pair {
    pub probe: usize,
    pub reference: usize,
    pub likeness: f32,
    /// How much the other pairs speak for this one.
    pub support: f32,
}

/// How alike the surroundings of every minutia of one and of the other are, 0..=1.
pub struct Table {
    columns: usize,
    likeness: Vec<f32>,
}

impl Table {
    pub fn new(probe: &Template, reference: &Template) -> Self {
        let columns = reference.minutiae().len();
        let mut all = Vec::with_capacity(probe.minutiae().len() * columns);
        for (ca, ma) in probe.cylinders().iter().zip(probe.minutiae()) {
            for (cb, mb) in reference.cylinders().iter().zip(reference.minutiae()) {
                all.push(likeness(ca, cb, ma.angle, mb.angle));
            }
        }
        Self {
            columns,
            likeness: all,
        }
    }

    pub fn at(&self, probe: usize, reference: usize) -> f32 {
        self.likeness[probe * self.columns + reference]
    }
}

/// A number at least 0 and two places below 65,536 as one that sorts like them; numbers sort faster
/// than comparisons.
pub fn order(cost: f32, [i, j]: [usize; 2]) -> u64 {
    u64::from(cost.to_bits()) << 32 | (i as u64) << 16 | j as u64
}

/// What [`order`] was made from.
pub fn ordered(key: u64) -> (f32, [usize; 2]) {
    let place = |bits: u64| usize::from(bits as u16);
    let cost = f32::from_bits((key >> 32) as u32);
    (cost, [place(key >> 16), place(key)])
}

/// The most alike pairs, those first that the others support.
pub fn pairs(table: &Table, a: &[Point], b: &[Point]) -> Vec<Pair> {
    let mut pairs = candidates(table, a.len(), b.len());
    relax(&mut pairs, a, b);
    pairs.sort_by(|p, q| q.support.total_cmp(&p.support));
    pairs
}

/// The most alike pairs; each minutia in few, so that one odd minutia cannot fill the list.
fn candidates(table: &Table, na: usize, nb: usize) -> Vec<Pair> {
    // The most alike first, so by how unlike they are.
    let mut all: Vec<u64> = table
        .likeness
        .iter()
        .enumerate()
        .filter(|(_, l)| **l > LIKENESS_MIN)
        .map(|(i, &l)| u64::from(!l.to_bits()) << 32 | i as u64)
        .collect();
    all.sort_unstable();
    let (mut used_a, mut used_b) = (vec![0_u8; na], vec![0_u8; nb]);
    let wanted = na.min(nb).clamp(CANDIDATES_MIN, CANDIDATES_MAX);
    let mut pairs = Vec::with_capacity(wanted);
    for key in all {
        let i = (key & u64::from(u32::MAX)) as usize;
        let likeness = table.likeness[i];
        let (probe, reference) = (i / nb, i % nb);
        if used_a[probe] >= EACH_MAX || used_b[reference] >= EACH_MAX {
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
    let others = n.saturating_sub(1).max(1) as f32;
    for _ in 0..ROUNDS {
        let before: Vec<f32> = pairs.iter().map(|p| p.support).collect();
        for (i, pair) in pairs.iter_mut().enumerate() {
            let row = &agree[i * n..(i + 1) * n];
            let help: f32 = row.iter().zip(&before).map(|(g, s)| g * s).sum();
            pair.support = 0.5 * pair.support + 0.5 * help / others;
        }
    }
}

/// How well two pairs keep distance, angle and bearing to each other, 0..=1.
pub fn agreement(p: &Pair, q: &Pair, a: &[Point], b: &[Point]) -> f32 {
    if p.probe == q.probe || p.reference == q.reference {
        return 0.0;
    }
    let (pa, qa, pb, qb) = (&a[p.probe], &a[q.probe], &b[p.reference], &b[q.reference]);
    let (ax, ay) = (qa.x - pa.x, qa.y - pa.y);
    let (bx, by) = (qb.x - pb.x, qb.y - pb.y);
    let (la, lb) = ((ax * ax + ay * ay).sqrt(), (bx * bx + by * by).sqrt());
    let stretch = (la - lb).abs();
    if stretch > STRETCH_MAX_PX {
        return 0.0;
    }
    let relative = turn(turn(pa.angle, qa.angle), turn(pb.angle, qb.angle)).abs();
    if relative > RELATIVE_MAX {
        return 0.0;
    }
    let bearing = turn(turn(pa.angle, ay.atan2(ax)), turn(pb.angle, by.atan2(bx))).abs();
    let soft = |v: f32, middle: f32, steep: f32| 1.0 / (1.0 + (steep * (v - middle)).exp());
    soft(stretch, 5.0 + 0.02 * la, 1.0)
        * soft(relative, PI / 10.0, 20.0)
        * soft(bearing, PI / 10.0, 20.0)
}
