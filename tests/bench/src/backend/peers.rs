//! The peers' books, and their slices.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, anyhow};
use counterfoil_backend::core::command::GROUP_MAX;
use counterfoil_backend::store::redb::RedbStore;
use counterfoil_backend::store::{Changes, Key, Read, Store as _, each_row};
use jiff::Timestamp;
use rusqlite::Connection;

use super::contest::Contender;
use super::queue::{self, Slice};
use super::recorded::{self, Recorded};
use super::{CACHE_MIB, bank, postgres, sales, sqlite};

/// Everybody who is not us.
pub struct Peers {
    sales: Vec<Recorded>,
    raw: Arc<Mutex<(RedbStore, u64)>>,
    sqlite: Arc<Mutex<Connection>>,
    postgres: Option<postgres::Server>,
    shared: BTreeSet<Key>,
    repetition: u32,
}

impl Peers {
    /// Records the linked processing of these confirmed sales and fills the peers.
    pub fn fill(
        folder: &Path,
        read: &dyn Read,
        numbers: &[u64],
        at: Timestamp,
    ) -> anyhow::Result<Self> {
        let record = |number: &u64| recorded::of(read, *number, at);
        let sales: Vec<Recorded> = numbers.iter().map(record).collect::<anyhow::Result<_>>()?;
        let mut raw = RedbStore::file(&folder.join("raw.redb"), usize::try_from(CACHE_MIB << 20)?)?;
        let epoch = raw.seize()?;
        let mut rows = Changes::new();
        each_row(read, vec![1], &[u8::MAX], |key, value| {
            rows.insert(key, Some(value));
            anyhow::Ok(())
        })?;
        raw.flush(epoch, &rows)?;
        let sqlite = sqlite::books(&folder.join("books.sqlite"), read)?;
        let shared = postgres::shared(&sales);
        let postgres = postgres::Server::start(folder)?;
        if let Some(server) = &postgres {
            on_runtime(async {
                let client = server.connect().await?;
                postgres::fill(&client, read, &shared).await
            })?;
        }
        Ok(Self {
            sales,
            raw: Arc::new(Mutex::new((raw, epoch))),
            sqlite: Arc::new(Mutex::new(sqlite)),
            postgres,
            shared,
            repetition: 0,
        })
    }

    /// Rows and bytes that one sale writes.
    pub fn rows(&self) -> (usize, usize) {
        self.sales.first().map_or((0, 0), Recorded::size)
    }

    pub fn has_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// One slice; nothing where the peer is not here.
    pub fn slice(
        &mut self,
        peer: Contender,
        clients: usize,
        sales: usize,
    ) -> anyhow::Result<Option<Slice>> {
        self.repetition += 1;
        let jobs: Vec<Recorded> = self.sales.iter().take(sales).cloned().collect();
        let repetition = u64::from(self.repetition) << 32;
        match peer {
            Contender::Raw => {
                let raw = Arc::clone(&self.raw);
                let rows = (repetition..).zip(&jobs);
                let rows = rows.map(|(own, sale)| sale.again(own)).collect();
                let put = move |group: Vec<Changes>| {
                    let mut held = raw.lock().map_err(|_| anyhow!("lost"))?;
                    let all: Changes = group.into_iter().flatten().collect();
                    let epoch = held.1;
                    held.0.flush(epoch, &all)?;
                    Ok(())
                };
                queue::run(clients, rows, GROUP_MAX, put).map(Some)
            }
            Contender::Sqlite | Contender::SqliteGrouped => {
                let most = match peer {
                    Contender::Sqlite => 1,
                    _ => GROUP_MAX,
                };
                let books = Arc::clone(&self.sqlite);
                let put = move |group: Vec<(u64, Recorded)>| {
                    let mut books = books.lock().map_err(|_| anyhow!("lost"))?;
                    sqlite::link(&mut books, &group)
                };
                let jobs = (repetition..).zip(jobs).collect();
                queue::run(clients, jobs, most, put).map(Some)
            }
            _ => self.postgres_slice(peer, clients, &jobs),
        }
    }

    fn postgres_slice(
        &self,
        peer: Contender,
        clients: usize,
        jobs: &[Recorded],
    ) -> anyhow::Result<Option<Slice>> {
        let Some(server) = &self.postgres else {
            return Ok(None);
        };
        let is_best = peer == Contender::Postgres;
        let numbers: Vec<u64> = (0..).take(jobs.len()).collect();
        let branch_of = |at: usize| {
            let number = numbers.get(at).copied().unwrap_or(0);
            bank::branch_of(sales::kiosk_of(number))
        };
        let by_branch: Option<&dyn Fn(usize) -> u64> = is_best.then_some(&branch_of);
        let repetition = u64::from(self.repetition) << 32;
        let own = |at: usize| repetition + u64::try_from(at).unwrap_or(0);
        let calls = postgres::calls(jobs, &self.shared, by_branch, own);
        // A thread of its own: its runtime lives as long as the connections.
        let connections = match is_best {
            true => clients.min(postgres::POOL),
            false => clients,
        };
        let slice = postgres_clients(server, is_best, clients, connections, calls)?;
        Ok(Some(slice))
    }
}

/// Connects, and gives all calls by so many clients over a pool of connections.
fn postgres_clients(
    server: &postgres::Server,
    is_best: bool,
    clients: usize,
    connections: usize,
    calls: Vec<postgres::Call>,
) -> anyhow::Result<Slice> {
    on_runtime(async {
        let mut pool = Vec::new();
        let mut patterns = 0;
        for n in 0..connections {
            let client = server.connect().await?;
            if is_best && n == 0 {
                patterns = postgres::define(&client, &calls).await?;
            }
            let statements = match is_best {
                true => postgres::prepare(&client, patterns).await?,
                false => Vec::new(),
            };
            let words = match is_best {
                true => postgres::Words::new(),
                false => postgres::words(&client).await?,
            };
            pool.push((client, statements, words));
        }
        let free = tokio::sync::Semaphore::new(connections);
        let pool = std::cell::RefCell::new(pool);
        let give = async |call: postgres::Call| -> anyhow::Result<()> {
            let _one = free.acquire().await?;
            let held = pool.borrow_mut().pop().context("a connection")?;
            let (client, statements, words) = &held;
            match is_best {
                true => postgres::best(client, statements, &call).await?,
                false => postgres::naive(client, words, &call).await?,
            }
            pool.borrow_mut().push(held);
            Ok(())
        };
        queue::clients_of(clients, calls, give).await
    })
}

fn on_runtime<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}
