//! A plane of real numbers and the few filters everything above is made of.
//!
//! Owns its samples and wipes them on drop, because they are the person's ridges in another form.
//! Refuses nothing: sizes are bounded by [`crate::image`]. Called by extraction, quality and
//! synthesis.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "coordinates are clamped to 0..w and 0..h before use and sides are at most 1024"
)]

use crate::image::{Image, WORKING_DPI};
use zeroize::Zeroize;

/// Row-major samples, `w * h` of them.
#[derive(Clone)]
pub struct Plane {
    pub w: usize,
    pub h: usize,
    pub data: Vec<f32>,
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

impl Plane {
    pub fn filled(w: usize, h: usize, value: f32) -> Self {
        Self {
            w,
            h,
            data: vec![value; w * h],
        }
    }

    /// The image at 500 dpi, grey values 0..=255.
    pub fn from_image(image: &Image) -> Self {
        let (w, h) = (usize::from(image.width()), usize::from(image.height()));
        let source = Self {
            w,
            h,
            data: image.pixels().iter().map(|&p| f32::from(p)).collect(),
        };
        if image.dpi() == WORKING_DPI {
            return source;
        }
        let step = f32::from(image.dpi()) / f32::from(WORKING_DPI);
        // Shrinking first blurs by half the step, or ridges would alias.
        let source = if step > 1.2 {
            source.gaussian(0.4 * step)
        } else {
            source
        };
        let side = |n: usize| ((n as f32 / step) as usize).max(1);
        let mut out = Self::filled(side(w), side(h), 0.0);
        for y in 0..out.h {
            for x in 0..out.w {
                let at =
                    source.bilinear((x as f32 + 0.5) * step - 0.5, (y as f32 + 0.5) * step - 0.5);
                out.data[y * out.w + x] = at;
            }
        }
        out
    }

    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.data[y * self.w + x]
    }

    /// Interpolated sample; coordinates outside are clamped to the edge.
    pub fn bilinear(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.w - 1) as f32);
        let y = y.clamp(0.0, (self.h - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (x1, y1) = ((x0 + 1).min(self.w - 1), (y0 + 1).min(self.h - 1));
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let top = self.at(x0, y0) * (1.0 - fx) + self.at(x1, y0) * fx;
        let bottom = self.at(x0, y1) * (1.0 - fx) + self.at(x1, y1) * fx;
        top * (1.0 - fy) + bottom * fy
    }

    /// Mean over a square of side `2 r + 1`, smaller at the edges.
    pub fn box_mean(&self, r: usize) -> Self {
        let mut rows = Self::filled(self.w, self.h, 0.0);
        for y in 0..self.h {
            let line = &self.data[y * self.w..(y + 1) * self.w];
            let out = &mut rows.data[y * self.w..(y + 1) * self.w];
            let mut sum: f64 = line.iter().take(r).map(|&v| f64::from(v)).sum();
            for x in 0..self.w {
                if let Some(&v) = line.get(x + r) {
                    sum += f64::from(v);
                }
                if x > r {
                    sum -= f64::from(line[x - r - 1]);
                }
                let count = (x + r).min(self.w - 1) - x.saturating_sub(r) + 1;
                out[x] = (sum / count as f64) as f32;
            }
        }
        let mut out = Self::filled(self.w, self.h, 0.0);
        let mut sums = vec![0.0_f64; self.w];
        for y in 0..r.min(self.h) {
            add_row(&mut sums, &rows, y, 1.0);
        }
        for y in 0..self.h {
            if y + r < self.h {
                add_row(&mut sums, &rows, y + r, 1.0);
            }
            if y > r {
                add_row(&mut sums, &rows, y - r - 1, -1.0);
            }
            let count = ((y + r).min(self.h - 1) - y.saturating_sub(r) + 1) as f64;
            let line = &mut out.data[y * self.w..(y + 1) * self.w];
            for (to, sum) in line.iter_mut().zip(&sums) {
                *to = (sum / count) as f32;
            }
        }
        out
    }

    /// Gaussian blur, `sigma` in samples, edges clamped.
    pub fn gaussian(&self, sigma: f32) -> Self {
        let r = (sigma * 2.5).ceil().max(1.0) as usize;
        let mut taps: Vec<f32> = (0..=2 * r)
            .map(|i| {
                let d = i as f32 - r as f32;
                (-d * d / (2.0 * sigma * sigma)).exp()
            })
            .collect();
        let total: f32 = taps.iter().sum();
        taps.iter_mut().for_each(|t| *t /= total);
        let mut across = Self::filled(self.w, self.h, 0.0);
        let mut padded = vec![0.0_f32; self.w + 2 * r];
        for y in 0..self.h {
            let line = &self.data[y * self.w..(y + 1) * self.w];
            for (i, p) in padded.iter_mut().enumerate() {
                *p = line[i.saturating_sub(r).min(self.w - 1)];
            }
            let out = &mut across.data[y * self.w..(y + 1) * self.w];
            for (k, &t) in taps.iter().enumerate() {
                for (o, p) in out.iter_mut().zip(&padded[k..]) {
                    *o += t * p;
                }
            }
        }
        padded.zeroize();
        let mut out = Self::filled(self.w, self.h, 0.0);
        for y in 0..self.h {
            for (k, &t) in taps.iter().enumerate() {
                let from = (y + k).saturating_sub(r).min(self.h - 1);
                let line = &across.data[from * self.w..(from + 1) * self.w];
                let to = &mut out.data[y * self.w..(y + 1) * self.w];
                for (o, v) in to.iter_mut().zip(line) {
                    *o += t * v;
                }
            }
        }
        out
    }
}

fn add_row(sums: &mut [f64], plane: &Plane, y: usize, sign: f64) {
    let line = &plane.data[y * plane.w..(y + 1) * plane.w];
    for (sum, &v) in sums.iter_mut().zip(line) {
        *sum += sign * f64::from(v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blurs_keep_a_constant_plane_constant() {
        let plane = Plane::filled(30, 17, 3.5);
        for blurred in [plane.box_mean(4), plane.gaussian(2.0)] {
            assert!(blurred.data.iter().all(|v| (v - 3.5).abs() < 1e-4));
        }
    }

    #[test]
    fn an_image_at_another_resolution_is_brought_to_500_dpi() {
        let image = Image::new(512, 256, 1000, vec![9; 512 * 256]).unwrap();
        let plane = Plane::from_image(&image);
        assert_eq!((plane.w, plane.h), (256, 128));
        assert!(plane.data.iter().all(|v| (v - 9.0).abs() < 1e-3));
    }
}
