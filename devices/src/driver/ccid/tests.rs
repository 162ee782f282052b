//! Rules of CCID §6 that only misbehaving or minimal readers show.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;

use super::kind::Refusal;
use super::scripted::{
    Answers, STALL, Scripted, answer, bytes, opened, opened_telling, run, scripted,
};
use super::*;
use crate::system::TokioClock;

mod levels;

const WITHIN: Duration = Duration::from_secs(30);
/// Short APDU, everything automatic.
const COMFORTABLE: u32 = 0x0002_00BA;
/// TPDU, nothing automatic (as 072f:90cc).
const BARE: u32 = 0x0001_0030;
const T0: &str = "3b6d000080650849048653000000000000";
const FILE: [u8; 5] = [0x00, 0xB2, 0x01, 0x0C, 0x00];

/// Powers with `atr`, and answers exchanges with `exchange(command, how many before)`.
fn card(
    atr: &'static str,
    mut exchange: impl FnMut(&[u8], usize) -> Vec<Vec<u8>> + 'static,
) -> Answers {
    let mut count = 0;
    Box::new(move |command| match command[0] {
        0x62 => vec![answer(0x80, command, [0, 0, 0], &bytes(atr))],
        0x61 => vec![answer(0x82, command, [0, 0, 0], &[])],
        0x6F => {
            count += 1;
            exchange(command, count - 1)
        }
        _ => vec![answer(0x81, command, [0, 0, 0], &[])],
    })
}

async fn powered(features: u32, answers: Answers) -> Reader<Scripted> {
    let (mut reader, _) = opened(features, answers).await;
    reader.power_on(WITHIN).await.unwrap();
    reader
}

/// One exchange with these answers.
fn exchange(
    reply: impl FnMut(&[u8], usize) -> Vec<Vec<u8>> + 'static,
) -> Result<(Vec<u8>, Sw), CcidError> {
    run(async {
        let mut reader = powered(COMFORTABLE, card(T0, reply)).await;
        let answer = reader.transmit(&FILE, WITHIN).await?;
        Ok((answer.data.to_vec(), answer.sw))
    })
}

fn ok(command: &[u8]) -> Vec<u8> {
    answer(0x80, command, [0, 0, 0], &[0xAB, 0x90, 0x00])
}

fn foreign(command: &[u8]) -> Vec<u8> {
    let mut message = ok(command);
    message[6] = message[6].wrapping_sub(1);
    message
}

#[test]
fn a_card_pulled_during_a_command_that_is_never_answered_is_known_by_what_the_reader_tells() {
    // As QEMU's reader does it: 50 02, and no answer.
    let (out, back_in) = ([0x50, 0x02], [0x50, 0x03]);
    let transmitted = |notices: &[[u8; 2]]| {
        run(async {
            let silent = card(T0, |_, _| Vec::new());
            let mut reader = opened_telling(COMFORTABLE, notices, silent).await;
            reader.power_on(WITHIN).await.unwrap();
            let started = reader.clock().monotonic();
            let done = reader.transmit(&FILE, WITHIN).await.map(|answer| answer.sw);
            (done, reader.clock().monotonic().saturating_sub(started))
        })
    };
    let (done, took) = transmitted(&[back_in, out]);
    assert_eq!(done, Err(CcidError::Absent));
    assert!(took <= Duration::from_secs(2), "{took:?}");
    let (done, _) = transmitted(&[out, back_in]);
    assert!(matches!(done, Err(CcidError::Late { .. })), "{done:?}");
}

#[test]
fn an_empty_answer_of_an_empty_slot_is_a_card_that_was_pulled() {
    // QEMU's reader, when it is quick enough: no error, nothing in the slot, no bytes.
    let pulled = |command: &[u8], _| vec![answer(0x80, command, [0x02, 0, 0], &[])];
    assert_eq!(exchange(pulled), Err(CcidError::Absent));
}

#[test]
fn ten_answers_to_older_commands_are_dropped_and_an_eleventh_is_out_of_step() {
    let many = |n: usize| {
        move |command: &[u8], _| {
            let mut all = vec![foreign(command); n];
            all.push(ok(command));
            all
        }
    };
    assert_eq!(exchange(many(10)), Ok((vec![0xAB], Sw::OK)));
    assert_eq!(exchange(many(11)), Err(CcidError::OutOfStep));
}

#[test]
fn empty_transfers_before_an_answer_are_skipped_and_wrong_lengths_are_not() {
    let empty = exchange(|command, _| vec![vec![], vec![], ok(command)]);
    assert_eq!(empty, Ok((vec![0xAB], Sw::OK)));
    let short = exchange(|command, _| vec![ok(command)[..12].to_vec()]);
    assert!(matches!(short, Err(CcidError::Malformed(_))), "{short:?}");
    let kind = exchange(|command, _| vec![answer(0x81, command, [0; 3], &[])]);
    assert_eq!(
        kind,
        Err(CcidError::WrongKind {
            command: "exchange",
            kind: 0x81
        })
    );
}

#[test]
fn a_chained_answer_is_put_together_although_the_reader_claims_short_apdus() {
    run(async {
        let answers = card(T0, |command, count| {
            let part: (u8, &[u8]) = match count {
                0 => (1, &[1, 2]),
                1 => (3, &[3]),
                _ => (2, &[4, 0x90, 0x00]),
            };
            vec![answer(0x80, command, [0, 0, part.0], part.1)]
        });
        let (mut reader, said) = opened(COMFORTABLE, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        said.borrow_mut().clear();
        let whole = reader.transmit(&FILE, WITHIN).await.unwrap();
        assert_eq!(
            (whole.data.as_slice(), whole.sw),
            (&[1, 2, 3, 4][..], Sw::OK)
        );
        let said = said.borrow();
        // "Give me the next part": wLevelParameter 0010.
        assert_eq!(said[1], "6f000000000004001000");
        assert_eq!(said.len(), 3);
    });
}

#[test]
fn a_busy_slot_is_asked_again_and_a_bad_contact_once() {
    let busy = exchange(|command, count| match count {
        0 | 1 => vec![answer(0x80, command, [0x40, 0xE0, 0], &[])],
        _ => vec![ok(command)],
    });
    assert_eq!(busy, Ok((vec![0xAB], Sw::OK)));
    let always = exchange(|command, _| vec![answer(0x80, command, [0x40, 0xE0, 0], &[])]);
    assert_eq!(always, Err(CcidError::Busy));
    let parity = exchange(|command, count| match count {
        0 => vec![answer(0x80, command, [0x40, 0xFD, 0], &[])],
        _ => vec![ok(command)],
    });
    assert_eq!(parity, Ok((vec![0xAB], Sw::OK)));
    let always = exchange(|command, _| vec![answer(0x80, command, [0x40, 0xFD, 0], &[])]);
    assert_eq!(always, Err(CcidError::Contact(0xFD)));
}

#[test]
fn time_extensions_are_waited_for_but_not_for_ever() {
    let extension = |command: &[u8]| answer(0x80, command, [0x80, 5, 0], &[]);
    let later = exchange(move |command, _| vec![extension(command), ok(command)]);
    assert_eq!(later, Ok((vec![0xAB], Sw::OK)));
    let never = exchange(move |command, _| vec![extension(command); 500]);
    assert!(matches!(never, Err(CcidError::Late { .. })), "{never:?}");
    let silent = exchange(|_, _| vec![]);
    assert!(matches!(silent, Err(CcidError::Late { .. })), "{silent:?}");
}

#[test]
fn absent_mute_and_refused_are_told_apart() {
    let fail = |icc: u8, code: u8| {
        exchange(move |command, _| vec![answer(0x80, command, [0x40 | icc, code, 0], &[])])
    };
    assert_eq!(fail(2, 0xFE), Err(CcidError::Absent));
    assert_eq!(fail(0, 0xFE), Err(CcidError::Mute));
    assert_eq!(fail(1, 0xF3), Err(CcidError::NotPowered));
    assert_eq!(
        fail(0, 0xF6),
        Err(CcidError::Refused {
            command: "exchange",
            code: 0xF6
        })
    );
}

#[test]
fn a_reader_that_chooses_no_voltage_is_given_five_volts_first_and_only_what_it_has() {
    run(async {
        let answers: Answers = Box::new(|command| match (command[0], command[7]) {
            (0x62, 3) => vec![answer(0x80, command, [0, 0, 0], &bytes(T0))],
            (0x62, _) => vec![answer(0x80, command, [0x41, 0xFE, 0], &[])],
            // The parameter cannot be changed: as good as done.
            (0x61, _) => vec![answer(0x82, command, [0x40, 11, 0], &[])],
            _ => vec![answer(0x81, command, [1, 0, 0], &[])],
        });
        let (mut reader, said) = opened(BARE, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        let said = said.borrow();
        let kinds: Vec<&str> = said.iter().map(|m| &m[..2]).collect();
        // The card is without power between two classes.
        assert_eq!(kinds, ["62", "63", "62", "61"]);
        assert_eq!((&said[0][14..16], &said[2][14..16]), ("01", "03"));
        // T=0 parameters of the ATR: defaults, guard time 0, waiting integer 10.
        assert_eq!(said[3], "61050000000005000000110000 0a00".replace(' ', ""));
    });
}

#[test]
fn a_character_reader_is_refused_when_it_is_opened() {
    run(async {
        let (transport, _) = scripted(0x30, Box::new(|_| vec![]));
        let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let refused = Reader::open(transport, clock).await.err();
        assert_eq!(
            refused,
            Some(CcidError::Unsupported(Refusal::CharacterLevel))
        );
    });
}

#[test]
fn a_card_that_always_has_more_comes_to_an_end() {
    let endless = exchange(|command, _| vec![answer(0x80, command, [0; 3], &[1, 0x61, 1])]);
    assert_eq!(endless, Err(CcidError::NoStatusWord));
    let cut = exchange(|command, _| vec![answer(0x80, command, [0; 3], &[0x90])]);
    assert_eq!(cut, Err(CcidError::NoStatusWord));
}

#[test]
fn an_answer_that_comes_in_pieces_of_whole_packets_is_put_together_by_its_length() {
    let long = |command: &[u8]| {
        let mut data = vec![0xAB; 148];
        data.extend([0x90, 0x00]);
        answer(0x80, command, [0, 0, 0], &data)
    };
    let whole = exchange(move |command, _| {
        let message = long(command);
        assert_eq!(message.len(), 160);
        vec![
            message[..64].to_vec(),
            message[64..128].to_vec(),
            message[128..].to_vec(),
        ]
    });
    assert_eq!(whole, Ok((vec![0xAB; 148], Sw::OK)));
    let cut = exchange(move |command, _| vec![long(command)[..64].to_vec()]);
    assert!(matches!(cut, Err(CcidError::Late { .. })), "{cut:?}");
}

#[test]
fn a_stalled_exchange_is_aborted_under_one_number_and_not_repeated() {
    run(async {
        let answers = card(T0, |_, _| vec![STALL.to_vec()]);
        let (mut reader, said) = opened(COMFORTABLE, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        said.borrow_mut().clear();
        let stalled = reader.transmit(&FILE, WITHIN).await.unwrap_err();
        assert_eq!(stalled, CcidError::Usb(UsbError::Stall));
        let said = said.borrow();
        assert_eq!(
            said[1..],
            [
                "clear 03",
                "stop 82",
                "clear 82",
                // ABORT of slot 0, number 4, then its bulk half (CCID §5.3.1, §6.1.13).
                "control 21 01 0400 0000",
                "72000000000004000000",
            ]
        );
    });
}

/// A command that ran out of time may still be worked at: it is given up before the
/// next one, not by outlasting the caller's deadline.
#[test]
fn what_ran_out_of_time_is_aborted_before_the_next_command() {
    run(async {
        let answers = card(T0, |command, count| match count {
            0 => vec![],
            _ => vec![ok(command)],
        });
        let (mut reader, said) = opened(COMFORTABLE, answers).await;
        reader.power_on(WITHIN).await.unwrap();
        said.borrow_mut().clear();
        let before = reader.clock().monotonic();
        let late = reader.transmit(&FILE, Duration::from_secs(2)).await;
        assert!(matches!(late, Err(CcidError::Late { .. })), "{late:?}");
        assert_eq!(reader.clock().monotonic() - before, Duration::from_secs(2));
        assert_eq!(reader.transmit(&FILE, WITHIN).await.unwrap().sw, Sw::OK);
        let said = said.borrow();
        assert_eq!(said[1], "control 21 01 0400 0000");
        assert_eq!(said[2], "72000000000004000000");
        assert!(said[3].starts_with("6f0500000000 05".replace(' ', "").as_str()));
    });
}

#[test]
fn an_answer_from_another_slot_is_refused_and_an_older_one_dropped() {
    let other = exchange(|command, _| {
        let mut message = ok(command);
        message[5] = 1;
        vec![message]
    });
    let command = "exchange";
    assert_eq!(other, Err(CcidError::WrongSlot { command, slot: 1 }));
    let stale = exchange(|command, _| {
        let mut message = foreign(command);
        message[5] = 1;
        vec![message, ok(command)]
    });
    assert_eq!(stale, Ok((vec![0xAB], Sw::OK)));
}

#[test]
fn extensions_never_outlast_the_callers_deadline() {
    run(async {
        let extension = |command: &[u8]| answer(0x80, command, [0x80, 255, 0], &[]);
        let reply = move |command: &[u8], _| vec![extension(command); 3];
        let mut reader = powered(COMFORTABLE, card(T0, reply)).await;
        let before = reader.clock().monotonic();
        let late = reader.transmit(&FILE, Duration::from_secs(7)).await;
        assert!(matches!(late, Err(CcidError::Late { .. })), "{late:?}");
        assert_eq!(reader.clock().monotonic() - before, Duration::from_secs(7));
    });
}
