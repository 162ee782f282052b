//! Screens as PNG: the pictures of the README, made from the real screens.
//!
//! Every cell of a drawn buffer becomes 8x16 pixels (16x16 for a wide character)
//! of GNU Unifont in the console's 16 colours, twice enlarged.

use png::{BitDepth, ColorType, Encoder};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

/// Pixels of one narrow cell.
const CELL: (usize, usize) = (8, 16);
/// Enlargement.
const SCALE: usize = 2;

/// Why no picture could be made.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// A character that the font does not hold.
    #[error("no glyph for U+{0:04X}: use another character on the screen")]
    Glyph(u32),
    /// The PNG could not be written.
    #[error("png encoding failed")]
    Encode(#[from] png::EncodingError),
}

/// A PNG of a drawn screen.
pub fn screen_png(buffer: &Buffer) -> Result<Vec<u8>, PictureError> {
    let (columns, rows) = (
        usize::from(buffer.area.width),
        usize::from(buffer.area.height),
    );
    let mut canvas = Canvas::new(columns.saturating_mul(CELL.0), rows.saturating_mul(CELL.1));
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut covered = 0_usize;
        for x in buffer.area.left()..buffer.area.right() {
            let Some(cell) = buffer.cell((x, y)) else {
                continue;
            };
            if covered > 0 {
                covered = covered.saturating_sub(1);
                continue;
            }
            let at = (
                usize::from(x).saturating_mul(CELL.0),
                usize::from(y).saturating_mul(CELL.1),
            );
            canvas.cell(at, cell)?;
            covered = cell.symbol().width().saturating_sub(1);
        }
    }
    canvas.png()
}

struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![[0; 3]; width.saturating_mul(height)],
        }
    }

    fn cell(&mut self, (left, top): (usize, usize), cell: &Cell) -> Result<(), PictureError> {
        let reversed = cell.modifier.contains(Modifier::REVERSED);
        let (mut ink, mut paper) = (rgb(cell.fg, [0xd0; 3]), rgb(cell.bg, [0x10, 0x14, 0x1c]));
        if reversed {
            std::mem::swap(&mut ink, &mut paper);
        }
        let symbol = cell.symbol();
        let character = symbol.chars().next().unwrap_or(' ');
        let glyph =
            unifont::get_glyph(character).ok_or(PictureError::Glyph(u32::from(character)))?;
        let wide = symbol.width().max(1);
        for y in 0..CELL.1 {
            for x in 0..CELL.0.saturating_mul(wide) {
                let on = x < glyph.get_width() && glyph.get_pixel(x, y);
                let at = (left.saturating_add(x), top.saturating_add(y));
                self.set(at, if on { ink } else { paper });
            }
        }
        Ok(())
    }

    fn set(&mut self, (x, y): (usize, usize), colour: [u8; 3]) {
        if x < self.width
            && let Some(pixel) = self
                .pixels
                .get_mut(y.saturating_mul(self.width).saturating_add(x))
        {
            *pixel = colour;
        }
    }

    fn png(&self) -> Result<Vec<u8>, PictureError> {
        let mut bytes = Vec::with_capacity(self.pixels.len().saturating_mul(3 * SCALE * SCALE));
        for row in self.pixels.chunks(self.width.max(1)) {
            let line: Vec<u8> = row.iter().flat_map(|pixel| pixel.repeat(SCALE)).collect();
            for _ in 0..SCALE {
                bytes.extend_from_slice(&line);
            }
        }
        let side = |n: usize| u32::try_from(n.saturating_mul(SCALE)).unwrap_or(u32::MAX);
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, side(self.width), side(self.height));
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.write_header()?.write_image_data(&bytes)?;
        Ok(out)
    }
}

/// The console's 16 colours.
fn rgb(colour: Color, plain: [u8; 3]) -> [u8; 3] {
    match colour {
        Color::Black => [0, 0, 0],
        Color::Red => [0xaa, 0, 0],
        Color::Green => [0, 0xaa, 0],
        Color::Yellow => [0xaa, 0x55, 0],
        Color::Blue => [0x10, 0x3a, 0x8c],
        Color::Magenta => [0xaa, 0, 0xaa],
        Color::Cyan => [0, 0xaa, 0xaa],
        Color::Gray => [0xaa; 3],
        Color::DarkGray => [0x55; 3],
        Color::LightRed => [0xff, 0x70, 0x70],
        Color::LightGreen => [0x70, 0xf0, 0x70],
        Color::LightYellow => [0xff, 0xf0, 0x70],
        Color::LightBlue => [0x70, 0x70, 0xff],
        Color::LightMagenta => [0xff, 0x70, 0xff],
        Color::LightCyan => [0x70, 0xf0, 0xf0],
        Color::White => [0xff; 3],
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    #[test]
    fn a_picture_has_two_times_eight_by_sixteen_pixels_a_cell() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 2));
        buffer.set_string(0, 0, "票据 7", counterfoil_tui::theme::Role::Title.style());
        let png = screen_png(&buffer).expect("drawn");
        let reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .expect("a PNG");
        assert_eq!((reader.info().width, reader.info().height), (160, 64));
    }
}
