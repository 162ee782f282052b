//! The window that is laid on a cell, and the waves it is compared with.
//!
//! Owns their taps. Called by [`super`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "taps are below the window's, chunks are of eight"
)]

use super::DIRECTIONS;
use std::f32::consts::{PI, TAU};

/// Half side of the window, in pixels of half the resolution.
pub const RADIUS: usize = 13;
/// Spread of the window, in pixels of half the resolution.
const SPREAD: f32 = 6.0;
/// Even and odd halves of one wave: the window is folded about its middle, so half the taps do.
pub struct Wave {
    pub even: Vec<f32>,
    pub odd: Vec<f32>,
}

/// Taps of half a window: everything after the middle in reading order.
pub const HALF: usize = ((2 * RADIUS + 1) * (2 * RADIUS + 1) - 1) / 2;

pub fn window() -> Vec<f32> {
    let r = RADIUS as isize;
    let mut taps = Vec::with_capacity(2 * HALF + 1);
    for y in -r..=r {
        for x in -r..=r {
            let square = (x * x + y * y) as f32;
            taps.push((-square / (2.0 * SPREAD * SPREAD)).exp());
        }
    }
    let total: f32 = taps.iter().sum();
    taps.iter_mut().for_each(|t| *t /= total);
    taps
}

/// The wave of one direction and period; cosines of sums come from products of phasors.
pub fn wave(direction: usize, period: f32, window: &[f32]) -> Wave {
    let angle = direction as f32 * PI / DIRECTIONS as f32;
    // Across the ridge; half the resolution has half the period.
    let step = TAU / (period / 2.0);
    let phasors = |along: f32| -> Vec<(f32, f32)> {
        (0..=2 * RADIUS)
            .map(|i| (step * along * (i as f32 - RADIUS as f32)).sin_cos())
            .collect()
    };
    let (across_x, across_y) = (phasors(-angle.sin()), phasors(angle.cos()));
    let place = |i: usize| {
        let side = 2 * RADIUS + 1;
        let ((sx, cx), (sy, cy)) = (across_x[i % side], across_y[i / side]);
        (sx * cy + cx * sy, cx * cy - sx * sy)
    };
    // No answer to a constant: the window is symmetric, its middle counts once.
    let after = HALF + 1..2 * HALF + 1;
    let rest: f32 = after.clone().map(|i| window[i] * place(i).1).sum();
    let mean = 2.0 * rest + window[HALF];
    Wave {
        even: after
            .clone()
            .map(|i| window[i] * (place(i).1 - mean))
            .collect(),
        odd: after.map(|i| window[i] * place(i).0).collect(),
    }
}

/// The sum of products.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a8.zip(b8) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Power about the mean.
pub fn power(patch: &[f32], window: &[f32]) -> f32 {
    let (mut mean, mut square) = (0.0, 0.0);
    for (p, w) in patch.iter().zip(window) {
        mean += p * w;
        square += p * p * w;
    }
    square - mean * mean
}
