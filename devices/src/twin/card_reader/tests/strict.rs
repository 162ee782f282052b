//! The twin alone: what it does not let a sloppy host get away with.

use super::*;

/// Messages laid out by hand (CCID §6): what a sloppy host would get away with.
#[test]
fn the_twin_refuses_chaining_a_repeated_number_and_a_command_into_a_command() {
    let mut twin = twin();
    twin.desk(Duration::ZERO, "insert good").unwrap();
    let put = |twin: &mut CardReaderTwin, now: Duration, message: &str| {
        let bytes = unhex(&message.replace(' ', "")).unwrap();
        assert_eq!(twin.out(now, COMMANDS, &bytes), OutReply::Took(bytes.len()));
    };
    let got = |twin: &mut CardReaderTwin, now: Duration| match twin.poll_in(now, ANSWERS, 512) {
        InReply::Data(bytes) => hex(&bytes),
        other => format!("{other:?}"),
    };
    let second = Duration::from_secs(1);
    put(&mut twin, second, "62 00000000 00 01 000000");
    // The card is still being reset.
    put(&mut twin, second, "6f 05000000 00 02 000000 00a4040000");
    put(&mut twin, second, "65 00000000 00 03 000000");
    assert_eq!(got(&mut twin, 2 * second), "8000000000000240e000");
    assert_eq!(got(&mut twin, 2 * second), "81000000000003000000");
    assert!(got(&mut twin, 2 * second).starts_with("80110000000001000000"));
    let chained = "6f 05000000 00 04 003412 00b2010c00";
    put(&mut twin, 2 * second, chained);
    assert_eq!(got(&mut twin, 3 * second), "80000000000004400800");
    put(&mut twin, 3 * second, "65 00000000 00 04 000000");
    assert_eq!(got(&mut twin, 4 * second), "81000000000004400600");
    put(&mut twin, 4 * second, "65 00000000 01 05 000000");
    assert_eq!(got(&mut twin, 5 * second), "81000000000005400500");
}

#[test]
fn an_abort_needs_both_halves_and_gives_up_what_the_slot_was_doing() {
    let mut twin = twin();
    twin.desk(Duration::ZERO, "insert good").unwrap();
    let put = |twin: &mut CardReaderTwin, second: u64, message: &str| {
        let bytes = unhex(&message.replace(' ', "")).unwrap();
        twin.out(Duration::from_secs(second), COMMANDS, &bytes);
    };
    put(&mut twin, 1, "72 00000000 00 01 000000");
    put(&mut twin, 2, "62 00000000 00 02 000000");
    let half = Setup {
        request_type: 0x21,
        request: 0x01,
        value: 0x0300,
        index: 0,
    };
    let taken = twin.control(Duration::from_secs(2), half, &[], 0);
    assert_eq!(taken, ControlReply::Data(Vec::new()));
    put(&mut twin, 2, "72 00000000 00 03 000000");
    let later = Duration::from_secs(5);
    let mut answers = Vec::new();
    while let InReply::Data(bytes) = twin.poll_in(later, ANSWERS, 512) {
        answers.push(hex(&bytes));
    }
    assert_eq!(answers, ["81000000000001410600", "81000000000003000000"]);
}
