//! Custody by people (domain K8, K9, K14, I6): one act of two members of staff, with
//! the service stopped, in the same commit and evidence as everything else.
//!
//! Owns no rule; the core refuses. Whoever may read the bank's key file and database
//! speaks for the people named, so both belong to their owner alone.

use std::process::ExitCode;

use anyhow::Context as _;
use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::{BranchId, KioskId, SaleId, SlotId, StaffId};
use counterfoil_data::seam::{Clock as _, random};

use super::offline::{self, say};
use super::{BooksArgs, OsEntropy, SystemClock};
use crate::core::command::{Actor, Command, CommandBody, Resolution};
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
    act: Act,
}

/// What two people do.
#[derive(Debug, Clone, clap::Subcommand)]
enum Act {
    /// Take new blanks into a branch's vault.
    Receive {
        /// Into whose vault.
        branch: BranchId,
        /// First number, as read from the bundle.
        first: BillNumber,
        /// Last number, as read from the bundle.
        last: BillNumber,
        /// How many were counted by hand.
        count: u32,
    },
    /// Put blanks from the vault behind what a slot holds.
    Load {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
        /// First number.
        number: BillNumber,
        /// How many.
        count: u32,
    },
    /// Take everything out of a slot, back to the vault.
    Unload {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
    },
    /// Say that a locked slot was found in order.
    Unlock {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
    },
    /// Say what an unknown form turned out to be.
    Resolve {
        /// Which form.
        number: BillNumber,
        /// What it is.
        what: Found,
        /// What was seen, in a few words; evidence has them under a salt.
        seen: String,
    },
    /// Close a suspended sale whose forms are all settled.
    Close {
        /// Which sale.
        sale: SaleId,
    },
}

/// What an unknown form turned out to be.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Found {
    /// The customer has it.
    Sold,
    /// Damaged or misprinted.
    Spoiled,
    /// In the retract bin, or handed back.
    Retracted,
    /// Nowhere.
    Missing,
}

impl From<Found> for Resolution {
    fn from(found: Found) -> Self {
        match found {
            Found::Sold => Self::Sold,
            Found::Spoiled => Self::Spoiled,
            Found::Retracted => Self::Retracted,
            Found::Missing => Self::Missing,
        }
    }
}

fn body(act: Act, second: StaffId) -> anyhow::Result<CommandBody> {
    let range = |number, count| BillRange::from_count(number, count).context("no such range");
    let first_to_last = |first: BillNumber, last: BillNumber| {
        anyhow::ensure!(first.prefix == last.prefix, "first and last differ in kind");
        BillRange::new(first.prefix, first.serial, last.serial).context("no such range")
    };
    Ok(match act {
        Act::Receive {
            branch,
            first,
            last,
            count,
        } => CommandBody::ReceiveBlanks {
            second,
            branch,
            range: first_to_last(first, last)?,
            count,
        },
        Act::Load {
            kiosk,
            slot,
            number,
            count,
        } => CommandBody::LoadCassette {
            second,
            kiosk,
            slot,
            range: range(number, count)?,
        },
        Act::Unload { kiosk, slot } => CommandBody::UnloadCassette {
            second,
            kiosk,
            slot,
        },
        Act::Unlock { kiosk, slot } => CommandBody::UnlockSlot {
            second,
            kiosk,
            slot,
        },
        Act::Resolve { number, what, seen } => CommandBody::ResolveUnknown {
            second,
            number,
            to: what.into(),
            evidence: seen,
        },
        Act::Close { sale } => CommandBody::CloseByStaff { second, sale },
    })
}

/// Does one act; a refusal is an error that says what to do.
pub fn act(args: &CustodyArgs) -> anyhow::Result<ExitCode> {
    let (db, origin, keys) = args.books.find()?;
    let log = LogKey {
        origin,
        key: keys.evidence.clone(),
    };
    let mut writer = Writer::open(offline::open(&db)?, log)?;
    let command = Command {
        at: SystemClock::start().now(),
        salt: random(&OsEntropy),
        actor: Actor::Staff(args.first.clone()),
        sequence: None,
        key: None,
        body: body(args.act.clone(), args.second.clone())?,
    };
    let answers = writer.step(vec![command])?;
    let answer = answers.into_iter().next().context("no answer")?;
    let outcome = answer.result?;
    say(&format!("recorded: {outcome:?}"))
}
