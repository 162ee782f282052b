//! A small canvas: lines, dots and words, written as PNG.
//!
//! Owns the pixels. Letters are those of GNU Unifont, so no font of the system is needed.

use std::path::Path;

/// Red, green, blue.
pub type Colour = [u8; 3];

pub const BLACK: Colour = [0x20; 3];
pub const GREY: Colour = [0xd8; 3];
pub const WHITE: Colour = [0xff; 3];

/// Pixels of a letter.
pub const LETTER: (i32, i32) = (8, 16);

/// A white sheet.
pub struct Canvas {
    width: i32,
    height: i32,
    pixels: Vec<Colour>,
}

impl Canvas {
    pub fn new(width: u16, height: u16) -> Self {
        Self {
            width: i32::from(width),
            height: i32::from(height),
            pixels: vec![WHITE; usize::from(width) * usize::from(height)],
        }
    }

    /// Points outside are left out.
    pub fn dot(&mut self, x: i32, y: i32, colour: Colour) {
        if (0..self.width).contains(&x) && (0..self.height).contains(&y) {
            self.pixels[(y * self.width + x) as usize] = colour;
        }
    }

    pub fn square(&mut self, (x, y): (i32, i32), reach: i32, colour: Colour) {
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                self.dot(x + dx, y + dy, colour);
            }
        }
    }

    /// A line, `reach` pixels to each side of its middle.
    pub fn line(&mut self, from: (i32, i32), to: (i32, i32), reach: i32, colour: Colour) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs()).max(1);
        for step in 0..=steps {
            let at = (from.0 + dx * step / steps, from.1 + dy * step / steps);
            self.square(at, reach, colour);
        }
    }

    /// Words from their upper left corner.
    pub fn text(&mut self, (x, y): (i32, i32), words: &str, colour: Colour) {
        for (n, letter) in words.chars().enumerate() {
            let Some(glyph) = unifont::get_glyph(letter) else {
                continue;
            };
            for gy in 0..LETTER.1 {
                for gx in 0..LETTER.0 {
                    if glyph.get_pixel(gx as usize, gy as usize) {
                        self.dot(x + n as i32 * LETTER.0 + gx, y + gy, colour);
                    }
                }
            }
        }
    }

    /// # Errors
    /// The file could not be written.
    pub fn save(&self, path: &Path) -> Result<(), png::EncodingError> {
        let file = std::io::BufWriter::new(std::fs::File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.pixels.as_flattened())?;
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reaches_both_ends_and_nothing_is_drawn_outside() {
        let mut canvas = Canvas::new(4, 3);
        canvas.line((-5, 0), (3, 2), 0, BLACK);
        canvas.line((0, 2), (9, 99), 1, BLACK);
        assert_eq!(canvas.pixels[2 * 4 + 3], BLACK);
        assert_eq!(canvas.pixels[3], [0xff; 3]);
    }

    #[test]
    fn a_letter_is_drawn_inside_its_cell() {
        let mut canvas = Canvas::new(16, 16);
        canvas.text((8, 0), "1", BLACK);
        let inked = |x: i32| (0..16).any(|y| canvas.pixels[(y * 16 + x) as usize] == BLACK);
        assert!((8..16).any(inked) && !(0..8).any(inked));
    }
}
