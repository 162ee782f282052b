//! One form as a page: positions in 0.1 mm become dots exactly once, here.

use std::collections::BTreeMap;

use counterfoil_data::form::{FormTemplate, Offset, Stock};

use super::PrintFault;
use crate::driver::escpos::{command, text};
use crate::driver::form_layout::{self, Face, Laid};

/// What [`TypeSize`] is on paper: 24, 16 and 48 dots of 1/8 mm.
const FACES: [Face; 3] = [
    Face {
        font_height: 30,
        height: 30,
        column: 150,
    },
    Face {
        font_height: 20,
        height: 20,
        column: 100,
    },
    Face {
        font_height: 60,
        height: 60,
        column: 300,
    },
];

/// A text at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Left edge of the first character, in 0.1 mm from the sheet's left edge.
    pub x: u16,
    /// Top edge of the characters, in 0.1 mm from the sheet's top edge.
    pub y: u16,
    /// How large.
    pub size: TypeSize,
    /// What.
    pub text: String,
}

/// Sizes of type the printer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeSize {
    /// 16 dots, 2 mm (font C).
    Small,
    /// 24 dots, 3 mm (font A).
    Normal,
    /// 48 dots, 6 mm (font A doubled).
    Double,
}

impl TypeSize {
    /// The size of a font height in 0.1 mm, if the printer has it.
    pub fn of(font_height: u32) -> Option<Self> {
        match font_height {
            20 => Some(Self::Small),
            30 => Some(Self::Normal),
            60 => Some(Self::Double),
            _ => None,
        }
    }

    /// Dots from top to bottom of a character.
    pub fn dots(self) -> u16 {
        match self {
            Self::Small => 16,
            Self::Normal => 24,
            Self::Double => 48,
        }
    }

    /// Dots above the baseline, where GS $ points.
    fn ascent(self) -> u16 {
        match self {
            Self::Small => 14,
            Self::Normal => 21,
            Self::Double => 42,
        }
    }

    /// Number of ESC M and FS ( A, and factor of GS !.
    fn commands(self) -> (u8, u8) {
        match self {
            Self::Small => (2, 1),
            Self::Normal => (0, 1),
            Self::Double => (0, 2),
        }
    }

    /// Dots `text` takes across.
    pub fn width(self, text: &str) -> usize {
        text::columns(text).saturating_mul(usize::from(self.dots() / 2))
    }
}

/// 0.1 mm to dots at 8 dots a millimetre, to the nearest dot.
pub fn dots(tenths: u16) -> u16 {
    let exact = u32::from(tenths).saturating_mul(8).saturating_add(5);
    u16::try_from(exact / 10).unwrap_or(u16::MAX)
}

/// The page without its final FF: nothing is inked by it.
pub(super) fn encode(width: u16, height: u16, placed: &[Placed]) -> Result<Vec<u8>, PrintFault> {
    let (width, height) = (dots(width), dots(height));
    let mut bytes = command::NEW_PAGE.to_vec();
    bytes.extend(command::page_area(width, height));
    bytes.extend(command::PAGE_DIRECTION);
    bytes.extend(command::CHINESE_ON);
    for item in placed {
        let (x, y) = (dots(item.x), dots(item.y));
        let right = item.size.width(&item.text).saturating_add(usize::from(x));
        let bottom = y.saturating_add(item.size.dots());
        if right > usize::from(width) || bottom > height {
            return Err(PrintFault::MediaOverflow);
        }
        let code = text::encode(&item.text).map_err(|_| PrintFault::CharSetData)?;
        let (font, factor) = item.size.commands();
        bytes.extend(command::font(font));
        bytes.extend(command::size(factor));
        bytes.extend(command::position(x, y.saturating_add(item.size.ascent())));
        bytes.extend(code);
    }
    Ok(bytes)
}

/// The page of a job, every text fitted into its field's box and moved by the
/// cassette's `offset`.
pub fn page(
    template: &FormTemplate,
    fields: &BTreeMap<String, String>,
    offset: Offset,
) -> Result<Vec<u8>, PrintFault> {
    of_lines(
        &template.stock,
        &form_layout::lay_out(template, fields, &FACES, offset)?,
    )
}

/// The calibration page for plain paper of the stock's size.
pub fn calibration(stock: &Stock, offset: Offset) -> Result<Vec<u8>, PrintFault> {
    let [normal, ..] = FACES;
    of_lines(stock, &form_layout::calibration(stock, normal, offset)?)
}

fn of_lines(stock: &Stock, laid: &[Laid]) -> Result<Vec<u8>, PrintFault> {
    let side = |n: u32| u16::try_from(n).map_err(|_| PrintFault::MediaOverflow);
    let mut placed = Vec::with_capacity(laid.len());
    for line in laid {
        placed.push(Placed {
            x: side(line.x)?,
            y: side(line.y)?,
            size: TypeSize::of(line.face.font_height).ok_or(PrintFault::FieldSpecFailure)?,
            text: line.text.clone(),
        });
    }
    encode(side(stock.width)?, side(stock.height)?, &placed)
}
