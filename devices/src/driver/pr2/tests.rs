//! The driver against its twin, in virtual time.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use counterfoil_data::bill::BillRange;

use super::*;
use crate::driver::sample::{FIRST, approved, job, no_ink, number};
use crate::system::TokioClock;
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::twin::form_printer::Place;
use crate::twin::pr2_printer::{NAME, Pr2PrinterTwin};

const LONG: Duration = Duration::from_secs(30);

struct Desk {
    bus: TwinBus,
    twin: Rc<RefCell<Pr2PrinterTwin>>,
    clock: SharedClock,
}

impl Desk {
    async fn open(&self, settings: Pr2Settings) -> Pr2Printer<TwinTransport> {
        let transport = self.bus.open_now(NAME).expect("plugged in");
        let opened = Pr2Printer::open(transport, self.clock.clone(), settings).await;
        opened.expect("opens")
    }

    fn desk(&self, line: &str) -> String {
        self.bus.desk(&format!("{NAME} {line}")).expect(line)
    }

    /// Fed by a hand, and its number read by the operator.
    async fn fed_and_read(&self, printer: &mut Pr2Printer<TwinTransport>) {
        let hand = async {
            self.clock.sleep(Duration::from_secs(1)).await;
            self.desk("insert");
        };
        let (fed, ()) = tokio::join!(printer.feed(LONG), hand);
        fed.expect("fed");
        let read = printer.operator_reads(number(FIRST), number(FIRST));
        assert_eq!(read, Ok(number(FIRST)));
    }

    fn sheet(&self, index: usize) -> (Place, Vec<String>, bool) {
        let sheet = self.twin.borrow().sheets().remove(index);
        (sheet.place, sheet.inked, sheet.partial)
    }
}

fn run<F: Future<Output = ()>>(test: impl FnOnce(Desk) -> F) {
    run_with(|twin| twin, test);
}

fn run_with<F: Future<Output = ()>>(
    variant: impl FnOnce(Pr2PrinterTwin) -> Pr2PrinterTwin,
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
        let twin = Rc::new(RefCell::new(variant(Pr2PrinterTwin::new(pile, None))));
        let bus = TwinBus::new(clock.clone());
        bus.plug(NAME, twin.clone());
        test(Desk { bus, twin, clock }).await;
    });
}

/// As they were learnt on this model.
fn settings() -> Pr2Settings {
    let text = "[status]\n0 = \"ready\"\n2 = \"jammed\"\n4 = \"cover-open\"\n8 = \"ribbon-out\"\n\
                [position]\n0 = \"absent\"\n1 = \"entry\"\n2 = \"inside\"";
    Pr2Settings {
        number: Readback::Operator,
        codes: toml::from_str(text).expect("lawful"),
        ..Pr2Settings::default()
    }
}

#[test]
fn a_form_is_taken_in_inked_and_its_leaving_is_answered_in_order() {
    run(|desk| async move {
        let mut printer = desk.open(settings()).await;
        desk.fed_and_read(&mut printer).await;
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        let PrintOutcome::Done { grade, evidence } = outcome else {
            panic!("{outcome:?}");
        };
        // ESC r 0, ESC B 5 0.
        assert_eq!(
            (grade, evidence.as_str()),
            (Grade::Ordered, "ordered: 1b72301b423530")
        );
        let (place, inked, partial) = desk.sheet(0);
        assert_eq!((place, partial), (Place::Output, false));
        for field in job(FIRST).fields.values() {
            assert!(inked.contains(field), "{field} in {inked:?}");
        }
        assert_eq!(desk.bus.counter(NAME, "unknown-commands"), 0);
        let again = printer.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(again, no_ink(PrintFault::SequenceInvalid), "once");
    });
}

#[test]
fn a_printer_that_answers_before_it_is_done_proves_less() {
    run_with(Pr2PrinterTwin::answering_at_once, |desk| async move {
        let mut printer = desk.open(settings()).await;
        desk.fed_and_read(&mut printer).await;
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        let PrintOutcome::Done { grade, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(grade, Grade::Status);
        assert_eq!(desk.sheet(0).0, Place::Output);
    });
}

#[test]
fn a_code_that_nobody_learnt_is_never_taken_for_good() {
    run(|desk| async move {
        let unlearnt = Pr2Settings {
            codes: Codes::default(),
            ..settings()
        };
        let mut printer = desk.open(unlearnt).await;
        assert_eq!(printer.raw_answers().await, Ok(('0', '5', '0')));
        let fault = PrintFault::UnknownAnswer;
        let fed = printer.feed(LONG).await;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
        let status = printer.status().await.expect("answers");
        assert_eq!(
            (status.fault, status.transport),
            (Some(fault), Occupancy::Unknown)
        );
    });
}

#[test]
fn without_an_operator_nothing_is_fed_and_another_number_gets_no_ink() {
    run(|desk| async move {
        let nobody = Pr2Settings {
            number: Readback::None,
            ..settings()
        };
        let mut printer = desk.open(nobody).await;
        let fault = PrintFault::NoReader;
        let fed = printer.feed(LONG).await;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
        drop(printer);
        let mut printer = desk.open(settings()).await;
        desk.fed_and_read(&mut printer).await;
        let other = job("3130112100000102");
        let outcome = printer.print(&other, &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::SequenceInvalid));
        assert_eq!(printer.divert(LONG).await, Ok(Diverted::ToOperator));
        assert_eq!(desk.sheet(0), (Place::Output, Vec::new(), false));
    });
}

#[test]
fn a_jam_at_the_eject_is_a_failure_with_ink() {
    run(|desk| async move {
        let mut printer = desk.open(settings()).await;
        desk.fed_and_read(&mut printer).await;
        desk.desk("jam after 0");
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        let fault = PrintFault::MediaJammed;
        assert_eq!(outcome, PrintOutcome::Failed { fault, ink: true });
        desk.desk("clear jam");
        assert_eq!(printer.divert(LONG).await, Ok(Diverted::NothingThere));
    });
}

#[test]
fn a_ribbon_that_ends_in_the_middle_is_a_doubt_and_nothing_goes_on_later() {
    run(|desk| async move {
        let mut printer = desk.open(settings()).await;
        desk.fed_and_read(&mut printer).await;
        let (job, text) = (job(FIRST), approved());
        let out = async {
            desk.clock.sleep(Duration::from_millis(300)).await;
            desk.desk("ribbon out");
        };
        let (outcome, ()) = tokio::join!(printer.print(&job, &text, LONG), out);
        let why = PrintFault::Timeout;
        assert_eq!(outcome, PrintOutcome::Unknown { why });
        let (_, before, _) = desk.sheet(0);
        desk.desk("ribbon ok");
        desk.clock.sleep(LONG).await;
        assert_eq!(desk.sheet(0).1, before, "what was queued is forgotten");
        let refused = printer.feed(LONG).await;
        let fault = PrintFault::NoDevice;
        assert_eq!(refused, Err(FeedError::NothingFed { fault }), "fenced");
    });
}

#[test]
fn a_document_that_lies_there_already_is_not_fed() {
    run(|desk| async move {
        let mut printer = desk.open(settings()).await;
        let fault = PrintFault::NoMediaPresent;
        let fed = printer.feed(Duration::from_secs(2)).await;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
        desk.desk("insert");
        let fault = PrintFault::MediaRetained;
        let fed = printer.feed(LONG).await;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
    });
}

#[test]
fn wherever_the_cable_is_pulled_no_outcome_says_more_than_the_sheet() {
    for ms in (0..6_000).step_by(35) {
        run(|desk| async move {
            let mut printer = desk.open(settings()).await;
            desk.fed_and_read(&mut printer).await;
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
