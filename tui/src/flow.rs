//! The kiosk's flow: pure, no runtime, no terminal, no I/O.
//!
//! ```text
//! Starting ─► Attract ─► PickMode ─► InsertCard ─► EnterPin ─►(info)─► PlaceDocument
//!    ▲ ▲         ▲          └─► EnterAccount ─► EnterPassword ─┘            │ S16
//!    │ │         │                        message 1 (S4) ┘             PlaceFinger
//!    │ │      Stopped ◄── any step before linking        message 2 (S14) ┐  │
//!    │ │         ▲                                                   (identity)
//!    │ └─ Done ◄─┴─ Receipt ◄─ (close) ◄─ Dispensing ◄─ (link) ◄─ AwaitConfirm ◄─ PickOrder
//!    │                                                            │ order needs it ▲ ▼ (S13)
//!    └── a restart with a linked sale goes straight to Dispensing └─(finger) ◄─ PlaceOtherFinger
//! ```
//!
//! A step owns exactly what has been proven ([`proof`]) and a transition consumes
//! it. Owns the order of the gates on the kiosk's side (S2-S6, S10-S16) and of
//! paper (S9, I5). Refuses to know how anything is done: it hands out
//! [`effect::Effect`]s and takes [`event::Event`]s. Called by the loop
//! ([`crate::kiosk`]) and by tests.

pub mod effect;
pub mod event;
pub mod proof;

mod arrive;
mod bank;
mod context;
mod dispense;
mod finger;
mod finish;
mod front;
mod identify;
mod order;
mod paper;
mod password;
mod sheet;
mod step;
#[cfg(test)]
pub(crate) mod tests;
mod verify;

use std::time::Duration;

pub use context::Settings;

use crate::cmd::Cmd;
use crate::model::KioskScreen;
use context::Context;
use effect::{Desk, Effect, Record};
use event::{Answer, DeviceState, Event, Now};
use step::{Counted, Stage as _, Step};

/// The whole flow between two events.
#[derive(Debug)]
pub struct Flow {
    cx: Context,
    step: Step,
    /// When the customer last did something, or the screen last changed.
    active_at: Duration,
    /// The deadline was told; it is told once.
    expired: bool,
}

/// A device came or went: whoever waits for nothing looks at the readers again.
fn device_changed(cx: &mut Context, step: &Step, desk: Desk, state: DeviceState) {
    cx.note_device(desk, state);
    let here = matches!(step, Step::Attract(_));
    if here && desk == Desk::Forms && state == DeviceState::Ready {
        cx.check_printer();
    }
    if matches!(step, Step::Attract(_) | Step::Stopped(_) | Step::Done(_)) {
        cx.watch_readers();
    }
}

impl Flow {
    /// The first step, with what the journal still held.
    pub fn start(settings: Settings, recalled: Vec<Record>, now: Now) -> (Self, Vec<Effect>) {
        let mut cx = Context::new(settings, recalled, now);
        let step = front::Starting::begin(&mut cx);
        let effects = cx.take_effects();
        let flow = Self {
            cx,
            step,
            active_at: now.at,
            expired: false,
        };
        (flow, effects)
    }

    /// One event in, the next state and what is to be done out.
    pub fn on(self, event: Event, now: Now) -> (Self, Vec<Effect>) {
        let Self {
            mut cx,
            step,
            mut active_at,
            mut expired,
        } = self;
        cx.now = now;
        let before = step.body(&cx).name();
        let extends = step.patience(&cx).is_some_and(|p| p.extends);
        let mut active = false;
        let step = match event {
            Event::Cmd(Cmd::Language) if before != "EnterPin" => {
                cx.toggle_language();
                active = extends;
                step
            }
            Event::Cmd(cmd) => {
                active = extends;
                step.cmd(&mut cx, cmd)
            }
            Event::Deadline => {
                expired = true;
                step.deadline(&mut cx)
            }
            Event::Answered(ticket, answer) => {
                cx.note_link(&ticket, &answer);
                active = extends && is_customer(&answer);
                if cx.watched(&ticket, &answer) || !step.awaits(ticket) {
                    step
                } else {
                    step.answered(&mut cx, ticket, answer)
                }
            }
            Event::Device(desk, state) => {
                device_changed(&mut cx, &step, desk, state);
                step
            }
            Event::ForeignKeyboard(there) => {
                cx.foreign_keyboard = there;
                step
            }
            Event::Changed(change) => step.noticed(&mut cx, &change),
            Event::JournalFailed => front::Starting::journal_failed(&mut cx),
        };
        // Wherever else a customer stands, nothing typed is needed any more (I10).
        let typing = matches!(
            step,
            Step::EnterAccount(_) | Step::EnterPassword(_) | Step::Asking(_)
        );
        if !typing {
            cx.forget_typed();
        }
        if active || step.body(&cx).name() != before {
            active_at = now.at;
            expired = false;
        }
        let effects = cx.take_effects();
        (
            Self {
                cx,
                step,
                active_at,
                expired,
            },
            effects,
        )
    }

    /// Whether keys are not taken, because somebody may type on a keyboard that is not this
    /// kiosk's. What runs goes on to its end: its timers decide, as for a customer who left.
    pub fn is_locked(&self) -> bool {
        self.cx.foreign_keyboard
    }

    /// When [`Event::Deadline`] is due (monotonic), if the step has one and it was
    /// not told yet.
    pub fn deadline(&self) -> Option<Duration> {
        if self.expired {
            return None;
        }
        self.ends_at()
    }

    fn ends_at(&self) -> Option<Duration> {
        let patience = self.step.patience(&self.cx)?;
        Some(self.active_at.saturating_add(patience.total))
    }

    /// When the countdown begins to show, if the step has one.
    pub fn warn_at(&self) -> Option<Duration> {
        let patience = self.step.patience(&self.cx)?;
        let shown = match patience.counted {
            Counted::Never => return None,
            Counted::AtTheEnd => patience.total.saturating_sub(self.cx.settings.warning),
            Counted::Always => Duration::ZERO,
        };
        Some(self.active_at.saturating_add(shown))
    }

    /// The screen now: masked, without a secret (I7).
    pub fn screen(&self, at: Duration) -> KioskScreen {
        let counting = self.warn_at().is_some_and(|warn| at >= warn);
        let left = self.ends_at().filter(|_| counting);
        let seconds_left = left.map(|deadline| {
            let rest = deadline.saturating_sub(at).as_millis().div_ceil(1000);
            u32::try_from(rest).unwrap_or(u32::MAX)
        });
        KioskScreen {
            language: self.cx.language,
            step: self.step.place(),
            seconds_left,
            offline: self.cx.offline,
            body: self.step.body(&self.cx),
        }
    }
}

/// Whether the answer shows that the customer is still there.
fn is_customer(answer: &Answer) -> bool {
    matches!(
        answer,
        Answer::PinDigits(_)
            | Answer::Typed(..)
            | Answer::CardPresent
            | Answer::DocumentPresent
            | Answer::FingerPresent
            | Answer::FingerPoor(_)
    )
}
