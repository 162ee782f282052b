//! Sales for the measurement, as ordinary commands through the writer: everything up to
//! the officer's confirmation, the linked processing that is measured, and what follows.

use anyhow::{Context as _, bail, ensure};
use counterfoil_backend::core::command::{
    Actor, ClientKey, Command, CommandBody, Found, GROUP_MAX, Outcome, Subject,
};
use counterfoil_backend::core::decide::is_keyed;
use counterfoil_backend::core::key::{self, Table};
use counterfoil_backend::core::overlay::get;
use counterfoil_backend::core::record::bank::CardTrust;
use counterfoil_backend::core::record::sale::SaleRow;
use counterfoil_backend::store::redb::RedbStore;
use counterfoil_backend::store::{From as End, RANGE_MAX, Read, Snapshots as _};
use counterfoil_backend::writer::{LogKey, Writer};
use counterfoil_data::bill::BillKind;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge};
use counterfoil_data::wire::forms::{FormAdvice, FormEvent};
use counterfoil_data::wire::sale::{AbandonReason, Authenticity, OrderItem, PurchaseMode};
use counterfoil_data::wire::{Digest, hex};
use ed25519_dalek::Signer as _;
use jiff::Timestamp;

use super::bank::{self, KIOSKS, UNITS, drawn};

/// Forms of one sale.
pub const FORMS: u32 = 25;

/// The kiosk's own id of a sale.
pub fn sale_id(number: u64) -> SaleId {
    let bytes = drawn("sale", number);
    SaleId(u128::from_be_bytes(
        bytes.first_chunk().copied().unwrap_or_default(),
    ))
}

pub fn kiosk_of(number: u64) -> u64 {
    number % KIOSKS
}

pub fn unit_of(number: u64) -> u64 {
    number.wrapping_mul(1_009) % UNITS
}

/// The log key of the demo, so that the demo's service can run on these books.
pub fn log_key() -> LogKey {
    LogKey {
        origin: "demo.example/counterfoil".to_owned(),
        key: counterfoil_backend::keys::Keys::demo().evidence,
    }
}

/// Gives commands in groups as the writer of the service does; each must be done.
pub fn give(writer: &mut Writer<RedbStore>, commands: Vec<Command>) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(commands.len());
    let mut commands = commands.into_iter().peekable();
    while commands.peek().is_some() {
        let group: Vec<Command> = commands.by_ref().take(GROUP_MAX).collect();
        for answer in writer.step(group)? {
            match answer.result {
                Ok(outcome) => outcomes.push(outcome),
                Err(refusal) => bail!("refused: {refusal:?}"),
            }
        }
    }
    Ok(outcomes)
}

/// The commands of one step of many sales at once.
pub struct Hall<'a> {
    pub writer: &'a mut Writer<RedbStore>,
    pub at: Timestamp,
    pub salt: u64,
}

impl Hall<'_> {
    fn command(&mut self, actor: Actor, body: CommandBody) -> Command {
        self.salt = self.salt.wrapping_add(1);
        let keyed = is_keyed(&body);
        let mut command = bank::command(self.at, actor, body, self.salt);
        command.key = keyed.then(|| ClientKey {
            key: format!("bench-{}", self.salt),
            request: Digest::of(b"bench"),
        });
        command
    }

    fn rows(&self, numbers: &[u64]) -> anyhow::Result<Vec<SaleRow>> {
        let read = self.writer.store().snapshot()?;
        let row = |number: &u64| row(&*read, *number);
        numbers.iter().map(row).collect()
    }

    /// Does one step of each sale; how many commands that were.
    fn step(
        &mut self,
        numbers: &[u64],
        body: impl Fn(u64, &SaleRow) -> anyhow::Result<(Actor, CommandBody)>,
    ) -> anyhow::Result<Vec<Outcome>> {
        let rows = self.rows(numbers)?;
        let mut commands = Vec::with_capacity(numbers.len());
        for (number, row) in numbers.iter().zip(&rows) {
            let (actor, body) = body(*number, row)?;
            commands.push(self.command(actor, body));
        }
        give(self.writer, commands)
    }

    /// From nothing to confirmed by the officer: eight commands a sale.
    pub fn confirm(&mut self, numbers: &[u64]) -> anyhow::Result<u64> {
        let mut opens = Vec::with_capacity(numbers.len());
        for number in numbers {
            let mode = PurchaseMode::SettlementCard;
            let sale = sale_id(*number);
            let actor = here(*number)?;
            opens.push(self.command(actor, CommandBody::OpenSale { sale, mode }));
        }
        give(self.writer, opens)?;
        let checks = self.step(numbers, |n, row| Ok((here(n)?, info(n, row))))?;
        self.settle(numbers, &checks)?;
        let at = self.at;
        let checks = self.step(numbers, |n, row| Ok((here(n)?, identity(n, at, row))))?;
        self.settle(numbers, &checks)?;
        self.step(numbers, |n, row| {
            let items = vec![OrderItem {
                kind: BillKind::TransferCheque,
                quantity: FORMS,
            }];
            let sale = row.sale;
            Ok((here(n)?, CommandBody::PlaceOrder { sale, items }))
        })?;
        self.step(numbers, |n, row| {
            let (sale, digest) = (row.sale, Some(digest(row)?));
            Ok((officer(n)?, CommandBody::MarkSeen { sale, digest }))
        })?;
        self.step(numbers, |n, row| {
            let (sale, digest) = (row.sale, digest(row)?);
            Ok((officer(n)?, CommandBody::Confirm { sale, digest }))
        })?;
        Ok(8 * u64::try_from(numbers.len())?)
    }

    fn settle(&mut self, numbers: &[u64], checks: &[Outcome]) -> anyhow::Result<()> {
        let mut commands = Vec::with_capacity(numbers.len());
        for (number, check) in numbers.iter().zip(checks) {
            let sale = sale_id(*number);
            let body = match check {
                Outcome::InfoCheck(check) => CommandBody::SettleInfo {
                    sale,
                    attempt: check.attempt,
                    verified: true,
                },
                Outcome::IdentityCheck(check) => CommandBody::SettleIdentity {
                    sale,
                    attempt: check.attempt,
                    found: Found::scored(6_000, "bench 1"),
                },
                other => bail!("no check: {other:?}"),
            };
            commands.push(self.command(Actor::System, body));
        }
        give(self.writer, commands)?;
        Ok(())
    }

    /// Linked processing alone.
    pub fn link(&mut self, numbers: &[u64]) -> anyhow::Result<()> {
        let mut links = Vec::new();
        for number in numbers {
            self.salt = self.salt.wrapping_add(1);
            links.push(link(*number, self.at, self.salt)?);
        }
        let outcomes = give(self.writer, links)?;
        outcomes.iter().try_for_each(is_linked)
    }

    /// Linked, every form fed and printed, the bundle taken, closed; how many commands.
    pub fn sell(&mut self, numbers: &[u64]) -> anyhow::Result<u64> {
        self.link(numbers)?;
        let mut given = 1;
        let mut known: Vec<(usize, FormEvent)> = Vec::new();
        let places: Vec<usize> = (0..usize::try_from(FORMS)?).collect();
        for place in &places {
            known.push((*place, FormEvent::Feeding));
            self.advise(numbers, &std::mem::take(&mut known))?;
            let evidence = "0a1b2c3d4e5f6071".to_owned();
            known.push((*place, FormEvent::Printed { evidence }));
            given += 1;
        }
        self.advise(numbers, &known)?;
        for event in [FormEvent::Presented, FormEvent::Taken] {
            let all: Vec<_> = places.iter().map(|p| (*p, event.clone())).collect();
            self.advise(numbers, &all)?;
        }
        self.step(numbers, |n, row| {
            let body = CommandBody::Close {
                sale: row.sale,
                sheet: None,
            };
            Ok((here(n)?, body))
        })?;
        Ok((given + 4) * u64::try_from(numbers.len())?)
    }

    fn advise(&mut self, numbers: &[u64], known: &[(usize, FormEvent)]) -> anyhow::Result<()> {
        self.step(numbers, |n, row| {
            let advices = known.iter().map(|(place, event)| {
                let form = row.forms.get(*place).context("fewer forms")?;
                Ok(FormAdvice {
                    number: form.number,
                    event: event.clone(),
                })
            });
            let body = CommandBody::AdviseForms {
                sale: row.sale,
                advices: advices.collect::<anyhow::Result<_>>()?,
                passwords: Vec::new(),
            };
            Ok((here(n)?, body))
        })?;
        Ok(())
    }

    /// Hands over what left the house, as the relay does: a service that starts on these
    /// books finds nothing to do.
    pub fn deliver(&mut self) -> anyhow::Result<()> {
        loop {
            let read = self.writer.store().snapshot()?;
            let (low, high) = (key::low(Table::Pending), key::high(Table::Pending));
            let rows = read.range(&low, &high, End::First, RANGE_MAX)?;
            drop(read);
            let numbers: Vec<u64> = rows.iter().filter_map(|(k, _)| key::number_of(k)).collect();
            if numbers.is_empty() {
                return Ok(());
            }
            let mut commands = Vec::new();
            for sequences in numbers.chunks(GROUP_MAX) {
                let sequences = sequences.to_vec();
                let body = CommandBody::MarkDelivered { sequences };
                commands.push(self.command(Actor::System, body));
            }
            give(self.writer, commands)?;
        }
    }

    /// Linked sales broken off before the first form was fed: numbers and fees go back, and
    /// the kiosks are free again.
    pub fn release(&mut self, numbers: &[u64]) -> anyhow::Result<()> {
        self.step(numbers, |n, row| {
            let body = CommandBody::Abandon {
                sale: row.sale,
                reason: AbandonReason::PrinterFault,
                sheet: None,
            };
            Ok((here(n)?, body))
        })?;
        self.deliver()
    }
}

/// The row of a sale.
pub fn row(read: &dyn Read, number: u64) -> anyhow::Result<SaleRow> {
    let row = get::<SaleRow>(read, &key::sale(sale_id(number)))?;
    row.context("no such sale")
}

fn here(number: u64) -> anyhow::Result<Actor> {
    Ok(Actor::Kiosk(bank::kiosk(kiosk_of(number))?))
}

fn officer(number: u64) -> anyhow::Result<Actor> {
    let branch = bank::branch_of(kiosk_of(number));
    let station = bank::id(&format!("bench-station-{branch:03}"))?;
    Ok(Actor::Station(station, bank::staff(branch, "officer")?))
}

fn digest(row: &SaleRow) -> anyhow::Result<Digest> {
    Ok(row.order.as_ref().context("no order")?.digest)
}

/// The linked processing of a confirmed sale: the unit that is compared.
pub fn link(number: u64, at: Timestamp, salt: u64) -> anyhow::Result<Command> {
    let sale = sale_id(number);
    let body = CommandBody::Link {
        sale,
        passwords: Vec::new(),
    };
    let mut command = bank::command(at, here(number)?, body, salt);
    command.key = Some(ClientKey {
        key: format!("link-{sale}"),
        request: Digest::of(b"link"),
    });
    Ok(command)
}

fn info(number: u64, row: &SaleRow) -> CommandBody {
    CommandBody::CountInfoAttempt {
        sale: row.sale,
        challenge: Challenge(row.challenge),
        subject: Subject::Card(bank::card(unit_of(number))),
        trust: Some(CardTrust::Dynamic),
    }
}

fn identity(number: u64, at: Timestamp, row: &SaleRow) -> CommandBody {
    let unit = unit_of(number);
    let challenge = Challenge(row.challenge);
    let mut authenticity = Authenticity {
        sam_id: "05.01-20200101-0000000001".to_owned(),
        status: Authenticity::GENUINE.to_vec(),
        frame: Digest::of(&drawn("frame", unit)),
        at,
        signature: String::new(),
    };
    let binding = Binding {
        sale: row.sale,
        challenge,
    };
    let signature = bank::signing_key(kiosk_of(number)).sign(&authenticity.statement(binding));
    authenticity.signature = hex(&signature.to_bytes());
    CommandBody::CountIdentityAttempt {
        sale: row.sale,
        challenge,
        identity: bank::person(unit),
        name: bank::name(unit),
        valid_to: None,
        authenticity,
    }
}

/// Linked for certain: the outcome says so.
pub fn is_linked(outcome: &Outcome) -> anyhow::Result<()> {
    ensure!(matches!(outcome, Outcome::Linked { .. }), "not linked: {outcome:?}");
    Ok(())
}
