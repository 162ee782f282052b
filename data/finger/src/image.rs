//! The grey image a sensor delivers.
//!
//! Owns the size and resolution limits every other module relies on, and wipes the pixels when the
//! image is dropped (invariant I7). Refuses images no single-finger sensor produces.
//! Called by drivers and the backend with captured bytes, and by [`crate::synth`].

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Fewest pixels along either side.
pub const SIDE_MIN_PX: u16 = 64;
/// Most pixels along either side, as delivered and again at 500 dpi.
pub const SIDE_MAX_PX: u16 = 1024;
/// Lowest resolution accepted, dots per inch.
pub const DPI_MIN: u16 = 250;
/// Highest resolution accepted, dots per inch.
pub const DPI_MAX: u16 = 1200;
/// Resolution all processing works at, dots per inch.
pub const WORKING_DPI: u16 = 500;

/// Why bytes are not an image. The device or the message is at fault, never the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// A side is outside [`SIDE_MIN_PX`]..=[`SIDE_MAX_PX`].
    #[error("image is {width} x {height} pixels, each side must be 64 to 1024")]
    Size {
        /// Pixels per row.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// The resolution is outside [`DPI_MIN`]..=[`DPI_MAX`].
    #[error("image resolution is {dpi} dpi, must be 250 to 1200")]
    Resolution {
        /// Dots per inch.
        dpi: u16,
    },
    /// The area is larger than any single finger: more than 1024 pixels at 500 dpi (52 mm).
    #[error("image covers more than 52 mm at {dpi} dpi, capture one finger only")]
    Area {
        /// Dots per inch.
        dpi: u16,
    },
    /// The byte count is not width times height.
    #[error("image has {got} bytes, expected {expected}")]
    Length {
        /// Bytes that the size calls for.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
}

/// An 8-bit grey image of one finger: row-major from the top left, ridges dark.
///
/// Neither printable nor cloneable by accident: `Debug` shows the size only, pixels are wiped on
/// drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Image {
    width: u16,
    height: u16,
    dpi: u16,
    pixels: Vec<u8>,
}

impl Image {
    /// Checks the size, the resolution (dots per inch) and the byte count.
    ///
    /// # Errors
    /// [`ImageError`] naming the fact that is wrong. The rejected pixels are wiped.
    pub fn new(width: u16, height: u16, dpi: u16, mut pixels: Vec<u8>) -> Result<Self, ImageError> {
        let checked = check(width, height, dpi, pixels.len());
        if let Err(error) = checked {
            pixels.zeroize();
            return Err(error);
        }
        Ok(Self {
            width,
            height,
            dpi,
            pixels,
        })
    }

    /// For synthesis, which clamps the size and makes the pixels itself.
    pub(crate) fn within_limits(width: u16, height: u16, dpi: u16, pixels: Vec<u8>) -> Self {
        debug_assert_eq!(check(width, height, dpi, pixels.len()), Ok(()));
        Self {
            width,
            height,
            dpi,
            pixels,
        }
    }

    /// Pixels per row.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> u16 {
        self.height
    }

    /// Dots per inch.
    #[must_use]
    pub const fn dpi(&self) -> u16 {
        self.dpi
    }

    /// The pixels, row-major, `width * height` bytes, 0 = black.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

fn check(width: u16, height: u16, dpi: u16, got: usize) -> Result<(), ImageError> {
    let sides = SIDE_MIN_PX..=SIDE_MAX_PX;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(ImageError::Size { width, height });
    }
    if !(DPI_MIN..=DPI_MAX).contains(&dpi) {
        return Err(ImageError::Resolution { dpi });
    }
    let longest = u32::from(width.max(height)).saturating_mul(u32::from(WORKING_DPI));
    if longest > u32::from(SIDE_MAX_PX).saturating_mul(u32::from(dpi)) {
        return Err(ImageError::Area { dpi });
    }
    let expected = usize::from(width).saturating_mul(usize::from(height));
    if expected != got {
        return Err(ImageError::Length { expected, got });
    }
    Ok(())
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("dpi", &self.dpi)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_outside_the_limits_is_refused_with_the_fact() {
        let size = Image::new(63, 64, 500, vec![0; 63 * 64]).unwrap_err();
        assert_eq!(
            size,
            ImageError::Size {
                width: 63,
                height: 64
            }
        );
        let dpi = Image::new(64, 64, 249, vec![0; 64 * 64]).unwrap_err();
        assert_eq!(dpi, ImageError::Resolution { dpi: 249 });
        let area = Image::new(1024, 1024, 300, vec![0; 1024 * 1024]).unwrap_err();
        assert_eq!(area, ImageError::Area { dpi: 300 });
        let length = Image::new(64, 64, 500, vec![0; 5]).unwrap_err();
        assert_eq!(
            length,
            ImageError::Length {
                expected: 4096,
                got: 5
            }
        );
        assert!(Image::new(64, 1024, 500, vec![0; 64 * 1024]).is_ok());
    }

    #[test]
    fn debug_shows_no_pixels() {
        let image = Image::new(64, 64, 500, vec![77; 4096]).unwrap();
        assert!(!format!("{image:?}").contains("77"));
    }
}
