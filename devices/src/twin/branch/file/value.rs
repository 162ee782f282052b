//! What the options of a device can say.
//!
//! Owns the words of the file; which kind of device has which option is its caller's.

use counterfoil_data::bill::{BillNumber, BillRange};
use serde::{Deserialize, Deserializer};

use crate::twin::serial_bridge::BridgeKind;

/// Pipes of an ID reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Head and body on pipes of their own.
    Split,
    /// Whole frames on one pair.
    Single,
    /// Four endpoints, whole frames on the first pair.
    SingleBehindFour,
}

/// Who splits APDUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The host.
    Tpdu,
    /// The reader.
    ShortApdu,
    /// The reader, extended APDUs in parts.
    ExtendedApdu,
}

/// A supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Volt {
    /// 5 V.
    #[serde(rename = "5")]
    Five,
    /// 3 V.
    #[serde(rename = "3")]
    Three,
    /// 1.8 V.
    #[serde(rename = "1.8")]
    OnePointEight,
}

/// A card reader's own pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PadFile {
    /// None.
    None,
    /// Claimed and not there.
    Claimed,
    /// There.
    Works,
    /// There, and it tells what was typed.
    Leaks,
}

/// What a receipt printer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptModel {
    /// Everything.
    Full,
    /// No GS ( H.
    WithoutFences,
    /// No GS r either.
    WithoutAnswers,
    /// Nothing but its port.
    Silent,
    /// A POS-58 clone without an IN pipe.
    OneWay,
    /// An Epson TM in vendor mode.
    VendorMode,
}

/// Bits 5 and 6 of a slip station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SensorBits {
    /// Where a sheet comes in, and where it goes out.
    EntryFirst,
    /// The other way round.
    ExitFirst,
    /// Both the only one.
    One,
}

/// A serial bridge by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bridge(pub BridgeKind);

impl<'de> Deserialize<'de> for Bridge {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Numbers that lie on each other, FIRST-LAST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pile(pub BillRange);

impl<'de> Deserialize<'de> for Pile {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let bad = || serde::de::Error::custom("a range is FIRST-LAST, 16 digits each");
        let (first, last) = text.split_once('-').ok_or_else(bad)?;
        let number = |text: &str| text.parse::<BillNumber>().map_err(serde::de::Error::custom);
        let (first, last) = (number(first)?, number(last)?);
        if first.prefix != last.prefix {
            return Err(serde::de::Error::custom("a range never crosses a prefix"));
        }
        let range = BillRange::new(first.prefix, first.serial, last.serial);
        range.map(Self).map_err(serde::de::Error::custom)
    }
}
