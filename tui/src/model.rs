//! What a kiosk screen says, before it is drawn: masked, serialisable models.
//!
//! The flow makes one [`KioskScreen`] per change and sends it through one bounded
//! channel; the screen modules draw it, and a second viewer (teller assist) may
//! be given the same. So nothing secret may ever be a field here (I7). The
//! names of [`Body`]'s variants are public and versioned: `.play` scripts name
//! them (`expect screen PickOrder`).

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::locale::Msg;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::problem::{Remedy, RuleRefusal};
use counterfoil_data::wire::sale::{FingerPosition, Offer, OrderView, PurchaseMode, Receipt};
use counterfoil_data::wire::sheet::{SheetReason, SheetView};
use serde::Serialize;

mod advice;
mod ends;
mod hand;
mod typed;

pub use advice::{CardProblem, DocumentProblem, FingerAdvice, LeftBehind};
pub use ends::{ReceiptOut, ServiceFault, StopReason};
pub use hand::{HandForm, InsertProblem, NumberProblem, Out};
pub use typed::{FieldProblem, TypedNumber};

/// The language of one session; a value, never a global.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Language {
    /// 简体中文.
    ZhHans,
    /// English.
    En,
}

/// One masked screen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KioskScreen {
    /// Language of the session.
    pub language: Language,
    /// Step of the sale (from 1) and how many there are; `None` outside a sale.
    pub step: Option<(u8, u8)>,
    /// Shown only in the last 15 seconds before the screen gives up.
    pub seconds_left: Option<u32>,
    /// The link to the bank is down.
    pub offline: bool,
    /// The screen itself.
    pub body: Body,
}

/// The screens of the kiosk.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Body {
    /// Asking the backend who we are; first frame.
    Starting,
    /// Nobody is here.
    Attract {
        /// Name of the branch.
        branch: String,
        /// The last customer's document still lies on the reader, or a card is in.
        left_behind: Vec<LeftBehind>,
    },
    /// S2: pick a purchase mode.
    PickMode {
        /// Modes offered.
        modes: Vec<PurchaseMode>,
        /// Index of the focused one.
        focus: usize,
        /// The bank did not answer to the choice yet.
        connecting: bool,
    },
    /// PM1: insert the settlement card.
    InsertCard {
        /// What was wrong with the last try.
        problem: Option<CardProblem>,
    },
    /// Reading the chip.
    ReadingCard,
    /// PM1: type the PIN on the pad.
    EnterPin {
        /// Digits typed so far (a count, never the digits).
        digits: u8,
        /// Attempts left after a wrong one.
        attempts_left: Option<u32>,
    },
    /// PM2: type the account number on the keyboard.
    EnterAccount {
        /// As typed so far.
        typed: TypedNumber,
        /// What is wrong with the last key.
        problem: Option<FieldProblem>,
        /// Attempts left after a wrong one.
        attempts_left: Option<u32>,
    },
    /// PM2: type the payment password on the keyboard.
    EnterPassword {
        /// Digits typed so far (a count, never the digits).
        digits: u8,
        /// What is wrong with the last key.
        problem: Option<FieldProblem>,
        /// Attempts left after a wrong one.
        attempts_left: Option<u32>,
    },
    /// Waiting for message 1 (S4).
    CheckingInfo,
    /// S10: lay the ID card on the reader.
    PlaceDocument {
        /// Name of the unit, from message 1.
        unit: String,
        /// What was wrong with the last try.
        problem: Option<DocumentProblem>,
    },
    /// Reading and authenticating the document (S16).
    ReadingDocument,
    /// S11: put a finger on the sensor; only after S16.
    PlaceFinger {
        /// What to do better.
        advice: Option<FingerAdvice>,
        /// Attempts left after a wrong one.
        attempts_left: Option<u32>,
    },
    /// Uploading the image.
    ReadingFinger {
        /// 0 to 100.
        percent: u8,
    },
    /// Waiting for message 2 (S14).
    CheckingIdentity,
    /// S6: choose kinds and quantities.
    PickOrder {
        /// Name of the unit.
        unit: String,
        /// Masked account.
        account_masked: String,
        /// Masked agent.
        agent_masked: String,
        /// What is on offer.
        offers: Vec<Offer>,
        /// Quantity chosen per offer, same order.
        quantities: Vec<u32>,
        /// Index of the focused offer; one past the last is the confirm button.
        focus: usize,
        /// Fee of this choice.
        fee: Fen,
        /// Why the last order was refused, or what the officer asked.
        notice: Option<OrderNotice>,
    },
    /// S13: so large an order needs another enrolled finger.
    PlaceOtherFinger {
        /// Any of these will do.
        fingers: Vec<FingerPosition>,
        /// Forms ordered, all kinds together.
        forms: u32,
        /// What to do better.
        advice: Option<FingerAdvice>,
        /// Attempts left after one that did not match.
        attempts_left: Option<u32>,
    },
    /// S17-S22: the confirming officer looks.
    AwaitConfirm {
        /// What the officer sees.
        order: OrderView,
        /// It is not what was confirmed before: the numbers or the fee have moved.
        moved: bool,
    },
    /// Linked processing (S7).
    Linking,
    /// S9: forms are printed one by one.
    Dispensing {
        /// Requisition number.
        requisition: String,
        /// Forms printed so far.
        printed: u32,
        /// Forms of this sale, supplements included.
        total: u32,
        /// The form being worked on.
        current: Option<BillNumber>,
        /// What is being done to it.
        phase: FormPhase,
        /// Forms that came to nothing so far.
        spoiled: Vec<BillNumber>,
        /// Forms nobody can account for; staff will.
        unknown: Vec<BillNumber>,
    },
    /// Take the bundle.
    TakeForms {
        /// What lies there.
        ranges: Vec<BillRange>,
        /// How many.
        count: u32,
    },
    /// Printer fed by hand: staff get the blank ready; nothing is to be fed yet.
    PrepareForm {
        /// Which form of the sale.
        form: HandForm,
        /// Why it is asked for again.
        problem: Option<InsertProblem>,
        /// The number is in the books as being fed.
        fed: bool,
        /// Esc was pressed once.
        sure: bool,
    },
    /// Printer fed by hand: the form goes in now.
    InsertForm {
        /// Which form of the sale.
        form: HandForm,
        /// The printer sees it; else a person says so.
        sensed: bool,
    },
    /// A person reads the number of the form in the printer and types it, twice; the
    /// number that is expected is not on this screen.
    ReadNumber {
        /// The printer saw a form go in.
        sensed: bool,
        /// The second time.
        again: bool,
        /// What stands in the field.
        typed: String,
        /// What is wrong with it.
        problem: Option<NumberProblem>,
    },
    /// Printer fed by hand: one form comes out at the front.
    TakeForm {
        /// Its number, where it is certain.
        number: Option<BillNumber>,
        /// What it is.
        out: Out,
        /// A sensor saw it leave the printer.
        gone: bool,
        /// Whether a person must say that it was taken; else the printer sees it.
        by_word: bool,
    },
    /// Printing the payment-password sheet; nothing on it is ever shown (L7).
    PrintingSheet,
    /// Closing and printing the receipt.
    PrintingReceipt,
    /// A printer with a presenter hands it out.
    TakeReceipt {
        /// The payment-password sheet, and not the receipt.
        sheet: bool,
    },
    /// The sale is closed.
    Done {
        /// What the receipt says.
        receipt: Receipt,
        /// Where the receipt is.
        receipt_out: ReceiptOut,
        /// Take the card and document that still lie there.
        left_behind: Vec<LeftBehind>,
    },
    /// The sale ended before its time; nothing more is needed of the customer
    /// than the remedy says.
    Stopped {
        /// Why.
        why: StopReason,
        /// The rule, where one refused.
        rule: Option<RuleRefusal>,
        /// What to do.
        remedy: Remedy,
        /// Take the card and document that still lie there.
        left_behind: Vec<LeftBehind>,
    },
    /// Going on with a sale after a restart.
    Resuming {
        /// Printed so far.
        printed: u32,
        /// In all.
        total: u32,
    },
    /// The kiosk cannot sell.
    OutOfService {
        /// Why, for staff.
        why: ServiceFault,
    },
}

impl Body {
    /// Every public name, in the order of a sale.
    pub const NAMES: [&'static str; 31] = [
        "Starting",
        "Attract",
        "PickMode",
        "InsertCard",
        "ReadingCard",
        "EnterPin",
        "EnterAccount",
        "EnterPassword",
        "CheckingInfo",
        "PlaceDocument",
        "ReadingDocument",
        "PlaceFinger",
        "ReadingFinger",
        "CheckingIdentity",
        "PickOrder",
        "PlaceOtherFinger",
        "AwaitConfirm",
        "Linking",
        "Dispensing",
        "TakeForms",
        "PrepareForm",
        "InsertForm",
        "ReadNumber",
        "TakeForm",
        "PrintingSheet",
        "PrintingReceipt",
        "TakeReceipt",
        "Done",
        "Stopped",
        "Resuming",
        "OutOfService",
    ];

    /// The public name of the screen.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Attract { .. } => "Attract",
            Self::PickMode { .. } => "PickMode",
            Self::InsertCard { .. } => "InsertCard",
            Self::ReadingCard => "ReadingCard",
            Self::EnterPin { .. } => "EnterPin",
            Self::EnterAccount { .. } => "EnterAccount",
            Self::EnterPassword { .. } => "EnterPassword",
            Self::CheckingInfo => "CheckingInfo",
            Self::PlaceDocument { .. } => "PlaceDocument",
            Self::ReadingDocument => "ReadingDocument",
            Self::PlaceFinger { .. } => "PlaceFinger",
            Self::ReadingFinger { .. } => "ReadingFinger",
            Self::CheckingIdentity => "CheckingIdentity",
            Self::PickOrder { .. } => "PickOrder",
            Self::PlaceOtherFinger { .. } => "PlaceOtherFinger",
            Self::AwaitConfirm { .. } => "AwaitConfirm",
            Self::Linking => "Linking",
            Self::Dispensing { .. } => "Dispensing",
            Self::TakeForms { .. } => "TakeForms",
            Self::PrepareForm { .. } => "PrepareForm",
            Self::InsertForm { .. } => "InsertForm",
            Self::ReadNumber { .. } => "ReadNumber",
            Self::TakeForm { .. } => "TakeForm",
            Self::PrintingSheet => "PrintingSheet",
            Self::PrintingReceipt => "PrintingReceipt",
            Self::TakeReceipt { .. } => "TakeReceipt",
            Self::Done { .. } => "Done",
            Self::Stopped { .. } => "Stopped",
            Self::Resuming { .. } => "Resuming",
            Self::OutOfService { .. } => "OutOfService",
        }
    }
}

/// Why the order must be looked at again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OrderNotice {
    /// A rule refused it.
    Refused(RuleRefusal),
    /// The officer asked.
    Asked(String),
    /// The numbers shown before have moved; look again.
    RangeMoved,
    /// Nothing was chosen.
    NothingChosen,
    /// So many need another enrolled finger, and the customer went back (S13).
    OtherFinger,
    /// That finger gave no image worth comparing.
    FingerPoor,
    /// The sensor failed.
    FingerFault,
}

/// What is being done to the current form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FormPhase {
    /// Telling the backend; no feed before that is durable (I5).
    Asking,
    /// Feeding the blank.
    Feeding,
    /// Reading its number back.
    Reading,
    /// Ink.
    Printing,
    /// Bringing the bundle to the customer.
    Presenting,
    /// The link is down: waiting, no feed.
    Waiting,
    /// The printer does not answer or is jammed: waiting for staff.
    Attention,
}

/// What a customer is told whose payment passwords were cancelled with their sheet (L7).
pub fn sheet_help(sheet: Option<&SheetView>) -> Option<Msg> {
    match sheet?.reason? {
        SheetReason::NotPrinted => Some(Msg::SheetNotPrinted),
        SheetReason::Unknown => Some(Msg::SheetUnknown),
        SheetReason::NothingSold => None,
    }
}
