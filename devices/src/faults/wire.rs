//! A cable that does as it is told once: a [`Transport`] around a twin's, which
//! counts what passes and lets one planned fault strike at one byte.
//!
//! What is late stays in the device when the driver lets go: it comes to whoever
//! opens the device next. A pulled cable empties it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use tokio::sync::Notify;

use super::plan::{A_BIT, Fault, Plan, Stream, TOO_LONG, Way};
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::transport::{DeviceInfo, Setup, Stage, Transfer, Transport, UsbError};

/// Calls that no session needs; a driver that makes more is running in a circle.
const CALLS_MAX: u64 = 200_000;

/// Something on its way from the device.
struct Held {
    due: Duration,
    /// Packets of it that are there before that.
    ready: Vec<u8>,
    what: Result<Transfer, UsbError>,
}

/// What outlives one opening of the device.
pub struct Wire {
    bus: TwinBus,
    clock: SharedClock,
    name: String,
    plan: Cell<Option<Plan>>,
    struck: Cell<bool>,
    calls: Cell<u64>,
    streams: RefCell<BTreeMap<Way, Stream>>,
    held: RefCell<BTreeMap<u8, VecDeque<Held>>>,
    last: RefCell<BTreeMap<u8, Transfer>>,
    deaf_until: Cell<Duration>,
    stopped: Notify,
}

impl Wire {
    pub fn new(bus: TwinBus, clock: SharedClock, name: &str, plan: Option<Plan>) -> Rc<Self> {
        Rc::new(Self {
            bus,
            clock,
            name: name.to_owned(),
            plan: Cell::new(plan),
            struck: Cell::new(false),
            calls: Cell::new(0),
            streams: RefCell::default(),
            held: RefCell::default(),
            last: RefCell::default(),
            deaf_until: Cell::new(Duration::ZERO),
            stopped: Notify::new(),
        })
    }

    /// Opens the device.
    pub fn open(self: &Rc<Self>) -> Result<Cable, UsbError> {
        let inner = self.bus.open_now(&self.name)?;
        for queue in self.held.borrow_mut().values_mut() {
            queue.retain(|held| held.what.is_ok());
        }
        Ok(Cable {
            inner,
            wire: Rc::clone(self),
        })
    }

    /// The fault that has struck.
    pub fn struck_by(&self) -> Option<Fault> {
        let plan = self.plan.get().filter(|_| self.struck.get());
        plan.map(|plan| plan.fault)
    }

    pub fn stream(&self, way: Way) -> Stream {
        let streams = self.streams.borrow();
        streams.get(&way).cloned().unwrap_or_default()
    }

    fn call(&self) {
        self.calls.set(self.calls.get() + 1);
        assert!(self.calls.get() < CALLS_MAX, "the driver runs in a circle");
    }

    /// Counts `len` bytes; the fault and where among them it strikes, if it does.
    fn pass(&self, way: Way, len: usize) -> Option<(Fault, usize)> {
        let mut streams = self.streams.borrow_mut();
        let stream = streams.entry(way).or_default();
        let from = stream.len;
        let strikes = self.plan.get().filter(|plan| {
            !self.struck.get() && plan.way == way && (from..from + len).contains(&plan.at)
        });
        stream.starts.push(from);
        stream.len += len;
        self.struck.set(self.struck.get() || strikes.is_some());
        strikes.map(|plan| (plan.fault, plan.at - from))
    }

    fn pull(&self) {
        self.bus.unplug(&self.name);
        self.held.borrow_mut().clear();
    }

    fn halt(&self, endpoint: u8) {
        let said = self.bus.desk(&format!("{} halt {endpoint:02x}", self.name));
        said.expect("every twin can halt");
    }
}

/// One opening of the device.
pub struct Cable {
    inner: TwinTransport,
    wire: Rc<Wire>,
}

impl Cable {
    fn now(&self) -> Duration {
        self.wire.clock.monotonic()
    }

    /// What becomes of a transfer, in order of arrival.
    fn arrive(&self, endpoint: u8, transfer: Transfer) -> Vec<Held> {
        let now = self.now();
        let held = |due, what| Held {
            due,
            ready: Vec::new(),
            what,
        };
        let Some((fault, at)) = self.wire.pass(Way::In, transfer.bytes.len()) else {
            let mut last = self.wire.last.borrow_mut();
            last.insert(endpoint, transfer.clone());
            return vec![held(now, Ok(transfer))];
        };
        let piece = |bytes: &[u8], short| Transfer {
            bytes: bytes.to_vec(),
            short,
        };
        let (front, rest) = transfer.bytes.split_at(at);
        let late = match fault {
            Fault::LateABit => A_BIT,
            Fault::LateTooLong => TOO_LONG,
            _ => Duration::ZERO,
        };
        if !late.is_zero() && at.is_multiple_of(self.packet(endpoint)) {
            let ready = front.to_vec();
            let what = Ok(piece(rest, transfer.short));
            let due = now + late;
            return vec![Held { due, ready, what }];
        }
        let mut came = Vec::new();
        if at > 0 {
            came.push(held(now, Ok(piece(front, true))));
        }
        let rest = Ok(piece(rest, transfer.short));
        let mut whole = transfer.bytes.clone();
        match fault {
            Fault::Cut => {
                self.wire.pull();
                came.push(held(now, Err(UsbError::NoDevice)));
                return came;
            }
            Fault::Stall => {
                self.wire.halt(endpoint);
                came.push(held(now, Err(UsbError::Stall)));
                return came;
            }
            Fault::Pieces => {
                came.push(held(now, rest));
                return came;
            }
            Fault::Empty => {
                came.push(held(now, Ok(piece(&[], true))));
                came.push(held(now, rest));
                return came;
            }
            Fault::LateABit | Fault::LateTooLong => {
                came.push(held(now + late, rest));
                return came;
            }
            Fault::Overflow => return vec![held(now, Err(UsbError::Overflow))],
            Fault::Again => {
                let before = self.wire.last.borrow().get(&endpoint).cloned();
                let before = before.into_iter().map(|before| held(now, Ok(before)));
                return before.chain([held(now, Ok(transfer))]).collect();
            }
            Fault::FlipBit => whole[at] ^= 1 << (at % 8),
            Fault::Invert => whole[at] ^= 0xff,
            Fault::Lost => drop(whole.remove(at)),
            Fault::Doubled => whole.insert(at, whole[at]),
            Fault::Swallowed | Fault::Truncated => panic!("{fault:?} is not of this way"),
        }
        vec![held(now, Ok(piece(&whole, transfer.short)))]
    }

    /// A control request that fails; where a bit is to be wrong, none does: those of
    /// the SETUP packet are guarded by the bus.
    async fn refuse(&self, fault: Fault, within: Duration) -> Result<(), UsbError> {
        match fault {
            Fault::Cut => {
                self.wire.pull();
                Err(UsbError::NoDevice)
            }
            Fault::LateTooLong => {
                self.wire.clock.sleep(within).await;
                Err(UsbError::Timeout)
            }
            Fault::Stall => Err(UsbError::Stall),
            _ => Ok(()),
        }
    }

    /// Bytes in a packet of an endpoint.
    fn packet(&self, endpoint: u8) -> usize {
        let ends = self.info().interfaces.iter().flat_map(|i| &i.endpoints);
        let mut ends = ends.filter(|end| end.address == endpoint);
        ends.next().map_or(64, |end| usize::from(end.max_packet))
    }

    /// The next thing that has arrived, or what of it is there when the time for
    /// reading is `over`; else when the next one will.
    fn next(
        &self,
        endpoint: u8,
        max: usize,
        over: bool,
    ) -> Result<Result<Transfer, UsbError>, Option<Duration>> {
        let mut all = self.wire.held.borrow_mut();
        let queue = all.entry(endpoint).or_default();
        let first = queue.front_mut().ok_or(None)?;
        if first.due > self.now() {
            if !over || first.ready.is_empty() {
                return Err(Some(first.due));
            }
            let bytes = std::mem::take(&mut first.ready);
            let short = false;
            return Ok(Ok(Transfer { bytes, short }));
        }
        let first = queue.pop_front().ok_or(None)?;
        let Ok(rest) = first.what else {
            return Ok(first.what);
        };
        let mut transfer = Transfer {
            bytes: [first.ready, rest.bytes].concat(),
            short: rest.short,
        };
        if transfer.bytes.len() > max {
            let bytes = transfer.bytes.split_off(max);
            let short = std::mem::take(&mut transfer.short);
            queue.push_front(Held {
                due: first.due,
                ready: Vec::new(),
                what: Ok(Transfer { bytes, short }),
            });
        }
        Ok(Ok(transfer))
    }
}

impl Transport for Cable {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }

    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        self.wire.call();
        if let Some((fault, _)) = self.wire.pass(Way::Control, 1) {
            self.refuse(fault, within).await?;
        }
        let mut answer = self.inner.control(setup, stage, within).await?;
        if !matches!(stage, Stage::In(_)) {
            return Ok(answer);
        }
        if let Some((fault, at)) = self.wire.pass(Way::Control, answer.len()) {
            self.refuse(fault, within).await?;
            match fault {
                Fault::Truncated => answer.truncate(at),
                _ => answer[at] ^= 1 << (at % 8),
            }
        }
        Ok(answer)
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        self.wire.call();
        let deaf = self.wire.deaf_until.get().saturating_sub(self.now());
        if !deaf.is_zero() {
            self.wire.clock.sleep(deaf.min(within)).await;
            if deaf > within {
                return Err(UsbError::Timeout);
            }
        }
        let within = within.saturating_sub(deaf);
        let Some((fault, at)) = self.wire.pass(Way::Out, bytes.len()) else {
            return self.inner.write(endpoint, bytes, within).await;
        };
        // A packet is taken whole or not at all; what becomes of it then is the device's.
        let whole = at - at % self.packet(endpoint);
        let passed = if fault == Fault::Swallowed { at } else { whole };
        let mut front = 0;
        if passed > 0 {
            front = self.inner.write(endpoint, &bytes[..passed], within).await?;
        }
        let short = || {
            if front == 0 {
                Err(UsbError::Timeout)
            } else {
                Ok(front)
            }
        };
        match fault {
            Fault::Cut => {
                self.wire.pull();
                Err(UsbError::NoDevice)
            }
            Fault::Stall => {
                self.wire.halt(endpoint);
                Err(UsbError::Stall)
            }
            Fault::Pieces => Ok(front),
            Fault::LateABit if within > A_BIT => {
                self.wire.clock.sleep(A_BIT).await;
                let rest = &bytes[front..];
                let taken = self.inner.write(endpoint, rest, within - A_BIT).await?;
                Ok(front + taken)
            }
            Fault::LateABit | Fault::LateTooLong => {
                let pause = if fault == Fault::LateABit {
                    A_BIT
                } else {
                    TOO_LONG
                };
                self.wire.deaf_until.set(self.now() + pause);
                self.wire.clock.sleep(within).await;
                short()
            }
            Fault::Swallowed => Ok(bytes.len()),
            fault => panic!("{fault:?} is not of this way"),
        }
    }

    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        self.wire.call();
        let deadline = self.now() + within;
        loop {
            let stopped = self.wire.stopped.notified();
            let left = deadline.saturating_sub(self.now());
            let due = match self.next(endpoint, max, left.is_zero()) {
                Ok(came) => return came,
                Err(due) => due,
            };
            if let Some(due) = due {
                if left.is_zero() {
                    return Err(UsbError::Timeout);
                }
                let wait = due.saturating_sub(self.now()).min(left);
                tokio::select! {
                    () = self.wire.clock.sleep(wait) => continue,
                    () = stopped => return Err(UsbError::Timeout),
                }
            }
            let transfer = self.inner.read(endpoint, max, left).await?;
            let came = self.arrive(endpoint, transfer);
            let mut held = self.wire.held.borrow_mut();
            held.entry(endpoint).or_default().extend(came);
        }
    }

    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        self.wire.stopped.notify_waiters();
        self.inner.stop_in(endpoint).await
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        self.inner.clear_halt(endpoint).await
    }

    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError> {
        self.inner.set_alternate(interface, alternate).await
    }
}
