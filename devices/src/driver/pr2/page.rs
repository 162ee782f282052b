//! One form in PR2 commands: positions in 0.1 mm become 1/120 inch across and 1/240
//! (or 1/216) down exactly once, here.
//!
//! Before each text: CR, `ESC | A nnn` across, `ESC / 1 nnn` down from the upper
//! reference, strictly from top to bottom. There is no page mode: the first text is
//! ink. Hanzi are sent as GB18030 in the printer's own type, 24 pins high, at 15
//! characters an inch; a PR2 has no other size of them, so a template's smaller font
//! is printed in the same and a text that needs it is refused.

use std::collections::BTreeMap;

use counterfoil_data::form::{FormTemplate, Offset, Stock};
use serde::Deserialize;

use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::text;
use crate::driver::form_layout::{self, Face, Laid};

/// ESC ?: 15 characters an inch, half a hanzi each.
const PITCH_15: [u8; 2] = [0x1B, b'?'];
const CARRIAGE_RETURN: u8 = 0x0D;
/// Largest number of three digits.
const DIGITS_MAX: u32 = 999;

/// Vertical steps an inch, as the printer's setup says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Steps {
    /// 1/240 inch.
    #[default]
    #[serde(rename = "240")]
    PerInch240,
    /// 1/216 inch.
    #[serde(rename = "216")]
    PerInch216,
}

/// 24 pins of 1/180 inch for both heights of the templates.
const FACES: [Face; 2] = [
    Face {
        font_height: 30,
        height: 34,
        column: 170,
    },
    Face {
        font_height: 20,
        height: 34,
        column: 170,
    },
];

/// 0.1 mm to steps of `per_inch`, to the nearest.
fn steps(tenths: u32, per_inch: u32) -> u32 {
    let exact = tenths.saturating_mul(per_inch).saturating_add(127);
    exact.checked_div(254).unwrap_or(0)
}

/// The page of a job, without the eject.
pub fn page(
    template: &FormTemplate,
    fields: &BTreeMap<String, String>,
    offset: Offset,
    per_inch: Steps,
) -> Result<Vec<u8>, PrintFault> {
    encode(
        &form_layout::lay_out(template, fields, &FACES, offset)?,
        per_inch,
    )
}

/// The calibration page for plain paper of the stock's size, as far as three digits
/// reach: 999 of 1/120 inch are 21 cm.
pub fn calibration(stock: &Stock, offset: Offset, per_inch: Steps) -> Result<Vec<u8>, PrintFault> {
    let [face, _] = FACES;
    let width = stock.width.min(2_000);
    let near = Stock { width, ..*stock };
    encode(&form_layout::calibration(&near, face, offset)?, per_inch)
}

fn encode(laid: &[Laid], per_inch: Steps) -> Result<Vec<u8>, PrintFault> {
    let per_inch = match per_inch {
        Steps::PerInch240 => 240,
        Steps::PerInch216 => 216,
    };
    let mut lines: Vec<&Laid> = laid.iter().collect();
    lines.sort_by_key(|l| (l.y, l.x));
    let mut bytes = PITCH_15.to_vec();
    for line in lines {
        let (across, down) = (steps(line.x, 120), steps(line.y, per_inch));
        if across > DIGITS_MAX || down > DIGITS_MAX {
            return Err(PrintFault::MediaOverflow);
        }
        bytes.push(CARRIAGE_RETURN);
        bytes.extend(format!("\x1b|A{across:03}\x1b/1{down:03}").bytes());
        bytes.extend(text::encode(&line.text).map_err(|_| PrintFault::CharSetData)?);
    }
    bytes.push(CARRIAGE_RETURN);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inch_and_the_height_of_a_cheque_are_the_steps_of_the_manual() {
        assert_eq!(
            (steps(254, 120), steps(254, 240), steps(254, 216)),
            (120, 240, 216)
        );
        // 80 mm are 756 of 1/240 and 680 of 1/216.
        assert_eq!((steps(800, 240), steps(800, 216)), (756, 680));
    }

    #[test]
    fn a_text_is_placed_by_three_digits_each_way() {
        let [face, _] = FACES;
        let line = |x, y, text: &str| Laid {
            x,
            y,
            face,
            text: text.to_owned(),
        };
        let laid = [line(254, 508, "B"), line(0, 254, "账号")];
        let bytes = encode(&laid, Steps::PerInch240).expect("near");
        let expected = [
            &b"\x1b?\r\x1b|A000\x1b/1240\xd5\xcb\xba\xc5"[..],
            b"\r\x1b|A120\x1b/1480B\r",
        ];
        assert_eq!(bytes, expected.concat());
        let far = [line(0, 1_100, "A")];
        assert_eq!(
            encode(&far, Steps::PerInch240),
            Err(PrintFault::MediaOverflow)
        );
        let four_bytes = [line(0, 0, "¥")];
        assert_eq!(
            encode(&four_bytes, Steps::PerInch240),
            Err(PrintFault::CharSetData)
        );
    }
}
