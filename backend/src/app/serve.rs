//! Running: sockets, the writer's thread, signals.
//!
//! One thread runs the service on a local runtime; one runs the writer; two pools
//! hash and match. SIGTERM and SIGINT end it gracefully: not ready any more, stop
//! accepting, finish what is in flight, drain the writer (its last commit signs the last
//! checkpoint), close the books, exit 0. A storage error aborts at once.

mod measure;

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::seam::Clock as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::reserve::Reserve;
use super::system::{OsEntropy, SystemClock};
use super::tls;
use super::{DEMO_ORIGIN, ServeArgs, notify};
use crate::config::{Config, LimitsConfig, TlsConfig, WorkersConfig, text_of, transport};
use crate::core::{log, query};
use crate::demo::Means;
use crate::keys::Keys;
use crate::ports::Ports;
use crate::service::space::Space;
use crate::service::start::Start;
use crate::service::tls::Door;
use crate::service::writer_handle::{WriterHandle, WriterQueue};
use crate::service::{Parts, Service};
use crate::store::Snapshots as _;
use crate::store::redb::RedbStore;
use crate::workers::Workers;
use crate::writer::{LogKey, Writer};

pub use measure::measure_start;

/// Time for requests in flight after a signal.
const GRACE_MAX: Duration = Duration::from_secs(10);
/// Pause after a failed accept (out of file descriptors, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often the end of the last connection is looked for.
const IDLE_LOOK: Duration = Duration::from_millis(20);
/// Cache of the demo's database in MiB.
const DEMO_CACHE_MIB: usize = 16;
const MIB: usize = 1024 * 1024;
/// Longest bank file in bytes.
const BANK_MAX: u64 = 4 * 1024 * 1024;

/// Everything decided before anything is opened.
struct Plan {
    listen: SocketAddr,
    tls: Option<TlsConfig>,
    admin_listen: Option<SocketAddr>,
    database: Option<PathBuf>,
    cache_mib: usize,
    reserve_mib: u64,
    keys: Arc<Keys>,
    origin: String,
    bank: Option<DemoBank>,
    workers: WorkersConfig,
    limits: LimitsConfig,
}

/// Runs until a signal.
pub fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let plan = match &args.config {
        Some(path) => {
            // All that it names is read here, so a check has seen it, too.
            let plan = configured(Config::load(path)?)?;
            if args.check {
                if let Some(files) = &plan.tls {
                    tls::open(files, jiff::Timestamp::now())?;
                }
                tracing::info!("the configuration is sound");
                return Ok(ExitCode::SUCCESS);
            }
            plan
        }
        None if args.demo => demonstrated(args)?,
        None => anyhow::bail!("say --config FILE, or --demo for the synthetic bank"),
    };
    serve(&plan)?;
    Ok(ExitCode::SUCCESS)
}

fn configured(config: Config) -> anyhow::Result<Plan> {
    let bank = config.bank_file.as_deref().map(bank_of).transpose()?;
    let keys = Arc::new(config.keys()?);
    Ok(Plan {
        listen: config.listen,
        tls: config.tls,
        admin_listen: config.admin_listen,
        database: Some(config.database),
        cache_mib: config.cache_mib,
        reserve_mib: config.reserve_mib,
        keys,
        origin: config.origin,
        bank,
        workers: config.workers,
        limits: config.limits,
    })
}

fn bank_of(path: &Path) -> anyhow::Result<DemoBank> {
    let text = text_of(path, BANK_MAX);
    let text = text.with_context(|| format!("the bank file {} cannot be read", path.display()))?;
    Ok(DemoBank::parse(&text)?)
}

fn demonstrated(args: &ServeArgs) -> anyhow::Result<Plan> {
    tracing::warn!("demo: public keys and synthetic people; never for real forms");
    let bank = match &args.bank {
        Some(path) => bank_of(path)?,
        None => demo::bank()?,
    };
    let (listen, admin) = (args.listen, args.admin_listen);
    let plan = demo_plan(listen, admin, args.db.clone(), bank);
    // A demo asks for plain HTTP, and gets it where nobody else can listen.
    transport(plan.listen, true, false)?;
    Ok(plan)
}

fn demo_plan(
    listen: Option<SocketAddr>,
    admin_listen: Option<SocketAddr>,
    database: Option<PathBuf>,
    bank: DemoBank,
) -> Plan {
    Plan {
        listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
        tls: None,
        admin_listen,
        database,
        cache_mib: DEMO_CACHE_MIB,
        reserve_mib: 0,
        keys: Arc::new(Keys::demo()),
        origin: DEMO_ORIGIN.to_owned(),
        bank: Some(bank),
        workers: WorkersConfig::default(),
        limits: LimitsConfig::default(),
    }
}

fn serve(plan: &Plan) -> anyhow::Result<()> {
    let clock = SystemClock::start();
    let reserve = reserve(plan);
    let (store, writer) = books(plan)?;
    let start = Start::of(&*store.snapshot()?, writer.last_end()?, clock.monotonic())?;
    let held = store.clone();
    let (handle, queue) = WriterHandle::new();
    let thread = start_writer(queue, writer)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let parts = parts(plan, store, handle)?;
    let service = Service::open(parts);
    if let Some(path) = plan.database.clone() {
        service.measure_books(move || std::fs::metadata(&path).ok().map(|file| file.len()));
    }
    let local = LocalSet::new();
    service.started(start);
    local.block_on(&runtime, until_signal(service, plan, reserve))?;
    // Drops every task and with them every handle, which ends the writer's queue.
    drop(local);
    drop(runtime);
    thread
        .join()
        .map_err(|_| anyhow::anyhow!("the writer's thread was lost"))?;
    held.close()
        .context("the books could not be closed; what was answered is durable")?;
    tracing::info!("stopped");
    Ok(())
}

/// The reserve as it must be before anything is opened: on a full disk it is given up, or
/// the books could not even be opened.
fn reserve(plan: &Plan) -> Option<Reserve> {
    let reserve = Reserve::beside(plan.database.as_deref()?, plan.reserve_mib);
    reserve.clear();
    let reserve = Some(reserve).filter(|_| plan.reserve_mib > 0)?;
    Space::default().look(reserve.size(), &reserve);
    Some(reserve)
}

/// Opens the books, compares the evidence log's root with the signed one, and enrols
/// the bank when they are empty. Reads no more of large books than of small ones.
fn books(plan: &Plan) -> anyhow::Result<(RedbStore, Writer<RedbStore>)> {
    let cache = plan.cache_mib.saturating_mul(MIB);
    let store = match &plan.database {
        Some(path) => RedbStore::file(path, cache),
        None => RedbStore::memory(),
    }
    .context("the database cannot be opened")?;
    let log = LogKey {
        origin: plan.origin.clone(),
        key: plan.keys.evidence.clone(),
    };
    let mut writer = Writer::open(store.clone(), log)?;
    if !log::is_signed(&*store.snapshot()?)? {
        anyhow::bail!("the evidence log is not the one that was signed: run audit, then restore");
    }
    if let Some(bank) = &plan.bank {
        enrol(&mut writer, bank, plan)?;
    }
    Ok((store, writer))
}

fn parts(plan: &Plan, store: RedbStore, writer: WriterHandle) -> anyhow::Result<Parts> {
    Ok(Parts {
        clock: Rc::new(SystemClock::start()),
        entropy: Rc::new(OsEntropy),
        writer,
        snapshots: Box::new(store),
        keys: Arc::clone(&plan.keys),
        workers: Workers::threads(
            &plan.keys,
            plan.workers.argon2(),
            plan.workers.pin_threads,
            plan.workers.print_threads,
        )?,
        ports: Ports::embedded().0,
        limits: plan.limits.limits(),
    })
}

fn start_writer(
    queue: WriterQueue,
    writer: Writer<RedbStore>,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let clock = SystemClock::start();
    let life = move || {
        let queue = queue.timed(move || clock.monotonic());
        match queue.run_thread(writer).map(Writer::end) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the end is not in the books"),
            Err(error) => {
                tracing::error!(%error, "the writer stopped: the process ends now");
                // Nobody of the group was answered; clients repeat the same keys.
                std::process::abort();
            }
        }
    };
    std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(life)
}

async fn until_signal(
    service: Rc<Service>,
    plan: &Plan,
    reserve: Option<Reserve>,
) -> anyhow::Result<()> {
    let files = plan.tls.as_ref();
    let watched = files.map(|files| tls::open(files, jiff::Timestamp::now()));
    let watched = watched.transpose()?;
    let listener = TcpListener::bind(plan.listen).await.context("listen")?;
    let admin = match plan.admin_listen {
        Some(address) => Some(TcpListener::bind(address).await.context("admin_listen")?),
        None => None,
    };
    // Before anybody can know that we run: a signal then already ends us gracefully.
    let stop = signal()?;
    tell_addresses(&listener, admin.as_ref())?;
    notify::ready();
    if let Some(reserve) = reserve {
        let watched = Rc::clone(&service).watch_space(reserve.size(), Box::new(reserve));
        tokio::task::spawn_local(watched);
    }
    tokio::task::spawn_local(notify::watch(Rc::clone(&service)));
    tokio::task::spawn_local(Rc::clone(&service).tick());
    tokio::task::spawn_local(Rc::clone(&service).relay());
    tokio::task::spawn_local(Rc::clone(&service).reseal());
    let page = match watched {
        Some(watched) => Page::Tls(watched.start(Rc::new(SystemClock::start()))?),
        None => Page::Plain,
    };
    let accepting = tokio::task::spawn_local(accept(listener, Rc::clone(&service), page));
    let watching = admin.map(|listener| {
        tokio::task::spawn_local(accept(listener, Rc::clone(&service), Page::Admin))
    });
    tokio::select! {
        biased;
        () = stop => {}
        () = service.broken() => {
            tracing::error!("the books cannot be read: the process ends now");
            // As after a failed commit: what opens them next starts from what is durable.
            std::process::abort();
        }
    }
    tracing::info!("signal: finishing what is in flight");
    notify::stopping();
    // First `/readyz` says no, then nobody new is let in; what is in flight goes on.
    service.close();
    accepting.abort();
    let idle = async {
        while service.connections() > 0 {
            tokio::time::sleep(IDLE_LOOK).await;
        }
    };
    if tokio::time::timeout(GRACE_MAX, idle).await.is_err() {
        tracing::warn!("some connections did not finish in time");
    }
    if let Some(watching) = watching {
        watching.abort();
    }
    Ok(())
}

/// Which interface a listener serves.
#[derive(Clone)]
enum Page {
    Tls(Rc<Door>),
    Plain,
    Admin,
}

async fn accept(listener: TcpListener, service: Rc<Service>, page: Page) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let address = peer.ip();
                let (service, page) = (Rc::clone(&service), page.clone());
                tokio::task::spawn_local(connection(stream, address, service, page));
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, address: IpAddr, service: Rc<Service>, page: Page) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nodelay");
    }
    match page {
        Page::Tls(door) => service.serve_tls(stream, address, &door).await,
        Page::Plain => service.serve_peer(stream, address).await,
        Page::Admin => service.serve_admin_stream(stream).await,
    }
}

/// One line of JSON on stdout, which scripts and tests wait for.
fn tell_addresses(api: &TcpListener, admin: Option<&TcpListener>) -> anyhow::Result<()> {
    let admin = admin.map(TcpListener::local_addr).transpose()?;
    let line = serde_json::json!({ "listen": api.local_addr()?, "admin": admin });
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    Ok(())
}

/// Begins to listen for SIGTERM and SIGINT; ready when one came.
#[cfg(unix)]
fn signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signal() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Enrols the bank when the books are empty.
fn enrol(writer: &mut Writer<RedbStore>, bank: &DemoBank, plan: &Plan) -> anyhow::Result<()> {
    if query::is_enrolled(&*writer.store().snapshot()?)? {
        return Ok(());
    }
    let means = Means {
        keys: &plan.keys,
        params: plan.workers.argon2(),
        entropy: &OsEntropy,
        at: jiff::Timestamp::now(),
    };
    crate::demo::enrol(writer, bank, &means)?;
    tracing::info!("the bank is enrolled");
    Ok(())
}
