//! What becomes of one form of a sale.

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::forms::FormState;

/// A form's change, with what follows from it for money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormChanged {
    /// Which sale.
    pub sale: SaleId,
    /// Which form.
    pub number: BillNumber,
    /// Its state from now on.
    pub to: FormState,
    /// The outcome heard, as a bit of `FormRow::heard`.
    pub heard: u8,
    /// The number read instead, after a mismatch.
    pub read: Option<BillNumber>,
    /// Whether ink may be on it, after a failure.
    pub ink: Option<bool>,
    /// The words of the device; no personal data.
    pub words: String,
    /// Fee given back in the same commit.
    pub reversed: Option<Fen>,
}
