//! The host's T=1 against blocks written by hand from ISO 7816-3 §11 and its Annex A.

use counterfoil_data::wire::{hex, unhex};

use super::*;

const COMMAND: &str = "00a4040005a000000003";

fn engine() -> Engine {
    Engine::new(Sum::Lrc, 254, 254)
}

/// Bytes of a block with its LRC.
fn block(text: &str) -> Vec<u8> {
    let mut bytes = unhex(&text.replace(' ', "")).unwrap();
    bytes.push(bytes.iter().fold(0, |sum, b| sum ^ b));
    bytes
}

/// What was said, without the LRC.
fn said(step: &Step) -> String {
    match step {
        Step::Send { block, waiting: 0 } => hex(&block[..block.len() - 1]),
        Step::Send { block, waiting } => {
            format!("{} wait {waiting}", hex(&block[..block.len() - 1]))
        }
        Step::Done(answer) => format!("done {}", hex(answer)),
        Step::Failed(error) => format!("{error:?}"),
    }
}

/// Plays `heard` ("-" is silence, "!" damage) and gives what was said to each.
fn play(engine: &mut Engine, command: &str, heard: &[&str]) -> Vec<String> {
    let mut all = vec![said(&engine.start(&unhex(command).unwrap()))];
    for text in heard {
        let bytes;
        let what = match *text {
            "-" => Heard::Silence,
            "!" => Heard::Damaged,
            text => {
                bytes = block(text);
                Heard::Block(&bytes)
            }
        };
        all.push(said(&engine.heard(what)));
    }
    all
}

const FIRST: &str = "00000a00a4040005a000000003";

#[test]
fn an_exchange_is_one_block_each_way_and_the_numbers_alternate() {
    let mut engine = engine();
    assert_eq!(
        play(&mut engine, COMMAND, &["00 00 02 9000"]),
        [FIRST, "done 9000"]
    );
    let second = play(&mut engine, "00b2010c00", &["00 40 02 6a83"]);
    assert_eq!(second, ["00400500b2010c00", "done 6a83"]);
    let third = play(&mut engine, "00b2010c00", &["00 00 02 6a83"]);
    assert_eq!(third[0], "00000500b2010c00");
}

#[test]
fn the_block_size_is_agreed_before_anything_else() {
    let mut engine = engine();
    assert_eq!(engine.ifsd(), 32);
    assert_eq!(said(&engine.negotiate(254)), "00c101fe");
    assert_eq!(said(&engine.heard(Heard::Silence)), "00c101fe");
    // Another size is not what was asked.
    assert_eq!(
        said(&engine.heard(Heard::Block(&block("00 e1 01 fd")))),
        "00c101fe"
    );
    let never = engine.heard(Heard::Silence);
    assert_eq!(said(&never), "NoAnswer");
    let _ = engine.negotiate(254);
    assert_eq!(
        said(&engine.heard(Heard::Block(&block("00 e1 01 fe")))),
        "done "
    );
    assert_eq!(engine.ifsd(), 254);
}

#[test]
fn a_long_command_goes_in_parts_of_the_cards_size_and_each_is_acknowledged() {
    let mut engine = Engine::new(Sum::Lrc, 8, 254);
    let chain = play(
        &mut engine,
        "00a404000801020304050607 08".replace(' ', "").as_str(),
        &["00 90 00", "00 00 02 9000"],
    );
    assert_eq!(
        chain,
        ["00200800a4040008010203", "0040050405060708", "done 9000"]
    );
    // Next numbers: ours 0 again after two parts, the card's 1.
    let next = play(&mut engine, "00b2010c00", &["00 40 02 9000"]);
    assert_eq!(next, ["00000500b2010c00", "done 9000"]);
}

#[test]
fn a_long_answer_is_put_together_and_each_part_acknowledged() {
    let mut engine = engine();
    let parts = ["00 20 02 0102", "00 60 01 03", "00 00 03 049000"];
    let chain = play(&mut engine, COMMAND, &parts);
    assert_eq!(chain, [FIRST, "009000", "008000", "done 010203049000"]);
}

/// Annex A scenarios: damage and silence on either side.
#[test]
fn what_is_damaged_or_lost_is_asked_for_again() {
    let mut damaged = engine();
    let heard = ["!", "00 00 02 9000"];
    assert_eq!(
        play(&mut damaged, COMMAND, &heard),
        [FIRST, "008100", "done 9000"]
    );
    let mut lost = engine();
    let heard = ["-", "00 80 00", "00 00 02 9000"];
    assert_eq!(
        play(&mut lost, COMMAND, &heard),
        [FIRST, "008200", FIRST, "done 9000"]
    );
    // The card saw our block damaged.
    let mut ours = engine();
    let heard = ["00 81 00", "00 00 02 9000"];
    assert_eq!(
        play(&mut ours, COMMAND, &heard),
        [FIRST, FIRST, "done 9000"]
    );
    // In the middle of its answer, a part comes twice: the acknowledgement was lost.
    let mut twice = engine();
    let heard = ["00 20 01 01", "00 20 01 01", "00 40 02 9000"];
    assert_eq!(
        play(&mut twice, COMMAND, &heard),
        [FIRST, "009000", "009200", "done 019000"]
    );
    // An acknowledgement of a whole command is no answer.
    let mut early = engine();
    let heard = ["00 90 00", "00 00 02 9000"];
    assert_eq!(
        play(&mut early, COMMAND, &heard),
        [FIRST, "008200", "done 9000"]
    );
}

#[test]
fn after_three_failures_both_begin_anew_and_the_command_is_not_repeated() {
    let mut engine = engine();
    assert_eq!(play(&mut engine, COMMAND, &["00 00 02 9000"]).len(), 2);
    let _ = engine.negotiate(254);
    let _ = engine.heard(Heard::Block(&block("00 e1 01 fe")));
    let heard = ["!", "!", "!", "-", "00 e0 00"];
    let lost = play(&mut engine, COMMAND, &heard);
    assert_eq!(lost[1..], ["009100", "009100", "00c000", "00c000", "Lost"]);
    // Both numbers and both sizes are as after a reset.
    assert_eq!(engine.ifsd(), 32);
    assert_eq!(
        play(&mut engine, COMMAND, &["00 00 02 9000"]),
        [FIRST, "done 9000"]
    );
    let dead = ["-", "-", "-", "-", "-", "-"];
    let dead = play(&mut engine, COMMAND, &dead);
    assert_eq!(dead.last().unwrap(), "NoAnswer");
    assert_eq!(said(&engine.heard(Heard::Silence)), "Idle");
}

#[test]
fn extensions_and_a_new_block_size_are_answered_in_the_middle() {
    let mut engine = engine();
    let heard = ["00 c3 01 05", "00 c3 01 02", "00 00 02 9000"];
    let waits = play(&mut engine, COMMAND, &heard);
    assert_eq!(
        waits,
        [FIRST, "00e30105 wait 5", "00e30102 wait 2", "done 9000"]
    );
    let heard = [
        "00 c1 01 04",
        "00 80 00",
        "00 90 00",
        "00 80 00",
        "00 40 02 9000",
    ];
    let sizes = play(&mut engine, COMMAND, &heard[..1]);
    assert_eq!(
        sizes,
        [FIRST.replacen("0000", "0040", 1), "00e10104".into()]
    );
    // From now on parts of four bytes.
    let mut small = Engine::new(Sum::Lrc, 8, 254);
    let heard = ["00 c1 01 04", "00 90 00", "00 00 02 9000"];
    let parts = play(&mut small, "00a40400080102030405060708", &heard[..2]);
    assert_eq!(
        parts,
        ["00200800a4040008010203", "00e10104", "00600404050607"]
    );
}

#[test]
fn a_card_that_gives_up_is_answered_and_named() {
    let mut engine = engine();
    let heard = ["00 20 01 01", "00 c2 00", "00 90 00"];
    let aborted = play(&mut engine, COMMAND, &heard);
    assert_eq!(aborted, [FIRST, "009000", "00e200", "Aborted"]);
}

#[test]
fn an_endless_answer_ends() {
    let mut engine = engine();
    let _ = engine.start(&unhex(COMMAND).unwrap());
    let mut odd = block(&format!("00 20 fe {}", "aa".repeat(254)));
    let end = (0..1000).find_map(|_| {
        let step = engine.heard(Heard::Block(&odd));
        odd[1] ^= 0x40;
        *odd.last_mut().unwrap() ^= 0x40;
        matches!(step, Step::Failed(_)).then(|| said(&step))
    });
    assert_eq!(end.unwrap(), "Endless");
}

proptest::proptest! {
    /// Whatever is heard, every step ends or asks for more, and it comes to an end.
    #[test]
    fn any_blocks_are_survived(
        heard in proptest::collection::vec(proptest::collection::vec(0_u8.., 0..12), 0..40),
    ) {
        let mut engine = Engine::new(Sum::Crc, 32, 254);
        let _ = engine.start(&[0; 300]);
        for bytes in &heard {
            if let Step::Done(answer) = engine.heard(Heard::Block(bytes)) {
                proptest::prop_assert!(answer.len() <= ANSWER_MAX);
                break;
            }
        }
        for _ in 0..=BLOCKS_MAX {
            if !matches!(engine.heard(Heard::Silence), Step::Send { .. }) {
                return Ok(());
            }
        }
        proptest::prop_assert!(false, "no end");
    }
}
