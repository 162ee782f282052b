//! `policy FILE`: what a bank sets anew, with the service stopped: all of a file in one
//! commit and in evidence, or nothing of it.
//!
//! Owns no rule; the core refuses. An error names file, line and what to do.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use counterfoil_data::seam::{Clock as _, random};
use counterfoil_data::terms::{FILE_MAX, Terms};

use super::offline::{self, say};
use super::{BooksArgs, OsEntropy, SystemClock};
use crate::config::text_of;
use crate::core::command::{Actor, Command};
use crate::core::facts;
use crate::core::record::terms::Hours;
use crate::store::Snapshots as _;
use crate::terms;
use crate::writer::{LogKey, Writer};

/// Which books, and which file.
#[derive(Debug, Clone, clap::Args)]
pub struct PolicyArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// TOML: [policy], [access], [[fees]], [calendar], [list], [[licences]], [[accounts]]; each may
    /// be left out. The demo bank's file shows their shape.
    file: PathBuf,
}

/// Puts the file in force.
pub fn put_in_force(args: &PolicyArgs) -> anyhow::Result<ExitCode> {
    let name = args.file.display();
    let text = read(&args.file)?;
    let given = Terms::parse(&text).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
    let (db, origin, keys) = args.books.find()?;
    let log = LogKey {
        origin,
        key: keys.evidence.clone(),
    };
    let mut writer = Writer::open(offline::open(&db)?, log)?;
    let bank = facts::bank(&*writer.store().snapshot()?)?;
    let usual = Hours {
        opens: bank.opens,
        closes: bank.closes,
    };
    let (lines, bodies): (Vec<usize>, Vec<_>) =
        terms::commands(&given, usual, &keys).into_iter().unzip();
    let at = SystemClock::start().now();
    let command = |body| Command {
        at,
        salt: random(&OsEntropy),
        actor: Actor::System,
        sequence: None,
        key: None,
        signed: None,
        body,
    };
    let commands: Vec<Command> = bodies.into_iter().map(command).collect();
    if let Err(refused) = writer.enrol(&commands)? {
        let line = lines.get(refused.at).copied().unwrap_or(1);
        anyhow::bail!(
            "{name}: line {line}: {} (nothing was changed)",
            refused.refusal
        );
    }
    say(&format!("in force: {}", told(&given)))
}

fn read(path: &Path) -> anyhow::Result<String> {
    text_of(path, FILE_MAX).with_context(|| format!("{}: cannot be read", path.display()))
}

/// What a file set, for whoever put it in force.
fn told(given: &Terms) -> String {
    let mut parts = Vec::new();
    parts.extend(
        given
            .policy
            .iter()
            .map(|p| format!("policy version {}", p.part.version)),
    );
    parts.extend(
        given
            .fees
            .iter()
            .map(|f| format!("fee {} from {}", f.part.each, f.part.from)),
    );
    parts.extend(given.access.iter().map(|a| {
        let row = terms::access(&a.part);
        format!("access with {}", row.word())
    }));
    parts.extend(
        given
            .calendar
            .iter()
            .map(|c| format!("calendar with {} own dates", c.part.days.len())),
    );
    parts.extend(given.list.iter().map(|l| {
        let (as_of, count) = (l.part.as_of, l.part.entries.len());
        format!("list of {as_of} with {count} entries")
    }));
    parts.extend(
        given
            .licences
            .iter()
            .map(|l| format!("licence of {}", l.part.unit)),
    );
    if !given.accounts.is_empty() {
        parts.push(format!("news of {} accounts", given.accounts.len()));
    }
    parts.join(", ")
}
