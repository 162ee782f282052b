//! The kit of ID-card readers.

use std::cell::RefCell;

use super::deviant::Deviant;
use super::*;
use crate::certify::id_reader::{IdBench, kit};
use crate::twin::id_reader::{IdReaderTwin, UsbLayout};
use crate::twin::{ControlReply, InReply, Twin};

const NAME: &str = "id-reader";

fn twin(layout: UsbLayout) -> IdReaderTwin {
    let bank = counterfoil_data::demo::bank().expect("the demo bank");
    let documents = bank.documents.iter().map(crate::twin::branch::sample);
    IdReaderTwin::new(layout, documents.collect())
}

fn certified(twin: impl Twin + 'static) -> Vec<Line> {
    let plug = |bus: &TwinBus| bus.plug(NAME, Rc::new(RefCell::new(twin)));
    certify(plug, NAME, IdBench::new, kit(), |_| async {})
}

#[test]
fn the_id_readers_twin_passes_its_kit_on_every_pipe_layout() {
    assert_numbered(&kit::<TwinBus>(), "IR");
    for layout in [
        UsbLayout::Split,
        UsbLayout::Single,
        UsbLayout::SingleBehindFour,
    ] {
        assert_passed(&certified(twin(layout)));
    }
}

#[test]
fn an_older_reader_without_30_10_passes_too() {
    assert_passed(&certified(twin(UsbLayout::Split).without_finger_read()));
}

#[test]
fn a_module_that_takes_wrong_checksums_fails_only_there() {
    let mut deviant = Deviant::new(twin(UsbLayout::Single));
    deviant.out = Box::new(|bytes| {
        let mut bytes = bytes.to_vec();
        if let [0xAA, 0xAA, 0xAA, 0x96, 0x69, rest @ .., checksum] = bytes.as_mut_slice() {
            *checksum = rest.iter().fold(0, |sum, byte| sum ^ *byte);
        }
        bytes
    });
    assert_eq!(ids(&certified(deviant)), ["IR-06"]);
}

#[test]
fn a_reader_that_takes_any_request_for_good_fails_only_there() {
    let mut deviant = Deviant::new(twin(UsbLayout::Split));
    deviant.control = Box::new(|_, reply| match reply {
        ControlReply::Stall => ControlReply::Data(vec![0]),
        other => other,
    });
    assert_eq!(ids(&certified(deviant)), ["IR-02"]);
}

#[test]
fn a_module_with_another_identity_each_time_fails_where_it_is_compared() {
    let mut deviant = Deviant::new(twin(UsbLayout::Single));
    let mut last = 0;
    deviant.back = Box::new(move |_, mut bytes| {
        // 16 bytes of data behind 90: the identity.
        if bytes.len() == 27 && bytes[9] == 0x90 {
            last = (last + 1) % 7;
            let (was, end) = (bytes[10], bytes.len() - 1);
            bytes[10] = last;
            bytes[end] ^= was ^ last;
        }
        InReply::Data(bytes)
    });
    let failed = ids(&certified(deviant));
    assert!(
        failed.contains(&"IR-16") && failed.contains(&"IR-19"),
        "{failed:?}"
    );
    assert!(
        !failed.contains(&"IR-05") && !failed.contains(&"IR-18"),
        "{failed:?}"
    );
}
