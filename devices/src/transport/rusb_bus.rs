//! Hardware: libusb through rusb.
//!
//! Owns the only threads of the driver side. rusb blocks and cannot cancel, so an
//! IN endpoint is read by a thread of its own in slices of at most a second, and
//! control requests and writes each have one thread a device; the async side only
//! waits for answers over bounded channels. Refuses to fight for a device: what
//! holds it is named. Called by the kiosk and by `counterfoil-devices`.

mod enumerate;
mod worker;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rusb::{Context, DeviceHandle};
use tokio::sync::oneshot;

use self::enumerate::{claimed, describe_all, find, judged, mapped};
use self::worker::{Caller, Reader};
use super::sysfs::Sysfs;
use super::{Bus, DeviceInfo, Setup, Stage, TRANSFER_MAX, Transfer, Transport, UsbError};

/// One read never blocks longer than this, so that stopping it takes no longer.
pub const SLICE_MAX: Duration = Duration::from_secs(1);
/// libusb takes zero for "for ever".
const WAIT_MIN: Duration = Duration::from_millis(1);
const INTERRUPT: u8 = 3;

type Handle = Arc<DeviceHandle<Context>>;

/// The computer's own USB.
pub struct RusbBus {
    context: Context,
}

impl RusbBus {
    /// Starts libusb.
    pub fn new() -> Result<Self, UsbError> {
        let context = Context::new().map_err(mapped)?;
        Ok(Self { context })
    }
}

impl Bus for RusbBus {
    type Transport = RusbTransport;

    async fn list(&self) -> Result<Vec<DeviceInfo>, UsbError> {
        let context = self.context.clone();
        blocking(move || describe_all(&context)).await
    }

    async fn present(&self, path: &str) -> Result<bool, UsbError> {
        let (context, path) = (self.context.clone(), path.to_owned());
        blocking(move || enumerate::is_present(&context, &path)).await
    }

    async fn open(&self, path: &str) -> Result<RusbTransport, UsbError> {
        let (context, path) = (self.context.clone(), path.to_owned());
        let (handle, info) = blocking(move || claim(&context, &path)).await?;
        RusbTransport::new(Arc::new(handle), info)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UsbError> + Send + 'static,
) -> Result<T, UsbError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(UsbError::Other(error.to_string())))
}

/// Opens a device and claims the interfaces a driver here may use, taking them from
/// kernel drivers; a keyboard in the same housing keeps its keys.
fn claim(context: &Context, path: &str) -> Result<(DeviceHandle<Context>, DeviceInfo), UsbError> {
    let (device, mut info) = find(context, path)?;
    let node = enumerate::node(&device);
    let handle = device.open().map_err(|error| match error {
        rusb::Error::Access => UsbError::Access(node.clone()),
        other => mapped(other),
    })?;
    enumerate::read_texts(&handle, &device, &mut info);
    for number in claimed(&info) {
        // Some kernels cannot say, some devices have no driver: only claiming decides.
        if matches!(handle.kernel_driver_active(number), Ok(true)) {
            let _ = handle.detach_kernel_driver(number);
        }
        handle
            .claim_interface(number)
            .map_err(|error| match error {
                rusb::Error::Busy => UsbError::Busy(Sysfs::system().holder(path, number)),
                other => mapped(other),
            })?;
    }
    Ok((handle, info))
}

/// An opened device of the computer.
pub struct RusbTransport {
    handle: Handle,
    info: DeviceInfo,
    controls: Caller,
    writes: Caller,
    readers: RefCell<BTreeMap<u8, Reader>>,
    left: Left,
}

/// By IN endpoint: what had come for reads that were dropped before they took it.
type Left = RefCell<BTreeMap<u8, VecDeque<Transfer>>>;

/// A posted read. Dropped with its answer in hand, it leaves the bytes to the next.
struct Waiting<'a> {
    left: &'a Left,
    endpoint: u8,
    answer: oneshot::Receiver<Result<Transfer, UsbError>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Ok(Ok(transfer)) = self.answer.try_recv() {
            let mut left = self.left.borrow_mut();
            left.entry(self.endpoint).or_default().push_back(transfer);
        }
    }
}

/// What was left of an endpoint, the oldest first and no more than `max` bytes.
fn taken(left: &Left, endpoint: u8, max: usize) -> Option<Transfer> {
    let mut left = left.borrow_mut();
    let waiting = left.get_mut(&endpoint)?;
    let mut first = waiting.pop_front()?;
    if let Some(rest) = first.split(max) {
        waiting.push_front(rest);
    }
    Some(first)
}

impl RusbTransport {
    fn new(handle: Handle, info: DeviceInfo) -> Result<Self, UsbError> {
        Ok(Self {
            controls: Caller::start("usb-control", Arc::clone(&handle))?,
            writes: Caller::start("usb-write", Arc::clone(&handle))?,
            handle,
            info,
            readers: RefCell::default(),
            left: Left::default(),
        })
    }

    fn endpoint(&self, address: u8) -> Result<(bool, usize), UsbError> {
        let all = self.info.interfaces.iter().flat_map(|i| &i.endpoints);
        let mut ours = all.filter(|e| e.address == address);
        let endpoint = ours.next().ok_or(UsbError::Stall)?;
        let packet = usize::from(endpoint.max_packet.max(1));
        Ok((endpoint.kind == INTERRUPT, packet))
    }
}

impl Transport for RusbTransport {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        let Setup {
            request_type,
            request,
            value,
            index,
        } = setup;
        let wait = within.max(WAIT_MIN);
        match stage {
            Stage::In(len) => {
                let work = move |handle: &DeviceHandle<Context>| {
                    let mut answer = vec![0; usize::from(len)];
                    let count =
                        handle.read_control(request_type, request, value, index, &mut answer, wait);
                    answer.truncate(count.map_err(|error| judged(handle, error))?);
                    Ok(answer)
                };
                self.controls.call(work).await
            }
            Stage::Out(bytes) => {
                let bytes = bytes.to_vec();
                let work = move |handle: &DeviceHandle<Context>| {
                    let done =
                        handle.write_control(request_type, request, value, index, &bytes, wait);
                    match done.map_err(|error| judged(handle, error))? {
                        count if count == bytes.len() => Ok(Vec::new()),
                        _ => Err(UsbError::Timeout),
                    }
                };
                self.controls.call(work).await
            }
        }
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        let (interrupt, _) = self.endpoint(endpoint)?;
        let (bytes, wait) = (bytes.to_vec(), within.max(WAIT_MIN));
        // rusb gives Ok(n) with n < len for a timeout after n bytes: exactly ours.
        let work = move |handle: &DeviceHandle<Context>| {
            let wrote = if interrupt {
                handle.write_interrupt(endpoint, &bytes, wait)
            } else {
                handle.write_bulk(endpoint, &bytes, wait)
            };
            wrote.map_err(|error| judged(handle, error))
        };
        self.writes.call(work).await
    }

    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        let (interrupt, packet) = self.endpoint(endpoint)?;
        let max = max.min(TRANSFER_MAX);
        if let Some(left) = taken(&self.left, endpoint, max) {
            return Ok(left);
        }
        let answer = {
            let mut readers = self.readers.borrow_mut();
            let reader = match readers.entry(endpoint) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => new.insert(Reader::start(
                    Arc::clone(&self.handle),
                    endpoint,
                    interrupt,
                )?),
            };
            reader.post(max, packet, within)?
        };
        let mut waiting = Waiting {
            left: &self.left,
            endpoint,
            answer,
        };
        let answer = (&mut waiting.answer).await;
        answer.unwrap_or(Err(UsbError::NoDevice))
    }

    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        let idle = self.readers.borrow().get(&endpoint).map(Reader::stop);
        match idle {
            None => Ok(()),
            Some(mut idle) => {
                let gone = idle.wait_for(|posted| *posted == 0).await;
                gone.map(drop).map_err(|_| UsbError::NoDevice)
            }
        }
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        let posted = |all: &BTreeMap<u8, Reader>| all.get(&endpoint).is_some_and(Reader::is_posted);
        if posted(&self.readers.borrow()) {
            return Err(UsbError::read_posted());
        }
        let work =
            move |handle: &DeviceHandle<Context>| handle.clear_halt(endpoint).map_err(mapped);
        self.controls.call(work).await
    }

    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError> {
        let work = move |handle: &DeviceHandle<Context>| {
            handle
                .set_alternate_setting(interface, alternate)
                .map_err(mapped)
        };
        self.controls.call(work).await
    }
}

impl Drop for RusbTransport {
    /// Releasing the interfaces ends every transfer; the threads see it and go.
    fn drop(&mut self) {
        for number in claimed(&self.info) {
            let _ = self.handle.release_interface(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_dropped_with_its_answer_in_hand_leaves_the_bytes_to_the_next() {
        let left = Left::default();
        for bytes in [vec![1, 2, 3], vec![4]] {
            let (reply, answer) = oneshot::channel();
            let waiting = Waiting {
                left: &left,
                endpoint: 0x82,
                answer,
            };
            let sent = reply.send(Ok(Transfer { bytes, short: true }));
            assert_eq!(sent, Ok(()));
            drop(waiting);
        }
        let next = |max| taken(&left, 0x82, max).map(|t| (t.bytes, t.short));
        assert_eq!(next(2), Some((vec![1, 2], false)));
        assert_eq!(next(64), Some((vec![3], true)));
        assert_eq!(next(64), Some((vec![4], true)));
        assert_eq!(next(64), None);
        assert_eq!(taken(&left, 0x81, 64), None);
    }
}
