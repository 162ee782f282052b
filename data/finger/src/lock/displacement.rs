//! The displacement that brings two prints into step: even first, then block by block.
//!
//! Owns its two forms and their equations. Called by [`super`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "block indices are below BLOCKS * BLOCKS, matrix indices below 6 and 7"
)]

use crate::waves::{LANES, Lanes};

/// Blocks along a side of the stretch map.
pub const BLOCKS: usize = 16;

/// A displacement that grows evenly away from a place.
#[derive(Clone, Copy)]
pub struct Affine {
    pub x: f32,
    pub y: f32,
    /// Shift in x and y, pixels; then its growth per 100 pixels: x by x, x by y, y by x, y by y.
    pub p: [f32; 6],
}

impl Affine {
    pub const SCALE: f32 = 0.01;

    #[inline(always)]
    pub fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let (u, v) = ((x - self.x) * Self::SCALE, (y - self.y) * Self::SCALE);
        let p = &self.p;
        (p[0] + p[2] * u + p[3] * v, p[1] + p[4] * u + p[5] * v)
    }

    /// The same for cells.
    #[inline(always)]
    pub fn all(&self, x: &Lanes, y: &Lanes) -> (Lanes, Lanes) {
        let mut shifts = ([0.0; LANES], [0.0; LANES]);
        for i in 0..LANES {
            (shifts.0[i], shifts.1[i]) = self.at(x[i], y[i]);
        }
        shifts
    }
}

/// A smooth displacement over the reference: one shift per block, interpolated between.
pub struct Stretch {
    pub step: f32,
    pub shifts: Box<[(f32, f32); BLOCKS * BLOCKS]>,
}

impl Stretch {
    /// The shifts of cells.
    #[inline(always)]
    pub fn all(&self, spots: &Spots) -> (Lanes, Lanes) {
        let zero = [0.0; LANES];
        let mut corners = [(zero, zero); 4];
        for (corner, places) in corners.iter_mut().zip(&spots.corners) {
            for i in 0..LANES {
                (corner.0[i], corner.1[i]) = self.shifts[usize::from(places[i])];
            }
        }
        let [a, b, c, d] = corners;
        let mix = |a: f32, b: f32, f: f32| a + f * (b - a);
        let mut shifts = (zero, zero);
        for i in 0..LANES {
            let (x, y) = (spots.x[i], spots.y[i]);
            shifts.0[i] = mix(mix(a.0[i], b.0[i], x), mix(c.0[i], d.0[i], x), y);
            shifts.1[i] = mix(mix(a.1[i], b.1[i], x), mix(c.1[i], d.1[i], x), y);
        }
        shifts
    }
}

/// Where cells lie among the blocks. It stays the same from step to step.
pub struct Spots {
    /// The blocks whose middles are around each: upper left, upper right, lower left, lower right.
    corners: [[u8; LANES]; 4],
    /// How far from the upper left to the others, 0..=1.
    x: Lanes,
    y: Lanes,
    /// The block each lies in.
    pub inside: [u8; LANES],
}

impl Spots {
    /// `step` is the side of a block.
    pub fn new(step: f32, x: &Lanes, y: &Lanes) -> Self {
        const TOP: usize = BLOCKS - 1;
        let none = [0; LANES];
        let mut spots = Self {
            corners: [none; 4],
            x: *x,
            y: *y,
            inside: none,
        };
        // At most BLOCKS * BLOCKS - 1.
        let place = |col: usize, row: usize| (row * BLOCKS + col) as u8;
        for i in 0..LANES {
            let (x, y) = (x[i] / step, y[i] / step);
            let block = |v: f32| (v.max(0.0) as i32 as usize).min(TOP);
            spots.inside[i] = place(block(x), block(y));
            let x = (x - 0.5).clamp(0.0, TOP as f32);
            let y = (y - 0.5).clamp(0.0, TOP as f32);
            let (col, row) = (x as i32 as usize, y as i32 as usize);
            let (right, below) = ((col + 1).min(TOP), (row + 1).min(TOP));
            spots.x[i] = x - col as f32;
            spots.y[i] = y - row as f32;
            for (corner, (col, row)) in spots.corners.iter_mut().zip([
                (col, row),
                (right, row),
                (col, below),
                (right, below),
            ]) {
                corner[i] = place(col, row);
            }
        }
        spots
    }
}

/// Six symmetric equations with their right side in the seventh column, the eighth being empty.
/// What is left out lies below the diagonal.
#[derive(Default)]
pub struct Equations {
    /// Rows 1 to 4, columns 1 to 4.
    pub left: [[f32; 4]; 4],
    /// Columns 5 to 8.
    pub right: [[f32; 4]; 6],
}

impl Equations {
    /// Their rows, with `calm` added along the diagonal.
    pub fn rows(&self, calm: [f32; 6]) -> [[f32; 7]; 6] {
        let mut rows = [[0.0; 7]; 6];
        for (i, row) in rows.iter_mut().enumerate() {
            if let Some(left) = self.left.get(i) {
                row[..4].copy_from_slice(left);
            }
            row[4..].copy_from_slice(&self.right[i][..3]);
            row[i] += calm[i];
        }
        rows
    }
}

/// Adds a row `by` times.
#[inline(always)]
pub fn add(sums: &mut [f32; 4], by: f32, row: [f32; 4]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += by * value;
    }
}

/// Gauss on a symmetric matrix with its right side in the last column; only the upper triangle is
/// read. It is positive (see `CALM` in [`super`]), so no pivot is sought.
pub fn solve(mut m: [[f32; 7]; 6]) -> [f32; 6] {
    for i in 0..6 {
        let pivot = m[i];
        for (r, row) in m.iter_mut().enumerate().skip(i + 1) {
            let factor = pivot[r] / pivot[i];
            for (value, above) in row.iter_mut().zip(pivot).skip(r) {
                *value -= factor * above;
            }
        }
    }
    let mut x = [0.0; 6];
    for i in (0..6).rev() {
        let known: f32 = (i + 1..6).map(|j| m[i][j] * x[j]).sum();
        x[i] = (m[i][6] - known) / m[i][i];
    }
    x
}

/// Neighbouring blocks share what they know.
pub fn share(blocks: &mut [[f32; 5]; BLOCKS * BLOCKS]) {
    for stride in [1, BLOCKS] {
        let before = *blocks;
        for (i, block) in blocks.iter_mut().enumerate() {
            let place = i / stride % BLOCKS;
            for (k, value) in block.iter_mut().enumerate() {
                if place > 0 {
                    *value += 0.5 * before[i - stride][k];
                }
                if place + 1 < BLOCKS {
                    *value += 0.5 * before[i + stride][k];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symmetric_system_is_solved() {
        let wanted = [1.0, -2.0, 3.0, 0.5, -0.25, 4.0];
        let mut m = [[0.0_f32; 7]; 6];
        for (i, row) in m.iter_mut().enumerate() {
            for j in 0..6 {
                let far = i.abs_diff(j) as f32;
                row[j] = if i == j { 5.0 } else { 1.0 / (1.0 + far) };
                row[6] += row[j] * wanted[j];
            }
        }
        for (found, wanted) in solve(m).into_iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-4, "{found} {wanted}");
        }
    }
}
