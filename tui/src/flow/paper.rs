//! Delivering what happened to paper, until it is acknowledged.
//!
//! Outcomes are advices: they cannot be declined, they are written down before
//! they are sent and repeated until the backend has them (I6).

use std::collections::VecDeque;

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::forms::{
    ADVICES_MAX, FormAdvice, FormAdvices, FormEvent, FormState, FormsAnswer,
};
use counterfoil_data::wire::problem::Problem;
use counterfoil_data::wire::sale::{FormView, PrintJob};

use super::bank::is_problem;
use super::context::{Context, back_off};
use super::effect::{BankCall, Record, Ticket};
use super::event::Answer;

/// Advices on their way.
#[derive(Debug)]
pub(super) struct Delivery {
    sale: SaleId,
    queue: VecDeque<FormAdvice>,
    sent: usize,
    supplements: Vec<PrintJob>,
    tries: u32,
    ticket: Ticket,
}

/// What became of a delivery.
#[derive(Debug)]
pub(super) enum Delivered {
    /// Still on its way.
    Pending(Delivery),
    /// All durable.
    Done(FormsAnswer),
    /// The backend's books contradict ours.
    Contradicted,
}

impl Delivery {
    /// Writes the outcomes down, then sends. `advices` must not be empty.
    pub fn begin(cx: &mut Context, sale: SaleId, advices: Vec<FormAdvice>) -> Self {
        for advice in advices.iter().filter(|a| a.event != FormEvent::Feeding) {
            cx.remember(Record::Outcome {
                sale,
                advice: advice.clone(),
            });
        }
        Self::repeat(cx, sale, advices)
    }

    /// Sends what is already written down.
    pub fn repeat(cx: &mut Context, sale: SaleId, advices: Vec<FormAdvice>) -> Self {
        let queue = VecDeque::from(advices);
        let (ticket, sent) = send(cx, sale, &queue);
        Self {
            sale,
            queue,
            sent,
            supplements: Vec::new(),
            tries: 0,
            ticket,
        }
    }

    /// More of the same, behind what is on its way.
    pub fn add(&mut self, cx: &mut Context, advices: Vec<FormAdvice>) {
        for advice in advices {
            cx.remember(Record::Outcome {
                sale: self.sale,
                advice: advice.clone(),
            });
            self.queue.push_back(advice);
        }
    }

    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// No answer came to the last try.
    pub fn is_stuck(&self) -> bool {
        self.tries > 0
    }

    pub fn answered(mut self, cx: &mut Context, answer: Answer) -> Delivered {
        match answer {
            Answer::Forms(mut answer) if usize_of(answer.accepted) >= self.sent => {
                self.queue.drain(..self.sent.min(self.queue.len()));
                self.supplements.append(&mut answer.supplements);
                self.tries = 0;
                if self.queue.is_empty() {
                    answer.supplements = self.supplements;
                    return Delivered::Done(answer);
                }
                (self.ticket, self.sent) = send(cx, self.sale, &self.queue);
                Delivered::Pending(self)
            }
            Answer::Problem(problem) if !is_passing(&problem) => Delivered::Contradicted,
            Answer::Waited => {
                (self.ticket, self.sent) = send(cx, self.sale, &self.queue);
                Delivered::Pending(self)
            }
            _ => {
                self.ticket = cx.wait(back_off(self.tries));
                self.tries = self.tries.saturating_add(1);
                Delivered::Pending(self)
            }
        }
    }
}

fn send(cx: &mut Context, sale: SaleId, queue: &VecDeque<FormAdvice>) -> (Ticket, usize) {
    let advices: Vec<_> = queue.iter().take(ADVICES_MAX).cloned().collect();
    let sent = advices.len();
    let ticket = cx.call(BankCall::Advise(sale, FormAdvices { advices }));
    (ticket, sent)
}

fn is_passing(problem: &Problem) -> bool {
    ["busy", "internal", "not-signed"]
        .iter()
        .any(|word| is_problem(problem, word))
}

fn usize_of(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// The same event for every number.
pub(super) fn each(numbers: &[BillNumber], event: &FormEvent) -> Vec<FormAdvice> {
    let advice = |number: &BillNumber| FormAdvice {
        number: *number,
        event: event.clone(),
    };
    numbers.iter().map(advice).collect()
}

/// How far an event brings a form.
fn rank(event: &FormEvent) -> u8 {
    match event {
        FormEvent::Feeding => 1,
        FormEvent::Printed { .. } => 2,
        FormEvent::Presented => 3,
        _ => 4,
    }
}

/// How far a form is.
fn reached(state: FormState) -> u8 {
    match state {
        FormState::Assigned => 0,
        FormState::Feeding => 1,
        FormState::Printed => 2,
        FormState::Presented => 3,
        _ => 4,
    }
}

/// Outcomes written down that the backend does not have yet, oldest first.
pub(super) fn undelivered(records: &[Record], sale: SaleId, forms: &[FormView]) -> Vec<FormAdvice> {
    let state = |number| forms.iter().find(|f| f.number == number).map(|f| f.state);
    let mut missing: Vec<FormAdvice> = Vec::new();
    for record in records {
        let Record::Outcome { sale: of, advice } = record else {
            continue;
        };
        let behind = state(advice.number).is_some_and(|s| reached(s) < rank(&advice.event));
        if *of == sale && behind && !missing.contains(advice) {
            missing.push(advice.clone());
        }
    }
    missing
}

/// Whether the journal proves that this form was never fed in this sale: it
/// reaches back to before linking and holds no [`Record::Firing`].
pub(super) fn never_fired(records: &[Record], sale: SaleId, number: BillNumber) -> bool {
    let reaches_back = records
        .iter()
        .any(|r| matches!(r, Record::Linking { sale: of, .. } if *of == sale));
    let fired = records.iter().any(
        |r| matches!(r, Record::Firing { sale: of, number: n } if *of == sale && *n == number),
    );
    reaches_back && !fired
}

/// Numbers as the fewest ranges.
pub(super) fn ranges(numbers: &[BillNumber]) -> Vec<BillRange> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let mut ranges: Vec<BillRange> = Vec::new();
    for single in sorted.into_iter().map(BillRange::single) {
        match ranges.last().and_then(|last| last.merge(single)) {
            Some(merged) => {
                ranges.pop();
                ranges.push(merged);
            }
            None => ranges.push(single),
        }
    }
    ranges
}
