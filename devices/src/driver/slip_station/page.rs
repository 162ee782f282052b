//! One form as lines of a slip: positions in 0.1 mm become dots of 1/8 mm exactly
//! once, here.
//!
//! The recipe: the sheet only ever goes down (ESC J), a line's texts are placed by
//! ESC $, and ESC J 0 prints it. Each line is whole by itself, so that it can be asked
//! for by itself. There is no page mode: the first line is ink. Hanzi are sent as
//! GB18030 in the printer's own type, 24 dots high; a station has no other size of
//! them, so a template's smaller font is printed in the same and a text that needs it
//! is refused.

use std::collections::BTreeMap;

use counterfoil_data::form::{FormTemplate, Offset, Stock};

use crate::driver::escp2::command::feed;
use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::{command, text};
use crate::driver::form_layout::{self, Face, Laid};
use crate::driver::form_printer::page::dots;

/// 24 dots of 1/8 mm for both heights of the templates.
const FACES: [Face; 2] = [
    Face {
        font_height: 30,
        height: 30,
        column: 150,
    },
    Face {
        font_height: 20,
        height: 30,
        column: 150,
    },
];

/// The lines of a job, from the top of the sheet to the bottom.
pub fn lines(
    template: &FormTemplate,
    fields: &BTreeMap<String, String>,
    offset: Offset,
) -> Result<Vec<Vec<u8>>, PrintFault> {
    encode(&form_layout::lay_out(template, fields, &FACES, offset)?)
}

/// The calibration page for plain paper of the stock's size.
pub fn calibration(stock: &Stock, offset: Offset) -> Result<Vec<Vec<u8>>, PrintFault> {
    let [face, _] = FACES;
    encode(&form_layout::calibration(stock, face, offset)?)
}

fn encode(laid: &[Laid]) -> Result<Vec<Vec<u8>>, PrintFault> {
    let unit = |tenths: u32| {
        let tenths = u16::try_from(tenths).map_err(|_| PrintFault::MediaOverflow)?;
        Ok(dots(tenths))
    };
    let mut rows: BTreeMap<u16, Vec<&Laid>> = BTreeMap::new();
    for line in laid {
        rows.entry(unit(line.y)?).or_default().push(line);
    }
    let (mut at, mut lines) = (0_u16, Vec::new());
    for (y, mut texts) in rows {
        texts.sort_by_key(|text| text.x);
        let mut bytes = feed(u32::from(y.saturating_sub(at)));
        for item in texts {
            bytes.extend(command::column(unit(item.x)?));
            bytes.extend(text::encode(&item.text).map_err(|_| PrintFault::CharSetData)?);
        }
        bytes.extend(command::PRINT_LINE);
        lines.push(bytes);
        at = y;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use counterfoil_data::wire::hex;

    use super::*;

    fn line(x: u32, y: u32, text: &str) -> Laid {
        let [face, _] = FACES;
        let text = text.to_owned();
        Laid { x, y, face, text }
    }

    #[test]
    fn lines_go_down_only_and_each_is_whole() {
        let laid = [
            line(300, 400, "B"),
            line(100, 100, "账号"),
            line(100, 400, "A"),
        ];
        let lines = encode(&laid).expect("near");
        let told: Vec<String> = lines.iter().map(|l| hex(l)).collect();
        // 10 mm are 80 dots, 30 mm more are 240; across, 10 mm and 30 mm.
        let first = "1b4a50".to_owned() + "1b245000" + "d5cbbac5" + "1b4a00";
        let second = "1b4af0".to_owned() + "1b245000" + "41" + "1b24f000" + "42" + "1b4a00";
        assert_eq!(told, [first, second]);
    }

    #[test]
    fn no_place_spells_a_real_time_command_and_what_has_no_code_is_refused() {
        // 130 mm are 1040 dots, 0410 in hex.
        let lines = encode(&[line(1300, 0, "A")]).expect("near");
        assert_eq!(hex(&lines.concat()), "1b24110441".to_owned() + "1b4a00");
        let rare = encode(&[line(0, 0, "𠮷")]);
        assert_eq!(rare, Err(PrintFault::CharSetData));
        let far = encode(&[line(70_000, 0, "A")]);
        assert_eq!(far, Err(PrintFault::MediaOverflow));
    }
}
