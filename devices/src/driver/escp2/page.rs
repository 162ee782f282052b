//! One form as strikes of a 24-pin head: positions in 0.1 mm become 1/180 inch
//! exactly once, here.
//!
//! The recipe every emulation of the family understands: strictly from top to
//! bottom, only ESC J downwards, CR and ESC $ with ESC \ sideways. There is no page
//! mode: the first text is ink.

use std::collections::BTreeMap;

use counterfoil_data::form::{FormTemplate, Offset, Stock};
use serde::Deserialize;

use super::command;
use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::text::{self, TextError};
use crate::driver::form_layout::{self, Face, Laid};
use crate::paper;

/// How hanzi come onto the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextMode {
    /// As pictures: the same on every printer, and as the preview shows them.
    #[default]
    Picture,
    /// In the printer's own type by GB18030, where it has the size and the character;
    /// as pictures else.
    Native,
}

/// Template heights and what 24 and 16 pins of 1/180 inch make of them.
const FACES: [Face; 2] = [
    Face {
        font_height: 30,
        height: 34,
        column: 170,
    },
    Face {
        font_height: 20,
        height: 23,
        column: 113,
    },
];

/// 0.1 mm to 1/180 inch, to the nearest.
pub fn dots(tenths: u32) -> u32 {
    let exact = tenths.saturating_mul(180).saturating_add(127);
    exact.checked_div(254).unwrap_or(0)
}

/// The page of a job up to, but not with, its FF.
pub fn page(
    template: &FormTemplate,
    fields: &BTreeMap<String, String>,
    offset: Offset,
    mode: TextMode,
) -> Result<Vec<u8>, PrintFault> {
    encode(
        &form_layout::lay_out(template, fields, &FACES, offset)?,
        mode,
    )
}

/// The calibration page for plain paper of the stock's size.
pub fn calibration(stock: &Stock, offset: Offset, mode: TextMode) -> Result<Vec<u8>, PrintFault> {
    let [normal, _] = FACES;
    encode(&form_layout::calibration(stock, normal, offset)?, mode)
}

fn encode(laid: &[Laid], mode: TextMode) -> Result<Vec<u8>, PrintFault> {
    let mut lines: Vec<&Laid> = laid.iter().collect();
    lines.sort_by_key(|l| (l.y, l.x));
    let mut bytes = command::INITIALISE.to_vec();
    bytes.extend(command::LETTER_QUALITY);
    bytes.extend(command::ONE_DIRECTION);
    bytes.extend(command::PITCH_15);
    bytes.extend(command::CHINESE_OFF);
    let mut at = 0;
    for line in lines {
        let down = dots(line.y).saturating_sub(at);
        at = at.saturating_add(down);
        bytes.push(command::CARRIAGE_RETURN);
        bytes.extend(command::feed(down));
        let across = command::to_column(dots(line.x));
        bytes.extend(across.ok_or(PrintFault::MediaOverflow)?);
        bytes.extend(strikes(line, mode)?);
    }
    bytes.push(command::CARRIAGE_RETURN);
    Ok(bytes)
}

/// The printer's own type is 24 pins high; what is smaller, or not surely in it, is
/// a picture.
fn strikes(line: &Laid, mode: TextMode) -> Result<Vec<u8>, PrintFault> {
    let [normal, _] = FACES;
    let code = match text::encode(&line.text) {
        Err(TextError::Control(_) | TextError::TooLong(_)) => return Err(PrintFault::CharSetData),
        Err(TextError::NotInFont(_)) => None,
        Ok(code) => Some(code).filter(|_| mode == TextMode::Native && line.face == normal),
    };
    if let Some(code) = code {
        let on = [&command::CHINESE_ON[..], &command::CHINESE_TIGHT].concat();
        return Ok([on, code, command::CHINESE_OFF.to_vec()].concat());
    }
    let rows = if line.face == normal {
        paper::line_dots(&line.text)
    } else {
        paper::small_line_dots(&line.text)
    };
    let rows = rows.map_err(|_| PrintFault::CharSetData)?;
    command::picture(&rows).ok_or(PrintFault::MediaOverflow)
}
