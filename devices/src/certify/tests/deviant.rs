//! A twin behind something that bends what it says or hears.

use std::time::Duration;

use crate::transport::{DeviceInfo, Setup};
use crate::twin::{ControlReply, DeskError, InReply, OutReply, Twin};

type OnControl = Box<dyn FnMut(Setup, ControlReply) -> ControlReply>;
type OnOut = Box<dyn FnMut(&[u8]) -> Vec<u8>>;
type OnIn = Box<dyn FnMut(Duration, Vec<u8>) -> InReply>;

/// See the module.
pub(super) struct Deviant<T> {
    pub twin: T,
    pub control: OnControl,
    /// What of an OUT transfer the twin really hears.
    pub out: OnOut,
    /// What becomes of an IN transfer; `Nak` drops it.
    pub back: OnIn,
    /// What it says besides, before anything else.
    pub more: Box<dyn FnMut() -> Vec<u8>>,
}

impl<T: Twin> Deviant<T> {
    /// That deviates in nothing yet.
    pub fn new(twin: T) -> Self {
        Self {
            twin,
            control: Box::new(|_, reply| reply),
            out: Box::new(<[u8]>::to_vec),
            back: Box::new(|_, bytes| InReply::Data(bytes)),
            more: Box::new(Vec::new),
        }
    }
}

impl<T: Twin> Twin for Deviant<T> {
    fn info(&self) -> DeviceInfo {
        self.twin.info()
    }

    fn control(&mut self, now: Duration, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        let reply = self.twin.control(now, setup, out, len);
        (self.control)(setup, reply)
    }

    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        let heard = (self.out)(bytes);
        match self.twin.out(now, endpoint, &heard) {
            OutReply::Took(count) if count == heard.len() => OutReply::Took(bytes.len()),
            other => other,
        }
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        let more = (self.more)();
        if !more.is_empty() {
            return InReply::Data(more);
        }
        match self.twin.poll_in(now, endpoint, max) {
            InReply::Data(bytes) => (self.back)(now, bytes),
            other => other,
        }
    }

    fn wakes_at(&self) -> Option<Duration> {
        self.twin.wakes_at()
    }

    fn host_gone(&mut self, now: Duration) {
        self.twin.host_gone(now);
    }

    fn desk(&mut self, now: Duration, line: &str) -> Result<String, DeskError> {
        self.twin.desk(now, line)
    }

    fn look(&self) -> Vec<String> {
        self.twin.look()
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.twin.counters()
    }
}
