//! What waiting costs: a process that opens the six devices of a kiosk and waits, beside
//! the same process with none.
//!
//! Over USB/IP, because a bus of one's own is what a machine without devices lacks; the
//! threads of the rusb transport are measured in the lab, where a kernel has them.

use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use counterfoil_data::demo;
use counterfoil_data::seam::SharedClock;
use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::ccid::Reader;
use counterfoil_devices::driver::finger::FingerSensor;
use counterfoil_devices::driver::form_station::{FormSettings, FormStation};
use counterfoil_devices::driver::pin_pad::UsbPinPad;
use counterfoil_devices::driver::receipt_printer::ReceiptPrinter;
use counterfoil_devices::driver::sdt::IdReader;
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use counterfoil_devices::transport::Bus as _;
use counterfoil_devices::transport::usbip::{self, Address, Listener, UsbIpBus};
use counterfoil_devices::twin::branch::Branch;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::table::Table;

/// How long the waiting is watched.
const WATCHED: Duration = Duration::from_secs(20);
/// Time to come to rest before that.
const SETTLE: Duration = Duration::from_secs(2);
/// "No measurable": under what the kiosk as a whole may take.
const IDLE_BUDGET_PERCENT: f64 = 0.2;
const MEMORY_BUDGET_MIB: f64 = 4.0;

fn block_on<T>(body: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, body)
}

/// Serves the twins of the demo kiosk at a Unix socket until killed.
pub fn serve(socket: &str) -> anyhow::Result<()> {
    block_on(async {
        let bank = demo::bank()?;
        let clock: SharedClock = Rc::new(TokioClock::system());
        let bus = Branch::demo(&bank, clock, Rc::new(SystemEntropy), None);
        let address = Address::Unix(socket.into());
        let listener = Listener::bind(&address).await?;
        println!("ready");
        usbip::serve(bus, listener).await?;
        Ok(())
    })
}

/// Opens the six devices behind `socket`, or none without one, and waits until killed.
pub fn wait(socket: &str) -> anyhow::Result<()> {
    block_on(async {
        if socket == "nothing" {
            println!("ready");
            return std::future::pending().await;
        }
        let clock: SharedClock = Rc::new(TokioClock::system());
        let bus = UsbIpBus::new(Address::Unix(socket.into()), Rc::clone(&clock));
        let open = async |role: Role| bus.open(role.name()).await;
        let settings = FormSettings::default();
        let entropy = Rc::new(SystemEntropy);
        let mut card = Reader::open(open(Role::CardReader).await?, clock.clone()).await?;
        let usb = open(Role::Finger).await?;
        let _finger = FingerSensor::open(usb, clock.clone(), entropy.clone()).await?;
        let _pad = UsbPinPad::open(open(Role::PinPad).await?, clock.clone()).await?;
        let usb = open(Role::FormPrinter).await?;
        let _forms = FormStation::open(usb, clock.clone(), &*entropy, &settings).await?;
        let usb = open(Role::ReceiptPrinter).await?;
        let _receipts = ReceiptPrinter::open(usb, clock.clone(), &*entropy).await?;
        let mut ids = IdReader::open(open(Role::IdReader).await?, clock.clone()).await?;
        println!("ready");
        // What a kiosk waits for: a card at its card reader, and the only thing an ID
        // reader knows is being asked.
        let long = Duration::from_secs(3600);
        let waited = tokio::join!(
            card.wait_card(clock.monotonic() + long),
            ids.poll_card(long)
        );
        anyhow::bail!("waited in vain: {waited:?}")
    })
}

/// Adds the rows.
pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    block_on(async {
        let folder = std::env::temp_dir().join(format!("counterfoil-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let socket = folder.join("twins.sock");
        let figures = figures(&socket).await;
        std::fs::remove_dir_all(&folder)?;
        let (ours, peer) = figures?;
        let idle = IDLE_BUDGET_PERCENT;
        table.add("processor", ours.percent, peer.percent, idle, "%");
        let memory = MEMORY_BUDGET_MIB;
        table.add("resident memory", ours.mib, peer.mib, memory, "MiB");
        Ok(())
    })
}

struct Figures {
    percent: f64,
    mib: f64,
}

async fn figures(socket: &Path) -> anyhow::Result<(Figures, Figures)> {
    let socket = socket.to_str().context("a temporary folder in UTF-8")?;
    let _twins = start("serve", socket).await?;
    let with = start("wait", socket).await?;
    let without = start("wait", "nothing").await?;
    tokio::time::sleep(SETTLE).await;
    let before = (used(&with)?, used(&without)?);
    tokio::time::sleep(WATCHED).await;
    let after = (used(&with)?, used(&without)?);
    let percent = |before: Duration, after: Duration| {
        after.saturating_sub(before).as_secs_f64() / WATCHED.as_secs_f64() * 100.0
    };
    let ours = Figures {
        percent: percent(before.0, after.0),
        mib: resident_mib(&with)?,
    };
    let peer = Figures {
        percent: percent(before.1, after.1),
        mib: resident_mib(&without)?,
    };
    Ok((ours, peer))
}

/// This program once more; killed when dropped.
async fn start(verb: &str, socket: &str) -> anyhow::Result<Child> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([verb, socket])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().context("piped")?;
    let mut lines = BufReader::new(stdout).lines();
    let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await??;
    ensure!(line.as_deref() == Some("ready"), "{verb} did not get ready");
    Ok(child)
}

/// Processor time of all threads, from the scheduler's own account.
fn used(child: &Child) -> anyhow::Result<Duration> {
    let mut all = Duration::ZERO;
    for task in std::fs::read_dir(format!("/proc/{}/task", pid(child)?))? {
        let account = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let nanos = account.split_whitespace().next();
        all += Duration::from_nanos(nanos.context("an odd schedstat")?.parse()?);
    }
    Ok(all)
}

fn resident_mib(child: &Child) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid(child)?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("no VmRSS in procfs")?.parse::<f64>()? / 1024.0)
}

fn pid(child: &Child) -> anyhow::Result<u32> {
    child.id().context("it has ended")
}
