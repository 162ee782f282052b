//! The kit of the form printer with cassettes.

use std::cell::RefCell;

use counterfoil_data::bill::BillRange;

use super::deviant::Deviant;
use super::*;
use crate::certify::form_printer::{FormBench, kit};
use crate::driver::sample::{FIRST, number};
use crate::twin::form_printer::{FormPrinterTwin, NAME};
use crate::twin::{ControlReply, InReply, Twin};

fn twin() -> FormPrinterTwin {
    let slot = |n: u8| format!("slot-{n}").parse().expect("a slot");
    let range = |first: &str, count| BillRange::from_count(number(first), count).expect("fits");
    let slots = [
        (slot(1), range(FIRST, 200)),
        (slot(2), range("3130111100000001", 5)),
    ];
    FormPrinterTwin::new(slots, None)
}

fn certified(twin: impl Twin + 'static) -> Vec<Line> {
    let plug = |bus: &TwinBus| bus.plug(NAME, Rc::new(RefCell::new(twin)));
    let subject = |bench| FormBench::new(bench, "slot-1".parse().expect("a slot"));
    certify(plug, NAME, subject, kit(), |_| async {})
}

#[test]
fn the_form_printers_twin_passes_its_kit() {
    let checks = kit::<TwinBus>();
    assert_numbered(&checks, "FP");
    assert!(checks.len() >= 60, "{}", checks.len());
    let lines = certified(twin());
    assert_passed(&lines);
}

/// A deviation and the checks that must fail of it.
fn deviates(bend: impl FnOnce(&mut Deviant<FormPrinterTwin>), wanted: &[&str]) {
    let mut deviant = Deviant::new(twin());
    bend(&mut deviant);
    let lines = certified(deviant);
    assert_eq!(ids(&lines), wanted, "{:#?}", failed(&lines));
}

#[test]
fn a_printer_without_a_device_id_fails_what_reads_it() {
    deviates(
        |d| {
            d.control = Box::new(|setup, reply| match (setup.request_type, setup.request) {
                (0xA1, 0) => ControlReply::Stall,
                _ => reply,
            });
        },
        &["FP-04", "FP-05", "FP-06"],
    );
}

#[test]
fn a_printer_whose_port_says_18_for_ever_fails_only_there() {
    deviates(
        |d| {
            d.control = Box::new(|setup, reply| match (setup.request_type, setup.request) {
                (0xA1, 1) => ControlReply::Data(vec![0x18]),
                _ => reply,
            });
        },
        &["FP-83"],
    );
}

/// Bends the last digit of every reading: 5F, status, detail, 1F, digits, 00.
fn misread(bytes: Vec<u8>) -> Vec<u8> {
    let mut bytes = bytes;
    for at in 0..bytes.len().saturating_sub(20) {
        if bytes[at] == 0x5F && bytes[at + 3] == 0x1F {
            let digit = &mut bytes[at + 19];
            *digit = b'0' + (*digit - b'0' + 7) % 10;
        }
    }
    bytes
}

/// `to` wherever `from` is said.
fn instead(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

#[test]
fn a_reader_that_reads_every_number_wrongly_fails_the_comparison() {
    let deviation: fn(&mut Deviant<FormPrinterTwin>) =
        |d| d.back = Box::new(|_, bytes| InReply::Data(misread(bytes)));
    deviates(deviation, &["FP-46"]);
}

#[test]
fn a_reader_that_reads_every_seventh_time_wrongly_fails_its_ten_readings() {
    deviates(
        |d| {
            let mut readings = 0;
            d.back = Box::new(move |_, bytes| {
                readings += u32::from(bytes.first() == Some(&0x5F) && bytes.len() > 16);
                let bad = readings % 7 == 0;
                InReply::Data(if bad { misread(bytes) } else { bytes })
            });
        },
        &["FP-47"],
    );
}

/// Answers every GS ( H at once, whatever it stands behind, and never forwards it.
fn fences_at_once(d: &mut Deviant<FormPrinterTwin>) {
    let said = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&said);
    d.out = Box::new(move |bytes| {
        let mut kept = Vec::new();
        let mut rest = bytes;
        while let Some(at) = rest
            .windows(7)
            .position(|w| *w == [0x1D, 0x28, 0x48, 6, 0, 0x30, 0x30])
            && let Some(id) = rest.get(at + 7..at + 11)
        {
            heard
                .borrow_mut()
                .extend([&[0x37, 0x22], id, &[0]].concat());
            kept.extend_from_slice(&rest[..at]);
            rest = &rest[at + 11..];
        }
        kept.extend_from_slice(rest);
        kept
    });
    d.more = Box::new(move || std::mem::take(&mut *said.borrow_mut()));
}

#[test]
fn a_printer_that_answers_before_the_ink_fails_what_proves_a_form() {
    let lines = {
        let mut deviant = Deviant::new(twin());
        fences_at_once(&mut deviant);
        certified(deviant)
    };
    let failed = ids(&lines);
    assert!(
        failed.contains(&"FP-57") && failed.contains(&"FP-58"),
        "{failed:?}"
    );
    // Its word alone never makes a form printed: every check of a whole form fails.
    assert!(
        failed.contains(&"FP-59") && !failed.contains(&"FP-24"),
        "{failed:?}"
    );
}

#[test]
fn a_printer_that_moves_every_text_to_the_same_column_fails_box_and_offset() {
    deviates(
        |d| {
            d.out = Box::new(|bytes| {
                let mut bent = bytes.to_vec();
                for at in 0..bent.len().saturating_sub(4) {
                    // ESC $ nL nH and GS $ behind it: as our pages place a text.
                    if bent[at..].starts_with(&[0x1B, 0x24]) && bent[at + 4] == 0x1D {
                        bent[at + 2..at + 4].copy_from_slice(&1264_u16.to_le_bytes());
                    }
                }
                bent
            });
        },
        &["FP-63"],
    );
}

#[test]
fn a_printer_whose_real_time_answers_never_change_fails_where_the_cover_is_open() {
    deviates(
        |d| {
            // 16 to DLE EOT 2, behind a pushed status.
            d.back = Box::new(|_, bytes| InReply::Data(instead(bytes, &[0x16], &[0x12])));
        },
        &["FP-82"],
    );
}

#[test]
fn a_presenter_that_lies_about_a_bundle_fails_where_bundles_are() {
    let lines = {
        let mut deviant = Deviant::new(twin());
        // 08, in the output, is never said.
        deviant.back = Box::new(|_, bytes| match bytes.as_slice() {
            [0x08] => InReply::Data(vec![0]),
            _ => InReply::Data(bytes),
        });
        certified(deviant)
    };
    let failed = ids(&lines);
    for id in ["FP-68", "FP-69", "FP-70", "FP-72"] {
        assert!(failed.contains(&id), "{failed:?}");
    }
    for id in [
        "FP-16", "FP-24", "FP-46", "FP-57", "FP-75", "FP-84", "FP-93",
    ] {
        assert!(!failed.contains(&id), "{failed:?}");
    }
}

#[test]
fn a_cassette_that_is_empty_and_says_full_fails_its_own_check() {
    deviates(
        |d| {
            let (empty, fed) = (&[0x37, 0x54, 0x41], &[0x37, 0x54, 0x40]);
            d.back = Box::new(|_, bytes| InReply::Data(instead(bytes, empty, fed)));
        },
        &["FP-79"],
    );
}

#[test]
fn a_printer_that_loses_pushed_status_of_the_cover_fails_there() {
    let lines = {
        let mut deviant = Deviant::new(twin());
        deviant.back = Box::new(|_, bytes| match bytes.as_slice() {
            [first, ..] if bytes.len() == 4 && first & 0x93 == 0x10 && first & 0x20 != 0 => {
                InReply::Nak
            }
            _ => InReply::Data(bytes),
        });
        certified(deviant)
    };
    let failed = ids(&lines);
    assert!(
        failed.contains(&"FP-43") && failed.contains(&"FP-81"),
        "{failed:?}"
    );
    assert!(
        !failed.contains(&"FP-82") && !failed.contains(&"FP-16"),
        "{failed:?}"
    );
}
