//! The link against a scripted printer: one that never stops talking, and one
//! whose pipes are halted.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;

use super::*;
use crate::driver::escpos::reply::Reply;
use crate::system::TokioClock;
use crate::transport::{DeviceInfo, Setup, Stage, Transfer, UsbError};
use crate::twin::printer_class::{IN, OUT};

const LONG: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// Answers GS a with a good status and nothing else, until told otherwise.
struct Scripted {
    info: DeviceInfo,
    clock: SharedClock,
    /// Says a real-time status every so often, for ever.
    chatter: Option<Duration>,
    answers: bool,
    replies: RefCell<Vec<u8>>,
    halted: RefCell<BTreeSet<u8>>,
    /// Halts it once more in front of the next transfer.
    halts_next: Cell<Option<u8>>,
    stays_halted: Cell<bool>,
    stalls: Cell<u32>,
    in_stopped: Cell<bool>,
    written: RefCell<Vec<u8>>,
}

impl Scripted {
    fn new(clock: &SharedClock) -> Self {
        Self {
            info: crate::twin::form_printer::IDENTITY.info(),
            clock: clock.clone(),
            chatter: None,
            answers: true,
            replies: RefCell::default(),
            halted: RefCell::default(),
            halts_next: Cell::new(None),
            stays_halted: Cell::new(false),
            stalls: Cell::new(0),
            in_stopped: Cell::new(false),
            written: RefCell::default(),
        }
    }

    fn stalls(&self, endpoint: u8) -> bool {
        if self.halts_next.get() == Some(endpoint) {
            self.halts_next.set(None);
            self.halted.borrow_mut().insert(endpoint);
        }
        let stalls = self.halted.borrow().contains(&endpoint);
        self.stalls.set(self.stalls.get() + u32::from(stalls));
        stalls
    }
}

impl Transport for Rc<Scripted> {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    async fn control(&self, _: Setup, _: Stage<'_>, _: Duration) -> Result<Vec<u8>, UsbError> {
        Ok(Vec::new())
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], _: Duration) -> Result<usize, UsbError> {
        if self.stalls(endpoint) {
            return Err(UsbError::Stall);
        }
        if self.answers && bytes.ends_with(&[0x1D, 0x61, 0xFF]) {
            self.replies.borrow_mut().extend([0x10, 0, 0x60, 0x03]);
        }
        self.written.borrow_mut().extend(bytes);
        Ok(bytes.len())
    }

    async fn read(&self, endpoint: u8, _: usize, within: Duration) -> Result<Transfer, UsbError> {
        self.in_stopped.set(false);
        if self.stalls(endpoint) {
            return Err(UsbError::Stall);
        }
        let bytes = std::mem::take(&mut *self.replies.borrow_mut());
        if !bytes.is_empty() {
            return Ok(Transfer { bytes, short: true });
        }
        match self.chatter.filter(|every| *every <= within) {
            Some(every) => {
                self.clock.sleep(every).await;
                let bytes = vec![0x12];
                Ok(Transfer { bytes, short: true })
            }
            None if self.chatter.is_some() => {
                // A transfer that is on its way at the deadline comes a little late.
                let late = within.saturating_add(Duration::from_millis(1));
                self.clock.sleep(late).await;
                let bytes = vec![0x12];
                Ok(Transfer { bytes, short: true })
            }
            None => {
                self.clock.sleep(within).await;
                Err(UsbError::Timeout)
            }
        }
    }

    async fn stop_in(&self, _: u8) -> Result<(), UsbError> {
        self.in_stopped.set(true);
        Ok(())
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        if endpoint == IN && !self.in_stopped.get() {
            return Err(UsbError::Other("a read is posted".into()));
        }
        if !self.stays_halted.get() {
            self.halted.borrow_mut().remove(&endpoint);
        }
        Ok(())
    }

    async fn set_alternate(&self, _: u8, _: u8) -> Result<(), UsbError> {
        Ok(())
    }
}

fn run<F: Future<Output = ()>>(test: impl FnOnce(SharedClock) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let whole = tokio::time::timeout(Duration::from_secs(600), test(clock));
        whole.await.expect("every wait ends");
    });
}

async fn open(printer: &Rc<Scripted>) -> Result<Link<Rc<Scripted>>, LinkError> {
    let model = Model {
        fault_of: |_| None,
        parameters_max: 16,
        may_be_blind: false,
        waits: &[],
    };
    Link::open(Rc::clone(printer), printer.clock.clone(), model, LONG).await
}

#[test]
fn a_printer_that_never_stops_talking_holds_no_wait_beyond_its_deadline() {
    run(|clock| async move {
        let mut mute = Scripted::new(&clock);
        (mute.chatter, mute.answers) = (Some(Duration::from_millis(10)), false);
        let begun = clock.monotonic();
        let refused = open(&Rc::new(mute)).await.map(drop);
        assert_eq!(refused, Err(LinkError::Silent), "the hello ends");
        assert!(clock.monotonic() - begun < LONG + SECOND);

        let mut printer = Scripted::new(&clock);
        printer.chatter = Some(Duration::from_millis(10));
        let mut link = open(&Rc::new(printer)).await.expect("opens");
        let never = |_: &Reply| None::<()>;
        for waiting in 0..3 {
            let begun = link.now();
            let until = begun + LONG;
            let ended = match waiting {
                0 => link.answer(until, never).await,
                1 => link.answer_anyway(until, never).await,
                _ => link.wait(until, |_| None).await,
            };
            assert_eq!(ended, Err(LinkError::Silent));
            assert!(link.now() - begun < LONG + SECOND);
        }
    });
}

#[test]
fn an_answer_that_comes_with_the_deadline_is_taken() {
    run(|clock| async move {
        let printer = Rc::new(Scripted::new(&clock));
        let mut link = open(&printer).await.expect("opens");
        printer.replies.borrow_mut().push(0x12);
        let now = link.now();
        let real_time = |r: &Reply| matches!(r, Reply::RealTime(0x12)).then_some(());
        assert_eq!(link.answer(now, real_time).await, Ok(()));
    });
}

#[test]
fn halts_left_by_an_earlier_handle_are_cleared_at_open() {
    run(|clock| async move {
        let printer = Rc::new(Scripted::new(&clock));
        printer.halted.borrow_mut().extend([IN, OUT]);
        open(&printer).await.expect("opens");
        assert_eq!(printer.stalls.get(), 0, "before anything is sent");
    });
}

#[test]
fn a_pipe_halted_in_between_is_cleared_and_tried_once_more() {
    run(|clock| async move {
        let printer = Rc::new(Scripted::new(&clock));
        let mut link = open(&printer).await.expect("opens");
        let until = link.now() + LONG;
        printer.written.borrow_mut().clear();
        printer.halts_next.set(Some(OUT));
        assert_eq!(link.send(b"ABC", until).await, Ok(()));
        assert_eq!(*printer.written.borrow(), b"ABC");
        printer.halts_next.set(Some(IN));
        printer.replies.borrow_mut().push(0x12);
        let real_time = |r: &Reply| matches!(r, Reply::RealTime(0x12)).then_some(());
        assert_eq!(link.answer(until, real_time).await, Ok(()));
    });
}

#[test]
fn a_pipe_that_stays_halted_and_a_long_write_over_a_halt_fence_the_handle() {
    run(|clock| async move {
        let stalled = Err(LinkError::Usb(UsbError::Stall));
        let printer = Rc::new(Scripted::new(&clock));
        let mut link = open(&printer).await.expect("opens");
        let until = link.now() + LONG;
        printer.written.borrow_mut().clear();
        printer.halts_next.set(Some(OUT));
        assert_eq!(link.send(&[b'A'; 65], until).await, stalled);
        assert_eq!(*printer.written.borrow(), b"", "nothing is sent twice");
        assert_eq!(link.look().await, Err(LinkError::Fenced));

        let mut link = open(&printer).await.expect("opens again");
        printer.stays_halted.set(true);
        printer.halts_next.set(Some(IN));
        assert_eq!(link.look().await, stalled);
        assert_eq!(link.look().await, Err(LinkError::Fenced));
    });
}
