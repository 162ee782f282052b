//! A printer's pipes without its driver: bytes of the manuals out, replies back.
//!
//! Kits ask through it what a driver silently relies on. The requests are written
//! here from the USB printer class 1.1, not taken from the driver.

use std::collections::VecDeque;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::hex;

use super::Stop;
use crate::driver::escpos::reply::{Reply, ReplyParser};
use crate::transport::{EndpointInfo, Setup, Stage, Transport, UsbError};

/// Time for a control request.
pub const CONTROL_WITHIN: Duration = Duration::from_secs(5);
/// Time for an answer that moves no paper.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How long stale replies are drained.
const DRAIN: Duration = Duration::from_millis(100);
/// One read.
const READ_MAX: usize = 1024;

/// GET_DEVICE_ID of an alternate, in class 1.1's words.
pub fn device_id(interface: u8, alternate: u8) -> Setup {
    setup(0xA1, 0, u16::from_be_bytes([interface, alternate]))
}

/// GET_PORT_STATUS.
pub fn port_status(interface: u8) -> Setup {
    setup(0xA1, 1, u16::from(interface))
}

/// SOFT_RESET to the interface, or as class 1.0 was read.
pub fn soft_reset(interface: u8, request_type: u8) -> Setup {
    setup(request_type, 2, u16::from(interface))
}

fn setup(request_type: u8, request: u8, index: u16) -> Setup {
    Setup {
        request_type,
        request,
        value: 0,
        index,
    }
}

/// An open printer, raw.
pub struct Wire<T> {
    usb: T,
    clock: SharedClock,
    /// bInterfaceNumber.
    pub interface: u8,
    /// bAlternateSetting in use.
    pub alternate: u8,
    /// Bulk OUT.
    pub out: EndpointInfo,
    /// Bulk IN.
    pub back: EndpointInfo,
    parser: ReplyParser,
    /// Replies that came behind the one that was waited for.
    held: VecDeque<Reply>,
}

impl<T: Transport> Wire<T> {
    /// Takes the two-way alternate into use and drains what is left in the IN pipe.
    pub async fn open(usb: T, clock: SharedClock) -> Result<Self, Stop> {
        let found = usb.info().interfaces.iter().find_map(|i| {
            let bulk = |input| {
                i.endpoints
                    .iter()
                    .find(|e| e.kind == 2 && e.is_in() == input)
            };
            let two_way = (i.class, i.subclass, i.protocol) == (7, 1, 2);
            two_way.then(|| Some((i.number, i.alternate, *bulk(false)?, *bulk(true)?)))?
        });
        let Some((interface, alternate, out, back)) = found else {
            return Err(Stop::seen("no two-way printer interface"));
        };
        let same = usb
            .info()
            .interfaces
            .iter()
            .filter(|i| i.number == interface);
        if same.count() > 1 {
            usb.set_alternate(interface, alternate).await?;
        }
        let mut wire = Self {
            usb,
            clock,
            interface,
            alternate,
            out,
            back,
            parser: ReplyParser::default(),
            held: VecDeque::new(),
        };
        wire.drain().await?;
        Ok(wire)
    }

    /// The transport itself.
    pub fn usb(&self) -> &T {
        &self.usb
    }

    /// A class request to the device.
    pub async fn control(&self, setup: Setup, stage: Stage<'_>) -> Result<Vec<u8>, UsbError> {
        self.usb.control(setup, stage, CONTROL_WITHIN).await
    }

    /// Throws away what the device said so far.
    pub async fn drain(&mut self) -> Result<(), Stop> {
        while !self.hear_bytes(DRAIN).await?.is_empty() {}
        self.parser.reset();
        self.held.clear();
        Ok(())
    }

    /// Writes all of `bytes`, going on from where a partial write stopped.
    pub async fn say(&self, bytes: &[u8]) -> Result<(), Stop> {
        let taken = self.say_what_fits(bytes, ANSWER_WITHIN).await?;
        if taken < bytes.len() {
            return Err(Stop::Failed(format!(
                "it took {taken} of {} bytes and no more",
                bytes.len()
            )));
        }
        Ok(())
    }

    /// Writes until `within` is over; how many bytes were taken.
    pub async fn say_what_fits(&self, bytes: &[u8], within: Duration) -> Result<usize, Stop> {
        let until = self.clock.monotonic().saturating_add(within);
        let mut taken = 0_usize;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let left = until.saturating_sub(self.clock.monotonic());
            match self.usb.write(self.out.address, rest, left).await {
                Ok(count) => taken = taken.saturating_add(count),
                Err(UsbError::Timeout) => {}
                Err(error) => return Err(error.into()),
            }
            if self.clock.monotonic() >= until {
                break;
            }
        }
        Ok(taken)
    }

    /// One transfer of replies; empty when none came in time, or for a ZLP.
    pub async fn hear_bytes(&self, within: Duration) -> Result<Vec<u8>, Stop> {
        match self.usb.read(self.back.address, READ_MAX, within).await {
            Ok(transfer) => Ok(transfer.bytes),
            Err(UsbError::Timeout) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything it says until it was silent for `within`.
    pub async fn hear(&mut self, within: Duration) -> Result<Vec<Reply>, Stop> {
        let mut replies = Vec::from(std::mem::take(&mut self.held));
        loop {
            let bytes = self.hear_bytes(within).await?;
            if bytes.is_empty() {
                return Ok(replies);
            }
            self.parser.feed(&bytes, &mut replies);
        }
    }

    /// Replies until `pick` finds its own; what came before it comes with it.
    pub async fn wait_for<R>(
        &mut self,
        within: Duration,
        what: &str,
        mut pick: impl FnMut(&Reply) -> Option<R>,
    ) -> Result<(R, Vec<Reply>), Stop> {
        let until = self.clock.monotonic().saturating_add(within);
        let mut before = Vec::new();
        loop {
            while let Some(reply) = self.held.pop_front() {
                if let Some(found) = pick(&reply) {
                    return Ok((found, before));
                }
                before.push(reply);
            }
            let left = until.saturating_sub(self.clock.monotonic());
            let bytes = self.hear_bytes(left).await?;
            let mut replies = Vec::new();
            self.parser.feed(&bytes, &mut replies);
            self.held.extend(replies);
            if self.held.is_empty() && self.clock.monotonic() >= until {
                return Err(Stop::Failed(format!(
                    "no {what} within {} ms, but {before:?}",
                    within.as_millis()
                )));
            }
        }
    }

    /// Asks and waits for the answer `pick` knows.
    pub async fn ask<R>(
        &mut self,
        bytes: &[u8],
        what: &str,
        pick: impl FnMut(&Reply) -> Option<R>,
    ) -> Result<R, Stop> {
        self.say(bytes).await?;
        let (found, _) = self.wait_for(ANSWER_WITHIN, what, pick).await?;
        Ok(found)
    }

    /// GS ( H with this id, and its answer.
    pub async fn fence(&mut self, id: [u8; 4], within: Duration) -> Result<(), Stop> {
        self.say(&fence(id)).await?;
        let what = format!("37 22 {} 00", hex(&id));
        self.wait_for(within, &what, is_fence(id)).await.map(drop)
    }
}

/// GS ( H fn 48 (Epson).
pub fn fence(id: [u8; 4]) -> [u8; 11] {
    let [a, b, c, d] = id;
    [0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30, a, b, c, d]
}

/// Whether a reply is the fence of `id`.
pub fn is_fence(id: [u8; 4]) -> impl Fn(&Reply) -> Option<()> {
    move |reply| matches!(reply, Reply::Tagged(0x22, got) if *got == id).then_some(())
}
