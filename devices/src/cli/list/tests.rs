//! The lines a bank engineer reads.

use super::*;
use crate::transport::sysfs::tests::{PRINTER, Tree, device};

fn told(tree: &Tree) -> String {
    let entries = here(&tree.sysfs()).expect("reads");
    let lines: Vec<String> = entries
        .iter()
        .flat_map(|entry| entry.lines(entry.alarm(None).as_deref()))
        .collect();
    lines.join("\n")
}

#[test]
fn a_kiosks_device_is_told_with_its_kernel_driver_and_its_users() {
    let tree = Tree::new();
    tree.plug(&device("1-2", (0x04b8, 0x0e15), &[PRINTER]), 5);
    tree.bind("1-2", 0, "usblp");
    tree.start(41, "ipp-usb", "/dev/bus/usb/001/005");
    assert_eq!(
        told(&tree),
        "1-2              04b8:0e15 receipt-printer  ESC/POS, printer class; Maker thing\n                 \
         interface 0: usblp (the kernel's; it is taken over when the device is opened)\n                 \
         opened by ipp-usb (pid 41; `systemctl disable --now ipp-usb`)"
    );
}

#[test]
fn a_device_that_is_not_used_is_told_why_and_a_hub_is_a_hub() {
    let tree = Tree::new();
    tree.plug(&device("usb1", (0x1d6b, 0x0002), &[(9, 0, 0)]), 1);
    tree.plug(&device("1-2", (0x04b8, 0x0e15), &[(0xff, 0xff, 0xff)]), 5);
    let told = told(&tree);
    assert!(
        told.contains("usb1             1d6b:0002 -                hub;"),
        "{told}"
    );
    assert!(told.contains("set the printer to printer class"), "{told}");
}

#[test]
fn a_node_that_may_not_be_opened_is_told_with_rule_command_and_group() {
    let tree = Tree::new();
    let bridge = device("1-2", (0x10c4, 0xea60), &[(0xff, 0, 0)]);
    let denied = |info: &DeviceInfo| {
        let here = Here {
            node: "/dev/bus/usb/001/005".into(),
            drivers: Vec::new(),
            users: Users {
                processes: Vec::new(),
                is_partial: true,
            },
            access: Access::Denied,
        };
        here.lines(info, true).join("\n")
    };
    let lines = denied(&bridge);
    for word in [
        "run `list` as root",
        "/dev/bus/usb/001/005",
        "/etc/udev/rules.d/70-counterfoil.rules",
        "udevadm control --reload",
        "usermod -aG counterfoil",
    ] {
        assert!(lines.contains(word), "{word}: {lines}");
    }
    assert!(!lines.contains("ATTR{idVendor}"), "{lines}");
    let named = device("1-2", (0x0a5f, 0x0009), &[(0xff, 0, 0)]);
    assert!(denied(&named).contains("ATTR{idVendor}==\"0a5f\""));
    tree.plug(&bridge, 5);
    tree.pull_node(5);
    assert!(told(&tree).contains("needs /dev/bus/usb of its host"));
}

#[test]
fn json_says_the_same_in_fields() {
    let tree = Tree::new();
    tree.plug(&device("1-2", (0x04b8, 0x0e15), &[PRINTER]), 5);
    tree.bind("1-2", 0, "usblp");
    let entries = here(&tree.sysfs()).expect("reads");
    let said = entries[0].json(None);
    assert_eq!(said["ids"], "04b8:0e15");
    assert_eq!(said["role"], "receipt-printer");
    assert_eq!(said["here"]["drivers"][0]["driver"], "usblp");
    assert_eq!(said["here"]["may_open"], true);
}

#[test]
fn a_printer_with_a_keyboard_inside_and_whatever_is_not_on_the_list_is_an_alarm() {
    let tree = Tree::new();
    tree.plug(&device("usb1", (0x1d6b, 0x0002), &[(9, 0, 0)]), 1);
    let printer = device("1-2", (0x04b8, 0x0e15), &[PRINTER]);
    let typing = device("1-2", (0x04b8, 0x0e15), &[PRINTER, (3, 1, 1)]);
    tree.plug(&typing, 5);
    assert!(
        told(&tree).contains("ALARM: it can also type"),
        "{}",
        told(&tree)
    );
    let allowed = Allowed::of(&[printer], false);
    let entries = here(&tree.sysfs()).expect("reads");
    let alarms: Vec<_> = entries.iter().map(|e| e.alarm(Some(&allowed))).collect();
    assert_eq!(alarms[0], None);
    let said = alarms[1].as_deref().expect("an alarm");
    assert!(said.contains("changed or counterfeit device"), "{said}");
    let known = Allowed::of(&[typing], false);
    assert_eq!(entries[1].alarm(Some(&known)), None);
}
