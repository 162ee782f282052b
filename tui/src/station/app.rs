//! The station's loop: keys and notices in, screens and decisions out.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::confirm::Decision;
use counterfoil_data::wire::problem::Problem;
use tokio::sync::mpsc;

use super::flow::{Action, Station, Verdict};
use super::model::{StationBody, StationNotice, StationScreen};
use crate::flow::event::Change;
use crate::input::Key;
use crate::link::station::Verb;
use crate::link::{Dial, Link, LinkError};
use crate::lock::{Lock, Turn};
use crate::model::Language;

/// Notices waiting at most; a notice only says "look again".
pub const NOTICES_MAX: usize = 16;
/// The countdown moves once a second.
const TICK: Duration = Duration::from_secs(1);
/// Without any notice the list is asked for this often, in ticks.
const REFRESH_TICKS: u32 = 30;

/// What a station is made of.
pub struct Parts<D: Dial> {
    /// Signed link to the backend.
    pub link: Rc<Link<D>>,
    /// Clock, for the countdown.
    pub clock: SharedClock,
    /// Language at the start.
    pub language: Language,
    /// Name of the officer on duty.
    pub officer: String,
    /// Where screens go.
    pub screens: mpsc::Sender<StationScreen>,
}

/// Runs until the officer leaves or the keys end.
pub async fn run<D: Dial + 'static>(parts: Parts<D>, mut keys: mpsc::Receiver<Key>) {
    let (tx, mut notices) = mpsc::channel::<Change>(NOTICES_MAX);
    let link = parts.link.clone();
    let listener = tokio::task::spawn_local(async move { link.pass_changes(tx).await });
    let mut desk = Desk {
        station: Station::new(parts.language, parts.officer.clone()),
        lock: Lock::new(parts.link.clone(), parts.clock.clone()),
        parts,
        shown: None,
    };
    desk.refresh().await;
    let mut ticks = 0_u32;
    loop {
        desk.show().await;
        let clock = desk.parts.clock.clone();
        let actions = tokio::select! {
            biased;
            key = keys.recv() => match key {
                Some(key) => desk.key(&key).await,
                None => break,
            },
            Some(_) = notices.recv() => {
                while notices.try_recv().is_ok() {}
                desk.refresh().await;
                Vec::new()
            }
            () = clock.sleep(TICK) => {
                ticks = ticks.saturating_add(1);
                if desk.lock.tick().await {
                    desk.clear();
                }
                if ticks.is_multiple_of(REFRESH_TICKS) {
                    desk.refresh().await;
                }
                Vec::new()
            }
        };
        if actions.contains(&Action::Leave) {
            break;
        }
        desk.perform(actions).await;
    }
    listener.abort();
}

struct Desk<D: Dial> {
    station: Station,
    lock: Lock<D>,
    parts: Parts<D>,
    shown: Option<StationScreen>,
}

impl<D: Dial> Desk<D> {
    /// Sends the screen if it changed.
    async fn show(&mut self) {
        let mut screen = self.station.screen(self.parts.clock.now());
        if let Some(page) = self.lock.page() {
            screen.body = StationBody::Login(page);
        }
        if self.shown.as_ref() != Some(&screen) {
            let _ = self.parts.screens.send(screen.clone()).await;
            self.shown = Some(screen);
        }
    }

    async fn key(&mut self, key: &Key) -> Vec<Action> {
        match self.lock.key(key).await {
            Turn::Terminals => self.station.key(key),
            Turn::Taken => Vec::new(),
            Turn::Leave => vec![Action::Leave],
            Turn::Locked => {
                self.clear();
                Vec::new()
            }
            Turn::In(name) => {
                self.station = Station::of(self.station.language(), name);
                self.refresh().await;
                Vec::new()
            }
        }
    }

    /// Nobody is logged in: nothing of any case stays here.
    fn clear(&mut self) {
        self.station = Station::new(self.station.language(), String::new());
    }

    /// The bank did not answer, or does not know anybody here.
    fn failed(&mut self, error: &LinkError) {
        if self.lock.heard(error) {
            self.clear();
        } else {
            self.station.link(true);
        }
    }

    /// Asks for the list and reports what thereby came before the officer's eyes.
    async fn refresh(&mut self) {
        if self.lock.page().is_some() {
            return;
        }
        match self.parts.link.confirmations().await {
            Ok(cases) => {
                let actions = self.station.cases(cases);
                if !actions.is_empty() {
                    Box::pin(self.perform(actions)).await;
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            let (sale, verb, decision) = match action {
                Action::Leave => continue,
                Action::Seen { sale, digest } => {
                    (sale, Verb::Seen, Decision { digest, note: None })
                }
                Action::Decide {
                    sale,
                    verdict,
                    digest,
                } => {
                    let (verb, note) = match verdict {
                        Verdict::Confirm => (Verb::Confirm, None),
                        Verdict::Deny(word) => (Verb::Deny, Some(word.to_owned())),
                        Verdict::Ask(word) => (Verb::Ask, Some(word.to_owned())),
                    };
                    (
                        sale,
                        verb,
                        Decision {
                            digest: Some(digest),
                            note,
                        },
                    )
                }
            };
            // Putting it on the screen comes before saying it was seen.
            self.show().await;
            let answered = self.parts.link.decide(sale, verb, &decision).await;
            if let Err(error) = &answered
                && self.lock.heard(error)
            {
                self.clear();
                return;
            }
            if verb != Verb::Seen {
                self.station.answered(answered.as_ref().err().map(notice));
            }
            // Seen is not repeated at once when it fails: the next refresh does.
            if verb != Verb::Seen || answered.is_ok() {
                match self.parts.link.confirmations().await {
                    Ok(cases) => drop(self.station.cases(cases)),
                    Err(error) => self.failed(&error),
                }
            }
        }
    }
}

fn notice(error: &LinkError) -> StationNotice {
    match error {
        LinkError::Refused(problem) if is(problem, "stale-digest") => StationNotice::Changed,
        LinkError::Refused(_) => StationNotice::TooLate,
        _ => StationNotice::NotSent,
    }
}

fn is(problem: &Problem, word: &str) -> bool {
    problem.kind.rsplit('/').next() == Some(word)
}
