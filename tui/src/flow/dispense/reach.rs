//! The bundle in the customer's reach: taken, or retracted after the time.

use std::time::Duration;

use counterfoil_data::wire::forms::{FormAdvice, FormEvent, FormState};
use counterfoil_data::wire::sale::AbandonReason;

use super::super::context::Context;
use super::super::effect::{Act, Desk, Ticket};
use super::super::event::Answer;
use super::super::paper::{Delivered, Delivery, each};
use super::super::step::Step;
use super::{Dispensing, Phase, Place, Then};

/// Times a presenter may fail before the bundle is given up.
const PRESENTS_MAX: u32 = 3;
/// Longest time a bundle lies in reach, however often the customer asks for more.
const REACH_MAX: Duration = Duration::from_secs(300);

impl Dispensing {
    /// The presenter answered.
    pub(super) fn presented(mut self, cx: &mut Context, answer: &Answer) -> Step {
        if !matches!(answer, Answer::Presented) {
            self.presents = self.presents.saturating_add(1);
            if self.presents >= PRESENTS_MAX {
                self.stop = self.stop.or(Some(AbandonReason::PrinterFault));
                let reason = "presenter failed".to_owned();
                return self.settle(cx, None, &FormEvent::NoOutcome { reason });
            }
            // Whether it lies in escrow or in reach is the printer's to say.
            return self.reconcile(cx);
        }
        self.place = Place::Reach;
        self.in_reach(cx)
    }

    /// Tells the backend, and watches the output at the same time: the customer
    /// does not wait for the network.
    pub(super) fn in_reach(mut self, cx: &mut Context) -> Step {
        let known = self.with_state(&[FormState::Presented]);
        let news: Vec<_> = self
            .bundle
            .iter()
            .filter(|n| !known.contains(n))
            .copied()
            .collect();
        let advices = each(&news, &FormEvent::Presented);
        let delivery = (!advices.is_empty()).then(|| Delivery::begin(cx, self.sale, advices));
        self.ticket = cx.ask(Desk::Forms, Act::AwaitTaken(REACH_MAX));
        self.resuming = false;
        self.phase = Phase::InReach(delivery);
        self.into()
    }

    pub(super) fn reached(
        self,
        cx: &mut Context,
        delivery: Option<Delivery>,
        ticket: Ticket,
        answer: Answer,
    ) -> Step {
        if self.ticket != ticket {
            return self.delivered(cx, delivery, answer, Phase::InReach);
        }
        match answer {
            Answer::Taken => self.settle(cx, delivery, &FormEvent::Taken),
            Answer::StillThere => self.ask(cx, Act::Retract, Phase::Retracting(delivery)),
            _ => self.reach_lost(cx, delivery),
        }
    }

    /// The printer was lost with the bundle in reach: when it is back, the bundle
    /// still lies there, or nobody saw it taken. What was not delivered yet is
    /// delivered again then.
    fn reach_lost(mut self, cx: &mut Context, delivery: Option<Delivery>) -> Step {
        self.presents = self.presents.saturating_add(1);
        if self.presents < PRESENTS_MAX {
            return self.reconcile(cx);
        }
        let reason = "output sensor lost".to_owned();
        self.settle(cx, delivery, &FormEvent::NoOutcome { reason })
    }

    /// Draws the bundle back; supersedes the watch of the output.
    pub(super) fn take_back(mut self, cx: &mut Context) -> Step {
        let delivery = match std::mem::replace(&mut self.phase, Phase::Presenting) {
            Phase::InReach(delivery) => delivery,
            _ => None,
        };
        self.ask(cx, Act::Retract, Phase::Retracting(delivery))
    }

    pub(super) fn retracted(
        self,
        cx: &mut Context,
        delivery: Option<Delivery>,
        ticket: Ticket,
        answer: Answer,
    ) -> Step {
        if self.ticket != ticket {
            return self.delivered(cx, delivery, answer, Phase::Retracting);
        }
        match answer {
            Answer::Retracted => self.settle(cx, delivery, &FormEvent::Retracted),
            // Taken in the last moment: the retract found nothing.
            Answer::Taken => self.settle(cx, delivery, &FormEvent::Taken),
            _ => {
                let reason = "retract failed".to_owned();
                self.settle(cx, delivery, &FormEvent::NoOutcome { reason })
            }
        }
    }

    /// `Presented` is on its way while the paper is still watched.
    fn delivered(
        mut self,
        cx: &mut Context,
        delivery: Option<Delivery>,
        answer: Answer,
        phase: fn(Option<Delivery>) -> Phase,
    ) -> Step {
        let rest = match delivery.map(|d| d.answered(cx, answer)) {
            Some(Delivered::Pending(delivery)) => Some(delivery),
            Some(Delivered::Done(answer)) => {
                self.take_over(&answer);
                None
            }
            // The next delivery will meet the same contradiction, with the
            // paper at rest.
            Some(Delivered::Contradicted) | None => None,
        };
        self.phase = phase(rest);
        self.into()
    }

    /// The same outcome for the whole bundle, behind what is still on its way.
    pub(super) fn settle(
        mut self,
        cx: &mut Context,
        delivery: Option<Delivery>,
        event: &FormEvent,
    ) -> Step {
        let bundle = std::mem::take(&mut self.bundle);
        self.place = Place::Escrow;
        self.handed = true;
        let advices: Vec<FormAdvice> = each(&bundle, event);
        let delivery = match delivery {
            Some(mut delivery) => {
                delivery.add(cx, advices);
                delivery
            }
            None => Delivery::begin(cx, self.sale, advices),
        };
        self.phase = Phase::Advising(delivery, Then::On);
        self.into()
    }
}
