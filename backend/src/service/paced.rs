//! A byte stream whose peer must take what it is sent.
//!
//! hyper bounds the time for a head, but not the time for an answer: a client that
//! pipelines requests and never reads, or an event stream nobody takes from, would
//! hold its connection for ever; so would one that takes a byte now and then. Here a
//! stream ends when its peer has taken less than [`PROGRESS`] bytes of what waits for it
//! in the given time. Called by the HTTP layer, under hyper.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use counterfoil_data::seam::{Local, SharedClock};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that count as progress, where not all was taken.
pub const PROGRESS: usize = 1_024;

/// Ends itself when a write makes no progress.
pub struct Paced<I> {
    io: I,
    clock: SharedClock,
    patience: Duration,
    stalled: Option<Local<'static, ()>>,
    /// Bytes taken since then.
    taken: usize,
}

impl<I> Paced<I> {
    /// A stream that waits `patience` for its peer to take something.
    pub fn new(io: I, clock: SharedClock, patience: Duration) -> Self {
        Self {
            io,
            clock,
            patience,
            stalled: None,
            taken: 0,
        }
    }

    /// Some bytes were taken, or the peer lets us wait.
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Poll::Ready(Ok(taken)) = polled else {
            return self.judge(cx, polled);
        };
        self.taken = self.taken.saturating_add(taken);
        if self.taken >= PROGRESS {
            self.at_ease();
        }
        polled
    }

    fn at_ease(&mut self) {
        self.stalled = None;
        self.taken = 0;
    }

    fn judge<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            // All of it was taken (a flush), or the stream is over.
            self.at_ease();
            return polled;
        }
        let (clock, patience) = (&self.clock, self.patience);
        let stalled = self.stalled.get_or_insert_with(|| clock.sleep(patience));
        if stalled.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.stalled = None;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Paced<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Paced<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(cx);
        self.judge(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_shutdown(cx);
        self.judge(cx, polled)
    }
}
