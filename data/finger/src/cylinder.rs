//! What the surroundings of one minutia look like, independent of where the finger lies.
//!
//! Owns the bit form of the Minutia Cylinder-Code (Cappelli, Ferrara, Maltoni 2010, "Minutia
//! Cylinder-Code: a new representation and matching technique"): for every place around a minutia
//! and every direction, whether another minutia is there pointing that way. Own implementation.
//! Called by [`crate::template`] once per template and by [`crate::matching`].

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "bit numbers are below CELLS * CELLS * SECTORS = 384 = 6 words of 64 bits"
)]

use crate::template::Minutia;
use crate::waves::Waves;
use std::f32::consts::{PI, TAU};
use zeroize::Zeroize;

/// Radius that is described, pixels at 500 dpi (3.6 mm).
pub const RADIUS_PX: f32 = 70.0;
/// Cells along a side of the base square.
const CELLS: usize = 8;
/// Direction sectors.
const SECTORS: usize = 6;
/// Words of 64 bits.
const WORDS: usize = CELLS * CELLS * SECTORS / 64;
/// Spread of a minutia's position, pixels.
const SPREAD_PX: f32 = 28.0 / 3.0;
/// Spread of a minutia's direction, radians.
const SPREAD_ANGLE: f32 = 2.0 * PI / 9.0;
/// Contribution from which a bit is set.
const BIT_FROM: f32 = 0.01;
/// Share of a minutia's cells that must be on the finger.
const ON_FINGER_MIN: f32 = 0.6;
/// Fewest neighbours that make a description.
const NEIGHBOURS_MIN: usize = 2;
/// Bits that must be known on both sides of a comparison.
const COMMON_MIN: u32 = 60 * SECTORS as u32 / 3;
/// Most that one finger may be turned against the other, in 1/256 turns (90 degrees).
const TURN_MAX: u8 = 64;

/// The description; `known` marks the bits whose place is on the finger.
#[derive(Clone, Copy, Zeroize)]
pub struct Cylinder {
    bits: [u64; WORDS],
    known: [u64; WORDS],
    /// The same, a bit for each place.
    places: u64,
    usable: bool,
}

/// Describes every minutia.
pub fn describe(minutiae: &[Minutia], waves: &Waves) -> Vec<Cylinder> {
    let sectors = sector_table();
    minutiae
        .iter()
        .map(|m| cylinder(m, minutiae, waves, &sectors))
        .collect()
}

/// Likeness of two descriptions, 0..=1; 0 where they cannot be compared.
pub fn likeness(a: &Cylinder, b: &Cylinder, angle_a: u8, angle_b: u8) -> f32 {
    let turn = angle_a.wrapping_sub(angle_b);
    if !a.usable || !b.usable || turn.min(turn.wrapping_neg()) > TURN_MAX {
        return 0.0;
    }
    if (a.places & b.places).count_ones() * (SECTORS as u32) < COMMON_MIN {
        return 0.0;
    }
    let (mut ones_a, mut ones_b, mut differ) = (0, 0, 0);
    for i in 0..WORDS {
        let known = a.known[i] & b.known[i];
        ones_a += (a.bits[i] & known).count_ones();
        ones_b += (b.bits[i] & known).count_ones();
        differ += ((a.bits[i] ^ b.bits[i]) & known).count_ones();
    }
    if ones_a + ones_b == 0 {
        return 0.0;
    }
    let norm = (ones_a as f32).sqrt() + (ones_b as f32).sqrt();
    1.0 - (differ as f32).sqrt() / norm
}

/// Share of a minutia's direction that falls into each sector, by difference in 1/256 turns.
fn sector_table() -> Vec<[f32; SECTORS]> {
    let width = TAU / SECTORS as f32;
    (0..256)
        .map(|turn| {
            let angle = turn as f32 * TAU / 256.0;
            let mut shares = [0.0; SECTORS];
            for (k, share) in shares.iter_mut().enumerate() {
                let centre = -PI + (k as f32 + 0.5) * width;
                let gap = (angle - centre + PI).rem_euclid(TAU) - PI;
                // The bell's integral over the sector, by five samples.
                *share = (0..5)
                    .map(|s| {
                        let a = gap + width * (s as f32 - 2.0) / 5.0;
                        (-a * a / (2.0 * SPREAD_ANGLE * SPREAD_ANGLE)).exp()
                    })
                    .sum::<f32>()
                    * width
                    / 5.0
                    / (SPREAD_ANGLE * TAU.sqrt());
            }
            shares
        })
        .collect()
}

fn cylinder(
    minutia: &Minutia,
    all: &[Minutia],
    waves: &Waves,
    sectors: &[[f32; SECTORS]],
) -> Cylinder {
    let mut sums = [[0.0_f32; SECTORS]; CELLS * CELLS];
    let step = 2.0 * RADIUS_PX / CELLS as f32;
    let (sin, cos) = (f32::from(minutia.angle) * TAU / 256.0).sin_cos();
    let (x0, y0) = (f32::from(minutia.x), f32::from(minutia.y));
    let middle = (CELLS as f32 - 1.0) / 2.0;
    let reach = 3.0 * SPREAD_PX;
    let mut neighbours = 0;
    for other in all {
        let (dx, dy) = (f32::from(other.x) - x0, f32::from(other.y) - y0);
        let distance = dx.hypot(dy);
        if distance > RADIUS_PX + reach || std::ptr::eq(other, minutia) {
            continue;
        }
        neighbours += usize::from(distance <= RADIUS_PX);
        // The neighbour in the minutia's own axes.
        let (u, v) = (dx * cos + dy * sin, -dx * sin + dy * cos);
        let shares = &sectors[usize::from(minutia.angle.wrapping_sub(other.angle))];
        for (cell, sum) in sums.iter_mut().enumerate() {
            let cu = ((cell % CELLS) as f32 - middle) * step - u;
            let cv = ((cell / CELLS) as f32 - middle) * step - v;
            let square = cu * cu + cv * cv;
            if square < reach * reach {
                let near = (-square / (2.0 * SPREAD_PX * SPREAD_PX)).exp();
                let near = near / (SPREAD_PX * TAU.sqrt());
                for (s, share) in sum.iter_mut().zip(shares) {
                    *s += near * share;
                }
            }
        }
    }
    let mut made = Cylinder {
        bits: [0; WORDS],
        known: [0; WORDS],
        places: 0,
        usable: false,
    };
    let (mut in_circle, mut on_finger) = (0.0_f32, 0.0_f32);
    for (cell, sum) in sums.iter().enumerate() {
        let u = ((cell % CELLS) as f32 - middle) * step;
        let v = ((cell / CELLS) as f32 - middle) * step;
        if u.hypot(v) > RADIUS_PX {
            continue;
        }
        in_circle += 1.0;
        let (x, y) = (x0 + u * cos - v * sin, y0 + u * sin + v * cos);
        if !waves.covers(x, y) {
            continue;
        }
        on_finger += 1.0;
        made.places |= 1 << cell;
        for (k, &s) in sum.iter().enumerate() {
            let bit = cell * SECTORS + k;
            made.known[bit / 64] |= 1 << (bit % 64);
            made.bits[bit / 64] |= u64::from(s > BIT_FROM) << (bit % 64);
        }
    }
    made.usable = on_finger >= ON_FINGER_MIN * in_circle && neighbours >= NEIGHBOURS_MIN;
    made
}
