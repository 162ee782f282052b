//! Any order of answers, failures, keys, silences and power cuts.
//!
//! The world panics on every breach: a feed without a durable `Feeding` (I5), a
//! number fired or inked twice (I2), ink on another number (S9), the sensor
//! armed before authenticity (S16) or for an order that needs no other finger (S13), an
//! attempt with a finger sent twice, an outcome sent before it was written (I6),
//! an advice the blank's table does not allow (§5), digits held past the first
//! gate (I10), ink on a form whose number no person typed twice, a password sheet printed twice or said to be printed when it was not (L7).

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test model of small numbers"
)]

use counterfoil_data::wire::sale::PurchaseMode;
use proptest::prelude::*;

use super::world::{Fates, World};
use crate::cmd::Cmd;

const CMDS: [Cmd; 8] = [
    Cmd::Enter,
    Cmd::Enter,
    Cmd::Enter,
    Cmd::Down,
    Cmd::Digit(1),
    Cmd::Right,
    Cmd::Back,
    Cmd::Language,
];

/// One move of the world: mostly answers, some keys, few deadlines, rare kills.
fn play(world: &mut World, what: u8) {
    match what {
        0..=150 => {
            world.answer_one();
        }
        151..=238 if world.screen() == "ReadNumber" && what < 215 => world.type_what_lies_there(),
        151..=238 => world.cmd(CMDS[usize::from(what) % CMDS.len()]),
        239..=247 => {
            world.deadline();
        }
        _ => world.power_on(),
    }
}

/// Straight to the paper, so that most cases are about it.
fn begin_printing(world: &mut World, quantity: u8) {
    world.until("Attract");
    world.cmd(Cmd::Enter);
    world.cmd(Cmd::Enter);
    world.until("PickOrder");
    for cmd in [Cmd::Digit(quantity), Cmd::Enter, Cmd::Enter] {
        world.cmd(cmd);
    }
    world.until(if world.by_hand {
        "PrepareForm"
    } else {
        "Dispensing"
    });
}

/// Mostly right: a world in which everything fails sells nothing.
fn fate() -> impl Strategy<Value = u8> {
    prop_oneof![12 => Just(0u8), 3 => 1u8..=5]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_rule_is_broken_and_every_way_ends_at_attract(
        moves in proptest::collection::vec(any::<u8>(), 0..120),
        fates in proptest::collection::vec(fate(), 0..120),
        printing in proptest::option::weighted(0.6, 1u8..=9),
        by_password: bool,
        sheet: bool,
        by_hand in proptest::bool::weighted(0.3),
        large_above in proptest::option::weighted(0.4, 1u32..=6),
    ) {
        let mut world = World::new(Fates::new());
        world.sheet = sheet;
        world.by_hand = by_hand;
        world.large_above = large_above;
        if by_password {
            world.modes = vec![PurchaseMode::PaymentPassword];
        }
        if let Some(quantity) = printing {
            begin_printing(&mut world, quantity);
        }
        world.set_fates(&fates);
        for what in moves {
            play(&mut world, what);
            // One sale a world: its numbers are the cassette's first.
            if world.sale.as_ref().is_some_and(|s| s.state.is_over()) {
                break;
            }
        }
        world.set_fates(&[]);
        world.until("Attract");
        let unsettled = world.sale.as_ref().is_some_and(|sale| {
            sale.linked.is_some() && !sale.state.is_over()
        });
        prop_assert!(!unsettled, "a linked sale was left behind");
    }
}
