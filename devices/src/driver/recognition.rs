//! What a device is taken for, and in words why, or why not.
//!
//! Owns the sentence of `counterfoil-devices list`; the verdict is [`role_of`]'s and each
//! driver's. Refuses to say that a device works: only its hello tells.

use super::ccid::kind::classify;
use super::serial::Family;
use super::{
    Role, escp2, form_printer, pr2, printer_class, role_of, serial, slip_station, uru4000,
};
use crate::transport::{DeviceInfo, InterfaceInfo};

const COMMUNICATION: u8 = 0x02;
const HID: u8 = 0x03;
const PRINTER: u8 = 0x07;
const HUB: u8 = 0x09;
const CHIP_CARD: u8 = 0x0b;
const VENDOR: u8 = 0xff;

/// Vendors whose printers often stand in vendor mode: Epson, Star, Citizen, Bixolon,
/// Custom, SNBC, Xprinter and kin.
const PRINTER_VENDORS: [u16; 7] = [0x04b8, 0x0519, 0x1d90, 0x1504, 0x0dd4, 0x154f, 0x0fe6];
/// The Microsoft fingerprint reader that wants its challenge answered.
const CHALLENGER: (u16, u16) = (0x045e, 0x00ca);

/// The verdict on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognition {
    /// A driver here will try it.
    Driven {
        /// As what.
        role: Role,
        /// Which driver, behind which chip.
        by: String,
    },
    /// It looks like a device of a kiosk, and is not used.
    Refused(String),
    /// No device of a kiosk.
    Other(&'static str),
}

/// The verdict, from descriptors alone.
pub fn recognise(info: &DeviceInfo) -> Recognition {
    let Some(role) = role_of(info) else {
        return match refusal(info) {
            Some(why) => Recognition::Refused(why),
            None => Recognition::Other(kind(info)),
        };
    };
    let by = match role {
        Role::IdReader => "SDT security module".to_owned(),
        Role::PinPad => "framing 1".to_owned(),
        Role::CardReader => {
            let kinds = classify(info);
            if let Some(why) = kinds.iter().find_map(|kind| kind.refusal)
                && kinds.iter().all(|kind| kind.refusal.is_some())
            {
                return Recognition::Refused(format!("chip-card reader: {why}"));
            }
            "CCID".to_owned()
        }
        Role::Finger => match finger(info) {
            Ok(by) => by.to_owned(),
            Err(why) => return Recognition::Refused(why.to_owned()),
        },
        Role::FormPrinter if form_printer::matches(info) => "cassettes".to_owned(),
        Role::FormPrinter if escp2::matches(info) => "ESC/P2, fed by hand".to_owned(),
        Role::FormPrinter if pr2::matches(info) => "PR2 emulation, fed by hand".to_owned(),
        Role::FormPrinter if slip_station::matches(info) => {
            "ESC/POS slip station, fed by hand".to_owned()
        }
        Role::FormPrinter => "configured".to_owned(),
        Role::ReceiptPrinter if has(info, PRINTER) => "ESC/POS, printer class".to_owned(),
        Role::ReceiptPrinter => "ESC/POS, vendor class known by its ids".to_owned(),
    };
    Recognition::Driven { role, by }
}

fn finger(info: &DeviceInfo) -> Result<&'static str, &'static str> {
    if uru4000::matches(info) {
        return Ok("U.are.U 4000/4500");
    }
    match serial::known(info) {
        Some(Family::CdcAcm) => Ok("EF01 behind CDC-ACM"),
        Some(Family::Cp210x) => Ok("EF01 behind CP210x"),
        Some(Family::Ch340) => Ok("EF01 behind CH340"),
        Some(Family::Ftdi) => Ok("EF01 behind FTDI"),
        Some(Family::Pl2303) => Ok("EF01 behind PL2303"),
        Some(Family::Native) => Err(
            "MicroArray finger module on its own USB port: it gives no image, only its own \
             templates, so nothing can be matched here; use a module behind a serial bridge",
        ),
        None => Ok("EF01"),
    }
}

fn refusal(info: &DeviceInfo) -> Option<String> {
    let ids = (info.vendor, info.product);
    if ids == CHALLENGER {
        let why = "Microsoft fingerprint reader that wants a challenge answered: its key is not \
                   published; use a U.are.U 4500";
        return Some(why.to_owned());
    }
    if uru4000::ids().any(|known| known == ids) {
        return Some(
            "it has the ids of a U.are.U reader and not its endpoints: another firmware, or a \
             counterfeit"
                .to_owned(),
        );
    }
    if serial::ids().any(|known| known == ids) {
        return Some(
            "it has the ids of a known serial bridge and not its endpoints: another mode of the \
             chip, or a counterfeit"
                .to_owned(),
        );
    }
    if has(info, CHIP_CARD) {
        return Some("chip-card class without the reader's functional descriptor".to_owned());
    }
    if let Some(printer) = of_class(info, PRINTER) {
        return Some(match printer.protocol {
            3 | 4 => "printer that only speaks IPP or IEEE 1284.4: set it to plain USB printing"
                .to_owned(),
            _ => "printer class without a bulk OUT endpoint".to_owned(),
        });
    }
    if has(info, VENDOR) && PRINTER_VENDORS.contains(&info.vendor) {
        return Some(
            "vendor class of a maker of printers, and not in the table of known models: set the \
             printer to printer class (its own setup), or name it as form_printer.device"
                .to_owned(),
        );
    }
    if has(info, COMMUNICATION) {
        return Some(
            "serial line (CDC-ACM) with ids of no known finger module; a modem must not be \
             asked for a finger"
                .to_owned(),
        );
    }
    None
}

/// What a device that is no kiosk's is, by its class.
fn kind(info: &DeviceInfo) -> &'static str {
    if is_hub(info) {
        return "hub";
    }
    if is_keyboard(info) {
        return "keyboard";
    }
    if is_mouse(info) {
        return "mouse";
    }
    match info.interfaces.first().map(|i| i.class) {
        Some(HID) => {
            "HID device; one that types (a scanner, a card reader as a keyboard) is no \
                      kiosk's"
        }
        Some(0x01) => "sound",
        Some(0x06) => "still camera",
        Some(0x08) => "storage",
        Some(0x0e) => "camera",
        Some(0xe0) => "wireless adapter",
        Some(VENDOR) => "vendor class with ids of no driver",
        None => "no interfaces are known: its descriptors cannot be read",
        Some(_) => "no driver for its class and ids",
    }
}

/// Whether it is a hub.
pub fn is_hub(info: &DeviceInfo) -> bool {
    info.class == HUB || has(info, HUB)
}

/// Whether one of its interfaces is a boot keyboard's.
pub fn is_keyboard(info: &DeviceInfo) -> bool {
    let mut all = info.interfaces.iter();
    all.any(|i| (i.class, i.subclass, i.protocol) == (HID, 1, 1))
}

/// Whether one of its interfaces is a boot mouse's.
pub fn is_mouse(info: &DeviceInfo) -> bool {
    let mut all = info.interfaces.iter();
    all.any(|i| (i.class, i.subclass, i.protocol) == (HID, 1, 2))
}

/// Whether it has an interface that could type or point: any HID, declared or not.
pub fn can_type(info: &DeviceInfo) -> bool {
    has(info, HID)
}

fn has(info: &DeviceInfo, class: u8) -> bool {
    of_class(info, class).is_some()
}

fn of_class(info: &DeviceInfo, class: u8) -> Option<&InterfaceInfo> {
    info.interfaces.iter().find(|i| i.class == class)
}

/// Every pair of ids that a driver knows without looking at a class.
pub fn known_ids() -> Vec<(u16, u16)> {
    let all = super::sdt::KNOWN.into_iter().chain(uru4000::ids());
    all.chain(serial::ids())
        .chain(printer_class::ids())
        .collect()
}

#[cfg(test)]
mod tests;
