//! What an earlier handle left in the printer, also in one that refuses SOFT_RESET:
//! half a command, a page, work still queued, fences on their way.

use super::*;

#[test]
fn a_page_cut_off_in_a_parameter_is_never_on_the_next_form() {
    for cut in [
        "1b4c 41424344 1d24c8",
        "1b4c 41424344 1b57000000",
        "1b4c 41424344 1d28",
        "1b4c 41424344 1d284806003030 4630",
        "1b4c 41424344 d5",
        "1b4c 41424344",
    ] {
        run_with(FormPrinterTwin::without_reset, |desk| async move {
            desk.lost_handle(cut).await;
            let mut printer = desk.open_with(7).await;
            printer.feed(&slot(1), LONG).await.expect("fed");
            assert_eq!(printer.read_number(LONG).await, Ok(number(FIRST)));
            let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
            assert!(matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
            let inked = desk.twin.borrow().sheets().remove(0).inked;
            let strange = inked.iter().any(|text| text.contains("ABCD"));
            assert!(!strange, "{cut}: {inked:?}");
            assert_eq!(inked.len(), job(FIRST).fields.len(), "{inked:?}");
        });
    }
}

#[test]
fn the_hello_waits_for_what_was_queued_before_it() {
    run_with(FormPrinterTwin::without_reset, |desk| async move {
        // Status back on, slip, feed, read: the feed pushes a status of its own.
        desk.lost_handle("1d61ff 1b633004 1c285302003001 1c613000")
            .await;
        let mut printer = desk.open_with(7).await;
        assert_eq!((desk.count("feeds"), desk.count("reads")), (1, 1));
        let status = printer.status().await.expect("answers");
        assert_eq!(status.transport, Occupancy::Occupied);
    });
}

#[test]
fn fences_of_two_handles_are_not_the_same() {
    run(|desk| async move {
        let mut proofs = Vec::new();
        for (byte, at) in [(1, FIRST), (2, "3130112100000102")] {
            let mut printer = desk.open_with(byte).await;
            printer.feed(&slot(1), LONG).await.expect("fed");
            printer.read_number(LONG).await.expect("read");
            match printer.print(&job(at), &approved(), LONG).await {
                PrintOutcome::Done { evidence, .. } => proofs.push(evidence),
                other => panic!("{other:?}"),
            }
        }
        assert_ne!(proofs[0], proofs[1]);
    });
}
