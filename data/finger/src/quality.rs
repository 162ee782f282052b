//! Whether an image is good enough to compare, and what the person should do better.
//!
//! Owns the score and the advice. Refuses nothing: every image has a quality. Called by the kiosk
//! after each capture (S11, S12), before anything is sent.

use crate::extract::{Sight, TILE_MM2, sight};
use crate::gabor::TILE_PX;
use crate::image::Image;
use crate::plane::Plane;
use serde::{Deserialize, Serialize};

/// What to tell the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Advice {
    /// Nothing: compare it.
    Good,
    /// No finger on the window.
    NoFinger,
    /// Only the tip or the rim: lay the whole finger flat.
    TooSmall,
    /// Put the middle of the finger on the window.
    Centre,
    /// Faint or broken ridges: press harder; breathe on a dry finger.
    PressHarder,
    /// Ridges crushed together: press less.
    PressLess,
    /// Wet: dry the finger or the window.
    Dry,
}

/// Quality of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// 0 (useless) to 100. [`Quality::ACCEPT`] and more is worth comparing.
    pub score: u8,
    /// What to do better.
    pub advice: Advice,
}

impl Quality {
    /// Score from which an image is compared instead of asked for again.
    pub const ACCEPT: u8 = 45;

    /// True if the image is worth comparing.
    #[must_use]
    pub fn is_acceptable(&self) -> bool {
        self.score >= Self::ACCEPT
    }
}

/// Grey of the empty window where the image shows none of it; typical of optical sensors.
const GLASS_ASSUMED: f32 = 230.0;
/// Tiles of empty window needed to measure its grey.
const GLASS_TILES_MIN: f32 = 60.0;

/// Facts the advice is made from.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Finger area, square millimetres.
    pub area: f32,
    /// Distance of the finger's middle from the window's middle, share of the half width.
    pub aside: f32,
    /// Mean coherence inside, 0..=1.
    pub clear: f32,
    /// Share of the finger with a measurable ridge period, 0..=1.
    pub measured: f32,
    /// Grey between the empty window and the darkest ridges, 0..=255.
    pub depth: f32,
    /// How far the valleys are filled: 0 as light as the empty window, 1 as dark as the ridges.
    pub filled: f32,
    /// Mean local deviation of grey inside, as a share of `depth`.
    pub contrast: f32,
}

/// Rates an image.
#[must_use]
pub fn quality(image: &Image) -> Quality {
    let grey = Plane::from_image(image);
    match sight(&grey) {
        Ok(seen) => judge(&facts(&grey, &seen)),
        Err(_) => Quality {
            score: 0,
            advice: Advice::NoFinger,
        },
    }
}

/// Measured facts of an image, for measuring only.
#[must_use]
pub fn facts_of(image: &Image) -> Option<Facts> {
    let grey = Plane::from_image(image);
    sight(&grey).ok().map(|seen| facts(&grey, &seen))
}

fn facts(grey: &Plane, seen: &Sight) -> Facts {
    let mask = &seen.mask;
    let (mut tiles, mut x, mut clear, mut contrast) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
    let cells = mask.cells.iter().enumerate().filter(|(_, c)| **c);
    for (i, _) in cells {
        tiles += 1.0;
        x += i.checked_rem(mask.cols).unwrap_or(0) as f32 + 0.5;
        clear += seen.field.coherence.data.get(i).copied().unwrap_or(0.0);
        contrast += seen.ground.contrast.data.get(i).copied().unwrap_or(0.0);
    }
    let tiles = tiles.max(1.0);
    let half = mask.cols as f32 / 2.0;
    let (inside, outside) = histograms(grey, seen);
    let pixels_per_tile = (TILE_PX * TILE_PX) as f32;
    let glass = if outside.total() >= GLASS_TILES_MIN * pixels_per_tile {
        outside.quantile(0.5)
    } else {
        GLASS_ASSUMED
    };
    let ridge = inside.quantile(0.05);
    let depth = (glass - ridge).max(1.0);
    Facts {
        area: tiles * TILE_MM2,
        aside: (x / tiles - half).abs() / half,
        clear: clear / tiles,
        measured: seen.periods.measured,
        depth,
        filled: ((glass - inside.quantile(0.85)) / depth).clamp(0.0, 1.0),
        contrast: contrast / tiles / depth,
    }
}

/// How often each grey occurs.
struct Histogram([u32; 256]);

impl Histogram {
    fn total(&self) -> f32 {
        self.0.iter().map(|&n| n as f32).sum()
    }

    /// The grey below which `share` of the pixels lie.
    fn quantile(&self, share: f32) -> f32 {
        let wanted = self.total() * share;
        let mut seen = 0.0;
        for (grey, &n) in self.0.iter().enumerate() {
            seen += n as f32;
            if seen >= wanted {
                return grey as f32;
            }
        }
        255.0
    }
}

/// The greys of the finger and of the empty window.
fn histograms(grey: &Plane, seen: &Sight) -> (Histogram, Histogram) {
    let (mut inside, mut outside) = (Histogram([0; 256]), Histogram([0; 256]));
    for (y, line) in grey.data.chunks_exact(grey.w).enumerate() {
        for (x, value) in line.iter().enumerate() {
            let counts = if seen.mask.covers(x, y) {
                &mut inside
            } else {
                &mut outside
            };
            if let Some(count) = counts.0.get_mut(value.clamp(0.0, 255.0) as usize) {
                *count = count.saturating_add(1);
            }
        }
    }
    (inside, outside)
}

fn judge(facts: &Facts) -> Quality {
    let ramp = |v: f32, low: f32, high: f32| ((v - low) / (high - low)).clamp(0.0, 1.0);
    let area = ramp(facts.area, 30.0, 110.0);
    let clear = ramp(facts.clear, 0.3, 0.75);
    let measured = ramp(facts.measured, 0.4, 0.9);
    let contrast = ramp(facts.contrast, 0.05, 0.25) * ramp(facts.depth, 20.0, 90.0);
    let score = 100.0 * (area * clear * measured * contrast).sqrt();
    let advice = if facts.aside > 0.35 {
        Advice::Centre
    } else if facts.area < 60.0 {
        Advice::TooSmall
    } else if facts.filled > 0.45 {
        Advice::Dry
    } else if facts.filled > 0.25 {
        Advice::PressLess
    } else if facts.depth < 70.0 || facts.clear < 0.5 {
        Advice::PressHarder
    } else {
        Advice::Good
    };
    let score = score as u8;
    let cap = if advice == Advice::Good {
        100
    } else {
        Quality::ACCEPT - 1
    };
    Quality {
        score: score.min(cap),
        advice,
    }
}
