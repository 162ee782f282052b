//! Runs the engine over prints: templates, likenesses, times, memory.
//!
//! Owns the clock: processor time of the one thread that makes a call, so that the other threads
//! and programs at work do not count. Memory is what the allocator handed out above what was in
//! use before the call; a buffer that grows counts twice while it is copied.

use crate::change::Change;
use counterfoil_finger::{Image, Template, extract, quality, raw_likeness};
use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Pairs whose memory is looked at.
const MEMORY_PAIRS: usize = 400;

/// A print as it came.
pub struct Print {
    pub name: String,
    pub finger: u32,
    pub impression: u32,
    /// The image, or why the engine does not take it.
    pub image: Result<Image, String>,
}

/// What the engine made of a print.
pub struct Sample {
    pub name: String,
    pub finger: u32,
    /// The template, or why there is none.
    pub template: Result<Template, String>,
    /// The template of the print as it was before the change, if it was changed.
    pub unchanged: Option<Template>,
    /// The engine's own, 0..=100.
    pub quality: u8,
    pub extraction: Duration,
}

/// Processor time this thread has used.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Calls `work` for 0..`count` on `threads` threads and gives the results in that order.
pub fn spread<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let one = || {
        let mut done = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                return done;
            }
            done.push((n, work(n)));
        }
    };
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let done = running.into_iter().map(|thread| thread.join().unwrap());
        done.flatten().collect()
    });
    all.sort_by_key(|(n, _)| *n);
    all.into_iter().map(|(_, result)| result).collect()
}

/// Extracts one print, changed or as it is.
pub fn take(print: Print, change: Option<Change>) -> Sample {
    let before = print.image.as_ref().ok();
    let unchanged = change.and(before).and_then(|image| extract(image).ok());
    let image = match (print.image, change) {
        (Ok(image), Some(change)) => changed(&image, change),
        (image, _) => image,
    };
    let (mut extraction, mut rated) = (Duration::ZERO, 0);
    let template = image.and_then(|image| {
        rated = quality(&image).score;
        let start = used();
        let template = extract(&image);
        extraction = used() - start;
        template.map_err(|refused| refused.to_string())
    });
    Sample {
        name: print.name,
        finger: print.finger,
        template,
        unchanged,
        quality: rated,
        extraction,
    }
}

fn changed(image: &Image, change: Change) -> Result<Image, String> {
    let pixels = change.apply(usize::from(image.width()), image.pixels());
    let image = Image::new(image.width(), image.height(), image.dpi(), pixels);
    image.map_err(|refused| refused.to_string())
}

/// All pairs of one set.
#[derive(Default)]
pub struct Comparison {
    /// `scores[i][k]` is print i against print i + 1 + k.
    pub scores: Vec<Vec<f32>>,
    /// Nanoseconds of each call that was made.
    pub nanoseconds: Vec<u32>,
}

/// Compares every print with every later one. A print without a template scores 0.
pub fn compare_all(samples: &[Sample], threads: usize) -> Comparison {
    let rows = spread(threads, samples.len(), |i| {
        let mut times = Vec::new();
        let score = |other: &Sample| match (&samples[i].template, &other.template) {
            (Ok(probe), Ok(reference)) => {
                let start = used();
                let score = raw_likeness(probe, reference);
                times.push(u32::try_from((used() - start).as_nanos()).unwrap_or(u32::MAX));
                score
            }
            _ => 0.0,
        };
        let scores: Vec<f32> = samples[i + 1..].iter().map(score).collect();
        (scores, times)
    });
    let (scores, times): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    Comparison {
        scores,
        nanoseconds: times.concat(),
    }
}

/// Most bytes that one match took: both templates read from their encoded form, then compared.
/// Only right while no other thread is at work.
pub fn match_memory(samples: &[Sample]) -> usize {
    let encoded: Vec<_> = samples
        .iter()
        .filter_map(|sample| Some(sample.template.as_ref().ok()?.to_bytes()))
        .collect();
    let mut most = 0;
    for n in 0..MEMORY_PAIRS.min(encoded.len().saturating_sub(1) * 2) {
        let (i, j) = (n * 7 % encoded.len(), (n * 11 + 1) % encoded.len());
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let read = |i: usize| Template::from_bytes(&encoded[i]).unwrap();
        std::hint::black_box(raw_likeness(&read(i), &read(j)));
        most = most.max(MEMORY.peak_usage() - before);
    }
    most
}

/// Most bytes that the extraction of this image took.
pub fn extraction_memory(image: &Image) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    drop(std::hint::black_box(extract(image)));
    MEMORY.peak_usage() - before
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_finger::synth::{Contact, Finger};

    fn print(finger: u32, impression: u32) -> Print {
        let contact = Contact::natural(u64::from(impression));
        Print {
            name: format!("{finger}_{impression}"),
            finger,
            impression,
            image: Ok(Finger::from_seed(u64::from(finger)).impression(&contact)),
        }
    }

    #[test]
    fn work_that_is_spread_comes_back_in_order() {
        assert_eq!(
            spread(3, 100, |n| n * n),
            (0..100).map(|n| n * n).collect::<Vec<_>>()
        );
        assert!(spread(2, 0, |n| n).is_empty());
    }

    #[test]
    fn every_pair_is_compared_once_and_a_print_without_template_scores_nothing() {
        let mut samples: Vec<Sample> = [print(1, 1), print(1, 2), print(2, 1)]
            .map(|print| take(print, None))
            .into();
        let refused = Print {
            image: Err("too large".to_owned()),
            ..print(2, 2)
        };
        samples.push(take(refused, None));
        let comparison = compare_all(&samples, 2);
        let lengths: Vec<usize> = comparison.scores.iter().map(Vec::len).collect();
        assert_eq!(lengths, [3, 2, 1, 0]);
        assert_eq!(comparison.nanoseconds.len(), 3);
        assert!(comparison.scores[0][0] > comparison.scores[0][1]);
        let with_refused = [0, 1, 2].map(|i: usize| comparison.scores[i][2 - i]);
        assert_eq!(with_refused, [0.0; 3]);
    }

    #[test]
    fn a_changed_print_keeps_the_template_it_had_before() {
        let sample = take(print(3, 1), Some(Change::Shift(1000)));
        assert!(sample.template.is_err() && sample.unchanged.is_some());
        assert_eq!(sample.quality, 0);
    }
}
