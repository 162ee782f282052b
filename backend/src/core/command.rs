//! Commands: everything that can change the books, and what comes back.
//!
//! Owns the vocabulary between the HTTP service, the timers, the admin tools and
//! the writer. Refuses nothing itself (`core::decide` does). Carries no secret:
//! card, account and citizen numbers arrive here as keyed hashes (I7).

mod actor;
mod drawn;
mod outcome;
mod prints;
mod staff;
mod subject;

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::{AgentId, BranchId, KioskId, SaleId, SlotId, StaffId};
use counterfoil_data::leaf::Signed;
use counterfoil_data::money::Fen;
use counterfoil_data::sealed::{Challenge, SealKey};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::custody::Act;
use counterfoil_data::wire::forms::FormAdvice;
use counterfoil_data::wire::sale::{
    AbandonReason, Authenticity, OrderItem, PurchaseMode, TreeSeen,
};
use counterfoil_data::wire::sheet::SheetOutcome;
use jiff::Timestamp;
use jiff::civil::Date;

use super::record::bank::{
    AccountRow, AccountState, AgentRow, BankRow, CardRow, CardTrust, EnrolledFinger, FeeRow,
    KeyedHash, KioskRow, Policy, StaffRow, StationRow, UnitRow,
};
use super::record::staff::AccessRow;
use super::record::terms::{Bounces, CalendarRow, Licence, Listed};
use super::sealed::Resealed;
pub use actor::{Actor, ClientKey, Resolution};
pub use drawn::PasswordLine;
pub use outcome::{Answer, IdentityCheck, InfoCheck, Outcome};
pub use prints::{FingerPrints, Found, Impression, Prints};
pub use staff::{LoginCheck, LoginOutcome, LoginVerdict, StaffCommand};
pub use subject::Subject;

/// Commands in one step of the writer at most.
pub const GROUP_MAX: usize = 64;
/// Longest idempotency key in bytes.
pub const KEY_MAX: usize = 64;
/// Longest note of an officer in characters.
pub use counterfoil_data::wire::confirm::NOTE_MAX;

/// One thing somebody wants done.
#[derive(Debug, Clone)]
pub struct Command {
    /// When, by the service's clock.
    pub at: Timestamp,
    /// Fresh randomness of the caller: challenges and evidence salts come from it.
    pub salt: [u8; 32],
    /// Who, as authenticated.
    pub actor: Actor,
    /// The signer's request number; must exceed every earlier one of this actor.
    pub sequence: Option<u64>,
    /// The client's key, for `Link`, `Close`, `Cancel`, `Abandon` and `ProposeCustody`.
    pub key: Option<ClientKey>,
    /// The signature of the request, where it is kept as evidence.
    pub signed: Option<Box<Signed>>,
    /// What.
    pub body: CommandBody,
}

/// The commands, in the order of a kiosk's life.
#[derive(Debug, Clone)]
pub enum CommandBody {
    /// Enrols the bank; once.
    EnrolBank(BankRow),
    /// Sets the policy in force.
    EnrolPolicy(Policy),
    /// Sets who must log in, and how locks of every scope last.
    EnrolAccess(AccessRow),
    /// Enrols a member of staff.
    EnrolStaff(StaffRow),
    /// Enrols a kiosk with its key and slots (S1).
    EnrolKiosk(KioskRow),
    /// Enrols a confirm station (S17).
    EnrolStation(StationRow),
    /// Enrols a unit and its contact (S18).
    EnrolUnit(UnitRow),
    /// Enrols an account with its opening balance.
    EnrolAccount {
        /// The account.
        account: AccountRow,
        /// Balance taken over from the core bank.
        balance: Fen,
    },
    /// Enrols an agent (S13); templates taken over from elsewhere come without images.
    EnrolAgent(AgentRow),
    /// Enrols an agent's prints, all of them anew: the house itself where there are none,
    /// else a supervisor and a second person.
    EnrolPrints {
        /// The second person; the first is the actor.
        second: Option<StaffId>,
        /// The prints.
        prints: Prints,
        /// Why, at most [`NOTE_MAX`] characters; for people who replace prints.
        reason: String,
    },
    /// The same prints, with templates of another engine.
    RefreshTemplates {
        /// Whose.
        agent: AgentId,
        /// The enrolment that they were made from.
        enrolment: u32,
        /// Name and version of the engine.
        engine: String,
        /// The same fingers.
        fingers: Vec<EnrolledFinger>,
    },
    /// The same data at rest, encrypted under another key.
    Reseal {
        /// Id of the key.
        key: u8,
        /// Envelopes, at most [`super::sealed::RESEALED_MAX`]; none says that a whole pass
        /// over the books is done.
        envelopes: Vec<Resealed>,
    },
    /// Enrols a settlement card.
    EnrolCard(CardRow),
    /// Sets the fee of a kind from a date on; not of a day that has begun.
    EnrolFee(FeeRow),
    /// Sets when the bank sells; the one before ends.
    EnrolCalendar(CalendarRow),
    /// Gives the regulator's list; the one before ends.
    EnrolList {
        /// The date the regulator says it is of.
        as_of: Date,
        /// Its entries, at most [`super::record::terms::LISTED_MAX`].
        listed: Vec<Listed>,
    },
    /// A unit's licence was looked at again.
    RenewLicence(Licence),
    /// Sets an account's returned cheques, as the core bank reported them.
    RecordBounces(Bounces),
    /// Changes an account's state, as the core bank reported it.
    SetAccountState {
        /// Account number.
        account: String,
        /// Its state from now on.
        state: AccountState,
    },
    /// Two people receive blanks into a branch's vault.
    ReceiveBlanks {
        /// The second person; the first is the actor.
        second: StaffId,
        /// Into whose vault.
        branch: BranchId,
        /// First and last number, as read from the bundle.
        range: BillRange,
        /// How many were counted by hand; must be what first and last make.
        count: u32,
    },
    /// Two people put blanks behind what a slot holds.
    LoadCassette {
        /// The second person.
        second: StaffId,
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
        /// Numbers from the vault, in feed order.
        range: BillRange,
    },
    /// Two people take everything out of a slot, back to the vault, and unlock it.
    UnloadCassette {
        /// The second person.
        second: StaffId,
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
    },
    /// Two people looked at a locked slot and found its head in order.
    UnlockSlot {
        /// The second person.
        second: StaffId,
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
    },
    /// Opens a sale. Repeating it with the same id opens nothing twice.
    OpenSale {
        /// The kiosk's id for it.
        sale: SaleId,
        /// The mode picked (S2).
        mode: PurchaseMode,
    },
    /// Counts an attempt at the first gate, before anything is checked.
    CountInfoAttempt {
        /// Which sale.
        sale: SaleId,
        /// The challenge the secrets were sealed under; it is used up.
        challenge: Challenge,
        /// Card or account.
        subject: Subject,
        /// How the card's authenticity is known (PM1); `None` for a card says unproven.
        trust: Option<CardTrust>,
    },
    /// The result of the check that was counted.
    SettleInfo {
        /// Which sale.
        sale: SaleId,
        /// The number that [`Outcome::InfoCheck`] gave.
        attempt: u32,
        /// Whether PIN or password agreed.
        verified: bool,
    },
    /// Counts an attempt at the second gate, before prints are compared.
    CountIdentityAttempt {
        /// Which sale.
        sale: SaleId,
        /// The challenge document and print were sealed under; it is used up.
        challenge: Challenge,
        /// Keyed hash of the citizen number.
        identity: KeyedHash,
        /// Keyed hash of the name on the document.
        name: KeyedHash,
        /// Last day of the document; `None` = long-term.
        valid_to: Option<jiff::civil::Date>,
        /// The kiosk's signed assertion that the document is authentic (S16).
        authenticity: Authenticity,
    },
    /// The result of the comparison that was counted (S14).
    SettleIdentity {
        /// Which sale.
        sale: SaleId,
        /// The number that [`Outcome::IdentityCheck`] gave.
        attempt: u32,
        /// What the comparison found.
        found: Found,
    },
    /// Counts an attempt with a second finger, before prints are compared; settled like
    /// the first one's.
    CountFingerAttempt {
        /// Which sale.
        sale: SaleId,
        /// The challenge the print was sealed under; it is used up.
        challenge: Challenge,
    },
    /// Orders (S6); accepted again after the officer asked.
    PlaceOrder {
        /// Which sale.
        sale: SaleId,
        /// Kinds and quantities, each kind once.
        items: Vec<OrderItem>,
    },
    /// The officer opened it: an audited act (S20).
    MarkSeen {
        /// Which sale.
        sale: SaleId,
        /// Of the text looked at; `None` while no order is shown.
        digest: Option<Digest>,
    },
    /// The officer confirms exactly this text.
    Confirm {
        /// Which sale.
        sale: SaleId,
        /// Of the text looked at.
        digest: Digest,
    },
    /// The officer denies.
    Deny {
        /// Which sale.
        sale: SaleId,
        /// Of the text looked at.
        digest: Digest,
        /// Why, at most [`NOTE_MAX`] characters.
        note: Option<String>,
    },
    /// The officer asks again; the order opens.
    Ask {
        /// Which sale.
        sale: SaleId,
        /// Of the text looked at.
        digest: Digest,
        /// The question, at most [`NOTE_MAX`] characters.
        question: String,
    },
    /// Silence until the deadline, which is a denial.
    TimeOutConfirmation {
        /// Which sale.
        sale: SaleId,
    },
    /// Linked processing (S7), keyed.
    Link {
        /// Which sale.
        sale: SaleId,
        /// Drawn for the numbers shown, where the account's forms need one (L7).
        passwords: Vec<PasswordLine>,
    },
    /// What happened to paper, in order (I5, I6).
    AdviseForms {
        /// Which sale.
        sale: SaleId,
        /// Oldest first.
        advices: Vec<FormAdvice>,
        /// Drawn for the numbers that may stand in for forms that failed (L7).
        passwords: Vec<PasswordLine>,
    },
    /// The kiosk asks for the payment-password sheet (L7).
    TakeSheet {
        /// Which sale.
        sale: SaleId,
        /// Made for this sale by whoever prints.
        key: SealKey,
    },
    /// The customer gives up before linking, keyed.
    Cancel {
        /// Which sale.
        sale: SaleId,
    },
    /// The customer stayed silent before linking.
    Expire {
        /// Which sale.
        sale: SaleId,
    },
    /// A linked sale is broken off, keyed.
    Abandon {
        /// Which sale.
        sale: SaleId,
        /// Why.
        reason: AbandonReason,
        /// What became of the sheet.
        sheet: Option<SheetOutcome>,
    },
    /// The kiosk of a linked sale was silent too long: it is lost.
    SuspendLost {
        /// Which sale.
        sale: SaleId,
    },
    /// All forms are settled: the receipt, keyed.
    Close {
        /// Which sale.
        sale: SaleId,
        /// What became of the sheet.
        sheet: Option<SheetOutcome>,
    },
    /// Two people settle an unknown form (I6).
    ResolveUnknown {
        /// The second person.
        second: StaffId,
        /// Which form.
        number: BillNumber,
        /// What it turned out to be.
        to: Resolution,
        /// What they saw, at most [`NOTE_MAX`] characters.
        evidence: String,
    },
    /// The relay handed these outbox rows over.
    MarkDelivered {
        /// Outbox sequence numbers, at most [`GROUP_MAX`].
        sequences: Vec<u64>,
    },
    /// Two people of the branch close a suspended sale whose forms are all settled.
    CloseByStaff {
        /// The second person.
        second: StaffId,
        /// Which sale.
        sale: SaleId,
    },
    /// Two people act at the books themselves.
    Custody {
        /// The second person; the first is the actor.
        second: StaffId,
        /// What they do.
        act: Act,
    },
    /// One of two people proposes an act of custody, keyed.
    ProposeCustody {
        /// What the two of them do.
        act: Act,
    },
    /// Another person approves exactly this act, and it is done.
    ApproveCustody {
        /// Which proposal of the person's branch.
        proposal: u64,
        /// Of the act looked at.
        digest: Digest,
        /// Their own count, for acts that have one.
        count: Option<u32>,
    },
    /// Another person refuses it, or its proposer takes it back.
    RefuseCustody {
        /// Which proposal of the person's branch.
        proposal: u64,
        /// Of the act looked at.
        digest: Digest,
    },
    /// The books were just put back from a backup; the house says so.
    RecordRestore {
        /// When the backup was made.
        backup_at: Timestamp,
        /// The log they were put back to.
        tree: TreeSeen,
    },
    /// A kiosk says the largest evidence log it has seen; nothing where that is no news.
    ReportTree(TreeSeen),
    /// Two people settled what a kiosk did that the books lack.
    ReconcileKiosk {
        /// The second person; the first is the actor.
        second: StaffId,
        /// Which.
        kiosk: KioskId,
        /// What they found and did, at most [`NOTE_MAX`] characters.
        reason: String,
    },
    /// Two people say that the clock is right, though it is behind the newest record.
    AcceptClock {
        /// The second person; the first is the actor.
        second: StaffId,
        /// How they know, at most [`NOTE_MAX`] characters.
        reason: String,
    },
    /// About accounts of staff, and logging in at their terminals.
    Staff(StaffCommand),
    /// A signed request was refused before it became a command: its number is used
    /// up all the same (S1).
    UseUpSequence,
}
