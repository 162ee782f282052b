//! Twin of a U.are.U 4500 fingerprint reader (05ba:000a): registers, interrupt messages
//! and one scrambled picture a scan.
//!
//! Written from what is published of the reader, with its own scrambling. It wants its
//! power cycled before it does anything, sees a finger only in the mode that waits for
//! one, and tells each thing once a mode. It stays in its mode when the host goes, light
//! on, as the reader does. Counts `arms` and `images`: the sensor stayed dark (S16).
//!
//! ```text
//!  place FINGER [poor|wet|dry|off-centre] [seed N]     lift
//!  wet xN (the next N touches are wet)                 cut N (N images come short)
//!  fail (the scanner says that its next scan will fail)
//! ```

mod picture;

use std::collections::VecDeque;
use std::time::Duration;

use super::fingers::{self, FingerSpec, Fingers};
use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};

#[cfg(test)]
pub(crate) use picture::{HEIGHT, key, transfer};

const EVENTS: u8 = 0x81;
const IMAGES: u8 = 0x82;
/// From the word to scan to the last row.
const SCAN: Duration = Duration::from_millis(220);
/// From the word to power up to power.
const POWER_UP: Duration = Duration::from_millis(25);
/// Messages that wait at most.
const MESSAGES_MAX: usize = 16;
/// Length of a message.
const MESSAGE: usize = 64;
/// What register F0 holds.
const INFO: [u8; 16] = [
    0x1A, 0x0A, 0x1A, 0x0A, 1, 0x15, 0, 0, 0, 0x20, 0, 0x10, 0x8B, 0x21, 0x11, 0x30,
];

/// The reader.
pub struct Uru4000Twin {
    fingers: Fingers,
    /// What the sensor sees of the finger on it.
    view: Option<Vec<u8>>,
    /// The status register as it was written.
    status: u8,
    /// When power is there; `None` = it was not switched on.
    up_at: Option<Duration>,
    mode: u8,
    events: VecDeque<(Duration, [u8; 2])>,
    image: Option<(Duration, Vec<u8>)>,
    /// Key number and seed as the host wrote them last.
    asked: Option<(u8, u32)>,
    failing: bool,
    cut: u64,
    seen: Duration,
    arms: u64,
    images: u64,
    keys: u64,
}

impl Uru4000Twin {
    /// A reader that sleeps, with these fingers at hand.
    pub fn new(fingers: Vec<FingerSpec>) -> Self {
        Self {
            fingers: Fingers::new(fingers),
            view: None,
            status: 0x84,
            up_at: None,
            mode: 0,
            events: VecDeque::new(),
            image: None,
            asked: None,
            failing: false,
            cut: 0,
            seen: Duration::ZERO,
            arms: 0,
            images: 0,
            keys: 0,
        }
    }

    fn lit(&self) -> bool {
        matches!(self.mode, 0x10 | 0x12 | 0x20)
    }

    fn powered(&self, now: Duration) -> bool {
        self.up_at.is_some_and(|at| at <= now)
    }

    fn say(&mut self, at: Duration, message: [u8; 2]) {
        if self.events.len() < MESSAGES_MAX {
            self.events.push_back((at, message));
        }
    }

    fn set_status(&mut self, now: Duration, value: u8) {
        let was = self.status;
        if value & 0x80 != 0 {
            self.up_at = None;
            self.mode = 0;
            self.failing = false;
            self.events.clear();
            self.image = None;
            self.status = value;
        } else if was & 0x84 == 0x84 {
            self.status = 0x01;
        } else {
            self.status = value;
            if was & 0x80 != 0 {
                let at = now.saturating_add(POWER_UP);
                self.up_at = Some(at);
                self.say(at, [0x56, 0xAA]);
            }
        }
    }

    fn set_mode(&mut self, now: Duration, mode: u8) {
        if !self.powered(now) {
            return;
        }
        let was_lit = self.lit();
        self.mode = mode;
        if self.lit() && !was_lit {
            self.arms = self.arms.saturating_add(1);
        }
        match (mode, self.view.is_some()) {
            (0x10, true) => self.say(now, [1, 1]),
            (0x12, false) => self.say(now, [2, 0]),
            (0x20, _) if !self.failing => self.scan(now),
            _ => {}
        }
    }

    fn scan(&mut self, now: Duration) {
        self.images = self.images.saturating_add(1);
        let glass = picture::glass();
        let view = self.view.as_ref().unwrap_or(&glass);
        let mut transfer = picture::transfer(view, picture::BLOCKS, 0);
        if self.cut > 0 {
            self.cut = self.cut.saturating_sub(1);
            transfer.truncate(transfer.len() / 2);
        }
        self.image = Some((now.saturating_add(SCAN), transfer));
    }

    fn write(&mut self, now: Duration, register: u16, out: &[u8]) -> ControlReply {
        match (register, out) {
            (0x07, [value]) => self.set_status(now, *value),
            (0x4E, [mode]) => self.set_mode(now, *mode),
            (0x33, [number, s0, s1, s2, s3]) => {
                let seed = u32::from_le_bytes([*s0, *s1, *s2, *s3]);
                self.asked = Some((*number, seed));
            }
            _ => return ControlReply::Stall,
        }
        ControlReply::Data(Vec::new())
    }

    fn read(&mut self, now: Duration, register: u16, len: u16) -> ControlReply {
        let bytes = match register {
            0x07 => {
                let rising = self.up_at.is_some_and(|at| at > now);
                vec![if rising {
                    self.status | 0x80
                } else {
                    self.status
                }]
            }
            0x34 => {
                let Some((number, seed)) = self.asked else {
                    return ControlReply::Stall;
                };
                self.keys = self.keys.saturating_add(1);
                (picture::key(number) ^ seed).to_le_bytes().to_vec()
            }
            0xF0 => INFO.to_vec(),
            _ => return ControlReply::Stall,
        };
        ControlReply::Data(bytes.into_iter().take(usize::from(len)).collect())
    }
}

impl Twin for Uru4000Twin {
    fn info(&self) -> DeviceInfo {
        let end = |address, kind, interval| EndpointInfo {
            address,
            kind,
            max_packet: 64,
            interval,
        };
        let interface = InterfaceInfo {
            number: 0,
            alternate: 0,
            class: 0xFF,
            subclass: 0xFF,
            protocol: 0xFF,
            endpoints: vec![end(EVENTS, 3, 4), end(IMAGES, 2, 0)],
            extra: Vec::new(),
        };
        DeviceInfo {
            path: "finger".into(),
            vendor: 0x05BA,
            product: 0x000A,
            release: 0x0103,
            class: 0,
            manufacturer: "Counterfoil".into(),
            name: "finger reader twin".into(),
            serial: "FR-0001".into(),
            interfaces: vec![interface],
        }
    }

    fn control(&mut self, now: Duration, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        self.seen = now;
        match (setup.request_type, setup.request, setup.index) {
            (0x40, 0x04, 0) => self.write(now, setup.value, out),
            (0xC0, 0x04, 0) => self.read(now, setup.value, len),
            _ => ControlReply::Stall,
        }
    }

    fn out(&mut self, _: Duration, _: u8, _: &[u8]) -> OutReply {
        OutReply::Stall
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        self.seen = now;
        match endpoint {
            EVENTS => match self.events.pop_front_if(|(at, _)| *at <= now) {
                Some((_, message)) => {
                    let mut bytes = message.to_vec();
                    bytes.resize(MESSAGE, 0);
                    InReply::Data(bytes)
                }
                None => InReply::Nak,
            },
            IMAGES => match self.image.take_if(|(at, _)| *at <= now) {
                Some((at, mut bytes)) => {
                    if bytes.len() > max {
                        self.image = Some((at, bytes.split_off(max)));
                    }
                    InReply::Data(bytes)
                }
                None => InReply::Nak,
            },
            _ => InReply::Stall,
        }
    }

    fn wakes_at(&self) -> Option<Duration> {
        let event = self.events.front().map(|(at, _)| *at);
        let image = self.image.as_ref().map(|(at, _)| *at);
        let all = [event, image, self.up_at];
        let later = all.into_iter().flatten().filter(|at| *at > self.seen);
        later.min()
    }

    fn host_gone(&mut self, _: Duration) {}

    fn desk(&mut self, now: Duration, line: &str) -> Result<String, DeskError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["place", name, rest @ ..] => {
                let image = self.fingers.place(name, rest)?;
                self.view = Some(picture::view(&image));
                if self.mode == 0x10 {
                    self.say(now, [1, 1]);
                }
                Ok(format!("{name} lies on the sensor"))
            }
            ["lift"] => {
                let name = self.fingers.lift()?;
                self.view = None;
                if self.mode == 0x12 {
                    self.say(now, [2, 0]);
                }
                Ok(format!("{name} lifted"))
            }
            ["wet", times] => self.fingers.wet(times),
            ["cut", times] => {
                self.cut = fingers::count(times)?;
                Ok(format!("the next {} images come short", self.cut))
            }
            ["fail"] => {
                self.failing = true;
                self.say(now, [8, 0]);
                Ok("the scanner gives up".into())
            }
            _ => Err(DeskError(format!("{}, cut N, fail", fingers::VERBS))),
        }
    }

    fn look(&self) -> Vec<String> {
        let light = if self.lit() { "lit" } else { "dark" };
        vec![
            format!("sensor: {}, {light}", self.fingers.on_glass()),
            format!("mode: {:02x}", self.mode),
            format!("fingers: {}", self.fingers.names()),
        ]
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("arms", self.arms),
            ("images", self.images),
            ("keys", self.keys),
            ("touches", self.fingers.touches()),
        ]
    }
}

#[cfg(test)]
mod tests;
