//! The bulk pair and the control pipe of a bridge, the same for every family.
//!
//! Owns going on after a partial write, the empty packet behind a full one where a
//! family wants it, and taking a halt off. Called by [`super::Bridge`] and the families.

use std::time::Duration;

use counterfoil_data::seam::SharedClock;

use crate::driver::{send, unhalt};
use crate::transport::{DeviceInfo, InterfaceInfo, Setup, Stage, Transport, UsbError};

/// Patience for one control request.
const CONTROL_WITHIN: Duration = Duration::from_secs(1);

/// Vendor request to the device, host to device.
pub(super) const VENDOR_OUT: u8 = 0x40;
/// Vendor request to the device, device to host.
pub(super) const VENDOR_IN: u8 = 0xC0;
/// Vendor request to an interface, host to device.
pub(super) const VENDOR_INTERFACE_OUT: u8 = 0x41;
/// Class request to an interface, host to device.
pub(super) const CLASS_INTERFACE_OUT: u8 = 0x21;
/// Class request to an interface, device to host.
pub(super) const CLASS_INTERFACE_IN: u8 = 0xA1;

/// Where data go and come, and the interface that takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) interface: u16,
    pub(super) bulk_out: u8,
    pub(super) bulk_in: u8,
    pub(super) packet_out: u16,
    pub(super) packet_in: u16,
}

impl Ends {
    /// The bulk pair of an interface, if it has one.
    pub(super) fn of(interface: &InterfaceInfo) -> Option<Self> {
        let bulk = |inward: bool| {
            let mut ends = interface.endpoints.iter();
            ends.find(|e| e.kind == 2 && e.is_in() == inward && e.max_packet > 0)
        };
        let (out, inward) = (bulk(false)?, bulk(true)?);
        Some(Self {
            interface: u16::from(interface.number),
            bulk_out: out.address,
            bulk_in: inward.address,
            packet_out: out.max_packet,
            packet_in: inward.max_packet,
        })
    }
}

/// The first bulk pair: the first port of a bridge that has several.
pub(super) fn vendor_ends(info: &DeviceInfo) -> Option<Ends> {
    info.interfaces.iter().find_map(Ends::of)
}

/// An opened bridge without its family.
pub(super) struct Wire<T: Transport> {
    pub(super) transport: T,
    pub(super) ends: Ends,
    clock: SharedClock,
}

impl<T: Transport> Wire<T> {
    pub(super) fn new(transport: T, clock: SharedClock, ends: Ends) -> Self {
        Self {
            transport,
            ends,
            clock,
        }
    }

    pub(super) fn info(&self) -> &DeviceInfo {
        self.transport.info()
    }

    pub(super) fn packet_in(&self) -> usize {
        usize::from(self.ends.packet_in)
    }

    pub(super) fn deadline(&self, within: Duration) -> Duration {
        self.clock.monotonic().saturating_add(within)
    }

    pub(super) fn is_over(&self, deadline: Duration) -> bool {
        self.clock.monotonic() >= deadline
    }

    /// A request without or with data to the device.
    pub(super) async fn tell(
        &self,
        (request_type, request): (u8, u8),
        (value, index): (u16, u16),
        data: &[u8],
    ) -> Result<(), UsbError> {
        let setup = Setup {
            request_type,
            request,
            value,
            index,
        };
        let stage = Stage::Out(data);
        self.transport.control(setup, stage, CONTROL_WITHIN).await?;
        Ok(())
    }

    /// A request for `len` bytes; what came may be shorter.
    pub(super) async fn ask(
        &self,
        (request_type, request): (u8, u8),
        (value, index): (u16, u16),
        len: u16,
    ) -> Result<Vec<u8>, UsbError> {
        let setup = Setup {
            request_type,
            request,
            value,
            index,
        };
        let stage = Stage::In(len);
        self.transport.control(setup, stage, CONTROL_WITHIN).await
    }

    /// All bytes out; `ended` asks for the empty packet where an exact multiple would
    /// look unfinished. After a stall everything is sent once more.
    pub(super) async fn write(
        &self,
        bytes: &[u8],
        ended: bool,
        within: Duration,
    ) -> Result<(), UsbError> {
        let deadline = self.deadline(within);
        match self.put(bytes, ended, deadline).await {
            Err(UsbError::Stall) => {
                unhalt(&self.transport, self.ends.bulk_out).await?;
                self.put(bytes, ended, deadline).await
            }
            other => other,
        }
    }

    async fn put(&self, bytes: &[u8], ended: bool, deadline: Duration) -> Result<(), UsbError> {
        let (out, clock) = (self.ends.bulk_out, &self.clock);
        send(&self.transport, clock, out, bytes, deadline).await?;
        let packet = usize::from(self.ends.packet_out);
        if ended && bytes.len().is_multiple_of(packet) {
            let left = deadline.saturating_sub(clock.monotonic());
            self.transport.write(out, &[], left).await?;
        }
        Ok(())
    }

    /// One transfer of at most so many packets; empty is a zero-length packet.
    pub(super) async fn read(
        &self,
        packets: usize,
        deadline: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        let max = self.packet_in().saturating_mul(packets);
        let left = deadline.saturating_sub(self.clock.monotonic());
        let transfer = self.transport.read(self.ends.bulk_in, max, left).await?;
        Ok(transfer.bytes)
    }

    pub(super) async fn unhalt_in(&self) -> Result<(), UsbError> {
        unhalt(&self.transport, self.ends.bulk_in).await
    }
}
