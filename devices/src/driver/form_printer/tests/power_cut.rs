//! Power cuts and pulled cables at any moment: paper stays where it is (I6).

use super::*;

#[test]
fn after_a_power_cut_the_printer_says_what_lies_where_and_only_diverts_i6() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        printer.read_number(LONG).await.expect("read");
        drop(printer);
        desk.bus.host_gone();
        let mut printer = desk.open().await;
        let status = printer.status().await.expect("status");
        assert_eq!(status.transport, Occupancy::Occupied);
        assert_eq!(status.escrow, Occupancy::Empty);
        let refused = PrintOutcome::Failed {
            fault: PrintFault::SequenceInvalid,
            ink: false,
        };
        assert_eq!(printer.read_number(LONG).await, Ok(number(FIRST)));
        assert_eq!(printer.print(&job(FIRST), &approved(), LONG).await, refused);
        assert_eq!(printer.divert(LONG).await, Ok(Diverted::ToReject));
        assert_eq!(desk.count("prints"), 0);
    });
}

#[test]
fn a_kiosk_killed_at_any_moment_leaves_one_sheet_in_one_place() {
    for cut_ms in (0..3_600).step_by(60) {
        run(|desk| async move {
            let mut printer = desk.open().await;
            let selling = async {
                printer.feed(&slot(1), LONG).await.expect("fed");
                printer.read_number(LONG).await.expect("read");
                let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
                assert!(matches!(outcome, PrintOutcome::Done { .. }));
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = selling => {}
                () = desk.clock.sleep(Duration::from_millis(cut_ms)) => {}
            }
            drop(printer);
            desk.bus.host_gone();
            desk.clock.sleep(LONG).await;
            let mut printer = desk.open().await;
            let status = printer.status().await.expect("status");
            let sheets = desk.twin.borrow().sheets();
            assert!(sheets.len() <= 1);
            let place = sheets.first().map(|s| s.place);
            assert_eq!(
                status.transport == Occupancy::Occupied,
                place == Some(Place::Transport)
            );
            assert_eq!(
                status.escrow == Occupancy::Occupied,
                place == Some(Place::Escrow)
            );
            assert_eq!(status.output, Occupancy::Empty);
            if place == Some(Place::Transport) {
                assert_eq!(printer.divert(LONG).await, Ok(Diverted::ToReject));
            }
            printer.feed(&slot(1), LONG).await.expect("goes on");
            assert!(desk.count("prints") <= 1, "never inked twice");
        });
    }
}

#[test]
fn unplugging_in_the_middle_of_ink_is_unknown_not_failed() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        printer.read_number(LONG).await.expect("read");
        let (job, text) = (job(FIRST), approved());
        let printing = printer.print(&job, &text, LONG);
        let pull = async {
            desk.clock.sleep(Duration::from_millis(500)).await;
            desk.bus.unplug("form-printer");
        };
        let (outcome, ()) = tokio::join!(printing, pull);
        let why = PrintFault::NoDevice;
        assert_eq!(outcome, PrintOutcome::Unknown { why });
    });
}

#[test]
fn a_jammed_printer_opens_and_says_so() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        desk.desk("jam now");
        drop(printer);
        let mut printer = desk.open().await;
        let status = printer.status().await.expect("status");
        assert!(status.jam);
        assert_eq!(status.fault, Some(PrintFault::MediaJammed));
        assert_eq!(status.transport, Occupancy::Occupied);
    });
}

#[test]
fn a_ribbon_that_ends_before_the_ink_is_a_failure_and_the_sheet_can_be_diverted() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        printer.read_number(LONG).await.expect("read");
        let (job, text) = (job(FIRST), approved());
        let printing = printer.print(&job, &text, LONG);
        let end = async {
            desk.clock.sleep(Duration::from_millis(50)).await;
            desk.desk("ribbon out");
        };
        let (outcome, ()) = tokio::join!(printing, end);
        let failed = PrintOutcome::Failed {
            fault: PrintFault::InkOut,
            ink: true,
        };
        assert_eq!(outcome, failed, "ink cannot be excluded");
        assert_eq!(printer.divert(LONG).await, Ok(Diverted::ToReject));
        desk.desk("ribbon ok");
        assert_eq!(desk.count("inked"), 0, "the queued page was forgotten");
    });
}
