use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge, OpenKey};
use counterfoil_devices::system::SystemEntropy;

use super::*;
use crate::flow::effect::Desk;

const ACCOUNT: &str = "3130000000000000001";
const PASSWORD: &str = "8642097531864209";

fn ticket(generation: u64) -> Ticket {
    Ticket {
        desk: Desk::Keyboard,
        generation,
    }
}

fn sealing() -> (OpenKey, Sealing) {
    let (open, key) = OpenKey::derive(&[9; 32]);
    let binding = Binding {
        sale: SaleId(7),
        challenge: Challenge([3; 16]),
    };
    (open, Sealing { binding, key })
}

fn give(keyboard: &mut Keyboard, cmd: Cmd) -> Answer {
    let (_, answer) = keyboard.take(cmd, &SystemEntropy).expect("is the field's");
    answer
}

fn type_in(keyboard: &mut Keyboard, digits: &str) -> Vec<Answer> {
    let digits = digits.bytes().map(|b| Cmd::Digit(b.saturating_sub(b'0')));
    digits.map(|cmd| give(keyboard, cmd)).collect()
}

fn shown(answer: &Answer) -> (String, Option<FieldProblem>) {
    match answer {
        Answer::Typed(Typed::Account(number), problem) => (number.grouped(), *problem),
        Answer::Typed(Typed::Password(digits), problem) => (digits.to_string(), *problem),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_number_is_grouped_in_fours_and_what_is_wrong_is_said_at_once() {
    let mut keyboard = Keyboard::default();
    let (key, sealing) = sealing();
    let empty = keyboard.open(ticket(1), Field::Account, sealing);
    assert_eq!(shown(&empty), (String::new(), None));
    type_in(&mut keyboard, &ACCOUNT[..15]);
    let short = give(&mut keyboard, Cmd::Enter);
    let fifteen = "3130 0000 0000 000".to_owned();
    assert_eq!(
        shown(&short),
        (fifteen.clone(), Some(FieldProblem::TooShort))
    );
    let letter = give(&mut keyboard, Cmd::Other);
    assert_eq!(shown(&letter), (fifteen, Some(FieldProblem::NotADigit)));
    type_in(&mut keyboard, &ACCOUNT[15..]);
    let long = give(&mut keyboard, Cmd::Digit(5));
    let whole = "3130 0000 0000 0000 001".to_owned();
    assert_eq!(shown(&long), (whole, Some(FieldProblem::TooLong)));
    let erased = give(&mut keyboard, Cmd::Erase);
    assert_eq!(shown(&erased), ("3130 0000 0000 0000 00".to_owned(), None));
    give(&mut keyboard, Cmd::Digit(1));
    let Answer::FieldDone(sealed) = give(&mut keyboard, Cmd::Enter) else {
        panic!("19 digits are enough");
    };
    let SecretText(opened) = sealed.open(&key, sealing.binding).expect("opens");
    assert_eq!(opened.expose(), ACCOUNT);
    assert_eq!(
        keyboard.take(Cmd::Digit(1), &SystemEntropy).err(),
        Some(Cmd::Digit(1))
    );
}

#[test]
fn of_a_password_only_a_count_leaves_the_field_and_it_is_wiped_when_it_ends_i7() {
    let mut keyboard = Keyboard::default();
    let (key, sealing) = sealing();
    keyboard.open(ticket(1), Field::Password, sealing);
    let answers = type_in(&mut keyboard, PASSWORD);
    let counts: Vec<String> = answers.iter().map(|a| shown(a).0).collect();
    assert_eq!(counts.last().map(String::as_str), Some("16"));
    let told = format!("{answers:?}");
    // A keyboard is a fixed place in memory: it can be searched.
    let held = |keyboard: &Keyboard| keyboard.password.expose().to_owned();
    assert_eq!(held(&keyboard), PASSWORD);
    let Answer::FieldDone(sealed) = give(&mut keyboard, Cmd::Enter) else {
        panic!("16 digits are enough");
    };
    assert_eq!(held(&keyboard), "");
    assert!(!told.contains(PASSWORD) && !format!("{keyboard:?}").contains(PASSWORD));
    let SecretText(opened) = sealed.open(&key, sealing.binding).expect("opens");
    assert_eq!(opened.expose(), PASSWORD);
}

#[test]
fn one_field_back_the_number_still_stands_there_and_the_password_does_not() {
    let mut keyboard = Keyboard::default();
    let (_, sealing) = sealing();
    keyboard.open(ticket(1), Field::Account, sealing);
    type_in(&mut keyboard, &ACCOUNT[..16]);
    give(&mut keyboard, Cmd::Enter);
    keyboard.open(ticket(2), Field::Password, sealing);
    type_in(&mut keyboard, "864");
    let again = keyboard.open(ticket(3), Field::Account, sealing);
    assert_eq!(shown(&again).0, "3130 0000 0000 0000");
    assert!(keyboard.password.is_empty());
    give(&mut keyboard, Cmd::Enter);
    let again = keyboard.open(ticket(4), Field::Password, sealing);
    assert_eq!(shown(&again).0, "0");
    keyboard.wipe();
    assert!(keyboard.account.is_empty() && keyboard.password.is_empty());
    let closed = keyboard.take(Cmd::Enter, &SystemEntropy).err();
    assert_eq!(closed, Some(Cmd::Enter));
}

#[test]
fn keys_that_are_not_the_fields_reach_the_flow() {
    let mut keyboard = Keyboard::default();
    keyboard.open(ticket(1), Field::Account, sealing().1);
    for cmd in [Cmd::Back, Cmd::Language, Cmd::MoreTime, Cmd::Up, Cmd::Leave] {
        assert_eq!(keyboard.take(cmd, &SystemEntropy).err(), Some(cmd));
    }
}
