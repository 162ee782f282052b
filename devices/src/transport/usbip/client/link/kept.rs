//! Bytes of IN transfers whose waiter went: kept, in their order, for the next reads.

use tokio::sync::oneshot;

use super::{Done, Pending, Shared};
use crate::transport::Transfer;

/// Transfers kept for an IN endpoint that nobody reads at most.
const KEPT_MAX: usize = 64;

impl Shared {
    /// Gives a transfer's end to its waiter, or keeps what came for one that is gone:
    /// on the device's side those bytes were read.
    pub(super) fn deliver(&self, urb: Pending, done: Done) {
        let unwanted = match urb.done {
            Some(waiter) => waiter.send(done).err(),
            None => Some(done),
        };
        if let Some(done) = unwanted {
            self.keep(urb.endpoint, urb.len, done);
        }
    }

    /// Keeps bytes of an IN endpoint and hands them on to the reads that wait there,
    /// the oldest first.
    pub(super) fn keep(&self, endpoint: u8, len: usize, done: Done) {
        if endpoint == 0 || done.data.is_empty() {
            return;
        }
        {
            let mut kept = self.kept.borrow_mut();
            let waiting = kept.entry(endpoint).or_default();
            if waiting.len() >= KEPT_MAX {
                tracing::warn!("bytes that nobody reads were dropped");
                return;
            }
            waiting.push_back(Transfer {
                short: done.data.len() < len,
                bytes: done.data,
            });
        }
        while let Some((len, waiter)) = self.waiting(endpoint) {
            let Some(transfer) = self.kept(endpoint, len) else {
                return;
            };
            let given = waiter.send(Done {
                status: 0,
                actual: transfer.bytes.len(),
                data: transfer.bytes,
            });
            debug_assert!(given.is_ok(), "it waited a moment ago");
        }
    }

    /// The oldest read that waits on this endpoint, if there are bytes to give.
    fn waiting(&self, endpoint: u8) -> Option<(usize, oneshot::Sender<Done>)> {
        if self.kept.borrow().get(&endpoint)?.is_empty() {
            return None;
        }
        let mut pending = self.pending.borrow_mut();
        let all = pending.values_mut();
        let mut reads = all.filter(|urb| urb.into && urb.endpoint == endpoint);
        reads.find_map(|urb| {
            let waiter = urb.done.take_if(|waiter| !waiter.is_closed())?;
            Some((urb.len, waiter))
        })
    }

    /// What was kept of an endpoint, the oldest first.
    pub(super) fn kept(&self, endpoint: u8, max: usize) -> Option<Transfer> {
        let mut kept = self.kept.borrow_mut();
        let waiting = kept.get_mut(&endpoint)?;
        let mut first = waiting.pop_front()?;
        if let Some(rest) = first.split(max) {
            waiting.push_front(rest);
        }
        Some(first)
    }
}
