//! The displacement that brings two prints into step: even first, then block by block.
//!
//! Owns its two forms and their equations. Called by [`super`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "block indices are below BLOCKS * BLOCKS, matrix indices below 6 and 7"
)]

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

    #[inline]
    pub fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let (u, v) = ((x - self.x) * Self::SCALE, (y - self.y) * Self::SCALE);
        let p = &self.p;
        (p[0] + p[2] * u + p[3] * v, p[1] + p[4] * u + p[5] * v)
    }
}

/// A smooth displacement over the reference: one shift per block, interpolated between.
pub struct Stretch {
    pub step: f32,
    pub shifts: Box<[(f32, f32); BLOCKS * BLOCKS]>,
}

impl Stretch {
    pub fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let top = (BLOCKS - 1) as f32;
        let (x, y) = (
            (x / self.step - 0.5).clamp(0.0, top),
            (y / self.step - 0.5).clamp(0.0, top),
        );
        let (c, r) = (x as usize, y as usize);
        let (right, below) = ((c + 1).min(BLOCKS - 1), (r + 1).min(BLOCKS - 1));
        let (x, y) = (x - c as f32, y - r as f32);
        let mix =
            |a: (f32, f32), b: (f32, f32), f: f32| (a.0 + f * (b.0 - a.0), a.1 + f * (b.1 - a.1));
        let s = &self.shifts;
        mix(
            mix(s[r * BLOCKS + c], s[r * BLOCKS + right], x),
            mix(s[below * BLOCKS + c], s[below * BLOCKS + right], x),
            y,
        )
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
