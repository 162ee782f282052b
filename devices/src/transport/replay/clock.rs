//! The time of a recording: it passes when everybody waits.
//!
//! Owns the wait of one future and all that is polled within it; a second task would be
//! forgotten. Refuses to wait for what never comes: where nobody sleeps and nothing is
//! ready, the run ends.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use counterfoil_data::seam::{Clock, Local};
use jiff::Timestamp;

/// Longest time that may pass in one run.
pub const RUN_MAX: Duration = Duration::from_secs(24 * 3600);

/// The run waits for what never comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the driver waits for what is not in the recording")]
pub struct Stuck;

/// A clock that jumps to the next moment somebody waits for.
#[derive(Clone)]
pub struct ReplayClock(Rc<Time>);

struct Time {
    wall: Timestamp,
    now: Cell<Duration>,
    last: Cell<u64>,
    /// Who sleeps until when.
    sleepers: RefCell<BTreeMap<u64, Duration>>,
}

impl ReplayClock {
    /// A clock that shows `wall` now.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self(Rc::new(Time {
            wall,
            now: Cell::default(),
            last: Cell::default(),
            sleepers: RefCell::default(),
        }))
    }

    /// Runs `work` to its end, in no time at all.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Stuck> {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut work = pin!(work);
        loop {
            woken.0.store(false, Ordering::SeqCst);
            if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
                return Ok(done);
            }
            if woken.0.load(Ordering::SeqCst) {
                continue;
            }
            let next = self.0.sleepers.borrow().values().min().copied();
            let next = next.filter(|next| *next <= RUN_MAX).ok_or(Stuck)?;
            self.0.now.set(next.max(self.0.now.get()));
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Clock for ReplayClock {
    /// As in the recording, it stands still.
    fn now(&self) -> Timestamp {
        self.0.wall
    }

    fn monotonic(&self) -> Duration {
        self.0.now.get()
    }

    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        let number = self.0.last.get().wrapping_add(1);
        self.0.last.set(number);
        let until = self.0.now.get().saturating_add(wait);
        self.0.sleepers.borrow_mut().insert(number, until);
        Box::pin(Sleep {
            time: Rc::clone(&self.0),
            number,
            until,
        })
    }
}

struct Sleep {
    time: Rc<Time>,
    number: u64,
    until: Duration,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.time.now.get() >= self.until {
            true => Poll::Ready(()),
            // The run polls everything again when time passed.
            false => Poll::Pending,
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.time.sleepers.borrow_mut().remove(&self.number);
    }
}
