//! Tables of what was measured.

use crate::metrics::{Bootstrap, Interval};
use crate::plots::{self, Curve, Held};
use crate::study::{CLAIMS, Measured, Row};
use std::path::Path;
use std::time::Duration;

/// Most refused prints that are listed.
const REFUSED_MAX: usize = 20;

/// Prints the error rates of the rows.
pub fn rates(title: &str, rows: &[Row], rounds: usize) {
    println!("{title} (one threshold a row, no template = score 0, [95 % by finger])");
    print!(
        "{:<14}{:>8}{:>9}{:>9}   ",
        "", "genuine", "impostor", "refused"
    );
    for head in [
        "EER %",
        "FNMR % at FMR 1 %",
        "at FMR 0.1 %",
        "at FMR 0.01 %",
    ] {
        print!("{head:<20}");
    }
    println!("threshold at 0.1 %");
    for row in rows {
        let (genuine, impostor) = row.sorted.counts();
        let refused = format!("{}/{}", row.failed, row.images);
        print!("{:<14}{genuine:>8}{impostor:>9}{refused:>9}   ", row.name);
        let Some(found) = row.sorted.figures() else {
            println!("needs pairs of one finger and of two");
            continue;
        };
        let around = Bootstrap::new(row.fingers.clone(), rounds).figures(&row.sorted);
        let values = [found.eer, found.fnmr[0], found.fnmr[1], found.fnmr[2]];
        for (n, value) in values.into_iter().enumerate() {
            let around = around.map(|around| around[n]);
            print!("{:<20}", format!("{:.2}{}", 100.0 * value, span(around)));
        }
        println!("{:.4}", found.threshold[1]);
    }
    println!();
}

fn span(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |(low, high)| {
        format!(" [{:.2} {:.2}]", 100.0 * low, 100.0 * high)
    })
}

/// The same for rates far below one percent.
fn fine_span(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |(low, high)| {
        format!(" [{:.4} {:.4}]", 100.0 * low, 100.0 * high)
    })
}

/// Prints which prints gave no template, and why.
pub fn refused(sets: &[Measured]) {
    let mut lines: Vec<String> = Vec::new();
    for set in sets {
        for sample in &set.samples {
            if let Err(why) = &sample.template {
                lines.push(format!("  {} {}: {why}", set.name, sample.name));
            }
        }
    }
    if lines.is_empty() {
        return;
    }
    println!("{} prints gave no template:", lines.len());
    lines
        .iter()
        .take(REFUSED_MAX)
        .for_each(|line| println!("{line}"));
    if lines.len() > REFUSED_MAX {
        println!("  and {} more", lines.len() - REFUSED_MAX);
    }
    println!();
}

/// Prints times and memory.
pub fn costs(sets: &[Measured], threads: usize, memory: (usize, usize)) {
    let extraction = sets.iter().flat_map(|set| &set.samples);
    let extraction = extraction
        .map(|sample| sample.extraction)
        .filter(|time| !time.is_zero());
    let matching = sets.iter().flat_map(|set| &set.comparison.nanoseconds);
    let matching = matching.map(|&n| Duration::from_nanos(u64::from(n)));
    println!("costs (processor time of the one thread that makes the call; {threads} at work)");
    println!("               calls      mean    median       p95   longest  memory at most");
    cost("extract", extraction.collect(), memory.1);
    cost("match", matching.collect(), memory.0);
    let minutiae = sets.iter().flat_map(|set| &set.samples);
    let minutiae = minutiae.filter_map(|sample| sample.template.as_ref().ok());
    let counts: Vec<usize> = minutiae.map(|template| template.minutia_count()).collect();
    let mean = counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64;
    println!(
        "{mean:.1} minutiae a template; memory of a match with both templates read from bytes\n"
    );
}

fn cost(name: &str, mut times: Vec<Duration>, memory_bytes: usize) {
    times.sort_unstable();
    let Some(longest) = times.last() else { return };
    let ms = |time: Duration| 1e3 * time.as_secs_f64();
    let mean = ms(times.iter().sum()) / times.len() as f64;
    let (median, p95) = (times[times.len() / 2], times[times.len() * 95 / 100]);
    let [median, p95, longest] = [median, p95, *longest].map(ms);
    let mib = memory_bytes as f64 / 1_048_576.0;
    print!(
        "{name:<10}{:>10}{mean:>10.3}{median:>10.3}{p95:>10.3}{longest:>10.3} ms",
        times.len()
    );
    println!("  {mib:.2} MiB");
}

/// Prints whether the scores of `verify` mean what they claim, and draws it.
pub fn claims(row: &Row, thresholds: &[f32], rounds: usize, picture: &Path) -> Result<(), String> {
    let measured = row.sorted.fmr_at(thresholds);
    let around = Bootstrap::new(row.fingers.clone(), rounds).fmr_at(&row.sorted, thresholds);
    let impostors = row.sorted.counts().1;
    let mut likeness = row.sorted.pairs().iter().filter(|p| !p.is_genuine());
    let likeness: Vec<f32> = likeness.by_ref().map(|pair| pair.score).collect();
    println!("what a score s of verify claims (one stranger in 10^s), {impostors} strangers");
    println!("    s    claimed %  measured % [95 % by finger]      pairs  raw for s  raw needed");
    let mut held = Vec::new();
    let found = measured.into_iter().zip(around).zip(thresholds);
    for (s, ((measured, interval), threshold)) in CLAIMS.into_iter().zip(found) {
        let claimed = 10_f64.powf(f64::from(-s));
        let pairs = (measured * impostors as f64).round();
        let allowed = (claimed * impostors as f64) as usize;
        let needed = likeness
            .len()
            .checked_sub(allowed + 1)
            .and_then(|at| likeness.get(at));
        let needed = needed.filter(|_| allowed > 0);
        let needed = needed.map_or_else(|| "-".to_owned(), |raw| format!("{raw:.3}"));
        let rate = format!("{:.4}{}", 100.0 * measured, fine_span(interval));
        let claim = 100.0 * claimed;
        println!("{s:>5.1}{claim:>13.4}  {rate:<30}{pairs:>8}{threshold:>11.3}{needed:>12}");
        held.push(Held {
            claimed,
            measured,
            interval,
        });
    }
    println!();
    let title = format!("{}: claimed and measured false match rate", row.name);
    let drawn = plots::calibration(&title, &held, 1.0 / impostors.max(1) as f64);
    save(&drawn, picture)
}

/// Draws the error rates of the rows.
pub fn det(title: &str, rows: &[&Row], picture: &Path) -> Result<(), String> {
    let curve = |row: &&Row| {
        let eer = row
            .sorted
            .figures()
            .map(|f| plots::percent((f.eer * 1e4).round() / 1e4));
        let name = format!("{} (EER {})", row.name, eer.unwrap_or_default());
        let points = row.sorted.curve();
        Curve { name, points }
    };
    let most = rows.iter().map(|row| row.sorted.counts());
    let most = most.fold((1, 1), |a, b| (a.0.max(b.0), a.1.max(b.1)));
    let least = (1.0 / most.1 as f64, 1.0 / most.0 as f64);
    let curves: Vec<Curve> = rows.iter().map(curve).collect();
    save(&plots::det(title, &curves, least), picture)
}

fn save(drawn: &crate::raster::Canvas, picture: &Path) -> Result<(), String> {
    let told = |what: String| format!("{} cannot be written ({what})", picture.display());
    if let Some(folder) = picture.parent() {
        std::fs::create_dir_all(folder).map_err(|e| told(e.to_string()))?;
    }
    drawn.save(picture).map_err(|e| told(e.to_string()))?;
    println!("drawn: {}", picture.display());
    Ok(())
}
