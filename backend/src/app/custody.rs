//! Custody by people (domain K5, K8, K9, K11, K12, I6): one act of two members of staff,
//! with the service stopped, in the same commit and evidence as everything else.
//!
//! Owns no rule; the core refuses. The acts are the wire's, as the staff screen has them.
//! Whoever may read the bank's key file and database speaks for the people named, so
//! both belong to their owner alone.

mod typed;

use std::process::ExitCode;

use anyhow::Context as _;
use counterfoil_data::bill::BillRange;
use counterfoil_data::ids::StaffId;
use counterfoil_data::reference::range_warnings;
use counterfoil_data::seam::{Clock as _, random};
use counterfoil_data::wire::custody::Act;
use jiff::Timestamp;

use super::offline::{self, say};
use super::{BooksArgs, OsEntropy, SystemClock};
use crate::core::command::{Actor, Command, CommandBody, Outcome};
use crate::core::facts;
use crate::store::Snapshots as _;
use crate::store::redb::RedbStore;
use crate::writer::{LogKey, Writer};

/// Who acts, on which books, and what is done.
#[derive(Debug, Clone, clap::Args)]
pub struct CustodyArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// The first person, by staff id.
    #[arg(long)]
    first: StaffId,
    /// The second person, by staff id.
    #[arg(long)]
    second: StaffId,
    #[command(subcommand)]
    act: typed::Typed,
}

/// Does one act; a refusal is an error that says what to do.
pub fn act(args: &CustodyArgs) -> anyhow::Result<ExitCode> {
    let act = args.act.clone().meant()?;
    let (db, origin, keys) = args.books.find()?;
    let store = offline::open(&db)?;
    let at = SystemClock::start().now();
    let warnings = warnings(&store, &act, at)?;
    let log = LogKey {
        origin,
        key: keys.evidence.clone(),
    };
    let mut writer = Writer::open(store, log)?;
    let command = Command {
        at,
        salt: random(&OsEntropy),
        actor: Actor::Staff(args.first.clone()),
        sequence: None,
        key: None,
        signed: None,
        body: CommandBody::Custody {
            second: args.second.clone(),
            act: act.clone(),
        },
    };
    let answers = writer.step(vec![command])?;
    let answer = answers.into_iter().next().context("no answer")?;
    let outcome = answer.result?;
    let mut lines = warnings;
    lines.push(format!(
        "recorded: {}{}",
        typed::told(&act),
        came_to(&outcome)
    ));
    say(&lines.join("\n"))
}

fn came_to(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Counted { agrees: true } => "; the books agree",
        Outcome::Counted { agrees: false } => {
            "; the books DIFFER: count again, then report numbers that are not there (miss)"
        }
        _ => "",
    }
}

/// What is odd about numbers that come in; it hinders nothing.
fn warnings(store: &RedbStore, act: &Act, at: Timestamp) -> anyhow::Result<Vec<String>> {
    let range: BillRange = match act {
        Act::Announce { range, .. } | Act::Receive { range, .. } => *range,
        _ => return Ok(Vec::new()),
    };
    let read = store.snapshot()?;
    let bank = facts::bank(&*read)?;
    let (date, _) = facts::local(&bank, at)?;
    let odd = range_warnings(range, &bank.bank_number, date);
    Ok(odd.iter().map(|odd| format!("look again: {odd}")).collect())
}
