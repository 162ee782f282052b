//! The whole house in one process: backend, kiosk, station, twins, network.
//!
//! Called by the play runner (virtual time, everything in memory) and by the
//! branch in a terminal (real time, redb file, loopback). Both speak the same
//! desk vocabulary, so what a person does can be written down as a play.

mod custodians;
mod effects;
mod facts;
mod frames;
mod house;
mod looks;
mod network;
mod screens;
mod staff;
mod stand;
mod station;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::seam::{MemoryJournal, SharedClock, SharedEntropy};
use counterfoil_data::secret::Secret;
use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_devices::guard::Allowed;
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use counterfoil_devices::transport::twin_bus::TwinBus;
use counterfoil_devices::twin::branch::Branch;
use counterfoil_devices::twin::card_reader::demo_capks;
use counterfoil_tui::cmd::Cmd;
use counterfoil_tui::flow::Settings;
use counterfoil_tui::input::{Decoder, Key};
use counterfoil_tui::model::{KioskScreen, Language};
use counterfoil_tui::terminal::clamp;
use counterfoil_tui::{kiosk, shell};
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::entropy::SeededEntropy;
use crate::play::parse::{Actor, Header};
pub use frames::Frames;
use house::House;
pub use network::{Far, Network};
pub use stand::Stand;

/// How long a piece is on its way over a slow network.
const SLOW: Duration = Duration::from_millis(400);
/// Keys and screens on the way at most; a pasted number fits.
const CHANNEL_MAX: usize = 64;

/// Where the books are.
#[derive(Debug, Clone)]
pub enum StoreAt {
    /// In memory; redb all the same.
    Memory,
    /// In a file.
    File(PathBuf),
}

/// How a world is made.
pub struct Setup {
    /// Virtual or real.
    pub clock: SharedClock,
    /// Seed of all randomness; `None` takes the system's.
    pub seed: Option<u64>,
    /// Where the books are.
    pub store: StoreAt,
    /// Over TCP and with threads, as in production; else in memory on one thread.
    pub loopback: bool,
    /// Language of kiosk and station at the start.
    pub language: Language,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Where printed paper goes.
    pub paper: Option<PathBuf>,
    /// Which devices.
    pub stand: Stand,
    /// Whether staff log in; their accounts are the house's (`house/accounts.rs`).
    pub logins: bool,
}

type Latest<T> = Rc<RefCell<Option<T>>>;

struct KioskOn {
    task: JoinHandle<()>,
    input: mpsc::Sender<Cmd>,
}

/// A branch.
pub struct World {
    bank: DemoBank,
    setup: Setup,
    house: House,
    network: Network,
    bus: TwinBus,
    /// What was plugged in when the branch was set up.
    allowed: Allowed,
    journal: MemoryJournal,
    kiosk: Option<KioskOn>,
    kiosk_screen: Latest<KioskScreen>,
    /// The branch's confirm stations; the second one is dark until it is needed.
    stations: [station::Seat; 2],
    staff: BTreeMap<usize, staff::StaffOn>,
    frames: Rc<RefCell<Frames>>,
    kiosk_size: (u16, u16),
}

impl World {
    /// A world of a script: virtual time, all in memory.
    pub async fn open(header: &Header, paper: Option<PathBuf>) -> anyhow::Result<Self> {
        let language = if header.locale == "en" {
            Language::En
        } else {
            Language::ZhHans
        };
        Self::start(Setup {
            clock: Rc::new(TokioClock::starting_at(header.clock)),
            seed: Some(header.seed),
            store: StoreAt::Memory,
            loopback: false,
            language,
            size: header.size,
            paper,
            stand: header.stand,
            logins: header.logins,
        })
        .await
    }

    /// Opens everything and powers the kiosk.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        let bank = demo::bank().context("the demo bank")?;
        let entropy = |name: &str| entropy(setup.seed, name);
        let (house, far) = House::open(
            &bank,
            &setup.store,
            setup.clock.clone(),
            entropy("backend"),
            setup.loopback,
        )
        .await?;
        if setup.logins {
            house.give_accounts(&bank).await?;
        }
        let network = Network::new();
        network.lead_to(far);
        let bus = Branch::demo(
            &bank,
            setup.clock.clone(),
            entropy("devices"),
            setup.paper.clone(),
        );
        setup.stand.furnish(&bus, &bank, setup.paper.clone())?;
        let frames = Rc::default();
        let size = clamp(setup.size);
        let mut world = Self {
            bank,
            setup,
            house,
            network,
            allowed: Allowed::of(&bus.list_now(), true),
            bus,
            journal: MemoryJournal::default(),
            kiosk: None,
            kiosk_screen: Latest::default(),
            stations: [station::Seat::dark(0, size), station::Seat::dark(1, size)],
            staff: BTreeMap::new(),
            frames,
            kiosk_size: size,
        };
        world.switch_on(0)?;
        world.power_on()?;
        Ok(world)
    }

    /// Starts the kiosk program; its journal and its devices are what they were.
    fn power_on(&mut self) -> anyhow::Result<()> {
        let kiosk = self
            .bank
            .kiosks
            .first()
            .context("the demo bank has a kiosk")?;
        let (screens, mut shown) = mpsc::channel(CHANNEL_MAX);
        let (input, commands) = mpsc::channel(CHANNEL_MAX);
        let signer = SignerId::Kiosk(kiosk.id.clone());
        let parts = kiosk::Parts {
            bus: Rc::new(self.bus.clone()),
            dial: self.network.clone(),
            authority: "backend".to_owned(),
            clock: self.setup.clock.clone(),
            entropy: entropy(self.setup.seed, "kiosk"),
            journal: Box::new(self.journal.clone()),
            identity: SigningIdentity::new(&signer, &kiosk.key_seed.0),
            capks: demo_capks()?,
            forms: self.setup.stand.forms()?,
            receipts: self.setup.stand.receipts(),
            allowed: Some(self.allowed.clone()),
            time_zone: TimeZone::get(&self.bank.branch.time_zone)?,
            settings: Settings::of_demo(&self.bank.policy, self.setup.language),
            screens,
            effects: kiosk::EffectLog::default(),
        };
        let (latest, frames) = (self.kiosk_screen.clone(), Rc::clone(&self.frames));
        tokio::task::spawn_local(async move {
            while let Some(screen) = shown.recv().await {
                frames.borrow_mut().add(&screen);
                *latest.borrow_mut() = Some(screen);
            }
        });
        let task = tokio::task::spawn_local(async move {
            let _ = kiosk::run(parts, commands).await;
        });
        self.kiosk = Some(KioskOn { task, input });
        Ok(())
    }

    /// Power goes away: the program is gone between two instructions, its memory
    /// with it; the printer's mechanics and paper stay as they are.
    fn power_off(&mut self) {
        if let Some(kiosk) = self.kiosk.take() {
            kiosk.task.abort();
        }
        self.bus.host_gone();
        *self.kiosk_screen.borrow_mut() = None;
    }

    /// Whether the kiosk has power.
    pub fn kiosk_on(&self) -> bool {
        self.kiosk.is_some()
    }

    /// Whether the cable to the backend is whole.
    pub fn network_on(&self) -> bool {
        !self.network.is_cut()
    }

    /// Whether the backend runs.
    pub fn backend_on(&self) -> bool {
        self.house.is_on()
    }

    /// A key at an actor's terminal, by name.
    pub fn press(&mut self, actor: Actor, name: &str) -> Result<(), String> {
        let key = Key::named(name).ok_or_else(|| format!("unknown key `{name}`"))?;
        self.key(actor, key)
    }

    /// A key at an actor's terminal.
    pub fn key(&mut self, actor: Actor, key: Key) -> Result<(), String> {
        match (actor, key) {
            // A kiosk's terminal does not bracket pastes: there it is typed keys.
            (Actor::Customer, Key::Paste(text)) => text
                .chars()
                .try_for_each(|c| self.key(Actor::Customer, Key::Char(c))),
            (actor, key) => self.one_key(actor, key),
        }
    }

    fn one_key(&mut self, actor: Actor, key: Key) -> Result<(), String> {
        match actor {
            Actor::Customer => {
                let Some(kiosk) = &self.kiosk else {
                    return Err("the kiosk has no power".to_owned());
                };
                let Some(command) = shell::command(&key) else {
                    return Ok(());
                };
                kiosk
                    .input
                    .try_send(command)
                    .map_err(|_| "the kiosk takes no more keys".to_owned())
            }
            Actor::Officer | Actor::SecondOfficer => self.station_key(actor, key),
            Actor::Staff(index) => self
                .staff
                .get(&index)
                .ok_or("this terminal is not switched on")?
                .keys
                .try_send(key)
                .map_err(|_| "the terminal takes no more keys".to_owned()),
            Actor::Desk | Actor::Teller => {
                Err("this actor has no keyboard: use `device`".to_owned())
            }
        }
    }

    /// A paste, byte for byte through the decoder. A kiosk's terminal does not
    /// bracket it: there it is typed keys, markers and all.
    pub fn paste(&mut self, actor: Actor, text: &str) -> Result<(), String> {
        let bytes = format!("\x1b[200~{text}\x1b[201~");
        let mut decoder = match actor {
            Actor::Customer => Decoder::default(),
            _ => Decoder::with_pastes(),
        };
        for key in decoder.feed(bytes.as_bytes()) {
            self.key(actor, key)?;
        }
        Ok(())
    }

    /// Another size of an actor's terminal, clamped as a real terminal's is.
    pub fn resize(&mut self, actor: Actor, width: u16, height: u16) -> Result<(), String> {
        let size = clamp((width, height));
        match actor {
            Actor::Customer => self.kiosk_size = size,
            Actor::Officer | Actor::SecondOfficer => {
                if let Some(seat) = self.seat_mut(actor) {
                    seat.size = size;
                }
            }
            Actor::Staff(index) => {
                let on = self.staff.get_mut(&index);
                on.ok_or("this terminal is not switched on")?.size = size;
            }
            Actor::Desk | Actor::Teller => return Err("this actor has no terminal".to_owned()),
        }
        Ok(())
    }

    /// A secret of the demo bank.
    pub fn secret(&self, name: &str) -> Result<Secret<String>, String> {
        let secret = self.bank.secret(name);
        secret.ok_or_else(|| format!("the demo bank has no secret `{name}`"))
    }

    /// Every screen so far.
    pub fn frames(&self) -> Frames {
        *self.frames.borrow()
    }

    /// One line of the desk vocabulary: a twin's, or power, network and backend.
    pub async fn device(&mut self, line: &str) -> Result<String, String> {
        match line {
            "power cut" => self.power_off(),
            "power restore" if self.kiosk.is_none() => {
                self.power_on().map_err(|e| format!("{e:#}"))?
            }
            "power restore" => return Err("the kiosk has power".to_owned()),
            "network fast" => self.network.set_slow(Duration::ZERO),
            "network slow" => self.network.set_slow(SLOW),
            "network cut" => self.network.set_cut(true),
            "network restore" => self.network.set_cut(false),
            "backend kill" => {
                self.house.kill();
                self.network.lead_to(Far::Nobody);
            }
            "backend restart" if self.house.is_on() => return Err("the backend runs".to_owned()),
            "backend restart" => {
                let far = self.house.restart().await.map_err(|e| format!("{e:#}"))?;
                self.network.lead_to(far);
            }
            "backend backup" => self.house.back_up().map_err(|e| format!("{e:#}"))?,
            "backend restore" => self.house.put_back().map_err(|e| format!("{e:#}"))?,
            "station off" => self.switch_off(0),
            "station on" => self.switch_on(0).map_err(|e| format!("{e:#}"))?,
            line if line.starts_with("staff ") => self.custodians_act(line).await?,
            line => return self.bus.desk(line).map_err(|e| e.to_string()),
        }
        Ok(String::new())
    }

    /// The kiosk's latest screen.
    pub fn kiosk_screen(&self) -> Option<KioskScreen> {
        self.kiosk_screen.borrow().clone()
    }
}

fn entropy(seed: Option<u64>, name: &str) -> SharedEntropy {
    match seed {
        Some(seed) => SeededEntropy::stream(seed, name),
        None => Rc::new(SystemEntropy),
    }
}
