//! A USB CCID chip-card reader (CCID rev 1.1): one slot of it, with TPDU, short or
//! extended APDU exchange.
//!
//! Owns the sequence numbers, time extensions, chaining, presence, voltages,
//! parameters and, where the reader leaves them to the host, T=0 and T=1. Refuses
//! readers of other kinds by name ([`kind`]). Called by [`crate::driver::pboc`] and
//! the kiosk's host.
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
pub mod kind;
pub mod message;
pub mod notify;
pub mod pin_entry;
pub mod pps;
pub mod secure;
pub mod t1;

mod exchange;
mod power;
mod transmit;

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

use descriptor::Layout;
use message::{Command, Icc};
use notify::Notice;
use power::Link;

use super::{drain, unhalt};
use crate::transport::{DeviceInfo, Transport, UsbError};

/// Patience for one answer before any time extension.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Pause between two looks at the slot where it tells of nothing.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// And where it does: a change may have been told to nobody.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// Longest message of the interrupt pipe: a byte for every four slots.
const NOTICE_MAX: usize = 65;
/// Silence that tells, when opening, that nothing stale is left in a pipe.
const DRAIN_WITHIN: Duration = Duration::from_millis(100);
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
    slot: u8,
    seq: u8,
    link: Option<Link>,
    /// The command before ran out of time: the reader may still be at it.
    unfinished: bool,
}

/// A whole answer, after extensions and chaining.
struct Done {
    icc: Icc,
    data: Zeroizing<Vec<u8>>,
    specific: u8,
}

impl<T: Transport> Reader<T> {
    /// Takes over an opened device, drains what is stale in its pipes and asks for the
    /// first slot's status once, to know that it answers.
    pub async fn open(transport: T, clock: SharedClock) -> Result<Self, CcidError> {
        Self::open_slot(transport, clock, 0).await
    }

    /// The same for one slot of several.
    pub async fn open_slot(transport: T, clock: SharedClock, slot: u8) -> Result<Self, CcidError> {
        let kinds = kind::classify(transport.info());
        let first = kinds.first().ok_or(CcidError::NotCcid)?;
        let layout = descriptor::layout(transport.info());
        let refusal = match &layout {
            Some(layout) => kind::refusal(transport.info(), layout),
            None => first.refusal,
        };
        if let Some(refusal) = refusal {
            return Err(CcidError::Unsupported(refusal));
        }
        let layout = layout.ok_or(CcidError::NotCcid)?;
        if slot > layout.functional.max_slot {
            return Err(CcidError::NoSlot(slot));
        }
        let mut reader = Self {
            transport,
            clock,
            layout,
            slot,
            seq: 0,
            link: None,
            unfinished: false,
        };
        if let Some(endpoint) = layout.interrupt {
            match reader
                .transport
                .read(endpoint, NOTICE_MAX, DRAIN_WITHIN)
                .await
            {
                Ok(_) | Err(UsbError::Timeout | UsbError::Stall) => {}
                Err(error) => return Err(error.into()),
            }
        }
        drain(&reader.transport, layout.bulk_in, DRAIN_WITHIN).await?;
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
            let Some(endpoint) = self.layout.interrupt else {
                self.clock.sleep(left.min(POLL_EVERY)).await;
                continue;
            };
            self.told(endpoint, left.min(TOLD_EVERY)).await?;
        }
    }

    /// Waits for a message of the interrupt pipe, at most so long. Any is a reason
    /// to look at the slot; what it says is not relied on.
    async fn told(&mut self, endpoint: u8, within: Duration) -> Result<(), CcidError> {
        let pause = within.min(POLL_EVERY);
        match self.transport.read(endpoint, NOTICE_MAX, within).await {
            Ok(told) if told.bytes.is_empty() => self.clock.sleep(pause).await,
            Ok(told) => match Notice::parse(&told.bytes) {
                Some(Notice::HardwareError { slot, code, .. }) => {
                    tracing::warn!(slot, code, "the card reader tells of a hardware error");
                }
                Some(notice) if notice.slot(self.slot).is_some() => {}
                // Another slot, or noise: no faster than polling.
                _ => self.clock.sleep(pause).await,
            },
            Err(UsbError::Stall) => {
                unhalt(&self.transport, endpoint).await?;
                self.clock.sleep(pause).await;
            }
            Err(UsbError::Timeout) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
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
