//! What a confirm station sees (S19-S23): masked, scoped to its branch.

use counterfoil_data::ids::{BranchId, SaleId};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::{
    ConfirmState, ConfirmationView, ContactShown, IdentityShown, PurchaseShown, ResultShown, code,
};
use counterfoil_data::wire::forms::FormState;
use jiff::Timestamp;

use super::sale::{VOID, ranges};
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::{AgentRow, StaffRow, UnitRow};
use crate::core::record::sale::SaleRow;
use crate::store::{From, Read, StoreError};

/// Kiosks of one branch shown at most.
const SHOWN_MAX: usize = 64;

/// Seconds the result of a sale that is over stays on the stations. It names the
/// buyer and the contact, whom nobody has to see once it was looked at.
pub const RESULT_SHOWN_S: i64 = 600;

/// Seconds for which the stations say how a sale ended that came to nothing: whoever
/// had it before them is not left with an empty screen.
pub const ENDED_SHOWN_S: i64 = 60;

/// What the officers of a branch see: at most one sale a kiosk, the result of one that
/// is over for [`RESULT_SHOWN_S`].
pub fn confirmations(
    read: &dyn Read,
    branch: &BranchId,
    now: Timestamp,
) -> Result<Vec<ConfirmationView>, StoreError> {
    let low = key::text(Table::Confirming, branch.as_str());
    let high = key::pair_end(Table::Confirming, branch.as_str());
    let mut views = Vec::new();
    for (_, sale) in read.range(&low, &high, From::First, SHOWN_MAX)? {
        let Ok(sale) = <[u8; 16]>::try_from(sale) else {
            continue;
        };
        let sale = SaleId(u128::from_be_bytes(sale));
        let Some(row) = get::<SaleRow>(read, &key::sale(sale))? else {
            continue;
        };
        let age_s = now.as_second().saturating_sub(row.heard_at.as_second());
        let shown_s = match row.linked {
            Some(_) => RESULT_SHOWN_S,
            None => ENDED_SHOWN_S,
        };
        if (!row.state.is_over() || age_s < shown_s)
            && let Some(view) = view(read, &row)?
        {
            views.push(view);
        }
    }
    Ok(views)
}

/// One confirmation; `None` before the buyer is identified.
pub fn confirmation(read: &dyn Read, sale: SaleId) -> Result<Option<ConfirmationView>, StoreError> {
    match get::<SaleRow>(read, &key::sale(sale))? {
        Some(row) => view(read, &row),
        None => Ok(None),
    }
}

fn view(read: &dyn Read, row: &SaleRow) -> Result<Option<ConfirmationView>, StoreError> {
    let (Some(info), Some(identity)) = (&row.info, &row.identity) else {
        return Ok(None);
    };
    let gap = StoreError::Contradiction("a sale of nobody");
    let agent: Option<AgentRow> = get(read, &key::text(Table::Agent, identity.agent.as_str()))?;
    // S18: unit and contact come from the account's record, never from the session.
    let unit: Option<UnitRow> = get(read, &key::text(Table::Unit, info.unit.as_str()))?;
    let (Some(agent), Some(unit)) = (agent, unit) else {
        return Err(gap);
    };
    let state = row.confirm.as_ref().map(|c| c.state);
    // After a question nobody has decided about the new text, or about its end.
    use ConfirmState::{Asked, Confirmed, Denied};
    let decided = matches!(state, Some(Asked | Confirmed | Denied));
    let confirm = row.confirm.as_ref().filter(|_| decided);
    let decided_by = confirm.and_then(|c| c.decided_by.as_ref());
    let decided_by: Option<StaffRow> = match decided_by {
        Some(officer) => get(read, &key::text(Table::Staff, officer.as_str()))?,
        None => None,
    };
    Ok(Some(ConfirmationView {
        sale: row.sale,
        kiosk: row.kiosk.clone(),
        state: state.unwrap_or(ConfirmState::Identity),
        sale_state: row.state,
        decided_by: decided_by.map(|officer| officer.name),
        identity: IdentityShown {
            name: agent.name,
            number_masked: agent.number_masked,
            unit: unit.name,
            verified_at: identity.at,
        },
        contact: ContactShown {
            name: unit.contact_name,
            phone: unit.contact_phone,
        },
        purchase: purchase(row),
        result: result(row),
    }))
}

/// S21: what they buy, once ordered.
fn purchase(row: &SaleRow) -> Option<PurchaseShown> {
    let order = row.order.as_ref()?;
    Some(PurchaseShown {
        items: order.items.clone(),
        code: code(&order.digest),
        digest: order.digest,
        text: order.text.clone(),
        deadline: (row.deadline)
            .filter(|_| row.linked.is_none())
            .unwrap_or(row.opened_at),
    })
}

/// S23: the linked result, and what became of its paper (first and last reading).
fn result(row: &SaleRow) -> Option<ResultShown> {
    let (linked, order) = (row.linked.as_ref()?, row.order.as_ref()?);
    Some(ResultShown {
        requisition: linked.requisition.clone(),
        ranges: order.text.ranges.clone(),
        sold: ranges(row, &[FormState::Sold]),
        void: ranges(row, &VOID),
        unknown: ranges(row, &[FormState::Unknown]),
        released: ranges(row, &[FormState::Released]),
        fee: linked.fee.checked_sub(linked.reversed).unwrap_or(Fen::ZERO),
    })
}
