//! A device for tests whose every transfer is what the test says. An IN endpoint
//! must be stopped before its halt is cleared.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::transport::{
    DeviceInfo, EndpointInfo, InterfaceInfo, Setup, Stage, Transfer, Transport, UsbError,
};

/// What the driver does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Call<'a> {
    Write(u8, &'a [u8]),
    Read(u8, usize),
}

/// What comes of it.
pub(crate) enum Gives {
    /// A write: so many bytes taken.
    Took(usize),
    /// A read.
    Bytes(Vec<u8>),
    /// At once.
    Fails(UsbError),
    /// A timeout after the time given.
    Silence,
}

type Act = Box<dyn FnMut(Call<'_>) -> Gives>;

pub(crate) struct Puppet {
    info: DeviceInfo,
    act: RefCell<Act>,
    stopped: Cell<u8>,
}

impl Puppet {
    pub(crate) fn new(
        endpoints: Vec<EndpointInfo>,
        act: impl FnMut(Call<'_>) -> Gives + 'static,
    ) -> Self {
        let interface = InterfaceInfo {
            number: 0,
            alternate: 0,
            class: 0xff,
            subclass: 0x50,
            protocol: 0x01,
            endpoints,
            extra: Vec::new(),
        };
        Self {
            info: DeviceInfo {
                path: "puppet".into(),
                vendor: 0x1209,
                product: 1,
                release: 0,
                class: 0,
                manufacturer: String::new(),
                name: String::new(),
                serial: String::new(),
                interfaces: vec![interface],
            },
            act: RefCell::new(Box::new(act)),
            stopped: Cell::new(0),
        }
    }

    async fn done(&self, call: Call<'_>, within: Duration) -> Result<(usize, Vec<u8>), UsbError> {
        let gives = (self.act.borrow_mut())(call);
        match gives {
            Gives::Took(count) => Ok((count, Vec::new())),
            Gives::Bytes(bytes) => Ok((bytes.len(), bytes)),
            Gives::Fails(error) => Err(error),
            Gives::Silence => {
                tokio::time::sleep(within).await;
                Err(UsbError::Timeout)
            }
        }
    }
}

/// A bulk (2) or interrupt (3) endpoint.
pub(crate) fn end(address: u8, kind: u8) -> EndpointInfo {
    EndpointInfo {
        address,
        kind,
        max_packet: 64,
        interval: 0,
    }
}

impl Transport for Puppet {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }
    async fn control(&self, _: Setup, _: Stage<'_>, _: Duration) -> Result<Vec<u8>, UsbError> {
        Err(UsbError::Stall)
    }
    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        let done = self.done(Call::Write(endpoint, bytes), within).await;
        done.map(|(count, _)| count)
    }
    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        let (_, bytes) = self.done(Call::Read(endpoint, max), within).await?;
        assert!(bytes.len() <= max, "the test gives more than was asked for");
        Ok(Transfer {
            short: bytes.len() < max,
            bytes,
        })
    }
    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        self.stopped.set(endpoint);
        Ok(())
    }
    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        let stopped = endpoint & 0x80 == 0 || self.stopped.get() == endpoint;
        assert!(stopped, "a halt of {endpoint:02x} is cleared under a read");
        Ok(())
    }
    async fn set_alternate(&self, _: u8, _: u8) -> Result<(), UsbError> {
        Ok(())
    }
}
