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

/// The same cell ready to be compared.
#[derive(Clone, Copy, Zeroize, Default)]
pub struct Ridge {
    /// Direction, radians, 0..pi.
    pub angle: f32,
    /// Unit vector across the ridges.
    pub across: (f32, f32),
    /// Radians per pixel across the ridges.
    pub step: f32,
    /// Phase at the middle of the cell, radians.
    pub phase: f32,
    /// 0 no finger, to 1.
    pub clear: f32,
}

impl From<&Wave> for Ridge {
    fn from(wave: &Wave) -> Self {
        let angle = f32::from(wave.direction) * PI / 256.0;
        let (sin, cos) = angle.sin_cos();
        Self {
            angle,
            across: (-sin, cos),
            step: TAU * 16.0 / f32::from(wave.period.max(PERIOD_MIN)),
            phase: f32::from(wave.phase) * TAU / 256.0,
            clear: f32::from(wave.clear) / 255.0,
        }
    }
}

/// The grid, row by row; a cell is [`TILE_PX`] pixels wide.
#[derive(Clone, Zeroize)]
pub struct Waves {
    cols: usize,
    rows: usize,
    cells: Vec<Wave>,
    /// Derived from `cells`.
    ridges: Vec<Ridge>,
}

/// The middle of a cell, pixels.
pub const fn middle(cell: usize) -> usize {
    cell * TILE_PX + TILE_PX / 2
}

impl Waves {
    /// `cells` holds `cols * rows` of them.
    pub fn new(cols: usize, rows: usize, cells: Vec<Wave>) -> Self {
        let ridges = cells.iter().map(Ridge::from).collect();
        Self {
            cols,
            rows,
            cells,
            ridges,
        }
    }

    pub const fn cols(&self) -> usize {
        self.cols
    }

    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The cell at a column and a row of the grid.
    pub fn ridge(&self, col: usize, row: usize) -> &Ridge {
        &self.ridges[row * self.cols + col]
    }

    /// The cell a pixel lies in, with its column and row, if there is a finger.
    #[inline]
    pub fn at(&self, x: f32, y: f32) -> Option<(&Ridge, usize, usize)> {
        if x < 0.0 || y < 0.0 {
            return None;
        }
        let (col, row) = (x as usize / TILE_PX, y as usize / TILE_PX);
        if col >= self.cols || row >= self.rows {
            return None;
        }
        let ridge = self.ridge(col, row);
        (ridge.clear > 0.0).then_some((ridge, col, row))
    }

    /// True if a pixel lies on the finger.
    pub fn covers(&self, x: f32, y: f32) -> bool {
        self.at(x, y).is_some()
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
        assert_eq!(read.cells, cells);
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
