//! Keys: where each row lives. One ordered tree; the first byte is the table.
//!
//! Numbers are big-endian, so that key order is number order; text parts end
//! with a zero byte, which no id contains. Table numbers never change.

mod table;

use counterfoil_data::bill::{BillKind, BillNumber, BillPrefix, Serial};
use counterfoil_data::ids::{AgentId, BranchId, KioskId, SaleId, SlotId, UnitId};
use counterfoil_data::wire::sale::FingerPosition;
use jiff::Timestamp;
use jiff::civil::Date;

use super::record::bank::KeyedHash;
use super::record::stock::Keeper;
use super::record::terms::Listed;
use crate::store::Key;
pub use table::Table;

/// Something that waits for two people of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// A form nobody knows about.
    Unknown(BillNumber),
    /// A locked slot.
    Slot(KioskId, SlotId),
    /// A suspended sale.
    Sale(SaleId),
}

impl Waits {
    /// Sorts, in the order they are shown.
    pub const SORTS: [u8; 3] = [1, 2, 3];

    fn sort(&self) -> u8 {
        match self {
            Self::Unknown(_) => 1,
            Self::Slot(..) => 2,
            Self::Sale(_) => 3,
        }
    }
}

fn key(table: Table, parts: &[&[u8]]) -> Key {
    let mut key = vec![table as u8];
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

/// Lowest key of a table.
pub fn low(table: Table) -> Key {
    vec![table as u8]
}

/// One past the highest key of a table.
pub fn high(table: Table) -> Key {
    vec![(table as u8).saturating_add(1)]
}

/// The row of a table that has only one.
pub fn single(table: Table) -> Key {
    low(table)
}

/// A row named by text.
pub fn text(table: Table, name: &str) -> Key {
    key(table, &[name.as_bytes(), &[0]])
}

/// A row named by two texts.
pub fn pair(table: Table, first: &str, second: &str) -> Key {
    key(table, &[first.as_bytes(), &[0], second.as_bytes(), &[0]])
}

/// One past the last row that [`pair`] names with this first text.
pub fn pair_end(table: Table, first: &str) -> Key {
    key(table, &[first.as_bytes(), &[1]])
}

/// A row named by a keyed hash.
pub fn hashed(table: Table, hash: KeyedHash) -> Key {
    key(table, &[&hash.0])
}

/// A row named by a number.
pub fn numbered(table: Table, number: u64) -> Key {
    key(table, &[&number.to_be_bytes()])
}

/// A sale.
pub fn sale(sale: SaleId) -> Key {
    key(Table::Sale, &[&sale.0.to_be_bytes()])
}

/// The payment-password sheet of a sale.
pub fn sheet(sale: SaleId) -> Key {
    key(Table::Sheet, &[&sale.0.to_be_bytes()])
}

/// The payment password of a form.
pub fn password(number: BillNumber) -> Key {
    let (prefix, serial) = (number.prefix.value(), number.serial.value());
    key(
        Table::Password,
        &[&prefix.to_be_bytes(), &serial.to_be_bytes()],
    )
}

/// A slot of a kiosk.
pub fn slot(kiosk: &KioskId, slot: &SlotId) -> Key {
    pair(Table::Slot, kiosk.as_str(), slot.as_str())
}

/// The agent of a unit with this citizen number (S13: of this unit only).
pub fn agent_lookup(unit: &UnitId, identity: KeyedHash) -> Key {
    key(
        Table::AgentLookup,
        &[unit.as_str().as_bytes(), &[0], &identity.0],
    )
}

/// An enrolled impression of an agent's finger.
pub fn print(agent: &AgentId, finger: FingerPosition, impression: u8) -> Key {
    key(
        Table::Print,
        &[agent.as_str().as_bytes(), &[0, finger.code(), impression]],
    )
}

/// Finger and impression of a key that [`print()`] made.
pub fn print_of(key: &[u8]) -> Option<(FingerPosition, u8)> {
    let (_, [finger, impression]) = key.split_last_chunk::<2>()?;
    let mut all = FingerPosition::ALL.into_iter();
    Some((all.find(|f| f.code() == *finger)?, *impression))
}

/// One before the first and one past the last impression of an agent.
pub fn prints(agent: &AgentId) -> (Key, Key) {
    let of = |end: u8| key(Table::Print, &[agent.as_str().as_bytes(), &[end]]);
    (of(0), of(1))
}

/// What the officers of a branch see of a kiosk.
pub fn confirming(branch: &BranchId, kiosk: &KioskId) -> Key {
    pair(Table::Confirming, branch.as_str(), kiosk.as_str())
}

/// Blanks from this number on.
pub fn blank(first: BillNumber) -> Key {
    key(
        Table::Blank,
        &[
            &first.prefix.value().to_be_bytes(),
            &first.serial.value().to_be_bytes(),
        ],
    )
}

/// The first number of a blank row, out of its key.
pub fn blank_first(key: &[u8]) -> Option<BillNumber> {
    let (prefix, serial) = key.get(1..)?.split_first_chunk::<4>()?;
    let serial: [u8; 4] = serial.try_into().ok()?;
    Some(BillNumber {
        prefix: BillPrefix::from_value(u32::from_be_bytes(*prefix)).ok()?,
        serial: Serial::from_value(u32::from_be_bytes(serial)).ok()?,
    })
}

/// First key of a prefix's blanks.
pub fn blank_low(prefix: BillPrefix) -> Key {
    key(Table::Blank, &[&prefix.value().to_be_bytes()])
}

/// One past the last key of a prefix's blanks.
pub fn blank_high(prefix: BillPrefix) -> Key {
    key(
        Table::Blank,
        &[&prefix.value().saturating_add(1).to_be_bytes()],
    )
}

/// What waits for two people of a branch.
pub fn waiting(branch: &BranchId, what: &Waits) -> Key {
    let mut key = waiting_sort(branch, what.sort()).0;
    match what {
        Waits::Unknown(number) => key.extend(blank(*number).iter().skip(1)),
        Waits::Slot(kiosk, name) => key.extend(slot(kiosk, name).iter().skip(1)),
        Waits::Sale(id) => key.extend(sale(*id).iter().skip(1)),
    }
    key
}

/// First key of a sort of what waits in a branch, and one past its last.
pub fn waiting_sort(branch: &BranchId, sort: u8) -> (Key, Key) {
    let at = |sort: u8| key(Table::Waiting, &[branch.as_str().as_bytes(), &[0, sort]]);
    (at(sort), at(sort.saturating_add(1)))
}

/// What waits, out of its key.
pub fn waits_of(key: &[u8], branch: &BranchId) -> Option<Waits> {
    let (sort, rest) = key
        .get(branch.as_str().len().checked_add(2)?..)?
        .split_first()?;
    Some(match sort {
        1 => Waits::Unknown(blank_first(&[&[Table::Blank as u8], rest].concat())?),
        2 => {
            let text = std::str::from_utf8(rest).ok()?;
            let (kiosk, slot) = text.strip_suffix('\0')?.split_once('\0')?;
            Waits::Slot(kiosk.parse().ok()?, slot.parse().ok()?)
        }
        3 => Waits::Sale(SaleId(u128::from_be_bytes(rest.try_into().ok()?))),
        _ => return None,
    })
}

/// A proposal of a branch.
pub fn proposal(branch: &BranchId, number: u64) -> Key {
    let mut key = proposals(branch);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// First key of a branch's proposals.
pub fn proposals(branch: &BranchId) -> Key {
    text(Table::Proposal, branch.as_str())
}

/// One past the last key of a branch's proposals.
pub fn proposals_end(branch: &BranchId) -> Key {
    pair_end(Table::Proposal, branch.as_str())
}

/// Whose a public key is.
pub fn staff_key(public: &[u8; 32]) -> Key {
    key(Table::StaffKey, &[public])
}

/// Conservation counters of a prefix.
pub fn lot(prefix: BillPrefix) -> Key {
    key(Table::Lot, &[&prefix.value().to_be_bytes()])
}

/// How many forms of a kind a keeper keeps.
pub fn kept(keeper: &Keeper, kind: BillKind) -> Key {
    key(
        Table::Kept,
        &[&[kind.digit()], keeper.to_string().as_bytes()],
    )
}

fn date_bytes(date: Date) -> [u8; 4] {
    let [y1, y0] = date.year().cast_unsigned().to_be_bytes();
    [
        y1,
        y0,
        date.month().cast_unsigned(),
        date.day().cast_unsigned(),
    ]
}

/// The fee of a kind from a date on.
pub fn fee(kind: BillKind, from: Date) -> Key {
    key(Table::Fee, &[&[kind.digit()], &date_bytes(from)])
}

/// Forms an agent bought on a day.
pub fn agent_day(agent: &AgentId, day: Date) -> Key {
    key(
        Table::AgentDay,
        &[agent.as_str().as_bytes(), &[0], &date_bytes(day)],
    )
}

/// Forms an account bought on a day.
pub fn account_day(account: &str, day: Date) -> Key {
    key(
        Table::AccountDay,
        &[account.as_bytes(), &[0], &date_bytes(day)],
    )
}

/// An entry of a regulator's list.
pub fn listed(listed: &Listed) -> Key {
    match listed {
        Listed::Unit(code) => key(Table::Listed, &[b"u", code.as_bytes()]),
        Listed::Person(hash) => key(Table::Listed, &[b"p", &hash.0]),
        Listed::Account(hash) => key(Table::Listed, &[b"a", &hash.0]),
    }
}

/// Last requisition number of a branch on a day.
pub fn requisition(branch: &BranchId, day: Date) -> Key {
    key(
        Table::Requisition,
        &[branch.as_str().as_bytes(), &[0], &date_bytes(day)],
    )
}

fn time_bytes(at: Timestamp) -> [u8; 8] {
    // Times before 1970 do not occur; they would only sort first.
    u64::try_from(at.as_millisecond())
        .unwrap_or(0)
        .to_be_bytes()
}

/// A deadline of a sale.
pub fn timer(at: Timestamp, sale: SaleId) -> Key {
    key(Table::Timer, &[&time_bytes(at), &sale.0.to_be_bytes()])
}

/// One past the last deadline that is due at `now`.
pub fn timer_due(now: Timestamp) -> Key {
    let due = u64::from_be_bytes(time_bytes(now)).saturating_add(1);
    key(Table::Timer, &[&due.to_be_bytes()])
}

/// Age of a stored answer.
pub fn answer_age(at: Timestamp, answer: &[u8]) -> Key {
    key(Table::AnswerAge, &[&time_bytes(at), answer])
}

/// One past the last stored answer older than `at`.
pub fn answer_age_before(at: Timestamp) -> Key {
    key(Table::AnswerAge, &[&time_bytes(at)])
}

/// A leaf about a block of `2^level` numbers of a prefix.
pub fn number_leaf(prefix: BillPrefix, level: u8, block: u32, leaf: u64) -> Key {
    let parts: [&[u8]; 4] = [
        &prefix.value().to_be_bytes(),
        &[level],
        &block.to_be_bytes(),
        &leaf.to_be_bytes(),
    ];
    key(Table::NumberLeaf, &parts)
}

/// The last eight bytes of a key as a number: a leaf index.
pub fn leaf_of(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().copied().map(u64::from_be_bytes)
}

/// A whole subtree's hash.
pub fn tree_hash(level: u8, index: u64) -> Key {
    key(Table::TreeHash, &[&[level], &index.to_be_bytes()])
}

/// The time and sale of a timer row, out of its key.
pub fn timer_of(key: &[u8]) -> Option<(Timestamp, SaleId)> {
    let (at, sale) = key.get(1..)?.split_first_chunk::<8>()?;
    let at = i64::try_from(u64::from_be_bytes(*at)).ok()?;
    let sale: [u8; 16] = sale.try_into().ok()?;
    let at = Timestamp::from_millisecond(at).ok()?;
    Some((at, SaleId(u128::from_be_bytes(sale))))
}

/// The number of a numbered row, out of its key.
pub fn number_of(key: &[u8]) -> Option<u64> {
    let number: [u8; 8] = key.get(1..)?.try_into().ok()?;
    Some(u64::from_be_bytes(number))
}
