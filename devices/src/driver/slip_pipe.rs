//! One slip printer on USB that does not speak ESC/POS: bounded writes, port status,
//! raw replies.
//!
//! Rules as in [`super::escpos::link`]: a short write goes on from its offset, never
//! a zero-length write, every wait ends at its deadline, after an I/O error the
//! handle is fenced. Port status is asked only when nothing is being written, or
//! when a write has stopped: some firmware mixes it with the data otherwise.

use std::time::Duration;

use counterfoil_data::seam::SharedClock;

use super::escpos::device_id::DeviceId;
use super::escpos::fault::PrintFault;
use super::escpos::link::LinkError;
use super::printer_class::{self, Chosen, PortStatus};
use crate::transport::{DeviceInfo, Stage, Transport, UsbError};

/// Bytes a write transfer at most.
const CHUNK_MAX: usize = 1024;
/// Longest single write before the port is looked at.
const WRITE_SLICE: Duration = Duration::from_secs(2);
/// Control requests (usblp and PAPPL wait as long).
const CONTROL_WITHIN: Duration = Duration::from_secs(5);
/// Device id string asked for at most.
const DEVICE_ID_MAX: u16 = 1024;
/// One read of replies.
const READ_MAX: usize = 1024;

/// An open printer.
pub(super) struct SlipPipe<T> {
    transport: T,
    clock: SharedClock,
    chosen: Chosen,
    id: DeviceId,
    emptied: bool,
    fenced: bool,
}

impl<T: Transport> SlipPipe<T> {
    /// Claims the printer interface, reads the device id and empties the buffers: what
    /// an earlier handle left must not meet the next form. Sends no data.
    pub async fn open(transport: T, clock: SharedClock) -> Result<Self, LinkError> {
        let info: &DeviceInfo = transport.info();
        let quirks = printer_class::quirks(info);
        let chosen = printer_class::choose(info, quirks).ok_or(LinkError::NoInterface)?;
        if chosen.selects {
            let set = transport.set_alternate(chosen.interface, chosen.alternate);
            set.await?;
        }
        let mut pipe = Self {
            transport,
            clock,
            chosen,
            id: DeviceId::default(),
            emptied: false,
            fenced: false,
        };
        let ask = printer_class::ask_device_id(chosen.interface, chosen.alternate);
        let stage = Stage::In(DEVICE_ID_MAX);
        // Optional: some models stall it.
        if let Ok(bytes) = pipe.transport.control(ask, stage, CONTROL_WITHIN).await {
            pipe.id = DeviceId::parse(&bytes);
        }
        pipe.id = std::mem::take(&mut pipe.id).or_described(pipe.transport.info());
        pipe.emptied = pipe.soft_reset().await?;
        Ok(pipe)
    }

    /// Whether the buffers were empty when it was opened; else the printer refuses a
    /// soft reset and nobody knows.
    pub fn was_emptied(&self) -> bool {
        self.emptied
    }

    /// What the printer says it is.
    pub fn id(&self) -> &DeviceId {
        &self.id
    }

    /// Whether it can answer.
    pub fn answers(&self) -> bool {
        self.chosen.back.is_some()
    }

    /// Time since the clock's start, for deadlines.
    pub fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Lets time pass without talking.
    pub async fn rest(&self, wait: Duration) {
        self.clock.sleep(wait).await;
    }

    /// Gives the handle up: it must be opened again.
    pub fn fence(&mut self) {
        self.fenced = true;
    }

    /// Port status; `None` from a printer that has none or means nothing by it.
    pub async fn port_status(&mut self) -> Result<Option<PortStatus>, LinkError> {
        let ask = printer_class::ask_port_status(self.chosen.interface);
        let got = self.transport.control(ask, Stage::In(1), CONTROL_WITHIN);
        match got.await {
            Err(UsbError::Stall) if !self.fenced => Ok(None),
            other => {
                let bytes = self.guard(other)?;
                Ok(bytes.first().copied().and_then(PortStatus::of))
            }
        }
    }

    /// SOFT_RESET: buffers empty, paper as it lies. Refused by some; then the next
    /// page begins with what is left of this one, so the handle is fenced.
    pub async fn reset(&mut self) {
        self.fenced |= !matches!(self.soft_reset().await, Ok(true));
    }

    /// In both forms, `false` when both were refused.
    async fn soft_reset(&mut self) -> Result<bool, LinkError> {
        for setup in printer_class::soft_resets(self.chosen.interface) {
            let stage = Stage::Out(&[]);
            match self.transport.control(setup, stage, CONTROL_WITHIN).await {
                Err(UsbError::Stall) => {}
                other => {
                    self.guard(other)?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Writes all of `bytes` before `until`.
    ///
    /// # Errors
    /// [`LinkError::Blocked`] with the bytes taken when it stopped: at once if the
    /// port reports a fault, else at `until`.
    pub async fn send(&mut self, bytes: &[u8], until: Duration) -> Result<(), LinkError> {
        let mut taken = 0_usize;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let chunk = rest.get(..CHUNK_MAX).unwrap_or(rest);
            let within = WRITE_SLICE.min(until.saturating_sub(self.now()));
            let written = self.transport.write(self.chosen.out.address, chunk, within);
            let count = match written.await {
                Err(UsbError::Timeout) => 0,
                other => self.guard(other)?,
            };
            taken = taken.saturating_add(count);
            if count >= chunk.len() {
                continue;
            }
            let fault = self.port_status().await?.and_then(fault_of);
            if fault.is_some() || self.now() >= until {
                return Err(LinkError::Blocked {
                    accepted: taken,
                    fault,
                });
            }
        }
        Ok(())
    }

    /// One transfer of replies; empty when none came before `until`.
    pub async fn receive(&mut self, until: Duration) -> Result<Vec<u8>, LinkError> {
        let Some(back) = self.chosen.back else {
            return Ok(Vec::new());
        };
        let packet = usize::from(back.max_packet).max(1);
        let max = packet.saturating_mul(READ_MAX.div_ceil(packet));
        let within = until.saturating_sub(self.now());
        match self.transport.read(back.address, max, within).await {
            Err(UsbError::Timeout) => Ok(Vec::new()),
            other => self.guard(other).map(|transfer| transfer.bytes),
        }
    }

    fn guard<V>(&mut self, result: Result<V, UsbError>) -> Result<V, LinkError> {
        if self.fenced {
            return Err(LinkError::Fenced);
        }
        result.map_err(|error| {
            self.fenced = true;
            LinkError::Usb(error)
        })
    }
}

/// What the port reports; no paper is no fault of a printer that is fed by hand, and
/// one without paper may also say that it is off-line or in error.
pub(super) fn fault_of(status: PortStatus) -> Option<PrintFault> {
    match (status.paper_empty(), status.error(), status.selected()) {
        (true, ..) => None,
        (false, true, _) => Some(PrintFault::HardwareError),
        (false, false, false) => Some(PrintFault::Offline),
        (false, false, true) => None,
    }
}
