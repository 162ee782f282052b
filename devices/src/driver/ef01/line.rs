//! The module's line: finding its rate, raising it, one command and its answer.
//!
//! Half-duplex: a command is never sent into an answer that may still be coming.
//! Owns the hello (VfyPwd) and the system parameters. Called by
//! [`super::FingerModule`] only.

use std::time::Duration;

use zeroize::Zeroizing;

use super::frame::{self, BadSum, Frame, Pid};
use super::{
    ACK_WITHIN, Ef01Error, FLASH_WITHIN, FingerModule, IMAGE_QUIET, Light, SET_SYS_PARA, UP_IMAGE,
};
use crate::driver::serial::SerialBridge;
use crate::transport::UsbError;

/// Rates at which a module may say hello: the factory's first, then ours (it is
/// kept in flash), then what slow set-ups choose.
const RATES: [u32; 4] = [57_600, 115_200, 9_600, 38_400];
/// Documented maximum of the family.
const FAST: u32 = 115_200;
/// The same as parameter 4 wants it, in units of 9,600.
const FAST_UNITS: u8 = 12;
/// Rounds through the rates; a module just powered takes up to half a second.
const HELLO_ROUNDS: u32 = 2;
/// Patience for a hello.
const HELLO_WITHIN: Duration = Duration::from_millis(400);

/// Silence after which an answer that was given up will not come any more: longer
/// than the longest exposure.
const ANSWER_QUIET: Duration = Duration::from_millis(400);

/// Longest wait for that silence: a whole image at 57,600 bit/s takes 6.6 s.
const PURGE_WITHIN: Duration = Duration::from_secs(8);

/// The greeting on a module's own USB port: no frame, its length and sum fit nothing.
const HANDSHAKE: [u8; 11] = [
    0xEF, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x00, 0x02, 0x23, 0xA2,
];
/// Its answer has at least the length of an acknowledgement and begins like one.
const GREETED: usize = 12;

const READ_SYS_PARA: u8 = 0x0F;
const VFY_PWD: u8 = 0x13;

const DONE: u8 = 0x00;
const WRONG_PASSWORD: u8 = 0x13;
const SENSOR_ABNORMAL: u8 = 0x29;
/// The module knows UpImage, and has nothing to upload.
const NOTHING_TO_UPLOAD: u8 = 0x0F;

/// What the module says of itself (ReadSysPara).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// Templates it could store; none are.
    pub capacity: u16,
    /// Packet-size code 0..3 for 32, 64, 128, 256 bytes.
    pub packet_code: u16,
    /// Line rate in units of 9,600.
    pub rate_units: u16,
}

impl Parameters {
    fn parse(ack: &[u8]) -> Option<Self> {
        let p: &[u8; 16] = ack.get(..16)?.try_into().ok()?;
        let [_, _, _, _, c1, c0, _, _, _, _, _, _, p1, p0, r1, r0] = *p;
        Some(Self {
            capacity: u16::from_be_bytes([c1, c0]),
            packet_code: u16::from_be_bytes([p1, p0]),
            rate_units: u16::from_be_bytes([r1, r0]),
        })
    }
}

impl<B: SerialBridge> FingerModule<B> {
    pub(super) async fn find_rate(&mut self) -> Result<(), Ef01Error> {
        for _ in 0..HELLO_ROUNDS {
            for baud in RATES {
                if self.hello(baud).await? {
                    return Ok(());
                }
            }
        }
        Err(Ef01Error::Silent)
    }

    /// Sets the line and says hello; `false` = silence.
    async fn hello(&mut self, baud: u32) -> Result<bool, Ef01Error> {
        self.bridge.set_line(baud).await?;
        self.baud = baud;
        self.stale = Some(IMAGE_QUIET);
        match self
            .command("hello", &[VFY_PWD, 0, 0, 0, 0], HELLO_WITHIN)
            .await
        {
            Ok(_) => Ok(true),
            Err(Ef01Error::Refused {
                code: WRONG_PASSWORD,
                ..
            }) => Err(Ef01Error::Password),
            Err(Ef01Error::Usb(error)) => Err(Ef01Error::Usb(error)),
            Err(_) => Ok(false),
        }
    }

    /// Greets a module on its own USB port, and asks at once whether it uploads images:
    /// most of them compare prints in themselves and never give one, which must show
    /// before a customer stands there. No light is tried: 35h greets here.
    pub(super) async fn begin_native(&mut self) -> Result<(), Ef01Error> {
        self.light = Light::None;
        let deadline = self.clock.monotonic().saturating_add(PURGE_WITHIN);
        match self.bridge.purge(IMAGE_QUIET, deadline).await {
            Ok(()) => {}
            Err(UsbError::Timeout) => return Err(Ef01Error::Silent),
            Err(error) => return Err(error.into()),
        }
        let deadline = self.clock.monotonic().saturating_add(ACK_WITHIN);
        self.bridge.write(&HANDSHAKE, ACK_WITHIN).await?;
        let mut answer = Vec::new();
        while answer.len() < GREETED {
            let left = deadline.saturating_sub(self.clock.monotonic());
            match self.bridge.read(left).await {
                Ok(bytes) => answer.extend(bytes),
                Err(UsbError::Timeout) => return Err(Ef01Error::Silent),
                Err(error) => return Err(error.into()),
            }
        }
        if !answer.starts_with(&frame::START) {
            return Err(Ef01Error::Silent);
        }
        self.stale = Some(IMAGE_QUIET);
        let asked = self.command("upload", &[UP_IMAGE], ACK_WITHIN).await;
        // An image that comes now is a former finger's: waited out and wiped.
        self.stale = Some(IMAGE_QUIET);
        match asked {
            Ok(_)
            | Err(Ef01Error::Refused {
                code: NOTHING_TO_UPLOAD,
                ..
            }) => Ok(()),
            Err(Ef01Error::Refused { .. } | Ef01Error::Late { .. }) => Err(Ef01Error::NoImage),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn read_parameters(&mut self) -> Result<(), Ef01Error> {
        let ack = self
            .command("parameters", &[READ_SYS_PARA], ACK_WITHIN)
            .await?;
        let malformed = Ef01Error::Protocol("parameters are too short");
        self.parameters = Parameters::parse(&ack).ok_or(malformed)?;
        Ok(())
    }

    pub(super) async fn raise_rate(&mut self) -> Result<(), Ef01Error> {
        if self.baud == FAST {
            return Ok(());
        }
        let before = self.baud;
        let set = [SET_SYS_PARA, 4, FAST_UNITS];
        // The answer comes at the old rate, then the module switches.
        match self.command("line rate", &set, FLASH_WITHIN).await {
            Ok(_) if self.hello(FAST).await? => Ok(()),
            Ok(_) | Err(Ef01Error::Refused { .. }) => {
                if self.hello(before).await? {
                    Ok(())
                } else {
                    Err(Ef01Error::Silent)
                }
            }
            Err(error) => Err(error),
        }
    }

    /// One command; the acknowledgement's data without its code 00.
    pub(super) async fn command(
        &mut self,
        name: &'static str,
        payload: &[u8],
        within: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, Ef01Error> {
        // Half-duplex: never talk into an answer that is still coming.
        let late = Ef01Error::Late {
            command: name,
            within,
        };
        if let Some(quiet) = self.stale {
            let deadline = self.clock.monotonic().saturating_add(PURGE_WITHIN);
            match self.bridge.purge(quiet, deadline).await {
                Ok(()) => self.deframer.clear(),
                Err(UsbError::Timeout) => return Err(late),
                Err(error) => return Err(error.into()),
            }
        }
        // Stays so if this future is dropped or fails: its answer may come late.
        self.stale = Some(ANSWER_QUIET);
        let deadline = self.clock.monotonic().saturating_add(within);
        match self.bridge.write(&frame::command(payload), within).await {
            Ok(()) => {}
            Err(UsbError::Timeout) => return Err(late),
            Err(error) => return Err(error.into()),
        }
        loop {
            let left = deadline.saturating_sub(self.clock.monotonic());
            match self.next_frame(left).await? {
                None => return Err(late),
                // A damaged acknowledgement: waited out as a late one.
                Some(Err(_)) => {}
                Some(Ok(frame)) if frame.pid == Pid::Ack => {
                    self.stale = None;
                    return match frame.payload.split_first() {
                        Some((&DONE, data)) => Ok(Zeroizing::new(data.to_vec())),
                        Some((&SENSOR_ABNORMAL, _)) => Err(Ef01Error::Sensor),
                        Some((code, _)) => Err(Ef01Error::Refused {
                            command: name,
                            code: *code,
                        }),
                        None => Err(Ef01Error::Protocol("an empty acknowledgement")),
                    };
                }
                // The tail of an image that was given up.
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next frame within a time; `None` = silence.
    pub(super) async fn next_frame(
        &mut self,
        within: Duration,
    ) -> Result<Option<Result<Frame, BadSum>>, Ef01Error> {
        let deadline = self.clock.monotonic().saturating_add(within);
        loop {
            if let Some(frame) = self.deframer.pull() {
                return Ok(Some(frame));
            }
            let left = deadline.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Ok(None);
            }
            match self.bridge.read(left).await {
                Ok(bytes) => self.deframer.push(&Zeroizing::new(bytes)),
                Err(UsbError::Timeout) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
