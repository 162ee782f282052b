//! Bytes of a record from the front, and the picture it says it was made from.
//!
//! Owns the bounds of both. Called by [`super`].

#![expect(
    clippy::arithmetic_side_effects,
    reason = "positions are at most the length of the record"
)]

use super::{IsoError, PX_PER_CM};
use crate::gabor::TILE_PX;
use crate::waves::SIDE_CELLS_MAX;

/// Resolutions accepted, pixels a centimetre (250 to 1,270 dpi).
const PX_PER_CM_RANGE: std::ops::RangeInclusive<u16> = 98..=500;
/// Bytes read from the front.
pub struct Reader<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl Reader<'_> {
    pub const fn damaged(&self) -> IsoError {
        IsoError::Damaged {
            got: self.bytes.len(),
            at: self.at,
        }
    }

    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], IsoError> {
        let found = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
        let found = *found.ok_or(self.damaged())?;
        self.at += N;
        Ok(found)
    }

    pub fn skip(&mut self, bytes: usize) -> Result<(), IsoError> {
        let end = self.at + bytes;
        if end > self.bytes.len() {
            return Err(self.damaged());
        }
        self.at = end;
        Ok(())
    }

    pub fn u16(&mut self) -> Result<u16, IsoError> {
        Ok(u16::from_be_bytes(self.take()?))
    }
}

/// The picture a record was made from, and how it comes to 500 dpi.
pub struct Picture {
    /// Factors to 500 dpi.
    pub scale: (f32, f32),
    pub cols: usize,
    pub rows: usize,
}

impl Picture {
    pub fn new(width: u16, height: u16, across: u16, down: u16) -> Result<Self, IsoError> {
        let refused = IsoError::Picture {
            width,
            height,
            px_per_cm: across.min(down),
        };
        if !PX_PER_CM_RANGE.contains(&across) || !PX_PER_CM_RANGE.contains(&down) {
            return Err(refused);
        }
        let to = |resolution: u16| f32::from(PX_PER_CM) / f32::from(resolution);
        let scale = (to(across), to(down));
        let cells =
            |side: u16, scale: f32| ((f32::from(side) * scale).ceil() as usize).div_ceil(TILE_PX);
        let (cols, rows) = (cells(width, scale.0), cells(height, scale.1));
        if width == 0 || height == 0 || cols > SIDE_CELLS_MAX || rows > SIDE_CELLS_MAX {
            return Err(refused);
        }
        Ok(Self { scale, cols, rows })
    }
}
