//! `reseal`: rotation of the keys of data at rest, all at once with the service stopped.
//!
//! The running service does the same by itself, a few rows at a time; this says when an
//! older key can be taken out of the configuration.

use std::process::ExitCode;

use super::offline::{self, say};
use super::prints::give;
use super::{BooksArgs, OsEntropy};
use crate::core::command::Actor;
use crate::core::sealed;
use crate::keys::reseal::{end, turn};
use crate::store::Snapshots as _;
use crate::writer::{LogKey, Writer};

/// Rows in one turn.
const ROWS: usize = 64;

/// Which books.
#[derive(Debug, Clone, clap::Args)]
pub struct ResealArgs {
    #[command(flatten)]
    books: BooksArgs,
}

/// Does it; exit code 1 when something stays under an older key.
pub fn run(args: &ResealArgs) -> anyhow::Result<ExitCode> {
    let (db, origin, keys) = args.books.find()?;
    let log = LogKey {
        origin,
        key: keys.evidence.clone(),
    };
    let mut writer = Writer::open(offline::open(&db)?, log)?;
    let (mut resealed, mut sound, mut stays) = (0_u64, 0_u64, Vec::new());
    let mut after = Vec::new();
    loop {
        let read = writer.store().snapshot()?;
        let Some((last, held)) = sealed::page(&*read, &after, ROWS)? else {
            break;
        };
        after = last;
        drop(read);
        let done = turn(&keys, held, &OsEntropy);
        resealed = resealed.saturating_add(done.resealed);
        sound = sound.saturating_add(done.sound);
        let told = |stays| format!("{:#}", anyhow::Error::new(stays));
        stays.extend(done.stays.into_iter().map(told));
        for body in done.commands {
            give(&mut writer, Actor::System, body)?;
        }
    }
    let newest = keys.data_key_id();
    let count = stays.len();
    let mut lines = stays;
    lines.push(format!(
        "{resealed} encrypted anew under key {newest}, {sound} were; {count} stay under another"
    ));
    if count == 0 {
        give(&mut writer, Actor::System, end(&keys))?;
        lines.push(format!(
            "nothing in these books needs a key below {newest}; backups of before do"
        ));
    }
    say(&lines.join("\n"))?;
    Ok(match count {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
