//! What a start found, told once in the log and from then on in `/metrics`.

use std::time::Duration;

use super::Service;
use crate::core::query::{Counted, Found, found};
use crate::store::{Read, StoreError};
use crate::writer::LastEnd;

/// What a start found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// How the writer before this one ended.
    pub last: LastEnd,
    /// Until the books were open and their evidence root was compared.
    pub took: Duration,
    /// What is in the books.
    pub found: Found,
}

impl Start {
    /// Looks; the evidence root was compared before.
    pub fn of(read: &dyn Read, last: LastEnd, took: Duration) -> Result<Self, StoreError> {
        let found = found(read)?;
        Ok(Self { last, took, found })
    }

    /// One line in the log.
    pub fn log(&self) {
        let found = &self.found;
        tracing::info!(
            last_end = self.last.word(),
            books_ms = self.milliseconds(),
            leaves = found.leaves,
            evidence = "its root is the signed one",
            open = %found.open,
            linked = %found.linked,
            unknown = %found.unknown,
            errands = %found.errands,
            "the books are open"
        );
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX)
    }

    /// Gauges.
    pub fn gauges(&self) -> Vec<(&'static str, u64)> {
        let found = &self.found;
        let number = |counted: Counted| u64::try_from(counted.count).unwrap_or(u64::MAX);
        vec![
            (
                "start_after_graceful_end",
                u64::from(self.last == LastEnd::Graceful),
            ),
            ("start_books_ms", self.milliseconds()),
            ("start_evidence_leaves", found.leaves),
            ("start_sales_open", number(found.open)),
            ("start_sales_linked", number(found.linked)),
            ("start_forms_unknown", number(found.unknown)),
            ("start_errands_pending", number(found.errands)),
        ]
    }
}

impl Service {
    /// Tells what the start found; the first time counts.
    pub fn started(&self, start: Start) {
        start.log();
        let _ = self.start.set(start);
    }
}
