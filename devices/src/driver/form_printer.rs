//! The form printer (自助出票): feed one blank, read its number, compare, only
//! then ink; collect the bundle, present it, see it taken or retract it.
//!
//! Owns the order of acts on one sheet; a call out of order is refused, never
//! repaired. Numbered stock: nothing here ever tries again by itself, no DLE ENQ
//! 1 (which would eject and reload a numbered sheet) is ever sent, and a doubt is
//! reported as a doubt (I6). It does not decide what a fault means for the sale:
//! the kiosk's flow does, and it must have made `feeding` durable before
//! [`FormPrinter::feed`] (I5).
//!
//! After any failure the sheet stays where it is: call [`FormPrinter::divert`]
//! before the next feed. After a restart [`FormPrinter::status`] says what lies
//! where; a sheet this handle did not feed and read can only be diverted.
//!
//! Command family: see [`crate::twin::form_printer`], which says what is standard
//! and what is our choice. A feed slot's name ends in its number: `slot-2` is the
//! second cassette.

mod ink;
mod outcome;
pub mod page;
mod presenter;
pub(in crate::driver) mod reading;
mod report;

use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::Offset;
use counterfoil_data::ids::SlotId;
use counterfoil_data::seam::{Entropy, SharedClock, random};

pub use self::outcome::{
    Diverted, FeedError, FormPrinterStatus, Level, Occupancy, PrintOutcome, ReadError, Retraction,
    SlotStatus, Taking,
};
pub use self::page::{Placed, TypeSize};
pub use self::reading::READS_MAX;
use self::report::Mechanism;
use super::escpos::command;
pub use super::escpos::fault::PrintFault;
pub use super::escpos::link::LinkError;
use super::escpos::link::{Link, Model};
use super::escpos::reply::{Asb, Reply};
use crate::transport::{DeviceInfo, Transport};

/// Time for the hello: reset, first status, options.
pub const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// Slots at most: the feed command has one digit.
pub const SLOTS_MAX: u8 = 8;
/// Time for questions that move no paper.
const ASK: Duration = Duration::from_secs(3);

/// Whether this is a form printer (configured by its ids).
pub fn matches(info: &DeviceInfo) -> bool {
    (info.vendor, info.product) == (0x1209, 0x0002)
}

/// What a pushed status means on this model.
fn fault_of(asb: Asb) -> Option<PrintFault> {
    if asb.cover_open() {
        Some(PrintFault::CoverOpen)
    } else if asb.mechanical() {
        Some(PrintFault::MediaJammed)
    } else if asb.unrecoverable() {
        Some(PrintFault::HardwareError)
    } else if asb.end() {
        Some(PrintFault::InkOut)
    } else if asb.offline() {
        Some(PrintFault::Offline)
    } else {
        None
    }
}

/// What the link must know.
const MODEL: Model = Model {
    fault_of,
    parameters_max: command::FORM_PARAMETERS_MAX,
    may_be_blind: false,
    waits: &[],
};

/// What this handle knows about the sheet in the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sheet {
    /// Nothing, or something this handle did not feed.
    Stranger,
    /// Fed here, number not read.
    Fed,
    /// Fed and read here.
    Read(BillNumber),
    /// Fed here, and no number could be read: plain paper, or a spoiled blank.
    Plain,
}

/// An open form printer.
pub struct FormPrinter<T> {
    link: Link<T>,
    sheet: Sheet,
    fences: u32,
    /// The bundle was seen in the output and not seen to leave it.
    shown: bool,
    offsets: BTreeMap<SlotId, Offset>,
}

impl<T: Transport> FormPrinter<T> {
    /// Claims the printer, empties its buffers, turns pushed status on. Moves no
    /// paper, whatever lies in it. Fence ids start at random: one that an earlier
    /// handle left queued must not prove a form of this one.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        entropy: &dyn Entropy,
    ) -> Result<Self, LinkError> {
        let until = clock.monotonic().saturating_add(OPEN_WITHIN);
        let mut printer = Self {
            link: Link::open(transport, clock, MODEL, OPEN_WITHIN).await?,
            sheet: Sheet::Stranger,
            fences: u32::from_le_bytes(random(entropy)),
            shown: false,
            offsets: BTreeMap::new(),
        };
        printer.set_up(until).await?;
        Ok(printer)
    }

    /// With what the calibration of each slot found.
    #[must_use]
    pub fn with_offsets(mut self, offsets: BTreeMap<SlotId, Offset>) -> Self {
        self.offsets = offsets;
        self
    }

    fn offset(&self, slot: &SlotId) -> Offset {
        self.offsets.get(slot).copied().unwrap_or_default()
    }

    /// Reading options, and a fence of its own: when it is back, nothing queued
    /// earlier is left. With a fault it would be held back, and every question
    /// behind it: then the emptied buffers have to do.
    async fn set_up(&mut self, until: Duration) -> Result<(), LinkError> {
        self.link.forget();
        if self.link.fault().is_none() {
            match self.fenced(&command::READ_OPTIONS, until).await {
                Err(LinkError::Fault(_)) => self.link.flush(until).await?,
                other => return other.map(drop),
            }
        }
        self.link.send(&command::READ_OPTIONS, until).await
    }

    /// Forgets everything queued: what is left of a failed act must not move
    /// paper later, when a cover is closed or a jam is cleared. A printer that
    /// cannot be emptied is fenced.
    async fn start_over(&mut self) {
        let until = self.link.now().saturating_add(OPEN_WITHIN);
        let emptied = match self.link.flush(until).await {
            Ok(()) => self.set_up(until).await,
            Err(e) => Err(e),
        };
        if emptied.is_err() {
            self.link.fence();
        }
    }

    /// What lies where now. Nothing about the past is invented.
    pub async fn status(&mut self) -> Result<FormPrinterStatus, LinkError> {
        self.link.look().await?;
        let mechanism = self.mechanism().await?;
        let presenter = self.presenter().await?;
        let asb = self.link.asb();
        Ok(FormPrinterStatus {
            slots: mechanism.slots,
            retracted_bundles: mechanism.retracted_bundles,
            transport: Occupancy::of(asb.sheet_in_path()),
            escrow: Occupancy::of(presenter.escrow),
            output: Occupancy::of(presenter.output),
            jam: asb.mechanical() || presenter.jam,
            fault: fault_of(asb),
        })
    }

    /// Feeds one blank from `slot` to the reader. The caller has made `feeding`
    /// durable (I5).
    pub async fn feed(&mut self, slot: &SlotId, within: Duration) -> Result<(), FeedError> {
        let nothing = |fault| FeedError::NothingFed { fault };
        let until = self.link.now().saturating_add(within);
        let number = slot_number(slot).ok_or(nothing(PrintFault::SourceInvalid))?;
        self.link.look().await.map_err(|e| nothing(e.fault()))?;
        if self.link.asb().sheet_in_path() {
            return Err(nothing(PrintFault::MediaRetained));
        }
        if let Some(fault) = self.link.fault() {
            return Err(nothing(fault));
        }
        self.sheet = Sheet::Stranger;
        let fed = self.pull(number, until).await;
        if fed.is_err() {
            self.start_over().await;
        } else {
            self.sheet = Sheet::Fed;
        }
        fed
    }

    async fn pull(&mut self, slot: u8, until: Duration) -> Result<(), FeedError> {
        let nothing = |fault| FeedError::NothingFed { fault };
        self.link.forget();
        let select = self.link.send(&command::SELECT_SLIP, until).await;
        select.map_err(|e| nothing(e.fault()))?;
        let moved = |e: LinkError| match e {
            LinkError::Blocked { accepted: 0, fault } => {
                nothing(fault.unwrap_or(PrintFault::Timeout))
            }
            e => FeedError::MayHaveMoved { fault: e.fault() },
        };
        let sent = self.link.send(&command::feed_from(slot), until).await;
        sent.map_err(moved)?;
        let result = self.link.answer(until, report::feeder).await;
        let told = report::fed(result.map_err(moved)?);
        if told.is_err() {
            // One byte without a checksum is no proof that nothing moved.
            self.link.look().await.map_err(moved)?;
            if self.link.asb().sheet_in_path() {
                return told.map_err(|told| FeedError::MayHaveMoved {
                    fault: told.fault(),
                });
            }
        }
        told
    }

    /// Reads the number of the sheet in the transport: two readings that agree,
    /// [`READS_MAX`] tries.
    pub async fn read_number(&mut self, within: Duration) -> Result<BillNumber, ReadError> {
        let until = self.link.now().saturating_add(within);
        self.link.look().await.map_err(|e| ReadError::of(&e))?;
        if !self.link.asb().sheet_in_path() {
            return Err(ReadError::Printer {
                fault: PrintFault::NoMediaPresent,
            });
        }
        if self.sheet != Sheet::Stranger {
            self.sheet = Sheet::Fed;
        }
        self.link.forget();
        let read = reading::agreed_number(&mut self.link, false, until).await;
        match read {
            Ok(number) if self.sheet == Sheet::Fed => self.sheet = Sheet::Read(number),
            Err(ReadError::Unreadable { .. }) if self.sheet == Sheet::Fed => {
                self.sheet = Sheet::Plain;
            }
            Ok(_) | Err(ReadError::Unreadable { .. }) => {}
            Err(ReadError::Printer { .. }) => self.start_over().await,
        }
        read
    }

    /// `bytes` and a fence; the fence's own frame when it came back.
    async fn fenced(&mut self, bytes: &[u8], until: Duration) -> Result<Vec<u8>, LinkError> {
        self.fences = self.fences.wrapping_add(1);
        let id = command::fence_id(b'F', self.fences);
        let bytes = [bytes, command::fence(id).as_slice()].concat();
        self.link.send(&bytes, until).await?;
        let came = |r: &Reply| matches!(r, Reply::Tagged(0x22, got) if *got == id).then_some(());
        self.link.answer(until, came).await?;
        Ok([&[0x37, 0x22], id.as_slice(), &[0]].concat())
    }

    /// Sends whatever lies in the transport to the reject bin.
    pub async fn divert(&mut self, within: Duration) -> Result<Diverted, PrintFault> {
        let until = self.link.now().saturating_add(within);
        self.sheet = Sheet::Stranger;
        self.link.look().await.map_err(|e| e.fault())?;
        if !self.link.asb().sheet_in_path() {
            return Ok(Diverted::NothingThere);
        }
        let gone = self.push_out(until).await;
        if gone.is_err() {
            self.start_over().await;
        }
        gone.map(|()| Diverted::ToReject)
    }

    async fn push_out(&mut self, until: Duration) -> Result<(), PrintFault> {
        let sent = self.link.send(&command::EJECT_TO_REJECT, until).await;
        sent.map_err(|e| e.fault())?;
        let gone = self.link.wait(until, |link| {
            let stuck = |f: &PrintFault| *f != PrintFault::InkOut;
            if link.asb().sheet_in_path() {
                link.fault().filter(stuck).map(Err)
            } else {
                Some(Ok(()))
            }
        });
        gone.await.map_err(|e| e.fault())?
    }

    /// FS ( S fn 49; answered although a fault is reported.
    async fn mechanism(&mut self) -> Result<Mechanism, LinkError> {
        let until = self.link.now().saturating_add(ASK);
        self.link.look().await?;
        self.link.forget();
        self.link.send(&command::MECHANISM_REPORT, until).await?;
        self.link.answer_anyway(until, report::mechanism).await
    }
}

/// The number a slot's name ends in, 1 to [`SLOTS_MAX`].
fn slot_number(slot: &SlotId) -> Option<u8> {
    let (_, digits) = slot.as_str().rsplit_once('-')?;
    let number = digits.parse().ok()?;
    (1..=SLOTS_MAX).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests;
