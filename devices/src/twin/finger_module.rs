//! Twin of an EF01 fingerprint module (R30x kind) on a CDC-ACM bridge.
//!
//! Two machines in one box: the bridge (1a86:55d4, line coding, one packet at a
//! time at the line's pace) and the module behind it (57,600 from the factory, rate
//! and packet size kept in flash, one image). A line at another rate carries nothing.
//! The prints are synthetic. Counts `arms` and `images`: the sensor stayed dark (S16).
//!
//! ```text
//!  place FINGER [poor|wet|dry|off-centre] [seed N]     lift
//!  wet xN (the next N touches are wet)                 garble N (N uploads damaged)
//!  lose N (the next N answers are lost)
//! ```
//!
//! The bridge carries nothing before DTR, and holds back what a full last packet
//! leaves unfinished. What reaches the module while it works is lost (`talked-over`).

mod module;

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use counterfoil_data::demo::DemoBank;
use counterfoil_finger::synth::{Contact, Finger};

use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};

use module::Module;

const NOTIFY: u8 = 0x83;
const DATA_OUT: u8 = 0x02;
const DATA_IN: u8 = 0x82;
/// Bytes held back at most for a packet that ends them.
const UNFINISHED_MAX: usize = 4096;
/// Bytes a packet.
const PACKET: usize = 64;
/// Line rate of the bridge until the host sets one.
const LINE_DEFAULT: u32 = 9_600;
/// Lowest line rate that is taken, to keep pace arithmetic sane.
const LINE_MIN: u32 = 300;

/// A finger as the desk knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FingerSpec {
    /// Its name on the desk.
    pub name: String,
    /// Seed of the synthetic finger.
    pub seed: u64,
}

/// Bytes that reach the host at a moment.
struct Chunk {
    at: Duration,
    bytes: Vec<u8>,
}

/// The bridge and what hangs on it.
pub struct FingerModuleTwin {
    fingers: Vec<FingerSpec>,
    module: Module,
    line: u32,
    outgoing: VecDeque<Chunk>,
    /// When the module's transmitter is free again.
    free_at: Duration,
    placed: Option<String>,
    touches: u64,
    wet_next: u64,
    seen: Duration,
    garbage: u64,
    /// DTR is raised.
    ready: bool,
    /// Whole packets whose transfer has not ended yet.
    unfinished: Vec<u8>,
    talked_over: u64,
    losing: u64,
}

impl FingerModuleTwin {
    /// A module as it comes from the factory, with these fingers at hand.
    pub fn new(fingers: Vec<FingerSpec>) -> Self {
        Self {
            fingers,
            module: Module::default(),
            line: LINE_DEFAULT,
            outgoing: VecDeque::new(),
            free_at: Duration::ZERO,
            placed: None,
            touches: 0,
            wet_next: 0,
            seen: Duration::ZERO,
            garbage: 0,
            ready: false,
            unfinished: Vec::new(),
            talked_over: 0,
            losing: 0,
        }
    }

    /// The fingers of the demo bank.
    pub fn demo(bank: &DemoBank) -> Self {
        let spec = |f: &counterfoil_data::demo::Finger| FingerSpec {
            name: f.name.clone(),
            seed: f.seed,
        };
        Self::new(bank.fingers.iter().map(spec).collect())
    }

    /// Sends at the module's own rate, in packets the bridge passes on one by one.
    fn send(&mut self, now: Duration, delay: Duration, bytes: &[u8]) {
        let baud = self.module.baud();
        let start = now.saturating_add(delay).max(self.free_at);
        let mut at = start;
        for packet in bytes.chunks(PACKET) {
            let bits = u32::try_from(packet.len())
                .unwrap_or(u32::MAX)
                .saturating_mul(10);
            let takes = Duration::from_secs(1).saturating_mul(bits);
            let takes = takes.checked_div(baud).unwrap_or_default();
            at = at.saturating_add(takes);
            self.outgoing.push_back(Chunk {
                at,
                bytes: packet.to_vec(),
            });
        }
        self.free_at = at;
    }

    /// What the host sent, down the line to the module.
    fn carry(&mut self, now: Duration, bytes: &[u8]) {
        let came = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if !self.ready || self.line != self.module.baud() {
            // Start and stop bits fall anywhere: nothing of it is a frame.
            self.garbage = self.garbage.saturating_add(came);
            return;
        }
        if now < self.free_at {
            self.talked_over = self.talked_over.saturating_add(came);
            return;
        }
        for answer in self.module.take(bytes) {
            if self.losing > 0 {
                self.losing = self.losing.saturating_sub(1);
            } else {
                self.send(now, answer.after, &answer.bytes);
            }
            self.module.sent();
        }
    }

    fn place(&mut self, name: &str, rest: &[&str]) -> Result<String, DeskError> {
        let Some(spec) = self.fingers.iter().find(|f| f.name == name) else {
            let names: Vec<&str> = self.fingers.iter().map(|f| f.name.as_str()).collect();
            return Err(DeskError(format!(
                "no such finger; there are {}",
                names.join(", ")
            )));
        };
        if self.placed.is_some() {
            return Err(DeskError(
                "there is a finger on the sensor: lift it first".into(),
            ));
        }
        let (how, seed) = match rest {
            [] => ("natural", None),
            ["seed", seed] => ("natural", Some(*seed)),
            [how] => (*how, None),
            [how, "seed", seed] => (*how, Some(*seed)),
            _ => {
                return Err(DeskError(
                    "place FINGER [poor|wet|dry|off-centre] [seed N]".into(),
                ));
            }
        };
        let seed = match seed.map(str::parse::<u64>) {
            Some(Ok(seed)) => seed,
            Some(Err(_)) => return Err(DeskError("seed: a number was expected".into())),
            // Every touch differs, and every run of the same script is the same.
            None => spec.seed.wrapping_mul(1000).wrapping_add(self.touches),
        };
        let contact = match how {
            "natural" if self.wet_next > 0 => {
                self.wet_next = self.wet_next.saturating_sub(1);
                Contact::wet(seed)
            }
            "natural" => Contact::natural(seed),
            "poor" => Contact::poor(seed),
            "wet" => Contact::wet(seed),
            "dry" => Contact::dry(seed),
            "off-centre" => Contact::off_centre(seed),
            _ => return Err(DeskError("how: poor, wet, dry or off-centre".into())),
        };
        let image = grown(spec.seed).impression(&contact);
        self.module.place(image.pixels());
        self.touches = self.touches.saturating_add(1);
        self.placed = Some(name.to_owned());
        Ok(format!("{name} lies on the sensor"))
    }
}

/// CDC header, call management, abstract control and union descriptors.
const CDC: [u8; 19] = [
    5, 0x24, 0, 0x10, 1, 5, 0x24, 1, 0, 1, 4, 0x24, 2, 2, 5, 0x24, 6, 0, 1,
];

impl Twin for FingerModuleTwin {
    fn info(&self) -> DeviceInfo {
        let end = |address, kind, max_packet, interval| EndpointInfo {
            address,
            kind,
            max_packet,
            interval,
        };
        let control = InterfaceInfo {
            number: 0,
            alternate: 0,
            class: 0x02,
            subclass: 0x02,
            protocol: 1,
            endpoints: vec![end(NOTIFY, 3, 16, 1)],
            extra: CDC.to_vec(),
        };
        let data = InterfaceInfo {
            number: 1,
            alternate: 0,
            class: 0x0A,
            subclass: 0,
            protocol: 0,
            endpoints: vec![end(DATA_OUT, 2, 64, 0), end(DATA_IN, 2, 64, 0)],
            extra: Vec::new(),
        };
        DeviceInfo {
            path: "finger".into(),
            vendor: 0x1A86,
            product: 0x55D4,
            release: 0x0445,
            class: 0x02,
            manufacturer: "Counterfoil".into(),
            name: "finger module twin".into(),
            serial: "FM-0001".into(),
            interfaces: vec![control, data],
        }
    }

    fn control(&mut self, now: Duration, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        self.seen = now;
        match (setup.request_type, setup.request) {
            (0x21, 0x20) => match out {
                [b0, b1, b2, b3, 0, 0, 8] => {
                    let baud = u32::from_le_bytes([*b0, *b1, *b2, *b3]);
                    self.line = baud.max(LINE_MIN);
                    ControlReply::Data(Vec::new())
                }
                _ => ControlReply::Stall,
            },
            (0xA1, 0x21) => {
                let mut coding = self.line.to_le_bytes().to_vec();
                coding.extend([0, 0, 8]);
                coding.truncate(usize::from(len));
                ControlReply::Data(coding)
            }
            (0x21, 0x22) => {
                self.ready = setup.value & 1 != 0;
                ControlReply::Data(Vec::new())
            }
            _ => ControlReply::Stall,
        }
    }

    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        self.seen = now;
        if endpoint != DATA_OUT {
            return OutReply::Stall;
        }
        self.unfinished.extend_from_slice(bytes);
        let unfinished = !bytes.is_empty() && bytes.len().is_multiple_of(PACKET);
        if !unfinished || self.unfinished.len() >= UNFINISHED_MAX {
            let whole = std::mem::take(&mut self.unfinished);
            self.carry(now, &whole);
        }
        OutReply::Took(bytes.len())
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        self.seen = now;
        match endpoint {
            DATA_IN => {}
            NOTIFY => return InReply::Nak,
            _ => return InReply::Stall,
        }
        let Some(front) = self.outgoing.front_mut() else {
            return InReply::Nak;
        };
        if front.at > now {
            return InReply::Nak;
        }
        let rest = front.bytes.split_off(max.min(front.bytes.len()));
        let bytes = std::mem::replace(&mut front.bytes, rest);
        if front.bytes.is_empty() {
            self.outgoing.pop_front();
        }
        InReply::Data(bytes)
    }

    fn wakes_at(&self) -> Option<Duration> {
        let next = self.outgoing.front().map(|c| c.at);
        next.filter(|at| *at > self.seen)
    }

    fn host_gone(&mut self, _: Duration) {
        self.outgoing.clear();
        self.unfinished.clear();
        self.line = LINE_DEFAULT;
        self.ready = false;
    }

    fn desk(&mut self, _: Duration, line: &str) -> Result<String, DeskError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let count = |word: &str| {
            let number = word.parse().ok().filter(|n| (1..=99).contains(n));
            number.ok_or_else(|| DeskError("a number from 1 to 99 was expected".into()))
        };
        match words.as_slice() {
            ["place", name, rest @ ..] => self.place(name, rest),
            ["lift"] => match self.placed.take() {
                Some(name) => {
                    self.module.lift();
                    Ok(format!("{name} lifted"))
                }
                None => Err(DeskError("there is no finger on the sensor".into())),
            },
            ["wet", times] => {
                self.wet_next = count(times.trim_start_matches('x'))?;
                Ok(format!("the next {} touches are wet", self.wet_next))
            }
            ["garble", times] => {
                let times = count(times)?;
                self.module.garble(times);
                Ok(format!("the next {times} uploads arrive damaged"))
            }
            ["lose", times] => {
                self.losing = count(times)?;
                Ok(format!("the next {} answers are lost", self.losing))
            }
            _ => Err(DeskError(
                "place FINGER [poor|wet|dry|off-centre] [seed N], lift, wet xN, garble N, lose N"
                    .into(),
            )),
        }
    }

    fn look(&self) -> Vec<String> {
        let on = self.placed.as_deref().unwrap_or("nothing");
        let light = if self.module.lit() { "lit" } else { "dark" };
        let names: Vec<&str> = self.fingers.iter().map(|f| f.name.as_str()).collect();
        vec![
            format!("sensor: {on}, {light}"),
            format!(
                "line: {} bit/s, module: {} bit/s",
                self.line,
                self.module.baud()
            ),
            format!("fingers: {}", names.join(", ")),
        ]
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut counters = self.module.counters().to_vec();
        counters.extend([
            ("touches", self.touches),
            ("garbage-bytes", self.garbage),
            ("talked-over", self.talked_over),
        ]);
        counters
    }
}

/// Fingers grown in this process at most; growing one takes longer than a sale.
const GROWN_MAX: usize = 16;

/// The finger of a seed, grown once a process: it is a pure function of the seed.
fn grown(seed: u64) -> Arc<Finger> {
    static GROWN: Mutex<BTreeMap<u64, Arc<Finger>>> = Mutex::new(BTreeMap::new());
    let Ok(mut known) = GROWN.lock() else {
        return Arc::new(Finger::from_seed(seed));
    };
    if known.len() >= GROWN_MAX && !known.contains_key(&seed) {
        known.clear();
    }
    Arc::clone(
        known
            .entry(seed)
            .or_insert_with(|| Arc::new(Finger::from_seed(seed))),
    )
}

#[cfg(test)]
mod tests;
