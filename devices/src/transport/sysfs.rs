//! What Linux knows of USB devices beside their descriptors: who holds them, and who may.
//!
//! Owns the reading of `/sys/bus/usb/devices`, of `/proc/PID/fd` and of the nodes in
//! `/dev/bus/usb`, all under a root that tests choose. Asks no device anything; looking
//! into other people's processes needs their rights, and an answer without them says so.
//! Called by [`super::rusb_bus`] for its errors and by `counterfoil-devices list`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::DeviceInfo;
use super::descriptor::{parse_configuration, parse_device};

/// Devices looked at, at most.
const DEVICES_MAX: usize = 256;
/// Processes looked at, at most.
const PROCESSES_MAX: usize = 32_768;
/// Open files looked at of one process, at most.
const FILES_MAX: usize = 4096;
/// Longest descriptors of one device in bytes, all its configurations together.
const DESCRIPTORS_MAX: u64 = 64 * 1024;
/// Longest other attribute in bytes.
const TEXT_MAX: u64 = 4096;
/// The driver of interfaces that a program has claimed.
const USBFS: &str = "usbfs";

/// Linux as seen from `/`, or from a folder that looks like it.
#[derive(Debug, Clone)]
pub struct Sysfs {
    root: PathBuf,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its descriptors; `path` is the kernel's name, as `1-2`.
    pub info: DeviceInfo,
    /// Its node.
    pub node: String,
    /// The driver of each interface that has one, by interface number.
    pub drivers: Vec<(u8, String)>,
}

/// A process that has a node open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name, as the kernel cuts it.
    pub name: String,
}

/// Who has a node open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Users {
    /// As far as could be seen.
    pub processes: Vec<Process>,
    /// Some processes could not be looked into.
    pub is_partial: bool,
}

/// Whether a node can be opened by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Yes.
    Granted,
    /// We may not.
    Denied,
    /// There is no such node: no devices in this container, or just unplugged.
    Missing,
    /// Something else, in the system's words.
    Failed(String),
}

impl From<io::Result<()>> for Access {
    fn from(opened: io::Result<()>) -> Self {
        match opened {
            Ok(()) => Self::Granted,
            Err(error) => match error.kind() {
                io::ErrorKind::PermissionDenied => Self::Denied,
                io::ErrorKind::NotFound => Self::Missing,
                _ => Self::Failed(error.to_string()),
            },
        }
    }
}

/// The node of a device.
pub fn node(bus: u16, device: u16) -> String {
    format!("/dev/bus/usb/{bus:03}/{device:03}")
}

impl Sysfs {
    /// This computer.
    pub fn system() -> Self {
        Self::at("/")
    }

    /// What lies under `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Every device, hubs too, by name; an error where there is no USB at all.
    pub fn devices(&self) -> io::Result<Vec<Known>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.root.join("sys/bus/usb/devices"))?.take(DEVICES_MAX) {
            let name = entry?.file_name();
            let name = name.to_string_lossy().into_owned();
            // An interface's name has a colon.
            if !name.contains(':') {
                names.push(name);
            }
        }
        names.sort_by_cached_key(|name| place(name));
        Ok(names.iter().filter_map(|name| self.device(name)).collect())
    }

    /// The number of every device that is plugged in, by name: it changes when one is
    /// pulled and put back.
    pub fn numbers(&self) -> io::Result<BTreeMap<String, String>> {
        let mut numbers = BTreeMap::new();
        for entry in fs::read_dir(self.root.join("sys/bus/usb/devices"))?.take(DEVICES_MAX) {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if let Some(number) = self.attribute(&name, "devnum", TEXT_MAX) {
                numbers.insert(name, String::from_utf8_lossy(&number).trim().to_owned());
            }
        }
        Ok(numbers)
    }

    /// The device called `path`; `None` where it is gone or tells nonsense.
    pub fn device(&self, path: &str) -> Option<Known> {
        let bytes = self.attribute(path, "descriptors", DESCRIPTORS_MAX)?;
        let (mut info, _) = parse_device(&bytes).ok()?;
        let text = |name: &str| {
            let bytes = self.attribute(path, name, TEXT_MAX).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            text.trim_end_matches('\n').trim_start().to_owned()
        };
        path.clone_into(&mut info.path);
        info.manufacturer = text("manufacturer");
        info.name = text("product");
        info.serial = text("serial");
        let active = text("bConfigurationValue").parse().ok();
        info.interfaces = active_configuration(&bytes, active)
            .and_then(|bytes| parse_configuration(bytes).ok())
            .unwrap_or_default();
        let number = |name: &str| text(name).parse().ok();
        let node = node(number("busnum")?, number("devnum")?);
        let drivers = self.drivers(&info, active.unwrap_or(1));
        Some(Known {
            info,
            node,
            drivers,
        })
    }

    fn drivers(&self, info: &DeviceInfo, configuration: u8) -> Vec<(u8, String)> {
        let first = info.interfaces.iter().filter(|i| i.alternate == 0);
        let named = first.filter_map(|i| {
            let driver = self.driver(&info.path, configuration, i.number)?;
            Some((i.number, driver))
        });
        named.collect()
    }

    fn driver(&self, path: &str, configuration: u8, interface: u8) -> Option<String> {
        // A root hub is called usb1, its interfaces 1-0:1.0.
        let name = match path.strip_prefix("usb") {
            Some(bus) => format!("{bus}-0:{configuration}.{interface}"),
            None => format!("{path}:{configuration}.{interface}"),
        };
        let link = self.folder(&name)?.join("driver");
        let driver = fs::read_link(link).ok()?;
        Some(driver.file_name()?.to_str()?.to_owned())
    }

    /// Who holds an interface of a device that was refused as busy, in words.
    pub fn holder(&self, path: &str, interface: u8) -> String {
        let known = self.device(path);
        let driver = known.as_ref().and_then(|known| {
            let mut drivers = known.drivers.iter();
            drivers.find(|(number, _)| *number == interface)
        });
        match driver {
            Some((_, driver)) if driver != USBFS => return format!("the kernel driver {driver}"),
            _ => {}
        }
        let users = known.map(|known| self.users(&known.node));
        let users = users.unwrap_or_default();
        let us = std::process::id();
        let others = users.processes.iter().filter(|user| user.pid != us);
        let named: Vec<String> = others.map(described).collect();
        match (named.as_slice(), users.is_partial) {
            ([], true) => {
                "another user's program (`counterfoil-devices list` as root names it)".to_owned()
            }
            ([], false) => "another program".to_owned(),
            (named, _) => named.join(" and "),
        }
    }

    /// Every process that has `node` open, as far as we may look.
    pub fn users(&self, node: &str) -> Users {
        let mut users = Users::default();
        let Ok(entries) = fs::read_dir(self.root.join("proc")) else {
            users.is_partial = true;
            return users;
        };
        for entry in entries.take(PROCESSES_MAX).flatten() {
            let name = entry.file_name();
            let pid = name.to_str().and_then(|name| name.parse().ok());
            let Some(pid) = pid else { continue };
            match fs::read_dir(entry.path().join("fd")) {
                Ok(files) => {
                    let mut files = files.take(FILES_MAX).flatten();
                    let is_node = |file: fs::DirEntry| {
                        fs::read_link(file.path()).is_ok_and(|to| to == Path::new(node))
                    };
                    if files.any(is_node) {
                        let name = fs::read_to_string(entry.path().join("comm"));
                        let name = name.unwrap_or_default().trim_end().to_owned();
                        users.processes.push(Process { pid, name });
                    }
                }
                Err(error) => {
                    users.is_partial |= error.kind() == io::ErrorKind::PermissionDenied;
                }
            }
        }
        users.processes.sort_by_key(|user| user.pid);
        users
    }

    /// Whether we may open `node`, found out by opening it.
    pub fn access(&self, node: &str) -> Access {
        let path = self.root.join(node.trim_start_matches('/'));
        let opened = fs::OpenOptions::new().read(true).write(true).open(path);
        opened.map(drop).into()
    }

    fn folder(&self, name: &str) -> Option<PathBuf> {
        // A name comes from a list of names or from a device's path; never a way out.
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
        let is_good = name.chars().all(is_name) && !name.starts_with('.');
        is_good.then(|| self.root.join("sys/bus/usb/devices").join(name))
    }

    fn attribute(&self, path: &str, name: &str, max: u64) -> Option<Vec<u8>> {
        use io::Read as _;
        let file = fs::File::open(self.folder(path)?.join(name)).ok()?;
        let mut bytes = Vec::new();
        file.take(max).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// `name (pid 12)`, and what to do about it where the program is a usual one.
pub fn described(user: &Process) -> String {
    let Process { pid, name } = user;
    match remedy(name) {
        Some(remedy) => format!("{name} (pid {pid}; {remedy})"),
        None => format!("{name} (pid {pid})"),
    }
}

/// What to do about programs that are known to take a kiosk's devices.
pub fn remedy(program: &str) -> Option<&'static str> {
    Some(match program {
        "pcscd" => "`systemctl disable --now pcscd.socket pcscd.service`",
        "ipp-usb" => "`systemctl disable --now ipp-usb`",
        "cupsd" | "usb" => "its queue in CUPS: `lpadmin -x QUEUE`, or no CUPS on a kiosk",
        "cups-browsed" | "cups-deviced" => "`systemctl disable --now cups cups-browsed`",
        "brltty" => "it takes serial bridges for braille displays: `apt purge brltty`",
        "ModemManager" => {
            "it takes serial bridges for modems: `systemctl disable --now ModemManager`"
        }
        "fprintd" => "`systemctl mask --now fprintd`",
        "counterfoil-kiosk" | "counterfoil-kio" => {
            "the kiosk itself: `systemctl stop counterfoil-kiosk` first"
        }
        _ => return None,
    })
}

/// Names in the order of buses and ports: 1-2 before 1-10, a hub before what hangs on it.
fn place(name: &str) -> Vec<u32> {
    let parts = name.trim_start_matches("usb").split(['-', '.']);
    parts.map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}

/// The configuration with that value, else the first, of all that `descriptors` holds.
fn active_configuration(descriptors: &[u8], value: Option<u8>) -> Option<&[u8]> {
    let mut rest = descriptors.get(18..)?;
    let first = rest;
    while let Some([_, _, low, high, _, this, ..]) = rest.first_chunk::<6>() {
        let total = usize::from(u16::from_le_bytes([*low, *high]));
        if value.is_none_or(|value| value == *this) {
            return Some(rest);
        }
        rest = rest.get(total.max(1)..)?;
    }
    Some(first)
}

#[cfg(test)]
pub(crate) mod tests;
