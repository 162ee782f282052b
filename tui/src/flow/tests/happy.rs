//! One way through, and the ways out that must always work.

use counterfoil_data::wire::sale::PurchaseMode;
use counterfoil_data::wire::sheet::SheetState;

use super::world::{FIRST, Fates, UNIT, World};
use crate::cmd::Cmd;
use crate::model::{Body, ReceiptOut, StopReason};

pub fn at_order(fates: &[u8]) -> World {
    let mut world = World::new(Fates::new());
    world.until("Attract");
    world.cmd(Cmd::Enter);
    assert_eq!(world.screen(), "PickMode");
    world.set_fates(fates);
    world.cmd(Cmd::Enter);
    world
}

fn order(world: &mut World) {
    world.until("PickOrder");
    world.cmd(Cmd::Enter);
    world.cmd(Cmd::Enter);
}

pub fn stop_reason(world: &World) -> Option<StopReason> {
    match world.body() {
        Body::Stopped { why, .. } => Some(why),
        _ => None,
    }
}

#[test]
fn a_sale_goes_from_attract_to_two_taken_forms_and_a_receipt() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("Done");
    assert_eq!(world.taken.len(), 2);
    assert!(world.taken.contains(&FIRST.parse().expect("a number")));
    let paper: Vec<&str> = world
        .log
        .iter()
        .copied()
        .filter(|name| ["Advise", "Feed", "ReadNumber", "Print", "Present"].contains(name))
        .collect();
    // feeding 1 | paper 1 | printed 1 + feeding 2 | paper 2 | printed 2 | present
    let wanted = "Advise Feed ReadNumber Print Advise Feed ReadNumber Print Advise Present \
                  Advise Advise";
    assert_eq!(paper.join(" "), wanted);
    world.cmd(Cmd::Enter);
    assert_eq!(world.screen(), "Attract");
    assert!(!world.owes());
}

#[test]
fn nothing_of_the_customer_is_left_in_the_flow_at_attract() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("Done");
    assert!(format!("{:?}", world.flow).contains(UNIT));
    world.cmd(Cmd::Enter);
    world.until("Attract");
    let all = format!("{:?}", world.flow);
    for trace in [UNIT, "张**", "0001", "L0001", "Sealed"] {
        assert!(!all.contains(trace), "{trace} survives (I10)");
    }
}

#[test]
fn by_password_the_account_is_asked_first_and_esc_goes_one_field_back() {
    let mut world = World::new(Fates::new());
    world.modes = vec![PurchaseMode::PaymentPassword];
    world.until("Attract");
    world.cmd(Cmd::Enter);
    world.cmd(Cmd::Enter);
    world.until("EnterPassword");
    world.cmd(Cmd::Back);
    assert_eq!(world.screen(), "EnterAccount");
    assert!(world.typed.is_some(), "the number still stands there");
    world.cmd(Cmd::Back);
    assert_eq!(stop_reason(&world), Some(StopReason::Cancelled));
    assert!(world.typed.is_none(), "I10");
    world.until("Attract");
    world.cmd(Cmd::Enter);
    world.cmd(Cmd::Enter);
    world.until("PickOrder");
    let count = |name| world.log.iter().filter(|n| **n == name).count();
    assert_eq!((count("ReadCard"), count("StartPin")), (0, 0));
    assert!(world.typed.is_none(), "I10");
}

#[test]
fn the_next_customers_card_and_document_are_read_anew() {
    let mut world = at_order(&[]);
    world.until("PickOrder");
    world.cmd(Cmd::Back);
    world.until("Attract");
    world.cmd(Cmd::Enter);
    world.cmd(Cmd::Enter);
    world.until("PickOrder");
    let count = |name| world.log.iter().filter(|n| **n == name).count();
    assert_eq!((count("ReadCard"), count("ReadDocument")), (2, 2), "I10");
    assert_eq!((count("SealCard"), count("SealDocument")), (0, 0), "I10");
}

#[test]
fn a_forged_document_stops_the_sale_and_the_sensor_is_never_armed() {
    // Fates: open, card, pin, info, document.
    let mut world = at_order(&[0, 0, 0, 0, 2]);
    world.until("Stopped");
    assert_eq!(stop_reason(&world), Some(StopReason::DocumentNotAuthentic));
    assert!(!world.log.contains(&"CaptureFinger"), "S16");
    world.until("Attract");
    assert!(world.log.contains(&"Cancel"));
}

#[test]
fn a_wrong_pin_is_asked_again_without_reading_the_card_again() {
    let mut world = at_order(&[0, 0, 0, 3]);
    world.until("PlaceDocument");
    let count = |name| world.log.iter().filter(|n| **n == name).count();
    assert_eq!(count("ReadCard"), 1);
    assert_eq!(count("SealCard"), 1);
    assert_eq!(count("StartPin"), 2);
}

#[test]
fn escape_cancels_with_the_backend_at_every_step_before_linking() {
    for screen in ["InsertCard", "PlaceDocument", "PlaceFinger", "PickOrder"] {
        let mut world = at_order(&[]);
        world.until(screen);
        world.cmd(Cmd::Back);
        assert_eq!(stop_reason(&world), Some(StopReason::Cancelled), "{screen}");
        world.until("Attract");
        assert!(world.log.contains(&"Cancel"), "{screen}");
    }
}

#[test]
fn a_silent_customer_is_sent_home_after_a_countdown() {
    let mut world = at_order(&[]);
    world.until("PlaceDocument");
    let flow = world.flow.as_ref().expect("a flow");
    let due = flow.deadline().expect("a deadline");
    assert_eq!(
        flow.screen(due - std::time::Duration::from_secs(16))
            .seconds_left,
        None
    );
    assert_eq!(
        flow.screen(due - std::time::Duration::from_secs(15))
            .seconds_left,
        Some(15)
    );
    world.deadline();
    assert_eq!(stop_reason(&world), Some(StopReason::TimedOut));
    world.until("Attract");
}

#[test]
fn a_bundle_is_drawn_back_after_its_time_and_a_key_gives_more() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("TakeForms");
    let due = |world: &World| world.flow.as_ref().and_then(crate::flow::Flow::deadline);
    let before = due(&world);
    world.at += std::time::Duration::from_secs(20);
    world.cmd(Cmd::MoreTime);
    assert!(due(&world) > before);
    world.deadline();
    world.until("Stopped");
    assert!(world.log.contains(&"Retract"));
    assert!(world.taken.is_empty());
}

#[test]
fn with_the_link_down_nothing_is_fed_and_the_same_advice_is_repeated() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("Dispensing");
    // advise: lost three times (each try is followed by a wait).
    world.set_fates(&[1, 0, 1, 0, 1, 0]);
    for _ in 0..5 {
        world.answer_one();
        assert!(!world.log.contains(&"Feed"), "I5");
    }
    let Body::Dispensing { phase, .. } = world.body() else {
        panic!("at {}", world.screen());
    };
    assert_eq!(phase, crate::model::FormPhase::Waiting);
    world.until("Done");
    assert_eq!(world.taken.len(), 2);
}

#[test]
fn a_wrong_number_gets_no_ink_and_the_customer_gets_what_is_printed() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("Dispensing");
    // First form: advise, feed, read, print. Second: advise, feed (double).
    world.set_fates(&[0, 0, 0, 0, 0, 3]);
    world.until("Done");
    assert_eq!(world.inked.len(), 1);
    assert_eq!(world.taken.len(), 1);
    assert!(world.log.contains(&"Divert"));
}

#[test]
fn a_wrong_number_breaks_the_sale_off_when_more_forms_were_to_come() {
    let mut world = at_order(&[]);
    world.until("PickOrder");
    for cmd in [Cmd::Digit(4), Cmd::Enter, Cmd::Enter] {
        world.cmd(cmd);
    }
    world.until("Dispensing");
    world.set_fates(&[0, 0, 0, 0, 0, 3]);
    world.until("Done");
    assert!(world.log.contains(&"Abandon"));
    assert_eq!(world.taken.len(), 1);
}

#[test]
fn a_spoiled_form_is_replaced_and_the_customer_gets_as_many_as_ordered() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("Dispensing");
    world.set_fates(&[0, 0, 0, 1]);
    world.until("Done");
    assert_eq!(world.taken.len(), 2);
    assert_eq!(world.sale.as_ref().map(|s| s.forms.len()), Some(3));
}

#[test]
fn a_failed_form_that_is_gone_from_the_transport_is_unknown_and_not_replaced() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("Dispensing");
    // First form: advise, feed, read, print fails; the divert finds nothing.
    world.set_fates(&[0, 0, 0, 1, 2]);
    world.until("Done");
    assert_eq!(world.taken.len(), 1);
    let forms = world.sale.as_ref().map(|sale| &sale.forms);
    let first = forms.and_then(|forms| forms.first()).map(|f| f.state);
    let unknown = counterfoil_data::wire::forms::FormState::Unknown;
    assert_eq!((first, forms.map(Vec::len)), (Some(unknown), Some(2)));
}

#[test]
fn forms_not_taken_are_retracted() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("TakeForms");
    // The advice `presented`, then the wait for the hand.
    world.set_fates(&[0, 1]);
    world.until("Stopped");
    assert!(world.taken.is_empty());
    assert!(world.log.contains(&"Retract"));
}

#[test]
fn a_kill_between_the_durable_feed_and_the_feed_itself_loses_no_form() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("Dispensing");
    world.answer_one(); // the look at the printer
    // `feeding 1` is durable, the answer was lost, then the power.
    world.set_fates(&[2]);
    world.answer_one();
    world.power_on();
    world.until("Done");
    assert_eq!(world.taken.len(), 2);
}

#[test]
fn a_kill_with_a_sheet_under_way_freezes_that_number_and_goes_on() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("Dispensing");
    world.answer_one(); // the look at the printer
    world.answer_one(); // advise
    world.answer_one(); // feed
    world.power_on();
    world.until("Done");
    assert_eq!(world.taken.len(), 1);
    assert!(world.transport.is_none(), "the sheet was diverted");
    let unknown = world.sale.as_ref().map(|sale| {
        let unknown = counterfoil_data::wire::forms::FormState::Unknown;
        sale.forms.iter().filter(|f| f.state == unknown).count()
    });
    assert_eq!(unknown, Some(1), "I6");
}

#[test]
fn a_rule_that_refuses_at_linked_processing_stops_the_sale_with_its_text() {
    let mut world = at_order(&[]);
    order(&mut world);
    world.until("Linking");
    world.set_fates(&[4]);
    world.until("Stopped");
    let Body::Stopped { why, rule, .. } = world.body() else {
        panic!("stopped");
    };
    assert_eq!(why, StopReason::Refused);
    assert_eq!(rule.expect("a rule").rule, "account-not-normal");
    assert!(world.inked.is_empty());
    assert_eq!(world.log.iter().filter(|n| **n == "Link").count(), 1);
}

#[test]
fn a_sheet_or_receipt_that_nobody_took_is_never_said_to_be_with_the_customer() {
    for (fate, printed) in [(3, true), (2, false)] {
        let mut world = at_order(&[]);
        world.sheet = true;
        order(&mut world);
        world.until("PrintingSheet");
        // Fates: key, sheet from the bank, print; close, receipt.
        world.set_fates(&[0, 0, fate, 0, 2]);
        world.until("Done");
        let sheet = world.sale.as_ref().and_then(|sale| sale.sheet);
        let wanted = match printed {
            true => SheetState::Printed,
            false => SheetState::Cancelled,
        };
        assert_eq!(sheet.map(|sheet| sheet.state), Some(wanted));
        let Body::Done { receipt_out, .. } = world.body() else {
            panic!("at {}", world.screen());
        };
        assert_eq!(receipt_out, ReceiptOut::DrawnBack);
    }
}
