//! A USB CCID chip-card reader (CCID rev 1.1): one slot, short APDUs.
//!
//! Owns the sequence numbers, time extensions, chaining, presence and the T=0
//! rules. Refuses character-level readers and T=1 cards on TPDU readers, with an
//! error that says so. Called by [`crate::driver::pboc`] and the kiosk's host.
//!
//! ```text
//!  open ──► empty ──wait_card──► card in ──power_on──► active ──transmit──┐
//!             ▲                    ▲                     │   ▲            │
//!             └───── removed ──────┴──── power_off ──────┘   └────────────┘
//! ```

pub mod apdu;
pub mod atr;
pub mod descriptor;
pub mod error;
pub mod message;

mod exchange;

#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;

use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use zeroize::Zeroizing;

pub use apdu::{Response, Sw};
pub use atr::Atr;
pub use error::CcidError;

use apdu::FollowUp;
use atr::Protocol;
use descriptor::{Exchange, Layout};
use message::{Command, Icc};

use super::unhalt;
use crate::transport::{DeviceInfo, Transport, UsbError};

/// Patience for one answer before any time extension.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Pause between two looks at the slot.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// Reading a stale slot change off the interrupt pipe when opening.
const DRAIN_WITHIN: Duration = Duration::from_millis(100);
/// Parts of a chained answer, and follow-ups of one APDU.
const PARTS_MAX: u32 = 64;
/// A bad contact is tried so many times.
const CONTACT_TRIES: u32 = 2;
/// Busy slots are asked again so many times.
const BUSY_TRIES: u32 = 10;

/// Whether the descriptors are those of a reader this driver serves.
pub fn matches(info: &DeviceInfo) -> bool {
    descriptor::layout(info).is_some()
}

/// An opened reader.
pub struct Reader<T: Transport> {
    transport: T,
    clock: SharedClock,
    layout: Layout,
    seq: u8,
    protocol: Option<Protocol>,
}

/// A whole answer, after extensions and chaining.
struct Done {
    icc: Icc,
    data: Zeroizing<Vec<u8>>,
    specific: u8,
}

impl<T: Transport> Reader<T> {
    /// Takes over an opened device, drains a stale slot change and asks for the
    /// slot's status once, to know that it answers.
    pub async fn open(transport: T, clock: SharedClock) -> Result<Self, CcidError> {
        let layout = descriptor::layout(transport.info()).ok_or(CcidError::NotCcid)?;
        if layout.functional.exchange() == Exchange::Character {
            return Err(CcidError::CharacterLevel);
        }
        let mut reader = Self {
            transport,
            clock,
            layout,
            seq: 0,
            protocol: None,
        };
        if let Some(endpoint) = layout.interrupt {
            match reader.transport.read(endpoint, 8, DRAIN_WITHIN).await {
                Ok(_) | Err(UsbError::Timeout | UsbError::Stall) => {}
                Err(error) => return Err(error.into()),
            }
        }
        reader.present().await?;
        Ok(reader)
    }

    /// The descriptors.
    pub fn info(&self) -> &DeviceInfo {
        self.transport.info()
    }

    /// The clock it was opened with.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Whether a card is in the slot.
    pub async fn present(&mut self) -> Result<bool, CcidError> {
        match self.command(&Command::GetSlotStatus, ANSWER_WITHIN).await {
            Ok(done) => Ok(done.icc != Icc::Absent),
            Err(CcidError::Absent) => Ok(false),
            Err(CcidError::Mute) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Waits until a card is in, by polling and, where the reader has one, by its
    /// interrupt pipe. `deadline` is monotonic time; `false` = none came.
    pub async fn wait_card(&mut self, deadline: Duration) -> Result<bool, CcidError> {
        self.wait_presence(true, deadline).await
    }

    /// Waits until the slot is empty: removal must be seen before the next
    /// customer. `false` = still in at `deadline` (monotonic time).
    pub async fn wait_removed(&mut self, deadline: Duration) -> Result<bool, CcidError> {
        self.wait_presence(false, deadline).await
    }

    async fn wait_presence(&mut self, wanted: bool, deadline: Duration) -> Result<bool, CcidError> {
        loop {
            if self.present().await? == wanted {
                return Ok(true);
            }
            let left = deadline.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Ok(false);
            }
            let pause = left.min(POLL_EVERY);
            match self.layout.interrupt {
                None => self.clock.sleep(pause).await,
                Some(endpoint) => match self.transport.read(endpoint, 8, pause).await {
                    // Any message is a reason to look; what it says is not relied on.
                    Ok(change) if !change.bytes.is_empty() => {}
                    Ok(_) => self.clock.sleep(pause).await,
                    Err(UsbError::Stall) => {
                        unhalt(&self.transport, endpoint).await?;
                        self.clock.sleep(pause).await;
                    }
                    Err(UsbError::Timeout) => {}
                    Err(error) => return Err(error.into()),
                },
            }
        }
    }

    /// Powers the card and reads its answer to reset; sets T=0 parameters where
    /// the reader does not do that itself.
    pub async fn power_on(&mut self, within: Duration) -> Result<Atr, CcidError> {
        let deadline = self.clock.monotonic().saturating_add(within);
        self.protocol = None;
        let functional = self.layout.functional;
        let mut last = CcidError::Mute;
        let voltages: &[(u8, u8)] = match functional.chooses_voltage() {
            true => &[(0, 0)],
            // 5 V first: an old class A card stays mute at less.
            false => &[(1, 1), (2, 2), (3, 4)],
        };
        for (select, bit) in voltages {
            if *bit != 0 && functional.voltages & bit == 0 {
                continue;
            }
            let left = deadline.saturating_sub(self.clock.monotonic());
            match self.command(&Command::PowerOn(*select), left).await {
                Ok(done) => return self.activated(&done.data, deadline).await,
                Err(error @ CcidError::Mute) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    async fn activated(&mut self, atr: &[u8], deadline: Duration) -> Result<Atr, CcidError> {
        let atr = Atr::parse(atr).map_err(CcidError::Atr)?;
        let tpdu = self.layout.functional.exchange() == Exchange::Tpdu;
        if tpdu && atr.protocol != Protocol::T0 {
            return Err(CcidError::HostProtocol(atr.protocol));
        }
        if tpdu && !self.layout.functional.sets_parameters() {
            let left = deadline.saturating_sub(self.clock.monotonic());
            let set = Command::SetParametersT0(atr.t0_parameters);
            match self.command(&set, left).await {
                // 1..127: that parameter cannot be changed. 0: the command is unknown.
                Ok(_) | Err(CcidError::Refused { code: 0..=127, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.protocol = Some(atr.protocol);
        Ok(atr)
    }

    /// Takes the power off the card.
    pub async fn power_off(&mut self) -> Result<(), CcidError> {
        self.protocol = None;
        match self.command(&Command::PowerOff, ANSWER_WITHIN).await {
            Ok(_) | Err(CcidError::Absent) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// One short APDU to the powered card; 61xx and 6Cxx are followed here.
    pub async fn transmit(&mut self, apdu: &[u8], within: Duration) -> Result<Response, CcidError> {
        if !apdu::is_short(apdu) {
            return Err(CcidError::NotAnApdu(apdu.len()));
        }
        let protocol = self.protocol.ok_or(CcidError::NotPowered)?;
        let deadline = self.clock.monotonic().saturating_add(within);
        let tpdu = self.layout.functional.exchange() == Exchange::Tpdu;
        let mut send = match tpdu && protocol == Protocol::T0 {
            true => apdu::t0_tpdu(apdu),
            false => Zeroizing::new(apdu.to_vec()),
        };
        let mut data = Zeroizing::new(Vec::new());
        for _ in 0..PARTS_MAX {
            let part = self.block(&send, deadline).await?;
            let mut part = Response::parse(&part).ok_or(CcidError::NoStatusWord)?;
            data.extend_from_slice(&part.data);
            match apdu::follow_up(&send, part.sw) {
                None => {
                    part.data = data;
                    return Ok(part);
                }
                Some(FollowUp::GetResponse(next) | FollowUp::Again(next)) => {
                    send = Zeroizing::new(next.to_vec());
                }
            }
        }
        Err(CcidError::NoStatusWord)
    }

    /// One block, tried again on a bad contact, with its chained answer.
    async fn block(
        &mut self,
        bytes: &[u8],
        deadline: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, CcidError> {
        let mut tries = 0_u32;
        let left = |clock: &SharedClock| deadline.saturating_sub(clock.monotonic());
        let mut done = loop {
            tries = tries.saturating_add(1);
            let within = left(&self.clock);
            match self.command(&Command::XfrBlock(0, bytes), within).await {
                Err(CcidError::Contact(_)) if tries < CONTACT_TRIES => {}
                other => break other?,
            }
        };
        let mut whole = Zeroizing::new(Vec::new());
        for _ in 0..PARTS_MAX {
            whole.extend_from_slice(&done.data);
            // bChainParameter: 01 begins, 03 continues; the host asks for the next.
            if !matches!(done.specific, 1 | 3) {
                return Ok(whole);
            }
            let within = left(&self.clock);
            done = self.command(&Command::XfrBlock(0x10, &[]), within).await?;
        }
        Err(CcidError::NoStatusWord)
    }

    /// One command, asked again while the slot is busy.
    async fn command(
        &mut self,
        command: &Command<'_>,
        within: Duration,
    ) -> Result<Done, CcidError> {
        let deadline = self.clock.monotonic().saturating_add(within);
        let mut tries = 0_u32;
        loop {
            tries = tries.saturating_add(1);
            let left = deadline.saturating_sub(self.clock.monotonic());
            match self.once(command, left).await {
                Err(CcidError::Busy) if tries < BUSY_TRIES => self.clock.sleep(POLL_EVERY).await,
                other => return other,
            }
        }
    }
}
