//! The kiosk's conversation about one sale (`POST /v1/sales…`, `GET /v1/kiosk`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Digest;
use super::confirm::ConfirmText;
use super::forms::FormState;
use crate::bill::{BillKind, BillNumber, BillRange};
use crate::ids::{BranchId, KioskId, SaleId, SlotId};
use crate::money::Fen;
use crate::sealed::{Challenge, SealKey, Sealed, SecretText};

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
}

/// `POST /v1/sales/{id}/info` (S3): what proves the right to buy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case", tag = "mode", deny_unknown_fields)]
pub enum VerificationInfo {
    /// PM1.
    SettlementCard {
        /// The card number (PAN digits), sealed by the device worker.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        card: Sealed<SecretText>,
        /// What offline data authentication proved.
        oda: CardProof,
        /// The PIN block as the pad gave it: sealed inside the pad.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pin: Sealed<SecretText>,
    },
    /// PM2.
    PaymentPassword {
        /// The account number, sealed at the field.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        account: Sealed<SecretText>,
        /// The payment password, sealed at the field.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
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

/// The kiosk's assertion that the document is authentic (S16), inside
/// [`IdentityHead`]; the whole request is signed by the kiosk key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Authenticity {
    /// The security module that authenticated the card, as printed (`05.01-…`).
    pub sam_id: String,
    /// SW3 of find, select and read, in order.
    pub status: Vec<u8>,
    /// SHA-256 over the frame that was read.
    pub frame: Digest,
    /// When, RFC 3339.
    pub at: jiff::Timestamp,
    /// Ed25519 by the kiosk key over [`Authenticity::statement`], hex of 64 bytes.
    pub signature: String,
}

impl Authenticity {
    /// The bytes the kiosk signs: a label, the binding, and every field.
    pub fn statement(&self, binding: crate::sealed::Binding) -> Vec<u8> {
        let mut bytes = b"counterfoil/v1/authenticity\0".to_vec();
        bytes.extend_from_slice(&binding.sale.0.to_be_bytes());
        bytes.extend_from_slice(&binding.challenge.0);
        let len = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
        bytes.extend_from_slice(&len(self.sam_id.len()));
        bytes.extend_from_slice(self.sam_id.as_bytes());
        bytes.extend_from_slice(&len(self.status.len()));
        bytes.extend_from_slice(&self.status);
        bytes.extend_from_slice(&self.frame.0);
        bytes.extend_from_slice(&self.at.as_millisecond().to_be_bytes());
        bytes
    }
}

/// `POST /v1/sales/{id}/identity` (S10-S12): the head of an octet stream.
///
/// Body = length of this JSON as u32 big-endian, the JSON, then the bytes of a
/// `Sealed<LivePrint>` ([`crate::sealed::Sealed::to_bytes`]).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IdentityHead {
    /// The document's fields, sealed (see [`DocumentFields`]).
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub document: Sealed<DocumentFields>,
    /// The kiosk's signed assertion.
    pub authenticity: Authenticity,
}

/// What the backend needs of an ID document. Travels only sealed.
pub struct DocumentFields {
    /// Name as printed.
    pub name: crate::secret::Secret<String>,
    /// Citizen number, 18 characters.
    pub number: crate::secret::Secret<String>,
    /// Last day of validity; `None` = long-term (长期).
    pub valid_to: Option<jiff::civil::Date>,
}

impl crate::sealed::Sealable for DocumentFields {
    const LABEL: &'static str = "document";

    fn to_plain(&self) -> crate::secret::Secret<Vec<u8>> {
        let valid = self.valid_to.map(|d| d.to_string()).unwrap_or_default();
        let text = [self.name.expose().as_str(), self.number.expose(), &valid].join("\n");
        crate::secret::Secret::new(text.into_bytes())
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(plain).ok()?.split('\n');
        let (name, number, valid) = (lines.next()?, lines.next()?, lines.next()?);
        let valid_to = if valid.is_empty() {
            None
        } else {
            Some(valid.parse().ok()?)
        };
        let secret = |text: &str| crate::secret::Secret::new(text.to_owned());
        Some(Self {
            name: secret(name),
            number: secret(number),
            valid_to,
        })
    }
}

/// A live fingerprint image. Travels only sealed.
pub struct LivePrint {
    /// Pixels per row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Resolution in dots per inch.
    pub dpi: u16,
    /// Row-major, ridges dark, `width * height` bytes.
    pub pixels: crate::secret::Secret<Vec<u8>>,
}

impl crate::sealed::Sealable for LivePrint {
    const LABEL: &'static str = "live-print";

    fn to_plain(&self) -> crate::secret::Secret<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.pixels.expose().len().saturating_add(6));
        bytes.extend_from_slice(&self.width.to_be_bytes());
        bytes.extend_from_slice(&self.height.to_be_bytes());
        bytes.extend_from_slice(&self.dpi.to_be_bytes());
        bytes.extend_from_slice(self.pixels.expose());
        crate::secret::Secret::new(bytes)
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let (head, pixels) = plain.split_first_chunk::<6>()?;
        let [w1, w0, h1, h0, d1, d0] = *head;
        let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
        if usize::from(width).checked_mul(usize::from(height)) != Some(pixels.len()) {
            return None;
        }
        let pixels = crate::secret::Secret::new(pixels.to_vec());
        Some(Self {
            width,
            height,
            dpi: u16::from_be_bytes([d1, d0]),
            pixels,
        })
    }
}

/// `POST /v1/sales/{id}/order` (S6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Kinds and quantities; each kind once.
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

/// `POST …/link`, `…/cancel`, `…/close`: nothing to say beyond the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `POST …/abandon`: why a linked sale is broken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Abandon {
    /// What happened, as a stable word.
    pub reason: AbandonReason,
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

/// Message 2: the identity is verified (S14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentView {
    /// Surname and stars.
    pub name_masked: String,
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
    /// Forms handed over.
    pub sold: Vec<BillRange>,
    /// Forms that came to nothing (spoiled, retracted).
    pub void: Vec<BillRange>,
    /// Forms staff still have to look into.
    pub unknown: Vec<BillRange>,
    /// Fee after reversals.
    pub fee: Fen,
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

/// `GET /v1/kiosk`: who am I, what was I doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KioskView {
    /// The signer.
    pub kiosk: KioskId,
    /// Its branch.
    pub branch: BranchId,
    /// Name of the branch, as printed.
    pub branch_name: String,
    /// Modes this kiosk offers.
    pub modes: Vec<PurchaseMode>,
    /// The backend's sealing key, hex of 32 bytes.
    pub seal_key: String,
    /// The sale in progress, if any.
    pub open_sale: Option<SaleView>,
    /// What the books say lies in each slot.
    pub slots: Vec<SlotView>,
    /// Largest sequence number the backend saw from this kiosk.
    pub sequence: u64,
    /// Head of the evidence log: size and root; the kiosk refuses a shrunk log.
    pub checkpoint: Checkpoint,
}

impl KioskView {
    /// The sealing key, if well-formed.
    pub fn sealing_key(&self) -> Option<SealKey> {
        super::unhex(&self.seal_key)
            .and_then(|b| b.try_into().ok())
            .map(SealKey)
    }
}

/// One feed slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlotView {
    /// Which slot.
    pub slot: SlotId,
    /// What it holds.
    pub kind: BillKind,
    /// Forms left.
    pub count: u32,
    /// Locked after a mismatch until staff look.
    pub locked: bool,
}

/// Head of the evidence log (C2SP tlog-checkpoint).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    /// Leaves.
    pub size: u64,
    /// RFC 6962 root hash.
    pub root: Digest,
    /// Signed note text (origin, size, root, signature line).
    pub note: String,
}
