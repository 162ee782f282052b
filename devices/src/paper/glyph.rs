//! Characters as dots: Unifont's 16 rows as they are, or stretched to 24.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "coordinates are below 24 and sources below 16; Unifont's get_pixel bounds-checks"
)]

use super::PaperError;

/// The printer's two fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Font {
    /// 24 rows: ASCII 12 wide, hanzi 24 (font A).
    Large,
    /// 16 rows: ASCII 8 wide, hanzi 16 (font C).
    Small,
}

impl Font {
    /// Rows of a cell.
    pub fn rows(self) -> usize {
        match self {
            Self::Large => 24,
            Self::Small => 16,
        }
    }

    /// Rows above the baseline.
    pub fn ascent(self) -> usize {
        match self {
            Self::Large => 21,
            Self::Small => 14,
        }
    }

    /// Dots across: half a cell for ASCII, a whole one for anything else.
    pub fn columns(self, character: char) -> usize {
        if character.is_ascii() {
            self.rows() / 2
        } else {
            self.rows()
        }
    }
}

/// Whether the cell of `character` has ink at `x`, `y`; a closure over the cell.
pub(super) fn cell(
    character: char,
    font: Font,
) -> Result<impl Fn(usize, usize) -> bool, PaperError> {
    let glyph = unifont::get_glyph(character).ok_or(PaperError::NoGlyph(character))?;
    // A half-width glyph of a double-byte character stands in the middle.
    let wide = !character.is_ascii() && !glyph.is_fullwidth();
    let shift = if wide { 4 } else { 0 };
    let source = move |x: usize, y: usize| x >= shift && glyph.get_pixel(x - shift, y);
    Ok(move |x: usize, y: usize| match font {
        Font::Small => source(x, y),
        // Each of 24 dots covers two thirds of a source dot: the middle one of
        // three covers halves of two. Ink from half coverage up makes every
        // stroke two dots and keeps every gap open.
        Font::Large => {
            let pair = |n: usize| (n * 2 / 3, (n * 2 + 1) / 3);
            let ((x0, x1), (y0, y1)) = (pair(x), pair(y));
            let inked = [(x0, y0), (x1, y0), (x0, y1), (x1, y1)];
            inked.iter().filter(|(x, y)| source(*x, *y)).count() >= 2
        }
    })
}
