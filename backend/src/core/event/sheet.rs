//! What happens to the payment-password sheet of a sale (L7).

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::sheet::SheetReason;

use crate::core::command::PasswordLine;

/// A change of a sale's sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetChanged {
    /// Which sale.
    pub sale: SaleId,
    /// What happened.
    pub to: SheetChange,
}

/// What happened to a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetChange {
    /// A password was made for each of these forms; what the books keep of each.
    Made(Vec<PasswordLine>),
    /// It was given to its kiosk.
    Taken {
        /// The kiosk's public key.
        key: [u8; 32],
        /// Passwords on it.
        forms: u32,
    },
    /// It is in the customer's hand.
    Printed {
        /// Passwords on it.
        forms: u32,
    },
    /// No password of it holds any more.
    Cancelled {
        /// Passwords that held until now.
        forms: u32,
        /// Why.
        reason: SheetReason,
    },
}
