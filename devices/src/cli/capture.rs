//! `capture`: a verb with every transfer written to a file, as Linux records USB.
//!
//! Owns the file: it is new, the owner's alone, and bounded. Says at once what it will
//! contain. The same verb under `replay` asks the same, because both draw their random
//! numbers from the same fixed sequence.

use std::fs::OpenOptions;
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, ensure};
use clap::Args;
use counterfoil_data::seam::{SharedClock, SharedEntropy};

use super::say;
use super::verb::{Verb, server};
use crate::transport::replay::entropy::RecordedEntropy;
use crate::transport::tap::{StillClock, TapBus};
use crate::transport::usbip::Address;
use crate::transport::usbmon::writer::Writer;
use crate::transport::{Bus, DeviceInfo, UsbError};

/// Most MiB that a recording may be told to take; what `replay` reads.
const MIB_MAX: u32 = 64;
const MIB: u64 = 1024 * 1024;

/// What to record, and where to.
#[derive(Debug, Args)]
pub(super) struct Capture {
    /// The file to write, pcap of link type 220; Wireshark and `replay` read it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A USB/IP server (IP:PORT or unix:PATH) instead of this computer's USB.
    #[arg(long, value_name = "ADDRESS")]
    usbip: Option<Address>,
    /// Only this device, by its path as `list` says it.
    #[arg(long, value_name = "PATH")]
    device: Option<String>,
    /// Largest file in MiB; what comes after is not recorded.
    #[arg(long, value_name = "MIB", default_value_t = MIB_MAX)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MIB_MAX)))]
    limit: u32,
    /// What to do meanwhile.
    #[command(subcommand)]
    verb: Verb,
}

/// Does the verb and records it.
pub(super) async fn run(what: &Capture, clock: &SharedClock) -> anyhow::Result<()> {
    let usbip = what.usbip.as_ref().or(what.verb.server());
    match usbip {
        Some(address) => record(server(address.clone(), clock).await?, what, clock).await,
        None => record(super::own_usb()?, what, clock).await,
    }
}

async fn record<B: Bus>(bus: B, what: &Capture, clock: &SharedClock) -> anyhow::Result<()> {
    let only = Only {
        bus,
        path: what.device.clone(),
    };
    if let Some(path) = &what.device {
        ensure!(
            only.present(path).await?,
            "nothing is plugged in at {path}: see `list` for what is there"
        );
    }
    let writer = create(&what.file, u64::from(what.limit).saturating_mul(MIB))
        .with_context(|| what.file.display().to_string())?;
    say(&format!(
        "recording to {}: what an id reader, a card reader, a pin pad or a finger sensor \
         sends is personal data; keep the file as such",
        what.file.display()
    ))?;
    let still = Rc::new(StillClock::on(clock.clone()));
    let clock: SharedClock = still.clone();
    let drawn = Rc::new(RecordedEntropy::default());
    let entropy: SharedEntropy = drawn.clone();
    let tap = Rc::new(TapBus::new(only, writer, still, drawn));
    let done = what.verb.run(&tap, &clock, &entropy).await;
    let written = tap.end().context("the recording is not whole")?;
    say(&format!("{} events recorded", written.events))?;
    ensure!(
        written.missing == 0,
        "the recording is full: its last {} events are missing; raise --limit, or name one \
         --device",
        written.missing
    );
    done
}

/// A new file that nobody else may read.
fn create(path: &Path, max: u64) -> anyhow::Result<Writer> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!("it exists already and is not overwritten: name another file")
        }
        _ => anyhow::Error::from(error).context("cannot be written"),
    })?;
    Ok(Writer::begin(Box::new(BufWriter::new(file)), max)?)
}

/// A bus of which only one device is seen, if one was named.
struct Only<B> {
    bus: B,
    path: Option<String>,
}

impl<B: Bus> Bus for Only<B> {
    type Transport = B::Transport;

    async fn list(&self) -> Result<Vec<DeviceInfo>, UsbError> {
        let mut all = self.bus.list().await?;
        all.retain(|info| self.path.as_ref().is_none_or(|path| *path == info.path));
        Ok(all)
    }

    async fn present(&self, path: &str) -> Result<bool, UsbError> {
        self.bus.present(path).await
    }

    async fn open(&self, path: &str) -> Result<Self::Transport, UsbError> {
        self.bus.open(path).await
    }
}
