//! Events: everything that reaches the flow, in one order.

use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{SealKey, Sealed, SecretText};
use counterfoil_data::wire::confirm::Notice;
use counterfoil_data::wire::forms::FormsAnswer;
use counterfoil_data::wire::problem::{Problem, Remedy};
use counterfoil_data::wire::sale::{
    Authenticity, CardProof, DocumentFields, KioskView, LivePrint, SaleView,
};
use counterfoil_data::wire::sheet::SheetAnswer;
use jiff::Timestamp;

use super::effect::{Desk, Ticket};
use crate::cmd::Cmd;
use crate::model::{
    CardProblem, DocumentProblem, FieldProblem, FingerAdvice, InsertProblem, TypedNumber,
};

/// What the loop knows when it hands over an event.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Monotonic time, for deadlines.
    pub at: Duration,
    /// Wall time, to tell a late answer from a denial.
    pub wall: Timestamp,
    /// 128 fresh random bits; a sale opened by this event takes them as its id.
    pub chance: u128,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Event {
    /// The person did something.
    Cmd(Cmd),
    /// The step's deadline passed.
    Deadline,
    /// A desk answered; some requests are answered several times.
    Answered(Ticket, Answer),
    /// A device came or went.
    Device(Desk, DeviceState),
    /// A keyboard that is not this kiosk's was plugged in (`true`), or is gone.
    ForeignKeyboard(bool),
    /// The backend says that a sale changed.
    Changed(Change),
    /// The journal could not be written; the rest of the batch was not done.
    JournalFailed,
}

/// Whether a device can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Not looked for yet.
    Unknown,
    /// Open and answering.
    Ready,
    /// Not there, or fenced after an error.
    Missing,
}

/// Whether paper is in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// Nothing.
    Empty,
    /// Something.
    Occupied,
    /// A printer fed by hand has no sensor there: only a person can tell.
    Unsensed,
}

/// What the form printer says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrinterFacts {
    /// Between feeder and escrow.
    pub transport: Paper,
    /// Where printed forms are gathered.
    pub escrow: Paper,
    /// In the customer's reach.
    pub output: Paper,
    /// A fault that forbids the next feed.
    pub fault: bool,
    /// A person puts every form in and takes it out.
    pub by_hand: bool,
}

/// What a field shows of what is in it.
#[derive(Debug, Clone)]
pub enum Typed {
    /// The account number, to be compared with paper.
    Account(TypedNumber),
    /// How many digits of the payment password (I7).
    Password(u8),
}

/// The answers of all desks.
#[derive(Debug)]
pub enum Answer {
    /// Timer: the wait is over.
    Waited,
    /// Bank: who we are.
    Kiosk(Box<KioskView>),
    /// Bank: how the sale stands.
    Sale(Box<SaleView>),
    /// Bank: advices are durable.
    Forms(FormsAnswer),
    /// Bank: the payment-password sheet, sealed to the key offered (L7).
    Sheet(SheetAnswer),
    /// Bank: refused.
    Problem(Box<Problem>),
    /// Bank: no answer; whether it arrived is not known.
    Offline,

    /// Card: one is in.
    CardPresent,
    /// Card: read; its number sealed.
    CardRead {
        /// The number.
        card: Sealed<SecretText>,
        /// What the chip proved.
        proof: CardProof,
    },
    /// Card: something a person can do better.
    CardProblem(CardProblem),
    /// Card: its chip did not prove itself, or it is blocked.
    CardNotAuthentic,
    /// Card: none is in.
    CardRemoved,

    /// PIN pad: so many digits.
    PinDigits(u8),
    /// PIN pad: done, sealed inside the pad.
    PinDone(Sealed<SecretText>),
    /// PIN pad: the customer pressed cancel.
    PinCancelled,
    /// PIN pad: the customer was silent.
    PinTimedOut,

    /// Keyboard: what is in the field now, and what is wrong with the last key.
    Typed(Typed, Option<FieldProblem>),
    /// Keyboard: ended and sealed at the field.
    FieldDone(Sealed<SecretText>),

    /// What lies on the reader is not for this read: it must be lifted first.
    DocumentLies,
    /// Document: one lies there.
    DocumentPresent,
    /// Document: authentic (S16) and read.
    DocumentRead {
        /// Its fields, sealed.
        document: Sealed<DocumentFields>,
        /// The kiosk's signed assertion.
        authenticity: Authenticity,
    },
    /// Document: something a person can do better.
    DocumentProblem(DocumentProblem),
    /// Document: its authenticity could not be shown (S16).
    DocumentNotAuthentic,
    /// Document: none lies there.
    DocumentRemoved,

    /// Finger: on the sensor.
    FingerPresent,
    /// Finger: so much of the image is here, percent.
    FingerProgress(u8),
    /// Finger: captured, good enough, sealed.
    FingerCaptured(Sealed<LivePrint>),
    /// Finger: one lies there that was there before; nothing was captured.
    FingerLies,
    /// Finger: captured and not good enough.
    FingerPoor(FingerAdvice),

    /// Forms: what lies where.
    Printer(PrinterFacts),
    /// Forms: a blank is in the transport.
    Fed,
    /// Forms: no blank is in the transport.
    FeedFailed {
        /// Whether paper may have left the cassette.
        moved: bool,
        /// The cassette has no more.
        empty: bool,
        /// XFS4IoT's word.
        reason: String,
    },
    /// Forms: no form came in by hand, for this reason; nothing moved.
    NotInserted(InsertProblem),
    /// Forms: two reads agree.
    NumberRead(BillNumber),
    /// Forms: this printer reads no number; a person must.
    OperatorMustRead,
    /// Forms: the number cannot be read.
    NumberUnreadable(String),
    /// Forms: the printer says it is done; its fence.
    Printed(String),
    /// Forms: printing failed.
    PrintFailed {
        /// Whether ink may be on it.
        ink: bool,
        /// XFS4IoT's word.
        reason: String,
    },
    /// Forms: nobody can say whether it was printed.
    PrintUnknown(String),
    /// Forms: what lay in the transport is in the reject bin.
    Diverted,
    /// Forms: nothing lay in the transport.
    NothingToDivert,
    /// Forms: the bundle is in the customer's reach.
    Presented,
    /// Forms: the bundle was taken.
    Taken,
    /// Forms: the bundle still lies there.
    StillThere,
    /// Forms: this printer does not see whether its forms are taken.
    NotSensed,
    /// Forms: the bundle is in the retract bin.
    Retracted,

    /// Receipt: the printer can print; a key for the sheet, made for this once.
    SheetKey(SealKey),
    /// Receipt: out and cut; with a presenter, taken too.
    ReceiptPrinted,
    /// Receipt: in the customer's reach; how it ended comes under the same ticket.
    ReceiptInReach,
    /// Receipt: nobody took it, and it was drawn back.
    ReceiptDrawnBack,
    /// Receipt: not, or not whole; whether nothing at all came out.
    ReceiptFailed {
        /// Safe to try again.
        nothing: bool,
    },

    /// Any device: failed beyond what a customer can do.
    Fault(Remedy),
}

/// Something changed at the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// With this sale.
    Sale(Notice),
    /// Changes may have been missed: whatever is awaited must be looked at.
    Missed,
}

impl Change {
    /// Whether this sale may have changed.
    pub fn concerns(&self, sale: SaleId) -> bool {
        match self {
            Self::Sale(notice) => notice.sale == sale,
            Self::Missed => true,
        }
    }
}
