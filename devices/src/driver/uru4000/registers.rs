//! The reader's registers, and its power, which one of them switches.
//!
//! Called by [`super::Uru4000`] only.

use std::time::Duration;

use super::{POWERED, Uru4000, Uru4000Error};
use crate::transport::{Setup, Stage, Transport};

/// Patience for one control request.
const CONTROL_WITHIN: Duration = Duration::from_secs(1);
/// Patience for the scanner's word that it has power.
const POWER_WITHIN: Duration = Duration::from_millis(300);
/// How often power is tried.
const POWER_TRIES: u32 = 3;
/// Pause between two looks at a bit that is to change, and how often it is looked at.
const SETTLE_EVERY: Duration = Duration::from_millis(10);
const SETTLES_MAX: u32 = 100;

/// Vendor requests to read and write registers; the register is wValue.
const READ: u8 = 0xC0;
const WRITE: u8 = 0x40;
const REGISTERS: u8 = 0x04;

const HWSTAT: u16 = 0x07;
const INFO: u16 = 0xF0;
const INFO_LEN: u16 = 16;

/// Bits of [`HWSTAT`]: power is off; and with this one, the reader sleeps.
const OFF: u8 = 0x80;
const ASLEEP: u8 = 0x84;
const AWAKE: u8 = 0x01;
const KEPT: u8 = 0x0F;

/// The seed of a picture's scrambling, if this request gives one: what a host that was
/// recorded drew at random.
pub(crate) fn seed_in(setup: [u8; 8], out: &[u8]) -> Option<[u8; 4]> {
    let [kind, request, low, high, ..] = setup;
    let register = u16::from_le_bytes([low, high]);
    if (kind, request, register) != (WRITE, REGISTERS, super::SCRAMBLE_INDEX) {
        return None;
    }
    out.split_first().and_then(|(_, seed)| seed.try_into().ok())
}

impl<T: Transport> Uru4000<T> {
    /// Off and on again, until the scanner says that it has power.
    pub(super) async fn power(&mut self) -> Result<(), Uru4000Error> {
        self.forget();
        let mut status = self.status().await?;
        if status & ASLEEP == ASLEEP {
            self.write(HWSTAT, &[status & KEPT]).await?;
            status = self.until(|status| status & AWAKE != 0).await?;
        }
        for _ in 0..POWER_TRIES {
            if status & OFF == 0 {
                self.write(HWSTAT, &[status | OFF]).await?;
            }
            self.write(HWSTAT, &[status & KEPT]).await?;
            status = self.until(|status| status & OFF == 0).await?;
            let deadline = self.clock.monotonic().saturating_add(POWER_WITHIN);
            if self.heard(Some(POWERED), deadline).await? {
                self.failing = false;
                self.read(INFO, INFO_LEN).await?;
                return Ok(());
            }
        }
        Err(Uru4000Error::NoPower)
    }

    async fn until(&self, wanted: impl Fn(u8) -> bool) -> Result<u8, Uru4000Error> {
        for _ in 0..SETTLES_MAX {
            let status = self.status().await?;
            if wanted(status) {
                return Ok(status);
            }
            self.clock.sleep(SETTLE_EVERY).await;
        }
        Err(Uru4000Error::NoPower)
    }

    async fn status(&self) -> Result<u8, Uru4000Error> {
        let status = self.read(HWSTAT, 1).await?;
        let status = status.first().copied();
        status.ok_or(Uru4000Error::Register(HWSTAT))
    }

    pub(super) async fn write(&self, register: u16, bytes: &[u8]) -> Result<(), Uru4000Error> {
        let setup = request(WRITE, register);
        let stage = Stage::Out(bytes);
        self.transport.control(setup, stage, CONTROL_WITHIN).await?;
        Ok(())
    }

    pub(super) async fn read(&self, register: u16, len: u16) -> Result<Vec<u8>, Uru4000Error> {
        let setup = request(READ, register);
        let stage = Stage::In(len);
        Ok(self.transport.control(setup, stage, CONTROL_WITHIN).await?)
    }
}

fn request(request_type: u8, register: u16) -> Setup {
    Setup {
        request_type,
        request: REGISTERS,
        value: register,
        index: 0,
    }
}
