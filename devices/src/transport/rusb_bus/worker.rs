//! The threads: one for the calls of a kind, one for each IN endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use rusb::{Context, DeviceHandle};
use tokio::sync::{oneshot, watch};

use super::enumerate::mapped;
use super::{Handle, SLICE_MAX, WAIT_MIN};
use crate::transport::{Transfer, UsbError};

/// Calls waiting for a thread at most.
const CALLS_MAX: usize = 16;

type Call = Box<dyn FnOnce(&DeviceHandle<Context>) + Send>;

/// A thread that does one blocking call after the other.
pub(super) struct Caller {
    calls: SyncSender<Call>,
}

impl Caller {
    pub(super) fn start(name: &str, handle: Handle) -> Result<Self, UsbError> {
        let (calls, work) = sync_channel::<Call>(CALLS_MAX);
        spawn(name, move || {
            while let Ok(call) = work.recv() {
                call(&handle);
            }
        })?;
        Ok(Self { calls })
    }

    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&DeviceHandle<Context>) -> Result<T, UsbError> + Send + 'static,
    ) -> Result<T, UsbError> {
        let (reply, answer) = oneshot::channel();
        let call: Call = Box::new(move |handle| drop(reply.send(work(handle))));
        self.calls.try_send(call).map_err(refused)?;
        answer.await.unwrap_or(Err(UsbError::NoDevice))
    }
}

struct Job {
    max: usize,
    buffer: usize,
    within: Duration,
    reply: oneshot::Sender<Result<Transfer, UsbError>>,
}

/// A thread that reads one IN endpoint.
pub(super) struct Reader {
    jobs: SyncSender<Job>,
    stop: Arc<AtomicBool>,
    posted: Arc<watch::Sender<usize>>,
}

impl Reader {
    pub(super) fn start(handle: Handle, endpoint: u8, interrupt: bool) -> Result<Self, UsbError> {
        let (jobs, work) = sync_channel::<Job>(CALLS_MAX);
        let stop = Arc::new(AtomicBool::new(false));
        let posted = Arc::new(watch::Sender::new(0));
        let (stop_seen, posted_here) = (Arc::clone(&stop), Arc::clone(&posted));
        spawn("usb-read", move || {
            let read = |buffer: &mut [u8], wait| {
                let read = if interrupt {
                    handle.read_interrupt(endpoint, buffer, wait)
                } else {
                    handle.read_bulk(endpoint, buffer, wait)
                };
                read.map_err(mapped)
            };
            run(&work, &stop_seen, &posted_here, read);
        })?;
        Ok(Self { jobs, stop, posted })
    }

    /// Posts one read; the answer comes within `within` or a slice more.
    pub(super) fn post(
        &self,
        max: usize,
        buffer: usize,
        within: Duration,
    ) -> Result<oneshot::Receiver<Result<Transfer, UsbError>>, UsbError> {
        let (reply, answer) = oneshot::channel();
        self.stop.store(false, Ordering::SeqCst);
        let job = Job {
            max,
            buffer,
            within,
            reply,
        };
        self.posted
            .send_modify(|count| *count = count.saturating_add(1));
        if let Err(error) = self.jobs.try_send(job) {
            self.posted
                .send_modify(|count| *count = count.saturating_sub(1));
            return Err(refused(error));
        }
        Ok(answer)
    }

    /// Whether a read waits or is under way.
    pub(super) fn is_posted(&self) -> bool {
        *self.posted.borrow() > 0
    }

    /// Asks every posted read to end; the watch counts down to 0 as they go.
    pub(super) fn stop(&self) -> watch::Receiver<usize> {
        self.stop.store(true, Ordering::SeqCst);
        self.posted.subscribe()
    }
}

/// Does jobs until nobody can post any more. What came for a waiter that is gone
/// is kept for the next one.
fn run(
    work: &Receiver<Job>,
    stop: &AtomicBool,
    posted: &watch::Sender<usize>,
    mut read: impl FnMut(&mut [u8], Duration) -> Result<usize, UsbError>,
) {
    let mut kept = None;
    while let Ok(job) = work.recv() {
        let done = match kept.take() {
            Some(transfer) => Ok(transfer),
            None => in_slices(&job, stop, &mut read),
        };
        posted.send_modify(|count| *count = count.saturating_sub(1));
        if let Err(Ok(unwanted)) = job.reply.send(done) {
            kept = Some(unwanted);
        }
    }
}

/// One transfer, waited for a slice at a time.
fn in_slices(
    job: &Job,
    stop: &AtomicBool,
    read: &mut impl FnMut(&mut [u8], Duration) -> Result<usize, UsbError>,
) -> Result<Transfer, UsbError> {
    let mut bytes = vec![0; job.buffer];
    let mut left = job.within.max(WAIT_MIN);
    while !left.is_zero() && !stop.load(Ordering::SeqCst) && !job.reply.is_closed() {
        let slice = left.min(SLICE_MAX);
        match read(&mut bytes, slice.max(WAIT_MIN)) {
            Err(UsbError::Timeout) => left = left.saturating_sub(slice),
            Err(error) => return Err(error),
            Ok(count) if count > job.max => return Err(UsbError::Overflow),
            Ok(count) => {
                bytes.truncate(count);
                return Ok(Transfer {
                    short: count < job.max,
                    bytes,
                });
            }
        }
    }
    Err(UsbError::Timeout)
}

fn refused<T>(error: TrySendError<T>) -> UsbError {
    match error {
        TrySendError::Full(_) => UsbError::Other("too many transfers posted at once".into()),
        TrySendError::Disconnected(_) => UsbError::NoDevice,
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), UsbError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned
        .map(drop)
        .map_err(|error| UsbError::Other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(max: usize, within: Duration) -> (Job, oneshot::Receiver<Result<Transfer, UsbError>>) {
        let (reply, answer) = oneshot::channel();
        (
            Job {
                max,
                buffer: 64,
                within,
                reply,
            },
            answer,
        )
    }

    #[test]
    fn a_long_read_is_cut_into_slices_of_a_second_that_add_up() {
        let (job, _answer) = job(64, Duration::from_millis(2500));
        let mut slices = Vec::new();
        let got = in_slices(&job, &AtomicBool::new(false), &mut |_, wait| {
            slices.push(wait.as_millis());
            Err(UsbError::Timeout)
        });
        assert_eq!(got, Err(UsbError::Timeout));
        assert_eq!(slices, [1000, 1000, 500]);
    }

    #[test]
    fn zero_time_is_never_passed_to_libusb_which_takes_it_for_ever() {
        let (job, _answer) = job(64, Duration::ZERO);
        let mut slices = Vec::new();
        let got = in_slices(&job, &AtomicBool::new(false), &mut |_, wait| {
            slices.push(wait);
            Err(UsbError::Timeout)
        });
        assert_eq!((got, slices), (Err(UsbError::Timeout), vec![WAIT_MIN]));
    }

    #[test]
    fn a_stopped_or_forgotten_read_ends_with_its_slice() {
        let stop = AtomicBool::new(false);
        let (posted, answer) = job(64, Duration::from_secs(60));
        let mut reads = 0;
        let got = in_slices(&posted, &stop, &mut |_, _| {
            reads += 1;
            stop.store(true, Ordering::SeqCst);
            Err(UsbError::Timeout)
        });
        assert_eq!((got, reads), (Err(UsbError::Timeout), 1));
        drop(answer);
        stop.store(false, Ordering::SeqCst);
        let got = in_slices(&posted, &stop, &mut |_, _| panic!("nobody waits"));
        assert_eq!(got, Err(UsbError::Timeout));
    }

    #[test]
    fn a_zero_length_packet_is_a_value_and_more_than_asked_is_an_overflow() {
        let (one, _answer) = job(8, Duration::from_secs(1));
        let stop = AtomicBool::new(false);
        let zero = in_slices(&one, &stop, &mut |_, _| Ok(0));
        assert_eq!(
            zero,
            Ok(Transfer {
                bytes: Vec::new(),
                short: true
            })
        );
        let over = in_slices(&one, &stop, &mut |_, _| Ok(9));
        assert_eq!(over, Err(UsbError::Overflow));
    }

    #[test]
    fn bytes_that_came_for_a_waiter_that_went_are_kept_for_the_next() {
        let (jobs, work) = sync_channel(4);
        let (first, gone) = job(64, Duration::from_secs(1));
        let (second, mut answer) = job(64, Duration::from_secs(1));
        jobs.send(first).expect("room");
        jobs.send(second).expect("room");
        drop(jobs);
        let mut gone = Some(gone);
        run(
            &work,
            &AtomicBool::new(false),
            &watch::Sender::new(2),
            |bytes, _| {
                // The waiter goes while its read is in the air.
                assert!(gone.take().is_some(), "one read only");
                bytes[0] = 7;
                Ok(1)
            },
        );
        let got = answer.try_recv().expect("answered").expect("bytes");
        assert_eq!(got.bytes, [7]);
    }
}
