//! The backend of a world: its books survive its death.

mod accounts;
mod kept;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::{Context as _, anyhow};
use counterfoil_backend::core::command::{Actor, Command, CommandBody};
use counterfoil_backend::core::key::{self, Table};
use counterfoil_backend::core::log;
use counterfoil_backend::core::refusal::Refusal;
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
use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use counterfoil_data::wire::Digest;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{JoinHandle, JoinSet};

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
    /// Where its backups are.
    kept: Option<kept::Kept>,
}

/// A service and its connections, which die with it.
pub struct Serving {
    service: Rc<Service>,
    streams: RefCell<JoinSet<()>>,
}

impl Serving {
    fn of(service: &Rc<Service>) -> Rc<Self> {
        Rc::new(Self {
            service: Rc::clone(service),
            streams: RefCell::default(),
        })
    }

    /// Answers on `stream` until its end, or until the service is killed.
    pub(super) fn serve<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let service = Rc::clone(&self.service);
        let mut streams = self.streams.borrow_mut();
        while streams.try_join_next().is_some() {}
        streams.spawn_local(async move { service.serve_stream(stream).await });
    }
}

struct Running {
    serving: Rc<Serving>,
    writer: WriterHandle,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.serving.streams.borrow_mut().abort_all();
        self.serving.service.close();
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
            kept: None,
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

    fn log_key(&self) -> LogKey {
        LogKey {
            origin: "counterfoil.demo".to_owned(),
            key: self.keys.evidence.clone(),
        }
    }

    fn writer(&self) -> anyhow::Result<Writer<RedbStore>> {
        Ok(Writer::open(self.store.clone(), self.log_key())?)
    }

    /// Starts again after [`House::kill`].
    pub async fn restart(&mut self) -> anyhow::Result<Far> {
        let writer = self.writer()?;
        self.start_with(writer).await
    }

    async fn start_with(&mut self, writer: Writer<RedbStore>) -> anyhow::Result<Far> {
        let (handle, queue) = WriterHandle::new();
        let own = handle.clone();
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
        let serving = Serving::of(&service);
        let far = if self.loopback {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
                .await
                .context("no loopback port")?;
            let address = listener.local_addr()?.to_string();
            let accepting = Rc::clone(&serving);
            tasks.push(tokio::task::spawn_local(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    accepting.serve(stream);
                }
            }));
            Far::Tcp(address)
        } else {
            Far::Service(Rc::clone(&serving))
        };
        self.running = Some(Running {
            serving,
            writer: own,
            tasks,
        });
        Ok(far)
    }

    /// Gives one command of somebody who is not at a kiosk or a station. The outer
    /// error is a backend that does not answer, the inner one its refusal.
    pub async fn give(
        &self,
        actor: Actor,
        body: CommandBody,
    ) -> Result<Result<(), Refusal>, String> {
        let running = self.running.as_ref().ok_or("the backend does not run")?;
        let command = Command {
            at: self.clock.now(),
            salt: random(&*self.entropy),
            actor,
            sequence: None,
            key: None,
            signed: None,
            body,
        };
        let answer = running
            .writer
            .give(command)
            .await
            .map_err(|e| e.to_string())?;
        Ok(answer.result.map(drop))
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
        Ok(log::size(&*self.books()?)?)
    }

    /// Leaves of the evidence log, and its root over them.
    pub fn evidence(&self) -> anyhow::Result<(u64, Digest)> {
        let books = self.books()?;
        Ok((log::size(&*books)?, log::root(&*books)?))
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

#[cfg(test)]
mod tests {
    use counterfoil_devices::system::TokioClock;
    use jiff::Timestamp;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::idle::settle;

    #[test]
    fn a_killed_backend_answers_nobody_who_was_in_flight() {
        let runtime = crate::idle::runtime(true).expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let bank = counterfoil_data::demo::bank().expect("the demo bank");
            let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
            let entropy = SeededEntropy::stream(1, "backend");
            let opened = House::open(&bank, &StoreAt::Memory, clock, entropy, false).await;
            let (mut house, far) = opened.expect("opens");
            let Far::Service(serving) = far else {
                panic!("a world in memory has no address");
            };
            let (mut near, end) = tokio::io::duplex(4_096);
            serving.serve(end);
            // Half a request: the other half comes when the backend is dead.
            near.write_all(b"GET /v1/kiosk HTTP/1.1\r\n")
                .await
                .expect("sent");
            settle().await;
            house.kill();
            settle().await;
            let _ = near.write_all(b"host: backend\r\n\r\n").await;
            let mut answer = Vec::new();
            let _ = near.read_to_end(&mut answer).await;
            assert_eq!(String::from_utf8_lossy(&answer), "");
        });
    }
}
