//! Every kit against its twin, and against twins that deviate: the right check fails,
//! and nothing unrelated does.

mod card_reader;
mod deviant;
mod finger;
mod form_printer;
mod id_reader;
mod pin_pad;
mod receipt_printer;
mod slip_printer;

use std::future::Future;
use std::rc::Rc;

use counterfoil_data::seam::SharedClock;

use super::bench::Bench;
use super::hands::Hands;
use super::run::{Line, Outcome, Total, run};
use super::{Check, Subject};
use crate::system::{SystemEntropy, TokioClock};
use crate::transport::twin_bus::TwinBus;

/// A kit in virtual time over a bus that `plug` fills.
fn certify<S, F>(
    plug: impl FnOnce(&TwinBus),
    name: &str,
    subject: impl FnOnce(Bench<TwinBus>) -> S,
    checks: Vec<Check<S>>,
    before: impl FnOnce(TwinBus) -> F,
) -> Vec<Line>
where
    S: Subject,
    F: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let start = jiff::Timestamp::from_second(1_800_000_000).expect("a time");
        let clock: SharedClock = Rc::new(TokioClock::starting_at(start));
        let bus = TwinBus::new(clock.clone());
        plug(&bus);
        before(bus.clone()).await;
        let info = bus.list_now().into_iter().find(|d| d.path == name);
        let bench = Bench::new(
            bus.clone(),
            info.expect("plugged in"),
            clock,
            Rc::new(SystemEntropy),
            Hands::Bus(bus),
        );
        run(&subject(bench), &checks, &[], |_| {}).await
    })
}

/// The ids of what failed, with what was seen.
fn failed(lines: &[Line]) -> Vec<(&'static str, String)> {
    let seen = |l: &Line| match &l.outcome {
        Outcome::Failed(seen) => Some((l.id, seen.clone())),
        _ => None,
    };
    lines.iter().filter_map(seen).collect()
}

fn ids(lines: &[Line]) -> Vec<&'static str> {
    failed(lines).into_iter().map(|(id, _)| id).collect()
}

/// All passed; what did not, in words.
fn assert_passed(lines: &[Line]) {
    let bad = lines
        .iter()
        .filter(|l| !matches!(l.outcome, Outcome::Passed(_)));
    let bad: Vec<String> = bad.map(Line::text).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(Total::of(lines).all_passed());
}

/// Ids are given once, and in order.
fn assert_numbered<S>(checks: &[Check<S>], prefix: &str) {
    for (n, check) in (1..).zip(checks) {
        assert_eq!(check.id, format!("{prefix}-{n:02}"));
        assert!(!check.proves.is_empty() && !check.remedy.is_empty());
    }
}
