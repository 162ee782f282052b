//! Printer bytes back into pixels: what you see is what the printer would get.
//!
//! Owns the dot canvas (8 dots a millimetre), the decoders of the ESC/POS,
//! ESC/P2 and PR2 subsets we print with, and the previews of receipts and forms. Refuses: command bytes
//! it does not know (all are listed), a character without a glyph, ink off the
//! paper. Called by the twins, by tests and by the command line. Glyphs are GNU
//! Unifont's 16x16 bitmaps (OFL 1.1, see NOTICE).

pub mod canvas;
pub mod command;
pub mod escp2;
mod glyph;
mod ink;
pub mod pr2;
mod render;
mod stock;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::{self, FormTemplate};

use self::canvas::{Canvas, Colour};
pub use self::ink::{Ink, InkError};
use self::render::Renderer;

/// Dots a millimetre (203 dpi).
pub const DOTS_PER_MM: u32 = 8;
/// Width of receipt paper's printable area in dots: 48 columns.
pub const RECEIPT_WIDTH: usize = 576;
/// Longest receipt in dots: two metres.
pub const RECEIPT_HEIGHT_MAX: usize = 16_000;

/// Why bytes cannot be shown as paper.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    /// The font has no such character.
    #[error("no glyph for U+{:04X}: change the text", u32::from(*.0))]
    NoGlyph(char),
    /// Bytes no command begins with, hex, in order.
    #[error("unknown printer commands: {0}")]
    Unknown(String),
    /// Text that is not GB18030.
    #[error("text bytes are not GB18030")]
    BadText,
    /// No form template for this kind of number.
    #[error("no form template for this kind of bill")]
    NoTemplate,
    /// Ink outside the paper.
    #[error("ink at {x},{y} dots lies off the paper: move the field")]
    OffPaper {
        /// Dots from the left.
        x: usize,
        /// Dots from the top.
        y: usize,
    },
    /// QR data that fits no symbol.
    #[error("data does not fit a QR symbol")]
    Qr,
    /// The picture could not be encoded.
    #[error("picture not encoded: {0}")]
    Png(String),
}

/// White around a receipt's preview, in dots.
const MARGIN: usize = 24;

/// A receipt as a two-colour PNG, as long as its text, with a margin around.
pub fn receipt_png(bytes: &[u8]) -> Result<Vec<u8>, PaperError> {
    let mut renderer = Renderer::receipt();
    renderer.run(bytes)?;
    let canvas = renderer.finish().within(MARGIN);
    canvas.png(&[Colour(255, 255, 255), Colour(20, 20, 20)])
}

/// A receipt's dots, row by row, with the width of a row: 1 is ink.
#[cfg(test)]
pub(crate) fn receipt_dots(bytes: &[u8]) -> Result<(usize, Vec<u8>), PaperError> {
    let mut renderer = Renderer::receipt();
    renderer.run(bytes)?;
    let canvas = renderer.finish();
    let (width, height) = (canvas.width(), canvas.height());
    let row = |y| (0..width).map(move |x| (x, y));
    let dots = (0..height).flat_map(row).map(|(x, y)| canvas.dot(x, y));
    Ok((width, dots.collect()))
}

/// The texts in `bytes` in the order they come; what cannot be decoded is left out.
pub fn texts(bytes: &[u8]) -> Vec<String> {
    let mut rest = bytes;
    let mut found = Vec::new();
    loop {
        let taken = match command::next(rest) {
            command::Step::Command(command::Command::Text(run), taken) => {
                found.extend(render::decode(&run));
                taken
            }
            command::Step::Command(_, taken) | command::Step::Unknown(taken) => taken,
            command::Step::NeedMore => return found,
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// A form as a PNG of 8 dots a millimetre: the blank of `template` drawn in
/// light colours, what `bytes` print on it in dark blue.
pub fn form_png(
    template: &FormTemplate,
    number: BillNumber,
    bytes: &[u8],
) -> Result<Vec<u8>, PaperError> {
    form_canvas(template, number, bytes)?.png(&stock::PALETTE)
}

fn form_canvas(
    template: &FormTemplate,
    number: BillNumber,
    bytes: &[u8],
) -> Result<Canvas, PaperError> {
    let mut renderer = Renderer::page(stock::blank(template, number)?);
    renderer.run(bytes)?;
    Ok(renderer.finish())
}

/// As [`form_png`], with the template of the number's own kind.
pub fn form_preview(number: BillNumber, bytes: &[u8]) -> Result<Vec<u8>, PaperError> {
    form_png(&template_of(number)?, number, bytes)
}

/// Where there is ink on the form; `None` without any.
pub fn form_ink(number: BillNumber, bytes: &[u8]) -> Result<Option<Ink>, PaperError> {
    let template = template_of(number)?;
    let canvas = form_canvas(&template, number, bytes)?;
    Ok(Ink::on(&canvas, 8, &template, texts(bytes)))
}

/// The template of the number's own kind.
fn template_of(number: BillNumber) -> Result<FormTemplate, PaperError> {
    let kind = number.prefix.kind().ok();
    let id = kind
        .and_then(form::template_for)
        .ok_or(PaperError::NoTemplate)?;
    form::template(id).map_err(|_| PaperError::NoTemplate)
}

/// A row of text as rows of bits, 24 high, most significant bit left; for texts a
/// printer's own font may lack.
pub fn line_dots(text: &str) -> Result<Vec<Vec<u8>>, PaperError> {
    render::line_dots(text, glyph::Font::Large)
}

/// The same, 16 high.
pub fn small_line_dots(text: &str) -> Result<Vec<Vec<u8>>, PaperError> {
    render::line_dots(text, glyph::Font::Small)
}

#[cfg(test)]
mod tests;
