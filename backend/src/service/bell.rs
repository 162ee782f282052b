//! A bell: many wait, one rings, and they wake in the order in which they began to wait.
//!
//! `tokio::sync::watch` wakes its waiters in random order, so two event streams of one
//! house would tell their stories in another order in every run of a script. For tasks
//! of one thread; rung by the writer's answers, by closing, and by a cable that is cut.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

/// A bell that remembers how often it rang.
#[derive(Debug, Clone, Default)]
pub struct Bell(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rung: Cell<u64>,
    waiting: Notify,
}

impl Bell {
    /// Rings it; whoever waits wakes, and who was busy meanwhile finds it out.
    pub fn ring(&self) {
        self.0.rung.set(self.0.rung.get().wrapping_add(1));
        self.0.waiting.notify_waiters();
    }

    /// Whether it ever rang.
    pub fn has_rung(&self) -> bool {
        self.0.rung.get() > 0
    }

    /// Listens from now on.
    pub fn listen(&self) -> Ear {
        Ear {
            heard: self.0.rung.get(),
            bell: self.clone(),
        }
    }

    /// Listens for a bell that rings once, and may have.
    pub fn listen_for_first(&self) -> Ear {
        Ear {
            heard: 0,
            bell: self.clone(),
        }
    }
}

/// Somebody who listens to a bell.
#[derive(Debug)]
pub struct Ear {
    bell: Bell,
    heard: u64,
}

impl Ear {
    /// Takes everything rung so far as heard.
    pub fn catch_up(&mut self) {
        self.heard = self.bell.0.rung.get();
    }

    /// Until it rings, or rang since it was heard last. Safe to drop at any time.
    pub async fn rung(&mut self) {
        loop {
            // One thread: nothing rings between the look and the wait.
            if self.bell.0.rung.get() != self.heard {
                self.catch_up();
                return;
            }
            self.bell.0.waiting.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn waiters_wake_in_the_order_they_began_to_wait_and_nobody_misses_a_ring() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime.expect("a runtime"), async {
            let (bell, woken) = (Bell::default(), Rc::new(RefCell::new(Vec::new())));
            let mut late = bell.listen();
            for round in 0..3 {
                let tasks: Vec<_> = (0..20)
                    .map(|n| {
                        let (mut ear, woken) = (bell.listen(), Rc::clone(&woken));
                        tokio::task::spawn_local(async move {
                            ear.rung().await;
                            woken.borrow_mut().push(n);
                        })
                    })
                    .collect();
                tokio::task::yield_now().await;
                bell.ring();
                for task in tasks {
                    task.await.expect("it ends");
                }
                let order: Vec<_> = (0..20).collect();
                assert_eq!(woken.take(), order, "round {round}");
            }
            late.rung().await;
            bell.listen_for_first().rung().await;
            assert!(bell.has_rung());
        });
    }
}
