//! One imported device's connection: URBs by number, and a task that pumps them.

mod kept;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc, oneshot};

use super::super::URBS_MAX;
use super::super::protocol::{ECONNRESET, HEAD_LEN, Head, ProtocolError};
use super::invalid;
use crate::transport::{TRANSFER_MAX, Transfer, UsbError};

/// Messages waiting for the socket at most.
const OUTGOING_MAX: usize = 64;
/// Longest wait for the answer to an unlink, and for the end of a connection.
const UNLINK_WITHIN: Duration = Duration::from_secs(2);
/// transfer_flags of an IN transfer.
const URB_DIR_IN: u32 = 0x0200;

/// One transfer to submit.
pub(super) struct Request<'a> {
    pub(super) endpoint: u8,
    pub(super) into: bool,
    pub(super) len: usize,
    pub(super) out: &'a [u8],
    pub(super) setup: [u8; 8],
}

/// How a transfer ended.
pub(super) struct Done {
    pub(super) status: i32,
    pub(super) actual: usize,
    pub(super) data: Vec<u8>,
}

struct Pending {
    into: bool,
    endpoint: u8,
    /// Bytes asked for.
    len: usize,
    /// Whoever waits; none once what came for an earlier read was given to it.
    done: Option<oneshot::Sender<Done>>,
}

struct Shared {
    clock: SharedClock,
    devid: u32,
    next: Cell<u32>,
    pending: RefCell<BTreeMap<u32, Pending>>,
    /// By IN endpoint: what came for waiters that were gone, for the next ones.
    kept: RefCell<BTreeMap<u8, VecDeque<Transfer>>>,
    /// Unlink messages on their way, by their number.
    unlinks: RefCell<BTreeMap<u32, u32>>,
    /// URBs whose waiter is gone; the pump unlinks them.
    abandoned: RefCell<Vec<u32>>,
    abandon: Notify,
    ended: Cell<bool>,
    ended_now: Notify,
}

/// The connection as its transport sees it.
pub(super) struct Link {
    shared: Rc<Shared>,
    outgoing: mpsc::Sender<Vec<u8>>,
}

impl Link {
    /// Takes the stream over; its pump runs on the current `LocalSet`.
    pub(super) fn start<S>(stream: S, devid: u32, clock: SharedClock) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let shared = Rc::new(Shared {
            clock,
            devid,
            next: Cell::new(1),
            pending: RefCell::default(),
            kept: RefCell::default(),
            unlinks: RefCell::default(),
            abandoned: RefCell::default(),
            abandon: Notify::new(),
            ended: Cell::new(false),
            ended_now: Notify::new(),
        });
        let (outgoing, messages) = mpsc::channel(OUTGOING_MAX);
        let of_pump = Rc::clone(&shared);
        tokio::task::spawn_local(async move {
            if let Err(error) = of_pump.pump(stream, messages).await {
                tracing::debug!(%error, "a usb/ip connection broke");
            }
            of_pump.end();
        });
        Self { shared, outgoing }
    }

    /// Submits and waits; after `within` unlinks and waits for what became of it.
    pub(super) async fn transfer(
        &self,
        request: Request<'_>,
        within: Duration,
    ) -> Result<Done, UsbError> {
        if request.len > TRANSFER_MAX || self.shared.pending.borrow().len() >= URBS_MAX {
            return Err(UsbError::Other(
                "more than a usb/ip connection carries".into(),
            ));
        }
        let clock = &self.shared.clock;
        let deadline = clock.monotonic().saturating_add(within);
        let seq = self.shared.number();
        let (done, answer) = oneshot::channel();
        let pending = Pending {
            into: request.into,
            endpoint: request.endpoint,
            len: request.len,
            done: Some(done),
        };
        self.shared.pending.borrow_mut().insert(seq, pending);
        // Unlinked when dropped.
        let mut waiting = Waiting {
            shared: &self.shared,
            seq,
            endpoint: if request.into { request.endpoint } else { 0 },
            len: request.len,
            answer,
        };
        if self.shared.ended.get() {
            return Err(UsbError::NoDevice);
        }
        let head = Head::Submit {
            seq,
            devid: self.shared.devid,
            into: request.into,
            endpoint: request.endpoint,
            flags: if request.into { URB_DIR_IN } else { 0 },
            len: request.len,
            interval: 0,
            setup: request.setup,
        };
        let message = [head.encode().as_slice(), request.out].concat();
        tokio::select! {
            biased;
            sent = self.send(message) => sent?,
            () = clock.sleep(within) => {
                // It never left, so there is nothing to unlink.
                self.shared.pending.borrow_mut().remove(&seq);
                return Err(UsbError::Timeout);
            }
        }
        let left = deadline.saturating_sub(clock.monotonic());
        tokio::select! {
            biased;
            done = &mut waiting.answer => return done.map_err(|_| UsbError::NoDevice),
            () = clock.sleep(left) => {}
        }
        let gone = async {
            self.unlink(seq).await?;
            (&mut waiting.answer).await.map_err(|_| UsbError::NoDevice)
        };
        self.soon(gone).await
    }

    /// What the server must do soon; a server that does not is gone.
    async fn soon<T>(
        &self,
        work: impl Future<Output = Result<T, UsbError>>,
    ) -> Result<T, UsbError> {
        tokio::select! {
            biased;
            done = work => done,
            () = self.shared.clock.sleep(UNLINK_WITHIN) => Err(UsbError::NoDevice),
        }
    }

    /// What came on an IN endpoint for a read whose waiter was gone.
    pub(super) fn kept(&self, endpoint: u8, max: usize) -> Option<Transfer> {
        self.shared.kept(endpoint, max)
    }

    /// Unlinks every IN transfer of an endpoint and waits until they are gone.
    pub(super) async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        for seq in self.posted(endpoint) {
            self.soon(self.unlink(seq)).await?;
        }
        let deadline = self.shared.clock.monotonic().saturating_add(UNLINK_WITHIN);
        while self.is_posted(endpoint) {
            if self.shared.ended.get() || self.shared.clock.monotonic() >= deadline {
                return Err(UsbError::NoDevice);
            }
            self.shared.clock.sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Whether an IN transfer of this endpoint is on its way.
    pub(super) fn is_posted(&self, endpoint: u8) -> bool {
        !self.posted(endpoint).is_empty()
    }

    fn posted(&self, endpoint: u8) -> Vec<u32> {
        let pending = self.shared.pending.borrow();
        let all = pending.iter();
        let ours = all.filter(|(_, p)| p.into && p.endpoint == endpoint);
        ours.map(|(seq, _)| *seq).collect()
    }

    /// Ends the connection and waits until the server has let go of the device.
    pub(super) async fn close(self) {
        let shared = Rc::clone(&self.shared);
        drop(self);
        let ended = shared.ended_now.notified();
        if !shared.ended.get() {
            tokio::select! {
                () = ended => {}
                () = shared.clock.sleep(UNLINK_WITHIN) => {}
            }
        }
    }

    async fn unlink(&self, victim: u32) -> Result<(), UsbError> {
        let message = self.shared.unlink(victim);
        self.send(message).await
    }

    async fn send(&self, message: Vec<u8>) -> Result<(), UsbError> {
        self.outgoing
            .send(message)
            .await
            .map_err(|_| UsbError::NoDevice)
    }
}

/// A waiter. Dropped before its URB was done, it unlinks it; dropped with an answer
/// it had no time to take, it leaves the bytes to the next read.
struct Waiting<'a> {
    shared: &'a Shared,
    seq: u32,
    /// 0 for what is not an IN transfer.
    endpoint: u8,
    len: usize,
    answer: oneshot::Receiver<Done>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Ok(done) = self.answer.try_recv() {
            self.shared.keep(self.endpoint, self.len, done);
        }
        if self.shared.pending.borrow().contains_key(&self.seq) {
            self.shared.abandoned.borrow_mut().push(self.seq);
            self.shared.abandon.notify_one();
        }
    }
}

impl Shared {
    fn number(&self) -> u32 {
        let seq = self.next.get();
        self.next.set(seq.checked_add(1).unwrap_or(1));
        seq
    }

    fn unlink(&self, victim: u32) -> Vec<u8> {
        let seq = self.number();
        self.unlinks.borrow_mut().insert(seq, victim);
        Head::Unlink {
            seq,
            devid: self.devid,
            victim,
        }
        .encode()
    }

    fn end(&self) {
        self.ended.set(true);
        self.pending.borrow_mut().clear();
        self.unlinks.borrow_mut().clear();
        self.ended_now.notify_waiters();
    }

    async fn pump<S>(&self, stream: S, mut messages: mpsc::Receiver<Vec<u8>>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut from, mut to) = tokio::io::split(stream);
        let writing = async {
            loop {
                tokio::select! {
                    biased;
                    message = messages.recv() => match message {
                        Some(message) => to.write_all(&message).await?,
                        None => return to.shutdown().await,
                    },
                    () = self.abandon.notified() => {
                        let abandoned = std::mem::take(&mut *self.abandoned.borrow_mut());
                        for victim in abandoned {
                            to.write_all(&self.unlink(victim)).await?;
                        }
                    }
                }
            }
        };
        let reading = async {
            loop {
                let mut head = [0; HEAD_LEN];
                match from.read_exact(&mut head).await {
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                    other => other?,
                };
                self.take(Head::decode(&head).map_err(invalid)?, &mut from)
                    .await?;
            }
        };
        tokio::pin!(reading);
        tokio::select! {
            ended = &mut reading => return ended,
            written = writing => written?,
        }
        // We have nothing more to say; the server's end means it has let go.
        tokio::select! {
            ended = reading => ended,
            () = self.clock.sleep(UNLINK_WITHIN) => Ok(()),
        }
    }

    async fn take(&self, head: Head, from: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
        match head {
            Head::Returned {
                seq,
                status,
                actual,
            } => {
                let urb = self.pending.borrow_mut().remove(&seq);
                let into = urb.as_ref().is_some_and(|urb| urb.into);
                let mut data = vec![0; if into { actual } else { 0 }];
                from.read_exact(&mut data).await?;
                let done = Done {
                    status,
                    actual,
                    data,
                };
                if let Some(urb) = urb {
                    self.deliver(urb, done);
                }
                Ok(())
            }
            Head::Unlinked { seq, status } => {
                let victim = self.unlinks.borrow_mut().remove(&seq);
                let urb = victim.and_then(|victim| self.pending.borrow_mut().remove(&victim));
                let done = Done {
                    status: if status == 0 { ECONNRESET } else { status },
                    actual: 0,
                    data: Vec::new(),
                };
                if let Some(urb) = urb {
                    self.deliver(urb, done);
                }
                Ok(())
            }
            Head::Submit { .. } | Head::Unlink { .. } => Err(invalid(ProtocolError::Code(1))),
        }
    }
}

#[cfg(test)]
mod tests;
