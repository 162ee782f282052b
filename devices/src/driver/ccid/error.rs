//! What can go wrong between the kiosk and a chip card, and what to do about it.

use std::time::Duration;

use counterfoil_data::wire::problem::Remedy;

use super::atr::{NotAnAtr, Protocol};
use super::message::{Icc, NotAnAnswer};
use crate::transport::UsbError;

/// A fault of reader or card at the CCID level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CcidError {
    /// The bus failed; the handle is not used again until reopened.
    #[error("card reader: {0}")]
    Usb(UsbError),
    /// No CCID interface among the descriptors.
    #[error("not a chip-card reader: no CCID interface among its descriptors")]
    NotCcid,
    /// The reader only moves characters.
    #[error("the reader only moves single characters: use one with TPDU or APDU exchange")]
    CharacterLevel,
    /// The card speaks a block protocol the reader leaves to the host.
    #[error("the card speaks {0:?} and the reader leaves that to the host: use an APDU reader")]
    HostProtocol(Protocol),
    /// No card in the slot.
    #[error("no card in the reader")]
    Absent,
    /// A card that does not answer: the wrong way round, or broken.
    #[error("the card does not answer: turn it round, chip first")]
    Mute,
    /// Not powered yet, or powered off since.
    #[error("the card is not powered: power it on first")]
    NotPowered,
    /// The slot stayed busy.
    #[error("the reader stayed busy")]
    Busy,
    /// The contact is bad: parity or overrun again and again.
    #[error("bad contact with the card (code {0:02x}): clean the chip or the reader")]
    Contact(u8),
    /// The reader refused a command (bError of CCID §6.2.6).
    #[error("the reader refused {command} with code {code:02x}")]
    Refused {
        /// What was asked.
        command: &'static str,
        /// bError.
        code: u8,
    },
    /// The reader did not answer within its time.
    #[error("no answer to {command} within {within:?}")]
    Late {
        /// What was asked.
        command: &'static str,
        /// The time it had.
        within: Duration,
    },
    /// Not a CCID answer.
    #[error("the reader answered out of form: {0}")]
    Malformed(NotAnAnswer),
    /// Answers only to other commands.
    #[error("the reader kept answering older commands")]
    OutOfStep,
    /// Right number, wrong kind of answer.
    #[error("the reader answered {command} with message {kind:02x}")]
    WrongKind {
        /// What was asked.
        command: &'static str,
        /// bMessageType that came.
        kind: u8,
    },
    /// The answer to reset is malformed.
    #[error("the card's answer to reset is malformed: {0}")]
    Atr(NotAnAtr),
    /// The caller's bytes are not a short APDU.
    #[error("not a short APDU: {0} bytes")]
    NotAnApdu(usize),
    /// Fewer than two status bytes, or the card never came to an end.
    #[error("the card's answer has no end")]
    NoStatusWord,
}

impl From<UsbError> for CcidError {
    fn from(error: UsbError) -> Self {
        Self::Usb(error)
    }
}

impl CcidError {
    /// Reads bError of a failed command (§6.2.6 and the reference table).
    pub(super) fn failed(command: &'static str, code: u8, icc: Icc) -> Self {
        match (code, icc) {
            (_, Icc::Absent) => Self::Absent,
            (0xFE, _) => Self::Mute,
            (0xE0 | 0xF2, _) => Self::Busy,
            (0xFB..=0xFD, _) => Self::Contact(code),
            (0xF7 | 0xF8, _) => Self::Mute,
            (_, Icc::Inactive) if command == "exchange" => Self::NotPowered,
            _ => Self::Refused { command, code },
        }
    }

    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Absent | Self::Mute | Self::NotPowered | Self::Contact(_) => Remedy::Retry,
            Self::Atr(_) | Self::NoStatusWord | Self::Busy => Remedy::Retry,
            Self::Late { .. } | Self::OutOfStep | Self::Malformed(_) => Remedy::Restart,
            Self::WrongKind { .. } | Self::Refused { .. } => Remedy::Restart,
            Self::HostProtocol(_) => Remedy::CallStaff,
            Self::Usb(_) | Self::NotCcid | Self::CharacterLevel | Self::NotAnApdu(_) => {
                Remedy::OutOfService
            }
        }
    }
}
