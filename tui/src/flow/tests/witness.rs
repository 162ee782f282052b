//! Books that are put back behind what the kiosk saw (I8).

use counterfoil_data::wire::sale::{TreeSeen, Witness};

use super::happy::at_order;
use super::world::{Fates, World};
use crate::cmd::Cmd;
use crate::flow::effect::Record;
use crate::model::{Body, ServiceFault};

fn seen(world: &World) -> Option<TreeSeen> {
    let mut trees = world.journal.iter().filter_map(|record| match record {
        Record::Seen { tree } => Some(*tree),
        _ => None,
    });
    trees.next_back()
}

fn fault(world: &World) -> Option<ServiceFault> {
    match world.body() {
        Body::OutOfService { why } => Some(why),
        _ => None,
    }
}

#[test]
fn the_largest_log_seen_outlives_the_sale_and_a_power_cut() {
    let mut world = at_order(&[]);
    let before = seen(&world).expect("it saw a log");
    world.until("PickOrder");
    world.cmd(Cmd::Enter);
    world.cmd(Cmd::Enter);
    world.until("Done");
    world.cmd(Cmd::Enter);
    let after = seen(&world).expect("it is kept");
    assert!(after.size >= before.size && !world.owes());
    world.power_on();
    assert_eq!(seen(&world), Some(after));
}

#[test]
fn a_log_smaller_than_the_one_seen_before_a_power_cut_serves_nobody() {
    let mut world = World::new(Fates::new());
    world.size = 9;
    world.until("Attract");
    world.size = 8;
    world.power_on();
    world.until("OutOfService");
    assert_eq!(fault(&world), Some(ServiceFault::LogShrunk));
    assert_eq!(seen(&world).map(|tree| tree.size), Some(9), "not forgotten");
}

#[test]
fn where_the_backend_is_behind_nobody_is_served_until_it_was_reconciled() {
    let mut world = World::new(Fates::new());
    world.size = 9;
    world.until("Attract");
    for witness in [Witness::Behind, Witness::Unreported] {
        (world.witness, world.size) = (witness, 20);
        world.power_on();
        world.until("OutOfService");
        assert_eq!(fault(&world), Some(ServiceFault::BooksBehind));
        assert_eq!(seen(&world).map(|tree| tree.size), Some(9), "not forgotten");
    }
    // Two people have reconciled it: the bank's log counts, though it is shorter.
    (world.witness, world.size) = (Witness::Settled, 5);
    world.until("Attract");
    assert_eq!(seen(&world).map(|tree| tree.size), Some(5));
}
