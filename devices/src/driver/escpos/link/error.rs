//! Why a link cannot go on, for people and in XFS4IoT's words.

use counterfoil_data::wire::problem::Remedy;

use crate::driver::escpos::fault::PrintFault;
use crate::transport::UsbError;

/// Why the link cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No interface of the printer class with a bulk pipe each way.
    #[error("the device has no two-way printer interface: use another model")]
    NoInterface,
    /// The transport failed; the handle is fenced now.
    #[error("{0}")]
    Usb(#[from] UsbError),
    /// An earlier failure fenced this handle.
    #[error("the printer failed before: open it again")]
    Fenced,
    /// It did not take all bytes in time; the fault it reported, if any.
    #[error("the printer stopped taking data after {accepted} bytes")]
    Blocked {
        /// Bytes it took, which says nothing about what was printed.
        accepted: usize,
        /// What it reported while it did not.
        fault: Option<PrintFault>,
    },
    /// It did not answer in time.
    #[error("the printer did not answer in time")]
    Silent,
    /// It reported a fault instead of the answer.
    #[error("{0}")]
    Fault(PrintFault),
}

impl LinkError {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NoInterface => Remedy::OutOfService,
            Self::Usb(_) | Self::Fenced => Remedy::OutOfService,
            Self::Blocked { fault: None, .. } | Self::Silent => Remedy::Retry,
            Self::Blocked {
                fault: Some(fault), ..
            }
            | Self::Fault(fault) => fault.remedy(),
        }
    }

    /// The same in XFS4IoT's words.
    pub fn fault(&self) -> PrintFault {
        match self {
            Self::NoInterface | Self::Usb(_) | Self::Fenced => PrintFault::NoDevice,
            Self::Blocked { fault, .. } => fault.unwrap_or(PrintFault::Timeout),
            Self::Silent => PrintFault::Timeout,
            Self::Fault(fault) => *fault,
        }
    }
}
