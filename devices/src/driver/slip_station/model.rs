//! Whose bits a slip station's sensors have, and which question it answers in order.

use serde::Deserialize;

use crate::driver::escpos::command;
use crate::driver::escpos::reply::Asb;

/// A model whose manual says what its bits are; of a relative, the one it shares them
/// with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlipModel {
    /// Bit 5 is the top-of-form, bit 6 the bottom-of-form sensor; a magnetic reader can
    /// be fitted.
    #[default]
    TmH5000ii,
    /// Bit 5 is the bottom-of-form, bit 6 the top-of-form sensor.
    TmU295,
    /// Both bits are the only sensor.
    TmU375,
    /// Bit 5 is the insertion, bit 6 the ejection sensor.
    TmU950,
}

/// Which sensors a sheet covers: the one it meets first, and the one it leaves last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Covered {
    pub entry: bool,
    pub exit: bool,
}

impl SlipModel {
    /// Whether a magnetic reader can be fitted.
    pub fn reads_numbers(self) -> bool {
        self == Self::TmH5000ii
    }

    /// What is asked behind a line: `ESC v` where the manual says that it is answered
    /// only when printing and feeding have stopped, else `GS r 1`.
    pub(crate) fn question(self) -> &'static [u8] {
        match self {
            Self::TmU295 => &command::TRANSMIT_AFTER_PRINTING,
            _ => &command::TRANSMIT_PAPER_STATUS,
        }
    }

    /// Bits 5 and 6 of byte 3 of pushed status, or of the answer to DLE EOT 5: 1 is no
    /// paper.
    pub(crate) fn covers(self, bits: u8) -> Covered {
        let (five, six) = (bits & 0x20 == 0, bits & 0x40 == 0);
        let (entry, exit) = match self {
            Self::TmH5000ii | Self::TmU950 => (five, six),
            Self::TmU295 => (six, five),
            Self::TmU375 => (five || six, five || six),
        };
        Covered { entry, exit }
    }

    /// What a pushed status says of them.
    pub(super) fn covered(self, asb: Asb) -> Covered {
        let [_, _, third, _] = asb.0;
        self.covers(third)
    }

    /// Selected, printable, and under both sensors.
    pub(super) fn is_loaded(self, asb: Asb) -> bool {
        let Covered { entry, exit } = self.covered(asb);
        asb.slip_printable() && entry && exit
    }

    /// Out of the mechanism: at the mouth, or gone. Where there is one sensor, only
    /// gone is told from on its way.
    pub(super) fn is_out(self, asb: Asb) -> bool {
        !asb.slip_printable() && !self.covered(asb).entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes 3 and 4 as the manuals have them.
    fn asb(third: u8, fourth: u8) -> Asb {
        Asb([0x10, 0, third, fourth])
    }

    #[test]
    fn the_states_of_the_manual_are_told_apart() {
        let h5000 = SlipModel::TmH5000ii;
        let (entry, exit) = (true, true);
        let roll = asb(0x60, 0x03);
        let waiting = asb(0x60, 0x02);
        let first = asb(0x40, 0x02);
        let loaded = asb(0x00, 0x00);
        let leaving = asb(0x00, 0x02);
        let left = asb(0x20, 0x02);
        assert_eq!(h5000.covered(first), Covered { entry, exit: false });
        assert_eq!(h5000.covered(left), Covered { entry: false, exit });
        for (state, is_loaded, is_out) in [
            (roll, false, true),
            (waiting, false, true),
            (first, false, false),
            (loaded, true, false),
            (leaving, false, false),
            (left, false, true),
        ] {
            assert_eq!(h5000.is_loaded(state), is_loaded, "{state:?}");
            assert_eq!(h5000.is_out(state), is_out, "{state:?}");
        }
        // Near the end of the roll, the slip is what it was.
        assert!(h5000.is_loaded(asb(0x0F, 0x00)));
    }

    #[test]
    fn which_sensor_a_bit_is_depends_on_the_model() {
        let only = |entry, exit| Covered { entry, exit };
        assert_eq!(SlipModel::TmH5000ii.covers(0x40), only(true, false));
        assert_eq!(SlipModel::TmU950.covers(0x40), only(true, false));
        assert_eq!(SlipModel::TmU295.covers(0x20), only(true, false));
        assert_eq!(SlipModel::TmU295.covers(0x40), only(false, true));
        assert_eq!(SlipModel::TmU375.covers(0x00), only(true, true));
        assert_eq!(SlipModel::TmU375.covers(0x60), only(false, false));
        // On its way out it lies under the only sensor to the end.
        assert!(!SlipModel::TmU375.is_out(asb(0x00, 0x02)));
        assert!(SlipModel::TmU375.is_out(asb(0x60, 0x03)));
    }

    #[test]
    fn a_question_in_order_is_the_model_s() {
        assert_eq!(SlipModel::TmU295.question(), [0x1B, 0x76]);
        assert_eq!(SlipModel::TmU375.question(), [0x1D, 0x72, 0x01]);
    }
}
