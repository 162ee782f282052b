//! Why a U.are.U reader gave no image, and what to do about it.

use std::time::Duration;

use counterfoil_data::wire::problem::Remedy;

use super::image::ImageFault;
use crate::transport::UsbError;

/// A fault of the reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uru4000Error {
    /// The bus failed; the handle is not used again until reopened.
    #[error("finger reader: {0}")]
    Usb(UsbError),
    /// Not a reader of the family by its descriptors.
    #[error("not a U.are.U reader this driver knows")]
    Unknown,
    /// The scanner does not come up.
    #[error("the finger reader's scanner does not come up: plug it in again")]
    NoPower,
    /// A register gave less than it should.
    #[error("the finger reader's register {0:02x} gave too few bytes")]
    Register(u16),
    /// Nothing came.
    #[error("the finger reader did not give {what} within {within:?}")]
    Late {
        /// What was waited for.
        what: &'static str,
        /// The time it had.
        within: Duration,
    },
    /// It says that the next scan will fail; its power is cycled before the next one.
    #[error("the finger reader lost its scanner: it starts again")]
    Failing,
    /// No finger when the image was to be taken.
    #[error("the finger was lifted too early")]
    NoFinger,
    /// What came is no image, twice.
    #[error("finger reader: {0}")]
    Image(#[from] ImageFault),
    /// Asked for an image while not armed (S16).
    #[error("the sensor is not armed: the document comes first")]
    NotArmed,
}

impl From<UsbError> for Uru4000Error {
    fn from(error: UsbError) -> Self {
        Self::Usb(error)
    }
}

impl Uru4000Error {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NoFinger | Self::Image(_) | Self::Late { .. } | Self::Failing => Remedy::Retry,
            Self::NotArmed => Remedy::Restart,
            Self::Usb(_) | Self::Unknown | Self::NoPower | Self::Register(_) => {
                Remedy::OutOfService
            }
        }
    }
}
