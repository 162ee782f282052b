//! Minutiae records of ISO/IEC 19794-2:2005, read and written.
//!
//! Owns the record format (header, finger views, minutiae), big-endian, 197 pixels a centimetre
//! written. A record holds minutiae only: a template made from one compares by minutiae alone, and
//! a template written to one loses its waves. Refuses every other edition. Called by tools that
//! exchange prints with other systems; the bank itself keeps the image.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "lengths are at most 24 + 16 * (6 + 255 * 6), coordinates below 2^14"
)]

mod reader;

use crate::gabor::TILE_PX;
use crate::image::SIDE_MAX_PX;
use crate::template::{MINUTIAE_MAX, MINUTIAE_MIN, Minutia, Template};
use crate::waves::{Wave, Waves};
use reader::{Picture, Reader};
use zeroize::Zeroizing;

/// "FMR", edition 2005 (" 20").
const MAGIC: [u8; 8] = *b"FMR\0 20\0";
const HEADER_BYTES: usize = 24;
const VIEW_HEADER_BYTES: usize = 4;
const MINUTIA_BYTES: usize = 6;
/// 500 dpi in pixels a centimetre.
const PX_PER_CM: u16 = 197;
/// Most views of a record: 4 bits of view number.
const VIEWS_MAX: u8 = 16;
/// Quality of a minutia that reports none.
const QUALITY_UNKNOWN: u8 = 50;
/// How far a finger is taken to reach beyond its minutiae, pixels.
const RIM_PX: f32 = 24.0;

/// Which finger (ISO/IEC 19794-2:2005, table 2): 0 unknown, 1 right thumb to 5 right little,
/// 6 left thumb to 10 left little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FingerPosition(u8);

impl FingerPosition {
    /// Not told.
    pub const UNKNOWN: Self = Self(0);

    /// The position of a code, if it is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        (code <= 10).then_some(Self(code))
    }

    /// 0 to 10.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }
}

/// One view of a record.
pub struct IsoView {
    /// Which finger.
    pub position: FingerPosition,
    /// Quality the record reports, 0 to 100.
    pub quality: u8,
    /// Its minutiae, comparable.
    pub template: Template,
}

/// Why bytes are not a record that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IsoError {
    /// Not "FMR", or another edition.
    #[error("not a finger minutiae record of ISO/IEC 19794-2:2005, export it in that edition")]
    Edition,
    /// The length field, the counts and the bytes disagree.
    #[error("record of {got} bytes is cut short or damaged at byte {at}")]
    Damaged {
        /// Bytes given.
        got: usize,
        /// Where it stopped making sense.
        at: usize,
    },
    /// The picture is larger than a finger, or its resolution is no sensor's.
    #[error("record of {width} x {height} pixels at {px_per_cm} a centimetre is no single finger")]
    Picture {
        /// Pixels per row.
        width: u16,
        /// Rows.
        height: u16,
        /// The lower of both resolutions.
        px_per_cm: u16,
    },
    /// Fewer than [`MINUTIAE_MIN`] in a view.
    #[error("view {view} has {found} minutiae, at least 6 are needed, capture the finger again")]
    TooFewMinutiae {
        /// From 1.
        view: u8,
        /// Minutiae in it.
        found: u8,
    },
}

/// Writes one view. `quality` is that of [`crate::quality`], 0 to 100.
#[must_use]
pub fn export_iso(
    template: &Template,
    position: FingerPosition,
    quality: u8,
) -> Zeroizing<Vec<u8>> {
    let minutiae = template.minutiae();
    let total = HEADER_BYTES + VIEW_HEADER_BYTES + MINUTIA_BYTES * minutiae.len() + 2;
    let side = |cells: usize| u16::try_from(cells * TILE_PX).unwrap_or(SIDE_MAX_PX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(total));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&u32::try_from(total).unwrap_or(u32::MAX).to_be_bytes());
    // No certified capture equipment.
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(&side(template.waves().cols()).to_be_bytes());
    bytes.extend_from_slice(&side(template.waves().rows()).to_be_bytes());
    bytes.extend_from_slice(&PX_PER_CM.to_be_bytes());
    bytes.extend_from_slice(&PX_PER_CM.to_be_bytes());
    bytes.extend_from_slice(&[1, 0]);
    let count = u8::try_from(minutiae.len()).unwrap_or(u8::MAX);
    bytes.extend_from_slice(&[position.0, 0, quality.min(100), count]);
    for minutia in minutiae {
        let kind: u16 = if minutia.bifurcation { 0x8000 } else { 0x4000 };
        bytes.extend_from_slice(&(kind | minutia.x).to_be_bytes());
        bytes.extend_from_slice(&minutia.y.to_be_bytes());
        // Counter-clockwise there, clockwise here.
        bytes.push(minutia.angle.wrapping_neg());
        bytes.push(minutia.quality);
    }
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// Reads every view of a record.
///
/// # Errors
/// [`IsoError`] naming what is wrong with the record.
pub fn import_iso(bytes: &[u8]) -> Result<Vec<IsoView>, IsoError> {
    let mut rest = Reader { bytes, at: 0 };
    if rest.take::<8>()? != MAGIC {
        return Err(IsoError::Edition);
    }
    if u32::from_be_bytes(rest.take()?) as usize != bytes.len() {
        return Err(rest.damaged());
    }
    rest.take::<2>()?;
    let [width, height, across, down] = [rest.u16()?, rest.u16()?, rest.u16()?, rest.u16()?];
    let picture = Picture::new(width, height, across, down)?;
    let [views, _reserved] = rest.take()?;
    if views == 0 || views > VIEWS_MAX {
        return Err(rest.damaged());
    }
    let views = (1..=views)
        .map(|view| read_view(&mut rest, &picture, view))
        .collect::<Result<Vec<_>, _>>()?;
    if rest.at == bytes.len() {
        Ok(views)
    } else {
        Err(rest.damaged())
    }
}

fn read_view(rest: &mut Reader, picture: &Picture, view: u8) -> Result<IsoView, IsoError> {
    let [position, _view_and_impression, quality, count] = rest.take()?;
    let position = FingerPosition::from_code(position).ok_or(rest.damaged())?;
    if quality > 100 {
        return Err(rest.damaged());
    }
    let mut minutiae = Zeroizing::new(Vec::with_capacity(usize::from(count)));
    for _ in 0..count {
        let (kind_x, y) = (rest.u16()?, rest.u16()? & 0x3FFF);
        let [angle, quality] = rest.take()?;
        let at = |v: u16, scale: f32| (f32::from(v) * scale).round() as u16;
        let (x, y) = (at(kind_x & 0x3FFF, picture.scale.0), at(y, picture.scale.1));
        let inside = usize::from(x) < picture.cols * TILE_PX
            && usize::from(y) < picture.rows * TILE_PX
            && x.max(y) < SIDE_MAX_PX;
        if !inside || kind_x >> 14 == 3 || quality > 100 {
            return Err(rest.damaged());
        }
        minutiae.push(Minutia {
            x,
            y,
            angle: angle.wrapping_neg(),
            bifurcation: kind_x >> 14 == 2,
            quality: if quality == 0 {
                QUALITY_UNKNOWN
            } else {
                quality
            },
        });
    }
    let extended = rest.u16()?;
    rest.skip(usize::from(extended))?;
    if minutiae.len() < MINUTIAE_MIN {
        return Err(IsoError::TooFewMinutiae { view, found: count });
    }
    minutiae.sort_by_key(|m| (u8::MAX - m.quality, m.y, m.x));
    minutiae.truncate(MINUTIAE_MAX);
    let waves = outline(&minutiae, picture);
    let minutiae = std::mem::take(&mut *minutiae);
    Ok(IsoView {
        position,
        quality,
        template: Template::build(minutiae, waves),
    })
}

/// A grid that knows where the finger is and about which way its ridges run, and no phases: all
/// cells near a minutia or between several.
fn outline(minutiae: &[Minutia], picture: &Picture) -> Waves {
    let mut cells = vec![Wave::default(); picture.cols * picture.rows];
    for (at, cell) in cells.iter_mut().enumerate() {
        let middle = |n: usize| crate::waves::middle(n) as f32;
        let (x, y) = (middle(at % picture.cols), middle(at / picture.cols));
        let mut sides = 0_u8;
        let mut nearest: Option<(f32, u8)> = None;
        for minutia in minutiae {
            let (dx, dy) = (f32::from(minutia.x) - x, f32::from(minutia.y) - y);
            let distance = dx.hypot(dy);
            sides |= 1 << (u8::from(dx > 0.0) | (u8::from(dy > 0.0) << 1));
            if nearest.is_none_or(|n| distance < n.0) {
                nearest = Some((distance, minutia.angle));
            }
        }
        let Some((distance, angle)) = nearest else {
            continue;
        };
        if distance <= RIM_PX || sides == 0b1111 {
            *cell = Wave {
                // 1/256 turns to 1/256 of the half circle.
                direction: angle.wrapping_mul(2),
                period: 9 * 16,
                phase: 0,
                clear: 1,
            };
        }
    }
    Waves::new(picture.cols, picture.rows, cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A published record's header and first minutia (101_1 of a public set: 300 x 400 pixels, 25
    /// minutiae, 180 bytes), with the other minutiae made up.
    fn record() -> Vec<u8> {
        let mut bytes = vec![
            0x46, 0x4d, 0x52, 0x00, 0x20, 0x32, 0x30, 0x00, 0x00, 0x00, 0x00, 0xb4, 0x00, 0x00,
            0x01, 0x2c, 0x01, 0x90, 0x00, 0xc5, 0x00, 0xc5, 0x01, 0x00, 0x00, 0x00, 0x00, 0x19,
            0x80, 0xa5, 0x00, 0x30, 0x6b, 0x00,
        ];
        for i in 1_u8..25 {
            bytes.extend_from_slice(&[0x40, 40 + 7 * i, 0, 60 + 5 * (i % 7), i, 0]);
        }
        bytes.extend_from_slice(&[0, 0]);
        bytes
    }

    #[test]
    fn a_published_record_is_read() {
        let views = import_iso(&record()).unwrap();
        assert_eq!(views.len(), 1);
        assert_eq!(views[0].position, FingerPosition::UNKNOWN);
        let minutiae = views[0].template.minutiae();
        assert_eq!(minutiae.len(), 25);
        let first = minutiae.iter().find(|m| (m.x, m.y) == (165, 48)).unwrap();
        assert!(first.bifurcation);
        // 150.5 degrees counter-clockwise are 209.5 clockwise.
        assert_eq!(first.angle, 149);
    }

    #[test]
    fn what_is_written_is_read_back_and_keeps_the_published_layout() {
        let template = import_iso(&record()).unwrap().remove(0).template;
        let bytes = export_iso(&template, FingerPosition::from_code(7).unwrap(), 80);
        assert_eq!(bytes.len(), 180);
        assert_eq!(bytes[..14], record()[..14]);
        assert_eq!(bytes[18..24], record()[18..24]);
        assert_eq!(bytes[24..28], [7, 0, 80, 25]);
        let again = import_iso(&bytes).unwrap().remove(0);
        assert_eq!((again.position.code(), again.quality), (7, 80));
        let places = |t: &Template| {
            let mut all: Vec<_> = t
                .minutiae()
                .iter()
                .map(|m| (m.x, m.y, m.angle, m.bifurcation))
                .collect();
            all.sort_unstable();
            all
        };
        assert_eq!(places(&again.template), places(&template));
    }

    #[test]
    fn another_resolution_comes_to_500_dpi() {
        let mut bytes = record();
        bytes[19] = 99;
        bytes[21] = 99;
        let template = import_iso(&bytes).unwrap().remove(0).template;
        assert!(template.minutiae().iter().any(|m| (m.x, m.y) == (328, 96)));
    }

    #[test]
    fn every_truncation_and_every_wrong_field_is_refused() {
        for cut in 0..record().len() {
            assert!(import_iso(&record()[..cut]).is_err(), "cut at {cut}");
        }
        let wrong = [
            (4, b'0'),
            (11, 0xb5),
            (14, 0xff),
            (19, 0),
            (22, 0),
            (22, 17),
            (22, 2),
        ];
        for (at, value) in wrong
            .into_iter()
            .chain([(24, 11), (26, 101), (27, 3), (28, 0xc0)])
        {
            let mut bytes = record();
            bytes[at] = value;
            assert!(import_iso(&bytes).is_err(), "byte {at} as {value}");
        }
    }

    proptest! {
        #[test]
        fn any_changed_byte_gives_a_record_or_an_error(at in 0_usize..180, value: u8) {
            let mut bytes = record();
            bytes[at] = value;
            if let Ok(views) = import_iso(&bytes) {
                prop_assert!(views.iter().all(|v| v.template.minutia_count() >= MINUTIAE_MIN));
            }
        }
    }
}
