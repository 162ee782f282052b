//! The cells of a probe laid on a reference, and how each compares with what lies there.
//!
//! Owns the reading of phase differences. Called by [`super`].

#![expect(
    clippy::arithmetic_side_effects,
    reason = "cell counts are at most SIDE_CELLS_MAX a side"
)]

use crate::matching::Motion;
use crate::waves::{Waves, middle};
use std::f32::consts::{PI, TAU};
use zeroize::{Zeroize, Zeroizing};

/// Whether ridges are dark in both prints or in one of them only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Same,
    Opposite,
}

impl Tone {
    /// A ridge is half a period from a valley.
    const fn phase(self) -> f32 {
        match self {
            Self::Same => 0.0,
            Self::Opposite => PI,
        }
    }
}

/// A cell of the probe, turned and shifted onto the reference.
#[derive(Clone, Copy, Zeroize)]
pub struct Laid {
    pub x: f32,
    pub y: f32,
    pub angle: f32,
    pub phase: f32,
    pub step: f32,
    pub clear: f32,
}

/// The cells of a probe under a motion, every `stride`-th row and column.
pub fn lay(probe: &Waves, motion: &Motion, tone: Tone, stride: usize) -> Zeroizing<Vec<Laid>> {
    let cells = probe.cols().div_ceil(stride) * probe.rows().div_ceil(stride);
    let mut laid = Zeroizing::new(Vec::with_capacity(cells));
    for row in (0..probe.rows()).step_by(stride) {
        for col in (0..probe.cols()).step_by(stride) {
            let ridge = probe.ridge(col, row);
            if ridge.clear > 0.0 {
                let (x, y) = motion.place(middle(col) as f32, middle(row) as f32);
                laid.push(Laid {
                    x,
                    y,
                    angle: ridge.angle + motion.angle,
                    phase: ridge.phase + tone.phase(),
                    step: ridge.step,
                    clear: ridge.clear,
                });
            }
        }
    }
    laid
}

/// How one laid cell compares with the reference.
pub struct Look {
    pub weight: f32,
    /// Angle between the two lines, -pi/2..=pi/2.
    pub gap: f32,
    /// Phase of the reference less phase of the probe, -pi..=pi.
    pub phase: f32,
    /// Across the reference's ridges, and radians per pixel.
    pub across: (f32, f32),
    pub step: f32,
}

/// The nearest whole number of a small one; quicker than the library's where the processor has no
/// instruction for it.
fn nearest(a: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    (a + SHIFT) - SHIFT
}

/// Cosine of an angle within -pi..=pi, right to 0.001.
pub fn cosine(a: f32) -> f32 {
    let y = 1.0 - 2.0 * a.abs() * (1.0 / PI);
    let z = y * (2.0 - y.abs());
    z * (0.775 + 0.225 * z.abs())
}

#[inline]
pub fn look(reference: &Waves, laid: &Laid, (dx, dy): (f32, f32)) -> Option<Look> {
    let (x, y) = (laid.x + dx, laid.y + dy);
    let (ridge, col, row) = reference.at(x, y)?;
    // Two lines are at most a quarter turn apart; a line seen from its other side runs its phase
    // backwards.
    let gap = laid.angle - ridge.angle;
    let turns = nearest(gap * (1.0 / PI));
    let (u, v) = ((x - middle(col) as f32), (y - middle(row) as f32));
    let there = ridge.phase + (ridge.across.0 * u + ridge.across.1 * v) * ridge.step;
    let here = if turns as i32 & 1 == 0 {
        laid.phase
    } else {
        -laid.phase
    };
    let phase = there - here;
    Some(Look {
        weight: laid.clear * ridge.clear,
        gap: gap - PI * turns,
        phase: phase - TAU * nearest(phase * (1.0 / TAU)),
        across: ridge.across,
        step: ridge.step,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_cosine_and_rounding_are_right_to_a_thousandth() {
        for i in -1000..=1000 {
            let a = i as f32 * PI / 1000.0;
            assert!((cosine(a) - a.cos()).abs() < 0.001_2, "{a}");
            assert_eq!(nearest(a), a.round_ties_even());
        }
    }
}
