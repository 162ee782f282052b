//! Counters for `/metrics` (Prometheus text), without labels that name anybody.

use std::cell::Cell;
use std::fmt::Write as _;

/// What the service counts since its start.
#[derive(Debug, Default)]
pub struct Meter {
    /// Answers by class of status: 2xx, 4xx, 5xx.
    answered: [Cell<u64>; 3],
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
    /// Refused attempts at either gate.
    pub not_verified: Count,
    /// Commands given to the writer.
    pub commands: Count,
    /// Errands handed over by the relay.
    pub errands: Count,
    /// Timers that fired.
    pub timers: Count,
}

/// A counter that only grows.
#[derive(Debug, Default)]
pub struct Count(Cell<u64>);

impl Count {
    /// One more.
    pub fn one(&self) {
        self.0.set(self.0.get().saturating_add(1));
    }

    /// Its value.
    pub fn value(&self) -> u64 {
        self.0.get()
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
            503 => self.busy.one(),
            _ => {}
        }
    }

    /// The page: totals since start, then what holds `now`.
    pub fn page(&self, now: &[(&str, usize)]) -> String {
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
            ("not_verified", &self.not_verified),
            ("commands", &self.commands),
            ("errands", &self.errands),
            ("timers", &self.timers),
        ] {
            total(&mut page, name, count.value());
        }
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
        meter.answer(200);
        meter.answer(401);
        meter.answer(503);
        let page = meter.page(&[("connections", 3)]);
        for line in [
            "counterfoil_answers_total{class=\"2xx\"} 1",
            "counterfoil_answers_total{class=\"5xx\"} 1",
            "counterfoil_linked_total 1",
            "counterfoil_unsigned_total 1",
            "counterfoil_busy_total 1",
            "counterfoil_connections 3",
        ] {
            assert!(page.lines().any(|l| l == line), "{line}\n{page}");
        }
    }
}
