//! Records of enrolment: the bank, its people, machines, customers and policy.
//!
//! No card number, citizen number, PIN or template is here in clear (I7): only
//! keyed hashes, argon2 strings, masked texts and encrypted envelopes.

use std::fmt;

use counterfoil_data::bill::BillKind;
use counterfoil_data::ids::{
    AgentId, BranchId, KioskId, SaleId, SlotId, StaffId, StationId, UnitId,
};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::sale::{FingerPosition, PurchaseMode};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::Record;
pub use super::duty::Duty;
use crate::core::key::Table;

/// Enrolled fingers of one agent at most.
pub const FINGERS_MAX: usize = 4;
/// Templates of one finger at most.
pub const TEMPLATES_MAX: usize = 5;
/// Steps of a ladder of locks at most.
pub const LOCKS_MAX: usize = 8;
/// Feed slots of one kiosk at most.
pub const SLOTS_MAX: usize = 8;

/// HMAC-SHA-256 under the index key: finds a number without storing it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyedHash(pub [u8; 32]);

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(…)")
    }
}

/// The bank and its one branch organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankRow {
    /// Name of the paying bank, as printed.
    pub name: String,
    /// 12-digit bank number (行号), as printed.
    pub bank_number: String,
    /// IANA time zone of every business date.
    pub time_zone: String,
    /// First minute of selling, local.
    pub opens: Time,
    /// Last moment of selling, local, included.
    pub closes: Time,
}

/// What the bank decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Version of the rule set, in every refusal (S4).
    pub version: u32,
    /// When an officer must confirm.
    pub confirm: ConfirmPolicy,
    /// Seconds until silence is a denial.
    pub confirm_within_s: u32,
    /// Attempts at the first gate, per sale and per card or account.
    pub info_attempts: u32,
    /// Attempts at the second gate, per sale and per agent.
    pub identity_attempts: u32,
    /// Failed attempts at one kiosk, whoever makes them.
    pub kiosk_attempts: u32,
    /// Seconds a lock lasts.
    pub lock_s: u32,
    /// Seconds an agent's locks last at the second gate, from the first lock to the
    /// last, which repeats; without any, `lock_s`.
    pub finger_locks_s: Vec<u32>,
    /// Score that verifies, in thousandths of -log10(FMR).
    pub match_threshold_milli: u32,
    /// Forms in one order that one finger is enough for; `None` = any number.
    pub second_finger_above: Option<u32>,
    /// Score of two fingers together that verifies a larger order, in thousandths.
    pub two_finger_threshold_milli: u32,
    /// Seconds a sale may live before it is linked.
    pub sale_within_s: u32,
    /// A sensible first choice of quantity (a book).
    pub quantity_usual: u32,
    /// Which settlement cards are taken (PM1).
    pub cards: CardPolicy,
    /// Ids of rules that are not asked; a rule that a new release adds is on.
    pub rules_off: Vec<String>,
    /// Oldest regulator's list that is good enough, in days; `None` = no list is needed.
    pub list_days_max: Option<u32>,
    /// How many returned cheques are too many; `None` = not asked.
    pub bounce: Option<BounceRule>,
}

/// How many cheques returned unpaid (退票) stop an account from buying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BounceRule {
    /// Days looked back, today included.
    pub window_days: u32,
    /// Returned cheques within them that are still allowed.
    pub max: u32,
}

/// Which settlement cards are taken, by what is known of their authenticity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardPolicy {
    /// Those that proved themselves dynamically or that their host confirmed.
    Proven,
    /// All; a copy of a card without dynamic authentication passes, too.
    Any,
}

/// How a settlement card's authenticity is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardTrust {
    /// It signed our own fresh random.
    Dynamic,
    /// It could not, and its host confirmed it.
    Host,
    /// Not at all: a copy would look the same.
    Unproven,
}

impl CardTrust {
    /// Its stable word, in evidence.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dynamic => "dynamic",
            Self::Host => "host",
            Self::Unproven => "unproven",
        }
    }
}

/// When an officer must confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfirmPolicy {
    /// Every order.
    Always,
    /// Orders of more than so many forms.
    Above(u32),
    /// Never.
    Never,
}

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffRow {
    /// Who.
    pub id: StaffId,
    /// Name.
    pub name: String,
    /// Where.
    pub branch: BranchId,
    /// What for.
    pub duty: Duty,
    /// Ed25519 public key of their own, for those who act at a terminal.
    pub key: Option<[u8; 32]>,
}

/// A kiosk (网点自助终端).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KioskRow {
    /// Which.
    pub id: KioskId,
    /// Where.
    pub branch: BranchId,
    /// Name of the branch, as printed.
    pub branch_name: String,
    /// Ed25519 public key (S1).
    pub key: [u8; 32],
    /// Modes it offers.
    pub modes: Vec<PurchaseMode>,
    /// Its slots and the kind each is for.
    pub slots: Vec<(SlotId, BillKind)>,
    /// The sale in progress; the backend's, ignored at enrolment.
    pub open_sale: Option<SaleId>,
}

/// A confirm station (第三方设备, S17).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationRow {
    /// Which.
    pub id: StationId,
    /// Whose sales it sees.
    pub branch: BranchId,
    /// Ed25519 public key.
    pub key: [u8; 32],
    /// Who sits there.
    pub officer: StaffId,
}

/// A unit (单位) and its contact (单位联系人, S18).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRow {
    /// Which.
    pub id: UnitId,
    /// Name, as printed.
    pub name: String,
    /// Name of the contact.
    pub contact_name: String,
    /// Telephone of the contact.
    pub contact_phone: String,
    /// Unified social credit code (统一社会信用代码).
    pub code: String,
    /// Last day of its licence (营业执照); `None` = long-term (长期).
    pub licence_valid_to: Option<Date>,
}

/// State of an account (账户状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountState {
    /// Normal.
    Normal,
    /// Frozen (冻结).
    Frozen,
    /// Dormant (久悬).
    Dormant,
    /// Being closed (待销户).
    Closing,
}

/// An account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// 16 to 19 digits, as printed.
    pub number: String,
    /// Keyed hash of the number, for PM2.
    pub lookup: KeyedHash,
    /// Whose.
    pub unit: UnitId,
    /// Whether it may buy.
    pub state: AccountState,
    /// Kinds it may buy.
    pub kinds: Vec<BillKind>,
    /// Forms sold and not yet presented for payment.
    pub unused: u32,
    /// What `unused` was at enrolment; the backend's, ignored there.
    pub unused_before: u32,
    /// Most unused forms it may hold.
    pub unused_max: u32,
    /// argon2 PHC string of the payment password (支付密码), for PM2.
    pub password: Option<String>,
    /// Forms all its agents may buy in one day; `None` = no cap of its own.
    pub forms_per_day_max: Option<u32>,
    /// Dates of cheques returned unpaid (退票), as the core bank knows them.
    pub bounced: Vec<Date>,
    /// Its cheques are paid under payment passwords of a printed sheet (支付密码单).
    pub sheet: bool,
}

impl fmt::Debug for AccountRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountRow(of {}, {:?})", self.unit, self.state)
    }
}

/// Whose failed attempts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockScope {
    /// An agent's, at the second gate.
    Agent,
    /// A settlement card's, at the first gate.
    Card,
    /// A customer's account's, at the first gate.
    Account,
    /// A kiosk's, at either gate.
    Kiosk,
    /// A member of staff's, logging in.
    Staff,
    /// A terminal's of staff, whoever logs in.
    Terminal,
}

/// A finger of an agent, enrolled (S13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolledFinger {
    /// Which.
    pub position: FingerPosition,
    /// Templates of its impressions, each in its encrypted envelope.
    pub templates: Vec<Vec<u8>>,
}

/// An agent (经办人) of one unit.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// Which.
    pub id: AgentId,
    /// For whom.
    pub unit: UnitId,
    /// Name, for the officer.
    pub name: String,
    /// Surname and stars, for screens and receipts.
    pub name_masked: String,
    /// Keyed hash of the citizen number.
    pub identity: KeyedHash,
    /// Keyed hash of the name.
    pub name_hash: KeyedHash,
    /// First 6 and last 2 of the citizen number.
    pub number_masked: String,
    /// First day of the mandate.
    pub mandate_from: Date,
    /// Last day of the mandate.
    pub mandate_to: Date,
    /// Forms in one sale at most.
    pub forms_per_sale_max: u32,
    /// Forms in one day at most.
    pub forms_per_day_max: u32,
    /// Enrolled fingers, each once.
    pub fingers: Vec<EnrolledFinger>,
    /// Counts the enrolments of prints; the backend's, ignored at enrolment.
    pub enrolment: u32,
}

impl fmt::Debug for AgentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentRow({})", self.id)
    }
}

/// A unit settlement card (单位结算卡).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRow {
    /// Keyed hash of the card number.
    pub lookup: KeyedHash,
    /// The account it settles.
    pub account: String,
    /// Its holder, who must be the buyer (PM1).
    pub holder: AgentId,
    /// Last month of validity, as its last day.
    pub expires: Date,
    /// argon2 PHC string of the PIN.
    pub pin: String,
}

impl fmt::Debug for CardRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardRow(holder {})", self.holder)
    }
}

/// Fee of a kind from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeRow {
    /// Which form.
    pub kind: BillKind,
    /// First day in force.
    pub from: Date,
    /// For one form; zero is a normal fee.
    pub each: Fen,
}

macro_rules! records {
    ($($row:ty => $table:ident),+ $(,)?) => {
        $(impl Record for $row {
            const TABLE: Table = Table::$table;
        })+
    };
}

records! {
    BankRow => Bank,
    Policy => Policy,
    StaffRow => Staff,
    KioskRow => Kiosk,
    StationRow => Station,
    UnitRow => Unit,
    AccountRow => Account,
    AgentRow => Agent,
    CardRow => Card,
    FeeRow => Fee,
}
