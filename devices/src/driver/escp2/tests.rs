//! The driver against its twin, in virtual time.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use counterfoil_data::bill::BillRange;

use super::*;
use crate::driver::sample::{FIRST, approved, job, no_ink, number};
use crate::system::TokioClock;
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::twin::escp2_printer::{Escp2PrinterTwin, NAME};
use crate::twin::form_printer::Place;
use crate::twin::printer_class::OUT;

const LONG: Duration = Duration::from_secs(30);

struct Desk {
    bus: TwinBus,
    twin: Rc<RefCell<Escp2PrinterTwin>>,
    clock: SharedClock,
}

impl Desk {
    async fn open(&self, settings: Escp2Settings) -> Escp2Printer<TwinTransport> {
        let transport = self.bus.open_now(NAME).expect("plugged in");
        let opened = Escp2Printer::open(transport, self.clock.clone(), settings).await;
        opened.expect("opens")
    }

    fn desk(&self, line: &str) -> String {
        self.bus.desk(&format!("{NAME} {line}")).expect(line)
    }

    fn count(&self, counter: &str) -> u64 {
        self.bus.counter(NAME, counter)
    }

    /// Feeds while a hand puts the next blank in a second later.
    async fn feed(&self, printer: &mut Escp2Printer<TwinTransport>) {
        let hand = async {
            self.clock.sleep(Duration::from_secs(1)).await;
            self.desk("insert");
        };
        let (fed, ()) = tokio::join!(printer.feed(LONG), hand);
        fed.expect("fed");
    }
}

fn run<F: Future<Output = ()>>(test: impl FnOnce(Desk) -> F) {
    run_with(|twin| twin, test);
}

fn run_with<F: Future<Output = ()>>(
    variant: impl FnOnce(Escp2PrinterTwin) -> Escp2PrinterTwin,
    test: impl FnOnce(Desk) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let pile = BillRange::from_count(number(FIRST), 5).expect("fits");
        let twin = Rc::new(RefCell::new(variant(Escp2PrinterTwin::new(pile, None))));
        let bus = TwinBus::new(clock.clone());
        bus.plug(NAME, twin.clone());
        test(Desk { bus, twin, clock }).await;
    });
}

fn operator() -> Escp2Settings {
    Escp2Settings {
        number: Readback::Operator,
        ..Escp2Settings::default()
    }
}

#[test]
fn numbered_stock_is_refused_unless_an_operator_reads_the_number() {
    run(|desk| async move {
        let mut printer = desk.open(Escp2Settings::default()).await;
        let fault = PrintFault::NoReader;
        let refused = printer.feed(LONG).await;
        assert_eq!(refused, Err(FeedError::NothingFed { fault }));
        assert!(fault.to_string().contains("operator"));
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::SequenceInvalid));
        assert_eq!(desk.twin.borrow().pages(), Vec::<Vec<u8>>::new());
    });
}

#[test]
fn a_form_is_put_in_read_by_the_operator_inked_and_seen_to_leave() {
    run(|desk| async move {
        let mut printer = desk.open(operator()).await;
        assert_eq!(printer.model(), "SAMPLE LQ-24");
        desk.feed(&mut printer).await;
        let fault = PrintFault::OperatorMustRead;
        assert_eq!(printer.read_number(), Err(ReadError::Printer { fault }));
        let early = printer.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(early, no_ink(PrintFault::SequenceInvalid));
        let read = printer.operator_reads(number(FIRST), number(FIRST));
        assert_eq!(read, Ok(number(FIRST)));
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        let PrintOutcome::Done { grade, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(grade, Grade::Status, "never better without an answer");
        let sheet = desk.twin.borrow().sheets().remove(0);
        assert_eq!((sheet.place, sheet.partial), (Place::Output, false));
        assert_eq!(desk.count("unknown-commands"), 0);
        let again = printer.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(again, no_ink(PrintFault::SequenceInvalid), "once");
        assert_eq!(desk.count("inked"), 1);
    });
}

#[test]
fn another_number_is_never_inked() {
    run(|desk| async move {
        desk.desk("wrong number next 3130112100000104");
        let mut printer = desk.open(operator()).await;
        desk.feed(&mut printer).await;
        let read = number("3130112100000104");
        printer.operator_reads(read, read).expect("the same twice");
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::SequenceInvalid));
        assert_eq!(printer.divert(LONG).await, Ok(Diverted::ToOperator));
        let sheet = desk.twin.borrow().sheets().remove(0);
        assert_eq!((sheet.place, sheet.inked.len()), (Place::Output, 0));
        assert_eq!(desk.count("inked"), 0);
    });
}

#[test]
fn a_form_that_lies_there_already_and_one_that_never_comes_are_not_fed() {
    run(|desk| async move {
        let mut printer = desk.open(operator()).await;
        let fault = PrintFault::NoMediaPresent;
        let fed = printer.feed(Duration::from_secs(5)).await;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
        desk.desk("insert");
        let fault = PrintFault::MediaRetained;
        assert_eq!(
            printer.feed(LONG).await,
            Err(FeedError::NothingFed { fault })
        );
        desk.desk("cover open");
        let fault = PrintFault::HardwareError;
        assert_eq!(
            printer.feed(LONG).await,
            Err(FeedError::NothingFed { fault })
        );
    });
}

#[test]
fn a_jam_at_the_eject_is_a_failure_with_ink_and_nothing_is_sent_again() {
    run(|desk| async move {
        let mut printer = desk.open(operator()).await;
        desk.feed(&mut printer).await;
        printer
            .operator_reads(number(FIRST), number(FIRST))
            .expect("the same twice");
        desk.desk("jam after 0");
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        let fault = PrintFault::HardwareError;
        assert_eq!(outcome, PrintOutcome::Failed { fault, ink: true });
        desk.desk("clear jam");
        desk.feed(&mut printer).await;
        desk.clock.sleep(LONG).await;
        let pages = desk.twin.borrow().pages();
        assert!(
            pages.get(1).is_some_and(Vec::is_empty),
            "no ink on the next"
        );
    });
}

#[test]
fn a_cable_pulled_in_the_middle_of_ink_leaves_a_doubt() {
    run(|desk| async move {
        let mut printer = desk.open(operator()).await;
        desk.feed(&mut printer).await;
        printer
            .operator_reads(number(FIRST), number(FIRST))
            .expect("the same twice");
        let (job, text) = (job(FIRST), approved());
        let pull = async {
            desk.clock.sleep(Duration::from_millis(700)).await;
            assert!(desk.bus.unplug(NAME));
        };
        let (outcome, ()) = tokio::join!(printer.print(&job, &text, LONG), pull);
        let why = PrintFault::NoDevice;
        assert_eq!(outcome, PrintOutcome::Unknown { why });
    });
}

#[test]
fn a_form_pulled_out_by_hand_before_the_ink_gets_none() {
    run(|desk| async move {
        let mut printer = desk.open(operator()).await;
        desk.feed(&mut printer).await;
        printer
            .operator_reads(number(FIRST), number(FIRST))
            .expect("the same twice");
        desk.desk("pull");
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::NoMediaPresent));
        assert_eq!(desk.count("inked"), 0);
    });
}

#[test]
fn a_clone_with_a_constant_port_is_accepted_at_best() {
    run_with(Escp2PrinterTwin::with_constant_port, |desk| async move {
        let blind = Escp2Settings {
            presence: Presence::Operator,
            ..operator()
        };
        let mut printer = desk.open(blind).await;
        let status = printer.status().await.expect("a status");
        assert_eq!(status.transport, Occupancy::Unknown);
        desk.desk("insert");
        printer.feed(LONG).await.expect("the operator says");
        printer
            .operator_reads(number(FIRST), number(FIRST))
            .expect("the same twice");
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        let PrintOutcome::Done { grade, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(grade, Grade::Accepted);
    });
}

#[test]
fn what_a_lost_handle_left_in_the_buffer_never_meets_the_next_form() {
    run(|desk| async move {
        // ESC * 39, 300 columns of graphics, and only 4 bytes of them.
        let lost = desk.bus.open_now(NAME).expect("plugged in");
        let half = [0x1b, b'*', 39, 0x2c, 0x01, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(lost.write(OUT, &half, LONG).await, Ok(half.len()));
        drop(lost);
        let mut printer = desk.open(operator()).await;
        desk.feed(&mut printer).await;
        printer
            .operator_reads(number(FIRST), number(FIRST))
            .expect("the same twice");
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        assert!(matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
        let page = desk.twin.borrow().pages().remove(0);
        assert!(page.starts_with(b"\x1b@"), "not behind the half picture");
    });
}

#[test]
fn a_printer_that_cannot_be_emptied_is_fed_no_numbered_form() {
    run_with(Escp2PrinterTwin::without_reset, |desk| async move {
        let mut printer = desk.open(operator()).await;
        let fault = PrintFault::NotEmptied;
        let refused = printer.feed(LONG).await;
        assert_eq!(refused, Err(FeedError::NothingFed { fault }));
    });
}

#[test]
fn a_printer_that_waits_for_the_command_is_told_to_take_the_form_in() {
    run_with(Escp2PrinterTwin::inserting_on_command, |desk| async move {
        let settings = Escp2Settings {
            insertion: Insertion::OnCommand,
            ..operator()
        };
        let mut printer = desk.open(settings).await;
        desk.desk("insert");
        printer.feed(LONG).await.expect("taken in");
        assert_eq!(desk.count("inserted"), 1);
    });
}

#[test]
fn wherever_the_cable_is_pulled_no_outcome_says_more_than_the_sheet() {
    let small = |twin: Escp2PrinterTwin| twin.with_buffer(64);
    for ms in (0..6_000).step_by(35) {
        run_with(small, |desk| async move {
            let mut printer = desk.open(operator()).await;
            desk.feed(&mut printer).await;
            printer
                .operator_reads(number(FIRST), number(FIRST))
                .expect("the same twice");
            let (job, text) = (job(FIRST), approved());
            let pull = async {
                desk.clock.sleep(Duration::from_millis(ms)).await;
                desk.bus.unplug(NAME);
            };
            let (outcome, ()) = tokio::join!(printer.print(&job, &text, LONG), pull);
            desk.clock.sleep(LONG).await;
            let sheet = desk.twin.borrow().sheets().remove(0);
            let struck = desk.bus.counter(NAME, "inked");
            match outcome {
                PrintOutcome::Done { .. } => {
                    assert_eq!(
                        (sheet.place, sheet.partial, struck),
                        (Place::Output, false, 1)
                    );
                }
                PrintOutcome::Failed { ink, .. } => assert!(ink || struck == 0, "at {ms} ms"),
                PrintOutcome::Unknown { .. } => {}
            }
        });
    }
}
