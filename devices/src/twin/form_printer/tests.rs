//! The twin alone, driven with bytes of the manuals (no driver, no encoder of ours).

use counterfoil_data::wire::unhex;

use super::*;

const START: Duration = Duration::from_secs(1);

fn twin(paper: Option<PathBuf>) -> FormPrinterTwin {
    let first = "3130112100000101".parse().expect("a number");
    let range = BillRange::from_count(first, 20).expect("fits");
    FormPrinterTwin::new([("slot-1".parse().expect("a slot"), range)], paper)
}

fn send(twin: &mut FormPrinterTwin, now: Duration, hex: &str) {
    let bytes = unhex(&hex.replace(' ', "")).expect("hex");
    assert_eq!(
        twin.out(now, printer_class::OUT, &bytes),
        OutReply::Took(bytes.len())
    );
}

fn heard(twin: &mut FormPrinterTwin, now: Duration) -> Vec<u8> {
    match twin.poll_in(now, printer_class::IN, 1024) {
        InReply::Data(bytes) => bytes,
        _ => Vec::new(),
    }
}

#[test]
fn slip_states_are_pushed_as_the_manual_has_them() {
    let mut twin = twin(None);
    send(&mut twin, START, "1d61ff");
    assert_eq!(heard(&mut twin, START), [0x10, 0, 0x60, 0x03], "roll");
    send(&mut twin, START, "1b633004");
    assert_eq!(heard(&mut twin, START), [0x10, 0, 0x60, 0x02], "waiting");
    send(&mut twin, START, "100405");
    assert_eq!(heard(&mut twin, START), [0x7A], "DLE EOT 5 while waiting");
    send(&mut twin, START, "1c2853 0200 3001");
    let fed = START + FEED;
    assert_eq!(
        heard(&mut twin, fed),
        [0x37, 0x54, 0x40, 0, 0x10, 0, 0, 0],
        "fed, then loaded"
    );
    send(&mut twin, fed, "100405");
    assert_eq!(heard(&mut twin, fed), [0x12], "DLE EOT 5 loaded");
    send(&mut twin, fed, "1c6132");
    assert_eq!(heard(&mut twin, fed), [0x10, 0, 0x20, 0x02], "ejecting");
    let gone = fed + DIVERT;
    assert_eq!(heard(&mut twin, gone), [0x10, 0, 0x60, 0x03], "removed");
}

#[test]
fn the_number_is_answered_with_and_without_detail() {
    let mut twin = twin(None);
    send(&mut twin, START, "1b633004 1c2853 0200 3001");
    let mut now = START + FEED;
    assert_eq!(heard(&mut twin, now), [0x37, 0x54, 0x40, 0]);
    send(&mut twin, now, "1c613000");
    now += READ;
    let plain = [&[0x5F, 0x40], b"3130112100000101".as_slice(), &[0]].concat();
    assert_eq!(heard(&mut twin, now), plain);
    send(&mut twin, now, "1c2866 0400 01010201 1c613000");
    now += READ;
    let detail = [&[0x5F, 0x48, 0x40, 0x1F], &plain[2..]].concat();
    assert_eq!(heard(&mut twin, now), detail);
}

#[test]
fn the_mechanics_finish_what_was_received_when_the_host_is_gone() {
    let mut twin = twin(None);
    send(&mut twin, START, "1b633004 1c2853 0200 3001 1c6131");
    send(&mut twin, START, "1b4c 41424344 0c 0c");
    twin.host_gone(START);
    let later = START + Duration::from_secs(60);
    assert_eq!(heard(&mut twin, later), [0x37, 0x54, 0x40, 0]);
    let sheet = twin.sheets().remove(0);
    assert_eq!(sheet.place, Place::Escrow);
    assert_eq!(sheet.inked, ["ABCD"]);
}

#[test]
fn every_inked_sheet_leaves_a_picture_and_every_move_a_line() {
    let name = format!("counterfoil-forms-{}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    let mut twin = twin(Some(directory.clone()));
    send(&mut twin, START, "1b633004 1c2853 0200 3001 1c6131");
    send(
        &mut twin,
        START,
        "1b4c 1b24 f401 1d24 c800 41424344 0c 0c 1d6503ff",
    );
    let later = START + Duration::from_secs(60);
    twin.desk(later, "take").expect("it lies in the output");
    let list = std::fs::read_to_string(directory.join("sheets.jsonl")).expect("the list");
    let places: Vec<&str> = list
        .lines()
        .filter_map(|line| line.rsplit_once("\"place\":").map(|(_, place)| place))
        .collect();
    let expected = ["\"transport\"}", "\"escrow\"}", "\"output\"}", "\"taken\"}"];
    assert_eq!(places, expected);
    let png = std::fs::read(directory.join("form-3130112100000101.png")).expect("a picture");
    assert_eq!(png.get(1..4), Some(&b"PNG"[..]));
    std::fs::remove_dir_all(&directory).expect("cleaned up");
}

#[test]
fn a_stuck_printer_stops_taking_bytes_when_its_buffer_is_full() {
    let mut twin = twin(None);
    send(&mut twin, START, "1b633004 1c2853 0200 3001");
    let now = START + FEED;
    let text = vec![b'A'; printer_class::RECEIVE_MAX];
    twin.desk(now, "jam now").expect("a sheet lies there");
    send(&mut twin, now, "1c6131");
    let taken = twin.out(now, printer_class::OUT, &text);
    assert_eq!(taken, OutReply::Took(text.len() - 3));
    assert_eq!(twin.out(now, printer_class::OUT, &text), OutReply::Nak);
}

#[test]
fn loading_or_ejecting_without_a_sheet_is_a_mechanical_error_and_no_fence_comes() {
    for act in ["1c6131", "0c", "1b4c 41 0c"] {
        let mut twin = twin(None);
        send(&mut twin, START, "1d61ff");
        assert_eq!(heard(&mut twin, START), [0x10, 0, 0x60, 0x03]);
        send(&mut twin, START, act);
        send(&mut twin, START, "1d284806003030 46303031");
        let later = START + Duration::from_secs(60);
        assert_eq!(heard(&mut twin, later), [0x18, 0x04, 0x60, 0x03], "{act}");
        twin.desk(later, "clear jam").expect("cleared");
        let fence = [0x37, 0x22, 0x46, 0x30, 0x30, 0x31, 0x00];
        let said = heard(&mut twin, later);
        assert!(said.windows(7).any(|w| w == fence), "{act}: {said:02x?}");
    }
}

#[test]
fn cancelled_pages_are_still_pages() {
    let mut twin = twin(None);
    send(&mut twin, START, "1b633004 1c2853 0200 3001 1c6131");
    send(&mut twin, START, "1b4c 41424344 18 45464748 0c 0c");
    let later = START + Duration::from_secs(60);
    heard(&mut twin, later);
    assert_eq!(twin.sheets().remove(0).inked, ["EFGH"]);
}

#[test]
fn a_jammed_presenter_shows_the_bundle_nowhere_and_moves_nothing() {
    let mut twin = twin(None);
    send(&mut twin, START, "1b633004 1c2853 0200 3001 0c");
    twin.desk(START, "jam presenter").expect("prepared");
    let later = START + Duration::from_secs(60);
    heard(&mut twin, later);
    for act in ["1d6503ff 1d6506", "1d6503ff 1d6502 1d6506"] {
        send(&mut twin, later, act);
        let end = later + Duration::from_secs(60);
        assert_eq!(heard(&mut twin, end), [0xC0]);
        assert_eq!(twin.sheets().remove(0).place, Place::Escrow);
    }
}
