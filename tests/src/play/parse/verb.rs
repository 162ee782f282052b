//! One verb and what follows it on its line.

use super::{
    Actor, CONTROLS, Names, Parser, REPEAT_MAX, Region, ScriptError, VERBS, Verb, suggestion,
};

impl<'a> Parser<'a> {
    pub(super) fn verb(&mut self, word: &'a str, rest: &'a str) -> Result<Verb, ScriptError> {
        Ok(match word {
            "as" => Verb::As(Actor::parse(rest, &self.names).ok_or_else(|| {
                let staff = self.names.people().join(", ");
                let what = format!("actors: customer, officer, officer-2, desk, teller, {staff}");
                self.error(rest, what)
            })?),
            "press" => self.press(rest)?,
            "type" => self.typed(rest)?,
            "paste" => Verb::Paste(rest.to_owned()),
            "resize" => {
                let (w, h) = self.size(rest)?;
                Verb::Resize(w, h)
            }
            "device" if rest.is_empty() => {
                return Err(self.error(
                    rest,
                    "name a device and an act: `device id-reader present zhang`",
                ));
            }
            "device" => self.device(rest.split_whitespace().collect())?,
            "backend" | "station" | "staff" => {
                let rest = rest.split_whitespace();
                self.device(std::iter::once(word).chain(rest).collect())?
            }
            "click" => self.click(rest)?,
            "advance" => Verb::Advance(self.duration(rest)?),
            "expect" => self.expect(rest)?,
            "screen" => Verb::Screen(self.region(rest)?, self.block()?),
            "styles" | "effects" if !rest.is_empty() => {
                let what = format!("`{word}` stands alone; its rows follow, each behind `|`");
                return Err(self.error(rest, what));
            }
            "styles" => Verb::Styles(self.block()?),
            "effects" => Verb::Effects(self.block()?),
            "note" => Verb::Note,
            "include" if rest.is_empty() => {
                return Err(self.error(rest, "include which file?"));
            }
            "include" => Verb::Include(rest.to_owned()),
            "|" | "..." => {
                let what = "rows stand behind `|`, under `screen`, `styles` or `effects`";
                return Err(self.error(word, what));
            }
            other => {
                let near = suggestion(other, &VERBS);
                return Err(self.error(word, format!("unknown verb `{other}`{near}")));
            }
        })
    }

    pub(super) fn size(&self, text: &str) -> Result<(u16, u16), ScriptError> {
        let sizes = text
            .split_once('x')
            .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        sizes.ok_or_else(|| self.error(text, format!("`{text}` is not a size such as 80x24")))
    }

    /// `type TEXT`, or `type @NAME` for a secret of the demo bank.
    fn typed(&self, rest: &str) -> Result<Verb, ScriptError> {
        let Some(name) = rest.strip_prefix('@') else {
            return Ok(Verb::Type(rest.to_owned()));
        };
        let known = self.names.secret(name);
        known.map_err(|what| self.error(rest, what))?;
        Ok(Verb::TypeSecret(name.to_owned()))
    }

    fn device(&self, words: Vec<&str>) -> Result<Verb, ScriptError> {
        self.names.act(&words).map_err(|unknown| {
            let word = words.get(unknown.word).copied().unwrap_or_default();
            self.error(word, unknown.what)
        })?;
        Ok(Verb::Device(words.join(" ")))
    }

    fn click(&self, rest: &str) -> Result<Verb, ScriptError> {
        let found = CONTROLS.iter().find(|(name, _)| *name == rest);
        let (_, key) = found.ok_or_else(|| {
            let names = CONTROLS.map(|(name, _)| name);
            let near = suggestion(rest, &names);
            self.error(
                rest,
                format!("no control `{rest}`{near}: {}", names.join(", ")),
            )
        })?;
        Ok(Verb::Press((*key).to_owned(), 1))
    }

    fn region(&self, rest: &str) -> Result<Region, ScriptError> {
        Ok(match rest {
            "" => Region::Whole,
            "region=title" => Region::Title,
            "region=body" => Region::Body,
            "region=footer" => Region::Footer,
            _ => {
                return Err(self.error(rest, "regions: region=title, region=body, region=footer"));
            }
        })
    }

    fn press(&self, rest: &str) -> Result<Verb, ScriptError> {
        let (keys, times) = match rest.rsplit_once(" x") {
            Some((keys, times)) if times.bytes().all(|b| b.is_ascii_digit()) => {
                (keys, times.parse().unwrap_or(0))
            }
            _ => (rest, 1),
        };
        if keys.is_empty() || times == 0 || times > REPEAT_MAX {
            return Err(self.error(
                rest,
                format!("`press KEY…` or `press KEY xN`, N from 1 to {REPEAT_MAX}"),
            ));
        }
        for key in keys.split_whitespace() {
            Names::key(key).map_err(|what| self.error(key, what))?;
        }
        Ok(Verb::Press(keys.to_owned(), times))
    }
}
