//! Fingerprint readers U.are.U 4000, 4000B and 4500 (`DigitalPersona`), which give whole
//! pictures over USB without a module behind a line.
//!
//! Owns the reader's power, its modes and one image at a time; [`image`] makes a picture
//! of what came, sans I/O. Refuses to look at a finger while not armed (S16): the light
//! burns only in a mode that waits or scans, and none is set before. Refuses the
//! Microsoft reader that wants its challenge answered (045e:00ca): its key is not
//! published. Called by [`super::finger`].
//!
//! ```text
//!  open: off, on, "56AA" → arm → mode 10, "0101" → mode 20 + one bulk read → keys
//!        → wait_lifted: mode 12, "0200" → disarm: mode 70
//! ```

pub mod error;
pub mod image;

mod registers;

use std::time::Duration;

use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use zeroize::Zeroizing;

pub use error::Uru4000Error;
pub(crate) use registers::seed_in;

use self::image::{Decoder, Needs, TRANSFER, Turn};
use super::finger::FingerImage;
use super::unhalt;
use crate::transport::{DeviceInfo, Transport, UsbError};

/// Patience for a finger that should lie there already.
const LOOK_WITHIN: Duration = Duration::from_millis(300);
/// Patience for one image.
const IMAGE_WITHIN: Duration = Duration::from_secs(3);
/// Scans for one image: a damaged one is taken again.
const SCANS: u32 = 2;
/// Silence after which an image that was given up has passed.
const QUIET: Duration = Duration::from_millis(100);
/// Transfers that are passed over at most, on either pipe.
const PASSED_MAX: u32 = 32;

const MODE: u16 = 0x4E;
const SCRAMBLE_INDEX: u16 = 0x33;
const SCRAMBLE_KEY: u16 = 0x34;

const AWAIT_ON: u8 = 0x10;
const AWAIT_OFF: u8 = 0x12;
const CAPTURE: u8 = 0x20;
const DARK: u8 = 0x70;

/// Interrupt messages begin with one of these.
const POWERED: [u8; 2] = [0x56, 0xAA];
const FINGER_ON: [u8; 2] = [0x01, 0x01];
const FINGER_OFF: [u8; 2] = [0x02, 0x00];
const WILL_FAIL: [u8; 2] = [0x08, 0x00];
const MESSAGE: usize = 64;

/// Vendor, product, and how its picture lies.
const IDS: &[(u16, u16, Turn)] = &[
    (0x05BA, 0x0007, Turn::Upright),
    (0x05BA, 0x0008, Turn::Upright),
    (0x05BA, 0x000A, Turn::Around),
    (0x045E, 0x00BB, Turn::Upright),
    (0x045E, 0x00BC, Turn::Upright),
    (0x045E, 0x00BD, Turn::Upright),
];

/// Vendor and product of every reader.
pub(super) fn ids() -> impl Iterator<Item = (u16, u16)> {
    IDS.iter().map(|(vendor, product, _)| (*vendor, *product))
}

fn turn(info: &DeviceInfo) -> Option<Turn> {
    let mut all = IDS.iter();
    let ours = all.find(|(v, p, _)| (*v, *p) == (info.vendor, info.product));
    ours.map(|(_, _, turn)| *turn)
}

/// Interrupt IN and bulk IN.
fn pipes(info: &DeviceInfo) -> Option<(u8, u8)> {
    let mut all = info.interfaces.iter();
    let ours = all.find(|i| i.class == 0xFF && i.alternate == 0)?;
    let find = |kind: u8| {
        let mut ends = ours.endpoints.iter();
        ends.find(|e| e.kind == kind && e.is_in())
    };
    Some((find(3)?.address, find(2)?.address))
}

/// Whether the descriptors are those of a reader this driver can use.
pub fn matches(info: &DeviceInfo) -> bool {
    turn(info).is_some() && pipes(info).is_some()
}

/// An opened reader.
pub struct Uru4000<T: Transport> {
    transport: T,
    clock: SharedClock,
    entropy: SharedEntropy,
    events: u8,
    images: u8,
    turn: Turn,
    mode: u8,
    armed: bool,
    /// Whether a finger lies there, as far as it was told since the mode was set.
    lies: Option<bool>,
    /// The reader said that the next scan will fail: it needs its power cycled.
    failing: bool,
    /// An image was given up and may still be coming: a former finger's.
    stale: bool,
}

impl<T: Transport> Uru4000<T> {
    /// Takes over an opened reader and cycles its power, which leaves it dark.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, Uru4000Error> {
        let info = transport.info();
        let pipes = turn(info).zip(pipes(info));
        let (turn, (events, images)) = pipes.ok_or(Uru4000Error::Unknown)?;
        let mut reader = Self {
            transport,
            clock,
            entropy,
            events,
            images,
            turn,
            mode: 0,
            armed: false,
            lies: None,
            failing: false,
            stale: false,
        };
        reader.power().await?;
        Ok(reader)
    }

    /// The descriptors.
    pub fn info(&self) -> &DeviceInfo {
        self.transport.info()
    }

    /// Allows images. Only after the document's authenticity was proven (S16); the
    /// light comes with the first wait.
    pub async fn arm(&mut self) -> Result<(), Uru4000Error> {
        if self.failing {
            self.power().await?;
        }
        self.armed = true;
        Ok(())
    }

    /// Darkens the sensor and refuses images until armed again.
    pub async fn disarm(&mut self) -> Result<(), Uru4000Error> {
        self.armed = false;
        self.forget();
        self.set_mode(DARK).await
    }

    /// Waits for a finger; `deadline` is monotonic time, `false` = none came.
    pub async fn wait_finger(&mut self, deadline: Duration) -> Result<bool, Uru4000Error> {
        if !self.armed {
            return Err(Uru4000Error::NotArmed);
        }
        self.set_mode(AWAIT_ON).await?;
        if self.lies != Some(true) && self.heard(Some(FINGER_ON), deadline).await? {
            self.lies = Some(true);
        }
        Ok(self.lies == Some(true))
    }

    /// Waits until the finger is lifted; `false` = still there at `deadline`. A
    /// disarmed sensor looks at nothing, so there is nothing to wait for.
    pub async fn wait_lifted(&mut self, deadline: Duration) -> Result<bool, Uru4000Error> {
        if !self.armed {
            return Ok(true);
        }
        self.set_mode(AWAIT_OFF).await?;
        if self.lies != Some(false) && self.heard(Some(FINGER_OFF), deadline).await? {
            self.lies = Some(false);
        }
        Ok(self.lies == Some(false))
    }

    /// Takes one image of the finger that lies there; tells `progress` percents. It
    /// comes in one transfer of a tenth of a second, so there is little between 0 and
    /// 100. The gate for quality is the kiosk's, not here (S11).
    pub async fn capture(
        &mut self,
        mut progress: impl FnMut(u8),
        within: Duration,
    ) -> Result<FingerImage, Uru4000Error> {
        if !self.armed {
            return Err(Uru4000Error::NotArmed);
        }
        let deadline = self.clock.monotonic().saturating_add(within);
        progress(0);
        let mut last = Uru4000Error::NoFinger;
        for _ in 0..SCANS {
            let now = self.clock.monotonic();
            let look = now.saturating_add(LOOK_WITHIN).min(deadline);
            if !self.wait_finger(look).await? {
                return Err(Uru4000Error::NoFinger);
            }
            let scanned = match self.scan(deadline).await {
                Ok(transfer) => self.decode(&transfer, &mut progress).await,
                Err(error) => Err(error),
            };
            match scanned {
                Err(error @ (Uru4000Error::Image(_) | Uru4000Error::Usb(UsbError::Stall))) => {
                    last = error;
                }
                Ok(image) => {
                    progress(100);
                    return Ok(image);
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// One scan, as it comes. The read is posted before the reader is told to scan,
    /// for it keeps nothing: rows nobody fetches in time are missing in the picture.
    async fn scan(&mut self, deadline: Duration) -> Result<Zeroizing<Vec<u8>>, Uru4000Error> {
        self.settle().await?;
        let left = deadline.saturating_sub(self.clock.monotonic());
        let within = left.min(IMAGE_WITHIN);
        self.stale = true;
        self.forget();
        let read = self.transport.read(self.images, TRANSFER, within);
        let (read, told) = tokio::join!(read, self.write(MODE, &[CAPTURE]));
        told?;
        self.mode = CAPTURE;
        let mut read = read;
        // What ended an earlier transfer of whole packets.
        if read.as_ref().is_ok_and(|t| t.bytes.is_empty()) {
            let left = deadline.saturating_sub(self.clock.monotonic());
            let within = left.min(IMAGE_WITHIN);
            read = self.transport.read(self.images, TRANSFER, within).await;
        }
        match read {
            Ok(transfer) => {
                self.stale = false;
                Ok(Zeroizing::new(transfer.bytes))
            }
            Err(UsbError::Stall) => {
                unhalt(&self.transport, self.images).await?;
                Err(UsbError::Stall.into())
            }
            Err(UsbError::Timeout) => Err(Uru4000Error::Late {
                what: "an image",
                within,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits out an image that was given up.
    async fn settle(&mut self) -> Result<(), Uru4000Error> {
        if !self.stale {
            return Ok(());
        }
        self.transport.stop_in(self.images).await?;
        for _ in 0..PASSED_MAX {
            match self.transport.read(self.images, TRANSFER, QUIET).await {
                Ok(dropped) => drop(Zeroizing::new(dropped.bytes)),
                Err(UsbError::Timeout) => {
                    self.stale = false;
                    return Ok(());
                }
                Err(UsbError::Stall) => unhalt(&self.transport, self.images).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Uru4000Error::Late {
            what: "the end of an image",
            within: QUIET,
        })
    }

    /// The picture, with every key it asks for fetched from the reader.
    async fn decode(
        &self,
        transfer: &[u8],
        progress: &mut impl FnMut(u8),
    ) -> Result<FingerImage, Uru4000Error> {
        let mut decoder = Decoder::new(transfer)?;
        loop {
            match decoder.go_on() {
                Needs::Key { number } => {
                    let seed: [u8; 4] = random(&*self.entropy);
                    let [s0, s1, s2, s3] = seed;
                    self.write(SCRAMBLE_INDEX, &[number, s0, s1, s2, s3])
                        .await?;
                    let answer = self.read(SCRAMBLE_KEY, 4).await?;
                    let answer = <[u8; 4]>::try_from(answer.as_slice());
                    let answer = answer.map_err(|_| Uru4000Error::Register(SCRAMBLE_KEY))?;
                    decoder.key(seed, answer);
                    progress(90);
                }
                Needs::Nothing => return Ok(decoder.finish(self.turn)),
            }
        }
    }

    /// What mode it is in is not known, should the next request be given up.
    fn forget(&mut self) {
        self.mode = 0;
        self.lies = None;
    }

    /// Sets a mode once; setting it again would make the reader tell again.
    async fn set_mode(&mut self, mode: u8) -> Result<(), Uru4000Error> {
        if self.mode != mode {
            self.forget();
            if mode != DARK {
                // What was told in another mode is of a former finger.
                self.heard(None, Duration::ZERO).await?;
            }
            self.write(MODE, &[mode]).await?;
            self.mode = mode;
        }
        Ok(())
    }

    /// Whether the reader says `wanted` by `deadline`; other messages are passed over.
    async fn heard(
        &mut self,
        wanted: Option<[u8; 2]>,
        deadline: Duration,
    ) -> Result<bool, Uru4000Error> {
        let mut stalled = false;
        for _ in 0..PASSED_MAX {
            let left = deadline.saturating_sub(self.clock.monotonic());
            match self.transport.read(self.events, MESSAGE, left).await {
                Ok(message) => match message.bytes.first_chunk::<2>().copied() {
                    None => {}
                    told if told == wanted => return Ok(true),
                    Some(WILL_FAIL) if wanted != Some(POWERED) => {
                        self.failing = true;
                        return Err(Uru4000Error::Failing);
                    }
                    Some(_) => {}
                },
                Err(UsbError::Timeout) => return Ok(false),
                Err(UsbError::Stall) if !stalled => {
                    stalled = true;
                    unhalt(&self.transport, self.events).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
