//! Compares the books themselves with what all clients wrote down.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil_backend::core::audit::audit;
use counterfoil_backend::core::key::{self, Table};
use counterfoil_backend::core::record::sale::SaleRow;
use counterfoil_backend::core::{ledger, log, overlay};
use counterfoil_backend::evidence;
use counterfoil_backend::keys::Keys;
use counterfoil_backend::store::redb::RedbStore;
use counterfoil_backend::store::{Read, Snapshots as _, StoreError, each_row};
use counterfoil_data::ids::SaleId;
use counterfoil_data::leaf::{Field, Leaf, LeafKind};
use counterfoil_data::tlog::note::{NoteKey, verifier_line};
use counterfoil_data::tlog::root_of;

use super::bank;
use super::gates::ORIGIN;
use super::kiosk::Kiosk;
use super::record::Sale;

/// What is wrong with the books; `Err` outside where they cannot be read.
pub fn books(
    store: &RedbStore,
    kiosks: &[Kiosk],
    keys: &Keys,
) -> anyhow::Result<Result<(), String>> {
    let read = store.snapshot()?;
    let report = match audit(&*read) {
        Ok(report) => report,
        Err(failure) => return Ok(Err(format!("audit: {failure}"))),
    };
    crate::cli::say(&format!("audit: {report:?}"));
    if let Some(wrong) = exported(&*read, keys)? {
        return Ok(Err(wrong));
    }
    if let Some(wrong) = once(&*read)? {
        return Ok(Err(wrong));
    }
    let mut known = BTreeSet::new();
    for kiosk in kiosks {
        known.extend(kiosk.sales.iter().map(|sale| sale.id));
        if let Some(wrong) = of_kiosk(&*read, kiosk)? {
            return Ok(Err(format!("kiosk {}: {wrong}", kiosk.number)));
        }
    }
    let counted = u64::try_from(known.len()).unwrap_or(u64::MAX);
    if report.sales != counted {
        let found = report.sales;
        return Ok(Err(format!(
            "{counted} sales were opened, {found} are found"
        )));
    }
    Ok(Ok(()))
}

/// The evidence log as an auditor gets it, verified with the bank's public key.
fn exported(read: &dyn Read, keys: &Keys) -> anyhow::Result<Option<String>> {
    let mut file = Vec::new();
    let signer = keys.evidence.verifying_key();
    let size = evidence::export(read, ORIGIN, &signer, &mut file)?;
    let key = verifier_line(NoteKey {
        name: ORIGIN,
        key: &signer,
    });
    Ok(match evidence::verify(&mut file.as_slice(), Some(&key)) {
        Ok(report) if report.size == size => None,
        Ok(report) => Some(format!("{} leaves verified of {size}", report.size)),
        Err(failure) => Some(format!("verify: {failure}")),
    })
}

/// No sale was opened or linked twice.
fn once(read: &dyn Read) -> anyhow::Result<Option<String>> {
    let mut counts: BTreeMap<(SaleId, LeafKind), u32> = BTreeMap::new();
    let (low, high) = (key::low(Table::Leaf), key::high(Table::Leaf));
    each_row(read, low, &high, |_, bytes| {
        let leaf = Leaf::decode(&bytes);
        let leaf = leaf.map_err(|_| StoreError::Contradiction("a leaf that is none"))?;
        let sale = leaf.fields.iter().find_map(|field| match field {
            Field::Sale(sale) => Some(*sale),
            _ => None,
        });
        let once = matches!(leaf.kind, LeafKind::Linked | LeafKind::SaleOpened);
        if let (Some(sale), true) = (sale, once) {
            let count = counts.entry((sale, leaf.kind)).or_default();
            *count = count.saturating_add(1);
        }
        Ok::<_, StoreError>(())
    })?;
    let twice = counts.iter().find(|(_, count)| **count > 1);
    Ok(twice.map(|((sale, kind), count)| format!("sale {sale}: {count} leaves {kind:?}")))
}

fn of_kiosk(read: &dyn Read, kiosk: &Kiosk) -> anyhow::Result<Option<String>> {
    let seen = kiosk.seen;
    let source = |level, index| log::node(read, level, index);
    if seen.size > log::size(read)? || root_of(seen.size, source)? != seen.root {
        return Ok(Some(format!("it saw another log, of {} leaves", seen.size)));
    }
    let mut paid = 0_i64;
    for sale in &kiosk.sales {
        let row: Option<SaleRow> = overlay::get(read, &key::sale(sale.id))?;
        let Some(row) = row else {
            return Ok(Some(format!("sale {} is not in the books", sale.id)));
        };
        if let Some(wrong) = differs(sale, &row) {
            return Ok(Some(format!("sale {}: {wrong}", sale.id)));
        }
        paid = paid.saturating_add(sale.paid().0);
    }
    let held = ledger::balance(read, &bank::account(kiosk.number))?;
    let right = bank::BALANCE.0.checked_sub(paid);
    Ok((Some(held.0) != right).then(|| format!("{held:?} is left after paying {paid} fen")))
}

fn differs(sale: &Sale, row: &SaleRow) -> Option<String> {
    if sale.state != Some(row.state) {
        return Some(format!(
            "{:?} was told, {:?} is found",
            sale.state, row.state
        ));
    }
    let found: BTreeMap<_, _> = row.forms.iter().map(|f| (f.number, f.state)).collect();
    (found != sale.forms).then(|| format!("{:?} was told, {found:?} is found", sale.forms))
}
