//! Forms that a person puts in and reads.

use counterfoil_data::wire::forms::FormState;

use super::happy::at_order;
use super::world::{FIRST, World};
use crate::cmd::Cmd;
use crate::model::{Body, InsertProblem, NumberProblem, Out};

/// Two forms are linked, and staff are asked for the first one.
fn prepared() -> World {
    let mut world = at_order(&[]);
    world.by_hand = true;
    world.until("PickOrder");
    world.cmd(Cmd::Enter);
    world.cmd(Cmd::Enter);
    world.until("PrepareForm");
    world
}

/// The form asked for is in the printer, and its number is to be typed.
fn inserted() -> World {
    let mut world = prepared();
    world.cmd(Cmd::Enter);
    world.until("ReadNumber");
    world
}

fn problem(world: &World) -> Option<NumberProblem> {
    match world.body() {
        Body::ReadNumber { problem, .. } => problem,
        other => panic!("at {}", other.name()),
    }
}

/// The form that comes out, once the printer said that it does not see it taken.
fn out(world: &mut World) -> Out {
    world.until("TakeForm");
    while world.answer_one() {}
    match world.body() {
        Body::TakeForm { out, by_word, .. } => {
            assert!(by_word);
            out
        }
        other => panic!("at {}", other.name()),
    }
}

fn count(world: &World, name: &str) -> usize {
    world.log.iter().filter(|n| **n == name).count()
}

#[test]
fn two_forms_are_put_in_read_twice_printed_and_taken_one_by_one() {
    let mut world = inserted();
    assert_eq!(world.forms(FormState::Feeding).len(), 1, "I5");
    for _ in 0..2 {
        world.until("ReadNumber");
        world.type_what_lies_there();
        let Body::ReadNumber { again, typed, .. } = world.body() else {
            panic!("at {}", world.screen());
        };
        assert!(again && typed.is_empty(), "blind: {typed}");
        assert_eq!(count(&world, "Print"), world.inked.len(), "one is none");
        world.type_what_lies_there();
        assert_eq!(out(&mut world), Out::Printed);
        world.cmd(Cmd::Enter);
    }
    world.until("Done");
    assert_eq!((world.taken.len(), count(&world, "Present")), (2, 0));
}

#[test]
fn the_number_expected_is_nowhere_on_the_screen_where_it_is_read() {
    let world = inserted();
    let shown = format!("{:?}", world.body());
    assert!(
        !shown.contains(FIRST) && !shown.contains("00000100"),
        "{shown}"
    );
}

#[test]
fn where_nobody_holds_a_blank_no_number_counts_as_fed() {
    let mut world = prepared();
    assert_eq!(world.forms(FormState::Feeding).len(), 0);
    assert!(world.deadline(), "nobody is waited for, for ever");
    world.until("Stopped");
    assert_eq!(count(&world, "AwaitInsert"), 0);
    assert_eq!(world.forms(FormState::Released).len(), 2);
}

#[test]
fn a_form_that_did_not_come_is_asked_for_again_only_by_a_person() {
    let mut world = prepared();
    world.set_fates(&[0, 1]);
    world.cmd(Cmd::Enter);
    while world.screen() != "PrepareForm" && world.answer_one() {}
    let Body::PrepareForm { problem, fed, .. } = world.body() else {
        panic!("at {}", world.screen());
    };
    assert_eq!((problem, fed), (Some(InsertProblem::Nothing), true));
    while world.answer_one() {}
    assert_eq!(count(&world, "AwaitInsert"), 1, "never automatically");
    world.cmd(Cmd::Enter);
    world.until("ReadNumber");
    assert_eq!(count(&world, "AwaitInsert"), 2);
}

#[test]
fn a_wrong_number_is_taken_out_without_ink_and_the_sale_stops() {
    let mut world = inserted();
    let other = "3130331100000177";
    world.type_number(other);
    world.type_number(other);
    assert_eq!(out(&mut world), Out::Wrong);
    assert_eq!(count(&world, "Print"), 0);
    world.until("Stopped");
    assert_eq!(world.forms(FormState::Unknown).len(), 1);
    assert_eq!(world.forms(FormState::Released).len(), 1);
}

#[test]
fn three_pairs_that_differ_freeze_the_number_and_print_nothing() {
    let mut world = inserted();
    for left in [2, 1, 0] {
        world.type_number(FIRST);
        world.type_number("3130331100000101");
        world.answer_one();
        if left > 0 {
            assert_eq!(problem(&world), Some(NumberProblem::Differ { left }));
        }
    }
    assert_eq!(
        (out(&mut world), count(&world, "Print")),
        (Out::Doubtful, 0)
    );
    world.cmd(Cmd::Enter);
    world.until("InsertForm");
    assert_eq!(world.forms(FormState::Unknown).len(), 1);
}

#[test]
fn what_is_no_number_is_said_at_once_and_one_escape_gives_nothing_up() {
    let mut world = inserted();
    world.type_number("31303311");
    assert_eq!(problem(&world), Some(NumberProblem::Length));
    world.cmd(Cmd::Clear);
    world.type_number("3130330100000100");
    assert_eq!(problem(&world), Some(NumberProblem::NoSuchNumber), "kind 0");
    world.cmd(Cmd::Digit(1));
    assert_eq!(problem(&world), Some(NumberProblem::Length), "a 17th digit");
    world.cmd(Cmd::Other);
    assert_eq!(problem(&world), Some(NumberProblem::NotADigit));
    world.cmd(Cmd::Back);
    assert_eq!(problem(&world), Some(NumberProblem::Unreadable));
    world.cmd(Cmd::Clear);
    world.cmd(Cmd::Back);
    assert_eq!(world.screen(), "ReadNumber");
    world.cmd(Cmd::Back);
    assert_eq!(out(&mut world), Out::Doubtful);
}

#[test]
fn a_printed_form_of_which_nobody_says_that_it_was_taken_is_frozen() {
    let mut world = inserted();
    world.type_what_lies_there();
    world.type_what_lies_there();
    assert_eq!(out(&mut world), Out::Printed);
    assert!(world.deadline());
    world.until("Stopped");
    assert_eq!(world.forms(FormState::Unknown).len(), 1);
    assert_eq!(world.forms(FormState::Sold).len(), 0);
}

#[test]
fn a_power_cut_while_the_number_is_typed_freezes_it_and_ejects_the_form() {
    let mut world = inserted();
    world.type_what_lies_there();
    world.power_on();
    assert_eq!(out(&mut world), Out::Doubtful);
    assert!(world.transport.is_none());
    world.cmd(Cmd::Enter);
    world.until("InsertForm");
    assert_eq!(world.forms(FormState::Unknown).len(), 1);
}
