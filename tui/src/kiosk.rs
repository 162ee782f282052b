//! The kiosk's loop: events and commands in, effects and screens out.
//!
//! Owns the timer, the journal and the order of things: one event at a time,
//! the flow decides, its effects are performed in their order, the newest screen
//! is handed out. Refuses to know what is drawn and how. Dropping the future of
//! [`run`] is a power cut: all is lost except the journal. Needs a `LocalSet`.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::{Journal, SharedClock, SharedEntropy, random};
use counterfoil_data::sign::SigningIdentity;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_devices::driver::form_station::FormSettings;
use counterfoil_devices::driver::pboc::Capks;
use counterfoil_devices::guard::Allowed;
use counterfoil_devices::transport::Bus;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::cmd::Cmd;
use crate::flow::effect::{Act, Desk, Effect, Record, Ticket};
use crate::flow::event::{Answer, Event, Now};
use crate::flow::{Flow, Settings};
use crate::host::{Host, ReceiptSettings, Tools};
use crate::journal::{decode, encode};
use crate::keyboard::Keyboard;
use crate::link::{Dial, Link, bank};
use crate::model::KioskScreen;

/// Events waiting for the loop.
const EVENTS_MAX: usize = 64;
/// Notices waiting for the loop.
const NOTICES_MAX: usize = 16;
/// Effects kept in the log.
pub const EFFECTS_MAX: usize = 512;

/// Everything the kiosk is given.
pub struct Parts<B: Bus, D: Dial> {
    /// Where its devices are.
    pub bus: Rc<B>,
    /// How the backend is reached.
    pub dial: D,
    /// The `Host` header.
    pub authority: String,
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
    /// What was known and not yet acknowledged.
    pub journal: Box<dyn Journal>,
    /// The kiosk's key and its name.
    pub identity: SigningIdentity,
    /// Scheme keys for settlement cards.
    pub capks: Capks,
    /// Which form printer, and how.
    pub forms: FormSettings,
    /// What the receipt printer has.
    pub receipts: ReceiptSettings,
    /// Which devices may be used; all of them without a list.
    pub allowed: Option<Allowed>,
    /// Where the business date is taken.
    pub time_zone: TimeZone,
    /// How long it waits for people and machines.
    pub settings: Settings,
    /// The newest screen goes here; when it is full, older ones are skipped.
    pub screens: mpsc::Sender<KioskScreen>,
    /// The names of what was done.
    pub effects: EffectLog,
}

/// What the kiosk did, newest last, at most [`EFFECTS_MAX`]; shared by clone.
#[derive(Debug, Clone, Default)]
pub struct EffectLog(Rc<RefCell<EffectsDone>>);

#[derive(Debug, Default)]
struct EffectsDone {
    total: u64,
    last: VecDeque<&'static str>,
}

impl EffectLog {
    /// Names, oldest first.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.borrow().last.iter().copied().collect()
    }

    /// How many there ever were.
    pub fn total(&self) -> u64 {
        self.0.borrow().total
    }

    fn add(&self, name: &'static str) {
        let mut done = self.0.borrow_mut();
        done.total = done.total.saturating_add(1);
        if done.last.len() >= EFFECTS_MAX {
            done.last.pop_front();
        }
        done.last.push_back(name);
    }
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Staff left the program.
    Left,
    /// Nobody gives commands any more.
    InputClosed,
    /// Nobody looks any more.
    ScreenGone,
}

struct Kiosk<D: Dial> {
    clock: SharedClock,
    entropy: SharedEntropy,
    journal: Box<dyn Journal>,
    link: Rc<Link<D>>,
    host: Host,
    keyboard: Keyboard,
    events: mpsc::Sender<Event>,
    /// Answers the loop gives itself, before anything that waits outside.
    own: VecDeque<Event>,
    tasks: JoinSet<()>,
    log: EffectLog,
    screens: mpsc::Sender<KioskScreen>,
    shown: Option<KioskScreen>,
}

/// Runs the kiosk until staff leave or one of its ends is closed.
pub async fn run<B, D>(parts: Parts<B, D>, mut input: mpsc::Receiver<Cmd>) -> Exit
where
    B: Bus + 'static,
    D: Dial + 'static,
{
    let (events, mut inbox) = mpsc::channel(EVENTS_MAX);
    let settings = parts.settings;
    let (mut kiosk, recalled) = Kiosk::build(parts, events);
    let records = decode(recalled.as_deref().unwrap_or_default());
    let (mut flow, effects) = Flow::start(settings, records, kiosk.now());
    kiosk.perform(effects);
    if recalled.is_err() {
        kiosk.own.push_back(Event::JournalFailed);
    }
    loop {
        while kiosk.tasks.try_join_next().is_some() {}
        if let Some(event) = kiosk.own.pop_front() {
            flow = kiosk.step(flow, event);
            continue;
        }
        let pending = match kiosk.show(&flow) {
            Ok(pending) => pending,
            Err(exit) => return exit,
        };
        let wake = kiosk.wake(&flow);
        let sleep = kiosk.clock.sleep(wake.unwrap_or(FOREVER));
        // Answers before commands: a key pressed on a screen that is already
        // outdated must meet the newest step. The timer last: whoever acted in
        // the last moment was in time.
        let event = tokio::select! {
            biased;
            event = inbox.recv() => event,
            cmd = input.recv() => match cmd {
                Some(Cmd::Leave) => return Exit::Left,
                Some(cmd) => Some(Event::Cmd(cmd)),
                None => return Exit::InputClosed,
            },
            permit = kiosk.screens.reserve(), if pending => match permit {
                Ok(_) => None,
                Err(_) => return Exit::ScreenGone,
            },
            () = sleep => kiosk.due(&flow),
        };
        let is_taken = |event: &Event| !(flow.is_locked() && matches!(event, Event::Cmd(_)));
        let event = event.filter(is_taken).map(|event| kiosk.typed(event));
        if let Some(event) = event {
            flow = kiosk.step(flow, event);
        }
    }
}

/// Longest sleep of a loop that awaits nothing.
const FOREVER: Duration = Duration::from_secs(3_600);

impl<D: Dial + 'static> Kiosk<D> {
    fn build<B: Bus + 'static>(
        parts: Parts<B, D>,
        events: mpsc::Sender<Event>,
    ) -> (Self, std::io::Result<Vec<Vec<u8>>>) {
        let identity = Rc::new(parts.identity);
        let tools = Rc::new(Tools {
            clock: parts.clock.clone(),
            entropy: parts.entropy.clone(),
            identity: Rc::clone(&identity),
            capks: parts.capks,
            forms: parts.forms,
            presents: parts.receipts.presenter.then_some(parts.settings.take),
            allowed: parts.allowed,
            time_zone: parts.time_zone,
        });
        let mut tasks = JoinSet::new();
        let host = Host::start(&parts.bus, &tools, &events, &mut tasks);
        let link = Rc::new(Link::new(
            parts.dial,
            parts.clock.clone(),
            parts.entropy.clone(),
            identity,
            &parts.authority,
        ));
        pass_changes(&link, &events, &mut tasks);
        let mut journal = parts.journal;
        let recalled = journal.load();
        let kiosk = Self {
            clock: parts.clock,
            entropy: parts.entropy,
            journal,
            link,
            host,
            keyboard: Keyboard::default(),
            events,
            own: VecDeque::new(),
            tasks,
            log: parts.effects,
            screens: parts.screens,
            shown: None,
        };
        (kiosk, recalled)
    }

    fn now(&self) -> Now {
        Now {
            at: self.clock.monotonic(),
            wall: self.clock.now(),
            chance: u128::from_be_bytes(random(&*self.entropy)),
        }
    }

    fn step(&mut self, flow: Flow, event: Event) -> Flow {
        let (flow, effects) = flow.on(event, self.now());
        self.perform(effects);
        flow
    }

    /// In order; after a record that could not be written nothing more of the
    /// batch is done (I6).
    fn perform(&mut self, effects: Vec<Effect>) {
        for Effect { ticket, act } in effects {
            self.log.add(act.name());
            match act {
                Act::Wait(time) => self.wait(ticket, time),
                Act::Bank(call) => {
                    let (link, events) = (Rc::clone(&self.link), self.events.clone());
                    self.tasks.spawn_local(async move {
                        let answer = bank::answer(&link, &call).await;
                        let _ = events.send(Event::Answered(ticket, answer)).await;
                    });
                }
                Act::Remember(record) => {
                    let written = encode(&record).and_then(|r| self.journal.append(&r));
                    if let Err(error) = written {
                        return self.journal_failed(&error);
                    }
                }
                Act::Forget(seen) => {
                    let kept = seen.map(|tree| encode(&Record::Seen { tree })).transpose();
                    let kept = kept.and_then(|kept| self.journal.keep_only(kept.as_deref()));
                    if let Err(error) = kept {
                        return self.journal_failed(&error);
                    }
                }
                Act::WipeSession => {
                    self.keyboard.wipe();
                    self.host.wipe();
                }
                Act::Stop if ticket.desk == Desk::Keyboard => self.keyboard.wipe(),
                Act::Stop => self.host.stop(ticket.desk),
                Act::TypeInto(field, sealing) => {
                    let shown = self.keyboard.open(ticket, field, sealing);
                    self.own.push_back(Event::Answered(ticket, shown));
                }
                act => {
                    if !self.host.ask(ticket, act) {
                        let fault = Answer::Fault(Remedy::CallStaff);
                        self.own.push_back(Event::Answered(ticket, fault));
                    }
                }
            }
        }
    }

    /// What a field takes goes no further than the field (I7).
    fn typed(&mut self, event: Event) -> Event {
        let Event::Cmd(cmd) = event else {
            return event;
        };
        match self.keyboard.take(cmd, &*self.entropy) {
            Ok((ticket, answer)) => Event::Answered(ticket, answer),
            Err(cmd) => Event::Cmd(cmd),
        }
    }

    fn wait(&mut self, ticket: Ticket, time: Duration) {
        let (sleep, events) = (self.clock.sleep(time), self.events.clone());
        self.tasks.spawn_local(async move {
            sleep.await;
            let _ = events.send(Event::Answered(ticket, Answer::Waited)).await;
        });
    }

    fn journal_failed(&mut self, error: &std::io::Error) {
        tracing::error!(%error, "the outcome journal cannot be written");
        self.own.push_back(Event::JournalFailed);
    }

    /// Hands out the newest screen if it changed; `true` while it waits for room.
    fn show(&mut self, flow: &Flow) -> Result<bool, Exit> {
        let screen = flow.screen(self.clock.monotonic());
        if self.shown.as_ref() == Some(&screen) {
            return Ok(false);
        }
        match self.screens.try_send(screen.clone()) {
            Ok(()) => {
                self.shown = Some(screen);
                Ok(false)
            }
            Err(mpsc::error::TrySendError::Full(_)) => Ok(true),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Exit::ScreenGone),
        }
    }

    /// Until the deadline, the countdown's begin, or its next second.
    fn wake(&self, flow: &Flow) -> Option<Duration> {
        let deadline = flow.deadline()?;
        let now = self.clock.monotonic();
        let left = deadline.saturating_sub(now);
        let Some(warn) = flow.warn_at() else {
            return Some(left);
        };
        if warn > now {
            return Some(warn.saturating_sub(now));
        }
        let to_second = left.subsec_nanos();
        let tick = if to_second == 0 {
            Duration::from_secs(1)
        } else {
            Duration::from_nanos(u64::from(to_second))
        };
        Some(tick.min(left))
    }

    fn due(&self, flow: &Flow) -> Option<Event> {
        let deadline = flow.deadline()?;
        (self.clock.monotonic() >= deadline).then_some(Event::Deadline)
    }
}

/// "Something changed" from the backend, for as long as the kiosk lives.
fn pass_changes<D: Dial + 'static>(
    link: &Rc<Link<D>>,
    events: &mpsc::Sender<Event>,
    tasks: &mut JoinSet<()>,
) {
    let (to, mut changes) = mpsc::channel(NOTICES_MAX);
    let link = Rc::clone(link);
    tasks.spawn_local(async move { link.pass_changes(to).await });
    let events = events.clone();
    tasks.spawn_local(async move {
        while let Some(change) = changes.recv().await {
            if events.send(Event::Changed(change)).await.is_err() {
                return;
            }
        }
    });
}
