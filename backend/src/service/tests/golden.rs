//! The golden database of this schema: books as a release wrote them, opened by this one.
//!
//! `backend/tests/golden/` holds one file of books for each schema version, and beside it
//! what its makers saw. `just golden-db` makes the file of the current version and never
//! overwrites one. The file of a version that was never released may be removed and made
//! anew when a table is added; once a release has written that version it stays as it is,
//! and a new shape is a new version.

use std::path::{Path, PathBuf};

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::confirm::ConfirmationView;
use counterfoil_data::wire::custody::{Act, Propose};
use counterfoil_data::wire::forms::{FormAdvice, FormAdvices, FormEvent, FormState};
use counterfoil_data::wire::sale::{Close, SaleState, SaleView};
use counterfoil_data::wire::sheet::{SheetOutcome, TakeSheet};
use counterfoil_data::wire::{Digest, REPLAYED_HEADER};
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::bed::{Bed, House, Presented, START, run, writer};
use super::client::{Ask, Client, order, path};
use super::whole::{decide, dispense};
use crate::core::audit::audit;
use crate::core::command::{CommandBody, GROUP_MAX};
use crate::core::key::{Table, text};
use crate::core::log;
use crate::service::Limits;
use crate::store::redb::{CACHE_BYTES_DEFAULT, RedbStore};
use crate::store::{SCHEMA_VERSION, Snapshots as _, Store as _, StoreError};

/// Largest golden file in bytes.
const GOLDEN_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The only agent of the golden bank; his account is under the sheet's arrangement.
const SHEN: Presented<'static> = Presented {
    kiosk: "kiosk-1",
    document: "shen",
    finger: "shen",
    status: &[0x9F, 0x90, 0x90],
};

/// What its makers saw.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    /// SHA-256 of the file.
    file: Digest,
    /// Root of the evidence log.
    root: Digest,
    /// The answer to the repeated `link` of the first sale, as it went over the wire.
    linked: String,
    /// The first number sold.
    sold: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn books_of(schema: u32, folder: &Path) -> PathBuf {
    folder.join(format!("books-{schema}.redb"))
}

fn told_of(schema: u32, folder: &Path) -> PathBuf {
    folder.join(format!("books-{schema}.json"))
}

/// A folder of this test's own.
fn scratch(name: &str) -> PathBuf {
    let name = format!("counterfoil-golden-{name}-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

fn house(at: Timestamp, seed: u64) -> House {
    let limits = Limits {
        date_header: false,
        ..Limits::default()
    };
    House::at(at, seed, limits)
}

/// The demo bank without the fingers of all but one agent, which are most of its bytes.
fn enrol(store: &RedbStore) -> crate::writer::Writer<RedbStore> {
    let mut writer = writer(store).expect("a writer");
    let bank = counterfoil_data::demo::bank().expect("the demo bank");
    let shen = bank.agents.iter().find(|a| a.id.as_str() == "agent-shen");
    let shen = shen.expect("an agent").id.clone();
    let kept: Vec<_> = super::bed::enrolment(&bank)
        .iter()
        .filter(|command| match &command.body {
            CommandBody::EnrolPrints { prints, .. } => prints.agent == shen,
            _ => true,
        })
        .cloned()
        .collect();
    for group in kept.chunks(GROUP_MAX) {
        for answer in writer.step(group.to_vec()).expect("writes") {
            answer.result.expect("enrols");
        }
    }
    writer
}

/// Every gate, to the numbers.
async fn linked(bed: &Bed<RedbStore>, kiosk: &Client, sale: u128) -> SaleView {
    let view = kiosk.open(sale).await;
    let view: SaleView = kiosk.info(bed, &view, "shen-card", "shen-pin").await.ok();
    let view: SaleView = kiosk.present(bed, &view, &SHEN).await.ok();
    let view: SaleView = kiosk.post(&path(&view, "order"), &order(2)).await.ok();
    let station = bed.station().await;
    station.sequence.set(kiosk.sequence.get());
    for verb in ["seen", "confirm"] {
        decide(&station, &view, verb).await.ok::<ConfirmationView>();
    }
    kiosk.sequence.set(station.sequence.get());
    kiosk.ask(&link(&view)).await.ok()
}

fn link(view: &SaleView) -> Ask {
    Ask::post(&path(view, "link"), &serde_json::json!({})).keyed(&format!("link-{}", view.sale))
}

/// A sale to its receipt, with its sheet.
async fn sold(bed: &Bed<RedbStore>, kiosk: &Client, sale: u128) -> SaleView {
    let view = linked(bed, kiosk, sale).await;
    dispense(kiosk, &view).await;
    let (_, key) = counterfoil_data::sealed::OpenKey::derive(&[3; 32]);
    let take = kiosk
        .post(&path(&view, "sheet"), &TakeSheet::of(&key))
        .await;
    assert_eq!(take.status, 200);
    let close = Close {
        sheet: Some(SheetOutcome::Printed),
    };
    let close = Ask::post(&path(&view, "close"), &close).keyed(&format!("close-{sale}"));
    let ended: SaleView = kiosk.ask(&close).await.ok();
    assert_eq!(ended.state, SaleState::Closed);
    ended
}

/// A sale of which nobody knows what the printer did with the first form.
async fn unknown(bed: &Bed<RedbStore>, kiosk: &Client, sale: u128) {
    let view = linked(bed, kiosk, sale).await;
    let number = view.forms[0].number;
    let reason = "restarted".to_owned();
    let events = [FormEvent::Feeding, FormEvent::NoOutcome { reason }];
    let advices = events.map(|event| FormAdvice { number, event }).to_vec();
    let forms = FormAdvices { advices };
    assert_eq!(kiosk.post(&path(&view, "forms"), &forms).await.status, 200);
    let why = serde_json::json!({ "reason": "printer-fault" });
    let abandon = Ask::post(&path(&view, "abandon"), &why).keyed("abandon");
    let view: SaleView = kiosk.ask(&abandon).await.ok();
    let receipt = view.receipt.expect("a receipt");
    assert_eq!(receipt.unknown.len(), 1, "staff look into it");
}

/// Makes the golden books of this schema in `folder`; refuses to overwrite.
async fn make(folder: &Path) -> Result<(), String> {
    let (books, told) = (
        books_of(SCHEMA_VERSION, folder),
        told_of(SCHEMA_VERSION, folder),
    );
    for path in [&books, &told] {
        if path.exists() {
            return Err(format!(
                "{} is there: it is never overwritten",
                path.display()
            ));
        }
    }
    let store = RedbStore::file(&books, CACHE_BYTES_DEFAULT).expect("opens");
    let seat = enrol(&store);
    let at = START.parse().expect("a time");
    let bed = Bed::over(store, seat, house(at, 11), |ports| ports);
    let kiosk = bed.kiosk("kiosk-1").await;
    let first = sold(&bed, &kiosk, 1).await;
    unknown(&bed, &kiosk, 2).await;
    let third = kiosk.open(3).await;
    let wrong = kiosk.info(&bed, &third, "shen-card", "wrong-pin").await;
    assert_ne!(wrong.status, 200);
    let cancel = Ask::post(&path(&third, "cancel"), &serde_json::json!({})).keyed("cancel");
    let third: SaleView = kiosk.ask(&cancel).await.ok();
    assert_eq!(third.state, SaleState::Cancelled);
    let range = counterfoil_data::bill::BillRange::from_count(
        "3130002100990001".parse().expect("a number"),
        100,
    );
    let act = Act::Announce {
        branch: "branch-1".parse().expect("an id"),
        range: range.expect("a range"),
    };
    let propose = Ask::post("/v1/custody", &Propose { act }).keyed("announce");
    let staff = bed.staff("custodian-a").await;
    let proposed = staff.ask(&propose).await;
    assert_eq!(proposed.status, 200, "{:?}", proposed.body);
    // Time for whatever leaves the house by itself.
    bed.clock.sleep(std::time::Duration::from_secs(5)).await;
    let again = kiosk.ask(&link(&first)).await;
    assert_eq!(again.header(REPLAYED_HEADER), "true");
    let read = bed.store.snapshot().expect("reads");
    audit(&*read).expect("sound books");
    let root = log::root(&*read).expect("a root");
    drop(read);
    bed.service.close();
    let all = Told {
        file: Digest([0; 32]),
        root,
        linked: String::from_utf8(again.body.to_vec()).expect("JSON"),
        sold: first.forms[0].number.to_string(),
    };
    std::fs::write(told, serde_json::to_vec(&all).expect("JSON")).expect("writes");
    Ok(())
}

/// Seals a folder whose books nobody has open any more: notes the digest of the file.
fn seal(folder: &Path) {
    let books = books_of(SCHEMA_VERSION, folder);
    let store = RedbStore::file(&books, CACHE_BYTES_DEFAULT).expect("opens");
    store.compacted().expect("closes");
    let told = told_of(SCHEMA_VERSION, folder);
    let mut all: Told =
        serde_json::from_slice(&std::fs::read(&told).expect("reads")).expect("JSON");
    all.file = Digest::of(&std::fs::read(&books).expect("reads"));
    let text = serde_json::to_string_pretty(&all).expect("JSON");
    std::fs::write(told, text + "\n").expect("writes");
}

/// What is done with golden books: read, replayed, sold from.
async fn goes_on(books: PathBuf, told: Told) {
    let store = RedbStore::file(&books, CACHE_BYTES_DEFAULT).expect("opens");
    let read = store.snapshot().expect("reads");
    audit(&*read).expect("sound books");
    assert_eq!(log::root(&*read).expect("a root"), told.root);
    assert!(log::is_signed(&*read).expect("reads"));
    drop(read);
    let seat = writer(&store).expect("a writer");
    let at: Timestamp = START.parse().expect("a time");
    let bed = Bed::over(store, seat, house(at + 2.hours(), 12), |ports| ports);
    let kiosk = bed.kiosk("kiosk-1").await;
    kiosk.sequence.set(1_000);
    let state = async |sale: u128| -> SaleState {
        let view: SaleView = kiosk.get(&format!("/v1/sales/{}", SaleId(sale))).await.ok();
        view.state
    };
    assert_eq!(state(1).await, SaleState::Closed);
    let second: SaleView = kiosk.get(&format!("/v1/sales/{}", SaleId(2))).await.ok();
    let states: Vec<_> = second.forms.iter().map(|form| form.state).collect();
    assert!(states.contains(&FormState::Unknown), "{states:?}");
    assert_eq!(state(3).await, SaleState::Cancelled);
    let first: SaleView = kiosk.get(&format!("/v1/sales/{}", SaleId(1))).await.ok();
    let again = kiosk.ask(&link(&first)).await;
    assert_eq!(again.header(REPLAYED_HEADER), "true");
    let answer = std::str::from_utf8(&again.body).expect("JSON");
    assert_eq!(answer, told.linked, "the same bytes as then");
    let station = bed.station().await;
    station.sequence.set(1_000);
    let number = format!("/v1/evidence/number/{}", told.sold);
    let timeline = station.get(&number).await;
    assert_eq!(timeline.status, 200);
    assert!(timeline.body.len() > 300, "{:?}", timeline.body);
    let later = sold(&bed, &kiosk, 4).await;
    assert!(later.forms.iter().all(|f| f.state == FormState::Sold));
    audit(&*bed.store.snapshot().expect("reads")).expect("still sound");
    bed.service.close();
}

#[test]
fn golden_books_are_read_replayed_byte_by_byte_and_sold_from() {
    let told = std::fs::read(told_of(SCHEMA_VERSION, &folder())).expect("just golden-db");
    let told: Told = serde_json::from_slice(&told).expect("JSON");
    let bytes = std::fs::read(books_of(SCHEMA_VERSION, &folder())).expect("just golden-db");
    assert_eq!(Digest::of(&bytes), told.file, "the golden file is another");
    assert!(bytes.len() <= GOLDEN_BYTES_MAX, "{} bytes", bytes.len());
    let scratch = scratch("copy");
    let copy = scratch.join("books.redb");
    std::fs::write(&copy, &bytes).expect("writes");
    run(goes_on(copy, told));
    let after = std::fs::read(books_of(SCHEMA_VERSION, &folder())).expect("reads");
    assert!(after == bytes, "a copy was opened, not the file itself");
    std::fs::remove_dir_all(scratch).expect("removes");
}

/// `just golden-db` names the folder; the suite makes one of its own and removes it.
#[test]
fn the_recipe_makes_golden_books_and_overwrites_none() {
    let asked = std::env::var_os("COUNTERFOIL_GOLDEN_DB").map(PathBuf::from);
    let folder = asked.clone().unwrap_or_else(|| scratch("made"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let made = folder.clone();
    run(async move { make(&made).await.expect("there are none yet") });
    seal(&folder);
    let books = books_of(SCHEMA_VERSION, &folder);
    let bytes = std::fs::read(&books).expect("reads");
    assert!(bytes.len() <= GOLDEN_BYTES_MAX, "{} bytes", bytes.len());
    let again = folder.clone();
    run(async move {
        let refused = make(&again).await.expect_err("refuses");
        assert!(refused.ends_with("it is never overwritten"), "{refused}");
    });
    assert!(std::fs::read(&books).expect("reads") == bytes);
    if asked.is_none() {
        std::fs::remove_dir_all(folder).expect("removes");
    }
}

#[test]
fn books_of_an_older_and_of_a_newer_schema_are_refused_and_stay_as_they_are() {
    let scratch = scratch("schema");
    for other in [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1] {
        let path = books_of(other, &scratch);
        std::fs::copy(books_of(SCHEMA_VERSION, &folder()), &path).expect("copies");
        let mut store = RedbStore::file(&path, CACHE_BYTES_DEFAULT).expect("opens");
        let epoch = store.seize().expect("seizes");
        let row = u64::from(other).to_be_bytes().to_vec();
        let changes = [(text(Table::Meta, "schema"), Some(row))].into();
        store.flush(epoch, &changes).expect("writes");
        store.close().expect("closes");
        let bytes = std::fs::read(&path).expect("reads");
        let refused = RedbStore::file(&path, CACHE_BYTES_DEFAULT).err();
        assert!(
            matches!(refused, Some(StoreError::Schema { found }) if found == other),
            "{refused:?}"
        );
        let said = refused.expect("refused").to_string();
        let wanted = format!("schema version {other} is not {SCHEMA_VERSION}: ");
        assert!(said.starts_with(&wanted), "{said}");
        assert!(said.ends_with("run the matching release"), "{said}");
        let after = std::fs::read(&path).expect("reads");
        assert!(after == bytes, "schema {other}: the file was written to");
    }
    std::fs::remove_dir_all(scratch).expect("removes");
}
