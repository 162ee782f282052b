//! `watch`: one line for everything that is plugged in or pulled, until Ctrl-C; with
//! `--open` also for what opened devices tell of themselves.
//!
//! Owns the comparison of one look with the next. A look at this computer's USB reads the
//! names and numbers that Linux keeps and no more, unless something changed; opens nothing
//! without `--open`. One device in the same place in two looks, with another number or
//! other descriptors, is one that went and one that came.

mod opened;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use counterfoil_data::seam::SharedClock;

use self::opened::Opened;
use super::{NO_USB, allow, own_usb, say};
use crate::driver::recognition::{Recognition, recognise};
use crate::guard::Allowed;
use crate::transport::sysfs::Sysfs;
use crate::transport::usbip::Address;
use crate::transport::{Bus, DeviceInfo, UsbError};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// What to watch.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// A USB/IP server (IP:PORT or unix:PATH) instead of this computer's USB.
    #[arg(long, value_name = "ADDRESS")]
    usbip: Option<Address>,
    /// Open the recognised devices and tell what changes in them: card, document, cover,
    /// paper. Nobody else can use them meanwhile.
    #[arg(long)]
    open: bool,
    /// A list of allowed devices, as `allow` writes it: an alarm for what is not on it.
    #[arg(long, value_name = "FILE")]
    allowed: Option<PathBuf>,
}

/// Watches until killed.
pub(super) async fn run(what: &Watch, clock: &SharedClock) -> anyhow::Result<()> {
    let allowed = what.allowed.as_deref().map(allow::read).transpose()?;
    match &what.usbip {
        Some(address) => {
            let bus = super::verb::server(address.clone(), clock).await?;
            let mut watching = Watching::new(allowed, clock);
            loop {
                watching.look(&bus, what.open).await?;
                clock.sleep(EVERY).await;
            }
        }
        None => {
            let (bus, sysfs) = (own_usb()?, Sysfs::system());
            let mut watching = Watching::new(allowed, clock);
            let mut before = None;
            loop {
                let now = sysfs.numbers().context(NO_USB)?;
                // What is opened may change by itself.
                if before.as_ref() != Some(&now) || watching.has_opened() {
                    watching.numbers.clone_from(&now);
                    watching.look(&bus, what.open).await?;
                    before = Some(now);
                }
                clock.sleep(EVERY).await;
            }
        }
    }
}

/// What was there at the last look.
struct Watching<B: Bus> {
    clock: SharedClock,
    allowed: Option<Allowed>,
    there: BTreeMap<String, (DeviceInfo, String)>,
    /// Numbers of the devices by path, where the bus has them.
    numbers: BTreeMap<String, String>,
    opened: BTreeMap<String, Opened<B::Transport>>,
}

impl<B: Bus> Watching<B> {
    fn new(allowed: Option<Allowed>, clock: &SharedClock) -> Self {
        Self {
            clock: clock.clone(),
            allowed,
            there: BTreeMap::new(),
            numbers: BTreeMap::new(),
            opened: BTreeMap::new(),
        }
    }

    fn has_opened(&self) -> bool {
        !self.opened.is_empty()
    }

    async fn look(&mut self, bus: &B, open: bool) -> anyhow::Result<()> {
        let devices = match bus.list().await {
            Ok(devices) => devices,
            // A server that went may come back.
            Err(UsbError::Timeout | UsbError::Other(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for line in self.changes(devices) {
            self.tell(&line)?;
        }
        if !open {
            return Ok(());
        }
        let there: Vec<DeviceInfo> = self.there.values().map(|(info, _)| info.clone()).collect();
        for info in there {
            self.ask(bus, &info).await?;
        }
        Ok(())
    }

    /// What came and went since the last look.
    fn changes(&mut self, devices: Vec<DeviceInfo>) -> Vec<String> {
        let number = |path: &str| self.numbers.get(path).cloned().unwrap_or_default();
        let now: BTreeMap<String, (DeviceInfo, String)> = devices
            .into_iter()
            .map(|info| (info.path.clone(), (info.clone(), number(&info.path))))
            .collect();
        let mut lines = Vec::new();
        for (path, was) in &self.there {
            if now.get(path) != Some(was) {
                self.opened.remove(path);
                lines.push(format!("unplugged {}", described(&was.0)));
            }
        }
        for (path, is) in &now {
            if self.there.get(path) == Some(is) {
                continue;
            }
            lines.push(format!("plugged   {}", described(&is.0)));
            let list = self.allowed.as_ref();
            if let Some(Err(why)) = list.map(|list| list.check(&is.0)) {
                lines.push(format!("ALARM     {path:<16} {why}"));
            }
        }
        self.there = now;
        lines
    }

    /// Opens a device that was not, and tells what changed in it.
    async fn ask(&mut self, bus: &B, info: &DeviceInfo) -> anyhow::Result<()> {
        let path = &info.path;
        let said = match self.opened.remove(path) {
            Some(mut opened) => {
                let said = opened.changed().await;
                self.opened.insert(path.clone(), opened);
                said
            }
            None => {
                let (opened, said) = Opened::open(bus, info, &self.clock).await;
                self.opened.insert(path.clone(), opened);
                said
            }
        };
        match said {
            Some(said) => self.tell(&format!("status    {path:<16} {said}")),
            None => Ok(()),
        }
    }

    fn tell(&self, line: &str) -> anyhow::Result<()> {
        let at = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ");
        say(&format!("{at} {line}"))
    }
}

fn described(info: &DeviceInfo) -> String {
    let (vendor, product) = (info.vendor, info.product);
    let what = match recognise(info) {
        Recognition::Driven { role, by } => format!("{role} ({by})"),
        Recognition::Refused(why) => format!("not used: {why}"),
        Recognition::Other(what) => what.to_owned(),
    };
    let path = &info.path;
    format!(
        "{path:<16} {vendor:04x}:{product:04x} {what}; {}",
        info.name
    )
}

#[cfg(test)]
mod tests;
