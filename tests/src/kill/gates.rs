//! What happens to the books while no service runs: the bank is enrolled, and sales that
//! wait for card and finger pass both gates, as ordinary commands through the writer.
//!
//! Hashing and matching are slow on purpose and no part of what a kill can break; what
//! they lead to is made durable by the same writer that the service uses.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use counterfoil_backend::core::command::{
    Actor, Command, CommandBody, Found, GROUP_MAX, Outcome, Subject,
};
use counterfoil_backend::core::key;
use counterfoil_backend::core::overlay::get;
use counterfoil_backend::core::record::bank::CardTrust;
use counterfoil_backend::core::record::sale::SaleRow;
use counterfoil_backend::keys::Keys;
use counterfoil_backend::store::Snapshots as _;
use counterfoil_backend::store::redb::RedbStore;
use counterfoil_backend::writer::{LogKey, Writer};
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge};
use counterfoil_data::wire::sale::{Authenticity, SaleState};
use counterfoil_data::wire::{Digest, hex};
use ed25519_dalek::Signer as _;
use jiff::Timestamp;

use super::bank::{self, drawn};

/// Origin of the evidence log of a demo's service.
pub const ORIGIN: &str = "demo.example/counterfoil";
/// Cache while the books are open here.
const CACHE_BYTES: usize = 16 * 1024 * 1024;
/// Score of every print, in thousandths.
const SCORE_MILLI: u32 = 6_000;

/// The books, opened by this process alone.
pub struct Books {
    /// Under which the evidence is signed.
    writer: Writer<RedbStore>,
    at: Timestamp,
    salt: u64,
}

impl Books {
    /// Opens them; no service may run. `salt` must not come again.
    pub fn open(path: &Path, keys: &Keys, at: Timestamp, salt: u64) -> anyhow::Result<Self> {
        let store = RedbStore::file(path, CACHE_BYTES).context("the books do not open")?;
        let log = LogKey {
            origin: ORIGIN.to_owned(),
            key: keys.evidence.clone(),
        };
        let writer = Writer::open(store, log).context("no seat for a writer")?;
        Ok(Self { writer, at, salt })
    }

    /// The store.
    pub fn store(&self) -> &RedbStore {
        self.writer.store()
    }

    /// Enrols the bank.
    pub fn enrol(&mut self, kiosks: u64) -> anyhow::Result<()> {
        let commands = bank::enrolment(kiosks, self.at)?;
        let done = self.writer.enrol(&commands)?;
        done.map_err(|refused| anyhow::anyhow!("the bank is not enrolled: {refused:?}"))
    }

    /// Lets those of these sales that wait for a card pass both gates; which did.
    pub fn pass(&mut self, sales: &[(u64, SaleId)]) -> anyhow::Result<Vec<u64>> {
        let mut waiting = Vec::new();
        for (number, sale) in sales {
            let read = self.store().snapshot()?;
            let row: Option<SaleRow> = get(&*read, &key::sale(*sale))?;
            if row.is_some_and(|row| row.state == SaleState::Opened) {
                waiting.push((*number, *sale));
            }
        }
        self.gate(&waiting, |number, row, _| Ok(info(number, row)))?;
        self.gate(&waiting, identity)?;
        Ok(waiting.into_iter().map(|(number, _)| number).collect())
    }

    fn gate(
        &mut self,
        sales: &[(u64, SaleId)],
        body: impl Fn(u64, &SaleRow, Timestamp) -> anyhow::Result<CommandBody>,
    ) -> anyhow::Result<()> {
        let mut commands = Vec::new();
        for (number, sale) in sales {
            let read = self.store().snapshot()?;
            let row: Option<SaleRow> = get(&*read, &key::sale(*sale))?;
            let body = body(*number, &row.context("a sale is missing")?, self.at)?;
            commands.push(self.command(Actor::Kiosk(bank::kiosk(*number)?), body));
        }
        let checks = self.give(commands)?;
        ensure!(checks.len() == sales.len(), "an answer is missing");
        let mut settled = Vec::new();
        for ((_, sale), check) in sales.iter().zip(checks) {
            let body = settlement(*sale, &check)?;
            settled.push(self.command(Actor::System, body));
        }
        self.give(settled).map(drop)
    }

    fn command(&mut self, actor: Actor, body: CommandBody) -> Command {
        self.salt = self.salt.wrapping_add(1);
        bank::command(self.at, actor, body, self.salt)
    }

    fn give(&mut self, commands: Vec<Command>) -> anyhow::Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(commands.len());
        for group in commands.chunks(GROUP_MAX) {
            for answer in self.writer.step(group.to_vec())? {
                match answer.result {
                    Ok(outcome) => outcomes.push(outcome),
                    Err(refusal) => bail!("a gate refused: {refusal:?}"),
                }
            }
        }
        Ok(outcomes)
    }
}

fn info(number: u64, row: &SaleRow) -> CommandBody {
    CommandBody::CountInfoAttempt {
        sale: row.sale,
        challenge: Challenge(row.challenge),
        subject: Subject::Card(bank::card(number)),
        trust: Some(CardTrust::Dynamic),
    }
}

fn identity(number: u64, row: &SaleRow, at: Timestamp) -> anyhow::Result<CommandBody> {
    let challenge = Challenge(row.challenge);
    let mut authenticity = Authenticity {
        sam_id: "05.01-20200101-0000000001".to_owned(),
        status: Authenticity::GENUINE.to_vec(),
        frame: Digest::of(&drawn("frame", number)),
        at,
        signature: String::new(),
    };
    let binding = Binding {
        sale: row.sale,
        challenge,
    };
    let key = bank::kiosk_identity(number)?.key;
    let signature = key.sign(&authenticity.statement(binding));
    authenticity.signature = hex(&signature.to_bytes());
    Ok(CommandBody::CountIdentityAttempt {
        sale: row.sale,
        challenge,
        identity: bank::person(number),
        name: bank::name(number),
        valid_to: None,
        authenticity,
    })
}

fn settlement(sale: SaleId, check: &Outcome) -> anyhow::Result<CommandBody> {
    Ok(match check {
        Outcome::InfoCheck(check) => CommandBody::SettleInfo {
            sale,
            attempt: check.attempt,
            verified: true,
        },
        Outcome::IdentityCheck(check) => CommandBody::SettleIdentity {
            sale,
            attempt: check.attempt,
            found: Found::scored(SCORE_MILLI, "kill 1"),
        },
        other => bail!("no check: {other:?}"),
    })
}
