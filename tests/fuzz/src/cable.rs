//! A bad cable between a driver and a twin, its faults taken off the fuzzer's input; or
//! no twin at all, and the input is all that is ever answered.

use std::cell::RefCell;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use counterfoil_devices::transport::twin_bus::TwinTransport;
use counterfoil_devices::transport::{DeviceInfo, Setup, Stage, Transfer, Transport, UsbError};

use crate::Bytes;

/// Transfers of one input at most; a driver that asks for more never ends.
const TRANSFERS_MAX: u32 = 50_000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Transfers fail, stall or come short; none is altered.
    Loses,
    /// Bytes are altered, too.
    Alters,
    /// The twin is never asked.
    Stranger,
}

/// The transport.
pub struct Cable<'a> {
    inner: TwinTransport,
    clock: SharedClock,
    fault: Fault,
    rest: RefCell<(Bytes<'a>, u32)>,
}

/// What happens to one transfer.
enum Fate {
    Passes,
    Fails(UsbError),
    Short(usize),
    Altered(usize, u8),
    Answers(Vec<u8>),
}

impl<'a> Cable<'a> {
    /// Between a driver and `inner`.
    pub fn new(inner: TwinTransport, clock: SharedClock, fault: Fault, from: Bytes<'a>) -> Self {
        Self {
            inner,
            clock,
            fault,
            rest: RefCell::new((from, 0)),
        }
    }

    fn fate(&self, reads: bool) -> Fate {
        let mut rest = self.rest.borrow_mut();
        rest.1 += 1;
        assert!(rest.1 < TRANSFERS_MAX, "the driver asks without end");
        let from = &mut rest.0;
        if self.fault == Fault::Stranger {
            return match (reads, from.0.is_empty()) {
                (_, true) => Fate::Fails(UsbError::Timeout),
                (true, _) => Fate::Answers(from.some().to_vec()),
                (false, _) => Fate::Passes,
            };
        }
        let alters = self.fault == Fault::Alters;
        match from.byte() {
            0xe0..=0xe7 => Fate::Fails(UsbError::Timeout),
            0xe8..=0xeb => Fate::Fails(UsbError::Stall),
            0xec => Fate::Fails(UsbError::NoDevice),
            0xed => Fate::Fails(UsbError::Overflow),
            0xee..=0xef => Fate::Short(usize::from(from.byte())),
            0xf0..=0xf7 if alters => Fate::Altered(usize::from(from.byte()), from.byte()),
            0xf8.. if alters && reads => Fate::Answers(from.some().to_vec()),
            _ => Fate::Passes,
        }
    }

    async fn failed<T>(&self, error: UsbError, within: Duration) -> Result<T, UsbError> {
        if error == UsbError::Timeout {
            self.clock.sleep(within).await;
        }
        Err(error)
    }
}

fn alter(bytes: &mut [u8], at: usize, by: u8) {
    let length = bytes.len().max(1);
    if let Some(byte) = bytes.get_mut(at % length) {
        *byte ^= by;
    }
}

impl Transport for Cable<'_> {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }

    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        let most = match stage {
            Stage::Out(_) => 0,
            Stage::In(most) => usize::from(most),
        };
        match self.fate(most > 0) {
            Fate::Fails(error) => self.failed(error, within).await,
            Fate::Answers(mut bytes) => {
                bytes.truncate(most);
                Ok(bytes)
            }
            Fate::Passes if self.fault == Fault::Stranger => Ok(Vec::new()),
            Fate::Passes => self.inner.control(setup, stage, within).await,
            Fate::Short(length) => {
                let mut bytes = self.inner.control(setup, stage, within).await?;
                bytes.truncate(length);
                Ok(bytes)
            }
            Fate::Altered(at, by) => {
                let mut bytes = self.inner.control(setup, stage, within).await?;
                alter(&mut bytes, at, by);
                Ok(bytes)
            }
        }
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        match self.fate(false) {
            Fate::Fails(error) => self.failed(error, within).await,
            Fate::Passes | Fate::Answers(_) if self.fault == Fault::Stranger => Ok(bytes.len()),
            Fate::Short(length) => {
                let part = bytes.get(..length.max(1)).unwrap_or(bytes);
                self.inner.write(endpoint, part, within).await
            }
            Fate::Altered(at, by) => {
                let mut bytes = bytes.to_vec();
                alter(&mut bytes, at, by);
                self.inner.write(endpoint, &bytes, within).await
            }
            Fate::Passes | Fate::Answers(_) => self.inner.write(endpoint, bytes, within).await,
        }
    }

    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        match self.fate(true) {
            Fate::Fails(error) => self.failed(error, within).await,
            Fate::Answers(mut bytes) => {
                bytes.truncate(max);
                Ok(Transfer {
                    short: bytes.len() < max,
                    bytes,
                })
            }
            // A short read loses nothing: what is left comes with the next one.
            Fate::Short(length) => {
                let read = self
                    .inner
                    .read(endpoint, length.clamp(1, max), within)
                    .await?;
                Ok(Transfer {
                    short: false,
                    ..read
                })
            }
            Fate::Altered(at, by) => {
                let mut read = self.inner.read(endpoint, max, within).await?;
                alter(&mut read.bytes, at, by);
                Ok(read)
            }
            Fate::Passes => self.inner.read(endpoint, max, within).await,
        }
    }

    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        self.inner.stop_in(endpoint).await
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        self.inner.clear_halt(endpoint).await
    }

    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError> {
        self.inner.set_alternate(interface, alternate).await
    }
}
