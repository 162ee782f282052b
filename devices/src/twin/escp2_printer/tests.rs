//! The twin by the bytes of the manuals.

use counterfoil_data::wire::unhex;

use super::*;
use crate::twin::form_printer::Place;

const START: Duration = Duration::from_secs(1);
const PORT: Setup = Setup {
    request_type: 0xA1,
    request: 1,
    value: 0,
    index: 0,
};

fn twin() -> Escp2PrinterTwin {
    let first = "3130112100000101".parse().expect("a number");
    Escp2PrinterTwin::new(BillRange::from_count(first, 5).expect("fits"), None)
}

fn send(twin: &mut Escp2PrinterTwin, now: Duration, hex: &str) {
    let bytes = unhex(&hex.replace(' ', "")).expect("hex");
    let taken = twin.out(now, printer_class::OUT, &bytes);
    assert_eq!(taken, OutReply::Took(bytes.len()));
}

fn port(twin: &mut Escp2PrinterTwin, now: Duration) -> u8 {
    match twin.control(now, PORT, &[], 1) {
        ControlReply::Data(bytes) => bytes[0],
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_port_says_paper_and_fault_and_nothing_else_does() {
    let mut twin = twin();
    assert_eq!(port(&mut twin, START), 0x38);
    twin.desk(START, "insert").expect("a blank");
    assert_eq!(port(&mut twin, START), 0x18);
    twin.desk(START, "cover open").expect("open");
    assert_eq!(port(&mut twin, START), 0x10);
    twin.desk(START, "cover close").expect("closed");
    send(&mut twin, START, "1b40 41 0c");
    assert_eq!(port(&mut twin, START), 0x18, "still printing");
    let later = START + STRIKE + EJECT;
    assert_eq!(port(&mut twin, later), 0x38);
    assert_eq!(twin.poll_in(later, printer_class::IN, 64), InReply::Nak);
    let sheet = twin.sheets().remove(0);
    assert_eq!(
        (sheet.place, sheet.inked),
        (Place::Output, vec!["A".to_owned()])
    );
}

#[test]
fn a_jam_in_the_middle_of_a_line_leaves_ink_and_a_partial_sheet() {
    let mut twin = twin();
    twin.desk(START, "insert").expect("a blank");
    send(&mut twin, START, "41 0a 42 0c");
    twin.desk(START + STRIKE / 2, "jam now").expect("a sheet");
    let later = START + Duration::from_secs(60);
    assert_eq!(port(&mut twin, later), 0x10);
    let sheet = twin.sheets().remove(0);
    assert_eq!((sheet.partial, sheet.inked), (true, vec!["A".to_owned()]));
    // What was queued is struck on the next sheet, unless the buffer is emptied.
    twin.desk(later, "clear jam").expect("cleared");
    let reset = Setup {
        request_type: 0x21,
        request: 2,
        ..PORT
    };
    twin.control(later, reset, &[], 0);
    twin.desk(later, "insert").expect("a blank");
    port(&mut twin, later + Duration::from_secs(60));
    assert_eq!(twin.sheets().remove(1).inked, Vec::<String>::new());
}

#[test]
fn what_was_queued_behind_an_open_cover_goes_on_when_it_is_closed() {
    let mut twin = twin();
    twin.desk(START, "insert").expect("a blank");
    twin.desk(START, "ribbon out").expect("out");
    send(&mut twin, START, "41 0c");
    let later = START + Duration::from_secs(60);
    assert_eq!(port(&mut twin, later), 0x10);
    twin.desk(later, "ribbon ok").expect("changed");
    assert_eq!(port(&mut twin, later + STRIKE + EJECT), 0x38);
}
