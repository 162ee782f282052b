//! What the service drew for a command; the core only keeps it.

use std::fmt;

use counterfoil_data::bill::BillNumber;

use crate::core::record::bank::KeyedHash;

/// A payment password as the books may have it: the password itself is not here (I7).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordLine {
    /// For which form.
    pub number: BillNumber,
    /// Keyed hash of number and password.
    pub check: KeyedHash,
    /// The password, encrypted for this form.
    pub envelope: Vec<u8>,
}

impl fmt::Debug for PasswordLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordLine({})", self.number)
    }
}
