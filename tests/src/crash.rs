//! `counterfoil crash`: real processes, killed in the middle of a sale (I1-I6).
//!
//! Twins, backend and kiosk run as three processes; the harness is customer and
//! officer. In each round one seed decides how many forms are bought, what is
//! killed (SIGKILL) or cut off, when, and what else goes wrong with the paper.
//! The twins are never killed: like the printer in a branch, they know what
//! really happened to every sheet. When everything is at rest, the books are
//! audited and compared with the paper (`check`).
//!
//! `--seed S --rounds 1` repeats a round: the same acts, the same places to
//! strike. When the operating system runs which process is not repeated, so a
//! finding that needs one exact instant may take several tries. Forms that
//! nobody takes are not tried here: retracting waits in real time, and plays do
//! it in virtual time.
//!
//! A round without a linked sale fails, and so do fifty rounds that left a state of
//! the sale unstruck: a harness that hits nothing proves nothing.
//!
//! Exit codes: 0 all rounds passed, 1 a round failed or too little was struck, 2 typed wrongly, 3 the
//! harness itself failed.

mod buyer;
mod cable;
mod check;
mod fault;
pub mod house;
mod people;
mod plan;
mod round;
mod screens;
mod tally;
mod trouble;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::seam::SharedClock;
use counterfoil_devices::system::TokioClock;
use tokio::task::JoinSet;

use crate::branch::run_folder;
use plan::Plan;
use round::{Given, Outcome, play};
use tally::Tally;

/// Rounds at the same time at most.
pub const JOBS_MAX: usize = 16;
/// Findings of one round that are told; the first ones lead to the cause.
const FINDINGS_MAX: usize = 12;
/// The harness itself failed.
const EXIT_HARNESS: u8 = 3;

/// What may be typed.
#[derive(Debug, clap::Args)]
pub struct CrashArgs {
    /// Rounds to play; round N has the seed S + N.
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// Seed of the first round.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rounds at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Tell every screen and every blow.
    #[arg(long)]
    verbose: bool,
    /// Keep books, paper, journal and logs of every round here.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Plays the rounds.
pub fn run(args: &CrashArgs) -> ExitCode {
    match rounds(args) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("crash: {error:#}"));
            ExitCode::from(EXIT_HARNESS)
        }
    }
}

fn rounds(args: &CrashArgs) -> anyhow::Result<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, all(args))
}

/// What every round shares.
struct Ground {
    exe: PathBuf,
    books: PathBuf,
    folder: PathBuf,
    bank: DemoBank,
    clock: SharedClock,
    keep: bool,
    verbose: bool,
}

/// How many rounds failed.
async fn all(args: &CrashArgs) -> anyhow::Result<u32> {
    let clock: SharedClock = Rc::new(TokioClock::system());
    let exe = std::env::current_exe().context("this program's own path")?;
    let folder = match &args.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder).context("cannot make the folder")?;
            folder.clone()
        }
        None => run_folder()?,
    };
    let ground = Rc::new(Ground {
        books: house::enrol(&exe, &folder, &clock).await?,
        exe,
        folder,
        bank: demo::bank()?,
        clock: clock.clone(),
        keep: args.keep.is_some(),
        verbose: args.verbose,
    });
    let mut seeds = (0..args.rounds).map(|n| args.seed.saturating_add(n.into()));
    let mut tally = Tally::default();
    let (mut passed, mut failed) = (0_u32, 0_u32);
    let mut tasks = JoinSet::new();
    loop {
        while tasks.len() < args.jobs.clamp(1, JOBS_MAX) {
            let Some(seed) = seeds.next() else { break };
            tasks.spawn_local(one(Rc::clone(&ground), seed));
        }
        let Some(done) = tasks.join_next().await else {
            break;
        };
        let (seed, outcome) = done.context("a round was lost")?;
        if judge(seed, outcome, &mut tally) {
            passed = passed.saturating_add(1);
        } else {
            failed = failed.saturating_add(1);
        }
    }
    for line in tally.lines() {
        say(&line);
    }
    for never in tally.never_struck() {
        say(&never);
    }
    for thin in tally.failures() {
        say(&format!("FAILED {thin}"));
        failed = failed.saturating_add(1);
    }
    let took = clock.monotonic().as_secs();
    say(&format!("{passed} passed, {failed} failed, in {took} s"));
    if failed > 0 || ground.keep {
        say(&format!("traces in {}", ground.folder.display()));
    } else {
        // What is left of a good run is of no use; a rest in /tmp does no harm.
        std::fs::remove_dir_all(&ground.folder).ok();
    }
    Ok(failed)
}

async fn one(ground: Rc<Ground>, seed: u64) -> (u64, anyhow::Result<Outcome>) {
    let folder = ground.folder.join(format!("seed-{seed}"));
    let outcome = in_folder(&ground, &folder, seed).await;
    let passed = outcome.as_ref().is_ok_and(|o| o.findings.wrong.is_empty());
    if passed && !ground.keep {
        std::fs::remove_dir_all(&folder).ok();
    }
    (seed, outcome)
}

async fn in_folder(ground: &Ground, folder: &Path, seed: u64) -> anyhow::Result<Outcome> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).context("cannot clear the round's folder")?;
    }
    std::fs::create_dir(folder).context("cannot make the round's folder")?;
    let given = Given {
        exe: &ground.exe,
        books: &ground.books,
        folder,
        bank: &ground.bank,
        clock: &ground.clock,
        verbose: ground.verbose,
    };
    play(&given, &Plan::of(seed)).await
}

/// Tells what came of a round; whether it passed.
fn judge(seed: u64, outcome: anyhow::Result<Outcome>, tally: &mut Tally) -> bool {
    let plan = Plan::of(seed);
    match outcome {
        Err(error) => {
            say(&format!("FAILED seed {seed}: {plan}: harness: {error:#}"));
            false
        }
        Ok(outcome) => {
            let Outcome {
                findings,
                tally: own,
                took,
            } = outcome;
            tally.add(own);
            let seconds = took.as_secs_f32();
            if findings.wrong.is_empty() {
                let forms = findings.forms.iter().map(|(s, n)| format!("{n} {s:?}"));
                let forms = forms.collect::<Vec<_>>().join(", ");
                say(&format!("ok seed {seed} {seconds:.1} s: {plan} -> {forms}"));
                return true;
            }
            say(&format!("FAILED seed {seed} {seconds:.1} s: {plan}"));
            for wrong in findings.wrong.iter().take(FINDINGS_MAX) {
                say(&format!("  {wrong}"));
            }
            if let Some(more) = findings.wrong.len().checked_sub(FINDINGS_MAX)
                && more > 0
            {
                say(&format!("  and {more} more"));
            }
            say(&format!(
                "  again: counterfoil crash --seed {seed} --rounds 1 --verbose --keep DIR"
            ));
            false
        }
    }
}

/// A line on stdout; a closed pipe (`| head`) is no error.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}
