//! Fingerprint modules of the EF01 family behind a serial bridge (ZFM-20/60,
//! R30x, AS608, FPM10A, R503 and kin) or on a USB port of their own (`MicroArray`).
//!
//! Owns the hello, the line rate, the packet size and one image at a time; the
//! match is the backend's (S12-S14), never the module's. Refuses to look at a
//! finger while not armed: the document's authenticity comes first (S16), so the
//! light and the sensor stay off until the kiosk arms it. Nothing is stored in the
//! module. Called by [`super::finger`].
//!
//! ```text
//!  open: hello at 57,600 (or another rate) → parameters → 115,200 → 256-byte packets
//!  arm → wait_finger → capture: GenImg → UpImage, data…, end → wait_lifted → disarm
//! ```

pub mod error;
pub mod frame;
pub mod image;

mod line;

use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use zeroize::Zeroizing;

pub use error::Ef01Error;
pub use line::Parameters;

use frame::{Deframer, Pid};

use super::finger::FingerImage;
use super::serial::{self, Bridge, SerialBridge};
use crate::transport::{DeviceInfo, Transport};

/// Parameter 6: 256 bytes a packet.
const LARGE_PACKETS: u8 = 3;
/// Patience for an acknowledgement.
const ACK_WITHIN: Duration = Duration::from_secs(1);
/// Patience for a command that writes flash.
const FLASH_WITHIN: Duration = Duration::from_secs(5);
/// Silence that ends an image.
const SILENCE: Duration = Duration::from_millis(300);
/// Silence after which an image that was given up has passed.
const IMAGE_QUIET: Duration = Duration::from_millis(100);
/// Pause between two looks at the sensor.
const LOOK_EVERY: Duration = Duration::from_millis(80);
/// Uploads of one image: the module keeps it, so a damaged one is asked for again.
const UPLOADS: u32 = 2;
/// What progress is measured against; the usual sensor.
const USUAL_UPLOAD: usize = 36_864;

const GEN_IMG: u8 = 0x01;
const UP_IMAGE: u8 = 0x0A;
const SET_SYS_PARA: u8 = 0x0E;
const AURA_LED: u8 = 0x35;
const LED_ON: u8 = 0x50;
const LED_OFF: u8 = 0x51;
/// Breathing blue, slow, for ever.
const AURA_ON: [u8; 5] = [AURA_LED, 1, 0x80, 2, 0];
const AURA_OFF: [u8; 5] = [AURA_LED, 4, 0, 2, 0];

const NO_FINGER: u8 = 0x02;
const BAD_IMAGE: u8 = 0x03;

/// Which command lights this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Light {
    Unknown,
    Aura,
    Led,
    None,
}

/// Whether the descriptors are those of a module this driver can try; only the
/// hello tells it from any other serial device.
pub fn matches(info: &DeviceInfo) -> bool {
    serial::known(info).is_some()
}

/// An opened module.
pub struct FingerModule<B: SerialBridge> {
    bridge: B,
    clock: SharedClock,
    deframer: Deframer,
    parameters: Parameters,
    baud: u32,
    light: Light,
    armed: bool,
    /// Something may still be coming from an answer that was given up: the line
    /// must first be silent for so long.
    stale: Option<Duration>,
}

impl<T: Transport> FingerModule<Bridge<T>> {
    /// Takes over an opened bridge of any family and says hello.
    pub async fn open(transport: T, clock: SharedClock) -> Result<Self, Ef01Error> {
        let bridge = Bridge::open(transport, clock.clone()).ok_or(Ef01Error::NotSerial)?;
        Self::start(bridge, clock).await
    }
}

impl<B: SerialBridge> FingerModule<B> {
    /// Finds the module's rate, reads its parameters, raises the rate and the
    /// packet size where it lets us, and leaves it dark.
    pub async fn start(bridge: B, clock: SharedClock) -> Result<Self, Ef01Error> {
        let mut module = Self {
            bridge,
            clock,
            deframer: Deframer::default(),
            parameters: Parameters {
                capacity: 0,
                packet_code: 2,
                rate_units: 6,
            },
            baud: 0,
            light: Light::Unknown,
            armed: false,
            stale: Some(IMAGE_QUIET),
        };
        if !module.bridge.is_line() {
            module.begin_native().await?;
            return Ok(module);
        }
        module.find_rate().await?;
        module.read_parameters().await?;
        module.raise_rate().await?;
        if module.parameters.packet_code < u16::from(LARGE_PACKETS) {
            let set = [SET_SYS_PARA, 6, LARGE_PACKETS];
            // Refused by modules with a fixed size: any size is read here.
            match module.command("packet size", &set, FLASH_WITHIN).await {
                Ok(_) | Err(Ef01Error::Refused { .. }) => module.read_parameters().await?,
                Err(error) => return Err(error),
            }
        }
        module.disarm().await?;
        Ok(module)
    }

    /// The descriptors of the bridge.
    pub fn info(&self) -> &DeviceInfo {
        self.bridge.info()
    }

    /// Whether the module has a USB port of its own, without a line.
    pub fn is_native(&self) -> bool {
        !self.bridge.is_line()
    }

    /// What the module said of itself.
    pub fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// The line rate in use; 0 where there is no line.
    pub fn baud(&self) -> u32 {
        self.baud
    }

    /// Lights the sensor and allows images. Only after the document's authenticity
    /// was proven (S16).
    pub async fn arm(&mut self) -> Result<(), Ef01Error> {
        self.lit(true).await?;
        self.armed = true;
        Ok(())
    }

    /// Darkens the sensor and refuses images until armed again. An answer that was
    /// lost is asked for once more; without one the sensor may still be lit, and
    /// that is an error.
    pub async fn disarm(&mut self) -> Result<(), Ef01Error> {
        self.armed = false;
        match self.lit(false).await {
            Err(Ef01Error::Late { .. }) => self.lit(false).await,
            other => other,
        }
    }

    async fn lit(&mut self, on: bool) -> Result<(), Ef01Error> {
        let aura: &[u8] = if on { &AURA_ON } else { &AURA_OFF };
        let led: &[u8] = if on { &[LED_ON] } else { &[LED_OFF] };
        let ways: &[(Light, &[u8])] = &[(Light::Aura, aura), (Light::Led, led)];
        let mut late = None;
        for (way, payload) in ways {
            if self.light != Light::Unknown && self.light != *way {
                continue;
            }
            match self.command("light", payload, ACK_WITHIN).await {
                Ok(_) => {
                    self.light = *way;
                    return Ok(());
                }
                Err(Ef01Error::Refused { .. }) if self.light == Light::Unknown => {}
                // Silence proves nothing: the other way may still be the one.
                Err(error @ Ef01Error::Late { .. }) if self.light == Light::Unknown => {
                    late = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(late) = late {
            return Err(late);
        }
        // A module without a light of its own is lit by each look.
        self.light = Light::None;
        Ok(())
    }

    /// One look: whether a finger lies there and its image is in the module.
    async fn look(&mut self) -> Result<bool, Ef01Error> {
        match self.command("take image", &[GEN_IMG], ACK_WITHIN).await {
            Ok(_) => Ok(true),
            Err(Ef01Error::Refused {
                code: NO_FINGER | BAD_IMAGE,
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits for a finger; `deadline` is monotonic time, `false` = none came.
    pub async fn wait_finger(&mut self, deadline: Duration) -> Result<bool, Ef01Error> {
        self.wait(true, deadline).await
    }

    /// Waits until the finger is lifted; `false` = still there at `deadline`. A
    /// disarmed sensor looks at nothing, so there is nothing to wait for.
    pub async fn wait_lifted(&mut self, deadline: Duration) -> Result<bool, Ef01Error> {
        if !self.armed {
            return Ok(true);
        }
        self.wait(false, deadline).await
    }

    async fn wait(&mut self, wanted: bool, deadline: Duration) -> Result<bool, Ef01Error> {
        if !self.armed {
            return Err(Ef01Error::NotArmed);
        }
        loop {
            if self.look().await? == wanted {
                return Ok(true);
            }
            let left = deadline.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Ok(false);
            }
            self.clock.sleep(left.min(LOOK_EVERY)).await;
        }
    }

    /// Takes one image of the finger that lies there and brings it over; tells
    /// `progress` percents. The gate for quality is the kiosk's, not here (S11).
    pub async fn capture(
        &mut self,
        mut progress: impl FnMut(u8),
        within: Duration,
    ) -> Result<FingerImage, Ef01Error> {
        if !self.armed {
            return Err(Ef01Error::NotArmed);
        }
        let deadline = self.clock.monotonic().saturating_add(within);
        progress(0);
        if !self.look().await? {
            return Err(Ef01Error::NoFinger);
        }
        let mut last = Ef01Error::Damaged;
        for _ in 0..UPLOADS {
            let packed = self.upload(&mut progress, deadline).await;
            match packed.and_then(|packed| image::unpack(&packed)) {
                Ok(image) => {
                    progress(100);
                    return Ok(image);
                }
                // A damaged header loses its packet, so the total may be odd too.
                Err(error @ (Ef01Error::Damaged | Ef01Error::Size(_) | Ef01Error::Stopped(_))) => {
                    last = error;
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// UpImage: acknowledgement, data, and an end packet that carries data too.
    async fn upload(
        &mut self,
        progress: &mut impl FnMut(u8),
        deadline: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, Ef01Error> {
        let started = self.clock.monotonic();
        self.command("upload", &[UP_IMAGE], ACK_WITHIN).await?;
        // Stays so unless the end is seen; a dropped future leaves data coming.
        self.stale = Some(IMAGE_QUIET);
        // Allocated once: growing would leave pieces of the print behind.
        let mut packed = Zeroizing::new(Vec::with_capacity(image::UPLOAD_MAX));
        loop {
            let now = self.clock.monotonic();
            if now >= deadline {
                let within = deadline.saturating_sub(started);
                return Err(Ef01Error::Late {
                    command: "upload",
                    within,
                });
            }
            let left = deadline.saturating_sub(now).min(SILENCE);
            let frame = match self.next_frame(left).await? {
                None if self.clock.monotonic() < deadline => {
                    return Err(Ef01Error::Stopped(packed.len()));
                }
                None => continue,
                Some(Err(_)) => return Err(Ef01Error::Damaged),
                Some(Ok(frame)) => frame,
            };
            if packed.len().saturating_add(frame.payload.len()) > image::UPLOAD_MAX {
                return Err(Ef01Error::Protocol("the image does not end"));
            }
            match frame.pid {
                Pid::Data => packed.extend_from_slice(&frame.payload),
                Pid::End => {
                    packed.extend_from_slice(&frame.payload);
                    self.stale = None;
                    return Ok(packed);
                }
                Pid::Ack | Pid::Command | Pid::Unknown(_) => {
                    return Err(Ef01Error::Protocol("another frame inside an image"));
                }
            }
            let percent = packed.len().saturating_mul(100) / USUAL_UPLOAD;
            progress(u8::try_from(percent).unwrap_or(99).min(99));
        }
    }
}
