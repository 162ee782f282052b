//! The kit of PIN pads.

use std::cell::RefCell;

use super::deviant::Deviant;
use super::*;
use crate::certify::pin_pad::{PadBench, kit};
use crate::twin::pin_pad::PinPadTwin;
use crate::twin::{InReply, Twin};

const NAME: &str = "pin-pad";

fn twin() -> PinPadTwin {
    PinPadTwin::new(Vec::new(), Rc::new(SystemEntropy))
}

fn certified(twin: impl Twin + 'static) -> Vec<Line> {
    let plug = |bus: &TwinBus| bus.plug(NAME, Rc::new(RefCell::new(twin)));
    certify(plug, NAME, PadBench::new, kit(), |_| async {})
}

#[test]
fn the_pin_pads_twin_passes_its_kit() {
    assert_numbered(&kit::<TwinBus>(), "PP");
    assert_passed(&certified(twin()));
}

#[test]
fn a_pad_that_skips_a_count_fails_where_keys_are_counted() {
    let mut deviant = Deviant::new(twin());
    // 45 01 entry(2) 3: the third key is not told.
    deviant.back = Box::new(|_, bytes| match bytes.as_slice() {
        [0x45, 1, _, _, 3] => InReply::Data(Vec::new()),
        _ => InReply::Data(bytes),
    });
    let failed = ids(&certified(deviant));
    assert_eq!(failed, ["PP-12", "PP-16", "PP-18"]);
}

#[test]
fn a_pad_that_sends_its_first_block_again_fails_what_is_sealed() {
    let mut deviant = Deviant::new(twin());
    let mut first: Option<Vec<u8>> = None;
    deviant.back = Box::new(move |_, mut bytes| {
        // 50 01 84 length(2) entry(2) block.
        if bytes.starts_with(&[0x50, 0x01, 0x84]) && bytes.len() > 7 {
            let block = first.get_or_insert_with(|| bytes[7..].to_vec());
            if block.len() == bytes.len() - 7 {
                bytes[7..].copy_from_slice(block);
            }
        }
        InReply::Data(bytes)
    });
    let failed = ids(&certified(deviant));
    assert!(failed.contains(&"PP-14"), "{failed:?}");
    for id in ["PP-04", "PP-08", "PP-11", "PP-12", "PP-16", "PP-17"] {
        assert!(!failed.contains(&id), "{failed:?}");
    }
}
