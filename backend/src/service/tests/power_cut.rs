//! Power cuts under the whole sale service (I6).
//!
//! redb's own fuzzer fails calls and reopens; it never drops, reorders or tears what was
//! written and not yet synced. Here a bank is enrolled and sells over HTTP ([`trace`]) on
//! a simulated disk ([`disk`]); the power goes after every single thing done to the disk;
//! what was not synced survives by chance, whole, by sector or torn at a byte; now and
//! then it goes again while the books are being opened. Each image is judged ([`judge`],
//! [`answers`]) by what the clients had been told. Disks that fail are in [`faults`].
//!
//! `COUNTERFOIL_IMAGES` says how many images; `COUNTERFOIL_IMAGE=CUT:SEED`, as a failure
//! prints it, makes one again. Mutants at the end: what must be caught is caught.

mod answers;
mod books;
mod faults;
mod front;
mod judge;
mod mutants;
mod tally;
mod trace;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::thread;

use crate::store::redb::disk;
use disk::{Chance, Cutter, Disk, Grain};
use judge::{Broken, Check, Found};
use tally::Tally;
use trace::Run;

const CACHE_BYTES: usize = 1 << 20;
/// Of houses whose disk fails: so small that they have to read while they sell.
const CACHE_BYTES_SMALL: usize = 1 << 16;
/// Images unless `COUNTERFOIL_IMAGES` says otherwise.
const IMAGES: usize = 3_000;
/// One image in so many: cut again while it is opened, audited, asked over HTTP, and
/// (of those) carried on to a receipt.
const SECOND_IN: usize = 4;
const AUDITED_IN: usize = 8;
const ASKED_IN: usize = 5;
const ONWARD_IN: usize = 6;
/// Images to one failing disk.
const IMAGES_A_FAULT: usize = 20;

fn images() -> usize {
    let given = env::var("COUNTERFOIL_IMAGES").ok();
    given.map_or(IMAGES, |n| n.parse().expect("a number of images"))
}

/// The sound run, made once.
fn sound() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| trace::run(&Disk::default(), |db| db, |store| store))
}

/// No log: thousands of houses would fill the memory with it.
fn unlogged<T>(work: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), work)
}

/// One image, judged: where it was cut, and all chance in it.
struct One {
    cut: usize,
    seed: u64,
    /// Every check, whatever chance says.
    all: bool,
}

impl One {
    /// Judges the image, and what a cut of its recovery leaves. A panic is a finding.
    fn judge(&self, run: &Run, cutter: &mut Cutter<'_>, tally: &mut Tally) -> Result<(), Broken> {
        let judged = AssertUnwindSafe(|| self.judge_all(run, cutter, tally));
        let panicked = |_| Err(Check::Panics.broken("see above"));
        catch_unwind(judged).unwrap_or_else(panicked)
    }

    fn judge_all(
        &self,
        run: &Run,
        cutter: &mut Cutter<'_>,
        tally: &mut Tally,
    ) -> Result<(), Broken> {
        let mut chance = Chance(self.seed);
        let grain = Grain::ALL[chance.below(3)];
        let (image, cut) = cutter.cut(self.cut, grain, &mut chance);
        tally.image(grain, &cut);
        let found = self.look(run, &image, &mut chance, tally)?;
        if chance.one_in(SECOND_IN) && !found.recovery.is_empty() {
            let nth = chance.below(found.recovery.len() + 1);
            let grain = Grain::ALL[chance.below(3)];
            let mut again = Cutter::new(image, &found.recovery);
            let (second, cut) = again.cut(nth, grain, &mut chance);
            tally.second(&cut);
            self.look(run, &second, &mut chance, tally)?;
        }
        Ok(())
    }

    fn look(
        &self,
        run: &Run,
        image: &[u8],
        chance: &mut Chance,
        tally: &mut Tally,
    ) -> Result<Found, Broken> {
        let audits = chance.one_in(AUDITED_IN) || self.all;
        let found = judge::books(run, image.to_vec(), self.cut, audits)?;
        tally.found(run.may_be(self.cut), &found, audits);
        let asks = chance.one_in(ASKED_IN) || self.all;
        let onward = chance.one_in(ONWARD_IN) || self.all;
        if asks {
            let at = (self.cut, found.state);
            answers::ask(run, image.to_vec(), at, onward, &mut tally.asked)?;
            tally.asked_images += 1;
        }
        Ok(found)
    }
}

/// Every `step`th image from `first` on.
fn part(run: &Run, (first, step, images): (usize, usize, usize)) -> Tally {
    let mut tally = Tally::default();
    let mut cutter = Cutter::new(run.base.clone(), &run.ops);
    let cuts = run.ops.len() + 1;
    for nth in (first..images).step_by(step) {
        let one = One {
            cut: nth * cuts / images,
            seed: nth as u64,
            all: false,
        };
        if let Err(broken) = one.judge(run, &mut cutter, &mut tally) {
            let (cut, seed) = (one.cut, one.seed);
            tally
                .broken
                .push(format!("COUNTERFOIL_IMAGE={cut}:{seed} {broken}"));
        }
        tally.cuts.insert(one.cut);
    }
    tally
}

#[test]
fn wherever_the_power_is_cut_nothing_answered_is_lost_and_nothing_happens_twice_i6() {
    unlogged(|| {
        let run = sound();
        if let Ok(image) = env::var("COUNTERFOIL_IMAGE") {
            let (cut, seed) = image.split_once(':').expect("CUT:SEED");
            let cut = cut.parse().expect("a cut");
            let seed = seed.parse().expect("a seed");
            let mut cutter = Cutter::new(run.base.clone(), &run.ops);
            let one = One {
                cut,
                seed,
                all: false,
            };
            let judged = one.judge(run, &mut cutter, &mut Tally::default());
            return judged.unwrap_or_else(|broken| panic!("{broken}"));
        }
        let (images, threads) = (images(), threads());
        let begun = judge::now();
        let mut tally = Tally::default();
        thread::scope(|scope| {
            let part = |first| move || unlogged(|| part(run, (first, threads, images)));
            let parts: Vec<_> = (0..threads).map(|first| scope.spawn(part(first))).collect();
            for part in parts {
                tally.join(part.join().expect("a judge"));
            }
        });
        tally.cuts_of = run.ops.len() + 1;
        let took = judge::now().saturating_duration_since(begun);
        println!(
            "{tally}\n{threads} threads, {} s; run {}",
            took.as_secs(),
            digest(run)
        );
        assert!(tally.broken.is_empty(), "{:#?}", tally.broken);
        assert!(run.grown() > 0, "the file grows while the bank sells");
        if images >= 1_000 {
            tally.reached();
        }
    });
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, |n| n.get().min(8))
}

/// Which run it was: the same in every process, or a seed says nothing.
fn digest(run: &Run) -> String {
    use sha2::{Digest as _, Sha256};
    let mut hasher = Sha256::new();
    for op in &run.ops {
        hasher.update(format!("{op:?}"));
    }
    format!(
        "{} ops {:x}",
        run.ops.len(),
        u64::from_be_bytes(hasher.finalize()[..8].try_into().expect("8 bytes"),)
    )
}

#[test]
fn two_kiosks_commands_are_one_commit_of_the_trace() {
    let run = unlogged(sound);
    let opened = |who: &str, sale: u128| {
        let sale = counterfoil_data::ids::SaleId(sale);
        let is =
            |told: &&front::Told| told.who == who && told.view().is_some_and(|v| v.sale == sale);
        run.told.iter().find(is).expect("opened")
    };
    let (here, there) = (opened("kiosk-1", 4), opened("kiosk-2", 5));
    let between = |state: &&books::State| {
        state.begun >= here.sent && state.done.is_some_and(|done| done <= there.heard)
    };
    assert_eq!(run.states.iter().filter(between).count(), 1);
}

#[test]
fn the_bank_of_the_trace_is_enrolled_in_one_commit() {
    let run = unlogged(sound);
    let first = run.told.first().expect("asked").sent;
    let before = |state: &&books::State| state.begun > 0 && state.begun < first;
    assert_eq!(run.states.iter().filter(before).count(), 1);
}

#[test]
fn a_disk_that_fails_stops_the_house_and_nothing_answered_is_lost() {
    unlogged(|| {
        let run = sound();
        let mut tally = Tally::default();
        for nth in 0..(images() / IMAGES_A_FAULT).max(40) {
            let mut chance = Chance(0xFA17 ^ nth as u64);
            let fault = faults::drawn(&mut chance);
            match faults::one(run, fault, &mut chance) {
                Ok(came) => tally.fault(fault, &came),
                Err(broken) => tally
                    .broken
                    .push(format!("fault {nth}, {fault:?}: {broken}")),
            }
        }
        println!("{}", tally.failures());
        assert!(tally.broken.is_empty(), "{:#?}", tally.broken);
        tally.every_fault();
    });
}
