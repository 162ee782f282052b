//! How alike two templates are, as a raw number (see [`crate::score`] for what it means).
//!
//! Owns the comparison: pairs of minutiae that may be the same propose alignments; each is rated by
//! the minutiae that then coincide; around the best pairs of the best alignments the ridges are
//! brought into step ([`crate::lock`]), and the one that comes into step best is judged by both:
//! coinciding minutiae and the phases of the ridges. Called by [`crate::verify`].

#![expect(
    clippy::indexing_slicing,
    reason = "pair indices come from enumerating the two minutia lists, at most 100 each"
)]

mod matches;
mod motion;
mod pairs;

use crate::gabor::TILE_PX;
use crate::lock::{Agreement, Cells, Fit, Tone, Turned, gather, run_together};
use crate::template::Template;
use crate::waves::{LANES, Lanes, Waves};
use matches::{Coincidence, Match, NEAR_ANGLE, coincide, fit, places};
pub use motion::Motion;
use motion::{Point, turn};
use pairs::{Pair, Table, agreement, pairs};
use std::f32::consts::TAU;
use zeroize::Zeroizing;

/// Alignments proposed by the minutiae.
const SEEDS: usize = 8;
/// Unlike ones among them whose ridges are compared.
const ALIGNMENTS: usize = 4;
/// Pairs of each around which the ridges are brought into step.
const ANCHORS: usize = 6;
/// The most promising of those, followed over the whole print.
const FITS: usize = 2;
/// Distance at which two aligned minutiae are the same, pixels.
const NEAR_PX: f32 = 15.0;
/// The same once the stretch of the skin is known.
const NEAR_FITTED_PX: f32 = 10.0;
/// Slack of the first look.
const SLACK: f32 = 1.3;
/// Of the probe's cells every second row and column takes part until the last step.
const STRIDE: usize = 2;
/// Square pixels that such a cell stands for.
const CELL_PX: f32 = (STRIDE * STRIDE * TILE_PX * TILE_PX) as f32;
/// Cells around a pair, about.
const NEAR_CELLS: usize = 160;
/// Surroundings this well in step need no second look.
const IN_STEP: f32 = 0.35;
/// Phases of strangers agree this much by chance and fitting.
const PHASE_CHANCE: f32 = 0.1;
/// Weight of the phases against the minutiae.
const PHASE_WEIGHT: f32 = 0.15;

/// An alignment and what coincides under it.
struct Alignment {
    motion: Motion,
    matches: Vec<Match>,
    found: Coincidence,
    weight: f32,
}

/// The ridges around one pair of minutiae, brought into step.
struct Local<'a> {
    promise: f32,
    /// -1..=1.
    in_step: f32,
    fit: Fit<'a>,
    alignment: &'a Alignment,
}

/// Everything a comparison looks at.
struct Case<'a> {
    probe: &'a Template,
    reference: &'a Template,
    a: Zeroizing<Vec<Point>>,
    b: Zeroizing<Vec<Point>>,
    /// Where those of `b` are, in blocks; what is over lies far away.
    places: Zeroizing<Vec<(Lanes, Lanes)>>,
    table: Table,
    /// The probe's.
    cells: Cells,
}

/// What a comparison found.
#[derive(Clone, Copy, Default)]
pub struct Likeness {
    /// How alike: 0 not at all, strangers below about 1.8, no upper limit.
    pub raw: f32,
    /// Share of the minutiae of the richer print that coincide with one of the other, 0..=1.
    pub coincide: f32,
    /// How far those are from each other under a turn and a shift alone, median, pixels.
    pub apart_px: f32,
    /// Area that both prints show, square pixels.
    pub area: f32,
}

/// Compares two templates.
pub fn compare(probe: &Template, reference: &Template) -> Likeness {
    let points = |t: &Template| Zeroizing::new(t.minutiae().iter().map(Point::from).collect());
    let b: Zeroizing<Vec<Point>> = points(reference);
    let case = Case {
        probe,
        reference,
        a: points(probe),
        places: Zeroizing::new(b.chunks(LANES).map(places).collect()),
        b,
        table: Table::new(probe, reference),
        cells: gather(probe.waves(), STRIDE),
    };
    case.alignments()
        .and_then(|alignments| case.fitted(&alignments))
        .unwrap_or_default()
}

impl Case<'_> {
    /// The alignments that minutiae propose, best first, each unlike the ones before.
    fn alignments(&self) -> Option<Vec<Alignment>> {
        let pairs = pairs(&self.table, &self.a, &self.b);
        let mut found: Vec<Alignment> = pairs
            .iter()
            .take(SEEDS)
            .map(|seed| self.align(seed, &pairs))
            .collect();
        found.sort_by(|p, q| q.weight.total_cmp(&p.weight));
        let n = self.a.len().max(1) as f32;
        let centre = self
            .a
            .iter()
            .fold((0.0, 0.0), |c, p| (c.0 + p.x / n, c.1 + p.y / n));
        let mut unlike: Vec<Alignment> = Vec::with_capacity(ALIGNMENTS);
        for alignment in found {
            let known = unlike
                .iter()
                .any(|u| u.motion.like(&alignment.motion, centre));
            if !known && unlike.len() < ALIGNMENTS {
                unlike.push(alignment);
            }
        }
        (!unlike.is_empty()).then_some(unlike)
    }

    fn align(&self, seed: &Pair, pairs: &[Pair]) -> Alignment {
        let (a, b) = (&self.a, &self.b);
        let (pa, pb) = (&a[seed.probe], &b[seed.reference]);
        let mut motion = Motion::new(turn(pb.angle, pa.angle), (pa.x, pa.y), (pb.x, pb.y));
        // First fit: the supported pairs that agree with the seed.
        let friends: Vec<Match> = pairs
            .iter()
            .map(|p| {
                let weight = p.likeness * agreement(seed, p, a, b);
                (p.probe, p.reference, weight)
            })
            .filter(|f| f.2 > 0.05)
            .chain([(seed.probe, seed.reference, 1.0)])
            .collect();
        if friends.len() >= 3 {
            motion = fit(&friends, a, b).unwrap_or(motion);
        }
        let (near, angle) = (NEAR_PX * SLACK, NEAR_ANGLE * SLACK);
        let onto = (b.as_slice(), self.places.as_slice());
        let mut matches = coincide(&motion.all(a), onto, near, angle);
        if matches.len() >= 4 {
            motion = fit(&matches, a, b).unwrap_or(motion);
            matches = coincide(&motion.all(a), onto, NEAR_PX, NEAR_ANGLE);
        }
        let found = self.weigh(&motion, &matches);
        Alignment {
            weight: found.weight(NEAR_PX),
            motion,
            matches,
            found,
        }
    }

    fn weigh(&self, motion: &Motion, matches: &[Match]) -> Coincidence {
        let (probe, reference) = (self.probe.waves(), self.reference.waves());
        let there = |points: &[Point], onto: &dyn Fn(&Point) -> (f32, f32), on: &Waves| {
            let lies = |p: &&Point| {
                let (x, y) = onto(p);
                on.covers(x, y)
            };
            points.iter().filter(lies).count().max(matches.len()) as f32
        };
        let (directions, shared) = run_together(&self.cells, motion, reference);
        Coincidence {
            matched: matches.iter().map(|m| m.2).sum(),
            probe_there: there(&self.a, &|p| motion.place(p.x, p.y), reference),
            reference_there: there(&self.b, &|p| motion.back(p.x, p.y), probe),
            likeness: self.likeness(matches),
            directions,
            area: shared * CELL_PX,
        }
    }

    fn likeness(&self, matches: &[Match]) -> f32 {
        let alike: f32 = matches.iter().map(|m| self.table.at(m.0, m.1)).sum();
        alike / (matches.len() as f32).max(1.0)
    }

    /// The likeness after the ridges have been brought into step.
    fn fitted(&self, alignments: &[Alignment]) -> Option<Likeness> {
        let mut near = Cells::with_room_for(NEAR_CELLS);
        let turned = self.turned(alignments, Tone::Same);
        let other;
        let mut local = self.locals(&turned, &mut near);
        if local.iter().all(|l| l.in_step < IN_STEP) {
            // Another kind of sensor may show ridges light.
            other = self.turned(alignments.get(..1)?, Tone::Opposite);
            local.extend(self.locals(&other, &mut near));
        }
        local.sort_by(|p, q| q.promise.total_cmp(&p.promise));
        let (_, mut fit, alignment) = local
            .into_iter()
            .take(FITS)
            .map(
                |Local {
                     mut fit, alignment, ..
                 }| {
                    let phases = phase_weight(&fit.widen(&self.cells, &mut near));
                    (alignment.weight.ln_1p() + phases, fit, alignment)
                },
            )
            .max_by(|p, q| p.0.total_cmp(&q.0))?;
        let agreement = fit.follow();
        let angle = fit.angle();
        let mut moved = self.a.clone();
        for points in moved.chunks_mut(LANES) {
            let (x, y) = fit.places(&places(points));
            for (p, (x, y)) in points.iter_mut().zip(x.into_iter().zip(y)) {
                let angle = (p.angle + angle).rem_euclid(TAU);
                *p = Point { x, y, angle };
            }
        }
        let matches = coincide(&moved, (&self.b, &self.places), NEAR_FITTED_PX, NEAR_ANGLE);
        let matched: f32 = matches.iter().map(|m| m.2).sum();
        let found = Coincidence {
            matched,
            probe_there: alignment.found.probe_there.max(matched),
            reference_there: alignment.found.reference_there.max(matched),
            likeness: self.likeness(&matches),
            directions: 0.5 + 0.5 * agreement.directions,
            area: alignment.found.area,
        };
        let minutiae = 0.5 * (alignment.weight.ln_1p() + found.weight(NEAR_FITTED_PX).ln_1p());
        Some(Likeness {
            raw: minutiae + phase_weight(&agreement),
            area: alignment.found.area,
            ..self.spread(alignment)
        })
    }

    /// How far the skin moved between the two prints.
    fn spread(&self, alignment: &Alignment) -> Likeness {
        let n = alignment.matches.len() as f32;
        let richer = self.a.len().max(self.b.len()).max(1) as f32;
        let mut apart: Vec<f32> = alignment
            .matches
            .iter()
            .map(|&(i, j, _)| {
                let (x, y) = alignment.motion.place(self.a[i].x, self.a[i].y);
                (x - self.b[j].x).hypot(y - self.b[j].y)
            })
            .collect();
        apart.sort_by(f32::total_cmp);
        Likeness {
            coincide: n / richer,
            apart_px: apart.get(apart.len() / 2).copied().unwrap_or(f32::MAX),
            ..Likeness::default()
        }
    }

    /// The probe's ridges under the turn of every alignment.
    fn turned<'b>(&self, alignments: &'b [Alignment], tone: Tone) -> Vec<(&'b Alignment, Turned)> {
        let turn = |a: &'b Alignment| (a, Turned::new(&self.cells, a.motion, tone));
        alignments.iter().map(turn).collect()
    }

    /// The ridges brought into step around the best pairs of every alignment.
    fn locals<'b>(
        &'b self,
        turned: &'b [(&Alignment, Turned)],
        near: &mut Cells,
    ) -> Vec<Local<'b>> {
        let prints = (self.probe.waves(), self.reference.waves());
        let mut local = Vec::with_capacity(ALIGNMENTS * ANCHORS);
        for (alignment, turned) in turned {
            for &(i, j, _) in self.anchors(alignment).iter().take(ANCHORS) {
                let pair = ((self.a[i].x, self.a[i].y), (self.b[j].x, self.b[j].y));
                let (fit, in_step) = Fit::around(prints, turned, pair, near);
                local.push(Local {
                    promise: alignment.weight.ln_1p() + 2.0 * in_step,
                    in_step,
                    fit,
                    alignment,
                });
            }
        }
        local
    }

    /// The matches that are most likely true.
    fn anchors(&self, alignment: &Alignment) -> Vec<Match> {
        let mut anchors: Vec<Match> = alignment
            .matches
            .iter()
            .map(|&(i, j, weight)| (i, j, weight * (0.3 + self.table.at(i, j))))
            .collect();
        anchors.sort_by(|p, q| q.2.total_cmp(&p.2).then((p.0, p.1).cmp(&(q.0, q.1))));
        anchors
    }
}

/// What phases are worth: the agreement beyond chance, more over a larger area, less where not
/// even the directions agree.
fn phase_weight(agreement: &Agreement) -> f32 {
    let beyond = (agreement.phases - PHASE_CHANCE).max(0.0);
    let directions = agreement.directions.max(0.0);
    PHASE_WEIGHT * beyond * directions * directions * agreement.shared.sqrt()
}
