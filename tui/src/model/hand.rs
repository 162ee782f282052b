//! What a person does at a form printer that is fed by hand, or that reads no number.

use counterfoil_data::bill::{BillKind, BillNumber};
use serde::Serialize;

/// The form that is wanted next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HandForm {
    /// Its kind, by its number.
    pub kind: Option<BillKind>,
    /// The number the bank assigned.
    pub number: BillNumber,
    /// Which of the sale, from 1.
    pub nth: u32,
    /// Forms of the sale, supplements included.
    pub total: u32,
}

/// Why no form came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum InsertProblem {
    /// Nobody put one in.
    Nothing,
    /// A sheet lies in the printer already.
    Retained,
    /// The printer has a fault that a person can mend.
    Trouble,
}

/// What is wrong with a number that was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum NumberProblem {
    /// A key that is no digit.
    NotADigit,
    /// Not 16 digits.
    Length,
    /// No form has such a number.
    NoSuchNumber,
    /// The two times differ.
    Differ {
        /// Tries left.
        left: u32,
    },
    /// Esc was pressed once: is it really not to be read?
    Unreadable,
}

/// What comes out at the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Out {
    /// Printed, for the customer.
    Printed,
    /// It has another number; no ink.
    Wrong,
    /// Of no use.
    Spoiled,
    /// Nobody knows its number, or what became of it.
    Doubtful,
}
