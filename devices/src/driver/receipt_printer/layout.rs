//! A receipt as lines of 48 columns, and its bytes.

use zeroize::Zeroize as _;

use super::PrintFault;
use crate::driver::escpos::command::{self, LINE_FEED};
use crate::driver::escpos::text::{self, TextError};
use crate::paper;

/// Columns of 80 mm paper with font A.
pub const COLUMNS: usize = 48;
/// Lines of a receipt at most.
pub const LINES_MAX: usize = 400;
/// Bytes a secret row may take with all around it.
const SECRET_ROOM: usize = 256;
/// Dots a QR module.
const QR_DOTS: u8 = 5;

/// Modules of white around a QR symbol.
const QUIET: usize = 4;
/// Rows of one picture.
const BAND: usize = 24;

/// How QR symbols are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Symbols {
    /// GS ( k: the printer draws them.
    #[default]
    Native,
    /// As pictures: for printers that have none.
    Pictures,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// One line of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptLine {
    /// Text; longer than the paper is wide, it goes on in the next line.
    Text {
        /// What.
        text: String,
        /// Where.
        align: Align,
        /// 1 normal to 4, both ways.
        size: u8,
        /// Emphasised.
        bold: bool,
    },
    /// Text that is for paper alone, at the left (I7).
    Secret(SecretRow),
    /// A line across.
    Rule,
    /// A QR symbol in the middle; at most 700 bytes, printable characters only.
    Qr(String),
    /// Empty lines.
    Feed(u8),
}

/// A row that no other text shows, and that is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretRow(String);

impl SecretRow {
    /// Takes it in.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for SecretRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretRow(***)")
    }
}

impl Drop for SecretRow {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ReceiptLine {
    /// Normal text at the left.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text {
            text: text.into(),
            align: Align::Left,
            size: 1,
            bold: false,
        }
    }

    /// A large bold title in the middle.
    pub fn title(text: impl Into<String>) -> Self {
        Self::Text {
            text: text.into(),
            align: Align::Centre,
            size: 2,
            bold: true,
        }
    }
}

/// A whole receipt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptDocument {
    /// From top to bottom, at most 400 (`LINES_MAX`).
    pub lines: Vec<ReceiptLine>,
}

impl ReceiptDocument {
    /// Bytes without the cut.
    ///
    /// # Errors
    /// [`PrintFault::CharSetData`] for a control character or one without any
    /// glyph, [`PrintFault::MediaOverflow`] for too much.
    pub fn encode(&self) -> Result<Vec<u8>, PrintFault> {
        self.encode_with(Symbols::Native)
    }

    /// The same, for a printer without QR symbols too.
    ///
    /// # Errors
    /// As [`ReceiptDocument::encode`].
    pub fn encode_with(&self, symbols: Symbols) -> Result<Vec<u8>, PrintFault> {
        if self.lines.len() > LINES_MAX {
            return Err(PrintFault::MediaOverflow);
        }
        // Room for a sheet of secrets, so that growing leaves no copy of one behind.
        let secret = |line: &&ReceiptLine| matches!(line, ReceiptLine::Secret(_));
        let secrets = self.lines.iter().filter(secret).count();
        let mut bytes = Vec::with_capacity(secrets.saturating_mul(SECRET_ROOM));
        bytes.extend(command::INITIALISE);
        bytes.extend(command::INTERNATIONAL_USA);
        bytes.extend(command::CHINESE_ON);
        for line in &self.lines {
            match line {
                ReceiptLine::Text {
                    text,
                    align,
                    size,
                    bold,
                } => {
                    bytes.extend(command::justify(match align {
                        Align::Left => 0,
                        Align::Centre => 1,
                        Align::Right => 2,
                    }));
                    bytes.extend(command::emphasis(*bold));
                    bytes.extend(command::size(*size));
                    let columns = COLUMNS.checked_div(usize::from((*size).clamp(1, 4)));
                    for row in wrap(text, columns.unwrap_or(COLUMNS)) {
                        bytes.extend(row_bytes(row)?);
                    }
                }
                ReceiptLine::Secret(SecretRow(text)) => {
                    bytes.extend(plain());
                    for row in wrap(text, COLUMNS) {
                        let mut row = row_bytes(row)?;
                        bytes.extend(&row);
                        row.zeroize();
                    }
                }
                ReceiptLine::Rule => {
                    bytes.extend(plain());
                    bytes.extend([b'-'; COLUMNS]);
                    bytes.push(LINE_FEED);
                }
                ReceiptLine::Qr(data) => {
                    if data.chars().any(char::is_control) {
                        return Err(PrintFault::CharSetData);
                    }
                    bytes.extend(plain());
                    bytes.extend(command::justify(1));
                    let symbol = match symbols {
                        Symbols::Native => command::qr(data.as_bytes(), QR_DOTS),
                        Symbols::Pictures => qr_picture(data),
                    };
                    bytes.extend(symbol.ok_or(PrintFault::MediaOverflow)?);
                }
                ReceiptLine::Feed(count) => bytes.extend(command::feed_lines(*count)),
            }
        }
        Ok(bytes)
    }
}

/// The symbol as a picture: level M with its quiet zone, [`QR_DOTS`] a module.
fn qr_picture(data: &str) -> Option<Vec<u8>> {
    if data.is_empty() || data.len() > command::QR_MAX {
        return None;
    }
    let level = qrcode::EcLevel::M;
    let code = qrcode::QrCode::with_error_correction_level(data, level).ok()?;
    let modules = code.width();
    let colours = code.to_colors();
    let dots = usize::from(QR_DOTS);
    let side = modules.checked_add(2 * QUIET)?.checked_mul(dots)?;
    let module = |dot: usize| dot.checked_div(dots)?.checked_sub(QUIET);
    let dark = |x: usize, y: usize| {
        let (x, y) = (module(x)?, module(y)?);
        let at = y.checked_mul(modules)?.checked_add(x)?;
        let dark = x < modules && colours.get(at) == Some(&qrcode::Color::Dark);
        dark.then_some(())
    };
    let mut rows = vec![vec![0_u8; side.div_ceil(8)]; side];
    for (y, row) in rows.iter_mut().enumerate() {
        for x in (0..side).filter(|x| dark(*x, y).is_some()) {
            let bit = 0x80_u8.checked_shr(u32::try_from(x % 8).ok()?)?;
            *row.get_mut(x / 8)? |= bit;
        }
    }
    // A wide picture fills a small printer's buffer: bands of text height.
    let bands = rows.chunks(BAND).map(command::raster);
    Some(bands.collect::<Option<Vec<_>>>()?.concat())
}

/// Left, light, normal size.
fn plain() -> Vec<u8> {
    [
        command::justify(0),
        command::emphasis(false),
        command::size(1),
    ]
    .concat()
}

/// One row as characters, or as a picture where the printer's font may lack one.
fn row_bytes(row: &str) -> Result<Vec<u8>, PrintFault> {
    match text::encode(row) {
        Ok(mut bytes) => {
            bytes.push(LINE_FEED);
            Ok(bytes)
        }
        Err(TextError::NotInFont(_)) => {
            let rows = paper::line_dots(row).map_err(|_| PrintFault::CharSetData)?;
            command::raster(&rows).ok_or(PrintFault::MediaOverflow)
        }
        Err(TextError::Control(_)) => Err(PrintFault::CharSetData),
        Err(TextError::TooLong(_)) => Err(PrintFault::MediaOverflow),
    }
}

/// Rows of at most `columns`, broken between characters; an empty text is one
/// empty row.
fn wrap(text: &str, columns: usize) -> Vec<&str> {
    let mut rows = Vec::new();
    let (mut start, mut used) = (0, 0_usize);
    for (at, character) in text.char_indices() {
        let wide = if character.is_ascii() { 1 } else { 2 };
        if used.saturating_add(wide) > columns {
            rows.push(text.get(start..at).unwrap_or_default());
            (start, used) = (at, 0);
        }
        used = used.saturating_add(wide);
    }
    rows.push(text.get(start..).unwrap_or_default());
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_wider_than_the_paper_goes_on_in_the_next_line() {
        let name = "样例".repeat(20);
        let rows = wrap(&name, COLUMNS);
        assert_eq!(rows.concat(), name);
        assert_eq!(rows.iter().map(|r| text::columns(r)).max(), Some(COLUMNS));
    }

    #[test]
    fn a_name_outside_the_printers_font_becomes_a_picture() {
        let bytes = row_bytes("王¥").expect("unifont has it");
        assert_eq!(bytes.get(..4), Some(&[0x1D, 0x76, 0x30, 0x00][..]));
        assert_eq!(row_bytes("𠮷"), Err(PrintFault::CharSetData));
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_paper(text in "\\PC{0,120}", columns in 2_usize..60) {
            let rows = wrap(&text, columns);
            prop_assert_eq!(rows.concat(), text.as_str());
            prop_assert!(rows.iter().all(|r| text::columns(r) <= columns));
        }
    }
}
