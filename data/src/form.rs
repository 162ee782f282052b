//! Form templates (`data/forms/*.toml`, 套打): where a kiosk prints on a blank, where
//! it never does, and whether a job says what the officer confirmed.
//!
//! Owns geometry (0.1 mm from the stock's upper left corner), fitting of texts
//! into fields, and [`follows`], which a printer driver calls before ink. A
//! template whose field touches a restricted area (code line, number box, payee,
//! amount, date, seal) does not load. A sales kiosk prints account name, account,
//! bank name and bank number; never amount, date, payee or seal. Called by the
//! form printer's driver and by the paper preview.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::bill::BillKind;

mod fit;
mod follow;

pub use fit::{FitError, Fitted, width};
pub use follow::{FollowError, expected_fields, follows};

/// Fields on a form at most.
pub const FIELDS_MAX: usize = 16;
/// Longest side of a stock, in 0.1 mm.
pub const SIDE_MAX: u32 = 5_000;
/// Gap between two lines of a field, in 0.1 mm.
pub const LINE_GAP: u32 = 4;

const TEMPLATES: [(&str, &str); 2] = [
    ("cash-cheque", include_str!("../forms/cash-cheque.toml")),
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

    fn check(&self) -> Result<(), FormError> {
        let inside = |name: &str, area: Rect| {
            let sized = area.width > 0 && area.height > 0;
            let within = area.right() <= self.stock.width && area.bottom() <= self.stock.height;
            let holds = sized && within && area.x < SIDE_MAX && area.y < SIDE_MAX;
            holds
                .then_some(())
                .ok_or_else(|| FormError::Outside(name.to_owned()))
        };
        if self.stock.width.max(self.stock.height) > SIDE_MAX {
            return Err(FormError::Outside("the stock".into()));
        }
        let mut kept_free: Vec<(String, Rect)> = Vec::new();
        for area in &self.restricted {
            kept_free.push((area.name.clone(), area.area));
        }
        for place in &self.numbers {
            kept_free.push(("the number".into(), place.row1));
            kept_free.push(("the number".into(), place.row2));
        }
        for text in &self.stock_text {
            kept_free.push((text.text.clone(), text.area()));
        }
        for (name, area) in &kept_free {
            inside(name, *area)?;
        }
        let mut names = BTreeSet::new();
        for field in &self.fields {
            inside(&field.name, field.area)?;
            if !names.insert(&field.name) || !field.is_sound() || names.len() > FIELDS_MAX {
                return Err(FormError::Field(field.name.clone()));
            }
            for (other, area) in &kept_free {
                if field.area.touches(*area) {
                    return Err(FormError::Overlap {
                        field: field.name.clone(),
                        other: other.clone(),
                    });
                }
            }
            kept_free.push((field.name.clone(), field.area));
        }
        Ok(())
    }
}

impl FormField {
    fn is_sound(&self) -> bool {
        let falling = self.font_heights.is_sorted_by(|a, b| a > b);
        let fits = |height: &u32| *height > 0 && *height <= self.area.height;
        let lines = (1..=2).contains(&self.lines_max);
        falling && lines && !self.font_heights.is_empty() && self.font_heights.iter().all(fits)
    }
}

#[cfg(test)]
mod tests;
