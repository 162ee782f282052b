//! The HTTP service: requests in, commands to the writer, views out.
//!
//! Owns connections, gates' order of checks, event streams, timers and the relay
//! of errands. Refuses whatever is not in the route table, not signed, too big or
//! out of turn (I4 is decided by the core; nothing here can skip it). Everything
//! runs on one thread and below the seams: `app` gives it sockets and threads,
//! the testbed gives it in-memory streams and paused time.

pub mod admin;
pub mod bell;
pub mod books;
pub mod events;
pub mod fault;
pub mod handle;
pub mod http;
pub mod meter;
mod metrics;
pub mod openapi;
pub mod paced;
pub mod relay;
pub mod reply;
pub mod reseal;
pub mod route;
pub mod sessions;
pub mod shares;
pub mod signer;
pub mod space;
pub mod start;
pub mod steady;
pub mod tick;
pub mod timeline;
pub mod tls;
mod versions;
pub mod writer_handle;

#[cfg(test)]
mod tests;

use std::cell::{Cell, OnceCell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use counterfoil_data::sign::SignerId;
use counterfoil_data::wire;

use crate::keys::Keys;
use crate::ports::Ports;
use crate::store::Snapshots;
use crate::workers::Workers;
use bell::Bell;
use meter::Meter;
use sessions::Sessions;
use shares::Shares;
use signer::Seen;
use space::Space;
use start::Start;
use steady::SteadyClock;
use writer_handle::{Waiting, WriterHandle};

/// Bounds of one service; the configuration's `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; more are closed at once.
    pub connections_max: usize,
    /// Connections of one address (with IPv6: of one /64); more are closed at once.
    pub connections_per_address_max: usize,
    /// Requests worked on at once; more are answered 503.
    pub requests_max: usize,
    /// Event streams at once; more are answered 503. A stream holds its connection,
    /// so at most [`Limits::streams_cap`] are given whatever is set here.
    pub streams_max: usize,
    /// Silence in a request head, or between requests, that ends a connection.
    pub header_read_timeout: Duration,
    /// Time for a whole body.
    pub body_read_timeout: Duration,
    /// Time for an answer after its request was read; then it is answered 503.
    pub request_timeout: Duration,
    /// Time in which a client takes nothing of what it is sent that ends a connection.
    pub write_timeout: Duration,
    /// Whether answers carry `Date`; off in the testbed, where it would be noise.
    pub date_header: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            connections_per_address_max: 512,
            requests_max: 512,
            streams_max: 768,
            header_read_timeout: Duration::from_secs(15),
            body_read_timeout: Duration::from_secs(15),
            request_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            date_header: true,
        }
    }
}

impl Limits {
    /// Event streams that leave a quarter of so many connections to requests.
    pub fn streams_cap(connections_max: usize) -> usize {
        connections_max.saturating_sub(connections_max.div_ceil(4))
    }
}

/// Requests of one signer at once. A kiosk has one or two under way; the rest of the
/// house must not wait for a signer that sends heads and no bodies.
pub const REQUESTS_PER_SIGNER_MAX: usize = 32;

/// A command that waits longer than this for its commit says that the writer is stuck.
pub const WRITER_LATE: Duration = Duration::from_secs(5);

/// What a service is made of.
pub struct Parts {
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
    /// The way to the writer.
    pub writer: WriterHandle,
    /// Snapshots of the books.
    pub snapshots: Box<dyn Snapshots>,
    /// All keys.
    pub keys: Arc<Keys>,
    /// Where secrets are opened.
    pub workers: Workers,
    /// What lies outside the house.
    pub ports: Ports,
    /// Bounds.
    pub limits: Limits,
}

/// The service.
pub struct Service {
    /// Of the machine, but without its jumps; `steady` is the same.
    clock: SharedClock,
    steady: Rc<SteadyClock>,
    entropy: SharedEntropy,
    writer: WriterHandle,
    waiting: Waiting,
    snapshots: Box<dyn Snapshots>,
    keys: Arc<Keys>,
    workers: Workers,
    ports: Ports,
    limits: Limits,
    seen: RefCell<Seen>,
    sessions: RefCell<Sessions>,
    streams: Shares<SignerId>,
    /// Grows with every durable change; event streams wait on it.
    changes: Bell,
    /// Rings once.
    closing: Bell,
    /// Rings when the books cannot be read.
    broken: Bell,
    connections: Shares<IpAddr>,
    requests: Shares<SignerId>,
    admins: Cell<usize>,
    space: Space,
    start: OnceCell<Start>,
    /// Counters for `/metrics`.
    pub meter: Meter,
    /// Bytes of the books' file, if they are in one.
    books_bytes: OnceCell<metrics::Measure>,
    openapi: Bytes,
}

impl Service {
    /// Opens a service over its parts.
    pub fn open(parts: Parts) -> Rc<Self> {
        let Parts {
            clock,
            entropy,
            writer,
            snapshots,
            keys,
            workers,
            ports,
            limits,
        } = parts;
        let steady = Rc::new(SteadyClock::over(clock));
        let (connections_max, streams_max) = (limits.connections_max, limits.streams_max);
        let streams_max = streams_max.min(Limits::streams_cap(connections_max));
        Rc::new(Self {
            clock: steady.clone(),
            steady,
            entropy,
            writer,
            waiting: Waiting::default(),
            snapshots,
            keys,
            workers,
            ports,
            limits,
            seen: RefCell::default(),
            sessions: RefCell::default(),
            streams: Shares::new(streams_max, events::STREAMS_PER_SIGNER_MAX),
            changes: Bell::default(),
            closing: Bell::default(),
            broken: Bell::default(),
            connections: Shares::new(connections_max, limits.connections_per_address_max),
            requests: Shares::new(limits.requests_max, REQUESTS_PER_SIGNER_MAX),
            admins: Cell::new(0),
            space: Space::default(),
            start: OnceCell::new(),
            meter: Meter::default(),
            books_bytes: OnceCell::new(),
            openapi: openapi::served(),
        })
    }

    /// Ends event streams and idle connections; requests in flight finish.
    pub fn close(&self) {
        self.closing.ring();
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.connections.taken()
    }

    /// Whether it takes requests (for `/readyz`).
    pub fn is_ready(&self) -> bool {
        !self.closing.has_rung() && self.is_alive()
    }

    /// Whether commands are made durable (for a watchdog): the writer lives, none of
    /// its commands waits too long, and the books can be read.
    pub fn is_alive(&self) -> bool {
        self.writer.is_alive()
            && self.oldest_wait() <= WRITER_LATE
            && self.snapshots.snapshot().is_ok()
            && !self.broken.has_rung()
    }

    fn oldest_wait(&self) -> Duration {
        self.waiting.oldest(self.clock.monotonic())
    }

    fn request_id(&self) -> String {
        wire::hex(&random::<8>(&*self.entropy))
    }
}

/// Counts something while it lives.
struct Counted<'a>(&'a Cell<usize>);

impl<'a> Counted<'a> {
    fn below(count: &'a Cell<usize>, max: usize) -> Option<Self> {
        if count.get() >= max {
            return None;
        }
        count.set(count.get().saturating_add(1));
        Some(Self(count))
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
