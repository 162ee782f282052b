//! `allow`: the list of what is plugged in now, for a kiosk's configuration; and the list
//! of another command.
//!
//! Owns the reading of such a file. Called by the command line, `list` and `watch`.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use clap::Args;
use counterfoil_data::seam::SharedClock;

use super::{own_usb, say};
use crate::guard::{self, Allowed, DEVICES_MAX, FILE_MAX};
use crate::transport::Bus;
use crate::transport::usbip::Address;

/// What to put on the list.
#[derive(Debug, Args)]
pub(super) struct Allow {
    /// A USB/IP server (IP:PORT or unix:PATH) instead of this computer's USB.
    #[arg(long, value_name = "ADDRESS")]
    usbip: Option<Address>,
    /// Only these very devices, by their serial numbers, not others of the same model.
    #[arg(long)]
    serial: bool,
}

/// Writes the list to stdout.
pub(super) async fn run(what: &Allow, clock: &SharedClock) -> anyhow::Result<()> {
    let devices = match &what.usbip {
        Some(address) => {
            let bus = super::verb::server(address.clone(), clock).await?;
            bus.list().await?
        }
        None => own_usb()?.list().await?,
    };
    ensure!(!devices.is_empty(), "nothing is plugged in: see `list`");
    ensure!(
        devices.len() <= DEVICES_MAX,
        "more than {DEVICES_MAX} devices are plugged in: unplug what is not the kiosk's"
    );
    say(guard::file(&devices, what.serial).trim_end())
}

/// Reads a list.
pub(super) fn read(path: &Path) -> anyhow::Result<Allowed> {
    let name = || path.display().to_string();
    let file = std::fs::File::open(path).with_context(name)?;
    let mut text = String::new();
    let max = FILE_MAX.saturating_add(1);
    let read = file
        .take(max)
        .read_to_string(&mut text)
        .with_context(name)?;
    ensure!(
        u64::try_from(read)? <= FILE_MAX,
        "{} has more than {FILE_MAX} bytes",
        path.display()
    );
    Allowed::parse(&text).with_context(name)
}
