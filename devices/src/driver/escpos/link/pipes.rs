//! The USB side of a link: which interface, class requests, transfers, halts.

use std::time::Duration;

use super::{Link, LinkError};
use crate::driver::escpos::device_id::DeviceId;
use crate::transport::{
    DeviceInfo, EndpointInfo, InterfaceInfo, Setup, Stage, Transfer, Transport, UsbError,
};

/// Longest single write before the reply pipe is looked at.
const WRITE_SLICE: Duration = Duration::from_secs(2);
/// Control requests (usblp and PAPPL use the same).
const CONTROL_WITHIN: Duration = Duration::from_secs(5);
/// Device id string asked for at most.
const DEVICE_ID_MAX: u16 = 1024;

/// The alternate to use, its OUT and its IN pipe: two-way (protocol 2) before
/// anything else with both pipes.
pub(super) fn choose(info: &DeviceInfo) -> Option<(&InterfaceInfo, EndpointInfo, EndpointInfo)> {
    let usable = info.interfaces.iter().filter_map(|i| {
        let bulk = |input: bool| {
            i.endpoints
                .iter()
                .find(move |e| e.kind == 2 && e.is_in() == input)
        };
        let printer = i.class == 7 && i.subclass == 1 && i.protocol != 3 && i.protocol != 4;
        let (out, back) = (bulk(false)?, bulk(true)?);
        printer.then_some((i, *out, *back))
    });
    usable.max_by_key(|(i, ..)| i.protocol == 2)
}

impl<T: Transport> Link<T> {
    /// GET_DEVICE_ID, once, while the buffers are surely not full. Optional: some
    /// models stall it.
    pub(super) async fn device_id(&mut self, alternate: u8) -> DeviceId {
        let setup = Setup {
            request_type: 0xA1,
            request: 0,
            value: 0,
            index: u16::from_be_bytes([self.interface, alternate]),
        };
        let stage = Stage::In(DEVICE_ID_MAX);
        match self.transport.control(setup, stage, CONTROL_WITHIN).await {
            Ok(bytes) => DeviceId::parse(&bytes),
            Err(_) => DeviceId::default(),
        }
    }

    /// SOFT_RESET (21, then 23 on old models), then both pipes without a halt: a
    /// halt lives in the device and outlives the handle it came to. `false` when
    /// both forms were refused.
    pub(super) async fn soft_reset(&mut self) -> Result<bool, LinkError> {
        let mut was_reset = false;
        for request_type in [0x21, 0x23] {
            let setup = Setup {
                request_type,
                request: 2,
                value: 0,
                index: u16::from(self.interface),
            };
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
        self.unhalt(self.read_from).await?;
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
        let mut transfer = self.read_once(until).await;
        if transfer == Err(UsbError::Stall) {
            self.unhalt(self.read_from).await?;
            transfer = self.read_once(until).await;
        }
        match transfer {
            Err(UsbError::Timeout) => Ok(None),
            other => self.guard(other).map(Some),
        }
    }

    async fn read_once(&self, until: Duration) -> Result<Transfer, UsbError> {
        let within = until.saturating_sub(self.now());
        self.transport
            .read(self.read_from, self.read_max, within)
            .await
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
