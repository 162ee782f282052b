//! The kit of chip-card readers.

use std::cell::RefCell;

use super::deviant::Deviant;
use super::*;
use crate::certify::card_reader::{CardBench, kit};
use crate::twin::card_reader::{CardReaderTwin, Level, Model};
use crate::twin::{InReply, Twin};

const NAME: &str = "card-reader";

fn twin(model: Model) -> CardReaderTwin {
    let bank = counterfoil_data::demo::bank().expect("the demo bank");
    CardReaderTwin::demo(&bank).with_model(model)
}

fn certified(twin: impl Twin + 'static) -> Vec<Line> {
    let plug = |bus: &TwinBus| bus.plug(NAME, Rc::new(RefCell::new(twin)));
    certify(plug, NAME, CardBench::new, kit(), |_| async {})
}

#[test]
fn card_readers_of_every_level_pass_their_kit() {
    assert_numbered(&kit::<TwinBus>(), "CR");
    for level in [Level::Tpdu, Level::ShortApdu, Level::ExtendedApdu] {
        let model = Model {
            level,
            ..Model::default()
        };
        assert_passed(&certified(twin(model)));
    }
}

#[test]
fn a_reader_that_leaves_everything_to_the_host_and_tells_nothing_passes_too() {
    let model = Model {
        automatic: false,
        interrupt: false,
        ..Model::default()
    };
    assert_passed(&certified(twin(model)));
}

#[test]
fn a_reader_that_answers_every_command_as_the_first_fails_the_sequence() {
    let mut deviant = Deviant::new(twin(Model::default()));
    // bSeq above 7F is lost.
    deviant.back = Box::new(|_, mut bytes| {
        if bytes.len() >= 10 {
            bytes[6] &= 0x7F;
        }
        InReply::Data(bytes)
    });
    assert_eq!(ids(&certified(deviant)), ["CR-08"]);
}

#[test]
fn a_reader_of_1_8_volts_alone_fails_what_it_can_supply() {
    let model = Model {
        voltages: 4,
        ..Model::default()
    };
    let failed = ids(&certified(twin(model)));
    assert_eq!(failed.first(), Some(&"CR-06"), "{failed:?}");
}

#[test]
fn a_reader_that_says_a_card_is_in_for_ever_fails_where_there_is_none() {
    let mut deviant = Deviant::new(twin(Model::default()));
    deviant.back = Box::new(|_, mut bytes| {
        if bytes.len() >= 10 && bytes[0] == 0x81 && bytes[7] == 0x02 {
            bytes[7] = 0x01;
        }
        InReply::Data(bytes)
    });
    let failed = ids(&certified(deviant));
    for id in ["CR-07", "CR-13", "CR-15", "CR-16", "CR-18"] {
        assert!(failed.contains(&id), "{failed:?}");
    }
    for id in ["CR-08", "CR-09", "CR-10", "CR-19", "CR-20"] {
        assert!(!failed.contains(&id), "{failed:?}");
    }
}
