//! What makes a template sound: everything on the stock, no field where nothing is
//! printed, and by the kind of bill what must be kept free and how it is written.

use std::collections::BTreeSet;

use super::{FIELDS_MAX, FieldFormat, FormError, FormField, FormTemplate, Rect, SIDE_MAX};
use crate::bill::BillKind;

/// What the drawer writes on a cheque, and the kiosk never.
const DRAWERS_FIELDS: [&str; 4] = ["amount", "issue_date", "payee", "purpose"];
/// What no template of a cheque may leave unprotected.
const CHEQUE_AREAS: [&str; 6] = [
    "micr-band",
    "number-box",
    "issue-date",
    "payee",
    "amount",
    "seal",
];
/// The same for a bill that the bank itself issues.
const BANK_AREAS: [&str; 3] = ["micr-band", "number-box", "seal"];

impl FormTemplate {
    pub(super) fn check(&self) -> Result<(), FormError> {
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
        self.check_kind()
    }

    /// The areas this kind's stock has are kept free, and nothing is written that
    /// is not the kiosk's to write, or in another way than the law asks for.
    fn check_kind(&self) -> Result<(), FormError> {
        let kind = self.kind;
        let cheque = is_cheque(kind);
        let areas: &[&'static str] = if cheque { &CHEQUE_AREAS } else { &BANK_AREAS };
        for area in areas {
            if !self.restricted.iter().any(|r| r.name == *area) {
                return Err(FormError::Unprotected { kind, area });
            }
        }
        for field in &self.fields {
            let drawers = DRAWERS_FIELDS.contains(&field.name.as_str());
            if cheque && (drawers || field.format != FieldFormat::Text) {
                let field = field.name.clone();
                return Err(FormError::NotOurs { kind, field });
            }
            let (needed, format) = match field.name.as_str() {
                "amount" => (FieldFormat::AmountWords, "amount-words"),
                "issue_date" => (FieldFormat::DateWords, "date-words"),
                _ => continue,
            };
            if field.format != needed {
                let field = field.name.clone();
                return Err(FormError::NotInCapitals {
                    kind,
                    field,
                    format,
                });
            }
        }
        Ok(())
    }
}

/// Whether the customer draws it: amount, date and payee are not the bank's.
fn is_cheque(kind: BillKind) -> bool {
    matches!(
        kind,
        BillKind::CashCheque | BillKind::TransferCheque | BillKind::SorterCheque
    )
}

impl FormField {
    fn is_sound(&self) -> bool {
        let falling = self.font_heights.is_sorted_by(|a, b| a > b);
        let fits = |height: &u32| *height > 0 && *height <= self.area.height;
        let lines = (1..=2).contains(&self.lines_max);
        falling && lines && !self.font_heights.is_empty() && self.font_heights.iter().all(fits)
    }
}
