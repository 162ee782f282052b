//! `just bench`: what Counterfoil costs, each figure beside a peer in the same run.
//!
//! Owns the budgets of the design and the verdict: exit code 0 when all are kept, 1
//! when one is not, 2 when it was not understood. Machines are noisy, so a time is the
//! median of slices that take turns with the peer's.

mod backend;
mod devices;
mod fingers;
mod idle;
#[path = "../../../data/finger/examples/fingerprints/metrics.rs"]
#[allow(dead_code, reason = "the measuring example uses the rest of it")]
mod metrics;
#[path = "../../../data/finger/examples/fingerprints/picture.rs"]
mod picture;
mod records;
#[path = "../../../data/finger/examples/fingerprints/sets.rs"]
#[allow(dead_code, reason = "the measuring example uses the rest of it")]
mod sets;
mod slices;
mod table;

use std::process::ExitCode;

use anyhow::Context as _;

use crate::table::Table;

const USE: &str =
    "use: counterfoil-bench [backend [SLICES] | devices | fingers [DIR [SET=DPI ...]] | records]";
/// Names a folder of prints, for the run without words.
const PRINTS: &str = "COUNTERFOIL_PRINTS";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => everything(),
        ["backend", rest @ ..] => backend::measure(rest),
        ["backend-load", rest @ ..] => backend::clients(rest),
        ["backend-hello"] => backend::hello(),
        ["backend-serve", ..] => return backend::serve(args.get(1..).unwrap_or_default()),
        ["devices"] => all_devices(),
        ["fingers", rest @ ..] => all_fingers(rest),
        ["records"] => records::check(),
        ["serve", socket] => idle::serve(socket).map(|()| true),
        ["wait", socket] => idle::wait(socket).map(|()| true),
        _ => {
            eprintln!("{USE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("counterfoil-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every budget is kept.
fn everything() -> anyhow::Result<bool> {
    let devices = all_devices()?;
    let prints = std::env::var(PRINTS).ok();
    let words: Vec<&str> = prints.iter().flat_map(|p| p.split_whitespace()).collect();
    let fingers = all_fingers(&words)?;
    let records = records::check().context("records cannot be exchanged")?;
    let backend = backend::measure(&[]).context("the backend cannot be measured")?;
    Ok(devices && fingers && records && backend)
}

/// Whether every budget of the finger engine is kept.
fn all_fingers(words: &[&str]) -> anyhow::Result<bool> {
    let mut table = Table::new("what the finger engine costs beside nbis-rs, one thread");
    fingers::measure(&mut table, words).context("the finger engine cannot be measured")?;
    table.print();
    Ok(table.is_kept())
}

/// Whether every budget of the devices is kept.
fn all_devices() -> anyhow::Result<bool> {
    let mut host = Table::new("what a driver costs beside the bare transfers of the same job");
    devices::measure(&mut host).context("the drivers cannot be measured")?;
    host.print();
    let mut waiting = Table::new("what six open devices cost that wait (over USB/IP)");
    idle::measure(&mut waiting).context("waiting cannot be measured")?;
    waiting.print();
    Ok(host.is_kept() && waiting.is_kept())
}
