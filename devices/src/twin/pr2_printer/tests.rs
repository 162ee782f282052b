//! The twin by the bytes of the manuals.

use super::*;
use crate::twin::form_printer::Place;

const START: Duration = Duration::from_secs(1);

fn twin() -> Pr2PrinterTwin {
    let first = "3130112100000101".parse().expect("a number");
    Pr2PrinterTwin::new(BillRange::from_count(first, 5).expect("fits"), None)
}

fn send(twin: &mut Pr2PrinterTwin, now: Duration, bytes: &[u8]) {
    assert_eq!(
        twin.out(now, printer_class::OUT, bytes),
        OutReply::Took(bytes.len())
    );
}

fn heard(twin: &mut Pr2PrinterTwin, now: Duration) -> Vec<u8> {
    match twin.poll_in(now, printer_class::IN, 64) {
        InReply::Data(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_document_is_absent_at_the_entry_and_inside() {
    let mut twin = twin();
    send(&mut twin, START, b"\x1bj\x1b B");
    assert_eq!(heard(&mut twin, START), b"\x1br0\x1bB50\x1bZ");
    twin.desk(START, "insert").expect("a blank");
    send(&mut twin, START, b"\x1b B");
    assert_eq!(heard(&mut twin, START), b"\x1bB51\x1bZ");
    send(&mut twin, START, b"\x1bL001\x1b B");
    let later = START + Duration::from_secs(1);
    assert_eq!(heard(&mut twin, later), b"\x1bB52\x1bZ");
}

#[test]
fn an_answer_behind_text_and_eject_comes_when_they_are_done() {
    let mut twin = twin();
    twin.desk(START, "insert").expect("a blank");
    send(&mut twin, START, b"\x1bL001A\x1bO\x1b B");
    let soon = START + Duration::from_millis(900);
    assert_eq!(twin.poll_in(soon, printer_class::IN, 64), InReply::Nak);
    let later = START + Duration::from_secs(5);
    assert_eq!(heard(&mut twin, later), b"\x1bB50\x1bZ");
    let sheet = twin.sheets().remove(0);
    assert_eq!(
        (sheet.place, sheet.inked),
        (Place::Output, vec!["A".to_owned()])
    );
}

#[test]
fn no_ribbon_holds_text_back_and_what_is_asked_behind_it() {
    let mut twin = twin();
    twin.desk(START, "insert").expect("a blank");
    send(&mut twin, START, b"\x1bL001");
    let later = START + Duration::from_secs(1);
    twin.desk(later, "ribbon out").expect("out");
    send(&mut twin, later, b"\x1bj");
    assert_eq!(heard(&mut twin, later), b"\x1br8");
    send(&mut twin, later, b"A\x1bj");
    let end = later + Duration::from_secs(60);
    assert_eq!(twin.poll_in(end, printer_class::IN, 64), InReply::Nak);
    twin.desk(end, "ribbon ok").expect("changed");
    assert_eq!(heard(&mut twin, end + STRIKE), b"\x1br0");
}
