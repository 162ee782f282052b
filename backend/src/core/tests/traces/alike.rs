//! The same commands, one by one and in groups, in the model and in redb, with restarts
//! between: the same answers and the same books, row by row (suite: 200 traces).
//!
//! A trace is tried out on the model, which decides what each attempt means; the commands
//! that came of it are then given to the others. Books that are equal row by row have
//! equal balances, custody, evidence, stored answers and outbox.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::rest::{RENEW_PRINTS, RESTS, SORTS, sort_of};
use super::tries::{Try, to_linked, traces};
use super::{Trace, proven};
use crate::core::command::{Answer, Command, GROUP_MAX};
use crate::core::key::Table;
use crate::core::tests::bank::log_key;
use crate::store::model::ModelStore;
use crate::store::redb::RedbStore;
use crate::store::redb::disk::Disk;
use crate::store::{From, Read, Snapshots as _, Store, StoreError, each_row};
use crate::writer::Writer;

/// Traces in the suite; `just traces` sets another number.
const TRACES: u32 = 200;
/// Attempts in one trace.
const ATTEMPTS: usize = 50;

/// One step of a trace.
#[derive(Debug, Clone)]
enum Step {
    Try(Try),
    /// One of the commands that no sale leads to.
    Rest(u8, u8, u8),
    /// The clock goes back by so many minutes.
    Back(u8),
}

/// A trace, and how it is cut into groups and restarts.
#[derive(Debug, Clone)]
struct Whole {
    steps: Vec<Step>,
    groups: Vec<usize>,
    restarts: BTreeSet<usize>,
}

fn tries(all: Vec<Try>) -> Vec<Step> {
    all.into_iter().map(Step::Try).collect()
}

fn linked(more: Vec<Try>) -> Vec<Step> {
    tries([to_linked(1), more].concat())
}

/// Beginnings that lead where chance seldom does.
fn stories() -> impl Strategy<Value = Vec<Step>> {
    let ordered = |last: Try| {
        let mut all = to_linked(2);
        all.truncate(5);
        tries([all, vec![last]].concat())
    };
    let handed = [0, 2, 3].map(|event| Try::Outcome(0, event));
    let sold = [vec![Try::Feed], handed.to_vec(), vec![Try::TakeSheet(0)]].concat();
    let lost = vec![Try::Feed, Try::Outcome(0, 6), Try::Abandon];
    let second_finger = vec![
        Step::Rest(RENEW_PRINTS, 1, 0),
        Step::Rest(1, 0, 1),
        Step::Try(Try::Open),
        Step::Try(Try::Info(true, true)),
        Step::Try(Try::Identity(7)),
        Step::Try(Try::Order(5, false)),
        Step::Rest(25, 0, 60),
    ];
    prop_oneof![
        Just(linked([sold, vec![Try::Close(3)]].concat())),
        (0..4_u8).prop_map(move |to| linked([lost.clone(), vec![Try::Resolve(0, to)]].concat())),
        Just(linked(vec![
            Try::Feed,
            Try::Misread(9),
            Try::Unlock,
            Try::Abandon,
            Try::Unload,
        ])),
        Just(ordered(Try::Deny)),
        Just(ordered(Try::Ask)),
        Just(ordered(Try::Wait(60))),
        Just([14, 22, 23].map(|which| Step::Rest(which, 8, 8)).to_vec()),
        (10..200_u8).prop_map(|minutes| vec![Step::Back(minutes), Step::Rest(24, 1, 0)]),
        Just(vec![Step::Rest(18, 0, 4), Step::Rest(20, 1, 1)]),
        (0..4_u8).prop_map(|to| {
            let left = linked(vec![Try::Feed, Try::Lose, Try::Resolve(0, to)]);
            [left, vec![Step::Rest(17, 1, 0)]].concat()
        }),
        Just(second_finger),
    ]
}

fn wholes() -> impl Strategy<Value = Whole> {
    let rest = (0..=RESTS, any::<u8>(), any::<u8>()).prop_map(|(w, a, b)| Step::Rest(w, a, b));
    let rests = prop::collection::vec((any::<prop::sample::Index>(), rest), 6..24);
    let groups = prop::collection::vec(1..=GROUP_MAX / 4, 8);
    let restarts = prop::collection::btree_set(0..120_usize, 1..4);
    (stories(), traces(), traces(), rests, groups, restarts).prop_map(
        |(story, first, second, rests, groups, restarts)| {
            let tries = first.into_iter().chain(second).map(Step::Try);
            let told = story.len();
            let mut steps: Vec<Step> = story.into_iter().chain(tries).collect();
            for (at, rest) in rests {
                let at = told + at.index(steps.len().min(ATTEMPTS) - told);
                steps.insert(at, rest);
            }
            steps.truncate(ATTEMPTS);
            Whole {
                steps,
                groups,
                restarts,
            }
        },
    )
}

/// Every row but the store's own.
fn rows(read: &dyn Read) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut all = BTreeMap::new();
    let low = vec![Table::Meta as u8 + 1];
    let every = each_row(read, low, &[u8::MAX], |key, row| {
        all.insert(key, row);
        Ok::<_, StoreError>(())
    });
    every.expect("reads");
    all
}

/// Tables in which two books differ.
fn differing(one: &BTreeMap<Vec<u8>, Vec<u8>>, other: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<Table> {
    let mine = one.iter().filter(|(k, v)| other.get(*k) != Some(v));
    let theirs = other.iter().filter(|(k, _)| !one.contains_key(*k));
    let tables: BTreeSet<u8> = mine.chain(theirs).map(|(k, _)| k[0]).collect();
    let named = |table: &Table| tables.contains(&(*table as u8));
    Table::ALL.into_iter().filter(named).collect()
}

/// Ranges between rows of these books, from both ends and of few rows, read alike.
fn ranges_agree(books: &BTreeMap<Vec<u8>, Vec<u8>>, one: &dyn Read, other: &dyn Read) {
    let keys: Vec<&Vec<u8>> = books.keys().collect();
    for (at, low) in keys.iter().enumerate().step_by(7) {
        let high = keys[(at * 5 + 3) % keys.len()];
        for end in [From::First, From::Last] {
            for limit in 0..4 {
                let read = |read: &dyn Read| read.range(low, high, end, limit).expect("reads");
                assert_eq!(read(one), read(other), "{limit} rows from {end:?}");
            }
        }
    }
}

fn seat<S: Store>(store: S) -> Writer<S> {
    Writer::open(store, log_key()).expect("opens")
}

/// In redb, each command a group, and the process ends at some of them: what opens the
/// bytes next knows all that was answered.
fn singly(commands: &[Command], restarts: &BTreeSet<usize>) -> (Vec<Answer>, RedbStore) {
    let mut disk = Disk::default();
    let open = |disk: &Disk| {
        let store = RedbStore::disk(|| Ok(disk.clone()), 1 << 20);
        seat(store.expect("opens"))
    };
    let mut writer = open(&disk);
    let mut answers = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        if restarts.contains(&at) {
            // Not closed: as after a kill.
            disk = Disk::holding(disk.bytes());
            writer = open(&disk);
        }
        answers.extend(writer.step(vec![command.clone()]).expect("works"));
    }
    (answers, writer.store().clone())
}

/// In groups of these sizes, over and over.
fn grouped<S: Store>(mut writer: Writer<S>, commands: &[Command], sizes: &[usize]) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut left = commands;
    let mut sizes = sizes.iter().cycle();
    while !left.is_empty() {
        let size = (*sizes.next().expect("sizes")).min(left.len());
        let (group, rest) = left.split_at(size);
        answers.extend(writer.step(group.to_vec()).expect("works"));
        left = rest;
    }
    answers
}

/// Sorts of command drawn, and of those done.
#[derive(Default)]
struct Reached {
    drawn: BTreeSet<&'static str>,
    done: BTreeSet<&'static str>,
}

fn check(whole: &Whole, sheet: bool, reached: &mut Reached) {
    let mut trace = Trace::new(ModelStore::new(), sheet);
    for step in &whole.steps {
        match step {
            Step::Try(attempt) => {
                trace.attempt(attempt);
            }
            Step::Rest(which, a, b) => trace.do_rest(*which, *a, *b),
            Step::Back(minutes) => trace.desk.later(-60 * i64::from(*minutes)),
        }
    }
    trace.desk.audit();
    proven::no_paper_came_back(&trace);
    let (commands, expected): (Vec<Command>, Vec<Answer>) =
        std::mem::take(&mut trace.desk.given).into_iter().unzip();
    for (command, answer) in commands.iter().zip(&expected) {
        reached.drawn.insert(sort_of(&command.body));
        if answer.result.is_ok() {
            reached.done.insert(sort_of(&command.body));
        }
    }
    let books = rows(&*trace.desk.read());
    let same = |name: &str, answers: Vec<Answer>, read: &dyn Read| {
        for (at, (answer, wanted)) in answers.iter().zip(&expected).enumerate() {
            assert_eq!(answer, wanted, "{name}, command {at}: {:?}", commands[at]);
        }
        assert_eq!(answers.len(), expected.len());
        let other = rows(read);
        let tables = differing(&books, &other);
        assert!(tables.is_empty(), "{name}: other rows in {tables:?}");
        ranges_agree(&books, &*trace.desk.read(), read);
    };
    let (answers, redb) = singly(&commands, &whole.restarts);
    same(
        "redb, restarted",
        answers,
        &*redb.snapshot().expect("reads"),
    );
    let redb = RedbStore::memory().expect("opens");
    let answers = grouped(seat(redb.clone()), &commands, &whole.groups);
    same(
        "redb, in groups",
        answers,
        &*redb.snapshot().expect("reads"),
    );
    let model = ModelStore::new();
    let answers = grouped(seat(model.clone()), &commands, &[GROUP_MAX]);
    same(
        "the model, in groups",
        answers,
        &*model.snapshot().expect("reads"),
    );
}

/// The traces are the same in every run; `COUNTERFOIL_TRACES` asks for more of them.
#[test]
fn model_and_redb_agree_row_by_row_in_any_grouping_and_over_restarts() {
    let asked = std::env::var("COUNTERFOIL_TRACES").ok();
    let count = asked.map_or(TRACES, |text| text.parse().expect("a number of traces"));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[21; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut reached = Reached::default();
    let mut commands = 0;
    for nth in 0..count {
        let whole = wholes().new_tree(&mut runner).expect("a trace").current();
        commands += whole.steps.len();
        let checked = std::panic::AssertUnwindSafe(|| check(&whole, nth % 2 == 1, &mut reached));
        if let Err(failed) = std::panic::catch_unwind(checked) {
            eprintln!("trace {nth}: {whole:#?}");
            std::panic::resume_unwind(failed);
        }
    }
    println!(
        "{count} traces, {commands} steps, {} sorts",
        reached.drawn.len()
    );
    let never = |among: &BTreeSet<&str>| -> Vec<&str> {
        let missing = |sort: &&&str| !among.contains(**sort);
        SORTS.iter().filter(missing).copied().collect()
    };
    if count >= TRACES {
        assert_eq!(never(&reached.drawn), Vec::<&str>::new(), "never drawn");
        assert_eq!(never(&reached.done), Vec::<&str>::new(), "never done");
    }
}
