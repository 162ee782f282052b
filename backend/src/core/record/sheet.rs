//! Payment passwords (支付密码) of a sale's forms, and the sheet they are printed on (L7).
//!
//! No password is here: a keyed hash to check one by when its cheque is presented, and,
//! until the sheet's fate is known, an envelope only the service can open.

use std::fmt;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::sheet::SheetReason;
use serde::{Deserialize, Serialize};

use super::Record;
use super::bank::KeyedHash;
use crate::core::key::Table;

/// Largest envelope of one password in bytes.
pub const PASSWORD_ENVELOPE_MAX: usize = 128;

/// Where a sheet is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SheetStage {
    /// Made; nobody has seen a password of it.
    Made,
    /// Given to the kiosk under this public key, and to no other.
    Taken {
        /// X25519.
        key: [u8; 32],
    },
    /// Printed.
    Printed,
    /// Nothing on it holds.
    Cancelled(SheetReason),
}

/// The sheet of one sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetRow {
    /// Whose.
    pub sale: SaleId,
    /// Where it is in its life.
    pub stage: SheetStage,
    /// Passwords ever made for it.
    pub made: u32,
    /// Passwords that hold: rows of [`PasswordRow`] with this sale.
    pub live: u32,
}

/// The password of one form; gone with the form, or with the sheet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordRow {
    /// Which form.
    pub number: BillNumber,
    /// Of which sale.
    pub sale: SaleId,
    /// Keyed hash of number and password.
    pub check: KeyedHash,
    /// The password encrypted for this form; empty once it is printed.
    pub envelope: Vec<u8>,
}

impl fmt::Debug for PasswordRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordRow({} of {})", self.number, self.sale)
    }
}

impl Record for SheetRow {
    const TABLE: Table = Table::Sheet;
}

impl Record for PasswordRow {
    const TABLE: Table = Table::Password;
}
