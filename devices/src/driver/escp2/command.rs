//! The ESC/P2 commands we send: the few that every emulation of the LQ family has.
//! Sources: Epson LQ-570/1000/5000+ command summaries, InfoPrint LQ-1600K manual.

/// ESC @: modes to default; the line the head is on becomes the top of form.
pub const INITIALISE: [u8; 2] = [0x1B, 0x40];
/// ESC x 1: letter quality; ESC \ counts 1/180 inch from here (1/120 in draft).
pub const LETTER_QUALITY: [u8; 3] = [0x1B, 0x78, 0x01];
/// ESC U 1: one direction, so that columns stand under each other.
pub const ONE_DIRECTION: [u8; 3] = [0x1B, 0x55, 0x01];
/// ESC g: 15 characters an inch, half a hanzi each.
pub const PITCH_15: [u8; 2] = [0x1B, 0x67];
/// FS &: double-byte text.
pub const CHINESE_ON: [u8; 2] = [0x1C, 0x26];
/// FS .: single-byte text.
pub const CHINESE_OFF: [u8; 2] = [0x1C, 0x2E];
/// FS S 0 0 and FS T 0 0: no space beside hanzi and half-width characters.
pub const CHINESE_TIGHT: [u8; 8] = [0x1C, 0x53, 0x00, 0x00, 0x1C, 0x54, 0x00, 0x00];
/// CR.
pub const CARRIAGE_RETURN: u8 = 0x0D;
/// FF: ejects a cut sheet.
pub const FORM_FEED: u8 = 0x0C;
/// ESC EM I: takes in the sheet that lies at the entry.
pub const INSERT_SHEET: [u8; 3] = [0x1B, 0x19, 0x49];
/// ESC EM R: ejects the sheet without ink.
pub const EJECT_SHEET: [u8; 3] = [0x1B, 0x19, 0x52];

/// ESC J, as often as it takes: `dots` of 1/180 inch down, without CR.
pub fn feed(dots: u32) -> Vec<u8> {
    let mut left = dots;
    let mut bytes = Vec::new();
    while left > 0 {
        let step = u8::try_from(left.min(255)).unwrap_or(u8::MAX);
        bytes.extend([0x1B, 0x4A, step]);
        left = left.saturating_sub(u32::from(step));
    }
    bytes
}

/// ESC $ in 1/60 inch and ESC \ for the rest: to `dots` of 1/180 inch from the left.
pub fn to_column(dots: u32) -> Option<[u8; 8]> {
    let sixtieths = u16::try_from(dots.checked_div(3)?).ok()?;
    let rest = u8::try_from(dots.checked_rem(3)?).ok()?;
    let [low, high] = sixtieths.to_le_bytes();
    Some([0x1B, 0x24, low, high, 0x1B, 0x5C, rest, 0x00])
}

/// ESC * 39: rows of bits, at most 24, as columns of 24 pins 1/180 inch apart.
pub fn picture(rows: &[Vec<u8>]) -> Option<Vec<u8>> {
    let width = rows.first()?.len().checked_mul(8)?;
    if rows.len() > 24 || rows.iter().any(|r| r.len().checked_mul(8) != Some(width)) {
        return None;
    }
    let [low, high] = u16::try_from(width).ok()?.to_le_bytes();
    let mut bytes = vec![0x1B, 0x2A, 39, low, high];
    for column in 0..width {
        let mut pins = [0_u8; 3];
        for (row, dots) in rows.iter().enumerate() {
            let byte = dots.get(column / 8).copied().unwrap_or(0);
            if byte & 0x80_u8.checked_shr(u32::try_from(column % 8).ok()?)? != 0 {
                let pin = 0x80_u8.checked_shr(u32::try_from(row % 8).ok()?)?;
                *pins.get_mut(row / 8)? |= pin;
            }
        }
        bytes.extend(pins);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::hex;

    #[test]
    fn an_inch_and_170_mm_are_the_units_of_the_manuals() {
        assert_eq!(hex(&feed(180)), "1b4ab4");
        // 80 mm are 567.
        assert_eq!(hex(&feed(567)), "1b4aff1b4aff1b4a39");
        assert!(feed(0).is_empty());
        assert_eq!(hex(&to_column(180).expect("near")), "1b243c001b5c0000");
        assert_eq!(hex(&to_column(1205).expect("near")), "1b2491011b5c0200");
        assert_eq!(to_column(u32::MAX), None);
    }

    #[test]
    fn a_picture_is_columns_with_the_upper_pin_in_the_highest_bit() {
        let mut rows = vec![vec![0_u8]; 24];
        rows[0][0] = 0x80;
        rows[23][0] = 0x81;
        rows[8][0] = 0x40;
        let bytes = picture(&rows).expect("24 rows");
        assert_eq!(
            hex(&bytes),
            "1b2a270800800001008000000000000000000000000000000000000001"
        );
        assert_eq!(picture(&vec![vec![0_u8]; 25]), None);
        assert_eq!(picture(&[vec![0], vec![0, 0]]), None);
    }
}
