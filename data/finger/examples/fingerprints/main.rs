//! Measures the engine: error rates with intervals, times, memory, and whether scores hold.
//!
//! ```text
//! just fingerprints DIR            # FINGER_IMPRESSION.tif or .png, in sets
//! just fingerprints --synthetic 500
//! ```
//! `--help` lists the options. Every genuine pair and every pair of different fingers within a set
//! counts; sets are pooled under one threshold; a print without a template scores 0. Parameters of
//! the engine are chosen on the lower half of each set's finger numbers, the upper half is what
//! may be reported. Exit code 0; 1 if a file took no part or nothing could be measured; 2 if the
//! words were not understood.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a measuring tool: it prints, counts, and stops at a surprise of its own"
)]

mod change;
mod decisions;
mod measure;
mod metrics;
mod options;
mod picture;
mod plots;
mod prints;
mod raster;
mod report;
mod sets;
mod study;

use measure::Sample;
use options::{Options, Prints};
use prints::{Planned, Work};
use sets::Problem;
use std::io::Write as _;
use std::process::ExitCode;
use study::{Measured, Row};

fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(told) if told.is_empty() => {
            println!("{}", options::USE);
            return ExitCode::SUCCESS;
        }
        Err(told) => {
            eprintln!("fingerprints: {told}\n{}", options::USE);
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(left_out) => {
            eprintln!("fingerprints: {left_out} files took no part, see above");
            ExitCode::FAILURE
        }
        Err(told) => {
            eprintln!("fingerprints: {told}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and reports; how many files took no part.
fn run(options: &Options) -> Result<usize, String> {
    let (planned, problems) = prints::plan(options)?;
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    let mut left_out = problems.len();
    let (mut sets, mut first) = (Vec::new(), 0);
    for set in &planned {
        let (samples, problems) = extract_all(set, options);
        problems.iter().for_each(|problem| eprintln!("{problem}"));
        left_out += problems.len();
        let pairs = samples.len() * samples.len().saturating_sub(1) / 2;
        eprintln!(
            "{}: {} prints taken, {pairs} pairs to compare",
            set.name,
            samples.len()
        );
        let comparison = measure::compare_all(&samples, options.threads);
        let measured = Measured::new(set.name.clone(), samples, comparison, first);
        first = measured.all().end;
        sets.push(measured);
    }
    if let Some(path) = &options.scores {
        let told = |e| format!("{} cannot be written ({e})", path.display());
        write_scores(&sets, path).map_err(told)?;
    }
    report_all(&planned, &sets, options)?;
    Ok(left_out)
}

fn extract_all(set: &Planned, options: &Options) -> (Vec<Sample>, Vec<Problem>) {
    let work: &[Work] = &set.work;
    let made = measure::spread(options.threads, work.len(), |n| {
        let prints = work[n].prints().into_iter();
        let taken = prints.map(|print| {
            print.map(|print| {
                let is_changed = options.change_all || print.impression % 2 == 1;
                measure::take(print, options.change.filter(|_| is_changed))
            })
        });
        taken.collect::<Vec<_>>()
    });
    let (mut samples, mut problems) = (Vec::new(), Vec::new());
    for result in made.into_iter().flatten() {
        match result {
            Ok(sample) => samples.push(sample),
            Err(problem) => problems.push(problem),
        }
    }
    (samples, problems)
}

/// A line for each pair, as precise as it was computed: set, print, later print, likeness.
fn write_scores(sets: &[Measured], path: &std::path::Path) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
    for set in sets {
        for (i, sample) in set.samples.iter().enumerate() {
            for (score, other) in set.comparison.scores[i].iter().zip(&set.samples[i + 1..]) {
                writeln!(out, "{} {} {} {score}", set.name, sample.name, other.name)?;
            }
        }
    }
    out.flush()
}

/// Each set, all together, and the two halves; `kept` marks the prints that stay.
fn rows(sets: &[Measured], is_synthetic: bool, kept: Option<&[Vec<bool>]>) -> Vec<Row> {
    let one = |(n, set): (usize, &Measured)| {
        let kept = kept.map(|kept| &kept[n..=n]);
        Row::new(&set.name, &[set], vec![set.all()], kept)
    };
    let mut rows: Vec<Row> = sets.iter().enumerate().map(one).collect();
    let every: Vec<&Measured> = sets.iter().collect();
    let mut pooled = |name: &str, range: fn(&Measured) -> std::ops::Range<u32>| {
        let ranges = sets.iter().map(range).collect();
        rows.push(Row::new(name, &every, ranges, kept));
    };
    if sets.len() > 1 {
        pooled("all sets", Measured::all);
    }
    if !is_synthetic {
        pooled("tuning half", Measured::tuning);
        pooled("reporting half", Measured::reporting);
    }
    rows
}

fn report_all(planned: &[Planned], sets: &[Measured], options: &Options) -> Result<(), String> {
    let (is_synthetic, name) = match &options.prints {
        Prints::Synthetic { .. } => (true, "synthetic".to_owned()),
        Prints::Folder(root) => {
            let root = root.canonicalize().unwrap_or_else(|_| root.clone());
            let name = root
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            (false, name.unwrap_or_else(|| "prints".to_owned()))
        }
    };
    let rows_all = rows(sets, is_synthetic, None);
    report::rates(&name, &rows_all, options.rounds);
    if let Some(percent) = options.drop_worst_percent {
        let kept = study::without_worst(sets, percent);
        let title = format!("{name} without the {percent} % of lowest quality");
        report::rates(
            &title,
            &rows(sets, is_synthetic, Some(&kept)),
            options.rounds,
        );
    }
    report::refused(sets);
    if options.change.is_some() {
        decisions::print_changed(sets);
    }
    if let Some(count) = options.enrolled {
        decisions::print_enrolled(sets, count, options.threads);
    }
    report::costs(sets, options.threads, memory(planned, sets));
    let pooled = &rows_all[if sets.len() > 1 { sets.len() } else { 0 }];
    let thresholds = study::claimed_thresholds(sets);
    let picture = |kind: &str| options.out.join(format!("{name}-{kind}.png"));
    report::claims(pooled, &thresholds, options.rounds, &picture("calibration"))?;
    let mut curves: Vec<&Row> = vec![pooled];
    curves.extend(rows_all.iter().filter(|row| !std::ptr::eq(*row, pooled)));
    curves.truncate(8);
    report::det(&format!("{name}: error rates"), &curves, &picture("det"))
}

/// Bytes of a match and of an extraction; nothing else is at work now.
fn memory(planned: &[Planned], sets: &[Measured]) -> (usize, usize) {
    let matches = sets.iter().map(|set| measure::match_memory(&set.samples));
    let largest = planned.iter().filter_map(|set| {
        let prints = set.work.first()?.prints();
        let image = prints
            .into_iter()
            .flatten()
            .find_map(|print| print.image.ok())?;
        Some(measure::extraction_memory(&image))
    });
    (matches.max().unwrap_or(0), largest.max().unwrap_or(0))
}
