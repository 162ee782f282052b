//! Form templates (`data/forms/*.toml`, 套打): where a kiosk prints on a blank, where
//! it never does, and whether a job says what the officer confirmed.
//!
//! Owns geometry (0.1 mm from the stock's upper left corner), fitting of texts
//! into fields, and [`follows`], which a printer driver calls before ink. A
//! template whose field touches a restricted area (code line, number box, payee,
//! amount, date, seal) does not load. A sales kiosk prints account name, account,
//! bank name and bank number; never amount, date, payee or seal. Called by the
//! form printer's driver and by the paper preview.

use serde::Deserialize;

use crate::bill::BillKind;

mod check;
mod fit;
mod follow;
mod offset;
mod written;

pub use fit::{FitError, Fitted, width};
pub use follow::{FollowError, expected_fields, follows};
pub use offset::{OFFSET_MAX, Offset, OffsetError};
pub use written::FieldFormat;

/// Fields on a form at most.
pub const FIELDS_MAX: usize = 16;
/// Longest side of a stock, in 0.1 mm.
pub const SIDE_MAX: u32 = 5_000;
/// Gap between two lines of a field, in 0.1 mm.
pub const LINE_GAP: u32 = 4;

const TEMPLATES: [(&str, &str); 3] = [
    ("cash-cheque", include_str!("../forms/cash-cheque.toml")),
    (
        "promissory-note",
        include_str!("../forms/promissory-note.toml"),
    ),
    (
        "transfer-cheque",
        include_str!("../forms/transfer-cheque.toml"),
    ),
];

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// No template of this id.
    #[error("no form template is called {0}")]
    Unknown(String),
    /// Not the shape of the file.
    #[error("the form template does not parse: {0}")]
    Parse(String),
    /// An area leaves the stock, or has no size.
    #[error("{0} lies outside the stock")]
    Outside(String),
    /// A field touches what it must not.
    #[error("field {field} touches {other}: move it")]
    Overlap {
        /// The field.
        field: String,
        /// A restricted area, a number, another field or the stock's own print.
        other: String,
    },
    /// A field is called twice, has no font, or one that its box cannot hold.
    #[error("field {0} needs a name of its own and a font that fits its box")]
    Field(String),
    /// The kind's stock has an area that this template does not keep free.
    #[error("a template of {kind:?} must keep {area} free: add it as a restricted area")]
    Unprotected {
        /// The kind.
        kind: BillKind,
        /// The area's name.
        area: &'static str,
    },
    /// A sales kiosk never writes this on this kind (amount, date, payee).
    #[error("field {field} is the drawer's to write on a {kind:?}: remove it")]
    NotOurs {
        /// The kind.
        kind: BillKind,
        /// The field.
        field: String,
    },
    /// Amount and date of this kind are written in capitals.
    #[error("field {field} of a {kind:?} must have the format {format}")]
    NotInCapitals {
        /// The kind.
        kind: BillKind,
        /// The field.
        field: String,
        /// The format it needs.
        format: &'static str,
    },
}

/// A rectangle in 0.1 mm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Rect {
    /// Right edge.
    pub fn right(self) -> u32 {
        self.x.saturating_add(self.width)
    }

    /// Lower edge.
    pub fn bottom(self) -> u32 {
        self.y.saturating_add(self.height)
    }

    /// Whether the two share area.
    pub fn touches(self, other: Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }
}

/// The blank sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// Width, stub included.
    pub width: u32,
    /// Height.
    pub height: u32,
    /// Width of the stub (存根) at the left.
    pub stub: u32,
}

/// A field the kiosk prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    /// Its name, a field of `ConfirmText`.
    pub name: String,
    /// Its box.
    pub area: Rect,
    /// Font heights, largest first.
    pub font_heights: Vec<u32>,
    /// One or two lines.
    pub lines_max: u8,
    /// How the job's value is written.
    pub format: FieldFormat,
}

/// An area where nothing is ever printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restricted {
    /// Stable name.
    pub name: String,
    /// What stands there, in the field's words.
    pub why: String,
    /// Where.
    pub area: Rect,
}

/// The two rows of a pre-printed number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberPlace {
    /// The prefix.
    pub row1: Rect,
    /// The serial.
    pub row2: Rect,
}

/// Text the stock carries already; for the preview only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockText {
    /// The text.
    pub text: String,
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Font height.
    pub height: u32,
}

impl StockText {
    /// Where it stands.
    pub fn area(&self) -> Rect {
        Rect {
            x: self.x,
            y: self.y,
            width: width(&self.text, self.height),
            height: self.height,
        }
    }
}

/// A template, loaded and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormTemplate {
    /// Its id, as print jobs name it.
    pub id: String,
    /// The kind of bill it is for.
    pub kind: BillKind,
    /// The sheet.
    pub stock: Stock,
    /// What is printed.
    pub fields: Vec<FormField>,
    /// What is kept free.
    pub restricted: Vec<Restricted>,
    /// Where the number stands: main part first, then stub.
    pub numbers: Vec<NumberPlace>,
    /// The stock's own print.
    pub stock_text: Vec<StockText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateFile {
    id: String,
    kind: BillKind,
    stock: Stock,
    fields: Vec<FieldFile>,
    restricted: Vec<RestrictedFile>,
    numbers: Vec<NumberPlace>,
    stock_text: Vec<StockText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    name: String,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    font_heights: Vec<u32>,
    lines_max: u8,
    #[serde(default)]
    format: FieldFormat,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestrictedFile {
    name: String,
    why: String,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// The template called `id`.
pub fn template(id: &str) -> Result<FormTemplate, FormError> {
    let found = TEMPLATES.iter().find(|(name, _)| *name == id);
    let (_, text) = found.ok_or_else(|| FormError::Unknown(id.to_owned()))?;
    FormTemplate::parse(text)
}

/// The id of the template for `kind`; `None` where a kiosk does not print it.
pub fn template_for(kind: BillKind) -> Option<&'static str> {
    match kind {
        BillKind::CashCheque => Some("cash-cheque"),
        BillKind::TransferCheque => Some("transfer-cheque"),
        _ => None,
    }
}

impl FormTemplate {
    /// A template out of TOML, checked.
    pub fn parse(text: &str) -> Result<Self, FormError> {
        let file: TemplateFile =
            toml::from_str(text).map_err(|e| FormError::Parse(e.message().to_owned()))?;
        let fields = file.fields.into_iter().map(|f| FormField {
            area: Rect {
                x: f.x,
                y: f.y,
                width: f.width,
                height: f.height,
            },
            name: f.name,
            font_heights: f.font_heights,
            lines_max: f.lines_max,
            format: f.format,
        });
        let restricted = file.restricted.into_iter().map(|r| Restricted {
            area: Rect {
                x: r.x,
                y: r.y,
                width: r.width,
                height: r.height,
            },
            name: r.name,
            why: r.why,
        });
        let template = Self {
            id: file.id,
            kind: file.kind,
            stock: file.stock,
            fields: fields.collect(),
            restricted: restricted.collect(),
            numbers: file.numbers,
            stock_text: file.stock_text,
        };
        template.check()?;
        Ok(template)
    }

    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&FormField> {
        self.fields.iter().find(|f| f.name == name)
    }
}

#[cfg(test)]
mod tests;
