//! The calls of a driver, to be made again without it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_devices::transport::twin_bus::TwinTransport;
use counterfoil_devices::transport::{DeviceInfo, Setup, Stage, Transfer, Transport, UsbError};

/// One call.
#[derive(Debug, Clone)]
pub enum Call {
    Control(Setup, Vec<u8>, Option<u16>, Duration),
    Write(u8, Vec<u8>, Duration),
    Read(u8, usize, Duration),
    StopIn(u8),
    ClearHalt(u8),
    SetAlternate(u8, u8),
}

impl Call {
    /// Makes it; what comes of it is nobody's business.
    pub async fn make(&self, usb: &impl Transport) {
        match self {
            Self::Control(setup, out, len, within) => {
                let stage = len.map_or(Stage::Out(out), Stage::In);
                drop(usb.control(*setup, stage, *within).await);
            }
            Self::Write(endpoint, bytes, within) => {
                drop(usb.write(*endpoint, bytes, *within).await);
            }
            Self::Read(endpoint, max, within) => drop(usb.read(*endpoint, *max, *within).await),
            Self::StopIn(endpoint) => drop(usb.stop_in(*endpoint).await),
            Self::ClearHalt(endpoint) => drop(usb.clear_halt(*endpoint).await),
            Self::SetAlternate(interface, alternate) => {
                drop(usb.set_alternate(*interface, *alternate).await);
            }
        }
    }
}

/// A log of calls.
pub type Log = Rc<RefCell<Vec<Call>>>;

/// A transport that writes down what is asked of it.
pub struct Recorded {
    inner: TwinTransport,
    log: Option<Log>,
}

impl Recorded {
    pub fn new(inner: TwinTransport) -> Self {
        Self {
            inner,
            log: Some(Log::default()),
        }
    }

    /// The same without a log, for a fair time.
    pub fn silent(inner: TwinTransport) -> Self {
        Self { inner, log: None }
    }

    pub fn log(&self) -> Log {
        self.log.clone().unwrap_or_default()
    }

    fn note(&self, call: impl FnOnce() -> Call) {
        if let Some(log) = &self.log {
            log.borrow_mut().push(call());
        }
    }
}

impl Transport for Recorded {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }

    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        self.note(|| match stage {
            Stage::Out(bytes) => Call::Control(setup, bytes.to_vec(), None, within),
            Stage::In(len) => Call::Control(setup, Vec::new(), Some(len), within),
        });
        self.inner.control(setup, stage, within).await
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        self.note(|| Call::Write(endpoint, bytes.to_vec(), within));
        self.inner.write(endpoint, bytes, within).await
    }

    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        self.note(|| Call::Read(endpoint, max, within));
        self.inner.read(endpoint, max, within).await
    }

    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        self.note(|| Call::StopIn(endpoint));
        self.inner.stop_in(endpoint).await
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        self.note(|| Call::ClearHalt(endpoint));
        self.inner.clear_halt(endpoint).await
    }

    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError> {
        self.note(|| Call::SetAlternate(interface, alternate));
        self.inner.set_alternate(interface, alternate).await
    }
}
