//! A sale as its kiosk may see it: enough to resume anywhere (I6).

use std::collections::BTreeMap;

use counterfoil_data::bill::BillRange;
use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::sealed::Challenge;
use counterfoil_data::tlog;
use counterfoil_data::wire::confirm::code;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sale::{
    AgentView, FingerPosition, FormView, LinkedResult, Offer, OrderView, PrintJob, Proof, Receipt,
    SaleState, SaleView, UnitView,
};
use counterfoil_data::wire::sheet::SheetView;
use jiff::Timestamp;

use crate::core::decide::template;
use crate::core::facts::{self, Facts};
use crate::core::key::{self, Table};
use crate::core::log;
use crate::core::overlay::get;
use crate::core::record::bank::{AgentRow, Policy, UnitRow};
use crate::core::record::sale::{FormRow, SaleRow};
use crate::core::record::sheet::SheetRow;
use crate::core::register;
use crate::core::sheet::view;
use crate::store::{Read, StoreError};

/// A sale as its kiosk may see it.
pub fn sale_view(
    read: &dyn Read,
    sale: SaleId,
    now: Timestamp,
) -> Result<Option<SaleView>, StoreError> {
    let row: Option<SaleRow> = get(read, &key::sale(sale))?;
    let Some(row) = row else { return Ok(None) };
    let policy: Option<Policy> = get(read, &key::single(Table::Policy))?;
    let policy = policy.ok_or(StoreError::Contradiction("a sale without a policy"))?;
    Ok(Some(SaleView {
        sale,
        state: row.state,
        mode: row.mode,
        challenge: Challenge(row.challenge),
        expires: row.deadline.filter(|_| expires(row.state)),
        unit: unit(read, &row, &policy, now)?,
        agent: agent(read, &row)?.map(|agent| AgentView {
            other_fingers: other_fingers(&row, &agent),
            name_masked: agent.name_masked,
        }),
        refusal: row.refusal.clone(),
        attempts_left: attempts_left(&row, &policy),
        order: order(&row),
        linked: linked(&row),
        forms: forms(&row),
        sheet: sheet(read, sale)?,
        receipt: receipt(read, &row)?,
    }))
}

/// Whether the sale's deadline is the customer's: not the officer's, and not the one
/// after which a silent kiosk counts as lost.
fn expires(state: SaleState) -> bool {
    !matches!(
        state,
        SaleState::AwaitConfirm | SaleState::Linked | SaleState::Dispensing
    )
}

fn attempts_left(row: &SaleRow, policy: &Policy) -> Option<u32> {
    match row.state {
        SaleState::Opened => Some(policy.info_attempts.saturating_sub(row.info_attempts)),
        SaleState::InfoVerified => {
            let used = row.identity_attempts;
            Some(policy.identity_attempts.saturating_sub(used))
        }
        SaleState::IdentityVerified | SaleState::Ordered if row.finger_attempts > 0 => {
            let used = row.finger_attempts;
            Some(policy.identity_attempts.saturating_sub(used))
        }
        _ => None,
    }
}

fn agent(read: &dyn Read, row: &SaleRow) -> Result<Option<AgentRow>, StoreError> {
    match &row.identity {
        Some(identity) => get(read, &key::text(Table::Agent, identity.agent.as_str())),
        None => Ok(None),
    }
}

/// Fingers that could still be asked for.
fn other_fingers(row: &SaleRow, agent: &AgentRow) -> Vec<FingerPosition> {
    let ordering = matches!(row.state, SaleState::IdentityVerified | SaleState::Ordered);
    let proven = row.identity.as_ref().map(|identity| identity.finger);
    let fingers = agent.fingers.iter().map(|finger| finger.position);
    fingers
        .filter(|finger| ordering && Some(*finger) != proven)
        .collect()
}

/// All but the last four digits masked.
fn masked(account: &str) -> String {
    let hidden = account.len().saturating_sub(4);
    let tail = account.get(hidden..).unwrap_or_default();
    format!("{}{tail}", "*".repeat(hidden))
}

/// Message 1 (S4), with what can be bought while that is still the question.
fn unit(
    read: &dyn Read,
    row: &SaleRow,
    policy: &Policy,
    now: Timestamp,
) -> Result<Option<UnitView>, StoreError> {
    let Some(info) = &row.info else {
        return Ok(None);
    };
    let unit: Option<UnitRow> = get(read, &key::text(Table::Unit, info.unit.as_str()))?;
    let unit = unit.ok_or(StoreError::Contradiction("an account without a unit"))?;
    let asking = matches!(
        row.state,
        SaleState::InfoVerified | SaleState::IdentityVerified | SaleState::Ordered
    );
    let offers = if asking {
        let facts = facts::of_sale(read, row, None, now)?;
        offers(read, &facts, policy)?
    } else {
        Vec::new()
    };
    Ok(Some(UnitView {
        name: unit.name,
        account_masked: masked(&info.account),
        offers,
    }))
}

fn offers(read: &dyn Read, facts: &Facts, policy: &Policy) -> Result<Vec<Offer>, StoreError> {
    let mut offers: Vec<Offer> = Vec::new();
    for (_, slot) in &facts.slots {
        let kind = slot.kind;
        let allowed = facts
            .account
            .as_ref()
            .is_some_and(|a| a.kinds.contains(&kind));
        if !allowed || offers.iter().any(|o| o.kind == kind) {
            continue;
        }
        let Some(fee_each) = facts::fee_each(read, kind, facts.date)? else {
            continue;
        };
        let quantity_max = facts.quantity_max(kind);
        offers.push(Offer {
            kind,
            fee_each,
            quantity_max,
            quantity_usual: policy.quantity_usual.min(quantity_max),
        });
    }
    Ok(offers)
}

fn order(row: &SaleRow) -> Option<OrderView> {
    let order = row.order.as_ref()?;
    let confirm = row.confirm.as_ref();
    let waiting = row.state == SaleState::AwaitConfirm;
    let seen = confirm.is_some_and(|c| {
        use counterfoil_data::wire::confirm::ConfirmState;
        matches!(c.state, ConfirmState::Seen | ConfirmState::Confirmed)
    });
    Some(OrderView {
        items: order.items.clone(),
        text: order.text.clone(),
        digest: order.digest,
        code: code(&order.digest),
        deadline: row.deadline.filter(|_| waiting),
        seen,
        question: confirm.and_then(|c| c.question.clone()),
    })
}

/// The linked result (S8): at least the numbers, and what to print.
fn linked(row: &SaleRow) -> Option<LinkedResult> {
    let (linked, order) = (row.linked.as_ref()?, row.order.as_ref()?);
    Some(LinkedResult {
        requisition: linked.requisition.clone(),
        ranges: order.text.ranges.clone(),
        fee: linked.fee,
        jobs: jobs(row),
        approved: order.text.clone(),
        digest: order.digest,
    })
}

/// What to print, form by form, in feed order, supplements last.
pub fn jobs(row: &SaleRow) -> Vec<PrintJob> {
    row.forms.iter().filter_map(|form| job(row, form)).collect()
}

fn job(row: &SaleRow, form: &FormRow) -> Option<PrintJob> {
    let order = row.order.as_ref()?;
    let pick = order.picks.get(usize::from(form.pick))?;
    let text = &order.text;
    let fields = [
        ("account_name", &text.account_name),
        ("account", &text.account),
        ("bank_name", &text.bank_name),
        ("bank_number", &text.bank_number),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.clone()));
    Some(PrintJob {
        number: form.number,
        slot: pick.slot.clone(),
        template: template(form.number.prefix.kind().ok()?).to_owned(),
        fields: BTreeMap::from(fields),
        approved: order.digest,
        supplement_of: form.stands_for,
    })
}

/// Every form and its state.
pub fn forms(row: &SaleRow) -> Vec<FormView> {
    let view = |form: &FormRow| FormView {
        number: form.number,
        state: form.state,
    };
    row.forms.iter().map(view).collect()
}

/// Forms that came to nothing.
pub(super) const VOID: [FormState; 2] = [FormState::Spoiled, FormState::Retracted];

/// The numbers in some states, in order, as ranges.
pub(super) fn ranges(row: &SaleRow, states: &[FormState]) -> Vec<BillRange> {
    register::ranges(row, |form| states.contains(&form.state))
}

/// The payment-password sheet of a sale, if it has one (L7).
pub(super) fn sheet(read: &dyn Read, sale: SaleId) -> Result<Option<SheetView>, StoreError> {
    let row: Option<SheetRow> = get(read, &key::sheet(sale))?;
    Ok(row.as_ref().map(view))
}

/// The receipt of a closed sale (S23: the loop closed), with its proof (I8).
pub fn receipt(read: &dyn Read, row: &SaleRow) -> Result<Option<Receipt>, StoreError> {
    let (Some(leaf), Some(linked)) = (row.closing_leaf, &row.linked) else {
        return Ok(None);
    };
    let size = log::size(read)?;
    let source = |level, index| log::node(read, level, index);
    let missing = StoreError::Contradiction("the closing leaf is missing");
    let proof = Proof {
        leaf,
        leaf_hash: source(0, leaf).ok_or(missing)?,
        size,
        root: log::root(read)?,
        path: tlog::inclusion(leaf, size, source).map_err(log::broken)?,
    };
    let text = row.order.as_ref().map(|o| &o.text);
    let text = text.ok_or(StoreError::Contradiction("closed without an order"))?;
    let fee = linked.fee.checked_sub(linked.reversed);
    Ok(Some(Receipt {
        requisition: linked.requisition.clone(),
        kiosk: row.kiosk.clone(),
        date: linked.date,
        unit: text.account_name.clone(),
        account_masked: masked(&text.account),
        agent_masked: text.agent_masked.clone(),
        ordered: text.count,
        sold: ranges(row, &[FormState::Sold]),
        void: ranges(row, &VOID),
        unknown: ranges(row, &[FormState::Unknown]),
        released: ranges(row, &[FormState::Released]),
        fee: fee.unwrap_or(Fen::ZERO),
        sheet: sheet(read, row.sale)?,
        proof,
    }))
}
