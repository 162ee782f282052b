//! `just bench backend`: linked processing (the one commit of a sale that takes numbers,
//! books the fee and writes evidence) beside SQLite, PostgreSQL and bare redb, and the
//! service around it beside a bare hyper.
//!
//! Everybody does the same sale: the rows the product's own decision reads and writes,
//! recorded once. Contenders take turns; a figure is the median of its slices.

mod bank;
mod contest;
mod gates;
mod http;
mod peers;
mod postgres;
mod queue;
mod recorded;
mod report;
mod sales;
mod sqlite;

use std::path::PathBuf;

use anyhow::Context as _;

pub use http::{clients, hello, serve};

/// Cache of every store that is measured, in MiB.
pub const CACHE_MIB: i64 = 64;
/// Clients that ask at once.
pub const CLIENTS: [usize; 4] = [1, 8, 64, 256];
/// Slices of each contender.
const SLICES: usize = 7;

/// Measures, prints, writes the report; whether every gate is kept.
pub fn measure(words: &[&str]) -> anyhow::Result<bool> {
    let slices = match words {
        [] => SLICES,
        [slices] => slices.parse().context("how many slices")?,
        _ => anyhow::bail!("backend [SLICES]"),
    };
    let folder = Folder::new()?;
    let contest = contest::Contest::open(folder.0.clone())?;
    let results = contest.run(slices)?;
    let report = report::Report::of(&results, slices);
    report.print();
    let out = PathBuf::from("out/bench");
    report.write(&out)?;
    println!("with plots: {}", out.join("backend.md").display());
    Ok(report.is_kept())
}

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let name = format!("counterfoil-bench-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        // PostgreSQL runs as a user of its own below it.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, open)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
