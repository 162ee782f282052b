//! The direction and the period of the ridges, per tile.
//!
//! Owns the structure tensor and the period measurement. Called by [`super::extract`] and
//! [`crate::quality`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "pixel indices stay one inside the plane, tile indices below its tile counts"
)]

use super::ground::Mask;
use crate::gabor::{PERIOD_MAX_PX, PERIOD_MIN_PX, TILE_PX};
use crate::plane::Plane;

/// Directions as doubled-angle vectors, one per tile.
pub struct Directions {
    /// `cos 2a` times strength.
    pub cos: Plane,
    /// `sin 2a` times strength.
    pub sin: Plane,
    /// 0 (none) to 1 (perfectly parallel ridges).
    pub coherence: Plane,
}

impl Directions {
    /// Ridge direction at tile coordinates, radians, -pi/2..=pi/2, x right, y down.
    pub fn at_tile(&self, col: f32, row: f32) -> f32 {
        0.5 * self
            .sin
            .bilinear(col, row)
            .atan2(self.cos.bilinear(col, row))
    }

    /// Ridge direction at a pixel.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (tile, middle) = (TILE_PX as f32, (TILE_PX as f32 - 1.0) / 2.0);
        self.at_tile((x - middle) / tile, (y - middle) / tile)
    }
}

/// Measures directions from the gradients of `plane`, smoothed over `sigma` tiles.
pub fn directions(plane: &Plane, sigma: f32) -> Directions {
    let soft = plane.gaussian(1.0);
    let (cols, rows) = (plane.w.div_ceil(TILE_PX), plane.h.div_ceil(TILE_PX));
    let mut difference = Plane::filled(cols, rows, 0.0);
    let mut product = Plane::filled(cols, rows, 0.0);
    let mut total = Plane::filled(cols, rows, 0.0);
    for y in 1..plane.h.saturating_sub(1) {
        let above = &soft.data[(y - 1) * plane.w..y * plane.w];
        let here = &soft.data[y * plane.w..(y + 1) * plane.w];
        let below = &soft.data[(y + 1) * plane.w..(y + 2) * plane.w];
        for x in 1..plane.w.saturating_sub(1) {
            let gx = here[x + 1] - here[x - 1];
            let gy = below[x] - above[x];
            let tile = (y / TILE_PX) * cols + x / TILE_PX;
            difference.data[tile] += gx * gx - gy * gy;
            product.data[tile] += 2.0 * gx * gy;
            total.data[tile] += gx * gx + gy * gy;
        }
    }
    let (difference, product) = (difference.gaussian(sigma), product.gaussian(sigma));
    let total = total.gaussian(sigma);
    let mut field = Directions {
        cos: Plane::filled(cols, rows, 0.0),
        sin: Plane::filled(cols, rows, 0.0),
        coherence: Plane::filled(cols, rows, 0.0),
    };
    for i in 0..cols * rows {
        // Gradients point across the ridge; the ridge's doubled angle is the opposite vector.
        let (a, b, sum) = (difference.data[i], product.data[i], total.data[i]);
        let length = (a * a + b * b).sqrt();
        if sum > 1e-3 {
            field.cos.data[i] = -a / sum;
            field.sin.data[i] = -b / sum;
            field.coherence.data[i] = length / sum;
        }
    }
    field
}

/// Ridge period per tile in pixels, with how sure it is.
pub struct Periods {
    /// Pixels from ridge to ridge, everywhere filled.
    pub period: Plane,
    /// Share of the finger where a period could be measured, 0..=1.
    pub measured: f32,
}

/// Samples across the ridges.
const ACROSS: usize = 48;
/// Samples along the ridges, averaged.
const ALONG: i32 = 8;
/// Weakest repetition that counts as ridges.
const REPETITION_MIN: f32 = 0.25;

/// Measures the periods where `mask` has ridges; every other tile is read, the rest interpolated.
pub fn periods(even: &Plane, field: &Directions, mask: &Mask) -> Periods {
    let mut sum = Plane::filled(mask.cols, mask.rows, 0.0);
    let mut weight = Plane::filled(mask.cols, mask.rows, 0.0);
    let (mut asked, mut answered) = (0_u32, 0_u32);
    let mut all = Vec::new();
    for row in (0..mask.rows).step_by(2) {
        for col in (0..mask.cols).step_by(2) {
            if !mask.at(col, row) {
                continue;
            }
            asked += 1;
            let angle = field.at_tile(col as f32, row as f32);
            let x = (col * TILE_PX + TILE_PX / 2) as f32;
            let y = (row * TILE_PX + TILE_PX / 2) as f32;
            if let Some((period, sure)) = period_at(even, x, y, angle) {
                answered += 1;
                all.push(period);
                sum.data[row * mask.cols + col] = period * sure;
                weight.data[row * mask.cols + col] = sure;
            }
        }
    }
    all.sort_by(f32::total_cmp);
    let median = all.get(all.len() / 2).copied().unwrap_or(9.0);
    let (sum, weight) = (sum.gaussian(3.0), weight.gaussian(3.0));
    let mut period = Plane::filled(mask.cols, mask.rows, median);
    for (i, p) in period.data.iter_mut().enumerate() {
        // A little of the median keeps tiles far from any measurement sane.
        *p = (sum.data[i] + 0.01 * median) / (weight.data[i] + 0.01);
    }
    let measured = if asked == 0 {
        0.0
    } else {
        answered as f32 / asked as f32
    };
    Periods { period, measured }
}

/// The repetition of the grey profile across the ridges, and its strength 0..=1.
fn period_at(even: &Plane, x: f32, y: f32, direction: f32) -> Option<(f32, f32)> {
    let (sin, cos) = direction.sin_cos();
    let mut profile = [0.0_f32; ACROSS];
    for (k, value) in profile.iter_mut().enumerate() {
        let v = k as f32 - ACROSS as f32 / 2.0;
        let mut sum = 0.0;
        for u in -ALONG..=ALONG {
            let u = u as f32;
            let px = (x + u * cos - v * sin)
                .round()
                .clamp(0.0, (even.w - 1) as f32) as usize;
            let py = (y + u * sin + v * cos)
                .round()
                .clamp(0.0, (even.h - 1) as f32) as usize;
            sum += even.at(px, py);
        }
        *value = sum;
    }
    let mean = profile.iter().sum::<f32>() / ACROSS as f32;
    profile.iter_mut().for_each(|v| *v -= mean);
    let (first, last) = (PERIOD_MIN_PX as usize - 1, PERIOD_MAX_PX as usize + 1);
    let mut likeness = [0.0_f32; 20];
    for lag in first..=last {
        let (head, tail) = (&profile[..ACROSS - lag], &profile[lag..]);
        let cross: f32 = head.iter().zip(tail).map(|(a, b)| a * b).sum();
        let power: f32 = head.iter().chain(tail).map(|a| a * a).sum();
        likeness[lag] = 2.0 * cross / power.max(1e-6);
    }
    // The first clear peak, not the highest: a multiple of the period repeats as well.
    let top = likeness.iter().copied().fold(0.0, f32::max);
    let lag = (first + 1..last).find(|&l| {
        likeness[l] >= likeness[l - 1]
            && likeness[l] > likeness[l + 1]
            && likeness[l] > REPETITION_MIN.max(0.7 * top)
    })?;
    let (a, b, c) = (likeness[lag - 1], likeness[lag], likeness[lag + 1]);
    let bend = a - 2.0 * b + c;
    let shift = if bend.abs() > 1e-6 {
        0.5 * (a - c) / bend
    } else {
        0.0
    };
    Some((lag as f32 + shift.clamp(-0.5, 0.5), b.min(1.0)))
}

/// The map kept in a template: direction of every second tile, or none.
pub fn coarse(field: &Directions, mask: &Mask) -> crate::template::DirectionMap {
    use crate::template::{CELL_STEPS, NO_RIDGES};
    let (cols, rows) = (mask.cols.div_ceil(2), mask.rows.div_ceil(2));
    let mut cells = vec![NO_RIDGES; cols * rows];
    for row in 0..rows {
        for col in 0..cols {
            let (c, r) = (2 * col, 2 * row);
            let inside = [(c, r), (c + 1, r), (c, r + 1), (c + 1, r + 1)]
                .iter()
                .filter(|&&(c, r)| mask.at(c, r))
                .count();
            if inside >= 3 {
                let angle = field.at_tile(c as f32 + 0.5, r as f32 + 0.5);
                let turn = (angle / std::f32::consts::PI).rem_euclid(1.0);
                cells[row * cols + col] = (turn * f32::from(CELL_STEPS)) as u8 % CELL_STEPS;
            }
        }
    }
    crate::template::DirectionMap { cols, rows, cells }
}
