//! One plugged-in twin: what a host controller does between driver and device.
//!
//! Owns retries of NAKed transfers, the halt of a stalled endpoint, the order of
//! transfers on one endpoint (first come, first served) and the end of all of
//! them when the device goes. A transfer waits for a change of the twin (any
//! transfer or desk act) or for the moment the twin says it changes by itself.

mod fault;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use tokio::sync::{Mutex, Notify};

use self::fault::Faults;
use super::super::descriptor;
use super::super::{DeviceInfo, Setup, Stage, TRANSFER_MAX, Transfer, UsbError};
use crate::twin::{ControlReply, DeskError, InReply, OutReply, Twin};

/// Shortest wait between two tries of a NAKed transfer: one frame of full speed.
const FRAME: Duration = Duration::from_millis(1);
const CLEAR_FEATURE: u8 = 1;
const SET_FEATURE: u8 = 3;
const SET_CONFIGURATION: u8 = 9;
const SET_INTERFACE: u8 = 11;
const TO_DEVICE: u8 = 0x00;
const TO_INTERFACE: u8 = 0x01;
const TO_ENDPOINT: u8 = 0x02;

pub(super) struct Port {
    name: String,
    clock: SharedClock,
    twin: Rc<RefCell<dyn Twin>>,
    info: DeviceInfo,
    plugged: Cell<bool>,
    open: Cell<bool>,
    /// Number of the newest opening; transfers of an older one are dead.
    opening: Cell<u64>,
    changed: Notify,
    /// Lives in the device: opening and closing do not end it.
    halted: RefCell<BTreeSet<u8>>,
    /// Reads waiting on each IN endpoint.
    posted: RefCell<BTreeMap<u8, u32>>,
    stops: RefCell<BTreeMap<u8, u64>>,
    queues: RefCell<BTreeMap<u8, Rc<Mutex<()>>>>,
    /// What hands do to the cable.
    faults: RefCell<Faults>,
}

impl Port {
    pub(super) fn new(name: &str, twin: Rc<RefCell<dyn Twin>>, clock: SharedClock) -> Self {
        let mut info = twin.borrow().info();
        name.clone_into(&mut info.path);
        Self {
            name: name.to_owned(),
            clock,
            twin,
            faults: RefCell::new(Faults::of(&info)),
            info,
            plugged: Cell::new(true),
            open: Cell::new(false),
            opening: Cell::new(0),
            changed: Notify::new(),
            halted: RefCell::default(),
            posted: RefCell::default(),
            stops: RefCell::default(),
            queues: RefCell::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn info(&self) -> &DeviceInfo {
        &self.info
    }

    pub(super) fn is_plugged(&self) -> bool {
        self.plugged.get()
    }

    pub(super) fn open(&self) -> Result<u64, UsbError> {
        if !self.plugged.get() {
            return Err(UsbError::NoDevice);
        }
        if self.open.get() {
            return Err(UsbError::Busy("another program".into()));
        }
        self.open.set(true);
        self.opening.set(self.opening.get().saturating_add(1));
        Ok(self.opening.get())
    }

    pub(super) fn close(&self, opening: u64) {
        if self.open.get() && self.opening.get() == opening {
            self.host_gone();
        }
    }

    pub(super) fn host_gone(&self) {
        if self.open.replace(false) {
            self.twin.borrow_mut().host_gone(self.clock.monotonic());
            self.faults.borrow_mut().host_gone();
            self.changed.notify_waiters();
        }
    }

    pub(super) fn pull(&self) -> bool {
        let was = self.plugged.replace(false);
        self.host_gone();
        was
    }

    pub(super) fn put_back(&self) -> bool {
        self.halted.borrow_mut().clear();
        !self.plugged.replace(true)
    }

    /// The device stalls an endpoint from now on.
    pub(super) fn halt(&self, endpoint: u8) {
        self.halted.borrow_mut().insert(endpoint);
        self.changed.notify_waiters();
    }

    /// A verb of the cable, else of the twin; a verb of neither is refused with the
    /// words of both.
    pub(super) fn desk(&self, verb: &str) -> Result<String, DeskError> {
        let now = self.clock.monotonic();
        let of_cable = self.faults.borrow_mut().act(now, verb);
        let answer = of_cable.unwrap_or_else(|| {
            let of_twin = self.twin.borrow_mut().desk(now, verb);
            let Err(refused) = of_twin else {
                return of_twin;
            };
            if let Some(left) = self.faults.borrow_mut().leave(verb) {
                return left;
            }
            let unknown = self.twin.borrow_mut().desk(now, "?").err();
            if unknown.as_ref() == Some(&refused) {
                let words = fault::VERBS;
                return Err(DeskError(format!("{refused}, {words}")));
            }
            Err(refused)
        });
        self.changed.notify_waiters();
        answer
    }

    pub(super) fn look(&self) -> Vec<String> {
        let mut lines = self.twin.borrow().look();
        if !self.plugged.get() {
            lines.insert(0, "unplugged".into());
        }
        lines
    }

    pub(super) fn counters(&self) -> Vec<(&'static str, u64)> {
        self.twin.borrow().counters()
    }

    pub(super) fn stop_in(&self, opening: u64, endpoint: u8) -> Result<(), UsbError> {
        self.alive(opening)?;
        let mut stops = self.stops.borrow_mut();
        let count = stops.entry(endpoint).or_default();
        *count = count.saturating_add(1);
        self.changed.notify_waiters();
        Ok(())
    }

    pub(super) fn clear_halt(&self, opening: u64, endpoint: u8) -> Result<(), UsbError> {
        self.alive(opening)?;
        if self.posted.borrow().get(&endpoint).is_some_and(|n| *n > 0) {
            return Err(UsbError::read_posted());
        }
        self.halted.borrow_mut().remove(&endpoint);
        Ok(())
    }

    /// Standard requests that begin or end halts.
    fn unhalt(&self, setup: Setup) {
        let [low, _] = setup.index.to_le_bytes();
        let mut halted = self.halted.borrow_mut();
        match (setup.request_type, setup.request) {
            (TO_ENDPOINT, CLEAR_FEATURE) => drop(halted.remove(&low)),
            (TO_ENDPOINT, SET_FEATURE) => drop(halted.insert(low)),
            (TO_DEVICE, SET_CONFIGURATION) => halted.clear(),
            (TO_INTERFACE, SET_INTERFACE) => {
                let all = self.info.interfaces.iter();
                for interface in all.filter(|i| i.number == low) {
                    halted.retain(|at| interface.endpoints.iter().all(|e| e.address != *at));
                }
            }
            _ => {}
        }
    }

    pub(super) async fn control(
        &self,
        opening: u64,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        let (out, len) = match stage {
            Stage::Out(bytes) => (bytes, 0),
            Stage::In(len) => (&[][..], len),
        };
        self.unhalt(setup);
        self.attempt(opening, 0, within, |twin, now| {
            let reply = descriptor::answer_standard(&self.info, setup, len)
                .unwrap_or_else(|| twin.control(now, setup, out, len));
            match reply {
                ControlReply::Data(bytes) if bytes.len() > usize::from(len) => {
                    Some(Err(UsbError::Overflow))
                }
                ControlReply::Data(bytes) => Some(Ok(bytes)),
                ControlReply::Stall => Some(Err(UsbError::Stall)),
                ControlReply::Nak => None,
            }
        })
        .await
    }

    pub(super) async fn write(
        &self,
        opening: u64,
        endpoint: u8,
        bytes: &[u8],
        within: Duration,
        moved: &Cell<usize>,
    ) -> Result<(), UsbError> {
        self.attempt(opening, endpoint, within, |twin, now| {
            if self.faults.borrow().naks(now) {
                return None;
            }
            loop {
                let rest = bytes.get(moved.get()..).unwrap_or_default();
                let through = self.faults.borrow().let_out(rest);
                match twin.out(now, endpoint, through) {
                    OutReply::Took(count) => {
                        let count = count.min(through.len());
                        moved.set(moved.get().saturating_add(count));
                        self.faults.borrow_mut().went_out(count);
                        if count == rest.len() || self.faults.borrow().is_cut() {
                            return Some(Ok(()));
                        }
                        if count == 0 {
                            return None;
                        }
                    }
                    OutReply::Nak => return None,
                    OutReply::Stall => {
                        self.halted.borrow_mut().insert(endpoint);
                        return Some(Err(UsbError::Stall));
                    }
                }
            }
        })
        .await
    }

    pub(super) async fn read(
        &self,
        opening: u64,
        endpoint: u8,
        max: usize,
        within: Duration,
    ) -> Result<Transfer, UsbError> {
        let max = max.min(TRANSFER_MAX);
        let _posted = Posted::on(&self.posted, endpoint);
        self.attempt(opening, endpoint, within, |twin, now| {
            let mut faults = self.faults.borrow_mut();
            match faults.poll_in(twin, now, endpoint, max) {
                InReply::Data(bytes) if bytes.len() > max => Some(Err(UsbError::Overflow)),
                InReply::Data(bytes) => Some(Ok(Transfer {
                    short: bytes.len() < max,
                    bytes,
                })),
                InReply::Nak => None,
                InReply::Stall => {
                    self.halted.borrow_mut().insert(endpoint);
                    Some(Err(UsbError::Stall))
                }
            }
        })
        .await
    }

    /// Tries `once` until it gives something, `within` is over, the endpoint is
    /// stopped or halted, or the device is gone.
    async fn attempt<T>(
        &self,
        opening: u64,
        endpoint: u8,
        within: Duration,
        mut once: impl FnMut(&mut dyn Twin, Duration) -> Option<Result<T, UsbError>>,
    ) -> Result<T, UsbError> {
        let deadline = self.clock.monotonic().saturating_add(within);
        let stops = self.stops_of(endpoint);
        let queue = self.queue(endpoint);
        let _turn = tokio::select! {
            biased;
            turn = queue.lock() => turn,
            () = self.clock.sleep(within) => return Err(UsbError::Timeout),
        };
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            self.alive(opening)?;
            if self.stops_of(endpoint) != stops {
                return Err(UsbError::Timeout);
            }
            if self.halted.borrow().contains(&endpoint) {
                return Err(UsbError::Stall);
            }
            let now = self.clock.monotonic();
            let (done, wakes_at) = {
                let mut twin = self.twin.borrow_mut();
                (once(&mut *twin, now), twin.wakes_at())
            };
            if self.faults.borrow_mut().takes_cut() {
                self.pull();
                return Err(UsbError::NoDevice);
            }
            if let Some(done) = done {
                self.changed.notify_waiters();
                return done;
            }
            if now >= deadline {
                return Err(UsbError::Timeout);
            }
            let held = self.faults.borrow().wakes_at(now, endpoint);
            let wakes_at = wakes_at.into_iter().chain(held).min();
            let wake = wakes_at.map_or(deadline, |at| at.max(now.saturating_add(FRAME)));
            tokio::select! {
                biased;
                () = changed => {}
                () = self.clock.sleep(wake.min(deadline).saturating_sub(now)) => {}
            }
        }
    }

    pub(super) async fn gone(&self, opening: u64) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.alive(opening).is_err() {
                return;
            }
            changed.await;
        }
    }

    fn alive(&self, opening: u64) -> Result<(), UsbError> {
        let alive = self.plugged.get() && self.open.get() && self.opening.get() == opening;
        alive.then_some(()).ok_or(UsbError::NoDevice)
    }

    fn stops_of(&self, endpoint: u8) -> u64 {
        self.stops.borrow().get(&endpoint).copied().unwrap_or(0)
    }

    fn queue(&self, endpoint: u8) -> Rc<Mutex<()>> {
        Rc::clone(self.queues.borrow_mut().entry(endpoint).or_default())
    }
}

/// Counts a read for as long as it waits.
struct Posted<'a> {
    all: &'a RefCell<BTreeMap<u8, u32>>,
    endpoint: u8,
}

impl<'a> Posted<'a> {
    fn on(all: &'a RefCell<BTreeMap<u8, u32>>, endpoint: u8) -> Self {
        let mut reads = all.borrow_mut();
        let count = reads.entry(endpoint).or_default();
        *count = count.saturating_add(1);
        Self { all, endpoint }
    }
}

impl Drop for Posted<'_> {
    fn drop(&mut self) {
        let mut reads = self.all.borrow_mut();
        let count = reads.entry(self.endpoint).or_default();
        *count = count.saturating_sub(1);
    }
}
