//! What is kept of a finger: minutiae and the waves of its ridges.
//!
//! Owns the encoded form (versioned, bounded, total) and the wiping of everything derived from the
//! print. Refuses encodings out of bounds. Made by [`crate::extract`], stored encrypted by the
//! backend as a cache of the enrolled image, compared by [`crate::verify`].

use crate::cylinder::Cylinder;
use crate::waves::{WAVES_BYTES_MAX, Waves};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Most minutiae kept; the best by quality.
pub const MINUTIAE_MAX: usize = 100;
/// Fewest minutiae worth comparing.
pub const MINUTIAE_MIN: usize = 6;
/// Version of the encoded form, its first byte; another one is not read.
pub const TEMPLATE_VERSION: u8 = 2;
/// Bytes of an encoded minutia.
const MINUTIA_BYTES: usize = 6;
/// Largest encoded template in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 2 + MINUTIAE_MAX * MINUTIA_BYTES + WAVES_BYTES_MAX;

/// Why bytes are not a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Written by another version of the engine.
    #[error("template version {found} is not supported, extract again from the enrolled image")]
    Version {
        /// First byte.
        found: u8,
    },
    /// Too short, too long, or counts that do not add up.
    #[error("template of {got} bytes is damaged, extract again from the enrolled image")]
    Damaged {
        /// Bytes given.
        got: usize,
    },
}

/// One minutia, in pixels at 500 dpi.
#[derive(Clone, Copy, Zeroize)]
pub struct Minutia {
    pub x: u16,
    pub y: u16,
    /// 1/256 turns from the x axis towards the y axis (y down); into the ridge for an ending, into
    /// the valley for a bifurcation, so that one turning into the other keeps its angle.
    pub angle: u8,
    pub bifurcation: bool,
    /// 1..=100.
    pub quality: u8,
}

/// A finger ready to be compared. `Debug` shows nothing of it; everything is wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Template {
    minutiae: Vec<Minutia>,
    waves: Waves,
    /// Derived from the two above, not encoded.
    cylinders: Vec<Cylinder>,
}

impl Template {
    pub(crate) fn build(minutiae: Vec<Minutia>, waves: Waves) -> Self {
        let cylinders = crate::cylinder::describe(&minutiae, &waves);
        Self {
            minutiae,
            waves,
            cylinders,
        }
    }

    pub(crate) fn minutiae(&self) -> &[Minutia] {
        &self.minutiae
    }

    pub(crate) const fn waves(&self) -> &Waves {
        &self.waves
    }

    pub(crate) fn cylinders(&self) -> &[Cylinder] {
        &self.cylinders
    }

    /// How many minutiae there are (8..=100 after extraction). Says nothing about whose they are.
    #[must_use]
    pub fn minutia_count(&self) -> usize {
        self.minutiae.len()
    }

    /// The encoded form: version, count, minutiae, waves; big-endian; at most
    /// [`TEMPLATE_BYTES_MAX`] bytes, about 5,000 for a usual print. It is a biometric secret: seal it before it is stored.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(TEMPLATE_BYTES_MAX));
        bytes.push(TEMPLATE_VERSION);
        bytes.push(u8::try_from(self.minutiae.len()).unwrap_or(u8::MAX));
        for minutia in &self.minutiae {
            bytes.extend_from_slice(&minutia.x.to_be_bytes());
            bytes.extend_from_slice(&minutia.y.to_be_bytes());
            bytes.push(minutia.angle);
            bytes.push(minutia.quality | if minutia.bifurcation { 0x80 } else { 0 });
        }
        self.waves.encode(&mut bytes);
        bytes
    }

    /// Reads the encoded form. Total: any bytes give a template or an error.
    ///
    /// # Errors
    /// [`TemplateError::Version`] for another version, [`TemplateError::Damaged`] otherwise.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TemplateError> {
        let damaged = TemplateError::Damaged { got: bytes.len() };
        let (&version, rest) = bytes.split_first().ok_or(damaged)?;
        if version != TEMPLATE_VERSION {
            return Err(TemplateError::Version { found: version });
        }
        parse(rest).ok_or(damaged)
    }
}

fn parse(bytes: &[u8]) -> Option<Template> {
    let (&count, rest) = bytes.split_first()?;
    let count = usize::from(count);
    if !(MINUTIAE_MIN..=MINUTIAE_MAX).contains(&count) {
        return None;
    }
    let (points, rest) = rest.split_at_checked(count.checked_mul(MINUTIA_BYTES)?)?;
    let minutiae = points
        .chunks_exact(MINUTIA_BYTES)
        .map(minutia)
        .collect::<Option<Vec<_>>>()?;
    Some(Template::build(minutiae, Waves::decode(rest)?))
}

fn minutia(bytes: &[u8]) -> Option<Minutia> {
    let &[x1, x0, y1, y0, angle, flags] = bytes.first_chunk::<MINUTIA_BYTES>()?;
    let (x, y) = (u16::from_be_bytes([x1, x0]), u16::from_be_bytes([y1, y0]));
    let quality = flags & 0x7F;
    let limit = crate::image::SIDE_MAX_PX;
    if x >= limit || y >= limit || !(1..=100).contains(&quality) {
        return None;
    }
    Some(Minutia {
        x,
        y,
        angle,
        bifurcation: flags & 0x80 != 0,
        quality,
    })
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Template(..)")
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Zeroizing::new(Vec::<u8>::deserialize(deserializer)?);
        Self::from_bytes(&bytes).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        let mut bytes = vec![TEMPLATE_VERSION, 8];
        for i in 0_u8..8 {
            let (x, y) = (20_u8.wrapping_add(i.wrapping_mul(9)), 30_u8.wrapping_add(i));
            bytes.extend_from_slice(&[0, x, 0, y, i.wrapping_mul(17), 60 | (i & 1)]);
        }
        // A grid of 14 x 6 cells, a finger in all of the middle one.
        bytes.extend_from_slice(&[14, 6, 5, 3, 1, 1, 40, 144, 250, 255]);
        bytes
    }

    #[test]
    fn a_template_survives_its_encoded_form() {
        let template = Template::from_bytes(&sample()).unwrap();
        assert_eq!(template.minutia_count(), 8);
        assert_eq!(template.to_bytes().as_slice(), sample().as_slice());
    }

    #[test]
    fn debug_shows_nothing_of_a_template() {
        let template = Template::from_bytes(&sample()).unwrap();
        assert_eq!(format!("{template:?}"), "Template(..)");
    }

    #[test]
    fn another_version_and_every_truncation_are_refused() {
        let mut other = sample();
        other[0] = 1;
        let error = Template::from_bytes(&other).unwrap_err();
        assert_eq!(error, TemplateError::Version { found: 1 });
        for cut in 0..sample().len() {
            assert!(Template::from_bytes(&sample()[..cut]).is_err());
        }
        let mut long = sample();
        long.push(0);
        assert!(Template::from_bytes(&long).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_template_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..900)) {
            let _ = Template::from_bytes(&bytes);
        }

        #[test]
        fn a_changed_template_is_refused_or_still_compares(at in 0_usize..58, value: u8) {
            let mut bytes = sample();
            bytes[at] = value;
            if let Ok(template) = Template::from_bytes(&bytes) {
                let score = crate::verify(&template, std::slice::from_ref(&template));
                prop_assert!(score.value().is_finite());
            }
        }
    }
}
