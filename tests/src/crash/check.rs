//! After a round: the books against themselves, and against the paper.
//!
//! The paper is the truth: `sheets.jsonl` and the printer's own look say where
//! every sheet lies. Each finding names the form and both sides.

mod unknown;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use counterfoil_backend::core::key::{self, Table};
use counterfoil_backend::core::record::decode;
use counterfoil_backend::core::record::sale::{InfoProven, SaleRow};
use counterfoil_backend::core::record::stock::{Place, SlotRow};
use counterfoil_backend::core::{audit, custody, overlay};
use counterfoil_backend::store::redb::RedbStore;
use counterfoil_backend::store::{From, RANGE_MAX, Read, Snapshots as _};
use counterfoil_data::bill::BillNumber;
use counterfoil_data::demo::DemoBank;
use counterfoil_data::money::Fen;
use counterfoil_data::seam::Journal as _;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sale::SaleState;
use counterfoil_tui::flow::effect::Record;
use counterfoil_tui::journal::{self, FileJournal};
use serde::Deserialize;

pub use unknown::Struck;
use unknown::{judge_place, judge_unknown};

/// Cache for one pass over the books.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// One sheet as the printer's list has it; the last line of a number counts.
#[derive(Debug, Clone, Deserialize)]
struct Sheet {
    number: BillNumber,
    inked: Vec<String>,
    partial: bool,
    place: String,
}

/// What was found in one round.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is wrong, in words.
    pub wrong: Vec<String>,
    /// Forms of linked sales, by state.
    pub forms: BTreeMap<FormState, u32>,
    /// Linked sales.
    pub linked: u32,
    /// Forms frozen although they never left their cassette.
    pub frozen: u32,
}

/// Where a round left its traces.
pub struct Traces<'a> {
    /// Database file.
    pub books: &'a Path,
    /// Folder of printed paper.
    pub paper: &'a Path,
    /// Outcome journal.
    pub journal: &'a Path,
    /// The form printer, as its desk looked at the end.
    pub look: &'a str,
    /// Whose kiosk.
    pub bank: &'a DemoBank,
    /// What was done to it.
    pub struck: Struck,
}

/// Checks everything; stops at nothing.
pub fn check(traces: &Traces<'_>) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let store = RedbStore::file(traces.books, CACHE_BYTES).context("the books do not open")?;
    let books = store.snapshot()?;
    if let Err(failure) = audit::audit(&*books) {
        found.wrong.push(format!("audit: {failure}"));
    }
    let sheets = sheets(&traces.paper.join("sheets.jsonl"))?;
    let sales = sales(&*books)?;
    let mut of_sales = BTreeMap::new();
    for sale in &sales {
        judge_sale(sale, traces.bank, &mut found);
        of_sales.extend(sale.forms.iter().map(|f| (f.number, (sale, f.state))));
    }
    let fed = sales.iter().filter(|sale| has_fed(sale)).count();
    found
        .wrong
        .extend(judge_wish(sales.len(), found.linked, fed));
    for sheet in sheets.values() {
        let form = of_sales.get(&sheet.number).copied();
        let place = custody::find(&*books, sheet.number)?.map(|(_, place)| place);
        judge_sheet(
            sheet,
            form.map(|(_, state)| state),
            place.as_ref(),
            &mut found,
        );
        if let Some((sale, state)) = form {
            match &sale.info {
                Some(info) => judge_text(sheet, info, traces.bank, &mut found),
                None => found
                    .wrong
                    .push(format!("sale {} has no account", sale.sale)),
            }
            judge_place(sheet, state, sale.state, &mut found);
        }
    }
    for (number, (_, state)) in &of_sales {
        if !sheets.contains_key(number) {
            judge_unfed(*number, *state, &mut found);
        }
    }
    let unknown = of_sales
        .iter()
        .filter(|(_, (_, state))| *state == FormState::Unknown);
    let unknown = unknown.map(|(number, _)| sheets.get(number));
    judge_unknown(&unknown.collect::<Vec<_>>(), traces.struck, &mut found);
    cassettes(&*books, traces, &sheets, &mut found)?;
    let records = journal::decode(&FileJournal::open(traces.journal)?.load()?);
    // What it saw of the evidence log it keeps for ever.
    let count = records
        .iter()
        .filter(|r| !matches!(r, Record::Seen { .. }))
        .count();
    if count > 0 {
        let note = format!("the kiosk rests with {count} records in its journal");
        found.wrong.push(note);
    }
    Ok(found)
}

/// Sheets that were fed although the books of a backend that is dead do not have
/// their feed (I5): nothing can have become durable since, so it never was before.
/// Of the sheets that came up out of turn nobody knows before their number is read.
pub fn fed_before_durable(
    books: &Path,
    paper: &Path,
    out_of_turn: usize,
) -> anyhow::Result<Vec<String>> {
    let copy = books.with_extension("dead");
    fs::copy(books, &copy).context("cannot copy the books")?;
    let sheets = sheets(&paper.join("sheets.jsonl"))?;
    let store = RedbStore::file(&copy, CACHE_BYTES).context("the books do not open")?;
    let books = store.snapshot()?;
    let mut wrong = Vec::new();
    for number in sheets.keys() {
        let place = custody::find(&*books, *number)?.map(|(_, place)| place);
        if is_in_stock(place.as_ref()) {
            wrong.push(format!(
                "form {number} was fed before its feed was durable: {place:?}"
            ));
        }
    }
    Ok(wrong.into_iter().skip(out_of_turn).collect())
}

/// Whether the books have a number where no printer has fed it.
fn is_in_stock(place: Option<&Place>) -> bool {
    matches!(
        place,
        None | Some(Place::InCassette(..) | Place::InVault(_) | Place::Assigned(_))
    )
}

fn sheets(list: &Path) -> anyhow::Result<BTreeMap<BillNumber, Sheet>> {
    let text = if list.exists() {
        fs::read_to_string(list).context("the list of sheets")?
    } else {
        String::new()
    };
    // The printer may be in the middle of its last line.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let parsed = whole.lines().map(serde_json::from_str::<Sheet>);
    let numbered = parsed.map(|sheet| sheet.map(|sheet| (sheet.number, sheet)));
    numbered
        .collect::<Result<_, _>>()
        .context("the list of sheets")
}

fn sales(books: &dyn Read) -> anyhow::Result<Vec<SaleRow>> {
    let (low, high) = (key::low(Table::Sale), key::high(Table::Sale));
    let rows = books.range(&low, &high, From::First, RANGE_MAX)?;
    let rows = rows.into_iter().map(|(_, bytes)| decode(&bytes));
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A sale at rest: over, settled, and paid for as ordered.
fn judge_sale(sale: &SaleRow, bank: &DemoBank, found: &mut Findings) {
    let id = sale.sale;
    let Some(linked) = &sale.linked else { return };
    found.linked = found.linked.saturating_add(1);
    for form in &sale.forms {
        let count = found.forms.entry(form.state).or_default();
        *count = count.saturating_add(1);
    }
    if !matches!(sale.state, SaleState::Closed | SaleState::Suspended) {
        let note = format!("sale {id} rests in state {:?}", sale.state);
        found.wrong.push(note);
    }
    let items = sale.order.iter().flat_map(|order| &order.items);
    let fees = items.map(|item| {
        bank.fee_each(item.kind, linked.date)?
            .checked_mul(item.quantity)
    });
    let mut fees = fees;
    let expected = fees.try_fold(Fen::ZERO, |sum, fee| sum.checked_add(fee?));
    if expected != Some(linked.fee) {
        let note = format!("sale {id}: fee {} instead of {expected:?}", linked.fee);
        found.wrong.push(note);
    }
}

/// Whether where a sheet lies is what the books say (I2, I6).
fn judge_sheet(
    sheet: &Sheet,
    form: Option<FormState>,
    place: Option<&Place>,
    found: &mut Findings,
) {
    let (number, lies) = (sheet.number, sheet.place.as_str());
    let mut wrong = |what: String| found.wrong.push(format!("form {number} ({lies}): {what}"));
    if is_in_stock(place) {
        wrong(format!(
            "was fed, but the books have it in stock: {place:?}"
        ));
    }
    let Some(state) = form else {
        if !matches!(place, Some(Place::Unknown(_))) {
            wrong(format!("was fed, but belongs to no sale: {place:?}"));
        }
        return;
    };
    let twice = |text: &String| sheet.inked.iter().filter(|t| *t == text).count() > 1;
    // The account number stands once on a form.
    let digits = |t: &&String| t.len() > 15 && t.bytes().all(|b| b.is_ascii_digit());
    if sheet.inked.iter().filter(digits).any(twice) {
        wrong("was inked twice".to_owned());
    }
    let lawful = match lies {
        "taken" => matches!(state, FormState::Sold | FormState::Unknown),
        "retract" => matches!(state, FormState::Retracted | FormState::Unknown),
        "reject" => matches!(state, FormState::Spoiled | FormState::Unknown),
        "transport" => matches!(state, FormState::Spoiled | FormState::Unknown),
        // Nobody looks after a bundle of a suspended sale but staff.
        "escrow" | "output" => {
            matches!(
                state,
                FormState::Unknown | FormState::Printed | FormState::Presented
            )
        }
        _ => false,
    };
    if !lawful {
        wrong(format!("the books say {state:?}"));
    }
    if lies == "taken" && (sheet.inked.is_empty() || sheet.partial) {
        wrong("was handed out without its text".to_owned());
    }
}

/// Whether a linked sale came to more than giving everything back.
fn has_fed(sale: &SaleRow) -> bool {
    let released = |state| state == FormState::Released;
    sale.linked.is_some() && !sale.forms.iter().all(|form| released(form.state))
}

/// One wish of a customer is one linked sale (I3); another may follow only on one
/// that fed nothing. Of so many `begun`, so many `linked`, so many `fed`.
fn judge_wish(begun: usize, linked: u32, fed: usize) -> Option<String> {
    match fed {
        _ if linked == 0 => Some(format!("no sale was linked, though {begun} were begun")),
        0 | 1 => None,
        fed => Some(format!("{fed} sales were linked for one wish")),
    }
}

/// What is inked on a sheet is for the sale's own account (I2).
fn judge_text(sheet: &Sheet, info: &InfoProven, bank: &DemoBank, found: &mut Findings) {
    if sheet.inked.is_empty() || sheet.partial {
        return;
    }
    let text = sheet.inked.concat();
    for unit in &bank.units {
        let own = unit.id == info.unit && unit.account.number == info.account;
        let numbered = sheet.inked.contains(&unit.account.number);
        if own != numbered || own != text.contains(&unit.name) {
            let (number, inked, buyer) = (sheet.number, &sheet.inked, &info.unit);
            let note = format!("form {number}: inked {inked:?} in a sale of {buyer}");
            found.wrong.push(note);
        }
    }
}

/// A form that never left its cassette was neither printed nor handed out.
fn judge_unfed(number: BillNumber, state: FormState, found: &mut Findings) {
    if !matches!(state, FormState::Released | FormState::Unknown) {
        let note = format!("form {number} lies in its cassette: the books say {state:?}");
        found.wrong.push(note);
    }
}

/// What the books have in each slot is what lies there (I1), and what lies there
/// beside it is frozen: a kiosk that died between writing down a feed and firing
/// it cannot know that the blank never moved.
fn cassettes(
    books: &dyn Read,
    traces: &Traces<'_>,
    sheets: &BTreeMap<BillNumber, Sheet>,
    found: &mut Findings,
) -> anyhow::Result<()> {
    let kiosk = traces.bank.kiosks.first().context("a kiosk")?;
    for slot in &kiosk.slots {
        let row: Option<SlotRow> = overlay::get(books, &key::slot(&kiosk.id, &slot.slot))?;
        let row = row.context("a slot that the books do not have")?;
        let (mut next, mut frozen) = (None, 0_u32);
        for number in slot.range()?.numbers() {
            if sheets.contains_key(&number) {
                continue;
            }
            next = next.or(Some(number.rows()));
            let place = custody::find(books, number)?.map(|(_, place)| place);
            if matches!(place, Some(Place::Unknown(_))) {
                frozen = frozen.saturating_add(1);
            }
        }
        found.frozen = found.frozen.saturating_add(frozen);
        let next = next.unwrap_or_else(|| "none".to_owned());
        let count = row.count().saturating_add(frozen);
        let expected = format!("{}: {count} blanks, next {next}", slot.slot);
        if !traces.look.split("; ").any(|fact| fact == expected) {
            let look = traces.look;
            let note = format!("by the books \"{expected}\", by the printer \"{look}\"");
            found.wrong.push(note);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
