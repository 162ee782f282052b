//! `expect …`: what must be so, at once or within some time.

use std::time::Duration;

use counterfoil_tui::model::Body;
use counterfoil_tui::station::model::StationBody;

use super::word::nearest;
use super::{Expectation, Parser, ScriptError, Verb};

/// Screen of an actor whose terminal has no power.
pub const DARK: &str = "Dark";

/// Every public screen name.
pub fn screen_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = Body::NAMES.to_vec();
    names.extend(StationBody::NAMES);
    names.push(DARK);
    names
}

impl Parser<'_> {
    pub(super) fn expect(&self, rest: &str, column: usize) -> Result<Verb, ScriptError> {
        let (what, within) = match rest.rsplit_once(" within ") {
            Some((what, time)) => (what.trim(), self.duration(time.trim(), column)?),
            None => (rest, Duration::ZERO),
        };
        let words: Vec<&str> = what.split_whitespace().collect();
        let number = |text: &str| {
            text.parse()
                .map_err(|_| self.error(column, format!("`{text}` is not a number")))
        };
        let expectation = match words.as_slice() {
            ["screen", name] => Expectation::Screen(self.screen_name(name, column)?),
            ["effects", ..] => Expectation::Effects(self.list(what, column)?),
            ["text", ..] => Expectation::Text(self.quoted(what, column)?),
            ["no", "text", ..] => Expectation::NoText(self.quoted(what, column)?),
            ["counter", device, counter, "=", value] => {
                Expectation::Counter((*device).to_owned(), (*counter).to_owned(), number(value)?)
            }
            ["books", "balance"] => Expectation::Books,
            ["blanks", state, "=", value] => {
                Expectation::Blanks((*state).to_owned(), number(value)?)
            }
            _ => {
                return Err(self.error(
                    column,
                    "expect: screen NAME | text \"…\" | no text \"…\" | counter DEVICE NAME = N | blanks STATE = N | effects [a, b] | books balance, then optionally `within 3s`",
                ));
            }
        };
        Ok(Verb::Expect(expectation, within))
    }

    fn quoted(&self, text: &str, column: usize) -> Result<String, ScriptError> {
        let inner = text
            .split_once('"')
            .and_then(|(_, rest)| rest.strip_suffix('"'));
        inner
            .map(str::to_owned)
            .ok_or_else(|| self.error(column, "text stands in double quotes"))
    }

    fn screen_name(&self, name: &str, column: usize) -> Result<String, ScriptError> {
        let names = screen_names();
        if names.contains(&name) {
            return Ok(name.to_owned());
        }
        let near = nearest(name, &names)
            .map(|n| format!("; did you mean `{n}`?"))
            .unwrap_or_default();
        Err(self.error(column, format!("no screen `{name}`{near}")))
    }

    /// `[a, b]`: whole effect lines, separated by commas.
    fn list(&self, text: &str, column: usize) -> Result<Vec<String>, ScriptError> {
        let inner = text
            .split_once('[')
            .and_then(|(_, rest)| rest.trim_end().strip_suffix(']'));
        let inner = inner.ok_or_else(|| {
            self.error(
                column,
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
