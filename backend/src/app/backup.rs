//! `backup`: the books of a running house, or of one that stands still, in one file; and
//! `restore`: back from it ([`crate::backup`]).

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::seam::{Clock as _, random};

use super::offline::say;
use super::{BooksArgs, EXIT_UNSOUND, OsEntropy, SystemClock};
use crate::backup::{self, CACHE_BYTES};
use crate::store::redb::copy::RedbReader;
use crate::writer::LogKey;

/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(2);
const MIB: u64 = 1024 * 1024;

/// Which books, and where to.
#[derive(Debug, Clone, clap::Args)]
pub struct BackupArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// The backup: a new file, of which there must be none.
    #[arg(long)]
    out: PathBuf,
}

/// From where, and which books.
#[derive(Debug, Clone, clap::Args)]
pub struct RestoreArgs {
    /// A file that `backup` made.
    #[arg(long)]
    from: PathBuf,
    #[command(flatten)]
    books: BooksArgs,
}

/// Makes a backup; the service may run.
pub fn back_up(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let (db, origin, keys) = args.books.find()?;
    let clock = SystemClock::start();
    anyhow::ensure!(db.is_file(), "there is no database at this path");
    let reader = RedbReader::open(&db, CACHE_BYTES).context("the database cannot be read")?;
    let (at, books) = (clock.now(), reader.books()?);
    let key = LogKey {
        origin,
        key: keys.evidence.clone(),
    };
    let mut shown = Duration::ZERO;
    let mut told = |rows: u64, bytes: u64| {
        let now = clock.monotonic();
        if now.saturating_sub(shown) >= PROGRESS {
            shown = now;
            let mib = bytes.checked_div(MIB).unwrap_or(0);
            // Nothing depends on somebody reading it.
            writeln!(std::io::stderr(), "copied {rows} rows, {mib} MiB").ok();
        }
    };
    let made = backup::back_up(&books, &args.out, &key, at, &mut told)?;
    let (is, took) = (made.manifest, clock.monotonic().as_secs_f64());
    say(&format!(
        "backed up: {} rows of {} bytes in {}, in {took:.1} s; \
         evidence of {} records, root {}; digest {}",
        is.rows, made.bytes, made.length, is.size, is.root, is.digest
    ))
}

/// Restores books from a backup into a file that is not there.
pub fn restore(args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let (db, origin, keys) = args.books.find()?;
    let clock = SystemClock::start();
    let key = LogKey {
        origin,
        key: keys.evidence.clone(),
    };
    let done = backup::restore(&args.from, &db, key, clock.now(), random(&OsEntropy));
    let (is, report) = match done {
        Ok(done) => done,
        Err(error) if error.is_unsound() => {
            say(&format!("NOT SOUND: {error}"))?;
            return Ok(ExitCode::from(EXIT_UNSOUND));
        }
        Err(error) => return Err(error.into()),
    };
    say(&format!(
        "restored to {}: {} rows, {} sales, evidence of {} records verified, in {:.1} s\n\
         A kiosk sells again when it has shown that it saw nothing later; where one did, count \
         its forms, record what was found (custody), and let two people say: reconcile",
        is.at,
        is.rows,
        report.sales,
        report.leaves,
        clock.monotonic().as_secs_f64()
    ))
}
