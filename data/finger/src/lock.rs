//! Bringing the ridges of two prints into step.
//!
//! Owns the second half of a comparison. An alignment from minutiae is right to a few pixels, and
//! skin stretches; but if it is the same finger, then around any true pair of minutiae the phases
//! of the ridges come into step under a small correction, and from there outwards all over. Two
//! fingers lose step at every minutia that only one of them has, so the agreement of phases counts
//! missing minutiae without having to find them. Called by [`crate::matching`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "block indices are below BLOCKS * BLOCKS, matrix indices below 6 and 7"
)]

mod displacement;
mod laid;

use crate::gabor::TILE_PX;
use crate::matching::Motion;
use crate::waves::Waves;
use displacement::{Affine, BLOCKS, Stretch, share, solve};
pub use laid::Tone;
use laid::{Laid, cosine, lay, look};
use std::f32::consts::PI;
use zeroize::Zeroizing;

/// Largest angle between two lines that run together, radians.
const TOGETHER: f32 = PI / 6.0;
/// Reach of the two steps around the first pair, pixels.
const NEAR_PX: [f32; 2] = [40.0, 60.0];
/// Cells farther out than this have no say in them, pixels.
const NEAR_END_PX: f32 = 90.0;
/// Reach of the two steps that follow.
const FAR_PX: [f32; 2] = [90.0, 140.0];
/// Pull of an even displacement and of an uneven one towards none.
const CALM: [f32; 6] = [2.0, 2.0, 6.0, 6.0, 6.0, 6.0];
/// Pull of each block towards no further shift, from step to step.
const STIFF: [f32; 2] = [8.0, 4.0];

/// What two prints have in common under one fit.
#[derive(Clone, Copy, Default)]
pub struct Agreement {
    /// Weight of the cells both have (the number of perfectly clear cells).
    pub shared: f32,
    /// Mean agreement of the directions, -1..=1.
    pub directions: f32,
    /// Mean agreement of the phases where the directions agree, -1..=1.
    pub phases: f32,
}

/// Every second row and column of a probe's cells under one turn; alignments that differ by a
/// shift share it.
pub struct Turned {
    motion: Motion,
    tone: Tone,
    cells: Zeroizing<Vec<Laid>>,
}

impl Turned {
    pub fn new(probe: &Waves, motion: Motion, tone: Tone) -> Self {
        Self {
            motion,
            tone,
            cells: lay(probe, &motion, tone, 2),
        }
    }
}

/// Two prints laid on each other, and the displacement that brings them into step.
pub struct Fit<'a> {
    probe: &'a Waves,
    reference: &'a Waves,
    motion: Motion,
    tone: Tone,
    affine: Affine,
    stretch: Option<Stretch>,
}

impl<'a> Fit<'a> {
    /// Brings the surroundings of one pair of minutiae into step: `from` on the probe, `to` on the
    /// reference, under the turn of `turned`. Gives how well they came into step, -1..=1.
    pub fn around(
        probe: &'a Waves,
        reference: &'a Waves,
        turned: &Turned,
        from: (f32, f32),
        to: (f32, f32),
    ) -> (Self, f32) {
        let motion = turned.motion.through(from, to);
        let (dx, dy) = motion.beyond(&turned.motion);
        let mut affine = Affine {
            x: to.0,
            y: to.1,
            p: [0.0; 6],
        };
        let shifted = turned.cells.iter().map(|cell| Laid {
            x: cell.x + dx,
            y: cell.y + dy,
            ..*cell
        });
        let near = |cell: &Laid| {
            let (u, v) = (cell.x - to.0, cell.y - to.1);
            u * u + v * v <= NEAR_END_PX * NEAR_END_PX
        };
        let cells: Zeroizing<Vec<Laid>> = Zeroizing::new(shifted.filter(near).collect());
        let mut together = 0.0;
        for reach in NEAR_PX {
            together = step(&cells, reference, &mut affine, reach);
        }
        let fit = Self {
            probe,
            reference,
            motion,
            tone: turned.tone,
            affine,
            stretch: None,
        };
        (fit, together)
    }

    /// Goes on farther out.
    pub fn widen(&mut self) -> Agreement {
        let cells = lay(self.probe, &self.motion, self.tone, 2);
        for reach in FAR_PX {
            step(&cells, self.reference, &mut self.affine, reach);
        }
        judge(&cells, self.reference, |x, y| self.affine.at(x, y))
    }

    /// Follows the stretch of the skin, every cell.
    pub fn follow(&mut self) -> Agreement {
        let cells = lay(self.probe, &self.motion, self.tone, 1);
        let side = self.reference.cols().max(self.reference.rows()) * TILE_PX;
        let size = side as f32 / BLOCKS as f32;
        let mut stretch = Stretch {
            step: size,
            shifts: Box::new([(0.0, 0.0); BLOCKS * BLOCKS]),
        };
        for (i, shift) in stretch.shifts.iter_mut().enumerate() {
            let place = |n: usize| (n as f32 + 0.5) * size;
            *shift = self.affine.at(place(i % BLOCKS), place(i / BLOCKS));
        }
        for stiff in STIFF {
            bend(&cells, self.reference, &mut stretch, stiff);
        }
        let agreement = judge(&cells, self.reference, |x, y| stretch.at(x, y));
        self.stretch = Some(stretch);
        agreement
    }

    /// The turn of the probe, radians.
    pub const fn angle(&self) -> f32 {
        self.motion.angle
    }

    /// Where a place of the probe lies on the reference.
    pub fn place(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = self.motion.place(x, y);
        let (dx, dy) = match &self.stretch {
            Some(stretch) => stretch.at(x, y),
            None => self.affine.at(x, y),
        };
        (x + dx, y + dy)
    }
}

/// One step of least squares over the cells within reach: every phase difference is a shift across
/// its ridge. Gives how well the cells were in step before.
fn step(cells: &[Laid], reference: &Waves, affine: &mut Affine, reach: f32) -> f32 {
    let mut m = [[0.0_f32; 7]; 6];
    let (mut shared, mut together) = (0.0, 0.0);
    let per = 1.0 / (reach * reach);
    for cell in cells {
        let Some(seen) = look(reference, cell, affine.at(cell.x, cell.y)) else {
            continue;
        };
        let (dx, dy) = (cell.x - affine.x, cell.y - affine.y);
        let far = (dx * dx + dy * dy) * per;
        let weight = seen.weight / (1.0 + far + far * far);
        shared += weight;
        if seen.gap.abs() > TOGETHER {
            continue;
        }
        let in_step = cosine(seen.phase);
        together += weight * in_step;
        // The farther out of step, the less is known about which way.
        let weight = weight * (0.5 + 0.5 * in_step);
        let shift = -seen.phase / seen.step;
        let (u, v) = (dx * Affine::SCALE, dy * Affine::SCALE);
        let (nx, ny) = seen.across;
        let row = [nx, ny, nx * u, nx * v, ny * u, ny * v];
        for i in 0..6 {
            let wi = weight * row[i];
            for j in i..6 {
                m[i][j] += wi * row[j];
            }
            m[i][6] += wi * shift;
        }
    }
    for (i, calm) in CALM.into_iter().enumerate() {
        m[i][i] += calm;
    }
    for (p, more) in affine.p.iter_mut().zip(solve(m)) {
        *p += more;
    }
    together / shared.max(1.0)
}

/// One step of every block's own shift, as far as its neighbours agree.
fn bend(cells: &[Laid], reference: &Waves, stretch: &mut Stretch, stiff: f32) {
    // Normal equations of each block: xx, xy, yy, and the right side.
    let mut blocks = [[0.0_f32; 5]; BLOCKS * BLOCKS];
    let block = |v: f32| ((v / stretch.step).max(0.0) as usize).min(BLOCKS - 1);
    for cell in cells {
        let Some(seen) = look(reference, cell, stretch.at(cell.x, cell.y)) else {
            continue;
        };
        if seen.gap.abs() > TOGETHER {
            continue;
        }
        let weight = seen.weight * (0.5 + 0.5 * cosine(seen.phase));
        let shift = -seen.phase / seen.step;
        let (nx, ny) = seen.across;
        let b = &mut blocks[block(cell.y) * BLOCKS + block(cell.x)];
        b[0] += weight * nx * nx;
        b[1] += weight * nx * ny;
        b[2] += weight * ny * ny;
        b[3] += weight * nx * shift;
        b[4] += weight * ny * shift;
    }
    share(&mut blocks);
    share(&mut blocks);
    for (shift, b) in stretch.shifts.iter_mut().zip(&blocks) {
        let (xx, xy, yy) = (b[0] + stiff, b[1], b[2] + stiff);
        let det = xx * yy - xy * xy;
        if det > 1e-6 {
            shift.0 += (yy * b[3] - xy * b[4]) / det;
            shift.1 += (xx * b[4] - xy * b[3]) / det;
        }
    }
}

fn judge(
    cells: &[Laid],
    reference: &Waves,
    displaced: impl Fn(f32, f32) -> (f32, f32),
) -> Agreement {
    let (mut shared, mut directions, mut phases, mut phased) = (0.0, 0.0, 0.0, 0.0);
    for cell in cells {
        let Some(seen) = look(reference, cell, displaced(cell.x, cell.y)) else {
            continue;
        };
        shared += seen.weight;
        directions += seen.weight * cosine(2.0 * seen.gap);
        if seen.gap.abs() <= TOGETHER {
            phased += seen.weight;
            phases += seen.weight * cosine(seen.phase);
        }
    }
    let per = |sum: f32, of: f32| if of > 0.0 { sum / of } else { 0.0 };
    Agreement {
        shared,
        directions: per(directions, shared),
        phases: per(phases, phased),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waves::{Wave, middle};
    use std::f32::consts::TAU;

    /// Curved ridges, one period of 9 pixels apart, around a centre far to the upper left.
    fn rings(dx: f32, dy: f32) -> Waves {
        let cells = (0..40 * 40)
            .map(|i| {
                let x = middle(i % 40) as f32 - dx + 60.0;
                let y = middle(i / 40) as f32 - dy + 90.0;
                let radius = x.hypot(y);
                // The ridge runs across the radius; its normal, a quarter turn on, points along it
                // outwards or inwards.
                let direction = (y.atan2(x) - PI / 2.0).rem_euclid(PI);
                let (sin, cos) = direction.sin_cos();
                let outwards = -sin * x + cos * y >= 0.0;
                let phase = radius * TAU / 9.0 * if outwards { 1.0 } else { -1.0 };
                Wave {
                    direction: (direction * 256.0 / PI) as u8,
                    period: 144,
                    phase: (phase.rem_euclid(TAU) * 256.0 / TAU) as u8,
                    clear: 255,
                }
            })
            .collect();
        Waves::new(40, 40, cells)
    }

    #[test]
    fn a_print_off_by_two_pixels_comes_into_step() {
        let (probe, reference) = (rings(0.0, 0.0), rings(2.0, -1.0));
        let turned = Turned::new(&probe, Motion::new(0.0, (0.0, 0.0), (0.0, 0.0)), Tone::Same);
        let place = (160.0, 160.0);
        let (mut fit, near) = Fit::around(&probe, &reference, &turned, place, place);
        let wide = fit.widen();
        let fine = fit.follow();
        assert!(near > 0.5, "near {near}");
        assert!(wide.phases > 0.9, "wide {}", wide.phases);
        assert!(fine.phases > 0.95, "fine {}", fine.phases);
        assert!(fine.directions > 0.99);
        // Along the ridges nothing can be seen; across them the shift is known.
        let (x, y) = fit.place(160.0, 160.0);
        let across = ((x - 160.0) * 220.0 + (y - 160.0) * 250.0) / 220.0_f32.hypot(250.0);
        let wanted = (2.0 * 220.0 - 1.0 * 250.0) / 220.0_f32.hypot(250.0);
        assert!((across - wanted).abs() < 0.3, "{across} {wanted}");
    }
}
