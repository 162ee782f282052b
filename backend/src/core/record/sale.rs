//! The record of one sale: all that its gates have proven, and its forms.

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::{AgentId, BranchId, KioskId, SaleId, SlotId, StaffId, UnitId};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::confirm::{ConfirmState, ConfirmText};
use counterfoil_data::wire::custody::Mark;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::problem::RuleRefusal;
use counterfoil_data::wire::sale::{FingerPosition, OrderItem, PurchaseMode, SaleState};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Record;
use super::bank::{CardTrust, KeyedHash};
use crate::core::key::Table;

/// Forms given in place of spoiled ones, per sale at most.
pub const SUPPLEMENTS_MAX: u32 = 5;

/// Officers remembered as having opened one confirmation; the oldest is forgotten.
pub const SEEN_BY_MAX: usize = 16;

/// One sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleRow {
    /// Which.
    pub sale: SaleId,
    /// At which kiosk.
    pub kiosk: KioskId,
    /// In which branch.
    pub branch: BranchId,
    /// The mode picked (S2).
    pub mode: PurchaseMode,
    /// Where it stands.
    pub state: SaleState,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When something last happened to it.
    pub heard_at: Timestamp,
    /// When it gives up, or silence becomes a denial; the row in the timer table.
    pub deadline: Option<Timestamp>,
    /// To seal the next secret under.
    pub challenge: [u8; 16],
    /// Attempts counted at the first gate.
    pub info_attempts: u32,
    /// Attempts counted at the second gate.
    pub identity_attempts: u32,
    /// Attempts counted with a second finger.
    pub finger_attempts: u32,
    /// The attempt that awaits its settlement.
    pub pending: Option<Pending>,
    /// What the first gate proved (S4).
    pub info: Option<InfoProven>,
    /// What the second gate proved (S14).
    pub identity: Option<IdentityProven>,
    /// A second finger, for a large order.
    pub second_finger: Option<SecondFingerProven>,
    /// The rule that refused last.
    pub refusal: Option<RuleRefusal>,
    /// The order, as shown to the officer.
    pub order: Option<OrderRow>,
    /// The officer's side.
    pub confirm: Option<ConfirmRow>,
    /// Linked processing.
    pub linked: Option<LinkedRow>,
    /// Every form of this sale, in feed order, supplements last.
    pub forms: Vec<FormRow>,
    /// Index of the closing leaf.
    pub closing_leaf: Option<u64>,
    /// The keyed commands that were done, to answer them again for ever.
    pub keyed: Vec<KeyedRow>,
}

/// A keyed command that was done: what is left of it when its stored answer is
/// forgotten. At most one of each act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedRow {
    /// Which act.
    pub act: KeyedAct,
    /// Digest of signer and key.
    pub key: Digest,
    /// Digest of the request.
    pub request: Digest,
    /// State of the sale after it.
    pub state: SaleState,
}

/// Acts that move money or custody by a client's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyedAct {
    /// Linked processing.
    Link,
    /// Closed.
    Close,
    /// Given up before linking.
    Cancel,
    /// Broken off after it.
    Abandon,
}

/// A counted attempt whose check is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pending {
    /// At the first gate.
    Info {
        /// Its number.
        attempt: u32,
        /// Counted against this card or account.
        subject: KeyedHash,
        /// What will be proven, if the check succeeds; `None` for an unknown card.
        proof: Option<InfoProven>,
    },
    /// At the second gate.
    Identity {
        /// Its number.
        attempt: u32,
        /// Whose prints are compared.
        agent: AgentId,
        /// The document shown.
        document: DocumentRow,
    },
    /// With a second finger.
    Finger {
        /// Its number.
        attempt: u32,
        /// Whose prints are compared.
        agent: AgentId,
    },
}

/// The document shown at the second gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// Its last day; `None` = long-term.
    pub valid_to: Option<Date>,
    /// Digest of the frame read; evidence has it under a salt.
    pub frame: Digest,
}

/// Message 1 is given: who may buy what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfoProven {
    /// The account.
    pub account: String,
    /// Its unit.
    pub unit: UnitId,
    /// The card's holder (PM1), who must be the buyer.
    pub holder: Option<AgentId>,
    /// What is known of the card (PM1).
    pub card: Option<CardProven>,
}

/// What is known of a settlement card, for the rules and for asking them again (L1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardProven {
    /// Its last day.
    pub expires: Date,
    /// Its authenticity.
    pub trust: CardTrust,
}

/// Message 2 is given: who buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProven {
    /// The agent.
    pub agent: AgentId,
    /// When.
    pub at: Timestamp,
    /// Score in thousandths.
    pub score_milli: u32,
    /// The finger that matched.
    pub finger: FingerPosition,
    /// The document shown.
    pub document: DocumentRow,
}

/// Two fingers of the agent agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFingerProven {
    /// The second one.
    pub finger: FingerPosition,
    /// When.
    pub at: Timestamp,
    /// Score of both together, in thousandths.
    pub both_milli: u32,
}

/// An order and the text its confirmation binds to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// Kinds and quantities.
    pub items: Vec<OrderItem>,
    /// From which slot which numbers.
    pub picks: Vec<Pick>,
    /// The text.
    pub text: ConfirmText,
    /// Digest over the text.
    pub digest: Digest,
}

/// Numbers at the head of one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// Which slot.
    pub slot: SlotId,
    /// Its first numbers, in feed order.
    pub ranges: Vec<BillRange>,
    /// Fee for each of them.
    pub fee_each: Fen,
}

/// The officer's side of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmRow {
    /// Where it stands.
    pub state: ConfirmState,
    /// Who opened what is shown now (S20), at most [`SEEN_BY_MAX`].
    pub seen_by: Vec<StaffId>,
    /// When it was opened last.
    pub seen_at: Option<Timestamp>,
    /// Who decided.
    pub decided_by: Option<StaffId>,
    /// The question, while asked again.
    pub question: Option<String>,
}

/// Linked processing (联动处理).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedRow {
    /// Requisition number (领用单号).
    pub requisition: String,
    /// Business date.
    pub date: Date,
    /// Fee taken.
    pub fee: Fen,
    /// Fee given back since.
    pub reversed: Fen,
    /// Supplements given.
    pub supplements: u32,
    /// Index of its evidence leaf.
    pub leaf: u64,
    /// Why it was broken off, if it was.
    pub abandoned: Option<counterfoil_data::wire::sale::AbandonReason>,
}

/// One form of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormRow {
    /// Its number.
    pub number: BillNumber,
    /// Index into the order's picks: its slot and fee.
    pub pick: u8,
    /// Where it is in its life.
    pub state: FormState,
    /// Outcomes heard, one bit each (`decide::forms`); makes advices idempotent.
    pub heard: u8,
    /// The spoiled form it stands in for.
    pub stands_for: Option<BillNumber>,
    /// Its fee was given back.
    pub reversed: bool,
    /// Unknown, and two people looked for it in vain.
    pub missing: bool,
    /// Sold, and given back unused by the customer.
    pub returned: bool,
    /// Sold, and what was reported of it since, one bit a [`mark_bit`].
    pub marks: u8,
}

/// The bit of "the customer took it" in [`FormRow::heard`].
pub const HEARD_TAKEN: u8 = 32;

/// The bit of a mark in [`FormRow::marks`].
pub fn mark_bit(mark: Mark) -> u8 {
    match mark {
        Mark::Stopped => 1,
        Mark::ReportedLost => 2,
        Mark::Paid => 4,
    }
}

impl FormRow {
    /// Whether this was reported of it.
    pub fn is_marked(&self, mark: Mark) -> bool {
        self.marks & mark_bit(mark) != 0
    }
}

impl Record for SaleRow {
    const TABLE: Table = Table::Sale;
}
