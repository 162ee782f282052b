//! `counterfoil kill`: the backend killed under load, with its clients for judges.
//!
//! The real program on its file and its socket; many kiosks at once, each with the
//! officer of its branch, sign and ask as in life. Each writes down what it was answered
//! and what it sent without an answer (`record`). At a random moment the program is
//! killed with SIGKILL and started on the same file; then every client compares: what was
//! answered is in the books with the same numbers, a stored answer comes again to the
//! byte, what was not answered is done wholly or not at all and by its repeat once, and
//! the evidence that was seen is the beginning of the evidence there is (`kiosk`). At
//! the end everything is compared with the books themselves (`judge`).
//!
//! Only gates that hash and match are passed beside HTTP, between two lives (`gates`);
//! every other start is on the file as the kill left it, and that start is timed.
//!
//! Exit codes: 0 all is well, 1 something is not, 2 typed wrongly, 3 the harness failed.

mod bank;
mod client;
pub mod full;
mod gates;
mod judge;
mod kiosk;
mod record;
mod tally;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use counterfoil_backend::keys::Keys;
use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use counterfoil_devices::system::TokioClock;
use tokio::task::{JoinSet, LocalSet};

use crate::branch::run_folder;
use crate::cli::say;
use crate::crash::house::{Process, backend, configured, log};
use crate::entropy::SeededEntropy;
use gates::Books;
use kiosk::{End, Kiosk};
use tally::Tally;

/// Most kiosks.
const KIOSKS_MAX: u64 = 64;
/// Longest life under load, in milliseconds.
const LIFE_MAX_MS: u32 = 350;
/// Of so many starts one is killed before it is through.
const ONE_STILLBORN_IN: u32 = 6;
/// Longest life of such a one, in milliseconds.
const STILLBORN_MAX_MS: u32 = 40;
/// Salts set aside for one opening of the books.
const SALTS: u64 = 10_000;
/// The slowest start that is good enough on an idle machine.
const START_MAX: Duration = Duration::from_secs(1);
/// Kills between two lines of progress.
const TOLD_EVERY: u32 = 50;
/// The harness itself failed.
const EXIT_HARNESS: u8 = 3;

/// What may be typed.
#[derive(Debug, clap::Args)]
pub struct KillArgs {
    /// How often the backend is killed.
    #[arg(long, default_value_t = 500)]
    kills: u32,
    /// Kiosks that sell at the same time.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=KIOSKS_MAX))]
    kiosks: u64,
    /// Decides what is sold and when is killed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the books and the logs here.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Kills and judges.
pub fn run(args: &KillArgs) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let run = runtime
        .context("cannot start the runtime")
        .and_then(|runtime| LocalSet::new().block_on(&runtime, kills(args)));
    match run {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("kill: {error:#}"));
            ExitCode::from(EXIT_HARNESS)
        }
    }
}

async fn kills(args: &KillArgs) -> anyhow::Result<bool> {
    let clock: SharedClock = Rc::new(TokioClock::system());
    let folder = match &args.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder).context("cannot make the folder")?;
            folder.clone()
        }
        None => run_folder()?,
    };
    let (kills, kiosks, seed) = (args.kills, args.kiosks, args.seed);
    say(&format!("{kills} kills under {kiosks} kiosks, seed {seed}"));
    let mut house = House::open(&folder, (kiosks, seed), Keys::demo(), clock.clone())?;
    let mut verdict = Ok(());
    for kill in 0..args.kills {
        verdict = house.life(kill).await?;
        if verdict.is_err() {
            break;
        }
        if kill.checked_rem(TOLD_EVERY) == Some(0) {
            let answered = house.tally.answered.get();
            say(&format!("  kill {kill}: {answered} commands answered"));
        }
    }
    if verdict.is_ok() {
        verdict = house.rest().await?;
    }
    for line in house.tally.lines() {
        say(&line);
    }
    if house.tally.starts().1 > START_MAX {
        // Told, not judged: on a busy machine it is the machine's.
        say(&format!("a start took longer than {START_MAX:?}"));
    }
    let verdict = verdict.and_then(|()| match house.tally.too_little() {
        Some(what) => Err(what.to_owned()),
        None => Ok(()),
    });
    let took = clock.monotonic().as_secs();
    match &verdict {
        Ok(()) => say(&format!(
            "{kills} kills: all is as it was told, in {took} s"
        )),
        Err(what) => {
            say(&format!("FAILED: {what}"));
            say(&format!(
                "  again: counterfoil kill --kills {kills} --seed {seed}"
            ));
        }
    }
    if args.keep.is_some() || verdict.is_err() {
        say(&format!("books and logs in {}", folder.display()));
    } else {
        std::fs::remove_dir_all(&folder).ok();
    }
    Ok(verdict.is_ok())
}

/// The program, its books, and all of its clients.
struct House {
    exe: PathBuf,
    folder: PathBuf,
    books: PathBuf,
    /// The configuration, where it is not a demo's.
    config: Option<PathBuf>,
    keys: Keys,
    clock: SharedClock,
    dice: SharedEntropy,
    kiosks: Vec<Kiosk>,
    tally: Rc<Tally>,
    openings: u64,
}

/// What the clients found: nothing, or what is wrong.
type Verdict = Result<(), String>;

impl House {
    fn open(
        folder: &Path,
        (kiosks, seed): (u64, u64),
        keys: Keys,
        clock: SharedClock,
    ) -> anyhow::Result<Self> {
        let tally = Rc::new(Tally::default());
        let mut house = Self {
            exe: std::env::current_exe().context("this program's own path")?,
            folder: folder.to_owned(),
            books: folder.join("books.redb"),
            config: None,
            keys,
            clock,
            dice: SeededEntropy::stream(seed, "kill"),
            kiosks: Vec::new(),
            tally: Rc::clone(&tally),
            openings: 1,
        };
        ensure!(!house.books.exists(), "there are books in this folder");
        for number in 0..kiosks {
            let kiosk = Kiosk::new(number, seed, tally.clone())?;
            house.kiosks.push(kiosk);
        }
        house.books()?.enrol(kiosks)?;
        Ok(house)
    }

    fn roll(&self, below: u32) -> u32 {
        let face = u32::from_be_bytes(random(&*self.dice));
        face.checked_rem(below).unwrap_or(0)
    }

    /// The books, while no service runs.
    fn books(&mut self) -> anyhow::Result<Books> {
        self.openings = self.openings.saturating_add(1);
        let salt = self.openings.saturating_mul(SALTS);
        Books::open(&self.books, &self.keys, self.clock.now(), salt)
    }

    /// From one kill to the next.
    async fn life(&mut self, kill: u32) -> anyhow::Result<Verdict> {
        let dirty = kill > 0 && kill.checked_rem(2) == Some(0);
        if !dirty {
            self.gates()?;
        }
        if self.roll(ONE_STILLBORN_IN) == 0 {
            self.stillborn().await?;
        }
        let process = self.start(dirty).await?;
        let verdict = self.all(Task::Check).await?;
        if verdict.is_err() {
            return Ok(verdict);
        }
        let left = Duration::from_millis(self.roll(LIFE_MAX_MS).into());
        let (clock, mut process) = (self.clock.clone(), Some(process));
        let blow = async {
            clock.sleep(left).await;
            match process.take() {
                Some(process) => process.kill().await,
                None => Ok(()),
            }
        };
        let (verdict, killed) = tokio::join!(self.all(Task::Live), blow);
        killed?;
        verdict
    }

    /// Sales that wait for a card pass the gates.
    fn gates(&mut self) -> anyhow::Result<()> {
        let mut books = self.books()?;
        let waiting = self.kiosks.iter();
        let waiting: Vec<_> = waiting
            .filter_map(|kiosk| Some((kiosk.number, kiosk.waiting()?)))
            .collect();
        let passed = books.pass(&waiting)?;
        let went = self.kiosks.iter_mut();
        let went = went.filter(|kiosk| passed.contains(&kiosk.number));
        went.for_each(Kiosk::went_on);
        Ok(())
    }

    /// Started, and killed before it is through.
    async fn stillborn(&mut self) -> anyhow::Result<()> {
        let db = self.books.to_str().context("an odd folder")?;
        let args = ["backend", "--demo", "--db", db, "--listen", "127.0.0.1:0"];
        let process = Process::start(&self.exe, &args, log(&self.folder, "backend")?)?;
        let left = Duration::from_millis(self.roll(STILLBORN_MAX_MS).into());
        self.clock.sleep(left).await;
        process.kill().await
    }

    async fn start(&mut self, timed: bool) -> anyhow::Result<Process> {
        let began = self.clock.monotonic();
        let log = log(&self.folder, "backend")?;
        let (process, address) = match &self.config {
            Some(config) => configured(&self.exe, config, log, &self.clock).await?,
            None => backend(&self.exe, &self.books, &[], log, &self.clock).await?,
        };
        for kiosk in &mut self.kiosks {
            kiosk.turn_to(address);
        }
        let first = self.kiosks.first_mut().context("no kiosk")?;
        ensure!(first.knock().await, "the first question is not answered");
        if timed {
            let took = self.clock.monotonic().saturating_sub(began);
            self.tally.started(took);
        }
        Ok(process)
    }

    /// All clients at once.
    async fn all(&mut self, task: Task) -> anyhow::Result<Verdict> {
        let mut tasks = JoinSet::new();
        for mut kiosk in std::mem::take(&mut self.kiosks) {
            tasks.spawn_local(async move {
                let end = match task {
                    Task::Check => kiosk.check().await,
                    Task::Begin => kiosk.begin().await,
                    Task::Drain | Task::Flood => kiosk.drain().await,
                    Task::Live => kiosk.live().await,
                };
                (kiosk, end)
            });
        }
        let mut verdict = Ok(());
        while let Some(done) = tasks.join_next().await {
            let (kiosk, end) = done.context("a client was lost")?;
            let number = kiosk.number;
            verdict = verdict.and(match end {
                Ok(()) => Ok(()),
                Err(End::Silent) if matches!(task, Task::Live | Task::Flood) => Ok(()),
                Err(End::NoRoom) => Err(format!("kiosk {number}: no room")),
                Err(End::Silent) => Err(format!("kiosk {number}: the house fell silent")),
                Err(End::Wrong(what)) => Err(format!("kiosk {number}: {what}")),
            });
            self.kiosks.push(kiosk);
        }
        self.kiosks.sort_by_key(|kiosk| kiosk.number);
        Ok(verdict)
    }

    /// The last life ends as a service manager ends it, and the books are judged.
    async fn rest(&mut self) -> anyhow::Result<Verdict> {
        let process = self.start(true).await?;
        self.stop(process).await
    }

    async fn stop(&mut self, process: Process) -> anyhow::Result<Verdict> {
        let verdict = self.all(Task::Check).await?;
        let pid = process.id().context("it ended by itself")?.to_string();
        for kiosk in &mut self.kiosks {
            kiosk.hang_up();
        }
        let mut term = std::process::Command::new("kill");
        let told = term.args(["-s", "TERM", &pid]).status()?;
        ensure!(told.success(), "cannot be told to stop");
        ensure!(
            process.ended().await?,
            "a graceful stop failed: see its log"
        );
        if verdict.is_err() {
            return Ok(verdict);
        }
        let books = self.books()?;
        judge::books(books.store(), &self.kiosks, &self.keys)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Check,
    Begin,
    Drain,
    Flood,
    Live,
}
