//! Beginning, and going on after a restart (I6).
//!
//! Order: what the journal knew is delivered first; then books and printer are
//! compared; what neither can show is `NoOutcome`; then the forms that were
//! never fed are printed.

use std::time::Duration;

use counterfoil_data::wire::forms::{FormAdvice, FormEvent, FormState};
use counterfoil_data::wire::sale::AbandonReason;

use super::super::context::Context;
use super::super::effect::Act;
use super::super::event::{Answer, Paper, PrinterFacts};
use super::super::paper::{Delivery, each, never_fired, undelivered};
use super::super::proof::Linked;
use super::super::step::Step;
use super::hand::Hand;
use super::sheet::no_outcome;
use super::{Dispensing, Phase, Place, Then};
use crate::flow::effect::{Desk, Ticket};
use crate::model::Out;

/// Between two looks at a printer that does not answer or needs staff.
const LOOK_PAUSE: Duration = Duration::from_secs(3);

impl Dispensing {
    /// Right after linked processing; or after a contradiction, then as after
    /// a restart.
    pub fn begin(cx: &mut Context, linked: Linked) -> Step {
        let on_the_way = |state| {
            matches!(
                state,
                FormState::Feeding | FormState::Printed | FormState::Presented
            )
        };
        if linked.view().forms.iter().any(|f| on_the_way(f.state)) {
            return Self::resume(cx, linked);
        }
        // A printer that cannot feed is found before a form is said to be fed:
        // all numbers can then be released.
        Self::of(&linked).reconcile(cx)
    }

    /// After a restart.
    pub fn resume(cx: &mut Context, linked: Linked) -> Step {
        let mut step = Self::of(&linked);
        step.resuming = true;
        let late = undelivered(&cx.records, step.sale, &step.forms);
        if late.is_empty() {
            return step.reconcile(cx);
        }
        let delivery = Delivery::repeat(cx, step.sale, late);
        step.phase = Phase::Advising(delivery, Then::Reconcile);
        step.into()
    }

    fn of(linked: &Linked) -> Self {
        let (view, result) = (linked.view(), linked.result());
        let assigned = |number| {
            let mut forms = view.forms.iter();
            forms.any(|f| f.number == number && f.state == FormState::Assigned)
        };
        let jobs = result.jobs.iter().filter(|job| assigned(job.number));
        Self {
            sale: view.sale,
            binding: linked.binding(),
            sheet: view.sheet.map(|sheet| sheet.state),
            requisition: result.requisition.clone(),
            approved: result.approved.clone(),
            jobs: jobs.cloned().collect(),
            forms: view.forms.clone(),
            bundle: Vec::new(),
            place: Place::Escrow,
            all_jobs: result.jobs.clone(),
            handed: false,
            presents: 0,
            hand: Hand::default(),
            staff_until: None,
            current: None,
            stop: None,
            spoiled: 0,
            resuming: false,
            phase: Phase::Checking,
            ticket: Ticket {
                desk: Desk::Forms,
                generation: 0,
            },
        }
    }

    /// Asks the printer what lies where.
    pub(super) fn reconcile(self, cx: &mut Context) -> Step {
        self.ask(cx, Act::PrinterStatus, Phase::Reconciling)
    }

    pub(super) fn reconciled(mut self, cx: &mut Context, answer: &Answer) -> Step {
        let seen = match answer {
            Answer::Printer(facts) => Some(*facts),
            _ => None,
        };
        if seen.is_some_and(|facts| !facts.fault) {
            // Mended: the next trouble has a wait of its own.
            self.staff_until = None;
        } else if seen.is_none_or(|facts| self.awaits_staff(&facts)) {
            let until = cx.now.at.saturating_add(cx.settings.staff);
            if cx.now.at < *self.staff_until.get_or_insert(until) {
                self.ticket = cx.wait(LOOK_PAUSE);
                self.phase = Phase::ReconcilePause;
                return self.into();
            }
        }
        let facts = match seen {
            Some(facts) => facts,
            None => PrinterFacts {
                transport: Paper::Empty,
                escrow: Paper::Empty,
                output: Paper::Empty,
                fault: true,
                by_hand: self.hand.feeds,
            },
        };
        self.hand.feeds = facts.by_hand;
        self.hand.senses = facts.transport != Paper::Unsensed;
        let untouched = self.forms.iter().all(|f| f.state == FormState::Assigned);
        let places = [facts.transport, facts.escrow, facts.output];
        let foreign = untouched && places.contains(&Paper::Occupied);
        if facts.fault || foreign {
            self.stop = self.stop.or(Some(AbandonReason::PrinterFault));
        }
        if foreign {
            // Somebody else's paper: nothing is added to it, and nobody gets it.
            return self.go_on(cx, Vec::new());
        }
        let mut lost = self.compare_bundle(&facts);
        lost.extend(self.compare_feeding(cx));
        let may_lie = facts.transport == Paper::Unsensed && !lost.is_empty();
        if facts.transport == Paper::Occupied || may_lie {
            // Whatever lies there is not handed out; its name is in `lost`, or
            // was settled before.
            return self.ask(cx, Act::Divert, Phase::Clearing(lost));
        }
        self.tell(cx, lost)
    }

    /// A fault that staff can mend stands between the customer and their forms.
    fn awaits_staff(&self, facts: &PrinterFacts) -> bool {
        let feeds = self.stop.is_none() && !self.jobs.is_empty();
        facts.fault && (feeds || self.presents > 0)
    }

    /// The transport was cleared, or cannot be.
    pub(super) fn cleared(
        mut self,
        cx: &mut Context,
        lost: Vec<FormAdvice>,
        cleared: bool,
    ) -> Step {
        if !cleared {
            self.stop = self.stop.or(Some(AbandonReason::PrinterFault));
        } else if self.hand.feeds && !lost.is_empty() {
            return self.leave(cx, Out::Doubtful, lost, Then::On);
        }
        self.tell(cx, lost)
    }

    fn tell(self, cx: &mut Context, lost: Vec<FormAdvice>) -> Step {
        if lost.is_empty() {
            self.go_on(cx, lost)
        } else {
            self.advise(cx, lost, Then::On)
        }
    }

    /// Printed forms are where the sensors see paper, or nobody knows.
    fn compare_bundle(&mut self, facts: &PrinterFacts) -> Vec<FormAdvice> {
        self.bundle = self.with_state(&[FormState::Printed, FormState::Presented]);
        let was_presented = !self.with_state(&[FormState::Presented]).is_empty();
        let in_reach = facts.output == Paper::Occupied;
        let in_escrow = facts.escrow == Paper::Occupied && !was_presented;
        self.place = if in_reach {
            Place::Reach
        } else {
            Place::Escrow
        };
        if in_reach || in_escrow {
            return Vec::new();
        }
        let reason = if was_presented {
            "nobody saw it taken"
        } else {
            "not in the escrow after a restart"
        };
        let event = FormEvent::NoOutcome {
            reason: reason.to_owned(),
        };
        each(&std::mem::take(&mut self.bundle), &event)
    }

    /// A form in `Feeding` is fed again only if the journal proves it never was.
    fn compare_feeding(&mut self, cx: &Context) -> Vec<FormAdvice> {
        let mut lost = Vec::new();
        for number in self.with_state(&[FormState::Feeding]) {
            let job = self.all_jobs.iter().find(|job| job.number == number);
            match job {
                Some(job) if never_fired(&cx.records, self.sale, number) => {
                    self.jobs.push_front(job.clone());
                }
                _ => lost.extend(no_outcome(number, "fed, and no outcome seen".to_owned())),
            }
        }
        lost
    }
}
