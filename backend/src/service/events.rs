//! Server-sent events: "something changed, fetch it" (S19, S21, S23).
//!
//! Owns the frames, the heartbeat and the bounds: streams per signer and in all,
//! frames waiting per client. A slow client is cut and resumes with
//! `Last-Event-ID`; nothing is missed, because the events are outbox rows.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::sign::SignerId;
use counterfoil_data::wire::confirm::Notice;
use tokio::sync::mpsc;

/// Frames that may wait for one client.
pub const FRAMES_MAX: usize = 64;
/// Streams of one signer; a reconnect may overlap the stream it replaces.
pub const STREAMS_PER_SIGNER_MAX: usize = 4;
/// How long a client may take nothing while frames wait for it.
pub const SLOW_MAX: Duration = Duration::from_secs(30);
/// Silence after which a comment is sent.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// One event as bytes on the wire.
pub fn frame(sequence: u64, notice: &Notice) -> Option<Bytes> {
    let data = serde_json::to_string(notice).ok()?;
    Some(Bytes::from(format!(
        "id: {sequence}\nevent: notice\ndata: {data}\n\n"
    )))
}

/// The first frame: tells the client how long to wait before reconnecting.
pub fn greeting() -> Bytes {
    Bytes::from_static(b"retry: 1000\n\n")
}

/// A comment, which keeps the connection and its timers alive.
pub fn heartbeat() -> Bytes {
    Bytes::from_static(b": still here\n\n")
}

/// Counts streams; a [`Place`] gives its count back when dropped.
pub struct Places {
    all: Rc<RefCell<BTreeMap<SignerId, usize>>>,
    max: usize,
}

/// The right to one stream.
pub struct Place {
    all: Rc<RefCell<BTreeMap<SignerId, usize>>>,
    signer: SignerId,
}

impl Places {
    /// Room for `max` streams in all.
    pub fn new(max: usize) -> Self {
        Self {
            all: Rc::default(),
            max,
        }
    }

    /// Takes a place, or `None` when the signer or the house is full.
    pub fn take(&self, signer: &SignerId) -> Option<Place> {
        let mut all = self.all.borrow_mut();
        let total = all.values().fold(0_usize, |sum, n| sum.saturating_add(*n));
        let own = all.get(signer).copied().unwrap_or(0);
        if total >= self.max || own >= STREAMS_PER_SIGNER_MAX {
            return None;
        }
        all.insert(signer.clone(), own.saturating_add(1));
        Some(Place {
            all: Rc::clone(&self.all),
            signer: signer.clone(),
        })
    }

    /// Streams open now.
    pub fn taken(&self) -> usize {
        let all = self.all.borrow();
        all.values().fold(0_usize, |sum, n| sum.saturating_add(*n))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.all.borrow_mut();
        let left = all
            .get(&self.signer)
            .copied()
            .unwrap_or(0)
            .saturating_sub(1);
        if left == 0 {
            all.remove(&self.signer);
        } else {
            all.insert(self.signer.clone(), left);
        }
    }
}

/// Whether a client still takes frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Yes.
    Listening,
    /// It hung up, or took nothing for [`SLOW_MAX`].
    Gone,
}

/// Puts one frame into a client's channel, waiting [`SLOW_MAX`] at most.
pub async fn push(frames: &mpsc::Sender<Bytes>, frame: Bytes, clock: &SharedClock) -> Client {
    tokio::select! {
        biased;
        sent = frames.send(frame) => match sent {
            Ok(()) => Client::Listening,
            Err(_) => Client::Gone,
        },
        () = clock.sleep(SLOW_MAX) => Client::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::ids::SaleId;
    use counterfoil_data::wire::sale::SaleState;

    #[test]
    fn a_frame_is_id_event_and_one_line_of_data() {
        let notice = Notice {
            sale: SaleId(1),
            state: SaleState::AwaitConfirm,
        };
        let bytes = frame(42, &notice).expect("a frame");
        assert_eq!(
            bytes,
            "id: 42\nevent: notice\ndata: {\"sale\":\"00000000000000000000000000000001\",\
             \"state\":\"await-confirm\"}\n\n"
        );
    }

    #[test]
    fn a_signer_has_four_places_and_gets_one_back_when_a_stream_ends() {
        let places = Places::new(5);
        let station: SignerId = "station:station-1".parse().expect("a signer");
        let kiosk: SignerId = "kiosk:kiosk-1".parse().expect("a signer");
        let mut held: Vec<_> = (0..4).map(|_| places.take(&station)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(places.take(&station).is_none());
        let fifth = places.take(&kiosk);
        assert!(fifth.is_some());
        assert!(places.take(&kiosk).is_none(), "the house is full");
        drop(fifth);
        held.pop();
        assert!(places.take(&station).is_some());
        drop(held);
        assert_eq!(places.taken(), 0);
    }
}
