//! The device host: one local task per device role.
//!
//! Owns opening (by role), reopening with back-off, and fencing: after an I/O
//! error a handle is dropped and never used again. Secrets are sealed here,
//! inside the worker that read them, before they become events (I7). Refuses to
//! decide anything: it answers what it was asked, and drops what it was doing
//! when it was asked something else. Called by the loop ([`crate::kiosk`]).

mod card;
mod document;
mod finger;
mod forms;
mod guard;
mod pin;
mod receipt;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::{SharedClock, SharedEntropy};
use counterfoil_data::sign::SigningIdentity;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::form_station::FormSettings;
use counterfoil_devices::driver::pboc::Capks;
use counterfoil_devices::guard::Allowed;
use counterfoil_devices::transport::{Bus, DeviceInfo, Transport};
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub use self::receipt::ReceiptSettings;
use crate::flow::effect::{Act, Desk, Ticket};
use crate::flow::event::{Answer, DeviceState, Event};

/// Requests waiting at one desk: one runs, one may follow, the rest is a fault.
const MAILBOX_MAX: usize = 8;
/// Between two looks whether an idle device is still plugged in.
const LOOK: Duration = Duration::from_secs(10);
/// Pauses between tries to open, in seconds; the last one repeats.
const REOPEN_S: [u64; 4] = [1, 2, 4, 8];
/// The part of a long wait after which a worker looks whether it is still wanted.
pub(crate) const SLICE: Duration = Duration::from_millis(500);

/// What every worker needs.
pub(crate) struct Tools {
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    /// Signs the authenticity assertion (S16).
    pub identity: Rc<SigningIdentity>,
    /// Scheme keys for settlement cards.
    pub capks: Capks,
    /// Which form printer, and how.
    pub forms: FormSettings,
    /// How long a receipt lies in reach of a printer with a presenter.
    pub presents: Option<Duration>,
    /// Which devices may be used; all of them without a list.
    pub allowed: Option<Allowed>,
    /// Where the business date is taken.
    pub time_zone: TimeZone,
}

impl Tools {
    /// The business date now.
    pub fn today(&self) -> jiff::civil::Date {
        let now = self.clock.now().to_zoned(self.time_zone.clone());
        now.date()
    }

    /// Monotonic time in a [`SLICE`].
    pub fn slice(&self) -> Duration {
        self.clock.monotonic().saturating_add(SLICE)
    }
}

enum Note {
    Do(Ticket, Act, u64),
    Wipe,
}

struct Mailbox {
    notes: mpsc::Sender<Note>,
    /// Counts requests and stops: an older one is not wanted any more.
    wanted: Rc<Cell<u64>>,
}

/// All desks.
pub struct Host {
    desks: BTreeMap<Desk, Mailbox>,
}

impl Host {
    /// Starts one task per role on `tasks`; answers go to `events`.
    pub(crate) fn start<B: Bus + 'static>(
        bus: &Rc<B>,
        tools: &Rc<Tools>,
        events: &mpsc::Sender<Event>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let mut host = Self {
            desks: BTreeMap::new(),
        };
        let with = (bus, tools, events);
        host.add::<B, card::CardDesk<B::Transport>>(with, tasks);
        host.add::<B, pin::PinDesk<B::Transport>>(with, tasks);
        host.add::<B, document::DocumentDesk<B::Transport>>(with, tasks);
        host.add::<B, finger::FingerDesk<B::Transport>>(with, tasks);
        host.add::<B, forms::FormsDesk<B::Transport>>(with, tasks);
        host.add::<B, receipt::ReceiptDesk<B::Transport>>(with, tasks);
        if tools.allowed.is_some() {
            let (bus, tools) = (Rc::clone(bus), Rc::clone(tools));
            tasks.spawn_local(guard::watch(bus, tools, events.clone()));
        }
        host
    }

    fn add<B: Bus + 'static, W: Worker<B::Transport> + 'static>(
        &mut self,
        (bus, tools, events): (&Rc<B>, &Rc<Tools>, &mpsc::Sender<Event>),
        tasks: &mut JoinSet<()>,
    ) {
        let (notes, mailbox) = mpsc::channel(MAILBOX_MAX);
        let wanted = Rc::new(Cell::new(0));
        let task = DeskTask {
            bus: Rc::clone(bus),
            tools: Rc::clone(tools),
            events: events.clone(),
            wanted: Rc::clone(&wanted),
            state: DeviceState::Unknown,
            path: String::new(),
        };
        tasks.spawn_local(task.run::<W>(mailbox));
        self.desks.insert(W::DESK, Mailbox { notes, wanted });
    }

    /// Asks; `false` when the desk cannot take it.
    #[must_use]
    pub(crate) fn ask(&self, ticket: Ticket, act: Act) -> bool {
        let Some(mailbox) = self.desks.get(&ticket.desk) else {
            return false;
        };
        self.stop(ticket.desk);
        let note = Note::Do(ticket, act, mailbox.wanted.get());
        mailbox.notes.try_send(note).is_ok()
    }

    /// What this desk is doing is not wanted any more.
    pub(crate) fn stop(&self, desk: Desk) {
        if let Some(mailbox) = self.desks.get(&desk) {
            mailbox.wanted.set(mailbox.wanted.get().wrapping_add(1));
        }
    }

    /// Every desk forgets the customer (I10). A full mailbox still has a request
    /// before it that is not wanted; the flow never fills one.
    pub(crate) fn wipe(&self) {
        for mailbox in self.desks.values() {
            if mailbox.notes.try_send(Note::Wipe).is_err() {
                tracing::error!("a desk's mailbox is full: it will be wiped when reopened");
            }
        }
    }
}

/// How a worker answers, and learns that nobody listens any more.
pub(crate) struct Say {
    ticket: Ticket,
    events: mpsc::Sender<Event>,
    wanted: Rc<Cell<u64>>,
    at: u64,
}

impl Say {
    /// One answer.
    pub async fn answer(&self, answer: Answer) {
        // The loop is gone only when the kiosk ends.
        let _ = self.events.send(Event::Answered(self.ticket, answer)).await;
    }

    /// One answer that may be left out when the loop is busy: progress.
    pub fn hint(&self, answer: Answer) {
        let _ = self.events.try_send(Event::Answered(self.ticket, answer));
    }

    /// Whether something else is wanted by now.
    pub fn is_stale(&self) -> bool {
        self.wanted.get() != self.at
    }
}

/// Whether the handle may be used again.
pub(crate) enum After {
    /// Yes.
    Fine,
    /// No: fenced until reopened. The request was answered.
    Fenced,
    /// No; the request was not answered yet.
    Lost(Remedy),
}

/// One kind of device.
pub(crate) trait Worker<T: Transport>: Sized {
    /// What it is for.
    const ROLE: Role;
    /// Where it sits.
    const DESK: Desk;
    /// Takes the device over; the error is for the log.
    async fn open(transport: T, tools: &Rc<Tools>) -> Result<Self, String>;
    /// Does one act and answers it.
    async fn perform(&mut self, act: Act, say: &Say) -> After;
    /// Forgets the customer.
    fn wipe(&mut self) {}
}

struct DeskTask<B> {
    bus: Rc<B>,
    tools: Rc<Tools>,
    events: mpsc::Sender<Event>,
    wanted: Rc<Cell<u64>>,
    state: DeviceState,
    path: String,
}

impl<B: Bus> DeskTask<B> {
    async fn run<W: Worker<B::Transport>>(mut self, mut mailbox: mpsc::Receiver<Note>) {
        let mut device: Option<W> = None;
        let mut tries: usize = 0;
        loop {
            if device.is_none() {
                device = self.open::<W>().await;
                let state = match device {
                    Some(_) => DeviceState::Ready,
                    None => DeviceState::Missing,
                };
                self.tell::<W>(state).await;
                tries = device.as_ref().map_or(tries.saturating_add(1), |_| 0);
            }
            let pause = match device {
                Some(_) => LOOK,
                None => reopen_pause(tries),
            };
            let note = tokio::select! {
                biased;
                note = mailbox.recv() => note,
                () = self.tools.clock.sleep(pause) => {
                    if device.is_some() && !self.still_there().await {
                        device = None;
                    }
                    continue;
                }
            };
            match (note, &mut device) {
                (None, _) => return,
                (Some(Note::Wipe), Some(device)) => device.wipe(),
                (Some(Note::Wipe), None) => {}
                (Some(Note::Do(ticket, act, at)), open) => {
                    let say = self.say(ticket, at);
                    if !self.perform(open, act, &say).await {
                        device = None;
                        self.tell::<W>(DeviceState::Missing).await;
                    }
                }
            }
        }
    }

    fn say(&self, ticket: Ticket, at: u64) -> Say {
        Say {
            ticket,
            events: self.events.clone(),
            wanted: Rc::clone(&self.wanted),
            at,
        }
    }

    /// Whether the handle may be kept.
    async fn perform<W: Worker<B::Transport>>(
        &self,
        device: &mut Option<W>,
        act: Act,
        say: &Say,
    ) -> bool {
        if say.is_stale() {
            return device.is_some();
        }
        let Some(device) = device else {
            say.answer(Answer::Fault(Remedy::CallStaff)).await;
            return false;
        };
        match device.perform(act, say).await {
            After::Fine => true,
            After::Fenced => false,
            After::Lost(remedy) => {
                say.answer(Answer::Fault(remedy)).await;
                false
            }
        }
    }

    async fn open<W: Worker<B::Transport>>(&mut self) -> Option<W> {
        let devices = match self.bus.list().await {
            Ok(devices) => devices,
            Err(error) => {
                tracing::warn!(%error, "the bus cannot be listed");
                return None;
            }
        };
        // Several may look alike: a serial bridge says nothing of what hangs on it.
        let role_of = |device| self.tools.forms.role_of(device);
        let meant: Vec<_> = devices
            .iter()
            .filter(|d| role_of(d) == Some(W::ROLE))
            .collect();
        for found in meant {
            self.path.clone_from(&found.path);
            if !self.is_allowed::<W>(found) {
                continue;
            }
            let transport = match self.bus.open(&found.path).await {
                Ok(transport) => transport,
                Err(error) => {
                    tracing::warn!(role = %W::ROLE, %error, "the device cannot be opened");
                    continue;
                }
            };
            // What was listed may have been known from before.
            if !self.is_allowed::<W>(transport.info()) {
                continue;
            }
            match W::open(transport, &self.tools).await {
                Ok(device) => return Some(device),
                Err(error) => {
                    tracing::warn!(role = %W::ROLE, error, "the device does not say hello");
                }
            }
        }
        None
    }

    /// Whether the list of this kiosk's devices has it.
    fn is_allowed<W: Worker<B::Transport>>(&self, device: &DeviceInfo) -> bool {
        let list = self.tools.allowed.as_ref();
        match list.map(|list| list.check(device)) {
            None | Some(Ok(())) => true,
            Some(Err(error)) => {
                tracing::error!(role = %W::ROLE, %error, "the device is not opened");
                false
            }
        }
    }

    async fn still_there(&self) -> bool {
        self.bus.present(&self.path).await.unwrap_or(true)
    }

    async fn tell<W: Worker<B::Transport>>(&mut self, state: DeviceState) {
        if self.state != state {
            self.state = state;
            let _ = self.events.send(Event::Device(W::DESK, state)).await;
        }
    }
}

fn reopen_pause(tries: usize) -> Duration {
    let index = tries.saturating_sub(1);
    Duration::from_secs(REOPEN_S.get(index).copied().unwrap_or(8))
}
