//! The order (S5, S6), what the officer is shown (S21, S22), and policy.

use counterfoil_data::bill::{BillKind, BillRange};
use counterfoil_data::form;
use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::problem::RuleRefusal;
use counterfoil_data::wire::sale::{ORDER_ITEMS_MAX, OrderItem, SALE_FORMS_MAX, SaleState};

use super::{Draft, Stop, info};
use crate::core::command::Outcome;
use crate::core::event::Event;
use crate::core::facts::{self, Facts};
use crate::core::key::{self, Table};
use crate::core::record::bank::{ConfirmPolicy, Policy, UnitRow};
use crate::core::record::sale::{OrderRow, Pick, SaleRow};
use crate::core::refusal::{Malformed, Refusal};
use crate::core::rules::{self, Gate};
use crate::store::StoreError;

/// Separate ranges in one order at most: they must fit one evidence leaf.
pub const ORDER_RANGES_MAX: usize = 32;

/// Orders; accepted when identified, and again after the officer asked.
pub fn place(draft: &mut Draft<'_>, sale: SaleId, items: &[OrderItem]) -> Result<Outcome, Stop> {
    let row = draft.own_sale(sale)?;
    // S15: purchase information only on message 1 and message 2.
    if !matches!(row.state, SaleState::IdentityVerified | SaleState::Ordered) {
        return Err(Refusal::OutOfOrder { state: row.state }.into());
    }
    let row = draft.in_state(row.clone(), row.state)?;
    lawful(items)?;
    let policy = draft.policy()?;
    let order = quote(draft, &row, items, &policy)?;
    show(draft, sale, order, &policy)
}

fn lawful(items: &[OrderItem]) -> Result<(), Stop> {
    let twice = |i: &OrderItem| items.iter().filter(|o| o.kind == i.kind).count() > 1;
    if items.is_empty() || items.len() > ORDER_ITEMS_MAX || items.iter().any(twice) {
        return Err(Refusal::Malformed(Malformed::Items).into());
    }
    let sum = items
        .iter()
        .fold(0, |sum: u32, item| sum.saturating_add(item.quantity));
    if items.iter().any(|i| i.quantity == 0) || sum > SALE_FORMS_MAX {
        return Err(Refusal::Malformed(Malformed::Quantity).into());
    }
    Ok(())
}

/// Checks the order's rules and peeks at the numbers at the slots' heads.
pub fn quote(
    draft: &Draft<'_>,
    row: &SaleRow,
    items: &[OrderItem],
    policy: &Policy,
) -> Result<OrderRow, Stop> {
    let mut facts = facts::of_sale(&draft.books, row, None, draft.command.at)?;
    facts.items = items.to_vec();
    if let Some(refusal) = rules::judge(Gate::Order, &facts, policy) {
        return Err(refused(row, refusal));
    }
    let mut picks = Vec::new();
    for item in items {
        picks.push(pick(draft, row, &facts, *item, policy)?);
    }
    let pieces = picks.iter().map(|p| p.ranges.len()).sum::<usize>();
    if pieces > ORDER_RANGES_MAX {
        let mut refusal = rules::refusal("stock-short", policy.version);
        refusal.staff = format!("{pieces} separate ranges in one order: reload the slots");
        return Err(refused(row, refusal));
    }
    let text = text(draft, row, &facts, &picks)?;
    if let Some(why) = items.iter().find_map(|item| unprintable(item.kind, &text)) {
        let mut refusal = rules::refusal("kind-not-allowed", policy.version);
        refusal.staff = why;
        return Err(refused(row, refusal));
    }
    Ok(OrderRow {
        items: items.to_vec(),
        picks,
        digest: text.digest(),
        text,
    })
}

/// Why the form of a kind has no room for what would be printed on it, told before
/// anything is confirmed, paid or fed. The printer's own type may still be larger.
fn unprintable(kind: BillKind, text: &ConfirmText) -> Option<String> {
    let template = form::template(form::template_for(kind)?).ok()?;
    let values = form::expected_fields(text);
    template.fields.iter().find_map(|field| {
        let written = field.written(values.get(&field.name)?);
        let fitted = written.and_then(|text| field.fit(&text));
        fitted.err().map(|why| format!("{kind:?}: {why}"))
    })
}

fn refused(row: &SaleRow, rule: RuleRefusal) -> Stop {
    let state = row.state;
    Refusal::Rule { rule, state }.into()
}

fn pick(
    draft: &Draft<'_>,
    row: &SaleRow,
    facts: &Facts,
    item: OrderItem,
    policy: &Policy,
) -> Result<Pick, Stop> {
    let slot = facts.slot_for(item.kind, item.quantity);
    let head = slot.and_then(|(id, slot)| Some((id, slot.head(item.quantity)?)));
    let fee = facts::fee_each(&draft.books, item.kind, facts.date)?;
    let (Some((slot, ranges)), Some(fee_each)) = (head, fee) else {
        let mut refusal = rules::refusal("kind-not-allowed", policy.version);
        refusal.staff = format!("no fee is set for {:?}", item.kind);
        return Err(refused(row, refusal));
    };
    Ok(Pick {
        slot: slot.clone(),
        ranges,
        fee_each,
    })
}

/// Forms in some ranges.
pub fn count(ranges: &[BillRange]) -> u32 {
    ranges
        .iter()
        .fold(0, |sum: u32, range| sum.saturating_add(range.count()))
}

/// Fee of all picks (L3); zero is a normal fee.
pub fn fee(picks: &[Pick]) -> Option<Fen> {
    picks.iter().try_fold(Fen::ZERO, |sum, pick| {
        sum.checked_add(pick.fee_each.checked_mul(count(&pick.ranges))?)
    })
}

/// Exactly what the officer is asked about and what will be printed: all of it
/// from the account's record, nothing from the session (S18).
fn text(
    draft: &Draft<'_>,
    row: &SaleRow,
    facts: &Facts,
    picks: &[Pick],
) -> Result<ConfirmText, Stop> {
    let gap = StoreError::Contradiction("an order without its gates");
    let (Some(account), Some(agent)) = (&facts.account, &facts.agent) else {
        return Err(gap.into());
    };
    if row.identity.is_none() {
        return Err(gap.into());
    }
    let unit = key::text(Table::Unit, account.unit.as_str());
    let unit: UnitRow = draft.books.need(&unit, "an account without a unit")?;
    let bank = facts::bank(&draft.books)?;
    let ranges: Vec<BillRange> = picks.iter().flat_map(|p| p.ranges.clone()).collect();
    let fee = fee(picks).ok_or(StoreError::Contradiction("a fee is out of range"))?;
    Ok(ConfirmText {
        account_name: unit.name,
        account: account.number.clone(),
        bank_name: bank.name,
        bank_number: bank.bank_number,
        agent_masked: agent.name_masked.clone(),
        count: count(&ranges),
        ranges,
        fee,
    })
}

/// Puts an order before the officers, or confirms it where policy needs none.
pub fn show(
    draft: &mut Draft<'_>,
    sale: SaleId,
    order: OrderRow,
    policy: &Policy,
) -> Result<Outcome, Stop> {
    let digest = order.digest;
    let asks = match policy.confirm {
        ConfirmPolicy::Always => true,
        ConfirmPolicy::Above(count) => order.text.count > count,
        ConfirmPolicy::Never => false,
    };
    let order = Box::new(order);
    draft.emit(Event::Ordered { sale, order })?;
    if asks {
        let deadline = info::later(draft.command.at, policy.confirm_within_s);
        draft.emit(Event::ConfirmationShown {
            sale,
            digest,
            deadline,
        })?;
        return Ok(Outcome::Sale(SaleState::AwaitConfirm));
    }
    draft.emit(Event::Confirmed {
        sale,
        officer: None,
        digest,
    })?;
    Ok(Outcome::Sale(SaleState::Confirmed))
}
