//! Measures the engine: error rates and times, on synthetic fingers or on a folder of TIFF files.
//!
//! ```text
//! cargo run -p counterfoil-finger --release --example measure -- synth FINGERS IMPRESSIONS [tip|poor]
//! cargo run -p counterfoil-finger --release --example measure -- enrol FINGERS PROBES
//! cargo run -p counterfoil-finger --release --example measure -- dir PATH [FIRST LAST]
//! ```
//! A folder holds `FINGER_IMPRESSION.tif` (8-bit, uncompressed), or folders of such files; sets are
//! compared within themselves and pooled under one threshold. FIRST LAST limit the finger numbers.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a measuring tool: it prints, reads the clock, and stops at the first surprise"
)]

use counterfoil_finger::synth::{Contact, Finger};
use counterfoil_finger::{Image, Template, extract, raw_likeness, verify};
use std::path::Path;
use std::time::{Duration, Instant};

struct Sample {
    finger: u32,
    template: Option<Template>,
}

#[derive(Default)]
struct Tally {
    genuine: Vec<f32>,
    impostor: Vec<f32>,
    extract: Duration,
    images: u32,
    failed: u32,
    minutiae: usize,
    matching: Duration,
}

impl Tally {
    fn take(&mut self, finger: u32, image: &Image) -> Sample {
        let start = Instant::now();
        let template = extract(image).ok();
        self.extract += start.elapsed();
        self.images += 1;
        match &template {
            Some(t) => self.minutiae += t.minutia_count(),
            None => self.failed += 1,
        }
        Sample { finger, template }
    }

    fn compare_all(&mut self, samples: &[Sample]) {
        let start = Instant::now();
        for (i, a) in samples.iter().enumerate() {
            for b in &samples[i + 1..] {
                let score = match (&a.template, &b.template) {
                    (Some(p), Some(q)) => raw_likeness(p, q),
                    _ => 0.0,
                };
                if a.finger == b.finger {
                    self.genuine.push(score);
                } else {
                    self.impostor.push(score);
                }
            }
        }
        self.matching += start.elapsed();
    }

    fn absorb(&mut self, other: Self) {
        self.genuine.extend(other.genuine);
        self.impostor.extend(other.impostor);
        self.extract += other.extract;
        self.images += other.images;
        self.failed += other.failed;
        self.minutiae += other.minutiae;
        self.matching += other.matching;
    }

    fn report(&mut self, name: &str) {
        self.genuine.sort_by(f32::total_cmp);
        self.impostor.sort_by(f32::total_cmp);
        let pairs = (self.genuine.len() + self.impostor.len()).max(1) as f64;
        print!(
            "{name}: {} genuine, {} impostor, {} of {} not extracted, {:.1} minutiae | EER {:.2} %",
            self.genuine.len(),
            self.impostor.len(),
            self.failed,
            self.images,
            self.minutiae as f64 / f64::from(self.images.max(1)),
            100.0 * self.eer()
        );
        for fmr in [1e-2, 1e-3, 1e-4] {
            let (threshold, fnmr) = self.fnmr_at(fmr);
            print!(" | FNMR@{fmr:.0e} {:.2} % ({threshold:.2})", 100.0 * fnmr);
        }
        let low: Vec<f32> = [0.02, 0.05, 0.1, 0.2]
            .iter()
            .filter_map(|q| {
                self.genuine
                    .get((q * self.genuine.len() as f64) as usize)
                    .copied()
            })
            .collect();
        print!(" | genuine at 2, 5, 10, 20 %: {low:.2?}");
        println!(
            " | extract {:.1} ms, match {:.3} ms",
            1e3 * self.extract.as_secs_f64() / f64::from(self.images.max(1)),
            1e3 * self.matching.as_secs_f64() / pairs
        );
    }

    fn fnmr(&self, threshold: f32) -> f64 {
        let below = self.genuine.partition_point(|&s| s < threshold);
        below as f64 / self.genuine.len().max(1) as f64
    }

    fn fmr(&self, threshold: f32) -> f64 {
        let below = self.impostor.partition_point(|&s| s < threshold);
        (self.impostor.len() - below) as f64 / self.impostor.len().max(1) as f64
    }

    /// Lowest observed threshold with at most this false match rate, and the FNMR there.
    fn fnmr_at(&self, fmr: f64) -> (f32, f64) {
        let allowed = (fmr * self.impostor.len() as f64) as usize;
        let at = self.impostor.len().saturating_sub(allowed + 1);
        let threshold = self.impostor.get(at).copied().unwrap_or(0.0) + 1e-5;
        (threshold, self.fnmr(threshold))
    }

    fn eer(&self) -> f64 {
        self.genuine
            .iter()
            .chain(&self.impostor)
            .map(|&t| (self.fnmr(t), self.fmr(t)))
            .map(|(a, b)| ((a - b).abs(), f64::midpoint(a, b)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(1.0, |best| best.1)
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |s: &str| s.parse::<u32>().expect("a number");
    match args.as_slice() {
        ["synth", fingers, impressions] => {
            synth(number(fingers), number(impressions), Contact::natural);
        }
        ["synth", fingers, impressions, "tip"] => {
            synth(number(fingers), number(impressions), Contact::tip);
        }
        ["synth", fingers, impressions, "poor"] => {
            synth(number(fingers), number(impressions), Contact::poor);
        }
        ["enrol", fingers, probes] => enrol(number(fingers), number(probes)),
        ["dir", path] => dir(Path::new(path), 0, u32::MAX),
        ["dir", path, first, last] => dir(Path::new(path), number(first), number(last)),
        _ => println!(
            "usage: measure synth FINGERS IMPRESSIONS [tip|poor] | enrol FINGERS PROBES | dir PATH [FIRST LAST]"
        ),
    }
}

fn synth(fingers: u32, impressions: u32, contact: fn(u64) -> Contact) {
    let mut tally = Tally::default();
    let mut samples = Vec::new();
    for seed in 0..fingers {
        let finger = Finger::from_seed(u64::from(seed));
        for n in 0..impressions {
            let contact = contact(u64::from(seed) * 1000 + u64::from(n));
            samples.push(tally.take(seed, &finger.impression(&contact)));
        }
    }
    tally.compare_all(&samples);
    tally.report("synthetic");
    let n = tally.impostor.len();
    for exponent in [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0] {
        let allowed = (n as f64 * 10_f64.powf(-exponent)) as usize;
        if allowed >= 1 {
            println!(
                "  impostor quantile {exponent}: {:.3}",
                tally.impostor[n - allowed]
            );
        }
    }
    println!(
        "  highest impostor {:.3}",
        tally.impostor.last().copied().unwrap_or(0.0)
    );
}

/// Whole decisions: three enrolled impressions, natural probes, the demo's threshold of 4.0.
fn enrol(fingers: u32, probes: u32) {
    let people: Vec<(Vec<Template>, Vec<Template>)> = (0..fingers)
        .map(|seed| {
            let finger = Finger::from_seed(u64::from(seed));
            let take = |n: u32| {
                let contact = Contact::natural(u64::from(seed) * 1000 + u64::from(n));
                extract(&finger.impression(&contact)).expect("a template from a natural touch")
            };
            let enrolled = (0..3).map(take).collect();
            (enrolled, (100..100 + probes).map(take).collect())
        })
        .collect();
    let (mut own, mut accepted, mut strangers, mut admitted) = (0, 0, 0, 0);
    for (i, (enrolled, _)) in people.iter().enumerate() {
        for (j, (_, probes)) in people.iter().enumerate() {
            for probe in probes {
                let passed = u32::from(verify(probe, enrolled).reaches(4.0));
                let (tries, passes) = if i == j {
                    (&mut own, &mut accepted)
                } else {
                    (&mut strangers, &mut admitted)
                };
                *tries += 1;
                *passes += passed;
            }
        }
    }
    println!("own finger accepted {accepted} of {own}, strangers {admitted} of {strangers}");
}

fn dir(path: &Path, first: u32, last: u32) {
    let mut folders: Vec<_> = std::fs::read_dir(path)
        .expect("a folder")
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    if folders.is_empty() {
        folders.push(path.to_path_buf());
    }
    let mut pooled = Tally::default();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        // FVC2002 DB2 is a 569 dpi sensor; its files do not say so.
        let dpi = if name.starts_with("DB2") { 569 } else { 500 };
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|x| x == "tif"))
            .collect();
        files.sort();
        let mut tally = Tally::default();
        let mut samples = Vec::new();
        for file in files {
            let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
            let finger: u32 = stem
                .split('_')
                .next()
                .unwrap()
                .parse()
                .expect("FINGER_N.tif");
            if (first..=last).contains(&finger) {
                let image = tiff(&std::fs::read(&file).unwrap(), dpi);
                samples.push(tally.take(finger, &image));
            }
        }
        tally.compare_all(&samples);
        tally.report(&name);
        pooled.absorb(tally);
    }
    pooled.report("pooled");
}

/// Reads an uncompressed 8-bit grey TIFF (TIFF 6.0, sections 2 to 4).
fn tiff(bytes: &[u8], dpi: u16) -> Image {
    let little = &bytes[..2] == b"II";
    let u16_at = |at: usize| {
        let pair = [bytes[at], bytes[at + 1]];
        if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    };
    let u32_at = |at: usize| {
        let four = bytes[at..at + 4].try_into().unwrap();
        if little {
            u32::from_le_bytes(four)
        } else {
            u32::from_be_bytes(four)
        }
    };
    let directory = u32_at(4) as usize;
    let (mut width, mut height, mut inverted) = (0, 0, false);
    let (mut offsets, mut counts) = (Vec::new(), Vec::new());
    for entry in 0..usize::from(u16_at(directory)) {
        let at = directory + 2 + 12 * entry;
        let (kind, count) = (u16_at(at + 2), u32_at(at + 4) as usize);
        let size = if kind == 3 { 2 } else { 4 };
        let start = if size * count <= 4 {
            at + 8
        } else {
            u32_at(at + 8) as usize
        };
        let values: Vec<usize> = (0..count.min(4096))
            .take_while(|i| start + size * (i + 1) <= bytes.len())
            .map(|i| match size {
                2 => usize::from(u16_at(start + 2 * i)),
                _ => u32_at(start + 4 * i) as usize,
            })
            .collect();
        match u16_at(at) {
            256 => width = values[0],
            257 => height = values[0],
            258 => assert_eq!(values[0], 8, "8 bits a pixel"),
            259 => assert_eq!(values[0], 1, "uncompressed"),
            262 => inverted = values[0] == 0,
            273 => offsets = values,
            279 => counts = values,
            _ => {}
        }
    }
    let mut pixels = Vec::new();
    for (&offset, &count) in offsets.iter().zip(&counts) {
        pixels.extend_from_slice(&bytes[offset..offset + count]);
    }
    pixels.truncate(width * height);
    if inverted {
        pixels.iter_mut().for_each(|p| *p = 255 - *p);
    }
    Image::new(width as u16, height as u16, dpi, pixels).expect("a finger image")
}
