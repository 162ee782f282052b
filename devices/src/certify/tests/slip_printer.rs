//! The kits of the form printers fed by hand.

use std::cell::RefCell;

use counterfoil_data::bill::BillRange;

use super::deviant::Deviant;
use super::*;
use crate::certify::slip_printer::{SlipBench, escp2_kit, pr2_kit, station_kit};
use crate::driver::form_station::{Family, FormSettings};
use crate::driver::sample::{FIRST, number};
use crate::twin::escp2_printer::{self, Escp2PrinterTwin};
use crate::twin::pr2_printer::{self, Pr2PrinterTwin};
use crate::twin::slip_station::{self, Sensors, SlipStationTwin};
use crate::twin::{InReply, Twin};

fn pile() -> BillRange {
    BillRange::from_count(number(FIRST), 100).expect("fits")
}

fn escp2(twin: impl Twin + 'static) -> Vec<Line> {
    let name = escp2_printer::NAME;
    let plug = |bus: &TwinBus| bus.plug(name, Rc::new(RefCell::new(twin)));
    let subject = |bench| SlipBench::new(bench, Family::Escp2, None).expect("settings");
    certify(plug, name, subject, escp2_kit(), |_| async {})
}

fn pr2(twin: impl Twin + 'static) -> Vec<Line> {
    let name = pr2_printer::NAME;
    let plug = |bus: &TwinBus| bus.plug(name, Rc::new(RefCell::new(twin)));
    let subject = |bench| SlipBench::new(bench, Family::Pr2, None).expect("settings");
    certify(plug, name, subject, pr2_kit(), |_| async {})
}

fn station(twin: impl Twin + 'static, slip: &str) -> Vec<Line> {
    let name = slip_station::NAME;
    let plug = |bus: &TwinBus| bus.plug(name, Rc::new(RefCell::new(twin)));
    let settings: FormSettings = toml::from_str(&format!("slip = \"{slip}\"")).expect("lawful");
    let subject =
        |bench| SlipBench::new(bench, Family::SlipStation, Some(settings)).expect("settings");
    certify(plug, name, subject, station_kit(), |_| async {})
}

#[test]
fn the_twin_of_a_slip_station_passes_its_kit() {
    assert_numbered(&station_kit::<TwinBus>(), "SS");
    assert_passed(&station(SlipStationTwin::new(pile(), None), "tm-h5000ii"));
    let bare = SlipStationTwin::new(pile(), None).without_reader();
    assert_passed(&station(bare, "tm-h5000ii"));
}

#[test]
fn a_station_passes_with_its_own_sensors_and_question() {
    let turned = SlipStationTwin::new(pile(), None).with_sensors(Sensors::ExitFirst);
    assert_passed(&station(turned, "tm-u295"));
}

#[test]
fn the_twin_with_24_pins_passes_its_kit() {
    assert_numbered(&escp2_kit::<TwinBus>(), "ES");
    assert_passed(&escp2(Escp2PrinterTwin::new(pile(), None)));
}

#[test]
fn the_twin_in_pr2_emulation_passes_its_kit() {
    assert_numbered(&pr2_kit::<TwinBus>(), "PR");
    assert_passed(&pr2(Pr2PrinterTwin::new(pile(), None)));
}

#[test]
fn a_port_that_says_18_for_ever_proves_nothing_of_a_form() {
    let lines = escp2(Escp2PrinterTwin::new(pile(), None).with_constant_port());
    assert_eq!(ids(&lines), ["ES-10"]);
    // Whether a form lies in it cannot be known: nothing else makes sense.
    for line in lines.iter().skip(10) {
        let why = line.text();
        assert!(why.starts_with("skip") && why.contains("rest"), "{why}");
    }
    for line in lines.iter().take(9) {
        assert!(
            matches!(line.outcome, Outcome::Passed(_)),
            "{}",
            line.text()
        );
    }
}

#[test]
fn a_pr2_that_answers_before_it_is_done_fails_only_the_order() {
    let lines = pr2(Pr2PrinterTwin::new(pile(), None).answering_at_once());
    // It hears a question only where something follows it in the same transfer.
    assert_eq!(ids(&lines), ["PR-08", "PR-12", "PR-20"]);
}

#[test]
fn a_pr2_with_other_codes_fails_where_codes_are_needed() {
    let mut deviant = Deviant::new(Pr2PrinterTwin::new(pile(), None));
    deviant.back = Box::new(|_, mut bytes| {
        for at in 0..bytes.len().saturating_sub(2) {
            if bytes[at..].starts_with(b"\x1br0") {
                bytes[at + 2] = b'@';
            }
        }
        InReply::Data(bytes)
    });
    let failed = ids(&pr2(deviant));
    assert!(failed.contains(&"PR-10"), "{failed:?}");
    for id in ["PR-08", "PR-09", "PR-11"] {
        assert!(!failed.contains(&id), "{failed:?}");
    }
}

#[test]
fn a_station_with_sensors_of_another_model_fails_where_forms_are_seen() {
    let turned = SlipStationTwin::new(pile(), None).with_sensors(Sensors::ExitFirst);
    let failed = ids(&station(turned, "tm-h5000ii"));
    assert_eq!(failed.first(), Some(&"SS-31"), "{failed:?}");
}

#[test]
fn a_station_that_does_not_stop_waiting_is_trusted_with_no_form() {
    let mut deaf = Deviant::new(SlipStationTwin::new(pile(), None));
    deaf.out = Box::new(|bytes| match bytes {
        [0x10, 0x05, 0x03] => Vec::new(),
        bytes => bytes.to_vec(),
    });
    let lines = station(deaf, "tm-h5000ii");
    assert_eq!(ids(&lines), ["SS-23"]);
    for line in lines.iter().skip(23) {
        assert!(line.text().starts_with("skip"), "{}", line.text());
    }
}
