//! Server-sent events: "something changed, fetch it" (S19, S21, S23).
//!
//! Owns the frames, the heartbeat and the bounds: streams per signer, frames waiting
//! per client. A slow client is cut (here when its frames are full, by
//! [`super::paced`] when its connection is) and resumes with `Last-Event-ID`. Events
//! are outbox rows; a client that comes back too late for them is told to `reset`:
//! to read everything anew. So nothing is missed silently.

use std::time::Duration;

use bytes::Bytes;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::confirm::{Notice, RESET_EVENT};
use counterfoil_data::wire::custody::CUSTODY_EVENT;
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

/// The first frame: how long to wait before reconnecting, and after which event
/// this stream goes on, so that a client cut before its first event resumes there.
pub fn greeting(after: u64) -> Bytes {
    Bytes::from(format!("retry: 1000\nid: {after}\n\n"))
}

/// Something of the branch's custody changed: staff read `GET /v1/custody` anew. It says
/// no more, so that one frame stands for any number of changes.
pub fn custody(change: u64) -> Bytes {
    Bytes::from(format!(
        "id: {change}\nevent: {CUSTODY_EVENT}\ndata: {{}}\n\n"
    ))
}

/// Events before `newest` may have been missed: read everything anew.
pub fn reset(newest: u64) -> Bytes {
    Bytes::from(format!(
        "id: {newest}\nevent: {RESET_EVENT}\ndata: {{}}\n\n"
    ))
}

/// A comment, which keeps the connection and its timers alive.
pub fn heartbeat() -> Bytes {
    Bytes::from_static(b": still here\n\n")
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
}
