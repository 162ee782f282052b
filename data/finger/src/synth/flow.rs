//! The direction and the period of the ridges of an invented finger, everywhere on the pad.
//!
//! Direction: the zero-pole model of Sherlock and Monro (1993): each core turns the field by half
//! its bearing, each delta turns it back; an arch has neither and is a bent sheet. A slow seeded
//! disturbance makes every finger its own. Called by [`super::Finger::from_seed`] only.

use super::random::Random;
use crate::gabor::{PERIOD_MAX_PX, PERIOD_MIN_PX};
use std::f32::consts::TAU;

/// The classes of Henry and Galton that occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// No loop: ridges cross the pad and rise in the middle.
    Arch,
    /// Loop opening to the left of the image.
    LeftLoop,
    /// Loop opening to the right of the image.
    RightLoop,
    /// Two cores.
    Whorl,
}

/// Slow waves added to a quantity.
struct Waves(Vec<(f32, f32, f32, f32)>);

impl Waves {
    /// `count` waves, lengths of 150 to 500 pixels, summed amplitude about `amplitude`.
    fn draw(random: &mut Random, count: usize, amplitude: f32) -> Self {
        let each = amplitude / (count as f32).sqrt();
        Self(
            (0..count)
                .map(|_| {
                    let bearing = random.between(0.0, TAU);
                    let number = TAU / random.between(150.0, 500.0);
                    let phase = random.between(0.0, TAU);
                    (number * bearing.cos(), number * bearing.sin(), phase, each)
                })
                .collect(),
        )
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        self.0
            .iter()
            .map(|&(kx, ky, phase, amplitude)| amplitude * (kx * x + ky * y + phase).sin())
            .sum()
    }
}

/// Direction and period fields of one finger; coordinates in pixels of the pad, y down.
pub struct Flow {
    pub pattern: Pattern,
    pub core: (f32, f32),
    cores: Vec<(f32, f32)>,
    deltas: Vec<(f32, f32)>,
    bend: f32,
    size: (f32, f32),
    period: f32,
    turn: Waves,
    stretch: Waves,
}

impl Flow {
    pub fn draw(random: &mut Random, width: f32, height: f32) -> Self {
        // Shares close to those of a population: loops 65 %, whorls 30 %, arches 5 %.
        let pattern = match random.unit() {
            u if u < 0.06 => Pattern::Arch,
            u if u < 0.38 => Pattern::LeftLoop,
            u if u < 0.70 => Pattern::RightLoop,
            _ => Pattern::Whorl,
        };
        let core = (
            width / 2.0 + 8.0 * random.bell(),
            height * 0.45 + 12.0 * random.bell(),
        );
        let side = random.between(85.0, 140.0);
        let drop = random.between(90.0, 150.0);
        let (cores, deltas) = match pattern {
            Pattern::Arch => (vec![], vec![]),
            Pattern::LeftLoop => (vec![core], vec![(core.0 + side, core.1 + drop)]),
            Pattern::RightLoop => (vec![core], vec![(core.0 - side, core.1 + drop)]),
            Pattern::Whorl => {
                let lean = random.between(-14.0, 14.0);
                let gap = random.between(14.0, 50.0);
                let other = random.between(95.0, 150.0);
                let lift = random.between(-20.0, 20.0);
                (
                    vec![
                        (core.0 - lean, core.1 - gap / 2.0),
                        (core.0 + lean, core.1 + gap / 2.0),
                    ],
                    vec![
                        (core.0 - side, core.1 + drop),
                        (core.0 + other, core.1 + drop + lift),
                    ],
                )
            }
        };
        Self {
            pattern,
            core,
            cores,
            deltas,
            bend: if pattern == Pattern::Arch {
                random.between(0.75, 1.15)
            } else {
                random.between(0.10, 0.35)
            },
            size: (width, height),
            period: random.between(8.0, 10.0),
            turn: Waves::draw(random, 6, 0.16),
            stretch: Waves::draw(random, 5, 0.10),
        }
    }

    /// Ridge direction, radians, x right, y down.
    pub fn direction(&self, x: f32, y: f32) -> f32 {
        let bearing = |&(px, py): &(f32, f32)| (py - y).atan2(x - px);
        let turned: f32 = self.cores.iter().map(bearing).sum::<f32>()
            - self.deltas.iter().map(bearing).sum::<f32>();
        let (width, height) = self.size;
        let aside = ((x - self.core.0) / (width * 0.5)).clamp(-1.0, 1.0);
        let below = (y - self.core.1) / (height * 0.30);
        let fade = (-below * below).exp();
        let arch = -self.bend * fade * (aside * std::f32::consts::PI * 0.75).sin();
        // The model is written with y up; the image has y down.
        -(0.5 * turned + arch + self.turn.at(x, y))
    }

    /// Pixels from ridge to ridge.
    pub fn period(&self, x: f32, y: f32) -> f32 {
        let below = ((y - self.core.1) / self.size.1).clamp(0.0, 0.5);
        let period = self.period * (1.0 + self.stretch.at(x, y) + 0.25 * below);
        period.clamp(PERIOD_MIN_PX, PERIOD_MAX_PX)
    }
}
