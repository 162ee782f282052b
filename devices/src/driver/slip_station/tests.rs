//! The driver against its twin, in virtual time.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use counterfoil_data::bill::BillRange;

use super::*;
use crate::driver::form_printer::{FeedError, PrintOutcome};
use crate::driver::sample::{FIRST, approved, job, no_ink, number};
use crate::system::TokioClock;
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::twin::form_printer::Place;
use crate::twin::printer_class::OUT;
use crate::twin::slip_station::{NAME, Sensors, SlipStationTwin};

mod reader;
mod trouble;

const LONG: Duration = Duration::from_secs(30);
const SECOND: &str = "3130112100000102";

struct Desk {
    bus: TwinBus,
    twin: Rc<RefCell<SlipStationTwin>>,
    clock: SharedClock,
}

impl Desk {
    async fn open(&self, settings: SlipSettings) -> SlipStation<TwinTransport> {
        let transport = self.bus.open_now(NAME).expect("plugged in");
        let opened = SlipStation::open(transport, self.clock.clone(), settings).await;
        opened.expect("opens")
    }

    fn desk(&self, line: &str) -> String {
        self.bus.desk(&format!("{NAME} {line}")).expect(line)
    }

    fn count(&self, counter: &str) -> u64 {
        self.bus.counter(NAME, counter)
    }

    /// Bytes of the manuals from an earlier handle, which is lost right after.
    async fn lost_handle(&self, hex: &str) {
        let transport = self.bus.open_now(NAME).expect("plugged in");
        let bytes = counterfoil_data::wire::unhex(&hex.replace(' ', "")).expect("hex");
        let sent = transport.write(OUT, &bytes, LONG);
        assert_eq!(sent.await, Ok(bytes.len()));
    }

    /// Fed by a hand.
    async fn fed<T: Transport>(&self, station: &mut SlipStation<T>) {
        let hand = async {
            self.clock.sleep(Duration::from_secs(1)).await;
            self.desk("insert");
        };
        let (fed, ()) = tokio::join!(station.feed(LONG), hand);
        fed.expect("fed");
    }

    /// And its number read by the operator.
    async fn fed_and_read<T: Transport>(&self, station: &mut SlipStation<T>, at: &str) {
        self.fed(station).await;
        let read = station.operator_reads(number(at), number(at));
        assert_eq!(read, Ok(number(at)));
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
    variant: impl FnOnce(SlipStationTwin) -> SlipStationTwin,
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
        let twin = Rc::new(RefCell::new(variant(SlipStationTwin::new(pile, None))));
        let bus = TwinBus::new(clock.clone());
        bus.plug(NAME, twin.clone());
        test(Desk { bus, twin, clock }).await;
    });
}

fn settings() -> SlipSettings {
    SlipSettings {
        number: Readback::Operator,
        ..SlipSettings::default()
    }
}

#[test]
fn a_form_is_drawn_in_inked_line_by_line_and_seen_taken() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        desk.fed_and_read(&mut station, FIRST).await;
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        let lines = usize::try_from(desk.count("lines")).expect("few");
        // Loaded is 00 00; each line's GS r 1 is 00; out is 20 02.
        let evidence = format!("ordered: 10000000{}10002002", "00".repeat(lines));
        let grade = Grade::Ordered;
        assert_eq!(outcome, PrintOutcome::Done { grade, evidence });
        assert!(lines >= 4, "{lines} lines");
        let (place, inked, partial) = desk.sheet(0);
        assert_eq!((place, partial), (Place::Output, false));
        for field in job(FIRST).fields.values() {
            assert!(inked.contains(field), "{field} in {inked:?}");
        }
        let counts = ["unknown-commands", "rolled", "retried"].map(|name| desk.count(name));
        assert_eq!(counts, [0, 0, 0]);
        let again = station.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(again, no_ink(PrintFault::SequenceInvalid), "once");
        assert_eq!(station.present(), Ok(()));
        let soon = Duration::from_secs(2);
        assert_eq!(station.wait_taken(soon).await, Ok(Taking::StillThere));
        let next = station.feed(soon).await;
        let fault = PrintFault::MediaRetained;
        assert_eq!(next, Err(FeedError::NothingFed { fault }), "it lies there");
    });
}

#[test]
fn a_form_at_the_mouth_is_taken_once() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        desk.fed_and_read(&mut station, FIRST).await;
        station.print(&job(FIRST), &approved(), LONG).await;
        let status = station.status().await.expect("status");
        assert_eq!(
            (status.transport, status.output),
            (Occupancy::Empty, Occupancy::Occupied)
        );
        desk.desk("take");
        assert_eq!(station.wait_taken(LONG).await, Ok(Taking::Taken));
        let fault = PrintFault::NoMediaPresent;
        assert_eq!(station.wait_taken(LONG).await, Err(fault));
        let status = station.status().await.expect("status");
        assert_eq!(status.output, Occupancy::Empty);
        desk.fed_and_read(&mut station, SECOND).await;
    });
}

#[test]
fn every_model_s_sensors_show_a_form_coming_and_going() {
    for (sensors, model) in [
        (Sensors::EntryFirst, SlipModel::TmU950),
        (Sensors::ExitFirst, SlipModel::TmU295),
        (Sensors::One, SlipModel::TmU375),
    ] {
        run_with(
            |twin| twin.with_sensors(sensors),
            |desk| async move {
                let model = SlipSettings {
                    model,
                    ..settings()
                };
                let mut station = desk.open(model).await;
                desk.fed_and_read(&mut station, FIRST).await;
                let status = station.status().await.expect("status");
                assert_eq!(status.transport, Occupancy::Occupied);
                // With one sensor, only a form that was taken is surely out.
                let hand = async {
                    desk.clock.sleep(Duration::from_secs(10)).await;
                    desk.desk("take");
                };
                let (job, text) = (job(FIRST), approved());
                let (outcome, ()) = tokio::join!(station.print(&job, &text, LONG), hand);
                assert!(matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
                assert_eq!(station.wait_taken(LONG).await, Ok(Taking::Taken));
                assert_eq!(desk.sheet(0).0, Place::Taken);
            },
        );
    }
}

#[test]
fn with_one_sensor_a_form_that_nobody_takes_is_a_doubt() {
    run_with(
        |twin| twin.with_sensors(Sensors::One),
        |desk| async move {
            let model = SlipModel::TmU375;
            let one = SlipSettings {
                model,
                ..settings()
            };
            let mut station = desk.open(one).await;
            desk.fed_and_read(&mut station, FIRST).await;
            let outcome = station.print(&job(FIRST), &approved(), LONG).await;
            let why = PrintFault::MediaRetained;
            assert_eq!(outcome, PrintOutcome::Unknown { why });
        },
    );
}

#[test]
fn where_nobody_comes_nothing_is_fed_and_the_wait_is_over() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        let fed = station.feed(Duration::from_secs(5)).await;
        let fault = PrintFault::NoMediaPresent;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
        // 76: the roll is selected, both sensors see nothing.
        assert_eq!(station.raw_sensors().await, Ok((0x60, 0x03, 0x76)));
        desk.desk("insert");
        desk.clock.sleep(LONG).await;
        let (third, fourth, _) = station.raw_sensors().await.expect("answers");
        assert_eq!((third, fourth), (0x40, 0x03), "at the entry, not drawn in");
        let fault = PrintFault::MediaRetained;
        let fed = station.feed(LONG).await;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
        assert_eq!(station.divert(LONG).await, Ok(Diverted::ToOperator));
        assert_eq!(desk.sheet(0), (Place::Output, Vec::new(), false));
    });
}

#[test]
fn without_an_operator_nothing_is_fed_and_another_number_gets_no_ink() {
    run(|desk| async move {
        let mut station = desk.open(SlipSettings::default()).await;
        let fault = PrintFault::NoReader;
        let fed = station.feed(LONG).await;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
        drop(station);
        let mut station = desk.open(settings()).await;
        desk.fed_and_read(&mut station, FIRST).await;
        let outcome = station.print(&job(SECOND), &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::SequenceInvalid));
        assert_eq!(station.divert(LONG).await, Ok(Diverted::ToOperator));
        assert_eq!(desk.sheet(0), (Place::Output, Vec::new(), false));
        assert_eq!(desk.count("lines"), 0);
        // It is not presented, but whether it was taken is told.
        assert_eq!(station.present(), Err(PrintFault::NoMediaPresent));
        let soon = Duration::from_secs(2);
        assert_eq!(station.wait_taken(soon).await, Ok(Taking::StillThere));
        desk.desk("take");
        assert_eq!(station.wait_taken(LONG).await, Ok(Taking::Taken));
    });
}

#[test]
fn a_wait_that_an_earlier_handle_began_ends_and_what_is_behind_it_is_never_printed() {
    run(|desk| async move {
        // ESC f 0 5: for ever; ESC c 0 4; a line; FF.
        desk.lost_handle("1b660005 1b633004 53504f494c 0a 0c").await;
        let mut station = desk.open(settings()).await;
        assert_eq!(station.raw_sensors().await, Ok((0x60, 0x03, 0x76)));
        desk.fed_and_read(&mut station, FIRST).await;
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        assert!(matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
        let (_, inked, _) = desk.sheet(0);
        assert!(!inked.contains(&"SPOIL".to_owned()), "{inked:?}");
        assert_eq!((desk.count("rolled"), desk.count("retried")), (0, 0));
    });
}

#[test]
fn a_form_that_an_earlier_handle_left_is_only_ejected() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        desk.fed_and_read(&mut station, FIRST).await;
        drop(station);
        let mut station = desk.open(settings()).await;
        let status = station.status().await.expect("status");
        assert_eq!(status.transport, Occupancy::Occupied);
        // Still a slip, and printable: no ESC @ came over a sheet.
        assert_eq!(station.raw_sensors().await, Ok((0x00, 0x00, 0x12)));
        let refused = station.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(refused, no_ink(PrintFault::SequenceInvalid));
        assert_eq!(station.divert(LONG).await, Ok(Diverted::ToOperator));
        desk.desk("take");
        assert_eq!(station.divert(LONG).await, Ok(Diverted::NothingThere));
        assert_eq!(desk.count("inked"), 0);
    });
}

#[test]
fn a_ribbon_that_is_used_up_is_told_by_no_sensor() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        desk.fed_and_read(&mut station, FIRST).await;
        desk.desk("ribbon out");
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        let PrintOutcome::Done { grade, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(grade, Grade::Ordered, "no more than that");
        assert_eq!(desk.sheet(0), (Place::Output, Vec::new(), false));
    });
}

#[test]
fn near_end_and_end_of_the_roll_are_nothing_to_a_slip() {
    let loaded = |third| Asb([0x10, 0, third, 0x00]);
    assert_eq!(fault_of(loaded(0x0F)), None);
    // Off-line without a roll while the roll is selected: nothing is obeyed.
    let no_roll = Asb([0x18, 0, 0x6F, 0x03]);
    assert_eq!(fault_of(no_roll), Some(PrintFault::PaperOut));
    // Off-line while it waits for a hand is how some wait.
    assert_eq!(fault_of(Asb([0x18, 0, 0x60, 0x02])), None);
    assert_eq!(
        fault_of(Asb([0x18, 0, 0x00, 0x00])),
        Some(PrintFault::Offline)
    );
    assert_eq!(
        fault_of(Asb([0x38, 0, 0x60, 0x02])),
        Some(PrintFault::CoverOpen)
    );
    assert_eq!(
        fault_of(Asb([0x18, 4, 0x00, 0x02])),
        Some(PrintFault::MediaJammed)
    );
    assert_eq!(
        fault_of(Asb([0x18, 8, 0x60, 0x03])),
        Some(PrintFault::CutterFail)
    );
}
