//! A histogram that one thread fills and another reads.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of times in microseconds, and as Prometheus has them: in seconds.
const TIMES: [(u64, &str); 12] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_000, "0.002"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (20_000, "0.02"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
];
/// Upper bounds of counts.
const COUNTS: [(u64, &str); 7] = [
    (1, "1"),
    (2, "2"),
    (4, "4"),
    (8, "8"),
    (16, "16"),
    (32, "32"),
    (64, "64"),
];

/// Counts what was seen, by upper bounds that are fixed.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [(u64, &'static str)],
    /// What is above the last bound comes last.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
    is_time: bool,
}

impl Histogram {
    /// Of times, from 0.5 ms to 2.5 s.
    pub fn of_times() -> Self {
        Self::over(&TIMES, true)
    }

    /// Of counts, from 1 to 64.
    pub fn of_counts() -> Self {
        Self::over(&COUNTS, false)
    }

    fn over(bounds: &'static [(u64, &'static str)], is_time: bool) -> Self {
        let places = 0..=bounds.len();
        Self {
            bounds,
            counts: places.map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
            is_time,
        }
    }

    /// One time was seen.
    pub fn time(&self, seen: Duration) {
        self.see(u64::try_from(seen.as_micros()).unwrap_or(u64::MAX));
    }

    /// One count was seen.
    pub fn count(&self, seen: usize) {
        self.see(u64::try_from(seen).unwrap_or(u64::MAX));
    }

    fn see(&self, seen: u64) {
        let bounds = self.bounds.iter();
        let at = bounds.take_while(|(bound, _)| seen > *bound).count();
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(seen, Relaxed);
    }

    /// Its lines on the page, under `counterfoil_{name}`.
    pub fn write(&self, page: &mut String, name: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "# TYPE counterfoil_{name} histogram");
        let mut below: u64 = 0;
        let bounds = self.bounds.iter().map(|(_, text)| *text);
        for (text, count) in bounds.chain(["+Inf"]).zip(&self.counts) {
            below = below.saturating_add(count.load(Relaxed));
            let _ = writeln!(page, "counterfoil_{name}_bucket{{le=\"{text}\"}} {below}");
        }
        let sum = self.sum.load(Relaxed);
        let _ = if self.is_time {
            let seconds = Duration::from_micros(sum).as_secs_f64();
            writeln!(page, "counterfoil_{name}_sum {seconds}")
        } else {
            writeln!(page, "counterfoil_{name}_sum {sum}")
        };
        let _ = writeln!(page, "counterfoil_{name}_count {below}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_all_that_is_at_most_its_bound() {
        let groups = Histogram::of_counts();
        for seen in [1, 2, 3, 64, 65] {
            groups.count(seen);
        }
        let mut page = String::new();
        groups.write(&mut page, "group");
        for line in [
            "# TYPE counterfoil_group histogram",
            "counterfoil_group_bucket{le=\"1\"} 1",
            "counterfoil_group_bucket{le=\"2\"} 2",
            "counterfoil_group_bucket{le=\"4\"} 3",
            "counterfoil_group_bucket{le=\"64\"} 4",
            "counterfoil_group_bucket{le=\"+Inf\"} 5",
            "counterfoil_group_sum 135",
            "counterfoil_group_count 5",
        ] {
            assert!(page.lines().any(|l| l == line), "{line}\n{page}");
        }
        let times = Histogram::of_times();
        times.time(Duration::from_millis(5));
        times.time(Duration::from_secs(3));
        let mut page = String::new();
        times.write(&mut page, "commit_seconds");
        for line in [
            "counterfoil_commit_seconds_bucket{le=\"0.002\"} 0",
            "counterfoil_commit_seconds_bucket{le=\"0.005\"} 1",
            "counterfoil_commit_seconds_bucket{le=\"2.5\"} 1",
            "counterfoil_commit_seconds_sum 3.005",
        ] {
            assert!(page.lines().any(|l| l == line), "{line}\n{page}");
        }
    }
}
