//! What the card answers the same way every time.

use super::super::issue::tlv;
use super::{Chip, LOG, PDOL, PSE, profile};

/// Track 2: digits and the separator D, padded with F.
pub(super) fn hex_digits(text: &str) -> Vec<u8> {
    let padded = if text.len().is_multiple_of(2) {
        text.to_owned()
    } else {
        format!("{text}F")
    };
    counterfoil_data::wire::unhex(&padded.to_lowercase()).unwrap_or_default()
}

/// The directory's template.
pub(super) fn directory() -> Vec<u8> {
    let proprietary = [
        tlv(0x88, &[1]),
        tlv(0x5F2D, b"zh"),
        tlv(0x9F11, &[1]),
        tlv(0xBF0C, &LOG),
    ];
    tlv(
        0x6F,
        &[tlv(0x84, PSE), tlv(0xA5, &proprietary.concat())].concat(),
    )
}

/// An application's template.
pub(super) fn application(name: &[u8]) -> Vec<u8> {
    let proprietary = [
        tlv(0x50, b"PBOC DEBIT"),
        tlv(0x87, &[1]),
        tlv(0x9F38, &PDOL),
        tlv(0xBF0C, &LOG),
    ];
    tlv(
        0x6F,
        &[tlv(0x84, name), tlv(0xA5, &proprietary.concat())].concat(),
    )
}

/// Profile and file locator, format 1.
pub(super) fn options(chip: Chip) -> Vec<u8> {
    let mut body = profile(chip).to_vec();
    body.extend([0x10, 1, 1, 0, 0x18, 1, 1, 1, 0x20, 1, 2, 0]);
    tlv(0x80, &body)
}
