//! What a person or a script does to a cable: the same words for every twin.
//!
//! ```text
//!  unplug after N bytes [in|out]   the cable goes in the middle of a transfer
//!  late MS                         answers come so much later, until `late 0`
//!  stale [EE] HEX                  bytes that were left in the IN pipe (endpoint EE)
//!  short N                         IN transfers of N bytes at most, until `short 0`
//!  zlp N                           N zero-length transfers before the next bulk IN data
//!  nak MS                          takes and gives nothing for a time (control goes on)
//!  mend                            none of these any more
//! ```
//!
//! Owns these faults of one port. Data that a host gave up is gone with it; what was
//! left in the pipe is there for the next one. Called by the port alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use counterfoil_data::wire::unhex;

use super::super::super::DeviceInfo;
use crate::twin::{DeskError, InReply, Twin};

/// The words, for a refusal.
pub(super) const VERBS: &str = "unplug, unplug after N bytes [in|out], replug, halt EE, late MS, \
                                stale [EE] HEX, short N, zlp N, nak MS, mend";
/// Bytes left in a pipe at most.
const LEFT_MAX: usize = 4096;
/// Longest delay, in milliseconds.
const WAIT_MS_MAX: u64 = 600_000;
/// Zero-length transfers at most.
const ZLPS_MAX: u64 = 1000;

/// Which bytes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Either,
    In,
    Out,
}

/// The faults of one port.
#[derive(Debug)]
pub(super) struct Faults {
    bulk_in: BTreeSet<u8>,
    /// Bytes that still pass before the cable goes.
    cable: Option<(Way, usize)>,
    /// It has gone, and the port must be told.
    cut: bool,
    late: Duration,
    short: Option<usize>,
    zlps: u64,
    nak_until: Duration,
    left: BTreeMap<u8, VecDeque<u8>>,
    held: BTreeMap<u8, VecDeque<(Duration, Vec<u8>)>>,
}

impl Faults {
    pub fn of(info: &DeviceInfo) -> Self {
        let ends = info.interfaces.iter().flat_map(|i| &i.endpoints);
        let bulk_in = ends.filter(|e| e.kind == 2 && e.is_in());
        Self::of_bulk(bulk_in.map(|e| e.address).collect())
    }

    /// One line, `None` where it is none of these.
    pub fn act(&mut self, now: Duration, line: &str) -> Option<Result<String, DeskError>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Some(match words.as_slice() {
            ["unplug", "after", n, "bytes"] => self.unplug_after(n, Way::Either),
            ["unplug", "after", n, "bytes", "in"] => self.unplug_after(n, Way::In),
            ["unplug", "after", n, "bytes", "out"] => self.unplug_after(n, Way::Out),
            ["late", ms] => number(ms, WAIT_MS_MAX).map(|ms| {
                self.late = Duration::from_millis(ms);
                format!("answers come {ms} ms later")
            }),
            ["nak", ms] => number(ms, WAIT_MS_MAX).map(|ms| {
                self.nak_until = now.saturating_add(Duration::from_millis(ms));
                format!("takes and gives nothing for {ms} ms")
            }),
            ["short", n] => number(n, 4096).map(|n| {
                self.short = usize::try_from(n).ok().filter(|n| *n > 0);
                format!("answers come in pieces of {n} bytes")
            }),
            ["zlp", n] => number(n, ZLPS_MAX).map(|n| {
                self.zlps = n;
                format!("{n} zero-length transfers come first")
            }),
            ["mend"] => {
                let bulk_in = std::mem::take(&mut self.bulk_in);
                *self = Self::of_bulk(bulk_in);
                Ok("the cable is whole".to_owned())
            }
            _ => return None,
        })
    }

    /// `stale HEX`, `stale EE HEX`; readers with a `stale N` of their own come first.
    pub fn leave(&mut self, line: &str) -> Option<Result<String, DeskError>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let first = self.bulk_in.first().copied();
        let (end, hex) = match words.as_slice() {
            ["stale", hex] => (first, *hex),
            ["stale", end, hex] => (u8::from_str_radix(end, 16).ok(), *hex),
            _ => return None,
        };
        let bytes = unhex(hex).filter(|b| !b.is_empty());
        let (Some(end), Some(bytes)) = (end.filter(|e| e & 0x80 != 0), bytes) else {
            return Some(refuse(
                "stale [EE] HEX: an IN endpoint and bytes, as in stale 82 1b72",
            ));
        };
        let pipe = self.left.entry(end).or_default();
        if pipe.len().saturating_add(bytes.len()) > LEFT_MAX {
            return Some(refuse("there are too many bytes in the pipe"));
        }
        pipe.extend(&bytes);
        let count = bytes.len();
        Some(Ok(format!(
            "{count} bytes are left in the pipe of {end:02x}"
        )))
    }

    fn of_bulk(bulk_in: BTreeSet<u8>) -> Self {
        Self {
            bulk_in,
            cable: None,
            cut: false,
            late: Duration::ZERO,
            short: None,
            zlps: 0,
            nak_until: Duration::ZERO,
            left: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    fn unplug_after(&mut self, n: &str, way: Way) -> Result<String, DeskError> {
        let n = number(n, u64::from(u32::MAX))?;
        let count = usize::try_from(n).unwrap_or(usize::MAX);
        self.cable = Some((way, count));
        Ok(format!("the cable goes after {n} bytes"))
    }

    /// The host let go: what was on its way to it is lost.
    pub fn host_gone(&mut self) {
        self.held.clear();
    }

    /// Whether the cable went with what just passed.
    pub fn takes_cut(&mut self) -> bool {
        std::mem::take(&mut self.cut)
    }

    /// The same, and the port is told later.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether nothing is taken now.
    pub fn naks(&self, now: Duration) -> bool {
        now < self.nak_until
    }

    /// How much of `bytes` reaches the device before the cable goes.
    pub fn let_out<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        match self.cable {
            Some((Way::Either | Way::Out, left)) => bytes.get(..left).unwrap_or(bytes),
            _ => bytes,
        }
    }

    /// So many bytes went out.
    pub fn went_out(&mut self, count: usize) {
        self.pass(Way::Out, count);
    }

    fn pass(&mut self, way: Way, count: usize) {
        if let Some((which, left)) = &mut self.cable
            && (*which == Way::Either || *which == way)
        {
            *left = left.saturating_sub(count);
            if *left == 0 {
                self.cable = None;
                self.cut = true;
            }
        }
    }

    /// An IN token, past these faults.
    pub fn poll_in(&mut self, twin: &mut dyn Twin, now: Duration, end: u8, max: usize) -> InReply {
        if self.naks(now) {
            return InReply::Nak;
        }
        let bulk = self.bulk_in.contains(&end);
        let reply = self.next(twin, now, end, max);
        let InReply::Data(mut bytes) = reply else {
            return reply;
        };
        if bulk && self.zlps > 0 {
            self.zlps = self.zlps.saturating_sub(1);
            self.hold(end, now, bytes);
            return InReply::Data(Vec::new());
        }
        if let Some(short) = self.short.filter(|n| bulk && *n < bytes.len()) {
            let rest = bytes.split_off(short);
            self.hold(end, now, rest);
        }
        self.pass(Way::In, bytes.len());
        InReply::Data(bytes)
    }

    fn hold(&mut self, end: u8, due: Duration, bytes: Vec<u8>) {
        self.held.entry(end).or_default().push_front((due, bytes));
    }

    /// What is left in the pipe, then what is held, then what the device says.
    fn next(&mut self, twin: &mut dyn Twin, now: Duration, end: u8, max: usize) -> InReply {
        if let Some(pipe) = self.left.get_mut(&end).filter(|p| !p.is_empty()) {
            let count = max.min(pipe.len());
            return InReply::Data(pipe.drain(..count).collect());
        }
        let held = self.held.entry(end).or_default();
        if let Some((due, mut bytes)) = held.pop_front() {
            if due > now {
                held.push_front((due, bytes));
                return InReply::Nak;
            }
            if bytes.len() > max {
                let rest = bytes.split_off(max);
                held.push_front((due, rest));
            }
            return InReply::Data(bytes);
        }
        match twin.poll_in(now, end, max) {
            InReply::Data(bytes) if !self.late.is_zero() => {
                held.push_back((now.saturating_add(self.late), bytes));
                InReply::Nak
            }
            other => other,
        }
    }

    /// When something held back moves on.
    pub fn wakes_at(&self, now: Duration, end: u8) -> Option<Duration> {
        let held = self.held.get(&end).and_then(|h| h.front());
        let held = held.map(|(due, _)| *due);
        let nak = Some(self.nak_until).filter(|at| *at > now);
        held.into_iter().chain(nak).max()
    }
}

fn refuse(text: &str) -> Result<String, DeskError> {
    Err(DeskError(text.to_owned()))
}

fn number(word: &str, max: u64) -> Result<u64, DeskError> {
    let number = word.parse().ok().filter(|n| *n <= max);
    number.ok_or_else(|| DeskError(format!("a number up to {max} was expected")))
}

#[cfg(test)]
mod tests;
