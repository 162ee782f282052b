//! `staff`: accounts of staff, given by two people with the service stopped. A first
//! password is drawn here, printed once, stored only as a hash, and good for three days
//! and for one thing: giving oneself another.
//!
//! Owns no rule; the core refuses, by the matrix (`rules --matrix`). Whoever may read the
//! bank's key file and database speaks for the people named, so both belong to their
//! owner alone.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use counterfoil_data::ids::StaffId;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire;

use super::offline::{self, say};
use super::prints::give;
use super::{BooksArgs, OsEntropy};
use crate::core::command::{Actor, CommandBody, StaffCommand};
use crate::core::record::bank::Duty;
use crate::keys::Keys;
use crate::workers::password;
use crate::workers::pin::{Argon2Params, PinBench};
use crate::writer::{LogKey, Writer};

/// Which books, who acts, and what is done.
#[derive(Debug, Clone, clap::Args)]
pub struct StaffArgs {
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

#[derive(Debug, Clone, clap::Subcommand)]
enum Act {
    /// Give somebody an account; prints a first password.
    Create {
        /// Whose.
        id: StaffId,
        /// What they may do; several that go together: --role officer --role teller.
        #[arg(long = "role", required = true)]
        roles: Vec<Duty>,
        /// Their name; only for somebody who is not enrolled yet.
        #[arg(long)]
        name: Option<String>,
        /// Public key of their own terminal, 64 hex digits; only for somebody new.
        #[arg(long, requires = "name")]
        key: Option<String>,
    },
    /// Give an account a new first password, and end its locks.
    Reset {
        /// Whose.
        id: StaffId,
    },
    /// Give an account other roles; the session of its owner ends.
    Roles {
        /// Whose.
        id: StaffId,
        /// All of them, from now on.
        #[arg(long = "role", required = true)]
        roles: Vec<Duty>,
    },
    /// Let nobody log in with an account; the session of its owner ends.
    Disable {
        /// Whose.
        id: StaffId,
    },
    /// Let its owner log in again.
    Enable {
        /// Whose.
        id: StaffId,
    },
}

/// Does one act; a refusal is an error that says what to do.
pub fn act(args: &StaffArgs) -> anyhow::Result<ExitCode> {
    let (db, origin, keys): (PathBuf, String, Keys) = args.books.find()?;
    let second = args.second.clone();
    let (command, first) = command(args, second, &keys)?;
    let log = LogKey {
        origin,
        key: keys.evidence.clone(),
    };
    let mut writer = Writer::open(offline::open(&db)?, log)?;
    let actor = Actor::Staff(args.first.clone());
    give(&mut writer, actor, CommandBody::Staff(command))?;
    match first {
        Some(first) => say(&format!(
            "recorded; first password, shown this once, good for 72 hours: {}",
            first.expose()
        )),
        None => say("recorded"),
    }
}

fn command(
    args: &StaffArgs,
    second: StaffId,
    keys: &Keys,
) -> anyhow::Result<(StaffCommand, Option<Secret<String>>)> {
    let change = |id: &StaffId, roles: Option<Vec<Duty>>, disabled| {
        let command = StaffCommand::Change {
            second: second.clone(),
            staff: id.clone(),
            roles,
            disabled,
        };
        Ok((command, None))
    };
    match &args.act {
        Act::Create {
            id,
            roles,
            name,
            key,
        } => {
            let (first, phc) = first(keys)?;
            let command = StaffCommand::Create {
                second,
                staff: id.clone(),
                name: name.clone(),
                roles: roles.clone(),
                key: key.as_deref().map(public).transpose()?,
                password: phc,
            };
            Ok((command, Some(first)))
        }
        Act::Reset { id } => {
            let (first, phc) = first(keys)?;
            let command = StaffCommand::Reset {
                second,
                staff: id.clone(),
                password: phc,
            };
            Ok((command, Some(first)))
        }
        Act::Roles { id, roles } => change(id, Some(roles.clone()), None),
        Act::Disable { id } => change(id, None, Some(true)),
        Act::Enable { id } => change(id, None, Some(false)),
    }
}

/// A first password and what is stored of it.
fn first(keys: &Keys) -> anyhow::Result<(Secret<String>, String)> {
    let first = password::first(&OsEntropy);
    let mut bench = PinBench::new(Argon2Params::production());
    let hash = bench.hash(keys, first.expose(), &OsEntropy);
    let hash = hash.context("the password could not be hashed")?;
    Ok((first, hash.to_phc()))
}

fn public(text: &str) -> anyhow::Result<[u8; 32]> {
    wire::unhex_lower(text).context("--key is 64 lower-case hex digits: a public key")
}
