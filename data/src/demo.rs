//! The synthetic demo bank (`data/demo/bank.toml`): what every demo, play and
//! end-to-end test runs on.
//!
//! Owns the file's shape and the checks that make it sound: ids are unique,
//! references resolve, check digits are right, slots do not overlap. Refuses
//! unknown keys. Nothing in it is a real person, company or card. Called by the
//! backend (enrolment), the device twins (what lies on the desk) and the testbed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Deserializer};

use crate::bill::{BillKind, BillNumber, BillRange};
use crate::ids::{AgentId, BranchId, KioskId, SlotId, StaffId, StationId, UnitId};
use crate::money::Fen;
use crate::secret::Secret;
use crate::terms::{Access, Calendar, List};
use crate::wire::sale::PurchaseMode;

mod check;
mod people;
mod policy;

pub use people::{Account, AccountState, Agent, Card, Contact, Document, Fee, Finger, Unit};
pub use policy::{CardPolicy, ConfirmPolicy, Policy};

/// The demo bank as it is written; a test changes a line and parses it itself.
pub const BANK_TOML: &str = include_str!("../demo/bank.toml");

/// Why a demo bank cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DemoError {
    /// Not the shape of the file, or a malformed value in it.
    #[error("the demo bank does not parse: {0}")]
    Parse(String),
    /// Two things of one kind carry the same name.
    #[error("two {kind} are called {name}: rename one")]
    Twice {
        /// `kiosks`, `units`, …
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A reference leads nowhere.
    #[error("{from} names {kind} {name}, which the file does not have")]
    Dangling {
        /// What refers.
        from: String,
        /// What is referred to.
        kind: &'static str,
        /// The missing name.
        name: String,
    },
    /// A value breaks its own rule of form.
    #[error("{what} of {of} breaks its rule of form: {rule}")]
    Value {
        /// Which field.
        what: &'static str,
        /// Of what.
        of: String,
        /// The rule.
        rule: &'static str,
    },
}

/// The demo bank of this build.
pub fn bank() -> Result<DemoBank, DemoError> {
    DemoBank::parse(BANK_TOML)
}

/// A whole bank, small.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoBank {
    /// The paying bank as printed.
    pub bank: Bank,
    /// The one branch.
    pub branch: Branch,
    /// Policy of the rules engine and of the kiosk.
    pub policy: Policy,
    /// Kiosks (网点自助终端).
    pub kiosks: Vec<Kiosk>,
    /// Confirm stations (第三方设备).
    pub stations: Vec<Station>,
    /// Staff.
    pub staff: Vec<Staff>,
    /// Units (单位).
    pub units: Vec<Unit>,
    /// Agents (经办人).
    pub agents: Vec<Agent>,
    /// Unit settlement cards (单位结算卡).
    pub cards: Vec<Card>,
    secrets: BTreeMap<String, DemoSecret>,
    /// ID cards that can be laid on the reader.
    pub documents: Vec<Document>,
    /// Synthetic fingers.
    pub fingers: Vec<Finger>,
    /// Fees by kind and date.
    pub fees: Vec<Fee>,
    /// When it sells; without it the branch's hours on every day.
    #[serde(default)]
    pub calendar: Calendar,
    /// The regulator's list.
    pub list: Option<List>,
    /// Who must log in, and locks; without it nobody does, and locks are the policy's.
    pub access: Option<Access>,
}

/// The bank.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bank {
    /// Name, as printed on forms.
    pub name: String,
    /// 12-digit bank number (行号).
    pub bank_number: String,
}

/// The branch (网点).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Its id.
    pub id: BranchId,
    /// Its name.
    pub name: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// First moment of the day at which the kiosk sells.
    pub opens: Time,
    /// Last moment of the day at which it sells, included.
    pub closes: Time,
}

/// A kiosk.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kiosk {
    /// Its id.
    pub id: KioskId,
    /// Seed of its Ed25519 key.
    pub key_seed: KeySeed,
    /// Purchase modes it offers (S2).
    pub modes: Vec<PurchaseMode>,
    /// Its feed slots.
    pub slots: Vec<Slot>,
}

/// A feed slot and the cassette in it, full.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Its id.
    pub slot: SlotId,
    /// What it holds.
    pub kind: BillKind,
    /// The number on top.
    pub first: BillNumber,
    /// The number at the bottom.
    pub last: BillNumber,
}

impl Slot {
    /// All numbers in it, top first.
    pub fn range(&self) -> Result<BillRange, DemoError> {
        let malformed = || DemoError::Value {
            what: "range",
            of: self.slot.to_string(),
            rule: "first and last share a prefix, first is not after last",
        };
        if self.first.prefix != self.last.prefix {
            return Err(malformed());
        }
        BillRange::new(self.first.prefix, self.first.serial, self.last.serial)
            .map_err(|_| malformed())
    }
}

/// A confirm station.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// Its id.
    pub id: StationId,
    /// Who sits at it.
    pub officer: StaffId,
    /// That person's name.
    pub officer_name: String,
    /// Seed of its Ed25519 key.
    pub key_seed: KeySeed,
}

/// What a member of staff may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Confirms orders.
    Officer,
    /// 柜员.
    Teller,
    /// 管库员; two of them move stock.
    Custodian,
    /// 主管.
    Supervisor,
    /// Opens and mends machines.
    Engineer,
    /// Reads everything, changes nothing.
    Auditor,
    /// Gives accounts to staff.
    SecurityAdministrator,
}

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    /// Id.
    pub id: StaffId,
    /// Name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Seed of their Ed25519 key, for those who act at a terminal of their own.
    #[serde(default)]
    pub key_seed: Option<KeySeed>,
}

/// 32 bytes of a signing key, hex in the file; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySeed(pub [u8; 32]);

impl fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySeed(***)")
    }
}

impl<'de> Deserialize<'de> for KeySeed {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let bytes = crate::wire::unhex(&text).and_then(|b| b.try_into().ok());
        bytes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a key seed is 64 hex digits"))
    }
}

#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct DemoSecret(String);

impl fmt::Debug for DemoSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl DemoBank {
    /// A bank out of TOML, checked whole.
    pub fn parse(text: &str) -> Result<Self, DemoError> {
        let bank: Self = toml::from_str(text).map_err(|e| DemoError::Parse(e.message().into()))?;
        check::whole(&bank)?;
        Ok(bank)
    }

    /// The secret called `name` (`zhang-pin`), as `type @name` uses it.
    pub fn secret(&self, name: &str) -> Option<Secret<String>> {
        self.secrets.get(name).map(|s| Secret::new(s.0.clone()))
    }

    /// Names of all secrets.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str)
    }

    /// The kiosk `id`.
    pub fn kiosk(&self, id: &str) -> Option<&Kiosk> {
        self.kiosks.iter().find(|k| k.id.as_str() == id)
    }

    /// The station `id`.
    pub fn station(&self, id: &str) -> Option<&Station> {
        self.stations.iter().find(|s| s.id.as_str() == id)
    }

    /// The member of staff `id`.
    pub fn person(&self, id: &str) -> Option<&Staff> {
        self.staff.iter().find(|s| s.id.as_str() == id)
    }

    /// The unit `id`.
    pub fn unit(&self, id: &UnitId) -> Option<&Unit> {
        self.units.iter().find(|u| u.id == *id)
    }

    /// The agent `id`.
    pub fn agent(&self, id: &AgentId) -> Option<&Agent> {
        self.agents.iter().find(|a| a.id == *id)
    }

    /// The card called `name`.
    pub fn card(&self, name: &str) -> Option<&Card> {
        self.cards.iter().find(|c| c.name == name)
    }

    /// The document called `name`.
    pub fn document(&self, name: &str) -> Option<&Document> {
        self.documents.iter().find(|d| d.name == name)
    }

    /// The finger called `name`.
    pub fn finger(&self, name: &str) -> Option<&Finger> {
        self.fingers.iter().find(|f| f.name == name)
    }

    /// What one form of `kind` costs on `date`; `None` where no fee is set,
    /// which means the kind is not for sale. Zero is a normal fee (I3).
    pub fn fee_each(&self, kind: BillKind, date: Date) -> Option<Fen> {
        let ours = self
            .fees
            .iter()
            .filter(|f| f.kind == kind && f.from <= date);
        ours.max_by_key(|f| f.from).map(|f| f.each)
    }
}

fn names<'a>(
    kind: &'static str,
    all: impl Iterator<Item = &'a str>,
) -> Result<BTreeSet<&'a str>, DemoError> {
    let mut seen = BTreeSet::new();
    for name in all {
        if !seen.insert(name) {
            return Err(DemoError::Twice {
                kind,
                name: name.to_owned(),
            });
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests;
