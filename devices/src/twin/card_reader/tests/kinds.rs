//! Readers and cards of other kinds, and every fault the desk knows, counted.

use super::*;
use crate::driver::ccid::t1::T1Error;

/// A reader that leaves everything to the host.
const BARE: Model = Model {
    level: Level::Tpdu,
    automatic: false,
    voltages: 7,
    interrupt: true,
    slots: 1,
    pad: Pad::None,
};

/// Reads the card that is inserted by this line.
async fn read_after(model: Model, lines: &[&str]) -> (TwinBus, Result<SettlementCard, CardError>) {
    let (bus, _, mut reader) = opened(twin().with_model(model)).await;
    for line in lines {
        bus.desk(&format!("card-reader {line}")).unwrap();
    }
    let card = read(&mut reader).await;
    (bus, card)
}

fn proven(model: Model, lines: &[&str], counted: &[(&str, u64)]) {
    run(async {
        let (bus, card) = read_after(model, lines).await;
        let card = card.unwrap_or_else(|error| panic!("{lines:?}: {error}"));
        assert_eq!(card.proof, CardProof::Genuine, "{lines:?}");
        for (counter, count) in counted {
            assert_eq!(bus.counter(NAME, counter), *count, "{lines:?} {counter}");
        }
    });
}

#[test]
fn a_t1_card_is_read_at_every_level_with_either_sum() {
    for card in ["insert good t1", "insert good t1-crc"] {
        proven(Model::default(), &[card], &[("resyncs", 0)]);
        proven(BARE, &[card], &[("parameters", 1)]);
        for level in [Level::ShortApdu, Level::ExtendedApdu] {
            let model = Model {
                level,
                ..Model::default()
            };
            proven(model, &[card], &[("blocks", 0)]);
        }
    }
}

#[test]
fn blocks_that_are_damaged_lost_or_asked_for_again_cost_nothing_but_time() {
    for (line, counter, n) in [
        ("t1 damage 2", "blocks-damaged", 2),
        ("t1 lose 2", "blocks-lost", 2),
        ("t1 ask 2", "blocks-asked", 2),
        ("t1 wtx 5", "wtx", 5),
    ] {
        proven(
            Model::default(),
            &["insert good t1", line],
            &[(counter, n), ("resyncs", 0)],
        );
    }
}

#[test]
fn a_chain_given_up_ends_the_read_and_the_next_one_works() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good t1").unwrap();
        bus.desk("card-reader t1 abort 1").unwrap();
        let given_up = read(&mut reader).await.unwrap_err();
        assert_eq!(given_up, CardError::Reader(CcidError::T1(T1Error::Aborted)));
        assert_eq!(given_up.remedy(), Remedy::Retry);
        assert_eq!(bus.counter(NAME, "chains-given-up"), 1);
        assert_eq!(read(&mut reader).await.unwrap().proof, CardProof::Genuine);
    });
}

#[test]
fn a_t1_card_that_is_lost_is_resynchronised_and_the_command_not_repeated() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good t1").unwrap();
        reader.power_on(WITHIN).await.unwrap();
        let before = bus.counter(NAME, "apdus");
        bus.desk("card-reader t1 damage 3").unwrap();
        let file = [0, 0xB0, 0, 0, 4];
        let lost = reader.transmit(&file, WITHIN).await.unwrap_err();
        assert_eq!(lost, CcidError::T1(T1Error::Lost));
        assert_eq!(bus.counter(NAME, "resyncs"), 1);
        assert_eq!(bus.counter(NAME, "apdus"), before + 1);
        let answer = reader.transmit(&file, WITHIN).await.unwrap();
        assert_eq!(*answer.data, [0, 1, 2, 3]);
        bus.desk("card-reader t1 lose 99").unwrap();
        let mute = reader.transmit(&file, WITHIN).await.unwrap_err();
        assert_eq!(mute, CcidError::T1(T1Error::NoAnswer));
    });
}

#[test]
fn a_card_of_one_voltage_is_found_and_one_of_another_stays_mute() {
    for only in ["only-5v", "only-3v", "only-1.8v"] {
        let line = format!("insert good {only}");
        proven(BARE, &[&line], &[("power-ons", 1)]);
        proven(Model::default(), &[&line], &[("power-ons", 1)]);
    }
    run(async {
        let voltages = 3;
        let two = Model { voltages, ..BARE };
        let (bus, mute) = read_after(two, &["insert good only-1.8v"]).await;
        assert_eq!(mute.unwrap_err(), CardError::Reader(CcidError::Mute));
        assert_eq!(bus.counter(NAME, "power-ons"), 0);
    });
}

#[test]
fn a_fast_card_is_asked_for_its_rate_and_a_stubborn_one_left_at_its_own() {
    let counted = [("selections", 1), ("parameters", 1), ("power-ons", 1)];
    proven(BARE, &["insert good fast"], &counted);
    proven(BARE, &["insert good t1 fast"], &counted);
    let counted = [("selections", 0), ("parameters", 1), ("power-ons", 2)];
    proven(BARE, &["insert good stubborn"], &counted);
    // The reader does it all itself.
    let counted = [("selections", 0), ("parameters", 0)];
    proven(Model::default(), &["insert good fast"], &counted);
}

#[test]
fn extensions_stale_answers_a_busy_slot_and_parity_are_got_over() {
    for (line, counter, n) in [
        ("extend 3", "extensions", 3),
        ("stale 1", "stale-answers", 1),
        ("busy 2", "busy", 2),
        ("parity 1", "parity", 1),
    ] {
        proven(Model::default(), &["insert good", line], &[(counter, n)]);
    }
}

#[test]
fn an_answer_from_another_slot_ends_the_read() {
    run(async {
        let two = Model {
            slots: 2,
            ..Model::default()
        };
        let (bus, wrong) = read_after(two, &["insert good", "wrong-slot 1"]).await;
        let command = "exchange";
        let expected = CcidError::WrongSlot { command, slot: 1 };
        assert_eq!(wrong.unwrap_err(), CardError::Reader(expected));
        assert_eq!(bus.counter(NAME, "wrong-slots"), 1);
    });
}

#[test]
fn a_mute_exchange_is_aborted_before_the_next() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good").unwrap();
        reader.power_on(WITHIN).await.unwrap();
        bus.desk("card-reader extend 99").unwrap();
        let short = Duration::from_secs(2);
        let late = reader.transmit(&[0, 0xB0, 0, 0, 4], short).await;
        assert!(matches!(late, Err(CcidError::Late { .. })), "{late:?}");
        assert_eq!(bus.counter(NAME, "aborts"), 0);
        let answer = reader.transmit(&[0, 0xB0, 0, 0, 4], WITHIN).await.unwrap();
        assert_eq!((answer.data.len(), bus.counter(NAME, "aborts")), (4, 1));
    });
}

#[test]
fn long_commands_and_answers_go_in_parts_or_blocks() {
    let read = [0, 0xB0, 0, 0, 0, 0x03, 0xE8];
    let mut write = vec![0, 0xD6, 0, 0, 0, 0x02, 0x58];
    write.extend([7; 600]);
    let expected: Vec<u8> = (0..1000_usize)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    for (level, card, counter) in [
        (Level::ExtendedApdu, "insert good", "parts"),
        (Level::ExtendedApdu, "insert good t1", "parts"),
        (Level::Tpdu, "insert good t1", "blocks"),
    ] {
        run(async {
            let (bus, _, mut reader) = opened(twin().with_level(level)).await;
            bus.desk(&format!("card-reader {card}")).unwrap();
            reader.power_on(WITHIN).await.unwrap();
            let long = reader.transmit(&read, WITHIN).await.unwrap();
            assert_eq!((&*long.data, long.sw), (&expected, Sw::OK), "{level:?}");
            let written = reader.transmit(&write, WITHIN).await.unwrap();
            assert_eq!(written.sw, Sw::OK);
            assert!(bus.counter(NAME, counter) >= 7, "{level:?}");
        });
    }
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good").unwrap();
        reader.power_on(WITHIN).await.unwrap();
        // Behind T=0 the command goes in envelopes; so much of an answer does not.
        let before = bus.counter(NAME, "apdus");
        let written = reader.transmit(&write, WITHIN).await.unwrap();
        assert_eq!(
            (written.sw, bus.counter(NAME, "apdus") - before),
            (Sw::OK, 3)
        );
        let refused = reader.transmit(&read, WITHIN).await.unwrap_err();
        assert_eq!(refused, CcidError::ShortOnly);
    });
}

#[test]
fn without_an_interrupt_pipe_the_slot_is_asked() {
    run(async {
        let quiet = Model {
            interrupt: false,
            ..Model::default()
        };
        let (bus, clock, mut reader) = opened(twin().with_model(quiet)).await;
        let (hand, later) = (bus.clone(), Rc::clone(&clock));
        let insert = async move {
            later.sleep(Duration::from_secs(3)).await;
            hand.desk("card-reader insert good").unwrap();
        };
        let deadline = clock.monotonic() + Duration::from_secs(30);
        let (seen, ()) = tokio::join!(reader.wait_card(deadline), insert);
        assert!(seen.unwrap());
        assert!(clock.monotonic() < Duration::from_secs(4));
        assert_eq!(read(&mut reader).await.unwrap().proof, CardProof::Genuine);
    });
}

#[test]
fn the_second_slot_of_a_reader_is_its_own() {
    run(async {
        let model = Model {
            slots: 2,
            ..Model::default()
        };
        let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let bus = TwinBus::new(Rc::clone(&clock));
        let twin = twin().with_model(model);
        bus.plug(NAME, Rc::new(RefCell::new(twin)));
        bus.desk("card-reader insert good").unwrap();
        let transport = bus.open_now(NAME).unwrap();
        let mut second = Reader::open_slot(transport, clock, 1).await.unwrap();
        assert!(!second.present().await.unwrap());
        assert_eq!(
            second.power_on(WITHIN).await.unwrap_err(),
            CcidError::Absent
        );
    });
}

#[test]
fn the_desk_refuses_what_no_card_can_do() {
    let mut twin = twin();
    let now = Duration::ZERO;
    assert!(twin.desk(now, "t1 damage 1").is_err());
    assert!(twin.desk(now, "extend 0").is_err());
    assert!(twin.desk(now, "insert good only-4v").is_err());
    twin.desk(now, "insert good").unwrap();
    assert!(twin.desk(now, "t1 damage 1").is_err());
}

/// Blocks of another tool's simulator, given to the card without the driver.
#[test]
fn the_card_answers_blocks_of_another_tool() {
    let mut twin = twin();
    twin.desk(Duration::ZERO, "insert good t1").unwrap();
    let (mut now, mut seq) = (Duration::ZERO, 0_u8);
    let mut say = |twin: &mut CardReaderTwin, kind: u8, data: &str| {
        let data = unhex(&data.replace(' ', "")).unwrap();
        let length = u8::try_from(data.len()).unwrap();
        seq += 1;
        let head = [kind, length, 0, 0, 0, 0, seq, 0, 0, 0];
        twin.out(now, COMMANDS, &[&head[..], &data].concat());
        now += Duration::from_secs(5);
        match twin.poll_in(now, ANSWERS, 512) {
            InReply::Data(bytes) => hex(&bytes[10..]),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(say(&mut twin, 0x62, ""), "3b808131fe458b");
    assert_eq!(say(&mut twin, 0x6F, "00 c1 01 fe 3e"), "00e101fe1e");
    // A chain of two parts: the file is unknown.
    assert_eq!(
        say(&mut twin, 0x6F, "00 20 08 00a4040008010203 80"),
        "00900090"
    );
    assert_eq!(
        say(&mut twin, 0x6F, "00 40 05 0405060708 4d"),
        "0000026a82ea"
    );
    assert_eq!(say(&mut twin, 0x6F, "00 c0 00 c0"), "00e000e0");
    // A wrong sum is asked for again.
    assert_eq!(say(&mut twin, 0x6F, "00 00 05 00b2010c00 00"), "00810081");
}

#[test]
fn a_t1_card_pulled_during_any_command_is_removed_and_the_next_read_works() {
    for made in ["good t1", "good t1 combined", "good no-directory"] {
        run(async {
            let (bus, _, mut reader) = opened(twin()).await;
            bus.desk(&format!("card-reader insert {made}")).unwrap();
            read(&mut reader).await.unwrap();
            let commands = bus.counter(NAME, "apdus");
            assert!(commands > 8, "{made}");
            for number in 1..=commands {
                let line = format!("card-reader remove during apdu {number}");
                bus.desk(&line).unwrap();
                let pulled = read(&mut reader).await.unwrap_err();
                assert_eq!(pulled, CardError::Removed, "{made}, apdu {number}");
                bus.desk(&format!("card-reader insert {made}")).unwrap();
            }
            assert_eq!(read(&mut reader).await.unwrap().proof, CardProof::Genuine);
        });
    }
}
