//! What kind of reader the twin is: its functional descriptor by CCID §5.1.

use super::MESSAGE_MAX;

/// Who splits APDUs into the card's protocol: the host or the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The host (dwFeatures 10000h).
    Tpdu,
    /// The reader (20000h).
    ShortApdu,
    /// The reader, with extended APDUs in parts (40000h).
    ExtendedApdu,
}

/// A reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// Exchange level.
    pub level: Level,
    /// Voltage, parameters, clock, rate and PPS by itself (dwFeatures BAh); else the
    /// host must do all of it (30h).
    pub automatic: bool,
    /// bVoltageSupport.
    pub voltages: u8,
    /// Tells slot changes; else the host must ask.
    pub interrupt: bool,
    /// Slots; the cards of the desk go into the first.
    pub slots: u8,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            level: Level::Tpdu,
            automatic: true,
            voltages: 7,
            interrupt: true,
            slots: 1,
        }
    }
}

/// The functional descriptor.
pub(super) fn functional(model: &Model) -> Vec<u8> {
    let level: u32 = match model.level {
        Level::Tpdu => 0x0001_0000,
        Level::ShortApdu => 0x0002_0000,
        Level::ExtendedApdu => 0x0004_0000,
    };
    let features = level | if model.automatic { 0xBA } else { 0x30 };
    let mut d = vec![0x36, 0x21, 0x10, 0x01];
    d.extend([model.slots.saturating_sub(1), model.voltages]);
    d.extend(3_u32.to_le_bytes());
    d.extend(4000_u32.to_le_bytes());
    d.extend(12_000_u32.to_le_bytes());
    d.push(0);
    d.extend(9600_u32.to_le_bytes());
    d.extend(307_200_u32.to_le_bytes());
    d.push(0);
    d.extend(252_u32.to_le_bytes());
    d.extend([0; 8]);
    d.extend(features.to_le_bytes());
    d.extend(MESSAGE_MAX.to_le_bytes());
    d.extend([0xFF, 0xFF, 0, 0, 0, 1]);
    d
}
