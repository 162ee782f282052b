//! `expect …`: what must be so, at once or within some time.

use std::time::Duration;

use counterfoil_backend::core::record::stock::BlankState;
use counterfoil_tui::custody::model::CustodyBody;
use counterfoil_tui::model::Body;
use counterfoil_tui::station::model::StationBody;

use super::{Expectation, Names, Parser, ScriptError, Verb, suggestion};

/// Screen of an actor whose terminal has no power.
pub const DARK: &str = "Dark";

/// Every public screen name.
pub fn screen_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = Body::NAMES.to_vec();
    names.extend(StationBody::NAMES);
    names.extend(CustodyBody::NAMES);
    names.push(DARK);
    names
}

impl Parser<'_> {
    pub(super) fn expect(&self, rest: &str) -> Result<Verb, ScriptError> {
        let (what, within) = match rest.rsplit_once(" within ") {
            // Inside a text or a list it is a word like any other.
            Some((what, time)) if !time.contains(['"', ']']) => {
                (what.trim(), self.duration(time.trim())?)
            }
            _ => (rest, Duration::ZERO),
        };
        let words: Vec<&str> = what.split_whitespace().collect();
        let number = |text: &str| {
            text.parse()
                .map_err(|_| self.error(text, format!("`{text}` is not a number")))
        };
        let expectation = match words.as_slice() {
            ["screen", name] => Expectation::Screen(self.screen_name(name)?),
            ["effects", ..] => Expectation::Effects(self.list(what)?),
            ["text", ..] => Expectation::Text(self.quoted(what)?),
            ["no", "text", ..] => Expectation::NoText(self.quoted(what)?),
            ["counter", device, counter, "=", value] => {
                Names::device(device).map_err(|what| self.error(device, what))?;
                Expectation::Counter((*device).to_owned(), (*counter).to_owned(), number(value)?)
            }
            ["books", "balance"] => Expectation::Books,
            ["blanks", state, "=", value] => {
                Expectation::Blanks(self.blank_state(state)?, number(value)?)
            }
            _ => {
                return Err(self.error(
                    rest,
                    "expect: screen NAME | text \"…\" | no text \"…\" | counter DEVICE NAME = N | blanks STATE = N | effects [a, b] | books balance, then optionally `within 3s`",
                ));
            }
        };
        Ok(Verb::Expect(expectation, within))
    }

    fn quoted(&self, text: &str) -> Result<String, ScriptError> {
        let inner = text
            .split_once('"')
            .and_then(|(_, rest)| rest.strip_suffix('"'));
        inner
            .map(str::to_owned)
            .ok_or_else(|| self.error(text, "text stands in double quotes"))
    }

    fn screen_name(&self, name: &str) -> Result<String, ScriptError> {
        self.one_of("screen", name, &screen_names())
    }

    fn blank_state(&self, name: &str) -> Result<String, ScriptError> {
        let names: Vec<String> = BlankState::ALL.iter().map(|s| format!("{s:?}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.one_of("state", name, &names)
    }

    fn one_of(&self, what: &str, name: &str, known: &[&str]) -> Result<String, ScriptError> {
        if known.contains(&name) {
            return Ok(name.to_owned());
        }
        let (near, known) = (suggestion(name, known), known.join(", "));
        Err(self.error(name, format!("no {what} `{name}`{near}; there are {known}")))
    }

    /// `[a, b]`: whole effect lines, separated by commas.
    fn list(&self, text: &str) -> Result<Vec<String>, ScriptError> {
        let inner = text
            .split_once('[')
            .and_then(|(_, rest)| rest.trim_end().strip_suffix(']'));
        let inner = inner.ok_or_else(|| {
            self.error(
                text,
                "effects stand in brackets: `[linked …, sale-closed …]`",
            )
        })?;
        Ok(inner
            .split(',')
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect())
    }
}
