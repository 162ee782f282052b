//! `load-demo`: grows a database sale by sale and says what that costs.
//!
//! Owns the clock of the measurement, the progress line and the table. Refuses a file
//! that holds anything but a load. The service must not be running.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::seam::Clock as _;

use super::{DEMO_ORIGIN, SystemClock, offline, serve};
use crate::core::key::Table;
use crate::keys::Keys;
use crate::load::{self, ACCOUNTS, AGENTS, BRANCHES, Counts, FORMS, KIOSKS, MIX};
use crate::store::Snapshots as _;
use crate::store::redb::RedbStore;
use crate::writer::{LogKey, Writer};

/// Sales in one database at most: their numbers fit one prefix of a kind.
const SALES_MAX: u64 = 3_000_000;
/// Cache while filling, in bytes.
const CACHE_BYTES: usize = 512 * 1024 * 1024;
/// Between two progress lines.
const PROGRESS: Duration = Duration::from_secs(5);

/// What was typed.
#[derive(Debug, Clone, clap::Args)]
pub struct LoadArgs {
    /// Sales the database shall hold in the end.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=SALES_MAX))]
    sales: u64,
    /// Database file: a new one, or one that load-demo made, which grows.
    #[arg(long, default_value = "load-demo.redb")]
    db: PathBuf,
    /// Everything is a function of it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Skip the audit, which reads everything.
    #[arg(long)]
    no_audit: bool,
}

/// Fills the database and reports.
pub fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    let clock = SystemClock::start();
    let mix = MIX.map(|(what, of)| format!("{of} {what}")).join("; ");
    say(&format!(
        "{BRANCHES} branches, {KIOSKS} kiosks, {ACCOUNTS} accounts, {AGENTS} agents, \
         {FORMS} forms a sale, seed {}\nof 1,000 sales: {mix}; the rest go well",
        args.seed
    ))?;
    let before = grow(args, &clock)?;
    let grown = args.sales.saturating_sub(before);
    let filled = clock.monotonic();
    let start = serve::measure_start(&args.db, &clock)?;
    let store = offline::open(&args.db)?;
    let counts = load::counts(&*store.snapshot()?)?;
    drop(store);
    say(&table(&counts, std::fs::metadata(&args.db)?.len()))?;
    if grown > 0 {
        say(&format!(
            "filled  {grown} sales in {:.1} s: {:.2} ms a sale",
            filled.as_secs_f64(),
            millis(filled) / grown as f64
        ))?;
    }
    say(&format!(
        "start   {:.1} ms to open the books and compare the evidence root, {:.1} ms until \
         the service listens",
        millis(start.books),
        millis(start.listening)
    ))?;
    if args.no_audit {
        return Ok(ExitCode::SUCCESS);
    }
    let began = clock.monotonic();
    let code = offline::audit(&args.db)?;
    let took = clock.monotonic().saturating_sub(began);
    say(&format!("audit   {:.1} s", took.as_secs_f64()))?;
    Ok(code)
}

/// Grows the database; gives how many sales it held before.
fn grow(args: &LoadArgs, clock: &SystemClock) -> anyhow::Result<u64> {
    let store = RedbStore::file(&args.db, CACHE_BYTES);
    let store = store.context("the database cannot be opened: stop the service")?;
    let log = LogKey {
        origin: DEMO_ORIGIN.to_owned(),
        key: Keys::demo().evidence,
    };
    load::may_fill(&*store.snapshot()?, args.seed)?;
    let mut writer = Writer::open(store, log)?;
    let mut told = Duration::ZERO;
    let mut progress = |done: u64| {
        let now = clock.monotonic();
        if now.saturating_sub(told) < PROGRESS && done < args.sales {
            return;
        }
        told = now;
        // A line that nobody reads is no reason to stop.
        writeln!(
            std::io::stderr(),
            "{done} of {} sales after {:.0} s",
            args.sales,
            now.as_secs_f64()
        )
        .ok();
    };
    Ok(load::fill(
        &mut writer,
        args.seed,
        args.sales,
        &mut progress,
    )?)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Rows and bytes, table by table.
fn table(counts: &Counts, file: u64) -> String {
    let sales = counts.rows(Table::Sale).max(1);
    let each = |bytes: u64| bytes.checked_div(sales).unwrap_or(0);
    let mut lines = vec![format!(
        "{:<14}{:>13}{:>16}{:>14}",
        "table", "rows", "bytes", "bytes a sale"
    )];
    let (mut rows, mut bytes) = (0_u64, 0_u64);
    for count in &counts.tables {
        rows = rows.saturating_add(count.rows);
        bytes = bytes.saturating_add(count.bytes);
        lines.push(format!(
            "{:<14}{:>13}{:>16}{:>14}",
            format!("{:?}", count.table),
            count.rows,
            count.bytes,
            each(count.bytes)
        ));
    }
    for (name, rows, bytes) in [("all", rows, bytes), ("file", 0, file)] {
        let rows = match rows {
            0 => String::new(),
            rows => rows.to_string(),
        };
        let per = each(bytes);
        lines.push(format!("{name:<14}{rows:>13}{bytes:>16}{per:>14}"));
    }
    lines.push(format!(
        "custody {} rows for {} forms in sales; lots {} + sales {} + twice {} exceptions allow {}",
        counts.rows(Table::Blank),
        counts.forms,
        counts.lots,
        counts.rows(Table::Sale),
        counts.exceptions,
        counts.custody_rows_max()
    ));
    lines.push(format!(
        "outbox  {} rows, {} of them still to leave; stored answers {}",
        counts.rows(Table::Outbox),
        counts.rows(Table::Pending),
        counts.rows(Table::Answer)
    ));
    lines.join("\n")
}

fn say(line: &str) -> anyhow::Result<()> {
    offline::say(line).map(|_| ())
}
