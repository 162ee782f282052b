//! The direction and the period of the ridges, per tile.
//!
//! Owns the structure tensor and the period measurement. Called by [`super::extract`] and
//! [`crate::quality`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "pixel indices stay one inside the plane, tile indices below its tile counts"
)]

use crate::gabor::TILE_PX;
use crate::plane::Plane;

/// Directions as doubled-angle vectors, one per tile.
pub struct Directions {
    /// `cos 2a` times strength.
    pub cos: Plane,
    /// `sin 2a` times strength.
    pub sin: Plane,
    /// 0 (none) to 1 (perfectly parallel ridges).
    pub coherence: Plane,
}

impl Directions {
    /// Ridge direction at tile coordinates, radians, -pi/2..=pi/2, x right, y down.
    pub fn at_tile(&self, col: f32, row: f32) -> f32 {
        0.5 * self
            .sin
            .bilinear(col, row)
            .atan2(self.cos.bilinear(col, row))
    }

    /// Ridge direction at a pixel.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (tile, middle) = (TILE_PX as f32, (TILE_PX as f32 - 1.0) / 2.0);
        self.at_tile((x - middle) / tile, (y - middle) / tile)
    }
}

/// Measures directions from the gradients of `plane`, smoothed over `sigma` tiles.
pub fn directions(plane: &Plane, sigma: f32) -> Directions {
    let soft = plane.gaussian(1.0);
    let (cols, rows) = (plane.w.div_ceil(TILE_PX), plane.h.div_ceil(TILE_PX));
    let mut difference = Plane::filled(cols, rows, 0.0);
    let mut product = Plane::filled(cols, rows, 0.0);
    let mut total = Plane::filled(cols, rows, 0.0);
    for y in 1..plane.h.saturating_sub(1) {
        let above = &soft.data[(y - 1) * plane.w..y * plane.w];
        let here = &soft.data[y * plane.w..(y + 1) * plane.w];
        let below = &soft.data[(y + 1) * plane.w..(y + 2) * plane.w];
        for x in 1..plane.w.saturating_sub(1) {
            let gx = here[x + 1] - here[x - 1];
            let gy = below[x] - above[x];
            let tile = (y / TILE_PX) * cols + x / TILE_PX;
            difference.data[tile] += gx * gx - gy * gy;
            product.data[tile] += 2.0 * gx * gy;
            total.data[tile] += gx * gx + gy * gy;
        }
    }
    let (difference, product) = (difference.gaussian(sigma), product.gaussian(sigma));
    let total = total.gaussian(sigma);
    let mut field = Directions {
        cos: Plane::filled(cols, rows, 0.0),
        sin: Plane::filled(cols, rows, 0.0),
        coherence: Plane::filled(cols, rows, 0.0),
    };
    for i in 0..cols * rows {
        // Gradients point across the ridge; the ridge's doubled angle is the opposite vector.
        let (a, b, sum) = (difference.data[i], product.data[i], total.data[i]);
        let length = (a * a + b * b).sqrt();
        if sum > 1e-3 {
            field.cos.data[i] = -a / sum;
            field.sin.data[i] = -b / sum;
            field.coherence.data[i] = length / sum;
        }
    }
    field
}

/// Ridge period per tile in pixels, with how sure it is.
pub struct Periods {
    /// Pixels from ridge to ridge, everywhere filled.
    pub period: Plane,
    /// Share of the finger where a period could be measured, 0..=1.
    pub measured: f32,
}
