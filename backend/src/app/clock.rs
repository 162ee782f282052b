//! `clock`: two people say that the clock of this machine is right, though the newest
//! record is of a later time; with the service stopped.

use std::process::ExitCode;

use counterfoil_data::ids::StaffId;

use super::offline::say;
use super::{BooksArgs, reconcile};
use crate::core::command::CommandBody;

/// Who says so.
#[derive(Debug, Clone, clap::Args)]
pub struct ClockArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// The first person, by staff id.
    #[arg(long)]
    first: StaffId,
    /// The second person, by staff id.
    #[arg(long)]
    second: StaffId,
    /// How they know.
    #[arg(long)]
    reason: String,
}

/// Records it.
pub fn accept(args: &ClockArgs) -> anyhow::Result<ExitCode> {
    let body = CommandBody::AcceptClock {
        second: args.second.clone(),
        reason: args.reason.clone(),
    };
    reconcile::record(&args.books, &args.first, body)?;
    say("recorded: the clock of this machine counts from now on")
}
