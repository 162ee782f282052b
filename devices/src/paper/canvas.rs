//! A canvas of dots, each one an index into a small palette.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "every index goes through `at`, which bounds x and y by the canvas; coordinates are below 2^20"
)]

use super::PaperError;

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Rows of palette indices.
#[derive(Debug, Clone)]
pub struct Canvas {
    width: usize,
    height: usize,
    dots: Vec<u8>,
}

impl Canvas {
    /// All dots index 0.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            dots: vec![0; width * height],
        }
    }

    /// Dots a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    fn at(&self, x: usize, y: usize) -> Option<usize> {
        (x < self.width && y < self.height).then(|| y * self.width + x)
    }

    /// The dot's index; 0 outside.
    pub fn dot(&self, x: usize, y: usize) -> u8 {
        self.at(x, y).map_or(0, |i| self.dots[i])
    }

    /// Sets a dot; outside is an error.
    pub fn set(&mut self, x: usize, y: usize, index: u8) -> Result<(), PaperError> {
        let at = self.at(x, y).ok_or(PaperError::OffPaper { x, y })?;
        self.dots[at] = index;
        Ok(())
    }

    /// Fills a rectangle; what lies outside is left out.
    pub fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, index: u8) {
        for row in y..(y + height).min(self.height) {
            for column in x..(x + width).min(self.width) {
                self.dots[row * self.width + column] = index;
            }
        }
    }

    /// Draws a rectangle's outline of `thick` dots.
    pub fn frame(&mut self, [x, y, width, height]: [usize; 4], thick: usize, index: u8) {
        self.fill(x, y, width, thick, index);
        self.fill(x, (y + height).saturating_sub(thick), width, thick, index);
        self.fill(x, y, thick, height, index);
        self.fill((x + width).saturating_sub(thick), y, thick, height, index);
    }

    /// The same with `margin` dots of index 0 on every side.
    pub fn within(&self, margin: usize) -> Self {
        let mut wider = Self::new(self.width + 2 * margin, self.height + 2 * margin);
        for y in 0..self.height {
            let from = y * self.width;
            let to = (y + margin) * wider.width + margin;
            let row = &self.dots[from..from + self.width];
            wider.dots[to..to + self.width].copy_from_slice(row);
        }
        wider
    }

    /// The same with every dot as two by two.
    pub fn doubled(&self) -> Self {
        let mut larger = Self::new(2 * self.width, 2 * self.height);
        for y in 0..larger.height {
            for x in 0..larger.width {
                larger.dots[y * larger.width + x] = self.dots[y / 2 * self.width + x / 2];
            }
        }
        larger
    }

    /// Makes the canvas at least `height` rows.
    pub fn grow(&mut self, height: usize) {
        if height > self.height {
            self.height = height;
            self.dots.resize(self.width * height, 0);
        }
    }

    /// A palette PNG; `palette` must hold every index used.
    pub fn png(&self, palette: &[Colour]) -> Result<Vec<u8>, PaperError> {
        let failed = |e: png::EncodingError| PaperError::Png(e.to_string());
        let size = |n: usize| u32::try_from(n).map_err(|e| PaperError::Png(e.to_string()));
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, size(self.width)?, size(self.height)?);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        let entries = palette.iter().flat_map(|Colour(r, g, b)| [*r, *g, *b]);
        encoder.set_palette(entries.collect::<Vec<u8>>());
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&self.dots).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }
}
