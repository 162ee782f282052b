//! The CCID functional descriptor (type 21h, length 36h) and the endpoints.
//!
//! Takes descriptor bytes as they stand after the interface; finds the functional
//! descriptor wherever it sits among them (some readers put it after the last
//! endpoint). Source: CCID rev 1.1 §5.1. Called by [`super::Reader::open`].

use super::kind::{Kind, classify};
use crate::transport::{DeviceInfo, InterfaceInfo};

/// bInterfaceClass of a chip-card reader.
pub const CLASS_CHIP_CARD: u8 = 0x0B;
/// bInterfaceClass of old readers that carry the descriptor all the same.
const CLASS_VENDOR: u8 = 0xFF;
/// bDescriptorType of the functional descriptor.
const FUNCTIONAL: u8 = 0x21;
/// Its bLength.
pub const FUNCTIONAL_LEN: usize = 0x36;
/// Longest message a driver here will buffer, whatever the reader claims.
pub const MESSAGE_MAX: u32 = 65_544 + 10;
/// Shortest useful message: header and a short APDU (CCID §5.1).
const MESSAGE_MIN: u32 = 10 + 261;

/// dwFeatures: parameters from the ATR.
const AUTO_PARAMETERS: u32 = 0x02;
/// dwFeatures: the reader negotiates in a way of its own.
const AUTO_NEGOTIATION: u32 = 0x40;
/// dwFeatures: PPS by the active parameters.
const AUTO_PPS: u32 = 0x80;
/// dwFeatures: IFSD as the first T=1 exchange.
const AUTO_IFSD: u32 = 0x400;

/// How APDUs travel to the reader (dwFeatures, upper half).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// Bytes with no protocol help; refused.
    Character,
    /// The host speaks T=0 or T=1 itself.
    Tpdu,
    /// One message, one short APDU.
    ShortApdu,
    /// Short and extended APDUs.
    ExtendedApdu,
}

/// What the functional descriptor says, as far as a driver needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Functional {
    /// bcdCCID.
    pub release: u16,
    /// bMaxSlotIndex.
    pub max_slot: u8,
    /// bVoltageSupport: 1 = 5 V, 2 = 3 V, 4 = 1.8 V.
    pub voltages: u8,
    /// dwProtocols: bit 0 = T=0, bit 1 = T=1.
    pub protocols: u32,
    /// dwDefaultClock in kHz.
    pub clock_khz: u32,
    /// dwMaximumClock in kHz.
    pub clock_khz_max: u32,
    /// dwDataRate in bit/s.
    pub data_rate_bps: u32,
    /// dwMaxDataRate in bit/s.
    pub data_rate_bps_max: u32,
    /// dwMaxIFSD.
    pub max_ifsd: u32,
    /// dwFeatures.
    pub features: u32,
    /// dwMaxCCIDMessageLength, capped at [`MESSAGE_MAX`].
    pub max_message: u32,
    /// bClassGetResponse: the class of the reader's own GET RESPONSE, FFh = the
    /// APDU's.
    pub class_get_response: u8,
    /// wLcdLayout: lines and characters of a display, 0 = none.
    pub display: u16,
    /// bPINSupport, a claim only: see [`Functional::pin_claims`].
    pub pin_support: u8,
    /// bMaxCCIDBusySlots.
    pub busy_slots: u8,
}

impl Functional {
    /// Parses exactly one descriptor.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let d: &[u8; FUNCTIONAL_LEN] = bytes.get(..FUNCTIONAL_LEN)?.try_into().ok()?;
        let [length, kind, ..] = *d;
        if usize::from(length) != FUNCTIONAL_LEN || kind != FUNCTIONAL {
            return None;
        }
        let word = |at: usize| -> u32 {
            let part = d.get(at..).and_then(|rest| rest.first_chunk::<4>());
            u32::from_le_bytes(part.copied().unwrap_or_default())
        };
        let byte = |at: usize| d.get(at).copied().unwrap_or_default();
        Some(Self {
            release: u16::from_le_bytes([byte(2), byte(3)]),
            max_slot: byte(4),
            voltages: byte(5),
            protocols: word(6),
            clock_khz: word(10),
            clock_khz_max: word(14),
            data_rate_bps: word(19),
            data_rate_bps_max: word(23),
            max_ifsd: word(28),
            features: word(40),
            max_message: word(44).clamp(MESSAGE_MIN, MESSAGE_MAX),
            class_get_response: byte(48),
            display: u16::from_le_bytes([byte(50), byte(51)]),
            pin_support: byte(52),
            busy_slots: byte(53),
        })
    }

    /// The exchange level.
    pub fn exchange(&self) -> Exchange {
        match self.features & 0x7_0000 {
            0x4_0000 => Exchange::ExtendedApdu,
            0x2_0000 => Exchange::ShortApdu,
            0x1_0000 => Exchange::Tpdu,
            _ => Exchange::Character,
        }
    }

    /// The reader chooses the voltage itself (features 04h and 08h).
    pub fn chooses_voltage(&self) -> bool {
        self.features & 0x0C != 0
    }

    /// The reader sets protocol parameters from the ATR itself (02h, 40h).
    pub fn sets_parameters(&self) -> bool {
        self.features & (AUTO_PARAMETERS | AUTO_NEGOTIATION) != 0
    }

    /// The reader does the PPS exchange itself (40h, 80h).
    pub fn negotiates(&self) -> bool {
        self.features & (AUTO_NEGOTIATION | AUTO_PPS) != 0
    }

    /// The reader announces its block size to a T=1 card itself (400h).
    pub fn announces_ifsd(&self) -> bool {
        self.features & AUTO_IFSD != 0
    }

    /// What the reader says it can do about PINs. A claim and nothing more: readers
    /// are known that claim a pad they lack, or hand the PIN to the host.
    pub fn pin_claims(&self) -> PinClaims {
        PinClaims {
            verify: self.pin_support & 1 != 0,
            modify: self.pin_support & 2 != 0,
        }
    }

    /// Slots behind the interface.
    pub fn slots(&self) -> u16 {
        u16::from(self.max_slot).saturating_add(1)
    }
}

/// What bPINSupport claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinClaims {
    /// Verification.
    pub verify: bool,
    /// Modification.
    pub modify: bool,
}

/// One reader slot's interface: descriptor and endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The functional descriptor.
    pub functional: Functional,
    /// bInterfaceNumber.
    pub interface: u8,
    /// Bulk OUT.
    pub bulk_out: u8,
    /// Bulk IN.
    pub bulk_in: u8,
    /// Interrupt IN; many readers have none.
    pub interrupt: Option<u8>,
}

/// Finds the functional descriptor among class-specific descriptors.
fn functional_in(mut extra: &[u8]) -> Option<Functional> {
    while let [length, ..] = *extra {
        if let Some(found) = Functional::parse(extra) {
            return Some(found);
        }
        // A zero length would loop for ever; such a tail holds nothing.
        extra = extra.get(usize::from(length).max(2)..)?;
    }
    None
}

/// Endpoints and descriptor of an interface that carries the descriptor and moves
/// messages over bulk pipes.
pub(super) fn layout_of(interface: &InterfaceInfo) -> Option<Layout> {
    let functional = functional_of(interface)?;
    let find = |kind: u8, inward: bool| {
        let mut all = interface.endpoints.iter();
        all.find(|e| e.kind == kind && e.is_in() == inward)
    };
    Some(Layout {
        functional,
        interface: interface.number,
        bulk_out: find(2, false)?.address,
        bulk_in: find(2, true)?.address,
        interrupt: find(3, true).map(|e| e.address),
    })
}

/// The functional descriptor of an interface that is a reader's: of the chip-card
/// class, or an old one of the vendor's class that carries it.
pub(super) fn functional_of(interface: &InterfaceInfo) -> Option<Functional> {
    if !matches!(interface.class, CLASS_CHIP_CARD | CLASS_VENDOR) {
        return None;
    }
    functional_in(&interface.extra)
}

/// The interface of a device to use: the first that is supported and speaks T=0,
/// as the contact half of a dual reader does, else the first supported, else the
/// first there is (to be refused by name).
pub fn layout(info: &DeviceInfo) -> Option<Layout> {
    let rank = |kind: &Kind| match (kind.refusal, kind.functional.protocols & 1) {
        (None, 1) => 0,
        (None, _) => 1,
        (Some(_), _) => 2,
    };
    let mut kinds = classify(info);
    kinds.sort_by_key(rank);
    kinds.into_iter().find_map(|kind| kind.layout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::EndpointInfo;

    /// Builds descriptor bytes by the offsets of CCID §5.1 from a reader's facts.
    fn bytes(
        release: u16,
        voltages: u8,
        clock: u32,
        rate: u32,
        ifsd: u32,
        features: u32,
    ) -> Vec<u8> {
        let mut d = vec![0; FUNCTIONAL_LEN];
        d[0] = 0x36;
        d[1] = 0x21;
        d[2..4].copy_from_slice(&release.to_le_bytes());
        d[5] = voltages;
        d[6] = 3;
        d[10..14].copy_from_slice(&clock.to_le_bytes());
        d[19..23].copy_from_slice(&rate.to_le_bytes());
        d[28..32].copy_from_slice(&ifsd.to_le_bytes());
        d[40..44].copy_from_slice(&features.to_le_bytes());
        d[44..48].copy_from_slice(&271_u32.to_le_bytes());
        d[53] = 1;
        d
    }

    /// Facts of public descriptor dumps: 072f:90cc, 04e6:511c, 076b:3021.
    #[test]
    fn three_real_readers_give_their_exchange_level_and_voltages() {
        let acr38 = Functional::parse(&bytes(0x100, 1, 4000, 10_752, 254, 0x0001_0030)).unwrap();
        assert_eq!(acr38.exchange(), Exchange::Tpdu);
        assert!(!acr38.chooses_voltage() && !acr38.sets_parameters());
        let axalto = Functional::parse(&bytes(0x100, 1, 4000, 9600, 252, 0x0001_00BA)).unwrap();
        assert_eq!(axalto.exchange(), Exchange::Tpdu);
        assert!(axalto.chooses_voltage() && axalto.sets_parameters());
        let omnikey = Functional::parse(&bytes(0x100, 7, 3000, 8065, 254, 0x0002_05B2)).unwrap();
        assert_eq!(omnikey.exchange(), Exchange::ShortApdu);
        assert_eq!((omnikey.voltages, omnikey.max_message), (7, 271));
        assert!(!omnikey.chooses_voltage());
    }

    #[test]
    fn the_functional_descriptor_is_found_behind_others_and_a_zero_length_does_not_loop() {
        let good = bytes(0x110, 7, 4000, 9600, 254, 0x0004_0840);
        let mut extra = vec![5, 0x24, 0, 0x10, 1];
        extra.extend(&good);
        assert_eq!(
            functional_in(&extra).unwrap().exchange(),
            Exchange::ExtendedApdu
        );
        assert_eq!(functional_in(&[0, 0, 0, 0, 0]), None);
        assert_eq!(functional_in(&good[..53]), None);
    }

    #[test]
    fn a_reader_without_an_interrupt_pipe_is_still_a_reader() {
        let endpoint = |address| EndpointInfo {
            address,
            kind: 2,
            max_packet: 64,
            interval: 0,
        };
        let interface = InterfaceInfo {
            number: 1,
            alternate: 0,
            class: CLASS_CHIP_CARD,
            subclass: 0,
            protocol: 0,
            endpoints: vec![endpoint(0x82), endpoint(0x03)],
            extra: bytes(0x100, 1, 4000, 9600, 252, 0x0001_00BA),
        };
        let layout = layout_of(&interface).unwrap();
        assert_eq!(
            (layout.bulk_out, layout.bulk_in, layout.interrupt),
            (3, 0x82, None)
        );
    }
}
