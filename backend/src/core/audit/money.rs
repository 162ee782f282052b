//! Money and sales: the ledger (I3), the gates (I4), every form of every sale (I6).

use std::collections::BTreeMap;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sale::SaleState;

use super::held::Held;
use super::{AuditFailure, AuditReport, each, each_bytes};
use crate::core::custody;
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::KioskRow;
use crate::core::record::books::{BalanceRow, EntryRow, LedgerAccount, Memo, RegisterRow};
use crate::core::record::sale::{FormRow, SaleRow};
use crate::core::record::stock::Place;
use crate::core::register;
use crate::store::{Read, StoreError};

/// Fees of one sale by the ledger.
#[derive(Default, Clone, Copy)]
struct Fees {
    taken: u32,
    amount: i64,
    back: i64,
}

/// Checks the ledger and every sale against it.
pub fn check(read: &dyn Read, report: &mut AuditReport) -> Result<(), AuditFailure> {
    let mut fees: BTreeMap<SaleId, Fees> = BTreeMap::new();
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    each(read, |key, row: EntryRow| {
        let entry = key::number_of(&key).unwrap_or(0);
        let mut sum = 0_i64;
        for (account, amount) in &row.legs {
            sum = sum.saturating_add(*amount);
            let balance = sums.entry(account.name()).or_default();
            *balance = balance.saturating_add(*amount);
            if let (Some(sale), LedgerAccount::FeeIncome) = (row.sale, account) {
                count(fees.entry(sale).or_default(), row.memo, *amount);
            }
        }
        if sum != 0 {
            return Err(AuditFailure::Unbalanced { entry });
        }
        report.entries = report.entries.saturating_add(1);
        Ok(())
    })?;
    balances(read, &sums)?;
    let mut held = Held::default();
    each(read, |_, row: SaleRow| {
        held.add(&row);
        report.sales = report.sales.saturating_add(1);
        if row.linked.is_some() {
            report.linked = report.linked.saturating_add(1);
        }
        sale(read, &row, fees.remove(&row.sale).unwrap_or_default())
    })?;
    match fees.keys().next() {
        Some(sale) => Err(AuditFailure::Fee { sale: *sale }),
        None => {
            held.check(read)?;
            indexes(read)
        }
    }
}

fn count(fees: &mut Fees, memo: Memo, amount: i64) {
    match memo {
        Memo::Fee => {
            fees.taken = fees.taken.saturating_add(1);
            fees.amount = fees.amount.saturating_add(amount);
        }
        _ => fees.back = fees.back.saturating_sub(amount),
    }
}

fn balances(read: &dyn Read, sums: &BTreeMap<String, i64>) -> Result<(), AuditFailure> {
    for (account, sum) in sums {
        let row: Option<BalanceRow> = get(read, &key::text(Table::Balance, account))?;
        let by = row.unwrap_or_default().amount.saturating_sub(*sum);
        if by != 0 {
            return Err(AuditFailure::Balance { by });
        }
    }
    Ok(())
}

fn sale(read: &dyn Read, row: &SaleRow, fees: Fees) -> Result<(), AuditFailure> {
    let sale = row.sale;
    let proven = (
        row.info.is_some(),
        row.identity.is_some(),
        row.order.is_some(),
        row.linked.is_some(),
    );
    // I4: what a state has proven.
    let lawful = match row.state {
        SaleState::Opened => proven == (false, false, false, false),
        SaleState::InfoVerified => proven == (true, false, false, false),
        SaleState::IdentityVerified => proven == (true, true, false, false),
        SaleState::Ordered | SaleState::AwaitConfirm | SaleState::Confirmed => {
            proven == (true, true, true, false)
        }
        SaleState::Linked | SaleState::Dispensing | SaleState::Closed | SaleState::Suspended => {
            proven == (true, true, true, true)
        }
        SaleState::Denied => proven == (true, true, true, false),
        SaleState::Refused | SaleState::Cancelled | SaleState::Expired => !proven.3,
    };
    if !lawful || (row.linked.is_none() && !row.forms.is_empty()) {
        return Err(AuditFailure::Gate { sale });
    }
    fee(row, fees)?;
    if let Some((key, line)) = register::line(row)
        && get::<RegisterRow>(read, &key)? != Some(line)
    {
        let index = "register line";
        return Err(AuditFailure::Index { sale, index });
    }
    for form in &row.forms {
        placed(read, row, form)?;
    }
    Ok(())
}

/// I3: taken once; what is left is the fee of every form that still carries one.
fn fee(row: &SaleRow, fees: Fees) -> Result<(), AuditFailure> {
    let wrong = AuditFailure::Fee { sale: row.sale };
    let Some(linked) = &row.linked else {
        return if fees.taken == 0 { Ok(()) } else { Err(wrong) };
    };
    let replaced = |n: BillNumber| row.forms.iter().any(|f| f.stands_for == Some(n));
    let carries = |f: &&FormRow| !f.reversed && f.state != FormState::Released;
    let each = |f: &FormRow| {
        let picks = row.order.as_ref().map(|o| o.picks.as_slice());
        let pick = picks.and_then(|p| p.get(usize::from(f.pick)));
        pick.map_or(0, |p| p.fee_each.0)
    };
    let carried: i64 = row
        .forms
        .iter()
        .filter(carries)
        .filter(|f| f.state != FormState::Spoiled || !replaced(f.number))
        .map(each)
        .sum();
    let left = linked.fee.checked_sub(linked.reversed);
    let by_ledger =
        fees.taken == 1 && fees.amount == linked.fee.0 && fees.back == linked.reversed.0;
    if by_ledger && left == Some(Fen(carried)) {
        Ok(())
    } else {
        Err(wrong)
    }
}

/// I2, I6: each form is exactly where its sale says.
fn placed(read: &dyn Read, row: &SaleRow, form: &FormRow) -> Result<(), AuditFailure> {
    let (sale, number) = (row.sale, form.number);
    let found = custody::find(read, number)?.map(|(_, place)| place);
    let right = match (form.state, found) {
        // Back in stock; anything may have happened to it since.
        (FormState::Released, Some(_)) => true,
        (FormState::Assigned, Some(Place::Assigned(of)))
        | (FormState::Feeding, Some(Place::Feeding(of)))
        | (FormState::Printed, Some(Place::Printed(of)))
        | (FormState::Presented, Some(Place::Presented(of)))
        | (FormState::Spoiled, Some(Place::Spoiled(of)))
        | (FormState::Retracted, Some(Place::Retracted(of))) => of == sale,
        (FormState::Sold, Some(Place::Sold { sale: of, .. })) => of == sale && !form.returned,
        (FormState::Unknown, Some(Place::Unknown(Some(of)))) => of == sale && !form.missing,
        (FormState::Unknown, Some(Place::Missing(Some(of)))) => of == sale && form.missing,
        // Custody after the sale: cut and destroyed; a sold one only after it was returned.
        (FormState::Spoiled | FormState::Retracted, Some(Place::Voided | Place::Destroyed)) => true,
        (FormState::Sold, Some(Place::Voided | Place::Destroyed)) => form.returned,
        _ => false,
    };
    if right {
        Ok(())
    } else {
        Err(AuditFailure::Form { sale, number })
    }
}

/// Timers, kiosks and the register point at sales that agree.
fn indexes(read: &dyn Read) -> Result<(), AuditFailure> {
    let sale_row = |sale: SaleId, index: &'static str| {
        let row: Option<SaleRow> = get(read, &key::sale(sale))?;
        row.ok_or(AuditFailure::Index { sale, index })
    };
    each_bytes(read, Table::Timer, |key, _| {
        let gap = StoreError::Contradiction("a timer key is bent");
        let (at, sale) = key::timer_of(&key).ok_or(gap)?;
        let deadline = sale_row(sale, "timer")?.deadline;
        if deadline.map(jiff::Timestamp::as_millisecond) == Some(at.as_millisecond()) {
            Ok(())
        } else {
            let index = "timer";
            Err(AuditFailure::Index { sale, index })
        }
    })?;
    each(read, |_, kiosk: KioskRow| match kiosk.open_sale {
        Some(sale) if sale_row(sale, "kiosk")?.state.is_over() => {
            let index = "kiosk";
            Err(AuditFailure::Index { sale, index })
        }
        _ => Ok(()),
    })?;
    each(read, |key, row: RegisterRow| {
        let (sale, index) = (row.sale, "register line");
        match register::line(&sale_row(sale, index)?) {
            Some((at, _)) if at == key => Ok(()),
            _ => Err(AuditFailure::Index { sale, index }),
        }
    })
}
