//! Minutiae: where ridges end or fork, without the ones the picture invented.
//!
//! Owns finding, pruning and directing minutiae. Called by [`super::extract`].

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "indices come from set pixels of the skeleton, which are inside its edge"
)]

use super::field::Directions;
use super::ground::Mask;
use super::skeleton::Skeleton;
use crate::gabor::TILE_PX;
use crate::template::{MINUTIAE_MAX, Minutia};
use std::f32::consts::TAU;
use zeroize::{Zeroize, Zeroizing};

/// A side branch shorter than this is a burr, pixels.
const BURR_PX: usize = 11;
/// A ridge shorter than this is dirt, pixels.
const ISLAND_PX: usize = 13;
/// Two facing ends closer than this are a broken ridge, pixels.
const BREAK_PX: f32 = 11.0;
/// Two minutiae closer than this are one fault, pixels.
const CROWD_PX: f32 = 6.0;
/// Distance a minutia needs from the rim of the finger, pixels.
const RIM_PX: f32 = 10.0;
/// How far a line is followed to see where it goes, pixels.
const LOOK_PX: usize = 12;

/// A minutia before it is accepted; the list is wiped like the template made of it.
#[derive(Zeroize)]
struct Candidate {
    x: f32,
    y: f32,
    angle: f32,
    bifurcation: bool,
    dropped: bool,
}

/// Removes burrs and islands, then reads, prunes and rates the minutiae.
pub fn find(
    skeleton: &mut Skeleton,
    field: &Directions,
    clearness: &Directions,
    mask: &Mask,
) -> Vec<Minutia> {
    clean(skeleton);
    let mut found = Zeroizing::new(read(skeleton, field));
    for candidate in found.iter_mut() {
        candidate.dropped = !mask.surrounds(candidate.x, candidate.y, RIM_PX);
    }
    drop_breaks(&mut found);
    drop_crowds(&mut found);
    let mut minutiae: Vec<Minutia> = found
        .iter()
        .filter(|c| !c.dropped)
        .map(|c| rate(c, clearness))
        .collect();
    minutiae.sort_by_key(|m| (u8::MAX - m.quality, m.y, m.x));
    minutiae.truncate(MINUTIAE_MAX);
    minutiae
}

fn set_pixels(skeleton: &Skeleton) -> Vec<usize> {
    (0..skeleton.cells.len())
        .filter(|&i| skeleton.cells[i] == 1)
        .collect()
}

/// Erases short branches that end in the open, and short lines with two ends.
fn clean(skeleton: &mut Skeleton) {
    for _ in 0..2 {
        for at in set_pixels(skeleton) {
            if skeleton.cells[at] == 0 || skeleton.branches(at) != 1 {
                continue;
            }
            let Some(&first) = skeleton.starts(at).first() else {
                continue;
            };
            let path = skeleton.walk(at, first, ISLAND_PX + 1);
            let Some(&last) = path.last() else { continue };
            let meets = skeleton.branches(last);
            let burr = meets >= 3 && path.len() < BURR_PX;
            let island = meets <= 1 && path.len() < ISLAND_PX;
            if burr || island {
                skeleton.cells[at] = 0;
                let keep = usize::from(burr);
                for &pixel in &path[..path.len() - keep] {
                    skeleton.cells[pixel] = 0;
                }
            }
        }
    }
    for at in set_pixels(skeleton) {
        if skeleton.neighbours(at) == 0 {
            skeleton.cells[at] = 0;
        }
    }
}

fn read(skeleton: &Skeleton, field: &Directions) -> Vec<Candidate> {
    let w = skeleton.w;
    let place = |at: usize| ((at % w) as f32, (at / w) as f32);
    let mut found: Vec<Candidate> = Vec::new();
    for at in set_pixels(skeleton) {
        let branches = skeleton.branches(at);
        if branches != 1 && branches != 3 {
            continue;
        }
        let (x, y) = place(at);
        let close = |c: &Candidate| (c.x - x).abs() <= 2.0 && (c.y - y).abs() <= 2.0;
        if branches == 3
            && found
                .iter()
                .rev()
                .take(40)
                .any(|c| c.bifurcation && close(c))
        {
            continue;
        }
        let mut ways: Vec<(f32, f32)> = Vec::new();
        for start in skeleton.starts(at) {
            let path = skeleton.walk(at, start, LOOK_PX);
            let (ex, ey) = path.last().map_or((x, y), |&end| place(end));
            let length = (ex - x).hypot(ey - y).max(1.0);
            ways.push(((ex - x) / length, (ey - y) / length));
        }
        let Some((dx, dy)) = towards(&ways) else {
            continue;
        };
        let line = field.at(x, y);
        let (sin, cos) = line.sin_cos();
        let angle = if cos * dx + sin * dy >= 0.0 {
            line
        } else {
            line + TAU / 2.0
        };
        found.push(Candidate {
            x,
            y,
            angle,
            bifurcation: branches == 3,
            dropped: false,
        });
    }
    found
}

/// Where a minutia points: along the only way, or between the two ways closest to each other.
fn towards(ways: &[(f32, f32)]) -> Option<(f32, f32)> {
    match *ways {
        [only] => Some(only),
        [a, b, c] => {
            let pairs = [(a, b), (b, c), (a, c)];
            let along = |p: &((f32, f32), (f32, f32))| p.0.0 * p.1.0 + p.0.1 * p.1.1;
            pairs
                .iter()
                .max_by(|p, q| along(p).total_cmp(&along(q)))
                .map(|(p, q)| (p.0 + q.0, p.1 + q.1))
        }
        _ => None,
    }
}

/// Two ends that face each other along one line are a scratch through a ridge.
fn drop_breaks(found: &mut [Candidate]) {
    for i in 0..found.len() {
        for j in i + 1..found.len() {
            let (a, b) = (&found[i], &found[j]);
            if a.bifurcation || b.bifurcation {
                continue;
            }
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            let distance = dx.hypot(dy);
            if distance > BREAK_PX {
                continue;
            }
            let opposite = (a.angle - b.angle).cos() < -0.7;
            // Each ridge runs away from the other end.
            let away = dx * a.angle.cos() + dy * a.angle.sin() < -0.6 * distance;
            if opposite && (away || distance < 5.0) {
                found[i].dropped = true;
                found[j].dropped = true;
            }
        }
    }
}

/// Minutiae on top of each other (bridges, ladders, holes) are faults of the picture.
fn drop_crowds(found: &mut [Candidate]) {
    let mut crowded = vec![false; found.len()];
    for i in 0..found.len() {
        for j in i + 1..found.len() {
            let (a, b) = (&found[i], &found[j]);
            if (a.x - b.x).hypot(a.y - b.y) < CROWD_PX {
                crowded[i] = true;
                crowded[j] = true;
            }
        }
    }
    for (candidate, crowded) in found.iter_mut().zip(crowded) {
        candidate.dropped |= crowded;
    }
}

fn rate(candidate: &Candidate, clearness: &Directions) -> Minutia {
    let tile = TILE_PX as f32;
    let clear = clearness
        .coherence
        .bilinear((candidate.x - 3.5) / tile, (candidate.y - 3.5) / tile);
    let turn = (candidate.angle / TAU).rem_euclid(1.0);
    Minutia {
        x: candidate.x as u16,
        y: candidate.y as u16,
        angle: ((turn * 256.0).round() as u16 % 256) as u8,
        bifurcation: candidate.bifurcation,
        quality: (clear * 100.0).clamp(1.0, 100.0) as u8,
    }
}
