//! How much the picture repeats in every direction and at every period, per cell, and the ridge
//! flow that explains it best.
//!
//! Owns the wave analysis and the agreement between neighbouring cells. A single cell of a dry or
//! dirty print says little about its direction; ridges run on, so a cell believes what its own
//! waves and its neighbours' say together. Called by [`super::extract`] and [`crate::quality`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "cell indices are below cols * rows, taps stay inside the padded picture"
)]

mod window;

use crate::gabor::TILE_PX;
use crate::plane::Plane;
use std::f32::consts::TAU;
use window::{HALF, RADIUS, Wave, dot, power, wave, window};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Side of a cell, pixels at 500 dpi.
const CELL_PX: usize = 16;
/// Directions of the half circle.
const DIRECTIONS: usize = 16;
/// Ridge periods looked for, pixels at 500 dpi.
const PERIODS: [f32; 6] = [5.6, 6.8, 8.2, 9.8, 11.6, 14.0];
/// Rounds of agreement between neighbours.
const ROUNDS: usize = 8;
/// Energy that a cell without any is taken to have, so that its shares stay even.
const ENERGY_FLOOR: f32 = 1e-3;
/// Least share of a direction.
const SHARE_FLOOR: f32 = 0.01;
/// Beliefs that add up to less say nothing.
const BELIEF_MIN: f32 = 1e-20;

/// Power below which a cell holds nothing to look at; the picture is evened to a power of 1.
const POWER_MIN: f32 = 0.03;

/// Share of the power that one wave explains where there are ridges; noise reaches half of it.
const RIDGES_MIN: f32 = 0.04;

/// Energy by direction and period.
type Energies = [[f32; PERIODS.len()]; DIRECTIONS];

/// One cell's waves.
#[derive(Clone, Copy, Zeroize)]
struct Cell {
    /// Belief in each direction; they add up to 1.
    belief: [f32; DIRECTIONS],
    energies: Energies,
    /// Power of everything in the window.
    power: f32,
}

/// The waves of a picture.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Spectrum {
    cols: usize,
    rows: usize,
    cells: Vec<Cell>,
}

fn halved(even: &Plane) -> Plane {
    let (w, h) = (even.w.div_ceil(2), even.h.div_ceil(2));
    let mut out = Plane::filled(w, h, 0.0);
    for y in 0..h {
        for x in 0..w {
            let (x1, y1) = ((2 * x + 1).min(even.w - 1), (2 * y + 1).min(even.h - 1));
            let sum =
                even.at(2 * x, 2 * y) + even.at(x1, 2 * y) + even.at(2 * x, y1) + even.at(x1, y1);
            out.data[y * w + x] = 0.25 * sum;
        }
    }
    out
}

/// Measures the waves of `even` (local mean 0) and lets the cells agree.
pub fn spectrum(even: &Plane) -> Spectrum {
    let half = halved(even);
    let (cols, rows) = (even.w.div_ceil(CELL_PX), even.h.div_ceil(CELL_PX));
    let window = window();
    let waves: Vec<Wave> = (0..DIRECTIONS)
        .flat_map(|d| PERIODS.iter().map(move |&p| (d, p)))
        .map(|(d, p)| wave(d, p, &window))
        .collect();
    let side = 2 * RADIUS + 1;
    let mut patch = Zeroizing::new(vec![0.0_f32; side * side]);
    let mut sums = Zeroizing::new(vec![0.0_f32; HALF]);
    let mut differences = Zeroizing::new(vec![0.0_f32; HALF]);
    let mut cells = Vec::with_capacity(cols * rows);
    for at in 0..cols * rows {
        cut(&half, at % cols, at / cols, &mut patch);
        let power = power(&patch, &window);
        let mut energies: Energies = Default::default();
        if power >= POWER_MIN {
            for i in 0..HALF {
                let (after, before) = (patch[HALF + 1 + i], patch[HALF - 1 - i]);
                sums[i] = after + before - 2.0 * patch[HALF];
                differences[i] = after - before;
            }
            for (i, wave) in waves.iter().enumerate() {
                let (re, im) = (dot(&wave.even, &sums), dot(&wave.odd, &differences));
                energies[i / PERIODS.len()][i % PERIODS.len()] = re * re + im * im;
            }
        }
        cells.push(Cell {
            belief: shares(&energies),
            energies,
            power,
        });
    }
    let mut found = Spectrum { cols, rows, cells };
    agree(&mut found);
    found
}

/// The directions' shares of the energy; a floor keeps cells open that have little.
fn shares(energies: &Energies) -> [f32; DIRECTIONS] {
    let by_direction = energies.map(|e| e.iter().sum::<f32>());
    let total: f32 = by_direction.iter().sum::<f32>() + ENERGY_FLOOR;
    by_direction.map(|e| e / total + SHARE_FLOOR)
}

/// The window around a cell's middle; outside the picture is 0.
fn cut(half: &Plane, col: usize, row: usize, patch: &mut [f32]) {
    let side = 2 * RADIUS + 1;
    let x0 = (col * CELL_PX / 2 + CELL_PX / 4) as isize - RADIUS as isize;
    let y0 = (row * CELL_PX / 2 + CELL_PX / 4) as isize - RADIUS as isize;
    for (i, value) in patch.iter_mut().enumerate() {
        let (x, y) = (x0 + (i % side) as isize, y0 + (i / side) as isize);
        let inside = x >= 0 && y >= 0 && (x as usize) < half.w && (y as usize) < half.h;
        *value = if inside {
            half.at(x as usize, y as usize)
        } else {
            0.0
        };
    }
}

/// Each cell's belief becomes what its own waves and its neighbours' beliefs say together.
fn agree(found: &mut Spectrum) {
    let own: Vec<[f32; DIRECTIONS]> = found.cells.iter().map(|c| c.belief).collect();
    let (cols, rows) = (found.cols, found.rows);
    for _ in 0..ROUNDS {
        let before: Vec<[f32; DIRECTIONS]> =
            found.cells.iter().map(|c| blurred(&c.belief)).collect();
        for (at, &own) in own.iter().enumerate() {
            let mut prior = [0.0_f32; DIRECTIONS];
            for (dx, dy, near) in NEIGHBOURS {
                let col = (at % cols).checked_add_signed(dx).filter(|&c| c < cols);
                let row = (at / cols).checked_add_signed(dy).filter(|&r| r < rows);
                let (Some(col), Some(row)) = (col, row) else {
                    continue;
                };
                let other = row * cols + col;
                let weight = near * found.cells[other].power.max(0.0).sqrt().min(1.0);
                for (p, b) in prior.iter_mut().zip(&before[other]) {
                    *p += weight * b;
                }
            }
            let mut belief = own;
            for (b, p) in belief.iter_mut().zip(prior) {
                *b *= p * p;
            }
            let sum: f32 = belief.iter().sum();
            if sum > BELIEF_MIN {
                found.cells[at].belief = belief.map(|b| b / sum);
            }
        }
    }
}

/// A cell and its neighbours: columns and rows away, and weight.
const NEIGHBOURS: [(isize, isize, f32); 9] = [
    (0, 0, 1.0),
    (-1, 0, 1.0),
    (1, 0, 1.0),
    (0, -1, 1.0),
    (0, 1, 1.0),
    (-1, -1, 0.6),
    (1, -1, 0.6),
    (-1, 1, 0.6),
    (1, 1, 0.6),
];

/// The direction of the next cell differs a little.
fn blurred(belief: &[f32; DIRECTIONS]) -> [f32; DIRECTIONS] {
    let mut out = [0.0; DIRECTIONS];
    for (d, o) in out.iter_mut().enumerate() {
        let next = belief[(d + 1) % DIRECTIONS] + belief[(d + DIRECTIONS - 1) % DIRECTIONS];
        let far = belief[(d + 2) % DIRECTIONS] + belief[(d + DIRECTIONS - 2) % DIRECTIONS];
        *o = 0.40 * belief[d] + 0.24 * next + 0.06 * far;
    }
    out
}

impl Cell {
    /// The direction as a doubled-angle vector; its length is how sure it is, 0..=1.
    fn direction(&self) -> (f32, f32) {
        let (mut c, mut s) = (0.0, 0.0);
        for (d, b) in self.belief.iter().enumerate() {
            let (sin, cos) = (d as f32 * TAU / DIRECTIONS as f32).sin_cos();
            c += b * cos;
            s += b * sin;
        }
        (c, s)
    }

    /// Energy of each period in the direction believed in.
    fn periods(&self) -> [f32; PERIODS.len()] {
        let mut sums = [0.0; PERIODS.len()];
        for (belief, by_period) in self.belief.iter().zip(&self.energies) {
            for (sum, e) in sums.iter_mut().zip(by_period) {
                *sum += belief * e;
            }
        }
        sums
    }

    /// The share of the picture's power that one wave explains: 1 for a pure wave, 0.03 to 0.2 for
    /// a dry print, 0.2 to 0.7 for a clear one.
    fn ridges(&self) -> f32 {
        let best: f32 = self.periods().into_iter().fold(0.0, f32::max);
        // A wave of amplitude a has power a^2 / 2 and answers (a / 2)^2.
        2.0 * best / self.power.max(POWER_MIN)
    }

    /// The period that repeats most, pixels, and how strongly.
    fn period(&self) -> (f32, f32) {
        let e = self.periods();
        let mut top = 0;
        for k in 1..e.len() {
            if e[k] > e[top] {
                top = k;
            }
        }
        let best = e[top];
        if top == 0 || top + 1 == e.len() {
            return (PERIODS[top], best);
        }
        let bend = e[top - 1] - 2.0 * best + e[top + 1];
        let shift = if bend < 0.0 {
            (0.5 * (e[top - 1] - e[top + 1]) / bend).clamp(-0.5, 0.5)
        } else {
            0.0
        };
        let next = if shift > 0.0 {
            PERIODS[top + 1]
        } else {
            PERIODS[top - 1]
        };
        (PERIODS[top] + shift.abs() * (next - PERIODS[top]), best)
    }
}

impl Spectrum {
    /// The direction of every tile, from the cells around it.
    pub fn directions(&self, plane: &Plane) -> super::field::Directions {
        let (cols, rows) = (plane.w.div_ceil(TILE_PX), plane.h.div_ceil(TILE_PX));
        let mut cos = Plane::filled(self.cols, self.rows, 0.0);
        let mut sin = Plane::filled(self.cols, self.rows, 0.0);
        let mut ridges = Plane::filled(self.cols, self.rows, 0.0);
        for (i, cell) in self.cells.iter().enumerate() {
            (cos.data[i], sin.data[i]) = cell.direction();
            ridges.data[i] = (10.0 * cell.ridges()).min(1.0);
        }
        let mut field = super::field::Directions {
            cos: Plane::filled(cols, rows, 0.0),
            sin: Plane::filled(cols, rows, 0.0),
            coherence: Plane::filled(cols, rows, 0.0),
        };
        let scale = TILE_PX as f32 / CELL_PX as f32;
        for row in 0..rows {
            for col in 0..cols {
                let (x, y) = (
                    (col as f32 + 0.5) * scale - 0.5,
                    (row as f32 + 0.5) * scale - 0.5,
                );
                let (c, s) = (cos.bilinear(x, y), sin.bilinear(x, y));
                let at = row * cols + col;
                field.cos.data[at] = c;
                field.sin.data[at] = s;
                field.coherence.data[at] = c.hypot(s) * ridges.bilinear(x, y);
            }
        }
        field
    }

    /// The period of every tile of `mask`, from the cells around it.
    pub fn periods(&self, mask: &super::ground::Mask) -> super::field::Periods {
        let mut sum = Plane::filled(self.cols, self.rows, 0.0);
        let mut weight = Plane::filled(self.cols, self.rows, 0.0);
        let (mut asked, mut answered) = (0_u32, 0_u32);
        let mut all = Vec::new();
        for (i, cell) in self.cells.iter().enumerate() {
            let (col, row) = (i % self.cols, i / self.cols);
            if !mask.at(2 * col, 2 * row) && !mask.at(2 * col + 1, 2 * row + 1) {
                continue;
            }
            asked += 1;
            let (period, energy) = cell.period();
            answered += u32::from(cell.ridges() > RIDGES_MIN);
            all.push(period);
            sum.data[i] = energy * period;
            weight.data[i] = energy;
        }
        all.sort_by(f32::total_cmp);
        let median = all.get(all.len() / 2).copied().unwrap_or(9.0);
        let (sum, weight) = (sum.gaussian(1.2), weight.gaussian(1.2));
        let mut period = Plane::filled(mask.cols, mask.rows, median);
        let scale = TILE_PX as f32 / CELL_PX as f32;
        for row in 0..mask.rows {
            for col in 0..mask.cols {
                let (x, y) = (
                    (col as f32 + 0.5) * scale - 0.5,
                    (row as f32 + 0.5) * scale - 0.5,
                );
                let (s, w) = (sum.bilinear(x, y), weight.bilinear(x, y));
                period.data[row * mask.cols + col] = (s + 1e-3 * median) / (w + 1e-3);
            }
        }
        let measured = if asked == 0 {
            0.0
        } else {
            answered as f32 / asked as f32
        };
        super::field::Periods { period, measured }
    }
}
