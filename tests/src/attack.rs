//! `counterfoil attack-flood` and `attack-slow`: how well meant requests fare while others
//! do their worst, against a real backend process.
//!
//! Two kiosks sell, six look and begin, an officer confirms; another process with the keys
//! of 400 kiosks attacks from another address. Slices without and with the attack take
//! turns, and what counts is the ratio of their slowest hundredth: the machine is the same
//! in both. Figures, not a test of one absolute time; the exit code is 1 where a bound of
//! the ratio, of memory or of time is passed.

mod attacker;
mod house;
mod measure;
mod sale;
mod wire;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_backend::app::OsEntropy;
use counterfoil_data::demo::DemoBank;
use counterfoil_data::seam::{SharedClock, SharedEntropy};
use counterfoil_devices::system::TokioClock;

use crate::branch::run_folder;
use crate::cli::say;
use attacker::Force;
use house::{Attacker, Backend, LOOKERS};
use measure::{Slice, median};
use sale::Town;

/// Length of one slice.
const SLICE: Duration = Duration::from_secs(5);
/// Not measured after the attack begins or ends.
const SETTLE: Duration = Duration::from_secs(1);
/// How much slower the slowest hundredth of good requests may become.
const RATIO_MAX: f64 = 2.0;
/// Memory that a backend may take under any attack, in KiB: what it has when it is left
/// alone and this much more.
const MORE_MEMORY_MAX_KIB: u64 = 128 * 1024;
/// Longest life of a connection that sends nothing whole.
const REAPED_WITHIN: Duration = Duration::from_secs(20);
/// Connections of those who mean well, at most.
const GOOD_CONNECTIONS: u64 = 16;
/// Enough connections for the attack with most.
const OPENED: &str = "connections = 12000\nconnections_per_address = 11000";

/// Arguments of the floods.
#[derive(Debug, clap::Args)]
pub struct FloodArgs {
    /// Seconds that are measured, half of them under attack.
    #[arg(default_value_t = 60)]
    seconds: u64,
}

/// Arguments of the slow attacks.
#[derive(Debug, clap::Args)]
pub struct SlowArgs {
    /// Seconds that are measured for each attack.
    #[arg(default_value_t = 30)]
    seconds: u64,
    /// Only these: heads, bodies, idle, large, chunked, long-heads, pipeline, streams.
    #[arg(long)]
    only: Vec<String>,
}

/// Arguments of the attacking process.
#[derive(Debug, clap::Args)]
pub struct AttackArgs {
    /// Which attack.
    kind: String,
    /// Whom.
    to: SocketAddr,
}

/// A thousand wrong PINs a second.
pub fn flood(args: &FloodArgs) -> ExitCode {
    told("attack-flood", run("flood", args.seconds, OPENED))
}

/// Everything that is slow, large or silent; the silent ones under the default limits, too.
pub fn slow(args: &SlowArgs) -> ExitCode {
    let all = [
        "heads",
        "bodies",
        "idle",
        "large",
        "chunked",
        "long-heads",
        "pipeline",
        "streams",
    ];
    let mut good = true;
    for kind in all {
        if !args.only.is_empty() && !args.only.iter().any(|only| only == kind) {
            continue;
        }
        let limits = if kind == "idle" {
            vec![OPENED, ""]
        } else {
            vec![OPENED]
        };
        for limits in limits {
            match run(kind, args.seconds, limits) {
                Ok(held) => good &= held,
                failed @ Err(_) => return told("attack-slow", failed),
            }
        }
    }
    told("attack-slow", Ok(good))
}

/// The attacking process itself.
pub fn attack(args: &AttackArgs) -> ExitCode {
    let clock: SharedClock = Rc::new(TokioClock::system());
    let force = Force::new(args.to, clock, Rc::new(OsEntropy));
    told("attack", local(force.run(&args.kind)).map(|()| true))
}

fn told(what: &str, ended: anyhow::Result<bool>) -> ExitCode {
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("{what}: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn local<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

fn run(kind: &str, seconds: u64, limits: &str) -> anyhow::Result<bool> {
    let exe = std::env::current_exe().context("this program's own path")?;
    local(async {
        let clock: SharedClock = Rc::new(TokioClock::system());
        let folder = run_folder()?.join(format!("{kind}-{}", limits.len()));
        std::fs::create_dir_all(&folder)?;
        let backend = Backend::start(&exe, &folder, limits).await?;
        let attacker = Attacker::start(&exe, &folder, kind, backend.listen)?;
        let town = town(&backend, &clock)?;
        let ended = Trial {
            kind,
            opened: !limits.is_empty(),
            backend: &backend,
            town,
            clock,
            folder,
        };
        let held = ended.judge(attacker, seconds).await;
        backend.end().await?;
        held
    })
}

/// Everybody who means well begins.
fn town(backend: &Backend, clock: &SharedClock) -> anyhow::Result<Town> {
    let entropy: SharedEntropy = Rc::new(OsEntropy);
    let town = Town {
        bank: Rc::new(DemoBank::parse(&house::bank()?)?),
        address: backend.listen,
        clock: clock.clone(),
        entropy,
        times: Rc::default(),
        closed: Rc::new(Cell::new(0)),
        faults: Rc::new(RefCell::new(Vec::new())),
    };
    for (kiosk, station, touch) in [
        ("kiosk:kiosk-1", "station:station-1", 1_000),
        ("kiosk:kiosk-2", "station:station-2", 900_000),
    ] {
        tokio::task::spawn_local(sale::sell(town.clone(), kiosk, station, touch));
    }
    for number in 0..LOOKERS {
        tokio::task::spawn_local(sale::look(town.clone(), format!("kiosk:looker-{number}")));
    }
    Ok(town)
}

/// One attack on one backend.
struct Trial<'a> {
    kind: &'a str,
    opened: bool,
    backend: &'a Backend,
    town: Town,
    clock: SharedClock,
    folder: PathBuf,
}

/// What was seen of one attack.
#[derive(Default)]
struct Seen {
    off: Vec<Slice>,
    on: Vec<Slice>,
    base_kib: u64,
    most_kib: u64,
    hashers: usize,
    closed_off: u64,
    closed_on: u64,
}

impl Trial<'_> {
    async fn judge(&self, mut attacker: Attacker, seconds: u64) -> anyhow::Result<bool> {
        let pairs = seconds.div_ceil(SLICE.as_secs().saturating_mul(2)).max(1);
        let mut seen = Seen::default();
        self.clock.sleep(SLICE).await;
        for _ in 0..pairs {
            let closed = self.town.closed.get();
            seen.off.push(self.slice().await);
            seen.closed_off = seen.closed_off.saturating_add(self.closed_since(closed));
            if seen.base_kib == 0 {
                seen.base_kib = measure::memory_kib(self.backend.pid)?.0;
            }
            attacker.set(true).await;
            let closed = self.town.closed.get();
            seen.on.push(self.slice().await);
            seen.closed_on = seen.closed_on.saturating_add(self.closed_since(closed));
            seen.hashers = seen.hashers.max(self.backend.hashers()?);
            attacker.set(false).await;
        }
        seen.most_kib = measure::memory_kib(self.backend.pid)?.1;
        let reaped = self.reaped().await?;
        let did = attacker.end(&self.clock).await?;
        self.tell(&seen, reaped, &did)
    }

    fn closed_since(&self, before: u64) -> u64 {
        self.town.closed.get().saturating_sub(before)
    }

    async fn slice(&self) -> Slice {
        self.clock.sleep(SETTLE).await;
        self.town.times.slice();
        self.clock.sleep(SLICE).await;
        self.town.times.slice()
    }

    /// How long it takes until only those who mean well are connected.
    async fn reaped(&self) -> anyhow::Result<Duration> {
        let began = self.clock.monotonic();
        loop {
            let took = self.clock.monotonic().saturating_sub(began);
            let open = self.backend.metric("counterfoil_connections").await?;
            // The flood's connections are lawful and idle; they end like anybody's.
            if open <= GOOD_CONNECTIONS || took > REAPED_WITHIN.saturating_mul(3) {
                return Ok(took);
            }
            self.clock.sleep(Duration::from_millis(200)).await;
        }
    }

    fn tell(&self, seen: &Seen, reaped: Duration, did: &str) -> anyhow::Result<bool> {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        let p99 = |slices: &[Slice]| median(slices.iter().map(|s| ms(s.p99)).collect());
        let infos = |slices: &[Slice]| median(slices.iter().map(|s| ms(s.info_p99)).collect());
        let count = |slices: &[Slice]| slices.iter().map(|s| s.count).sum::<usize>();
        let pairs = seen.off.iter().zip(&seen.on);
        let ratio = median(pairs.map(|(off, on)| ms(on.p99) / ms(off.p99)).collect());
        let more_kib = seen.most_kib.saturating_sub(seen.base_kib);
        let limits = if self.opened {
            "limits opened"
        } else {
            "default limits"
        };
        say(&format!(
            "{} ({limits}), {} slices of {} s each way\n  \
             good requests   {} and {} under attack; p99 {:.1} and {:.1} ms; ratio {ratio:.2}\n  \
             PIN checks      p99 {:.0} and {:.0} ms; {} answered busy under attack; sales closed \
             {} and {}\n  \
             memory          {:.1} MiB before, {:.1} MiB at most; {} threads hash\n  \
             the end         only good connections left after {:.1} s\n  \
             the attacker    {did}",
            self.kind,
            seen.on.len(),
            SLICE.as_secs(),
            count(&seen.off),
            count(&seen.on),
            p99(&seen.off),
            p99(&seen.on),
            infos(&seen.off),
            infos(&seen.on),
            seen.on.iter().map(|s| s.busy).sum::<usize>(),
            seen.closed_off,
            seen.closed_on,
            seen.base_kib as f64 / 1_024.0,
            seen.most_kib as f64 / 1_024.0,
            seen.hashers,
            reaped.as_secs_f64(),
        ));
        self.threads()?;
        for fault in self.town.faults.borrow().iter().take(3) {
            say(&format!("  a good client   {fault}"));
        }
        let held = ratio < RATIO_MAX
            && more_kib <= MORE_MEMORY_MAX_KIB
            && reaped <= REAPED_WITHIN
            && seen.hashers <= 1;
        say(&format!(
            "  {}: {}",
            if held { "held" } else { "NOT HELD" },
            self.folder.display()
        ));
        Ok(held)
    }

    /// Where the backend's processor time went.
    fn threads(&self) -> anyhow::Result<()> {
        let threads = measure::threads(self.backend.pid)?;
        let all: u64 = threads.iter().map(|(_, ticks)| ticks).sum();
        let parts = threads.iter().map(|(name, ticks)| {
            let part = *ticks as f64 / all.max(1) as f64 * 100.0;
            format!("{name} {part:.0} %")
        });
        say(&format!(
            "  processor       {}",
            parts.collect::<Vec<_>>().join(", ")
        ));
        Ok(())
    }
}
