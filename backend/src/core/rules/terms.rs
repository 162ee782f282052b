//! The terms in force: the parameters of every rule, in words, for whoever reads the
//! table. Judges nothing.

use crate::core::facts;
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::{CardPolicy, Policy};
use crate::core::record::staff::AccessRow;
use crate::core::record::terms::{CalendarRow, ListRow};
use crate::store::{Read, StoreError};

/// What the bank set.
pub struct Terms {
    /// The policy.
    pub policy: Policy,
    /// When it sells.
    pub calendar: CalendarRow,
    /// The regulator's list, if one was given.
    pub list: Option<ListRow>,
    /// Who must log in, and locks.
    pub access: AccessRow,
}

impl Terms {
    /// Those in force now.
    pub fn in_force(read: &dyn Read) -> Result<Self, StoreError> {
        let policy: Option<Policy> = get(read, &key::single(Table::Policy))?;
        Ok(Self {
            policy: policy.ok_or(StoreError::Contradiction("no policy is enrolled"))?,
            calendar: facts::calendar(read, &facts::bank(read)?)?,
            list: get(read, &key::single(Table::List))?,
            access: get(read, &key::single(Table::Access))?.unwrap_or_default(),
        })
    }

    pub(super) fn days(&self) -> String {
        let mut closed = Vec::new();
        for at in 0..7_i8 {
            let hours = self.calendar.week.get(usize::from(at.unsigned_abs()));
            let weekday = jiff::civil::Weekday::from_monday_zero_offset(at);
            if let (Some(None), Ok(weekday)) = (hours, weekday) {
                closed.push(crate::core::record::terms::word(weekday).to_owned());
            }
        }
        let own = self.calendar.days.iter().filter(|day| day.hours.is_none());
        closed.extend(own.map(|day| format!("{} {}", day.date, day.name)));
        match closed.is_empty() {
            true => "closed on no day".to_owned(),
            false => format!("closed: {}", closed.join(", ")),
        }
    }

    pub(super) fn second_finger(&self) -> String {
        let above = self.policy.second_finger_above;
        above.map_or("no order needs two fingers".to_owned(), |above| {
            let milli = self.policy.two_finger_threshold_milli;
            format!("above {above} forms in one order; both together {milli} of 1000 -log10 FMR")
        })
    }

    pub(super) fn hours(&self) -> String {
        let mut week: Vec<String> = Vec::new();
        for hours in self.calendar.week.iter().flatten() {
            let text = format!("{} to {}", hours.opens, hours.closes);
            if !week.contains(&text) {
                week.push(text);
            }
        }
        let own = self.calendar.days.iter().filter_map(|day| {
            let hours = day.hours?;
            let (opens, closes) = (hours.opens, hours.closes);
            Some(format!("{} {} {opens} to {closes}", day.date, day.name))
        });
        let all: Vec<String> = week.into_iter().chain(own).collect();
        all.join("; ")
    }

    pub(super) fn cards(&self) -> String {
        match self.policy.cards {
            CardPolicy::Proven => "cards = proven".to_owned(),
            CardPolicy::Any => "cards = any: every card passes".to_owned(),
        }
    }

    pub(super) fn list(&self) -> String {
        match &self.list {
            Some(list) => format!("list of {}, {} entries", list.as_of, list.count),
            None => "no list was given".to_owned(),
        }
    }

    pub(super) fn list_age(&self) -> String {
        match self.policy.list_days_max {
            Some(days) => format!("at most {days} days old; {}", self.list()),
            None => "no list is asked for".to_owned(),
        }
    }

    pub(super) fn bounces(&self) -> String {
        match self.policy.bounce {
            Some(rule) => format!("at most {} in {} days", rule.max, rule.window_days),
            None => "not asked".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;
    use crate::core::record::bank::BounceRule;
    use crate::core::record::terms::{Hours, OwnDay};
    use crate::core::tests::bank;

    fn terms() -> Terms {
        let hours = |from, to| Hours {
            opens: time(from, 0, 0, 0),
            closes: time(to, 0, 0, 0),
        };
        let own = |day, name: &str, hours| OwnDay {
            date: date(2026, 10, day),
            name: name.to_owned(),
            hours,
        };
        let mut calendar = CalendarRow::always(hours(9, 17));
        calendar.week[5] = Some(hours(10, 16));
        calendar.week[6] = None;
        calendar.days = vec![
            own(1, "National Day", None),
            own(10, "made up for", Some(hours(9, 12))),
        ];
        Terms {
            policy: bank::policy(),
            calendar,
            list: None,
            access: AccessRow::default(),
        }
    }

    #[test]
    fn what_the_bank_set_is_in_the_table_word_by_word() {
        let mut terms = terms();
        assert_eq!(terms.days(), "closed: Sunday, 2026-10-01 National Day");
        assert_eq!(
            terms.hours(),
            "09:00:00 to 17:00:00; 10:00:00 to 16:00:00; \
             2026-10-10 made up for 09:00:00 to 12:00:00"
        );
        assert_eq!(terms.cards(), "cards = proven");
        assert_eq!(terms.list(), "no list was given");
        assert_eq!(terms.list_age(), "no list is asked for");
        assert_eq!(terms.bounces(), "not asked");
        terms.policy.cards = CardPolicy::Any;
        terms.policy.list_days_max = Some(7);
        terms.policy.bounce = Some(BounceRule {
            max: 2,
            window_days: 365,
        });
        terms.list = Some(ListRow {
            as_of: date(2026, 10, 9),
            number: 3,
            count: 120,
        });
        assert_eq!(terms.cards(), "cards = any: every card passes");
        let list = "list of 2026-10-09, 120 entries";
        assert_eq!(terms.list(), list);
        assert_eq!(terms.list_age(), format!("at most 7 days old; {list}"));
        assert_eq!(terms.bounces(), "at most 2 in 365 days");
    }

    #[test]
    fn a_bank_that_never_closes_says_so() {
        let mut terms = terms();
        terms.calendar.week[6] = terms.calendar.week[5];
        terms.calendar.days.clear();
        assert_eq!(terms.days(), "closed on no day");
    }
}
