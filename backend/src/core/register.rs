//! The register of forms sold (领用登记, L5): a line a linked sale, as it follows
//! from the sale's forms and from nothing else.
//!
//! Owns what each form means to the account. `apply` writes the line anew with
//! every change of the sale, the audit recomputes it, the receipt speaks its words.

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::custody::Mark;
use counterfoil_data::wire::forms::FormState;

use super::key::{self, Table};
use super::record::books::RegisterRow;
use super::record::sale::{FormRow, SaleRow};
use crate::store::Key;

/// What a form of a linked sale is to its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// On its way, or nobody knows: it may be the account's.
    Open,
    /// The account has it (I2).
    Sold,
    /// The account had it, and gave it back unused.
    Returned,
    /// Fed or lost for it, and never its own.
    Void,
}

/// The fate of a form; `None` once it is back in stock.
pub fn fate(form: &FormRow) -> Option<Fate> {
    match form.state {
        FormState::Released => None,
        FormState::Sold if form.returned => Some(Fate::Returned),
        FormState::Sold => Some(Fate::Sold),
        FormState::Spoiled | FormState::Retracted => Some(Fate::Void),
        FormState::Unknown if form.missing => Some(Fate::Void),
        FormState::Assigned
        | FormState::Feeding
        | FormState::Printed
        | FormState::Presented
        | FormState::Unknown => Some(Fate::Open),
    }
}

/// The numbers of some forms, in order, as ranges.
pub fn ranges(row: &SaleRow, wanted: impl Fn(&FormRow) -> bool) -> Vec<BillRange> {
    let forms = row.forms.iter().filter(|form| wanted(form));
    ranges_of(forms.map(|form| form.number))
}

/// Numbers as the fewest ranges, in order.
pub fn ranges_of(numbers: impl Iterator<Item = BillNumber>) -> Vec<BillRange> {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    let mut ranges: Vec<BillRange> = Vec::new();
    for number in numbers {
        let single = BillRange::single(number);
        match ranges.last_mut().map(|last| (last.merge(single), last)) {
            Some((Some(merged), last)) => *last = merged,
            _ => ranges.push(single),
        }
    }
    ranges
}

fn count(row: &SaleRow, wanted: impl Fn(&&FormRow) -> bool) -> u64 {
    u64::try_from(row.forms.iter().filter(wanted).count()).unwrap_or(u64::MAX)
}

/// Forms that count as the account's unused ones: neither paid nor given back.
pub fn unused(row: &SaleRow) -> u64 {
    let unpaid = |form: &&FormRow| !form.is_marked(Mark::Paid);
    let holds = |form: &&FormRow| matches!(fate(form), Some(Fate::Open | Fate::Sold));
    count(row, |form| holds(form) && unpaid(form))
}

/// Forms that count as bought that day, whatever became of them since.
pub fn bought(row: &SaleRow) -> u64 {
    let is = |form: &&FormRow| matches!(fate(form), Some(Fate::Open | Fate::Sold | Fate::Returned));
    count(row, is)
}

/// The line of a sale and where it stands; `None` before linking.
pub fn line(row: &SaleRow) -> Option<(Key, RegisterRow)> {
    let (linked, info, identity) = (
        row.linked.as_ref()?,
        row.info.as_ref()?,
        row.identity.as_ref()?,
    );
    let of = |wanted| ranges(row, |form| fate(form) == Some(wanted));
    let line = RegisterRow {
        sale: row.sale,
        date: linked.date,
        agent: identity.agent.clone(),
        officer: row.confirm.as_ref().and_then(|c| c.decided_by.clone()),
        open: of(Fate::Open),
        sold: of(Fate::Sold),
        void: of(Fate::Void),
        returned: of(Fate::Returned),
        fee: linked.fee.checked_sub(linked.reversed).unwrap_or(Fen::ZERO),
        leaf: linked.leaf,
    };
    let key = key::pair(Table::Register, &info.account, &linked.requisition);
    Some((key, line))
}
