//! Where on the window there is a finger, and its picture with light and pressure evened out.
//!
//! Owns normalisation and the foreground mask. Called by [`super::extract`] and
//! [`crate::quality`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tile indices are below cols and rows, which are ceil(side / 8) of at most 1024"
)]

use crate::gabor::TILE_PX;
use crate::plane::Plane;
use zeroize::Zeroize;

/// Deviation of grey below which a tile is empty whatever the rest of the image does.
const FLAT: f32 = 2.0;

/// Yes or no per tile of 8 x 8 pixels.
#[derive(Clone)]
pub struct Mask {
    pub cols: usize,
    pub rows: usize,
    pub cells: Vec<bool>,
}

impl Mask {
    pub fn at(&self, col: usize, row: usize) -> bool {
        col < self.cols && row < self.rows && self.cells[row * self.cols + col]
    }

    /// The tile of a pixel.
    pub fn covers(&self, x: usize, y: usize) -> bool {
        self.at(x / TILE_PX, y / TILE_PX)
    }

    /// Tiles inside.
    pub fn area(&self) -> usize {
        self.cells.iter().filter(|&&c| c).count()
    }

    /// True if every tile within `reach` pixels of (x, y) is inside; the image's edge is outside.
    pub fn surrounds(&self, x: f32, y: f32, reach: f32) -> bool {
        (0..12).all(|i| {
            let (sin, cos) = (i as f32 * std::f32::consts::TAU / 12.0).sin_cos();
            let (px, py) = (x + reach * cos, y + reach * sin);
            px >= 0.0 && py >= 0.0 && self.covers(px as usize, py as usize)
        })
    }
}

/// The evened-out picture.
pub struct Ground {
    /// Local mean 0, local deviation about 1; ridges negative.
    pub even: Plane,
    /// Local deviation of grey per tile.
    pub contrast: Plane,
    /// Typical deviation of the strong tiles.
    pub strong: f32,
}

impl Ground {
    /// Grey deviation from which a tile counts as touched.
    fn limit(&self) -> f32 {
        (0.30 * self.strong).max(FLAT)
    }

    /// Tiles that something lies on, a finger or not.
    pub fn touched(&self) -> usize {
        let limit = self.limit();
        self.contrast
            .data
            .iter()
            .filter(|&&c| c > limit)
            .count()
            .max(1)
    }
}

/// Evens out `grey` (0..=255 at 500 dpi).
pub fn level(grey: &Plane) -> Ground {
    let soft = grey.gaussian(0.7);
    let mean = soft.box_mean(10);
    let mut square = Plane::filled(soft.w, soft.h, 0.0);
    for ((s, v), m) in square.data.iter_mut().zip(&soft.data).zip(&mean.data) {
        *s = (v - m) * (v - m);
    }
    let spread = square.box_mean(10);
    let (cols, rows) = (soft.w.div_ceil(TILE_PX), soft.h.div_ceil(TILE_PX));
    let mut contrast = Plane::filled(cols, rows, 0.0);
    for row in 0..rows {
        for col in 0..cols {
            let x = (col * TILE_PX + TILE_PX / 2).min(soft.w - 1);
            let y = (row * TILE_PX + TILE_PX / 2).min(soft.h - 1);
            contrast.data[row * cols + col] = spread.at(x, y).max(0.0).sqrt();
        }
    }
    let mut sorted = contrast.data.clone();
    sorted.sort_by(f32::total_cmp);
    let strong = sorted[sorted.len() * 9 / 10];
    sorted.zeroize();
    let floor = (0.25 * strong).max(0.8);
    let mut even = Plane::filled(soft.w, soft.h, 0.0);
    for (i, e) in even.data.iter_mut().enumerate() {
        let deviation = spread.data[i].max(0.0).sqrt().max(floor);
        *e = ((soft.data[i] - mean.data[i]) / deviation).clamp(-2.5, 2.5);
    }
    Ground {
        even,
        contrast,
        strong,
    }
}

/// Tiles with ridges: enough contrast and one clear direction, in one piece without holes.
pub fn foreground(ground: &Ground, coherence: &Plane) -> Mask {
    let (cols, rows) = (coherence.w, coherence.h);
    let limit = ground.limit();
    let mut votes = Plane::filled(cols, rows, 0.0);
    for (i, vote) in votes.data.iter_mut().enumerate() {
        let contrast = (ground.contrast.data[i] / limit).min(2.0) * 0.5;
        let clear = (coherence.data[i] / 0.40).min(2.0) * 0.5;
        *vote = if ground.contrast.data[i] < FLAT {
            0.0
        } else {
            contrast.min(1.0).min(clear)
        };
    }
    let votes = votes.gaussian(1.0);
    let cells = votes.data.iter().map(|&v| v > 0.42).collect();
    let mut mask = Mask { cols, rows, cells };
    keep_largest(&mut mask);
    fill_holes(&mut mask);
    mask
}

/// Labels the connected tiles equal to `wanted` and gives the label of each tile and the sizes.
fn pieces(mask: &Mask, wanted: bool) -> (Vec<usize>, Vec<usize>) {
    let mut labels = vec![0_usize; mask.cells.len()];
    let mut sizes = vec![0_usize];
    let mut open = Vec::new();
    for start in 0..mask.cells.len() {
        if mask.cells[start] != wanted || labels[start] != 0 {
            continue;
        }
        let label = sizes.len();
        sizes.push(0);
        labels[start] = label;
        open.push(start);
        while let Some(at) = open.pop() {
            sizes[label] += 1;
            let (col, row) = (at % mask.cols, at / mask.cols);
            let mut visit = |next: usize| {
                if mask.cells[next] == wanted && labels[next] == 0 {
                    labels[next] = label;
                    open.push(next);
                }
            };
            if col > 0 {
                visit(at - 1);
            }
            if col + 1 < mask.cols {
                visit(at + 1);
            }
            if row > 0 {
                visit(at - mask.cols);
            }
            if row + 1 < mask.rows {
                visit(at + mask.cols);
            }
        }
    }
    (labels, sizes)
}

fn keep_largest(mask: &mut Mask) {
    let (labels, sizes) = pieces(mask, true);
    let best = (1..sizes.len()).max_by_key(|&l| sizes[l]).unwrap_or(0);
    for (cell, label) in mask.cells.iter_mut().zip(labels) {
        *cell = label != 0 && label == best;
    }
}

/// Holes smaller than a third of the finger are part of it.
fn fill_holes(mask: &mut Mask) {
    let (labels, sizes) = pieces(mask, false);
    let mut touches_edge = vec![false; sizes.len()];
    for row in 0..mask.rows {
        for col in 0..mask.cols {
            if row == 0 || col == 0 || row + 1 == mask.rows || col + 1 == mask.cols {
                touches_edge[labels[row * mask.cols + col]] = true;
            }
        }
    }
    let area = mask.area();
    for (cell, label) in mask.cells.iter_mut().zip(labels) {
        if label != 0 && !touches_edge[label] && sizes[label] * 3 < area {
            *cell = true;
        }
    }
}
