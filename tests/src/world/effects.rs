//! What happened to money and custody, read off the evidence log itself, in
//! lines a script can hold. Consecutive leaves of one kind about consecutive
//! forms become one line.

use counterfoil_backend::core::key::{self, Table};
use counterfoil_backend::core::record::decode;
use counterfoil_backend::core::record::stock::{BlankState, LotRow};
use counterfoil_backend::store::{From as End, RANGE_MAX, Read};
use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::leaf::{Field, Leaf, LeafKind};

/// Kinds that move money or custody, or decide that they may.
fn is_effect(kind: LeafKind) -> bool {
    !matches!(
        kind,
        LeafKind::SaleOpened
            | LeafKind::InfoAttempted
            | LeafKind::IdentityAttempted
            | LeafKind::ConfirmShown
            | LeafKind::ConfirmSeen
            | LeafKind::Enrolled
            | LeafKind::BankOpened
    )
}

/// One line per effect.
pub fn lines(leaves: &[Leaf]) -> Vec<String> {
    let mut lines: Vec<(LeafKind, Vec<BillNumber>, String)> = Vec::new();
    for leaf in leaves.iter().filter(|leaf| is_effect(leaf.kind)) {
        let numbers = numbers(leaf);
        let facts = facts(leaf);
        match lines
            .iter_mut()
            .rev()
            .take(2)
            .find(|(kind, _, told)| *kind == leaf.kind && *told == facts)
        {
            // Printed n and feeding n+1 alternate: the line before the last may go on.
            Some((_, told, _)) if !numbers.is_empty() && follows(told, &numbers) => {
                told.extend(numbers)
            }
            _ => lines.push((leaf.kind, numbers, facts)),
        }
    }
    lines
        .into_iter()
        .map(|(kind, numbers, facts)| line(kind, &numbers, &facts))
        .collect()
}

fn follows(told: &[BillNumber], numbers: &[BillNumber]) -> bool {
    let next = told.last().and_then(|last| last.next().ok());
    next.is_some() && next == numbers.first().copied()
}

fn numbers(leaf: &Leaf) -> Vec<BillNumber> {
    let mut numbers = Vec::new();
    for field in &leaf.fields {
        match field {
            Field::Number(number) => numbers.push(*number),
            Field::Range(range) => numbers.extend(range.numbers()),
            _ => {}
        }
    }
    numbers
}

fn facts(leaf: &Leaf) -> String {
    let mut facts = Vec::new();
    if leaf.kind == LeafKind::CustodyProposed {
        facts.push(format!("by {}", actor(leaf)));
    }
    for field in &leaf.fields {
        match field {
            Field::Count(count) if leaf.kind.word().starts_with("sheet-") => {
                facts.push(format!("passwords {count}"));
            }
            Field::Fee(fee) => facts.push(format!("fee {fee}")),
            Field::Rule(rule) => facts.push(format!("rule {rule}")),
            Field::Reason(reason) => facts.push(format!("reason {reason}")),
            Field::Read(read) => facts.push(format!("read {read}")),
            Field::Ink(ink) => facts.push(format!("ink {ink}")),
            Field::SupplementOf(number) => facts.push(format!("for {number}")),
            Field::State(state) => facts.push(state.clone()),
            Field::Second(second) => facts.push(format!("by {} and {second}", actor(leaf))),
            _ => {}
        }
    }
    facts.join(" ")
}

/// Who signed it.
fn actor(leaf: &Leaf) -> &str {
    let named = leaf.fields.iter().find_map(|field| match field {
        Field::Actor(actor) => Some(actor.as_str()),
        _ => None,
    });
    named.unwrap_or("nobody")
}

fn line(kind: LeafKind, numbers: &[BillNumber], facts: &str) -> String {
    let mut words = vec![kind.word().to_owned()];
    let runs: Vec<String> = numbers
        .chunk_by(|one, next| one.next().ok() == Some(*next))
        .filter_map(run)
        .collect();
    if !runs.is_empty() {
        words.push(runs.join(" + "));
    }
    if numbers.len() > 1 {
        words.push(format!("({})", numbers.len()));
    }
    if !facts.is_empty() {
        words.push(facts.to_owned());
    }
    words.join(" ")
}

/// Numbers that follow one another, as a range.
fn run(numbers: &[BillNumber]) -> Option<String> {
    let (first, last) = (numbers.first()?, numbers.last()?);
    let range = BillRange::new(first.prefix, first.serial, last.serial);
    Some(range.map_or_else(|_| first.rows(), counterfoil_data::fmt::range))
}

/// How many forms are in `state` (a [`BlankState`] by name), over all prefixes,
/// from the conservation counters that the audit checks against the rows (I1).
pub fn blanks(books: &dyn Read, state: &str) -> Result<u64, String> {
    let names: Vec<String> = BlankState::ALL.iter().map(|s| format!("{s:?}")).collect();
    let at = names.iter().position(|name| name == state);
    let at = at.ok_or_else(|| format!("no state `{state}`; there are {names:?}"))?;
    let (low, high) = (key::low(Table::Lot), key::high(Table::Lot));
    let rows = books
        .range(&low, &high, End::First, RANGE_MAX)
        .map_err(|e| e.to_string())?;
    let mut sum = 0_u64;
    for (_, bytes) in rows {
        let lot: LotRow = decode(&bytes).map_err(|e| e.to_string())?;
        sum = sum.saturating_add(lot.by_state.get(at).copied().unwrap_or(0));
    }
    Ok(sum)
}
