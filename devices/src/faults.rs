//! The fault matrix: every driver, every fault, every byte of its session.
//!
//! ```text
//!  a session without faults ──► its three streams (IN, OUT, control)
//!        for each byte and each fault of its way, on a fresh device:
//!        session with the fault ──► judged ──► fault clears, hands help ──► session again: must be right
//! ```
//!
//! Owns what is demanded of every driver: no panic, no circle, an end before the
//! deadline, nothing wrong taken for true, paper as the outcome says, and a device that
//! works again. What each device is for stands in [`fingers`], [`printers`],
//! [`readers`] and [`receipts`]. Prints how many cases were run.

mod fingers;
mod plan;
mod printers;
mod readers;
mod receipts;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::{Entropy, SharedClock};

use self::plan::{Fault, Plan, Stream, TOO_LONG, Way};
use self::wire::Wire;
use crate::system::TokioClock;
use crate::transport::twin_bus::TwinBus;

/// Failures shown of one subject.
const SHOWN_MAX: usize = 12;

/// Why a session did not end with the job done and what it gave true.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// The driver said so, or that it is not certain.
    Refused(String),
    /// It said something that is not so, or came too late.
    Wrong(String),
}

fn refused(why: impl fmt::Display) -> Trouble {
    Trouble::Refused(why.to_string())
}

fn wrong(what: impl fmt::Display) -> Trouble {
    Trouble::Wrong(what.to_string())
}

/// A driver with its twin and one job.
trait Subject {
    /// The twin, as far as the truth is asked of it.
    type Device;

    /// For the report.
    fn name(&self) -> String;

    /// Plugs in a fresh device under `name`, ready for one job.
    fn plug(&self, bus: &TwinBus, name: &str) -> Self::Device;

    /// Opens the device and does the job.
    async fn session(&self, desk: &Desk, device: &Self::Device) -> Result<(), Trouble>;

    /// What hands do after trouble, to be ready for one more job.
    fn mend(&self, desk: &Desk, device: &Self::Device);

    /// When everything that was queued has run out: whether what the session said
    /// still holds.
    fn later(&self, _: &Self::Device) -> Result<(), String> {
        Ok(())
    }

    /// Longest a session may take, as its caller allows it.
    fn within(&self) -> Duration;

    /// Whether the job must be right in spite of it, `offset` bytes into a transfer: by
    /// default a pause between two packets, which any device may make.
    fn bears(&self, plan: Plan, offset: usize) -> bool {
        match plan.fault {
            Fault::LateABit => offset.is_multiple_of(PACKET),
            Fault::Pieces => plan.way == Way::Out,
            _ => false,
        }
    }
}

/// One device on a bus of its own, and the hands beside it.
struct Desk {
    bus: TwinBus,
    clock: SharedClock,
    wire: Rc<Wire>,
}

const NAME: &str = "device";
const PACKET: usize = 64;
/// A call may end so much behind its deadline: the last slice of a wait, and what it
/// takes to leave the device clean.
const SLACK: Duration = Duration::from_secs(1);

impl Desk {
    fn act(&self, line: &str) -> Option<String> {
        self.bus.desk(&format!("{NAME} {line}")).ok()
    }

    /// What comes of a call that may take `limit`; a longer one is a wrong outcome.
    async fn within<T>(
        &self,
        what: &str,
        limit: Duration,
        call: impl Future<Output = T>,
    ) -> Result<T, Trouble> {
        let ended = tokio::time::timeout(limit + SLACK, call).await;
        ended.map_err(|_| wrong(format!("{what} takes longer than its {limit:?}")))
    }

    fn after(&self, wait: Duration) -> Duration {
        self.clock.monotonic() + wait
    }
}

/// Randomness that is always the same.
struct Same;

impl Entropy for Same {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

fn on_paused_time<T>(body: impl AsyncFnOnce(SharedClock) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let start = jiff::Timestamp::from_second(1_800_000_000).expect("a time");
        body(Rc::new(TokioClock::starting_at(start))).await
    })
}

/// The streams of a session without faults.
fn streams<S: Subject>(subject: &S) -> BTreeMap<Way, Stream> {
    on_paused_time(async |clock| {
        let bus = TwinBus::new(clock.clone());
        let device = subject.plug(&bus, NAME);
        let wire = Wire::new(bus.clone(), clock.clone(), NAME, None);
        let desk = Desk { bus, clock, wire };
        let outcome = subject.session(&desk, &device).await;
        assert_eq!(outcome, Ok(()), "{} without faults", subject.name());
        let ways = [Way::In, Way::Out, Way::Control];
        ways.map(|way| (way, desk.wire.stream(way))).into()
    })
}

/// One case; what is wrong, if anything.
fn case<S: Subject>(subject: &S, plan: Plan, offset: usize) -> Result<(), String> {
    on_paused_time(async |clock| {
        let bus = TwinBus::new(clock.clone());
        let device = subject.plug(&bus, NAME);
        let wire = Wire::new(bus.clone(), clock.clone(), NAME, Some(plan));
        let desk = Desk { bus, clock, wire };
        let session = subject.session(&desk, &device);
        match tokio::time::timeout(subject.within(), session).await {
            Err(_) => return Err("still waiting when its deadline was over".to_owned()),
            Ok(Err(Trouble::Wrong(what))) => return Err(what),
            Ok(Err(Trouble::Refused(why))) if subject.bears(plan, offset) => {
                return Err(format!("gave up what it must bear: {why}"));
            }
            Ok(Err(Trouble::Refused(why))) if desk.wire.struck_by().is_none() => {
                return Err(format!("gave up before any fault: {why}"));
            }
            Ok(_) => {}
        }
        desk.clock.sleep(TOO_LONG).await;
        // Refused by every desk, after the time that has passed was made up for.
        desk.act("nothing");
        subject.later(&device)?;
        desk.bus.replug(NAME);
        subject.mend(&desk, &device);
        let again = subject.session(&desk, &device);
        match tokio::time::timeout(subject.within(), again).await {
            Err(_) => Err("the next session never ends".to_owned()),
            Ok(again) => again.map_err(|again| format!("the next session: {again:?}")),
        }
    })
}

/// A number: of no subject are fewer cases run than one in so many, 1 runs all. Without
/// it, the suite draws fewer of the largest, by a seed.
const ASKED: &str = "COUNTERFOIL_FAULTS";
const SEED: u64 = 0x5eed;

/// Whether the nth case is among the drawn.
fn is_drawn(nth: usize, one_in: usize) -> bool {
    // Fibonacci hashing: neighbours are spread, so no fault is left out for ever.
    let spread = (nth as u64 ^ SEED).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    spread.is_multiple_of(one_in as u64)
}

/// Every case of a subject, or one in so many where nobody asked for more.
fn run<S: Subject>(subject: &S, one_in: usize) {
    let asked = std::env::var(ASKED).map(|asked| asked.parse::<usize>().expect("a number"));
    let one_in = asked.map_or(one_in, |asked| asked.clamp(1, one_in));
    let streams = streams(subject);
    let plans = streams.iter().flat_map(|(way, stream)| {
        let plans = stream.plans(*way, PACKET, SEED).into_iter();
        plans.map(|plan| (plan, stream.offset(plan.at)))
    });
    let plans: Vec<(Plan, usize)> = plans.collect();
    let mut failed: Vec<String> = Vec::new();
    let mut cases = 0_usize;
    for (nth, (plan, offset)) in plans.iter().enumerate() {
        if !is_drawn(nth, one_in) {
            continue;
        }
        cases += 1;
        let done = catch_unwind(AssertUnwindSafe(|| case(subject, *plan, *offset)));
        let done = done.unwrap_or_else(|_| Err("panicked".to_owned()));
        if let Err(what) = done {
            let Plan { way, at, fault } = plan;
            failed.push(format!("{way:?} {at} {fault:?}: {what}"));
        }
    }
    let lens: Vec<usize> = streams.values().map(|stream| stream.len).collect();
    let name = subject.name();
    println!(
        "{name}: {cases} of {} cases, streams of {lens:?}",
        plans.len()
    );
    let shown = failed.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>();
    assert!(
        failed.is_empty(),
        "{name}: {} of {cases} cases failed\n{}",
        failed.len(),
        shown.join("\n")
    );
    assert!(
        cases * one_in * 2 > plans.len(),
        "only {cases} cases were run"
    );
}
