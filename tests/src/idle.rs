//! When is everything idle? The one primitive that replaces sleeps in plays.
//!
//! A current-thread runtime calls its park hook exactly when no task can run.
//! [`runtime`] stores a waker there; [`settle`] completes on the next park.
//! Waking the root future inside the hook also keeps a paused clock from jumping
//! ahead, so virtual time moves only when a script says so.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::task::{Poll, Waker};

use tokio::runtime::{Builder, Runtime};

thread_local! {
    static PARKED: RefCell<Option<Waiter>> = const { RefCell::new(None) };
}

/// Who waits for idleness.
struct Waiter {
    waker: Waker,
    parked: bool,
}

/// A single-threaded runtime with idle detection; `paused` for virtual time.
pub fn runtime(paused: bool) -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(paused)
        .on_thread_park(|| {
            PARKED.with_borrow_mut(|slot| {
                if let Some(waiter) = slot {
                    waiter.parked = true;
                    waiter.waker.wake_by_ref();
                }
            });
        })
        .build()
}

/// Completes when no other task can make progress without time or input.
/// One caller at a time (the script).
pub async fn settle() {
    let mut first = true;
    poll_fn(|context| {
        PARKED.with_borrow_mut(|slot| {
            let done = !first && slot.as_ref().is_some_and(|waiter| waiter.parked);
            first = false;
            if done {
                *slot = None;
                return Poll::Ready(());
            }
            let parked = false;
            *slot = Some(Waiter {
                waker: context.waker().clone(),
                parked,
            });
            Poll::Pending
        })
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use tokio::task::LocalSet;

    use super::*;

    #[test]
    fn settle_waits_for_every_ready_task_and_moves_no_time() {
        let runtime = runtime(true).expect("runtime");
        let log = Rc::new(RefCell::new(Vec::new()));
        let seen = log.clone();
        LocalSet::new().block_on(&runtime, async move {
            let start = tokio::time::Instant::now();
            let inner = seen.clone();
            tokio::task::spawn_local(async move {
                for step in 0..100 {
                    tokio::task::yield_now().await;
                    inner.borrow_mut().push(step);
                }
                tokio::time::sleep(Duration::from_secs(5)).await;
                inner.borrow_mut().push(1000);
            });
            settle().await;
            assert_eq!(seen.borrow().len(), 100);
            assert_eq!(start.elapsed(), Duration::ZERO);
            tokio::time::sleep(Duration::from_secs(6)).await;
            settle().await;
            assert_eq!(seen.borrow().last(), Some(&1000));
        });
    }
}
