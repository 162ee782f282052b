//! Twin of an EF01 fingerprint module (R30x kind) on any serial bridge.
//!
//! Two machines in one box: the bridge ([`super::serial_bridge`]: its set-up, its
//! packets at the line's pace) and the module behind it (57,600 from the factory, rate
//! and packet size kept in flash, one image). A line at another rate carries garbage.
//! The prints are synthetic. Counts `arms` and `images`: the sensor stayed dark (S16).
//!
//! ```text
//!  place FINGER [poor|wet|dry|off-centre] [seed N]     lift
//!  wet xN (the next N touches are wet)                 garble N (N uploads damaged)
//!  lose N (the next N answers are lost)                empty N (N zero-length packets)
//! ```
//!
//! The bridge carries nothing before it is set up. What reaches the module while it
//! works is lost (`talked-over`).

mod loose;
mod module;
pub mod native;

use std::collections::VecDeque;
use std::time::Duration;

use counterfoil_data::demo::DemoBank;

use super::fingers::{self, Fingers};
use super::serial_bridge::{BridgeKind, Chip};
use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::transport::{DeviceInfo, Setup};

use module::Module;

pub use super::fingers::FingerSpec;
pub use loose::LooseModule;

/// How far two rates may be apart, in percent of the module's.
const TOLERANCE: u32 = 3;
/// Empty packets owed at most.
const EMPTY_MAX: u64 = 99;

/// Bytes of the line that reach the host at a moment, one packet's at most.
struct Chunk {
    at: Duration,
    baud: u32,
    bytes: Vec<u8>,
}

/// The bridge and what hangs on it.
pub struct FingerModuleTwin {
    fingers: Fingers,
    module: Module,
    chip: Box<dyn Chip>,
    outgoing: VecDeque<Chunk>,
    /// Bytes that wait for a packet to be full.
    partial: Vec<u8>,
    /// When the module's transmitter is free again.
    free_at: Duration,
    /// When the last packet went to the host.
    last_packet: Duration,
    seen: Duration,
    garbage: u64,
    garbled: u64,
    talked_over: u64,
    losing: u64,
    empty: u64,
}

impl FingerModuleTwin {
    /// A module as it comes from the factory, on a CDC-ACM bridge, with these fingers
    /// at hand.
    pub fn new(fingers: Vec<FingerSpec>) -> Self {
        Self {
            fingers: Fingers::new(fingers),
            module: Module::default(),
            chip: BridgeKind::default().chip(),
            outgoing: VecDeque::new(),
            partial: Vec::new(),
            free_at: Duration::ZERO,
            last_packet: Duration::ZERO,
            seen: Duration::ZERO,
            garbage: 0,
            garbled: 0,
            talked_over: 0,
            losing: 0,
            empty: 0,
        }
    }

    /// The fingers of the demo bank.
    pub fn demo(bank: &DemoBank) -> Self {
        Self::new(FingerSpec::demo(bank))
    }

    /// The same module behind another chip.
    #[must_use]
    pub fn behind(mut self, kind: BridgeKind) -> Self {
        self.chip = kind.chip();
        self
    }

    /// Whether the bridge's line runs at the module's rate.
    fn in_step(&self, baud: u32) -> Option<bool> {
        let line = self.chip.line()?;
        let off = line.abs_diff(baud).saturating_mul(100);
        Some(off <= baud.saturating_mul(TOLERANCE))
    }

    /// Sends at the module's own rate, in packets the bridge passes on one by one.
    fn send(&mut self, now: Duration, delay: Duration, bytes: &[u8]) {
        let baud = self.module.baud();
        let start = now.saturating_add(delay).max(self.free_at);
        let held = self.partial.len();
        let mut all = std::mem::take(&mut self.partial);
        all.extend_from_slice(bytes);
        let (room, mut passed, mut at) = (self.chip.room(), 0_usize, start);
        for packet in all.chunks(room) {
            passed = passed.saturating_add(packet.len());
            at = start.saturating_add(on_the_line(passed.saturating_sub(held), baud));
            let full = packet.len() == room;
            if !full && self.chip.only_full() {
                self.partial = packet.to_vec();
                break;
            }
            let wait = self.chip.latency().filter(|_| !full);
            self.outgoing.push_back(Chunk {
                at: at.saturating_add(wait.unwrap_or_default()),
                baud,
                bytes: packet.to_vec(),
            });
        }
        self.free_at = at;
    }

    /// What the host sent, down the line to the module.
    fn carry(&mut self, now: Duration, bytes: &[u8]) {
        let came = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.in_step(self.module.baud()) != Some(true) {
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

    /// A packet of what the line gave; at another rate none of it is what was sent.
    fn packet(&mut self, chunk: &Chunk) -> Vec<u8> {
        match self.in_step(chunk.baud) {
            Some(true) => self.chip.wrap(&chunk.bytes, false),
            Some(false) => {
                let garble = |b: &u8| b.rotate_left(3) ^ 0x5A;
                let garbled: Vec<u8> = chunk.bytes.iter().map(garble).collect();
                let count = u64::try_from(garbled.len()).unwrap_or(u64::MAX);
                self.garbled = self.garbled.saturating_add(count);
                self.chip.wrap(&garbled, true)
            }
            None => self.chip.wrap(&[], false),
        }
    }

    /// One packet a transfer, as a host reads that cannot know when a long one ends.
    fn one_packet(&mut self, now: Duration, max: usize) -> InReply {
        let ready = self.outgoing.pop_front_if(|chunk| chunk.at <= now);
        let Some(mut chunk) = ready else {
            return InReply::Nak;
        };
        if chunk.bytes.len() > max {
            let rest = chunk.bytes.split_off(max);
            let (at, baud) = (chunk.at, chunk.baud);
            self.outgoing.push_front(Chunk {
                at,
                baud,
                bytes: rest,
            });
        }
        InReply::Data(self.packet(&chunk))
    }

    /// Packets until a short one or no room: the chip ends every transfer itself, with
    /// an idle packet when there is nothing to say.
    fn whole_transfer(&mut self, now: Duration, max: usize, latency: Duration) -> InReply {
        let full = self.chip.wrap(&vec![0; self.chip.room()], false).len();
        let packets = max.checked_div(full).unwrap_or(0).max(1);
        let ready: Vec<(Duration, bool)> = self
            .outgoing
            .iter()
            .take(packets)
            .take_while(|chunk| chunk.at <= now)
            .map(|chunk| (chunk.at, chunk.bytes.len() < self.chip.room()))
            .collect();
        let short = ready.iter().position(|(_, short)| *short);
        let count = short.map_or(ready.len(), |at| at.saturating_add(1));
        let last = ready.last().map_or(self.last_packet, |(at, _)| *at);
        let idle = short.is_none() && count < packets;
        if idle && now < last.max(self.last_packet).saturating_add(latency) {
            return InReply::Nak;
        }
        let mut bytes = Vec::new();
        let taken: Vec<Chunk> = self.outgoing.drain(..count).collect();
        for chunk in &taken {
            bytes.extend(self.packet(chunk));
        }
        if idle {
            bytes.extend(self.chip.wrap(&[], false));
        }
        self.last_packet = now;
        InReply::Data(bytes)
    }

    fn has(&self, endpoint: u8, kind: u8) -> bool {
        let info = self.chip.info();
        let mut ends = info.interfaces.iter().flat_map(|i| &i.endpoints);
        ends.any(|e| (e.address, e.kind) == (endpoint, kind))
    }
}

/// Time of so many bytes, ten bits each.
fn on_the_line(bytes: usize, baud: u32) -> Duration {
    let bits = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(10);
    let takes = Duration::from_secs(1).saturating_mul(bits);
    takes.checked_div(baud).unwrap_or_default()
}

impl Twin for FingerModuleTwin {
    fn info(&self) -> DeviceInfo {
        DeviceInfo {
            path: "finger".into(),
            manufacturer: "Counterfoil".into(),
            name: "finger module twin".into(),
            serial: "FM-0001".into(),
            ..self.chip.info()
        }
    }

    fn control(&mut self, now: Duration, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        self.seen = now;
        let reply = self.chip.control(setup, out, len);
        if self.chip.dropped() {
            self.outgoing.retain(|chunk| chunk.at > now);
            self.partial.clear();
        }
        reply
    }

    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        self.seen = now;
        if endpoint & 0x80 != 0 || !self.has(endpoint, 2) {
            return OutReply::Stall;
        }
        let passed = self.chip.pass(bytes);
        if !passed.is_empty() {
            self.carry(now, &passed);
        }
        OutReply::Took(bytes.len())
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        self.seen = now;
        if self.has(endpoint, 3) {
            return InReply::Nak;
        }
        if endpoint & 0x80 == 0 || !self.has(endpoint, 2) {
            return InReply::Stall;
        }
        if self.empty > 0 {
            self.empty = self.empty.saturating_sub(1);
            return InReply::Data(Vec::new());
        }
        match self.chip.latency() {
            Some(latency) => self.whole_transfer(now, max, latency),
            None => self.one_packet(now, max),
        }
    }

    fn wakes_at(&self) -> Option<Duration> {
        let mut ready = self.outgoing.iter().map(|chunk| chunk.at);
        let next = ready.find(|at| *at > self.seen);
        let idle = self.chip.latency().map(|latency| {
            let came = self.outgoing.iter().map(|chunk| chunk.at);
            let last = came.take_while(|at| *at <= self.seen).last();
            let since = last.unwrap_or_default().max(self.last_packet);
            since.saturating_add(latency)
        });
        let idle = idle.filter(|at| *at > self.seen);
        match (next, idle) {
            (Some(next), Some(idle)) => Some(next.min(idle)),
            (next, idle) => next.or(idle),
        }
    }

    fn host_gone(&mut self, _: Duration) {
        self.outgoing.clear();
        self.partial.clear();
        self.chip.reset();
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
            ["lose", times] => {
                self.losing = fingers::count(times)?;
                Ok(format!("the next {} answers are lost", self.losing))
            }
            ["empty", times] => {
                let owed = self.empty.saturating_add(fingers::count(times)?);
                self.empty = owed.min(EMPTY_MAX);
                Ok(format!("{} zero-length packets come first", self.empty))
            }
            _ => {
                let verbs = fingers::VERBS;
                Err(DeskError(format!("{verbs}, garble N, lose N, empty N")))
            }
        }
    }

    fn look(&self) -> Vec<String> {
        let light = if self.module.lit() { "lit" } else { "dark" };
        let line = self.chip.line();
        let line = line.map_or("not set up".into(), |baud| format!("{baud} bit/s"));
        vec![
            format!("sensor: {}, {light}", self.fingers.on_glass()),
            format!("line: {line}, module: {} bit/s", self.module.baud()),
            format!("fingers: {}", self.fingers.names()),
        ]
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut counters = self.module.counters().to_vec();
        counters.extend([
            ("touches", self.fingers.touches()),
            ("garbage-bytes", self.garbage),
            ("garbled-bytes", self.garbled),
            ("talked-over", self.talked_over),
        ]);
        counters
    }
}

#[cfg(test)]
mod tests;
