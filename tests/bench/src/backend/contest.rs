//! Everybody in turn: the contenders, and what a slice of each does.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use counterfoil_backend::core::command::GROUP_MAX;
use counterfoil_backend::store::Snapshots as _;
use counterfoil_backend::store::redb::RedbStore;
use counterfoil_backend::writer::Writer;
use jiff::Timestamp;

use super::bank::{self, KIOSKS};
use super::http::{self, Hello, Service};
use super::peers::Peers;
use super::queue::{self, Slice};
use super::{CACHE_MIB, CLIENTS, sales};

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// The whole service over HTTP.
    Http,
    /// Our writer, groups of at most 64.
    Grouped,
    /// Our writer, every sale a commit of its own.
    Single,
    /// The same rows put into redb in groups, without deciding anything.
    Raw,
    /// SQLite, a transaction a sale.
    Sqlite,
    /// SQLite, groups of at most 64.
    SqliteGrouped,
    /// PostgreSQL, best form.
    Postgres,
    /// PostgreSQL, naive form.
    PostgresNaive,
}

impl Contender {
    pub const ALL: [Self; 8] = [
        Self::Http,
        Self::Grouped,
        Self::Single,
        Self::Raw,
        Self::Sqlite,
        Self::SqliteGrouped,
        Self::Postgres,
        Self::PostgresNaive,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "service over HTTP",
            Self::Grouped => "writer, groups",
            Self::Single => "writer, commit per sale",
            Self::Raw => "bare redb, groups",
            Self::Sqlite => "SQLite WAL FULL, per sale",
            Self::SqliteGrouped => "SQLite WAL FULL, groups",
            Self::Postgres => "PostgreSQL 15, best form",
            Self::PostgresNaive => "PostgreSQL 15, naive form",
        }
    }

    /// Sales in one slice: as many as take half a second or so.
    fn sales(self, clients: usize) -> u64 {
        match (self, clients) {
            (_, 1) => 256,
            (Self::Single | Self::Sqlite | Self::PostgresNaive, _) => 512,
            _ => KIOSKS,
        }
    }
}

/// What was seen.
#[derive(Default)]
pub struct Results {
    /// Slices by contender and clients.
    pub slices: BTreeMap<(Contender, usize), Vec<Slice>>,
    /// Whole sales with their advices in groups: durable commands a second, each slice.
    pub commands: Vec<f64>,
    /// The page that does nothing, and a bare hyper's: requests a second, in turn.
    pub pages: Vec<(f64, f64)>,
    /// Most memory of the service in MiB.
    pub memory_mib: f64,
    /// Processor time of service and clients in the HTTP slices.
    pub processor: (Duration, Duration),
    /// Rows and bytes of one sale.
    pub rows: (usize, usize),
    /// Without PostgreSQL its gate counts as not kept.
    pub has_postgres: bool,
}

/// The books and everybody else's.
pub struct Contest {
    folder: PathBuf,
    db: PathBuf,
    peers: Peers,
}

impl Contest {
    /// Enrols the bank, confirms a sale at each kiosk, records them, and fills the peers
    /// with the same rows.
    pub fn open(folder: PathBuf) -> anyhow::Result<Self> {
        let db = folder.join("books.redb");
        let mut writer = opened(&db)?;
        let at = Timestamp::now();
        let enrolled = writer.enrol(&bank::enrolment(at)?)?;
        ensure!(enrolled.is_ok(), "{enrolled:?}");
        let numbers: Vec<u64> = (0..KIOSKS).collect();
        let mut hall = sales::Hall {
            writer: &mut writer,
            at,
            salt: 1 << 40,
        };
        hall.confirm(&numbers)?;
        let store = writer.store().clone();
        let peers = Peers::fill(&folder, &*store.snapshot()?, &numbers, at)?;
        drop(store);
        // Free the kiosks for the first slice.
        let mut hall = sales::Hall {
            writer: &mut writer,
            at,
            salt: 1 << 41,
        };
        hall.link(&numbers)?;
        hall.release(&numbers)?;
        Ok(Self { folder, db, peers })
    }

    /// So many slices of everybody, in turn.
    pub fn run(mut self, slices: usize) -> anyhow::Result<Results> {
        let mut results = Results {
            rows: self.peers.rows(),
            has_postgres: self.peers.has_postgres(),
            ..Results::default()
        };
        let mut round = 1;
        for slice in 0..slices {
            for clients in CLIENTS {
                for contender in Contender::ALL {
                    let ours = self.slice(contender, clients, &mut round, &mut results)?;
                    let Some(seen) = ours else { continue };
                    let all = results.slices.entry((contender, clients)).or_default();
                    all.push(seen);
                }
            }
            results.commands.push(self.whole_sales(&mut round)?);
            results.pages.push(self.pages()?);
            eprintln!("slice {} of {slices}", slice + 1);
        }
        Ok(results)
    }

    fn slice(
        &mut self,
        contender: Contender,
        clients: usize,
        round: &mut u64,
        results: &mut Results,
    ) -> anyhow::Result<Option<Slice>> {
        let sales = contender.sales(clients);
        match contender {
            Contender::Http | Contender::Grouped | Contender::Single => {
                let first = *round * KIOSKS;
                *round += 1;
                let numbers: Vec<u64> = (first..first + sales).collect();
                self.prepare(&numbers)?;
                let slice = match contender {
                    Contender::Http => self.over_http(clients, first, sales, results)?,
                    Contender::Grouped => self.written(clients, &numbers, GROUP_MAX)?,
                    _ => self.written(clients, &numbers, 1)?,
                };
                self.release(&numbers)?;
                Ok(Some(slice))
            }
            peer => self.peers.slice(peer, clients, usize::try_from(sales)?),
        }
    }

    fn prepare(&self, numbers: &[u64]) -> anyhow::Result<()> {
        let mut writer = opened(&self.db)?;
        let mut hall = sales::Hall {
            writer: &mut writer,
            at: Timestamp::now(),
            salt: numbers.first().copied().unwrap_or(0) << 20,
        };
        hall.confirm(numbers)?;
        Ok(())
    }

    fn release(&self, numbers: &[u64]) -> anyhow::Result<()> {
        let mut writer = opened(&self.db)?;
        let mut hall = sales::Hall {
            writer: &mut writer,
            at: Timestamp::now(),
            salt: (numbers.first().copied().unwrap_or(0) << 20) + (1 << 19),
        };
        hall.release(numbers)
    }

    /// Our writer behind a queue, without HTTP.
    fn written(&self, clients: usize, numbers: &[u64], most: usize) -> anyhow::Result<Slice> {
        let mut writer = opened(&self.db)?;
        let at = Timestamp::now();
        let link = |number: &u64| sales::link(*number, at, (*number << 20) + (1 << 18));
        let jobs = numbers.iter().map(link).collect::<anyhow::Result<Vec<_>>>()?;
        queue::run(clients, jobs, most, move |group| {
            for answer in writer.step(group)? {
                match &answer.result {
                    Ok(outcome) => sales::is_linked(outcome)?,
                    Err(refusal) => anyhow::bail!("refused: {refusal:?}"),
                }
            }
            Ok(())
        })
    }

    fn over_http(
        &self,
        clients: usize,
        first: u64,
        sales: u64,
        results: &mut Results,
    ) -> anyhow::Result<Slice> {
        let service = Service::start(&self.db, &self.folder.join("service.log"))?;
        let (_, before) = service.cost()?;
        let what = ["link", &first.to_string(), &sales.to_string()];
        let load = http::load(service.api, clients, &what)?;
        let (memory, after) = service.cost()?;
        results.memory_mib = results.memory_mib.max(memory);
        results.processor.0 += after.saturating_sub(before);
        results.processor.1 += load.processor;
        service.stop()?;
        Ok(load.slice)
    }

    /// Whole sales with their advices, 64 kiosks at once, in groups of 64.
    fn whole_sales(&self, round: &mut u64) -> anyhow::Result<f64> {
        let first = *round * KIOSKS;
        *round += 1;
        let numbers: Vec<u64> = (first..first + 64).collect();
        let mut writer = opened(&self.db)?;
        let mut hall = sales::Hall {
            writer: &mut writer,
            at: Timestamp::now(),
            salt: first << 20,
        };
        let began = queue::now();
        let given = hall.confirm(&numbers)? + hall.sell(&numbers)?;
        let took = queue::now().saturating_sub(began);
        hall.deliver()?;
        Ok(given as f64 / took.as_secs_f64())
    }

    fn pages(&self) -> anyhow::Result<(f64, f64)> {
        let service = Service::start(&self.db, &self.folder.join("service.log"))?;
        let hello = Hello::start()?;
        let what = ["page", "/livez", "30000"];
        let ours = http::load(service.admin, 16, &what)?.slice.rate();
        let bare = http::load(hello.address, 16, &what)?.slice.rate();
        service.stop()?;
        Ok((ours, bare))
    }
}

fn opened(db: &std::path::Path) -> anyhow::Result<Writer<RedbStore>> {
    let cache = usize::try_from(CACHE_MIB << 20)?;
    let store = RedbStore::file(db, cache)?;
    Writer::open(store, sales::log_key()).context("the books cannot be opened")
}
