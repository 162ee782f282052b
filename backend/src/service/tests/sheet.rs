//! The payment-password sheet over HTTP (L7): sealed to one key, once, and nowhere else.

use bytes::Bytes;
use counterfoil_data::sealed::{Binding, OpenKey, SealKey};
use counterfoil_data::wire::confirm::ConfirmationView;
use counterfoil_data::wire::forms::{FormAdvice, FormAdvices, FormEvent, FormsAnswer};
use counterfoil_data::wire::sale::{Close, SaleState, SaleView};
use counterfoil_data::wire::sheet::{
    PasswordSheet, SheetAnswer, SheetOutcome, SheetReason, SheetState, TakeSheet,
};

use super::bed::{Bed, Presented, logged, run};
use super::client::{Ask, Client, Heard, order, path};
use super::whole::{decide, dispense};
use crate::core::audit::audit;
use crate::core::key;
use crate::core::record::decode;
use crate::core::record::sheet::PasswordRow;
use crate::keys::{Keys, passwords};
use crate::store::{Snapshots as _, StoreError, each_row};

const SHEN: Presented<'static> = Presented {
    kiosk: "kiosk-1",
    document: "shen",
    finger: "shen",
    status: &[0x9F, 0x90, 0x90],
};

/// Linked, by the agent of the unit with a sheet.
async fn linked(bed: &Bed, kiosk: &Client, sale: u128, quantity: u32) -> SaleView {
    let view = kiosk.open(sale).await;
    let view: SaleView = kiosk.info(bed, &view, "shen-card", "shen-pin").await.ok();
    let view: SaleView = kiosk.present(bed, &view, &SHEN).await.ok();
    let view: SaleView = kiosk
        .post(&path(&view, "order"), &order(quantity))
        .await
        .ok();
    let station = bed.station().await;
    for verb in ["seen", "confirm"] {
        decide(&station, &view, verb).await.ok::<ConfirmationView>();
    }
    let link = Ask::post(&path(&view, "link"), &serde_json::json!({})).keyed("link");
    kiosk.ask(&link).await.ok()
}

/// A sheet as the receipt printer's worker opens it.
fn opened(answer: &SheetAnswer, key: &OpenKey, view: &SaleView) -> PasswordSheet {
    let binding = Binding {
        sale: view.sale,
        challenge: view.challenge,
    };
    answer.sheet.open(key, binding).expect("opens")
}

async fn closed(kiosk: &Client, view: &SaleView, sheet: Option<SheetOutcome>) -> Heard {
    let close = Ask::post(&path(view, "close"), &Close { sheet }).keyed("close");
    kiosk.ask(&close).await
}

/// Every key and row of the books.
fn books(bed: &Bed) -> Vec<u8> {
    let read = bed.store.snapshot().expect("reads");
    let mut all = Vec::new();
    let every = each_row(&*read, Vec::new(), &[u8::MAX], |key, row| {
        all.extend(key);
        all.extend(row);
        Ok::<_, StoreError>(())
    });
    every.expect("reads");
    all
}

fn holds(text: &[u8], password: &str) -> bool {
    text.windows(password.len())
        .any(|w| w == password.as_bytes())
}

#[test]
fn a_sheet_names_what_was_sold_opens_under_its_key_alone_and_is_found_nowhere_else_i7() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = linked(&bed, &kiosk, 1, 2).await;
        let made = view.sheet.expect("a sheet");
        assert_eq!((made.state, made.forms), (SheetState::Made, 2));
        // The first form is spoiled, the third stands in.
        let first = view.forms[0].number;
        let reason = "mediaJammed".to_owned();
        let failed = FormEvent::Failed { ink: false, reason };
        let advices = [FormEvent::Feeding, failed].map(|event| FormAdvice {
            number: first,
            event,
        });
        let advices = advices.to_vec();
        let (forms, advices) = (path(&view, "forms"), FormAdvices { advices });
        let answer: FormsAnswer = kiosk.post(&forms, &advices).await.ok();
        assert_eq!(answer.supplements.len(), 1);
        let now: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        let mut rest = now.clone();
        rest.forms.remove(0);
        dispense(&kiosk, &rest).await;
        let (open, key) = OpenKey::derive(&[3; 32]);
        let take = kiosk
            .post(&path(&view, "sheet"), &TakeSheet::of(&key))
            .await;
        let sheet = opened(&take.ok(), &open, &view);
        let again = kiosk
            .post(&path(&view, "sheet"), &TakeSheet::of(&key))
            .await;
        assert_eq!(opened(&again.ok(), &open, &view).lines.len(), 2, "the same");
        let (_, other) = OpenKey::derive(&[4; 32]);
        let refused = kiosk
            .post(&path(&view, "sheet"), &TakeSheet::of(&other))
            .await;
        refused.problem(409);
        let on_it: Vec<_> = sheet.lines.iter().map(|line| line.number).collect();
        let sold: Vec<_> = rest.forms.iter().map(|form| form.number).collect();
        assert_eq!(on_it, sold, "not the spoiled form's");
        let receipt = closed(&kiosk, &view, Some(SheetOutcome::Printed)).await;
        let ended: SaleView = receipt.ok();
        let printed = ended.receipt.expect("a receipt").sheet.expect("a sheet");
        assert_eq!((printed.state, printed.forms), (SheetState::Printed, 2));
        // The bank can check each, and nobody can read it any more.
        let read = bed.store.snapshot().expect("reads");
        for line in &sheet.lines {
            let row = read.read(&key::password(line.number)).expect("reads");
            let row: PasswordRow = decode(&row.expect("a password")).expect("a row");
            let password = line.password.expose();
            assert_eq!(
                passwords::check(&Keys::demo(), line.number, password),
                row.check
            );
            assert!(row.envelope.is_empty());
        }
        let station = bed.station().await;
        let timeline = format!("/v1/evidence/number/{}", sold[0]);
        let heard: Vec<Bytes> = [&take, &again, &receipt].map(|h| h.body.clone()).into();
        let timeline = station.get(&timeline).await.body;
        let (books, logged) = (books(&bed), logged());
        for line in &sheet.lines {
            let password = line.password.expose();
            assert!(!holds(&books, password), "in the books");
            assert!(!holds(&logged, password), "in the log");
            assert!(!holds(&timeline, password), "in evidence");
            assert!(
                heard.iter().all(|body| !holds(body, password)),
                "on the wire"
            );
        }
        audit(&*read).expect("the books are in order");
    });
}

#[test]
fn a_close_that_says_nothing_cancels_a_sheet_nobody_asked_for() {
    run(async {
        let bed = Bed::open();
        let kiosk = bed.kiosk("kiosk-1").await;
        let view = linked(&bed, &kiosk, 1, 1).await;
        dispense(&kiosk, &view).await;
        let bad = TakeSheet {
            key: "not a key".to_owned(),
        };
        kiosk.post(&path(&view, "sheet"), &bad).await.problem(400);
        let weak = TakeSheet::of(&SealKey([0; 32]));
        kiosk.post(&path(&view, "sheet"), &weak).await.problem(400);
        let now: SaleView = kiosk.get(&format!("/v1/sales/{}", view.sale)).await.ok();
        let state = now.sheet.map(|sheet| sheet.state);
        assert_eq!(state, Some(SheetState::Made), "nothing was given");
        // No body at all, as before there were sheets.
        let close = Ask {
            body: Bytes::new(),
            media_type: None,
            ..Ask::post(&path(&view, "close"), &()).keyed("close")
        };
        let ended: SaleView = kiosk.ask(&close).await.ok();
        assert_eq!(ended.state, SaleState::Closed);
        let sheet = ended.receipt.expect("a receipt").sheet.expect("a sheet");
        assert_eq!(sheet.state, SheetState::Cancelled);
        assert_eq!(sheet.reason, Some(SheetReason::NotPrinted));
        let (_, key) = OpenKey::derive(&[3; 32]);
        let late = kiosk
            .post(&path(&view, "sheet"), &TakeSheet::of(&key))
            .await;
        late.problem(409);
    });
}
