//! The USB seam: what a driver may ask of a device, and nothing else.
//!
//! Three implementations: [`rusb_bus`] (hardware), [`twin_bus`] (in process, virtual
//! time) and the USB/IP client in user space ([`usbip`]). Each of them can be recorded
//! ([`tap`]), and a recording stands for the device it is of ([`replay`]).
//! Everything runs on one thread; only the rusb implementation has threads, one
//! per IN endpoint, because rusb cannot cancel a read.

pub mod descriptor;
pub mod replay;
pub mod rusb_bus;
pub mod sysfs;
pub mod tap;
pub mod twin_bus;
pub mod usbip;
pub mod usbmon;

use std::rc::Rc;
use std::time::Duration;

/// Largest single transfer in bytes; a U.are.U image is 111,424.
pub const TRANSFER_MAX: usize = 256 * 1024;

/// What went wrong on the bus. `Timeout` with bytes moved is not an error: a
/// short count is returned instead, and the driver continues from there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsbError {
    /// Nothing moved in time (the device NAKed).
    #[error("the device did not answer in time")]
    Timeout,
    /// The endpoint is halted, or the request is not supported.
    #[error("the device stalled the endpoint")]
    Stall,
    /// Gone: unplugged, or its transport was cut.
    #[error("the device is gone: check its cable")]
    NoDevice,
    /// More bytes came than the buffer holds; they are lost.
    #[error("the device sent more than was asked for")]
    Overflow,
    /// Another program or driver holds the interface.
    #[error("the device is held by {0}: stop it or unbind it")]
    Busy(String),
    /// No permission on the device node, which is named.
    #[error("no permission to open {0}: {remedy}", remedy = crate::udev::remedy())]
    Access(String),
    /// Anything else, in the transport's own words.
    #[error("usb transport failed: {0}")]
    Other(String),
}

impl UsbError {
    /// A halt cannot be cleared under a read.
    fn read_posted() -> Self {
        Self::Other("a read is still posted: stop it before clearing the halt".into())
    }
}

/// A SETUP packet, as on the wire but decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// bmRequestType.
    pub request_type: u8,
    /// bRequest.
    pub request: u8,
    /// wValue.
    pub value: u16,
    /// wIndex.
    pub index: u16,
}

impl Setup {
    /// CLEAR_FEATURE (ENDPOINT_HALT).
    const fn clear_halt(endpoint: u8) -> Self {
        Self {
            request_type: 0x02,
            request: 1,
            value: 0,
            index: endpoint as u16,
        }
    }

    /// SET_INTERFACE.
    const fn set_alternate(interface: u8, alternate: u8) -> Self {
        Self {
            request_type: 0x01,
            request: 11,
            value: alternate as u16,
            index: interface as u16,
        }
    }
}

/// The data stage of a control request.
#[derive(Debug, Clone, Copy)]
pub enum Stage<'a> {
    /// Host to device, possibly empty.
    Out(&'a [u8]),
    /// Device to host, at most so many bytes.
    In(u16),
}

/// One completed IN transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// What came; zero bytes is a value (a zero-length packet).
    pub bytes: Vec<u8>,
    /// Ended by a short packet, as opposed to a full buffer.
    pub short: bool,
}

impl Transfer {
    /// Keeps the first `max` bytes; what is behind them is given back, to be the
    /// next transfer.
    fn split(&mut self, max: usize) -> Option<Self> {
        if self.bytes.len() <= max {
            return None;
        }
        let rest = Self {
            bytes: self.bytes.split_off(max),
            short: self.short,
        };
        self.short = false;
        Some(rest)
    }
}

/// An endpoint as its descriptor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointInfo {
    /// bEndpointAddress, direction bit included.
    pub address: u8,
    /// Transfer type: 1 isochronous, 2 bulk, 3 interrupt.
    pub kind: u8,
    /// wMaxPacketSize.
    pub max_packet: u16,
    /// bInterval.
    pub interval: u8,
}

impl EndpointInfo {
    /// Whether it is an IN endpoint.
    pub fn is_in(&self) -> bool {
        self.address & 0x80 != 0
    }
}

/// One alternate setting of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceInfo {
    /// bInterfaceNumber.
    pub number: u8,
    /// bAlternateSetting.
    pub alternate: u8,
    /// bInterfaceClass.
    pub class: u8,
    /// bInterfaceSubClass.
    pub subclass: u8,
    /// bInterfaceProtocol.
    pub protocol: u8,
    /// Endpoints in descriptor order.
    pub endpoints: Vec<EndpointInfo>,
    /// Class-specific descriptors that follow it (CCID, CDC), raw.
    pub extra: Vec<u8>,
}

/// A device as its descriptors say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Where it is plugged in, stable while it stays there (`1-2`, twin name).
    pub path: String,
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
    /// bcdDevice.
    pub release: u16,
    /// bDeviceClass.
    pub class: u8,
    /// iManufacturer text, if readable.
    pub manufacturer: String,
    /// iProduct text, if readable.
    pub name: String,
    /// iSerialNumber text, if any.
    pub serial: String,
    /// Interfaces of the active configuration.
    pub interfaces: Vec<InterfaceInfo>,
}

/// An opened device with its interfaces claimed.
///
/// `&self`, so that a driver may keep a read posted while it writes. Every call
/// ends within the time given. Dropping it releases the interfaces.
#[expect(
    async_fn_in_trait,
    reason = "used generically on one thread; futures need not be Send"
)]
pub trait Transport {
    /// The descriptors.
    fn info(&self) -> &DeviceInfo;
    /// One control request; the answer is what an IN stage returned.
    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError>;
    /// One OUT transfer; may accept fewer bytes (a timeout with a partial
    /// write): continue from there, never from 0. Empty `bytes` is a ZLP: only
    /// where the protocol asks for one.
    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError>;
    /// One IN transfer of at most `max` bytes.
    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError>;
    /// Cancels any posted read on an IN endpoint and waits until it is gone.
    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError>;
    /// Clears a halt, which lives in the device: only this, another setting of its
    /// interface or another configuration ends it, never closing and opening. For
    /// an IN endpoint only after [`Transport::stop_in`], refused otherwise: with a
    /// read pending libusb reports success while the kernel refuses.
    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError>;
    /// Selects an alternate setting of a claimed interface.
    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError>;
}

/// Where devices are found and opened.
#[expect(
    async_fn_in_trait,
    reason = "used generically on one thread; futures need not be Send"
)]
pub trait Bus {
    /// What opening gives.
    type Transport: Transport + 'static;
    /// Every device on the bus now. No device is asked anything for it that the
    /// system does not know already.
    async fn list(&self) -> Result<Vec<DeviceInfo>, UsbError>;
    /// Whether something is still plugged in at `path`; asks no device anything.
    async fn present(&self, path: &str) -> Result<bool, UsbError>;
    /// Opens the device at `path` and claims what a driver here may use of it.
    async fn open(&self, path: &str) -> Result<Self::Transport, UsbError>;
}

/// A bus that is shared, with whoever records it.
impl<B: Bus> Bus for Rc<B> {
    type Transport = B::Transport;

    async fn list(&self) -> Result<Vec<DeviceInfo>, UsbError> {
        (**self).list().await
    }

    async fn present(&self, path: &str) -> Result<bool, UsbError> {
        (**self).present(path).await
    }

    async fn open(&self, path: &str) -> Result<Self::Transport, UsbError> {
        (**self).open(path).await
    }
}
