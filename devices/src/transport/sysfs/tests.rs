//! A computer made of files: what Linux would say of the devices plugged into it.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::transport::descriptor;
use crate::transport::{EndpointInfo, InterfaceInfo};

/// A folder that looks like `/`, removed at the end.
pub(crate) struct Tree(PathBuf);

static TREES: AtomicU32 = AtomicU32::new(0);

impl Tree {
    pub(crate) fn new() -> Self {
        let number = TREES.fetch_add(1, Ordering::SeqCst);
        let name = format!("counterfoil-tree-{}-{number}", std::process::id());
        let root = std::env::temp_dir().join(name);
        for folder in ["sys/bus/usb/devices", "proc", "dev/bus/usb/001"] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        Self(root)
    }

    pub(crate) fn sysfs(&self) -> Sysfs {
        Sysfs::at(&self.0)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("writes");
    }

    fn link(&self, path: &str, to: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        symlink(to, path).expect("links");
    }

    /// Plugs a device in as number `device` of bus 1.
    pub(crate) fn plug(&self, info: &DeviceInfo, device: u16) {
        let bytes = [descriptor::device(info), descriptor::configuration(info)].concat();
        self.plug_raw(&info.path, device, &bytes);
        let folder = format!("sys/bus/usb/devices/{}", info.path);
        self.write(
            &format!("{folder}/manufacturer"),
            format!("{}\n", info.manufacturer),
        );
        self.write(&format!("{folder}/product"), format!("{}\n", info.name));
    }

    pub(crate) fn plug_raw(&self, path: &str, device: u16, descriptors: &[u8]) {
        let folder = format!("sys/bus/usb/devices/{path}");
        self.write(&format!("{folder}/descriptors"), descriptors);
        self.write(&format!("{folder}/busnum"), "1\n");
        self.write(&format!("{folder}/devnum"), format!("{device}\n"));
        self.write(&format!("{folder}/bConfigurationValue"), "1\n");
        self.write(&format!("dev/bus/usb/001/{device:03}"), "");
    }

    /// Binds a driver to an interface.
    pub(crate) fn bind(&self, path: &str, interface: u8, driver: &str) {
        let folder = format!("sys/bus/usb/devices/{path}:1.{interface}");
        let to = format!("../../../../bus/usb/drivers/{driver}");
        self.link(&format!("{folder}/driver"), &to);
    }

    /// Starts a process with one file open.
    pub(crate) fn start(&self, pid: u32, name: &str, file: &str) {
        self.write(&format!("proc/{pid}/comm"), format!("{name}\n"));
        self.link(&format!("proc/{pid}/fd/0"), "/dev/null");
        self.link(&format!("proc/{pid}/fd/7"), file);
    }

    pub(crate) fn pull_node(&self, device: u16) {
        fs::remove_file(self.0.join(format!("dev/bus/usb/001/{device:03}"))).expect("removes");
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("removes its folder");
    }
}

/// A device with interfaces of these classes, subclasses and protocols, each with a pair
/// of bulk endpoints.
pub(crate) fn device(path: &str, ids: (u16, u16), classes: &[(u8, u8, u8)]) -> DeviceInfo {
    let end = |address| EndpointInfo {
        address,
        kind: 2,
        max_packet: 64,
        interval: 0,
    };
    let interface = |(number, &(class, subclass, protocol)): (u8, &(u8, u8, u8))| InterfaceInfo {
        number,
        alternate: 0,
        class,
        subclass,
        protocol,
        endpoints: vec![end(0x01 + number), end(0x81 + number)],
        extra: Vec::new(),
    };
    DeviceInfo {
        path: path.into(),
        vendor: ids.0,
        product: ids.1,
        release: 0x0100,
        class: 0,
        manufacturer: "Maker".into(),
        name: "thing".into(),
        serial: String::new(),
        interfaces: (0..).zip(classes).map(interface).collect(),
    }
}

pub(crate) const PRINTER: (u8, u8, u8) = (7, 1, 2);

#[test]
fn devices_are_read_with_hubs_in_the_order_of_their_ports_and_with_their_drivers() {
    let tree = Tree::new();
    tree.plug(&device("1-10", (0x0403, 0x6001), &[(0xff, 0xff, 0xff)]), 12);
    tree.plug(&device("1-2", (0x04b8, 0x0e15), &[PRINTER, (3, 1, 1)]), 5);
    tree.plug(&device("1-2.4", (0x0400, 0xc35a), &[(0xff, 0, 0)]), 6);
    let hub = device("usb1", (0x1d6b, 0x0002), &[(9, 0, 0)]);
    tree.plug(&hub, 1);
    tree.bind("1-2", 0, "usblp");
    tree.bind("1-2", 1, "usbhid");
    tree.bind("1-0", 0, "hub");
    let all = tree.sysfs().devices().expect("reads");
    let paths: Vec<&str> = all.iter().map(|known| known.info.path.as_str()).collect();
    assert_eq!(paths, ["usb1", "1-2", "1-2.4", "1-10"]);
    assert_eq!(all[0].drivers, [(0, "hub".to_owned())]);
    let printer = &all[1];
    assert_eq!(printer.node, "/dev/bus/usb/001/005");
    assert_eq!(
        printer.drivers,
        [(0, "usblp".to_owned()), (1, "usbhid".to_owned())]
    );
    assert_eq!(
        printer.info,
        device("1-2", (0x04b8, 0x0e15), &[PRINTER, (3, 1, 1)])
    );
}

#[test]
fn a_busy_interface_names_the_kernel_driver_or_the_program_and_its_remedy() {
    let tree = Tree::new();
    tree.plug(&device("1-2", (0x04b8, 0x0e15), &[PRINTER]), 5);
    tree.plug(&device("1-3", (0x08e6, 0x3437), &[(0x0b, 0, 0)]), 6);
    tree.bind("1-2", 0, "usblp");
    tree.bind("1-3", 0, "usbfs");
    tree.start(812, "pcscd", "/dev/bus/usb/001/006");
    tree.start(900, "bash", "/dev/bus/usb/001/0060");
    let sysfs = tree.sysfs();
    assert_eq!(sysfs.holder("1-2", 0), "the kernel driver usblp");
    assert_eq!(
        sysfs.holder("1-3", 0),
        "pcscd (pid 812; `systemctl disable --now pcscd.socket pcscd.service`)"
    );
    let error = crate::transport::UsbError::Busy(sysfs.holder("1-3", 0));
    assert!(
        error.to_string().contains("held by pcscd (pid 812"),
        "{error}"
    );
    assert_eq!(sysfs.holder("1-4", 0), "another program");
}

#[test]
fn our_own_process_is_never_who_holds_a_device() {
    let tree = Tree::new();
    tree.plug(&device("1-2", (0x04b8, 0x0e15), &[PRINTER]), 5);
    tree.bind("1-2", 0, "usbfs");
    tree.start(
        std::process::id(),
        "counterfoil-dev",
        "/dev/bus/usb/001/005",
    );
    assert_eq!(tree.sysfs().holder("1-2", 0), "another program");
    tree.start(7, "ipp-usb", "/dev/bus/usb/001/005");
    assert!(tree.sysfs().holder("1-2", 0).starts_with("ipp-usb (pid 7;"));
}

#[test]
fn a_node_that_may_not_be_opened_is_told_from_one_that_is_not_there() {
    let tree = Tree::new();
    tree.plug(&device("1-2", (0x04b8, 0x0e15), &[PRINTER]), 5);
    let sysfs = tree.sysfs();
    assert_eq!(sysfs.access("/dev/bus/usb/001/005"), Access::Granted);
    tree.pull_node(5);
    assert_eq!(sysfs.access("/dev/bus/usb/001/005"), Access::Missing);
    let denied = Err(io::Error::from(io::ErrorKind::PermissionDenied));
    assert_eq!(Access::from(denied), Access::Denied);
    let error = crate::transport::UsbError::Access(node(1, 5)).to_string();
    for word in [
        "/dev/bus/usb/001/005",
        "70-counterfoil.rules",
        "udevadm control --reload",
    ] {
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn nonsense_in_sysfs_is_left_out_and_no_name_leads_out_of_it() {
    let tree = Tree::new();
    tree.plug_raw("1-2", 5, &[18, 1, 0]);
    tree.plug_raw("1-3", 6, &descriptor::device(&device("1-3", (1, 2), &[])));
    let all = tree.sysfs().devices().expect("reads");
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].info.interfaces, []);
    for name in ["../1-3", "..", "1-3/../1-3", ""] {
        assert_eq!(tree.sysfs().device(name), None, "{name}");
    }
    let nowhere = Sysfs::at(Path::new("/nowhere"));
    assert!(nowhere.devices().is_err());
}

#[test]
fn of_several_configurations_the_active_one_is_read() {
    let one = device("1-2", (1, 2), &[(8, 6, 80)]);
    let two = device("1-2", (1, 2), &[PRINTER]);
    let mut second = descriptor::configuration(&two);
    second[5] = 2;
    let bytes = [
        descriptor::device(&one),
        descriptor::configuration(&one),
        second,
    ]
    .concat();
    let tree = Tree::new();
    tree.plug_raw("1-2", 5, &bytes);
    let class = |tree: &Tree| {
        tree.sysfs()
            .device("1-2")
            .map(|d| d.info.interfaces[0].class)
    };
    assert_eq!(class(&tree), Some(8));
    tree.write("sys/bus/usb/devices/1-2/bConfigurationValue", "2\n");
    assert_eq!(class(&tree), Some(7));
}
