//! The custody terminal's loop: keys and news in, screens and proposals out.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use counterfoil_data::wire::custody::{Act, Approve, Propose};
use counterfoil_data::wire::hex;
use tokio::sync::mpsc;

use super::flow::{Action, Custody};
use super::model::{CustodyBody, CustodyNotice, CustodyScreen};
use crate::flow::event::Change;
use crate::input::Key;
use crate::link::{Dial, Link, LinkError};
use crate::lock::{Lock, Turn};
use crate::model::Language;

/// News waiting at most; it only says "look again".
pub const NEWS_MAX: usize = 16;
/// The countdown moves once a second.
const TICK: Duration = Duration::from_secs(1);
/// Without any news the list is asked for this often, in ticks.
const REFRESH_TICKS: u32 = 30;

/// What a custody terminal is made of.
pub struct Parts<D: Dial> {
    /// Signed link to the backend.
    pub link: Rc<Link<D>>,
    /// Clock, for the countdown.
    pub clock: SharedClock,
    /// Randomness, for the keys of proposals.
    pub entropy: SharedEntropy,
    /// Language at the start.
    pub language: Language,
    /// Where screens go.
    pub screens: mpsc::Sender<CustodyScreen>,
}

/// Runs until the person leaves or the keys end.
pub async fn run<D: Dial + 'static>(parts: Parts<D>, mut keys: mpsc::Receiver<Key>) {
    let (tx, mut news) = mpsc::channel::<Change>(NEWS_MAX);
    let link = parts.link.clone();
    let listener = tokio::task::spawn_local(async move { link.pass_changes(tx).await });
    let mut desk = Desk {
        custody: Custody::new(parts.language),
        lock: Lock::new(parts.link.clone(), parts.clock.clone()),
        parts,
        shown: None,
        unsure: None,
    };
    desk.refresh().await;
    let mut ticks = 0_u32;
    loop {
        desk.show().await;
        let clock = desk.parts.clock.clone();
        let action = tokio::select! {
            biased;
            key = keys.recv() => match key {
                Some(key) => desk.key(&key).await,
                None => break,
            },
            Some(_) = news.recv() => {
                while news.try_recv().is_ok() {}
                desk.refresh().await;
                None
            }
            () = clock.sleep(TICK) => {
                ticks = ticks.saturating_add(1);
                if desk.lock.tick().await {
                    desk.clear();
                }
                if ticks.is_multiple_of(REFRESH_TICKS) {
                    desk.refresh().await;
                }
                None
            }
        };
        match action {
            Some(Action::Leave) => break,
            Some(action) => desk.perform(action).await,
            None => {}
        }
    }
    listener.abort();
}

struct Desk<D: Dial> {
    custody: Custody,
    lock: Lock<D>,
    parts: Parts<D>,
    shown: Option<CustodyScreen>,
    /// A proposal that may have arrived, and its key: sent again, it is the same one.
    unsure: Option<(Act, String)>,
}

impl<D: Dial> Desk<D> {
    /// Sends the screen if it changed.
    async fn show(&mut self) {
        let mut screen = self.custody.screen(self.parts.clock.now());
        if let Some(page) = self.lock.page() {
            screen.body = CustodyBody::Login(page);
            screen.notice = None;
        }
        if self.shown.as_ref() != Some(&screen) {
            let _ = self.parts.screens.send(screen.clone()).await;
            self.shown = Some(screen);
        }
    }

    async fn key(&mut self, key: &Key) -> Option<Action> {
        match self.lock.key(key).await {
            Turn::Terminals => self.custody.key(key),
            Turn::Taken => None,
            Turn::Leave => Some(Action::Leave),
            Turn::Locked => {
                self.clear();
                None
            }
            Turn::In(_) => {
                self.clear();
                self.refresh().await;
                None
            }
        }
    }

    /// Another person, or nobody: nothing of the branch stays here.
    fn clear(&mut self) {
        self.custody = Custody::new(self.custody.language());
        self.unsure = None;
    }

    async fn refresh(&mut self) {
        if self.lock.page().is_some() {
            return;
        }
        match self.parts.link.custody().await {
            Ok(view) => {
                self.parts.link.seen_sequence(view.sequence);
                self.custody.news(view);
            }
            Err(error) if self.lock.heard(&error) => self.clear(),
            Err(_) => self.custody.offline(),
        }
    }

    async fn perform(&mut self, action: Action) {
        let link = Rc::clone(&self.parts.link);
        let answer = match action {
            Action::Leave => return,
            Action::Propose(act) => {
                let key = self.key_of(&act);
                let answer = link.propose(&Propose { act: act.clone() }, &key).await;
                // Only an answer ends it; without one it may have arrived.
                let heard = matches!(answer, Ok(_) | Err(LinkError::Refused(_)));
                self.unsure = (!heard).then_some((act, key));
                answer
            }
            Action::Approve {
                proposal,
                digest,
                count,
            } => link.approve(proposal, &Approve { digest, count }).await,
            Action::Refuse { proposal, digest } => {
                let count = None;
                link.refuse(proposal, &Approve { digest, count }).await
            }
        };
        if let Err(error) = &answer
            && self.lock.heard(error)
        {
            self.clear();
            return;
        }
        self.custody
            .answered(answer.map_err(|error| notice(&error)));
        self.refresh().await;
    }

    fn key_of(&self, act: &Act) -> String {
        match &self.unsure {
            Some((unsure, key)) if unsure == act => key.clone(),
            _ => hex(&random::<16>(&*self.parts.entropy)),
        }
    }
}

fn notice(error: &LinkError) -> CustodyNotice {
    match error {
        LinkError::Refused(problem) if problem.kind.ends_with("/stale-digest") => {
            CustodyNotice::Changed
        }
        LinkError::Refused(problem) => CustodyNotice::Refused {
            reason: problem.reason.clone(),
            detail: problem.detail.clone(),
        },
        _ => CustodyNotice::NotSent,
    }
}
