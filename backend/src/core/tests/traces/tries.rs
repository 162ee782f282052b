//! What a random trace is made of.

use proptest::prelude::*;

/// One thing somebody tries; small numbers choose among what there is.
#[derive(Debug, Clone)]
pub enum Try {
    Open,
    Turn,
    Info(bool, bool),
    Identity(u8),
    Order(u8, bool),
    Seen,
    Confirm,
    Deny,
    Ask,
    Link,
    Feed,
    Outcome(u8, u8),
    Misread(u8),
    Close(u8),
    TakeSheet(u8),
    Cancel,
    Abandon,
    Wait(u8),
    Lose,
    Unload,
    Load(u8),
    Unlock,
    Resolve(u8, u8),
    Act(u8, u8, u8),
}

fn tries() -> impl Strategy<Value = Try> {
    prop_oneof![
        4 => Just(Try::Open),
        2 => Just(Try::Turn),
        5 => (prop::bool::weighted(0.9), prop::bool::weighted(0.9))
            .prop_map(|(a, b)| Try::Info(a, b)),
        5 => (0..8_u8).prop_map(Try::Identity),
        5 => (1..9_u8, any::<bool>()).prop_map(|(q, cash)| Try::Order(q, cash)),
        5 => Just(Try::Seen),
        5 => Just(Try::Confirm),
        1 => Just(Try::Deny),
        1 => Just(Try::Ask),
        5 => Just(Try::Link),
        12 => Just(Try::Feed),
        16 => (0..60_u8, 0..8_u8).prop_map(|(f, e)| Try::Outcome(f, e)),
        3 => any::<u8>().prop_map(Try::Misread),
        3 => (0..5_u8).prop_map(Try::Close),
        3 => (0..2_u8).prop_map(Try::TakeSheet),
        1 => Just(Try::Cancel),
        1 => Just(Try::Abandon),
        1 => any::<u8>().prop_map(Try::Wait),
        1 => Just(Try::Lose),
        1 => Just(Try::Unload),
        1 => any::<u8>().prop_map(Try::Load),
        1 => Just(Try::Unlock),
        1 => (any::<u8>(), 0..4_u8).prop_map(|(f, r)| Try::Resolve(f, r)),
        6 => (0..13_u8, any::<u8>(), any::<u8>()).prop_map(|(a, n, w)| Try::Act(a, n, w)),
    ]
}

/// What a sale needs up to its numbers.
pub fn to_linked(quantity: u8) -> Vec<Try> {
    vec![
        Try::Open,
        Try::Info(true, true),
        Try::Identity(7),
        Try::Order(quantity, false),
        Try::Seen,
        Try::Confirm,
        Try::Link,
    ]
}

/// Mostly what a sale needs next, so that traces get far.
pub fn traces() -> impl Strategy<Value = Vec<Try>> {
    let more = || prop::collection::vec(tries(), 0..12);
    let ended = |mut all: Vec<Try>, more: Vec<Try>| {
        all.extend(more);
        all.extend([
            Try::TakeSheet(0),
            Try::Close(4),
            Try::Abandon,
            Try::Close(3),
        ]);
        all
    };
    let sale = (1..9_u8, more()).prop_map(move |(quantity, more)| ended(to_linked(quantity), more));
    // A sale at each kiosk at once: a number of one may be read in the other.
    let both = (1..9_u8, 1..9_u8, more(), more());
    let both = both.prop_map(move |(here, there, more, last)| {
        let mut all = to_linked(here);
        all.push(Try::Turn);
        all.extend(to_linked(there));
        all.push(Try::Feed);
        let mut all = ended(all, more);
        all.push(Try::Turn);
        ended(all, last)
    });
    let mess = prop::collection::vec(tries(), 1..30);
    let part = prop_oneof![3 => sale, 2 => both, 1 => mess];
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.concat())
}
