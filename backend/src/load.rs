//! Load: a synthetic bank and any number of its sales, to see how the books grow.
//!
//! Every row comes from ordinary commands through `decide` and `apply`; only the commits
//! are larger than the service's. The sales of one round run at the same time, one at
//! each kiosk, step by step, as the evidence of a busy bank is interleaved. Everything is
//! a function of the seed and the number of sales done, so that a database can be grown
//! further later. Called by `app::load_demo`.

mod bank;
mod report;
mod script;
mod stock;

use counterfoil_data::wire::Digest;
use counterfoil_data::wire::forms::FormAdvice;
use jiff::{SignedDuration, Timestamp};
use sha2::Digest as _;

use crate::core::command::{Actor, ClientKey, Command, CommandBody, GROUP_MAX, Outcome};
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::sale::SaleRow;
use crate::core::refusal::Refusal;
use crate::store::{From as End, RANGE_MAX, Read, Store, StoreError};
use crate::writer::{Bulk, Fatal, Writer};
pub use bank::{ACCOUNTS, AGENTS, BRANCHES, KIOSKS};
pub use report::{Counts, TableCount, counts};
pub use script::{FORMS, MIX};
use script::{Step, script};
use stock::Stock;

/// Sales of one round: one at each kiosk.
const ROUND: u64 = KIOSKS;
/// Rounds in one commit.
const ROUNDS_A_COMMIT: u64 = 3;
/// Rounds of one day, and the seconds from one to the next.
const ROUNDS_A_DAY: u64 = 40;
const ROUND_S: u64 = 700;
/// Seconds from one step of a sale to its next.
const STEP_S: u64 = 5;
/// Request numbers set aside for a round.
const SEQUENCES_A_ROUND: u64 = 100_000;
/// When the first sale is: 9 in the morning.
const FIRST_DAY: &str = "2025-06-01T01:00:10Z";

/// Why a database could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database holds something else.
    #[error(
        "this database is not one of load-demo: name a file that does not exist yet, \
         or one that load-demo made"
    )]
    Foreign,
    /// It was made with another seed.
    #[error("this database was made with seed {found}: say --seed {found}, or name another file")]
    Seed {
        /// The seed it was made with.
        found: u64,
    },
    /// A command was refused: a defect of the script.
    #[error("{step} of sale {sale} was refused: {refusal:?}")]
    Refused {
        /// Which step.
        step: &'static str,
        /// Which sale, counted from 0.
        sale: u64,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// The books contradict the script.
    #[error("the books are not as the load expects them: {0}")]
    Unexpected(&'static str),
    /// The writer failed.
    #[error("the books cannot be written")]
    Fatal(#[from] Fatal),
}

impl From<StoreError> for LoadError {
    fn from(error: StoreError) -> Self {
        Self::Fatal(error.into())
    }
}

/// Fills the books until they hold `sales` sales; `progress` hears how many there are
/// after each commit. Gives how many there were before.
pub fn fill<S: Store>(
    writer: &mut Writer<S>,
    seed: u64,
    sales: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, LoadError> {
    let before = begin(writer, seed)?;
    let mut stock = Stock::of(&*writer.store().snapshot()?)?;
    let mut done = before;
    while done < sales {
        let until = sales.min(done.saturating_add(ROUND.saturating_mul(ROUNDS_A_COMMIT)));
        let filled = writer.bulk::<_, (), LoadError>(|bulk| {
            let mut first = done;
            while first < until {
                // A round that an earlier fill began is finished first.
                let whole = first.saturating_sub(first % ROUND).saturating_add(ROUND);
                let last = until.min(whole);
                Round::new(seed, first, last).run(bulk, &mut stock)?;
                first = last;
            }
            Ok(Ok(()))
        })?;
        filled.map_err(|()| LoadError::Unexpected("a round gave up"))?;
        done = until;
        progress(done);
    }
    Ok(before)
}

/// Whether these books may be filled: they are empty (`false`), or of a load with this
/// very seed (`true`).
pub fn may_fill(read: &dyn Read, seed: u64) -> Result<bool, LoadError> {
    match bank::seed_of(read)? {
        Some(found) if found == seed => Ok(true),
        Some(found) => Err(LoadError::Seed { found }),
        None if is_empty(read)? => Ok(false),
        None => Err(LoadError::Foreign),
    }
}

/// Enrols the bank into empty books, or counts the sales that are there.
fn begin<S: Store>(writer: &mut Writer<S>, seed: u64) -> Result<u64, LoadError> {
    let snapshot = writer.store().snapshot()?;
    if may_fill(&*snapshot, seed)? {
        return report::rows(&*snapshot, Table::Sale);
    }
    drop(snapshot);
    let at = moment(0)?;
    let mut salts = Salts::new(seed, u64::MAX);
    let bodies = bank::enrolment(seed)?;
    let commands: Vec<Command> = bodies
        .into_iter()
        .map(|body| salts.command(at, Actor::System, body))
        .collect();
    match writer.enrol(&commands)? {
        Ok(()) => Ok(0),
        Err(refused) => Err(LoadError::Refused {
            step: "enrolment",
            sale: 0,
            refusal: Box::new(refused.refusal),
        }),
    }
}

/// Nothing but the store's own rows.
fn is_empty(read: &dyn Read) -> Result<bool, StoreError> {
    let low = key::high(Table::Meta);
    Ok(read.range(&low, &[u8::MAX], End::First, 1)?.is_empty())
}

/// When a round begins.
fn moment(round: u64) -> Result<Timestamp, LoadError> {
    let day = round.checked_div(ROUNDS_A_DAY).unwrap_or(0);
    let of_day = round.checked_rem(ROUNDS_A_DAY).unwrap_or(0);
    let seconds = day
        .saturating_mul(86_400)
        .saturating_add(of_day.saturating_mul(ROUND_S));
    let first: Option<Timestamp> = FIRST_DAY.parse().ok();
    let wait = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    first
        .and_then(|first| first.checked_add(wait).ok())
        .ok_or(LoadError::Unexpected("so many sales last too many years"))
}

/// 32 bytes out of the seed, what they are for, and a number.
fn drawn(seed: u64, what: &str, number: u64) -> [u8; 32] {
    sha2::Sha256::new()
        .chain_update(b"counterfoil/load/")
        .chain_update(seed.to_be_bytes())
        .chain_update(what.as_bytes())
        .chain_update([0])
        .chain_update(number.to_be_bytes())
        .finalize()
        .into()
}

/// A number below `below` out of [`drawn`].
fn roll(seed: u64, what: &str, number: u64, below: u64) -> u64 {
    let bytes = drawn(seed, what, number);
    let head = bytes.first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(head).checked_rem(below).unwrap_or(0)
}

/// Gives every command its salt.
struct Salts {
    seed: u64,
    round: u64,
    given: u64,
}

impl Salts {
    fn new(seed: u64, round: u64) -> Self {
        Self {
            seed,
            round,
            given: 0,
        }
    }

    fn command(&mut self, at: Timestamp, actor: Actor, body: CommandBody) -> Command {
        self.given = self.given.saturating_add(1);
        let base = self.round.wrapping_mul(SEQUENCES_A_ROUND);
        let number = base.wrapping_add(self.given);
        Command {
            at,
            salt: drawn(self.seed, "salt", number),
            sequence: (actor != Actor::System).then_some(number),
            actor,
            key: None,
            signed: None,
            body,
        }
    }
}

/// The sales of one round, `first..last`, all at once.
struct Round {
    seed: u64,
    first: u64,
    last: u64,
    salts: Salts,
}

impl Round {
    fn new(seed: u64, first: u64, last: u64) -> Self {
        let round = first.checked_div(ROUND).unwrap_or(0);
        let mut salts = Salts::new(seed, round);
        // What an earlier fill gave in this very round stays given.
        let began = first.checked_rem(ROUND).unwrap_or(0);
        salts.given = began.saturating_mul(SEQUENCES_A_ROUND / ROUND);
        Self {
            seed,
            first,
            last,
            salts,
        }
    }

    fn run(&mut self, bulk: &mut Bulk<'_>, stock: &mut Stock) -> Result<(), LoadError> {
        let start = moment(self.salts.round)?;
        for sale in self.first..self.last {
            let order = script::order(self.seed, sale);
            for body in stock.refill(bulk.read(), bank::kiosk_of(sale), order.kind)? {
                let branch = bank::branch_of(bank::kiosk_of(sale));
                let first = Actor::Staff(bank::staff(branch, "custodian-a")?);
                self.give(bulk, "stock", sale, start, first, body)?;
            }
        }
        let scripts: Vec<Vec<Step>> = (self.first..self.last)
            .map(|sale| script(self.seed, sale))
            .collect();
        let longest = scripts.iter().map(Vec::len).max().unwrap_or(0);
        for number in 0..longest {
            let seconds = u64::try_from(number).unwrap_or(0).saturating_mul(STEP_S);
            let wait = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
            let late = LoadError::Unexpected("time ends");
            let at = start.checked_add(wait).map_err(|_| late)?;
            for (sale, script) in (self.first..self.last).zip(&scripts) {
                if let Some(step) = script.get(number) {
                    self.step(bulk, sale, at, step)?;
                }
            }
        }
        let end = SignedDuration::from_secs(i64::try_from(ROUND_S).unwrap_or(0));
        let end = start.checked_add(end).unwrap_or(start);
        self.deliver(bulk, end)
    }

    /// Hands over what left the house, as the relay does.
    fn deliver(&mut self, bulk: &mut Bulk<'_>, at: Timestamp) -> Result<(), LoadError> {
        let (low, high) = (key::low(Table::Pending), key::high(Table::Pending));
        let rows = bulk.read().range(&low, &high, End::First, RANGE_MAX)?;
        let numbers: Vec<u64> = rows.iter().filter_map(|(k, _)| key::number_of(k)).collect();
        for sequences in numbers.chunks(GROUP_MAX) {
            let sequences = sequences.to_vec();
            let body = CommandBody::MarkDelivered { sequences };
            self.give(bulk, "delivery", self.first, at, Actor::System, body)?;
        }
        Ok(())
    }

    fn give(
        &mut self,
        bulk: &mut Bulk<'_>,
        step: &'static str,
        sale: u64,
        at: Timestamp,
        actor: Actor,
        body: CommandBody,
    ) -> Result<Outcome, LoadError> {
        let mut command = self.salts.command(at, actor, body);
        if crate::core::decide::is_keyed(&command.body) {
            let id = script::sale_id(self.seed, sale);
            command.key = Some(ClientKey {
                key: format!("{step}-{id}"),
                request: Digest::of(step.as_bytes()),
            });
        }
        let answer = bulk.give(&command)?;
        answer.result.map_err(|refusal| LoadError::Refused {
            step,
            sale,
            refusal: Box::new(refusal),
        })
    }

    fn step(
        &mut self,
        bulk: &mut Bulk<'_>,
        sale: u64,
        at: Timestamp,
        step: &Step,
    ) -> Result<(), LoadError> {
        let id = script::sale_id(self.seed, sale);
        let row = get::<SaleRow>(bulk.read(), &key::sale(id))?;
        let (actor, body) = step.command(self.seed, sale, at, row.as_ref())?;
        let outcome = self.give(bulk, step.name(), sale, at, actor, body)?;
        if let Some((actor, body)) = step.settlement(id, &outcome) {
            self.give(bulk, step.name(), sale, at, actor, body)?;
        }
        Ok(())
    }
}

/// An advice about the form at this place of a sale.
fn advice(
    row: &SaleRow,
    place: usize,
    event: &counterfoil_data::wire::forms::FormEvent,
) -> Result<FormAdvice, LoadError> {
    let form = row.forms.get(place);
    let form = form.ok_or(LoadError::Unexpected("a sale has fewer forms"))?;
    Ok(FormAdvice {
        number: form.number,
        event: event.clone(),
    })
}

/// A sale's row that must be there.
fn need(row: Option<&SaleRow>) -> Result<&SaleRow, LoadError> {
    row.ok_or(LoadError::Unexpected("a sale is missing"))
}

#[cfg(test)]
mod tests;
