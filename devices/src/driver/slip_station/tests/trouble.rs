//! Hands, jams and cables: nothing is called printed, or blank, that is not.

use std::cell::Cell;

use super::*;
use crate::transport::{Setup, Stage, Transfer, UsbError};

/// Prints while the desk does `line`, so many milliseconds after the beginning.
async fn print_and(
    desk: &Desk,
    station: &mut SlipStation<TwinTransport>,
    ms: u64,
    line: &str,
) -> PrintOutcome {
    let (job, text) = (job(FIRST), approved());
    let act = async {
        desk.clock.sleep(Duration::from_millis(ms)).await;
        desk.desk(line);
    };
    let (outcome, ()) = tokio::join!(station.print(&job, &text, LONG), act);
    outcome
}

#[test]
fn a_form_pulled_out_after_it_was_read_gets_no_ink_nor_does_one_in_its_place() {
    for acts in [&["pull"][..], &["pull", "insert"]] {
        run(|desk| async move {
            let mut station = desk.open(settings()).await;
            desk.fed_and_read(&mut station, FIRST).await;
            for act in acts {
                desk.desk(act);
                desk.clock.sleep(Duration::from_secs(2)).await;
            }
            let outcome = station.print(&job(FIRST), &approved(), LONG).await;
            assert_eq!(outcome, no_ink(PrintFault::NoMediaPresent));
            desk.clock.sleep(LONG).await;
            assert_eq!((desk.count("lines"), desk.count("rolled")), (0, 0));
        });
    }
}

#[test]
fn a_form_that_was_gone_for_a_moment_is_another_one() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        desk.fed_and_read(&mut station, FIRST).await;
        // A relative draws in what is put in its place: 60 02, then 00 00.
        desk.desk("stale 82 1000600210000000");
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::NoMediaPresent));
        assert_eq!(desk.count("lines"), 0);
    });
}

#[test]
fn a_status_that_dle_eot_5_contradicts_feeds_nothing() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        let bent = async {
            desk.clock.sleep(Duration::from_secs(1)).await;
            desk.desk("stale 82 10000000");
        };
        let (fed, ()) = tokio::join!(station.feed(Duration::from_secs(5)), bent);
        let told = fed.map_err(FeedError::may_have_moved);
        assert_eq!(told, Err(true), "nobody knows");
        let read = station.operator_reads(number(FIRST), number(FIRST));
        assert!(read.is_err(), "{read:?}");
    });
}

#[test]
fn a_form_pulled_out_in_mid_print_ends_it_and_nothing_goes_to_the_roll() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        desk.fed_and_read(&mut station, FIRST).await;
        let outcome = print_and(&desk, &mut station, 500, "pull").await;
        let fault = PrintFault::NoMediaPresent;
        assert_eq!(outcome, PrintOutcome::Failed { fault, ink: true });
        let (place, _, partial) = desk.sheet(0);
        assert_eq!((place, partial), (Place::Taken, true));
        desk.clock.sleep(LONG).await;
        assert_eq!((desk.count("lines"), desk.count("rolled")), (0, 0));
    });
}

#[test]
fn a_jam_is_a_failure_with_ink_and_after_it_is_cleared_the_next_form_is_whole() {
    for (ms, act) in [(500, "jam now"), (500, "jam after 0"), (500, "cover open")] {
        run(|desk| async move {
            let mut station = desk.open(settings()).await;
            desk.fed_and_read(&mut station, FIRST).await;
            let outcome = print_and(&desk, &mut station, ms, act).await;
            let fault = match act {
                "cover open" => PrintFault::CoverOpen,
                _ => PrintFault::MediaJammed,
            };
            assert_eq!(outcome, PrintOutcome::Failed { fault, ink: true }, "{act}");
            assert_eq!(station.divert(LONG).await, Err(fault), "{act}");
            desk.desk("cover close");
            desk.desk("clear jam");
            // The error is one until DLE ENQ 2.
            let status = station.status().await.expect("status");
            assert!(status.jam, "{act}");
            assert_eq!(station.divert(LONG).await, Ok(Diverted::NothingThere));
            desk.fed_and_read(&mut station, SECOND).await;
            let outcome = station.print(&job(SECOND), &approved(), LONG).await;
            assert!(matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
            let (_, inked, _) = desk.sheet(1);
            let fields = job(SECOND).fields.len();
            assert_eq!(inked.len(), fields, "{inked:?}");
            assert_eq!((desk.count("retried"), desk.count("rolled")), (0, 0));
        });
    }
}

#[test]
fn a_cover_opened_while_it_waits_feeds_nothing() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        let open = async {
            desk.clock.sleep(Duration::from_secs(1)).await;
            desk.desk("cover open");
        };
        let (fed, ()) = tokio::join!(station.feed(LONG), open);
        let fault = PrintFault::CoverOpen;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
    });
}

#[test]
fn a_form_that_jams_on_its_way_in_may_have_moved() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        let jam = async {
            desk.clock.sleep(Duration::from_secs(1)).await;
            desk.desk("insert");
            desk.clock.sleep(Duration::from_millis(700)).await;
            desk.desk("jam now");
        };
        let (fed, ()) = tokio::join!(station.feed(LONG), jam);
        let fault = PrintFault::MediaJammed;
        assert_eq!(fed, Err(FeedError::MayHaveMoved { fault }));
    });
}

/// Between a driver's last look and its word, a sheet can come in that no driver can know
/// of. So this is what "nothing fed" must mean: what lay there a moment before was seen;
/// the printer waits no longer and has drawn nothing in, nor does it later; and what came
/// in the meantime is told, and refused by the next feed, before anything is inked.
#[test]
fn when_a_wait_ended_without_a_sheet_one_that_comes_then_is_not_drawn_in_and_noticed() {
    // The last look of this wait falls into the second range.
    for ms in (4_400..5_300).step_by(25).chain(5_060..5_090) {
        run(|desk| async move {
            let mut station = desk.open(settings()).await;
            let began = desk.clock.monotonic();
            let hand = async {
                desk.clock.sleep(Duration::from_millis(ms)).await;
                desk.desk("insert");
            };
            let feed = async {
                let fed = station.feed(Duration::from_secs(5)).await;
                let (_, _, now) = station.raw_sensors().await.expect("answers");
                (fed, now, desk.clock.monotonic().saturating_sub(began))
            };
            let ((fed, now, ended), ()) = tokio::join!(feed, hand);
            // Bit 3: a slip is waited for.
            assert_eq!(now & 0x08, 0, "still waiting, at {ms} ms");
            let Err(error) = fed else { return };
            desk.clock.sleep(LONG).await;
            let (third, fourth, _) = station.raw_sensors().await.expect("answers");
            if !error.may_have_moved() {
                let there = ended.saturating_sub(Duration::from_millis(ms));
                let missed = there > Duration::from_millis(5);
                assert!(!missed, "called not fed, at {ms} ms: {there:?} before");
                // At the entry, with the roll selected.
                assert_eq!((third, fourth), (0x40, 0x03), "drawn in, at {ms} ms");
            }
            let status = station.status().await.expect("status");
            assert_eq!(status.transport, Occupancy::Occupied, "at {ms} ms");
            let again = station.feed(LONG).await;
            let fault = PrintFault::MediaRetained;
            assert_eq!(again, Err(FeedError::NothingFed { fault }), "at {ms} ms");
            let outcome = station.print(&job(FIRST), &approved(), LONG).await;
            assert_eq!(outcome, no_ink(PrintFault::SequenceInvalid));
            assert_eq!((desk.count("lines"), desk.count("rolled")), (0, 0));
        });
    }
}

#[test]
fn a_form_that_was_held_to_the_entry_may_have_moved_though_none_lies_there() {
    run(|desk| async move {
        let mut station = desk.open(settings()).await;
        let hand = async {
            for (ms, act) in [(1_000, "insert"), (200, "pull")] {
                desk.clock.sleep(Duration::from_millis(ms)).await;
                desk.desk(act);
            }
        };
        let (fed, ()) = tokio::join!(station.feed(Duration::from_secs(5)), hand);
        let fault = PrintFault::NoMediaPresent;
        assert_eq!(fed, Err(FeedError::MayHaveMoved { fault }));
        assert_eq!(station.raw_sensors().await, Ok((0x60, 0x03, 0x76)));
    });
}

#[test]
fn a_cover_opened_in_mid_print_ends_it_and_its_closing_prints_nothing_more() {
    let between_lines = &Cell::new(0);
    for ms in 500..800 {
        run(|desk| async move {
            let mut station = desk.open(settings()).await;
            desk.fed_and_read(&mut station, FIRST).await;
            let outcome = print_and(&desk, &mut station, ms, "cover open").await;
            let fault = PrintFault::CoverOpen;
            assert_eq!(outcome, PrintOutcome::Failed { fault, ink: true });
            let lines = desk.count("lines");
            desk.desk("cover close");
            desk.clock.sleep(LONG).await;
            assert_eq!(desk.count("lines"), lines, "at {ms} ms");
            let jammed = station.status().await.expect("status").jam;
            between_lines.set(between_lines.get() + u32::from(!jammed));
        });
    }
    assert!(
        between_lines.get() > 0,
        "it was never opened between two lines"
    );
}

/// A cable that, once, loses the end of a line and the question behind it.
struct Losing {
    inner: TwinTransport,
    armed: Cell<bool>,
}

impl Transport for Losing {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }

    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        self.inner.control(setup, stage, within).await
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        // ESC J 0, GS r 1.
        let Some(front) = bytes.strip_suffix(&[0x1B, 0x4A, 0, 0x1D, 0x72, 1]) else {
            return self.inner.write(endpoint, bytes, within).await;
        };
        if !self.armed.take() {
            return self.inner.write(endpoint, bytes, within).await;
        }
        let taken = self.inner.write(endpoint, front, within).await?;
        assert_eq!(taken, front.len());
        Ok(bytes.len())
    }

    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        self.inner.read(endpoint, max, within).await
    }

    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        self.inner.stop_in(endpoint).await
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        self.inner.clear_halt(endpoint).await
    }

    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError> {
        self.inner.set_alternate(interface, alternate).await
    }
}

#[test]
fn half_a_line_that_a_failed_print_left_is_not_printed_on_the_way_out() {
    run(|desk| async move {
        let inner = desk.bus.open_now(NAME).expect("plugged in");
        let armed = Cell::new(true);
        let losing = Losing { inner, armed };
        let opened = SlipStation::open(losing, desk.clock.clone(), settings()).await;
        let mut station = opened.expect("opens");
        desk.fed_and_read(&mut station, FIRST).await;
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        let unknown = matches!(outcome, PrintOutcome::Unknown { .. });
        assert!(unknown, "{outcome:?}");
        assert_eq!(station.divert(LONG).await, Ok(Diverted::ToOperator));
        assert_eq!(desk.sheet(0), (Place::Output, Vec::new(), false));
        assert_eq!(desk.count("lines"), 0);
    });
}

#[test]
fn wherever_the_cable_is_pulled_no_outcome_says_more_than_the_sheet() {
    for ms in (0..4_000).step_by(35) {
        run(|desk| async move {
            let mut station = desk.open(settings()).await;
            desk.fed_and_read(&mut station, FIRST).await;
            let (job, text) = (job(FIRST), approved());
            let pull = async {
                desk.clock.sleep(Duration::from_millis(ms)).await;
                desk.bus.unplug(NAME);
            };
            let (outcome, ()) = tokio::join!(station.print(&job, &text, LONG), pull);
            desk.clock.sleep(LONG).await;
            let (place, _, partial) = desk.sheet(0);
            let inked = desk.count("inked");
            match outcome {
                PrintOutcome::Done { .. } => {
                    assert_eq!((place, partial, inked), (Place::Output, false, 1));
                }
                PrintOutcome::Failed { ink, .. } => assert!(ink || inked == 0, "at {ms} ms"),
                PrintOutcome::Unknown { .. } => {}
            }
            assert_eq!(desk.count("rolled"), 0, "at {ms} ms");
        });
    }
}
