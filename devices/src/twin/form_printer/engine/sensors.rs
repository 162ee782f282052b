//! What the engine reports: pushed status, real-time answers, presenter, mechanism.

use super::{Act, Engine};
use crate::twin::form_printer::path::Place;

impl Engine {
    /// GET_PORT_STATUS.
    pub fn port_status(&self) -> u8 {
        match (self.jammed || self.cover_open, self.ribbon_out) {
            (false, false) => 0x18,
            (false, true) => 0x38,
            (true, _) => 0x10,
        }
    }

    fn offline(&self) -> bool {
        self.jammed || self.cover_open || self.ribbon_out
    }

    /// DLE EOT n.
    pub(super) fn real_time(&self, n: u8) -> u8 {
        let [_, _, third, fourth] = self.status();
        let bits = match n {
            1 if self.offline() => 0x08,
            2 => {
                let cover = u8::from(self.cover_open) << 2;
                cover | u8::from(self.ribbon_out) << 5 | u8::from(self.jammed) << 6
            }
            3 if self.jammed => 0x04,
            4 if self.ribbon_out => 0x6C,
            5 => {
                let waiting = u8::from(fourth == 0x02) << 3;
                (fourth & 0x01) << 2 | waiting | third & 0x60
            }
            _ => 0,
        };
        0x12 | bits
    }

    /// The four bytes of pushed status.
    pub(super) fn status(&self) -> [u8; 4] {
        let offline = u8::from(self.offline()) << 3 | u8::from(self.cover_open) << 5;
        let error = u8::from(self.jammed) << 2;
        let ribbon = if self.ribbon_out { 0x0F } else { 0 };
        let sheet = self.path.count(Place::Transport) > 0;
        let moving = matches!(self.busy, Some((_, Act::Eject | Act::Divert)));
        let slip = match (self.slip_selected, sheet && !moving) {
            (false, _) => 0x03,
            (true, false) => 0x02,
            (true, true) => 0x00,
        };
        let path = match (sheet, moving) {
            (false, _) => 0x60,
            (true, true) => 0x20,
            (true, false) => 0x00,
        };
        [0x10 | offline, error, ribbon | path, slip]
    }

    /// Pushes the status if it changed and is wanted.
    pub fn push_status(&mut self) {
        let status = self.status();
        if self.status_back && status != self.pushed {
            self.pipes.reply(&status);
        }
        self.pushed = status;
    }

    /// GS e 6. A jam is the presenter's own; one in the transport is pushed. What
    /// is stuck lies between the sensors.
    pub(super) fn presenter_status(&self) -> u8 {
        if self.presenter_jammed {
            return 0xC0;
        }
        let escrow = u8::from(self.path.count(Place::Escrow) > 0) << 2;
        let output = u8::from(self.path.count(Place::Output) > 0) << 3;
        escrow | output
    }

    /// FS ( S fn 49.
    pub(super) fn mechanism_report(&self) -> Vec<u8> {
        let ribbon = if self.ribbon_out { 0x42 } else { 0x40 };
        let mut body = vec![ribbon];
        let bundles = self.path.retracted_bundles.min(9999);
        body.extend_from_slice(format!("{bundles:04}").as_bytes());
        for (digit, cassette) in (b'1'..).zip(&self.path.cassettes) {
            body.extend([digit, cassette.level()]);
        }
        body
    }

    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        let c = &self.counts;
        vec![
            ("feeds", c.feeds),
            ("reads", c.reads),
            ("prints", c.prints),
            ("inked", c.inked),
            ("presented", c.presented),
            ("taken", c.taken),
            ("retracted", c.retracted),
            ("diverted", c.diverted),
            ("jams", c.jams),
            ("unknown-commands", c.unknown_commands),
            ("write-errors", self.path.write_errors),
        ]
    }
}
