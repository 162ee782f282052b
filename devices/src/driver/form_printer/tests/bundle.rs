//! The bundle on its way to the customer and back: jammed, unseen, or spoken of
//! by bytes that are no answer. No form is said to be taken that was not.

use counterfoil_data::form;

use super::bad_cable::{Fault, behind};
use super::hands::read;
use super::*;

/// One form printed.
async fn printed(desk: &Desk) -> FormPrinter<TwinTransport> {
    let mut printer = read(desk).await;
    let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
    assert!(matches!(outcome, PrintOutcome::Done { .. }));
    printer
}

#[test]
fn a_bundle_jammed_on_its_way_out_is_neither_presented_nor_taken() {
    run(|desk| async move {
        let mut printer = printed(&desk).await;
        desk.desk("jam presenter");
        let jammed = PrintFault::MediaJammed;
        assert_eq!(printer.present(LONG).await, Err(jammed));
        assert_eq!(printer.wait_taken(LONG).await, Err(jammed));
        assert_eq!(printer.retract(LONG).await, Err(jammed));
        let status = printer.status().await.expect("answers");
        assert!(status.jam && status.output == Occupancy::Empty);
        desk.desk("clear jam");
        let nobody = Err(PrintFault::NoMediaPresent);
        assert_eq!(printer.wait_taken(LONG).await, nobody, "staff have it");
        assert_eq!(desk.places(), [(FIRST.to_owned(), Place::Reject)]);
    });
}

#[test]
fn a_bundle_jammed_on_its_way_back_is_neither_taken_nor_retracted() {
    run(|desk| async move {
        let mut printer = printed(&desk).await;
        printer.present(LONG).await.expect("presented");
        desk.desk("jam presenter");
        let jammed = Err(PrintFault::MediaJammed);
        assert_eq!(printer.retract(LONG).await, jammed);
        assert_eq!(desk.count("retracted") + desk.count("taken"), 0);
    });
}

#[test]
fn an_output_that_this_handle_never_saw_covered_proves_nothing_taken() {
    run(|desk| async move {
        let mut printer = printed(&desk).await;
        printer.present(LONG).await.expect("presented");
        drop(printer);
        desk.desk("take");
        let mut printer = desk.open().await;
        let nobody = Err(PrintFault::NoMediaPresent);
        assert_eq!(printer.wait_taken(LONG).await, nobody);
        assert_eq!(printer.retract(LONG).await, Err(PrintFault::NoMediaPresent));
    });
}

/// Sells one form up to the escrow, behind a cable whose presenter answers first
/// with the look after the eject, which is left as it is, then with `answers`.
async fn printed_behind(
    desk: &Desk,
    answers: &'static [&'static [u8]],
) -> FormPrinter<TwinTransport> {
    let mut printer = behind(desk, Fault::Says(answers)).await;
    printer.feed(&slot(1), LONG).await.expect("fed");
    printer.read_number(LONG).await.expect("read");
    let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
    assert!(matches!(outcome, PrintOutcome::Done { .. }));
    printer
}

/// Time for two looks at the presenter and a little more.
const SHORT: Duration = Duration::from_millis(500);

#[test]
fn the_rest_of_a_broken_status_is_not_a_bundle_taken() {
    run(|desk| async move {
        const BROKEN: &[u8] = &[0x10, 0x00, 0x12, 0x08];
        let answers: &[&[u8]] = &[&[0x04], &[0x04], &[0x08], BROKEN, BROKEN, BROKEN, BROKEN];
        let mut printer = printed_behind(&desk, answers).await;
        printer.present(LONG).await.expect("presented");
        assert_eq!(printer.wait_taken(SHORT).await, Ok(Taking::StillThere));
        assert_eq!(desk.count("taken"), 0);
    });
}

#[test]
fn the_late_answer_of_an_earlier_question_is_not_a_bundle_taken() {
    run(|desk| async move {
        let answers: &[&[u8]] = &[&[0x04], &[0x04], &[0x08], &[0x00, 0x08], &[0x08]];
        let mut printer = printed_behind(&desk, answers).await;
        printer.present(LONG).await.expect("presented");
        assert_eq!(printer.wait_taken(SHORT).await, Ok(Taking::StillThere));
    });
}

#[test]
fn a_bundle_between_the_sensors_is_neither_presented_nor_taken() {
    run(|desk| async move {
        // Motor on, neither sensor covered; then it is out; then it moves again.
        const BETWEEN: &[u8] = &[0x20];
        let answers: &[&[u8]] = &[
            &[0x04],
            &[0x04],
            BETWEEN,
            BETWEEN,
            BETWEEN,
            &[0x08],
            BETWEEN,
            BETWEEN,
            BETWEEN,
            BETWEEN,
        ];
        let mut printer = printed_behind(&desk, answers).await;
        let begun = desk.clock.monotonic();
        printer.present(LONG).await.expect("presented");
        let took = desk.clock.monotonic() - begun;
        assert!(
            took >= Duration::from_millis(1_000),
            "{took:?}: three looks more"
        );
        assert_eq!(printer.wait_taken(SHORT).await, Ok(Taking::StillThere));
    });
}

#[test]
fn a_bundle_that_comes_out_nowhere_is_not_presented() {
    run(|desk| async move {
        let answers: &[&[u8]] = &[&[0x04], &[0x04], &[0x00], &[0x00]];
        let mut printer = printed_behind(&desk, answers).await;
        let nowhere = Err(PrintFault::NoMediaPresent);
        assert_eq!(printer.present(LONG).await, nowhere);
    });
}

#[test]
fn a_calibration_is_never_inked_on_a_sheet_whose_number_can_be_read() {
    run(|desk| async move {
        let template = form::template("transfer-cheque").expect("sound");
        let mut printer = desk.open().await;
        let refused = PrintOutcome::Failed {
            fault: PrintFault::SequenceInvalid,
            ink: false,
        };
        printer.feed(&slot(1), LONG).await.expect("fed");
        let inked = printer.calibrate(&template, &slot(1), LONG).await;
        assert_eq!(inked, refused, "not looked at yet");
        printer.read_number(LONG).await.expect("read");
        let inked = printer.calibrate(&template, &slot(1), LONG).await;
        assert_eq!(inked, refused, "numbered");
        printer.divert(LONG).await.expect("diverted");
        desk.desk("unreadable next");
        printer.feed(&slot(1), LONG).await.expect("fed");
        printer.read_number(LONG).await.expect_err("plain paper");
        let inked = printer.calibrate(&template, &slot(1), LONG).await;
        assert!(matches!(inked, PrintOutcome::Done { .. }), "{inked:?}");
        assert_eq!(desk.count("prints"), 1);
    });
}

#[test]
fn the_offset_of_the_slot_moves_what_is_printed_from_it() {
    run(|desk| async move {
        let offset = Offset::new(10, -5).expect("small");
        let offsets = [(slot(1), offset)].into();
        let mut printer = desk.open().await.with_offsets(offsets);
        printer.feed(&slot(1), LONG).await.expect("fed");
        printer.read_number(LONG).await.expect("read");
        printer.print(&job(FIRST), &approved(), LONG).await;
        let template = form::template("transfer-cheque").expect("sound");
        let page = |offset| page::page(&template, &job(FIRST).fields, offset).expect("fits");
        assert_eq!(printer.offset(&slot(2)), Offset::default());
        assert_ne!(page(offset), page(Offset::default()));
        assert_eq!(desk.twin.borrow().pages(), [page(offset)].map(with_feed));
    });
}

/// A page as the sheet has it: with the FF that inked it, without the ESC L and CAN
/// that began it anew.
fn with_feed(page: Vec<u8>) -> Vec<u8> {
    let begun = page.strip_prefix(&[0x1B, 0x4C, 0x18]).expect("a page");
    [&[0x1B, 0x4C], begun, &[0x0C]].concat()
}
