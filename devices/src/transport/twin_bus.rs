//! `TwinBus`: any set of twins as a USB bus, in process.
//!
//! Owns which twins are plugged in and who has opened them. Time comes from the
//! clock it is given: virtual in plays (a minute costs milliseconds and every
//! run of a seed is identical), real behind the USB/IP server. Refuses a second
//! opening of a device that is open, as the kernel does. Called by the testbed,
//! by `counterfoil-devices simulate` and by the drivers' tests.

mod port;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;

use self::port::Port;
use super::{Bus, DeviceInfo, Setup, Stage, Transfer, Transport, UsbError};
use crate::twin::keyboard::KeyboardTwin;
use crate::twin::{DeskError, Twin};

/// Twins on one bus at most.
pub const TWINS_MAX: usize = 32;

/// A bus of twins; clones share it.
#[derive(Clone)]
pub struct TwinBus {
    clock: SharedClock,
    ports: Rc<RefCell<BTreeMap<String, Rc<Port>>>>,
}

impl TwinBus {
    /// An empty bus.
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            ports: Rc::default(),
        }
    }

    /// Plugs `twin` in under `name`, which becomes its path; what was there
    /// before is unplugged. Beyond [`TWINS_MAX`] nothing is plugged in.
    pub fn plug(&self, name: &str, twin: Rc<RefCell<dyn Twin>>) {
        self.unplug(name);
        let mut ports = self.ports.borrow_mut();
        if ports.len() < TWINS_MAX {
            let port = Port::new(name, twin, Rc::clone(&self.clock));
            ports.insert(name.to_owned(), Rc::new(port));
        }
    }

    /// Pulls the cable: transfers end with [`UsbError::NoDevice`], the twin
    /// keeps its mechanics. Whether there was such a plugged twin.
    pub fn unplug(&self, name: &str) -> bool {
        self.port(name).is_some_and(|port| port.pull())
    }

    /// Puts the cable back in. Whether there was such an unplugged twin.
    pub fn replug(&self, name: &str) -> bool {
        self.port(name).is_some_and(|port| port.put_back())
    }

    /// One line of the desk: the twin's name, then its own vocabulary, or
    /// `unplug`, `replug`, `halt EE` (an endpoint's address in hex stalls until its
    /// halt is cleared) and the faults of its cable, which every twin has.
    /// `keyboard plug` brings a keyboard.
    pub fn desk(&self, line: &str) -> Result<String, DeskError> {
        let line = line.trim();
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if (name, rest.trim()) == ("keyboard", "plug") {
            // Nobody's device: it is not there before somebody brings it.
            self.plug(name, Rc::new(RefCell::new(KeyboardTwin)));
            return Ok("keyboard plugged in".to_owned());
        }
        let port = self.port(name).ok_or_else(|| {
            let known: Vec<String> = self.ports.borrow().keys().cloned().collect();
            DeskError(format!("no such device; there are {}", known.join(", ")))
        })?;
        match rest.trim() {
            "unplug" if self.unplug(name) => Ok(format!("{name} unplugged")),
            "replug" if self.replug(name) => Ok(format!("{name} plugged in")),
            "unplug" | "replug" => Err(DeskError(format!("{name} is already so"))),
            verb => match verb.strip_prefix("halt ") {
                Some(endpoint) => {
                    let endpoint = u8::from_str_radix(endpoint.trim(), 16)
                        .map_err(|_| DeskError("halt takes an endpoint, as in halt 82".into()))?;
                    port.halt(endpoint);
                    Ok(format!("{name} stalls endpoint {endpoint:02x}"))
                }
                None => port.desk(verb),
            },
        }
    }

    /// What lies where, one list of facts for each twin.
    pub fn look(&self) -> Vec<(String, Vec<String>)> {
        let ports = self.ports.borrow();
        ports
            .values()
            .map(|port| (port.name().to_owned(), port.look()))
            .collect()
    }

    /// What the twin counted, empty for an unknown name.
    pub fn counters(&self, name: &str) -> Vec<(&'static str, u64)> {
        self.port(name)
            .map(|port| port.counters())
            .unwrap_or_default()
    }

    /// One counter of one twin, 0 where there is none.
    pub fn counter(&self, name: &str, counter: &str) -> u64 {
        let counters = self.counters(name);
        counters
            .iter()
            .find(|(n, _)| *n == counter)
            .map_or(0, |(_, value)| *value)
    }

    /// The host lost power: every opened transport is dead, paper and mechanics
    /// stay as they are.
    pub fn host_gone(&self) {
        for port in self.ports.borrow().values() {
            port.host_gone();
        }
    }

    /// Opens `path` at once; [`Bus::open`] without the await.
    pub fn open_now(&self, path: &str) -> Result<TwinTransport, UsbError> {
        let port = self.port(path).ok_or(UsbError::NoDevice)?;
        let opening = port.open()?;
        Ok(TwinTransport { port, opening })
    }

    /// Every plugged-in device, by name.
    pub fn list_now(&self) -> Vec<DeviceInfo> {
        let ports = self.ports.borrow();
        ports
            .values()
            .filter(|port| port.is_plugged())
            .map(|port| port.info().clone())
            .collect()
    }

    fn port(&self, name: &str) -> Option<Rc<Port>> {
        self.ports.borrow().get(name).cloned()
    }
}

impl Bus for TwinBus {
    type Transport = TwinTransport;

    async fn list(&self) -> Result<Vec<DeviceInfo>, UsbError> {
        Ok(self.list_now())
    }

    async fn present(&self, path: &str) -> Result<bool, UsbError> {
        Ok(self.port(path).is_some_and(|port| port.is_plugged()))
    }

    async fn open(&self, path: &str) -> Result<TwinTransport, UsbError> {
        self.open_now(path)
    }
}

/// An opened twin. Dropping it is the host letting go.
pub struct TwinTransport {
    port: Rc<Port>,
    opening: u64,
}

impl TwinTransport {
    /// Completes when the device is unplugged.
    pub(crate) async fn gone(&self) {
        self.port.gone(self.opening).await;
    }

    /// A write that counts what has moved even when its future is dropped: the
    /// USB/IP server needs that for an unlinked transfer.
    pub(crate) async fn write_counting(
        &self,
        endpoint: u8,
        bytes: &[u8],
        within: Duration,
        moved: &Cell<usize>,
    ) -> Result<(), UsbError> {
        self.port
            .write(self.opening, endpoint, bytes, within, moved)
            .await
    }
}

impl Transport for TwinTransport {
    fn info(&self) -> &DeviceInfo {
        self.port.info()
    }

    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        self.port.control(self.opening, setup, stage, within).await
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        let moved = Cell::new(0);
        match self.write_counting(endpoint, bytes, within, &moved).await {
            Err(UsbError::Timeout) if moved.get() > 0 => Ok(moved.get()),
            Err(error) => Err(error),
            Ok(()) => Ok(moved.get()),
        }
    }

    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        self.port.read(self.opening, endpoint, max, within).await
    }

    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        self.port.stop_in(self.opening, endpoint)
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        self.port.clear_halt(self.opening, endpoint)
    }

    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError> {
        let setup = Setup::set_alternate(interface, alternate);
        let known = self.info().interfaces.iter();
        let mut known = known.filter(|i| i.number == interface && i.alternate == alternate);
        if known.next().is_none() {
            return Err(UsbError::Stall);
        }
        self.control(setup, Stage::Out(&[]), Duration::from_secs(1))
            .await
            .map(drop)
    }
}

impl Drop for TwinTransport {
    fn drop(&mut self) {
        self.port.close(self.opening);
    }
}

#[cfg(test)]
pub(crate) mod tests;
