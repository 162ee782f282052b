//! The words of one session's language, and what screens say often.

use counterfoil_data::bill::BillRange;
use counterfoil_data::fmt;
use counterfoil_data::locale::{Lang, Msg, text};
use counterfoil_data::money::Fen;
use counterfoil_data::shown::Shown;
use counterfoil_data::wire::sale::OrderItem;

use super::page::Span;
use crate::model::Language;
use crate::theme::Role;

/// Ranges listed on one screen at most; the rest is counted.
const RANGES_MAX: usize = 4;

/// Cells of one value at most; a page wraps what is longer than a row.
const VALUE_CELLS_MAX: usize = 200;

/// Text that may have come from outside, safe to draw.
pub fn cleaned(text: &str) -> String {
    Shown::from_untrusted(text, VALUE_CELLS_MAX).to_string()
}

/// Says things in one language.
#[derive(Debug, Clone, Copy)]
pub struct Words(Lang);

impl Words {
    /// In the session's language.
    pub fn of(language: Language) -> Self {
        Self(match language {
            Language::ZhHans => Lang::ZhHans,
            Language::En => Lang::En,
        })
    }

    /// The message without arguments.
    pub fn say(self, msg: impl Into<Msg>) -> String {
        text(self.0, msg.into(), &[])
    }

    /// The message with arguments, which are cleaned: some came from outside.
    pub fn with(self, msg: Msg, args: &[(&str, &str)]) -> String {
        let clean: Vec<(&str, String)> = args.iter().map(|(k, v)| (*k, cleaned(v))).collect();
        let args: Vec<(&str, &str)> = clean.iter().map(|(k, v)| (*k, v.as_str())).collect();
        text(self.0, msg, &args)
    }

    /// Sentences one after the other: Chinese ones need no space between.
    pub fn join(self, sentences: &[String]) -> String {
        sentences.join(match self.0 {
            Lang::ZhHans => "",
            Lang::En => " ",
        })
    }

    /// Things of which any will do, in one line.
    pub fn list(self, things: &[String]) -> String {
        things.join(match self.0 {
            Lang::ZhHans => "、",
            Lang::En => ", ",
        })
    }

    /// Money, or "no charge".
    pub fn fee(self, fee: Fen) -> String {
        if fee == Fen::ZERO {
            self.say(Msg::FeeNone)
        } else {
            fmt::money(self.0, fee)
        }
    }

    /// A fact: its label and a plain value, cleaned.
    pub fn fact(self, label: Msg, value: impl AsRef<str>) -> (String, Span) {
        (self.say(label), Span::plain(cleaned(value.as_ref())))
    }

    /// A fact whose value people compare or pay, cleaned.
    pub fn figure(self, label: Msg, value: impl AsRef<str>) -> (String, Span) {
        let value = cleaned(value.as_ref());
        (self.say(label), Span::of(Role::Figure, value))
    }

    /// Ranges, one fact each, the label only on the first.
    pub fn ranges(self, label: Msg, ranges: &[BillRange]) -> Vec<(String, Span)> {
        let mut facts: Vec<(String, Span)> = Vec::new();
        for range in ranges.iter().take(RANGES_MAX) {
            let name = if facts.is_empty() {
                self.say(label)
            } else {
                String::new()
            };
            let count = self.with(Msg::Forms, &[("count", &range.count().to_string())]);
            facts.push((
                name,
                Span::of(Role::Figure, format!("{}  {count}", fmt::range(*range))),
            ));
        }
        let rest = ranges.len().saturating_sub(RANGES_MAX);
        if rest > 0 {
            facts.push((String::new(), Span::plain(format!("+ {rest}"))));
        }
        facts
    }

    /// What is ordered: a kind and its quantity each.
    pub fn items(self, items: &[OrderItem]) -> Vec<(String, Span)> {
        let quantity =
            |item: &OrderItem| self.with(Msg::Forms, &[("count", &item.quantity.to_string())]);
        items
            .iter()
            .map(|item| (self.say(item.kind), Span::of(Role::Figure, quantity(item))))
            .collect()
    }

    /// The key hints of a page: key and what it does.
    pub fn keys(self, keys: &[(&str, Msg)]) -> String {
        let hints: Vec<String> = keys
            .iter()
            .map(|(key, does)| format!("{key} {}", self.say(*does)))
            .collect();
        hints.join("   ")
    }
}
