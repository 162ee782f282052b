//! Serial lines behind USB bridges: what a protocol driver may ask of one.
//!
//! Owns line coding and raw bytes, 8N1 always. Refuses framing of any kind: the
//! protocol above resynchronises by itself. [`CdcAcm`] is the standard class (CDC
//! PSTN 1.2; CH9102/CH343 and boards of module makers); vendor bridges follow the
//! same trait. Called by [`super::ef01`].

use std::time::Duration;

use counterfoil_data::seam::SharedClock;

use super::{send, unhalt};
use crate::transport::{DeviceInfo, Setup, Stage, Transport, UsbError};

/// Patience for one control request.
const CONTROL_WITHIN: Duration = Duration::from_secs(1);
/// Packets dropped by one purge at most: more than any answer has.
const PURGE_MAX: usize = 2048;

/// Class request to an interface, host to device.
const CLASS_INTERFACE_OUT: u8 = 0x21;
/// SET_LINE_CODING.
const SET_LINE_CODING: u8 = 0x20;
/// SET_CONTROL_LINE_STATE.
const SET_CONTROL_LINE_STATE: u8 = 0x22;
/// DTR and RTS on.
const DTR_RTS: u16 = 3;

/// A serial line.
#[expect(
    async_fn_in_trait,
    reason = "used generically on one thread; futures need not be Send"
)]
pub trait SerialBridge {
    /// The descriptors.
    fn info(&self) -> &DeviceInfo;
    /// Sets the rate in bit/s, 8N1, and raises DTR and RTS.
    async fn set_line(&mut self, baud: u32) -> Result<(), UsbError>;
    /// Sends all bytes.
    async fn write(&mut self, bytes: &[u8], within: Duration) -> Result<(), UsbError>;
    /// The next bytes, at least one; [`UsbError::Timeout`] is silence.
    async fn read(&mut self, within: Duration) -> Result<Vec<u8>, UsbError>;
    /// Drops what is still coming, until the line has been silent for `quiet`;
    /// [`UsbError::Timeout`] when it is not by `deadline` (monotonic time).
    async fn purge(&mut self, quiet: Duration, deadline: Duration) -> Result<(), UsbError>;
}

/// SET_LINE_CODING data for 8N1.
fn line_coding(baud: u32) -> [u8; 7] {
    let [b0, b1, b2, b3] = baud.to_le_bytes();
    [b0, b1, b2, b3, 0, 0, 8]
}

/// Where the two interfaces of a CDC-ACM function are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    control: u16,
    bulk_out: u8,
    bulk_in: u8,
    packet_out: u16,
    packet_in: u16,
}

fn layout(info: &DeviceInfo) -> Option<Layout> {
    let mut all = info.interfaces.iter();
    let control = all.find(|i| (i.class, i.subclass) == (0x02, 0x02))?;
    let mut all = info.interfaces.iter();
    let data = all.find(|i| i.class == 0x0A && !i.endpoints.is_empty())?;
    let bulk = |inward: bool| {
        let mut ends = data.endpoints.iter();
        ends.find(|e| e.kind == 2 && e.is_in() == inward && e.max_packet > 0)
    };
    let (out, inward) = (bulk(false)?, bulk(true)?);
    Some(Layout {
        control: u16::from(control.number),
        bulk_out: out.address,
        bulk_in: inward.address,
        packet_out: out.max_packet,
        packet_in: inward.max_packet,
    })
}

/// Whether the descriptors are those of a CDC-ACM function.
pub fn is_cdc_acm(info: &DeviceInfo) -> bool {
    layout(info).is_some()
}

/// A CDC-ACM function; both its interfaces are claimed with the device.
pub struct CdcAcm<T: Transport> {
    transport: T,
    clock: SharedClock,
    layout: Layout,
}

impl<T: Transport> CdcAcm<T> {
    /// Takes over an opened device; `None` if it is not CDC-ACM.
    pub fn open(transport: T, clock: SharedClock) -> Option<Self> {
        let layout = layout(transport.info())?;
        Some(Self {
            transport,
            clock,
            layout,
        })
    }

    fn deadline(&self, within: Duration) -> Duration {
        self.clock.monotonic().saturating_add(within)
    }

    /// Bytes out, then the empty packet where an exact multiple would look unfinished.
    async fn put(&self, bytes: &[u8], deadline: Duration) -> Result<(), UsbError> {
        let (out, clock) = (self.layout.bulk_out, &self.clock);
        send(&self.transport, clock, out, bytes, deadline).await?;
        let packet = usize::from(self.layout.packet_out);
        if bytes.len().is_multiple_of(packet) {
            let left = deadline.saturating_sub(clock.monotonic());
            self.transport.write(out, &[], left).await?;
        }
        Ok(())
    }

    async fn request(&self, request: u8, value: u16, data: &[u8]) -> Result<(), UsbError> {
        let setup = Setup {
            request_type: CLASS_INTERFACE_OUT,
            request,
            value,
            index: self.layout.control,
        };
        let stage = Stage::Out(data);
        self.transport.control(setup, stage, CONTROL_WITHIN).await?;
        Ok(())
    }
}

impl<T: Transport> SerialBridge for CdcAcm<T> {
    fn info(&self) -> &DeviceInfo {
        self.transport.info()
    }

    async fn set_line(&mut self, baud: u32) -> Result<(), UsbError> {
        self.request(SET_LINE_CODING, 0, &line_coding(baud)).await?;
        self.request(SET_CONTROL_LINE_STATE, DTR_RTS, &[]).await
    }

    async fn write(&mut self, bytes: &[u8], within: Duration) -> Result<(), UsbError> {
        let deadline = self.deadline(within);
        match self.put(bytes, deadline).await {
            Err(UsbError::Stall) => {
                unhalt(&self.transport, self.layout.bulk_out).await?;
                self.put(bytes, deadline).await
            }
            other => other,
        }
    }

    async fn read(&mut self, within: Duration) -> Result<Vec<u8>, UsbError> {
        // One packet at a time: a longer transfer would wait for a short packet
        // that a full last packet never sends. A zero-length packet is no data.
        let (into, max) = (self.layout.bulk_in, usize::from(self.layout.packet_in));
        let deadline = self.deadline(within);
        for _ in 0..2 {
            let left = deadline.saturating_sub(self.clock.monotonic());
            match self.transport.read(into, max, left).await {
                Ok(transfer) if transfer.bytes.is_empty() => {}
                Ok(transfer) => return Ok(transfer.bytes),
                Err(UsbError::Stall) => unhalt(&self.transport, into).await?,
                Err(error) => return Err(error),
            }
        }
        Err(UsbError::Timeout)
    }

    async fn purge(&mut self, quiet: Duration, deadline: Duration) -> Result<(), UsbError> {
        for _ in 0..PURGE_MAX {
            if self.clock.monotonic() >= deadline {
                break;
            }
            match self.read(quiet).await {
                Ok(dropped) => drop(zeroize::Zeroizing::new(dropped)),
                Err(UsbError::Timeout) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(UsbError::Timeout)
    }
}

#[cfg(test)]
mod tests;
