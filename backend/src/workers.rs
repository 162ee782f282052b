//! Where secrets are opened and heavy work is done, off the event loop.
//!
//! Owns two fixed pools: one hashes PINs (argon2id, one block of memory per
//! worker), one matches fingerprints. Refuses work beyond its bounds ([`Busy`])
//! instead of queueing without end. In the testbed the same jobs run inline, so
//! that no OS thread disturbs paused time. Called by the service's gates; nothing
//! else ever sees an opened secret (I7).

pub mod password;
pub mod pin;
pub mod print;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::keys::Keys;
use pin::{Argon2Params, PinBench};

/// Jobs that may wait per pool, beyond those being worked on.
pub const QUEUE_MAX: usize = 32;
/// Threads in one pool at most.
pub const POOL_MAX: usize = 16;

/// The pool is full, or its worker was lost: try again later, nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all workers are busy: try again in a second")]
pub struct Busy;

/// What one worker owns.
pub struct Bench {
    /// All keys; opened secrets never leave the job.
    pub keys: Arc<Keys>,
    /// argon2 with its pooled memory.
    pub pins: PinBench,
}

impl Bench {
    fn new(keys: Arc<Keys>, params: Argon2Params) -> Self {
        let pins = PinBench::new(params);
        Self { keys, pins }
    }
}

type Job = Box<dyn FnOnce(&mut Bench) + Send>;

/// One pool of threads with a bounded queue.
pub struct Pool {
    jobs: SyncSender<Job>,
    room: Arc<Semaphore>,
}

/// Room in a pool, taken before an attempt is counted, so that a full queue
/// never costs a customer an attempt.
pub struct Room<'a> {
    workers: &'a Workers,
    seat: Seat,
}

enum Seat {
    Inline,
    Threads(SyncSender<Job>, OwnedSemaphorePermit),
}

/// Which pool a job belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PINs and payment passwords.
    Pin,
    /// Documents and fingerprints.
    Print,
}

/// The workers of one backend.
pub enum Workers {
    /// Testbed: every job runs where it is asked for.
    Inline(Rc<RefCell<Bench>>),
    /// Production: two pools of threads.
    Threads {
        /// argon2.
        pins: Pool,
        /// The matcher.
        prints: Pool,
    },
}

impl Workers {
    /// Workers without threads.
    pub fn inline(keys: Arc<Keys>, params: Argon2Params) -> Self {
        Self::Inline(Rc::new(RefCell::new(Bench::new(keys, params))))
    }

    /// `pins` and `prints` threads (1 to [`POOL_MAX`] each).
    pub fn threads(
        keys: &Arc<Keys>,
        params: Argon2Params,
        pins: usize,
        prints: usize,
    ) -> std::io::Result<Self> {
        // The matcher never hashes, so its bench gets the smallest memory.
        Ok(Self::Threads {
            pins: Pool::start("pin", pins, keys, params)?,
            prints: Pool::start("print", prints, keys, Argon2Params::testbed())?,
        })
    }

    /// Takes room for one job, or says [`Busy`] at once.
    pub fn room(&self, kind: Kind) -> Result<Room<'_>, Busy> {
        let seat = match (self, kind) {
            (Self::Inline(_), _) => Seat::Inline,
            (Self::Threads { pins: pool, .. }, Kind::Pin)
            | (Self::Threads { prints: pool, .. }, Kind::Print) => {
                let permit = Arc::clone(&pool.room).try_acquire_owned();
                Seat::Threads(pool.jobs.clone(), permit.map_err(|_| Busy)?)
            }
        };
        Ok(Room {
            workers: self,
            seat,
        })
    }
}

impl Room<'_> {
    /// Runs one job; the room may be used again for the next job of the same gate.
    pub async fn run<T, F>(&self, job: F) -> Result<T, Busy>
    where
        T: Send + 'static,
        F: FnOnce(&mut Bench) -> T + Send + 'static,
    {
        match (&self.seat, self.workers) {
            (Seat::Inline, Workers::Inline(bench)) => Ok(job(&mut bench.borrow_mut())),
            (Seat::Threads(jobs, _permit), _) => {
                let (answer, answered) = oneshot::channel();
                let job: Job = Box::new(move |bench| {
                    // The asker may have hung up; its answer is then nobody's.
                    let _ = answer.send(job(bench));
                });
                // Every sender holds room, and the channel is as long as the room.
                jobs.try_send(job).map_err(|_| Busy)?;
                answered.await.map_err(|_| Busy)
            }
            (Seat::Inline, Workers::Threads { .. }) => Err(Busy),
        }
    }
}

impl Pool {
    fn start(
        name: &str,
        threads: usize,
        keys: &Arc<Keys>,
        params: Argon2Params,
    ) -> std::io::Result<Self> {
        let threads = threads.clamp(1, POOL_MAX);
        let places = threads.saturating_add(QUEUE_MAX);
        let (jobs, queue) = sync_channel(places);
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..threads {
            let (queue, keys) = (Arc::clone(&queue), Arc::clone(keys));
            std::thread::Builder::new()
                .name(format!("{name}-{n}"))
                .spawn(move || work(&queue, &mut Bench::new(keys, params)))?;
        }
        Ok(Self {
            jobs,
            room: Arc::new(Semaphore::new(places)),
        })
    }
}

/// A worker's life: one job after another until every sender is gone.
fn work(queue: &Mutex<Receiver<Job>>, bench: &mut Bench) {
    loop {
        let next = match queue.lock() {
            Ok(queue) => queue.recv(),
            // Nobody panics while holding the lock: `recv` does not.
            Err(_) => return,
        };
        let Ok(job) = next else { return };
        // Where panics unwind (development, tests) a panicking job loses its answer and
        // the asker sees Busy; a release build stops as a whole, as after a lost commit.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(bench)));
        if done.is_err() {
            tracing::error!("a worker job panicked; its request was answered as busy");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local<F: Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("runtime");
        tokio::task::LocalSet::new().block_on(&runtime, future)
    }

    #[test]
    fn a_full_pool_is_busy_at_once_and_free_again_when_room_is_given_back() {
        let keys = Arc::new(Keys::demo());
        let workers = Workers::threads(&keys, Argon2Params::testbed(), 1, 1).expect("threads");
        let mut rooms = Vec::new();
        for _ in 0..=QUEUE_MAX {
            rooms.push(workers.room(Kind::Pin).expect("room"));
        }
        assert_eq!(workers.room(Kind::Pin).err(), Some(Busy));
        assert!(workers.room(Kind::Print).is_ok(), "pools are separate");
        rooms.pop();
        assert!(workers.room(Kind::Pin).is_ok());
    }

    #[test]
    fn a_panicking_job_costs_its_own_answer_and_not_the_worker() {
        let keys = Arc::new(Keys::demo());
        let workers = Workers::threads(&keys, Argon2Params::testbed(), 1, 1).expect("threads");
        local(async {
            let room = workers.room(Kind::Print).expect("room");
            assert_eq!(room.run(|_| -> u8 { panic!("lost") }).await, Err(Busy));
            assert_eq!(room.run(|_| 7).await, Ok(7));
        });
    }

    #[test]
    fn inline_workers_run_the_same_jobs_without_a_thread() {
        let workers = Workers::inline(Arc::new(Keys::demo()), Argon2Params::testbed());
        let here = std::thread::current().id();
        local(async {
            let room = workers.room(Kind::Pin).expect("room");
            let there = room.run(|_| std::thread::current().id()).await;
            assert_eq!(there, Ok(here));
        });
    }
}
