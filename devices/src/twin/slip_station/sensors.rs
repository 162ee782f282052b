//! What the station reports: pushed status, real-time answers, its port.

use super::engine::{Act, At, Engine, Function};

/// Which bit is which sensor: 1 is no paper there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sensors {
    /// Bit 5 where a sheet comes in, bit 6 where it goes out (TM-H5000II, TM-U950).
    #[default]
    EntryFirst,
    /// The other way round (TM-U295).
    ExitFirst,
    /// One sensor, both bits (TM-U375).
    One,
}

impl Engine {
    /// GET_PORT_STATUS.
    pub fn port_status(&self) -> u8 {
        if self.is_off_line() { 0x10 } else { 0x18 }
    }

    pub(super) fn is_off_line(&self) -> bool {
        self.error || self.body.cover_open
    }

    /// Bits 5 and 6.
    fn sensor_bits(&self) -> u8 {
        let (entry, exit) = match self.at {
            At::Nowhere => (false, false),
            At::Entry => (true, false),
            At::Inside => (true, true),
            At::Mouth => (false, true),
        };
        let (five, six) = match self.sensors {
            Sensors::EntryFirst => (entry, exit),
            Sensors::ExitFirst => (exit, entry),
            Sensors::One => (entry || exit, entry || exit),
        };
        u8::from(!five) << 5 | u8::from(!six) << 6
    }

    /// Byte 4: 01 the slip is not selected, 02 nothing can be printed on it.
    fn slip_bits(&self) -> u8 {
        let moving = matches!(self.busy, Some((_, Act::Load | Act::Eject)));
        match (self.function, self.at) {
            (Function::Slip, At::Inside) if !moving => 0x00,
            (Function::Slip, _) => 0x02,
            (Function::Roll | Function::Reader, _) => 0x03,
        }
    }

    /// The four bytes of pushed status.
    pub(super) fn status(&self) -> [u8; 4] {
        let offline = u8::from(self.is_off_line()) << 3;
        let cover = u8::from(self.body.cover_open) << 5;
        let error = u8::from(self.error) << 2;
        [
            0x10 | offline | cover,
            error,
            self.sensor_bits(),
            self.slip_bits(),
        ]
    }

    /// Pushes the status if it changed and is wanted.
    pub(super) fn push_status(&mut self) {
        let status = self.status();
        if self.status_back && status != self.pushed {
            self.pipes.reply(&status);
        }
        self.pushed = status;
    }

    /// DLE EOT n.
    pub(super) fn real_time(&self, n: u8) -> u8 {
        let bits = match n {
            1 => u8::from(self.is_off_line()) << 3,
            2 => u8::from(self.body.cover_open) << 2 | u8::from(self.error) << 6,
            3 => u8::from(self.error) << 2,
            5 => {
                let waiting = self.waits() && self.function == Function::Slip;
                (self.slip_bits() & 0x01) << 2 | u8::from(waiting) << 3 | self.sensor_bits()
            }
            _ => 0,
        };
        0x12 | bits
    }

    /// DLE EOT BS n: the reader's.
    pub(super) fn reader_status(&self) -> u8 {
        let selected = self.function == Function::Reader;
        let waiting = self.waits() && selected;
        0x12 | u8::from(!selected) << 2 | u8::from(waiting) << 3 | self.sensor_bits()
    }

    /// By name, for tests.
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut all = self.body.counters();
        all.extend([
            ("lines", self.lines),
            ("reads", self.reads),
            ("rolled", self.rolled),
            ("retried", self.retried),
        ]);
        all
    }
}
