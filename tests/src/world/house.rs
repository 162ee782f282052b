//! The backend of a world: its books survive its death.

use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::{Context as _, anyhow};
use counterfoil_backend::core::command::Command;
use counterfoil_backend::core::key::{self, Table};
use counterfoil_backend::demo::{self, Means};
use counterfoil_backend::keys::Keys;
use counterfoil_backend::ports::Ports;
use counterfoil_backend::service::writer_handle::WriterHandle;
use counterfoil_backend::service::{Limits, Parts, Service};
use counterfoil_backend::store::redb::RedbStore;
use counterfoil_backend::store::{From as End, Read, Snapshots as _};
use counterfoil_backend::workers::Workers;
use counterfoil_backend::workers::pin::Argon2Params;
use counterfoil_backend::writer::{LogKey, Writer};
use counterfoil_data::demo::DemoBank;
use counterfoil_data::leaf::Leaf;
use counterfoil_data::seam::{SharedClock, SharedEntropy};
use tokio::task::JoinHandle;

use super::{Far, StoreAt};

/// Page cache of the demo's books.
const CACHE_BYTES: usize = 8 * 1024 * 1024;
/// Threads of each worker pool where there are threads.
const POOL: usize = 1;
/// Leaves read at once.
const LEAVES_MAX: usize = 4_096;

/// A backend that can be killed and started again on the same books.
pub struct House {
    store: RedbStore,
    keys: Arc<Keys>,
    clock: SharedClock,
    entropy: SharedEntropy,
    loopback: bool,
    running: Option<Running>,
    /// Leaves already told as effects.
    told: u64,
}

struct Running {
    service: Rc<Service>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.service.close();
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl House {
    /// Opens the books, enrolls the demo bank if they are empty, and starts.
    pub async fn open(
        bank: &DemoBank,
        at: &StoreAt,
        clock: SharedClock,
        entropy: SharedEntropy,
        loopback: bool,
    ) -> anyhow::Result<(Self, Far)> {
        let store = match at {
            StoreAt::Memory => RedbStore::memory()?,
            StoreAt::File(path) => RedbStore::file(path, CACHE_BYTES)?,
        };
        let keys = Arc::new(Keys::demo());
        let mut house = Self {
            store,
            keys,
            clock,
            entropy,
            loopback,
            running: None,
            told: 0,
        };
        let mut writer = house.writer()?;
        let snapshot = house.store.snapshot()?;
        if !counterfoil_backend::core::query::is_enrolled(&*snapshot)? {
            drop(snapshot);
            enrol(&mut writer, bank, &house)?;
        }
        house.told = house.leaf_count()?;
        let far = house.start_with(writer).await?;
        Ok((house, far))
    }

    fn writer(&self) -> anyhow::Result<Writer<RedbStore>> {
        let log = LogKey {
            origin: "counterfoil.demo".to_owned(),
            key: self.keys.evidence.clone(),
        };
        Ok(Writer::open(self.store.clone(), log)?)
    }

    /// Starts again after [`House::kill`].
    pub async fn restart(&mut self) -> anyhow::Result<Far> {
        let writer = self.writer()?;
        self.start_with(writer).await
    }

    async fn start_with(&mut self, writer: Writer<RedbStore>) -> anyhow::Result<Far> {
        let (handle, queue) = WriterHandle::new();
        let params = Argon2Params::testbed();
        let workers = if self.loopback {
            Workers::threads(&self.keys, params, POOL, POOL)?
        } else {
            Workers::inline(self.keys.clone(), params)
        };
        let (ports, _) = Ports::embedded();
        let service = Service::open(Parts {
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            writer: handle,
            snapshots: Box::new(self.store.clone()),
            keys: self.keys.clone(),
            workers,
            ports,
            limits: Limits {
                date_header: self.loopback,
                ..Limits::default()
            },
        });
        let mut tasks = Vec::new();
        if self.loopback {
            std::thread::spawn(move || {
                if queue.run_thread(writer).is_err() {
                    std::process::abort();
                }
            });
        } else {
            tasks.push(tokio::task::spawn_local(async move {
                // A writer that fails leaves the kiosk without answers, which plays see.
                let _ = queue.run_local(writer).await;
            }));
        }
        tasks.push(tokio::task::spawn_local(service.clone().tick()));
        tasks.push(tokio::task::spawn_local(service.clone().relay()));
        let far = if self.loopback {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
                .await
                .context("no loopback port")?;
            let address = listener.local_addr()?.to_string();
            let serving = service.clone();
            tasks.push(tokio::task::spawn_local(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let serving = serving.clone();
                    tokio::task::spawn_local(async move { serving.serve_stream(stream).await });
                }
            }));
            Far::Tcp(address)
        } else {
            Far::Service(service.clone())
        };
        self.running = Some(Running { service, tasks });
        Ok(far)
    }

    /// Ends it between two commits, as SIGKILL would: nobody in flight is answered.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Whether it runs.
    pub fn is_on(&self) -> bool {
        self.running.is_some()
    }

    /// The books as of now.
    pub fn books(&self) -> anyhow::Result<Box<dyn Read>> {
        Ok(self.store.snapshot()?)
    }

    fn leaf_count(&self) -> anyhow::Result<u64> {
        Ok(counterfoil_backend::core::log::size(&*self.books()?)?)
    }

    /// Leaves since the last call.
    pub fn new_leaves(&mut self) -> anyhow::Result<Vec<Leaf>> {
        let books = self.books()?;
        let mut leaves = Vec::new();
        loop {
            let low = key::numbered(Table::Leaf, self.told);
            let rows = books.range(&low, &key::high(Table::Leaf), End::First, LEAVES_MAX)?;
            if rows.is_empty() {
                return Ok(leaves);
            }
            for (_, bytes) in rows {
                leaves.push(Leaf::decode(&bytes).map_err(|e| anyhow!("leaf {}: {e}", self.told))?);
                self.told = self.told.saturating_add(1);
            }
        }
    }
}

/// Enrolment synthesises fingers, which takes longer than anything else in a
/// play: it is computed once a process and given again to every later world of
/// the same start time.
fn enrol(writer: &mut Writer<RedbStore>, bank: &DemoBank, house: &House) -> anyhow::Result<()> {
    static MADE: OnceLock<Mutex<Vec<Command>>> = OnceLock::new();
    let made = MADE.get_or_init(Mutex::default);
    let mut made = made
        .lock()
        .map_err(|_| anyhow!("enrolment failed in another world"))?;
    if made.is_empty() {
        let seeded = crate::entropy::SeededEntropy::stream(0, "enrolment");
        let means = Means {
            keys: &house.keys,
            params: Argon2Params::testbed(),
            entropy: &*seeded,
            at: house.clock.now(),
        };
        *made = demo::commands(bank, &means)?;
    }
    let mut commands = made.clone();
    for command in &mut commands {
        command.at = house.clock.now();
    }
    Ok(demo::give(writer, commands)?)
}
