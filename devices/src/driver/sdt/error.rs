//! What can go wrong at the ID reader, by who can do something about it.

use std::fmt;

use counterfoil_data::wire::problem::Remedy;

use crate::transport::UsbError;

/// Which exchange it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// 11 FF, status of the security module.
    Hello,
    /// 12 FF, its identity.
    SamId,
    /// 20 01.
    Find,
    /// 20 02; here card and security module authenticate each other.
    Select,
    /// 30 10 or 30 01.
    Read,
    /// 30 03 behind a read, for the newest address.
    Address,
    /// 30 05.
    ChipNumber,
    /// 30 03, used to see whether the card still lies there.
    Look,
    /// 10 FF.
    Reset,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hello => "status (11 FF)",
            Self::SamId => "module identity (12 FF)",
            Self::Find => "find (20 01)",
            Self::Select => "select (20 02)",
            Self::Read => "read (30 10)",
            Self::Address => "newest address (30 03)",
            Self::ChipNumber => "chip number (30 05)",
            Self::Look => "look (30 03)",
            Self::Reset => "reset (10 FF)",
        })
    }
}

/// How the card was handled; the person at the kiosk can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandlingProblem {
    /// 80: nothing on the plate.
    #[error("no card on the plate")]
    NoCard,
    /// 40: a card, but no ID card.
    #[error("not an id card")]
    NotAnIdCard,
    /// 41, 47, 81: it moved; it must be lifted and placed again.
    #[error("the card moved: lift it and place it again")]
    LiftAndPlace,
}

/// A document whose content makes no sense. Names the field, never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The declared lengths do not add up.
    #[error("the document's declared lengths do not add up")]
    Lengths,
    /// Byte 248 names no layout known here.
    #[error("the document is of an unknown layout")]
    UnknownLayout,
    /// A field that cannot be what it should be.
    #[error("the document's field {0} is malformed")]
    Field(&'static str),
}

/// Everything the reader can answer instead of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdtError {
    /// The bus failed; the handle must be reopened.
    #[error("the bus failed at {step}")]
    Usb {
        /// During which exchange.
        step: Step,
        /// How.
        #[source]
        source: UsbError,
    },
    /// No answer in time.
    #[error("the reader gave no answer to {step}")]
    Silent {
        /// To what.
        step: Step,
    },
    /// Only noise came.
    #[error("the reader's answer to {step} was garbled")]
    Garbled {
        /// To what.
        step: Step,
    },
    /// Neither pipe layout fits, or neither answered: what the descriptors say.
    #[error("no known id reader pipes: {endpoints}")]
    UnknownTransport {
        /// Endpoints, for the engineer.
        endpoints: String,
    },
    /// The person can mend it.
    #[error(transparent)]
    Handling(#[from] HandlingProblem),
    /// 31, 32, 33: mutual authentication failed. Evidence, never a retry prompt.
    #[error("authentication failed at {step} with status {status:02x}")]
    Authenticity {
        /// Where.
        step: Step,
        /// SW3.
        status: u8,
    },
    /// 60, 66: the security module is broken or not authorised.
    #[error("the security module is out of order with status {status:02x}: call the vendor")]
    DeviceFault {
        /// SW3.
        status: u8,
    },
    /// A status that makes no sense there: our bug or an unknown reader.
    #[error("unexpected status {status:02x} at {step}")]
    Unexpected {
        /// Where.
        step: Step,
        /// SW3.
        status: u8,
    },
    /// The card's content is not understood.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The security module is another one than when the reader was opened.
    #[error("the reader's security module was exchanged while open")]
    SamChanged,
}

impl SdtError {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Handling(_) | Self::Silent { .. } | Self::Garbled { .. } => Remedy::Retry,
            Self::Authenticity { .. } | Self::Document(_) | Self::Unexpected { .. } => {
                Remedy::CallStaff
            }
            Self::Usb { .. }
            | Self::UnknownTransport { .. }
            | Self::DeviceFault { .. }
            | Self::SamChanged => Remedy::OutOfService,
        }
    }

    /// Whether the document must be treated as a suspected forgery (S16).
    pub fn is_forgery_suspect(&self) -> bool {
        matches!(self, Self::Authenticity { .. })
    }

    /// Whether the handle must be closed and opened again before the next use.
    pub fn needs_reopening(&self) -> bool {
        matches!(
            self,
            Self::Usb { .. } | Self::Silent { .. } | Self::Garbled { .. } | Self::SamChanged
        )
    }
}

/// What SW3 means when it is not the success the step hoped for.
pub fn judge(step: Step, status: u8) -> SdtError {
    match status {
        0x31..=0x33 => SdtError::Authenticity { step, status },
        0x40 => HandlingProblem::NotAnIdCard.into(),
        0x41 | 0x47 | 0x81 => HandlingProblem::LiftAndPlace.into(),
        0x80 => HandlingProblem::NoCard.into(),
        0x60 | 0x66 => SdtError::DeviceFault { status },
        _ => SdtError::Unexpected { step, status },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_31_to_33_are_forgery_suspects_and_handling_problems_can_be_retried() {
        for status in 0..=u8::MAX {
            let error = judge(Step::Select, status);
            assert_eq!(error.is_forgery_suspect(), (0x31..=0x33).contains(&status));
            if matches!(status, 0x40 | 0x41 | 0x47 | 0x80 | 0x81) {
                assert_eq!(error.remedy(), Remedy::Retry);
            }
        }
        assert_eq!(judge(Step::Hello, 0x66).remedy(), Remedy::OutOfService);
        assert_eq!(judge(Step::Select, 0x32).remedy(), Remedy::CallStaff);
    }
}
