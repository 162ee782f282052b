//! The magnetic reader: it takes the form itself, and the same form is printed.

use super::*;

fn by_reader() -> SlipSettings {
    SlipSettings {
        number: Readback::Micr,
        ..SlipSettings::default()
    }
}

#[test]
fn a_number_is_read_twice_and_the_same_form_is_printed() {
    run(|desk| async move {
        let mut station = desk.open(by_reader()).await;
        desk.fed(&mut station).await;
        assert_eq!(station.read_number(LONG).await, Ok(number(FIRST)));
        assert_eq!(desk.count("reads"), 2);
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        assert!(matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
        let (place, inked, partial) = desk.sheet(0);
        assert_eq!((place, partial), (Place::Output, false));
        assert_eq!(inked.len(), job(FIRST).fields.len());
        assert_eq!(
            (desk.count("unknown-commands"), desk.count("rolled")),
            (0, 0)
        );
    });
}

#[test]
fn another_number_is_never_inked_and_comes_out() {
    run(|desk| async move {
        desk.desk("wrong number next 1020112112345678");
        let mut station = desk.open(by_reader()).await;
        desk.fed(&mut station).await;
        let read = station.read_number(LONG).await;
        assert_eq!(read, Ok(number("1020112112345678")));
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::SequenceInvalid));
        assert_eq!(station.divert(LONG).await, Ok(Diverted::ToOperator));
        assert_eq!(desk.sheet(0), (Place::Output, Vec::new(), false));
    });
}

#[test]
fn an_unreadable_number_is_tried_three_times_and_an_operator_cannot_overrule_it() {
    run(|desk| async move {
        desk.desk("unreadable next");
        let mut station = desk.open(by_reader()).await;
        desk.fed(&mut station).await;
        let unreadable = Err(ReadError::Unreadable { detail: 0x46 });
        assert_eq!(station.read_number(LONG).await, unreadable);
        assert_eq!(desk.count("reads"), 3);
        let typed = station.operator_reads(number(FIRST), number(FIRST));
        let fault = PrintFault::Unsupported;
        assert_eq!(typed, Err(ReadError::Printer { fault }));
        assert_eq!(station.divert(LONG).await, Ok(Diverted::ToOperator));
        assert_eq!(desk.count("inked"), 0);
    });
}

#[test]
fn where_nobody_comes_the_reader_stops_waiting() {
    run(|desk| async move {
        let mut station = desk.open(by_reader()).await;
        let fed = station.feed(Duration::from_secs(5)).await;
        let fault = PrintFault::NoMediaPresent;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
        desk.desk("insert");
        desk.clock.sleep(LONG).await;
        assert_eq!(station.raw_sensors().await, Ok((0x40, 0x03, 0x56)));
        assert_eq!(desk.count("reads"), 0);
    });
}

#[test]
fn a_reader_that_an_earlier_handle_left_waiting_is_stopped() {
    run(|desk| async move {
        // ESC f 0 5: for ever; FS a 0 0.
        desk.lost_handle("1b660005 1c613000").await;
        let mut station = desk.open(by_reader()).await;
        desk.fed(&mut station).await;
        assert_eq!(station.read_number(LONG).await, Ok(number(FIRST)));
        drop(station);
        // What it holds, another handle only ejects.
        let mut station = desk.open(by_reader()).await;
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::SequenceInvalid));
        assert_eq!(station.divert(LONG).await, Ok(Diverted::ToOperator));
        assert_eq!(desk.sheet(0).0, Place::Output);
    });
}

#[test]
fn a_form_pulled_out_before_it_is_read_is_none() {
    run(|desk| async move {
        let mut station = desk.open(by_reader()).await;
        desk.fed(&mut station).await;
        desk.desk("pull");
        let read = station.read_number(Duration::from_secs(5)).await;
        assert!(read.is_err(), "{read:?}");
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::SequenceInvalid));
        assert_eq!(desk.count("lines"), 0);
    });
}

#[test]
fn a_form_that_was_gone_for_a_moment_while_it_was_read_has_no_number() {
    run(|desk| async move {
        let mut station = desk.open(by_reader()).await;
        desk.fed(&mut station).await;
        // Both readings agree, but 60 03 came between them: of one form, or of two.
        desk.desk("stale 82 1000600310000003");
        let read = station.read_number(LONG).await;
        let fault = PrintFault::NoMediaPresent;
        assert_eq!(read, Err(ReadError::Printer { fault }));
        assert_eq!(desk.count("reads"), 2);
        let outcome = station.print(&job(FIRST), &approved(), LONG).await;
        assert_eq!(outcome, no_ink(PrintFault::SequenceInvalid));
        assert_eq!(station.divert(LONG).await, Ok(Diverted::ToOperator));
        assert_eq!(desk.sheet(0), (Place::Output, Vec::new(), false));
    });
}

#[test]
fn a_model_without_a_reader_feeds_nothing_for_one() {
    run(|desk| async move {
        let none = SlipSettings {
            model: SlipModel::TmU375,
            ..by_reader()
        };
        let mut station = desk.open(none).await;
        let fault = PrintFault::NoReader;
        let fed = station.feed(LONG).await;
        assert_eq!(fed, Err(FeedError::NothingFed { fault }));
    });
}
