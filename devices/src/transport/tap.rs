//! A tap on a bus: every transfer of an opened device becomes events of usbmon.
//!
//! Owns the numbers that devices get in a recording (bus 1, in the order in which they
//! are opened) and their descriptors, which come first, so that a reader of the file knows
//! what it looks at. They are what the host made of them: strings and facts that no driver
//! here asks for are left out. Changes nothing on the way, and never fails a transfer for
//! the sake of the recording. What a driver makes of the wall clock must be made of it
//! again at the replay: it stands still ([`StillClock`]), and the first event shows it.
//! Called by `counterfoil-devices capture` and by tests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::{Clock, Local, SharedClock};
use jiff::{SignedDuration, Timestamp};

use super::replay::entropy::RecordedEntropy;
use super::usbip::protocol::encode_setup;
use super::usbmon::writer::Writer;
use super::usbmon::{EINPROGRESS, Event, Kind, Pipe, status_of};
use super::{Bus, DeviceInfo, Setup, Stage, Transfer, Transport, UsbError, descriptor};

const BUS: u16 = 1;
const CONTROL_IN: u8 = 0x80;
const CONTROL_OUT: u8 = 0x00;
/// Interrupt endpoint in a descriptor.
const INTERRUPT: u8 = 3;

/// A clock whose wall time stands still, at a whole second, while its monotonic time goes
/// on.
pub struct StillClock {
    clock: SharedClock,
    wall: Timestamp,
}

impl StillClock {
    /// Stands at the time that `clock` shows now.
    pub fn on(clock: SharedClock) -> Self {
        let wall = Timestamp::from_second(clock.now().as_second());
        Self {
            wall: wall.unwrap_or(Timestamp::UNIX_EPOCH),
            clock,
        }
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        self.wall
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        self.clock.sleep(wait)
    }
}

/// Where events go.
struct Recorder {
    writer: Writer,
    clock: SharedClock,
    /// Monotonic time of the first event.
    began: Option<Duration>,
    /// Numbers of the devices, by path.
    numbers: BTreeMap<String, u8>,
    last_id: u64,
}

/// What a transfer is, apart from what it carries.
#[derive(Clone, Copy)]
struct Line {
    device: u8,
    pipe: Pipe,
    endpoint: u8,
    setup: Option<[u8; 8]>,
    /// Bytes asked for.
    asked: usize,
}

impl Recorder {
    fn tell(&mut self, id: u64, line: Line, kind: Kind, status: i32, moved: usize, data: &[u8]) {
        let now = self.clock.monotonic();
        let passed = now.saturating_sub(*self.began.get_or_insert(now));
        let wall = self.clock.now().as_duration().max(SignedDuration::ZERO);
        let wall = Duration::try_from(wall).unwrap_or_default();
        let event = Event {
            frame: 0,
            id,
            kind,
            pipe: line.pipe,
            endpoint: line.endpoint,
            device: line.device,
            bus: BUS,
            setup: line.setup.filter(|_| kind == Kind::Submit),
            at: wall.saturating_add(passed),
            status,
            length: u32::try_from(moved).unwrap_or(u32::MAX),
            data: data.to_vec(),
        };
        self.writer.add(&event);
    }

    fn submit(&mut self, line: Line, data: &[u8]) -> u64 {
        self.last_id = self.last_id.wrapping_add(1);
        let id = self.last_id;
        self.tell(id, line, Kind::Submit, EINPROGRESS, line.asked, data);
        id
    }

    /// What every host asks a new device.
    fn introduce(&mut self, device: u8, info: &DeviceInfo) {
        let mut answers = vec![
            (0x0100, 0, descriptor::device(info)),
            (0x0200, 0, descriptor::configuration(info)),
        ];
        for index in 0..=3 {
            let language = if index == 0 { 0 } else { 0x0409 };
            let text = descriptor::string(info, index);
            let of_text = text.map(|text| (0x0300 | u16::from(index), language, text));
            answers.extend(of_text);
        }
        for (value, index, answer) in answers {
            let setup = Setup {
                request_type: 0x80,
                request: 6,
                value,
                index,
            };
            let line = control_line(device, setup, answer.len(), true);
            let id = self.submit(line, &[]);
            self.tell(id, line, Kind::Complete, 0, answer.len(), &answer);
        }
    }
}

fn control_line(device: u8, setup: Setup, asked: usize, is_in: bool) -> Line {
    let length = u16::try_from(asked).unwrap_or(u16::MAX);
    Line {
        device,
        pipe: Pipe::Control,
        endpoint: if is_in { CONTROL_IN } else { CONTROL_OUT },
        setup: Some(encode_setup(setup, length)),
        asked,
    }
}

/// A bus whose opened devices are recorded.
pub struct TapBus<B> {
    bus: B,
    recorder: Rc<RefCell<Recorder>>,
    entropy: Rc<RecordedEntropy>,
}

impl<B: Bus> TapBus<B> {
    /// Records what happens on `bus` from now on. `clock` and `entropy` are those of the
    /// drivers.
    pub fn new(
        bus: B,
        writer: Writer,
        clock: Rc<StillClock>,
        entropy: Rc<RecordedEntropy>,
    ) -> Self {
        let recorder = Recorder {
            writer,
            clock,
            began: None,
            numbers: BTreeMap::new(),
            last_id: 0,
        };
        Self {
            bus,
            recorder: Rc::new(RefCell::new(recorder)),
            entropy,
        }
    }

    /// Ends the recording.
    pub fn end(&self) -> std::io::Result<super::usbmon::writer::Written> {
        self.recorder.borrow_mut().writer.end()
    }
}

impl<B: Bus> Bus for TapBus<B> {
    type Transport = Tap<B::Transport>;

    async fn list(&self) -> Result<Vec<DeviceInfo>, UsbError> {
        self.bus.list().await
    }

    async fn present(&self, path: &str) -> Result<bool, UsbError> {
        self.bus.present(path).await
    }

    async fn open(&self, path: &str) -> Result<Self::Transport, UsbError> {
        let inner = self.bus.open(path).await?;
        self.entropy.restart(&[]);
        let mut recorder = self.recorder.borrow_mut();
        let known = recorder.numbers.get(path).copied();
        let device = match known {
            Some(device) => device,
            None => {
                let count = u8::try_from(recorder.numbers.len()).unwrap_or(u8::MAX);
                let device = count.saturating_add(1);
                recorder.numbers.insert(path.to_owned(), device);
                recorder.introduce(device, inner.info());
                device
            }
        };
        Ok(Tap {
            inner,
            device,
            recorder: Rc::clone(&self.recorder),
        })
    }
}

/// An opened device that is recorded.
pub struct Tap<T> {
    inner: T,
    device: u8,
    recorder: Rc<RefCell<Recorder>>,
}

/// A submitted transfer. Dropped before it is over, it is recorded as cancelled.
struct Pending<'a> {
    recorder: &'a RefCell<Recorder>,
    line: Line,
    id: u64,
    is_over: bool,
}

impl Pending<'_> {
    fn over(mut self, status: i32, moved: usize, data: &[u8]) {
        self.is_over = true;
        let mut recorder = self.recorder.borrow_mut();
        recorder.tell(self.id, self.line, Kind::Complete, status, moved, data);
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let cancelled = status_of(&UsbError::Timeout);
            let mut recorder = self.recorder.borrow_mut();
            recorder.tell(self.id, self.line, Kind::Complete, cancelled, 0, &[]);
        }
    }
}

impl<T: Transport> Tap<T> {
    fn submit(&self, line: Line, data: &[u8]) -> Pending<'_> {
        Pending {
            recorder: &self.recorder,
            line,
            id: self.recorder.borrow_mut().submit(line, data),
            is_over: false,
        }
    }

    fn line(&self, endpoint: u8, asked: usize) -> Line {
        let interfaces = self.inner.info().interfaces.iter();
        let mut all = interfaces.flat_map(|i| &i.endpoints);
        let is_interrupt = all.any(|e| e.address == endpoint && e.kind == INTERRUPT);
        Line {
            device: self.device,
            pipe: if is_interrupt {
                Pipe::Interrupt
            } else {
                Pipe::Bulk
            },
            endpoint,
            setup: None,
            asked,
        }
    }

    /// A request that the transport makes by itself.
    async fn standard(
        &self,
        setup: Setup,
        work: impl Future<Output = Result<(), UsbError>>,
    ) -> Result<(), UsbError> {
        let pending = self.submit(control_line(self.device, setup, 0, false), &[]);
        let done = work.await;
        pending.over(done.as_ref().err().map_or(0, status_of), 0, &[]);
        done
    }
}

impl<T: Transport> Transport for Tap<T> {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }

    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        let (asked, out, is_in) = match stage {
            Stage::In(asked) => (usize::from(asked), &[][..], true),
            Stage::Out(out) => (out.len(), out, false),
        };
        let pending = self.submit(control_line(self.device, setup, asked, is_in), out);
        let done = self.inner.control(setup, stage, within).await;
        match &done {
            Ok(data) if is_in => pending.over(0, data.len(), data),
            Ok(_) => pending.over(0, asked, &[]),
            Err(error) => pending.over(status_of(error), 0, &[]),
        }
        done
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        let pending = self.submit(self.line(endpoint, bytes.len()), bytes);
        let done = self.inner.write(endpoint, bytes, within).await;
        match &done {
            Ok(taken) if *taken == bytes.len() => pending.over(0, *taken, &[]),
            Ok(taken) => pending.over(status_of(&UsbError::Timeout), *taken, &[]),
            Err(error) => pending.over(status_of(error), 0, &[]),
        }
        done
    }

    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        let pending = self.submit(self.line(endpoint, max), &[]);
        let done = self.inner.read(endpoint, max, within).await;
        match &done {
            Ok(Transfer { bytes, short }) => {
                let is_whole = *short || bytes.len() >= max;
                let cut_off = status_of(&UsbError::Timeout);
                let status = if is_whole { 0 } else { cut_off };
                pending.over(status, bytes.len(), bytes);
            }
            Err(error) => pending.over(status_of(error), 0, &[]),
        }
        done
    }

    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        self.inner.stop_in(endpoint).await
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        let setup = Setup::clear_halt(endpoint);
        self.standard(setup, self.inner.clear_halt(endpoint)).await
    }

    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError> {
        let setup = Setup::set_alternate(interface, alternate);
        let work = self.inner.set_alternate(interface, alternate);
        self.standard(setup, work).await
    }
}
