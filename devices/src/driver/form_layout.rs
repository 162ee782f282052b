//! A form's texts at their places, the same for every family of form printer.
//!
//! Owns fitting a job's fields into a template's boxes with the type a printer
//! really has, the offset of a cassette, and the calibration page. Positions stay
//! in 0.1 mm here; each driver turns them into its own units exactly once. Refuses
//! a text that does not fit: it is never cut. Called by the form printers' drivers.

use std::collections::BTreeMap;

use counterfoil_data::form::{FitError, FormField, FormTemplate, LINE_GAP, Offset, Stock};

use super::escpos::fault::PrintFault;
use super::escpos::text;

/// Between two crosses of the calibration page, in 0.1 mm.
const CROSS_PITCH: u32 = 100;
/// U+253C, in every GB2312 font: both strokes meet in the middle of its cell.
const CROSS: &str = "┼";

/// Type a printer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Face {
    /// The font height of a template it stands for, in 0.1 mm.
    pub font_height: u32,
    /// Its height on paper, in 0.1 mm, rounded up.
    pub height: u32,
    /// Width of one column on paper, in 0.01 mm, rounded up; hanzi take two.
    pub column: u32,
}

impl Face {
    /// Width of `text` in 0.01 mm.
    fn width(self, text: &str) -> u32 {
        let columns = u32::try_from(text::columns(text)).unwrap_or(u32::MAX);
        columns.saturating_mul(self.column)
    }
}

/// A line of text at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    /// Left edge of the first cell, in 0.1 mm from the sheet's left edge.
    pub x: u32,
    /// Upper edge of the cells, in 0.1 mm from the sheet's upper edge.
    pub y: u32,
    /// Its type.
    pub face: Face,
    /// What.
    pub text: String,
}

/// The lines of a job, each field in the middle of its box's height.
///
/// # Errors
/// [`PrintFault::FieldSpecFailure`] for a field without a value or type,
/// [`PrintFault::MediaOverflow`] for one that does not fit or leaves the sheet,
/// [`PrintFault::CharSetData`] for one that cannot be printed.
pub fn lay_out(
    template: &FormTemplate,
    fields: &BTreeMap<String, String>,
    faces: &[Face],
    offset: Offset,
) -> Result<Vec<Laid>, PrintFault> {
    let mut laid = Vec::new();
    for field in &template.fields {
        let value = fields.get(&field.name);
        let text = field
            .written(value.ok_or(PrintFault::FieldSpecFailure)?)
            .map_err(|_| PrintFault::CharSetData)?;
        place(field, &text, faces, offset, &mut laid)?;
    }
    within(&template.stock, &laid)?;
    Ok(laid)
}

fn place(
    field: &FormField,
    text: &str,
    faces: &[Face],
    offset: Offset,
    laid: &mut Vec<Laid>,
) -> Result<(), PrintFault> {
    // The same field with the heights this printer's type really has.
    let real = |font_height: &u32| {
        let face = faces.iter().find(|f| f.font_height == *font_height);
        face.map(|f| f.height).ok_or(PrintFault::FieldSpecFailure)
    };
    let heights = field.font_heights.iter().map(real);
    let field = FormField {
        font_heights: heights.collect::<Result<_, _>>()?,
        ..field.clone()
    };
    let fitted = field.fit(text).map_err(|e| match e {
        FitError::TooLong { .. } => PrintFault::MediaOverflow,
        FitError::NotPrintable { .. } | FitError::Format { .. } => PrintFault::CharSetData,
    })?;
    let face = faces.iter().find(|f| f.height == fitted.font_height);
    let face = *face.ok_or(PrintFault::FieldSpecFailure)?;
    let lines = u32::try_from(fitted.lines.len()).unwrap_or(u32::MAX);
    let gaps = lines.saturating_sub(1).saturating_mul(LINE_GAP);
    let tall = lines.saturating_mul(face.height).saturating_add(gaps);
    let above = field.area.height.saturating_sub(tall) / 2;
    let mut y = field.area.y.saturating_add(above);
    for line in &fitted.lines {
        // The printer gives every character beyond ASCII a whole cell.
        if face.width(line) > field.area.width.saturating_mul(10) {
            return Err(PrintFault::MediaOverflow);
        }
        let (left, top) = offset
            .moved(field.area.x, y)
            .ok_or(PrintFault::MediaOverflow)?;
        laid.push(Laid {
            x: left,
            y: top,
            face,
            text: line.clone(),
        });
        y = y.saturating_add(fitted.pitch());
    }
    Ok(())
}

/// The calibration page for a plain sheet of the stock's size: a cross every
/// centimetre along the upper and the left edge, along the middle and in the lower
/// right corner, the centimetres beside them. Each cross's strokes meet at its
/// centimetre: what a ruler shows there besides is the offset to configure.
///
/// It is laid out and encoded as fields are, so it is off by what they are off by.
///
/// # Errors
/// [`PrintFault::MediaOverflow`] for a stock smaller than two crosses.
pub fn calibration(stock: &Stock, face: Face, offset: Offset) -> Result<Vec<Laid>, PrintFault> {
    let half = (face.column.saturating_add(5) / 10, face.height / 2);
    let last = |side: u32| {
        let crosses = side.checked_div(CROSS_PITCH).unwrap_or(0);
        crosses.saturating_sub(1).saturating_mul(CROSS_PITCH)
    };
    let (right, bottom) = (last(stock.width), last(stock.height));
    if right < CROSS_PITCH || bottom < CROSS_PITCH {
        return Err(PrintFault::MediaOverflow);
    }
    let middle = (bottom / 2).next_multiple_of(CROSS_PITCH);
    let step = usize::try_from(CROSS_PITCH).unwrap_or(1);
    let mut points = Vec::new();
    for y in (CROSS_PITCH..=bottom).step_by(step) {
        for x in (CROSS_PITCH..=right).step_by(step) {
            let row = y == CROSS_PITCH || y == middle;
            if row || x == CROSS_PITCH || (x, y) == (right, bottom) {
                points.push((x, y));
            }
        }
    }
    let mut laid = Vec::new();
    for (x, y) in points {
        let centre = offset.moved(x, y).ok_or(PrintFault::MediaOverflow)?;
        let left = centre.0.saturating_sub(half.0);
        let top = centre.1.saturating_sub(half.1);
        let beside = if x == CROSS_PITCH { y } else { x };
        for (x, text) in [
            (left, CROSS.to_owned()),
            (
                centre.0.saturating_add(half.0),
                beside.checked_div(CROSS_PITCH).unwrap_or(0).to_string(),
            ),
        ] {
            laid.push(Laid {
                x,
                y: top,
                face,
                text,
            });
        }
    }
    within(stock, &laid)?;
    Ok(laid)
}

/// No cell leaves the sheet.
fn within(stock: &Stock, laid: &[Laid]) -> Result<(), PrintFault> {
    let off = |l: &Laid| {
        let right = l.x.saturating_mul(10).saturating_add(l.face.width(&l.text));
        right > stock.width.saturating_mul(10) || l.y.saturating_add(l.face.height) > stock.height
    };
    if laid.iter().any(off) {
        return Err(PrintFault::MediaOverflow);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use counterfoil_data::form;

    use super::*;

    const FACE: Face = Face {
        font_height: 30,
        height: 30,
        column: 150,
    };

    #[test]
    fn an_offset_moves_every_line_and_what_leaves_the_sheet_is_refused() {
        let template = form::template("transfer-cheque").expect("sound");
        let small = Face {
            font_height: 20,
            height: 20,
            column: 100,
        };
        let fields: BTreeMap<String, String> = template
            .fields
            .iter()
            .map(|f| (f.name.clone(), "0123".to_owned()))
            .collect();
        let laid = |offset| lay_out(&template, &fields, &[FACE, small], offset);
        let straight = laid(Offset::default()).expect("fits");
        let moved = laid(Offset::new(-7, 12).expect("small")).expect("fits");
        for (a, b) in straight.iter().zip(&moved) {
            assert_eq!((a.x - 7, a.y + 12), (b.x, b.y));
        }
        let mut narrow = template.clone();
        narrow.stock.width = 1_600;
        let off = lay_out(&narrow, &fields, &[FACE, small], Offset::default());
        assert_eq!(
            off,
            Err(PrintFault::MediaOverflow),
            "15.6 cm and four digits"
        );
        let none = lay_out(&template, &fields, &[small], Offset::default());
        assert_eq!(none, Err(PrintFault::FieldSpecFailure), "no type of 3 mm");
    }

    #[test]
    fn crosses_meet_at_whole_centimetres_in_order_from_top_to_bottom() {
        let stock = form::template("cash-cheque").expect("sound").stock;
        let laid = calibration(&stock, FACE, Offset::default()).expect("fits");
        let crosses: Vec<(u32, u32)> = laid
            .iter()
            .filter(|l| l.text == CROSS)
            .map(|l| (l.x + 15, l.y + 15))
            .collect();
        assert!(crosses.iter().all(|(x, y)| x % 100 == 0 && y % 100 == 0));
        assert!(crosses.is_sorted_by_key(|(_, y)| *y));
        for corner in [(100, 100), (2100, 100), (100, 700), (2100, 700)] {
            assert!(crosses.contains(&corner), "{corner:?}");
        }
        let shifted = calibration(&stock, FACE, Offset::new(3, -4).expect("small"));
        let first = shifted.expect("fits").remove(0);
        assert_eq!((first.x, first.y), (100 - 15 + 3, 100 - 15 - 4));
    }
}
