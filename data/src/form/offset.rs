//! How far the sheets of one cassette lie off, by calibration.
//!
//! A template says where things stand on the stock; an offset says how this
//! cassette's stock meets the head. Bounded: a larger one is a mechanical fault,
//! not a setting.

use serde::Deserialize;

/// Largest correction either way, in 0.1 mm.
pub const OFFSET_MAX: i16 = 50;

/// A correction beyond [`OFFSET_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an offset of {x}, {y} is more than 5 mm: have the cassette adjusted, then print the calibration again"
)]
pub struct OffsetError {
    /// To the right, in 0.1 mm.
    pub x: i16,
    /// Downwards, in 0.1 mm.
    pub y: i16,
}

/// Added to every position of a sheet, in 0.1 mm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "OffsetFile")]
pub struct Offset {
    x: i16,
    y: i16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OffsetFile {
    #[serde(default)]
    x: i16,
    #[serde(default)]
    y: i16,
}

impl TryFrom<OffsetFile> for Offset {
    type Error = OffsetError;

    fn try_from(file: OffsetFile) -> Result<Self, Self::Error> {
        Self::new(file.x, file.y)
    }
}

impl Offset {
    /// `x` to the right and `y` downwards, in 0.1 mm.
    ///
    /// # Errors
    /// [`OffsetError`] beyond [`OFFSET_MAX`] either way.
    pub fn new(x: i16, y: i16) -> Result<Self, OffsetError> {
        let lawful = |n: i16| (-OFFSET_MAX..=OFFSET_MAX).contains(&n);
        if lawful(x) && lawful(y) {
            Ok(Self { x, y })
        } else {
            Err(OffsetError { x, y })
        }
    }

    /// Where a point of the template is for the head; `None` off the sheet's upper
    /// or left edge.
    pub fn moved(self, x: u32, y: u32) -> Option<(u32, u32)> {
        let x = x.checked_add_signed(i32::from(self.x))?;
        let y = y.checked_add_signed(i32::from(self.y))?;
        Some((x, y))
    }
}
