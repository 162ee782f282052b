//! Records of custody: blanks (重要空白凭证) as ranges, slots, and the counters of I1.

use counterfoil_data::bill::{BillKind, BillRange, Serial};
use counterfoil_data::ids::{BranchId, KioskId, SaleId, SlotId, StaffId};
use counterfoil_data::wire::custody::Holder;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::core::key::Table;

/// Separate ranges in one slot at most.
pub const SLOT_PIECES_MAX: usize = 16;

/// Who keeps blanks outside the kiosks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Keeper {
    /// A branch's vault (库房).
    Vault(BranchId),
    /// A teller's box (尾箱).
    TellerBox(BranchId, StaffId),
}

impl Keeper {
    /// Where blanks are when it keeps them.
    pub fn place(&self) -> Place {
        match self {
            Self::Vault(branch) => Place::InVault(branch.clone()),
            Self::TellerBox(branch, teller) => Place::InTellerBox(branch.clone(), teller.clone()),
        }
    }

    /// The branch it belongs to.
    pub fn branch(&self) -> &BranchId {
        match self {
            Self::Vault(branch) | Self::TellerBox(branch, _) => branch,
        }
    }
}

impl std::fmt::Display for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vault(branch) => write!(f, "vault:{branch}"),
            Self::TellerBox(branch, teller) => write!(f, "teller-box:{branch}/{teller}"),
        }
    }
}

impl From<Holder> for Keeper {
    fn from(holder: Holder) -> Self {
        match holder {
            Holder::Vault { branch } => Self::Vault(branch),
            Holder::TellerBox { branch, teller } => Self::TellerBox(branch, teller),
        }
    }
}

/// Where blanks are. Two ranges that touch and are in the same place are one row.
///
/// ```text
///            InTellerBox
///                 ⇅ InTransit
/// Expected → InVault ⇄ InCassette → Assigned → Feeding → Printed → Presented → Sold
///             ⇅            ↑____________|         |          |          |        |
///          Missing          released              +→ Spoiled |          +→ Retracted
///                                                 +→ Unknown ←----------+     |  |
///                                                      Spoiled, Retracted, returned
///                                                                → Voided → Destroyed
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// Announced.
    Expected(BranchId),
    /// In a branch's vault.
    InVault(BranchId),
    /// Handed over, and not yet accepted.
    InTransit {
        /// Who gave them away.
        from: Keeper,
        /// Who has to accept them.
        to: Keeper,
    },
    /// In a teller's box.
    InTellerBox(BranchId, StaffId),
    /// In a slot of a kiosk.
    InCassette(KioskId, SlotId),
    /// Sold on paper, never fed.
    Assigned(SaleId),
    /// The feed is durable; paper may have moved.
    Feeding(SaleId),
    /// Ink is on it and the number was right.
    Printed(SaleId),
    /// In the customer's reach.
    Presented(SaleId),
    /// Taken: belongs to this account for good (I2).
    Sold {
        /// Account number.
        account: String,
        /// By which sale.
        sale: SaleId,
    },
    /// Fed and useless.
    Spoiled(SaleId),
    /// Not taken.
    Retracted(SaleId),
    /// Nobody knows; frozen (I6). The sale, if one was about it.
    Unknown(Option<SaleId>),
    /// Looked for and not found. The sale it was lost in, if one was.
    Missing(Option<SaleId>),
    /// Corner cut (剪角).
    Voided,
    /// Destroyed.
    Destroyed,
}

/// [`Place`] without its particulars, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BlankState {
    /// Announced.
    Expected,
    /// In a vault.
    InVault,
    /// Between two keepers.
    InTransit,
    /// In a kiosk.
    InCassette,
    /// Sold on paper.
    Assigned,
    /// Being fed.
    Feeding,
    /// Printed.
    Printed,
    /// Presented.
    Presented,
    /// Sold.
    Sold,
    /// Spoiled.
    Spoiled,
    /// Retracted.
    Retracted,
    /// Unknown.
    Unknown,
    /// Missing.
    Missing,
    /// Voided.
    Voided,
    /// Destroyed.
    Destroyed,
    /// In a teller's box.
    InTellerBox,
}

impl BlankState {
    /// All states, in counter order.
    pub const ALL: [Self; 16] = [
        Self::Expected,
        Self::InVault,
        Self::InTransit,
        Self::InCassette,
        Self::Assigned,
        Self::Feeding,
        Self::Printed,
        Self::Presented,
        Self::Sold,
        Self::Spoiled,
        Self::Retracted,
        Self::Unknown,
        Self::Missing,
        Self::Voided,
        Self::Destroyed,
        Self::InTellerBox,
    ];

    /// Whether the bank has the blank in hand: one unit each in the off-balance
    /// account (I3). Linked processing takes it out of that account.
    pub fn is_on_hand(self) -> bool {
        matches!(
            self,
            Self::InVault | Self::InTransit | Self::InTellerBox | Self::InCassette
        )
    }
}

impl Place {
    /// What it counts as.
    pub fn state(&self) -> BlankState {
        match self {
            Self::Expected(_) => BlankState::Expected,
            Self::InVault(_) => BlankState::InVault,
            Self::InTransit { .. } => BlankState::InTransit,
            Self::InTellerBox(..) => BlankState::InTellerBox,
            Self::InCassette(..) => BlankState::InCassette,
            Self::Assigned(_) => BlankState::Assigned,
            Self::Feeding(_) => BlankState::Feeding,
            Self::Printed(_) => BlankState::Printed,
            Self::Presented(_) => BlankState::Presented,
            Self::Sold { .. } => BlankState::Sold,
            Self::Spoiled(_) => BlankState::Spoiled,
            Self::Retracted(_) => BlankState::Retracted,
            Self::Unknown(_) => BlankState::Unknown,
            Self::Missing(_) => BlankState::Missing,
            Self::Voided => BlankState::Voided,
            Self::Destroyed => BlankState::Destroyed,
        }
    }
}

impl Place {
    /// The sale that put them there, if one did.
    pub fn sale(&self) -> Option<SaleId> {
        match self {
            Self::Assigned(sale)
            | Self::Feeding(sale)
            | Self::Printed(sale)
            | Self::Presented(sale)
            | Self::Sold { sale, .. }
            | Self::Spoiled(sale)
            | Self::Retracted(sale)
            | Self::Unknown(Some(sale))
            | Self::Missing(Some(sale)) => Some(*sale),
            _ => None,
        }
    }
}

/// Blanks from the key's number to `last`, all in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlankRow {
    /// Last serial, included.
    pub last: u32,
    /// Where they are.
    pub place: Place,
}

/// Counters of one prefix (I1): `received` equals the sum of `by_state` but `Expected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotRow {
    /// Forms that were ever received; those only announced are not yet.
    pub received: u64,
    /// Forms in each state, in the order of [`BlankState::ALL`].
    pub by_state: Vec<u64>,
}

impl Default for LotRow {
    fn default() -> Self {
        Self {
            received: 0,
            by_state: vec![0; BlankState::ALL.len()],
        }
    }
}

/// A slot: a queue of ranges; the head is fed first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRow {
    /// What it is for.
    pub kind: BillKind,
    /// What it holds, in feed order; at most [`SLOT_PIECES_MAX`].
    pub queue: Vec<BillRange>,
    /// Locked after a mismatch.
    pub locked: bool,
}

impl SlotRow {
    /// Forms in it.
    pub fn count(&self) -> u32 {
        self.queue
            .iter()
            .fold(0, |sum: u32, range| sum.saturating_add(range.count()))
    }

    /// The first `count` numbers, in feed order; `None` if it holds fewer.
    pub fn head(&self, count: u32) -> Option<Vec<BillRange>> {
        let mut open = count;
        let mut head = Vec::new();
        for range in &self.queue {
            if open == 0 {
                break;
            }
            let (part, _) = range.take_first(open.min(range.count()))?;
            open = open.saturating_sub(part.count());
            head.push(part);
        }
        (open == 0).then_some(head)
    }

    /// Puts a range in front of everything, one range with the head if they touch.
    pub fn put_back(&mut self, range: BillRange) {
        let head = self.queue.first().copied();
        let merged = head
            .filter(|h| range.last() < h.first())
            .and_then(|h| range.merge(h));
        match (merged, self.queue.first_mut()) {
            (Some(merged), Some(first)) => *first = merged,
            _ => self.queue.insert(0, range),
        }
    }

    /// Puts a range behind everything, one range with the tail if they touch.
    pub fn append(&mut self, range: BillRange) {
        let tail = self.queue.last().copied();
        let merged = tail
            .filter(|t| t.last() < range.first())
            .and_then(|t| t.merge(range));
        match (merged, self.queue.last_mut()) {
            (Some(merged), Some(last)) => *last = merged,
            _ => self.queue.push(range),
        }
    }

    /// Takes `hole` out, wherever it is; `false` if it is not in one piece there.
    pub fn remove(&mut self, hole: BillRange) -> bool {
        let found = self
            .queue
            .iter()
            .position(|r| r.contains(hole.first()) && r.contains(hole.last()));
        let Some(at) = found else { return false };
        let Some((before, after)) = self.queue.get(at).and_then(|r| r.without(hole)) else {
            return false;
        };
        self.queue.splice(at..=at, before.into_iter().chain(after));
        true
    }
}

/// The range from a first number to a last serial.
pub(crate) fn range_of(first: counterfoil_data::bill::BillNumber, last: u32) -> Option<BillRange> {
    BillRange::new(first.prefix, first.serial, Serial::from_value(last).ok()?).ok()
}

impl Record for BlankRow {
    const TABLE: Table = Table::Blank;
}

impl Record for LotRow {
    const TABLE: Table = Table::Lot;
}

impl Record for SlotRow {
    const TABLE: Table = Table::Slot;
}
