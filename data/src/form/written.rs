//! How a job's value is written: as it is, or in Chinese capitals (大写) where the
//! law asks for them (支付结算办法, annex 1).

use jiff::civil::Date;
use serde::Deserialize;

use super::{FitError, FormField};
use crate::money::Fen;
use crate::words;

/// The form of a field's value on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldFormat {
    /// As it stands in the job.
    #[default]
    Text,
    /// The job says fen in digits; the paper says `人民币壹仟肆佰零玖元伍角`.
    AmountWords,
    /// The job says `2026-10-20`; the paper says `贰零贰陆年零壹拾月零贰拾日`.
    DateWords,
}

impl FormField {
    /// The text that is printed for the job's `value`.
    ///
    /// # Errors
    /// [`FitError::Format`]: not an amount, or not a date.
    pub fn written(&self, value: &str) -> Result<String, FitError> {
        let written = match self.format {
            FieldFormat::Text => Some(value.to_owned()),
            FieldFormat::AmountWords => fen(value).and_then(words::amount),
            FieldFormat::DateWords => value.parse::<Date>().ok().map(words::date),
        };
        written.ok_or_else(|| FitError::Format {
            field: self.name.clone(),
        })
    }
}

/// Digits only: no sign, no point, no space.
fn fen(value: &str) -> Option<Fen> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| value.parse().ok().map(Fen)).flatten()
}
