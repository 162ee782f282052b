//! Where secrets are opened and heavy work is done, off the event loop.
//!
//! Owns two fixed pools: one hashes PINs (argon2id, one block of memory per
//! worker), one matches fingerprints. Before each is a fair [line](mod@line): a place at once or
//! [`Busy`], then a turn within [`WAIT_MAX`] or [`Busy`]. Few turns are given at a time,
//! so that whoever has one is worked on at once. In the testbed the same jobs run inline,
//! so that no OS thread disturbs paused time. Called by the service's gates; nothing
//! else ever sees an opened secret (I7).

pub mod line;
pub mod pace;
pub mod password;
pub mod pin;
pub mod print;
mod wiped;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::sign::SignerId;
use tokio::sync::oneshot;

use crate::core::record::bank::KeyedHash;
use crate::keys::Keys;
use line::{Line, PLACES_MAX, Ticket};
use pace::Pace;
use pin::{Argon2Params, PinBench};
use wiped::{wipe, wiped};

/// Threads in one pool at most.
pub const POOL_MAX: usize = 16;
/// Longest wait for a turn.
pub const WAIT_MAX: Duration = Duration::from_secs(2);
/// Turns at a time for each thread: one works while the other's attempt is counted.
const TURNS_PER_THREAD: usize = 2;

/// No room, no turn in time, or the worker was lost: nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all workers are busy: try again in {retry_after_s} s")]
pub struct Busy {
    /// When the line should be short again, 1 to [`pace::RETRY_MAX_S`].
    pub retry_after_s: u32,
}

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

/// Whose place it is; `None` is the house itself.
pub type Owner = Option<SignerId>;

/// Which pool a job belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PINs and payment passwords.
    Pin,
    /// Documents and fingerprints.
    Print,
}

/// Who does the jobs.
enum Hands {
    /// Testbed: every job runs where it is asked for.
    Inline(Rc<RefCell<Bench>>),
    /// Production: threads, behind a queue as long as there are places and turns.
    Threads(SyncSender<Job>),
}

/// One pool and the line before it.
pub struct Pool {
    hands: Hands,
    line: RefCell<Line<Owner, KeyedHash>>,
    /// Who waits for a turn, to be told.
    calls: RefCell<BTreeMap<Ticket, oneshot::Sender<()>>>,
    pace: Pace,
}

/// The workers of one backend.
pub struct Workers {
    pins: Rc<Pool>,
    prints: Rc<Pool>,
}

/// A place in a pool's line, taken before an attempt is counted, so that a full line
/// never costs a customer an attempt. Given back when dropped.
pub struct Place {
    pool: Rc<Pool>,
    clock: SharedClock,
    ticket: Ticket,
    joined: Duration,
    turn: Option<Duration>,
}

impl Workers {
    /// Workers without threads.
    pub fn inline(keys: Arc<Keys>, params: Argon2Params) -> Self {
        let bench = Rc::new(RefCell::new(Bench::new(keys, params)));
        let pool = || Rc::new(Pool::behind(Hands::Inline(Rc::clone(&bench)), 1));
        Self {
            pins: pool(),
            prints: pool(),
        }
    }

    /// `pins` and `prints` threads (1 to [`POOL_MAX`] each).
    pub fn threads(
        keys: &Arc<Keys>,
        params: Argon2Params,
        pins: usize,
        prints: usize,
    ) -> std::io::Result<Self> {
        // The matcher never hashes, so its bench gets the smallest memory.
        Ok(Self {
            pins: Rc::new(Pool::start("pin", pins, keys, params)?),
            prints: Rc::new(Pool::start("print", prints, keys, Argon2Params::testbed())?),
        })
    }

    /// Takes a place for `owner`, or says [`Busy`] at once.
    pub fn join(&self, kind: Kind, owner: Owner, clock: &SharedClock) -> Result<Place, Busy> {
        let pool = self.pool(kind);
        let joined = pool.line.borrow_mut().join(owner);
        let (ticket, displaced) = joined.map_err(|_| pool.busy())?;
        if let Some(displaced) = displaced {
            // Whoever waited for it hears that it is gone.
            pool.calls.borrow_mut().remove(&displaced);
        }
        Ok(Place {
            pool: Rc::clone(pool),
            clock: Rc::clone(clock),
            ticket,
            joined: clock.monotonic(),
            turn: None,
        })
    }

    /// Hashes of an inline pool, for tests.
    #[cfg(test)]
    pub fn hashes(&self) -> u64 {
        match &self.pins.hands {
            Hands::Inline(bench) => bench.borrow().pins.hashes,
            Hands::Threads(_) => 0,
        }
    }

    /// How one pool is doing.
    pub fn pool(&self, kind: Kind) -> &Rc<Pool> {
        match kind {
            Kind::Pin => &self.pins,
            Kind::Print => &self.prints,
        }
    }
}

impl Place {
    /// Waits for a turn, [`WAIT_MAX`] after the place was taken at most; about `subject`,
    /// if it is about one.
    pub async fn turn(&mut self, subject: Option<KeyedHash>) -> Result<(), Busy> {
        let waited = self.clock.monotonic().saturating_sub(self.joined);
        let late = self.clock.sleep(WAIT_MAX.saturating_sub(waited));
        self.called(subject, late).await
    }

    /// Nobody takes this place away from now on.
    pub fn keep(&self) {
        self.pool.line.borrow_mut().keep(self.ticket);
    }

    /// A turn however late it comes: for a kept place whose attempt is counted already.
    pub async fn turn_at_last(&mut self, subject: Option<KeyedHash>) -> Result<(), Busy> {
        self.called(subject, std::future::pending()).await
    }

    async fn called(
        &mut self,
        subject: Option<KeyedHash>,
        late: impl Future<Output = ()>,
    ) -> Result<(), Busy> {
        let waits = self.pool.line.borrow_mut().wait(self.ticket, subject);
        waits.map_err(|_| self.pool.busy())?;
        let (call, mut called) = oneshot::channel();
        self.pool.calls.borrow_mut().insert(self.ticket, call);
        self.pool.call();
        tokio::select! {
            biased;
            turn = &mut called => turn.map_err(|_| self.pool.busy())?,
            () = late => return Err(self.pool.busy()),
        }
        let now = self.clock.monotonic();
        self.pool.pace.waited(now.saturating_sub(self.joined));
        self.turn = Some(now);
        Ok(())
    }

    /// Runs one job; again for the next job of the same gate.
    pub async fn run<T, F>(&self, job: F) -> Result<T, Busy>
    where
        T: Send + 'static,
        F: FnOnce(&mut Bench) -> T + Send + 'static,
    {
        match &self.pool.hands {
            Hands::Inline(bench) => Ok(wiped(job, &mut bench.borrow_mut())),
            Hands::Threads(jobs) => {
                let (answer, answered) = oneshot::channel();
                let job: Job = Box::new(move |bench| {
                    // The asker may have hung up; its answer is then nobody's.
                    let _ = answer.send(wiped(job, bench));
                });
                // Every sender has a place, and the channel is as long as the places.
                jobs.try_send(job).map_err(|_| self.pool.busy())?;
                answered.await.map_err(|_| self.pool.busy())
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(began) = self.turn {
            let took = self.clock.monotonic().saturating_sub(began);
            self.pool.pace.took(took);
        }
        self.pool.calls.borrow_mut().remove(&self.ticket);
        self.pool.line.borrow_mut().leave(self.ticket);
        self.pool.call();
    }
}

impl Pool {
    fn behind(hands: Hands, threads: usize) -> Self {
        let turns = threads.saturating_mul(TURNS_PER_THREAD);
        Self {
            hands,
            line: RefCell::new(Line::new(turns)),
            calls: RefCell::default(),
            pace: Pace::default(),
        }
    }

    fn start(
        name: &str,
        threads: usize,
        keys: &Arc<Keys>,
        params: Argon2Params,
    ) -> std::io::Result<Self> {
        let threads = threads.clamp(1, POOL_MAX);
        let turns = threads.saturating_mul(TURNS_PER_THREAD);
        let (jobs, queue) = sync_channel(turns.saturating_add(PLACES_MAX));
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..threads {
            let (queue, keys) = (Arc::clone(&queue), Arc::clone(keys));
            std::thread::Builder::new()
                .name(format!("{name}-{n}"))
                .spawn(move || work(&queue, &mut Bench::new(keys, params)))?;
        }
        Ok(Self::behind(Hands::Threads(jobs), threads))
    }

    /// Gives the turns there are.
    fn call(&self) {
        loop {
            let next = self.line.borrow_mut().call();
            let Some(ticket) = next else { return };
            let call = self.calls.borrow_mut().remove(&ticket);
            // Nobody there to hear it: the place is being dropped and gives it back.
            let _ = call.map(|call| call.send(()));
        }
    }

    /// Places that have no turn.
    pub fn waiting(&self) -> usize {
        self.line.borrow().outside()
    }

    /// Turns given now.
    pub fn turns(&self) -> usize {
        self.line.borrow().turns()
    }

    /// How long turns were waited for and took.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    fn busy(&self) -> Busy {
        let line = self.line.borrow();
        Busy {
            retry_after_s: self.pace.retry_after_s(line.outside(), line.turns_max()),
        }
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
            wipe();
            tracing::error!("a worker job panicked; its request was answered as busy");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::SystemClock;

    fn local<F: Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("runtime");
        tokio::task::LocalSet::new().block_on(&runtime, future)
    }

    fn threads() -> (Workers, SharedClock) {
        let keys = Arc::new(Keys::demo());
        let workers = Workers::threads(&keys, Argon2Params::testbed(), 1, 1).expect("threads");
        (workers, Rc::new(SystemClock::start()))
    }

    fn kiosk(n: usize) -> Owner {
        Some(format!("kiosk:kiosk-{n}").parse().expect("a signer"))
    }

    #[test]
    fn a_full_pool_is_busy_at_once_and_free_again_when_a_place_is_given_back() {
        let (workers, clock) = threads();
        let join = |n| workers.join(Kind::Pin, kiosk(n), &clock);
        let mut places: Vec<_> = (0..PLACES_MAX).map(|n| join(n).ok()).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(join(PLACES_MAX).is_err());
        let other = workers.join(Kind::Print, kiosk(0), &clock);
        assert!(other.is_ok(), "pools are separate");
        places.pop();
        assert!(join(PLACES_MAX).is_ok());
    }

    #[test]
    fn a_panicking_job_costs_its_own_answer_and_not_the_worker() {
        let (workers, clock) = threads();
        local(async {
            let place = workers.join(Kind::Print, None, &clock).expect("a place");
            assert!(place.run(|_| -> u8 { panic!("lost") }).await.is_err());
            assert_eq!(place.run(|_| 7).await, Ok(7));
        });
    }

    #[test]
    fn inline_workers_run_the_same_jobs_without_a_thread() {
        let workers = Workers::inline(Arc::new(Keys::demo()), Argon2Params::testbed());
        let clock: SharedClock = Rc::new(SystemClock::start());
        let here = std::thread::current().id();
        local(async {
            let place = workers.join(Kind::Pin, None, &clock).expect("a place");
            let there = place.run(|_| std::thread::current().id()).await;
            assert_eq!(there, Ok(here));
        });
    }

    #[test]
    fn a_turn_that_does_not_come_in_time_is_busy_and_its_place_is_free_again() {
        local(async {
            let workers = Workers::inline(Arc::new(Keys::demo()), Argon2Params::testbed());
            let clock: SharedClock = Rc::new(SystemClock::start());
            let mut held = Vec::new();
            for n in 0..TURNS_PER_THREAD {
                let mut place = workers.join(Kind::Pin, kiosk(n), &clock).expect("a place");
                place.turn(None).await.expect("a turn");
                held.push(place);
            }
            let began = clock.monotonic();
            let mut late = workers.join(Kind::Pin, kiosk(9), &clock).expect("a place");
            assert!(late.turn(None).await.is_err());
            assert_eq!(clock.monotonic() - began, WAIT_MAX);
            assert_eq!(workers.pool(Kind::Pin).waiting(), 1);
            drop(late);
            assert_eq!(workers.pool(Kind::Pin).waiting(), 0);
            let mut next = workers.join(Kind::Pin, kiosk(9), &clock).expect("a place");
            let (turn, ()) = tokio::join!(next.turn(None), async { drop(held.pop()) });
            turn.expect("the turn that was given back");
        });
    }
}
