//! PINs typed at the reader's own pad: the driver against the twin.

use super::*;
use crate::driver::ccid::pin_entry::{Entered, Pads, PinEntryError};
use crate::driver::ccid::secure::{BadRules, Format, PinRules};
use crate::driver::ccid::t1::T1Error;

const VERIFY: [u8; 4] = [0x00, 0x20, 0x00, 0x80];
const CHANGE: [u8; 4] = [0x00, 0x24, 0x00, 0x80];
const PATIENT: Duration = Duration::from_secs(60);

const RULES: PinRules = PinRules {
    format: Format::Iso2,
    min: 6,
    max: 6,
    timeout_s: 30,
    language: 0x0804,
    display: false,
};

/// The model of the twin.
fn named() -> Pads {
    let text = "[[pad]]\nvendor = \"08e6\"\nproduct = \"4433\"\nrelease_min = \"0100\"";
    Pads::from_toml(text).unwrap()
}

async fn powered(pad: Pad) -> (TwinBus, SharedClock, Reader<TwinTransport>) {
    let model = Model {
        pad,
        ..Model::default()
    };
    let (bus, clock, mut reader) = opened(twin().with_model(model)).await;
    bus.desk("card-reader insert good").unwrap();
    reader.power_on(WITHIN).await.unwrap();
    (bus, clock, reader)
}

/// One entry with these keys two seconds in.
async fn typed(
    bus: &TwinBus,
    reader: &mut Reader<TwinTransport>,
    rules: &PinRules,
    keys: &str,
) -> Result<Entered, PinEntryError> {
    let (clock, hand) = (Rc::clone(reader.clock()), bus.clone());
    let keys = format!("card-reader pin {keys}");
    let hand = async move {
        clock.sleep(Duration::from_secs(2)).await;
        hand.desk(&keys).unwrap();
    };
    let pads = named();
    let entry = reader.verify_pin(&pads, rules, VERIFY, PATIENT);
    let (entered, ()) = tokio::join!(entry, hand);
    entered
}

#[test]
fn a_pin_goes_from_the_pad_to_the_card_in_every_format() {
    for format in [Format::Iso2, Format::Ascii(8), Format::Bcd(4)] {
        run(async {
            let (bus, _, mut reader) = powered(Pad::Works).await;
            let rules = PinRules { format, ..RULES };
            let right = typed(&bus, &mut reader, &rules, "right").await.unwrap();
            assert_eq!(right, Entered::Status(Sw::OK), "{format:?}");
            let wrong = typed(&bus, &mut reader, &rules, "wrong").await.unwrap();
            assert_eq!(wrong, Entered::Status(Sw(0x63C2)), "{format:?}");
            assert_eq!(bus.counter(NAME, "pin-verified"), 1);
            assert_eq!(bus.counter(NAME, "pin-refused"), 1);
        });
    }
}

#[test]
fn three_wrong_pins_block_the_card() {
    run(async {
        let (bus, _, mut reader) = powered(Pad::Works).await;
        for sw in [0x63C2, 0x63C1, 0x63C0, 0x6983] {
            let wrong = typed(&bus, &mut reader, &RULES, "wrong").await.unwrap();
            assert_eq!(wrong, Entered::Status(Sw(sw)));
        }
    });
}

#[test]
fn cancelled_short_and_untyped_entries_are_told_apart() {
    run(async {
        let (bus, clock, mut reader) = powered(Pad::Works).await;
        let cancelled = typed(&bus, &mut reader, &RULES, "cancel").await.unwrap();
        assert_eq!(cancelled, Entered::Cancelled);
        let short = typed(&bus, &mut reader, &RULES, "short").await.unwrap();
        assert_eq!(short, Entered::WrongSize);
        let before = clock.monotonic();
        let nobody = reader.verify_pin(&named(), &RULES, VERIFY, PATIENT).await;
        assert_eq!(nobody.unwrap(), Entered::TimedOut);
        // The reader's own 30 seconds.
        assert_eq!((clock.monotonic() - before).as_secs(), 30);
        // The caller's 10 seconds end the entry a second earlier.
        let before = clock.monotonic();
        let ten = Duration::from_secs(10);
        let nobody = reader.verify_pin(&named(), &RULES, VERIFY, ten).await;
        assert_eq!(nobody.unwrap(), Entered::TimedOut);
        assert_eq!((clock.monotonic() - before).as_secs(), 9);
        assert_eq!(bus.counter(NAME, "pin-timeouts"), 2);
        assert_eq!(bus.counter(NAME, "pin-cancelled"), 1);
    });
}

#[test]
fn an_entry_nobody_waits_for_is_cancelled_by_an_abort() {
    run(async {
        let (bus, clock, mut reader) = powered(Pad::Works).await;
        let pads = named();
        {
            let entry = reader.verify_pin(&pads, &RULES, VERIFY, PATIENT);
            let gone = clock.sleep(Duration::from_secs(3));
            tokio::select! {
                entered = entry => panic!("{entered:?}"),
                () = gone => {}
            }
        }
        reader.cancel().await;
        assert_eq!(bus.counter(NAME, "aborts"), 1);
        assert!(bus.desk("card-reader pin right").is_err());
        let right = typed(&bus, &mut reader, &RULES, "right").await.unwrap();
        assert_eq!(right, Entered::Status(Sw::OK));
    });
}

#[test]
fn a_card_pulled_while_the_pad_waits_ends_the_entry() {
    run(async {
        let (bus, clock, mut reader) = powered(Pad::Works).await;
        let hand = bus.clone();
        let pull = async move {
            clock.sleep(Duration::from_secs(2)).await;
            hand.desk("card-reader remove").unwrap();
        };
        let pads = named();
        let entry = reader.verify_pin(&pads, &RULES, VERIFY, PATIENT);
        let (entered, ()) = tokio::join!(entry, pull);
        assert_eq!(entered, Err(PinEntryError::Reader(CcidError::Absent)));
    });
}

#[test]
fn a_pin_is_changed_by_the_old_one_and_the_new_one_twice() {
    run(async {
        let (bus, clock, mut reader) = powered(Pad::Works).await;
        for (display, keys, expected) in [
            (false, "mismatch", Entered::Mismatch),
            (true, "wrong", Entered::Status(Sw(0x63C2))),
            (true, "right", Entered::Status(Sw::OK)),
            // What was right before is so no more, and the new one is.
            (false, "right", Entered::Status(Sw::OK)),
        ] {
            let (later, hand) = (Rc::clone(&clock), bus.clone());
            let typed = async move {
                later.sleep(Duration::from_secs(2)).await;
                hand.desk(&format!("card-reader pin {keys}")).unwrap();
            };
            let rules = PinRules { display, ..RULES };
            let pads = named();
            let entry = reader.modify_pin(&pads, &rules, CHANGE, PATIENT);
            let (entered, ()) = tokio::join!(entry, typed);
            assert_eq!(entered.unwrap(), expected, "{keys}");
        }
        assert_eq!(bus.counter(NAME, "pin-verified"), 2);
    });
}

#[test]
fn no_pad_is_used_that_configuration_does_not_name_whatever_it_claims() {
    run(async {
        let (bus, _, mut reader) = powered(Pad::Works).await;
        let newer = "[[pad]]\nvendor = \"08e6\"\nproduct = \"4433\"\nrelease_min = \"0101\"";
        for pads in [Pads::default(), Pads::from_toml(newer).unwrap()] {
            let refused = reader.verify_pin(&pads, &RULES, VERIFY, PATIENT).await;
            assert_eq!(refused, Err(PinEntryError::NotNamed));
        }
        assert_eq!(bus.counter(NAME, "pin-entries"), 0);
        let (_, _, mut none) = powered(Pad::None).await;
        let refused = none.verify_pin(&named(), &RULES, VERIFY, PATIENT).await;
        assert_eq!(refused, Err(PinEntryError::NotClaimed));
        let (_, _, mut claimed) = powered(Pad::Claimed).await;
        let lie = claimed.verify_pin(&named(), &RULES, VERIFY, PATIENT).await;
        let (command, code) = ("PIN entry", 0);
        let lie_told = CcidError::Refused { command, code };
        assert_eq!(lie, Err(PinEntryError::Reader(lie_told)));
    });
}

#[test]
fn a_pad_that_tells_what_was_typed_is_found_out() {
    run(async {
        let (bus, _, mut reader) = powered(Pad::Leaks).await;
        let leak = typed(&bus, &mut reader, &RULES, "right").await.unwrap_err();
        assert_eq!(leak, PinEntryError::Leak);
        assert_eq!(leak.remedy(), Remedy::OutOfService);
    });
}

#[test]
fn wrong_sizes_no_time_and_no_power_are_refused_before_anything_is_asked() {
    run(async {
        let (bus, _, mut reader) = powered(Pad::Works).await;
        let pads = named();
        let rules = PinRules { max: 13, ..RULES };
        let (min, max) = (6, 13);
        let big = reader.verify_pin(&pads, &rules, VERIFY, PATIENT).await;
        assert_eq!(
            big,
            Err(PinEntryError::Rules(BadRules::Digits { min, max }))
        );
        let soon = Duration::from_millis(1500);
        let hurried = reader.verify_pin(&pads, &RULES, VERIFY, soon).await;
        assert_eq!(hurried, Err(PinEntryError::Rules(BadRules::Time)));
        reader.power_off().await.unwrap();
        let off = reader.verify_pin(&pads, &RULES, VERIFY, PATIENT).await;
        assert_eq!(off, Err(PinEntryError::Reader(CcidError::NotPowered)));
        assert_eq!(bus.counter(NAME, "pin-entries"), 0);
    });
}

async fn with_blocks(pad: Pad, made: &str) -> (TwinBus, Reader<TwinTransport>) {
    let (bus, _, mut reader) = powered(pad).await;
    bus.desk("card-reader remove").unwrap();
    bus.desk(&format!("card-reader insert good {made}"))
        .unwrap();
    reader.power_on(WITHIN).await.unwrap();
    (bus, reader)
}

#[test]
fn behind_a_tpdu_reader_the_host_gives_the_block_its_prologue_and_the_pad_the_digits() {
    for made in ["t1", "t1-crc"] {
        run(async {
            let (bus, mut reader) = with_blocks(Pad::Works, made).await;
            let select = [0x00, 0xA4, 0x04, 0x00, 0x00];
            for (keys, entered) in [
                ("right", Entered::Status(Sw::OK)),
                ("wrong", Entered::Status(Sw(0x63C2))),
                // What is not sent moves no number.
                ("cancel", Entered::Cancelled),
                ("short", Entered::WrongSize),
                ("right", Entered::Status(Sw::OK)),
            ] {
                let got = typed(&bus, &mut reader, &RULES, keys).await;
                assert_eq!(got, Ok(entered), "{made} {keys}");
                reader.transmit(&select, WITHIN).await.unwrap();
            }
            assert_eq!(bus.counter(NAME, "pin-verified"), 2);
            assert_eq!(bus.counter(NAME, "resyncs"), 0);
        });
    }
}

#[test]
fn an_answer_that_is_late_damaged_or_lost_is_had_again_but_no_pin_is_sent_twice() {
    for line in ["t1 wtx 2", "t1 damage 1", "t1 lose 1"] {
        run(async {
            let (bus, mut reader) = with_blocks(Pad::Works, "t1").await;
            bus.desk(&format!("card-reader {line}")).unwrap();
            let wrong = typed(&bus, &mut reader, &RULES, "wrong").await;
            assert_eq!(wrong, Ok(Entered::Status(Sw(0x63C2))), "{line}");
            assert_eq!(bus.counter(NAME, "pin-refused"), 1, "{line}");
        });
    }
    run(async {
        let (bus, mut reader) = with_blocks(Pad::Works, "t1").await;
        bus.desk("card-reader t1 ask 1").unwrap();
        let lost = typed(&bus, &mut reader, &RULES, "right").await;
        let told = PinEntryError::Reader(CcidError::T1(T1Error::Lost));
        assert_eq!(lost, Err(told), "the card wants what only the pad had");
        let again = typed(&bus, &mut reader, &RULES, "right").await;
        assert_eq!(again, Ok(Entered::Status(Sw::OK)));
    });
}

#[test]
fn a_pad_that_tells_what_was_typed_is_found_out_behind_blocks_too() {
    run(async {
        let (bus, mut reader) = with_blocks(Pad::Leaks, "t1").await;
        let leak = typed(&bus, &mut reader, &RULES, "right").await;
        assert_eq!(leak, Err(PinEntryError::Leak));
    });
}
