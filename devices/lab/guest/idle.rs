//! What waiting costs: every device open, a read posted on every IN pipe, and nothing
//! comes.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_devices::driver::role_of;
use counterfoil_devices::transport::{Bus as _, Transport as _};

use super::{Bench, Work};

const WAIT: Duration = Duration::from_secs(5);
/// Of one emulated core, in thousandths.
const BUSY_MAX: u64 = 100;
/// Clock ticks a second of `/proc/self/stat`.
const TICKS: u64 = 100;

/// The workers.
pub async fn check(bench: &Bench) -> anyhow::Result<()> {
    let what = "every pipe read for 5 s, idle";
    bench.check("workers", what, idle(bench)).await
}

async fn idle(bench: &Bench) -> Work {
    let (threads_before, memory_before) = size()?;
    let mut opened = Vec::new();
    for info in bench.bus.list().await? {
        if role_of(&info).is_some() {
            opened.push(bench.bus.open(&info.path).await?);
        }
    }
    let mut reads = Vec::new();
    for usb in &opened {
        let ends = usb.info().interfaces.iter().flat_map(|i| &i.endpoints);
        for end in ends.filter(|end| end.is_in()) {
            let packet = usize::from(end.max_packet);
            reads.push(usb.read(end.address, packet, WAIT));
        }
    }
    let pipes = reads.len();
    let before = ticks()?;
    futures(reads).await;
    let spent = ticks()?.saturating_sub(before);
    let (threads, memory) = size()?;
    let waited = TICKS.saturating_mul(WAIT.as_secs());
    let thousandths = spent.saturating_mul(1000).checked_div(waited).unwrap_or(0);
    anyhow::ensure!(
        thousandths <= BUSY_MAX,
        "{thousandths} thousandths of a core"
    );
    Ok(format!(
        "{} devices, {pipes} pipes: {}.{} % of an emulated core; threads {threads_before} to \
         {threads}, memory {memory_before} to {memory} KiB",
        opened.len(),
        thousandths / 10,
        thousandths % 10,
    ))
}

/// All of them at once.
async fn futures(all: Vec<impl Future>) {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

/// User and system time of all threads.
fn ticks() -> anyhow::Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, words) = stat.rsplit_once(") ").context("no statistics")?;
    let words: Vec<&str> = words.split(' ').collect();
    let word = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    let (user, system) = (word(11).context("no time")?, word(12).context("no time")?);
    Ok(user.saturating_add(system))
}

/// Threads, and KiB of memory in use.
fn size() -> anyhow::Result<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| -> anyhow::Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let word = line.and_then(|line| line.split_whitespace().next());
        Ok(word.context("no such field")?.parse()?)
    };
    Ok((field("Threads:")?, field("VmRSS:")?))
}
