//! The faults of a cable, over a twin that gives back what it got after 250 ms.

use std::time::Duration;

use counterfoil_data::seam::Clock as _;

use crate::transport::twin_bus::tests::run_with_room;
use crate::transport::{Bus as _, Transport as _, UsbError};

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_cable_that_goes_after_three_bytes_out_lets_three_through_and_then_nothing() {
    run_with_room(100, |bus, _| async move {
        bus.desk("echo unplug after 3 bytes out").expect("known");
        let usb = bus.open("echo").await.expect("opens");
        let gone = Err(UsbError::NoDevice);
        assert_eq!(usb.write(0x01, b"abcdef", 20 * MS).await, gone);
        assert_eq!(bus.look(), [("echo".to_owned(), held(3))]);
        bus.desk("echo replug").expect("was out");
        let usb = bus.open("echo").await.expect("opens");
        assert_eq!(usb.write(0x01, b"abcdef", 20 * MS).await, Ok(6), "once");
    });
}

/// What the unplugged echo shows.
fn held(count: u64) -> Vec<String> {
    vec!["unplugged".to_owned(), format!("holds {count}")]
}

#[test]
fn a_cable_counts_bytes_in_when_it_is_told_to_and_both_ways_else() {
    run_with_room(100, |bus, _| async move {
        bus.desk("echo unplug after 3 bytes in").expect("known");
        let usb = bus.open("echo").await.expect("opens");
        assert_eq!(usb.write(0x01, b"abcd", 20 * MS).await, Ok(4));
        let gone = Err(UsbError::NoDevice);
        assert_eq!(usb.read(0x82, 64, 500 * MS).await.map(|t| t.bytes), gone);
        bus.desk("echo replug").expect("was out");
        bus.desk("echo unplug after 6 bytes").expect("known");
        let usb = bus.open("echo").await.expect("opens");
        assert_eq!(usb.write(0x01, b"abcd", 20 * MS).await, Ok(4));
        assert_eq!(usb.read(0x82, 64, 500 * MS).await.map(|t| t.bytes), gone);
    });
}

#[test]
fn late_answers_come_that_much_later_and_are_lost_with_the_host() {
    run_with_room(100, |bus, clock| async move {
        bus.desk("echo late 1000").expect("known");
        let usb = bus.open("echo").await.expect("opens");
        let began = clock.monotonic();
        assert_eq!(usb.write(0x01, b"abc", 20 * MS).await, Ok(3));
        let got = usb.read(0x82, 64, 5000 * MS).await.expect("reads");
        assert_eq!(got.bytes, b"abc");
        assert_eq!(clock.monotonic() - began, 1250 * MS);
        assert_eq!(usb.write(0x01, b"def", 20 * MS).await, Ok(3));
        assert_eq!(usb.read(0x82, 64, 500 * MS).await, Err(UsbError::Timeout));
        drop(usb);
        bus.desk("echo late 0").expect("known");
        let usb = bus.open("echo").await.expect("opens");
        assert_eq!(usb.read(0x82, 64, 2000 * MS).await, Err(UsbError::Timeout));
    });
}

#[test]
fn bytes_left_in_the_pipe_are_there_for_who_opens_next() {
    run_with_room(100, |bus, _| async move {
        let said = bus.desk("echo stale 1b72").expect("known");
        assert!(said.contains("2 bytes") && said.contains("82"), "{said}");
        bus.desk("echo stale 82 30").expect("known");
        let usb = bus.open("echo").await.expect("opens");
        let got = usb.read(0x82, 64, 20 * MS).await.expect("reads");
        assert_eq!(got.bytes, [0x1B, 0x72, 0x30]);
        for bad in ["stale 1b7", "stale 02 1b72", "stale xy 1b72", "stale"] {
            assert!(bus.desk(&format!("echo {bad}")).is_err(), "{bad}");
        }
    });
}

#[test]
fn short_transfers_and_zero_length_ones_lose_nothing() {
    run_with_room(100, |bus, _| async move {
        bus.desk("echo short 2").expect("known");
        bus.desk("echo zlp 1").expect("known");
        let usb = bus.open("echo").await.expect("opens");
        assert_eq!(usb.write(0x01, b"abcde", 20 * MS).await, Ok(5));
        let mut all = Vec::new();
        for _ in 0..4 {
            let got = usb.read(0x82, 64, 500 * MS).await.expect("reads");
            assert!(got.short);
            all.push(got.bytes);
        }
        let pieces: [&[u8]; 4] = [b"", b"ab", b"cd", b"e"];
        assert_eq!(all, pieces);
    });
}

#[test]
fn a_device_that_naks_for_a_time_answers_control_and_goes_on_afterwards() {
    run_with_room(100, |bus, clock| async move {
        bus.desk("echo nak 1000").expect("known");
        let usb = bus.open("echo").await.expect("opens");
        let nothing = Err(UsbError::Timeout);
        assert_eq!(usb.write(0x01, b"abc", 100 * MS).await, nothing);
        let setup = crate::transport::Setup {
            request_type: 0xC0,
            request: 1,
            value: 0,
            index: 0,
        };
        let stage = crate::transport::Stage::In(1);
        assert_eq!(usb.control(setup, stage, MS).await, Ok(vec![7]));
        assert_eq!(usb.write(0x01, b"abc", 5000 * MS).await, Ok(3));
        assert_eq!(clock.monotonic(), 1000 * MS);
    });
}

#[test]
fn mending_ends_every_fault_and_unknown_words_are_answered_with_the_known() {
    run_with_room(100, |bus, _| async move {
        for line in ["late 1000", "short 1", "zlp 3", "nak 900", "stale 00"] {
            bus.desk(&format!("echo {line}")).expect("known");
        }
        bus.desk("echo unplug after 1 bytes").expect("known");
        bus.desk("echo mend").expect("known");
        let usb = bus.open("echo").await.expect("opens");
        assert_eq!(usb.write(0x01, b"abc", 20 * MS).await, Ok(3));
        let got = usb.read(0x82, 64, 250 * MS).await.expect("reads");
        assert_eq!(got.bytes, b"abc");
        let refused = bus.desk("echo dance").expect_err("unknown").to_string();
        assert!(refused.starts_with("room or stall"), "{refused}");
        assert!(refused.contains("unplug after N bytes"), "{refused}");
        let bad = bus
            .desk("echo late soon")
            .expect_err("no number")
            .to_string();
        assert_eq!(bad, "a number up to 600000 was expected");
    });
}
