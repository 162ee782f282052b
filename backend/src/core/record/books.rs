//! Records of the ledger, the register, the outbox, answers and attempts.

use counterfoil_data::bill::{BillPrefix, BillRange};
use counterfoil_data::ids::{AgentId, BranchId, KioskId, SaleId, StaffId};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::SaleState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::core::command::Outcome;
use crate::core::key::Table;
use crate::core::refusal::Refusal;

/// Stored answers are kept this long: two business days and a weekend between them.
/// What they did is answered from the sale after that (`decide::again`).
pub const ANSWER_KEPT_S: i64 = 4 * 24 * 3600;
/// Notices kept for resuming event streams; older ones are forgotten.
pub const OUTBOX_KEPT: u64 = 4_096;

/// A ledger account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LedgerAccount {
    /// A customer's account, by number; in fen.
    Customer(String),
    /// Fee income (手续费收入); in fen.
    FeeIncome,
    /// What the core bank owes us for balances taken over; in fen.
    CoreBank,
    /// Off balance: blanks on hand of a prefix (表外, K3); in forms.
    Blanks(u32),
    /// The other side of [`LedgerAccount::Blanks`]; in forms.
    BlanksContra(u32),
}

impl LedgerAccount {
    /// The off-balance account of a prefix.
    pub fn blanks(prefix: BillPrefix) -> Self {
        Self::Blanks(prefix.value())
    }

    /// Name in keys and reports.
    pub fn name(&self) -> String {
        match self {
            Self::Customer(number) => format!("customer/{number}"),
            Self::FeeIncome => "fee-income".to_owned(),
            Self::CoreBank => "core-bank".to_owned(),
            Self::Blanks(prefix) => format!("blanks/{prefix:08}"),
            Self::BlanksContra(prefix) => format!("blanks-contra/{prefix:08}"),
        }
    }
}

/// Balance of a ledger account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BalanceRow {
    /// Fen, or forms for off-balance accounts.
    pub amount: i64,
}

/// One ledger transaction: legs sum to zero (I3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRow {
    /// When.
    pub at: Timestamp,
    /// For which sale, if any.
    pub sale: Option<SaleId>,
    /// Why.
    pub memo: Memo,
    /// Account and amount; a positive leg raises the balance.
    pub legs: Vec<(LedgerAccount, i64)>,
}

/// Why a ledger transaction was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Memo {
    /// Balance taken over at enrolment.
    Opening,
    /// Blanks came in or went out.
    Blanks,
    /// Fee of a linked sale.
    Fee,
    /// Fee given back.
    FeeReversal,
}

/// A line of the register of forms sold (领用登记): which numbers an account got
/// by one sale, and which it did not. `core::register` makes it of the sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRow {
    /// By which sale.
    pub sale: SaleId,
    /// Business date.
    pub date: jiff::civil::Date,
    /// Who bought.
    pub agent: AgentId,
    /// Who confirmed, where policy asked.
    pub officer: Option<StaffId>,
    /// Numbers on their way to the account, or of unknown fate.
    pub open: Vec<BillRange>,
    /// Numbers the account got (I2).
    pub sold: Vec<BillRange>,
    /// Numbers spoiled, retracted or lost on the way; never the account's.
    pub void: Vec<BillRange>,
    /// Fee taken, less what was given back.
    pub fee: Fen,
    /// Index of the evidence leaf of linked processing.
    pub leaf: u64,
    /// Numbers the account had and gave back unused.
    pub returned: Vec<BillRange>,
}

/// Something to tell: to screens, or out of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// When.
    pub at: Timestamp,
    /// About which sale.
    pub sale: SaleId,
    /// Its state after the change.
    pub state: SaleState,
    /// At which kiosk.
    pub kiosk: KioskId,
    /// The branch whose stations may see it; `None` before identity is verified.
    pub branch: Option<BranchId>,
    /// What has to leave the house, if anything.
    pub errand: Option<Errand>,
}

/// Something that leaves the house (L4, L8); delivered at least once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Errand {
    /// Tell the unit's contact about the linked sale (S23, third reading).
    TellContact {
        /// Name of the contact, from the account record (S18).
        name: String,
        /// Telephone.
        phone: String,
        /// Requisition number.
        requisition: String,
        /// Forms sold.
        count: u32,
        /// Fee taken.
        fee: Fen,
    },
    /// Book a fee, or its reversal, in the core bank.
    BookFee {
        /// Number of the ledger entry: the idempotency key there.
        entry: u64,
        /// Account number.
        account: String,
        /// Positive = take, negative = give back.
        amount: Fen,
    },
    /// Tell the core bank which numbers an account got (positive issue).
    TellIssue {
        /// Account number.
        account: String,
        /// Ranges.
        ranges: Vec<BillRange>,
    },
    /// Tell it that issued numbers are not to be paid any more.
    TellBar {
        /// Account number.
        account: String,
        /// Ranges.
        ranges: Vec<BillRange>,
        /// Why.
        why: Bar,
    },
}

/// Why an issued number is not to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bar {
    /// Given back unused, and cut.
    Returned,
    /// Payment stopped (止付).
    Stopped,
    /// Reported lost (挂失).
    ReportedLost,
}

/// Where an errand goes; each port has a queue of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// The core bank's accounts.
    Accounts,
    /// Unit contacts.
    Contact,
    /// Clearing.
    Clearing,
}

impl Port {
    /// Name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accounts => "the core bank",
            Self::Contact => "the unit contact's carrier",
            Self::Clearing => "clearing",
        }
    }
}

impl Errand {
    /// Where it goes.
    pub fn port(&self) -> Port {
        match self {
            Self::TellContact { .. } => Port::Contact,
            Self::BookFee { .. } => Port::Accounts,
            Self::TellIssue { .. } | Self::TellBar { .. } => Port::Clearing,
        }
    }
}

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerRow {
    /// Digest of the request the key was first used with.
    pub request: Digest,
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub result: Result<Outcome, Refusal>,
}

/// Failed attempts of one card, account, agent or kiosk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttemptRow {
    /// Counted since the last success or lock's end.
    pub failed: u32,
    /// Locked until then.
    pub locked_until: Option<Timestamp>,
    /// Locks since the last success: each lasts as long as its step of the ladder.
    pub locks: u32,
}

/// A maintained counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CounterRow {
    /// Its value.
    pub value: u64,
}

/// The right edge of the evidence log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogHeadRow {
    /// Leaves.
    pub size: u64,
    /// Roots of the complete subtrees, largest first: one for each bit of the size.
    pub peaks: Vec<Digest>,
}

/// The signed head of the evidence log as of the last flush.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRow {
    /// Leaves.
    pub size: u64,
    /// Root.
    pub root: Digest,
    /// Signed note.
    pub note: String,
}

macro_rules! records {
    ($($row:ty => $table:ident),+ $(,)?) => {
        $(impl Record for $row {
            const TABLE: Table = Table::$table;
        })+
    };
}

records! {
    BalanceRow => Balance,
    EntryRow => Entry,
    RegisterRow => Register,
    OutboxRow => Outbox,
    AnswerRow => Answer,
    AttemptRow => Attempt,
    CounterRow => Counter,
    CheckpointRow => Checkpoint,
    LogHeadRow => LogHead,
}
