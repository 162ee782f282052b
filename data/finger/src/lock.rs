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
    clippy::needless_range_loop,
    reason = "block indices are below BLOCKS * BLOCKS, matrix indices below 6 and 7"
)]

mod displacement;
mod laid;

use crate::gabor::TILE_PX;
use crate::matching::Motion;
use crate::waves::{LANES, Lanes, Waves};
use displacement::{Affine, BLOCKS, Equations, Spots, Stretch, add, share, solve};
pub use laid::{Cells, Tone, gather, run_together};
use laid::{Laid, cosine, lay, look};
use std::f32::consts::PI;

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
    cells: Cells,
}

impl Turned {
    /// `cells` are those of the probe.
    pub fn new(cells: &Cells, motion: Motion, tone: Tone) -> Self {
        Self {
            motion,
            tone,
            cells: lay(cells, &motion, tone),
        }
    }
}

/// Two prints laid on each other, and the displacement that brings them into step.
pub struct Fit<'a> {
    probe: &'a Waves,
    reference: &'a Waves,
    turned: &'a Turned,
    motion: Motion,
    affine: Affine,
    stretch: Option<Stretch>,
}

impl<'a> Fit<'a> {
    /// Brings the surroundings of one pair of minutiae into step: `from` on the probe, `to` on the
    /// reference, under the turn of `turned`. Gives how well they came into step, -1..=1. `near` is
    /// room for cells, so that it is wiped once.
    pub fn around(
        (probe, reference): (&'a Waves, &'a Waves),
        turned: &'a Turned,
        (from, to): ((f32, f32), (f32, f32)),
        near: &mut Cells,
    ) -> (Self, f32) {
        let (x, y) = to;
        let mut fit = Self {
            probe,
            reference,
            turned,
            motion: turned.motion.through(from, to),
            affine: Affine { x, y, p: [0.0; 6] },
            stretch: None,
        };
        fit.take_near(near);
        // The second step is for the few that go on; all are told apart by how it would begin.
        step(near, reference, &mut fit.affine, NEAR_PX[0]);
        let together = in_step(near, reference, &fit.affine, NEAR_PX[1]);
        (fit, together)
    }

    fn take_near(&self, near: &mut Cells) {
        let shift = self.motion.beyond(&self.turned.motion);
        let to = (self.affine.x, self.affine.y);
        near.take_near(&self.turned.cells, shift, to, NEAR_END_PX);
    }

    /// Goes on farther out; `cells` are those of the probe, `near` as for [`Self::around`].
    pub fn widen(&mut self, cells: &Cells, near: &mut Cells) -> Agreement {
        self.take_near(near);
        step(near, self.reference, &mut self.affine, NEAR_PX[1]);
        let cells = lay(cells, &self.motion, self.turned.tone);
        for reach in FAR_PX {
            step(&cells, self.reference, &mut self.affine, reach);
        }
        let affine = |cells: &Laid| self.affine.all(&cells.x, &cells.y);
        let displaced = cells.blocks().iter().map(affine);
        judge(&cells, self.reference, displaced)
    }

    /// Follows the stretch of the skin, every cell.
    pub fn follow(&mut self) -> Agreement {
        let mut cells = gather(self.probe, 1);
        cells.lay(&self.motion, self.turned.tone);
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
        let spots = |cells: &Laid| Spots::new(size, &cells.x, &cells.y);
        let spots: Vec<Spots> = cells.blocks().iter().map(spots).collect();
        for stiff in STIFF {
            bend(&cells, self.reference, (&mut stretch, &spots), stiff);
        }
        let displaced = spots.iter().map(|spots| stretch.all(spots));
        let agreement = judge(&cells, self.reference, displaced);
        self.stretch = Some(stretch);
        agreement
    }

    /// The turn of the probe, radians.
    pub const fn angle(&self) -> f32 {
        self.motion.angle
    }

    /// Where places of the probe lie on the reference.
    pub fn places(&self, (x, y): &(Lanes, Lanes)) -> (Lanes, Lanes) {
        let mut laid = (*x, *y);
        for i in 0..LANES {
            (laid.0[i], laid.1[i]) = self.motion.place(x[i], y[i]);
        }
        let (dx, dy) = match &self.stretch {
            Some(stretch) => stretch.all(&Spots::new(stretch.step, &laid.0, &laid.1)),
            None => self.affine.all(&laid.0, &laid.1),
        };
        for i in 0..LANES {
            laid.0[i] += dx[i];
            laid.1[i] += dy[i];
        }
        laid
    }
}

/// How much less cells count that lie farther from a place, by the reach: `weight` becomes that.
#[inline(always)]
fn fade(mut weight: Lanes, cells: &Laid, affine: &Affine, reach: f32) -> Lanes {
    let per = 1.0 / (reach * reach);
    for i in 0..LANES {
        let (dx, dy) = (cells.x[i] - affine.x, cells.y[i] - affine.y);
        let far = (dx * dx + dy * dy) * per;
        weight[i] /= 1.0 + far + far * far;
    }
    weight
}

/// How well the cells within reach are in step, -1..=1.
fn in_step(cells: &Cells, reference: &Waves, affine: &Affine, reach: f32) -> f32 {
    let (mut shared, mut together) = (0.0, 0.0);
    for cells in cells.blocks() {
        let seen = look(reference, cells, &affine.all(&cells.x, &cells.y));
        let weight = fade(seen.weight, cells, affine, reach);
        let in_step = seen.in_step();
        for i in 0..LANES {
            shared += weight[i];
            let counts = seen.gap[i].abs() <= TOGETHER;
            together += if counts { weight[i] * in_step[i] } else { 0.0 };
        }
    }
    together / shared.max(1.0)
}

/// One step of least squares over the cells within reach: every phase difference is a shift across
/// its ridge.
fn step(cells: &Cells, reference: &Waves, affine: &mut Affine, reach: f32) {
    let mut m = Equations::default();
    for cells in cells.blocks() {
        let seen = look(reference, cells, &affine.all(&cells.x, &cells.y));
        let mut weight = fade(seen.together(TOGETHER), cells, affine, reach);
        let (mut shift, in_step) = ([0.0; LANES], seen.in_step());
        for i in 0..LANES {
            // The farther out of step, the less is known about which way.
            weight[i] *= 0.5 + 0.5 * in_step[i];
            shift[i] = -seen.phase[i] / seen.step[i];
        }
        for i in 0..LANES {
            if weight[i] == 0.0 {
                continue;
            }
            let (dx, dy) = (cells.x[i] - affine.x, cells.y[i] - affine.y);
            let (u, v) = (dx * Affine::SCALE, dy * Affine::SCALE);
            let (nx, ny) = (seen.across.0[i], seen.across.1[i]);
            // Four numbers at a time, and of the lower triangle only what comes along.
            let (left, right) = ([nx, ny, nx * u, nx * v], [ny * u, ny * v, shift[i], 0.0]);
            for (sums, one) in m.left.iter_mut().zip(left) {
                add(sums, weight[i] * one, left);
            }
            for (sums, one) in m.right.iter_mut().zip(left.into_iter().chain(right)) {
                add(sums, weight[i] * one, right);
            }
        }
    }
    for (p, more) in affine.p.iter_mut().zip(solve(m.rows(CALM))) {
        *p += more;
    }
}

/// One step of every block's own shift, as far as its neighbours agree.
fn bend(cells: &Cells, reference: &Waves, (stretch, spots): (&mut Stretch, &[Spots]), stiff: f32) {
    // Normal equations of each block: xx, xy, yy, and the right side.
    let mut blocks = [[0.0_f32; 5]; BLOCKS * BLOCKS];
    for (cells, spots) in cells.blocks().iter().zip(spots) {
        let seen = look(reference, cells, &stretch.all(spots));
        let (together, in_step) = (seen.together(TOGETHER), seen.in_step());
        for i in 0..LANES {
            let weight = together[i] * (0.5 + 0.5 * in_step[i]);
            let shift = -seen.phase[i] / seen.step[i];
            let (nx, ny) = (seen.across.0[i], seen.across.1[i]);
            let b = &mut blocks[usize::from(spots.inside[i])];
            b[0] += weight * nx * nx;
            b[1] += weight * nx * ny;
            b[2] += weight * ny * ny;
            b[3] += weight * nx * shift;
            b[4] += weight * ny * shift;
        }
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
    cells: &Cells,
    reference: &Waves,
    displaced: impl Iterator<Item = (Lanes, Lanes)>,
) -> Agreement {
    let (mut shared, mut directions, mut phases, mut phased) = (0.0, 0.0, 0.0, 0.0);
    for (cells, displaced) in cells.blocks().iter().zip(displaced) {
        let seen = look(reference, cells, &displaced);
        let (together, in_step) = (seen.together(TOGETHER), seen.in_step());
        for i in 0..LANES {
            shared += seen.weight[i];
            directions += seen.weight[i] * cosine(2.0 * seen.gap[i]);
            phased += together[i];
            phases += together[i] * in_step[i];
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
        let cells = gather(&probe, 2);
        let turned = Turned::new(&cells, Motion::new(0.0, (0.0, 0.0), (0.0, 0.0)), Tone::Same);
        let place = (160.0, 160.0);
        let mut room = Cells::with_room_for(0);
        let prints = (&probe, &reference);
        let (mut fit, near) = Fit::around(prints, &turned, (place, place), &mut room);
        let wide = fit.widen(&cells, &mut room);
        let fine = fit.follow();
        assert!(near > 0.5, "near {near}");
        assert!(wide.phases > 0.9, "wide {}", wide.phases);
        assert!(fine.phases > 0.95, "fine {}", fine.phases);
        assert!(fine.directions > 0.99);
        // Along the ridges nothing can be seen; across them the shift is known.
        let (x, y) = fit.places(&([160.0; LANES], [160.0; LANES]));
        let (x, y) = (x[3], y[3]);
        let across = ((x - 160.0) * 220.0 + (y - 160.0) * 250.0) / 220.0_f32.hypot(250.0);
        let wanted = (2.0 * 220.0 - 1.0 * 250.0) / 220.0_f32.hypot(250.0);
        assert!((across - wanted).abs() < 0.3, "{across} {wanted}");
    }
}
