//! `counterfoil disk-full`: the disk under the backend fills up while kiosks sell.
//!
//! On a small disk of its own: below the first mark nothing new is sold and what is under
//! way goes on to its receipt; when not a byte is free the reserve is given up, and
//! outcomes are made durable in its place; a backend whose commit found no room is gone,
//! and comes back on the full disk; with room again the reserve is back and kiosks sell.
//! The clients' own records judge it, as after a kill.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use counterfoil_backend::keys::Keys;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::hex;
use counterfoil_devices::system::TokioClock;
use tokio::task::LocalSet;

use super::gates::ORIGIN;
use super::{EXIT_HARNESS, House, Task, Verdict};
use crate::cli::say;

/// The reserve in MiB.
const RESERVE_MIB: usize = 8;
/// The master key of this bank.
const MASTER: [u8; 32] = [7; 32];
/// Kiosks.
const KIOSKS: u64 = 16;
/// Longest wait for the service to see what became of its disk.
const SEEN_WITHIN: Duration = Duration::from_secs(10);
/// How often that is looked for.
const LOOK: Duration = Duration::from_millis(50);
const MIB: usize = 1024 * 1024;

/// What may be typed.
#[derive(Debug, clap::Args)]
pub struct FullArgs {
    /// An empty folder on a disk of some 48 MiB that may be filled.
    folder: PathBuf,
    /// Decides what is sold.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Fills the disk and judges.
pub fn run(args: &FullArgs) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let run = runtime
        .context("cannot start the runtime")
        .and_then(|runtime| LocalSet::new().block_on(&runtime, filled(args)));
    match run {
        Ok(Ok(())) => {
            say("a full disk: all is as it was told");
            ExitCode::SUCCESS
        }
        Ok(Err(what)) => {
            say(&format!("FAILED: {what}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("disk-full: {error:#}"));
            ExitCode::from(EXIT_HARNESS)
        }
    }
}

/// What takes the room: a file that grows.
struct Ballast(PathBuf);

impl Ballast {
    /// Grows by so many bytes, or to where the disk is full; how many there was room for.
    fn grow(&self, bytes: usize) -> anyhow::Result<usize> {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).append(true).open(&self.0)?;
        let mut grown = 0_usize;
        while grown < bytes {
            let chunk = vec![1; bytes.saturating_sub(grown).min(4_096)];
            match file.write(&chunk) {
                Ok(0) => break,
                Ok(wrote) => grown = grown.saturating_add(wrote),
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(grown)
    }
}

async fn filled(args: &FullArgs) -> anyhow::Result<Verdict> {
    let clock: SharedClock = Rc::new(TokioClock::system());
    let (folder, ballast) = (&args.folder, Ballast(args.folder.join("ballast")));
    let keys = Keys::derive(&MASTER);
    let mut house = House::open(folder, (KIOSKS, args.seed), keys, clock)?;
    house.config = Some(config(folder)?);
    let reserve = folder.join("books.redb.reserve");

    // Every kiosk has a sale that passed the gates, and then one whose paper moves.
    let process = house.start(false).await?;
    let mut verdict = house.all(Task::Begin).await?;
    process.kill().await?;
    house.gates()?;
    let process = house.start(false).await?;
    ensure!(reserve.exists(), "no reserve was made");
    verdict = verdict.and(house.all(Task::Check).await?);
    verdict = verdict.and(house.all(Task::Begin).await?);

    // Not a byte is free: the reserve goes, and outcomes go on to the receipt.
    let took = ballast.grow(usize::MAX)?;
    ensure!(took > RESERVE_MIB.saturating_mul(MIB), "a disk too small");
    until(&house, "the reserve is given up", || !reserve.exists()).await?;
    let before = (house.tally.closed.get(), house.tally.answered.get());
    verdict = verdict.and(house.all(Task::Drain).await?);
    let closed = house.tally.closed.get().saturating_sub(before.0);
    let answered = house.tally.answered.get().saturating_sub(before.1);
    say(&format!(
        "full: {answered} commands made durable from the reserve, {closed} sales closed"
    ));
    ensure!(closed > 0, "nothing was under way on the full disk");
    process.kill().await?;

    // Started on the full disk: it opens, and sells nothing.
    let process = house.start(false).await?;
    verdict = verdict.and(house.all(Task::Check).await?);
    verdict = verdict.and(house.all(Task::Drain).await?);
    ensure!(!reserve.exists(), "a reserve was made on a full disk");

    // Room again: the reserve is back, and kiosks sell.
    std::fs::remove_file(&ballast.0).context("the ballast stays")?;
    until(&house, "the reserve is made again", || reserve.exists()).await?;
    verdict = verdict.and(house.all(Task::Begin).await?);
    process.kill().await?;
    house.gates()?;
    let process = house.start(false).await?;
    verdict = verdict.and(house.all(Task::Check).await?);

    // The last byte goes before the disk is looked at again, under load: a commit finds no
    // room, nobody is answered, and the process is gone; or it saw it just in time.
    ballast.grow(usize::MAX)?;
    verdict = verdict.and(house.all(Task::Flood).await?);
    say(match reserve.exists() {
        true => "a commit found no room: the process ended and nobody was answered",
        false => "the reserve was given up in time",
    });
    process.kill().await?;
    let process = house.start(false).await?;
    ensure!(!reserve.exists(), "the reserve holds the room of outcomes");
    verdict = verdict.and(house.all(Task::Check).await?);
    verdict = verdict.and(house.all(Task::Drain).await?);
    std::fs::remove_file(&ballast.0).context("the ballast stays")?;
    until(&house, "the reserve is made again", || reserve.exists()).await?;
    verdict = verdict.and(house.all(Task::Begin).await?);
    if verdict.is_err() {
        return Ok(verdict);
    }
    house.stop(process).await
}

/// The configuration of this backend, and its key.
fn config(folder: &Path) -> anyhow::Result<PathBuf> {
    let key = folder.join("master");
    let mut options = OpenOptions::new();
    let mut file = options.create(true).write(true).mode(0o600).open(&key)?;
    file.write_all(hex(&MASTER).as_bytes())?;
    let config = folder.join("backend.toml");
    let books = folder.join("books.redb");
    let text = format!(
        "listen = \"127.0.0.1:0\"\nplain_http = true\ndatabase = {books:?}\nkey_file = {key:?}\n\
         origin = \"{ORIGIN}\"\nreserve_mib = {RESERVE_MIB}\ncache_mib = 8\n"
    );
    std::fs::write(&config, text)?;
    Ok(config)
}

async fn until(house: &House, what: &str, holds: impl Fn() -> bool) -> anyhow::Result<()> {
    let end = house.clock.monotonic().saturating_add(SEEN_WITHIN);
    while !holds() {
        if house.clock.monotonic() > end {
            bail!("in vain: {what}");
        }
        house.clock.sleep(LOOK).await;
    }
    Ok(())
}
