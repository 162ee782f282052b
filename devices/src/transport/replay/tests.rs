//! The ID reader's driver against a session that another program wrote.

use std::rc::Rc;

use jiff::Timestamp;

use super::clock::{ReplayClock, Stuck};
use super::*;
use crate::driver::sdt::IdReader;
use crate::transport::usbmon::file;
use crate::transport::usbmon::{Event, Kind};

const SESSION: &[u8] = include_bytes!("../../../tests/captures/id-reader-220.pcapng");
const MODULE: &str = "05.01-20200101-0001234567-0089012345";

/// What the driver said and how far the recording went, with some events changed.
fn replayed(change: impl FnOnce(&mut Vec<Event>)) -> (Result<String, String>, Played, Duration) {
    let mut capture = file::read(SESSION).expect("a capture file");
    change(&mut capture.events);
    let clock = ReplayClock::starting_at(Timestamp::UNIX_EPOCH);
    let shared: SharedClock = Rc::new(clock.clone());
    let entropy = Rc::new(RecordedEntropy::default());
    let bus = ReplayBus::new(Recording::of(&capture), &shared, entropy);
    let work = async {
        let usb = bus.open("1.7").await.map_err(|e| e.to_string())?;
        let reader = IdReader::open(usb, shared.clone()).await;
        let reader = reader.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error}: {}", cause.unwrap_or_default())
        })?;
        Ok(reader.sam_id().to_string())
    };
    let said = clock.run(work).expect("ends");
    let played = bus.played("1.7").expect("is described");
    (said, played, shared.monotonic())
}

#[test]
fn a_session_that_another_program_wrote_is_played_to_its_end() {
    let (said, played, _) = replayed(|_| {});
    assert_eq!(said.as_deref(), Ok(MODULE));
    assert_eq!((played.made, played.acts, played.passed), (4, 4, 0));
    assert_eq!(played.difference, None);
}

#[test]
fn a_byte_sent_that_was_not_recorded_is_named_with_packet_place_and_both_bytes() {
    let (said, played, _) = replayed(|events| events[16].data[8] = 0xfe);
    let named = played.difference.expect("differs").to_string();
    assert_eq!(
        named,
        "transfer 17: byte 8 of OUT 02 differs: the recording has fe ee, the driver sent ff ee"
    );
    assert!(said.expect_err("refused").contains(&named));
}

#[test]
fn an_answer_cut_by_the_capturing_program_is_named_and_never_guessed() {
    let (said, played, _) = replayed(|events| events[19].data.truncate(20));
    let named = played.difference.expect("is in part").to_string();
    assert!(named.starts_with("transfer 20 is in the recording only in part, 20 of 27"));
    assert!(said.is_err());
}

#[test]
fn a_driver_that_sends_more_than_was_recorded_is_told_so() {
    let (said, played, _) = replayed(|events| events.truncate(16));
    let named = played.difference.expect("is over").to_string();
    assert!(named.starts_with("the recording is over, and the driver sent OUT 02: aa aa aa"));
    assert!(said.is_err());
}

#[test]
fn requests_of_a_kernel_driver_before_the_first_act_are_passed_over_but_no_write_is() {
    let asked = |kind, event: &Event| Event {
        kind,
        pipe: crate::transport::usbmon::Pipe::Control,
        endpoint: 0x80,
        id: 1,
        setup: (kind == Kind::Submit).then_some([0xA1, 0, 0, 0, 0, 0, 2, 0]),
        length: 2,
        data: Vec::new(),
        ..event.clone()
    };
    let (said, played, _) = replayed(|events| {
        let both = [Kind::Submit, Kind::Complete].map(|kind| asked(kind, &events[8]));
        events.splice(8..8, both);
    });
    assert_eq!(said.as_deref(), Ok(MODULE));
    assert_eq!((played.made, played.passed), (5, 1));
    let (said, _, _) = replayed(|events| {
        let mut write = events[8].clone();
        write.data[7] = 0x99;
        events.insert(8, write);
    });
    assert!(said.is_err());
}

#[test]
fn a_device_answers_as_late_as_it_did() {
    let later = |events: &mut Vec<Event>| {
        for event in events.iter_mut().skip(11) {
            event.at += Duration::from_millis(300);
        }
    };
    let (said, _, quick) = replayed(|_| {});
    let (slow, _, took) = replayed(later);
    assert_eq!(said, slow);
    let more = took.saturating_sub(quick);
    assert_eq!(more, Duration::from_millis(300));
}

#[test]
fn a_recording_that_never_ends_a_wait_ends_the_run() {
    let clock = ReplayClock::starting_at(Timestamp::UNIX_EPOCH);
    let stuck = clock.run(std::future::pending::<()>());
    assert_eq!(stuck, Err(Stuck));
}
