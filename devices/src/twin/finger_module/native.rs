//! Twin of a module on a USB port of its own (`MicroArray` 3274:8012): the same frames,
//! one a bulk transfer, and no line.
//!
//! It is greeted by bytes that are no frame, answers nothing before, and knows few of
//! the family's commands. The real one compares prints in itself and refuses to upload
//! an image; `uploads` makes one that does, to try what is above. Its interrupt pipe
//! tells of fingers in words that are not published, and is silent here.
//!
//! ```text
//!  place FINGER [poor|wet|dry|off-centre] [seed N]     lift
//!  wet xN (the next N touches are wet)                 garble N (N uploads damaged)
//!  mute (it answers nothing any more)
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use super::module::Module;
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};
use crate::twin::fingers::{self, FingerSpec, Fingers};
use crate::twin::{ControlReply, DeskError, InReply, OutReply, Twin};

const COMMANDS: u8 = 0x03;
const ANSWERS: u8 = 0x83;
const FINGER: u8 = 0x82;
const PACKET: usize = 64;
/// Of one packet at full speed, with what lies between two.
const PACKET_TIME: Duration = Duration::from_micros(500);

/// The greeting, and what is answered to it.
const GREETING: [u8; 11] = [
    0xEF, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x00, 0x02, 0x23, 0xA2,
];
const GREETED: [u8; 12] = [
    0xEF, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0x00, 0x03, 0x00, 0x00, 0x0A,
];

/// The module with its port.
pub struct NativeModuleTwin {
    fingers: Fingers,
    module: Module,
    greeted: bool,
    mute: bool,
    outgoing: VecDeque<(Duration, Vec<u8>)>,
    seen: Duration,
}

impl NativeModuleTwin {
    /// A module with these fingers at hand, which uploads images or not.
    pub fn new(known: Vec<FingerSpec>, uploads: bool) -> Self {
        Self {
            fingers: Fingers::new(known),
            module: Module::native(uploads),
            greeted: false,
            mute: false,
            outgoing: VecDeque::new(),
            seen: Duration::ZERO,
        }
    }

    fn send(&mut self, from: Duration, bytes: &[u8]) {
        let free_at = self.outgoing.back().map_or(from, |(at, _)| from.max(*at));
        let mut at = free_at;
        for packet in bytes.chunks(PACKET) {
            at = at.saturating_add(PACKET_TIME);
            self.outgoing.push_back((at, packet.to_vec()));
        }
    }
}

impl Twin for NativeModuleTwin {
    fn info(&self) -> DeviceInfo {
        let end = |address, kind, max_packet| EndpointInfo {
            address,
            kind,
            max_packet,
            interval: u8::from(kind == 3),
        };
        let interface = InterfaceInfo {
            number: 0,
            alternate: 0,
            class: 0xFF,
            subclass: 1,
            protocol: 1,
            endpoints: vec![
                end(COMMANDS, 2, 64),
                end(ANSWERS, 2, 64),
                end(FINGER, 3, 16),
            ],
            extra: Vec::new(),
        };
        DeviceInfo {
            path: "finger".into(),
            vendor: 0x3274,
            product: 0x8012,
            release: 0x0100,
            class: 0,
            manufacturer: "Counterfoil".into(),
            name: "native finger module twin".into(),
            serial: "FN-0001".into(),
            interfaces: vec![interface],
        }
    }

    fn control(&mut self, _: Duration, _: Setup, _: &[u8], _: u16) -> ControlReply {
        ControlReply::Stall
    }

    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        self.seen = now;
        if endpoint != COMMANDS {
            return OutReply::Stall;
        }
        if self.mute {
            return OutReply::Took(bytes.len());
        }
        if bytes == GREETING {
            self.greeted = true;
            self.send(now, &GREETED);
        } else if self.greeted {
            for answer in self.module.take(bytes) {
                self.send(now.saturating_add(answer.after), &answer.bytes);
            }
        }
        OutReply::Took(bytes.len())
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        self.seen = now;
        match endpoint {
            ANSWERS if max >= PACKET => match self.outgoing.pop_front_if(|(at, _)| *at <= now) {
                Some((_, packet)) => InReply::Data(packet),
                None => InReply::Nak,
            },
            FINGER => InReply::Nak,
            _ => InReply::Stall,
        }
    }

    fn wakes_at(&self) -> Option<Duration> {
        let next = self.outgoing.front().map(|(at, _)| *at);
        next.filter(|at| *at > self.seen)
    }

    fn host_gone(&mut self, _: Duration) {
        self.outgoing.clear();
        self.greeted = false;
    }

    fn desk(&mut self, _: Duration, line: &str) -> Result<String, DeskError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["place", name, rest @ ..] => {
                let image = self.fingers.place(name, rest)?;
                self.module.place(image.pixels());
                Ok(format!("{name} lies on the sensor"))
            }
            ["lift"] => {
                let name = self.fingers.lift()?;
                self.module.lift();
                Ok(format!("{name} lifted"))
            }
            ["wet", times] => self.fingers.wet(times),
            ["garble", times] => {
                let times = fingers::count(times)?;
                self.module.garble(times);
                Ok(format!("the next {times} uploads arrive damaged"))
            }
            ["mute"] => {
                self.mute = true;
                Ok("the module answers nothing any more".into())
            }
            _ => Err(DeskError(format!("{}, garble N, mute", fingers::VERBS))),
        }
    }

    fn look(&self) -> Vec<String> {
        vec![
            format!("sensor: {}", self.fingers.on_glass()),
            format!("fingers: {}", self.fingers.names()),
        ]
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut counters = self.module.counters().to_vec();
        counters.push(("touches", self.fingers.touches()));
        counters
    }
}

#[cfg(test)]
mod tests;
