//! What a test or a person reads about each sheet, and the files it leaves.
//!
//! `sheets.jsonl` gets a line whenever a sheet changes place, so the last line of
//! a number is where it is; `form-<number>.png` is drawn from the bytes when an
//! inked sheet leaves the head.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use counterfoil_data::bill::BillNumber;

use super::path::{Place, Sheet};
use crate::paper::{self, Ink, PaperError};

/// How a printer's bytes are read off its sheets.
#[derive(Debug, Clone, Copy)]
pub struct Language {
    /// The texts in them.
    pub texts: fn(&[u8]) -> Vec<String>,
    /// The sheet as a PNG.
    pub draw: fn(BillNumber, &[u8]) -> Result<Vec<u8>, PaperError>,
    /// Where there is ink on it.
    pub ink: fn(BillNumber, &[u8]) -> Result<Option<Ink>, PaperError>,
}

/// ESC/POS.
pub const ESC_POS: Language = Language {
    texts: paper::texts,
    draw: paper::form_preview,
    ink: paper::form_ink,
};

/// One sheet.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SheetRecord {
    /// The number printed by the works.
    pub number: BillNumber,
    /// Texts that were inked, in the order they came.
    pub inked: Vec<String>,
    /// Whether a jam cut the ink short.
    pub partial: bool,
    /// Where it is now.
    pub place: Place,
}

impl SheetRecord {
    /// Reads it off the sheet.
    pub(super) fn of(sheet: &Sheet, language: Language) -> Self {
        let texts = |page: &Vec<u8>| (language.texts)(page);
        Self {
            number: sheet.number,
            inked: sheet.pages.iter().flat_map(texts).collect(),
            partial: sheet.partial,
            place: sheet.place,
        }
    }
}

/// Appends the list line; draws the form when it has just left the head.
pub(super) fn write(directory: &Path, sheet: &Sheet, language: Language) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut list = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join("sheets.jsonl"))?;
    let mut line =
        serde_json::to_vec(&SheetRecord::of(sheet, language)).map_err(io::Error::other)?;
    line.push(b'\n');
    list.write_all(&line)?;
    let left_head = matches!(sheet.place, Place::Escrow | Place::Reject | Place::Output);
    if sheet.pages.is_empty() || !left_head {
        return Ok(());
    }
    let png = (language.draw)(sheet.number, &sheet.pages.concat()).map_err(io::Error::other)?;
    fs::write(directory.join(format!("form-{}.png", sheet.number)), png)
}
