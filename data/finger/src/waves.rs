//! The ridges as waves: per tile of a finger a direction, a period, a phase and how clear it is.
//!
//! Owns the grid that is kept in a template and its encoded form. Minutiae say where ridges end;
//! phases say where every ridge runs. Made by [`crate::extract`] (or, without phases, from a
//! foreign minutiae record), read by [`crate::cylinder`] and [`crate::matching`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "cell indices are below cols * rows, both at most SIDE_CELLS_MAX"
)]

use crate::gabor::TILE_PX;
use std::f32::consts::{PI, TAU};
use zeroize::Zeroize;

/// Most cells along a side: 1024 pixels.
pub const SIDE_CELLS_MAX: usize = 128;
/// Bytes of an encoded cell.
const CELL_BYTES: usize = 4;
/// Bytes before the cells: columns, rows, and the rectangle that holds the finger.
const HEAD_BYTES: usize = 6;
/// Most bytes of an encoded grid.
pub const WAVES_BYTES_MAX: usize = HEAD_BYTES + SIDE_CELLS_MAX * SIDE_CELLS_MAX * CELL_BYTES;
/// Shortest period that is believed, 1/16 pixel.
const PERIOD_MIN: u8 = 48;

/// One cell as it is encoded.
#[derive(Clone, Copy, Zeroize, Default, PartialEq, Eq, Debug)]
pub struct Wave {
    /// Ridge direction, 1/256 of the half circle; x right, y down.
    pub direction: u8,
    /// Ridge period, 1/16 pixel.
    pub period: u8,
    /// Phase at the middle of the cell, 1/256 turns, read along the normal that is a quarter turn
    /// on from the direction.
    pub phase: u8,
    /// How clear the wave is: 0 no finger here, 1 a finger of which nothing is known, to 255.
    pub clear: u8,
}

impl Wave {
    /// Direction, radians, 0..pi.
    #[inline(always)]
    pub fn angle(self) -> f32 {
        f32::from(self.direction) * PI / 256.0
    }

    /// Radians per pixel across the ridges.
    #[inline(always)]
    pub fn step(self) -> f32 {
        TAU * 16.0 / f32::from(self.period.max(PERIOD_MIN))
    }

    /// Phase at the middle of the cell, radians.
    #[inline(always)]
    pub fn phase(self) -> f32 {
        f32::from(self.phase) * TAU / 256.0
    }

    /// 0 no finger, to 1.
    #[inline(always)]
    pub fn clear(self) -> f32 {
        f32::from(self.clear) / 255.0
    }
}

/// Places looked at together. The processor works on four numbers at a time; eight hide its delays.
pub const LANES: usize = 8;
/// One number of each of them.
pub type Lanes = [f32; LANES];

/// Added to a number below 2^22 it leaves whole ones, in the last bits.
const WHOLE: f32 = 8_388_608.0 + 4_194_304.0;
/// Those bits.
const WHOLE_BITS: u32 = 0x003F_FFFF;

/// The largest whole number not above a small one; the library's is a call where the processor has
/// no instruction for it.
#[inline(always)]
fn floor(a: f32) -> f32 {
    let near = (a + WHOLE) - WHOLE;
    near - if near > a { 1.0 } else { 0.0 }
}

/// The grid, row by row; a cell is [`TILE_PX`] pixels wide.
#[derive(Clone, Zeroize)]
pub struct Waves {
    cols: usize,
    rows: usize,
    /// Four bytes each, so that all of them stay near the processor; and one more without a finger
    /// for what lies outside.
    cells: Vec<Wave>,
    /// Unit vector across the ridges by direction. The same for every grid, but nothing global.
    across: Vec<(f32, f32)>,
}

/// The middle of a cell, pixels.
pub const fn middle(cell: usize) -> usize {
    cell * TILE_PX + TILE_PX / 2
}

impl Waves {
    /// `cells` holds `cols * rows` of them.
    pub fn new(cols: usize, rows: usize, mut cells: Vec<Wave>) -> Self {
        let across = |direction: u8| {
            let of = Wave {
                direction,
                ..Wave::default()
            };
            let (sin, cos) = of.angle().sin_cos();
            (-sin, cos)
        };
        // Exactly as much room, or growing would leave a copy behind.
        let mut kept = Vec::with_capacity(cells.len() + 1);
        kept.extend_from_slice(&cells);
        kept.push(Wave::default());
        cells.zeroize();
        Self {
            cols,
            rows,
            cells: kept,
            across: (0..=u8::MAX).map(across).collect(),
        }
    }

    pub const fn cols(&self) -> usize {
        self.cols
    }

    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The cell at a column and a row of the grid.
    pub fn at(&self, col: usize, row: usize) -> Wave {
        self.cells[row * self.cols + col]
    }

    /// The cells that places lie in, and how far across and down from their middles; a place outside
    /// gives a cell without a finger. No branches and no conversions, which are one number at a
    /// time: this is where comparisons spend their time.
    #[inline(always)]
    pub fn nearest(&self, x: &Lanes, y: &Lanes) -> ([Wave; LANES], Lanes, Lanes) {
        const TILE: f32 = TILE_PX as f32;
        let (cols, rows) = (self.cols as f32, self.rows as f32);
        let outside = (self.cells.len() - 1) as f32;
        let (mut at, mut u, mut v) = ([0_u32; LANES], [0.0; LANES], [0.0; LANES]);
        for i in 0..LANES {
            let (col, row) = (floor(x[i] / TILE), floor(y[i] / TILE));
            let inside = (x[i] >= 0.0) & (y[i] >= 0.0) & (col < cols) & (row < rows);
            // Whole numbers below 2^15, so exact.
            let place = if inside { row * cols + col } else { outside };
            at[i] = (place + WHOLE).to_bits() & WHOLE_BITS;
            u[i] = x[i] - (col * TILE + TILE / 2.0);
            v[i] = y[i] - (row * TILE + TILE / 2.0);
        }
        let mut there = [Wave::default(); LANES];
        for i in 0..LANES {
            there[i] = self.cells[at[i] as usize];
        }
        (there, u, v)
    }

    /// Unit vector across the ridges of a direction.
    #[inline(always)]
    pub fn across(&self, direction: u8) -> (f32, f32) {
        self.across[usize::from(direction)]
    }

    /// True if a pixel lies on the finger.
    pub fn covers(&self, x: f32, y: f32) -> bool {
        if x < 0.0 || y < 0.0 {
            return false;
        }
        let (col, row) = (x as usize / TILE_PX, y as usize / TILE_PX);
        col < self.cols && row < self.rows && self.at(col, row).clear > 0
    }

    /// Columns, rows, the rectangle of cells that holds the finger (first column, first row,
    /// columns, rows), then its cells row by row: direction, period, phase, clearness.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let [left, top, wide, high] = self.rectangle();
        let head = [self.cols, self.rows, left, top, wide, high];
        bytes.extend(head.map(|n| u8::try_from(n).unwrap_or(u8::MAX)));
        for row in top..top + high {
            for cell in &self.cells[row * self.cols + left..][..wide] {
                bytes.extend_from_slice(&[cell.direction, cell.period, cell.phase, cell.clear]);
            }
        }
    }

    /// First column, first row, columns and rows of the finger; all 0 if there is none.
    fn rectangle(&self) -> [usize; 4] {
        let taken = |i: &usize| self.cells[*i].clear > 0;
        let places = || (0..self.cells.len()).filter(taken);
        let (mut left, mut right, mut top, mut bottom) = (self.cols, 0, self.rows, 0);
        for at in places() {
            let (col, row) = (at % self.cols, at / self.cols);
            (left, right) = (left.min(col), right.max(col + 1));
            (top, bottom) = (top.min(row), bottom.max(row + 1));
        }
        let (left, top) = (left.min(right), top.min(bottom));
        [left, top, right - left, bottom - top]
    }

    /// Reads what [`Self::encode`] wrote; none if the numbers do not add up, or if it is not the one
    /// way to write this grid.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let [cols, rows, left, top, wide, high] = head.map(usize::from);
        let sides = 1..=SIDE_CELLS_MAX;
        if !sides.contains(&cols) || !sides.contains(&rows) {
            return None;
        }
        if left + wide > cols || top + high > rows || rest.len() != wide * high * CELL_BYTES {
            return None;
        }
        let mut cells = vec![Wave::default(); cols * rows];
        for (i, cell) in rest.chunks_exact(CELL_BYTES).enumerate() {
            let (col, row) = (left + i % wide, top + i / wide);
            let &[direction, period, phase, clear] = cell else {
                return None;
            };
            cells[row * cols + col] = Wave {
                direction,
                period,
                phase,
                clear,
            };
        }
        let waves = Self::new(cols, rows, cells);
        (waves.rectangle() == [left, top, wide, high]).then_some(waves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_floor_is_the_librarys() {
        for i in -4_000..=4_000_i16 {
            for near in [-1e-4, -1e-6, 0.0, 1e-6, 1e-4] {
                let a = f32::from(i) / 16.0 + near;
                assert_eq!(floor(a), a.floor(), "{a}");
            }
        }
    }

    #[test]
    fn a_place_outside_gives_a_cell_without_a_finger() {
        let wave = Wave {
            direction: 1,
            period: 144,
            phase: 2,
            clear: 3,
        };
        let waves = Waves::new(2, 3, vec![wave; 6]);
        let x = [0.0, 15.9, 16.0, -0.1, 3.0, 3.0, f32::NAN, 1e30];
        let y = [0.0, 23.9, 3.0, 3.0, 24.0, -1e30, 3.0, 3.0];
        let (there, u, v) = waves.nearest(&x, &y);
        let clear = there.map(|wave| wave.clear);
        assert_eq!(clear, [3, 3, 0, 0, 0, 0, 0, 0]);
        assert_eq!((u[0], v[0]), (-4.0, -4.0));
        let covered: Vec<bool> = x.iter().zip(y).map(|(&x, y)| waves.covers(x, y)).collect();
        assert_eq!(covered[..6], clear.map(|clear| clear > 0)[..6]);
    }

    #[test]
    fn a_grid_survives_its_encoded_form_and_only_the_finger_is_encoded() {
        let mut cells = vec![Wave::default(); 9 * 7];
        for (i, at) in [9 + 2, 9 + 3, 2 * 9 + 3, 4 * 9 + 5].into_iter().enumerate() {
            let n = u8::try_from(i).unwrap();
            cells[at] = Wave {
                direction: 10 * n,
                period: 144,
                phase: 200 + n,
                clear: 1 + n,
            };
        }
        let waves = Waves::new(9, 7, cells.clone());
        let mut bytes = Vec::new();
        waves.encode(&mut bytes);
        assert_eq!(bytes[..6], [9, 7, 2, 1, 4, 4]);
        assert_eq!(bytes.len(), 6 + 16 * 4);
        let read = Waves::decode(&bytes).unwrap();
        assert_eq!((read.cols, read.rows), (9, 7));
        assert_eq!(read.cells[..cells.len()], cells);
        assert!(read.covers(16.0, 8.0) && !read.covers(15.9, 8.0));
    }

    #[test]
    fn numbers_that_do_not_add_up_are_refused() {
        let good = [2, 1, 0, 0, 1, 1, 5, 144, 9, 255];
        assert!(Waves::decode(&good).is_some());
        // The last: no finger in the rectangle, so it should not be there.
        for (at, value) in [(0, 0), (0, 129), (2, 2), (4, 3), (5, 0), (5, 2), (9, 0)] {
            let mut bad = good;
            bad[at] = value;
            assert!(Waves::decode(&bad).is_none(), "byte {at} as {value}");
        }
        assert!(Waves::decode(&good[..9]).is_none());
    }

    #[test]
    fn a_grid_without_a_finger_is_six_bytes() {
        let mut bytes = Vec::new();
        Waves::new(3, 2, vec![Wave::default(); 6]).encode(&mut bytes);
        assert_eq!(bytes, [3, 2, 0, 0, 0, 0]);
        assert!(Waves::decode(&bytes).is_some());
    }
}
