//! Events: what a decision came to, in the past tense. `apply` turns each into
//! changed rows, `leafing` turns each into a leaf of the evidence log.

mod about;
mod blanks;
mod enrolled;
mod finger;
mod form;
mod sheet;
mod staff;
mod witness;

use counterfoil_data::bill::{BillKind, BillNumber, BillRange};
use counterfoil_data::ids::{AgentId, BranchId, KioskId, SaleId, SlotId, StaffId};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::custody::Mark;
use counterfoil_data::wire::problem::RuleRefusal;
use counterfoil_data::wire::sale::{AbandonReason, FingerPosition};
use jiff::Timestamp;
use jiff::civil::Date;

use super::command::Resolution;
use super::record::bank::{AccountState, CardTrust, KeyedHash};
use super::record::books::AttemptRow;
use super::record::proposal::ProposalRow;
use super::record::sale::{DocumentRow, InfoProven, OrderRow, SaleRow};
use super::record::stock::Keeper;
use crate::store::Key;

pub use blanks::{BlanksHandled, Handling};
pub use enrolled::{Enrolled, PrintsEnrolled};
pub use finger::{FingerChange, SecondFinger};
pub use form::FormChanged;
pub use sheet::{SheetChange, SheetChanged};
pub use staff::{EndReason, StaffEvent};
pub use witness::Witnessed;

/// Two people who did something together.
pub type TwoPeople = [StaffId; 2];

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something was enrolled.
    Enrolled(Box<Enrolled>),
    /// The core bank reported another state of an account.
    AccountStateChanged {
        /// Account number.
        account: String,
        /// Its state.
        state: AccountState,
    },
    /// Two people received blanks.
    BlanksReceived {
        /// Into whose vault.
        branch: BranchId,
        /// Which.
        range: BillRange,
        /// Who.
        by: TwoPeople,
    },
    /// Two people moved blanks otherwise.
    BlanksHandled(Box<BlanksHandled>),
    /// Two people counted what a keeper keeps (盘点).
    BlanksCounted {
        /// Whose.
        keeper: Keeper,
        /// Of which kind.
        kind: BillKind,
        /// How many both found.
        counted: u32,
        /// Whether the books say the same.
        agrees: bool,
        /// Who.
        by: TwoPeople,
    },
    /// Two people noted what was reported of sold forms.
    FormsMarked {
        /// Of which sale.
        sale: SaleId,
        /// Which.
        range: BillRange,
        /// What.
        mark: Mark,
        /// Who.
        by: TwoPeople,
    },
    /// Two people loaded a slot.
    CassetteLoaded {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
        /// Which numbers.
        range: BillRange,
        /// Who.
        by: TwoPeople,
    },
    /// Two people emptied a slot into the vault.
    CassetteUnloaded {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
        /// Whose vault.
        branch: BranchId,
        /// Which numbers.
        ranges: Vec<BillRange>,
        /// Who.
        by: TwoPeople,
    },
    /// A slot was locked after a mismatch.
    SlotLocked {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
    },
    /// Two people found a locked slot in order.
    SlotUnlocked {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
        /// Who.
        by: TwoPeople,
    },
    /// A sale was opened (S2).
    SaleOpened(Box<SaleRow>),
    /// An attempt at the first gate was counted (S3).
    InfoAttempted {
        /// Which sale.
        sale: SaleId,
        /// Its number.
        attempt: u32,
        /// Against which card or account.
        subject: KeyedHash,
        /// How a card's authenticity is known; `None` for an account.
        trust: Option<CardTrust>,
        /// What it will prove; `None` for an unknown one.
        proof: Option<InfoProven>,
        /// The next challenge.
        challenge: [u8; 16],
        /// Counters after it.
        counted: Vec<(Key, AttemptRow)>,
    },
    /// Message 1 (S4).
    InfoVerified {
        /// Which sale.
        sale: SaleId,
        /// What is proven.
        proof: InfoProven,
        /// Counters that start anew.
        cleared: Vec<Key>,
    },
    /// PIN or password did not agree, or nobody knows the card.
    InfoFailed {
        /// Which sale.
        sale: SaleId,
        /// What the customer is told.
        refusal: RuleRefusal,
    },
    /// An attempt at the second gate was counted; the document was authentic (S16).
    IdentityAttempted {
        /// Which sale.
        sale: SaleId,
        /// Its number.
        attempt: u32,
        /// Whose enrolled prints are compared (S13).
        agent: AgentId,
        /// The security module that authenticated the document.
        sam_id: String,
        /// The document shown.
        document: DocumentRow,
        /// The next challenge.
        challenge: [u8; 16],
        /// Counters after it.
        counted: Vec<(Key, AttemptRow)>,
    },
    /// Message 2 (S14).
    IdentityVerified {
        /// Which sale.
        sale: SaleId,
        /// Who.
        agent: AgentId,
        /// The document shown.
        document: DocumentRow,
        /// Score in thousandths.
        score_milli: u32,
        /// The matcher.
        engine: String,
        /// The finger that matched.
        finger: FingerPosition,
        /// The template of the touch in its envelope.
        touch: Option<Vec<u8>>,
        /// Counters that start anew.
        cleared: Vec<Key>,
    },
    /// A second finger, for a large order.
    SecondFinger(SecondFinger),
    /// The prints did not agree.
    IdentityFailed {
        /// Which sale.
        sale: SaleId,
        /// Score in thousandths.
        score_milli: u32,
        /// The matcher.
        engine: String,
        /// What the customer is told.
        refusal: RuleRefusal,
    },
    /// A rule ended the sale.
    SaleRefused {
        /// Which sale.
        sale: SaleId,
        /// Which rule.
        refusal: RuleRefusal,
        /// Counters after the attempt that it ended, if one was counted.
        counted: Vec<(Key, AttemptRow)>,
    },
    /// Ordered (S6).
    Ordered {
        /// Which sale.
        sale: SaleId,
        /// What.
        order: Box<OrderRow>,
    },
    /// The order is shown to the officers (S21, S22).
    ConfirmationShown {
        /// Which sale.
        sale: SaleId,
        /// Of the text.
        digest: Digest,
        /// When silence becomes a denial.
        deadline: Timestamp,
    },
    /// An officer opened it (S20).
    ConfirmationSeen {
        /// Which sale.
        sale: SaleId,
        /// Who.
        officer: StaffId,
        /// Of the text, if one was shown.
        digest: Option<Digest>,
    },
    /// Confirmed; without an officer where policy needs none.
    Confirmed {
        /// Which sale.
        sale: SaleId,
        /// Who.
        officer: Option<StaffId>,
        /// Of the text.
        digest: Digest,
    },
    /// Denied.
    Denied {
        /// Which sale.
        sale: SaleId,
        /// Who.
        officer: StaffId,
        /// Of the text.
        digest: Digest,
        /// Why.
        note: Option<String>,
    },
    /// Asked again.
    Asked {
        /// Which sale.
        sale: SaleId,
        /// Who.
        officer: StaffId,
        /// Of the text.
        digest: Digest,
        /// The question.
        question: String,
    },
    /// Silence, which is a denial.
    ConfirmationTimedOut {
        /// Which sale.
        sale: SaleId,
        /// Of the text.
        digest: Digest,
    },
    /// Linked processing, L1-L9 (S7).
    Linked {
        /// Which sale.
        sale: SaleId,
        /// Requisition number (领用单号).
        requisition: String,
        /// Its last part.
        serial: u64,
        /// Business date.
        date: Date,
        /// Fee taken.
        fee: Fen,
    },
    /// The payment-password sheet was made, given out, printed or cancelled (L7).
    SheetChanged(SheetChanged),
    /// A form changed.
    FormChanged(FormChanged),
    /// A number was read that should not have been there; it is ours and frozen too.
    StrayFrozen {
        /// During which sale.
        sale: SaleId,
        /// The number.
        number: BillNumber,
    },
    /// The customer gets the next head number for a spoiled form.
    FormSupplied {
        /// Which sale.
        sale: SaleId,
        /// The number given.
        number: BillNumber,
        /// The spoiled form.
        stands_for: BillNumber,
    },
    /// The customer gave up.
    SaleCancelled {
        /// Which sale.
        sale: SaleId,
    },
    /// The customer stayed silent.
    SaleExpired {
        /// Which sale.
        sale: SaleId,
    },
    /// Broken off; staff finish it.
    SaleSuspended {
        /// Which sale.
        sale: SaleId,
        /// Why.
        reason: AbandonReason,
    },
    /// Closed (S23, fifth reading).
    SaleClosed {
        /// Which sale.
        sale: SaleId,
        /// Why it was broken off, if it was.
        abandoned: Option<AbandonReason>,
    },
    /// Two people settled an unknown form.
    UnknownResolved {
        /// Which form.
        number: BillNumber,
        /// Of which sale, if one was about it.
        sale: Option<SaleId>,
        /// The account, if it belongs to one now.
        account: Option<String>,
        /// What it was.
        to: Resolution,
        /// What they saw.
        evidence: String,
        /// Fee given back.
        reversed: Option<Fen>,
        /// Who.
        by: TwoPeople,
    },
    /// One of two people proposed an act of custody.
    CustodyProposed(Box<ProposalRow>),
    /// Another person approved it; what was done follows.
    CustodyApproved {
        /// Whose blanks.
        branch: BranchId,
        /// Which proposal.
        proposal: u64,
        /// Who approved, and who had proposed.
        by: TwoPeople,
    },
    /// Another person refused it, or its proposer took it back.
    CustodyRefused {
        /// Whose blanks.
        branch: BranchId,
        /// Which proposal.
        proposal: u64,
        /// Who refused, and who had proposed; the same where it was taken back.
        by: TwoPeople,
    },
    /// The books were put back, or a kiosk's memory was compared with them.
    Witnessed(Box<Witnessed>),
    /// About accounts of staff, or at a terminal of theirs.
    Staff(Box<StaffEvent>),
    /// The relay handed errands over.
    Delivered {
        /// Which.
        sequences: Vec<u64>,
    },
}
