//! Time, chance and the log of a house under test.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::time::Duration;

use counterfoil_data::seam::{Clock, Entropy, Local};
use jiff::Timestamp;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// When every test begins: a Monday morning in Shanghai.
pub const START: &str = "2026-11-23T02:00:00Z";

thread_local! {
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Everything logged on this thread since its first test, at every level.
pub fn logged() -> Vec<u8> {
    LOGGED.with_borrow(Clone::clone)
}

struct ThreadLog;

impl std::io::Write for ThreadLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One subscriber for the process, so that no test races another's callsites.
fn capture() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(|| ThreadLog)
            .init();
    });
}

/// Runs a test on one thread with paused time.
pub fn run<F: Future<Output = ()>>(test: F) {
    capture();
    quietly(test);
}

/// The same for work that is done thousands of times and keeps no log.
pub fn quietly<T, F: Future<Output = T>>(work: F) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("runtime");
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

/// Paused time from a moment on.
pub struct VirtualClock {
    from: Timestamp,
    since: tokio::time::Instant,
}

impl VirtualClock {
    pub fn from(from: Timestamp) -> Self {
        let since = tokio::time::Instant::now();
        Self { from, since }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.from + self.since.elapsed()
    }
    fn monotonic(&self) -> Duration {
        self.since.elapsed()
    }
    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// Chance that repeats itself.
pub struct Seeded(RefCell<ChaCha20Rng>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(RefCell::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.borrow_mut().fill_bytes(bytes);
    }
}
