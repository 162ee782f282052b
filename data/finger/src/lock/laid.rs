//! The cells of a probe laid on a reference, and how each compares with what lies there.
//!
//! Owns the reading of phase differences. Called by [`super`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "cell counts are at most SIDE_CELLS_MAX a side, lanes below LANES"
)]

use crate::matching::Motion;
use crate::waves::{LANES, Lanes, Waves, middle};
use std::f32::consts::{FRAC_PI_2, PI, TAU};
use zeroize::Zeroize;

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

/// Cells of the probe, turned and shifted onto the reference. Lanes without one are of weight 0.
#[derive(Clone, Copy, Zeroize)]
pub struct Laid {
    pub x: Lanes,
    pub y: Lanes,
    pub angle: Lanes,
    pub phase: Lanes,
    pub clear: Lanes,
}

/// Laid cells, filled one by one and wiped on drop. Blocks once filled stay in the list, so that
/// wiping what is in it is enough; a list that is emptied is wiped byte by byte, which costs more
/// than the comparison of its cells.
pub struct Cells {
    blocks: Vec<Laid>,
    used: usize,
}

impl Drop for Cells {
    fn drop(&mut self) {
        self.blocks.iter_mut().zeroize();
    }
}

impl Cells {
    /// A list that grows beyond `cells` leaves copies behind.
    pub fn with_room_for(cells: usize) -> Self {
        Self {
            blocks: Vec::with_capacity(cells.div_ceil(LANES)),
            used: 0,
        }
    }

    pub fn blocks(&self) -> &[Laid] {
        self.blocks
            .get(..self.used.div_ceil(LANES))
            .unwrap_or_default()
    }

    fn push(&mut self, [x, y, angle, phase, clear]: [f32; 5]) {
        let (at, lane) = (self.used / LANES, self.used % LANES);
        if lane == 0 {
            let none = [0.0; LANES];
            let empty = Laid {
                x: none,
                y: none,
                angle: none,
                phase: none,
                clear: none,
            };
            match self.blocks.get_mut(at) {
                Some(block) => *block = empty,
                None => self.blocks.push(empty),
            }
        }
        let block = &mut self.blocks[at];
        block.x[lane] = x;
        block.y[lane] = y;
        block.angle[lane] = angle;
        block.phase[lane] = phase;
        block.clear[lane] = clear;
        self.used += 1;
    }

    /// Puts the cells under a motion.
    pub fn lay(&mut self, motion: &Motion, tone: Tone) {
        for block in &mut self.blocks {
            for i in 0..LANES {
                (block.x[i], block.y[i]) = motion.place(block.x[i], block.y[i]);
                block.angle[i] += motion.angle;
                block.phase[i] += tone.phase();
            }
        }
    }

    /// Takes the cells of `all`, shifted, that come to lie within `reach` of a place.
    pub fn take_near(&mut self, all: &Self, (dx, dy): (f32, f32), to: (f32, f32), reach: f32) {
        self.used = 0;
        for block in all.blocks() {
            let (mut x, mut y, mut square) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
            for i in 0..LANES {
                x[i] = block.x[i] + dx;
                y[i] = block.y[i] + dy;
                let (u, v) = (x[i] - to.0, y[i] - to.1);
                square[i] = u * u + v * v;
            }
            for i in 0..LANES {
                if square[i] <= reach * reach && block.clear[i] > 0.0 {
                    self.push([x[i], y[i], block.angle[i], block.phase[i], block.clear[i]]);
                }
            }
        }
    }
}

/// The cells of a probe as they are, every `stride`-th row and column.
pub fn gather(probe: &Waves, stride: usize) -> Cells {
    let cells = probe.cols().div_ceil(stride) * probe.rows().div_ceil(stride);
    let mut all = Cells::with_room_for(cells);
    for row in (0..probe.rows()).step_by(stride) {
        for col in (0..probe.cols()).step_by(stride) {
            let wave = probe.at(col, row);
            if wave.clear > 0 {
                let (x, y) = (middle(col) as f32, middle(row) as f32);
                all.push([x, y, wave.angle(), wave.phase(), wave.clear()]);
            }
        }
    }
    all
}

/// Cells under a motion.
pub fn lay(cells: &Cells, motion: &Motion, tone: Tone) -> Cells {
    let mut laid = Cells {
        blocks: cells.blocks().to_vec(),
        used: cells.used,
    };
    laid.lay(motion, tone);
    laid
}

/// Mean agreement of the directions of a probe's cells with those of the reference under a motion
/// (0..=1), and how many cells both have.
pub fn run_together(cells: &Cells, motion: &Motion, reference: &Waves) -> (f32, f32) {
    let (mut agree, mut shared) = (0.0_f32, 0.0_f32);
    for block in cells.blocks() {
        let (mut x, mut y, mut angle) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for i in 0..LANES {
            (x[i], y[i]) = motion.place(block.x[i], block.y[i]);
        }
        let (there, ..) = reference.nearest(&x, &y);
        for i in 0..LANES {
            let gap = block.angle[i] + motion.angle - there[i].angle();
            let gap = half_turn(gap + FRAC_PI_2) - FRAC_PI_2;
            angle[i] = 1.0 - (gap.abs() / FRAC_PI_2).min(1.0);
        }
        for i in 0..LANES {
            let both = (block.clear[i] > 0.0) & (there[i].clear > 0);
            agree += if both { angle[i] } else { 0.0 };
            shared += if both { 1.0 } else { 0.0 };
        }
    }
    (agree / shared.max(1.0), shared)
}

/// What is left of an angle within -2 pi..3 pi after whole half turns, 0..=pi. The same number as
/// `rem_euclid` gives, which calls the library.
#[inline(always)]
fn half_turn(angle: f32) -> f32 {
    let beyond = if angle >= TAU {
        TAU
    } else if angle >= PI {
        PI
    } else if angle <= -PI {
        -PI
    } else {
        0.0
    };
    let rest = angle - beyond;
    if rest < 0.0 { rest + PI } else { rest }
}

/// How laid cells compare with the reference.
pub struct Look {
    /// 0 where either print has no finger.
    pub weight: Lanes,
    /// Angle between the two lines, -pi/2..=pi/2.
    pub gap: Lanes,
    /// Phase of the reference less phase of the probe, -pi..=pi.
    pub phase: Lanes,
    /// Across the reference's ridges.
    pub across: (Lanes, Lanes),
    /// Radians per pixel.
    pub step: Lanes,
}

impl Look {
    /// The weights of the cells whose lines run together within `most` radians.
    #[inline(always)]
    pub fn together(&self, most: f32) -> Lanes {
        let mut weight = self.weight;
        for (w, gap) in weight.iter_mut().zip(self.gap) {
            *w = if gap.abs() <= most { *w } else { 0.0 };
        }
        weight
    }

    /// Cosines of the phase differences.
    #[inline(always)]
    pub fn in_step(&self) -> Lanes {
        let mut cosines = self.phase;
        for cosine_of in &mut cosines {
            *cosine_of = cosine(*cosine_of);
        }
        cosines
    }
}

/// The nearest whole number of a small one, and the sign bit if it is odd; quicker than the library's
/// where the processor has no instruction for it.
#[inline(always)]
fn nearest(a: f32) -> (f32, u32) {
    // So large that the last bit of the sum counts ones.
    const SHIFT: f32 = 12_582_912.0;
    let shifted = a + SHIFT;
    (shifted - SHIFT, shifted.to_bits() << 31)
}

/// Cosine of an angle within -pi..=pi, right to 0.001.
#[inline(always)]
pub fn cosine(a: f32) -> f32 {
    let y = 1.0 - 2.0 * a.abs() * (1.0 / PI);
    let z = y * (2.0 - y.abs());
    z * (0.775 + 0.225 * z.abs())
}

/// Compares cells that are displaced further.
#[expect(clippy::manual_clamp, reason = "what is no number becomes one")]
#[inline(always)]
pub fn look(reference: &Waves, laid: &Laid, (dx, dy): &(Lanes, Lanes)) -> Look {
    let zero = [0.0; LANES];
    let (mut x, mut y) = (zero, zero);
    for i in 0..LANES {
        x[i] = laid.x[i] + dx[i];
        y[i] = laid.y[i] + dy[i];
    }
    let (there, u, v) = reference.nearest(&x, &y);
    let mut seen = Look {
        weight: zero,
        gap: zero,
        phase: zero,
        across: (zero, zero),
        step: zero,
    };
    for i in 0..LANES {
        (seen.across.0[i], seen.across.1[i]) = reference.across(there[i].direction);
    }
    for i in 0..LANES {
        // Two lines are at most a quarter turn apart; a line seen from its other side runs its
        // phase backwards.
        let gap = laid.angle[i] - there[i].angle();
        let (turns, odd) = nearest(gap * (1.0 / PI));
        let step = there[i].step();
        let across = seen.across.0[i] * u[i] + seen.across.1[i] * v[i];
        let phase = there[i].phase() + across * step;
        let here = f32::from_bits(laid.phase[i].to_bits() ^ odd);
        let difference = phase - here;
        seen.step[i] = step;
        seen.weight[i] = laid.clear[i] * there[i].clear();
        seen.gap[i] = gap - PI * turns;
        let difference = difference - TAU * nearest(difference * (1.0 / TAU)).0;
        // Far outside it may be any number; times no weight it must be nothing.
        seen.phase[i] = difference.max(-TAU).min(TAU);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_turn_is_what_rem_euclid_gives() {
        for i in -6_000..9_000_i16 {
            let angle = f32::from(i) * PI / 3000.0;
            assert_eq!(half_turn(angle), angle.rem_euclid(PI), "{angle}");
        }
    }

    #[test]
    fn the_quick_cosine_and_rounding_are_right_to_a_thousandth() {
        for i in -1000..=1000 {
            let a = i as f32 * PI / 1000.0;
            assert!((cosine(a) - a.cos()).abs() < 0.001_2, "{a}");
            let whole = a.round_ties_even();
            assert_eq!(nearest(a), (whole, (whole as i32 as u32) << 31));
        }
    }
}
