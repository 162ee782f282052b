//! Fitting a text into a field: shrink, then two lines, then reject; never cut.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::{FormField, LINE_GAP};

/// Why a text does not fit. Never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Too long even in the smallest font on all lines.
    #[error("the text is too long for field {field}: staff must serve this at the counter")]
    TooLong {
        /// The field.
        field: String,
    },
    /// Not an amount in fen, or not a date, where the field is written in capitals.
    #[error("the value of field {field} cannot be written in capitals")]
    Format {
        /// The field.
        field: String,
    },
    /// A control character, or nothing to print.
    #[error("the text for field {field} is empty or not printable")]
    NotPrintable {
        /// The field.
        field: String,
    },
}

/// A text laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// Font height in 0.1 mm.
    pub font_height: u32,
    /// One or two lines, upper first.
    pub lines: Vec<String>,
}

impl Fitted {
    /// Distance between the upper edges of two lines, in 0.1 mm.
    pub fn pitch(&self) -> u32 {
        self.font_height.saturating_add(LINE_GAP)
    }
}

/// Width of a text in 0.1 mm: full-width characters are as wide as high, others half.
pub fn width(text: &str, font_height: u32) -> u32 {
    let halves = u32::try_from(text.width()).unwrap_or(u32::MAX);
    halves.saturating_mul(font_height).div_ceil(2)
}

impl FormField {
    /// Lays `text` out in this field.
    pub fn fit(&self, text: &str) -> Result<Fitted, FitError> {
        let field = || self.name.clone();
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(FitError::NotPrintable { field: field() });
        }
        for lines_max in 1..=self.lines_max {
            for height in &self.font_heights {
                let gaps = u32::from(lines_max.saturating_sub(1));
                let tall = height
                    .saturating_mul(u32::from(lines_max))
                    .saturating_add(gaps.saturating_mul(LINE_GAP));
                let lines = break_lines(text, *height, self.area.width);
                if tall <= self.area.height && lines.len() <= usize::from(lines_max) {
                    return Ok(Fitted {
                        font_height: *height,
                        lines,
                    });
                }
            }
        }
        Err(FitError::TooLong { field: field() })
    }
}

/// Lines no wider than `width_max`, filled greedily, broken between graphemes.
fn break_lines(text: &str, font_height: u32, width_max: u32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for grapheme in text.graphemes(true) {
        if let Some(line) = lines.last_mut() {
            line.push_str(grapheme);
            if width(line, font_height) <= width_max {
                continue;
            }
            line.truncate(line.len().saturating_sub(grapheme.len()));
        }
        lines.push(grapheme.to_owned());
    }
    lines
}
