//! Voltages, protocols and exchange levels: what a reader leaves to the host.

use super::super::atr::Protocol;
use super::super::scripted::opened_with;
use super::super::t1::T1Error;
use super::*;

/// TPDU, everything automatic but IFSD.
const TPDU: u32 = 0x0001_00BA;
/// TPDU, automatic voltage and nothing else.
const TPDU_BARE: u32 = 0x0001_0038;
/// Extended APDUs.
const EXTENDED: u32 = 0x0004_00BA;
const T1: &str = "3bf81300008131fe454a434f5076323431b7";

/// A block with its LRC.
fn lrc(text: &str) -> Vec<u8> {
    let mut block = bytes(text);
    block.push(block.iter().fold(0, |sum, b| sum ^ b));
    block
}

/// The data of every message of a kind.
fn data_of(said: &[String], kind: &str) -> Vec<String> {
    let of = said.iter().filter(|m| m.starts_with(kind));
    of.map(|m| m[20..].to_owned()).collect()
}

#[test]
fn a_t1_card_at_a_tpdu_reader_is_told_the_block_size_and_spoken_to_in_blocks() {
    run(async {
        let answers = card(T1, |command, count| {
            let reply = match count {
                0 => lrc("00 e1 01 fe"),
                1 => lrc("00 c3 01 03"),
                2 => lrc("00 00 03 ab 90 00"),
                _ => lrc("00 40 02 6a 83"),
            };
            vec![answer(0x80, command, [0, 0, 0], &reply)]
        });
        let (mut reader, said) = opened(TPDU, answers).await;
        let atr = reader.power_on(WITHIN).await.unwrap();
        assert_eq!(atr.protocol, Protocol::T1);
        let first = reader.transmit(&FILE, WITHIN).await.unwrap();
        assert_eq!((first.data.as_slice(), first.sw), (&[0xAB][..], Sw::OK));
        let second = reader.transmit(&FILE, WITHIN).await.unwrap();
        assert_eq!(second.sw, Sw(0x6A83));
        let said = said.borrow();
        let blocks = data_of(&said, "6f");
        let i0 = hex_of(&lrc("00 00 05 00b2010c00"));
        let wtx = hex_of(&lrc("00 e3 01 03"));
        let i1 = hex_of(&lrc("00 40 05 00b2010c00"));
        assert_eq!(blocks, ["00c101fe3e".to_owned(), i0, wtx, i1]);
        // The extension is also the reader's: bBWI 3.
        let waits: Vec<&str> = said.iter().map(|m| &m[14..16]).collect();
        assert_eq!(waits[1..], ["00", "00", "03", "00"]);
    });
}

fn hex_of(bytes: &[u8]) -> String {
    counterfoil_data::wire::hex(bytes)
}

#[test]
fn damage_and_silence_are_recovered_and_a_lost_exchange_is_named() {
    run(async {
        let answers = card(T1, |command, count| match count {
            0 => vec![answer(0x80, command, [0, 0, 0], &lrc("00 e1 01 fe"))],
            1 => vec![answer(0x80, command, [0x40, 0xFD, 0], &[])],
            2 => vec![answer(0x80, command, [0, 0, 0], &lrc("00 00 02 90 00"))],
            // The second exchange: mute, until both begin anew.
            3..=5 => vec![answer(0x80, command, [0x40, 0xFE, 0], &[])],
            6 => vec![answer(0x80, command, [0, 0, 0], &lrc("00 e0 00"))],
            7 => vec![answer(0x80, command, [0, 0, 0], &lrc("00 e1 01 fe"))],
            _ => vec![answer(0x80, command, [0, 0, 0], &lrc("00 00 02 90 00"))],
        });
        let (mut reader, said) = opened(TPDU, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        assert_eq!(reader.transmit(&FILE, WITHIN).await.unwrap().sw, Sw::OK);
        let lost = reader.transmit(&FILE, WITHIN).await.unwrap_err();
        assert_eq!(lost, CcidError::T1(T1Error::Lost));
        said.borrow_mut().clear();
        assert_eq!(reader.transmit(&FILE, WITHIN).await.unwrap().sw, Sw::OK);
        // The size is agreed again, and the numbers begin at 0.
        let blocks = data_of(&said.borrow(), "6f");
        assert_eq!(blocks[0], "00c101fe3e");
        assert!(blocks[1].starts_with("000005"));
    });
}

#[test]
fn a_pps_is_asked_where_the_reader_does_none_and_its_rate_is_set() {
    run(async {
        let answers = card(T1, |command, count| {
            let reply = match count {
                0 => bytes("ff 11 13 fd"),
                _ => lrc("00 e1 01 fe"),
            };
            vec![answer(0x80, command, [0, 0, 0], &reply)]
        });
        let (mut reader, said) = opened(TPDU_BARE, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        let said = said.borrow();
        assert_eq!(data_of(&said, "6f")[0], "ff1113fd");
        // T=1 at Fi 372, Di 4, with the waiting integers and IFSC of the card.
        let set = said.iter().find(|m| m.starts_with("61")).unwrap();
        assert_eq!(&set[14..], "010000131000450 0fe00".replace(' ', ""));
    });
}

#[test]
fn a_card_that_answers_no_pps_is_left_at_its_default() {
    run(async {
        let answers = card(T1, |command, count| match count {
            0 => vec![answer(0x80, command, [0x40, 0xFE, 0], &[])],
            _ => vec![answer(0x80, command, [0, 0, 0], &lrc("00 e1 01 fe"))],
        });
        let (mut reader, said) = opened(TPDU_BARE, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        let said = said.borrow();
        let powered = said.iter().filter(|m| m.starts_with("62")).count();
        assert_eq!(
            (powered, data_of(&said, "61")[0].as_str()),
            (2, "1110004500fe00")
        );
    });
}

#[test]
fn a_card_whose_protocol_nobody_speaks_is_refused() {
    run(async {
        // T=0 alone; T=1 must not be spoken to it.
        let only_t0 = |d: &mut [u8]| d[6] = 1;
        let answers = card(T1, |_, _| vec![]);
        let (mut reader, _) = opened_with(TPDU, only_t0, answers).await;
        let refused = reader.power_on(WITHIN).await.unwrap_err();
        assert_eq!(refused, CcidError::HostProtocol(Protocol::T1));
        // The same card where the reader moves APDUs.
        let (mut reader, _) = opened_with(COMFORTABLE, only_t0, card(T1, |_, _| vec![])).await;
        let atr = reader.power_on(WITHIN).await.unwrap();
        assert_eq!(atr.protocol, Protocol::T1);
    });
}

#[test]
fn a_reader_that_will_not_choose_the_voltage_it_claims_to_choose_is_told_one() {
    run(async {
        let answers: Answers = Box::new(|command| match (command[0], command[7]) {
            (0x62, 0) => vec![answer(0x80, command, [0x41, 7, 0], &[])],
            (0x62, _) => vec![answer(0x80, command, [0, 0, 0], &bytes(T0))],
            _ => vec![answer(0x81, command, [0, 0, 0], &[])],
        });
        let (mut reader, said) = opened(COMFORTABLE, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        let said = said.borrow();
        let volts: Vec<&str> = said.iter().map(|m| &m[14..16]).collect();
        assert_eq!(volts, ["00", "01"]);
    });
}

#[test]
fn a_card_mute_at_every_voltage_is_mute() {
    run(async {
        let answers: Answers = Box::new(|command| match command[0] {
            0x62 => vec![answer(0x80, command, [0x41, 0xFE, 0], &[])],
            _ => vec![answer(0x81, command, [1, 0, 0], &[])],
        });
        let three = |d: &mut [u8]| d[5] = 7;
        let (mut reader, said) = opened_with(0x0001_0030, three, answers).await;
        assert_eq!(reader.power_on(WITHIN).await.unwrap_err(), CcidError::Mute);
        let said = said.borrow();
        let tries = said.iter().filter(|m| m.starts_with("62"));
        let volts: Vec<&str> = tries.map(|m| &m[14..16]).collect();
        assert_eq!(volts, ["01", "02", "03"]);
    });
}

#[test]
fn an_extended_apdu_goes_in_parts_and_its_answer_comes_in_parts() {
    run(async {
        let answers = card(T0, |command, _| {
            let reply = match u16::from_le_bytes([command[8], command[9]]) {
                // Taken; go on.
                1 | 3 => (0x10, Vec::new()),
                2 => (1, vec![1, 2]),
                _ => (2, vec![3, 0x90, 0x00]),
            };
            vec![answer(0x80, command, [0, 0, reply.0], &reply.1)]
        });
        let (mut reader, said) = opened(EXTENDED, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        said.borrow_mut().clear();
        let mut apdu = vec![0, 0xD6, 0, 0, 0, 2, 0x58];
        apdu.extend(vec![7; 600]);
        let answer = reader.transmit(&apdu, WITHIN).await.unwrap();
        assert_eq!(
            (answer.data.as_slice(), answer.sw),
            (&[1, 2, 3][..], Sw::OK)
        );
        let said = said.borrow();
        let levels: Vec<&str> = said.iter().map(|m| &m[16..20]).collect();
        // 261 bytes a message (dwMaxCCIDMessageLength 271), then the next part.
        assert_eq!(levels, ["0100", "0300", "0200", "1000"]);
        let sent: usize = data_of(&said, "6f").iter().map(|d| d.len() / 2).sum();
        assert_eq!((sent, said[0].len() / 2), (607, 271));
    });
}

#[test]
fn a_part_that_the_reader_does_not_ask_to_be_followed_ends_the_exchange() {
    run(async {
        let answers = card(T0, |command, _| {
            vec![answer(0x80, command, [0, 0, 0], &[0x90, 0x00])]
        });
        let (mut reader, _) = opened(EXTENDED, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        let mut apdu = vec![0, 0xD6, 0, 0, 0, 2, 0x58];
        apdu.extend(vec![7; 600]);
        let cut = reader.transmit(&apdu, WITHIN).await.unwrap_err();
        assert_eq!(cut, CcidError::Chain(0));
    });
}

#[test]
fn an_extended_apdu_is_sent_short_where_it_fits_and_refused_where_not() {
    run(async {
        let (mut reader, said) = opened(COMFORTABLE, card(T0, |c, _| vec![ok(c)])).await;
        reader.power_on(WITHIN).await.unwrap();
        said.borrow_mut().clear();
        let fits = [0, 0xB0, 0, 0, 0, 1, 0];
        reader.transmit(&fits, WITHIN).await.unwrap();
        assert_eq!(data_of(&said.borrow(), "6f"), ["00b0000000"]);
        let long = [0, 0xB0, 0, 0, 0, 3, 0xE8];
        let refused = reader.transmit(&long, WITHIN).await.unwrap_err();
        assert_eq!(refused, CcidError::ShortOnly);
    });
}

/// 7816-3 §12.2.5: C2 with 255 bytes of the command, then with the rest; the answer to
/// the last one is the command's own, its data fetched by GET RESPONSE.
#[test]
fn too_much_data_goes_in_envelopes_and_a_card_without_them_is_told_of() {
    let long = [&[0, 0xD6, 0, 0, 0, 1, 0][..], &[7; 256], &[1, 0]].concat();
    run(async {
        let answers = card(T0, |command, _| {
            let said = match command[10..] {
                [0, 0xC2, 0, 0, 255, 0, 0xD6, ..] => vec![0x90, 0],
                [0, 0xC2, 0, 0, 10, ..] => vec![0x61, 2],
                [0, 0xC0, 0, 0, 2] => vec![8, 9, 0x90, 0],
                _ => vec![0x6F, 0],
            };
            vec![answer(0x80, command, [0, 0, 0], &said)]
        });
        let (mut reader, _) = opened(TPDU, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        let done = reader.transmit(&long, WITHIN).await.unwrap();
        assert_eq!((done.data.as_slice(), done.sw), (&[8, 9][..], Sw::OK));
    });
    for (said, told) in [
        ([0x6D, 0x00], Err(CcidError::ShortOnly)),
        ([0x69, 0x85], Ok(Sw(0x6985))),
    ] {
        run(async move {
            let answers = card(T0, move |c, _| vec![answer(0x80, c, [0, 0, 0], &said)]);
            let (mut reader, all) = opened(TPDU, answers).await;
            reader.power_on(WITHIN).await.unwrap();
            all.borrow_mut().clear();
            let done = reader.transmit(&long_write(), WITHIN).await;
            assert_eq!(done.map(|d| d.sw), told);
            assert_eq!(data_of(&all.borrow(), "6f").len(), 1, "no second part");
        });
    }
}

fn long_write() -> Vec<u8> {
    [&[0, 0xD6, 0, 0, 0, 1, 0][..], &[7; 256]].concat()
}

#[test]
fn another_slot_of_a_reader_is_spoken_to_by_its_number() {
    run(async {
        let two = |d: &mut [u8]| d[4] = 1;
        let answers: Answers = Box::new(|_| vec![]);
        let (transport, said) = super::super::scripted::scripted_with(TPDU, two, answers);
        let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        // The scripted reader answers from slot 0 alone.
        let refused = Reader::open_slot(transport, Rc::clone(&clock), 1)
            .await
            .err();
        let command = "slot status";
        assert_eq!(refused, Some(CcidError::WrongSlot { command, slot: 0 }));
        assert_eq!(said.borrow()[0], "65000000000101000000");
        let (transport, _) = scripted(TPDU, Box::new(|_| vec![]));
        let none = Reader::open_slot(transport, clock, 1).await.err();
        assert_eq!(none, Some(CcidError::NoSlot(1)));
    });
}
