//! Reads a print: 8-bit grey TIFF or PNG.
//!
//! Owns the two formats and what to do about files that are neither. Total: any bytes give a
//! picture or an error.

use std::io::Cursor;
use std::path::Path;

/// Most pixels along a side that are read at all; the engine's own limit is stricter.
const SIDE_MAX_PX: u32 = 10_000;

/// Grey pixels, row by row from the top left, 0 = black.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub pixels: Vec<u8>,
}

/// Why a file is not a picture; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error("cannot be read ({0}), check that it is there and may be opened")]
    File(#[from] std::io::Error),
    #[error("is a damaged TIFF ({0}), copy it again from its source")]
    Tiff(#[from] tiff::TiffError),
    #[error("is a damaged PNG ({0}), copy it again from its source")]
    Png(#[from] png::DecodingError),
    #[error("is {0}, convert it to 8-bit grey")]
    NotGrey(String),
    #[error("is {0} x {1} pixels, cut it to one finger")]
    Large(u32, u32),
    #[error("is neither TIFF nor PNG whatever its name says, convert it")]
    Unknown,
    #[error("holds fewer pixels than its size calls for, copy it again from its source")]
    Short,
}

/// Reads a file by what it holds, not by its name.
pub fn read(path: &Path) -> Result<Picture, PictureError> {
    decode(&std::fs::read(path)?)
}

/// Reads the bytes of a TIFF (`II*`, `MM*`) or a PNG.
pub fn decode(bytes: &[u8]) -> Result<Picture, PictureError> {
    let picture = match bytes {
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => tiff_picture(bytes),
        [0x89, b'P', b'N', b'G', ..] => png_picture(bytes),
        _ => Err(PictureError::Unknown),
    }?;
    let called_for = picture.width as usize * picture.height as usize;
    if picture.pixels.len() < called_for {
        return Err(PictureError::Short);
    }
    Ok(picture)
}

fn sized(width: u32, height: u32) -> Result<(), PictureError> {
    if width > SIDE_MAX_PX || height > SIDE_MAX_PX {
        return Err(PictureError::Large(width, height));
    }
    Ok(())
}

fn tiff_picture(bytes: &[u8]) -> Result<Picture, PictureError> {
    use tiff::ColorType;
    use tiff::decoder::{Decoder, DecodingResult};
    let mut decoder = Decoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions()?;
    sized(width, height)?;
    let colour = decoder.colortype()?;
    if colour != ColorType::Gray(8) {
        return Err(PictureError::NotGrey(format!("a TIFF of {colour:?}")));
    }
    // The decoder turns white-is-zero round itself.
    let DecodingResult::U8(mut pixels) = decoder.read_image()? else {
        return Err(PictureError::NotGrey("a TIFF of another depth".to_owned()));
    };
    pixels.truncate(width as usize * height as usize);
    Ok(Picture {
        width,
        height,
        pixels,
    })
}

fn png_picture(bytes: &[u8]) -> Result<Picture, PictureError> {
    use png::{BitDepth, ColorType, Decoder};
    let mut reader = Decoder::new(Cursor::new(bytes)).read_info()?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    sized(width, height)?;
    let (colour, depth) = (info.color_type, info.bit_depth);
    if (colour, depth) != (ColorType::Grayscale, BitDepth::Eight) {
        let kind = format!("a PNG of {colour:?}, {} bits", depth as u8);
        return Err(PictureError::NotGrey(kind));
    }
    let mut pixels = vec![0; reader.output_buffer_size().unwrap_or(0)];
    reader.next_frame(&mut pixels)?;
    Ok(Picture {
        width,
        height,
        pixels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TIFF 6.0, sections 2 to 4: one strip of 2 x 2 pixels behind the directory.
    fn small_tiff(photometric: u8, bits: u8) -> Vec<u8> {
        let mut bytes = b"II*\0\x08\0\0\0\x08\0".to_vec();
        let entries: [(u8, u8); 8] = [
            (0x00, 2),           // width
            (0x01, 2),           // height
            (0x02, bits),        // bits a sample
            (0x03, 1),           // not compressed
            (0x06, photometric), // 0 white is zero, 1 black is zero
            (0x11, 110),         // where the strip begins
            (0x16, 2),           // rows of it
            (0x17, 4),           // bytes of it
        ];
        for (tag, value) in entries {
            bytes.extend_from_slice(&[tag, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0]);
        }
        bytes.extend_from_slice(&[0; 4]);
        assert_eq!(bytes.len(), 110);
        bytes.extend_from_slice(&[10, 20, 30, 40]);
        bytes
    }

    #[test]
    fn a_tiff_gives_its_pixels_whichever_end_is_black() {
        let picture = decode(&small_tiff(1, 8)).unwrap();
        assert_eq!((picture.width, picture.height), (2, 2));
        assert_eq!(picture.pixels, [10, 20, 30, 40]);
        let inverted = decode(&small_tiff(0, 8)).unwrap();
        assert_eq!(inverted.pixels, [245, 235, 225, 215]);
    }

    #[test]
    fn what_is_no_grey_picture_is_told_with_what_to_do() {
        let says = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
        assert!(says(b"GIF89a").ends_with("convert it"));
        assert!(says(&small_tiff(1, 1)).ends_with("convert it to 8-bit grey"));
        let cut = small_tiff(1, 8);
        assert!(says(&cut[..60]).starts_with("is a damaged TIFF"));
        assert!(says(&cut[..112]).starts_with("is a damaged TIFF"));
        assert!(says(b"\x89PNG\r\n\x1a\n").starts_with("is a damaged PNG"));
        assert!(says(b"").starts_with("is neither"));
    }

    #[test]
    fn a_grey_png_gives_its_pixels_and_a_coloured_one_is_refused() {
        let png = |colour, bytes: &[u8]| {
            let mut out = Vec::new();
            let mut encoder = png::Encoder::new(&mut out, 2, 1);
            encoder.set_color(colour);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(bytes).unwrap();
            drop(writer);
            out
        };
        let grey = decode(&png(png::ColorType::Grayscale, &[7, 9])).unwrap();
        assert_eq!((grey.width, grey.height, grey.pixels), (2, 1, vec![7, 9]));
        let coloured = decode(&png(png::ColorType::Rgb, &[0; 6])).unwrap_err();
        assert!(coloured.to_string().contains("Rgb"), "{coloured}");
    }
}
