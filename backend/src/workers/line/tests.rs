//! Who is next: rotation, shares, displacement; and the same held over random traces.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Kiosks = Line<&'static str, u8>;

/// Joins and waits at once.
fn queue(line: &mut Kiosks, owner: &'static str, subject: u8) -> Result<Ticket, Full> {
    let (ticket, _) = line.join(owner)?;
    let waits = line.wait(ticket, Some(subject));
    if waits.is_err() {
        line.leave(ticket);
    }
    waits.map(|()| ticket)
}

/// Every turn there will be, one after another.
fn served(line: &mut Kiosks) -> Vec<Ticket> {
    let mut order = Vec::new();
    while let Some(ticket) = line.call() {
        order.push(ticket);
        line.leave(ticket);
    }
    order
}

#[test]
fn kiosks_are_served_in_turn_however_many_places_one_has() {
    let mut line = Kiosks::new(1);
    let greedy: Vec<_> = (0..4)
        .map(|n| queue(&mut line, "a", n).expect("room"))
        .collect();
    let b = queue(&mut line, "b", 10).expect("room");
    let c = queue(&mut line, "c", 11).expect("room");
    let order = served(&mut line);
    assert_eq!(order, [greedy[0], b, c, greedy[1], greedy[2], greedy[3]]);
}

#[test]
fn a_kiosk_that_comes_back_at_once_waits_behind_the_others() {
    let mut line = Kiosks::new(1);
    let first = queue(&mut line, "a", 0).expect("room");
    let b = [1, 2].map(|n| queue(&mut line, "b", n).expect("room"));
    assert_eq!(line.call(), Some(first));
    line.leave(first);
    let again = queue(&mut line, "a", 0).expect("room");
    assert_eq!(served(&mut line), [b[0], again, b[1]]);
}

#[test]
fn one_account_has_one_turn_at_a_time_and_lets_others_pass() {
    let mut line = Kiosks::new(2);
    let attacked = ["a", "b", "c"].map(|k| queue(&mut line, k, 7).expect("room"));
    let good = queue(&mut line, "d", 1).expect("room");
    assert_eq!(line.call(), Some(attacked[0]));
    assert_eq!(
        line.call(),
        Some(good),
        "the second turn is not the same account's"
    );
    line.leave(good);
    assert_eq!(line.call(), None, "nor is it while the first works");
    line.leave(attacked[0]);
    assert_eq!(line.call(), Some(attacked[1]));
}

#[test]
fn kiosk_and_account_have_their_share_of_the_places_and_no_more() {
    let mut line = Kiosks::new(1);
    for n in 0..4 {
        queue(&mut line, "a", n).expect("room");
    }
    assert_eq!(queue(&mut line, "a", 9), Err(Full));
    for kiosk in ["b", "c", "d"] {
        queue(&mut line, kiosk, 0).expect("room");
    }
    assert_eq!(
        queue(&mut line, "e", 0),
        Err(Full),
        "the fifth for one account"
    );
    assert!(queue(&mut line, "e", 5).is_ok());
}

#[test]
fn in_a_full_line_a_newcomer_takes_the_newest_place_of_who_has_most() {
    let owners = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut line = Kiosks::new(1);
    let mut last = None;
    for (n, owner) in (0..).zip(owners.iter().flat_map(|o| [*o; 4])) {
        last = Some(queue(&mut line, owner, n).expect("room"));
    }
    assert_eq!(line.outside(), PLACES_MAX);
    let (_, displaced) = line.join("new").expect("room");
    assert_eq!(displaced, last);
    assert_eq!(
        line.wait(last.expect("one"), Some(99)),
        Err(Full),
        "it is gone"
    );
    // Kept places, and places that have not begun to wait, are nobody's to take.
    let mut line = Kiosks::new(1);
    for owner in owners.iter().flat_map(|o| [*o; 4]) {
        line.join(owner).expect("room");
    }
    assert_eq!(line.join("new"), Err(Full));
    for ticket in 0..32 {
        line.wait(ticket, None).expect("waits");
        line.keep(ticket);
    }
    assert_eq!(line.join("new"), Err(Full));
}

#[test]
fn thirty_two_kiosks_with_one_place_each_are_a_full_line() {
    let mut line: Line<u32, u8> = Line::new(1);
    for kiosk in 0..32 {
        let (ticket, _) = line.join(kiosk).expect("room");
        line.wait(ticket, None).expect("waits");
    }
    assert_eq!(line.join(32), Err(Full));
    assert_eq!(line.call(), Some(0));
    assert!(
        line.join(32).is_ok(),
        "whoever has a turn has no place any more"
    );
}

/// What may happen to a line.
#[derive(Debug, Clone)]
enum Move {
    Join(u8),
    Wait(usize, Option<u8>),
    Keep(usize),
    Leave(usize),
    Call,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0_u8..12).prop_map(Move::Join),
        4 => (any::<usize>(), proptest::option::of(0_u8..6)).prop_map(|(n, s)| Move::Wait(n, s)),
        1 => any::<usize>().prop_map(Move::Keep),
        2 => any::<usize>().prop_map(Move::Leave),
        3 => Just(Move::Call),
    ];
    proptest::collection::vec(one, 1..200)
}

proptest! {
    #[test]
    fn no_place_is_lost_no_bound_is_passed_and_nobody_is_passed_over_twice(
        moves in moves(), turns in 1_usize..4,
    ) {
        let mut line: Line<u8, u8> = Line::new(turns);
        // Tickets held, and what for; turns each owner saw others get while it waited.
        let mut held: BTreeMap<Ticket, (u8, bool)> = BTreeMap::new();
        let mut kept = Vec::new();
        let pick = |held: &BTreeMap<Ticket, (u8, bool)>, n: usize| {
            held.keys().copied().nth(n.checked_rem(held.len())?)
        };
        for step in moves {
            match step {
                Move::Join(owner) => if let Ok((ticket, displaced)) = line.join(owner) {
                    if let Some(lost) = displaced {
                        prop_assert!(!kept.contains(&lost));
                        let (_, turn) = held.remove(&lost).expect("was held");
                        prop_assert!(!turn, "a turn is never taken away");
                    }
                    prop_assert!(held.insert(ticket, (owner, false)).is_none());
                },
                Move::Wait(n, subject) => if let Some(ticket) = pick(&held, n)
                    && line.places.iter().any(|p| p.ticket == ticket && p.stage == Stage::Joined)
                {
                    let _ = line.wait(ticket, subject);
                },
                Move::Keep(n) => if let Some(ticket) = pick(&held, n) {
                    line.keep(ticket);
                    kept.push(ticket);
                },
                Move::Leave(n) => if let Some(ticket) = pick(&held, n) {
                    line.leave(ticket);
                    held.remove(&ticket);
                },
                Move::Call => {
                    let lanes = line.lanes.clone();
                    let could: Vec<u8> =
                        lanes.iter().filter(|o| line.first_of(o).is_some()).copied().collect();
                    let room = line.turns() < turns;
                    match line.call() {
                        Some(ticket) => {
                            prop_assert!(room);
                            let (owner, turn) = held.get_mut(&ticket).expect("is held");
                            prop_assert!(!std::mem::replace(turn, true), "one turn each");
                            prop_assert_eq!(could.first(), Some(&*owner), "round robin");
                            if line.lanes.contains(owner) {
                                prop_assert_eq!(line.lanes.back(), Some(&*owner));
                            }
                        }
                        None => prop_assert!(!room || could.is_empty(), "never idle"),
                    }
                }
            }
            prop_assert_eq!(line.places.len(), held.len(), "no place is lost or invented");
            prop_assert!(line.outside() <= PLACES_MAX && line.turns() <= turns);
            for owner in 0..12 {
                prop_assert!(line.held(&owner) <= PLACES_PER_OWNER_MAX);
                let waits = |p: &Place<u8, u8>| {
                    p.owner == owner && matches!(p.stage, Stage::Waiting(_))
                };
                let lanes = line.lanes.iter().filter(|o| **o == owner).count();
                prop_assert_eq!(lanes, usize::from(line.places.iter().any(waits)));
            }
            for subject in 0..6 {
                prop_assert!(line.waiting_for(Some(&subject)) <= PLACES_PER_SUBJECT_MAX);
                let turn = Stage::Turn(Some(subject));
                prop_assert!(line.count(|p| p.stage == turn) <= 1);
            }
        }
    }
}
