//! Effects: what the flow wants done, as values.
//!
//! The loop performs them; a test reads them. Every effect carries a [`Ticket`],
//! and its answer comes back under the same ticket, so that an answer to a
//! request nobody waits for any more is dropped by comparison, not by luck.

use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, SealKey, Sealed};
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::forms::{FormAdvice, FormAdvices};
use counterfoil_data::wire::sale::{
    Abandon, Close, IdentityHead, LivePrint, OpenSale, Order, PrintJob, Receipt, TreeSeen,
    VerificationInfo,
};
use counterfoil_data::wire::sheet::{PasswordSheet, TakeSheet};
use serde::{Deserialize, Serialize};

use crate::model::Language;

/// Whom an effect is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Desk {
    /// The backend.
    Bank,
    /// The loop's timer.
    Timer,
    /// The outcome journal.
    Journal,
    /// The card reader.
    Card,
    /// The PIN pad.
    PinPad,
    /// The ID reader.
    Document,
    /// The finger sensor.
    Finger,
    /// The form printer.
    Forms,
    /// The receipt printer.
    Receipt,
    /// The keyboard's field (PM2); a part of the loop, not a device.
    Keyboard,
}

impl Desk {
    /// The six devices, in the order staff check them.
    pub const DEVICES: [Self; 6] = [
        Self::Card,
        Self::PinPad,
        Self::Document,
        Self::Finger,
        Self::Forms,
        Self::Receipt,
    ];

    /// The name on the desk, as twins and staff use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::Timer => "timer",
            Self::Journal => "journal",
            Self::Card => "card-reader",
            Self::PinPad => "pin-pad",
            Self::Document => "id-reader",
            Self::Finger => "finger",
            Self::Forms => "form-printer",
            Self::Receipt => "receipt-printer",
            Self::Keyboard => "keyboard",
        }
    }
}

/// One request to one desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ticket {
    /// Whom it was for.
    pub desk: Desk,
    /// Counts up over all desks.
    pub generation: u64,
}

/// One thing to do.
#[derive(Debug, Clone)]
pub struct Effect {
    /// Under which its answers come back.
    pub ticket: Ticket,
    /// What to do.
    pub act: Act,
}

/// Under what a device worker seals what it read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealing {
    /// This sale and this attempt.
    pub binding: Binding,
    /// The backend's key.
    pub key: SealKey,
}

/// What is typed into a field of the keyboard (PM2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The account number; kept until the field is stopped, so that it can be
    /// corrected after the password was refused.
    Account,
    /// The payment password; kept for nothing.
    Password,
}

/// What is written down before it is acted on (fsync), for a restart (I6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "wrote", deny_unknown_fields)]
pub enum Record {
    /// `link` is about to be sent under this key. Its presence proves that the
    /// journal reaches back to the start of this sale's paper.
    Linking {
        /// The sale.
        sale: SaleId,
        /// The idempotency key.
        key: String,
    },
    /// This form is about to be fed; without this record its paper never moved.
    Firing {
        /// The sale.
        sale: SaleId,
        /// The form.
        number: BillNumber,
    },
    /// An outcome that was known, maybe not yet acknowledged.
    Outcome {
        /// The sale.
        sale: SaleId,
        /// What happened.
        advice: FormAdvice,
    },
    /// The payment-password sheet came out whole (L7).
    SheetPrinted {
        /// The sale.
        sale: SaleId,
    },
    /// The largest evidence log that was seen; it outlives every sale, and makes books
    /// visible that were put back to an earlier day (I8).
    Seen {
        /// Its size and root.
        tree: TreeSeen,
    },
}

/// The vocabulary of effects.
#[derive(Debug, Clone)]
pub enum Act {
    /// Answer `Waited` after so long.
    Wait(Duration),
    /// Ask the backend.
    Bank(Box<BankCall>),
    /// Wait for a card, read it, seal its number.
    ReadCard(Sealing),
    /// Seal the number of the card that was read, once more.
    SealCard(Sealing),
    /// Answer `CardRemoved` once no card is in.
    WatchCard,
    /// PIN entry inside the pad.
    StartPin(Sealing),
    /// Digits from the keyboard, sealed at the field (PM2).
    TypeInto(Field, Sealing),
    /// Wait for a document, authenticate it (S16), read it, seal it.
    ReadDocument(Sealing),
    /// Seal the document that was read, once more, under a new challenge.
    SealDocument(Sealing),
    /// Answer `DocumentRemoved` once none lies there.
    WatchDocument,
    /// Arm the sensor, wait for a finger, capture, judge, seal. Only after S16, and again
    /// for a large order (S13).
    CaptureFinger(Sealing),
    /// What lies where in the form printer.
    PrinterStatus,
    /// Feed one blank, if the printer can print this job at all. Only after `Feeding`
    /// is durable (I5).
    Feed(Box<PrintJob>),
    /// The same where a hand feeds: wait for it this long.
    AwaitInsert(Box<PrintJob>, Duration),
    /// Read the number of the sheet in the transport.
    ReadNumber,
    /// What the operator typed, twice, for the form in a printer that cannot read.
    OperatorReads {
        /// The first time.
        first: BillNumber,
        /// The second time.
        again: BillNumber,
    },
    /// Ink. Only after the number was read and is equal (S9).
    Print {
        /// What to print.
        job: Box<PrintJob>,
        /// What the officer confirmed.
        approved: Box<ConfirmText>,
    },
    /// The sheet in the transport into the reject bin.
    Divert,
    /// The bundle to the customer.
    Present,
    /// Answer `Taken` or `StillThere`.
    AwaitTaken(Duration),
    /// The bundle into the retract bin.
    Retract,
    /// Look whether the receipt printer can print, and answer a key for the sheet (L7).
    OfferSheetKey,
    /// Open the payment-password sheet with the key that was offered, and print it.
    PrintSheet {
        /// Sealed to that key.
        sheet: Sealed<PasswordSheet>,
        /// To this sale.
        binding: Binding,
        /// Requisition number (领用单号).
        requisition: String,
        /// In which language.
        language: Language,
    },
    /// Print the receipt.
    PrintReceipt {
        /// What it says.
        receipt: Box<Receipt>,
        /// In which language.
        language: Language,
    },
    /// Nobody waits for this desk's answer any more.
    Stop,
    /// Forget everything of this customer (I10).
    WipeSession,
    /// Append and sync; the rest of the batch waits for it, and is dropped if
    /// it fails.
    Remember(Record),
    /// Everything remembered was acknowledged: nothing but the largest log seen is kept,
    /// if one was.
    Forget(Option<TreeSeen>),
}

impl Act {
    /// The public name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Wait(_) => "Wait",
            Self::Bank(call) => call.name(),
            Self::ReadCard(_) => "ReadCard",
            Self::SealCard(_) => "SealCard",
            Self::WatchCard => "WatchCard",
            Self::StartPin(_) => "StartPin",
            Self::TypeInto(Field::Account, _) => "TypeAccount",
            Self::TypeInto(Field::Password, _) => "TypePassword",
            Self::ReadDocument(_) => "ReadDocument",
            Self::SealDocument(_) => "SealDocument",
            Self::WatchDocument => "WatchDocument",
            Self::CaptureFinger(_) => "CaptureFinger",
            Self::PrinterStatus => "PrinterStatus",
            Self::Feed(_) => "Feed",
            Self::AwaitInsert(..) => "AwaitInsert",
            Self::ReadNumber => "ReadNumber",
            Self::OperatorReads { .. } => "OperatorReads",
            Self::Print { .. } => "Print",
            Self::Divert => "Divert",
            Self::Present => "Present",
            Self::AwaitTaken(_) => "AwaitTaken",
            Self::Retract => "Retract",
            Self::OfferSheetKey => "OfferSheetKey",
            Self::PrintSheet { .. } => "PrintSheet",
            Self::PrintReceipt { .. } => "PrintReceipt",
            Self::Stop => "Stop",
            Self::WipeSession => "WipeSession",
            Self::Remember(_) => "Remember",
            Self::Forget(_) => "Forget",
        }
    }
}

/// One call of the backend.
#[derive(Debug, Clone)]
pub enum BankCall {
    /// `GET /v1/kiosk`, with the largest log that was seen.
    Kiosk(Option<TreeSeen>),
    /// `GET /v1/sales/{id}`.
    View(SaleId),
    /// `POST /v1/sales`.
    OpenSale(OpenSale),
    /// `POST …/info` (S3).
    SubmitInfo(SaleId, VerificationInfo),
    /// `POST …/identity` (S12).
    SubmitIdentity(SaleId, IdentityHead, Sealed<LivePrint>),
    /// `POST …/finger` (S13): another enrolled finger for a large order.
    SubmitFinger(SaleId, Sealed<LivePrint>),
    /// `POST …/order` (S6).
    PlaceOrder(SaleId, Order),
    /// `POST …/link` (S7) under an idempotency key.
    Link(SaleId, String),
    /// `POST …/forms`.
    Advise(SaleId, FormAdvices),
    /// `POST …/cancel` under an idempotency key.
    Cancel(SaleId, String),
    /// `POST …/sheet`.
    TakeSheet(SaleId, TakeSheet),
    /// `POST …/abandon` under an idempotency key.
    Abandon(SaleId, Abandon, String),
    /// `POST …/close` under an idempotency key.
    CloseSale(SaleId, Close, String),
}

impl BankCall {
    /// The public name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Kiosk(_) => "Kiosk",
            Self::View(_) => "View",
            Self::OpenSale(_) => "OpenSale",
            Self::SubmitInfo(..) => "SubmitInfo",
            Self::SubmitIdentity(..) => "SubmitIdentity",
            Self::SubmitFinger(..) => "SubmitFinger",
            Self::PlaceOrder(..) => "PlaceOrder",
            Self::Link(..) => "Link",
            Self::Advise(..) => "Advise",
            Self::Cancel(..) => "Cancel",
            Self::TakeSheet(..) => "TakeSheet",
            Self::Abandon(..) => "Abandon",
            Self::CloseSale(..) => "CloseSale",
        }
    }
}
