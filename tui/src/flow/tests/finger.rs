//! A large order needs another enrolled finger (S13).

use super::happy::{at_order, stop_reason};
use super::world::World;
use crate::cmd::Cmd;
use crate::flow::effect::Desk;
use crate::flow::event::Answer;
use crate::model::{Body, FingerAdvice, OrderNotice, StopReason};

/// At the other finger, with an order of three forms: not the usual two, and one too many.
fn at_other_finger() -> World {
    let mut world = at_order(&[]);
    world.large_above = Some(2);
    world.until("PickOrder");
    for cmd in [Cmd::Digit(3), Cmd::Enter, Cmd::Enter] {
        world.cmd(cmd);
    }
    world.until("PlaceOtherFinger");
    world
}

/// What was done about finger and order, in order.
fn gate(world: &World) -> String {
    let named = ["CaptureFinger", "SubmitFinger", "PlaceOrder", "Cancel"];
    let did = world
        .log
        .iter()
        .copied()
        .filter(|name| named.contains(name));
    did.collect::<Vec<_>>().join(" ")
}

/// The notice of the order screen, and that the quantities are still there.
fn kept(world: &World) -> Option<OrderNotice> {
    match world.body() {
        Body::PickOrder {
            notice, quantities, ..
        } => {
            assert_eq!(quantities, [3], "what was chosen is kept");
            notice
        }
        other => panic!("at {}", other.name()),
    }
}

fn finger_screen(world: &World) -> (Option<FingerAdvice>, Option<u32>) {
    match world.body() {
        Body::PlaceOtherFinger {
            advice,
            attempts_left,
            ..
        } => (advice, attempts_left),
        other => panic!("at {}", other.name()),
    }
}

#[test]
fn a_large_order_is_sent_again_by_itself_once_another_finger_is_proven() {
    let mut world = at_other_finger();
    let Body::PlaceOtherFinger { fingers, forms, .. } = world.body() else {
        panic!("at {}", world.screen());
    };
    let left_index = counterfoil_data::wire::sale::FingerPosition::LeftIndex;
    assert_eq!((fingers.as_slice(), forms), (&[left_index][..], 3));
    assert_eq!(finger_screen(&world), (None, None));
    let screen = world.flow.as_ref().map(|flow| flow.screen(world.at));
    assert_eq!(screen.and_then(|screen| screen.step), Some((4, 7)));
    world.until("Done");
    assert_eq!(world.taken.len(), 3);
    assert_eq!(
        gate(&world),
        "CaptureFinger PlaceOrder CaptureFinger SubmitFinger PlaceOrder"
    );
}

#[test]
fn a_finger_that_does_not_match_is_put_again_and_the_tries_left_are_said() {
    let mut world = at_other_finger();
    // Fates: capture, finger, the look after it.
    world.set_fates(&[0, 3, 0]);
    world.until("CheckingIdentity");
    world.until("PlaceOtherFinger");
    let again = Some(FingerAdvice::OtherFinger);
    assert_eq!(finger_screen(&world), (again, Some(2)));
    world.until("Done");
    assert_eq!(world.taken.len(), 3);
}

#[test]
fn the_last_finger_that_does_not_match_ends_the_sale() {
    let mut world = at_other_finger();
    world.set_fates(&[0, 3, 0, 0, 3, 0, 0, 3, 0]);
    world.until("Stopped");
    assert_eq!(stop_reason(&world), Some(StopReason::NotIdentified));
    assert_eq!(gate(&world).matches("SubmitFinger").count(), 3);
    world.until("Attract");
}

#[test]
fn escape_at_the_finger_goes_back_to_the_order_as_it_was_and_fewer_forms_need_none() {
    let mut world = at_other_finger();
    let before = world.log.len();
    world.cmd(Cmd::Back);
    assert_eq!(kept(&world), Some(OrderNotice::OtherFinger));
    assert_eq!(world.log[before..], ["Stop"], "the sensor is dark again");
    for cmd in [Cmd::Left, Cmd::Enter, Cmd::Enter] {
        world.cmd(cmd);
    }
    world.until("Done");
    assert_eq!(world.taken.len(), 2);
    assert!(!world.log.contains(&"SubmitFinger"));
}

#[test]
fn poor_images_and_a_failed_sensor_lead_back_to_the_order_and_never_to_a_dead_end() {
    let mut world = at_other_finger();
    world.set_fates(&[1, 1]);
    world.answer_one();
    assert_eq!(finger_screen(&world).0, Some(FingerAdvice::Dry));
    world.set_fates(&[1, 1, 1, 1]);
    world.until("PickOrder");
    assert_eq!(kept(&world), Some(OrderNotice::FingerPoor));
    world.cmd(Cmd::Enter);
    world.cmd(Cmd::Enter);
    world.set_fates(&[0, 0, 2]);
    world.until("PlaceOtherFinger");
    world.until("PickOrder");
    assert_eq!(kept(&world), Some(OrderNotice::FingerFault));
    world.cmd(Cmd::Enter);
    world.cmd(Cmd::Enter);
    world.until("Done");
    assert_eq!(world.taken.len(), 3);
}

#[test]
fn a_finger_that_lies_there_is_to_be_lifted_unless_there_is_more_to_say_about_it() {
    let mut world = at_other_finger();
    world.hint(Desk::Finger, Answer::FingerLies);
    assert_eq!(finger_screen(&world).0, Some(FingerAdvice::LiftFirst));
    world.set_fates(&[0, 3, 0]);
    world.until("CheckingIdentity");
    world.until("PlaceOtherFinger");
    world.hint(Desk::Finger, Answer::FingerLies);
    let again = Some(FingerAdvice::OtherFinger);
    assert_eq!(finger_screen(&world), (again, Some(2)));
}

#[test]
fn silence_at_the_finger_ends_the_sale() {
    let mut world = at_other_finger();
    world.deadline();
    assert_eq!(stop_reason(&world), Some(StopReason::TimedOut));
    world.until("Attract");
    assert!(world.log.contains(&"Cancel"));
}

#[test]
fn an_attempt_whose_answer_was_lost_is_looked_up_and_never_counted_twice() {
    // Lost on the way there: the same print is sent again. Done: only the order is. The
    // world panics at a print under an old challenge.
    let again = "CaptureFinger SubmitFinger SubmitFinger PlaceOrder";
    let once = "CaptureFinger SubmitFinger PlaceOrder";
    for (fate, did) in [(1, again), (2, once)] {
        let mut world = at_other_finger();
        world.set_fates(&[0, fate]);
        world.until("Done");
        assert_eq!(gate(&world), format!("CaptureFinger PlaceOrder {did}"));
        assert_eq!(world.taken.len(), 3);
    }
}

#[test]
fn an_attempt_that_did_not_match_unheard_shows_at_the_order_and_the_finger_is_put_again() {
    let mut world = at_other_finger();
    // Fates: capture, finger; the wait, the look, the order, the look after it.
    world.set_fates(&[0, 5]);
    world.until("CheckingIdentity");
    world.until("PlaceOtherFinger");
    assert_eq!(finger_screen(&world).0, Some(FingerAdvice::OtherFinger));
    let did = "CaptureFinger PlaceOrder CaptureFinger SubmitFinger PlaceOrder CaptureFinger";
    assert_eq!(gate(&world), did);
    world.until("Done");
    assert_eq!(world.taken.len(), 3);
}

#[test]
fn a_finger_that_is_out_of_order_leads_to_the_order_once_more() {
    let mut world = at_other_finger();
    world.set_fates(&[0, 4]);
    world.until("CheckingIdentity");
    world.until("PlaceOtherFinger");
    let did = "CaptureFinger PlaceOrder CaptureFinger SubmitFinger PlaceOrder CaptureFinger";
    assert_eq!(gate(&world), did);
    world.until("Done");
}
