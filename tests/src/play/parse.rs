//! Script text to steps. Strict: an unknown verb is an error with file, line and
//! column, and a suggestion.

use std::time::Duration;

mod expect;
mod header;
mod word;

use jiff::Timestamp;

use word::nearest;

/// Longest script in lines, and longest line in bytes.
pub const LINES_MAX: usize = 5_000;
/// Longest line in bytes.
pub const LINE_BYTES_MAX: usize = 2_000;
/// Longest time one verb may move the clock.
pub const ADVANCE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Most repeats of one key press.
pub const REPEAT_MAX: u32 = 500;
/// The closed verb list.
pub const VERBS: [&str; 15] = [
    "as", "press", "type", "click", "paste", "resize", "device", "backend", "advance", "expect",
    "screen", "styles", "effects", "note", "include",
];
/// Named controls of `click`, and the key each stands for. Public and versioned.
pub const CONTROLS: [(&str, &str); 5] = [
    ("button:ok", "Enter"),
    ("button:cancel", "Esc"),
    ("button:back", "Esc"),
    ("button:language", "F2"),
    ("button:more-time", "F3"),
];

/// A script that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}")]
pub struct ScriptError {
    /// File name as given.
    pub file: String,
    /// Line from 1.
    pub line: usize,
    /// Column from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub what: String,
}

/// Whose hands act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// At the kiosk.
    Customer,
    /// At the confirm station.
    Officer,
    /// The physical world.
    Desk,
    /// Staff at the counter.
    Teller,
}

impl Actor {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "customer" => Self::Customer,
            "officer" => Self::Officer,
            "desk" => Self::Desk,
            "teller" => Self::Teller,
            _ => return None,
        })
    }
}

/// The first lines of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Columns and rows of every terminal.
    pub size: (u16, u16),
    /// `zh-Hans` or `en`.
    pub locale: String,
    /// Wall clock at the start.
    pub clock: Timestamp,
    /// Seed of all randomness.
    pub seed: u64,
}

/// A part of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// All rows.
    Whole,
    /// The title bar.
    Title,
    /// Everything between title and footer.
    Body,
    /// The last row: key hints and time left.
    Footer,
}

/// One thing to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// The current actor's screen has this public name.
    Screen(String),
    /// The current actor's screen shows this text on one row.
    Text(String),
    /// It does not.
    NoText(String),
    /// A counter of a device twin: name, counter, value.
    Counter(String, String, u64),
    /// The books balance (I1-I6 and the evidence root).
    Books,
    /// Numbers in a state of the books: state, how many.
    Blanks(String, u64),
    /// What happened to money and custody since the last such check, on one line.
    Effects(Vec<String>),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Whose hands act from here on.
    As(Actor),
    /// Keys by name, and how often.
    Press(String, u32),
    /// Characters.
    Type(String),
    /// A bracketed paste.
    Paste(String),
    /// Another terminal size.
    Resize(u16, u16),
    /// A physical act.
    Device(String),
    /// Time passes.
    Advance(Duration),
    /// A check, within some time.
    Expect(Expectation, Duration),
    /// The whole screen, or a region of it.
    Screen(Region, Vec<String>),
    /// The style legend.
    Styles(Vec<String>),
    /// What happened to money and custody since the last such block.
    Effects(Vec<String>),
    /// A remark.
    Note,
    /// Another file's steps come here.
    Include(String),
}

/// A step and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Line from 1 in `file`.
    pub line: usize,
    /// Lines of the block under it, for `bless`: first and one past the last.
    pub block: Option<(usize, usize)>,
    /// What to do.
    pub verb: Verb,
}

/// A parsed script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    /// File name as given.
    pub file: String,
    /// Its first lines.
    pub header: Header,
    /// Its steps in order.
    pub steps: Vec<Step>,
}

struct Parser<'a> {
    file: &'a str,
    lines: Vec<&'a str>,
    at: usize,
}

/// Parses a script.
pub fn parse(file: &str, text: &str) -> Result<Play, ScriptError> {
    let lines: Vec<&str> = text.lines().collect();
    let mut parser = Parser { file, lines, at: 0 };
    if parser.lines.len() > LINES_MAX {
        return Err(parser.error(
            1,
            format!("a script has at most {LINES_MAX} lines: split it and include"),
        ));
    }
    let header = parser.header()?;
    let steps = parser.steps()?;
    Ok(Play {
        file: file.to_owned(),
        header,
        steps,
    })
}

pub use expect::screen_names;

/// Parses an included file: steps only, no header.
pub fn parse_included(file: &str, text: &str) -> Result<Vec<Step>, ScriptError> {
    Parser {
        file,
        lines: text.lines().collect(),
        at: 0,
    }
    .steps()
}

impl<'a> Parser<'a> {
    fn error(&self, column: usize, what: impl Into<String>) -> ScriptError {
        ScriptError {
            file: self.file.to_owned(),
            line: self.at.max(1),
            column,
            what: what.into(),
        }
    }

    /// The next line that says something.
    fn next(&mut self) -> Option<&'a str> {
        while let Some(line) = self.lines.get(self.at) {
            self.at = self.at.saturating_add(1);
            let trimmed = line.trim();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                return Some(trimmed);
            }
        }
        None
    }

    fn size(&self, text: &str) -> Result<(u16, u16), ScriptError> {
        let sizes = text
            .split_once('x')
            .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        sizes.ok_or_else(|| self.error(1, format!("`{text}` is not a size such as 80x24")))
    }

    fn steps(&mut self) -> Result<Vec<Step>, ScriptError> {
        let mut steps = Vec::new();
        while let Some(line) = self.next() {
            if line.len() > LINE_BYTES_MAX {
                return Err(self.error(1, format!("a line has at most {LINE_BYTES_MAX} bytes")));
            }
            let start = self.at;
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let rest = rest.trim();
            self.lint(rest)?;
            let verb = self.verb(word, rest)?;
            let block = matches!(verb, Verb::Screen(..) | Verb::Styles(_) | Verb::Effects(_))
                .then_some((start, self.at));
            steps.push(Step {
                line: start,
                block,
                verb,
            });
        }
        Ok(steps)
    }

    /// Literal runs of 12 digits or more may be somebody's card or citizen number.
    fn lint(&self, text: &str) -> Result<(), ScriptError> {
        let longest = text
            .split(|c: char| !c.is_ascii_digit())
            .map(str::len)
            .max()
            .unwrap_or(0);
        if longest >= 12 && (longest != 16 || text.contains("62")) {
            return Err(self.error(
                1,
                "no literal long numbers in scripts: name them (`@zhang-pin`, `insert zhang-card`)",
            ));
        }
        Ok(())
    }

    fn verb(&mut self, word: &str, rest: &str) -> Result<Verb, ScriptError> {
        let column = word.len().saturating_add(2);
        Ok(match word {
            "as" => Verb::As(
                Actor::parse(rest)
                    .ok_or_else(|| self.error(column, "actors: customer, officer, desk, teller"))?,
            ),
            "press" => self.press(rest)?,
            "type" => Verb::Type(rest.to_owned()),
            "paste" => Verb::Paste(rest.to_owned()),
            "resize" => {
                let (w, h) = self.size(rest)?;
                Verb::Resize(w, h)
            }
            "device" if !rest.is_empty() => Verb::Device(rest.to_owned()),
            "device" => {
                return Err(self.error(
                    column,
                    "name a device and an act: `device id-reader present zhang`",
                ));
            }
            "backend" if matches!(rest, "kill" | "restart") => {
                Verb::Device(format!("backend {rest}"))
            }
            "backend" => return Err(self.error(column, "`backend kill` or `backend restart`")),
            "click" => {
                let key = CONTROLS
                    .iter()
                    .find(|(name, _)| *name == rest)
                    .map(|(_, key)| *key);
                let names = CONTROLS.map(|(name, _)| name).join(", ");
                let key = key.ok_or_else(|| self.error(column, format!("controls: {names}")))?;
                Verb::Press(key.to_owned(), 1)
            }
            "advance" => Verb::Advance(self.duration(rest, column)?),
            "expect" => self.expect(rest, column)?,
            "screen" => Verb::Screen(self.region(rest, column)?, self.block()),
            "styles" => Verb::Styles(self.block()),
            "effects" => Verb::Effects(self.block()),
            "note" => Verb::Note,
            "include" => Verb::Include(rest.to_owned()),
            other => {
                let near = nearest(other, &VERBS)
                    .map(|v| format!("; did you mean `{v}`?"))
                    .unwrap_or_default();
                return Err(self.error(1, format!("unknown verb `{other}`{near}")));
            }
        })
    }

    fn region(&self, rest: &str, column: usize) -> Result<Region, ScriptError> {
        Ok(match rest {
            "" => Region::Whole,
            "region=title" => Region::Title,
            "region=body" => Region::Body,
            "region=footer" => Region::Footer,
            _ => {
                return Err(self.error(column, "regions: region=title, region=body, region=footer"));
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
                7,
                format!("`press KEY…` or `press KEY xN`, N from 1 to {REPEAT_MAX}"),
            ));
        }
        Ok(Verb::Press(keys.to_owned(), times))
    }

    /// Lines that begin with `|` after indentation.
    fn block(&mut self) -> Vec<String> {
        let mut block = Vec::new();
        while let Some(row) = self
            .lines
            .get(self.at)
            .and_then(|line| line.trim_start().strip_prefix('|'))
        {
            block.push(row.to_owned());
            self.at = self.at.saturating_add(1);
        }
        block
    }
}

#[cfg(test)]
mod tests;
