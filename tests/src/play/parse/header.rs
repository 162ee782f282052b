//! The first lines of a script: what stands before the first verb.

use jiff::Timestamp;

use super::{Header, Parser, ScriptError, suggestion};
use crate::world::Stand;

/// Words that may begin a header line.
const WORDS: [&str; 8] = [
    "size", "locale", "theme", "clock", "seed", "devices", "backend", "logins",
];
/// Words that are `backend` verbs and therefore end the header.
const BACKEND_VERBS: [&str; 4] = ["kill", "restart", "backup", "restore"];

impl<'a> Parser<'a> {
    pub(super) fn header(&mut self) -> Result<Header, ScriptError> {
        match self.next() {
            Some("play 1") => {}
            first => return Err(self.error(first.unwrap_or(""), "the first line is `play 1`")),
        }
        let mut header = Header {
            size: (80, 24),
            locale: "zh-Hans".to_owned(),
            clock: Timestamp::UNIX_EPOCH,
            seed: 1,
            stand: Stand::Demo,
            logins: false,
        };
        let mut clock = None;
        while let Some(line) = self.peek_header() {
            self.next();
            let words: Vec<&str> = line.split_whitespace().collect();
            for pair in words.chunks(2) {
                let [key, value] = pair else {
                    return Err(self.error(
                        pair.first().copied().unwrap_or(line),
                        "a header line is pairs: `size 80x24 locale zh-Hans clock … seed 1`",
                    ));
                };
                self.pair(&mut header, &mut clock, key, value)?;
            }
        }
        header.clock = clock.ok_or_else(|| {
            let what = "the header needs a clock: `clock 2026-01-15T09:30:00+08:00`";
            self.error("", what)
        })?;
        Ok(header)
    }

    /// The next line, if it belongs to the header.
    fn peek_header(&mut self) -> Option<&'a str> {
        let at = self.at;
        let line = self.next();
        self.at = at;
        let line = line?;
        let mut words = line.split_whitespace();
        let (first, second) = (words.next()?, words.next().unwrap_or_default());
        let is_verb = first == "backend" && BACKEND_VERBS.contains(&second);
        (WORDS.contains(&first) && !is_verb).then_some(line)
    }

    fn pair(
        &self,
        header: &mut Header,
        clock: &mut Option<Timestamp>,
        key: &str,
        value: &str,
    ) -> Result<(), ScriptError> {
        match (key, value) {
            ("size", _) => header.size = self.size(value)?,
            ("locale", "zh-Hans" | "zh-CN") => header.locale = "zh-Hans".to_owned(),
            ("locale", "en") => header.locale = "en".to_owned(),
            ("locale", _) => return Err(self.error(value, "locale is zh-Hans or en")),
            ("clock", _) => {
                let what = "clock is an RFC 3339 time: `clock 2026-01-15T09:30:00+08:00`";
                *clock = Some(value.parse().map_err(|_| self.error(value, what))?);
            }
            ("seed", _) => {
                header.seed = value
                    .parse()
                    .map_err(|_| self.error(value, "seed is a whole number"))?
            }
            ("theme", "default") | ("backend", "demo") => {}
            ("theme", _) => return Err(self.error(value, "theme is default")),
            ("backend", _) => return Err(self.error(value, "backend is demo: the demo bank's")),
            ("logins", "off") => {}
            ("logins", "required") => header.logins = true,
            ("logins", _) => return Err(self.error(value, "logins is off or required")),
            ("devices", _) => {
                header.stand = Stand::named(value).ok_or_else(|| {
                    let near = suggestion(value, &Stand::NAMES);
                    let what = format!("no devices `{value}`{near}: {}", Stand::NAMES.join(", "));
                    self.error(value, what)
                })?;
            }
            (other, _) => {
                let near = suggestion(other, &WORDS);
                return Err(self.error(key, format!("unknown header word `{other}`{near}")));
            }
        }
        Ok(())
    }
}
