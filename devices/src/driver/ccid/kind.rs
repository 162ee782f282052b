//! Which kind of reader an interface is, and whether this driver serves it.
//!
//! Judges every interface of a device that carries the functional descriptor by
//! what it says, and names the reason where it is refused. What it says about PINs
//! is kept as a claim. Pure; called by [`super::Reader::open`], by
//! [`super::descriptor::layout`] and by whoever lists readers.

use std::fmt;

use super::descriptor::{
    CLASS_CHIP_CARD, Exchange, Functional, Layout, PinClaims, functional_of, layout_of,
};
use crate::transport::{DeviceInfo, InterfaceInfo};

/// Why a reader is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No exchange level: the host would move single characters.
    #[error("it only moves single characters: use a reader with TPDU or APDU exchange")]
    CharacterLevel,
    /// bInterfaceProtocol 1 or 2: an ICCD token that talks over the control pipe.
    #[error("it is an ICCD token (interface protocol {0}), not a reader with bulk pipes")]
    ControlPipe(u8),
    /// No pair of bulk endpoints.
    #[error("it has no pair of bulk endpoints")]
    NoBulk,
    /// dwProtocols names neither T=0 nor T=1.
    #[error("it speaks neither T=0 nor T=1")]
    NoProtocol,
    /// A firmware known not to keep to the specification.
    #[error("its firmware {release:04x} is known to be faulty: update it to {good:04x} or later")]
    Firmware {
        /// bcdDevice.
        release: u16,
        /// The first that is good.
        good: u16,
    },
}

impl fmt::Display for Kind {
    /// One line for whoever lists readers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functional = &self.functional;
        let level = match self.exchange() {
            Exchange::Character => "characters",
            Exchange::Tpdu => "TPDU",
            Exchange::ShortApdu => "short APDU",
            Exchange::ExtendedApdu => "extended APDU",
        };
        write!(f, "chip-card interface {}: {level}", self.interface)?;
        let volts = [(1, "5 V"), (2, "3 V"), (4, "1.8 V")];
        let protocols = [(1, "T=0"), (2, "T=1")];
        let has = |bits: u32, names: &[(u32, &'static str)]| -> Vec<&'static str> {
            let named = names.iter().filter(|(bit, _)| bits & bit != 0);
            named.map(|(_, name)| *name).collect()
        };
        for name in has(u32::from(functional.voltages), &volts) {
            write!(f, ", {name}")?;
        }
        for name in has(functional.protocols, &protocols) {
            write!(f, ", {name}")?;
        }
        write!(f, ", slots {}", functional.slots())?;
        if !self.has_interrupt() {
            write!(f, ", asked for slot changes")?;
        }
        if self.pin_claims().verify {
            write!(f, ", claims a PIN pad")?;
        }
        match self.refusal {
            None => Ok(()),
            Some(refusal) => write!(f, "; refused: {refusal}"),
        }
    }
}

/// idVendor, idProduct and the first good bcdDevice of readers whose earlier
/// firmware is known to be faulty (public list of the CCID reference driver).
const FAULTY_BEFORE: [(u16, u16, u16); 17] = [
    (0x04E6, 0xE001, 0x0516),
    (0x04E6, 0x5111, 0x0620),
    (0x04E6, 0xE003, 0x0510),
    (0x0D46, 0x3001, 0x0037),
    (0x0D46, 0x3002, 0x0037),
    (0x09C3, 0x0008, 0x0203),
    (0x0DC3, 0x1004, 0x0502),
    (0x0DC3, 0x1102, 0x0607),
    (0x058F, 0x9520, 0x0102),
    (0x072F, 0x2200, 0x0206),
    (0x08C3, 0x0402, 0x5000),
    (0x08C3, 0x0401, 0x5000),
    (0x0B0C, 0x0050, 0x0101),
    (0x0DC3, 0x0900, 0x0200),
    (0x03F0, 0x0036, 0x0124),
    (0x062D, 0x0001, 0x0102),
    (0x04E6, 0x5291, 0x0112),
];

/// One interface of a reader, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// bInterfaceNumber.
    pub interface: u8,
    /// Of the vendor's class instead of the chip-card class.
    pub vendor_class: bool,
    /// What it says of itself.
    pub functional: Functional,
    /// Its pipes, where it has the bulk ones.
    pub layout: Option<Layout>,
    /// Why it is not used.
    pub refusal: Option<Refusal>,
}

impl Kind {
    /// The exchange level.
    pub fn exchange(&self) -> Exchange {
        self.functional.exchange()
    }

    /// Whether slot changes are told, or must be asked for.
    pub fn has_interrupt(&self) -> bool {
        self.layout.is_some_and(|layout| layout.interrupt.is_some())
    }

    /// What it claims about PINs.
    pub fn pin_claims(&self) -> PinClaims {
        self.functional.pin_claims()
    }
}

fn refusal_of(
    info: &DeviceInfo,
    interface: &InterfaceInfo,
    functional: &Functional,
) -> Option<Refusal> {
    let mine = |entry: &&(u16, u16, u16)| (entry.0, entry.1) == (info.vendor, info.product);
    if let Some((_, _, good)) = FAULTY_BEFORE.iter().find(mine)
        && info.release < *good
    {
        let (release, good) = (info.release, *good);
        return Some(Refusal::Firmware { release, good });
    }
    if interface.class == CLASS_CHIP_CARD && interface.protocol != 0 {
        return Some(Refusal::ControlPipe(interface.protocol));
    }
    if layout_of(interface).is_none() {
        return Some(Refusal::NoBulk);
    }
    if functional.exchange() == Exchange::Character {
        return Some(Refusal::CharacterLevel);
    }
    (functional.protocols & 3 == 0).then_some(Refusal::NoProtocol)
}

/// Every interface of a device that is a reader's, in descriptor order.
pub fn classify(info: &DeviceInfo) -> Vec<Kind> {
    let judged = |interface: &InterfaceInfo| {
        let functional = functional_of(interface)?;
        Some(Kind {
            interface: interface.number,
            vendor_class: interface.class != CLASS_CHIP_CARD,
            functional,
            layout: layout_of(interface),
            refusal: refusal_of(info, interface, &functional),
        })
    };
    info.interfaces.iter().filter_map(judged).collect()
}

/// The verdict on a layout's interface.
pub(super) fn refusal(info: &DeviceInfo, layout: &Layout) -> Option<Refusal> {
    let mut kinds = classify(info).into_iter();
    let kind = kinds.find(|k| k.interface == layout.interface)?;
    kind.refusal
}

#[cfg(test)]
mod dumps;

#[cfg(test)]
mod tests {
    use super::super::descriptor::FUNCTIONAL_LEN;
    use super::*;
    use crate::transport::EndpointInfo;
    use crate::transport::descriptor::parse_configuration;

    fn functional(protocols: u8, features: u32, slots: u8, pin: u8) -> Vec<u8> {
        let mut d = vec![0; FUNCTIONAL_LEN];
        d[..6].copy_from_slice(&[0x36, 0x21, 0x10, 0x01, slots - 1, 7]);
        d[6] = protocols;
        d[40..44].copy_from_slice(&features.to_le_bytes());
        d[44..48].copy_from_slice(&271_u32.to_le_bytes());
        d[52..54].copy_from_slice(&[pin, 1]);
        d
    }

    fn interface(number: u8, class: u8, protocol: u8, extra: Vec<u8>) -> InterfaceInfo {
        let end = |address, kind| EndpointInfo {
            address,
            kind,
            max_packet: 64,
            interval: 16,
        };
        InterfaceInfo {
            number,
            alternate: 0,
            class,
            subclass: 0,
            protocol,
            endpoints: vec![end(0x81, 3), end(0x82, 2), end(0x03, 2)],
            extra,
        }
    }

    fn device(vendor: u16, product: u16, interfaces: Vec<InterfaceInfo>) -> DeviceInfo {
        DeviceInfo {
            path: String::new(),
            vendor,
            product,
            release: 0x0100,
            class: 0,
            manufacturer: String::new(),
            name: String::new(),
            serial: String::new(),
            interfaces,
        }
    }

    fn one(interface: InterfaceInfo) -> Kind {
        let info = device(0x1209, 1, vec![interface]);
        classify(&info).into_iter().next().unwrap()
    }

    #[test]
    fn a_readers_level_pipes_and_claims_are_told_and_its_claims_stay_claims() {
        // Facts of 0783:0010: TPDU, PIN verification and modification claimed.
        let kind = one(interface(
            0,
            CLASS_CHIP_CARD,
            0,
            functional(3, 0x0001_00BA, 1, 3),
        ));
        assert_eq!((kind.exchange(), kind.refusal), (Exchange::Tpdu, None));
        assert!(kind.has_interrupt() && !kind.vendor_class);
        let claims = kind.pin_claims();
        assert!(claims.verify && claims.modify);
        // Facts of 1c34:afc2: two slots, extended APDUs.
        let kind = one(interface(
            0,
            CLASS_CHIP_CARD,
            0,
            functional(3, 0x0004_047E, 2, 0),
        ));
        assert_eq!(
            kind.to_string(),
            "chip-card interface 0: extended APDU, 5 V, 3 V, 1.8 V, T=0, T=1, slots 2"
        );
        let mut quiet = interface(0, CLASS_CHIP_CARD, 0, functional(2, 0x0004_00FE, 1, 0));
        quiet.endpoints.remove(0);
        assert!(!one(quiet).has_interrupt());
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        let class = CLASS_CHIP_CARD;
        let character = one(interface(0, class, 0, functional(3, 0x30, 1, 0)));
        assert_eq!(character.refusal, Some(Refusal::CharacterLevel));
        let token = one(interface(0, class, 2, functional(2, 0x0002_0840, 1, 0)));
        assert_eq!(token.refusal, Some(Refusal::ControlPipe(2)));
        let told = token.to_string();
        assert!(told.contains("; refused: it is an ICCD token"), "{told}");
        let neither = one(interface(0, class, 0, functional(4, 0x0002_0840, 1, 0)));
        assert_eq!(neither.refusal, Some(Refusal::NoProtocol));
        let mut bare = interface(0, class, 0, functional(3, 0x0002_0840, 1, 0));
        bare.endpoints.truncate(2);
        assert_eq!(one(bare).refusal, Some(Refusal::NoBulk));
        let old = interface(0, class, 0, functional(3, 0x0002_0840, 1, 0));
        let mut info = device(0x072F, 0x2200, vec![old]);
        info.release = 0x0205;
        let refusal = Refusal::Firmware {
            release: 0x0205,
            good: 0x0206,
        };
        assert_eq!(classify(&info)[0].refusal, Some(refusal));
        info.release = 0x0206;
        assert_eq!(classify(&info)[0].refusal, None);
    }

    #[test]
    fn an_old_reader_of_the_vendors_class_is_one_and_other_vendor_devices_are_not() {
        let old = interface(0, 0xFF, 0, functional(3, 0x0001_0030, 1, 0));
        let kind = one(old.clone());
        assert!(kind.vendor_class && kind.refusal.is_none());
        let mut other = old;
        other.extra.clear();
        assert_eq!(classify(&device(1, 1, vec![other])), []);
    }

    /// Facts of 072f:221a: contactless first, contact second.
    #[test]
    fn of_a_dual_reader_the_contact_half_is_taken() {
        let contactless = interface(0, CLASS_CHIP_CARD, 0, functional(2, 0x0004_0040, 1, 0));
        let contact = interface(1, CLASS_CHIP_CARD, 0, functional(3, 0x0002_00BA, 1, 3));
        let info = device(0x072F, 0x221A, vec![contactless, contact]);
        assert_eq!(
            super::super::descriptor::layout(&info).unwrap().interface,
            1
        );
    }

    /// A configuration as O2Micro readers have it: the functional descriptor hangs
    /// on the last endpoint.
    #[test]
    fn a_descriptor_behind_the_last_endpoint_is_found() {
        let mut bytes = vec![9, 2, 0, 0, 1, 1, 0, 0x80, 50];
        bytes.extend([9, 4, 0, 0, 3, 0x0B, 0, 0, 0]);
        bytes.extend([7, 5, 0x81, 3, 8, 0, 24]);
        bytes.extend([7, 5, 0x82, 2, 64, 0, 0]);
        bytes.extend([7, 5, 0x03, 2, 64, 0, 0]);
        bytes.extend(functional(3, 0x0001_0230, 1, 0));
        bytes[2] = u8::try_from(bytes.len()).unwrap();
        let interfaces = parse_configuration(&bytes).unwrap();
        let kind = one(interfaces.into_iter().next().unwrap());
        assert_eq!((kind.exchange(), kind.refusal), (Exchange::Tpdu, None));
        assert_eq!(kind.layout.unwrap().interrupt, Some(0x81));
    }
}
