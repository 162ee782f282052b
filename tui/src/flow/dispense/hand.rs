//! A form printer that a person feeds, or whose numbers a person reads (S9).
//!
//! ```text
//!  Preparing ─Enter─► (feeding durable) ─► Feeding ─► Typing ─► Comparing ─► Printing ─► Leaving
//!     ▲  ▲ nothing came, Enter again ───────┘          ▲ differ  │                          │
//!     │                                                └─────────┘ another number, not      │
//!     │                                                  read: Diverting ─► Leaving         │
//!     └────────────────────── taken, next form ◄────────────────────────────────────────────┘
//! ```
//!
//! The gates are those of every other printer: nothing is put in before `feeding` is
//! durable (I5), no ink before the number read is the assigned one. A person holds the
//! blank before the number counts as fed, so that where nobody is there nothing is
//! lost; nothing is asked for again unless that person says so. The reading is blind:
//! the number that is expected is not on that screen. Who reads is not known here, and
//! needs not be: a reading can stop a form, and can never let another one be printed.

mod typing;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::wire::forms::{FormAdvice, FormEvent};
use counterfoil_data::wire::sale::AbandonReason;

use super::super::context::Context;
use super::super::effect::{Act, Desk, Ticket};
use super::super::event::Answer;
use super::super::paper::{Delivered, Delivery, each};
use super::super::proof::FeedDurable;
use super::super::step::{Counted, Patience, Step};
use super::sheet::no_outcome;
use super::{Dispensing, Phase, Then};
use crate::cmd::Cmd;
use crate::model::{Body, HandForm, InsertProblem, Out};
pub(super) use typing::Entry;

/// Times one form is waited for in vain before the kiosk breaks the sale off.
const INSERTS_MAX: u32 = 10;

/// What a person does at this printer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hand {
    /// They put every form in and take it out.
    pub feeds: bool,
    /// Somebody is there and may be asked for the next form.
    pub ready: bool,
    /// The printer sees what is put in.
    pub senses: bool,
}

/// Who read the number of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadBy {
    Printer,
    Operator,
}

impl ReadBy {
    /// The printer's words, and whose reading they stand on.
    pub fn with(self, evidence: String) -> String {
        match self {
            Self::Printer => evidence,
            Self::Operator => format!("{evidence}; number read by the operator, twice"),
        }
    }
}

/// One form out at the front.
#[derive(Debug)]
pub(super) struct Leaving {
    out: Out,
    number: Option<BillNumber>,
    /// What became of it, on its way.
    pub delivery: Option<Delivery>,
    then: Then,
    /// The printer does not see whether it is taken.
    by_word: bool,
}

/// What a person takes out after this.
pub(super) fn out_of(event: &FormEvent) -> Out {
    match event {
        FormEvent::Mismatch { .. } => Out::Wrong,
        FormEvent::Failed { .. } => Out::Spoiled,
        _ => Out::Doubtful,
    }
}

impl Dispensing {
    /// Asks a person to hold the next blank; `fed` is one that was waited for in vain.
    pub(super) fn prepare(
        mut self,
        fed: Option<(FeedDurable, u32)>,
        problem: Option<InsertProblem>,
    ) -> Step {
        self.resuming = false;
        self.phase = Phase::Preparing(fed, problem, false);
        self.into()
    }

    /// Nothing moved: whether it is tried again, a person says.
    pub(super) fn not_inserted(
        self,
        cx: &mut Context,
        durable: FeedDurable,
        tries: u32,
        problem: InsertProblem,
    ) -> Step {
        let fed = Some((durable, tries));
        if tries >= INSERTS_MAX {
            return self.not_prepared(cx, fed, AbandonReason::PrinterFault);
        }
        self.prepare(fed, Some(problem))
    }

    /// Nobody feeds any more: what was never to be fed is released, the number that was
    /// is frozen, because only a person knows where its blank is.
    fn not_prepared(
        mut self,
        cx: &mut Context,
        fed: Option<(FeedDurable, u32)>,
        why: AbandonReason,
    ) -> Step {
        self.stop = self.stop.or(Some(why));
        match fed {
            None => self.go_on(cx, Vec::new()),
            Some((durable, _)) => {
                let reason = "nothing fed: nobody put it in".to_owned();
                self.advise(cx, no_outcome(durable.job().number, reason), Then::On)
            }
        }
    }

    /// Inked, and out at the front: in reach.
    pub(super) fn ejected(self, cx: &mut Context, number: BillNumber, printed: FormEvent) -> Step {
        let mut advices = each(&[number], &printed);
        advices.extend(each(&[number], &FormEvent::Presented));
        self.leave(cx, Out::Printed, advices, Then::On)
    }

    /// Tells the backend, and the person what to do with the form, at the same time.
    pub(super) fn leave(
        mut self,
        cx: &mut Context,
        out: Out,
        advices: Vec<FormAdvice>,
        then: Then,
    ) -> Step {
        let certain = matches!(out, Out::Printed | Out::Spoiled);
        let number = advices.first().map(|a| a.number).filter(|_| certain);
        let delivery = Some(Delivery::begin(cx, self.sale, advices));
        self.ticket = cx.ask(Desk::Forms, Act::AwaitTaken(cx.settings.take));
        self.phase = Phase::Leaving(Box::new(Leaving {
            out,
            number,
            delivery,
            then,
            by_word: false,
        }));
        self.into()
    }

    pub(super) fn leaving(
        mut self,
        cx: &mut Context,
        mut leaving: Box<Leaving>,
        ticket: Ticket,
        answer: Answer,
    ) -> Step {
        if self.ticket != ticket {
            let delivered = leaving.delivery.take().map(|d| d.answered(cx, answer));
            match delivered {
                Some(Delivered::Pending(delivery)) => leaving.delivery = Some(delivery),
                Some(Delivered::Done(answer)) => self.take_over(&answer),
                // The next delivery will meet the same contradiction.
                Some(Delivered::Contradicted) | None => {}
            }
        } else {
            match answer {
                Answer::Taken => return self.left(cx, *leaving, true),
                Answer::StillThere => return self.left(cx, *leaving, false),
                // No sensor, or none that answers: a person must say it.
                _ => leaving.by_word = true,
            }
        }
        self.phase = Phase::Leaving(leaving);
        self.into()
    }

    /// The form at the front was taken, or nobody knows.
    fn left(mut self, cx: &mut Context, leaving: Leaving, taken: bool) -> Step {
        self.current = None;
        self.hand.ready = taken;
        if leaving.out == Out::Printed {
            let reason = "nobody saw it taken".to_owned();
            let event = match taken {
                true => FormEvent::Taken,
                false => FormEvent::NoOutcome { reason },
            };
            if !taken {
                self.stop = self.stop.or(Some(AbandonReason::CustomerLeft));
            }
            return self.settle(cx, leaving.delivery, &event);
        }
        match (leaving.delivery, leaving.then) {
            (Some(delivery), then) => {
                self.phase = Phase::Advising(delivery, then);
                self.into()
            }
            (None, Then::Check) => self.ask(cx, Act::PrinterStatus, Phase::Checking),
            (None, Then::Reconcile) => self.reconcile(cx),
            (None, Then::On | Then::Feed(_)) => self.go_on(cx, Vec::new()),
        }
    }

    /// A key of the person at the printer.
    pub(super) fn hand_cmd(mut self, cx: &mut Context, cmd: Cmd) -> Step {
        let phase = std::mem::replace(&mut self.phase, Phase::Presenting);
        self.phase = match (phase, cmd) {
            (Phase::Preparing(None, ..), Cmd::Enter) => {
                self.hand.ready = true;
                return self.go_on(cx, Vec::new());
            }
            (Phase::Preparing(Some((durable, tries)), ..), Cmd::Enter) => {
                return self.feed(cx, durable, tries);
            }
            (Phase::Preparing(fed, _, true), Cmd::Back) => {
                return self.not_prepared(cx, fed, AbandonReason::Staff);
            }
            (Phase::Preparing(fed, problem, _), cmd) => {
                Phase::Preparing(fed, problem, cmd == Cmd::Back)
            }
            (Phase::Confirming(durable), Cmd::Enter) => {
                return self.ask(cx, Act::ReadNumber, Phase::Reading(durable));
            }
            (Phase::Typing(durable, entry), cmd) => return self.typed(cx, durable, entry, cmd),
            (Phase::Leaving(leaving), Cmd::Enter) if leaving.by_word => {
                return self.left(cx, *leaving, true);
            }
            (phase, _) => phase,
        };
        self.into()
    }

    /// Whoever was awaited did not come.
    pub(super) fn hand_gone(mut self, cx: &mut Context) -> Step {
        let gone = AbandonReason::CustomerLeft;
        self.phase = match std::mem::replace(&mut self.phase, Phase::Presenting) {
            Phase::Preparing(fed, ..) => return self.not_prepared(cx, fed, gone),
            Phase::Confirming(durable) | Phase::Typing(durable, _) => {
                return self.unread(cx, &durable, "nobody read it", Some(gone));
            }
            Phase::Leaving(leaving) => return self.left(cx, *leaving, false),
            phase => phase,
        };
        self.into()
    }

    /// How long a person is waited for.
    pub(super) fn hand_patience(&self, cx: &Context) -> Option<Patience> {
        match &self.phase {
            Phase::Preparing(..) | Phase::Confirming(_) | Phase::Typing(..) => {
                Patience::customer(cx.settings.staff)
            }
            // The printer's own wait, shown.
            Phase::Feeding(..) if self.hand.feeds => Patience::reach(cx.settings.insert),
            Phase::Leaving(_) => Some(Patience {
                total: cx.settings.take,
                counted: Counted::Always,
                extends: true,
            }),
            _ => None,
        }
    }

    /// What the person is shown, where they have something to do.
    pub(super) fn hand_body(&self) -> Option<Body> {
        let sensed = self.hand.senses;
        Some(match &self.phase {
            Phase::Preparing(fed, problem, sure) => Body::PrepareForm {
                form: self.wanted(fed.as_ref().map(|(durable, _)| durable))?,
                problem: *problem,
                fed: fed.is_some(),
                sure: *sure,
            },
            Phase::Feeding(durable, _) if self.hand.feeds && sensed => Body::InsertForm {
                form: self.wanted(Some(durable))?,
                sensed,
            },
            Phase::Confirming(durable) => Body::InsertForm {
                form: self.wanted(Some(durable))?,
                sensed,
            },
            Phase::Typing(_, entry) => entry.body(sensed),
            Phase::Leaving(leaving) => Body::TakeForm {
                number: leaving.number,
                out: leaving.out,
                gone: sensed,
                by_word: leaving.by_word,
            },
            _ => return None,
        })
    }

    /// The form in hand, or the next one.
    fn wanted(&self, fed: Option<&FeedDurable>) -> Option<HandForm> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let waiting = self.jobs.len();
        let (number, later) = match fed {
            Some(durable) => (durable.job().number, waiting),
            None => (self.jobs.front()?.number, waiting.saturating_sub(1)),
        };
        let total = self.forms.len();
        Some(HandForm {
            kind: number.prefix.kind().ok(),
            number,
            nth: count(total.saturating_sub(later)),
            total: count(total),
        })
    }
}
