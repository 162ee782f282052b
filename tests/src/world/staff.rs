//! The custody terminals of a world: one a person, each with that person's key. A
//! terminal is switched on when its person first acts, and stays on.

use std::rc::Rc;

use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_tui::custody::app;
use counterfoil_tui::custody::model::CustodyScreen;
use counterfoil_tui::input::Key;
use counterfoil_tui::link::Link;
use counterfoil_tui::terminal::clamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{CHANNEL_MAX, Latest, World, entropy};
use crate::play::parse::Actor;

/// A running terminal.
pub(super) struct StaffOn {
    _task: JoinHandle<()>,
    /// Its keyboard.
    pub keys: mpsc::Sender<Key>,
    /// What it shows.
    pub screen: Latest<CustodyScreen>,
    /// Columns and rows.
    pub size: (u16, u16),
}

impl World {
    /// The actor sits down: terminals of staff and of the second officer are switched
    /// on when a script first acts there.
    pub fn sit_down(&mut self, actor: Actor) -> Result<(), String> {
        match actor {
            Actor::Staff(index) => self.staff_on(index),
            Actor::SecondOfficer => self.comes_to_work(),
            _ => Ok(()),
        }
    }

    fn staff_on(&mut self, index: usize) -> Result<(), String> {
        if self.staff.contains_key(&index) {
            return Ok(());
        }
        let person = self.bank.staff.get(index);
        let seed = person.and_then(|p| p.key_seed.as_ref().map(|seed| (p, seed)));
        let (person, seed) = seed.ok_or("this person has no key of their own")?;
        let signer = SignerId::Staff(person.id.clone());
        let identity = SigningIdentity::new(&signer, &seed.0);
        let random = entropy(self.setup.seed, &signer.to_string());
        let link = Link::new(
            self.network.clone(),
            self.setup.clock.clone(),
            Rc::clone(&random),
            Rc::new(identity),
            "backend",
        );
        let (screens, mut shown) = mpsc::channel(CHANNEL_MAX);
        let (keys, pressed) = mpsc::channel(CHANNEL_MAX);
        let parts = app::Parts {
            link: Rc::new(link),
            clock: self.setup.clock.clone(),
            entropy: random,
            language: self.setup.language,
            screens,
        };
        let screen: Latest<CustodyScreen> = Latest::default();
        let (keep, frames) = (screen.clone(), Rc::clone(&self.frames));
        tokio::task::spawn_local(async move {
            while let Some(screen) = shown.recv().await {
                frames.borrow_mut().add(&screen);
                *keep.borrow_mut() = Some(screen);
            }
        });
        let on = StaffOn {
            _task: tokio::task::spawn_local(app::run(parts, pressed)),
            keys,
            screen,
            size: clamp(self.setup.size),
        };
        self.staff.insert(index, on);
        Ok(())
    }
}
