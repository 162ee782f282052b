//! The USB printer class (class 07, subclass 01): which interface and alternate to
//! use, by descriptors and by what is known of a model.
//!
//! Owns the choice and the quirk table; refuses DOT4 and IPP alternates and devices
//! without a bulk OUT. Called by the ESC/POS link and the slip printers.

use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};

/// GET_DEVICE_ID of an alternate.
pub(crate) fn ask_device_id(interface: u8, alternate: u8) -> Setup {
    Setup {
        request_type: 0xA1,
        request: 0,
        value: 0,
        index: u16::from_be_bytes([interface, alternate]),
    }
}

/// GET_PORT_STATUS.
pub(super) fn ask_port_status(interface: u8) -> Setup {
    Setup {
        request_type: 0xA1,
        request: 1,
        value: 0,
        index: u16::from(interface),
    }
}

/// SOFT_RESET as class 1.1 has it and, for old models, as class 1.0 was read.
pub(super) fn soft_resets(interface: u8) -> [Setup; 2] {
    [0x21, 0x23].map(|request_type| Setup {
        request_type,
        request: 2,
        value: 0,
        index: u16::from(interface),
    })
}

/// What a model does otherwise than its descriptors say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Its IN pipe never answers: it is used as if there were none.
    pub one_way: bool,
    /// A printer although it is of another class (vendor mode).
    pub any_class: bool,
    /// Garbage of one job begins the next unless it is reset between.
    pub reset_between: bool,
    /// It has no QR symbols of its own: they are sent as pictures.
    pub no_qr: bool,
}

/// By idVendor and idProduct.
const QUIRKS: [(u16, u16, Quirks); 2] = [
    // Epson TM in vendor mode (BAD_CLASS in the kernel's usblp).
    (
        0x04B8,
        0x0202,
        Quirks {
            one_way: false,
            any_class: true,
            reset_between: false,
            no_qr: false,
        },
    ),
    // Zijiang, POS58 and POS80 clones (CUPS: unidir soft-reset).
    (
        0x0416,
        0x5011,
        Quirks {
            one_way: true,
            any_class: false,
            reset_between: true,
            no_qr: true,
        },
    ),
];

/// What is known of this model.
pub fn quirks(info: &DeviceInfo) -> Quirks {
    let known = QUIRKS
        .iter()
        .find(|(vendor, product, _)| (*vendor, *product) == (info.vendor, info.product));
    known.map_or(Quirks::default(), |(_, _, quirks)| *quirks)
}

/// Vendor and product of every model that may be of another class.
pub(super) fn ids() -> impl Iterator<Item = (u16, u16)> {
    let any = QUIRKS.iter().filter(|(_, _, quirks)| quirks.any_class);
    any.map(|(vendor, product, _)| (*vendor, *product))
}

/// Whether it may be a printer at all.
pub fn is_printer(info: &DeviceInfo) -> bool {
    choose(info, quirks(info)).is_some()
}

/// What to claim and talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// bInterfaceNumber.
    pub interface: u8,
    /// bAlternateSetting.
    pub alternate: u8,
    /// Whether the interface has more than one: only then is one selected.
    pub selects: bool,
    /// Bulk OUT.
    pub out: EndpointInfo,
    /// Bulk IN, where there is one that answers.
    pub back: Option<EndpointInfo>,
}

/// The two-way alternate (protocol 2) before the one-way one; of a device known by
/// its ids that is of no printer class, the first interface with a bulk OUT.
pub fn choose(info: &DeviceInfo, quirks: Quirks) -> Option<Chosen> {
    let printer =
        |i: &&InterfaceInfo| i.class == 7 && i.subclass == 1 && i.protocol != 3 && i.protocol != 4;
    let usable = |i: &InterfaceInfo| {
        let bulk = |input: bool| {
            let mut found = i.endpoints.iter();
            found.find(|e| e.kind == 2 && e.is_in() == input).copied()
        };
        let one_way = quirks.one_way || (i.class == 7 && i.protocol == 1);
        let same = info.interfaces.iter().filter(|o| o.number == i.number);
        Some(Chosen {
            interface: i.number,
            alternate: i.alternate,
            selects: same.count() > 1,
            out: bulk(false)?,
            back: bulk(true).filter(|_| !one_way),
        })
    };
    let of_class = info.interfaces.iter().filter(printer).filter_map(usable);
    // The last maximum wins, so the first of equals is found from behind.
    let two_way = of_class.rev().max_by_key(|c| c.back.is_some());
    two_way.or_else(|| {
        let mut any = info.interfaces.iter().filter(|_| quirks.any_class);
        any.find_map(usable)
    })
}

/// The byte of GET_PORT_STATUS. Many models return a constant for ever: it may add a
/// fault, never prove health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortStatus(pub u8);

impl PortStatus {
    /// The status a byte is; `None` for what no printer means.
    pub fn of(byte: u8) -> Option<Self> {
        (byte & 0x38 != 0 && byte & 0xC7 == 0).then_some(Self(byte))
    }

    /// Bit 5: no paper (no form, in a slip printer).
    pub fn paper_empty(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Bit 4: on-line.
    pub fn selected(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// Bit 3 is clear: an error. With no paper in it, a printer may clear it too.
    pub fn error(self) -> bool {
        self.0 & 0x08 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::printer_class::Identity;

    fn device() -> DeviceInfo {
        let identity = Identity {
            path: "x",
            ids: (0x0FE6, 0x811E),
            maker: "SAMPLE",
            model: "X",
            serial: "1",
            command_set: "ESC/POS",
        };
        identity.info()
    }

    #[test]
    fn the_two_way_alternate_is_chosen_and_selected_only_if_there_is_another() {
        let mut info = device();
        let chosen = choose(&info, Quirks::default()).expect("a printer");
        assert_eq!((chosen.alternate, chosen.selects), (1, true));
        assert_eq!(chosen.back.map(|e| e.address), Some(0x82));
        info.interfaces.reverse();
        let chosen = choose(&info, Quirks::default()).expect("a printer");
        assert_eq!(chosen.alternate, 1);
        info.interfaces.retain(|i| i.protocol == 1);
        let chosen = choose(&info, Quirks::default()).expect("one-way");
        assert_eq!((chosen.selects, chosen.back), (false, None));
    }

    #[test]
    fn dot4_and_ipp_are_no_printers_for_us() {
        for protocol in [3, 4] {
            let mut info = device();
            for interface in &mut info.interfaces {
                interface.protocol = protocol;
            }
            assert!(!is_printer(&info));
        }
    }

    #[test]
    fn a_model_known_by_its_ids_may_be_of_another_class_or_one_way() {
        let mut info = device();
        for interface in &mut info.interfaces {
            interface.class = 0xFF;
        }
        info.interfaces.remove(0);
        assert!(!is_printer(&info));
        (info.vendor, info.product) = (0x04B8, 0x0202);
        let chosen = choose(&info, quirks(&info)).expect("by its ids");
        assert_eq!(chosen.back.map(|e| e.address), Some(0x82));
        let mut clone = device();
        (clone.vendor, clone.product) = (0x0416, 0x5011);
        let chosen = choose(&clone, quirks(&clone)).expect("a printer");
        assert_eq!(chosen.back, None);
        assert!(quirks(&clone).reset_between);
    }

    #[test]
    fn port_status_vectors_are_the_kernels() {
        let ok = PortStatus::of(0x18).expect("lawful");
        assert!(!ok.paper_empty() && ok.selected() && !ok.error());
        let empty = PortStatus::of(0x38).expect("lawful");
        assert!(empty.paper_empty() && !empty.error());
        assert!(!PortStatus::of(0x08).expect("lawful").selected());
        assert!(PortStatus::of(0x10).expect("lawful").error());
        assert_eq!((PortStatus::of(0xFF), PortStatus::of(0)), (None, None));
    }
}
