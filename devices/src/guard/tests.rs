//! A list, and what may be plugged in instead.

use super::*;
use crate::transport::sysfs::tests::{PRINTER, device};
use crate::transport::{EndpointInfo, InterfaceInfo};

const BRIDGE: (u8, u8, u8) = (0xff, 0, 0);

fn bridge() -> DeviceInfo {
    device("1-2", (0x10c4, 0xea60), &[BRIDGE])
}

#[test]
fn the_fingerprint_is_the_digest_of_the_declared_facts_in_order() {
    let info = DeviceInfo {
        interfaces: vec![InterfaceInfo {
            number: 0,
            alternate: 0,
            class: 0xff,
            subclass: 1,
            protocol: 2,
            endpoints: vec![EndpointInfo {
                address: 0x81,
                kind: 3,
                max_packet: 64,
                interval: 10,
            }],
            extra: vec![9, 0x21],
        }],
        ..device("1-2", (0x1234, 0x5678), &[])
    };
    // sha256sum of 01 1234 5678 0100 00 0001 00 00 ff 01 02 0001 81 03 0a 0040 0002 09 21
    assert_eq!(
        fingerprint(&info).to_string(),
        "61f45535f79f8f28ec673920f522386b506043f8574155c8b9464c8832b8cae0"
    );
}

#[test]
fn place_texts_and_serial_are_no_part_of_it_and_every_declared_fact_is() {
    let same = DeviceInfo {
        path: "9-9".into(),
        name: "other".into(),
        manufacturer: String::new(),
        serial: "77".into(),
        ..bridge()
    };
    assert_eq!(fingerprint(&same), fingerprint(&bridge()));
    let mut all = vec![fingerprint(&bridge())];
    let mut changed = |change: fn(&mut DeviceInfo)| {
        let mut info = bridge();
        change(&mut info);
        all.push(fingerprint(&info));
    };
    changed(|i| i.vendor = 1);
    changed(|i| i.product = 1);
    changed(|i| i.release = 1);
    changed(|i| i.class = 1);
    changed(|i| i.interfaces[0].number = 1);
    changed(|i| i.interfaces[0].alternate = 1);
    changed(|i| i.interfaces[0].class = 3);
    changed(|i| i.interfaces[0].subclass = 1);
    changed(|i| i.interfaces[0].protocol = 1);
    changed(|i| i.interfaces[0].extra.push(0));
    changed(|i| i.interfaces[0].endpoints[0].address = 3);
    changed(|i| i.interfaces[0].endpoints[0].kind = 3);
    changed(|i| i.interfaces[0].endpoints[0].interval = 3);
    changed(|i| i.interfaces[0].endpoints[0].max_packet = 8);
    changed(|i| drop(i.interfaces.pop()));
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn what_is_on_the_list_is_allowed_wherever_it_is_plugged_in() {
    let text = file(&[bridge(), device("1-3", (4, 5), &[PRINTER])], false);
    let allowed = Allowed::parse(&text).expect("reads");
    let moved = DeviceInfo {
        path: "2-7".into(),
        serial: "another".into(),
        ..bridge()
    };
    assert_eq!(allowed.check(&moved), Ok(()));
    assert!(text.contains("role = \"finger\"") && text.contains("name = \"Maker thing\""));
}

#[test]
fn every_difference_is_told_by_its_kind() {
    let allowed = Allowed::of(&[bridge()], false);
    let told = |info: &DeviceInfo| allowed.check(info).expect_err("refused").to_string();
    let other = device("1-2", (0x10c4, 0xea60), &[BRIDGE, (3, 1, 1)]);
    let said = told(&other);
    assert!(said.contains("changed or counterfeit device"), "{said}");
    assert!(said.contains("finger 10c4:ea60 that also types"), "{said}");
    let newer = DeviceInfo {
        release: 0x0200,
        ..bridge()
    };
    assert!(told(&newer).contains("release 0200 instead of 0100"));
    let stranger = device("1-2", (0x0951, 0x1666), &[(8, 6, 0x50)]);
    assert!(told(&stranger).contains("not on the list"));
}

#[test]
fn serial_numbers_count_only_where_they_were_asked_for() {
    let ours = DeviceInfo {
        serial: "A1".into(),
        ..bridge()
    };
    let theirs = DeviceInfo {
        serial: "B2".into(),
        ..bridge()
    };
    let text = file(std::slice::from_ref(&ours), true);
    let strict = Allowed::parse(&text).expect("reads");
    assert_eq!(strict.check(&ours), Ok(()));
    assert!(matches!(strict.check(&theirs), Err(NotAllowed::Serial(_))));
    assert!(!file(std::slice::from_ref(&ours), false).contains("A1"));
}

#[test]
fn only_a_keyboard_that_is_not_on_the_list_is_foreign() {
    let keyboard = device("1-4", (0x046d, 0xc31c), &[(3, 1, 1)]);
    let stick = device("1-5", (0x0951, 0x1666), &[(8, 6, 0x50)]);
    let typing_printer = device("1-3", (4, 5), &[PRINTER, (3, 0, 0)]);
    let allowed = Allowed::of(&[bridge(), keyboard.clone()], false);
    let foreign = |device: &DeviceInfo| allowed.foreign_keyboard(&[bridge(), device.clone()]);
    assert_eq!(foreign(&keyboard), None);
    assert_eq!(foreign(&stick), None);
    assert!(foreign(&typing_printer).is_some());
    let mut second = keyboard.clone();
    second.product = 0xc31d;
    let said = foreign(&second).expect("foreign").to_string();
    assert!(
        said.starts_with("keyboard 046d:c31d is not on the list"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_no_list_is_refused_by_its_entry_and_field() {
    let good = file(&[bridge()], false);
    let refused = |from: &str, to: &str| {
        let bent = good.replace(from, to);
        assert_ne!(bent, good);
        Allowed::parse(&bent).expect_err("refused").to_string()
    };
    assert!(refused("10c4:ea60", "10c4-ea60").contains("entry 1: ids"));
    assert!(refused("\"0100\"", "\"1.00\"").contains("entry 1: release"));
    assert!(refused("fingerprint = \"", "fingerprint = \"0").contains("fingerprint"));
    assert!(refused("version = 1", "version = 2").contains("version 2"));
    assert!(refused("role =", "roll =").contains("roll"));
    assert!(Allowed::parse("").is_err());
    let many = vec![bridge(); DEVICES_MAX + 1];
    let mut text = file(&many[..DEVICES_MAX], false);
    assert!(Allowed::parse(&text).is_ok());
    let one = good.split_once("[[device]]").expect("an entry").1;
    text.push_str(&format!("[[device]]{one}"));
    assert_eq!(Allowed::parse(&text), Err(AllowedError::TooMany));
}

#[test]
fn a_named_security_module_is_the_only_one_and_where_none_is_named_any_is() {
    let reader = device("1-4", (0x0400, 0xc35a), &[BRIDGE]);
    let text = file(std::slice::from_ref(&reader), false);
    let any = Allowed::parse(&text).expect("a list");
    assert_eq!(any.check_module(&reader, "05.01-1-1-1"), Ok(()));
    let line = text.lines().find(|line| line.starts_with("# security"));
    let named = text.replace(line.expect("a hint"), "security_module = \"05.01-1-1-1\"");
    let named = Allowed::parse(&named).expect("a list");
    assert_eq!(named.check_module(&reader, "05.01-1-1-1"), Ok(()));
    let found = "05.01-1-1-2".to_owned();
    let refused = named.check_module(&reader, &found);
    assert_eq!(refused, Err(NotAllowed::Module { found }));
}
