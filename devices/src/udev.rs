//! The udev rules that let a kiosk open its devices, as they are installed.
//!
//! Owns what `udev/70-counterfoil.rules` says of a device, and the sentences for a person
//! who may not open one. Pure; called by [`crate::transport`]'s errors and by `list`.

use crate::transport::DeviceInfo;

/// The file of rules.
pub const RULES: &str = include_str!("../udev/70-counterfoil.rules");
/// Where it goes.
pub const PLACE: &str = "/etc/udev/rules.d/70-counterfoil.rules";
/// Who may open what it names.
pub const GROUP: &str = "counterfoil";
/// How it comes into force.
pub const RELOAD: &str = "udevadm control --reload && udevadm trigger --subsystem-match=usb";

/// The rule of the file for a device, if there is one.
pub fn rule_for(info: &DeviceInfo) -> Option<&'static str> {
    let rules = RULES.lines().filter(|line| line.starts_with("SUBSYSTEM"));
    let mut ours = rules.filter(|rule| rule.contains("GROUP=") && is_for(rule, info));
    ours.next()
}

/// The rule to add for a device that the file does not name.
pub fn rule_to_add(info: &DeviceInfo) -> String {
    let (vendor, product) = (info.vendor, info.product);
    format!(
        "SUBSYSTEM==\"usb\", ATTR{{idVendor}}==\"{vendor:04x}\", ATTR{{idProduct}}==\
         \"{product:04x}\", MODE=\"0660\", GROUP=\"{GROUP}\""
    )
}

/// What to do where a node may not be opened.
pub fn remedy() -> String {
    format!(
        "install {PLACE} (devices/udev), run `{RELOAD}`, and be in the group {GROUP} \
         (`usermod -aG {GROUP} USER`, then log in again)"
    )
}

fn is_for(rule: &str, info: &DeviceInfo) -> bool {
    let value = |key: &str| {
        let (_, rest) = rule.split_once(key)?;
        rest.split('"').nth(1)
    };
    match (value("ATTR{idVendor}=="), value("ATTR{idProduct}==")) {
        (Some(vendor), Some(product)) => {
            vendor == format!("{:04x}", info.vendor) && product == format!("{:04x}", info.product)
        }
        _ => value("ENV{ID_USB_INTERFACES}==").is_some_and(|pattern| {
            let wanted = pattern.trim_matches(['*', ':']);
            info.interfaces.iter().any(|i| {
                let text = format!("{:02x}{:02x}{:02x}", i.class, i.subclass, i.protocol);
                text.starts_with(wanted)
            })
        }),
    }
}
