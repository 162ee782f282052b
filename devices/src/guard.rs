//! Which devices a kiosk may have: a list made when it was set up.
//!
//! Owns the fingerprint of a device (what its descriptors declare), the list as a file,
//! and the verdict on a device that is plugged in later, with the difference that was
//! found. Refuses a device that claims the ids of another and declares other interfaces:
//! one that was changed, or made to look like it. Descriptors can be copied to the last
//! byte; a copy that also behaves is not told apart. Called by the kiosk's device host,
//! `counterfoil-devices allow`, `list` and `watch`.

use std::fmt::Write as _;

use counterfoil_data::wire::Digest;
use serde::Deserialize;

use crate::driver::recognition::{can_type, is_keyboard, is_mouse};
use crate::driver::{Role, role_of};
use crate::transport::DeviceInfo;

/// Devices on one list at most.
pub const DEVICES_MAX: usize = 64;
/// Longest file in bytes.
pub const FILE_MAX: u64 = 64 * 1024;
/// Version of the file and of the fingerprint.
const VERSION: u8 = 1;

/// Why a file is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowedError {
    /// Not TOML of the shape that `allow` writes.
    #[error("not a list of devices as `counterfoil-devices allow` writes it: {0}")]
    Parse(String),
    /// Written by another release.
    #[error("of version {0}, and version {VERSION} is read: write it anew with `allow`")]
    Version(u8),
    /// More than is read.
    #[error("has more than {DEVICES_MAX} devices")]
    TooMany,
    /// A field is not what it should be.
    #[error("entry {entry}: {field} is not {shape}")]
    Field {
        /// Which entry, from 1.
        entry: usize,
        /// Which field.
        field: &'static str,
        /// What it should be.
        shape: &'static str,
    },
}

/// Why a device is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// No entry has its ids.
    #[error(
        "{0} is not on the list of allowed devices: unplug it, or let `counterfoil-devices \
         allow` write the list anew"
    )]
    Unknown(String),
    /// Ids and release of an entry, and other interfaces.
    #[error(
        "{0} has the ids of an allowed device and other interfaces or endpoints: a changed or \
         counterfeit device"
    )]
    Other(String),
    /// Ids of an entry, another release, and other interfaces or the same.
    #[error(
        "{device} has the ids of an allowed device, release {found:04x} instead of \
         {listed:04x}: its firmware was changed, or it is another device"
    )]
    Release {
        /// Which.
        device: String,
        /// What is on the list.
        listed: u16,
        /// What it says.
        found: u16,
    },
    /// The same model, another piece.
    #[error("{0} is of an allowed model and not the one on the list: its serial number differs")]
    Serial(String),
    /// An ID reader with another security module than the enrolled one.
    #[error(
        "the id reader has the security module {found} and not the one on the list: its reader \
         or its module was exchanged"
    )]
    Module {
        /// What it says, as `probe` prints it.
        found: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    vendor: u16,
    product: u16,
    release: u16,
    fingerprint: Digest,
    serial: Option<String>,
    security_module: Option<String>,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed(Vec<Entry>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u8,
    #[serde(default)]
    device: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    ids: String,
    release: String,
    fingerprint: String,
    serial: Option<String>,
    security_module: Option<String>,
    // For the person who reads the file.
    #[serde(rename = "role")]
    _role: String,
    #[serde(rename = "name")]
    _name: String,
}

/// SHA-256 over what the descriptors declare: ids, release, class, and of every alternate
/// setting its class, endpoints and class-specific bytes. Not where it is plugged in, not
/// its texts and not its serial number.
pub fn fingerprint(info: &DeviceInfo) -> Digest {
    let mut bytes = vec![VERSION];
    for id in [info.vendor, info.product, info.release] {
        bytes.extend_from_slice(&id.to_be_bytes());
    }
    bytes.push(info.class);
    let mut settings: Vec<_> = info.interfaces.iter().collect();
    settings.sort_by_key(|i| (i.number, i.alternate));
    let length = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    bytes.extend_from_slice(&length(settings.len()));
    for i in settings {
        bytes.extend_from_slice(&[i.number, i.alternate, i.class, i.subclass, i.protocol]);
        bytes.extend_from_slice(&length(i.endpoints.len()));
        for end in &i.endpoints {
            bytes.extend_from_slice(&[end.address, end.kind, end.interval]);
            bytes.extend_from_slice(&end.max_packet.to_be_bytes());
        }
        bytes.extend_from_slice(&length(i.extra.len()));
        bytes.extend_from_slice(&i.extra);
    }
    Digest::of(&bytes)
}

impl Allowed {
    /// Exactly these devices; also their serial numbers if `with_serials`.
    pub fn of(devices: &[DeviceInfo], with_serials: bool) -> Self {
        let serial = |info: &DeviceInfo| Some(info.serial.clone()).filter(|s| !s.is_empty());
        let entry = |info: &DeviceInfo| Entry {
            vendor: info.vendor,
            product: info.product,
            release: info.release,
            fingerprint: fingerprint(info),
            serial: serial(info).filter(|_| with_serials),
            security_module: None,
        };
        Self(devices.iter().take(DEVICES_MAX).map(entry).collect())
    }

    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Self, AllowedError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let message = error.message().to_owned();
            AllowedError::Parse(message)
        })?;
        if file.version != VERSION {
            return Err(AllowedError::Version(file.version));
        }
        if file.device.len() > DEVICES_MAX {
            return Err(AllowedError::TooMany);
        }
        let numbered = (1..).zip(file.device);
        let entries = numbered.map(|(entry, line)| line.entry(entry));
        Ok(Self(entries.collect::<Result<_, _>>()?))
    }

    /// Whether a device is on the list, or what differs from the entry with its ids.
    pub fn check(&self, info: &DeviceInfo) -> Result<(), NotAllowed> {
        let ids = (info.vendor, info.product);
        let mut ours = self.0.iter().filter(|e| (e.vendor, e.product) == ids);
        let ours: Vec<&Entry> = ours.by_ref().collect();
        let device = called(info);
        let Some(first) = ours.first() else {
            return Err(NotAllowed::Unknown(device));
        };
        let print = fingerprint(info);
        let mut same = ours.iter().filter(|e| e.fingerprint == print).peekable();
        if same.peek().is_some() {
            let has_serial = |e: &Entry| e.serial.as_ref().is_none_or(|s| *s == info.serial);
            return match same.any(|e| has_serial(e)) {
                true => Ok(()),
                false => Err(NotAllowed::Serial(device)),
            };
        }
        match ours.iter().any(|e| e.release == info.release) {
            true => Err(NotAllowed::Other(device)),
            false => Err(NotAllowed::Release {
                device,
                listed: first.release,
                found: info.release,
            }),
        }
    }

    /// Whether an ID reader's security module is the enrolled one, where the list names
    /// any for such a reader. What a card proves is proven by that module alone.
    pub fn check_module(&self, info: &DeviceInfo, found: &str) -> Result<(), NotAllowed> {
        let ids = (info.vendor, info.product);
        let ours = self.0.iter().filter(|e| (e.vendor, e.product) == ids);
        let mut named = ours.filter_map(|e| e.security_module.as_deref()).peekable();
        if named.peek().is_none() || named.any(|module| module == found) {
            return Ok(());
        }
        let found = found.to_owned();
        Err(NotAllowed::Module { found })
    }

    /// What of these devices could type or point and is not on the list.
    pub fn foreign_keyboard(&self, devices: &[DeviceInfo]) -> Option<NotAllowed> {
        let mut typing = devices.iter().filter(|info| can_type(info));
        typing.find_map(|info| self.check(info).err())
    }
}

impl Line {
    fn entry(self, entry: usize) -> Result<Entry, AllowedError> {
        let wrong = |field, shape| AllowedError::Field {
            entry,
            field,
            shape,
        };
        let hex = |text: &str| {
            let lawful = text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
            u16::from_str_radix(text, 16).ok().filter(|_| lawful)
        };
        let ids = self.ids.split_once(':');
        let ids = ids.and_then(|(vendor, product)| Some((hex(vendor)?, hex(product)?)));
        let (vendor, product) = ids.ok_or(wrong("ids", "two times four hex digits, 04b8:0202"))?;
        let print = counterfoil_data::wire::unhex_lower(&self.fingerprint);
        Ok(Entry {
            vendor,
            product,
            release: hex(&self.release).ok_or(wrong("release", "four hex digits"))?,
            fingerprint: Digest(print.ok_or(wrong("fingerprint", "64 hex digits"))?),
            serial: self.serial,
            security_module: self.security_module,
        })
    }
}

/// The file of a list, with words for the person who keeps it.
pub fn file(devices: &[DeviceInfo], with_serials: bool) -> String {
    let mut text = format!(
        "# Devices this kiosk may have, as they were plugged in when it was set up. Name the \
         file as\n# allowed_devices in the kiosk's configuration; look through it first.\n\
         version = {VERSION}\n"
    );
    let entries = Allowed::of(devices, with_serials).0;
    for (info, entry) in devices.iter().zip(entries) {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let name = [info.manufacturer.as_str(), &info.name].join(" ");
        // A String takes every byte.
        let _ = write!(
            text,
            "\n[[device]]\nrole = {}\nname = {}\nids = \"{:04x}:{:04x}\"\nrelease = \"{:04x}\"\n\
             fingerprint = \"{}\"\n",
            quoted(what(info)),
            quoted(name.trim()),
            entry.vendor,
            entry.product,
            entry.release,
            entry.fingerprint
        );
        if role_of(info) == Some(Role::IdReader) {
            text.push_str(
                "# security_module = \"05.01-20200101-0001234567-0089012345\"  # as `probe` prints \
                 it: no other is believed\n",
            );
        }
        if let Some(serial) = entry.serial {
            let _ = writeln!(text, "serial = {}", quoted(&serial));
        }
    }
    text
}

/// A device in an error: ids, name, and what it is besides.
fn called(info: &DeviceInfo) -> String {
    let (vendor, product) = (info.vendor, info.product);
    let what = what(info);
    let typing = match role_of(info) {
        Some(_) if can_type(info) => " that also types",
        _ => "",
    };
    format!("{what} {vendor:04x}:{product:04x}{typing}")
}

fn what(info: &DeviceInfo) -> &'static str {
    match role_of(info) {
        Some(role) => role.name(),
        None if is_keyboard(info) => "keyboard",
        None if is_mouse(info) => "mouse",
        None if can_type(info) => "hid",
        None => "device",
    }
}

#[cfg(test)]
mod tests;
