//! One printer on USB: claim, identity, bounded writes, one stream of replies.
//!
//! USB printer class 1.1 (class 07, subclass 01). The rules that keep it whole:
//! status is pushed before data (once bulk OUT NAKs nothing can be asked); a
//! short write continues from its offset, never from 0; no zero-length write
//! ever; after an I/O error the handle is fenced until it is reopened. Refuses
//! to say what a fault means for paper: its callers do.

use std::collections::VecDeque;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::problem::Remedy;

use super::command;
use super::device_id::DeviceId;
use super::fault::PrintFault;
use super::reply::{Asb, Reply, ReplyParser};
use crate::transport::{DeviceInfo, InterfaceInfo, Setup, Stage, Transport, UsbError};

/// Bytes a write transfer at most: printers with 4 KiB buffers exist.
pub const CHUNK_MAX: usize = 4096;
/// Longest single write before the reply pipe is looked at.
const WRITE_SLICE: Duration = Duration::from_secs(2);
/// How long stale replies are drained at open, and looked for after a stuck write.
const DRAIN: Duration = Duration::from_millis(50);
/// Control requests (usblp and PAPPL use the same).
const CONTROL_WITHIN: Duration = Duration::from_secs(5);
/// Replies kept unread at most; older ones are dropped.
const SEEN_MAX: usize = 64;
/// Device id string asked for at most.
const DEVICE_ID_MAX: u16 = 1024;

/// Why the link cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No interface of the printer class with a bulk pipe each way.
    #[error("the device has no two-way printer interface: use another model")]
    NoInterface,
    /// The transport failed; the handle is fenced now.
    #[error("{0}")]
    Usb(#[from] UsbError),
    /// An earlier failure fenced this handle.
    #[error("the printer failed before: open it again")]
    Fenced,
    /// It did not take all bytes in time; the fault it reported, if any.
    #[error("the printer stopped taking data after {accepted} bytes")]
    Blocked {
        /// Bytes it took, which says nothing about what was printed.
        accepted: usize,
        /// What it reported while it did not.
        fault: Option<PrintFault>,
    },
    /// It did not answer in time.
    #[error("the printer did not answer in time")]
    Silent,
    /// It reported a fault instead of the answer.
    #[error("{0}")]
    Fault(PrintFault),
}

impl LinkError {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NoInterface => Remedy::OutOfService,
            Self::Usb(_) | Self::Fenced => Remedy::OutOfService,
            Self::Blocked { fault: None, .. } | Self::Silent => Remedy::Retry,
            Self::Blocked {
                fault: Some(fault), ..
            }
            | Self::Fault(fault) => fault.remedy(),
        }
    }

    /// The same in XFS4IoT's words.
    pub fn fault(&self) -> PrintFault {
        match self {
            Self::NoInterface | Self::Usb(_) | Self::Fenced => PrintFault::NoDevice,
            Self::Blocked { fault, .. } => fault.unwrap_or(PrintFault::Timeout),
            Self::Silent => PrintFault::Timeout,
            Self::Fault(fault) => *fault,
        }
    }
}

/// What an automatic status means for this model; `None` is no fault.
pub type FaultOf = fn(Asb) -> Option<PrintFault>;

/// An open printer.
pub struct Link<T> {
    transport: T,
    clock: SharedClock,
    fault_of: FaultOf,
    interface: u8,
    write_to: u8,
    read_from: u8,
    read_max: usize,
    parser: ReplyParser,
    seen: VecDeque<Reply>,
    asb: Option<Asb>,
    id: DeviceId,
    fenced: bool,
}

/// The alternate to use: two-way (protocol 2) before anything else with both pipes.
fn choose(info: &DeviceInfo) -> Option<(&InterfaceInfo, u8, u8, u16)> {
    let usable = info.interfaces.iter().filter_map(|i| {
        let bulk = |input: bool| {
            i.endpoints
                .iter()
                .find(move |e| e.kind == 2 && e.is_in() == input)
        };
        let printer = i.class == 7 && i.subclass == 1 && i.protocol != 3 && i.protocol != 4;
        let (out, back) = (bulk(false)?, bulk(true)?);
        printer.then_some((i, out.address, back.address, back.max_packet))
    });
    usable.max_by_key(|(i, ..)| i.protocol == 2)
}

impl<T: Transport> Link<T> {
    /// Claims the printer interface, reads the device id, resets the buffers
    /// (never the paper) and turns pushed status on.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        fault_of: FaultOf,
        within: Duration,
    ) -> Result<Self, LinkError> {
        let until = clock.monotonic().saturating_add(within);
        let info = transport.info().clone();
        let (chosen, write_to, read_from, packet) = choose(&info).ok_or(LinkError::NoInterface)?;
        let same = |i: &&InterfaceInfo| i.number == chosen.number;
        if info.interfaces.iter().filter(same).count() > 1 {
            transport
                .set_alternate(chosen.number, chosen.alternate)
                .await?;
        }
        let packet = usize::from(packet).max(1);
        let mut link = Self {
            transport,
            clock,
            fault_of,
            interface: chosen.number,
            write_to,
            read_from,
            read_max: packet.saturating_mul(1024_usize.div_ceil(packet)),
            parser: ReplyParser::default(),
            seen: VecDeque::new(),
            asb: None,
            id: DeviceId::default(),
            fenced: false,
        };
        link.id = link.device_id(chosen.alternate).await;
        link.flush(until).await?;
        Ok(link)
    }

    /// GET_DEVICE_ID, once, while the buffers are surely not full. Optional: some
    /// models stall it.
    async fn device_id(&mut self, alternate: u8) -> DeviceId {
        let setup = Setup {
            request_type: 0xA1,
            request: 0,
            value: 0,
            index: u16::from_be_bytes([self.interface, alternate]),
        };
        let stage = Stage::In(DEVICE_ID_MAX);
        match self.transport.control(setup, stage, CONTROL_WITHIN).await {
            Ok(bytes) => DeviceId::parse(&bytes),
            Err(_) => DeviceId::default(),
        }
    }

    /// SOFT_RESET (21, then 23 on old models; a stall of both is ignored), drains
    /// stale replies, then ESC @ and GS a FF. Moves no paper.
    pub async fn flush(&mut self, until: Duration) -> Result<(), LinkError> {
        for request_type in [0x21, 0x23] {
            let setup = Setup {
                request_type,
                request: 2,
                value: 0,
                index: u16::from(self.interface),
            };
            let reset = self
                .transport
                .control(setup, Stage::Out(&[]), CONTROL_WITHIN)
                .await;
            match reset {
                Err(UsbError::Stall) => {}
                other => {
                    self.guard(other)?;
                    break;
                }
            }
        }
        let drained = self.clock.monotonic().saturating_add(DRAIN);
        while self.pump(drained).await? {}
        self.parser.reset();
        self.seen.clear();
        self.asb = None;
        let mut hello = command::INITIALISE.to_vec();
        hello.extend(command::SELECT_PRINTER);
        hello.extend(command::STATUS_BACK_ALL);
        self.send(&hello, until).await?;
        while self.asb.is_none() {
            if !self.pump(until).await? {
                return Err(LinkError::Silent);
            }
        }
        self.seen.clear();
        Ok(())
    }

    /// What the printer says it is.
    pub fn id(&self) -> &DeviceId {
        &self.id
    }

    /// The last pushed status.
    pub fn asb(&self) -> Asb {
        self.asb.unwrap_or_default()
    }

    /// The fault the last pushed status means, if any.
    pub fn fault(&self) -> Option<PrintFault> {
        (self.fault_of)(self.asb())
    }

    /// Time since the clock's start, for deadlines.
    pub fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Lets time pass without talking.
    pub async fn rest(&self, wait: Duration) {
        self.clock.sleep(wait).await;
    }

    /// Fences the handle on any error of the transport but a stall.
    fn guard<V>(&mut self, result: Result<V, UsbError>) -> Result<V, LinkError> {
        if self.fenced {
            return Err(LinkError::Fenced);
        }
        result.map_err(|error| {
            self.fenced = true;
            LinkError::Usb(error)
        })
    }

    /// Takes in one transfer of replies; `false` when `until` came first.
    pub async fn pump(&mut self, until: Duration) -> Result<bool, LinkError> {
        if self.fenced {
            return Err(LinkError::Fenced);
        }
        let within = until.saturating_sub(self.now());
        let transfer = self
            .transport
            .read(self.read_from, self.read_max, within)
            .await;
        let transfer = match transfer {
            Err(UsbError::Timeout) => return Ok(false),
            other => self.guard(other)?,
        };
        let mut replies = Vec::new();
        self.parser.feed(&transfer.bytes, &mut replies);
        for reply in replies {
            if let Reply::Asb(asb) = reply {
                self.asb = Some(asb);
            }
            if self.seen.len() >= SEEN_MAX {
                self.seen.pop_front();
            }
            self.seen.push_back(reply);
        }
        // A zero-length transfer is a value, not an end; the deadline still ends it.
        Ok(!transfer.bytes.is_empty() || self.now() < until)
    }

    /// Takes in whatever was pushed meanwhile, without waiting.
    pub async fn look(&mut self) -> Result<(), LinkError> {
        let soon = self.now().saturating_add(Duration::from_millis(1));
        while self.pump(soon).await? && self.now() < soon {}
        Ok(())
    }

    /// Writes all of `bytes` before `until`, in chunks, from the offset reached.
    ///
    /// # Errors
    /// [`LinkError::Blocked`] when it stopped taking: at once if it pushed a
    /// fault, else at `until`.
    pub async fn send(&mut self, bytes: &[u8], until: Duration) -> Result<(), LinkError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.fenced {
                return Err(LinkError::Fenced);
            }
            let chunk = rest.get(..CHUNK_MAX.min(rest.len())).unwrap_or(rest);
            let within = WRITE_SLICE.min(until.saturating_sub(self.now()));
            let written = self.transport.write(self.write_to, chunk, within).await;
            let taken = match written {
                Err(UsbError::Timeout) => 0,
                other => self.guard(other)?,
            };
            let whole = taken >= chunk.len();
            rest = rest.get(taken..).unwrap_or_default();
            if whole {
                continue;
            }
            let soon = self.now().saturating_add(DRAIN);
            while self.pump(soon).await? && self.now() < soon {}
            let fault = self.fault();
            if fault.is_some() || self.now() >= until {
                let accepted = bytes.len().saturating_sub(rest.len());
                return Err(LinkError::Blocked { accepted, fault });
            }
        }
        Ok(())
    }

    /// The first reply `pick` recognises, dropping those before it.
    ///
    /// # Errors
    /// [`LinkError::Fault`] as soon as a fault is pushed, [`LinkError::Silent`]
    /// at `until`.
    pub async fn answer<R>(
        &mut self,
        until: Duration,
        mut pick: impl FnMut(&Reply) -> Option<R>,
    ) -> Result<R, LinkError> {
        loop {
            while let Some(reply) = self.seen.pop_front() {
                if let Some(found) = pick(&reply) {
                    return Ok(found);
                }
            }
            if let Some(fault) = self.fault() {
                return Err(LinkError::Fault(fault));
            }
            if !self.pump(until).await? {
                return Err(LinkError::Silent);
            }
        }
    }

    /// As [`Link::answer`], for questions a printer answers although it reports
    /// a fault.
    pub async fn answer_anyway<R>(
        &mut self,
        until: Duration,
        mut pick: impl FnMut(&Reply) -> Option<R>,
    ) -> Result<R, LinkError> {
        loop {
            while let Some(reply) = self.seen.pop_front() {
                if let Some(found) = pick(&reply) {
                    return Ok(found);
                }
            }
            if !self.pump(until).await? {
                return Err(LinkError::Silent);
            }
        }
    }

    /// Drops replies nobody waits for, so that the next answer is this question's.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    /// Waits until the pushed status satisfies `test`.
    pub async fn status_until(
        &mut self,
        until: Duration,
        test: impl Fn(Asb) -> bool,
    ) -> Result<(), LinkError> {
        loop {
            if test(self.asb()) {
                return Ok(());
            }
            if let Some(fault) = self.fault() {
                return Err(LinkError::Fault(fault));
            }
            if !self.pump(until).await? {
                return Err(LinkError::Silent);
            }
        }
    }
}
