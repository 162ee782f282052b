//! What the finger engine costs beside `nbis-rs`, the fingerprint package anyone else would take,
//! on the same pixels in the same run; on real prints also how often both are wrong.
//!
//! The peer holds its state in C globals, so one thread works. It gets the pixels as PGM, which
//! costs it a copy.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use counterfoil_finger::synth::{Contact, Finger};
use counterfoil_finger::{Image, Template, extract, raw_likeness};
use nbis::Minutiae;
use rustix::time::{ClockId, clock_gettime};

use crate::metrics::{Pair, Sorted};
use crate::slices::take_turns;
use crate::table::Table;
use crate::{picture, sets};

/// Invented fingers, each with two impressions.
const FINGERS: u32 = 10;
/// Images in one slice.
const IMAGES_IN_SLICE: usize = 8;
/// Pairs in one slice.
const PAIRS_IN_SLICE: usize = 60;
/// What the design allows, one thread.
const EXTRACT_BUDGET_MS: f64 = 40.0;
const MATCH_BUDGET_MS: f64 = 1.0;

/// A print, for both.
struct Print {
    /// Set and finger; the same numbers mean the same finger.
    set: usize,
    finger: u32,
    image: Image,
    pgm: Vec<u8>,
}

impl Print {
    fn new(set: usize, finger: u32, image: Image) -> Self {
        let mut pgm = format!("P5\n{} {}\n255\n", image.width(), image.height()).into_bytes();
        pgm.extend_from_slice(image.pixels());
        Self {
            set,
            finger,
            image,
            pgm,
        }
    }
}

/// What both made of a print; nothing if it was refused.
struct Made {
    ours: Option<Template>,
    peer: Option<Minutiae>,
}

/// Adds the rows; with a folder of prints (and `SET=DPI` words) prints error rates too.
pub fn measure(table: &mut Table, words: &[&str]) -> anyhow::Result<()> {
    let prints = match words {
        [] => invented(),
        [folder, dpi @ ..] => read(Path::new(folder), dpi)?,
    };
    ensure!(prints.len() > 1, "one print makes no pair");
    let made: Vec<Made> = prints.iter().map(make).collect();
    extraction(table, &prints)?;
    matching(table, &made)?;
    if !words.is_empty() {
        accuracy(&prints, &made)?;
    }
    Ok(())
}

fn invented() -> Vec<Print> {
    let grow = |finger: u32| {
        let grown = Finger::from_seed(u64::from(finger));
        [1, 2].map(|touch| {
            let contact = Contact::natural(u64::from(finger) * 1000 + touch);
            Print::new(0, finger, grown.impression(&contact))
        })
    };
    (0..FINGERS).flat_map(grow).collect()
}

fn read(folder: &Path, dpi: &[&str]) -> anyhow::Result<Vec<Print>> {
    let said = |word: &&str| {
        let (set, dpi) = word.split_once('=').context("SET=DPI")?;
        Ok((set.to_owned(), dpi.parse()?))
    };
    let dpi: Vec<(String, u16)> = dpi.iter().map(said).collect::<anyhow::Result<_>>()?;
    let (sets, problems) = sets::find(folder, &dpi).map_err(|told| anyhow!(told))?;
    if let Some(problem) = problems.first() {
        anyhow::bail!("{problem}");
    }
    let mut prints = Vec::new();
    for (n, set) in sets.iter().enumerate() {
        for entry in &set.entries {
            let name = || entry.path.display().to_string();
            let picture = picture::read(&entry.path).with_context(name)?;
            let (width, height) = (picture.width.try_into()?, picture.height.try_into()?);
            let image = Image::new(width, height, set.dpi, picture.pixels);
            prints.push(Print::new(n, entry.finger, image.with_context(name)?));
        }
    }
    Ok(prints)
}

fn make(print: &Print) -> Made {
    Made {
        ours: extract(&print.image).ok(),
        peer: peer_extract(print),
    }
}

fn peer_extract(print: &Print) -> Option<Minutiae> {
    let dpi = f64::from(print.image.dpi());
    nbis::extract_minutiae(&print.pgm, Some(dpi)).ok()
}

/// Processor time this thread has used: neither side waits, and what else runs does not count.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// The time of `count` calls, each with another number.
fn timed<T>(count: usize, call: impl Fn(usize) -> T) -> Duration {
    let began = used();
    for n in 0..count {
        std::hint::black_box(call(n));
    }
    used() - began
}

/// Counts on by `step` and gives where it was, so that each slice sees other prints.
fn advance(at: &mut usize, step: usize) -> usize {
    let was = *at;
    *at += step;
    was
}

fn milliseconds((ours, peer): (Duration, Duration), calls: usize) -> (f64, f64) {
    let each = |all: Duration| all.as_secs_f64() * 1000.0 / calls as f64;
    (each(ours), each(peer))
}

fn extraction(table: &mut Table, prints: &[Print]) -> anyhow::Result<()> {
    // Neighbours are impressions of one finger: stride over the fingers.
    let stride = (prints.len() / IMAGES_IN_SLICE).max(1);
    let at = |from: usize, n: usize| &prints[(from + n * stride) % prints.len()];
    let (mut ours, mut peer) = (0, 0);
    let times = take_turns(
        || {
            let from = advance(&mut ours, 1);
            Ok(timed(IMAGES_IN_SLICE, |n| extract(&at(from, n).image)))
        },
        || {
            let from = advance(&mut peer, 1);
            Ok(timed(IMAGES_IN_SLICE, |n| peer_extract(at(from, n))))
        },
    )?;
    let (ours, peer) = milliseconds(times, IMAGES_IN_SLICE);
    table.add_whole("extract a template", ours, peer, EXTRACT_BUDGET_MS, "ms");
    Ok(())
}

fn matching(table: &mut Table, made: &[Made]) -> anyhow::Result<()> {
    let both = |made: &Made| made.ours.is_some() && made.peer.is_some();
    let usable: Vec<&Made> = made.iter().filter(|made| both(made)).collect();
    ensure!(usable.len() > 1, "fewer than two prints gave templates");
    // The same pairs for both, most of them of different fingers.
    let at = |from: usize, n: usize| {
        let i = (from + n) % usable.len();
        let j = (i + 1 + (from + 7 * n) % (usable.len() - 1)) % usable.len();
        (usable[i], usable[j])
    };
    let (mut ours, mut peer) = (0, 0);
    let times = take_turns(
        || {
            let from = advance(&mut ours, PAIRS_IN_SLICE);
            Ok(timed(PAIRS_IN_SLICE, |n| our_score(at(from, n))))
        },
        || {
            let from = advance(&mut peer, PAIRS_IN_SLICE);
            Ok(timed(PAIRS_IN_SLICE, |n| peer_score(at(from, n))))
        },
    )?;
    let (ours, peer) = milliseconds(times, PAIRS_IN_SLICE);
    table.add_whole("compare two templates", ours, peer, MATCH_BUDGET_MS, "ms");
    Ok(())
}

/// No template, no likeness.
fn our_score((probe, reference): (&Made, &Made)) -> f32 {
    let both = probe.ours.as_ref().zip(reference.ours.as_ref());
    both.map_or(0.0, |(probe, reference)| raw_likeness(probe, reference))
}

fn peer_score((probe, reference): (&Made, &Made)) -> f32 {
    let both = probe.peer.as_ref().zip(reference.peer.as_ref());
    both.map_or(0.0, |(probe, reference)| probe.compare(reference) as f32)
}

/// Every pair within a set, one threshold over all sets.
fn accuracy(prints: &[Print], made: &[Made]) -> anyhow::Result<()> {
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for (i, first) in prints.iter().enumerate() {
        let later = prints.iter().enumerate().skip(i + 1);
        for (j, second) in later.filter(|(_, second)| second.set == first.set) {
            let (a, b) = (first.finger, second.finger);
            let of = |score| Pair { score, a, b };
            ours.push(of(our_score((&made[i], &made[j]))));
            peer.push(of(peer_score((&made[i], &made[j]))));
        }
    }
    println!("every pair within a set, one threshold, no template = score 0");
    println!(
        "{:<12}{:>9}{:>9}{:>9}{:>9}{:>12}{:>12}{:>12}",
        "", "genuine", "impostor", "refused", "EER %", "FNMR % @1%", "@0.1%", "@0.01%"
    );
    let refused = |made: &mut dyn Iterator<Item = bool>| made.filter(|is| *is).count();
    let ours_refused = refused(&mut made.iter().map(|made| made.ours.is_none()));
    let peer_refused = refused(&mut made.iter().map(|made| made.peer.is_none()));
    for (name, pairs, refused) in [
        ("ours", ours, ours_refused),
        ("nbis-rs", peer, peer_refused),
    ] {
        let sorted = Sorted::new(pairs);
        let (genuine, impostor) = sorted.counts();
        let found = sorted.figures().context("pairs of one finger and of two")?;
        print!(
            "{name:<12}{genuine:>9}{impostor:>9}{refused:>9}{:>9.2}",
            100.0 * found.eer
        );
        let [a, b, c] = found.fnmr.map(|rate| 100.0 * rate);
        println!("{a:>12.2}{b:>12.2}{c:>12.2}");
    }
    println!();
    Ok(())
}
