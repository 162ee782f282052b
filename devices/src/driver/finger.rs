//! Any finger sensor of the house, behind one set of verbs.
//!
//! Owns what is the same for all: arm, wait, capture, wait until lifted, darken.
//! Refuses nothing itself: each driver holds S16 on its own. Called by the kiosk's host
//! and by `counterfoil-devices probe`.

use std::time::Duration;

use counterfoil_data::seam::{SharedClock, SharedEntropy};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::problem::Remedy;

use super::ef01::{self, Ef01Error, FingerModule};
use super::serial::Bridge;
use super::uru4000::{self, Uru4000, Uru4000Error};
use crate::transport::{DeviceInfo, Transport};

/// One live print, never a file and never on screen (I7).
#[derive(Debug)]
pub struct FingerImage {
    /// Pixels per row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Dots per inch.
    pub dpi: u16,
    /// Row-major from the top, ridges dark, `width * height` bytes.
    pub pixels: Secret<Vec<u8>>,
}

/// A fault of any sensor, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerError {
    /// Of an EF01 module.
    #[error(transparent)]
    Ef01(#[from] Ef01Error),
    /// Of a U.are.U reader.
    #[error(transparent)]
    Uru4000(#[from] Uru4000Error),
}

impl FingerError {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Ef01(error) => error.remedy(),
            Self::Uru4000(error) => error.remedy(),
        }
    }

    /// The finger moved or the image was lost, and the sensor is well: the same touch
    /// may be tried again.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Ef01(error) => matches!(
                error,
                Ef01Error::NoFinger | Ef01Error::Damaged | Ef01Error::Stopped(_)
            ),
            Self::Uru4000(error) => {
                matches!(error, Uru4000Error::NoFinger | Uru4000Error::Image(_))
            }
        }
    }
}

/// Whether the descriptors are those of a sensor that can be tried.
pub fn matches(info: &DeviceInfo) -> bool {
    uru4000::matches(info) || ef01::matches(info)
}

/// An opened sensor.
pub enum FingerSensor<T: Transport> {
    /// A module behind a serial bridge, or on a USB port of its own.
    Ef01(FingerModule<Bridge<T>>),
    /// A reader that gives whole pictures.
    Uru4000(Uru4000<T>),
}

impl<T: Transport> FingerSensor<T> {
    /// Takes over an opened device, says its driver's hello and leaves it dark.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, FingerError> {
        if uru4000::matches(transport.info()) {
            let reader = Uru4000::open(transport, clock, entropy).await?;
            return Ok(Self::Uru4000(reader));
        }
        Ok(Self::Ef01(FingerModule::open(transport, clock).await?))
    }

    /// What answered, for a person.
    pub fn hello(&self) -> &'static str {
        match self {
            Self::Ef01(module) if module.is_native() => "handshake answered",
            Self::Ef01(_) => "password accepted",
            Self::Uru4000(_) => "scanner powered",
        }
    }

    /// Allows images; only after the document's authenticity was proven (S16).
    pub async fn arm(&mut self) -> Result<(), FingerError> {
        match self {
            Self::Ef01(module) => Ok(module.arm().await?),
            Self::Uru4000(reader) => Ok(reader.arm().await?),
        }
    }

    /// Darkens the sensor and refuses images until armed again.
    pub async fn disarm(&mut self) -> Result<(), FingerError> {
        match self {
            Self::Ef01(module) => Ok(module.disarm().await?),
            Self::Uru4000(reader) => Ok(reader.disarm().await?),
        }
    }

    /// Waits for a finger; `deadline` is monotonic time, `false` = none came.
    pub async fn wait_finger(&mut self, deadline: Duration) -> Result<bool, FingerError> {
        match self {
            Self::Ef01(module) => Ok(module.wait_finger(deadline).await?),
            Self::Uru4000(reader) => Ok(reader.wait_finger(deadline).await?),
        }
    }

    /// Waits until the finger is lifted; `false` = still there at `deadline`.
    pub async fn wait_lifted(&mut self, deadline: Duration) -> Result<bool, FingerError> {
        match self {
            Self::Ef01(module) => Ok(module.wait_lifted(deadline).await?),
            Self::Uru4000(reader) => Ok(reader.wait_lifted(deadline).await?),
        }
    }

    /// Takes one image of the finger that lies there; tells `progress` percents.
    pub async fn capture(
        &mut self,
        progress: impl FnMut(u8),
        within: Duration,
    ) -> Result<FingerImage, FingerError> {
        match self {
            Self::Ef01(module) => Ok(module.capture(progress, within).await?),
            Self::Uru4000(reader) => Ok(reader.capture(progress, within).await?),
        }
    }
}
