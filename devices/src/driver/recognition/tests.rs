//! What is said of a device, and that whoever may be driven may be opened.

use std::rc::Rc;

use counterfoil_data::demo;
use counterfoil_data::seam::SharedClock;

use super::*;
use crate::system::{SystemEntropy, TokioClock};
use crate::transport::sysfs::tests::{PRINTER, device};
use crate::twin::branch::Branch;
use crate::twin::fingers::{FingerSpec, SensorKind};
use crate::udev;

fn why(info: &DeviceInfo) -> String {
    match recognise(info) {
        Recognition::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

/// Every twin there is.
fn twins() -> Vec<DeviceInfo> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let _entered = runtime.enter();
    let bank = demo::bank().expect("the demo bank");
    let clock: SharedClock = Rc::new(TokioClock::system());
    let bus = Branch::demo(&bank, clock, Rc::new(SystemEntropy), None);
    let mut all = bus.list_now();
    for name in ["cp210x", "ch340", "ftdi", "pl2303", "pl2303-hxn", "uru4500"] {
        let kind: SensorKind = name.parse().expect("a sensor");
        all.push(kind.twin(FingerSpec::demo(&bank)).borrow().info());
    }
    all
}

#[test]
fn every_twin_is_driven_and_named_by_family_and_chip() {
    let named: Vec<String> = twins()
        .iter()
        .map(|info| match recognise(info) {
            Recognition::Driven { role, by } => format!("{role}: {by}"),
            other => panic!("{}: {other:?}", info.name),
        })
        .collect();
    for line in [
        "card-reader: CCID",
        "finger: EF01 behind CDC-ACM",
        "finger: EF01 behind CP210x",
        "finger: EF01 behind CH340",
        "finger: EF01 behind FTDI",
        "finger: EF01 behind PL2303",
        "finger: U.are.U 4000/4500",
        "form-printer: cassettes",
        "id-reader: SDT security module",
        "pin-pad: framing 1",
        "receipt-printer: ESC/POS, printer class",
    ] {
        assert!(named.iter().any(|name| name == line), "{line}: {named:?}");
    }
}

#[test]
fn what_is_not_used_is_told_why() {
    let vendor = |ids| device("1-2", ids, &[(0xff, 0xff, 0xff)]);
    assert!(why(&vendor((0x04b8, 0x0e15))).contains("not in the table of known models"));
    assert!(why(&vendor((0x05ba, 0x000a))).contains("not its endpoints"));
    assert!(why(&vendor((0x045e, 0x00ca))).contains("challenge"));
    assert!(why(&vendor((0x3274, 0x8012))).contains("gives no image"));
    let modem = device("1-2", (0x12d1, 0x1001), &[(0x02, 0x02, 1), (0x0a, 0, 0)]);
    assert!(why(&modem).contains("no known finger module"));
    let wrong = device("1-2", (0x10c4, 0xea60), &[]);
    assert!(why(&wrong).contains("serial bridge"));
    let ipp = device("1-2", (0x04b8, 0x0e15), &[(7, 1, 4)]);
    assert!(why(&ipp).contains("IPP"));
    let bare = device("1-2", (0x08e6, 0x3437), &[(0x0b, 0, 0)]);
    assert!(why(&bare).contains("functional descriptor"));
}

#[test]
fn what_is_no_kiosks_is_called_what_it_is() {
    let kind = |classes: &[(u8, u8, u8)]| match recognise(&device("1-2", (1, 2), classes)) {
        Recognition::Other(kind) => kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(&[(9, 0, 0)]), "hub");
    assert_eq!(kind(&[(3, 1, 1)]), "keyboard");
    assert_eq!(kind(&[(3, 1, 2)]), "mouse");
    assert_eq!(kind(&[(8, 6, 0x50)]), "storage");
    assert!(kind(&[(0xff, 0, 0)]).contains("no driver"));
}

#[test]
fn a_printer_that_also_types_is_a_printer_and_is_known_to_type() {
    let composite = device("1-2", (0x04b8, 0x0e15), &[PRINTER, (3, 1, 1)]);
    assert!(matches!(
        recognise(&composite),
        Recognition::Driven {
            role: Role::ReceiptPrinter,
            ..
        }
    ));
    assert!(is_keyboard(&composite) && can_type(&composite));
    // HID of no boot protocol may still be a keyboard.
    let undeclared = device("1-2", (1, 2), &[(3, 0, 0)]);
    assert!(!is_keyboard(&undeclared) && can_type(&undeclared));
}

#[test]
fn the_udev_rules_name_every_device_a_driver_knows_and_no_hub_or_keyboard() {
    let known = known_ids();
    assert!(known.len() > 30, "{}", known.len());
    for ids in known {
        let info = device("1-2", ids, &[]);
        assert!(
            udev::rule_for(&info).is_some(),
            "{:04x}:{:04x}",
            ids.0,
            ids.1
        );
    }
    for info in twins() {
        assert!(udev::rule_for(&info).is_some(), "{}", info.name);
    }
    for class in [(9, 0, 0), (3, 1, 1), (8, 6, 0x50), (0xff, 0, 0)] {
        assert_eq!(udev::rule_for(&device("1-2", (1, 2), &[class])), None);
    }
    let added = udev::rule_to_add(&device("1-2", (0x1504, 0x0006), &[]));
    assert!(added.contains("\"1504\"") && added.contains("GROUP=\"counterfoil\""));
}
