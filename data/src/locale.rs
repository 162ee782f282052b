//! What people read, in both languages (`data/locales/messages.toml`).
//!
//! Owns the texts, their keys ([`Msg`]) and which message stands for a rule, a
//! remedy, a kind or a state. The language is a value of the session, never a
//! global. Refuses to format numbers, dates and money: that is [`crate::fmt`].
//! Arguments are put in as they are; callers pass [`crate::shown::Shown`] text for
//! anything that came from outside. Called by every screen and by the receipt.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

#[macro_use]
mod macros;
mod list;
mod of;

pub use list::Msg;
pub use of::rule_message;

const MESSAGES_TOML: &str = include_str!("../locales/messages.toml");

/// A language of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Lang {
    /// 简体中文.
    #[default]
    ZhHans,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ZhHans, Self::En];

    /// The other one, for the language key.
    pub fn other(self) -> Self {
        match self {
            Self::ZhHans => Self::En,
            Self::En => Self::ZhHans,
        }
    }
}

/// One key of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    zh: String,
    en: String,
    /// Widest on screen, without arguments.
    #[serde(default)]
    cells: Option<u16>,
}

impl Entry {
    fn in_language(&self, lang: Lang) -> &str {
        match lang {
            Lang::ZhHans => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// The file, in the order of [`Msg::ALL`]; parsed once, never changed.
fn catalogue() -> &'static [Option<Entry>] {
    static CATALOGUE: OnceLock<Vec<Option<Entry>>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let mut file: BTreeMap<String, Entry> = toml::from_str(MESSAGES_TOML).unwrap_or_default();
        let entries = Msg::ALL.iter().map(|msg| file.remove(msg.key()));
        entries.collect()
    })
}

fn entry(msg: Msg) -> Option<&'static Entry> {
    catalogue().get(msg as usize).and_then(Option::as_ref)
}

/// The message as it stands in the file, with its `{names}`.
pub fn template(lang: Lang, msg: Msg) -> &'static str {
    // A key without an entry cannot be built: a test compares list and file.
    entry(msg).map_or(msg.key(), |e| e.in_language(lang))
}

/// The widest `msg` may be on screen without its arguments, in cells.
pub fn cells(msg: Msg) -> Option<u16> {
    entry(msg).and_then(|e| e.cells)
}

/// The message with its arguments put in. An argument the text does not name is
/// left out; a name without an argument stays visible in its braces.
pub fn text(lang: Lang, msg: Msg, args: &[(&str, &str)]) -> String {
    let mut rest = template(lang, msg);
    let mut out = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match args.iter().find(|(n, _)| *n == name) {
            Some((_, value)) => out.push_str(value),
            None => out.extend(["{", name, "}"]),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
