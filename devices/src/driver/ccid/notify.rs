//! Messages of the interrupt pipe (CCID §6.3): slot changes and hardware errors.
//!
//! Pure; called while a slot is watched. What is told is a reason to look, never
//! the verdict itself.

/// NotifySlotChange.
const SLOT_CHANGE: u8 = 0x50;
/// HardwareError.
const HARDWARE_ERROR: u8 = 0x51;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// Two bits a slot, from bit 0 of the first byte: present, changed.
    Slots(&'a [u8]),
    /// A fault of the reader while it worked at a command.
    HardwareError {
        /// bSlot.
        slot: u8,
        /// bSeq.
        seq: u8,
        /// bHardwareErrorCode: 1 = overcurrent.
        code: u8,
    },
}

impl<'a> Notice<'a> {
    /// Reads one message; `None` where it is neither.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        match *bytes {
            [SLOT_CHANGE, ref slots @ ..] if !slots.is_empty() => Some(Self::Slots(slots)),
            [HARDWARE_ERROR, slot, seq, code] => Some(Self::HardwareError { slot, seq, code }),
            _ => None,
        }
    }

    /// Present and changed of a slot; `None` where it is not told of.
    pub fn slot(self, slot: u8) -> Option<(bool, bool)> {
        let Self::Slots(slots) = self else {
            return None;
        };
        let byte = slots.get(usize::from(slot / 4))?;
        let bits = byte.checked_shr(u32::from(slot % 4).saturating_mul(2))?;
        Some((bits & 1 != 0, bits & 2 != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bits_a_slot_say_present_and_changed() {
        let out = Notice::parse(&[0x50, 0x02]).unwrap();
        assert_eq!(out.slot(0), Some((false, true)));
        let present = Notice::parse(&[0x50, 0x03]).unwrap();
        assert_eq!(present.slot(0), Some((true, true)));
        // Slots 0 to 3 in the first byte, slot 5 in the second.
        let many = Notice::parse(&[0x50, 0x0C, 0x04]).unwrap();
        assert_eq!(
            (many.slot(0), many.slot(1)),
            (Some((false, false)), Some((true, true)))
        );
        assert_eq!((many.slot(5), many.slot(8)), (Some((true, false)), None));
    }

    #[test]
    fn hardware_errors_are_read_and_other_bytes_are_nothing() {
        let error = Notice::parse(&[0x51, 0, 7, 1]).unwrap();
        let (slot, seq, code) = (0, 7, 1);
        assert_eq!(error, Notice::HardwareError { slot, seq, code });
        assert_eq!(error.slot(0), None);
        for bytes in [&[][..], &[0x50], &[0x51, 0], &[0x52, 1]] {
            assert_eq!(Notice::parse(bytes), None);
        }
    }
}
