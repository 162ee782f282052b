//! What must be caught: a disk that lies, a store that makes two commits of one, that
//! answers too early, that forgets keys or attempts. A judge that never found anything
//! proves nothing. The last three stand above the record of states, so that it is not
//! the comparison of states that sees them, but what clients were told.

use super::books::{Forgetful, Forgets, Halved, Late};
use super::disk::{Cutter, Disk};
use super::judge::Check;
use super::tally::Tally;
use super::trace::{self, Run};
use super::{One, unlogged};

/// Images in which each must be caught.
const WITHIN: usize = 200;

/// That `by` finds one of the images broken; others may find some before it.
fn caught(run: &Run, by: Check) {
    let mut tally = Tally::default();
    // From the end: by then everything has happened.
    let cuts = run.ops.len();
    for nth in 0..WITHIN {
        let mut cutter = Cutter::new(run.base.clone(), &run.ops);
        let one = One {
            cut: cuts - nth * cuts / (2 * WITHIN),
            seed: nth as u64,
            all: true,
        };
        if let Err(broken) = one.judge(run, &mut cutter, &mut tally) {
            println!("image {nth} is found broken by {broken}");
            if broken.check == by {
                return;
            }
        }
    }
    panic!("{by:?} found none of {WITHIN} images broken:\n{tally}");
}

#[test]
fn a_sync_that_does_nothing_and_says_done_is_caught() {
    unlogged(|| {
        let run = trace::run(&Disk::lying(), |db| db, |store| store);
        caught(&run, Check::State);
    });
}

#[test]
fn two_commits_made_of_one_are_caught() {
    unlogged(|| {
        let run = trace::run(&Disk::default(), Halved, |store| store);
        caught(&run, Check::State);
    });
}

#[test]
fn an_answer_before_the_commit_is_caught_by_what_clients_were_shown() {
    unlogged(|| {
        let run = trace::run(&Disk::default(), |db| db, Late::new);
        caught(&run, Check::Shown);
    });
}

#[test]
fn lost_idempotency_is_caught_by_asking_again() {
    unlogged(|| {
        let forgetful = |store| Forgetful(store, Forgets::Keys);
        let run = trace::run(&Disk::default(), |db| db, forgetful);
        caught(&run, Check::Replay);
    });
}

#[test]
fn attempts_that_are_not_kept_are_caught_by_what_was_told_of_them() {
    unlogged(|| {
        let forgetful = |store| Forgetful(store, Forgets::Attempts);
        let run = trace::run(&Disk::default(), |db| db, forgetful);
        caught(&run, Check::Attempts);
    });
}
