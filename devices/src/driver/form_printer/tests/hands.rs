//! Hands in the printer: emptied, jammed and cleared, opened, at the worst moment.
//! No form is said to be printed that was not, and nothing moves later.

use super::*;

/// One form fed and read.
pub(super) async fn read(desk: &Desk) -> FormPrinter<TwinTransport> {
    let mut printer = desk.open().await;
    printer.feed(&slot(1), LONG).await.expect("fed");
    printer.read_number(LONG).await.expect("read");
    printer
}

/// Does `lines` that long after printing began.
async fn print_and(desk: &Desk, after_ms: u64, lines: &[&str]) -> PrintOutcome {
    let mut printer = read(desk).await;
    let (job, text) = (job(FIRST), approved());
    let printing = printer.print(&job, &text, LONG);
    let hands = async {
        desk.clock.sleep(Duration::from_millis(after_ms)).await;
        for line in lines {
            desk.desk(line);
        }
    };
    tokio::join!(printing, hands).0
}

#[test]
fn a_sheet_that_was_taken_out_after_its_number_was_read_is_not_printed() {
    for lines in [["empty", "ribbon ok"], ["jam now", "clear jam"]] {
        run(|desk| async move {
            let mut printer = read(&desk).await;
            for line in lines {
                desk.desk(line);
            }
            let missing = PrintOutcome::Failed {
                fault: PrintFault::NoMediaPresent,
                ink: false,
            };
            assert_eq!(printer.print(&job(FIRST), &approved(), LONG).await, missing);
            assert_eq!(desk.count("prints"), 0);
            assert_eq!(desk.places(), [(FIRST.to_owned(), Place::Reject)]);
        });
    }
}

#[test]
fn a_jam_cleared_while_printing_is_never_a_printed_form() {
    run(|desk| async move {
        let outcome = print_and(&desk, 500, &["jam now", "clear jam"]).await;
        assert!(!matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
        assert_eq!(desk.places(), [(FIRST.to_owned(), Place::Reject)]);
    });
}

#[test]
fn a_sheet_taken_out_on_its_way_to_the_escrow_is_a_doubt() {
    run(|desk| async move {
        // 100 ms load, 900 ms ink, then 300 ms into the escrow.
        let outcome = print_and(&desk, 1_150, &["empty"]).await;
        let why = PrintFault::NoMediaPresent;
        assert_eq!(outcome, PrintOutcome::Unknown { why });
    });
}

#[test]
fn a_feed_stopped_by_the_cover_pulls_no_blank_when_it_is_closed() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        let from = slot(1);
        let feeding = printer.feed(&from, LONG);
        let hands = async {
            desk.clock.sleep(Duration::from_millis(20)).await;
            desk.desk("cover open");
        };
        let (fed, ()) = tokio::join!(feeding, hands);
        let fault = PrintFault::CoverOpen;
        assert_eq!(fed, Err(FeedError::MayHaveMoved { fault }));
        desk.desk("cover close");
        desk.clock.sleep(LONG).await;
        assert_eq!(desk.count("feeds"), 0);
        printer.feed(&slot(1), LONG).await.expect("fed when asked");
    });
}

#[test]
fn a_reading_stopped_by_the_cover_is_not_made_later() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        let reading = printer.read_number(LONG);
        let hands = async {
            desk.clock.sleep(Duration::from_millis(20)).await;
            desk.desk("cover open");
        };
        let (read, ()) = tokio::join!(reading, hands);
        let fault = PrintFault::CoverOpen;
        assert_eq!(read, Err(ReadError::Printer { fault }));
        desk.desk("cover close");
        desk.clock.sleep(LONG).await;
        let reads = desk.count("reads");
        printer.read_number(LONG).await.expect("read");
        assert_eq!(desk.count("reads"), reads + 2, "two that agree");
    });
}
