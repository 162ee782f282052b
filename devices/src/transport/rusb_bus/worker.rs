//! The threads: one for the calls of a kind, one for each IN endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rusb::{Context, DeviceHandle};
use tokio::sync::{oneshot, watch};

use super::enumerate::judged;
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
    /// wMaxPacketSize; buffers are whole packets.
    packet: usize,
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
                let started = now();
                let read = if interrupt {
                    handle.read_interrupt(endpoint, buffer, wait)
                } else {
                    handle.read_bulk(endpoint, buffer, wait)
                };
                let took = now().saturating_duration_since(started);
                let count = read.map_err(|error| judged(&handle, error))?;
                let ran_out = took.saturating_add(WAIT_MIN) >= wait;
                Ok(Piece { count, ran_out })
            };
            run(&work, &stop_seen, &posted_here, read);
        })?;
        Ok(Self { jobs, stop, posted })
    }

    /// Posts one read; the answer comes within `within` or a slice more.
    pub(super) fn post(
        &self,
        max: usize,
        packet: usize,
        within: Duration,
    ) -> Result<oneshot::Receiver<Result<Transfer, UsbError>>, UsbError> {
        let (reply, answer) = oneshot::channel();
        self.stop.store(false, Ordering::SeqCst);
        let job = Job {
            max,
            packet,
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

/// What one call of libusb read. A timeout with bytes moved is a success there.
struct Piece {
    count: usize,
    /// It took all the time it had: perhaps nothing but that ended it.
    ran_out: bool,
}

type Read<'a> = &'a mut dyn FnMut(&mut [u8], Duration) -> Result<Piece, UsbError>;

/// Does jobs until nobody can post any more. What came for a waiter that is gone
/// is kept for the next one, who gets no more of it than it asked for.
fn run(
    work: &Receiver<Job>,
    stop: &AtomicBool,
    posted: &watch::Sender<usize>,
    mut read: impl FnMut(&mut [u8], Duration) -> Result<Piece, UsbError>,
) {
    let mut kept: Option<Transfer> = None;
    while let Ok(job) = work.recv() {
        let done = match kept.take() {
            Some(mut transfer) => {
                let rest = transfer.split(job.max);
                kept = rest;
                Ok(transfer)
            }
            None => in_slices(&job, stop, &mut read),
        };
        posted.send_modify(|count| *count = count.saturating_sub(1));
        if let Err(Ok(mut unwanted)) = job.reply.send(done) {
            if let Some(rest) = kept.take() {
                unwanted.bytes.extend(rest.bytes);
                unwanted.short = rest.short;
            }
            kept = Some(unwanted);
        }
    }
}

/// One transfer, waited for a slice at a time. A slice that ends in the middle of
/// a transfer has read whole packets: no short packet has come, so it goes on.
fn in_slices(job: &Job, stop: &AtomicBool, read: Read<'_>) -> Result<Transfer, UsbError> {
    let packet = job.packet.max(1);
    let room = job.max.max(1).div_ceil(packet).saturating_mul(packet);
    let mut bytes = vec![0; room];
    let mut count = 0_usize;
    let mut left = job.within.max(WAIT_MIN);
    while !left.is_zero() && !stop.load(Ordering::SeqCst) && !job.reply.is_closed() {
        let slice = left.min(SLICE_MAX);
        let rest = bytes.get_mut(count..).unwrap_or_default();
        match read(rest, slice.max(WAIT_MIN)) {
            Err(UsbError::Timeout) => {}
            Err(error) => return Err(error),
            Ok(piece) => {
                count = count.saturating_add(piece.count);
                if count > job.max {
                    return Err(UsbError::Overflow);
                }
                let ended = !piece.count.is_multiple_of(packet) || piece.count == 0;
                if ended || !piece.ran_out || count == job.max {
                    bytes.truncate(count);
                    let short = count < job.max;
                    return Ok(Transfer { bytes, short });
                }
            }
        }
        left = left.saturating_sub(slice);
    }
    match count {
        0 => Err(UsbError::Timeout),
        _ => {
            bytes.truncate(count);
            Ok(Transfer {
                bytes,
                short: false,
            })
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "libusb does not tell whether a read with bytes ended by a short packet or by time"
)]
fn now() -> Instant {
    Instant::now()
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
                packet: 64,
                within,
                reply,
            },
            answer,
        )
    }

    /// Before its time was over.
    fn ended(count: usize) -> Piece {
        Piece {
            count,
            ran_out: false,
        }
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
        let zero = in_slices(&one, &stop, &mut |_, _| Ok(ended(0)));
        assert_eq!(
            zero,
            Ok(Transfer {
                bytes: Vec::new(),
                short: true
            })
        );
        let over = in_slices(&one, &stop, &mut |_, _| Ok(ended(9)));
        assert_eq!(over, Err(UsbError::Overflow));
    }

    #[test]
    fn bytes_that_came_for_a_waiter_that_went_are_kept_for_the_next() {
        let (jobs, work) = sync_channel(4);
        let (first, gone) = job(64, Duration::from_secs(1));
        let (second, mut answer) = job(2, Duration::from_secs(1));
        let (third, mut rest) = job(2, Duration::from_secs(1));
        for job in [first, second, third] {
            jobs.send(job).expect("room");
        }
        drop(jobs);
        let mut gone = Some(gone);
        run(
            &work,
            &AtomicBool::new(false),
            &watch::Sender::new(3),
            |bytes, _| {
                // The waiter goes while its read is in the air.
                assert!(gone.take().is_some(), "one read only");
                bytes[..3].copy_from_slice(&[7, 8, 9]);
                Ok(ended(3))
            },
        );
        let got = answer.try_recv().expect("answered").expect("bytes");
        assert_eq!((got.bytes.as_slice(), got.short), (&[7, 8][..], false));
        let got = rest.try_recv().expect("answered").expect("bytes");
        assert_eq!((got.bytes.as_slice(), got.short), (&[9][..], true));
    }

    #[test]
    fn a_slice_that_ends_in_the_middle_of_a_transfer_is_no_short_packet() {
        let stop = AtomicBool::new(false);
        let moves = |counts: &'static [(usize, bool)], seconds| {
            let (one, _answer) = job(512, Duration::from_secs(seconds));
            let mut counts = counts.iter();
            in_slices(&one, &stop, &mut |_, _| match counts.next() {
                Some(&(count, ran_out)) => Ok(Piece { count, ran_out }),
                None => Err(UsbError::Timeout),
            })
            .map(|transfer| (transfer.bytes.len(), transfer.short))
        };
        assert_eq!(
            moves(&[(128, true), (64, true), (20, false)], 9),
            Ok((212, true))
        );
        assert_eq!(moves(&[(128, true), (0, false)], 9), Ok((128, true)));
        assert_eq!(moves(&[(128, true), (384, false)], 9), Ok((512, false)));
        // Time is over first.
        assert_eq!(moves(&[(128, true)], 2), Ok((128, false)));
        // Whole packets that came before their time were ended by an empty one.
        assert_eq!(moves(&[(128, false)], 9), Ok((128, true)));
    }
}
