//! What a driver costs the host: its job with a twin in virtual time, beside the same
//! transfers with the same twin and no driver.
//!
//! The mechanics take no real time here, so what is left is the host's work and the
//! twin's, and the peer takes the twin's off.

mod job;
mod recorded;

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use counterfoil_data::seam::SharedClock;
use counterfoil_devices::system::TokioClock;
use counterfoil_devices::transport::twin_bus::TwinBus;

use self::job::{JOBS, Job};
use self::recorded::{Call, Recorded};
use crate::slices::take_turns;
use crate::table::Table;

/// Jobs in one slice.
const JOBS_IN_SLICE: u32 = 10;

/// Adds a row for each job.
pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    for job in JOBS {
        let (calls, from) = record(job).with_context(|| job.name())?;
        let ours = || slice(|| with_driver(job));
        let peer = || slice(|| without(job, &calls, from));
        let (ours, peer) = take_turns(ours, peer).with_context(|| job.name())?;
        let ms = |time: Duration| time.as_secs_f64() * 1000.0 / f64::from(JOBS_IN_SLICE);
        table.add(&job.name(), ms(ours), ms(peer), job.budget_ms(), "ms");
    }
    Ok(())
}

fn slice(mut once: impl FnMut() -> anyhow::Result<Duration>) -> anyhow::Result<Duration> {
    let mut all = Duration::ZERO;
    for _ in 0..JOBS_IN_SLICE {
        all += once()?;
    }
    Ok(all)
}

fn on_paused_time<T>(
    body: impl AsyncFnOnce(SharedClock) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let start = jiff::Timestamp::from_second(1_800_000_000)?;
        body(Rc::new(TokioClock::starting_at(start))).await
    })
}

/// The job once: every call of the driver, and which of them begins its work.
fn record(job: Job) -> anyhow::Result<(Vec<Call>, usize)> {
    on_paused_time(async |clock| {
        let bus = TwinBus::new(clock.clone());
        job.plug(&bus)?;
        let usb = Recorded::new(bus.open_now(job::NAME)?);
        let log = usb.log();
        let mut device = job.open(&bus, usb, clock.clone()).await?;
        let from = log.borrow().len();
        job.work(&bus, &mut device, &clock).await?;
        let calls = log.borrow().clone();
        Ok((calls, from))
    })
}

/// The time the job takes.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn with_driver(job: Job) -> anyhow::Result<Duration> {
    on_paused_time(async |clock| {
        let bus = TwinBus::new(clock.clone());
        job.plug(&bus)?;
        let usb = Recorded::silent(bus.open_now(job::NAME)?);
        let mut device = job.open(&bus, usb, clock.clone()).await?;
        let began = Instant::now();
        job.work(&bus, &mut device, &clock).await?;
        Ok(began.elapsed())
    })
}

/// The time its transfers take.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn without(job: Job, calls: &[Call], from: usize) -> anyhow::Result<Duration> {
    on_paused_time(async |clock| {
        let bus = TwinBus::new(clock.clone());
        job.plug(&bus)?;
        let usb = bus.open_now(job::NAME)?;
        let (before, work) = calls.split_at(from);
        for call in before {
            call.make(&usb).await;
        }
        job.hands(&bus)?;
        let began = Instant::now();
        for call in work {
            call.make(&usb).await;
        }
        Ok(began.elapsed())
    })
}
