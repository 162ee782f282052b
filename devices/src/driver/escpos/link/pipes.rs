//! The USB side of a link: which interface, class requests, transfers, halts.

use std::time::Duration;

use super::{Link, LinkError};
use crate::driver::escpos::device_id::DeviceId;
use crate::driver::printer_class::{self, PortStatus};
use crate::transport::{Stage, Transfer, Transport, UsbError};

/// Longest single write before the reply pipe is looked at.
const WRITE_SLICE: Duration = Duration::from_secs(2);
/// Control requests (usblp and PAPPL use the same).
const CONTROL_WITHIN: Duration = Duration::from_secs(5);
/// Device id string asked for at most.
const DEVICE_ID_MAX: u16 = 1024;

impl<T: Transport> Link<T> {
    /// GET_DEVICE_ID, once, while the buffers are surely not full. Optional: some
    /// models stall it.
    pub(super) async fn device_id(&mut self, alternate: u8) -> DeviceId {
        let setup = printer_class::ask_device_id(self.interface, alternate);
        let stage = Stage::In(DEVICE_ID_MAX);
        let said = match self.transport.control(setup, stage, CONTROL_WITHIN).await {
            Ok(bytes) => DeviceId::parse(&bytes),
            Err(_) => DeviceId::default(),
        };
        said.or_described(self.transport.info())
    }

    /// GET_PORT_STATUS; `None` from a printer that has none or means nothing by it.
    pub(super) async fn port_status(&mut self) -> Result<Option<PortStatus>, LinkError> {
        let setup = printer_class::ask_port_status(self.interface);
        let asked = self.transport.control(setup, Stage::In(1), CONTROL_WITHIN);
        match asked.await {
            Err(UsbError::Stall) if !self.fenced => Ok(None),
            other => {
                let bytes = self.guard(other)?;
                Ok(bytes.first().copied().and_then(PortStatus::of))
            }
        }
    }

    /// SOFT_RESET (21, then 23 on old models), then both pipes without a halt: a
    /// halt lives in the device and outlives the handle it came to. `false` when
    /// both forms were refused.
    pub(super) async fn soft_reset(&mut self) -> Result<bool, LinkError> {
        let mut was_reset = false;
        for setup in printer_class::soft_resets(self.interface) {
            let stage = Stage::Out(&[]);
            match self.transport.control(setup, stage, CONTROL_WITHIN).await {
                Err(UsbError::Stall) => {}
                other => {
                    self.guard(other)?;
                    was_reset = true;
                    break;
                }
            }
        }
        if let Some(read_from) = self.read_from {
            self.unhalt(read_from).await?;
        }
        self.unhalt(self.write_to).await?;
        Ok(was_reset)
    }

    /// CLEAR_HALT. One that is refused is no error: the next transfer says
    /// whether the pipe works.
    async fn unhalt(&mut self, endpoint: u8) -> Result<(), LinkError> {
        if endpoint & 0x80 != 0 {
            let stopped = self.transport.stop_in(endpoint).await;
            self.guard(stopped)?;
            // A reply that was cut off here never gets its end.
            self.parser.reset();
        }
        match self.transport.clear_halt(endpoint).await {
            Err(UsbError::Stall) => Ok(()),
            other => self.guard(other),
        }
    }

    /// Fences the handle on any error of the transport.
    fn guard<V>(&mut self, result: Result<V, UsbError>) -> Result<V, LinkError> {
        if self.fenced {
            return Err(LinkError::Fenced);
        }
        result.map_err(|error| {
            self.fenced = true;
            LinkError::Usb(error)
        })
    }

    /// One IN transfer, `None` if `until` came first; over a halt once.
    pub(super) async fn receive(&mut self, until: Duration) -> Result<Option<Transfer>, LinkError> {
        if self.fenced {
            return Err(LinkError::Fenced);
        }
        let Some(from) = self.read_from else {
            self.rest(until.saturating_sub(self.now())).await;
            return Ok(None);
        };
        let mut transfer = self.read_once(from, until).await;
        if transfer == Err(UsbError::Stall) {
            self.unhalt(from).await?;
            transfer = self.read_once(from, until).await;
        }
        match transfer {
            Err(UsbError::Timeout) => Ok(None),
            other => self.guard(other).map(Some),
        }
    }

    async fn read_once(&self, from: u8, until: Duration) -> Result<Transfer, UsbError> {
        let within = until.saturating_sub(self.now());
        self.transport.read(from, self.read_max, within).await
    }

    /// One OUT transfer and how many bytes it took; over a halt once, if that
    /// sends nothing twice: one packet is taken whole or not at all, but of a
    /// longer write a halt does not say how much was.
    pub(super) async fn transmit(
        &mut self,
        chunk: &[u8],
        until: Duration,
    ) -> Result<usize, LinkError> {
        if self.fenced {
            return Err(LinkError::Fenced);
        }
        let mut written = self.write_once(chunk, until).await;
        if written == Err(UsbError::Stall) && chunk.len() <= self.packet {
            self.unhalt(self.write_to).await?;
            written = self.write_once(chunk, until).await;
        }
        match written {
            Err(UsbError::Timeout) => Ok(0),
            other => self.guard(other),
        }
    }

    async fn write_once(&self, chunk: &[u8], until: Duration) -> Result<usize, UsbError> {
        let within = WRITE_SLICE.min(until.saturating_sub(self.now()));
        self.transport.write(self.write_to, chunk, within).await
    }
}
