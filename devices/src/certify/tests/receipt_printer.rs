//! The kit of receipt printers.

use std::cell::RefCell;

use super::*;
use crate::certify::receipt_printer::{ReceiptBench, kit};
use crate::twin::receipt_printer::{NAME, ReceiptPrinterTwin};

fn certified(twin: ReceiptPrinterTwin) -> Vec<Line> {
    let plug = |bus: &TwinBus| bus.plug(NAME, Rc::new(RefCell::new(twin)));
    certify(plug, NAME, ReceiptBench::new, kit(), |_| async {})
}

#[test]
fn the_receipt_printers_twin_passes_its_kit() {
    assert_numbered(&kit::<TwinBus>(), "RP");
    assert_passed(&certified(ReceiptPrinterTwin::new(None)));
}

#[test]
fn a_clone_without_fences_fails_where_a_receipt_is_proven_by_its_id() {
    let lines = certified(ReceiptPrinterTwin::new(None).without_fences());
    let failed = ids(&lines);
    assert_eq!(failed, ["RP-09", "RP-14", "RP-15", "RP-16", "RP-28"]);
}

#[test]
fn a_printer_that_pushes_no_status_fails_where_faults_are_told() {
    let failed = ids(&certified(ReceiptPrinterTwin::new(None).silent()));
    for id in ["RP-07", "RP-09", "RP-10", "RP-15", "RP-25"] {
        assert!(failed.contains(&id), "{failed:?}");
    }
    for id in ["RP-01", "RP-04", "RP-08", "RP-11", "RP-27"] {
        assert!(!failed.contains(&id), "{failed:?}");
    }
}
