//! Judges what a power cut left: the books of an image against what was done and told.
//!
//! Owns the checks that need no service; [`super::answers`] has those that ask over HTTP.

use std::fmt;
use std::time::{Duration, Instant};

use counterfoil_data::tlog::{Frontier, leaf_hash};

use super::super::bed::writer;
use super::CACHE_BYTES;
use super::books::{Print, Recorded};
use super::disk::{Disk, Op};
use super::trace::Run;
use crate::core::audit::audit;
use crate::core::key::{self, Table};
use crate::core::{log, query};
use crate::store::redb::RedbStore;
use crate::store::{Read, Snapshots as _, StoreError, each_row};
use crate::writer::Fatal;

/// What was looked at when something was found broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Nothing panics.
    Panics,
    /// The books open, and a writer takes its seat.
    Opens,
    /// They are in a state that a commit made, and not an older one than is durable.
    State,
    /// They hold the evidence log that clients were shown, as far as it went then.
    Shown,
    /// No bank, or the whole of it.
    Enrolled,
    /// The audit of everything.
    Audit,
    /// What was told of a sale is so.
    Told,
    /// A key's answer is given again.
    Replay,
    /// Attempts that were counted stay counted.
    Attempts,
    /// What was under way happens once.
    Once,
    /// The sale goes on to its receipt.
    Onward,
    /// No answer of success without a commit; no service after a failure.
    Stops,
}

/// Something broken.
#[derive(Debug)]
pub struct Broken {
    pub check: Check,
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.check, self.what)
    }
}

impl Check {
    /// A finding of this check.
    pub fn broken(self, what: impl fmt::Display) -> Broken {
        let what = what.to_string();
        Broken { check: self, what }
    }

    /// A finding, unless this holds.
    pub fn holds(self, holds: bool, what: impl fmt::Display) -> Result<(), Broken> {
        if holds {
            Ok(())
        } else {
            Err(self.broken(what))
        }
    }
}

fn unreadable(error: StoreError) -> Broken {
    Check::State.broken(cause(&error))
}

/// An error with what caused it.
pub fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

/// What was found in an image.
pub struct Found {
    /// Which state of the run.
    pub state: usize,
    /// What opening it did to the disk.
    pub recovery: Vec<Op>,
    pub opening: Duration,
}

/// Opens the image and judges its books, as they are after a cut of `run` at `cut`.
pub fn books(run: &Run, image: Vec<u8>, cut: usize, audits: bool) -> Result<Found, Broken> {
    let disk = Disk::holding(image);
    let begun = now();
    let store = RedbStore::disk(|| Ok(disk.clone()), CACHE_BYTES)
        .map_err(|error| Check::Opens.broken(cause(&error)))?;
    let opening = now().saturating_duration_since(begun);
    let seat = writer(&store);
    let seat = seat.map_err(|error: Fatal| Check::Opens.broken(cause(&error)))?;
    let read = store.snapshot().map_err(unreadable)?;
    let state = state(run, &*read, cut)?;
    shown(run, &*read, cut)?;
    let enrolled = query::is_enrolled(&*read).map_err(unreadable)?;
    let expected = run.states[state].print != Print::default();
    Check::Enrolled.holds(enrolled == expected, "half a bank")?;
    if audits && enrolled {
        audit(&*read).map_err(|failure| Check::Audit.broken(cause(&failure)))?;
    }
    drop((read, seat, store));
    let recovery = disk.ops();
    Ok(Found {
        state,
        recovery,
        opening,
    })
}

/// The time of day of this machine.
#[expect(
    clippy::disallowed_methods,
    reason = "how long an opening takes is the question"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// Which state of the run the books are in; it must be one of those that may be.
fn state(run: &Run, read: &dyn Read, cut: usize) -> Result<usize, Broken> {
    let print = Print::of(read).map_err(unreadable)?;
    let (last, next) = run.may_be(cut);
    let may = (last..=next)
        .rev()
        .find(|at| run.states[*at].print == print);
    may.ok_or_else(|| {
        let other = run.states.iter().rposition(|state| state.print == print);
        Check::State.broken(match other {
            Some(at) => format!("state {at} is found, {last} is durable"),
            None => format!("found is no state there ever was; {last} is durable"),
        })
    })
}

/// The log is what clients were shown, each time they looked, and is signed.
fn shown(run: &Run, read: &dyn Read, cut: usize) -> Result<(), Broken> {
    let mut marks = run.marks.iter().filter(|mark| mark.heard <= cut).peekable();
    let mut frontier = Frontier::default();
    let (low, high) = (key::low(Table::Leaf), key::high(Table::Leaf));
    let visited = each_row(read, low, &high, |_, bytes| {
        let appended = frontier.append(leaf_hash(&bytes), |_, _, _| {});
        appended.map_err(log::broken)?;
        while let Some(mark) = marks.next_if(|mark| mark.size == frontier.size()) {
            if mark.root != frontier.root() {
                return Err(StoreError::Contradiction("another log than was shown"));
            }
        }
        Ok(())
    });
    visited.map_err(|error| Check::Shown.broken(error))?;
    let size = frontier.size();
    if let Some(mark) = marks.next() {
        let text = format!("{size} leaves, {} were shown", mark.size);
        return Err(Check::Shown.broken(text));
    }
    let signed = log::is_signed(read).map_err(unreadable)?;
    Check::Shown.holds(signed, "the log is not the one that was signed")
}

/// The books of a disk, with every state from now on remembered.
pub fn recorded(disk: &Disk, cache_bytes: usize) -> Result<Recorded<RedbStore>, Broken> {
    let store = RedbStore::disk(|| Ok(disk.clone()), cache_bytes);
    let store = store.and_then(|store| Recorded::new(store, disk));
    store.map_err(|error| Check::Opens.broken(cause(&error)))
}
