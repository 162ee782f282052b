//! One sheet on its way: feed, read, compare, ink, or the reject bin (S9).

use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::wire::forms::{FormAdvice, FormEvent};
use counterfoil_data::wire::sale::AbandonReason;

use super::super::context::Context;
use super::super::effect::{Act, Record};
use super::super::event::{Answer, Paper, PrinterFacts};
use super::super::paper::each;
use super::super::proof::{FeedDurable, NumberEqual};
use super::super::step::Step;
use super::hand::{Entry, ReadBy, out_of};
use super::{Dispensing, Phase, Then};

/// Spoiled forms in one sale before the kiosk breaks it off.
const SPOILED_MAX: u32 = 3;
/// Feeds of one blank that provably did not move.
const FEEDS_MAX: u32 = 3;
/// Between two of them.
const FEED_PAUSE: Duration = Duration::from_secs(3);

/// What a sheet in the transport comes to, once it is cleared or not.
#[derive(Debug)]
pub(super) struct Verdict {
    pub cleared: Option<FormAdvice>,
    pub stuck: Option<FormAdvice>,
    /// The sale goes no further even if the transport is clear.
    pub stop: Option<AbandonReason>,
}

impl Dispensing {
    /// Fires the feed: written down first, so that a restart knows paper moved.
    pub(super) fn feed(self, cx: &mut Context, durable: FeedDurable, tries: u32) -> Step {
        let (sale, number) = (self.sale, durable.job().number);
        if tries == 0 {
            cx.remember(Record::Firing { sale, number });
        }
        let job = Box::new(durable.job().clone());
        let tries = tries.saturating_add(1);
        let act = if self.hand.feeds {
            Act::AwaitInsert(job, cx.settings.insert)
        } else {
            Act::Feed(job)
        };
        self.ask(cx, act, Phase::Feeding(durable, tries))
    }

    pub(super) fn fed(
        mut self,
        cx: &mut Context,
        durable: FeedDurable,
        tries: u32,
        answer: Answer,
    ) -> Step {
        let number = durable.job().number;
        match answer {
            Answer::NotInserted(problem) => self.not_inserted(cx, durable, tries, problem),
            Answer::Fed if self.hand.feeds && !self.hand.senses => {
                self.phase = Phase::Confirming(durable);
                self.into()
            }
            Answer::Fed => self.ask(cx, Act::ReadNumber, Phase::Reading(durable)),
            Answer::FeedFailed {
                moved: false,
                empty,
                reason,
            } => {
                if tries < FEEDS_MAX && !empty && !self.hand.feeds {
                    self.ticket = cx.wait(FEED_PAUSE);
                    self.phase = Phase::Pausing(durable, tries);
                    return self.into();
                }
                self.stop = Some(if empty {
                    AbandonReason::CassetteEmpty
                } else {
                    AbandonReason::PrinterFault
                });
                let reason = format!("nothing fed: {reason}");
                self.advise(cx, no_outcome(number, reason), Then::On)
            }
            Answer::FeedFailed { reason, .. } => {
                let verdict = Verdict {
                    cleared: Some(failed(number, false, &reason)),
                    stuck: no_outcome(number, reason).pop(),
                    stop: None,
                };
                self.divert(cx, verdict)
            }
            _ => self.fault(cx),
        }
    }

    pub(super) fn read(
        self,
        cx: &mut Context,
        durable: FeedDurable,
        by: ReadBy,
        answer: Answer,
    ) -> Step {
        let number = durable.job().number;
        match answer {
            Answer::NumberRead(read) => match durable.compare(read) {
                Some(equal) => {
                    let act = Act::Print {
                        job: Box::new(equal.job().clone()),
                        approved: Box::new(self.approved.clone()),
                    };
                    self.ask(cx, act, Phase::Printing(equal, by))
                }
                None => {
                    let event = FormEvent::Mismatch { read };
                    let advice = FormAdvice { number, event };
                    self.divert(cx, same(advice, Some(AbandonReason::WrongNumber)))
                }
            },
            Answer::OperatorMustRead => self.type_number(durable, Entry::default()),
            Answer::NumberUnreadable(reason) => {
                self.divert(cx, same(failed(number, false, &reason), None))
            }
            _ => self.fault(cx),
        }
    }

    pub(super) fn printed(
        mut self,
        cx: &mut Context,
        equal: &NumberEqual,
        by: ReadBy,
        answer: Answer,
    ) -> Step {
        let number = equal.job().number;
        match answer {
            Answer::Printed(evidence) => {
                self.bundle.push(number);
                let evidence = by.with(evidence);
                let event = FormEvent::Printed { evidence };
                if self.hand.feeds {
                    return self.ejected(cx, number, event);
                }
                self.go_on(cx, vec![FormAdvice { number, event }])
            }
            Answer::PrintFailed { ink, reason } => {
                self.divert(cx, same(failed(number, ink, &reason), None))
            }
            Answer::PrintUnknown(reason) => {
                let verdict = Verdict {
                    cleared: no_outcome(number, reason.clone()).pop(),
                    stuck: no_outcome(number, reason).pop(),
                    stop: None,
                };
                self.divert(cx, verdict)
            }
            _ => self.fault(cx),
        }
    }

    /// The printer was lost with a sheet on its way: as after a restart, what
    /// happened to it is asked when the printer is back.
    pub(super) fn fault(mut self, cx: &mut Context) -> Step {
        self.count_spoiled();
        self.reconcile(cx)
    }

    fn count_spoiled(&mut self) {
        self.spoiled = self.spoiled.saturating_add(1);
        if self.spoiled >= SPOILED_MAX {
            self.stop = self.stop.or(Some(AbandonReason::PrinterFault));
        }
    }

    pub(super) fn divert(self, cx: &mut Context, verdict: Verdict) -> Step {
        self.ask(cx, Act::Divert, Phase::Diverting(verdict))
    }

    pub(super) fn diverted(mut self, cx: &mut Context, verdict: Verdict, answer: &Answer) -> Step {
        self.stop = self.stop.or(verdict.stop);
        self.count_spoiled();
        let (advice, cleared) = match answer {
            Answer::Diverted => (verdict.cleared, true),
            Answer::NothingToDivert => (verdict.cleared.map(missing), true),
            _ => (verdict.stuck, false),
        };
        let Some(advice) = advice else {
            return self.go_on(cx, Vec::new());
        };
        // A sheet that cannot be cleared needs staff, and the customer waits for
        // them a while.
        let then = match (cleared, self.stop) {
            (false, _) => Then::Reconcile,
            (true, Some(_)) => Then::On,
            (true, None) => Then::Check,
        };
        if self.hand.feeds && matches!(answer, Answer::Diverted) {
            let out = out_of(&advice.event);
            return self.leave(cx, out, vec![advice], then);
        }
        self.advise(cx, vec![advice], then)
    }

    pub(super) fn checked(self, cx: &mut Context, facts: Option<PrinterFacts>) -> Step {
        let clear = facts.is_some_and(|f| !f.fault && f.transport != Paper::Occupied);
        if clear {
            self.go_on(cx, Vec::new())
        } else {
            self.reconcile(cx)
        }
    }
}

pub(super) fn failed(number: BillNumber, ink: bool, reason: &str) -> FormAdvice {
    let reason = reason.to_owned();
    let event = FormEvent::Failed { ink, reason };
    FormAdvice { number, event }
}

/// A sheet that was expected in the transport and is not there: nobody saw it go
/// into the reject bin, so it is not spoiled, it is unknown (I6).
fn missing(advice: FormAdvice) -> FormAdvice {
    match advice.event {
        FormEvent::Failed { reason, .. } => FormAdvice {
            number: advice.number,
            event: FormEvent::NoOutcome {
                reason: format!("gone from the transport: {reason}"),
            },
        },
        _ => advice,
    }
}

pub(super) fn no_outcome(number: BillNumber, reason: String) -> Vec<FormAdvice> {
    each(&[number], &FormEvent::NoOutcome { reason })
}

/// The same whether the transport can be cleared or not.
pub(super) fn same(advice: FormAdvice, stop: Option<AbandonReason>) -> Verdict {
    Verdict {
        cleared: Some(advice.clone()),
        stuck: Some(advice),
        stop,
    }
}
