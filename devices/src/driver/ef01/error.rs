//! Why a finger module gave no image, and what to do about it.

use std::time::Duration;

use counterfoil_data::wire::problem::Remedy;

use crate::transport::UsbError;

/// A fault of the module or its line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ef01Error {
    /// The bus failed; the handle is not used again until reopened.
    #[error("finger module: {0}")]
    Usb(UsbError),
    /// Neither a known bridge nor a CDC-ACM function by its descriptors.
    #[error("not a serial bridge: neither a known chip nor a CDC-ACM function")]
    NotSerial,
    /// No rate at which it says hello.
    #[error("the finger module does not answer at any rate: check its cable")]
    Silent,
    /// No answer to one command.
    #[error("no answer to {command} within {within:?}")]
    Late {
        /// What was asked.
        command: &'static str,
        /// The time it had.
        within: Duration,
    },
    /// The module's password is not the factory's (13h).
    #[error("the finger module wants a password: it was set up elsewhere")]
    Password,
    /// Answered with an error code.
    #[error("the finger module refused {command} with code {code:02x}")]
    Refused {
        /// What was asked.
        command: &'static str,
        /// The confirmation code.
        code: u8,
    },
    /// Sensor abnormal (29h).
    #[error("the finger sensor is abnormal: it needs service")]
    Sensor,
    /// No finger when the image was taken (02h).
    #[error("the finger was lifted too early")]
    NoFinger,
    /// The image arrived damaged twice.
    #[error("the image arrived damaged twice: the line is disturbed")]
    Damaged,
    /// The image ended early.
    #[error("the image stopped after {0} bytes")]
    Stopped(usize),
    /// Not the size of a known sensor.
    #[error("an image of {0} bytes is of no known sensor")]
    Size(usize),
    /// A frame that makes no sense here.
    #[error("the finger module broke its protocol: {0}")]
    Protocol(&'static str),
    /// It compares prints in itself and uploads none.
    #[error("this finger module gives no image, it compares by itself: use another one")]
    NoImage,
    /// Asked for an image while not armed (S16).
    #[error("the sensor is not armed: the document comes first")]
    NotArmed,
}

impl From<UsbError> for Ef01Error {
    fn from(error: UsbError) -> Self {
        Self::Usb(error)
    }
}

impl Ef01Error {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NoFinger | Self::Damaged | Self::Stopped(_) => Remedy::Retry,
            Self::Late { .. } | Self::Refused { .. } | Self::Protocol(_) => Remedy::Retry,
            Self::NotArmed => Remedy::Restart,
            Self::Usb(_) | Self::NotSerial | Self::Silent | Self::Password => Remedy::OutOfService,
            Self::Sensor | Self::NoImage => Remedy::OutOfService,
            Self::Size(_) => Remedy::CallStaff,
        }
    }
}
