//! `register`: the register of a day, as it is filed: who received which numbers, when,
//! for how much, confirmed by whom, and where the evidence of each is.

use std::process::ExitCode;

use counterfoil_data::bill::BillRange;
use counterfoil_data::fmt;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::sheet::{SheetState, SheetView};
use jiff::civil::Date;

use super::BooksArgs;
use super::offline::{self, say};
use crate::core::facts;
use crate::core::query::register::{Entry, Proof, of_day};
use crate::store::Snapshots as _;

/// Which day of which books.
#[derive(Debug, Clone, clap::Args)]
pub struct RegisterArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// The business date, for example 2026-01-15.
    #[arg(long)]
    date: Date,
}

/// Prints the day.
pub fn print(args: &RegisterArgs) -> anyhow::Result<ExitCode> {
    let (db, _, _) = args.books.find()?;
    let store = offline::open(&db)?;
    let read = store.snapshot()?;
    let bank = facts::bank(&*read)?;
    let entries = of_day(&*read, args.date)?;
    let time = |proof: &Proof| {
        let local = facts::local(&bank, proof.at);
        local.map_or_else(|_| proof.at.to_string(), |(_, time)| format!("{time:.0}"))
    };
    let mut lines = vec![format!("register of {}, {}", args.date, bank.name)];
    lines.extend(entries.iter().flat_map(|entry| told(entry, &time)));
    lines.push(total(&entries));
    say(&lines.join("\n"))
}

fn count(ranges: &[BillRange]) -> u32 {
    ranges
        .iter()
        .fold(0, |sum: u32, range| sum.saturating_add(range.count()))
}

fn told(entry: &Entry, time: &impl Fn(&Proof) -> String) -> Vec<String> {
    let row = &entry.row;
    let officer = row.officer.as_ref().map_or("nobody", |o| o.as_str());
    let mut lines = vec![format!(
        "{}  account {}  agent {}  fee {}  confirmed by {officer}  {:?}",
        entry.requisition, entry.account, entry.agent, row.fee, entry.state
    )];
    for (what, ranges) in [
        ("received", &row.sold),
        ("void", &row.void),
        ("open", &row.open),
    ] {
        lines.extend(ranges.iter().map(|range| {
            let (text, count) = (fmt::range(*range), range.count());
            format!("    {what:<9}{text} ({count})")
        }));
    }
    lines.extend(entry.sheet.as_ref().map(sheet));
    let proof = |what: &str, proof: &Proof| {
        let (time, leaf) = (time(proof), proof.leaf);
        format!("    {what:<9}{time}  evidence {leaf}")
    };
    lines.push(proof("linked", &entry.linked));
    lines.extend(entry.closed.as_ref().map(|closed| proof("closed", closed)));
    lines
}

/// The payment-password sheet (支付密码单): how many passwords hold, or why none does.
fn sheet(view: &SheetView) -> String {
    let said = match (view.state, view.reason) {
        (SheetState::Printed, _) => format!("printed, {} passwords hold", view.forms),
        (_, Some(reason)) => format!("cancelled ({}): no password holds", reason.word()),
        (SheetState::Taken, _) => "given to the kiosk, not known to be printed".to_owned(),
        _ => format!("made, {} passwords, not printed yet", view.forms),
    };
    format!("    {:<9}{said}", "sheet")
}

fn total(entries: &[Entry]) -> String {
    let of = |ranges: fn(&Entry) -> &[BillRange]| {
        let counts = entries.iter().map(|entry| count(ranges(entry)));
        counts.fold(0, u32::saturating_add)
    };
    let fee = entries.iter().fold(Fen::ZERO, |sum, entry| {
        sum.checked_add(entry.row.fee).unwrap_or(sum)
    });
    format!(
        "{} purchases, {} forms received, {} void, {} open, fee {fee}",
        entries.len(),
        of(|e| &e.row.sold),
        of(|e| &e.row.void),
        of(|e| &e.row.open),
    )
}
