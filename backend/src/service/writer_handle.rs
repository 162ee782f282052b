//! The way to the one writer: a bounded channel in front of [`Writer::step`].
//!
//! Owns the queue and the grouping (whatever waits, at most 64, no timer).
//! Refuses when the queue is full. The same handle serves a local task over an
//! in-memory store and an OS thread over a file; only what drains it differs.
//! Counts groups and times commits for `/metrics`, by a clock that is given.
//! Any storage error ends the process: nobody was answered, clients repeat.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::meter::Histogram;
use crate::core::command::{Answer, Command, GROUP_MAX};
use crate::store::Store;
use crate::writer::{Fatal, Writer};

/// Commands that may wait for the writer.
pub const QUEUE_MAX: usize = 1_024;

/// The writer's queue is full or the writer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the writer is busy: repeat the same request")]
pub struct WriterBusy;

type Asked = (Command, oneshot::Sender<Answer>);

/// Hands commands to the writer; cheap to clone.
#[derive(Clone)]
pub struct WriterHandle {
    queue: mpsc::Sender<Asked>,
    groups: Arc<Groups>,
}

/// What the writer's groups were like; filled by its thread.
#[derive(Debug)]
pub struct Groups {
    /// Commands in one group.
    pub sizes: Histogram,
    /// Time of deciding and committing one group.
    pub commits: Histogram,
}

/// Monotonic time, wherever the writer runs.
type Ticker = Box<dyn Fn() -> Duration + Send>;

/// Commands given and not yet answered, and since when: a writer that is alive but
/// stuck (in a sync, say) is told by the oldest of them.
#[derive(Debug, Default)]
pub struct Waiting {
    since: RefCell<BTreeMap<u64, Duration>>,
    next: Cell<u64>,
}

/// One command that waits for its answer.
pub struct Wait<'a> {
    all: &'a Waiting,
    number: u64,
}

impl Waiting {
    /// One more waits, from `now` (monotonic) until it is dropped.
    pub fn begin(&self, now: Duration) -> Wait<'_> {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        self.since.borrow_mut().insert(number, now);
        Wait { all: self, number }
    }

    /// How long the oldest has waited.
    pub fn oldest(&self, now: Duration) -> Duration {
        let since = self.since.borrow();
        let oldest = since.values().min().copied().unwrap_or(now);
        now.saturating_sub(oldest)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.all.since.borrow_mut().remove(&self.number);
    }
}

/// The writer's end of the queue.
pub struct WriterQueue {
    queue: mpsc::Receiver<Asked>,
    groups: Arc<Groups>,
    ticker: Option<Ticker>,
}

impl WriterHandle {
    /// A handle and its queue; drain it with [`WriterQueue::run_local`] or
    /// [`WriterQueue::run_thread`].
    pub fn new() -> (Self, WriterQueue) {
        let (tx, rx) = mpsc::channel(QUEUE_MAX);
        let groups = Arc::new(Groups {
            sizes: Histogram::of_counts(),
            commits: Histogram::of_times(),
        });
        let queue = WriterQueue {
            queue: rx,
            groups: Arc::clone(&groups),
            ticker: None,
        };
        (Self { queue: tx, groups }, queue)
    }

    /// Gives one command; the answer is durable when it comes.
    pub async fn give(&self, command: Command) -> Result<Answer, WriterBusy> {
        let (tx, rx) = oneshot::channel();
        let sent = self.queue.try_send((command, tx));
        sent.map_err(|_| WriterBusy)?;
        rx.await.map_err(|_| WriterBusy)
    }

    /// Whether somebody still drains the queue.
    pub fn is_alive(&self) -> bool {
        !self.queue.is_closed()
    }

    /// What the groups were like until now.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Commands waiting now.
    pub fn waiting(&self) -> usize {
        QUEUE_MAX.saturating_sub(self.queue.capacity())
    }
}

impl WriterQueue {
    /// The same queue, whose commits are timed by this clock (monotonic).
    pub fn timed(mut self, ticker: impl Fn() -> Duration + Send + 'static) -> Self {
        self.ticker = Some(Box::new(ticker));
        self
    }

    /// Drains the queue on the runtime's own thread until the last handle or
    /// the store is gone: the testbed's writer.
    pub async fn run_local<S: Store>(mut self, mut writer: Writer<S>) -> Result<(), Fatal> {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while self.queue.recv_many(&mut group, GROUP_MAX).await > 0 {
            self.step(&mut writer, &mut group)?;
        }
        Ok(())
    }

    /// Drains the queue on the calling OS thread; the writer comes back when nobody
    /// can ask any more. A storage error is given back; the caller must end the process
    /// at once.
    pub fn run_thread<S: Store>(mut self, mut writer: Writer<S>) -> Result<Writer<S>, Fatal> {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while self.queue.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
            self.step(&mut writer, &mut group)?;
        }
        Ok(writer)
    }

    /// One group: one durable commit, then everybody is answered.
    fn step<S: Store>(&self, writer: &mut Writer<S>, group: &mut Vec<Asked>) -> Result<(), Fatal> {
        let (commands, askers): (Vec<_>, Vec<_>) = group.drain(..).unzip();
        self.groups.sizes.count(commands.len());
        let began = self.ticker.as_ref().map(|ticker| ticker());
        let answers = writer.step(commands)?;
        if let (Some(began), Some(ticker)) = (began, &self.ticker) {
            self.groups.commits.time(ticker().saturating_sub(began));
        }
        for (asker, answer) in askers.into_iter().zip(answers) {
            // The asker may have hung up; its retry finds what was done.
            let _ = asker.send(answer);
        }
        Ok(())
    }
}
