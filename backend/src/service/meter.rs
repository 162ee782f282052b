//! Counters for `/metrics` (Prometheus text), without labels that name anybody.

mod histogram;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub use histogram::Histogram;

use super::fault::Fault;

/// Names counted under one heading; rules and problems are fewer.
const NAMES_MAX: usize = 128;

/// What the service counts since its start.
#[derive(Debug, Default)]
pub struct Meter {
    /// Answers by class of status: 2xx, 4xx, 5xx.
    answered: [Cell<u64>; 3],
    /// Problems by type.
    pub problems: Names,
    /// Refusals by rule.
    pub refused: Names,
    /// Connections closed at once, because too many were open.
    pub turned_away: Count,
    /// TLS connections that were not let in.
    pub tls_refused: Count,
    /// TLS connections ended because their certificate was no longer good.
    pub tls_ended: Count,
    /// Requests refused for want of a good signature.
    pub unsigned: Count,
    /// Requests answered "busy".
    pub busy: Count,
    /// Answers rebuilt for a repeated key.
    pub replayed: Count,
    /// Sales linked; a repeat of the same key counts nothing.
    pub linked: Count,
    /// Sales that a lock ended.
    pub locked: Count,
    /// Refused attempts at either gate.
    pub not_verified: Count,
    /// Commands given to the writer.
    pub commands: Count,
    /// Errands handed over by the relay.
    pub errands: Count,
    /// Timers that fired.
    pub timers: Count,
    /// Envelopes of data at rest encrypted anew under the newest key.
    pub resealed: Count,
    /// Alarms: a kiosk saw a log that is not in the books.
    pub books_behind: Count,
}

/// A counter that only grows.
#[derive(Debug, Default)]
pub struct Count(Cell<u64>);

impl Count {
    /// One more.
    pub fn one(&self) {
        self.0.set(self.0.get().saturating_add(1));
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.set(self.0.get().saturating_add(more));
    }

    /// Its value.
    pub fn value(&self) -> u64 {
        self.0.get()
    }
}

/// Counters by a name out of a fixed set.
#[derive(Debug, Default)]
pub struct Names(RefCell<BTreeMap<String, u64>>);

impl Names {
    /// One more of this name.
    pub fn one(&self, name: &str) {
        let mut counts = self.0.borrow_mut();
        if let Some(count) = counts.get_mut(name) {
            *count = count.saturating_add(1);
        } else if counts.len() < NAMES_MAX {
            counts.insert(name.to_owned(), 1);
        }
    }

    fn write(&self, page: &mut String, name: &str, label: &str) {
        let _ = writeln!(page, "# TYPE counterfoil_{name}_total counter");
        for (value, count) in &*self.0.borrow() {
            let _ = writeln!(
                page,
                "counterfoil_{name}_total{{{label}=\"{value}\"}} {count}"
            );
        }
    }
}

impl Meter {
    /// Counts an answer.
    pub fn answer(&self, status: u16) {
        let class = match status {
            ..=399 => 0,
            400..=499 => 1,
            _ => 2,
        };
        if let Some(count) = self.answered.get(class) {
            count.set(count.get().saturating_add(1));
        }
        match status {
            401 => self.unsigned.one(),
            423 => self.locked.one(),
            503 => self.busy.one(),
            _ => {}
        }
    }

    /// Counts why a request was refused.
    pub fn problem(&self, fault: &Fault) {
        let name = fault.kind.uri();
        self.problems.one(name.trim_start_matches("/problems/"));
        if let Some(rule) = &fault.rule {
            self.refused.one(&rule.rule);
        }
    }

    /// The page: totals since start, then what holds `now`.
    pub fn page(&self, now: &[(&str, u64)]) -> String {
        let mut page = String::new();
        let total = |page: &mut String, name: &str, value: u64| {
            // Writing to a String cannot fail.
            let _ = writeln!(page, "# TYPE counterfoil_{name}_total counter");
            let _ = writeln!(page, "counterfoil_{name}_total {value}");
        };
        let _ = writeln!(page, "# TYPE counterfoil_answers_total counter");
        for (class, count) in ["2xx", "4xx", "5xx"].iter().zip(&self.answered) {
            let value = count.get();
            let _ = writeln!(
                page,
                "counterfoil_answers_total{{class=\"{class}\"}} {value}"
            );
        }
        for (name, count) in [
            ("turned_away", &self.turned_away),
            ("tls_refused", &self.tls_refused),
            ("tls_ended", &self.tls_ended),
            ("unsigned", &self.unsigned),
            ("busy", &self.busy),
            ("replayed", &self.replayed),
            ("linked", &self.linked),
            ("locked", &self.locked),
            ("not_verified", &self.not_verified),
            ("commands", &self.commands),
            ("errands", &self.errands),
            ("timers", &self.timers),
            ("resealed", &self.resealed),
            ("books_behind", &self.books_behind),
        ] {
            total(&mut page, name, count.value());
        }
        self.problems.write(&mut page, "problems", "type");
        self.refused.write(&mut page, "refused", "rule");
        for (name, value) in now {
            let _ = writeln!(page, "# TYPE counterfoil_{name} gauge");
            let _ = writeln!(page, "counterfoil_{name} {value}");
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_counts_answers_by_class() {
        let meter = Meter::default();
        meter.linked.one();
        meter.refused.one("day-cap");
        meter.refused.one("day-cap");
        meter.problems.one("refused");
        meter.answer(200);
        meter.answer(401);
        meter.answer(503);
        let page = meter.page(&[("connections", 3)]);
        for line in [
            "counterfoil_answers_total{class=\"2xx\"} 1",
            "counterfoil_answers_total{class=\"5xx\"} 1",
            "counterfoil_refused_total{rule=\"day-cap\"} 2",
            "counterfoil_problems_total{type=\"refused\"} 1",
            "counterfoil_linked_total 1",
            "counterfoil_unsigned_total 1",
            "counterfoil_busy_total 1",
            "counterfoil_connections 3",
        ] {
            assert!(page.lines().any(|l| l == line), "{line}\n{page}");
        }
    }
}
