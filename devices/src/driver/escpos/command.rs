//! The commands we send. Each names its command in the manuals' notation;
//! lengths are little-endian (`pL pH`). Sources: Epson TM-T88III and TM-H5000II
//! specifications; Custom KPM-210/216 for the presenter.

/// ESC @: modes to default. Does not empty the receive buffer.
pub const INITIALISE: [u8; 2] = [0x1B, 0x40];
/// ESC = 1: this printer listens.
pub const SELECT_PRINTER: [u8; 3] = [0x1B, 0x3D, 0x01];
/// ESC R 0: ASCII stays ASCII (15, China, turns `$` into `¥` on many models).
pub const INTERNATIONAL_USA: [u8; 3] = [0x1B, 0x52, 0x00];
/// FS &: double-byte text from here.
pub const CHINESE_ON: [u8; 2] = [0x1C, 0x26];
/// GS a FF: push every status change; four bytes come at once.
pub const STATUS_BACK_ALL: [u8; 3] = [0x1D, 0x61, 0xFF];
/// GS r 1: paper sensor, answered in order.
pub const TRANSMIT_PAPER_STATUS: [u8; 3] = [0x1D, 0x72, 0x01];
/// GS V 66 0: feed to the cutter, partial cut.
pub const CUT_PARTIAL: [u8; 4] = [0x1D, 0x56, 0x42, 0x00];
/// NUL: no command; ends the parameters of one that was cut off.
pub const NUL: u8 = 0x00;
/// CAN: forgets the page; without effect in standard mode.
pub const CANCEL: u8 = 0x18;
/// LF.
pub const LINE_FEED: u8 = 0x0A;
/// FF.
pub const FORM_FEED: u8 = 0x0C;

/// ESC S: standard mode, what was on the page forgotten.
pub const STANDARD_MODE: [u8; 2] = [0x1B, 0x53];
/// DLE EOT 5: slip status, answered at once.
pub const SLIP_STATUS: [u8; 3] = [0x10, 0x04, 0x05];
/// DLE EOT BS 1: status of the magnetic reader, answered at once.
pub const READER_STATUS: [u8; 4] = [0x10, 0x04, 0x08, 0x01];
/// DLE ENQ 2: forgets what was received, then recovers from an error.
pub const RECOVER: [u8; 3] = [0x10, 0x05, 0x02];
/// DLE ENQ 3: ends the waiting for a slip; the roll is selected again.
pub const CANCEL_WAITING: [u8; 3] = [0x10, 0x05, 0x03];
/// ESC c 4 30: both slip sensors stop printing.
pub const STOP_AT_SLIP_END: [u8; 4] = [0x1B, 0x63, 0x34, 0x30];
/// GS P 203 203: 1/203 inch a unit, 8 a millimetre, both ways.
pub const UNITS_OF_8_A_MM: [u8; 4] = [0x1D, 0x50, 203, 203];
/// ESC v: paper sensor, answered when what was printed and fed before has stopped.
pub const TRANSMIT_AFTER_PRINTING: [u8; 2] = [0x1B, 0x76];
/// ESC J 0: prints the line and feeds nothing.
pub const PRINT_LINE: [u8; 3] = [0x1B, 0x4A, 0x00];

/// ESC c 0 4: the slip is the paper to print on.
pub const SELECT_SLIP: [u8; 4] = [0x1B, 0x63, 0x30, 0x04];
/// FS a 0 0: read the number.
pub const READ_NUMBER: [u8; 4] = [0x1C, 0x61, 0x30, 0x00];
/// FS a 1: the same sheet to its print start.
pub const LOAD_TO_PRINT_START: [u8; 3] = [0x1C, 0x61, 0x31];
/// FS a 2: eject the sheet; without ink this printer's gate leads to the reject bin.
pub const EJECT_TO_REJECT: [u8; 3] = [0x1C, 0x61, 0x32];
/// FS ( f: detail byte with every bad reading; keep the sheet after one.
pub const READ_OPTIONS: [u8; 9] = [0x1C, 0x28, 0x66, 0x04, 0x00, 0x01, 0x01, 0x02, 0x01];
/// Longest run of parameters on a form: GS ( H with its length and id.
pub const FORM_PARAMETERS_MAX: usize = 16;
/// NULs, CAN, ESC S: ends a command that was cut off, forgets a page that was
/// begun, goes back to standard mode. Not ESC @, which would also drop the paper
/// selection and the reading options.
#[rustfmt::skip]
pub const LEAVE_PAGE: [u8; 19] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, CANCEL, 0x1B, 0x53,
];
/// ESC L and CAN: page mode, with nothing on the page.
pub const NEW_PAGE: [u8; 3] = [0x1B, 0x4C, CANCEL];
/// ESC T 0: left to right from the upper left.
pub const PAGE_DIRECTION: [u8; 3] = [0x1B, 0x54, 0x00];

/// GS e 3 m: present; m is the step count, 255 = all the way out.
pub const PRESENT: [u8; 4] = [0x1D, 0x65, 0x03, 0xFF];
/// GS e 2: retract.
pub const RETRACT: [u8; 3] = [0x1D, 0x65, 0x02];
/// GS e 6: presenter status.
pub const PRESENTER_STATUS: [u8; 3] = [0x1D, 0x65, 0x06];

/// FS ( S fn 49: mechanism report. Vendor command of this printer (our choice).
pub const MECHANISM_REPORT: [u8; 7] = [0x1C, 0x28, 0x53, 0x02, 0x00, 0x31, 0x30];

/// FS ( S fn 48: feed one blank from slot `slot` (1 to 8). Vendor command of
/// this printer (our choice): no public manual has a blank feeder.
pub fn feed_from(slot: u8) -> [u8; 7] {
    [0x1C, 0x28, 0x53, 0x02, 0x00, 0x30, slot]
}

/// ESC f: `minutes` (0 to 15, 0 is for ever) until the printer gives up waiting for a
/// slip, and `tenths` of a second from its coming to its being taken in.
pub fn slip_wait(minutes: u8, tenths: u8) -> [u8; 4] {
    [0x1B, 0x66, minutes, tenths]
}

/// GS ( H fn 48: say this when the printing before it is complete.
pub fn fence(id: [u8; 4]) -> [u8; 11] {
    let [a, b, c, d] = id;
    [0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30, a, b, c, d]
}

/// The id of fence `count`: `prefix` and three base-36 digits.
pub fn fence_id(prefix: u8, count: u32) -> [u8; 4] {
    let digit = |place: u32| {
        let value = count.checked_div(place).unwrap_or(0) % 36;
        let value = u8::try_from(value).unwrap_or(0);
        if value < 10 {
            b'0'.saturating_add(value)
        } else {
            b'A'.saturating_add(value.saturating_sub(10))
        }
    };
    [prefix, digit(36 * 36), digit(36), digit(1)]
}

/// ESC a n.
pub fn justify(n: u8) -> [u8; 3] {
    [0x1B, 0x61, n]
}

/// ESC E n.
pub fn emphasis(on: bool) -> [u8; 3] {
    [0x1B, 0x45, u8::from(on)]
}

/// GS ! n with the same factor, 1 to 8, both ways.
pub fn size(factor: u8) -> [u8; 3] {
    let less = factor.clamp(1, 8).saturating_sub(1);
    [0x1D, 0x21, less << 4 | less]
}

/// ESC d n.
pub fn feed_lines(n: u8) -> [u8; 3] {
    [0x1B, 0x64, n]
}

/// ESC M n and FS ( A fn 48: single and double-byte font; 0 = 12x24 and 24x24,
/// 2 = 8x16 and 16x16.
pub fn font(n: u8) -> [u8; 10] {
    [0x1B, 0x4D, n, 0x1C, 0x28, 0x41, 0x02, 0x00, 0x30, n]
}

/// ESC W with the upper left at 0, 0.
pub fn page_area(width: u16, height: u16) -> [u8; 10] {
    let [wl, wh] = width.to_le_bytes();
    let [hl, hh] = height.to_le_bytes();
    [0x1B, 0x57, 0, 0, 0, 0, wl, wh, hl, hh]
}

/// ESC $ and GS $: to a dot; y is the baseline. Where a number of dots would spell a
/// real-time command (130, 162 and 642 mm, see [`raster`]) it is one dot more.
pub fn position(x: u16, y: u16) -> [u8; 8] {
    let [esc, dollar, xl, xh] = column(x);
    let [yl, yh] = harmless(y).to_le_bytes();
    [esc, dollar, xl, xh, 0x1D, 0x24, yl, yh]
}

/// ESC $ alone, with the same care.
pub fn column(x: u16) -> [u8; 4] {
    let [low, high] = harmless(x).to_le_bytes();
    [0x1B, 0x24, low, high]
}

fn harmless(dots: u16) -> u16 {
    match dots.to_le_bytes() {
        [0x10, 0x04 | 0x05 | 0x14] => dots.saturating_add(1),
        _ => dots,
    }
}

/// Bytes of a QR symbol at most.
pub const QR_MAX: usize = 700;

/// GS ( k: model 2, `dots` a module, level M, store and print. At most [`QR_MAX`] bytes.
pub fn qr(data: &[u8], dots: u8) -> Option<Vec<u8>> {
    if data.is_empty() || data.len() > QR_MAX {
        return None;
    }
    let stored = u16::try_from(data.len()).ok()?.checked_add(3)?;
    let [low, high] = stored.to_le_bytes();
    let mut bytes = vec![0x1D, 0x28, 0x6B, 0x04, 0x00, 0x31, 0x41, 0x32, 0x00];
    bytes.extend([0x1D, 0x28, 0x6B, 0x03, 0x00, 0x31, 0x43, dots.clamp(1, 16)]);
    bytes.extend([0x1D, 0x28, 0x6B, 0x03, 0x00, 0x31, 0x45, 0x31]);
    bytes.extend([0x1D, 0x28, 0x6B, low, high, 0x31, 0x50, 0x30]);
    bytes.extend_from_slice(data);
    bytes.extend([0x1D, 0x28, 0x6B, 0x03, 0x00, 0x31, 0x51, 0x30]);
    Some(bytes)
}

/// GS v 0: `rows` of equal length, 1 = black, most significant bit left.
///
/// Real-time commands (10 04, 10 05, 10 14) are obeyed wherever they appear,
/// also inside a picture: one more black dot breaks such a pair up.
pub fn raster(rows: &[Vec<u8>]) -> Option<Vec<u8>> {
    let width = rows.first()?.len();
    let height = u16::try_from(rows.len()).ok()?;
    let [wl, wh] = u16::try_from(width).ok()?.to_le_bytes();
    let [hl, hh] = height.to_le_bytes();
    if rows.iter().any(|r| r.len() != width) {
        return None;
    }
    let mut bytes = vec![0x1D, 0x76, 0x30, 0x00, wl, wh, hl, hh];
    for byte in rows.iter().flatten() {
        if let (Some(last @ 0x10), 0x04 | 0x05 | 0x14) = (bytes.last_mut(), byte) {
            *last = 0x11;
        }
        bytes.push(*byte);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::hex;

    #[test]
    fn bytes_are_those_of_the_manuals_and_other_encoders() {
        assert_eq!(hex(&fence(*b"J001")), "1d2848060030304a303031");
        assert_eq!(hex(&CUT_PARTIAL), "1d564200");
        assert_eq!(hex(&size(2)), "1d2111");
        assert_eq!(
            hex(&qr(b"AB", 6).expect("short")),
            "1d286b0400314132001d286b03003143061d286b03003145311d286b0500315030\
             41421d286b0300315130"
        );
    }

    #[test]
    fn a_slip_s_commands_are_those_of_the_manuals() {
        assert_eq!(hex(&SELECT_SLIP), "1b633004");
        assert_eq!(hex(&STOP_AT_SLIP_END), "1b633430");
        assert_eq!(hex(&slip_wait(2, 5)), "1b660205");
        assert_eq!(
            (hex(&SLIP_STATUS), hex(&CANCEL_WAITING)),
            ("100405".into(), "100503".into())
        );
        assert_eq!(hex(&column(1040)), "1b241104");
    }

    #[test]
    fn a_picture_cannot_carry_a_real_time_command() {
        let rows = [
            vec![0x10, 0x04, 0x01],
            vec![0x05, 0x00, 0x10],
            vec![0x14, 1, 2],
        ];
        let bytes = raster(&rows).expect("equal rows");
        let pairs = bytes.windows(2).skip(8);
        assert!(
            pairs
                .into_iter()
                .all(|p| !matches!(p, [0x10, 0x04 | 0x05 | 0x14]))
        );
    }

    #[test]
    fn no_position_on_a_sheet_carries_a_real_time_command() {
        for dots in 0..=u16::MAX {
            let bytes = position(dots, dots);
            assert!(
                !bytes
                    .windows(2)
                    .any(|p| matches!(p, [0x10, 0x04 | 0x05 | 0x14])),
                "{dots}"
            );
        }
        assert_eq!(hex(&position(1040, 21)), "1b2411041d241500");
        assert_eq!(hex(&position(1039, 21)), "1b240f041d241500");
    }

    #[test]
    fn fence_ids_are_printable_and_count_up() {
        assert_eq!(fence_id(b'P', 0), *b"P000");
        assert_eq!(fence_id(b'P', 35), *b"P00Z");
        assert_eq!(fence_id(b'P', 36), *b"P010");
    }
}
