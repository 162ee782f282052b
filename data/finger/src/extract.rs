//! From an image to a template.
//!
//! Owns the order of the steps: even out, find the finger, measure direction and period, enhance
//! along the ridges, thin, read minutiae. Refuses images without a comparable finger. Called by
//! the backend's matcher pool (S13 enrolment, S14 live print) through [`crate::extract`].

pub mod field;
pub mod ground;
mod points;
mod skeleton;
pub mod spectrum;

use crate::gabor::{Bank, Shape, Steer};
use crate::image::Image;
use crate::plane::Plane;
use crate::template::{MINUTIAE_MIN, Template};
use crate::waves::{Wave, Waves, middle};
use field::{Directions, Periods};
use ground::{Ground, Mask};

/// Smallest finger area that is worth comparing, square millimetres.
pub const AREA_MIN_MM2: f32 = 30.0;
/// Square millimetres of a tile at 500 dpi.
pub const TILE_MM2: f32 = 0.165_16;
/// Deviation of grey of the strongest tenth of a picture below which it is blank.
const STRONG_MIN: f32 = 2.5;
/// One tile in so many of what is not blank must have ridges, or it is not a finger.
const RIDGED_MIN: usize = 5;
/// Share of the finger where ridges must repeat, or it is not a finger.
const MEASURED_MIN: f32 = 0.35;

/// Why an image gives no template. The person can try again; what to say comes from
/// [`crate::quality`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTemplate {
    /// Nothing on the window.
    #[error("no finger in the image, capture again")]
    NoFinger,
    /// Something without parallel ridges: noise, a palm, an object.
    #[error("no ridges in the image, clean the window and capture again")]
    NoRidges,
    /// Less than [`AREA_MIN_MM2`].
    #[error("finger covers {mm2} square millimetres, at least 30 needed, place the whole finger")]
    TooSmall {
        /// Area found.
        mm2: u16,
    },
    /// Fewer than [`crate::template::MINUTIAE_MIN`].
    #[error("only {found} minutiae, capture again")]
    TooFewMinutiae {
        /// Minutiae found.
        found: u8,
    },
}

/// The finger in an image, before enhancement.
pub struct Sight {
    pub ground: Ground,
    pub field: Directions,
    pub mask: Mask,
    pub periods: Periods,
}

/// Looks for the finger.
pub fn sight(grey: &Plane) -> Result<Sight, NoTemplate> {
    let ground = ground::level(grey);
    if ground.strong < STRONG_MIN {
        return Err(NoTemplate::NoFinger);
    }
    let spectrum = spectrum::spectrum(&ground.even);
    let field = spectrum.directions(&ground.even);
    let mask = ground::foreground(&ground, &field.coherence);
    if mask.area().saturating_mul(RIDGED_MIN) < ground.touched() {
        return Err(NoTemplate::NoRidges);
    }
    let periods = spectrum.periods(&mask);
    if periods.measured < MEASURED_MIN {
        return Err(NoTemplate::NoRidges);
    }
    Ok(Sight {
        ground,
        field,
        mask,
        periods,
    })
}

/// Extracts the template of the one finger in the image.
///
/// # Errors
/// [`NoTemplate`] if there is no finger, no ridges, too little area or too few minutiae.
pub fn extract(image: &Image) -> Result<Template, NoTemplate> {
    let grey = Plane::from_image(image);
    let seen = sight(&grey)?;
    let mm2 = seen.mask.area() as f32 * TILE_MM2;
    if mm2 < AREA_MIN_MM2 {
        return Err(NoTemplate::TooSmall { mm2: mm2 as u16 });
    }
    let mut bank = Bank::new(Shape {
        radius: 9,
        along: 4.5,
        across: 3.6,
    });
    let first = enhance(&mut bank, &seen.ground.even, &seen, &seen.field);
    let field = field::directions(&first, 0.9);
    let second = enhance(&mut bank, &seen.ground.even, &seen, &field);
    let mut skeleton = skeleton::Skeleton::thin(&second, &seen.mask);
    let minutiae = points::find(&mut skeleton, &field, &seen.field, &seen.mask);
    if minutiae.len() < MINUTIAE_MIN {
        let found = u8::try_from(minutiae.len()).unwrap_or(u8::MAX);
        return Err(NoTemplate::TooFewMinutiae { found });
    }
    let waves = phases(&seen.ground.even, &seen, &field);
    Ok(Template::build(minutiae, waves))
}

/// The wave in the middle of every tile of the finger.
fn phases(even: &Plane, seen: &Sight, field: &Directions) -> Waves {
    use std::f32::consts::{PI, TAU};
    let mut bank = Bank::new(Shape {
        radius: 10,
        along: 5.0,
        across: 4.0,
    });
    let (cols, rows) = (seen.mask.cols, seen.mask.rows);
    let mut cells = Vec::with_capacity(seen.mask.cells.len());
    let places = (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row)));
    for (col, row) in places {
        if !seen.mask.at(col, row) {
            cells.push(Wave::default());
            continue;
        }
        let direction = field.at_tile(col as f32, row as f32);
        let period = seen.periods.period.at(col, row).clamp(4.0, 15.9);
        let steer = Steer { direction, period };
        let (re, im, power) = bank.wave(even, middle(col), middle(row), steer);
        // A pure wave of amplitude a answers a and has power a^2 / 2.
        let clear = (0.5 * re.hypot(im).powi(2) / power.max(0.05))
            .sqrt()
            .min(1.0);
        let half = ((direction / PI).rem_euclid(1.0) * 256.0).round() as u16;
        // Turned by half a circle the wave runs backwards.
        let turn = im.atan2(re) / TAU * if half == 256 { -1.0 } else { 1.0 };
        cells.push(Wave {
            direction: (half % 256) as u8,
            period: (period * 16.0).min(255.0) as u8,
            phase: ((turn.rem_euclid(1.0) * 256.0).round() as u16 % 256) as u8,
            clear: ((clear * 255.0) as u8).max(1),
        });
    }
    Waves::new(cols, rows, cells)
}

fn enhance(bank: &mut Bank, even: &Plane, seen: &Sight, field: &Directions) -> Plane {
    bank.apply(even, |col, row| {
        seen.mask.at(col, row).then(|| Steer {
            direction: field.at_tile(col as f32, row as f32),
            period: seen.periods.period.at(col, row),
        })
    })
}
