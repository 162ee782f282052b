//! The module behind the bridge: commands in, acknowledgements and images out.
//!
//! Written from the family's manuals (frame, codes, parameters), with its own
//! framing so that an error of the driver's codec is not mirrored here.

use std::time::Duration;

/// Header and address.
const START: [u8; 6] = [0xEF, 0x01, 0xFF, 0xFF, 0xFF, 0xFF];
/// The longest command: DownImage and the like are not taken.
const HELD_MAX: usize = 64;
/// Sensor exposure.
const EXPOSURE: Duration = Duration::from_millis(180);
/// A look at an empty sensor.
const GLANCE: Duration = Duration::from_millis(40);
/// Anything else.
const QUICK: Duration = Duration::from_millis(3);
/// A write to flash.
const FLASH: Duration = Duration::from_millis(120);

const ACK: u8 = 7;
const DATA: u8 = 2;
const END: u8 = 8;

/// Bytes to send and how long the module thinks before.
pub(super) struct Answer {
    pub(super) after: Duration,
    pub(super) bytes: Vec<u8>,
}

/// The module.
pub(super) struct Module {
    held: Vec<u8>,
    /// Units of 9,600; kept in flash.
    rate: u8,
    /// A rate that applies once the acknowledgement has gone out at the old one.
    next_rate: Option<u8>,
    packet_code: u8,
    lit: bool,
    /// On its own USB port: whether it uploads images; little else is known there.
    native: Option<bool>,
    /// What lies on the glass, packed.
    pub(super) finger: Option<Vec<u8>>,
    buffer: Option<Vec<u8>>,
    garbled: u64,
    arms: u64,
    looks: u64,
    images: u64,
    uploads: u64,
}

impl Default for Module {
    fn default() -> Self {
        Self {
            held: Vec::new(),
            rate: 6,
            next_rate: None,
            packet_code: 2,
            lit: false,
            native: None,
            finger: None,
            buffer: None,
            garbled: 0,
            arms: 0,
            looks: 0,
            images: 0,
            uploads: 0,
        }
    }
}

fn frame(pid: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let mut bytes = START.to_vec();
    bytes.push(pid);
    bytes.extend(length.to_be_bytes());
    bytes.extend_from_slice(payload);
    let sum = bytes
        .iter()
        .skip(START.len())
        .map(|b| u32::from(*b))
        .sum::<u32>();
    bytes.extend(
        u16::try_from(sum & 0xFFFF)
            .unwrap_or_default()
            .to_be_bytes(),
    );
    bytes
}

impl Module {
    /// A module on its own USB port.
    pub(super) fn native(uploads: bool) -> Self {
        Self {
            native: Some(uploads),
            ..Self::default()
        }
    }

    pub(super) fn baud(&self) -> u32 {
        u32::from(self.rate).saturating_mul(9_600)
    }

    pub(super) fn lit(&self) -> bool {
        self.lit
    }

    /// A finger comes down; `pixels` is 256 x 288, one byte each.
    pub(super) fn place(&mut self, pixels: &[u8]) {
        let pair = |pair: &[u8]| match *pair {
            [left, right] => (left & 0xF0) | (right >> 4),
            _ => 0xFF,
        };
        self.finger = Some(pixels.chunks(2).map(pair).collect());
    }

    pub(super) fn lift(&mut self) {
        self.finger = None;
    }

    pub(super) fn garble(&mut self, uploads: u64) {
        self.garbled = uploads;
    }

    pub(super) fn counters(&self) -> [(&'static str, u64); 4] {
        [
            ("arms", self.arms),
            ("looks", self.looks),
            ("images", self.images),
            ("uploads", self.uploads),
        ]
    }

    /// An answer has been put on the line.
    pub(super) fn sent(&mut self) {
        if let Some(rate) = self.next_rate.take() {
            self.rate = rate;
        }
    }

    /// Bytes from the host.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Answer> {
        self.held.extend_from_slice(bytes);
        let mut answers = Vec::new();
        while let Some(found) = self.command() {
            match found {
                Some(payload) => answers.extend(self.serve(&payload)),
                // Receive error.
                None => answers.push(self.ack(QUICK, &[0x01])),
            }
        }
        answers
    }

    /// The next command off the front; inner `None` = its sum is wrong.
    fn command(&mut self) -> Option<Option<Vec<u8>>> {
        loop {
            let at = self.held.windows(START.len()).position(|w| w == START);
            let Some(at) = at else {
                let extra = self
                    .held
                    .len()
                    .saturating_sub(START.len().saturating_sub(1));
                self.held.drain(..extra);
                return None;
            };
            self.held.drain(..at);
            let [_, _, _, _, _, _, pid, l1, l0] = *self.held.first_chunk::<9>()?;
            let length = usize::from(u16::from_be_bytes([l1, l0]));
            if pid != 1 || !(3..=HELD_MAX).contains(&length) {
                self.held.drain(..START.len());
                continue;
            }
            let whole = self.held.get(..length.saturating_add(9))?.to_vec();
            self.held.drain(..whole.len());
            let (body, sum) = whole.split_last_chunk::<2>()?;
            let said = u32::from(u16::from_be_bytes(*sum));
            let is = body
                .iter()
                .skip(START.len())
                .map(|b| u32::from(*b))
                .sum::<u32>()
                & 0xFFFF;
            return Some((said == is).then(|| body.iter().skip(9).copied().collect()));
        }
    }

    fn ack(&self, after: Duration, payload: &[u8]) -> Answer {
        Answer {
            after,
            bytes: frame(ACK, payload),
        }
    }

    fn serve(&mut self, payload: &[u8]) -> Vec<Answer> {
        let one = |answer| vec![answer];
        if self.native.is_some_and(|uploads| !uploads) && *payload == [0x0A]
            || self.native.is_some() && !matches!(payload, [0x01 | 0x0A])
        {
            return one(self.ack(QUICK, &[0x01]));
        }
        match payload {
            [0x13, 0, 0, 0, 0] => one(self.ack(QUICK, &[0])),
            [0x13, _, _, _, _] => one(self.ack(QUICK, &[0x13])),
            [0x0F] => {
                let mut facts = vec![0, 0, 4, 0, 0, 0, 0xC8, 0, 3, 0xFF, 0xFF, 0xFF, 0xFF];
                facts.extend([0, self.packet_code, 0, self.rate]);
                one(self.ack(QUICK, &facts))
            }
            [0x0E, 4, rate @ 1..=12] => {
                self.next_rate = Some(*rate);
                one(self.ack(FLASH, &[0]))
            }
            [0x0E, 6, code @ 0..=3] => {
                self.packet_code = *code;
                one(self.ack(FLASH, &[0]))
            }
            [0x0E, 4 | 6, _] => one(self.ack(QUICK, &[0x1B])),
            [0x0E, ..] => one(self.ack(QUICK, &[0x1A])),
            [0x50] => {
                self.lit = true;
                self.arms = self.arms.saturating_add(1);
                one(self.ack(QUICK, &[0]))
            }
            [0x51] => {
                self.lit = false;
                one(self.ack(QUICK, &[0]))
            }
            [0x01] => one(self.look()),
            [0x0A] => self.upload(),
            // An optical module has no ring of colours, and stores nothing here.
            _ => one(self.ack(QUICK, &[0x01])),
        }
    }

    fn look(&mut self) -> Answer {
        self.looks = self.looks.saturating_add(1);
        match self.finger.clone() {
            None => self.ack(GLANCE, &[0x02]),
            image => {
                self.images = self.images.saturating_add(1);
                self.buffer = image;
                self.ack(EXPOSURE, &[0x00])
            }
        }
    }

    fn upload(&mut self) -> Vec<Answer> {
        let Some(image) = &self.buffer else {
            return vec![self.ack(QUICK, &[0x0F])];
        };
        self.uploads = self.uploads.saturating_add(1);
        let size = 32_usize << self.packet_code;
        let mut packets = image.chunks(size).peekable();
        let mut stream = Vec::new();
        while let Some(packet) = packets.next() {
            let pid = if packets.peek().is_some() { DATA } else { END };
            stream.extend(frame(pid, packet));
        }
        if self.garbled > 0 {
            self.garbled = self.garbled.saturating_sub(1);
            // Inside a payload: the sum tells.
            let middle = (stream.len() / 2).saturating_add(20);
            if let Some(byte) = stream.get_mut(middle) {
                *byte ^= 0x10;
            }
        }
        let data = Answer {
            after: QUICK,
            bytes: stream,
        };
        vec![self.ack(QUICK, &[0]), data]
    }
}
