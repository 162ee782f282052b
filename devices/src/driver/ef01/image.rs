//! The image a module uploads: two pixels a byte, high nibble first.

use counterfoil_data::secret::Secret;
use zeroize::Zeroizing;

use super::error::Ef01Error;
use crate::driver::finger::FingerImage;

/// Largest upload of a known sensor.
pub const UPLOAD_MAX: usize = 46_080;
/// Nominal resolution of the family.
const DPI: u16 = 500;

/// Width and height by the total: packets are not rows, only the total tells.
fn size(total: usize) -> Option<(u16, u16)> {
    match total {
        36_864 => Some((256, 288)),
        18_432 => Some((192, 192)),
        46_080 => Some((256, 360)),
        _ => None,
    }
}

/// Expands an upload; a nibble `v` becomes `v * 17`.
pub fn unpack(packed: &Zeroizing<Vec<u8>>) -> Result<FingerImage, Ef01Error> {
    let (width, height) = size(packed.len()).ok_or(Ef01Error::Size(packed.len()))?;
    let grey = |nibble: u8| nibble.saturating_mul(17);
    let mut pixels = Vec::with_capacity(packed.len().saturating_mul(2));
    pixels.extend(packed.iter().flat_map(|b| [grey(b >> 4), grey(b & 0x0F)]));
    Ok(FingerImage {
        width,
        height,
        dpi: DPI,
        pixels: Secret::new(pixels),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_nibble_is_the_left_pixel_and_full_scale_is_white() {
        let mut packed = vec![0x0F; 18_432];
        packed[0] = 0xA3;
        let image = unpack(&Zeroizing::new(packed)).unwrap();
        assert_eq!((image.width, image.height, image.dpi), (192, 192, 500));
        assert_eq!(image.pixels.expose()[..4], [170, 51, 0, 255]);
        assert_eq!(image.pixels.expose().len(), 192 * 192);
    }

    #[test]
    fn only_the_totals_of_known_sensors_are_images() {
        for (total, size) in [(36_864, (256, 288)), (46_080, (256, 360))] {
            let image = unpack(&Zeroizing::new(vec![0; total])).unwrap();
            assert_eq!((image.width, image.height), size);
        }
        for total in [0, 18_431, 36_736, 36_865, 73_728] {
            let error = unpack(&Zeroizing::new(vec![0; total])).unwrap_err();
            assert_eq!(error, Ef01Error::Size(total));
        }
    }
}
