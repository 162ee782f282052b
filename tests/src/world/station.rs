//! The confirm stations of a world: one officer is always at work, the second one
//! comes when a script needs a colleague. A terminal that is switched off forgets
//! everything; the backend does not.

use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_tui::input::Key;
use counterfoil_tui::link::Link;
use counterfoil_tui::station::app;
use counterfoil_tui::station::model::StationScreen;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{CHANNEL_MAX, Latest, World, entropy};
use crate::play::parse::Actor;

/// A station's desk; dark, or with a running program.
pub(super) struct Seat {
    /// Which of the demo bank's stations.
    row: usize,
    on: Option<StationOn>,
    /// Times it was switched on; each has randomness of its own.
    lives: u32,
    screen: Latest<StationScreen>,
    /// Columns and rows of its terminal.
    pub size: (u16, u16),
}

struct StationOn {
    task: JoinHandle<()>,
    keys: mpsc::Sender<Key>,
}

impl Seat {
    /// A terminal that is off.
    pub fn dark(row: usize, size: (u16, u16)) -> Self {
        Self {
            row,
            on: None,
            lives: 0,
            screen: Latest::default(),
            size,
        }
    }
}

impl World {
    pub(super) fn seat(&self, actor: Actor) -> Option<&Seat> {
        match actor {
            Actor::Officer => self.stations.first(),
            Actor::SecondOfficer => self.stations.get(1),
            _ => None,
        }
    }

    pub(super) fn seat_mut(&mut self, actor: Actor) -> Option<&mut Seat> {
        match actor {
            Actor::Officer => self.stations.first_mut(),
            Actor::SecondOfficer => self.stations.get_mut(1),
            _ => None,
        }
    }

    pub(super) fn station_screen(&self, actor: Actor) -> Option<StationScreen> {
        self.seat(actor)?.screen.borrow().clone()
    }

    pub(super) fn station_key(&self, actor: Actor, key: Key) -> Result<(), String> {
        let on = self.seat(actor).and_then(|seat| seat.on.as_ref());
        let on = on.ok_or("the station is off")?;
        let sent = on.keys.try_send(key);
        sent.map_err(|_| "the station takes no more keys".to_owned())
    }

    /// The second officer comes to work; once is enough.
    pub(super) fn comes_to_work(&mut self) -> Result<(), String> {
        let seat = self.seat(Actor::SecondOfficer);
        if seat.is_some_and(|seat| seat.on.is_none()) {
            self.switch_on(1).map_err(|e| format!("{e:#}"))?;
        }
        Ok(())
    }

    /// The station's program ends between two instructions.
    pub(super) fn switch_off(&mut self, seat: usize) {
        let Some(seat) = self.stations.get_mut(seat) else {
            return;
        };
        if let Some(on) = seat.on.take() {
            on.task.abort();
        }
        // What was on its way to the old screen is not shown on the next one.
        seat.screen = Latest::default();
    }

    /// Starts the program of a station; refuses one that runs.
    pub(super) fn switch_on(&mut self, seat: usize) -> anyhow::Result<()> {
        let seat = self.stations.get_mut(seat).context("no such seat")?;
        anyhow::ensure!(seat.on.is_none(), "the station is on");
        let row = self.bank.stations.get(seat.row);
        let row = row.context("the demo bank has no such station")?;
        let identity = SigningIdentity::new(&SignerId::Station(row.id.clone()), &row.key_seed.0);
        let stream = match (seat.row, seat.lives) {
            (0, 0) => "station".to_owned(),
            (row, life) => format!("station {row} {life}"),
        };
        seat.lives = seat.lives.saturating_add(1);
        let link = Link::new(
            self.network.clone(),
            self.setup.clock.clone(),
            entropy(self.setup.seed, &stream),
            Rc::new(identity),
            "backend",
        );
        let (screens, mut shown) = mpsc::channel(CHANNEL_MAX);
        let (keys, pressed) = mpsc::channel(CHANNEL_MAX);
        let parts = app::Parts {
            link: Rc::new(link),
            clock: self.setup.clock.clone(),
            language: self.setup.language,
            officer: row.officer_name.clone(),
            screens,
        };
        let (keep, frames) = (seat.screen.clone(), Rc::clone(&self.frames));
        tokio::task::spawn_local(async move {
            while let Some(screen) = shown.recv().await {
                frames.borrow_mut().add(&screen);
                *keep.borrow_mut() = Some(screen);
            }
        });
        let task = tokio::task::spawn_local(app::run(parts, pressed));
        seat.on = Some(StationOn { task, keys });
        Ok(())
    }
}
