//! What `/metrics` says besides the counters: how things stand now.
//!
//! Everything is read when the page is asked for and bounded: gauges of the service, and
//! a few counters of the books. Nobody is named; rules and problems are, whose number is
//! fixed.

use super::Service;
use super::fault::Fault;
use super::start::Start;
use crate::core::log;
use crate::core::query::{self, Unresolved};
use crate::workers::Kind;

/// Measures something of the outside, `None` where it cannot.
pub type Measure = Box<dyn Fn() -> Option<u64>>;

impl Service {
    /// Has the page say how large the books' file is.
    pub fn measure_books(&self, bytes: impl Fn() -> Option<u64> + 'static) {
        // Only the first is heard: a service has one file.
        let _ = self.books_bytes.set(Box::new(bytes));
    }

    /// The metrics page (Prometheus text).
    pub fn metrics(&self) -> String {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let oldest = self.oldest_wait().as_millis();
        let (pins, prints) = (self.workers.pool(Kind::Pin), self.workers.pool(Kind::Print));
        let mut now = vec![
            ("connections", number(self.connections.taken())),
            ("requests_in_flight", number(self.requests.taken())),
            ("event_streams", number(self.streams.taken())),
            ("writer_waiting", number(self.writer.waiting())),
            (
                "writer_oldest_wait_ms",
                u64::try_from(oldest).unwrap_or(u64::MAX),
            ),
            ("pin_waiting", number(pins.waiting())),
            ("pin_turns", number(pins.turns())),
            ("print_waiting", number(prints.waiting())),
            ("print_turns", number(prints.turns())),
        ];
        // Books that cannot be read are told by `/readyz`; the page is of the rest then.
        now.extend(self.standing().unwrap_or_default());
        now.extend(self.space.gauges());
        now.extend(self.start.get().map_or_else(Vec::new, Start::gauges));
        let bytes = self.books_bytes.get().and_then(|measure| measure());
        now.extend(bytes.map(|bytes| ("books_bytes", bytes)));
        let mut page = self.meter.page(&now);
        let groups = self.writer.groups();
        groups.sizes.write(&mut page, "group_commands");
        groups.commits.write(&mut page, "commit_seconds");
        pins.pace().waits.write(&mut page, "pin_wait_seconds");
        prints.pace().waits.write(&mut page, "print_wait_seconds");
        page
    }

    /// What the books say in a few rows.
    fn standing(&self) -> Result<Vec<(&'static str, u64)>, Fault> {
        let books = self.books()?;
        let Unresolved {
            allocated,
            unknown,
            since,
        } = super::books::told(query::unresolved(books.read()))?;
        let leaves = super::books::told(log::size(books.read()))?;
        let (restored, ahead) = super::books::told(query::restored(books.read()))?;
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let age = since.map_or(0, |since| {
            let age = self
                .clock
                .now()
                .as_second()
                .saturating_sub(since.as_second());
            u64::try_from(age).unwrap_or(0)
        });
        Ok(vec![
            ("forms_allocated", allocated),
            ("forms_unknown", unknown),
            ("unresolved_oldest_s", age),
            ("checkpoint_leaves", leaves),
            ("books_restored", number(restored)),
            ("kiosks_ahead", number(ahead)),
            ("clock_jumped", u64::from(self.steady.has_jumped())),
        ])
    }
}
