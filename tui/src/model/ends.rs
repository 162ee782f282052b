//! Why a sale ended early, and why a kiosk cannot sell.

use counterfoil_data::bill::BillKind;
use serde::Serialize;

/// Where the receipt is when the sale is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ReceiptOut {
    /// Printed, and with the customer as far as the printer sees.
    Printed,
    /// Nobody took it; the printer has it.
    DrawnBack,
    /// None came out, or not a whole one.
    NotPrinted,
}

/// Why a sale ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum StopReason {
    /// A rule refused.
    Refused,
    /// The information could not be verified and no attempts are left.
    NotVerified,
    /// Too many attempts; locked.
    Locked,
    /// The card's chip did not prove itself, or it is blocked.
    CardNotAuthentic,
    /// The document could not be authenticated.
    DocumentNotAuthentic,
    /// The finger did not match and no attempts are left.
    NotIdentified,
    /// The officer denied.
    Denied,
    /// The officer did not answer.
    NoAnswer,
    /// The customer cancelled.
    Cancelled,
    /// The customer was silent.
    TimedOut,
    /// The bank cannot be reached.
    Offline,
    /// Linked, but no form was handed over, and every fee came back.
    NothingSold,
    /// Broken off after linking; staff will finish it.
    Suspended,
    /// A device failed before anything was sold.
    Device,
}

/// Why a kiosk cannot sell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ServiceFault {
    /// The bank cannot be reached.
    Offline,
    /// The backend does not know this kiosk's key.
    NotEnrolled,
    /// A device is missing or failed; its name on the desk.
    Device(String),
    /// A slot is locked after a wrong number.
    SlotLocked(BillKind),
    /// The outcome journal cannot be written.
    Journal,
    /// The evidence log at the backend is shorter than what this kiosk saw.
    LogShrunk,
    /// The bank's books were put back to an earlier day, and this kiosk saw a later one,
    /// or has not shown that it did not.
    BooksBehind,
    /// A keyboard is plugged in that is not on the list of allowed devices.
    ForeignKeyboard,
}
