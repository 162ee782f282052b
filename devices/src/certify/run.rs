//! Runs a kit: one check after the other, each bounded, each cleaned up after.

use std::time::Duration;

use super::{Bench, Check, Needs, Stop, Subject};

/// Longest a check may take that needs nobody.
pub const CHECK_WITHIN: Duration = Duration::from_secs(180);
/// Longest a check may take for which somebody has to do something.
pub const HANDS_WITHIN: Duration = Duration::from_secs(1_800);

/// What became of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Proven, with a note.
    Passed(String),
    /// What was seen.
    Failed(String),
    /// Why it was not done.
    Skipped(String),
}

/// One line of the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which check.
    pub id: &'static str,
    /// What it proves.
    pub proves: &'static str,
    /// Where that is said.
    pub source: &'static str,
    /// What to do when it fails.
    pub remedy: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

impl Line {
    /// As it is shown while the kit runs.
    pub fn text(&self) -> String {
        let ms = self.took.as_millis();
        match &self.outcome {
            Outcome::Passed(note) if note.is_empty() => {
                format!("pass {} {} … {ms} ms", self.id, self.proves)
            }
            Outcome::Passed(note) => {
                format!("pass {} {} ({note}) … {ms} ms", self.id, self.proves)
            }
            Outcome::Failed(seen) => format!(
                "FAIL {} {} … {ms} ms\n     seen: {seen}\n     do: {}",
                self.id, self.proves, self.remedy
            ),
            Outcome::Skipped(why) => format!("skip {} {}: {why}", self.id, self.proves),
        }
    }
}

/// How many of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Skipped.
    pub skipped: usize,
}

impl Total {
    /// Over lines.
    pub fn of(lines: &[Line]) -> Self {
        let count = |is: fn(&Outcome) -> bool| lines.iter().filter(|l| is(&l.outcome)).count();
        Self {
            passed: count(|o| matches!(o, Outcome::Passed(_))),
            failed: count(|o| matches!(o, Outcome::Failed(_))),
            skipped: count(|o| matches!(o, Outcome::Skipped(_))),
        }
    }

    /// Whether every check was done and passed.
    pub fn all_passed(self) -> bool {
        self.passed > 0 && self.failed == 0 && self.skipped == 0
    }
}

/// Runs `checks` in order and tells `heard` each line as it comes. Only those of
/// `only` if it names any; the others are skipped, and not heard of.
pub async fn run<S: Subject>(
    subject: &S,
    checks: &[Check<S>],
    only: &[String],
    mut heard: impl FnMut(&Line),
) -> Vec<Line> {
    let mut lines = Vec::with_capacity(checks.len());
    let mut hopeless: Option<String> = None;
    for check in checks {
        let bench = subject.bench();
        let began = bench.now();
        let asked = only.is_empty() || only.iter().any(|id| id == check.id);
        let outcome = match &hopeless {
            _ if !asked => Outcome::Skipped("not asked for".to_owned()),
            Some(why) => Outcome::Skipped(format!("it could not be brought to rest: {why}")),
            None => one(subject, check).await,
        };
        let took = bench.now().saturating_sub(began);
        if asked && hopeless.is_none() && !matches!(outcome, Outcome::Passed(_)) {
            hopeless = subject.settle().await.err();
        }
        let line = Line {
            id: check.id,
            proves: check.proves,
            source: check.source,
            remedy: check.remedy,
            outcome,
            took,
        };
        if asked {
            heard(&line);
        }
        lines.push(line);
    }
    lines
}

async fn one<S: Subject>(subject: &S, check: &Check<S>) -> Outcome {
    let bench: &Bench<S::Bus> = subject.bench();
    let limit = match check.needs {
        Needs::Act if !bench.hands.of_a_twin() => HANDS_WITHIN,
        _ => CHECK_WITHIN,
    };
    let verdict = tokio::select! {
        biased;
        verdict = (check.run)(subject) => verdict,
        () = bench.clock.sleep(limit) => Err(Stop::Failed(format!(
            "not done within {} s", limit.as_secs()
        ))),
    };
    let righted = bench.put_all_right().await;
    match (verdict, righted) {
        (Ok(note), Ok(())) => Outcome::Passed(note),
        (Err(Stop::Failed(seen)), _) | (Ok(_), Err(Stop::Failed(seen))) => Outcome::Failed(seen),
        (Ok(_), Err(Stop::Skipped(why))) | (Err(Stop::Skipped(why)), _) => Outcome::Skipped(why),
    }
}
