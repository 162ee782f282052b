//! A recording in a device's place: it answers what was answered, and only to what was
//! asked.
//!
//! Owns the comparison of what a driver sends with what was sent when the recording was
//! made, byte by byte, and the device's pace: an answer comes as late after the host's
//! last act as it came then, in the time of a [`clock::ReplayClock`]. Refuses to guess:
//! the first difference is kept, named by its transfer, and ends the session. Standard
//! requests of a kernel are passed over, and so are requests (not writes) that were recorded
//! before the driver's first act: a kernel driver's, at plugging in. Called by `counterfoil-devices replay`
//! and by tests.

pub mod clock;
mod difference;
pub mod entropy;
pub mod recording;
mod state;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use tokio::sync::Notify;

pub use self::difference::Difference;
use self::difference::Sent;
use self::entropy::RecordedEntropy;
use self::recording::{Answer, GET_DESCRIPTOR, Recording, Session};
use self::state::{Done, Look, State};
use super::usbip::protocol::encode_setup;
use super::usbmon::judged;
use super::{Bus, DeviceInfo, Setup, Stage, Transfer, Transport, UsbError};

/// Pieces of one transfer follow each other as fast as this.
const PIECE_WITHIN: Duration = Duration::from_millis(100);
/// Patience for a standard request.
const STANDARD_WITHIN: Duration = Duration::from_secs(5);

/// How far a recording was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The host's acts in the recording.
    pub acts: usize,
    /// Those the driver made, or that were passed over.
    pub made: usize,
    /// Those that were passed over: other programs' or the kernel's.
    pub passed: usize,
    /// The first difference.
    pub difference: Option<Difference>,
}

/// The devices of a recording.
pub struct ReplayBus {
    stands: Vec<Rc<Stand>>,
    entropy: Rc<RecordedEntropy>,
}

impl ReplayBus {
    /// Every described device of `recording`, from the beginning. `clock` and `entropy`
    /// are those of the drivers.
    pub fn new(recording: Recording, clock: &SharedClock, entropy: Rc<RecordedEntropy>) -> Self {
        let described = |session: Session| {
            let info = session.info.clone()?;
            Some(Rc::new(Stand {
                info,
                clock: Rc::clone(clock),
                state: RefCell::new(State::of(session)),
                changed: Notify::new(),
            }))
        };
        let stands = recording.sessions.into_iter().filter_map(described);
        Self {
            stands: stands.collect(),
            entropy,
        }
    }

    /// How far the device at `path` was played.
    pub fn played(&self, path: &str) -> Option<Played> {
        let stand = self.find(path)?;
        let state = stand.state.borrow();
        Some(Played {
            acts: state.session.acts.len(),
            made: state.played.len(),
            passed: state.passed,
            difference: state.difference.clone(),
        })
    }

    fn find(&self, path: &str) -> Option<&Rc<Stand>> {
        self.stands.iter().find(|stand| stand.info.path == path)
    }
}

impl Bus for ReplayBus {
    type Transport = Replay;

    async fn list(&self) -> Result<Vec<DeviceInfo>, UsbError> {
        Ok(self.stands.iter().map(|s| s.info.clone()).collect())
    }

    async fn present(&self, path: &str) -> Result<bool, UsbError> {
        Ok(self.find(path).is_some())
    }

    async fn open(&self, path: &str) -> Result<Replay, UsbError> {
        let stand = self.find(path).ok_or(UsbError::NoDevice)?;
        let now = stand.clock.monotonic();
        let mut state = stand.state.borrow_mut();
        state.opened.get_or_insert(now);
        self.entropy.restart(&state.session.drawn);
        drop(state);
        Ok(Replay(Rc::clone(stand)))
    }
}

/// One device of a recording.
struct Stand {
    info: DeviceInfo,
    clock: SharedClock,
    state: RefCell<State>,
    changed: Notify,
}

/// An opened device of a recording.
pub struct Replay(Rc<Stand>);

impl Replay {
    fn now(&self) -> Duration {
        self.0.clock.monotonic()
    }

    /// One act, complete or in part.
    async fn act(&self, sent: Sent<'_>, within: Duration) -> Result<(usize, Done), UsbError> {
        let played = self.0.state.borrow_mut().play(&sent, self.now());
        let (taken, done) = played.map_err(|d| UsbError::Other(d.to_string()))?;
        self.0.changed.notify_waiters();
        let done = done.unwrap_or(Done {
            frame: 0,
            status: 0,
            moved: taken,
            data: Vec::new(),
            after: Duration::ZERO,
        });
        self.0.clock.sleep(done.after.min(within)).await;
        if done.status == 0 && done.after > within {
            return Err(UsbError::Timeout);
        }
        Ok((taken, done))
    }

    /// A descriptor as it was told to whoever asked for it.
    fn descriptor(&self, setup: Setup, asked: u16) -> Option<Vec<u8>> {
        if [setup.request_type, setup.request] != GET_DESCRIPTOR {
            return None;
        }
        let state = self.0.state.borrow();
        let known = state.session.descriptors.get(&setup.value)?;
        Some(known.iter().take(usize::from(asked)).copied().collect())
    }

    /// The next piece that came, if it comes until `deadline`.
    async fn piece(&self, endpoint: u8, deadline: Duration) -> Result<Answer, UsbError> {
        loop {
            let changed = self.0.changed.notified();
            let now = self.now();
            if let Some(difference) = &self.0.state.borrow().difference {
                return Err(UsbError::Other(difference.to_string()));
            }
            let look = self.0.state.borrow_mut().look(endpoint, now);
            let until = match look {
                Look::Ready(answer) => return Ok(answer),
                Look::At(due) => due.min(deadline),
                Look::Nothing => deadline,
            };
            if now >= deadline {
                return Err(UsbError::Timeout);
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = self.0.clock.sleep(until.saturating_sub(now)) => {}
            }
        }
    }

    /// Whether another piece of the same transfer follows at once.
    fn has_more(&self, endpoint: u8) -> bool {
        let state = self.0.state.borrow();
        let answers = state.session.answers.get(&endpoint);
        let next = answers.and_then(|answers| answers.front());
        let soon = self.now().saturating_add(PIECE_WITHIN);
        next.and_then(|next| state.due(next))
            .is_some_and(|due| due <= soon)
    }

    fn put_back(&self, endpoint: u8, rest: Answer) {
        let mut state = self.0.state.borrow_mut();
        let answers = state.session.answers.entry(endpoint).or_default();
        answers.push_front(rest);
    }

    fn in_part(&self, frame: u32, held: usize, length: usize) -> UsbError {
        let difference = Difference::in_part(frame, held, length);
        let error = UsbError::Other(difference.to_string());
        let mut state = self.0.state.borrow_mut();
        state.difference.get_or_insert(difference);
        error
    }
}

impl Transport for Replay {
    fn info(&self) -> &DeviceInfo {
        &self.0.info
    }

    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        let (asked, out) = match stage {
            Stage::In(asked) => (asked, &[][..]),
            Stage::Out(out) => (u16::try_from(out.len()).unwrap_or(u16::MAX), out),
        };
        if let Some(answer) = self.descriptor(setup, asked) {
            return Ok(answer);
        }
        let setup = encode_setup(setup, asked);
        let (_, done) = self.act(Sent::control(setup, out), within).await?;
        judged(done.status)?;
        if matches!(stage, Stage::In(_)) && done.data.len() < done.moved {
            return Err(self.in_part(done.frame, done.data.len(), done.moved));
        }
        Ok(done.data)
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        let mut wrote = 0_usize;
        loop {
            let rest = bytes.get(wrote..).unwrap_or_default();
            let (taken, done) = self.act(Sent::out(endpoint, rest), within).await?;
            match judged(done.status) {
                Ok(()) => wrote = wrote.saturating_add(taken),
                Err(UsbError::Timeout) if done.moved > 0 || wrote > 0 => {
                    return Ok(wrote.saturating_add(done.moved));
                }
                Err(error) => return Err(error),
            }
            if wrote >= bytes.len() {
                return Ok(wrote);
            }
        }
    }

    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        let deadline = self.now().saturating_add(within);
        let mut bytes = Vec::new();
        loop {
            let mut piece = match self.piece(endpoint, deadline).await {
                Err(UsbError::Timeout) if !bytes.is_empty() => {
                    return Ok(Transfer {
                        bytes,
                        short: false,
                    });
                }
                other => other?,
            };
            if piece.data.len() < piece.moved {
                return Err(self.in_part(piece.frame, piece.data.len(), piece.moved));
            }
            let is_full = piece.moved >= piece.asked;
            let room = max.saturating_sub(bytes.len());
            if piece.data.len() > room {
                let rest = piece.data.split_off(room);
                bytes.append(&mut piece.data);
                piece.moved = rest.len();
                piece.data = rest;
                self.put_back(endpoint, piece);
                return Ok(Transfer {
                    bytes,
                    short: false,
                });
            }
            bytes.append(&mut piece.data);
            match judged(piece.status) {
                Ok(()) => {}
                Err(UsbError::Timeout) => {
                    return Ok(Transfer {
                        bytes,
                        short: false,
                    });
                }
                Err(error) => return Err(error),
            }
            if bytes.len() >= max || !is_full || !self.has_more(endpoint) {
                let short = bytes.len() < max;
                return Ok(Transfer { bytes, short });
            }
        }
    }

    async fn stop_in(&self, _: u8) -> Result<(), UsbError> {
        Ok(())
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        let setup = Setup::clear_halt(endpoint);
        self.control(setup, Stage::Out(&[]), STANDARD_WITHIN)
            .await
            .map(drop)
    }

    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError> {
        let setup = Setup::set_alternate(interface, alternate);
        self.control(setup, Stage::Out(&[]), STANDARD_WITHIN)
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests;
