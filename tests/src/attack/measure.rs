//! What is measured: times of good requests, slice by slice, and what the backend takes.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::Context as _;

/// Requests whose time a flood may not stretch: all but the gates that hash and match.
const HEAVY: [&str; 3] = ["info", "info-busy", "identity"];

/// Times since they were last looked at.
#[derive(Default)]
pub struct Times(RefCell<Vec<(String, Duration)>>);

/// What was seen in one slice of time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slice {
    /// Good requests that neither hash nor match.
    pub count: usize,
    /// The slowest of a hundred of them.
    pub p99: Duration,
    /// The slowest of a hundred PIN checks.
    pub info_p99: Duration,
    /// PIN checks that were answered busy.
    pub busy: usize,
}

impl Times {
    /// A request of this kind took so long.
    pub fn saw(&self, what: &str, took: Duration) {
        self.0.borrow_mut().push((what.to_owned(), took));
    }

    /// What was seen since the last look.
    pub fn slice(&self) -> Slice {
        let seen = std::mem::take(&mut *self.0.borrow_mut());
        let of = |which: &dyn Fn(&str) -> bool| -> Vec<Duration> {
            let kept = seen.iter().filter(|(what, _)| which(what));
            kept.map(|(_, took)| *took).collect()
        };
        let light = of(&|what| !HEAVY.contains(&what));
        Slice {
            count: light.len(),
            p99: percentile(light, 99),
            info_p99: percentile(of(&|what| what == "info"), 99),
            busy: of(&|what| what == "info-busy").len(),
        }
    }
}

/// The time that so many of a hundred are not above.
pub fn percentile(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    let at = times.len().saturating_mul(percent).div_ceil(100);
    times.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Resident memory of a process in KiB, now and at most until now.
pub fn memory_kib(pid: u32) -> anyhow::Result<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        number
            .and_then(|number| number.parse().ok())
            .context("no such field")
    };
    Ok((field("VmRSS:")?, field("VmHWM:")?))
}

/// Threads of a process and their processor time in ticks, by name.
pub fn threads(pid: u32) -> anyhow::Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end while it is looked at.
        let Ok(stat) = std::fs::read_to_string(task?.path().join("stat")) else {
            continue;
        };
        let Some((head, rest)) = stat.rsplit_once(") ") else {
            continue;
        };
        let name = head.split_once('(').map_or("", |(_, name)| name).to_owned();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok());
        let spent = ticks(11)
            .unwrap_or(0)
            .saturating_add(ticks(12).unwrap_or(0));
        found.push((name, spent));
    }
    Ok(found)
}
