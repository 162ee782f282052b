//! `counterfoil kiosk-cost`: what the kiosk costs a small computer.
//!
//! Starts `counterfoil-kiosk` (its own binary, which must lie next to this
//! program) alone against a twin server and a backend, and measures the first
//! frame, peak memory and idle processor time, beside their budgets
//! (in `told`). Figures, not a test: a busy machine measures itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::seam::SharedClock;
use counterfoil_devices::system::TokioClock;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};

use crate::branch::run_folder;
use crate::crash::house::{Process, backend, enrol, log};

/// Starts measured; the median counts.
const STARTS: usize = 7;
/// Time to reach the first screen of a day.
const SETTLE: Duration = Duration::from_secs(5);
/// Idle time measured.
const IDLE: Duration = Duration::from_secs(10);
/// Clock ticks in a second of `/proc` (USER_HZ, fixed on every Linux).
const TICKS_PER_SECOND: f64 = 100.0;

/// Measures and prints a table.
pub fn run() -> ExitCode {
    let measured = (|| -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, measure())
    })();
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::cli::say(&format!("kiosk-cost: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

struct Kiosk<'a> {
    exe: &'a Path,
    args: Vec<&'a str>,
    log: &'a Path,
    clock: &'a SharedClock,
}

impl Kiosk<'_> {
    /// Starts it; the time to its first byte on stdout.
    async fn start(&self) -> anyhow::Result<(Child, ChildStdout, Duration)> {
        let begun = self.clock.monotonic();
        let mut child = Command::new(self.exe)
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log(self.log, "kiosk")?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                let exe = self.exe.display();
                format!("cannot start {exe}: build it (cargo build --release --workspace --bins)")
            })?;
        let mut stdout = child.stdout.take().context("no stdout")?;
        let mut byte = [0; 1];
        stdout.read_exact(&mut byte).await.context("no frame")?;
        let took = self.clock.monotonic().saturating_sub(begun);
        Ok((child, stdout, took))
    }
}

async fn measure() -> anyhow::Result<()> {
    let clock: SharedClock = Rc::new(TokioClock::system());
    let own = std::env::current_exe().context("this program's own path")?;
    let exe: PathBuf = own.with_file_name("counterfoil-kiosk");
    let folder = run_folder()?;
    let books = enrol(&own, &folder, &clock).await?;
    let (serving, address) = backend(&own, &books, &[], log(&folder, "backend")?, &clock).await?;
    let socket = format!("unix:{}", folder.join("twins").display());
    let simulate = ["devices", "simulate", "--listen", &socket];
    let mut twins = Process::start(&own, &simulate, log(&folder, "twins")?)?;
    while twins.line().await.context("the twins ended")? != "ready" {}
    let (address, devices) = (address.to_string(), format!("usbip:{socket}"));
    let journal = folder.join("journal");
    let journal = journal.to_str().context("an odd folder")?;
    let args = vec![
        "--demo",
        "kiosk-1",
        "--backend",
        &address,
        "--devices",
        &devices,
        "--journal",
        journal,
    ];
    let kiosk = Kiosk {
        exe: &exe,
        args,
        log: &folder,
        clock: &clock,
    };
    let mut firsts = Vec::new();
    for _ in 0..STARTS {
        let (mut child, _, first) = kiosk.start().await?;
        firsts.push(first);
        child.kill().await?;
    }
    firsts.sort();
    let first = firsts.get(STARTS / 2).copied().unwrap_or_default();
    let (mut child, mut stdout, _) = kiosk.start().await?;
    let reading = tokio::task::spawn_local(async move {
        let mut sink = tokio::io::sink();
        tokio::io::copy(&mut stdout, &mut sink).await
    });
    clock.sleep(SETTLE).await;
    let pid = child.id().context("the kiosk ended")?;
    let before = ticks(pid)?;
    clock.sleep(IDLE).await;
    let used = ticks(pid)?.saturating_sub(before);
    let peak_kib = peak_kib(pid)?;
    let binary = std::fs::metadata(&exe)?.len();
    child.kill().await?;
    reading.abort();
    twins.kill().await?;
    serving.kill().await?;
    std::fs::remove_dir_all(&folder).ok();
    table(first, peak_kib, used, binary);
    Ok(())
}

fn table(first: Duration, peak_kib: u64, used: u32, binary: u64) {
    let mib = |kib: f64| kib / 1024.0;
    let cpu = f64::from(used) / TICKS_PER_SECOND / IDLE.as_secs_f64() * 100.0;
    let rows = [
        ("first frame", first.as_secs_f64() * 1000.0, "ms", 50.0),
        ("peak memory", mib(to_f64(peak_kib)), "MiB", 12.0),
        ("idle processor", cpu, "%", 0.2),
        ("binary", mib(to_f64(binary) / 1024.0), "MiB", 6.0),
    ];
    crate::cli::say(&format!("{:<16}{:>10}{:>10}", "", "measured", "budget"));
    for (what, value, unit, budget) in rows {
        let verdict = if value <= budget { "" } else { "  OVER" };
        crate::cli::say(&format!(
            "{what:<16}{value:>10.2}{budget:>10.2} {unit}{verdict}"
        ));
    }
}

/// Exact below 2^53, far above any file or memory here.
fn to_f64(value: u64) -> f64 {
    u32::try_from(value).map_or(f64::from(u32::MAX), f64::from)
}

/// Peak resident memory (VmHWM) from procfs.
fn peak_kib(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let number = line.and_then(|l| l.split_whitespace().next());
    number
        .context("no VmHWM in procfs")?
        .parse()
        .context("an odd VmHWM")
}

/// Processor ticks, user and system, of all threads.
fn ticks(pid: u32) -> anyhow::Result<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold spaces; fields are counted behind it.
    let (_, fields) = stat.rsplit_once(')').context("an odd stat")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut field =
        || -> anyhow::Result<u32> { Ok(fields.next().context("an odd stat")?.parse()?) };
    Ok(field()?.saturating_add(field()?))
}
