//! How a finger touches a sensor.
//!
//! Owns the ranges: every field is clamped where it is used, so any value is safe. Called by twins
//! and tests to describe the touch they want.

use super::random::Random;

/// The sensor that takes the impression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sensor {
    /// Pixels per row, clamped to 64..=1024.
    pub width: u16,
    /// Rows, clamped to 64..=1024.
    pub height: u16,
    /// Dots per inch, clamped to 250..=1200.
    pub dpi: u16,
}

impl Sensor {
    /// The window of the `EF 01` modules (R305, R307, AS608, ZFM-20): 256 x 288 at 500 dpi.
    pub const EF01: Self = Self {
        width: 256,
        height: 288,
        dpi: 500,
    };
    /// U.are.U 4500: 384 x 290 at 512 dpi.
    pub const URU4500: Self = Self {
        width: 384,
        height: 290,
        dpi: 512,
    };
}

/// One touch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
    /// Finger moved to the right on the window, millimetres, -15..=15.
    pub dx_mm: f32,
    /// Finger moved down on the window, millimetres, -15..=15.
    pub dy_mm: f32,
    /// Finger turned clockwise, degrees.
    pub rotation_deg: f32,
    /// Force, 0 (hovering) to 1 (crushed); 0.5 is typical.
    pub pressure: f32,
    /// Skin moisture, 0 (parched) to 1 (dripping); 0.5 is typical.
    pub moisture: f32,
    /// Skin stretch, 0 (none) to 1 (about 1 mm at the rim).
    pub distortion: f32,
    /// Share of the pad that touches, 0..=1; 1 is a full press.
    pub coverage: f32,
    /// Sensor noise, 0 (none) to 1; 0.3 is typical.
    pub noise: f32,
    /// Seed of everything accidental in this touch.
    pub noise_seed: u64,
    /// The sensor.
    pub sensor: Sensor,
}

impl Default for Contact {
    fn default() -> Self {
        Self {
            dx_mm: 0.0,
            dy_mm: 0.0,
            rotation_deg: 0.0,
            pressure: 0.5,
            moisture: 0.5,
            distortion: 0.0,
            coverage: 1.0,
            noise: 0.3,
            noise_seed: 0,
            sensor: Sensor::EF01,
        }
    }
}

impl Contact {
    /// A typical touch by a willing person: about 1 mm off, a few degrees turned.
    #[must_use]
    pub fn natural(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x6E61_7475_7261_6C00);
        Self {
            dx_mm: 0.9 * random.bell(),
            dy_mm: 1.1 * random.bell(),
            rotation_deg: 6.0 * random.bell(),
            pressure: random.between(0.40, 0.62),
            moisture: random.between(0.40, 0.62),
            distortion: random.between(0.10, 0.60),
            coverage: random.between(0.85, 1.0),
            noise: random.between(0.2, 0.5),
            noise_seed: random.next(),
            sensor: Sensor::EF01,
        }
    }

    /// A touch that needs another try, its fault drawn by the seed.
    #[must_use]
    pub fn poor(seed: u64) -> Self {
        match seed % 4 {
            0 => Self::dry(seed),
            1 => Self::wet(seed),
            2 => Self::off_centre(seed),
            _ => Self::light(seed),
        }
    }

    /// Parched skin: faint, broken ridges.
    #[must_use]
    pub fn dry(seed: u64) -> Self {
        Self {
            moisture: 0.06,
            pressure: 0.30,
            ..Self::natural(seed)
        }
    }

    /// Wet skin: ridges run together.
    #[must_use]
    pub fn wet(seed: u64) -> Self {
        Self {
            moisture: 0.97,
            ..Self::natural(seed)
        }
    }

    /// Pressed far too hard: valleys closed.
    #[must_use]
    pub fn hard(seed: u64) -> Self {
        Self {
            pressure: 0.99,
            ..Self::natural(seed)
        }
    }

    /// Hardly touching: a small, faint print.
    #[must_use]
    pub fn light(seed: u64) -> Self {
        Self {
            pressure: 0.08,
            coverage: 0.75,
            ..Self::natural(seed)
        }
    }

    /// The finger half off the window.
    #[must_use]
    pub fn off_centre(seed: u64) -> Self {
        let side = if seed & 8 == 0 { 7.5 } else { -7.5 };
        Self {
            dx_mm: side,
            ..Self::natural(seed)
        }
    }

    /// Only the tip touches: too little to compare.
    #[must_use]
    pub fn tip(seed: u64) -> Self {
        Self {
            coverage: 0.12,
            ..Self::natural(seed)
        }
    }
}
