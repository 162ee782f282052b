//! The kits of finger sensors.

use std::cell::RefCell;

use super::deviant::Deviant;
use super::*;
use crate::certify::finger::{FingerBench, module_kit, uru4500_kit};
use crate::twin::finger_module::FingerModuleTwin;
use crate::twin::fingers::FingerSpec;
use crate::twin::serial_bridge::BridgeKind;
use crate::twin::uru4000::Uru4000Twin;
use crate::twin::{InReply, Twin};

const NAME: &str = "finger";

fn module(kind: BridgeKind) -> FingerModuleTwin {
    let bank = counterfoil_data::demo::bank().expect("the demo bank");
    FingerModuleTwin::demo(&bank).behind(kind)
}

fn uru4500() -> Uru4000Twin {
    let bank = counterfoil_data::demo::bank().expect("the demo bank");
    Uru4000Twin::new(FingerSpec::demo(&bank))
}

fn certified(twin: impl Twin + 'static, kit: Vec<Check<FingerBench<TwinBus>>>) -> Vec<Line> {
    let plug = |bus: &TwinBus| bus.plug(NAME, Rc::new(RefCell::new(twin)));
    certify(plug, NAME, FingerBench::new, kit, |_| async {})
}

#[test]
fn a_finger_module_passes_its_kit_behind_two_bridges() {
    assert_numbered(&module_kit::<TwinBus>(), "FM");
    for kind in [BridgeKind::CdcAcm, BridgeKind::Ftdi] {
        assert_passed(&certified(module(kind), module_kit()));
    }
}

#[test]
fn a_whole_picture_reader_passes_its_kit() {
    assert_numbered(&uru4500_kit::<TwinBus>(), "UR");
    assert_passed(&certified(uru4500(), uru4500_kit()));
}

#[test]
fn a_sensor_that_sends_its_first_image_again_fails_where_images_are_compared() {
    let mut deviant = Deviant::new(uru4500());
    let mut first: Option<Vec<u8>> = None;
    deviant.back = Box::new(move |_, bytes| {
        // Only images are that long.
        if bytes.len() < 60_000 {
            return InReply::Data(bytes);
        }
        InReply::Data(first.get_or_insert(bytes).clone())
    });
    let failed = ids(&certified(deviant, uru4500_kit()));
    assert!(
        failed.contains(&"UR-16") && failed.contains(&"UR-17"),
        "{failed:?}"
    );
    for id in ["UR-03", "UR-09", "UR-10", "UR-11"] {
        assert!(!failed.contains(&id), "{failed:?}");
    }
}
