//! Whether an image is good enough to compare, and what the person should do better.
//!
//! Owns the score and the advice. Refuses nothing: every image has a quality. Called by the kiosk
//! after each capture (S11, S12), before anything is sent.

use crate::extract::{Sight, TILE_MM2, sight};
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

/// Facts the advice is made from.
#[derive(Debug)]
pub struct Facts {
    /// Finger area, square millimetres.
    pub area: f32,
    /// Distance of the finger's middle from the window's middle, share of the half width.
    pub aside: f32,
    /// Mean coherence inside.
    pub clear: f32,
    /// Share of the finger with a measurable ridge period.
    pub measured: f32,
    /// Mean grey inside, 0..=255.
    pub grey: f32,
    /// Mean local deviation of grey inside.
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
    let cells = mask.cells.iter().enumerate().filter(|(_, inside)| **inside);
    for (i, _) in cells {
        tiles += 1.0;
        x += i.checked_rem(mask.cols).unwrap_or(0) as f32 + 0.5;
        clear += seen.field.coherence.data.get(i).copied().unwrap_or(0.0);
        contrast += seen.ground.contrast.data.get(i).copied().unwrap_or(0.0);
    }
    let (mut sum, mut count) = (0.0_f32, 0.0_f32);
    for (row, line) in grey.data.chunks_exact(grey.w).enumerate() {
        for (col, value) in line.iter().enumerate() {
            if mask.covers(col, row) {
                sum += value;
                count += 1.0;
            }
        }
    }
    let tiles = tiles.max(1.0);
    let half = mask.cols as f32 / 2.0;
    Facts {
        area: tiles * TILE_MM2,
        aside: (x / tiles - half).abs() / half,
        clear: clear / tiles,
        measured: seen.periods.measured,
        grey: sum / count.max(1.0),
        contrast: contrast / tiles,
    }
}

fn judge(facts: &Facts) -> Quality {
    let ramp = |v: f32, low: f32, high: f32| ((v - low) / (high - low)).clamp(0.0, 1.0);
    let area = ramp(facts.area, 30.0, 110.0);
    let clear = ramp(facts.clear, 0.3, 0.75);
    let measured = ramp(facts.measured, 0.4, 0.9);
    let contrast = ramp(facts.contrast, 12.0, 45.0);
    let score = 100.0 * (area * clear * measured * contrast).powf(0.5);
    let advice = if facts.area < 60.0 && facts.aside < 0.25 {
        Advice::TooSmall
    } else if facts.aside > 0.3 {
        Advice::Centre
    } else if facts.grey < 105.0 && facts.contrast < 24.0 {
        Advice::Dry
    } else if facts.grey < 95.0 {
        Advice::PressLess
    } else if facts.contrast < 32.0 || facts.clear < 0.5 {
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
