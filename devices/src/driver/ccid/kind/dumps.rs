//! Every reader of a folder of descriptor dumps is classified as its dump says.
//!
//! The dumps are other people's and are not kept here. Name a folder of them, in the
//! text form of the CCID reference driver's `readers/`, to run this:
//! `COUNTERFOIL_CCID_DUMPS=/path/to/readers cargo test -p counterfoil-devices --lib
//! every_dumped -- --nocapture`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::descriptor::Exchange;
use super::{Kind, Refusal, classify};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo};

const FOLDER: &str = "COUNTERFOIL_CCID_DUMPS";

/// One interface of a dump: its lines by their name, and all of them.
struct Dumped {
    named: BTreeMap<String, String>,
    text: String,
}

impl Dumped {
    fn number(&self, name: &str) -> u32 {
        let value = self.named.get(name).unwrap_or_else(|| panic!("{name}"));
        let value = value.split(['[', '(', 'b']).next().unwrap().trim();
        let digits = value.replace(' ', "");
        match digits.strip_prefix("0x") {
            // Two halves of a double word may be written apart.
            Some(hex) => u32::from_str_radix(&hex.replace("0x", ""), 16).unwrap(),
            None => digits.parse().unwrap_or_else(|_| panic!("{name} {value}")),
        }
    }

    fn khz(&self, name: &str) -> u32 {
        let value = self.named[name].replace(" MHz", "000").replace('.', "");
        value[..value.len() - 3].parse().unwrap()
    }

    fn bcd(&self, name: &str) -> u16 {
        let value = self.named[name].split('(').next().unwrap().trim();
        let (high, low) = value.split_once('.').unwrap();
        u16::from_str_radix(&format!("{high:0>2}{low:0>2}"), 16).unwrap()
    }

    fn functional(&self) -> Vec<u8> {
        let mut d = vec![0; 0x36];
        let mut put = |at: usize, length: usize, value: u32| {
            d[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
        };
        put(0, 1, 0x36);
        put(1, 1, 0x21);
        put(2, 2, self.bcd("bcdCCID").into());
        put(4, 1, self.number("bMaxSlotIndex"));
        put(5, 1, self.number("bVoltageSupport"));
        put(6, 4, self.number("dwProtocols"));
        put(10, 4, self.khz("dwDefaultClock"));
        put(14, 4, self.khz("dwMaximumClock"));
        put(19, 4, self.number("dwDataRate"));
        put(23, 4, self.number("dwMaxDataRate"));
        put(28, 4, self.number("dwMaxIFSD"));
        put(40, 4, self.number("dwFeatures"));
        put(44, 4, self.number("dwMaxCCIDMessageLength"));
        put(52, 1, self.number("bPINSupport"));
        put(53, 1, self.number("bMaxCCIDBusySlots"));
        d
    }

    fn interface(&self, number: u8) -> InterfaceInfo {
        let byte = |name| u8::try_from(self.number(name)).unwrap();
        let end = |address, kind| EndpointInfo {
            address,
            kind,
            max_packet: 64,
            interval: 16,
        };
        let all = [end(0x82, 2), end(0x03, 2), end(0x81, 3)];
        InterfaceInfo {
            number,
            alternate: 0,
            class: byte("bInterfaceClass"),
            subclass: byte("bInterfaceSubClass"),
            protocol: byte("bInterfaceProtocol"),
            endpoints: all[..usize::from(byte("bNumEndpoints"))].to_vec(),
            extra: self.functional(),
        }
    }
}

/// The interfaces of one dump; each begins with its device.
fn dumped(text: &str) -> Vec<Dumped> {
    let mut all: Vec<Dumped> = Vec::new();
    for line in text.lines() {
        let Some((name, value)) = line.trim().split_once(": ") else {
            if let Some(last) = all.last_mut() {
                last.text += line;
            }
            continue;
        };
        if name == "idVendor" {
            all.push(Dumped {
                named: BTreeMap::new(),
                text: String::new(),
            });
        }
        let last = all.last_mut().expect("begins with idVendor");
        last.named.insert(name.into(), value.trim().into());
        last.text += line;
    }
    all
}

fn device(dumps: &[Dumped]) -> DeviceInfo {
    let first = dumps.first().expect("an interface");
    let word = |name| u16::try_from(first.number(name)).unwrap();
    DeviceInfo {
        path: String::new(),
        vendor: word("idVendor"),
        product: word("idProduct"),
        release: first.bcd("bcdDevice"),
        class: 0,
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces: (0..).zip(dumps).map(|(n, d)| d.interface(n)).collect(),
    }
}

/// What the dump's own words say, against what the driver read from the numbers.
fn compare(file: &str, said: &Dumped, kind: &Kind) {
    let level = match said.text.as_str() {
        t if t.contains("Short and Extended APDU level") => Exchange::ExtendedApdu,
        t if t.contains("Short APDU level") => Exchange::ShortApdu,
        t if t.contains("TPDU level") => Exchange::Tpdu,
        _ => Exchange::Character,
    };
    assert_eq!(kind.exchange(), level, "{file}");
    let functional = &kind.functional;
    let says = |words: &str| said.text.contains(words);
    assert_eq!(
        functional.sets_parameters(),
        says("Automatic parameter configuration based on ATR")
            || says("Automatic parameters negotiation made by the CCID"),
        "{file}"
    );
    assert_eq!(
        functional.announces_ifsd(),
        says("Automatic IFSD exchange"),
        "{file}"
    );
    assert_eq!(functional.voltages & 1 != 0, says("5.0V"), "{file}");
    assert_eq!(functional.voltages & 2 != 0, says("3.0V"), "{file}");
    assert_eq!(functional.voltages & 4 != 0, says("1.8V"), "{file}");
    assert_eq!(kind.pin_claims().verify, says("PIN Verification"), "{file}");
    assert_eq!(kind.pin_claims().modify, says("PIN Modification"), "{file}");
    let endpoints = said.number("bNumEndpoints");
    assert_eq!(kind.has_interrupt(), endpoints == 3, "{file}");
}

#[test]
fn every_dumped_reader_is_classified_as_its_dump_says() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        println!("skipped: {FOLDER} does not name a folder of descriptor dumps");
        return;
    };
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut files: Vec<_> = fs::read_dir(Path::new(&folder))
        .unwrap_or_else(|e| panic!("{FOLDER}: {e}"))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{FOLDER} holds no dumps");
    for path in files {
        let name = path.display().to_string();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let dumps = dumped(&text);
        let kinds = classify(&device(&dumps));
        assert_eq!(kinds.len(), dumps.len(), "{name}");
        for (said, kind) in dumps.iter().zip(&kinds) {
            compare(&name, said, kind);
            let verdict = match kind.refusal {
                None => format!("{:?}", kind.exchange()),
                Some(Refusal::Firmware { .. }) => "refused: firmware".into(),
                Some(refusal) => format!("refused: {refusal:?}"),
            };
            *counts.entry(verdict).or_default() += 1;
        }
    }
    println!("{counts:?}");
}
