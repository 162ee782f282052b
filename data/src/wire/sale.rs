//! The kiosk's conversation about one sale (`POST /v1/sales…`, `GET /v1/kiosk`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Digest;
use super::confirm::ConfirmText;
use super::forms::FormState;
use super::sheet::{SheetOutcome, SheetView};
use crate::bill::{BillKind, BillNumber, BillRange};
use crate::ids::{KioskId, SaleId, SlotId};
use crate::money::Fen;
use crate::sealed::{Challenge, Sealed, SecretText};

mod identity;
mod kiosk;

pub use identity::{
    AgentView, Authenticity, DocumentFields, FingerPosition, IdentityHead, LivePrint,
};
pub use kiosk::{Checkpoint, KioskView, SlotView, TreeSeen, TreeSeenError, Witness};

/// Forms in one sale at most, all kinds together.
pub const SALE_FORMS_MAX: u32 = 200;
/// Kinds in one order at most.
pub const ORDER_ITEMS_MAX: usize = 8;

/// How the buyer proves the right to buy (购买方式, S2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PurchaseMode {
    /// PM1: unit settlement card (单位结算卡) and PIN pad.
    SettlementCard,
    /// PM2: account number and payment password (支付密码).
    PaymentPassword,
}

/// States of a sale. Drawn in `ARCHITECTURE.md`; anything out of order is a
/// `409` that names the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SaleState {
    /// Awaits purchase verification info (S2).
    Opened,
    /// Message 1 was given (S4); awaits identity.
    InfoVerified,
    /// Message 2 was given (S14); awaits the order.
    IdentityVerified,
    /// Ordered; policy decides about confirmation. Also: asked again.
    Ordered,
    /// A confirming officer must decide.
    AwaitConfirm,
    /// Confirmed; awaits `link`.
    Confirmed,
    /// Linked processing is committed; no form was fed yet.
    Linked,
    /// Forms are on their way through the printer.
    Dispensing,
    /// Receipt issued.
    Closed,
    /// A rule refused; terminal.
    Refused,
    /// The officer denied or stayed silent; terminal.
    Denied,
    /// The customer gave up before linking; terminal.
    Cancelled,
    /// The customer stayed silent before linking; terminal.
    Expired,
    /// Broken off after linking; staff finish it.
    Suspended,
}

impl SaleState {
    /// Whether nothing more can happen at the kiosk.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Self::Closed
                | Self::Refused
                | Self::Denied
                | Self::Cancelled
                | Self::Expired
                | Self::Suspended
        )
    }
}

/// `POST /v1/sales`. The id is the client's, so a repeat opens nothing twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenSale {
    /// Made by the kiosk from 128 random bits.
    pub sale: SaleId,
    /// The mode the customer picked.
    pub mode: PurchaseMode,
    /// The largest evidence log the kiosk has seen; left out by one that has seen none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seen: Option<TreeSeen>,
}

/// `POST /v1/sales/{id}/info` (S3): what proves the right to buy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case", tag = "mode", deny_unknown_fields)]
pub enum VerificationInfo {
    /// PM1.
    SettlementCard {
        /// The card number (PAN digits), sealed by the device worker.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::sealed::SealedText))]
        card: Sealed<SecretText>,
        /// What offline data authentication proved.
        oda: CardProof,
        /// The PIN block as the pad gave it: sealed inside the pad.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::sealed::SealedText))]
        pin: Sealed<SecretText>,
    },
    /// PM2.
    PaymentPassword {
        /// The account number, sealed at the field.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::sealed::SealedText))]
        account: Sealed<SecretText>,
        /// The payment password, sealed at the field.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::sealed::SealedText))]
        password: Sealed<SecretText>,
    },
}

/// What the chip proved offline about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CardProof {
    /// Dynamic authentication over our own fresh random succeeded.
    Genuine,
    /// Static or no authentication: the host must confirm.
    HostMustConfirm,
}

/// `POST /v1/sales/{id}/order` (S6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Kinds and quantities; each kind once, [`SALE_FORMS_MAX`] forms in all at most.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 8))]
    pub items: Vec<OrderItem>,
}

/// So many forms of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderItem {
    /// Which form.
    pub kind: BillKind,
    /// Forms, not books: 1 to [`SALE_FORMS_MAX`].
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 200))]
    pub quantity: u32,
}

/// `POST …/link`, `…/cancel`: nothing to say beyond the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `POST …/close`; `{}`, or no body, where the sale has no sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// What became of the payment-password sheet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sheet: Option<SheetOutcome>,
}

/// `POST …/abandon`: why a linked sale is broken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Abandon {
    /// What happened, as a stable word.
    pub reason: AbandonReason,
    /// What became of the payment-password sheet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sheet: Option<SheetOutcome>,
}

/// Why a linked sale ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AbandonReason {
    /// The form printer or its cassette cannot go on.
    PrinterFault,
    /// A wrong number came up; the slot is locked.
    WrongNumber,
    /// The cassette has no more forms.
    CassetteEmpty,
    /// The customer left.
    CustomerLeft,
    /// Staff pressed the key.
    Staff,
    /// The kiosk was not heard of for too long; only the backend says so.
    KioskLost,
}

/// A sale as its kiosk may see it; enough to resume anywhere (I6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaleView {
    /// Which sale.
    pub sale: SaleId,
    /// Where it stands.
    pub state: SaleState,
    /// The mode picked.
    pub mode: PurchaseMode,
    /// To seal the next secret under; changes with every attempt.
    pub challenge: Challenge,
    /// When the sale gives up by itself, RFC 3339; `null` once linked.
    pub expires: Option<jiff::Timestamp>,
    /// Message 1 (S4): the unit's name and masked account.
    pub unit: Option<UnitView>,
    /// Message 2 (S14): the agent, masked.
    pub agent: Option<AgentView>,
    /// The rule that refused the last step, or ended the sale.
    pub refusal: Option<super::problem::RuleRefusal>,
    /// Attempts left at the current gate.
    pub attempts_left: Option<u32>,
    /// What was ordered and what the officer sees.
    pub order: Option<OrderView>,
    /// The linked result (S8).
    pub linked: Option<LinkedResult>,
    /// Every form of this sale and its state.
    pub forms: Vec<FormView>,
    /// The payment-password sheet (L7), where the account is under that arrangement.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sheet: Option<SheetView>,
    /// Set when closed.
    pub receipt: Option<Receipt>,
}

/// Message 1: the purchase information is verified (S4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitView {
    /// Name of the unit.
    pub name: String,
    /// Account with all but the last four digits masked.
    pub account_masked: String,
    /// What this kiosk can sell to this account now.
    pub offers: Vec<Offer>,
}

/// What can be bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Offer {
    /// Which form.
    pub kind: BillKind,
    /// Fee for one form.
    pub fee_each: Fen,
    /// Most that may be ordered now (stock, caps).
    pub quantity_max: u32,
    /// A sensible first choice (a book of 25, or the last purchase).
    pub quantity_usual: u32,
}

/// An order being confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderView {
    /// Kinds and quantities.
    pub items: Vec<OrderItem>,
    /// Exactly what the officer sees, is asked about, and what is printed.
    pub text: ConfirmText,
    /// Digest over `text`.
    pub digest: Digest,
    /// Six digits to compare by eye, from the digest.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9]{6}$"))]
    pub code: String,
    /// When silence becomes a denial, RFC 3339.
    pub deadline: Option<jiff::Timestamp>,
    /// Whether the officer has opened it.
    pub seen: bool,
    /// The officer asked again: this is the question.
    pub question: Option<String>,
}

/// The linked-processing result (联动处理结果, S8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkedResult {
    /// Requisition number (领用单号).
    pub requisition: String,
    /// The numbers sold, at least one range.
    pub ranges: Vec<BillRange>,
    /// Fee taken; zero is a normal fee.
    pub fee: Fen,
    /// What to print, form by form, in feed order. Supplements are appended.
    pub jobs: Vec<PrintJob>,
    /// The text the officer confirmed, with its digest: the printer refuses
    /// every job that does not follow from it.
    pub approved: ConfirmText,
    /// Digest over `approved`.
    pub digest: Digest,
}

/// One form to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrintJob {
    /// The number that must be read from the blank before ink.
    pub number: BillNumber,
    /// The feed slot it comes from.
    pub slot: SlotId,
    /// Template id in `data/forms/`.
    pub template: String,
    /// Field name to text.
    pub fields: BTreeMap<String, String>,
    /// Digest of the confirmed text this job follows from.
    pub approved: Digest,
    /// Set on a supplement: the confirmed number this form stands in for, which
    /// came to nothing. A supplement's own number lies outside the confirmed
    /// ranges; `data::form::follows` lets it through only with this mark.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub supplement_of: Option<BillNumber>,
}

/// One form of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FormView {
    /// Its number.
    pub number: BillNumber,
    /// Where it is in its life.
    pub state: FormState,
}

/// What the receipt says (S23: the loop closed), printed and returned by `close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Requisition number (领用单号).
    pub requisition: String,
    /// Branch and kiosk.
    pub kiosk: KioskId,
    /// Business date.
    pub date: jiff::civil::Date,
    /// Name of the unit.
    pub unit: String,
    /// Masked account.
    pub account_masked: String,
    /// Masked agent.
    pub agent_masked: String,
    /// Forms ordered; supplements stand for spoiled ones and are not counted.
    pub ordered: u32,
    /// Forms handed over.
    pub sold: Vec<BillRange>,
    /// Forms that came to nothing (spoiled, retracted).
    pub void: Vec<BillRange>,
    /// Forms staff still have to look into.
    pub unknown: Vec<BillRange>,
    /// Forms that were never printed; they are in stock again, their fee given back.
    pub released: Vec<BillRange>,
    /// Fee after reversals.
    pub fee: Fen,
    /// The payment-password sheet, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sheet: Option<SheetView>,
    /// Where the sale is in the evidence log.
    pub proof: Proof,
}

/// A signed head of the evidence log and a leaf in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Proof {
    /// Index of the closing leaf.
    pub leaf: u64,
    /// Hash of the closing leaf.
    pub leaf_hash: Digest,
    /// Leaves in the log at the checkpoint.
    pub size: u64,
    /// Root at the checkpoint.
    pub root: Digest,
    /// Audit path from leaf to root, bottom up (RFC 6962).
    pub path: Vec<Digest>,
}
