//! The blank a form is printed on, for previews: tint, watermark, the works' own
//! print, the number in two rows, and the areas nothing may be printed in.
//!
//! It is a drawing that says 样张 across; it imitates no bank's stock.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "template lengths are below 5000 tenths of a millimetre; the canvas bounds-checks every dot"
)]

use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::{FormTemplate, Rect};

use super::PaperError;
use super::canvas::{Canvas, Colour};
use super::glyph::{self, Font};

/// Palette indices; 1 is the kiosk's ink.
const TINT: u8 = 2;
const WORKS: u8 = 3;
const NUMBER: u8 = 4;
const WATERMARK: u8 = 5;
const FREE: u8 = 6;

/// Paper, ink, tint lines, works' print, number, watermark, kept-free band.
pub(super) const PALETTE: [Colour; 7] = [
    Colour(236, 244, 240),
    Colour(16, 32, 128),
    Colour(220, 233, 227),
    Colour(72, 104, 92),
    Colour(150, 24, 24),
    Colour(196, 214, 206),
    Colour(252, 252, 250),
];

/// 0.1 mm to dots.
fn dots(tenths: u32) -> usize {
    usize::try_from((tenths * 8 + 5) / 10).unwrap_or(usize::MAX)
}

fn area(rect: Rect) -> [usize; 4] {
    [rect.x, rect.y, rect.width, rect.height].map(dots)
}

/// Draws the blank of `template` with `number` on it.
pub(super) fn blank(template: &FormTemplate, number: BillNumber) -> Result<Canvas, PaperError> {
    let (width, height) = (dots(template.stock.width), dots(template.stock.height));
    let stub = dots(template.stock.stub);
    let mut canvas = Canvas::new(width, height);
    waves(&mut canvas)?;
    let middle = stub + (width - stub).saturating_sub(13 * 64) / 2;
    text(
        &mut canvas,
        "样张 SPECIMEN",
        [middle, height / 2 - 90],
        (Font::Small, 8),
        WATERMARK,
    )?;
    canvas.frame([0, 0, width, height], 2, WORKS);
    for y in (0..height).step_by(16) {
        canvas.fill(stub, y, 2, 8, WORKS);
    }
    for restricted in &template.restricted {
        let [x, y, w, h] = area(restricted.area);
        match restricted.name.as_str() {
            "micr-band" => {
                canvas.fill(x + 2, y, w.saturating_sub(4), h.saturating_sub(2), FREE);
                canvas.fill(x, y, w, 1, WORKS);
                let place = [stub + 24, y + h / 2 - 8];
                text(
                    &mut canvas,
                    &restricted.why,
                    place,
                    (Font::Small, 1),
                    WATERMARK,
                )?;
            }
            "stub" => {}
            "number-box" => canvas.frame([x, y, w, h], 1, NUMBER),
            "amount" => amount([x, y, w, h], &mut canvas)?,
            "payment-password" => boxes([x + 72, y, w - 72, h], 16, &mut canvas),
            "seal" => canvas.frame([x, y, w, h], 1, TINT),
            _ => canvas.fill(x, y + h, w, 1, WORKS),
        }
    }
    for field in &template.fields {
        let [x, y, w, h] = area(field.area);
        canvas.fill(x, y + h, w, 1, WORKS);
    }
    for stock in &template.stock_text {
        let place = [dots(stock.x), dots(stock.y)];
        let size = match dots(stock.height) {
            48.. => (Font::Large, 2),
            22.. => (Font::Large, 1),
            _ => (Font::Small, 1),
        };
        text(&mut canvas, &stock.text, place, size, WORKS)?;
    }
    for place in &template.numbers {
        digits(&number.prefix.to_string(), place.row1, &mut canvas)?;
        digits(&number.serial.to_string(), place.row2, &mut canvas)?;
    }
    Ok(canvas)
}

/// Fine waves, the tint of security paper.
fn waves(canvas: &mut Canvas) -> Result<(), PaperError> {
    /// One period of the wave in dots of height, a row of it every 12 dots.
    const WAVE: [usize; 16] = [4, 5, 6, 7, 7, 7, 6, 5, 4, 3, 2, 1, 1, 1, 2, 3];
    for x in 0..canvas.width() {
        let lift = WAVE.get(x / 3 % WAVE.len()).copied().unwrap_or(0);
        for y in (0..canvas.height().saturating_sub(8)).step_by(12) {
            canvas.set(x, y + lift, TINT)?;
        }
    }
    Ok(())
}

/// A row of text in one colour, every cell `factor` times as large.
fn text(
    canvas: &mut Canvas,
    text: &str,
    [mut x, y]: [usize; 2],
    (font, factor): (Font, usize),
    colour: u8,
) -> Result<(), PaperError> {
    for character in text.chars() {
        let cell = glyph::cell(character, font)?;
        let columns = font.columns(character);
        for row in 0..font.rows() {
            for column in (0..columns).filter(|column| cell(*column, row)) {
                let at = [x + column * factor, y + row * factor];
                canvas.fill(at[0], at[1], factor, factor, colour);
            }
        }
        x += columns * factor;
    }
    Ok(())
}

/// Eight digits spread over a row of the number box.
fn digits(row: &str, place: Rect, canvas: &mut Canvas) -> Result<(), PaperError> {
    let [x, y, w, h] = area(place);
    let pitch = w / row.len().max(1);
    for (index, digit) in row.chars().enumerate() {
        let at = [
            x + index * pitch + pitch.saturating_sub(16) / 2,
            y + h.saturating_sub(32) / 2,
        ];
        text(
            canvas,
            digit.encode_utf8(&mut [0; 4]),
            at,
            (Font::Small, 2),
            NUMBER,
        )?;
    }
    Ok(())
}

/// Boxes side by side.
fn boxes([x, y, w, h]: [usize; 4], count: usize, canvas: &mut Canvas) {
    let each = w / count.max(1);
    for index in 0..count {
        canvas.frame([x + index * each, y, each + 1, h], 1, WORKS);
    }
}

/// The amount: words at the left, a grid from 亿 to 分 at the right.
fn amount([x, y, w, h]: [usize; 4], canvas: &mut Canvas) -> Result<(), PaperError> {
    const UNITS: &str = "亿千百十万千百十元角分";
    const CELL: usize = 32;
    let count = UNITS.chars().count();
    canvas.frame([x, y, w, h], 1, WORKS);
    let left = (x + w).saturating_sub(CELL * count);
    boxes([left, y, CELL * count, h], count, canvas);
    canvas.fill(left, y + 24, CELL * count, 1, WORKS);
    for (index, unit) in UNITS.chars().enumerate() {
        let at = [left + index * CELL + 8, y + 4];
        text(
            canvas,
            unit.encode_utf8(&mut [0; 4]),
            at,
            (Font::Small, 1),
            WORKS,
        )?;
    }
    Ok(())
}
