//! The number of the form in the printer, typed twice by who looks at it.

use counterfoil_data::bill::BillNumber;
use counterfoil_data::wire::forms::{FormAdvice, FormEvent};
use counterfoil_data::wire::sale::AbandonReason;

use super::super::super::context::Context;
use super::super::super::effect::Act;
use super::super::super::event::Answer;
use super::super::super::proof::FeedDurable;
use super::super::super::step::Step;
use super::super::sheet::same;
use super::super::{Dispensing, Phase};
use super::ReadBy;
use crate::cmd::Cmd;
use crate::model::{Body, NumberProblem};

/// Pairs of readings that may differ.
const READINGS_MAX: u32 = 3;
/// Digits of a number.
const DIGITS: usize = 16;

/// What was typed of a number so far.
#[derive(Debug, Default)]
pub(in crate::flow) struct Entry {
    typed: String,
    /// The first time, once it is the second.
    first: Option<BillNumber>,
    problem: Option<NumberProblem>,
    /// Pairs that differed.
    differed: u32,
}

impl Dispensing {
    /// The printer cannot read: a person types what they see.
    pub(in crate::flow) fn type_number(mut self, durable: FeedDurable, entry: Entry) -> Step {
        self.phase = Phase::Typing(durable, entry);
        self.into()
    }

    /// The driver has both readings.
    pub(in crate::flow) fn compared(
        self,
        cx: &mut Context,
        durable: FeedDurable,
        differed: u32,
        answer: Answer,
    ) -> Step {
        if !matches!(answer, Answer::NumberUnreadable(_)) {
            return self.read(cx, durable, ReadBy::Operator, answer);
        }
        let differed = differed.saturating_add(1);
        if differed >= READINGS_MAX {
            return self.unread(cx, &durable, "two readings differ", None);
        }
        let left = READINGS_MAX.saturating_sub(differed);
        let entry = Entry {
            problem: Some(NumberProblem::Differ { left }),
            differed,
            ..Entry::default()
        };
        self.type_number(durable, entry)
    }

    /// Which form it is, nobody could say: it is neither used nor void.
    pub(super) fn unread(
        self,
        cx: &mut Context,
        durable: &FeedDurable,
        why: &str,
        stop: Option<AbandonReason>,
    ) -> Step {
        let event = FormEvent::NoOutcome {
            reason: format!("number not read: {why}"),
        };
        let number = durable.job().number;
        self.divert(cx, same(FormAdvice { number, event }, stop))
    }

    /// A key in the field of the number.
    pub(super) fn typed(
        mut self,
        cx: &mut Context,
        durable: FeedDurable,
        mut entry: Entry,
        cmd: Cmd,
    ) -> Step {
        if cmd == Cmd::Back && entry.problem == Some(NumberProblem::Unreadable) {
            let stop = Some(AbandonReason::Staff);
            return self.unread(cx, &durable, "given up by the operator", stop);
        }
        if cmd == Cmd::Enter
            && let Some(number) = entry.number()
        {
            if let Some(first) = entry.first {
                let again = number;
                let act = Act::OperatorReads { first, again };
                return self.ask(cx, act, Phase::Comparing(durable, entry.differed));
            }
            entry.first = Some(number);
            entry.typed.clear();
        } else {
            entry.key(cmd);
        }
        self.phase = Phase::Typing(durable, entry);
        self.into()
    }
}

impl Entry {
    /// What the operator is shown.
    pub(super) fn body(&self, sensed: bool) -> Body {
        Body::ReadNumber {
            sensed,
            again: self.first.is_some(),
            typed: self.typed.clone(),
            problem: self.problem,
        }
    }

    /// The number in the field, if it is one.
    fn number(&mut self) -> Option<BillNumber> {
        let number: Option<BillNumber> = self.typed.parse().ok();
        let lawful = number.filter(|number| number.prefix.kind().is_ok());
        self.problem = match lawful {
            Some(_) => None,
            None if self.typed.len() == DIGITS => Some(NumberProblem::NoSuchNumber),
            None => Some(NumberProblem::Length),
        };
        lawful
    }

    /// A key that changes the field.
    fn key(&mut self, cmd: Cmd) {
        self.problem = match cmd {
            Cmd::Digit(_) if self.typed.len() >= DIGITS => Some(NumberProblem::Length),
            Cmd::Digit(digit) => {
                self.typed.extend(char::from_digit(digit.into(), 10));
                None
            }
            Cmd::Erase => {
                self.typed.pop();
                None
            }
            Cmd::Clear => {
                self.typed.clear();
                None
            }
            Cmd::Back => Some(NumberProblem::Unreadable),
            Cmd::Other => Some(NumberProblem::NotADigit),
            // It was judged already.
            Cmd::Enter => self.problem,
            _ => None,
        };
    }
}
