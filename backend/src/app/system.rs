//! The real clock, the real generator (two of the six seams), and the process itself.

use std::time::Duration;

use counterfoil_data::seam::{Clock, Entropy, Local};
use jiff::Timestamp;
use tokio::time::Instant;

/// Wall and monotonic time of this machine.
pub struct SystemClock(Instant);

impl SystemClock {
    /// Starts counting; needs no runtime.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// The operating system's generator.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            tracing::error!("the operating system gives no randomness: stopping");
            // Without randomness every challenge, nonce and salt would be worthless.
            std::process::abort();
        }
    }
}

/// Keeps secrets out of core files and away from other processes of the same user: no
/// core is written, and nobody but root may attach. Called first thing by a program
/// that holds keys; a system that refuses is told of in the log, not fatal.
#[cfg(target_os = "linux")]
pub fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let cores = rustix::process::setrlimit(Resource::Core, none);
    let dumpable = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = cores.and(dumpable) {
        tracing::warn!(%error, "a crash may write secrets to a core file: set ulimit -c 0");
    }
}

/// Other systems: the service manager must forbid core files.
#[cfg(not(target_os = "linux"))]
pub fn keep_memory_private() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn no_core_file_is_written_and_nobody_may_attach() {
        keep_memory_private();
        let cores = rustix::process::getrlimit(rustix::process::Resource::Core);
        assert_eq!((cores.current, cores.maximum), (Some(0), Some(0)));
        let dumpable = rustix::process::dumpable_behavior().expect("known");
        assert_eq!(dumpable, rustix::process::DumpableBehavior::NotDumpable);
    }
}
