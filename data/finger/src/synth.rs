//! Synthetic fingers: a seed gives one finger for ever, a contact gives one impression of it.
//!
//! Owns the ridge pattern of an invented finger, so that no test, demo or twin ever needs a real
//! person's print. Method: a direction field from core and delta points, a period map, and ridges
//! grown out of seeded noise by repeated oriented filtering (the idea of `SFinGe`, Cappelli et al.
//! 2000); the code and the parameters are our own. Refuses nothing; every value is clamped.
//! Called by the twins, the demo bank, the tests and `examples/measure`.

mod contact;
mod flow;
mod press;
mod random;

pub use contact::{Contact, Sensor};
pub use flow::Pattern;

use crate::gabor::{Bank, Shape, Steer, TILE_PX};
use crate::image::Image;
use crate::plane::Plane;
use random::Random;

/// Width of the whole finger pad, pixels at 500 dpi (20 mm).
const MASTER_WIDTH_PX: usize = 400;
/// Height of the whole finger pad, pixels at 500 dpi (28 mm).
const MASTER_HEIGHT_PX: usize = 560;
/// Rounds of filtering. Fewer leave noise, more lose minutiae.
const ROUNDS: usize = 6;

/// One invented finger: its ridges, complete and undistorted.
pub struct Finger {
    ridges: Plane,
    core: (f32, f32),
    pattern: Pattern,
}

impl Finger {
    /// Grows the finger of this seed. The same seed gives the same finger on every run.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x00C0_FFEE_F146_E400);
        let flow = flow::Flow::draw(&mut random, MASTER_WIDTH_PX as f32, MASTER_HEIGHT_PX as f32);
        Self {
            ridges: grow(&flow, &mut random),
            core: flow.core,
            pattern: flow.pattern,
        }
    }

    /// The class of the pattern.
    #[must_use]
    pub const fn pattern(&self) -> Pattern {
        self.pattern
    }

    /// What a sensor sees when this finger touches it in this way.
    #[must_use]
    pub fn impression(&self, contact: &Contact) -> Image {
        press::press(&self.ridges, self.core, contact)
    }
}

impl std::fmt::Debug for Finger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finger")
            .field("pattern", &self.pattern)
            .finish_non_exhaustive()
    }
}

/// Ridges between -1 (valley) and 1 (ridge).
fn grow(flow: &flow::Flow, random: &mut Random) -> Plane {
    let mut ridges = Plane::filled(MASTER_WIDTH_PX, MASTER_HEIGHT_PX, 0.0);
    for value in &mut ridges.data {
        *value = random.bell();
    }
    let mut bank = Bank::new(Shape {
        radius: 10,
        along: 5.0,
        across: 4.2,
    });
    let half = TILE_PX as f32 / 2.0;
    for round in 0..ROUNDS {
        let mut next = bank.apply(&ridges, |tx, ty| {
            let x = (tx as f32).mul_add(TILE_PX as f32, half);
            let y = (ty as f32).mul_add(TILE_PX as f32, half);
            Some(Steer {
                direction: flow.direction(x, y),
                period: flow.period(x, y),
            })
        });
        let gain = if round == 0 { 8.0 } else { 2.5 };
        for value in &mut next.data {
            *value = (*value * gain).tanh();
        }
        ridges = next;
    }
    ridges
}
