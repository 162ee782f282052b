//! `counterfoil-kiosk`: the kiosk's loop behind a terminal.
//!
//! The first frame is drawn before anything is opened. Then journal, devices and
//! network are opened, and the loop runs until a signal. Ending is never an
//! event of the flow: whatever was under way is found again at the next start
//! (I6), exactly as after a power cut.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::ids::KioskId;
use counterfoil_data::seam::{Journal, MemoryJournal, SharedClock, SharedEntropy};
use counterfoil_data::secret::Secret;
use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_data::tlog::note::NoteVerifier;
use counterfoil_devices::driver::form_station::FormSettings;
use counterfoil_devices::driver::pboc::Capks;
use counterfoil_devices::guard::Allowed;
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use counterfoil_devices::transport::Bus;
use counterfoil_devices::transport::rusb_bus::RusbBus;
use counterfoil_devices::transport::usbip::UsbIpBus;
use counterfoil_devices::twin::branch::Branch;
use counterfoil_devices::twin::card_reader::demo_capks;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use super::args::{Devices, KioskArgs};
use super::config::KioskConfig;
use super::signals::{Signal, Signals};
use super::tls::{self, Tls};
use super::view::{SCREENS_MAX, View};
use super::{command, ended, keep_memory_private, key_file, log_to_stderr, typed};
use crate::cmd::Cmd;
use crate::flow::Settings;
use crate::host::ReceiptSettings;
use crate::journal::FileJournal;
use crate::kiosk::{EffectLog, Parts, run};
use crate::link::tls::NetDial;
use crate::model::{Body, KioskScreen, Language};
use crate::terminal::{Seat, keys_of_stdin};

/// Commands waiting for the loop; more are dropped, never queued. A number that a
/// scanner types at once fits.
const COMMANDS_MAX: usize = 64;

/// Where the signing key comes from.
enum KeyAt {
    File(PathBuf),
    Demo(Secret<[u8; 32]>),
}

/// Everything decided before anything is opened.
struct Plan {
    kiosk: KioskId,
    key: KeyAt,
    backend: String,
    tls: Option<Tls>,
    devices: Devices,
    journal: Option<PathBuf>,
    /// The file and its signer; `None`: the demo's.
    scheme_keys: Option<(PathBuf, NoteVerifier)>,
    forms: FormSettings,
    receipts: ReceiptSettings,
    /// Which devices may be used; all of them without a list.
    allowed: Option<Allowed>,
    time_zone: TimeZone,
    settings: Settings,
    bank: Option<DemoBank>,
}

/// Runs the program; `args` begins with the program's name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: KioskArgs = match typed(args) {
        Ok(args) => args,
        Err(code) => return code,
    };
    keep_memory_private();
    ended("counterfoil-kiosk", start(&args))
}

fn start(args: &KioskArgs) -> anyhow::Result<()> {
    let plan = match &args.config {
        Some(path) => {
            let config = KioskConfig::load(path)?;
            let plan = configured(config)?;
            if args.check {
                return Ok(way(&plan, Rc::new(TokioClock::system()))?.check()?);
            }
            plan
        }
        None => flagged(args)?,
    };
    if let Some(out) = &args.both.certificate_request {
        let tls = plan.tls.as_ref();
        let tls = tls.context("say where the TLS key is: [tls], or --tls-key and its like")?;
        return tls.request(&SignerId::Kiosk(plan.kiosk), out);
    }
    // Before the screen is taken: a backend that may not be dialled is told in words.
    way(&plan, Rc::new(TokioClock::system()))?;
    let view = View::open(args.both.models, Seat::Kiosk);
    let mut view = view.context("cannot take the terminal")?;
    let shown = opening(plan.settings.language);
    view.show(&shown)?;
    log_to_stderr(!args.both.models);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, live(plan, view, shown))
}

fn way(plan: &Plan, clock: SharedClock) -> anyhow::Result<NetDial> {
    tls::dial(&plan.backend, plan.tls.as_ref(), clock)
}

fn configured(config: KioskConfig) -> anyhow::Result<Plan> {
    Ok(Plan {
        allowed: config.allowed()?,
        time_zone: config.zone()?,
        settings: config.settings(),
        kiosk: config.kiosk,
        key: KeyAt::File(config.key_file),
        backend: config.backend,
        tls: config.tls,
        devices: config.devices,
        journal: Some(config.journal),
        scheme_keys: Some((config.scheme_keys, config.scheme_keys_signer)),
        forms: config.form_printer,
        receipts: config.receipt_printer,
        bank: None,
    })
}

fn flagged(args: &KioskArgs) -> anyhow::Result<Plan> {
    let bank = demo::bank().context("the demo bank is unusable")?;
    let zone = TimeZone::get(&bank.branch.time_zone).context("the demo bank's time zone")?;
    let (kiosk, key) = match (&args.demo, &args.kiosk, &args.key) {
        (Some(id), ..) => {
            let kiosk = bank.kiosk(id);
            let kiosk = kiosk.with_context(|| format!("the demo bank has no kiosk {id}"))?;
            let seed = Secret::new(kiosk.key_seed.0);
            (kiosk.id.clone(), KeyAt::Demo(seed))
        }
        (None, Some(id), Some(path)) => (id.parse()?, KeyAt::File(path.clone())),
        _ => anyhow::bail!("say --config FILE, --demo KIOSK, or --kiosk ID --key FILE"),
    };
    let demo = args.demo.is_some();
    anyhow::ensure!(
        demo || args.journal.is_some(),
        "without --journal FILE a power cut would lose what happened to paper"
    );
    anyhow::ensure!(
        demo || args.devices != Devices::Twins,
        "--devices twins is only for --demo"
    );
    let usual = Settings::of_demo(&bank.policy, args.both.language.into());
    let settings = Settings {
        staff: Duration::from_secs(args.staff_s),
        idle: args.idle_s.map_or(usual.idle, Duration::from_secs),
        take: args.take_s.map_or(usual.take, Duration::from_secs),
        ..usual
    };
    Ok(Plan {
        kiosk,
        key,
        backend: args.both.backend.clone(),
        tls: args.both.tls.files(),
        devices: args.devices.clone(),
        journal: args.journal.clone(),
        scheme_keys: None,
        forms: FormSettings::default(),
        receipts: ReceiptSettings::default(),
        allowed: None,
        time_zone: zone,
        settings,
        bank: demo.then_some(bank),
    })
}

/// The first frame, before anybody was asked anything.
fn opening(language: Language) -> KioskScreen {
    KioskScreen {
        language,
        step: None,
        seconds_left: None,
        offline: false,
        body: Body::Starting,
    }
}

async fn live(plan: Plan, view: View, shown: KioskScreen) -> anyhow::Result<()> {
    let clock: SharedClock = Rc::new(TokioClock::system());
    match &plan.devices {
        Devices::Usb => {
            let bus = RusbBus::new().context("cannot reach this computer's usb")?;
            drive(plan, bus, clock, view, shown).await
        }
        Devices::UsbIp(address) => {
            let bus = UsbIpBus::new(address.clone(), Rc::clone(&clock));
            drive(plan, bus, clock, view, shown).await
        }
        Devices::Twins => {
            let mut bank = plan.bank.clone().context("twins are the demo bank's")?;
            bank.kiosks.retain(|kiosk| kiosk.id == plan.kiosk);
            let bus = Branch::demo(&bank, Rc::clone(&clock), Rc::new(SystemEntropy), None);
            drive(plan, bus, clock, view, shown).await
        }
    }
}

/// The loop on one side, the terminal on the other, until a signal.
async fn drive<B: Bus + 'static>(
    plan: Plan,
    bus: B,
    clock: SharedClock,
    mut view: View,
    mut shown: KioskScreen,
) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let (screens_to, mut screens) = mpsc::channel(SCREENS_MAX);
    let (input, commands) = mpsc::channel(COMMANDS_MAX);
    let parts = parts(plan, bus, clock, screens_to)?;
    let kiosk = tokio::task::spawn_local(run(parts, commands));
    let mut keys = keys_of_stdin(Seat::Kiosk);
    let mut keyed = true;
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Leave => break,
                Signal::Resize => view.resize(&shown)?,
            },
            screen = screens.recv() => match screen {
                Some(screen) => {
                    view.show(&screen)?;
                    shown = screen;
                }
                None => break,
            },
            key = keys.recv(), if keyed => match key {
                // A command too many is dropped, as on any busy machine.
                Some(key) => drop(command(&key).map(|cmd| input.try_send(cmd))),
                // Nobody types any more; the kiosk goes on.
                None => keyed = false,
            },
        }
    }
    // The loop may have ended before; then nobody is told.
    input.send(Cmd::Leave).await.ok();
    drop(screens);
    let exit = kiosk.await.context("the kiosk's loop was lost")?;
    tracing::info!(?exit, "left");
    Ok(())
}

fn parts<B: Bus>(
    plan: Plan,
    bus: B,
    clock: SharedClock,
    screens: mpsc::Sender<KioskScreen>,
) -> anyhow::Result<Parts<B, NetDial>> {
    let seed = match plan.key {
        KeyAt::File(path) => key_file::read(&path)?,
        KeyAt::Demo(seed) => seed,
    };
    let journal: Box<dyn Journal> = match &plan.journal {
        Some(path) => {
            Box::new(FileJournal::open(path).context("the outcome journal cannot be opened")?)
        }
        None => Box::new(MemoryJournal::default()),
    };
    let capks = match &plan.scheme_keys {
        Some((path, signer)) => {
            let note = std::fs::read_to_string(path).context("scheme_keys cannot be read")?;
            Capks::from_note(&note, signer).context("scheme_keys are not used")?
        }
        None => demo_capks()?,
    };
    if !capks.is_good(clock.now().to_zoned(plan.time_zone.clone()).date()) {
        tracing::warn!("scheme_keys are past their last day: no card proves itself any more");
    }
    let entropy: SharedEntropy = Rc::new(SystemEntropy);
    Ok(Parts {
        bus: Rc::new(bus),
        dial: tls::dial(&plan.backend, plan.tls.as_ref(), Rc::clone(&clock))?,
        authority: plan.backend,
        clock,
        entropy,
        journal,
        identity: SigningIdentity::new(&SignerId::Kiosk(plan.kiosk), seed.expose()),
        capks,
        forms: plan.forms,
        receipts: plan.receipts,
        allowed: plan.allowed,
        time_zone: plan.time_zone,
        settings: plan.settings,
        screens,
        effects: EffectLog::default(),
    })
}
