//! Ridges thinned to lines one pixel wide.
//!
//! Owns the thinning (Guo and Hall 1989, "Parallel thinning with two-subiteration algorithms") and
//! the walking along lines. Called by [`super::extract`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "every set pixel is at least one pixel from the edge, so all eight neighbours exist"
)]

use super::ground::Mask;
use crate::plane::Plane;
use zeroize::Zeroize;

/// A black and white picture; 1 = ridge. The outermost pixels are always 0.
pub struct Skeleton {
    pub w: usize,
    pub cells: Vec<u8>,
}

impl Drop for Skeleton {
    fn drop(&mut self) {
        self.cells.zeroize();
    }
}

/// Rounds after which thinning stops; ridges are at most 15 pixels wide.
const ROUNDS_MAX: usize = 24;

impl Skeleton {
    /// Offsets of the eight neighbours, clockwise from the top.
    pub fn ring(&self) -> [isize; 8] {
        let w = self.w as isize;
        [-w, 1 - w, 1, 1 + w, w, w - 1, -1, -w - 1]
    }

    /// The neighbours of `at` as bits, clockwise from the top (bit 0).
    pub fn neighbours(&self, at: usize) -> u8 {
        let mut bits = 0;
        for (i, offset) in self.ring().iter().enumerate() {
            bits |= self.cells[at.wrapping_add_signed(*offset)] << i;
        }
        bits
    }

    /// Lines that meet here: 1 = the end of a line, 2 = a point of it, 3 or 4 = a fork.
    pub fn branches(&self, at: usize) -> u32 {
        let bits = self.neighbours(at);
        (bits & !bits.rotate_left(1)).count_ones()
    }

    /// Thins the ridges (`enhanced` below zero) inside `mask`.
    pub fn thin(enhanced: &Plane, mask: &Mask) -> Self {
        let (w, h) = (enhanced.w, enhanced.h);
        let mut picture = Self {
            w,
            cells: vec![0; w * h],
        };
        let mut open = Vec::new();
        for y in 1..h.saturating_sub(1) {
            for x in 1..w.saturating_sub(1) {
                if enhanced.at(x, y) < 0.0 && mask.covers(x, y) {
                    picture.cells[y * w + x] = 1;
                    open.push(y * w + x);
                }
            }
        }
        let tables = [removable(false), removable(true)];
        let mut gone = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let before = open.len();
            for table in &tables {
                gone.clear();
                gone.extend(
                    open.iter()
                        .copied()
                        .filter(|&at| table[usize::from(picture.neighbours(at))]),
                );
                for &at in &gone {
                    picture.cells[at] = 0;
                }
                open.retain(|&at| picture.cells[at] == 1);
            }
            if open.len() == before {
                break;
            }
        }
        picture
    }

    /// Follows the line that leaves `from` through its neighbour `first`, for at most `limit`
    /// steps, and gives the pixels after `from`. Ends at a line's end or at a fork.
    pub fn walk(&self, from: usize, first: usize, limit: usize) -> Vec<usize> {
        let mut path = vec![first];
        let (mut last, mut at) = (from, first);
        while path.len() < limit && self.branches(at) == 2 {
            let next = self
                .ring()
                .iter()
                .map(|&o| at.wrapping_add_signed(o))
                .filter(|&n| self.cells[n] == 1 && n != last && n != from && !path.contains(&n))
                .min_by_key(|&n| (self.adjacent(n, last), self.corner(at, n)));
            let Some(next) = next else { break };
            last = at;
            at = next;
            path.push(at);
        }
        path
    }

    /// On a staircase the pixel after the next touches the one before: prefer one that does not.
    fn adjacent(&self, next: usize, last: usize) -> bool {
        self.ring()
            .iter()
            .any(|&o| last.wrapping_add_signed(o) == next)
    }

    /// Straight neighbours before diagonal ones.
    const fn corner(&self, at: usize, next: usize) -> bool {
        let gap = at.abs_diff(next);
        gap != 1 && gap != self.w
    }

    /// The neighbours of `at` that start a line of their own: one for each group that touches.
    pub fn starts(&self, at: usize) -> Vec<usize> {
        let bits = self.neighbours(at);
        let ring = self.ring();
        let mut starts = Vec::new();
        for i in 0..8_usize {
            let (here, before) = (bits >> i & 1, bits >> ((i + 7) % 8) & 1);
            if here == 1 && before == 0 {
                // Of a group take a straight member if there is one.
                let mut best = i;
                let mut j = i;
                while bits >> (j % 8) & 1 == 1 && j < i + 8 {
                    if j % 2 == 0 {
                        best = j % 8;
                        break;
                    }
                    j += 1;
                }
                starts.push(at.wrapping_add_signed(ring[best]));
            }
        }
        starts
    }
}

/// For each neighbourhood, whether the pixel goes in this half round.
fn removable(second: bool) -> [bool; 256] {
    let mut table = [false; 256];
    for (bits, entry) in table.iter_mut().enumerate() {
        let p = |i: usize| bits >> i & 1 == 1;
        // p(0) is the top neighbour, then clockwise: Guo and Hall's p2..p9.
        let pairs = |start: usize| {
            (0..4)
                .filter(|k| p((start + 2 * k) % 8) || p((start + 2 * k + 1) % 8))
                .count()
        };
        let once = (0..4)
            .filter(|k| !p(2 * k) && (p(2 * k + 1) || p((2 * k + 2) % 8)))
            .count();
        let thickness = pairs(0).min(pairs(7));
        let keep = if second {
            (p(0) || p(1) || !p(3)) && p(2)
        } else {
            (p(4) || p(5) || !p(7)) && p(6)
        };
        *entry = once == 1 && (2..=3).contains(&thickness) && !keep;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thick_bar_becomes_a_line_with_two_ends() {
        let mut enhanced = Plane::filled(64, 32, 1.0);
        for y in 12..19 {
            for x in 8..56 {
                enhanced.data[y * 64 + x] = -1.0;
            }
        }
        let mask = Mask {
            cols: 8,
            rows: 4,
            cells: vec![true; 32],
        };
        let thin = Skeleton::thin(&enhanced, &mask);
        let set: Vec<usize> = (0..thin.cells.len())
            .filter(|&i| thin.cells[i] == 1)
            .collect();
        assert!((30..60).contains(&set.len()), "{}", set.len());
        let ends: Vec<_> = set.iter().filter(|&&i| thin.branches(i) == 1).collect();
        assert_eq!(ends.len(), 2);
        let first = thin.starts(*ends[0])[0];
        assert_eq!(thin.walk(*ends[0], first, 500).last(), Some(ends[1]));
    }
}
