//! Minutiae records (ISO/IEC 19794-2:2005) exchanged with `nbis-rs`, another implementation: what
//! one writes the other reads alike, and prints still match their finger and no other.
//!
//! Owns the bounds. The peer keeps 32 directions of our 256, and orders minutiae so that it misses
//! some true pairs.

use anyhow::{Context as _, anyhow, ensure};
use counterfoil_finger::synth::{Contact, Finger};
use counterfoil_finger::{FingerPosition, Image, Template};
use counterfoil_finger::{export_iso, extract, import_iso, raw_likeness};
use nbis::{MinutiaKind, Minutiae};

/// Invented fingers, each with two impressions.
const FINGERS: u64 = 20;
/// Half a step of the peer's directions, and of ours.
const ANGLE_MAX_DEGREES: f64 = 5.625 + 0.71;
/// Own pairs in ten that score above every stranger.
const ABOVE_MIN: usize = 9;

/// A minutia as both tell it.
#[derive(PartialEq, PartialOrd)]
struct Told {
    x: i32,
    y: i32,
    bifurcation: bool,
    /// Counter-clockwise from the right.
    degrees: f64,
}

/// One print, as both took it and as each read it from the other's record.
struct Print {
    ours: Template,
    peer: Minutiae,
    ours_read_by_peer: Minutiae,
    peer_read_by_us: Template,
}

/// Prints what was exchanged; whether all bounds are kept.
pub fn check() -> anyhow::Result<bool> {
    let mut prints = Vec::new();
    for seed in 0..FINGERS {
        let finger = Finger::from_seed(3000 + seed);
        for touch in [1, 2] {
            let image = finger.impression(&Contact::natural(seed * 1000 + touch));
            prints.push(exchange(&image).with_context(|| format!("finger {seed}"))?);
        }
    }
    println!(
        "minutiae records (ISO/IEC 19794-2:2005) of {} prints",
        prints.len()
    );
    println!(
        "{:<40}{:>9}{:>9}{:>12}",
        "", "minutiae", "differ", "degrees off"
    );
    let written = |p: &Print| (of_ours(&p.ours), of_peer(&p.ours_read_by_peer));
    let read = |p: &Print| (of_peer(&p.peer), of_ours(&p.peer_read_by_us));
    let kept = [
        agree("written by us, read by nbis-rs", prints.iter().map(written)),
        agree("written by nbis-rs, read by us", prints.iter().map(read)),
    ];
    println!(
        "\n{:<40}{:>9}{:>9}{:>12}",
        "compared", "own", "above", "strangers"
    );
    let by_peer = |a: &Minutiae, b: &Minutiae| a.compare(b) as f32;
    let held = [
        tell_apart("ours with ours, by nbis-rs", &prints, |a, b| {
            by_peer(&a.ours_read_by_peer, &b.ours_read_by_peer)
        }),
        tell_apart("ours with its own, by nbis-rs", &prints, |a, b| {
            by_peer(&a.ours_read_by_peer, &b.peer)
        }),
        tell_apart("its own with ours, by us", &prints, |a, b| {
            raw_likeness(&a.peer_read_by_us, &b.ours)
        }),
    ];
    println!();
    Ok(kept.into_iter().chain(held).all(|kept| kept))
}

fn exchange(image: &Image) -> anyhow::Result<Print> {
    let mut pgm = format!("P5\n{} {}\n255\n", image.width(), image.height()).into_bytes();
    pgm.extend_from_slice(image.pixels());
    let ours = extract(image)?;
    let peer = nbis::extract_minutiae(&pgm, Some(f64::from(image.dpi())))
        .map_err(|told| anyhow!("nbis-rs takes no print: {told}"))?;
    let record = export_iso(&ours, FingerPosition::UNKNOWN, 70);
    let ours_read_by_peer = nbis::load_iso_19794_2_2005(&record)
        .map_err(|told| anyhow!("nbis-rs does not read our record: {told}"))?;
    let mut views = import_iso(&peer.to_iso_19794_2_2005())?;
    ensure!(views.len() == 1, "one view, not {}", views.len());
    Ok(Print {
        ours,
        peer,
        ours_read_by_peer,
        peer_read_by_us: views.remove(0).template,
    })
}

/// From the encoded form, which knows nothing of records: after version and count six bytes each.
fn of_ours(template: &Template) -> Vec<Told> {
    let bytes = template.to_bytes();
    let minutiae = bytes[2..].chunks_exact(6).take(template.minutia_count());
    let mut all: Vec<Told> = minutiae
        .map(|m| Told {
            x: i32::from(u16::from_be_bytes([m[0], m[1]])),
            y: i32::from(u16::from_be_bytes([m[2], m[3]])),
            bifurcation: m[5] & 0x80 != 0,
            degrees: (360.0 - f64::from(m[4]) * 360.0 / 256.0) % 360.0,
        })
        .collect();
    all.sort_by_key(|m| (m.x, m.y));
    all
}

fn of_peer(minutiae: &Minutiae) -> Vec<Told> {
    let told = minutiae.get().into_iter().map(|m| Told {
        x: m.x(),
        y: m.y(),
        bifurcation: m.kind() == MinutiaKind::Bifurcation,
        degrees: m.angle(),
    });
    let mut all: Vec<Told> = told.collect();
    all.sort_by_key(|m| (m.x, m.y));
    all
}

/// Prints how many minutiae are not where and what they were, and how far directions went.
fn agree(name: &str, pairs: impl Iterator<Item = (Vec<Told>, Vec<Told>)>) -> bool {
    let (mut all, mut differ, mut off) = (0, 0, 0.0_f64);
    for (before, after) in pairs {
        all += before.len();
        differ += before.len().abs_diff(after.len());
        for (a, b) in before.iter().zip(&after) {
            differ += usize::from((a.x, a.y, a.bifurcation) != (b.x, b.y, b.bifurcation));
            let turn = (a.degrees - b.degrees).rem_euclid(360.0);
            off = off.max(turn.min(360.0 - turn));
        }
    }
    println!("{name:<40}{all:>9}{differ:>9}{off:>12.2}");
    differ == 0 && off <= ANGLE_MAX_DEGREES
}

/// Prints how many own pairs score above every pair of strangers. Impressions 1 and 2 of a finger
/// lie side by side.
fn tell_apart(name: &str, prints: &[Print], score: impl Fn(&Print, &Print) -> f32) -> bool {
    let fingers = prints.chunks_exact(2).enumerate();
    let (mut own, mut most) = (Vec::new(), 0.0_f32);
    for (i, first) in fingers.clone() {
        for (j, second) in fingers.clone() {
            let score = score(&first[0], &second[1]);
            if i == j {
                own.push(score);
            } else {
                most = most.max(score);
            }
        }
    }
    let above = own.iter().filter(|score| **score > most).count();
    let strangers = own.len() * (own.len() - 1);
    println!("{name:<40}{:>9}{above:>9}{strangers:>12}", own.len());
    above * 10 >= own.len() * ABOVE_MIN
}
