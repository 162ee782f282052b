//! One printer on USB: claim, identity, bounded writes, one stream of replies.
//!
//! USB printer class 1.1 (class 07, subclass 01). The rules that keep it whole:
//! status is pushed before data (once bulk OUT NAKs nothing can be asked); a
//! short write continues from its offset, never from 0; no zero-length write
//! ever; every wait ends at its deadline, however much the printer talks; after
//! an I/O error the handle is fenced until it is reopened. Refuses to say what a
//! fault means for paper: its callers do.

mod error;
mod pipes;
mod slip;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;

pub use self::error::LinkError;
pub use self::slip::SlipStatus;
use super::command;
use super::device_id::DeviceId;
use super::fault::PrintFault;
use super::reply::{Asb, Reply, ReplyParser};
use crate::driver::printer_class::{self, PortStatus, Quirks};
use crate::transport::Transport;

/// Bytes a write transfer at most: printers with 4 KiB buffers exist.
pub const CHUNK_MAX: usize = 4096;
/// How long stale replies are drained at open, and looked for after a stuck write.
const DRAIN: Duration = Duration::from_millis(50);
/// How long the first pushed status is waited for where it may never come.
const PUSHED_WITHIN: Duration = Duration::from_secs(1);
/// Replies kept unread at most; older ones are dropped.
const SEEN_MAX: usize = 64;

/// What a driver knows of its model.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// What an automatic status means; `None` is no fault.
    pub fault_of: fn(Asb) -> Option<PrintFault>,
    /// Parameter bytes of its longest command: so many a printer may still wait
    /// for when a handle was lost in the middle of one.
    pub parameters_max: usize,
    /// Whether one that pushes no status is used all the same: then only the port
    /// status tells of faults, and never of health.
    pub may_be_blind: bool,
    /// Of a slip station that a hand feeds, the real-time questions whose bit 3 says
    /// that it waits for a sheet, as an earlier handle may have left it, with all that
    /// is sent queued behind; none of any other.
    pub waits: &'static [&'static [u8]],
}

/// An open printer.
pub struct Link<T> {
    transport: T,
    clock: SharedClock,
    model: Model,
    interface: u8,
    write_to: u8,
    /// wMaxPacketSize of the OUT pipe.
    packet: usize,
    /// The IN pipe, of a printer that has one.
    read_from: Option<u8>,
    quirks: Quirks,
    /// It pushes no status.
    blind: bool,
    /// What its port says, of a blind one.
    port: Option<PrintFault>,
    read_max: usize,
    parser: ReplyParser,
    seen: VecDeque<Reply>,
    asb: Option<Asb>,
    /// A fault pushed since [`Link::forget`], even if it is over.
    alarm: Option<PrintFault>,
    /// No sheet lay in the slip path at some time since [`Link::forget`].
    gone: bool,
    id: DeviceId,
    fenced: bool,
}

impl<T: Transport> Link<T> {
    /// Claims the printer interface, reads the device id, resets the buffers
    /// (never the paper) and turns pushed status on.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        model: Model,
        within: Duration,
    ) -> Result<Self, LinkError> {
        let until = clock.monotonic().saturating_add(within);
        let info = transport.info().clone();
        let quirks = printer_class::quirks(&info);
        let chosen = printer_class::choose(&info, quirks).ok_or(LinkError::NoInterface)?;
        if chosen.back.is_none() && !model.may_be_blind {
            return Err(LinkError::NoInterface);
        }
        if chosen.selects {
            let set = transport.set_alternate(chosen.interface, chosen.alternate);
            set.await?;
        }
        let packet = chosen.back.map_or(1, |e| usize::from(e.max_packet).max(1));
        let mut link = Self {
            transport,
            clock,
            model,
            interface: chosen.interface,
            write_to: chosen.out.address,
            packet: usize::from(chosen.out.max_packet),
            read_from: chosen.back.map(|e| e.address),
            quirks,
            blind: chosen.back.is_none(),
            port: None,
            read_max: packet.saturating_mul(1024_usize.div_ceil(packet)),
            parser: ReplyParser::default(),
            seen: VecDeque::new(),
            asb: None,
            alarm: None,
            gone: false,
            id: DeviceId::default(),
            fenced: false,
        };
        link.id = link.device_id(chosen.alternate).await;
        link.flush(until).await?;
        Ok(link)
    }

    /// Empties the printer's buffers: SOFT_RESET, stale replies drained, a page
    /// that was begun cancelled (CAN, ESC @), then GS a FF. Moves no paper.
    ///
    /// Where SOFT_RESET is refused, a command that was cut off still waits for its
    /// parameters and would swallow what follows: it is given NULs, which no
    /// printer prints, before the cancel. A slip station that a hand feeds must stop
    /// waiting before anything behind is obeyed, and ESC @, which drops its selection,
    /// is left to its driver, who knows whether a sheet is in it: ESC S instead.
    pub async fn flush(&mut self, until: Duration) -> Result<(), LinkError> {
        let was_reset = self.soft_reset().await?;
        let drained = self.clock.monotonic().saturating_add(DRAIN);
        while self.pump(drained).await? {}
        self.parser.reset();
        self.seen.clear();
        self.asb = None;
        self.alarm = None;
        let mut hello = Vec::new();
        if !was_reset {
            hello.resize(self.model.parameters_max, command::NUL);
        }
        let by_hand = !self.model.waits.is_empty();
        if by_hand {
            self.send(&std::mem::take(&mut hello), until).await?;
            self.stop_waiting(until).await?;
        }
        hello.push(command::CANCEL);
        hello.extend(match by_hand {
            true => command::STANDARD_MODE,
            false => command::INITIALISE,
        });
        hello.extend(command::SELECT_PRINTER);
        hello.extend(command::STATUS_BACK_ALL);
        self.send(&hello, until).await?;
        self.blind = self.read_from.is_none();
        if !self.blind {
            let soon = self.now().saturating_add(PUSHED_WITHIN);
            let soon = if self.model.may_be_blind {
                soon.min(until)
            } else {
                until
            };
            match self.wait(soon, |link| link.asb).await {
                Err(LinkError::Silent) if self.model.may_be_blind => self.blind = true,
                other => drop(other?),
            }
        }
        self.forget();
        self.look_at_port().await
    }

    /// What the port of a blind printer says.
    async fn look_at_port(&mut self) -> Result<(), LinkError> {
        if self.blind {
            self.port = self.port_status().await?.and_then(fault_of_port);
        }
        Ok(())
    }

    /// Whether it has a pipe to answer on.
    pub fn answers(&self) -> bool {
        self.read_from.is_some()
    }

    /// Whether it pushes no status: no fault means nothing then.
    pub fn is_blind(&self) -> bool {
        self.blind
    }

    /// What is known of this model.
    pub fn quirks(&self) -> Quirks {
        self.quirks
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
        if self.blind {
            return self.port;
        }
        (self.model.fault_of)(self.asb())
    }

    /// The fault now, or one that was pushed since [`Link::forget`] and is over:
    /// somebody may have had their hands in the printer.
    pub fn alarm(&self) -> Option<PrintFault> {
        self.fault().or(self.alarm)
    }

    /// Time since the clock's start, for deadlines.
    pub fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Lets time pass without talking.
    pub async fn rest(&self, wait: Duration) {
        self.clock.sleep(wait).await;
    }

    /// Gives the handle up: its printer cannot be trusted until it is reopened.
    pub fn fence(&mut self) {
        self.fenced = true;
    }

    /// Takes in one transfer of replies; `false` once `until` has come, even if
    /// something was taken in: look at what came before giving up.
    pub async fn pump(&mut self, until: Duration) -> Result<bool, LinkError> {
        let Some(transfer) = self.receive(until).await? else {
            return Ok(false);
        };
        let mut replies = Vec::new();
        self.parser.feed(&transfer.bytes, &mut replies);
        for reply in replies {
            if let Reply::Asb(asb) = reply {
                self.asb = Some(asb);
                self.alarm = (self.model.fault_of)(asb).or(self.alarm);
                self.gone |= !asb.sheet_in_path();
            }
            if self.seen.len() >= SEEN_MAX {
                self.seen.pop_front();
            }
            self.seen.push_back(reply);
        }
        Ok(self.now() < until)
    }

    /// Takes in whatever was pushed meanwhile, without waiting.
    pub async fn look(&mut self) -> Result<(), LinkError> {
        let soon = self.now().saturating_add(Duration::from_millis(1));
        while self.pump(soon).await? {}
        self.look_at_port().await
    }

    /// Writes all of `bytes` before `until`, in chunks, from the offset reached.
    ///
    /// # Errors
    /// [`LinkError::Blocked`] when it stopped taking: at once if it pushed a
    /// fault, else at `until`.
    pub async fn send(&mut self, bytes: &[u8], until: Duration) -> Result<(), LinkError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let chunk = rest.get(..CHUNK_MAX.min(rest.len())).unwrap_or(rest);
            let taken = self.transmit(chunk, until).await?;
            let whole = taken >= chunk.len();
            rest = rest.get(taken..).unwrap_or_default();
            if whole {
                continue;
            }
            let soon = self.now().saturating_add(DRAIN);
            while self.pump(soon).await? {}
            self.look_at_port().await?;
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
        let found = self.wait(until, |link| {
            let found = link.next_of(&mut pick).map(Ok);
            found.or_else(|| link.alarm().map(Err))
        });
        found.await?.map_err(LinkError::Fault)
    }

    /// As [`Link::answer`], for questions a printer answers although it reports
    /// a fault.
    pub async fn answer_anyway<R>(
        &mut self,
        until: Duration,
        mut pick: impl FnMut(&Reply) -> Option<R>,
    ) -> Result<R, LinkError> {
        self.wait(until, |link| link.next_of(&mut pick)).await
    }

    fn next_of<R>(&mut self, pick: &mut impl FnMut(&Reply) -> Option<R>) -> Option<R> {
        while let Some(reply) = self.seen.pop_front() {
            if let Some(found) = pick(&reply) {
                return Some(found);
            }
        }
        None
    }

    /// Drops replies nobody waits for and faults that are over, so that what
    /// comes next belongs to the next act.
    pub fn forget(&mut self) {
        self.seen.clear();
        self.alarm = None;
        self.gone = !self.asb().sheet_in_path();
    }

    /// Takes in replies until `done` finds what it wants, asked before each one
    /// and once more at the end.
    ///
    /// # Errors
    /// [`LinkError::Silent`] at `until`.
    pub async fn wait<R>(
        &mut self,
        until: Duration,
        mut done: impl FnMut(&mut Self) -> Option<R>,
    ) -> Result<R, LinkError> {
        let mut late = false;
        loop {
            if let Some(found) = done(self) {
                return Ok(found);
            }
            if late {
                return Err(LinkError::Silent);
            }
            late = !self.pump(until).await?;
        }
    }
}

/// What the port of a receipt printer reports.
fn fault_of_port(status: PortStatus) -> Option<PrintFault> {
    if status.paper_empty() {
        Some(PrintFault::PaperOut)
    } else if status.error() {
        Some(PrintFault::HardwareError)
    } else if status.selected() {
        None
    } else {
        Some(PrintFault::Offline)
    }
}
