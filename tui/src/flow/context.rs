//! What all steps share: the kiosk's facts, the session's traces, the effects.

mod witness;

use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil_data::demo::Policy;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, SealKey};
use counterfoil_data::wire::problem::{Remedy, RuleRefusal};
use counterfoil_data::wire::sale::{PurchaseMode, SlotView, TreeSeen};

use super::effect::{Act, BankCall, Desk, Effect, Field, Record, Sealing, Ticket};
use super::event::{Answer, DeviceState, Now, Paper};
use super::finish::Stopped;
use super::step::Step;
use crate::model::{Language, LeftBehind, ServiceFault, StopReason};

/// How long the kiosk waits for people and machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The branch's language: every customer begins in it.
    pub language: Language,
    /// A silent customer is sent home after this.
    pub idle: Duration,
    /// The countdown shows for the last part of it.
    pub warning: Duration,
    /// The bundle is retracted after this (S9).
    pub take: Duration,
    /// Before linked processing, a gate that cannot be passed gives up.
    pub gate: Duration,
    /// Longest wait for the confirming officer; the backend's own is shorter.
    pub officer: Duration,
    /// How long a printer fed by hand waits for a form (S9).
    pub insert: Duration,
    /// How long staff are waited for, to mend the form printer or to do what a hand
    /// must, before the sale is broken off and what is uncertain is frozen.
    pub staff: Duration,
}

impl Settings {
    /// As the demo bank's policy has it, in a language.
    pub fn of_demo(policy: &Policy, language: Language) -> Self {
        Self {
            language,
            idle: Duration::from_secs(policy.idle_s.into()),
            take: Duration::from_secs(policy.take_within_s.into()),
            ..Self::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: Language::ZhHans,
            idle: Duration::from_secs(60),
            warning: Duration::from_secs(15),
            take: Duration::from_secs(60),
            insert: Duration::from_secs(60),
            gate: Duration::from_secs(45),
            officer: Duration::from_secs(600),
            staff: Duration::from_secs(180),
        }
    }
}

/// Between two looks at the backend and the printer while nobody is here.
const REFRESH: Duration = Duration::from_secs(60);
/// The same while the printer is not fit.
const FAULT_REFRESH: Duration = Duration::from_secs(10);
/// How long the readers may take to say that nothing lies in them.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// Pauses between tries, in seconds; the last one repeats.
const BACK_OFF_S: [u64; 5] = [1, 2, 4, 8, 15];

/// The `tries`-th pause (from 0).
pub(super) fn back_off(tries: u32) -> Duration {
    let index = usize::try_from(tries).unwrap_or(usize::MAX);
    Duration::from_secs(BACK_OFF_S.get(index).copied().unwrap_or(15))
}

/// Who we are, as the backend said.
#[derive(Debug, Clone)]
pub(super) struct Bank {
    pub branch_name: String,
    pub modes: Vec<PurchaseMode>,
    pub key: SealKey,
    pub slots: Vec<SlotView>,
}

/// Shared by all steps.
#[derive(Debug)]
pub(super) struct Context {
    pub settings: Settings,
    pub now: Now,
    pub language: Language,
    pub offline: bool,
    pub bank: Option<Bank>,
    /// What the journal held at the start and was written since.
    pub records: Vec<Record>,
    /// Largest evidence log seen, ever; it is in the journal, too (I8).
    seen: Option<TreeSeen>,
    /// A card may still be in.
    pub card_in: bool,
    /// Its number can be sealed again without reading it.
    pub card_read: bool,
    /// Digits may still be in the keyboard's field.
    typed: bool,
    /// A document may still lie there.
    pub document_on: bool,
    /// It can be sealed again without reading it.
    pub document_read: bool,
    /// The readers were not looked at since the start.
    pub first_look: bool,
    /// Answers that contradicted what we believed, in this sale.
    pub resyncs: u32,
    /// The log did not contain what it should.
    log_broken: bool,
    /// A keyboard is plugged in that is not this kiosk's.
    pub foreign_keyboard: bool,
    devices: BTreeMap<Desk, DeviceState>,
    watch_card: Option<Ticket>,
    watch_document: Option<Ticket>,
    watch_printer: Option<Ticket>,
    /// The form printer is not empty and clear; staff must see to it.
    printer_fault: bool,
    generation: u64,
    effects: Vec<Effect>,
}

impl Context {
    pub fn new(settings: Settings, mut records: Vec<Record>, now: Now) -> Self {
        let mut seen = None;
        records.retain(|record| match record {
            Record::Seen { tree } => {
                seen = Some(*tree);
                false
            }
            _ => true,
        });
        Self {
            seen,
            language: settings.language,
            settings,
            now,
            offline: false,
            bank: None,
            records,
            // What lay there before a power cut is somebody's: it must be seen leaving.
            card_in: true,
            card_read: false,
            typed: false,
            document_on: true,
            first_look: true,
            document_read: false,
            resyncs: 0,
            log_broken: false,
            foreign_keyboard: false,
            devices: BTreeMap::new(),
            watch_card: None,
            watch_document: None,
            watch_printer: None,
            printer_fault: false,
            generation: 0,
            effects: Vec::new(),
        }
    }

    /// Hands out an effect and the ticket its answers will carry.
    pub fn ask(&mut self, desk: Desk, act: Act) -> Ticket {
        self.generation = self.generation.saturating_add(1);
        let ticket = Ticket {
            desk,
            generation: self.generation,
        };
        self.effects.push(Effect { ticket, act });
        ticket
    }

    pub fn call(&mut self, call: BankCall) -> Ticket {
        self.ask(Desk::Bank, Act::Bank(Box::new(call)))
    }

    pub fn wait(&mut self, time: Duration) -> Ticket {
        self.ask(Desk::Timer, Act::Wait(time))
    }

    pub fn stop(&mut self, desk: Desk) {
        self.ask(desk, Act::Stop);
    }

    /// Opens a field of the keyboard (PM2).
    pub fn type_into(&mut self, field: Field, sealing: Sealing) -> Ticket {
        self.typed = true;
        self.ask(Desk::Keyboard, Act::TypeInto(field, sealing))
    }

    /// Wipes what was typed, if anything was (I10).
    pub fn forget_typed(&mut self) {
        if std::mem::take(&mut self.typed) {
            self.stop(Desk::Keyboard);
        }
    }

    /// Written and synced before the effects after it.
    pub fn remember(&mut self, record: Record) {
        self.records.push(record.clone());
        self.ask(Desk::Journal, Act::Remember(record));
    }

    /// The sale is over at the backend: nothing is left to deliver.
    pub fn forget(&mut self) {
        if !self.records.is_empty() {
            self.records.clear();
            self.ask(Desk::Journal, Act::Forget(self.seen));
        }
    }

    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub fn toggle_language(&mut self) {
        self.language = match self.language {
            Language::ZhHans => Language::En,
            Language::En => Language::ZhHans,
        };
    }

    /// Under what secrets of this attempt are sealed.
    pub fn sealing(&self, binding: Binding) -> Option<Sealing> {
        let key = self.bank.as_ref()?.key;
        Some(Sealing { binding, key })
    }

    /// Whether the backend is in reach, by the last answer.
    pub fn note_link(&mut self, ticket: &Ticket, answer: &Answer) {
        if ticket.desk == Desk::Bank {
            self.offline = matches!(answer, Answer::Offline);
        }
    }

    pub fn note_device(&mut self, desk: Desk, state: DeviceState) {
        self.devices.insert(desk, state);
    }

    /// Why nobody can be served now; `Err(None)` while devices are still looked for.
    pub fn ready(&self) -> Result<(), Option<ServiceFault>> {
        if self.log_broken {
            return Err(Some(ServiceFault::LogShrunk));
        }
        if self.foreign_keyboard {
            return Err(Some(ServiceFault::ForeignKeyboard));
        }
        // A kiosk without a receipt printer still sells: the receipt is then
        // shown, and staff can print it.
        let needed = Desk::DEVICES.into_iter().filter(|d| *d != Desk::Receipt);
        let mut unknown = false;
        for desk in needed {
            match self.devices.get(&desk) {
                Some(DeviceState::Ready) => {}
                Some(DeviceState::Missing) => {
                    return Err(Some(ServiceFault::Device(desk.name().to_owned())));
                }
                Some(DeviceState::Unknown) | None => unknown = true,
            }
        }
        if self.printer_fault {
            let name = Desk::Forms.name().to_owned();
            return Err(Some(ServiceFault::Device(name)));
        }
        let slots = self.bank.as_ref().map_or(&[][..], |bank| &bank.slots);
        if let Some(slot) = slots.first().filter(|_| slots.iter().all(|s| s.locked)) {
            return Err(Some(ServiceFault::SlotLocked(slot.kind)));
        }
        let looking = self.first_look && (self.card_in || self.document_on);
        if unknown || looking {
            Err(None)
        } else {
            Ok(())
        }
    }

    /// Whether this slot was locked after a wrong number.
    pub fn slot_locked(&self, slot: &counterfoil_data::ids::SlotId) -> bool {
        let slots = self.bank.as_ref().map_or(&[][..], |bank| &bank.slots);
        slots.iter().any(|s| s.locked && s.slot == *slot)
    }

    /// Watches what may still lie in the readers (left behind). A reader that
    /// fails is watched again when it is back, and not before.
    pub fn watch_readers(&mut self) {
        if self.card_in && self.watch_card.is_none() {
            self.watch_card = Some(self.ask(Desk::Card, Act::WatchCard));
        }
        if self.document_on && self.watch_document.is_none() {
            self.watch_document = Some(self.ask(Desk::Document, Act::WatchDocument));
        }
    }

    /// Takes an answer to a watch; whether it was one.
    pub fn watched(&mut self, ticket: &Ticket, answer: &Answer) -> bool {
        if self.watch_card == Some(*ticket) {
            self.watch_card = None;
            self.card_in = !matches!(answer, Answer::CardRemoved);
            return true;
        }
        if self.watch_document == Some(*ticket) {
            self.watch_document = None;
            self.document_on = !matches!(answer, Answer::DocumentRemoved);
            return true;
        }
        if self.watch_printer == Some(*ticket) {
            self.watch_printer = None;
            if let Answer::Printer(facts) = answer {
                let places = [facts.transport, facts.escrow, facts.output];
                self.printer_fault = facts.fault || places.contains(&Paper::Occupied);
            }
            return true;
        }
        false
    }

    /// Looks whether the form printer could print for the next customer. Only
    /// while nobody is here: a sale has the printer for itself.
    pub fn check_printer(&mut self) {
        if self.watch_printer.is_none() {
            self.watch_printer = Some(self.ask(Desk::Forms, Act::PrinterStatus));
        }
    }

    /// When to look again whether the kiosk can sell.
    pub fn refresh(&self) -> Duration {
        if self.first_look {
            FIRST_LOOK
        } else if self.printer_fault {
            FAULT_REFRESH
        } else {
            REFRESH
        }
    }

    pub fn left_behind(&self) -> Vec<LeftBehind> {
        let card = self.card_in.then_some(LeftBehind::Card);
        let document = self.document_on.then_some(LeftBehind::Document);
        card.into_iter().chain(document).collect()
    }

    /// Nothing of this customer stays (I10), except that their things may still
    /// lie in the readers.
    pub fn wipe(&mut self) {
        self.card_read = false;
        self.document_read = false;
        self.resyncs = 0;
        self.language = self.settings.language;
        self.ask(Desk::Journal, Act::WipeSession);
    }

    /// Gives a sale up that is not linked yet, and tells the customer why.
    pub fn cancel(&mut self, sale: SaleId, why: StopReason, remedy: Remedy) -> Step {
        let call = BankCall::Cancel(sale, cancel_key(sale));
        let ticket = self.call(call.clone());
        Stopped::begin(self, why, None, remedy, Some((call, ticket)))
    }

    /// The sale is over; tells the customer why.
    pub fn stopped(&mut self, why: StopReason, rule: Option<RuleRefusal>, or: Remedy) -> Step {
        let remedy = rule.as_ref().map_or(or, |rule| rule.remedy);
        Stopped::begin(self, why, rule, remedy, None)
    }
}

/// The key under which a sale is cancelled; one for ever.
pub(super) fn cancel_key(sale: SaleId) -> String {
    format!("cancel-{sale}")
}
