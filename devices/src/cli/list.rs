//! `list`: every USB device, what it is taken for or why it is not, who holds it, and
//! whether it may be opened.
//!
//! Owns the sentences; the facts are [`recognise`]'s and [`Sysfs`]'s. Opens no device
//! but its node, and sends nothing. A USB/IP server tells descriptors only.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use counterfoil_data::seam::SharedClock;
use serde_json::{Value, json};

use super::{NO_USB, allow, say};
use crate::driver::ccid::kind::classify;
use crate::driver::recognition::{Recognition, can_type, is_hub, recognise};
use crate::driver::role_of;
use crate::guard::Allowed;
use crate::transport::sysfs::{Access, Known, Sysfs, Users, described};
use crate::transport::usbip::Address;
use crate::transport::{Bus as _, DeviceInfo};
use crate::udev;

/// What to list, and how.
#[derive(Debug, Args)]
pub(super) struct List {
    /// A USB/IP server (IP:PORT or unix:PATH) instead of this computer's USB.
    #[arg(long, value_name = "ADDRESS")]
    usbip: Option<Address>,
    /// A list of allowed devices, as `allow` writes it: an alarm for what is not on it.
    #[arg(long, value_name = "FILE")]
    allowed: Option<PathBuf>,
    /// One object of JSON a line.
    #[arg(long)]
    json: bool,
}

/// A device and what the computer knows of it; nothing where it is another computer's.
struct Entry {
    info: DeviceInfo,
    here: Option<Here>,
}

/// What this computer knows.
struct Here {
    node: String,
    drivers: Vec<(u8, String)>,
    users: Users,
    access: Access,
}

/// Lists what is there.
pub(super) async fn run(what: &List, clock: &SharedClock) -> anyhow::Result<()> {
    let entries: Vec<Entry> = match &what.usbip {
        Some(address) => {
            let bus = super::verb::server(address.clone(), clock).await?;
            let far = |info| Entry { info, here: None };
            bus.list().await?.into_iter().map(far).collect()
        }
        None => here(&Sysfs::system())?,
    };
    let allowed = what.allowed.as_deref().map(allow::read).transpose()?;
    for entry in &entries {
        let alarm = entry.alarm(allowed.as_ref());
        if what.json {
            say(&entry.json(alarm.as_deref()).to_string())?;
            continue;
        }
        for line in entry.lines(alarm.as_deref()) {
            say(&line)?;
        }
    }
    if entries.is_empty() && !what.json {
        say("no usb device: plug one in, or try `simulate` and `list --usbip ADDRESS`")?;
    }
    Ok(())
}

fn here(sysfs: &Sysfs) -> anyhow::Result<Vec<Entry>> {
    let devices = sysfs.devices().context(NO_USB)?;
    let entry = |known: Known| Entry {
        here: Some(Here {
            users: sysfs.users(&known.node),
            access: sysfs.access(&known.node),
            node: known.node,
            drivers: known.drivers,
        }),
        info: known.info,
    };
    Ok(devices.into_iter().map(entry).collect())
}

impl Entry {
    /// Why this device should worry somebody: it is not on the list, but for hubs, which no
    /// list has; or without a list, a device of the kiosk has a keyboard inside.
    fn alarm(&self, allowed: Option<&Allowed>) -> Option<String> {
        let info = &self.info;
        match allowed {
            _ if is_hub(info) => None,
            Some(list) => list.check(info).err().map(|why| why.to_string()),
            None => (role_of(info).is_some() && can_type(info)).then(|| {
                "it can also type or point: no list of allowed devices says that it should"
                    .to_owned()
            }),
        }
    }

    /// One line of the device, then what is to be said of it, indented.
    fn lines(&self, alarm: Option<&str>) -> Vec<String> {
        let info = &self.info;
        let name = [info.manufacturer.as_str(), &info.name].join(" ");
        let recognition = recognise(info);
        let (role, by) = match &recognition {
            Recognition::Driven { role, by } => (role.name(), by.as_str()),
            Recognition::Refused(_) => ("-", "not used"),
            Recognition::Other(what) => ("-", *what),
        };
        let (vendor, product) = (info.vendor, info.product);
        let mut lines = vec![format!(
            "{:<16} {vendor:04x}:{product:04x} {role:<16} {by}; {}",
            info.path,
            name.trim()
        )];
        let mut add = |line: String| lines.push(format!("{:<16} {line}", ""));
        if let Some(alarm) = alarm {
            add(format!("ALARM: {alarm}"));
        }
        if let Recognition::Refused(why) = &recognition {
            add(why.clone());
        }
        for kind in classify(info) {
            add(kind.to_string());
        }
        let is_ours = matches!(recognition, Recognition::Driven { .. });
        if let Some(here) = &self.here {
            for line in here.lines(info, is_ours) {
                add(line);
            }
        }
        lines
    }

    fn json(&self, alarm: Option<&str>) -> Value {
        let info = &self.info;
        let (role, by, why) = match recognise(info) {
            Recognition::Driven { role, by } => (Some(role.name()), Some(by), None),
            Recognition::Refused(why) => (None, None, Some(why)),
            Recognition::Other(what) => (None, None, Some(what.to_owned())),
        };
        let here = self.here.as_ref().map(|here| {
            let drivers = here.drivers.iter();
            let drivers =
                drivers.map(|(number, name)| json!({"interface": number, "driver": name}));
            let users = here.users.processes.iter();
            let users = users.map(|user| json!({"pid": user.pid, "name": user.name}));
            json!({
                "node": here.node,
                "drivers": drivers.collect::<Vec<_>>(),
                "open_by": users.collect::<Vec<_>>(),
                "open_by_is_partial": here.users.is_partial,
                "may_open": here.access == Access::Granted,
            })
        });
        json!({
            "path": info.path,
            "ids": format!("{:04x}:{:04x}", info.vendor, info.product),
            "release": format!("{:04x}", info.release),
            "manufacturer": info.manufacturer,
            "name": info.name,
            "role": role,
            "driver": by,
            "why_not": why,
            "alarm": alarm,
            "here": here,
        })
    }
}

impl Here {
    fn lines(&self, info: &DeviceInfo, is_ours: bool) -> Vec<String> {
        let mut lines = Vec::new();
        let node = &self.node;
        for (number, driver) in &self.drivers {
            let note = match (driver.as_str(), is_ours) {
                ("usbfs", _) => "claimed by a program",
                (_, true) => "the kernel's; it is taken over when the device is opened",
                (_, false) => "the kernel's",
            };
            lines.push(format!("interface {number}: {driver} ({note})"));
        }
        let users = self.users.processes.iter().map(described);
        lines.extend(users.map(|user| format!("opened by {user}")));
        if self.users.is_partial && is_ours {
            lines.push("who has it open may be incomplete: run `list` as root".to_owned());
        }
        match &self.access {
            Access::Granted => {}
            _ if !is_ours => {}
            Access::Denied => {
                lines.push(format!("no permission to open {node}: {}", udev::remedy()));
                if udev::rule_for(info).is_none() {
                    let rule = udev::rule_to_add(info);
                    lines.push(format!("and no rule of that file names it; add: {rule}"));
                }
            }
            Access::Missing => lines.push(format!(
                "{node} does not exist: a container needs /dev/bus/usb of its host"
            )),
            Access::Failed(why) => lines.push(format!("{node} cannot be opened: {why}")),
        }
        lines
    }
}

#[cfg(test)]
mod tests;
