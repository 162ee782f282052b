//! What can go wrong between the kiosk and a chip card, and what to do about it.

use std::time::Duration;

use counterfoil_data::wire::problem::Remedy;

use super::atr::{NotAnAtr, Protocol};
use super::kind::Refusal;
use super::message::{Icc, NotAnAnswer};
use super::t1::T1Error;
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
    /// A reader of a kind that is not used here.
    #[error("the reader cannot be used: {0}")]
    Unsupported(Refusal),
    /// The reader has fewer slots.
    #[error("the reader has no slot {0}: use another slot")]
    NoSlot(u8),
    /// The card speaks what neither reader nor host does.
    #[error("the card speaks {0:?}, which reader and host do not: use another card or reader")]
    HostProtocol(Protocol),
    /// The card did not keep to ISO 7816-3 §9; it is powered again without asking.
    #[error("the card answered the protocol selection out of form: insert it again")]
    Pps,
    /// T=1 failed.
    #[error("{0}: insert the card again")]
    T1(T1Error),
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
    /// Right number, another slot.
    #[error("the reader answered {command} from slot {slot}")]
    WrongSlot {
        /// What was asked.
        command: &'static str,
        /// bSlot that came.
        slot: u8,
    },
    /// A part of a command was not asked to be followed by the next.
    #[error("the reader took part of a command and answered it with chain parameter {0:02x}")]
    Chain(u8),
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
    /// The caller's bytes are not an APDU.
    #[error("not an APDU: {0} bytes")]
    NotAnApdu(usize),
    /// Longer than the reader, or T=0, takes.
    #[error("too long for this card and reader: use a reader with extended APDU exchange")]
    ShortOnly,
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
            Self::Pps | Self::T1(_) => Remedy::Retry,
            Self::Late { .. } | Self::OutOfStep | Self::Malformed(_) => Remedy::Restart,
            Self::WrongKind { .. } | Self::WrongSlot { .. } => Remedy::Restart,
            Self::Refused { .. } | Self::Chain(_) => Remedy::Restart,
            Self::HostProtocol(_) | Self::ShortOnly => Remedy::CallStaff,
            Self::Usb(_) | Self::NotCcid | Self::Unsupported(_) => Remedy::OutOfService,
            Self::NoSlot(_) | Self::NotAnApdu(_) => Remedy::OutOfService,
        }
    }
}
