//! The presenter's status byte (GS e 6, Custom dialect), for receipts and bundles.

use super::reply::Reply;

/// Sensors of the presenter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presenter {
    /// Paper at the sensor before the output.
    pub escrow: bool,
    /// Paper in the output, in reach.
    pub output: bool,
    /// Still moving.
    pub motor: bool,
    /// Jammed, or another error of its own.
    pub jam: bool,
}

impl Presenter {
    /// At rest with nothing in it.
    pub fn nothing(self) -> bool {
        !(self.escrow || self.output || self.motor || self.jam)
    }
}

/// The byte of GS e 6: 04 escrow, 08 output, 20 motor, 40 error, 80 jam. Any
/// other bit belongs to another answer. Only with its jam bit set is it outside
/// Epson's classes: any other byte of no class is the rest of something broken.
pub fn presenter(reply: &Reply) -> Option<Presenter> {
    let byte = match reply {
        Reply::Status(byte) => *byte,
        Reply::Unclassified(byte) if byte & 0x80 != 0 => *byte,
        _ => return None,
    };
    (byte & 0x13 == 0).then_some(Presenter {
        escrow: byte & 0x04 != 0,
        output: byte & 0x08 != 0,
        motor: byte & 0x20 != 0,
        jam: byte & 0xC0 != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_presenter_byte_says_that_nothing_is_there() {
        let nothing = |reply| presenter(&reply).map(Presenter::nothing);
        assert_eq!(nothing(Reply::Status(0)), Some(true));
        for byte in [0x04, 0x08, 0x20, 0x40] {
            assert_eq!(nothing(Reply::Status(byte)), Some(false));
        }
        assert_eq!(nothing(Reply::Unclassified(0xC0)), Some(false));
        assert_eq!(nothing(Reply::Unclassified(0)), None);
        assert_eq!(nothing(Reply::Status(0x03)), None, "near end, of GS r");
    }
}
