//! Records of what the bank set and may set again: its calendar, the regulator's list,
//! and every version of its policy.

use counterfoil_data::ids::UnitId;
use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::Record;
use super::bank::{KeyedHash, Policy};
use crate::core::key::Table;

/// Dates of a calendar with hours of their own at most: twenty years of holidays.
pub const CALENDAR_DAYS_MAX: usize = 1_024;
/// Entries of one regulator's list at most.
pub const LISTED_MAX: usize = 20_000;
/// Cheques of one account returned unpaid that are kept at most.
pub const BOUNCES_MAX: usize = 64;
/// Rules a policy switches off at most.
pub const RULES_OFF_MAX: usize = 32;

/// A stretch of selling, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// First moment.
    pub opens: Time,
    /// Last moment, its second included whole.
    pub closes: Time,
}

/// A date with hours of its own: a holiday, a working day in exchange for one (调休),
/// a day that ends early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnDay {
    /// Which date.
    pub date: Date,
    /// What it is called.
    pub name: String,
    /// Its hours; `None` = closed.
    pub hours: Option<Hours>,
}

/// When the bank sells: a week, and dates that differ from it. One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarRow {
    /// Monday to Sunday; `None` = closed.
    pub week: [Option<Hours>; 7],
    /// Dates that differ, each once.
    pub days: Vec<OwnDay>,
}

/// What a calendar says of one date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// What it is called: a holiday's name, or the weekday's.
    pub name: String,
    /// Its hours; `None` = closed.
    pub hours: Option<Hours>,
}

impl CalendarRow {
    /// The same hours on every day.
    pub fn always(hours: Hours) -> Self {
        Self {
            week: [Some(hours); 7],
            days: Vec::new(),
        }
    }

    /// What holds on a date: its own hours, else its weekday's.
    pub fn on(&self, date: Date) -> Day {
        if let Some(day) = self.days.iter().find(|day| day.date == date) {
            return Day {
                name: day.name.clone(),
                hours: day.hours,
            };
        }
        let weekday = date.weekday();
        let at = usize::try_from(weekday.to_monday_zero_offset()).unwrap_or(0);
        Day {
            name: word(weekday).to_owned(),
            hours: self.week.get(at).copied().flatten(),
        }
    }
}

/// A weekday's name, as staff texts have it.
pub fn word(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// The regulator's list in force (监管名单). One row; its entries are [`ListedRow`]s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRow {
    /// The date the regulator says it is of.
    pub as_of: Date,
    /// Counts the lists given so far: an entry holds while it has this number.
    pub number: u64,
    /// Its entries.
    pub count: u32,
}

/// Who may stand on a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listed {
    /// A unit, by its unified social credit code.
    Unit(String),
    /// A person, by the keyed hash of the citizen number.
    Person(KeyedHash),
    /// An account, by the keyed hash of its number.
    Account(KeyedHash),
}

/// An entry of a list, of this one or an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRow {
    /// The last list it stood on; it holds only while that is the list in force.
    pub number: u64,
}

/// A version of the policy, kept for whoever reads a refusal later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersionRow {
    /// The first moment it was in force.
    pub from: jiff::Timestamp,
    /// What it said.
    pub policy: Policy,
}

/// A licence renewed, or a document of the unit's registration looked at again (KYC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// Whose.
    pub unit: UnitId,
    /// Last day; `None` = long-term (长期).
    pub valid_to: Option<Date>,
}

/// Cheques of an account that were returned unpaid (退票), as the core bank knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounces {
    /// Account number.
    pub account: String,
    /// Dates of return, all that are known.
    pub dates: Vec<Date>,
}

macro_rules! records {
    ($($row:ty => $table:ident),+ $(,)?) => {
        $(impl Record for $row {
            const TABLE: Table = Table::$table;
        })+
    };
}

records! {
    CalendarRow => Calendar,
    ListRow => List,
    ListedRow => Listed,
    PolicyVersionRow => PolicyVersion,
}
