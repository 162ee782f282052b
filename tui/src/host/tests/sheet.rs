//! The payment-password sheet in the receipt printer's worker (L7, I7).

use counterfoil_data::sealed::{SealKey, Sealed};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sheet::{PasswordSheet, SheetLine};

use super::*;
use crate::model::Language;

const PASSWORD: &str = "4815162342108007";
const GROUPED: &str = "4815 1623 4210 8007";

fn sealed(key: &SealKey, binding: Binding) -> Sealed<PasswordSheet> {
    let line = SheetLine {
        number: "3130002100010001".parse().expect("a number"),
        password: Secret::new(PASSWORD.to_owned()),
    };
    let sheet = PasswordSheet { lines: vec![line] };
    Sealed::seal(&sheet, key, binding, &SystemEntropy).expect("seals")
}

fn print(sheet: &Sealed<PasswordSheet>, binding: Binding) -> Act {
    Act::PrintSheet {
        sheet: sheet.clone(),
        binding,
        requisition: "L0001".to_owned(),
        language: Language::En,
    }
}

async fn offered(desks: &mut Desks) -> SealKey {
    let ticket = desks.ask(Desk::Receipt, Act::OfferSheetKey);
    match desks.answer(ticket).await {
        Answer::SheetKey(key) => key,
        other => panic!("a key, not {other:?}"),
    }
}

/// The bytes of everything that was printed.
fn printed(folder: &std::path::Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    let files = files.map(|file| file.expect("an entry").path());
    let bytes = files.filter(|file| file.extension().is_some_and(|e| e == "bin"));
    bytes
        .flat_map(|file| std::fs::read(file).expect("reads"))
        .collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

#[test]
fn a_password_sheet_opens_once_in_the_worker_and_its_passwords_are_on_paper_alone() {
    let folder = std::env::temp_dir().join(format!("counterfoil-sheet-{}", std::process::id()));
    let paper = Some(folder.clone());
    run_with(paper, |mut desks| async move {
        desks.all_ready().await;
        let binding = desks.sealing.binding;
        let key = offered(&mut desks).await;
        let sheet = sealed(&key, binding);
        let act = print(&sheet, binding);
        assert!(!format!("{act:?}").contains(PASSWORD), "in a debug text");
        let ticket = desks.ask(Desk::Receipt, act);
        assert!(matches!(desks.answer(ticket).await, Answer::ReceiptPrinted));
        // The same once more: the key is used up.
        let ticket = desks.ask(Desk::Receipt, print(&sheet, binding));
        let again = desks.answer(ticket).await;
        assert!(matches!(again, Answer::ReceiptFailed { nothing: true }));
        // Of another sale, after the customer was forgotten, and without paper: nothing.
        let key = offered(&mut desks).await;
        let other = Binding {
            sale: SaleId(8),
            ..binding
        };
        let ticket = desks.ask(Desk::Receipt, print(&sealed(&key, other), binding));
        let moved = desks.answer(ticket).await;
        assert!(matches!(moved, Answer::ReceiptFailed { nothing: true }));
        let key = offered(&mut desks).await;
        desks.host.wipe();
        let ticket = desks.ask(Desk::Receipt, print(&sealed(&key, binding), binding));
        let wiped = desks.answer(ticket).await;
        assert!(matches!(wiped, Answer::ReceiptFailed { nothing: true }));
        desks.desk("receipt-printer paper-out");
        let ticket = desks.ask(Desk::Receipt, Act::OfferSheetKey);
        let empty = desks.answer(ticket).await;
        assert!(matches!(empty, Answer::ReceiptFailed { nothing: true }));
    });
    let paper = printed(&folder);
    std::fs::remove_dir_all(&folder).expect("removes");
    assert!(holds(&paper, GROUPED), "in fours, on paper");
    let times = paper.windows(GROUPED.len());
    let times = times.filter(|w| *w == GROUPED.as_bytes()).count();
    assert_eq!(times, 1, "once");
}
