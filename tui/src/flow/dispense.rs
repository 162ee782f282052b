//! Paper: feed, read, compare, ink, present, taken (S9).
//!
//! ```text
//!      ┌───────────────────────── next form ──────────────────────────┐
//!      ▼                                                              │
//!  Advising ──► Feeding ──► Reading ──► Printing ──► Advising(printed n, feeding n+1)
//!  (durable)       │           │           │                          │ last
//!                  └───────────┴───────────┴─► Diverting ─► Advising  ▼
//!                    not moved: once more      spoiled, mismatch   Presenting ─► InReach ─► end
//!                                              unknown                         └► Retracting ┘
//! ```
//!
//! No feed before `Feeding` is durable (I5): a feed takes a [`FeedDurable`]. No
//! ink before the number read equals the assigned one (S9): ink takes a
//! [`NumberEqual`]. A sheet is never fired twice. With the link down nothing
//! moves; the same advices are repeated until they are acknowledged. After a
//! restart nothing is guessed: what neither journal nor printer can show is
//! `NoOutcome`, which freezes the number (I6). Where a person feeds the printer or
//! reads its numbers, [`hand`] leads them between the same gates.

mod hand;
mod reach;
mod resume;
mod sheet;

use std::collections::VecDeque;
use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::Binding;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::forms::{FormAdvice, FormEvent, FormState, FormsAnswer};
use counterfoil_data::wire::sale::{AbandonReason, FormView, PrintJob};
use counterfoil_data::wire::sheet::SheetState;

use super::bank::Asking;
use super::context::Context;
use super::effect::{Act, Desk, Ticket};
use super::event::Answer;
use super::paper::{Delivered, Delivery, each, ranges};
use super::proof::{FeedDurable, NumberEqual};
use super::sheet::{PrintingSheet, said};
use super::step::{Counted, PLACES, Patience, Stage, Step};
use crate::cmd::Cmd;
use crate::model::{Body, FormPhase, InsertProblem};
use hand::{Entry, Hand, Leaving, ReadBy};
use sheet::Verdict;

/// Answers that contradicted us before the kiosk breaks the sale off.
const RESYNCS_MAX: u32 = 3;

/// Where the printed forms lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Gathered in the printer.
    Escrow,
    /// In the customer's reach.
    Reach,
}

/// What follows an acknowledgement.
#[derive(Debug)]
enum Then {
    /// This feed is now durable.
    Feed(Box<PrintJob>),
    /// Look at the printer before the next feed.
    Check,
    /// Whatever is next.
    On,
    /// Compare books and printer after a restart.
    Reconcile,
}

/// Whether Esc was pressed before.
type Sure = bool;

#[derive(Debug)]
enum Phase {
    Advising(Delivery, Then),
    Checking,
    Feeding(FeedDurable, u32),
    Pausing(FeedDurable, u32),
    /// By hand: a person says when they hold the blank; fed in vain so many times.
    Preparing(Option<(FeedDurable, u32)>, Option<InsertProblem>, Sure),
    /// By hand, and nothing senses it: a person says when it is in.
    Confirming(FeedDurable),
    Reading(FeedDurable),
    /// The operator types the number.
    Typing(FeedDurable, Entry),
    /// The printer's driver has both readings.
    Comparing(FeedDurable, u32),
    Printing(NumberEqual, ReadBy),
    Diverting(Verdict),
    /// Something lies in the transport after a restart.
    Clearing(Vec<FormAdvice>),
    Presenting,
    InReach(Option<Delivery>),
    Retracting(Option<Delivery>),
    /// By hand: one form comes out at the front.
    Leaving(Box<Leaving>),
    Reconciling,
    ReconcilePause,
}

/// The paper of one linked sale.
#[derive(Debug)]
pub(super) struct Dispensing {
    sale: SaleId,
    /// Of what is sealed for this sale.
    binding: Binding,
    /// The payment-password sheet, as the view said.
    sheet: Option<SheetState>,
    requisition: String,
    approved: ConfirmText,
    /// Not fed yet, in feed order.
    jobs: VecDeque<PrintJob>,
    /// As the backend last said.
    forms: Vec<FormView>,
    /// Printed, not settled.
    bundle: Vec<BillNumber>,
    place: Place,
    /// Every job the linked result carries.
    all_jobs: Vec<PrintJob>,
    /// The bundle was handed over, or taken back.
    handed: bool,
    /// Times the presenter was asked.
    presents: u32,
    /// What a person does at it.
    hand: Hand,
    /// Until when the customer waits for staff; kept when nobody came, so that one
    /// trouble is waited for once.
    staff_until: Option<Duration>,
    current: Option<BillNumber>,
    stop: Option<AbandonReason>,
    spoiled: u32,
    resuming: bool,
    phase: Phase,
    /// Of the form printer or its timer.
    ticket: Ticket,
}

impl Dispensing {
    fn ask(mut self, cx: &mut Context, act: Act, phase: Phase) -> Step {
        self.ticket = cx.ask(Desk::Forms, act);
        self.phase = phase;
        self.into()
    }

    fn advise(mut self, cx: &mut Context, advices: Vec<FormAdvice>, then: Then) -> Step {
        self.phase = Phase::Advising(Delivery::begin(cx, self.sale, advices), then);
        self.into()
    }

    /// The next thing to do; `done` are outcomes to deliver with it, so that
    /// `printed n` and `feeding n+1` are one call.
    fn go_on(mut self, cx: &mut Context, done: Vec<FormAdvice>) -> Step {
        self.current = None;
        if let Some(job) = self.jobs.front()
            && cx.slot_locked(&job.slot)
        {
            self.stop = self.stop.or(Some(AbandonReason::WrongNumber));
        }
        let feeds = self.stop.is_none() && self.place == Place::Escrow;
        let prepares = self.hand.feeds && !self.hand.ready;
        if feeds && prepares && done.is_empty() && !self.jobs.is_empty() {
            return self.prepare(None, None);
        }
        if feeds
            && !prepares
            && let Some(job) = self.jobs.pop_front()
        {
            self.hand.ready = false;
            let mut advices = done;
            advices.extend(each(&[job.number], &FormEvent::Feeding));
            self.current = Some(job.number);
            self.resuming = false;
            return self.advise(cx, advices, Then::Feed(Box::new(job)));
        }
        if !done.is_empty() {
            return self.advise(cx, done, Then::On);
        }
        if !self.bundle.is_empty() {
            return match self.place {
                Place::Escrow => self.ask(cx, Act::Present, Phase::Presenting),
                Place::Reach => self.in_reach(cx),
            };
        }
        let broken = if self.jobs.is_empty() {
            None
        } else {
            self.stop
        };
        self.end(cx, broken)
    }

    /// Nothing is on its way any more: the payment-password sheet, where one is made and
    /// something was sold, and then the end (L7).
    fn end(self, cx: &mut Context, broken: Option<AbandonReason>) -> Step {
        let sold = self.forms.iter().any(|f| f.state == FormState::Sold);
        if self.sheet == Some(SheetState::Made) && sold {
            return PrintingSheet::begin(cx, self.binding, self.requisition, broken);
        }
        let outcome = said(cx, self.sale, self.sheet);
        Asking::end(cx, self.sale, broken, outcome)
    }

    /// Advices are durable.
    fn acknowledged(mut self, cx: &mut Context, answer: FormsAnswer, then: Then) -> Step {
        self.take_over(&answer);
        match then {
            Then::Feed(job) => match FeedDurable::acknowledged(*job, &answer) {
                Some(durable) => self.feed(cx, durable, 0),
                None => self.resync(cx),
            },
            Then::Check => self.ask(cx, Act::PrinterStatus, Phase::Checking),
            Then::On => self.go_on(cx, Vec::new()),
            Then::Reconcile => self.reconcile(cx),
        }
    }

    fn take_over(&mut self, answer: &FormsAnswer) {
        self.forms.clone_from(&answer.forms);
        for job in &answer.supplements {
            let assigned = |f: &FormView| f.number == job.number && f.state == FormState::Assigned;
            let known = self.jobs.iter().any(|j| j.number == job.number);
            if !known && self.forms.iter().any(assigned) {
                self.jobs.push_back(job.clone());
            }
        }
        // A number that came up at the wrong time is no longer to be fed.
        let forms = &self.forms;
        self.jobs.retain(|job| {
            let mut forms = forms.iter();
            forms.any(|f| f.number == job.number && f.state == FormState::Assigned)
        });
    }

    /// The books contradict us: looks again, a few times, then leaves it to staff.
    fn resync(self, cx: &mut Context) -> Step {
        cx.resyncs = cx.resyncs.saturating_add(1);
        if cx.resyncs > RESYNCS_MAX {
            let outcome = said(cx, self.sale, self.sheet);
            let broken = Some(AbandonReason::PrinterFault);
            return Asking::end(cx, self.sale, broken, outcome);
        }
        Asking::sync(cx, self.sale)
    }

    fn phase(&self) -> FormPhase {
        match &self.phase {
            Phase::Advising(delivery, _) if delivery.is_stuck() => FormPhase::Waiting,
            Phase::Advising(..) => FormPhase::Asking,
            Phase::Reading(_) => FormPhase::Reading,
            Phase::Printing(..) => FormPhase::Printing,
            Phase::Presenting | Phase::InReach(_) | Phase::Retracting(_) => FormPhase::Presenting,
            Phase::ReconcilePause => FormPhase::Attention,
            Phase::Reconciling if self.staff_until.is_some() => FormPhase::Attention,
            _ => FormPhase::Feeding,
        }
    }

    fn with_state(&self, states: &[FormState]) -> Vec<BillNumber> {
        let these = self.forms.iter().filter(|f| states.contains(&f.state));
        these.map(|f| f.number).collect()
    }
}

impl Stage for Dispensing {
    fn awaits(&self, ticket: Ticket) -> bool {
        let delivery = match &self.phase {
            Phase::Advising(delivery, _) => return delivery.ticket() == ticket,
            Phase::InReach(delivery) | Phase::Retracting(delivery) => delivery.as_ref(),
            Phase::Leaving(leaving) => leaving.delivery.as_ref(),
            _ => None,
        };
        self.ticket == ticket || delivery.is_some_and(|d| d.ticket() == ticket)
    }

    fn answered(mut self, cx: &mut Context, ticket: Ticket, answer: Answer) -> Step {
        let phase = std::mem::replace(&mut self.phase, Phase::Presenting);
        match phase {
            Phase::Advising(delivery, then) => match delivery.answered(cx, answer) {
                Delivered::Pending(delivery) => {
                    self.phase = Phase::Advising(delivery, then);
                    self.into()
                }
                Delivered::Done(answer) => self.acknowledged(cx, answer, then),
                Delivered::Contradicted => self.resync(cx),
            },
            Phase::Checking => match answer {
                Answer::Printer(facts) => self.checked(cx, Some(facts)),
                _ => self.checked(cx, None),
            },
            Phase::Feeding(durable, tries) => self.fed(cx, durable, tries, answer),
            Phase::Pausing(durable, tries) => self.feed(cx, durable, tries),
            Phase::Reading(durable) => self.read(cx, durable, ReadBy::Printer, answer),
            Phase::Comparing(durable, tries) => self.compared(cx, durable, tries, answer),
            Phase::Leaving(leaving) => self.leaving(cx, leaving, ticket, answer),
            // A person is awaited, and no desk.
            phase @ (Phase::Preparing(..) | Phase::Confirming(_) | Phase::Typing(..)) => {
                self.phase = phase;
                self.into()
            }
            Phase::Printing(equal, by) => self.printed(cx, &equal, by, answer),
            Phase::Diverting(verdict) => self.diverted(cx, verdict, &answer),
            Phase::Clearing(lost) => {
                let cleared = matches!(answer, Answer::Diverted | Answer::NothingToDivert);
                self.cleared(cx, lost, cleared)
            }
            Phase::Presenting => self.presented(cx, &answer),
            Phase::InReach(delivery) => self.reached(cx, delivery, ticket, answer),
            Phase::Retracting(delivery) => self.retracted(cx, delivery, ticket, answer),
            Phase::Reconciling => self.reconciled(cx, &answer),
            Phase::ReconcilePause => self.reconcile(cx),
        }
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        self.hand_cmd(cx, cmd)
    }

    /// Nobody took the bundle in time, or did what a hand must do.
    fn deadline(self, cx: &mut Context) -> Step {
        match self.phase {
            Phase::InReach(_) => self.take_back(cx),
            _ => self.hand_gone(cx),
        }
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        match self.phase {
            // From the start: when it ends, the forms are drawn back.
            Phase::InReach(_) => Some(Patience {
                total: cx.settings.take,
                counted: Counted::Always,
                extends: true,
            }),
            _ => self.hand_patience(cx),
        }
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((6, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        if let Some(body) = self.hand_body() {
            return body;
        }
        let sold = self.with_state(&[FormState::Sold]).len();
        let printed = count(self.bundle.len().saturating_add(sold));
        let total = count(self.forms.len());
        if matches!(self.phase, Phase::InReach(_)) {
            return Body::TakeForms {
                ranges: ranges(&self.bundle),
                count: printed,
            };
        }
        if self.handed && self.jobs.is_empty() && self.current.is_none() {
            return Body::PrintingReceipt;
        }
        if self.resuming && self.phase() != FormPhase::Attention {
            return Body::Resuming { printed, total };
        }
        Body::Dispensing {
            requisition: self.requisition.clone(),
            printed,
            total,
            current: self.current,
            phase: self.phase(),
            spoiled: self.with_state(&[FormState::Spoiled, FormState::Retracted]),
            unknown: self.with_state(&[FormState::Unknown]),
        }
    }
}
