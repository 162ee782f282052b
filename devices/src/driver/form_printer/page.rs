//! One form as a page: positions in 0.1 mm become dots exactly once, here.

use std::collections::BTreeMap;

use counterfoil_data::form::{FitError, FormField, FormTemplate, LINE_GAP};

use super::PrintFault;
use crate::driver::escpos::{command, text};

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

/// The page of a job, every text fitted into its field's box.
pub fn page(
    template: &FormTemplate,
    fields: &BTreeMap<String, String>,
) -> Result<Vec<u8>, PrintFault> {
    let mut placed = Vec::new();
    for field in &template.fields {
        let text = fields
            .get(&field.name)
            .ok_or(PrintFault::FieldSpecFailure)?;
        place(field, text, &mut placed)?;
    }
    let side = |n: u32| u16::try_from(n).map_err(|_| PrintFault::MediaOverflow);
    encode(
        side(template.stock.width)?,
        side(template.stock.height)?,
        &placed,
    )
}

/// The lines of one field, in the middle of its box's height.
fn place(field: &FormField, text: &str, placed: &mut Vec<Placed>) -> Result<(), PrintFault> {
    let fitted = field.fit(text).map_err(|e| match e {
        FitError::TooLong { .. } => PrintFault::MediaOverflow,
        FitError::NotPrintable { .. } => PrintFault::CharSetData,
    })?;
    let size = TypeSize::of(fitted.font_height).ok_or(PrintFault::FieldSpecFailure)?;
    let lines = u32::try_from(fitted.lines.len()).unwrap_or(u32::MAX);
    let gaps = lines.saturating_sub(1).saturating_mul(LINE_GAP);
    let tall = lines
        .saturating_mul(fitted.font_height)
        .saturating_add(gaps);
    let mut y = field.area.y;
    y = y.saturating_add(field.area.height.saturating_sub(tall) / 2);
    for line in &fitted.lines {
        // The printer gives every character beyond ASCII a whole cell.
        let tenths = size.width(line).saturating_mul(10) / 8;
        if tenths > usize::try_from(field.area.width).unwrap_or(0) {
            return Err(PrintFault::MediaOverflow);
        }
        let position = |n: u32| u16::try_from(n).map_err(|_| PrintFault::MediaOverflow);
        placed.push(Placed {
            x: position(field.area.x)?,
            y: position(y)?,
            size,
            text: line.clone(),
        });
        y = y.saturating_add(fitted.pitch());
    }
    Ok(())
}
