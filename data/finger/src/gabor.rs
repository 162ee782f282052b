//! Oriented band-pass filtering: every 8 x 8 tile is filtered with the kernel of its own ridge
//! direction and ridge period.
//!
//! Owns the kernels. Called by extraction (to enhance) and by synthesis (to grow ridges).

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tile and kernel indices stay inside the padded copy made at the start of apply"
)]

use crate::plane::Plane;
use std::f32::consts::{PI, TAU};
use zeroize::Zeroize;

/// Side of a tile, pixels. All block maps of this crate use it.
pub const TILE_PX: usize = 8;
/// Directions the half circle is quantised to.
const DIRECTIONS: usize = 32;
/// Shortest ridge period, pixels at 500 dpi (0.25 mm).
pub const PERIOD_MIN_PX: f32 = 5.0;
/// Longest ridge period, pixels at 500 dpi (0.76 mm).
pub const PERIOD_MAX_PX: f32 = 15.0;
/// Period steps.
const PERIODS: usize = 14;

/// Direction and period of one tile.
#[derive(Clone, Copy)]
pub struct Steer {
    /// Ridge direction, radians, any value; only its line matters. x right, y down.
    pub direction: f32,
    /// Pixels from ridge to ridge.
    pub period: f32,
}

/// Shape of the kernels.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Half side of the kernel, pixels.
    pub radius: usize,
    /// Envelope along the ridge, pixels.
    pub along: f32,
    /// Envelope across the ridge, pixels.
    pub across: f32,
}

/// Kernels of one shape, each made when first asked for.
pub struct Bank {
    shape: Shape,
    kernels: Vec<Vec<f32>>,
    /// The same waves a quarter period later, for [`Bank::wave`].
    odd: Vec<Vec<f32>>,
    envelope: Vec<f32>,
}

impl Bank {
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            kernels: vec![Vec::new(); DIRECTIONS * PERIODS],
            odd: vec![Vec::new(); DIRECTIONS * PERIODS],
            envelope: Vec::new(),
        }
    }

    fn slot(&mut self, steer: Steer) -> usize {
        let turn = (steer.direction / PI).rem_euclid(1.0);
        let direction = ((turn * DIRECTIONS as f32).round() as usize) % DIRECTIONS;
        let span = (PERIOD_MAX_PX / PERIOD_MIN_PX).ln();
        let place = (steer.period.clamp(PERIOD_MIN_PX, PERIOD_MAX_PX) / PERIOD_MIN_PX).ln() / span;
        let step = (place * (PERIODS - 1) as f32).round() as usize;
        let slot = direction * PERIODS + step.min(PERIODS - 1);
        if self.kernels[slot].is_empty() {
            let period = PERIOD_MIN_PX * (span * step as f32 / (PERIODS - 1) as f32).exp();
            let angle = direction as f32 * PI / DIRECTIONS as f32;
            self.kernels[slot] = kernel(self.shape, angle, period, 0.0);
        }
        slot
    }

    /// The wave at one place: its even and odd part (a wave `a cos(p + k v)`, v across the ridges,
    /// gives `a cos p` and `a sin p`), and the power of everything around.
    pub fn wave(&mut self, src: &Plane, x: usize, y: usize, steer: Steer) -> (f32, f32, f32) {
        let slot = self.slot(steer);
        if self.odd[slot].is_empty() {
            let span = (PERIOD_MAX_PX / PERIOD_MIN_PX).ln();
            let (direction, step) = (slot / PERIODS, slot % PERIODS);
            let period = PERIOD_MIN_PX * (span * step as f32 / (PERIODS - 1) as f32).exp();
            let angle = direction as f32 * PI / DIRECTIONS as f32;
            self.odd[slot] = kernel(self.shape, angle, period, -PI / 2.0);
        }
        let r = self.shape.radius;
        if self.envelope.is_empty() {
            let s = (self.shape.along + self.shape.across) / 2.0;
            let r = r as isize;
            for dy in -r..=r {
                for dx in -r..=r {
                    self.envelope
                        .push((-((dx * dx + dy * dy) as f32) / (2.0 * s * s)).exp());
                }
            }
            let total: f32 = self.envelope.iter().sum();
            self.envelope.iter_mut().for_each(|e| *e /= total);
        }
        let (even, odd) = (&self.kernels[slot], &self.odd[slot]);
        let side = 2 * r + 1;
        let (mut re, mut im, mut mean, mut power) = (0.0, 0.0, 0.0, 0.0);
        // The part of the kernel that lies on the picture.
        let (from, to) = (r.saturating_sub(x), side.min(src.w + r - x));
        for ky in r.saturating_sub(y)..side.min(src.h + r - y) {
            let line = &src.data[(y + ky - r) * src.w..][..src.w][x + from - r..x + to - r];
            let taps = ky * side + from..ky * side + to;
            let kernels = even[taps.clone()].iter().zip(&odd[taps.clone()]);
            for ((&v, (&e, &o)), &g) in line.iter().zip(kernels).zip(&self.envelope[taps]) {
                re += e * v;
                im += o * v;
                mean += g * v;
                power += g * v * v;
            }
        }
        // The last step of the half circle rounds to its first, whose wave runs the other way.
        let turn = (steer.direction / PI).rem_euclid(1.0) * DIRECTIONS as f32;
        if turn.round() as usize == DIRECTIONS {
            im = -im;
        }
        (re, im, (power - mean * mean).max(0.0))
    }

    /// Filters `src`; tiles without a steer stay zero. A wave of amplitude 1 gives about 1.
    pub fn apply(&mut self, src: &Plane, steer: impl Fn(usize, usize) -> Option<Steer>) -> Plane {
        let r = self.shape.radius;
        let (tiles_x, tiles_y) = (src.w.div_ceil(TILE_PX), src.h.div_ceil(TILE_PX));
        let pw = tiles_x * TILE_PX + 2 * r;
        let ph = tiles_y * TILE_PX + 2 * r;
        let mut padded = vec![0.0_f32; pw * ph];
        for y in 0..src.h {
            let from = &src.data[y * src.w..(y + 1) * src.w];
            padded[(y + r) * pw + r..][..src.w].copy_from_slice(from);
        }
        let mut out = Plane::filled(src.w, src.h, 0.0);
        for ty in 0..tiles_y {
            for tx in 0..tiles_x {
                let Some(steer) = steer(tx, ty) else { continue };
                let slot = self.slot(steer);
                let kernel = &self.kernels[slot];
                let x0 = tx * TILE_PX;
                let keep = TILE_PX.min(src.w - x0);
                for y in ty * TILE_PX..src.h.min((ty + 1) * TILE_PX) {
                    let line = tile_row(&padded, pw, x0, y, kernel, 2 * r + 1);
                    out.data[y * src.w + x0..][..keep].copy_from_slice(&line[..keep]);
                }
            }
        }
        padded.zeroize();
        out
    }
}

#[inline]
fn tile_row(
    padded: &[f32],
    pw: usize,
    x0: usize,
    y: usize,
    kernel: &[f32],
    side: usize,
) -> [f32; TILE_PX] {
    let mut acc = [0.0_f32; TILE_PX];
    for (ky, taps) in kernel.chunks_exact(side).enumerate() {
        let line = &padded[(y + ky) * pw + x0..][..side + TILE_PX - 1];
        for (&tap, window) in taps.iter().zip(line.windows(TILE_PX)) {
            for (a, &v) in acc.iter_mut().zip(window) {
                *a += tap * v;
            }
        }
    }
    acc
}

fn kernel(shape: Shape, direction: f32, period: f32, shift: f32) -> Vec<f32> {
    let r = shape.radius as isize;
    let (sin, cos) = direction.sin_cos();
    let mut envelope = Vec::new();
    let mut wave = Vec::new();
    for y in -r..=r {
        for x in -r..=r {
            let (x, y) = (x as f32, y as f32);
            let (u, v) = (x * cos + y * sin, -x * sin + y * cos);
            let e = -u * u / (2.0 * shape.along * shape.along)
                - v * v / (2.0 * shape.across * shape.across);
            envelope.push(e.exp());
            wave.push((TAU * v / period - shift).cos());
        }
    }
    // No answer to a constant, unit answer to the wave itself.
    let total: f32 = envelope.iter().sum();
    let mean = envelope.iter().zip(&wave).map(|(e, c)| e * c).sum::<f32>() / total;
    let gain: f32 = envelope
        .iter()
        .zip(&wave)
        .map(|(e, c)| e * (c - mean) * c)
        .sum();
    envelope
        .iter()
        .zip(&wave)
        .map(|(e, c)| e * (c - mean) / gain)
        .collect()
}
