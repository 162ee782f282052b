//! The twin against bytes of the manuals, without the driver.

use counterfoil_data::bill::BillRange;
use counterfoil_data::wire::{hex, unhex};

use super::*;
use crate::twin::printer_class::{IN, OUT};

struct Wire(SlipStationTwin, Duration);

impl Wire {
    fn new() -> Self {
        let first = "3130112100000101".parse().expect("a number");
        let pile = BillRange::from_count(first, 5).expect("fits");
        Self(SlipStationTwin::new(pile, None), Duration::ZERO)
    }

    /// Bytes out, time passes, what comes back.
    fn say(&mut self, bytes: &str, ms: u64) -> String {
        let bytes = unhex(&bytes.replace(' ', "")).expect("hex");
        if !bytes.is_empty() {
            let took = self.0.out(self.1, OUT, &bytes);
            assert_eq!(took, OutReply::Took(bytes.len()));
        }
        self.1 += Duration::from_millis(ms);
        match self.0.poll_in(self.1, IN, 512) {
            InReply::Data(bytes) => hex(&bytes),
            _ => String::new(),
        }
    }

    fn desk(&mut self, line: &str, ms: u64) -> String {
        self.0.desk(self.1, line).expect(line);
        self.say("", ms)
    }

    fn count(&self, name: &str) -> u64 {
        let counters = self.0.counters();
        counters
            .iter()
            .find(|(n, _)| *n == name)
            .expect("counted")
            .1
    }
}

#[test]
fn the_states_of_a_slip_are_the_manual_s_bytes() {
    let mut wire = Wire::new();
    assert_eq!(wire.say("1d61ff", 1), "10006003", "roll");
    assert_eq!(wire.say("100405", 1), "76");
    assert_eq!(wire.say("1b660105 1b633004", 1), "10006002", "waiting");
    assert_eq!(wire.say("100405", 1), "7a");
    assert_eq!(wire.desk("insert", 100), "10004002", "one sensor covered");
    assert_eq!(wire.say("", 900), "10000000", "loaded");
    assert_eq!(wire.say("100405", 1), "12");
    assert_eq!(wire.say("0c", 100), "10000002", "ejecting");
    assert_eq!(wire.say("", 900), "10002002", "at the mouth");
    assert_eq!(wire.desk("take", 1), "10006003", "removed");
}

#[test]
fn what_is_sent_behind_the_wait_waits_and_goes_to_the_roll_when_nobody_comes() {
    let mut wire = Wire::new();
    wire.say("1d61ff 1b660105 1b633004", 1);
    assert_eq!(wire.say("41 0a 1d7201", 1_000), "");
    assert_eq!(wire.count("rolled"), 0);
    // A minute is over.
    assert_eq!(wire.say("", 61_000), "1000600300");
    assert_eq!(wire.count("rolled"), 1);
}

#[test]
fn dle_enq_3_forgets_what_is_behind_the_wait() {
    let mut wire = Wire::new();
    wire.say("1d61ff 1b660005 1b633004 41 0a", 1_000);
    assert_eq!(wire.say("100503", 1_000), "10006003");
    assert_eq!(wire.count("rolled"), 0);
    assert_eq!(wire.say("100503", 1), "", "nothing waits");
}

#[test]
fn a_reading_is_the_manual_s_block_and_the_form_is_kept_or_not() {
    let mut wire = Wire::new();
    wire.say("1b660105 1c613000", 1);
    // DLE EOT BS 1: selected, waiting, no paper.
    assert_eq!(wire.say("10040801", 1), "7a");
    wire.desk("insert", 1);
    let number = hex(b"3130112100000101");
    assert_eq!(wire.say("", 2_000), format!("5f40{number}00"));
    assert_eq!(wire.say("1c62", 1), format!("5f40{number}00"));
    wire.say("1c6132", 1_000);
    wire.desk("take", 1);
    // A bad one that cannot be read again is ejected.
    wire.desk("unreadable next", 1);
    wire.say("1c613000", 1);
    wire.desk("insert", 1);
    assert_eq!(wire.say("", 3_000), "5f7000");
    assert_eq!(
        wire.say("100405", 1),
        "36",
        "the roll, and a form at the mouth"
    );
}

#[test]
fn a_waiting_reader_that_is_cancelled_says_so() {
    let mut wire = Wire::new();
    wire.say("1c28660200 0101 1b660105 1c613000", 1);
    assert_eq!(wire.say("100503", 1), "5f68421f00");
}

#[test]
fn an_error_stays_one_until_dle_enq_2() {
    let mut wire = Wire::new();
    wire.say("1d61ff 1b660105 1b633004", 1);
    wire.desk("insert", 2_000);
    assert_eq!(wire.desk("jam now", 1), "18040000");
    assert_eq!(wire.desk("clear jam", 1), "18046003");
    assert_eq!(wire.say("1d7201", 100), "", "held back");
    assert_eq!(wire.say("100502", 1), "10006003");
    assert_eq!(wire.count("retried"), 0);
    wire.say("100501", 1);
    assert_eq!(wire.count("retried"), 1);
}

#[test]
fn sensors_of_relatives_have_other_bits() {
    for (sensors, entry) in [(Sensors::ExitFirst, "10002002"), (Sensors::One, "10000002")] {
        let mut wire = Wire::new();
        wire.0.0.sensors = sensors;
        wire.say("1d61ff 1b660105 1b633004", 1);
        assert_eq!(wire.desk("insert", 100), entry);
    }
}
