//! What a bank sets and sets again: policy, fees, calendar, the regulator's list, and
//! news of its customers, as one TOML file (`counterfoil-backend policy FILE`).
//!
//! Owns the file's shape and its rules of form; every part may be left out. Refuses
//! unknown keys. Whether a part may come into force is the books' to say. Called by the
//! backend's `policy` command, and by the demo bank for the parts it shares.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::citizen;
use crate::demo::{AccountState, Fee, Policy};
use crate::ids::UnitId;
use crate::toml_text::line;
use crate::unit_code::UnitCode;

mod access;

pub use access::{Access, StaffSessions};

/// Longest file in bytes: a list of 20,000 entries fits.
pub const FILE_MAX: u64 = 2 * 1024 * 1024;

/// A file that cannot be used: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TermsError {
    /// From 1.
    pub line: usize,
    /// What is wrong and what would be right; no personal data.
    pub what: String,
}

/// The hours of a day: `"closed"`, or `"09:00-17:00"` with both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayHours {
    /// Nothing is sold.
    Closed,
    /// From the first to the last moment.
    Open(Time, Time),
}

impl FromStr for DayHours {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "closed" {
            return Ok(Self::Closed);
        }
        let rule = "hours are \"closed\" or like \"09:00-17:00\", opening first";
        let (opens, closes) = text.split_once('-').ok_or(rule)?;
        let time = |text: &str| text.trim().parse::<Time>().map_err(|_| rule);
        let (opens, closes) = (time(opens)?, time(closes)?);
        if opens > closes {
            return Err(rule);
        }
        Ok(Self::Open(opens, closes))
    }
}

impl<'de> Deserialize<'de> for DayHours {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Hours by weekday; one that is left out has the branch's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Week {
    /// 星期一.
    pub monday: Option<DayHours>,
    /// 星期二.
    pub tuesday: Option<DayHours>,
    /// 星期三.
    pub wednesday: Option<DayHours>,
    /// 星期四.
    pub thursday: Option<DayHours>,
    /// 星期五.
    pub friday: Option<DayHours>,
    /// 星期六.
    pub saturday: Option<DayHours>,
    /// 星期日.
    pub sunday: Option<DayHours>,
}

impl Week {
    /// Monday to Sunday.
    pub fn days(&self) -> [Option<DayHours>; 7] {
        [
            self.monday,
            self.tuesday,
            self.wednesday,
            self.thursday,
            self.friday,
            self.saturday,
            self.sunday,
        ]
    }
}

/// A date that differs from its weekday: a holiday, a working day in exchange (调休).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnDay {
    /// Which date.
    pub date: Date,
    /// What it is called.
    pub name: String,
    /// Its hours.
    pub hours: DayHours,
}

/// When a bank sells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calendar {
    /// By weekday.
    pub week: Week,
    /// By date.
    pub days: Vec<OwnDay>,
}

/// How many cheques returned unpaid (退票) stop an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounce {
    /// Days looked back, today included.
    pub window_days: u32,
    /// Returned cheques within them that are still allowed.
    pub max: u32,
}

/// One entry of a regulator's list: a unit's credit code, a person's citizen number or
/// an account number.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum ListEntry {
    /// Unified social credit code.
    Unit(String),
    /// Citizen number.
    Person(String),
    /// Account number.
    Account(String),
}

impl ListEntry {
    /// The rule of form it breaks, if any.
    pub fn broken(&self) -> Option<&'static str> {
        let (sound, rule) = match self {
            Self::Unit(code) => (
                UnitCode::parse(code).is_ok(),
                "a listed unit has a wrong credit code",
            ),
            Self::Person(number) => (
                citizen::check(number).is_ok(),
                "a listed person has a wrong citizen number",
            ),
            Self::Account(number) => (
                (16..=19).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()),
                "a listed account is not 16 to 19 digits",
            ),
        };
        (!sound).then_some(rule)
    }
}

/// Never shows whom (I7).
impl fmt::Debug for ListEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unit(_) => "unit",
            Self::Person(_) => "person",
            Self::Account(_) => "account",
        })
    }
}

/// A regulator's list (监管名单): whoever stands on it buys nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The date the regulator says it is of.
    pub as_of: Date,
    /// All of it; the list before ends.
    pub entries: Vec<ListEntry>,
}

/// A unit's licence, looked at again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceNews {
    /// Whose.
    pub unit: UnitId,
    /// Last day; without it the licence is long-term (长期).
    pub valid_to: Option<Date>,
}

/// What the core bank reports of an account.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountNews {
    /// Account number.
    pub number: String,
    /// Its state from now on.
    pub state: Option<AccountState>,
    /// Dates of all its returned cheques.
    pub bounced: Option<Vec<Date>>,
}

impl fmt::Debug for AccountNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountNews(…)")
    }
}

/// One part of the file and the line it begins on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// From 1.
    pub line: usize,
    /// What stands there.
    pub part: T,
}

/// The whole file, in the order in which its parts come into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The policy, whole.
    pub policy: Option<Placed<Policy>>,
    /// Who must log in, and locks; whole.
    pub access: Option<Placed<Access>>,
    /// Fees, each from its date on.
    pub fees: Vec<Placed<Fee>>,
    /// The calendar, whole.
    pub calendar: Option<Placed<Calendar>>,
    /// The regulator's list, whole.
    pub list: Option<Placed<List>>,
    /// Licences.
    pub licences: Vec<Placed<LicenceNews>>,
    /// Accounts.
    pub accounts: Vec<Placed<AccountNews>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    policy: Option<Spanned<Policy>>,
    access: Option<Spanned<Access>>,
    #[serde(default)]
    fees: Vec<Spanned<Fee>>,
    calendar: Option<Spanned<Calendar>>,
    list: Option<Spanned<List>>,
    #[serde(default)]
    licences: Vec<Spanned<LicenceNews>>,
    #[serde(default)]
    accounts: Vec<Spanned<AccountNews>>,
}

impl Terms {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Self, TermsError> {
        let file: File = toml::from_str(text).map_err(|error| TermsError {
            line: line(text, &error.span().unwrap_or_default()),
            what: without_numbers(error.message()),
        })?;
        let terms = Self {
            policy: file.policy.map(|part| place(text, part)),
            access: file.access.map(|part| place(text, part)),
            fees: file.fees.into_iter().map(|p| place(text, p)).collect(),
            calendar: file.calendar.map(|part| place(text, part)),
            list: file.list.map(|part| place(text, part)),
            licences: file.licences.into_iter().map(|p| place(text, p)).collect(),
            accounts: file.accounts.into_iter().map(|p| place(text, p)).collect(),
        };
        terms.check()?;
        Ok(terms)
    }

    fn check(&self) -> Result<(), TermsError> {
        let fail = |line, what: &str| {
            Err(TermsError {
                line,
                what: what.to_owned(),
            })
        };
        if let Some(list) = &self.list {
            for (at, entry) in list.part.entries.iter().enumerate() {
                if let Some(rule) = entry.broken() {
                    let what = format!("entry {}: {rule}", at.saturating_add(1));
                    return fail(list.line, &what);
                }
            }
        }
        for account in &self.accounts {
            if account.part.state.is_none() && account.part.bounced.is_none() {
                return fail(account.line, "says nothing: give `state` or `bounced`");
            }
        }
        if *self == Self::nothing() {
            return fail(
                1,
                "the file sets nothing: give [policy], [access], [[fees]], [calendar], [list], \
                 [[licences]] or [[accounts]]",
            );
        }
        Ok(())
    }

    fn nothing() -> Self {
        Self {
            policy: None,
            access: None,
            fees: Vec::new(),
            calendar: None,
            list: None,
            licences: Vec::new(),
            accounts: Vec::new(),
        }
    }
}

/// A message that quotes no number of anybody (I7): runs of 9 digits and more are stars.
fn without_numbers(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut run = String::new();
    for c in message.chars().chain(['\n']) {
        if c.is_ascii_digit() {
            run.push(c);
            continue;
        }
        match run.len() {
            9.. => out.push_str(&"*".repeat(run.len())),
            _ => out.push_str(&run),
        }
        run.clear();
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out
}

fn place<T>(text: &str, part: Spanned<T>) -> Placed<T> {
    Placed {
        line: line(text, &part.span()),
        part: part.into_inner(),
    }
}

#[cfg(test)]
mod tests;
