//! Linked processing (联动处理, S7): L1-L9 as one decision, so in one commit.

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::sale::SaleState;

use super::{Draft, Stop, business_date, info, order, sheet, witness};
use crate::core::command::{Outcome, PasswordLine};
use crate::core::event::Event;
use crate::core::facts;
use crate::core::key;
use crate::core::record::books::CounterRow;
use crate::core::record::sale::{OrderRow, SaleRow};
use crate::core::record::stock::SlotRow;
use crate::core::rules::{self, Gate};
use crate::store::StoreError;

/// L1 re-checks rules on fresh data; L2 takes the numbers at the head, in order;
/// L3-L6, L8 and L9 follow from the event; L7 keeps the passwords drawn for them.
pub fn link(draft: &mut Draft<'_>, sale: SaleId, drawn: &[PasswordLine]) -> Result<Outcome, Stop> {
    let row = draft.own_sale_in(sale, SaleState::Confirmed)?;
    witness::may_sell(draft, &row.kiosk)?;
    let Some(confirmed) = row.order.clone() else {
        return Err(StoreError::Contradiction("confirmed without an order").into());
    };
    let policy = draft.policy()?;
    let facts = facts::of_sale(&draft.books, &row, None, draft.command.at)?;
    let rule = [Gate::Info, Gate::Identity, Gate::Order]
        .into_iter()
        .find_map(|gate| rules::judge(gate, &facts, &policy));
    if let Some(refusal) = rule {
        return info::end(draft, sale, refusal, vec![]);
    }
    if !is_at_head(draft, &row, &confirmed)? || !is_same_fee(draft, &facts, &confirmed)? {
        // Shown before = a peek at the head; it moved, so it is shown again.
        let fresh = order::quote(draft, &row, &confirmed.items, &policy)?;
        let Outcome::Sale(state) = order::show(draft, sale, fresh, &policy)? else {
            return Err(StoreError::Contradiction("an order without a state").into());
        };
        return Ok(Outcome::RangeMoved { state });
    }
    take(draft, &row, confirmed, drawn)
}

fn is_at_head(draft: &Draft<'_>, row: &SaleRow, order: &OrderRow) -> Result<bool, Stop> {
    for pick in &order.picks {
        let key = key::slot(&row.kiosk, &pick.slot);
        let slot: SlotRow = draft.books.need(&key, "no such slot")?;
        let head = slot.head(order::count(&pick.ranges));
        if slot.locked || head.as_ref() != Some(&pick.ranges) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A fee that changed over midnight is shown again, too.
fn is_same_fee(draft: &Draft<'_>, facts: &facts::Facts, order: &OrderRow) -> Result<bool, Stop> {
    for (item, pick) in order.items.iter().zip(&order.picks) {
        let fee = facts::fee_each(&draft.books, item.kind, facts.date)?;
        if fee != Some(pick.fee_each) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn take(
    draft: &mut Draft<'_>,
    row: &SaleRow,
    order: OrderRow,
    drawn: &[PasswordLine],
) -> Result<Outcome, Stop> {
    let date = business_date(draft)?;
    let counter: Option<CounterRow> = draft.books.get(&key::requisition(&row.branch, date))?;
    let serial = counter.unwrap_or_default().value.saturating_add(1);
    let day = date.strftime("%Y%m%d");
    let requisition = format!("{}-{day}-{serial:05}", row.branch);
    let fee = order.text.fee;
    draft.emit(Event::Linked {
        sale: row.sale,
        requisition: requisition.clone(),
        serial,
        date,
        fee,
    })?;
    let numbers = order.text.ranges.iter().flat_map(|range| range.numbers());
    let numbers: Vec<_> = numbers.collect();
    sheet::make(draft, row.sale, &numbers, drawn)?;
    Ok(Outcome::Linked {
        requisition,
        ranges: order.text.ranges,
        fee,
    })
}
