//! Judges what a power cut left by asking over HTTP, as its clients would.

use std::collections::BTreeMap;

use counterfoil_data::demo;
use counterfoil_data::ids::SaleId;
use counterfoil_data::leaf::{Field, Leaf, LeafKind};
use counterfoil_data::wire::REPLAYED_HEADER;
use counterfoil_data::wire::hex;
use counterfoil_data::wire::problem::Problem;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState, SaleView};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::bed::{Bed, House, START, quietly, writer};
use super::super::client::{Ask, Heard};
use super::CACHE_BYTES;
use super::books::Print;
use super::disk::Disk;
use super::front::{Below, Front, HERE, Told};
use super::judge::{Broken, Check, cause};
use super::trace::{GUESSED, Run, limits, small};
use crate::core::audit::audit;
use crate::core::key::{self, Table};
use crate::core::overlay;
use crate::core::record::books::AttemptRow;
use crate::keys::{Indexed, Keys};
use crate::store::redb::RedbStore;
use crate::store::{Snapshots as _, each_row};

/// Request numbers of clients that come back.
const SEQUENCE: u64 = 1_000_000;
/// The sale that is carried on, and the one that is opened where it is over.
const SALES: [u128; 2] = [1, 99];

/// What was looked at in so many images.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub same_to_the_byte: usize,
    pub replayed: usize,
    pub replayed_to_the_byte: usize,
    pub attempts: usize,
    pub under_way: usize,
    pub onward: usize,
}

type Books = Front<RedbStore>;

/// Asks the house of an image in which state `state` of the run was found.
pub fn ask(
    run: &Run,
    image: Vec<u8>,
    (cut, state): (usize, usize),
    onward: bool,
    asked: &mut Asked,
) -> Result<(), Broken> {
    let disk = Disk::holding(image);
    let store = RedbStore::disk(|| Ok(disk.clone()), CACHE_BYTES)
        .map_err(|error| Check::Opens.broken(cause(&error)))?;
    quietly(async {
        let seat = writer(&store);
        let mut seat = seat.map_err(|error| Check::Opens.broken(cause(&error)))?;
        if run.states[state].print == Print::default() {
            let enrolled = seat.enrol(&small(&demo::bank().expect("the demo bank")));
            let enrolled = enrolled.map_err(|error| Check::Enrolled.broken(cause(&error)))?;
            return Check::Enrolled.holds(enrolled.is_ok(), format!("{enrolled:?}"));
        }
        let bed = Bed::over(store, seat, House::at(after(run, cut), 8, limits()), |p| p);
        let front = Front::new(bed, Below::default(), SEQUENCE, 1);
        told(run, &front, (cut, state), asked).await?;
        attempts(run, &front, cut, asked)?;
        replays(run, &front, (cut, state), asked).await?;
        under_way(run, &front, cut, asked).await?;
        if onward {
            asked.onward += usize::from(carried_on(&front).await?);
        }
        once(&front)
    })
}

/// A moment after the last answer before the cut.
pub fn after(run: &Run, cut: usize) -> Timestamp {
    let last = run.told_before(cut).next_back().map(|told| told.at);
    let at = last.unwrap_or_else(|| START.parse().expect("a time"));
    at + SignedDuration::from_millis(1)
}

/// An answer in words.
pub fn heard_text(heard: &Heard) -> String {
    format!("{} {}", heard.status, String::from_utf8_lossy(&heard.body))
}

/// Every sale is as it was told last: to the byte where nothing was committed since.
async fn told(
    run: &Run,
    front: &Books,
    (cut, state): (usize, usize),
    asked: &mut Asked,
) -> Result<(), Broken> {
    let mut last: BTreeMap<SaleId, (&Told, SaleView)> = BTreeMap::new();
    for told in run.told_before(cut) {
        if let Some(view) = told.view() {
            last.insert(view.sale, (told, view));
        }
    }
    for (sale, (told, view)) in last {
        let heard = front
            .ask(told.who, Ask::get(&format!("/v1/sales/{sale}")))
            .await;
        let there = || format!("sale {sale}: {}", heard_text(&heard));
        Check::Told.holds(heard.status == 200, there())?;
        if told.state == state {
            Check::Told.holds(heard.body == told.body, there())?;
            asked.same_to_the_byte += 1;
            continue;
        }
        let now: SaleView = heard.ok();
        let nearer = now.state.is_over() || rank(now.state) >= rank(view.state);
        let same = is_same(&told.body, &heard.body);
        Check::Told.holds(nearer && same, there())?;
    }
    Ok(())
}

/// How far a sale is.
fn rank(state: SaleState) -> u8 {
    match state {
        SaleState::Opened => 0,
        SaleState::InfoVerified => 1,
        SaleState::IdentityVerified => 2,
        SaleState::Ordered => 3,
        SaleState::AwaitConfirm => 4,
        SaleState::Confirmed => 5,
        SaleState::Linked => 6,
        SaleState::Dispensing => 7,
        _ => 8,
    }
}

/// Whether two answers say the same of what can never change again.
fn is_same(first: &[u8], again: &[u8]) -> bool {
    let of = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap_or_default();
    let (first, again) = (of(first), of(again));
    let settled = [
        "/sale",
        "/proposal",
        "/digest",
        "/linked/requisition",
        "/linked/ranges",
        "/linked/fee",
        "/linked/digest",
        "/receipt/requisition",
        "/receipt/sold",
        "/receipt/void",
        "/receipt/fee",
    ];
    settled.iter().all(|at| match first.pointer(at) {
        None | Some(Value::Null) => true,
        said => said == again.pointer(at),
    })
}

/// Every key that was answered is answered again, and nothing is done.
async fn replays(
    run: &Run,
    front: &Books,
    (cut, state): (usize, usize),
    asked: &mut Asked,
) -> Result<(), Broken> {
    let done = |told: &&Told| told.ask.key.is_some() && told.status == 200;
    for told in run.told_before(cut).filter(done) {
        again(front, told).await.map(drop)?;
        asked.replayed += 1;
        if told.state == state {
            let heard = again(front, told).await?;
            let same = heard.body == told.body;
            Check::Replay.holds(same, format!("another body: {}", heard_text(&heard)))?;
            asked.replayed_to_the_byte += 1;
        }
    }
    Ok(())
}

/// Asks the same once more; it must be the stored answer.
async fn again(front: &Books, told: &Told) -> Result<Heard, Broken> {
    let heard = front.ask(told.who, told.ask.clone()).await;
    let stored = heard.status == 200 && heard.header(REPLAYED_HEADER) == "true";
    let what = format!("{:?} again: {}", told.ask.key, heard_text(&heard));
    Check::Replay.holds(stored && is_same(&told.body, &heard.body), what)?;
    Ok(heard)
}

/// Wrong passwords that were told are still counted.
fn attempts(run: &Run, front: &Books, cut: usize, asked: &mut Asked) -> Result<(), Broken> {
    let bank = &front.bed.bank;
    let number = bank.secret(GUESSED).expect("an account");
    let subject = Keys::demo().index(Indexed::Account, number.expose());
    let name = format!("subject/{}", hex(&subject.0));
    let read = front.bed.store.snapshot().expect("reads");
    let row = overlay::get(&*read, &key::text(Table::Attempt, &name)).expect("reads");
    let counted = row.map_or(0, |row: AttemptRow| row.failed);
    let wrong = run.told_before(cut).filter_map(|told| {
        let path = format!("/v1/sales/{}/info", SaleId(2));
        let problem = told.status == 422 && told.ask.path == path;
        problem.then(|| serde_json::from_slice::<Problem>(&told.body))
    });
    let wrong: Vec<Problem> = wrong.map(|problem| problem.expect("a problem")).collect();
    let least = u32::try_from(wrong.len()).expect("few");
    let text = format!("{counted} attempts, {least} were answered");
    asked.attempts += usize::from(least > 0);
    Check::Attempts.holds(counted >= least, text)
}

/// What was asked and not answered is asked again, and happens once.
async fn under_way(run: &Run, front: &Books, cut: usize, asked: &mut Asked) -> Result<(), Broken> {
    let open = |told: &&Told| told.sent < cut && told.heard > cut;
    for told in run.told.iter().filter(open) {
        if told.ask.method == "GET" {
            continue;
        }
        asked.under_way += 1;
        if told.ask.media_type == Some("application/octet-stream")
            || told.ask.path.ends_with("/info")
        {
            // Sealed for one attempt only: the kiosk looks where its sale stands.
            let sale = told.ask.path.split('/').nth(3).expect("a sale");
            let heard = front
                .ask(told.who, Ask::get(&format!("/v1/sales/{sale}")))
                .await;
            Check::Once.holds(heard.status == 200, heard_text(&heard))?;
            continue;
        }
        let heard = front.ask(told.who, told.ask.clone()).await;
        // Done already, it is answered as before; or it is out of order, where it has no
        // key and is neither an opening nor an advice.
        let path = &told.ask.path;
        let repeats = told.ask.key.is_some() || path == "/v1/sales" || path.ends_with("/forms");
        let done = !repeats && heard.status == 409;
        let same = heard.status == told.status && is_same(&told.body, &heard.body);
        let text = format!("{} again: {}", told.ask.path, heard_text(&heard));
        Check::Once.holds(done || same, text)?;
        if told.ask.key.is_some() && told.status == 200 {
            again(front, told).await?;
        }
    }
    Ok(())
}

/// The sale goes on to its receipt, or another one does from its beginning; not where
/// another sale of the trace is open at this kiosk.
async fn carried_on(front: &Books) -> Result<bool, Broken> {
    let went = |heard: Heard| Check::Onward.broken(heard_text(&heard));
    for sale in SALES {
        let view = match front.view(SaleId(sale)).await {
            Ok(view) => view,
            Err(heard) if heard.status == 404 => {
                let open = front.open(HERE, sale, PurchaseMode::SettlementCard).await;
                match open {
                    Ok(view) => view,
                    Err(heard) if heard.status == 409 => return Ok(false),
                    Err(heard) => return Err(went(heard)),
                }
            }
            Err(heard) => return Err(went(heard)),
        };
        if view.state.is_over() {
            continue;
        }
        let end = front.to_the_end(view).await.map_err(went)?;
        let sold = end.state == SaleState::Closed && end.receipt.is_some();
        Check::Onward.holds(sold, format!("{:?}", end.state))?;
        return Ok(true);
    }
    Ok(false)
}

/// The books are in order, and nothing of a sale happened twice.
fn once(front: &Books) -> Result<(), Broken> {
    let read = front.bed.store.snapshot().expect("reads");
    audit(&*read).map_err(|failure| Check::Audit.broken(cause(&failure)))?;
    let mut counts: BTreeMap<(SaleId, LeafKind), usize> = BTreeMap::new();
    let (low, high) = (key::low(Table::Leaf), key::high(Table::Leaf));
    let visited = each_row(&*read, low, &high, |_, bytes| {
        let leaf = Leaf::decode(&bytes).expect("a leaf");
        let sale = leaf.fields.iter().find_map(|field| match field {
            Field::Sale(sale) => Some(*sale),
            _ => None,
        });
        let once = matches!(leaf.kind, LeafKind::Linked | LeafKind::SaleOpened);
        if let (Some(sale), true) = (sale, once) {
            *counts.entry((sale, leaf.kind)).or_default() += 1;
        }
        Ok::<_, crate::store::StoreError>(())
    });
    visited.expect("reads");
    let twice = counts.iter().find(|(_, count)| **count > 1);
    Check::Once.holds(twice.is_none(), format!("{twice:?}"))
}
