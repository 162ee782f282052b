//! Who buys and with what: units, agents, cards, documents, fingers, fees.

use std::fmt;

use jiff::civil::Date;
use serde::Deserialize;

use crate::bill::BillKind;
use crate::ids::{AgentId, UnitId};
use crate::money::Fen;

/// A unit and its one account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// Its name, also the account's name as printed.
    pub name: String,
    /// Whom the bank rings up (S18).
    pub contact: Contact,
    /// Unified social credit code (统一社会信用代码).
    pub code: String,
    /// Last day of its licence; without it the licence is long-term (长期).
    pub licence_valid_to: Option<Date>,
    /// Its account.
    pub account: Account,
}

/// A unit's contact (单位联系人).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Telephone.
    pub phone: String,
}

/// Whether an account may do business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountState {
    /// 正常.
    Normal,
    /// 冻结.
    Frozen,
    /// 久悬.
    Dormant,
    /// 待销户.
    Closing,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// 16 to 19 digits.
    pub number: String,
    /// State.
    pub state: AccountState,
    /// Kinds it may buy.
    pub kinds: Vec<BillKind>,
    /// Balance fees are taken from.
    pub balance: Fen,
    /// Forms sold before and not yet presented.
    pub unused_forms: u32,
    /// Cap of unused forms.
    pub unused_forms_max: u32,
    /// Forms all its agents may buy in one day; without it no cap of its own.
    pub forms_per_day_max: Option<u32>,
    /// Dates of its cheques that were returned unpaid (退票).
    #[serde(default)]
    pub bounced: Vec<Date>,
    /// Name of the secret that is its payment password (PM2).
    pub payment_password: String,
    /// Its cheques are paid under passwords of a printed sheet (支付密码单).
    #[serde(default)]
    pub password_sheet: bool,
}

/// An agent and the mandate.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Id.
    pub id: AgentId,
    /// For whom.
    pub unit: UnitId,
    /// Name.
    pub name: String,
    /// Citizen number.
    pub citizen_number: String,
    /// First day of the mandate.
    pub mandate_from: Date,
    /// Last day of the mandate.
    pub mandate_to: Date,
    /// Cap of forms in one sale.
    pub forms_per_sale_max: u32,
    /// Cap of forms on one business day.
    pub forms_per_day_max: u32,
    /// Name of the enrolled finger, a right index finger.
    pub finger: String,
    /// Name of a second enrolled finger, a left index finger.
    pub other_finger: Option<String>,
}

/// A settlement card.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Name on the desk.
    pub name: String,
    /// Card number, Luhn-valid.
    pub pan: String,
    /// YYMM.
    pub expiry: String,
    /// The unit whose account it opens; `None`: the bank does not know the card.
    pub unit: Option<UnitId>,
    /// The agent it was given to.
    pub holder: Option<AgentId>,
    /// Name of the secret that is its PIN.
    pub pin: String,
}

/// An ID card on the desk.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Name on the desk.
    pub name: String,
    /// Name of its holder.
    pub holder: String,
    /// GB/T 2261.1: 1 male, 2 female.
    pub sex: u8,
    /// GB/T 3304: 1 to 56, 97, 98.
    pub ethnic: u8,
    /// Date of birth.
    pub birth: Date,
    /// Address.
    pub address: String,
    /// Citizen number.
    pub number: String,
    /// Issuing authority.
    pub issuer: String,
    /// First day of validity.
    pub valid_from: Date,
    /// Last day of validity; `None` = long-term (长期).
    pub valid_to: Option<Date>,
    /// Whether the security module authenticates it (S16).
    pub genuine: bool,
}

/// A synthetic finger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finger {
    /// Name on the desk.
    pub name: String,
    /// Seed of the synthetic finger.
    pub seed: u64,
}

// I7: citizen and card numbers are never shown, not even synthetic ones; a bank's
// own enrolment file has the same shape.

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Agent({})", self.id)
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card({})", self.name)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({})", self.name)
    }
}

/// What one form of a kind costs from a date on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// The kind.
    pub kind: BillKind,
    /// First day.
    pub from: Date,
    /// For one form.
    pub each: Fen,
}
