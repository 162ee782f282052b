//! `reconcile`: which kiosks stand how to books that were put back; and two people who
//! settled what one of them did meanwhile say so, with the service stopped.

use std::process::ExitCode;

use anyhow::Context as _;
use counterfoil_data::ids::{KioskId, StaffId};
use counterfoil_data::seam::{Clock as _, random};
use counterfoil_data::wire::sale::Witness;

use super::offline::{self, say};
use super::{BooksArgs, OsEntropy, SystemClock};
use crate::core::command::{Actor, Command, CommandBody};
use crate::core::query;
use crate::store::Snapshots as _;
use crate::writer::{LogKey, Writer};

/// Which kiosk, and who says so.
#[derive(Debug, Clone, clap::Args)]
pub struct ReconcileArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// The kiosk whose forms were counted and settled; without one, all are listed.
    #[arg(requires_all = ["first", "second", "reason"])]
    kiosk: Option<KioskId>,
    /// The first person, by staff id.
    #[arg(long)]
    first: Option<StaffId>,
    /// The second person, by staff id.
    #[arg(long)]
    second: Option<StaffId>,
    /// What was found and done.
    #[arg(long)]
    reason: Option<String>,
}

/// Lists, or records.
pub fn act(args: &ReconcileArgs) -> anyhow::Result<ExitCode> {
    let (Some(kiosk), Some(first)) = (&args.kiosk, &args.first) else {
        let (db, _, _) = args.books.find()?;
        let stand = query::standings(&*offline::open(&db)?.snapshot()?)?;
        let lines: Vec<String> = stand.into_iter().map(told).collect();
        return say(&lines.join("\n"));
    };
    let body = CommandBody::ReconcileKiosk {
        second: args.second.clone().context("say --second")?,
        kiosk: kiosk.clone(),
        reason: args.reason.clone().unwrap_or_default(),
    };
    record(&args.books, first, body)?;
    say(&format!("recorded: {kiosk} is reconciled and sells again"))
}

/// Gives one command of two people; a refusal is an error that says what to do.
pub fn record(books: &BooksArgs, first: &StaffId, body: CommandBody) -> anyhow::Result<()> {
    let (db, origin, keys) = books.find()?;
    let log = LogKey {
        origin,
        key: keys.evidence.clone(),
    };
    let mut writer = Writer::open(offline::open(&db)?, log)?;
    let answers = writer.step(vec![Command {
        at: SystemClock::start().now(),
        salt: random(&OsEntropy),
        actor: Actor::Staff(first.clone()),
        sequence: None,
        key: None,
        signed: None,
        body,
    }])?;
    answers.into_iter().next().context("no answer")?.result?;
    Ok(())
}

fn told((kiosk, witness, saw): (KioskId, Witness, Option<u64>)) -> String {
    match witness {
        Witness::Agrees => format!("{kiosk}: sells"),
        Witness::Settled => format!("{kiosk}: reconciled, sells"),
        Witness::Unreported => format!("{kiosk}: sells nothing until it said what it saw"),
        Witness::Behind => format!(
            "{kiosk}: SELLS NOTHING: it saw {} records that are not those of these books",
            saw.unwrap_or(0)
        ),
    }
}
