//! The driver against its twin, on the bus everybody else uses, in virtual time.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use counterfoil_data::bill::BillRange;

use super::*;
use crate::driver::completion::Grade;
use crate::driver::sample::{FIRST, approved, job, number};
use crate::system::TokioClock;
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::twin::form_printer::{FormPrinterTwin, Place};

mod bad_cable;
mod bundle;
mod hands;
mod leftovers;
mod power_cut;

const LONG: Duration = Duration::from_secs(10);

/// Randomness that is always the same byte: the first fence of `Same(0)` is F001.
struct Same(u8);

impl Entropy for Same {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn slot(n: u8) -> SlotId {
    format!("slot-{n}").parse().expect("a slot")
}

/// A kiosk's form printer with 20 transfer cheques and 5 cash cheques.
struct Desk {
    bus: TwinBus,
    twin: Rc<RefCell<FormPrinterTwin>>,
    clock: SharedClock,
}

impl Desk {
    /// With a variant of the printer.
    fn with(variant: impl FnOnce(FormPrinterTwin) -> FormPrinterTwin) -> Self {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(
            jiff::Timestamp::from_second(1_800_000_000).expect("a time"),
        ));
        let range = |first: &str, count| BillRange::from_count(number(first), count).expect("fits");
        let slots = [
            (slot(1), range(FIRST, 20)),
            (slot(2), range("3130111100000001", 5)),
        ];
        let twin = Rc::new(RefCell::new(variant(FormPrinterTwin::new(slots, None))));
        let bus = TwinBus::new(clock.clone());
        bus.plug("form-printer", twin.clone());
        Self { bus, twin, clock }
    }

    async fn open(&self) -> FormPrinter<TwinTransport> {
        self.open_with(0).await
    }

    async fn open_with(&self, byte: u8) -> FormPrinter<TwinTransport> {
        let transport = self.bus.open_now("form-printer").expect("plugged in");
        FormPrinter::open(transport, self.clock.clone(), &Same(byte))
            .await
            .expect("opens")
    }

    /// Bytes of the manuals from an earlier handle, which is lost right after.
    async fn lost_handle(&self, hex: &str) {
        let transport = self.bus.open_now("form-printer").expect("plugged in");
        let bytes = counterfoil_data::wire::unhex(&hex.replace(' ', "")).expect("hex");
        let sent = transport.write(crate::twin::printer_class::OUT, &bytes, LONG);
        assert_eq!(sent.await, Ok(bytes.len()));
    }

    fn desk(&self, line: &str) -> String {
        self.bus.desk(&format!("form-printer {line}")).expect(line)
    }

    fn count(&self, counter: &str) -> u64 {
        self.bus.counter("form-printer", counter)
    }

    fn places(&self) -> Vec<(String, Place)> {
        let sheets = self.twin.borrow().sheets();
        sheets
            .iter()
            .map(|s| (s.number.to_string(), s.place))
            .collect()
    }
}

fn run<F: Future<Output = ()>>(test: impl FnOnce(Desk) -> F) {
    run_with(|twin| twin, test);
}

fn run_with<F: Future<Output = ()>>(
    variant: impl FnOnce(FormPrinterTwin) -> FormPrinterTwin,
    test: impl FnOnce(Desk) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async { test(Desk::with(variant)).await });
}

#[test]
fn a_form_is_fed_read_inked_presented_and_taken_s9() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        assert_eq!(printer.read_number(LONG).await, Ok(number(FIRST)));
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        // F001 was the hello; 37 22 F002 00: after the ink; F003 after the eject.
        let evidence = "37224630303200".to_owned() + "37224630303300";
        let grade = Grade::Identified;
        assert_eq!(outcome, PrintOutcome::Done { grade, evidence });
        let status = printer.status().await.expect("status");
        assert_eq!(status.escrow, Occupancy::Occupied);
        assert_eq!(status.transport, Occupancy::Empty);
        printer.present(LONG).await.expect("presented");
        assert_eq!(
            printer.wait_taken(Duration::from_secs(2)).await,
            Ok(Taking::StillThere)
        );
        desk.desk("take");
        assert_eq!(printer.wait_taken(LONG).await, Ok(Taking::Taken));
        let sheet = desk.twin.borrow().sheets().remove(0);
        assert_eq!(sheet.place, Place::Taken);
        for field in job(FIRST).fields.values() {
            assert!(sheet.inked.contains(field), "{field} in {:?}", sheet.inked);
        }
        assert_eq!(desk.count("unknown-commands"), 0);
        assert_eq!(
            (
                desk.count("feeds"),
                desk.count("reads"),
                desk.count("inked")
            ),
            (1, 2, 1)
        );
    });
}

#[test]
fn another_number_is_never_inked_and_goes_to_the_reject_bin() {
    run(|desk| async move {
        desk.desk("swap next");
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        let read = printer.read_number(LONG).await.expect("read");
        assert_eq!(read, number("3130112100000102"));
        let refused = PrintOutcome::Failed {
            fault: PrintFault::SequenceInvalid,
            ink: false,
        };
        assert_eq!(printer.print(&job(FIRST), &approved(), LONG).await, refused);
        assert_eq!(printer.divert(LONG).await, Ok(Diverted::ToReject));
        assert_eq!(
            desk.places(),
            [("3130112100000102".to_owned(), Place::Reject)]
        );
        assert_eq!(desk.count("prints"), 0);
    });
}

#[test]
fn a_job_that_does_not_follow_from_the_confirmed_text_gets_no_ink_s22() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        printer.read_number(LONG).await.expect("read");
        let mut other = approved();
        other.account = "6217000000000000999".to_owned();
        let refused = PrintOutcome::Failed {
            fault: PrintFault::FieldSpecFailure,
            ink: false,
        };
        assert_eq!(printer.print(&job(FIRST), &other, LONG).await, refused);
        assert_eq!(desk.count("prints"), 0);
    });
}

#[test]
fn ink_before_feed_and_read_is_refused() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        let refused = PrintOutcome::Failed {
            fault: PrintFault::SequenceInvalid,
            ink: false,
        };
        assert_eq!(printer.print(&job(FIRST), &approved(), LONG).await, refused);
        printer.feed(&slot(1), LONG).await.expect("fed");
        assert_eq!(printer.print(&job(FIRST), &approved(), LONG).await, refused);
        assert_eq!(desk.count("prints"), 0);
    });
}

#[test]
fn a_jam_at_the_feed_says_that_paper_may_have_moved() {
    run(|desk| async move {
        desk.desk("jam after 0");
        let mut printer = desk.open().await;
        let fault = PrintFault::MediaJammed;
        let fed = printer.feed(&slot(1), LONG).await;
        assert_eq!(fed, Err(FeedError::MayHaveMoved { fault }));
        let status = printer.status().await.expect("still answers");
        assert!(status.jam);
        assert_eq!(status.transport, Occupancy::Occupied);
        assert_eq!(printer.divert(LONG).await, Err(fault));
        desk.desk("clear jam");
        assert_eq!(printer.divert(LONG).await, Ok(Diverted::NothingThere));
        printer
            .feed(&slot(1), LONG)
            .await
            .expect("the next one goes well");
    });
}

#[test]
fn a_jam_while_printing_is_a_failure_with_ink() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        printer.read_number(LONG).await.expect("read");
        let (job, text) = (job(FIRST), approved());
        let printing = printer.print(&job, &text, LONG);
        let jam = async {
            desk.clock.sleep(Duration::from_millis(500)).await;
            assert_eq!(desk.desk("jam now"), "jammed while printing");
        };
        let (outcome, ()) = tokio::join!(printing, jam);
        let failed = PrintOutcome::Failed {
            fault: PrintFault::MediaJammed,
            ink: true,
        };
        assert_eq!(outcome, failed);
        desk.desk("clear jam");
        printer.feed(&slot(1), LONG).await.expect("fed");
        assert_eq!(
            printer.read_number(LONG).await,
            Ok(number("3130112100000102"))
        );
        assert_eq!(
            desk.count("prints"),
            1,
            "no page is ever printed again by itself"
        );
    });
}

#[test]
fn an_empty_slot_a_missing_slot_and_no_ribbon_feed_nothing() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        let nothing = |fault| Err(FeedError::NothingFed { fault });
        assert_eq!(
            printer.feed(&slot(3), LONG).await,
            nothing(PrintFault::SourceInvalid)
        );
        desk.desk("ribbon out");
        assert_eq!(
            printer.feed(&slot(1), LONG).await,
            nothing(PrintFault::InkOut)
        );
        desk.desk("ribbon ok");
        desk.desk("load slot-2 3130111100000009-3130111100000009");
        printer.feed(&slot(2), LONG).await.expect("the last one");
        assert_eq!(
            printer.feed(&slot(2), LONG).await,
            nothing(PrintFault::MediaRetained)
        );
        printer.divert(LONG).await.expect("diverted");
        assert_eq!(
            printer.feed(&slot(2), LONG).await,
            nothing(PrintFault::PaperOut)
        );
        assert_eq!(desk.count("feeds"), 1);
    });
}

#[test]
fn an_unreadable_number_is_tried_three_times_and_no_more() {
    run(|desk| async move {
        desk.desk("unreadable next");
        let mut printer = desk.open().await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        let unreadable = Err(ReadError::Unreadable { detail: 0x46 });
        assert_eq!(printer.read_number(LONG).await, unreadable);
        assert_eq!(desk.count("reads"), 3);
    });
}

#[test]
fn a_double_feed_and_a_stranger_show_another_number() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        desk.desk("double feed next");
        printer.feed(&slot(1), LONG).await.expect("fed");
        assert_eq!(
            printer.read_number(LONG).await,
            Ok(number("3130112100000102"))
        );
        printer.divert(LONG).await.expect("diverted");
        assert_eq!(desk.count("diverted"), 2);
        desk.desk("wrong number next 1020112112345678");
        printer.feed(&slot(1), LONG).await.expect("fed");
        assert_eq!(
            printer.read_number(LONG).await,
            Ok(number("1020112112345678"))
        );
    });
}

#[test]
fn a_bundle_nobody_takes_is_retracted_and_one_just_taken_is_not() {
    run(|desk| async move {
        let mut printer = desk.open().await;
        for at in [FIRST, "3130112100000102"] {
            printer.feed(&slot(1), LONG).await.expect("fed");
            printer.read_number(LONG).await.expect("read");
            let outcome = printer.print(&job(at), &approved(), LONG).await;
            assert!(matches!(outcome, PrintOutcome::Done { .. }));
            printer.present(LONG).await.expect("presented");
            if at == FIRST {
                assert_eq!(printer.retract(LONG).await, Ok(Retraction::ToBin));
            }
        }
        desk.desk("take");
        assert_eq!(printer.retract(LONG).await, Ok(Retraction::NothingThere));
        let places: Vec<Place> = desk.places().into_iter().map(|(_, p)| p).collect();
        assert_eq!(places, [Place::Retract, Place::Taken]);
        assert_eq!(printer.present(LONG).await, Err(PrintFault::NoMediaPresent));
    });
}

#[test]
fn positions_are_rounded_to_the_nearest_dot_once() {
    assert_eq!([0, 10, 1700, 6].map(page::dots), [0, 8, 1360, 5]);
}
