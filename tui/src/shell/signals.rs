//! Signals as values: leave, or look at the window's size again.

/// What the outside asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// End cleanly: SIGTERM, SIGHUP (the terminal is gone), SIGINT.
    Leave,
    /// SIGWINCH.
    Resize,
}

#[cfg(unix)]
pub use unix::Signals;

#[cfg(unix)]
mod unix {
    use std::io;

    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    use super::Signal;

    /// The signals a shell listens to. Needs a runtime with I/O.
    pub struct Signals {
        terminate: Stream,
        hang_up: Stream,
        interrupt: Stream,
        window: Stream,
    }

    impl Signals {
        /// Starts to listen; a signal from here on is not lost.
        pub fn listen() -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                window: signal(SignalKind::window_change())?,
            })
        }

        /// The next one. Cancel-safe.
        pub async fn next(&mut self) -> Signal {
            tokio::select! {
                biased;
                _ = self.terminate.recv() => Signal::Leave,
                _ = self.hang_up.recv() => Signal::Leave,
                _ = self.interrupt.recv() => Signal::Leave,
                _ = self.window.recv() => Signal::Resize,
            }
        }
    }
}

#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Leave
    }
}
