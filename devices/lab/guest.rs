//! Inside the virtual computer: the kiosk's side of every check.
//!
//! Devices are found, opened and worked with as the kiosk does, through libusb. A cable
//! is pulled in the middle of the work; the driver must say that the device is gone
//! within [`GONE_WITHIN`], nothing may count as done that is not, and the same work must
//! succeed when the cable is back.

mod card;
mod commands;
mod finger;
mod forms;
mod gadget;
mod id_reader;
mod idle;
mod line;
mod pin;
mod receipt;
pub mod sample;

use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::seam::SharedClock;
use counterfoil_devices::system::TokioClock;
use counterfoil_devices::transport::rusb_bus::{RusbBus, RusbTransport};
use counterfoil_devices::transport::usbip::vhci::{self, VHCI};
use counterfoil_devices::transport::{Bus, UsbError};

use self::line::Line;
use crate::checks::Told;
use crate::twins::USBIP;

/// idVendor and idProduct.
pub type Ids = (u16, u16);

/// One check at most.
const CHECK_WITHIN: Duration = Duration::from_secs(60);
/// The kernel has found a device or lost it within so long.
const SEEN_WITHIN: Duration = Duration::from_secs(10);
/// From the pull of a cable until the driver says so.
const GONE_WITHIN: Duration = Duration::from_secs(2);
/// Pause between two looks at the bus.
const BUS_EVERY: Duration = Duration::from_millis(25);

/// Twins that are imported, and their ids.
const TWINS: [(&str, Ids); 8] = [
    ("id-reader", id_reader::IDS),
    ("pin-pad", pin::IDS),
    ("finger-cp210x", (0x10C4, 0xEA60)),
    ("finger-ch340", (0x1A86, 0x7523)),
    ("finger-uru4500", (0x05BA, 0x000A)),
    ("form-printer", (0x1209, 0x0002)),
    ("slip-24-pin", (0x1209, 0x0003)),
    ("slip-pr2", (0x1209, 0x0004)),
];

/// Runs every check and says that it is done.
pub async fn run() -> anyhow::Result<()> {
    let clock: SharedClock = Rc::new(TokioClock::system());
    let mut bench = Bench {
        bus: RusbBus::new()?,
        clock,
        line: Line::to_host()?,
        twins: None,
        bank: demo::bank()?,
    };
    let done = all(&mut bench).await;
    if let Err(error) = &done {
        bench.line.tell(&format!("note {error:#}"))?;
    }
    bench.line.tell("done")
}

async fn all(bench: &mut Bench) -> anyhow::Result<()> {
    let mut printer = gadget::start()?;
    let mut twins = Command::new("/proc/self/exe").arg("twins").spawn()?;
    bench.twins = Some(bench.served().await?);
    let there = arrive(bench).await;
    bench.report("kernel", "every device is there", there)?;
    commands::check(bench)?;
    card::check(bench).await?;
    finger::check_ftdi(bench).await?;
    receipt::check(bench).await?;
    id_reader::check(bench).await?;
    pin::check(bench).await?;
    finger::check_twins(bench).await?;
    forms::check(bench).await?;
    idle::check(bench).await?;
    twins.kill().context("the twins' process is gone")?;
    printer.kill().context("the paper's process is gone")
}

/// Imports the twins and waits for everything else.
async fn arrive(bench: &Bench) -> Work {
    for (name, _) in TWINS {
        bench.attach(name)?;
    }
    let mut all: Vec<Ids> = TWINS.iter().map(|(_, ids)| *ids).collect();
    all.extend([card::IDS, finger::FTDI, gadget::IDS]);
    for ids in &all {
        bench.found(*ids).await?;
    }
    Ok(format!("{} devices", all.len()))
}

/// A check's outcome: what is worth knowing.
pub type Work = anyhow::Result<String>;

/// What every check uses.
pub struct Bench {
    /// The computer's USB.
    pub bus: RusbBus,
    /// Real time.
    pub clock: SharedClock,
    /// To the hands outside.
    pub line: Line,
    /// Whose people, cards and fingers.
    pub bank: DemoBank,
    twins: Option<Line>,
}

impl Bench {
    /// Does one check and tells how it went.
    pub async fn check(
        &self,
        device: &str,
        what: &str,
        work: impl Future<Output = Work>,
    ) -> anyhow::Result<()> {
        let started = self.clock.monotonic();
        let done = tokio::time::timeout(CHECK_WITHIN, work).await;
        let done = done.unwrap_or_else(|_| anyhow::bail!("not done within {CHECK_WITHIN:?}"));
        self.tell(device, what, started, done)
    }

    /// Tells how one went that took no time of its own.
    pub fn report(&self, device: &str, what: &str, done: Work) -> anyhow::Result<()> {
        self.tell(device, what, self.clock.monotonic(), done)
    }

    fn tell(&self, device: &str, what: &str, started: Duration, done: Work) -> anyhow::Result<()> {
        let took = self.clock.monotonic().saturating_sub(started);
        let (passed, detail) = match done {
            Ok(detail) => (true, detail),
            Err(error) => (false, format!("{error:#}")),
        };
        let told = Told {
            passed,
            device: device.to_owned(),
            what: what.to_owned(),
            took_ms: took.as_millis(),
            detail,
        };
        self.line.tell(&told.line())
    }

    /// One act of the hands outside.
    pub fn act(&self, words: &str) -> anyhow::Result<String> {
        self.line.ask(words)
    }

    /// One act of the hands at the twins.
    pub fn twin(&self, words: &str) -> anyhow::Result<String> {
        let twins = self.twins.as_ref().context("there are no twins")?;
        twins.ask(words)
    }

    /// The line to the twins' hands, once they serve.
    async fn served(&self) -> anyhow::Result<Line> {
        let deadline = self.clock.monotonic().saturating_add(SEEN_WITHIN);
        loop {
            match Line::to_twins() {
                Err(_) if self.clock.monotonic() < deadline => self.clock.sleep(BUS_EVERY).await,
                other => return other,
            }
        }
    }

    /// Plugs a twin into this kernel.
    pub fn attach(&self, name: &str) -> anyhow::Result<()> {
        let port = vhci::attach(&USBIP.parse()?, name, Path::new(VHCI));
        port.map(drop)
            .with_context(|| format!("{name} is not plugged in"))
    }

    /// Opens the device as soon as it is there.
    pub async fn open(&self, ids: Ids) -> anyhow::Result<RusbTransport> {
        let path = self.found(ids).await?;
        Ok(self.bus.open(&path).await?)
    }

    /// Where the device is, once it is there.
    pub async fn found(&self, ids: Ids) -> anyhow::Result<String> {
        let path = self.look(ids, |path| path).await?;
        path.with_context(|| format!("{:04x}:{:04x} is not there", ids.0, ids.1))
    }

    /// Waits until the kernel has lost it.
    pub async fn lost(&self, ids: Ids) -> anyhow::Result<()> {
        let gone = self.look(ids, |path| path.is_none().then_some(())).await?;
        gone.with_context(|| format!("{:04x}:{:04x} is still there", ids.0, ids.1))
    }

    /// Looks at the bus until what was found there is wanted, or it has been too long.
    async fn look<T>(
        &self,
        ids: Ids,
        wanted: impl Fn(Option<String>) -> Option<T>,
    ) -> Result<Option<T>, UsbError> {
        let deadline = self.clock.monotonic().saturating_add(SEEN_WITHIN);
        loop {
            let all = self.bus.list().await?;
            let mut ours = all.into_iter().filter(|i| (i.vendor, i.product) == ids);
            let found = wanted(ours.next().map(|info| info.path));
            if found.is_some() || self.clock.monotonic() >= deadline {
                return Ok(found);
            }
            self.clock.sleep(BUS_EVERY).await;
        }
    }

    /// How long ago the hands said that a cable was pulled, if the driver was quick
    /// enough to say so.
    pub fn since_pull(&self, since: anyhow::Result<String>) -> Work {
        let since = since?;
        let took = Duration::from_millis(since.parse()?);
        anyhow::ensure!(took <= GONE_WITHIN, "told only {took:?} after the pull");
        Ok(format!("told {} ms after the pull", took.as_millis()))
    }

    /// Puts a twin's cable back in.
    pub async fn twin_back(&self, name: &str, ids: Ids) -> anyhow::Result<()> {
        self.lost(ids).await?;
        self.twin(&format!("twin {name} replug"))?;
        self.attach(name)
    }
}
