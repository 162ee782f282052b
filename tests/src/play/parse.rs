//! Script text to steps. Strict: whatever is not known (a verb, a key, a name of
//! the demo bank, a line of the desk) is an error with file, line and column, and
//! a suggestion. Columns count characters from the line's beginning.

use std::time::Duration;

mod expect;
mod header;
mod names;
mod verb;
mod word;

use jiff::Timestamp;

use crate::world::Stand;

use names::{Names, suggestion};

/// Longest file in lines.
pub const LINES_MAX: usize = 5_000;
/// Longest line in bytes.
pub const LINE_BYTES_MAX: usize = 2_000;
/// Rows of one block at most.
pub const BLOCK_ROWS_MAX: usize = 500;
/// Longest time one verb may move the clock.
pub const ADVANCE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Most repeats of one key press.
pub const REPEAT_MAX: u32 = 500;
/// The closed verb list.
pub const VERBS: [&str; 17] = [
    "as", "press", "type", "click", "paste", "resize", "device", "backend", "advance", "expect",
    "screen", "styles", "effects", "note", "include", "station", "staff",
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
    /// At the branch's second station; comes to work when a script first says so.
    SecondOfficer,
    /// The physical world.
    Desk,
    /// Staff at the counter.
    Teller,
    /// A member of staff at a custody terminal of their own: which of the demo bank's.
    Staff(usize),
}

impl Actor {
    fn parse(word: &str, names: &Names) -> Option<Self> {
        Some(match word {
            "customer" => Self::Customer,
            "officer" => Self::Officer,
            "officer-2" => Self::SecondOfficer,
            "desk" => Self::Desk,
            "teller" => Self::Teller,
            word => return names.person(word).map(Self::Staff),
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
    /// Which devices.
    pub stand: Stand,
    /// Whether staff log in.
    pub logins: bool,
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
    /// The characters of a secret of the demo bank, by its name.
    TypeSecret(String),
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
    /// Line from 1 in its file.
    pub line: usize,
    /// Column of the verb, from 1.
    pub column: usize,
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
    names: Names,
}

/// Parses a script.
pub fn parse(file: &str, text: &str) -> Result<Play, ScriptError> {
    let mut parser = Parser::of(file, text)?;
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
    Parser::of(file, text)?.steps()
}

impl<'a> Parser<'a> {
    /// Checks what holds for every line, remarks and rows of blocks included.
    fn of(file: &'a str, text: &'a str) -> Result<Self, ScriptError> {
        let names = Names::of_the_demo_bank().map_err(|e| ScriptError {
            file: file.to_owned(),
            line: 1,
            column: 1,
            what: e.to_string(),
        })?;
        let mut parser = Self {
            file,
            lines: text.lines().collect(),
            at: 0,
            names,
        };
        if parser.lines.len() > LINES_MAX {
            let what = format!("a file has at most {LINES_MAX} lines: split it and include");
            return Err(parser.error("", what));
        }
        while let Some(line) = parser.lines.get(parser.at).copied() {
            parser.at = parser.at.saturating_add(1);
            if line.len() > LINE_BYTES_MAX {
                let what = format!("a line has at most {LINE_BYTES_MAX} bytes");
                return Err(parser.error(line, what));
            }
            if let Some(number) = parser.names.long_number(line) {
                return Err(parser.error(
                    line.get(number..).unwrap_or(line),
                    "no literal long numbers in scripts: they may be somebody's card, account or \
                     citizen number; name them (`@zhang-pin`, `insert zhang-card`). Bill numbers \
                     may stand where a cassette is loaded or their prefix is the demo bank's",
                ));
            }
        }
        parser.at = 0;
        Ok(parser)
    }

    /// An error at `part` of the current line; where `part` is nothing of it,
    /// after its end.
    fn error(&self, part: &str, what: impl Into<String>) -> ScriptError {
        let line = self.lines.get(self.at.saturating_sub(1)).copied();
        let line = line.unwrap_or_default().trim_end();
        let start = part.as_ptr().addr().checked_sub(line.as_ptr().addr());
        let before = start.and_then(|start| line.get(..start)).unwrap_or(line);
        ScriptError {
            file: self.file.to_owned(),
            line: self.at.max(1),
            column: before.chars().count().saturating_add(1),
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

    fn steps(&mut self) -> Result<Vec<Step>, ScriptError> {
        let mut steps = Vec::new();
        while let Some(line) = self.next() {
            let start = self.at;
            let column = self.error(line, "").column;
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let verb = self.verb(word, rest.trim())?;
            let block = matches!(verb, Verb::Screen(..) | Verb::Styles(_) | Verb::Effects(_))
                .then_some((start, self.at));
            steps.push(Step {
                line: start,
                column,
                block,
                verb,
            });
        }
        Ok(steps)
    }

    /// Lines that begin with `|` after indentation.
    fn block(&mut self) -> Result<Vec<String>, ScriptError> {
        let mut block = Vec::new();
        while let Some(row) = self
            .lines
            .get(self.at)
            .and_then(|line| line.trim_start().strip_prefix('|'))
        {
            self.at = self.at.saturating_add(1);
            if block.len() >= BLOCK_ROWS_MAX {
                return Err(self.error(row, format!("a block has at most {BLOCK_ROWS_MAX} rows")));
            }
            block.push(row.to_owned());
        }
        Ok(block)
    }
}

#[cfg(test)]
mod tests;
