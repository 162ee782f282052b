//! Points, angles and the rigid motion that lays a probe on a reference.
//!
//! Owns the plane geometry of [`super`].

use crate::template::Minutia;
use std::f32::consts::{PI, TAU};
use zeroize::Zeroize;

/// Minutia in real numbers; lists of them are wiped like the template they come from.
#[derive(Clone, Copy, Zeroize)]
pub struct Point {
    pub x: f32,
    pub y: f32,
    /// Radians, 0..2 pi, x right, y down.
    pub angle: f32,
}

impl From<&Minutia> for Point {
    fn from(m: &Minutia) -> Self {
        Self {
            x: f32::from(m.x),
            y: f32::from(m.y),
            angle: f32::from(m.angle) * TAU / 256.0,
        }
    }
}

/// Difference of two angles that differ by less than one and a half turns, -pi..=pi.
pub fn turn(a: f32, b: f32) -> f32 {
    let d = a - b;
    if d > PI {
        d - TAU
    } else if d < -PI {
        d + TAU
    } else {
        d
    }
}

/// Turn by an angle, then shift: probe onto reference.
#[derive(Clone, Copy)]
pub struct Motion {
    sin: f32,
    cos: f32,
    /// Radians.
    pub angle: f32,
    dx: f32,
    dy: f32,
}

impl Motion {
    /// The turn by `angle` that lays the place `from` on the place `to`.
    pub fn new(angle: f32, from: (f32, f32), to: (f32, f32)) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self {
            sin,
            cos,
            angle,
            dx: to.0 - (from.0 * cos - from.1 * sin),
            dy: to.1 - (from.0 * sin + from.1 * cos),
        }
    }

    /// The same turn, shifted so that `from` comes to lie on `to`.
    pub fn through(&self, from: (f32, f32), to: (f32, f32)) -> Self {
        let at = self.place(from.0, from.1);
        Self {
            dx: self.dx + to.0 - at.0,
            dy: self.dy + to.1 - at.1,
            ..*self
        }
    }

    /// How far the shift of this one is from that of another of the same turn.
    pub fn beyond(&self, other: &Self) -> (f32, f32) {
        (self.dx - other.dx, self.dy - other.dy)
    }

    /// Where a place of the probe lies on the reference.
    pub fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (
            x * self.cos - y * self.sin + self.dx,
            x * self.sin + y * self.cos + self.dy,
        )
    }

    /// Where a place of the reference lies on the probe.
    pub fn back(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x - self.dx, y - self.dy);
        (x * self.cos + y * self.sin, -x * self.sin + y * self.cos)
    }

    pub fn all(&self, points: &[Point]) -> Vec<Point> {
        let moved = |p: &Point| {
            let (x, y) = self.place(p.x, p.y);
            let angle = (p.angle + self.angle).rem_euclid(TAU);
            Point { x, y, angle }
        };
        points.iter().map(moved).collect()
    }

    /// True if the two lay `(x, y)` of the probe at nearly the same place in nearly the same turn.
    pub fn like(&self, other: &Self, (x, y): (f32, f32)) -> bool {
        const ANGLE: f32 = 0.12;
        const PLACE_PX: f32 = 8.0;
        let (p, q) = (self.place(x, y), other.place(x, y));
        turn(self.angle, other.angle).abs() < ANGLE
            && (p.0 - q.0).abs().max((p.1 - q.1).abs()) < PLACE_PX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn back_undoes_place_and_through_meets_its_place(
            angle in -3.1_f32..3.1, x in 0.0_f32..500.0, y in 0.0_f32..500.0,
            to in (0.0_f32..500.0, 0.0_f32..500.0),
        ) {
            let motion = Motion::new(angle, (40.0, 70.0), (200.0, 100.0));
            let (px, py) = motion.place(x, y);
            let (bx, by) = motion.back(px, py);
            prop_assert!((bx - x).abs() < 0.01 && (by - y).abs() < 0.01);
            let other = motion.through((x, y), to);
            let (tx, ty) = other.place(x, y);
            prop_assert!((tx - to.0).abs() < 0.01 && (ty - to.1).abs() < 0.01);
        }
    }
}
